// Literal gradient steps of deep networks, one network after another: what is asked.
//
// netphase.networks.passes is the readable definition of the passes. Arrays are (e, ...), samples last.
#pragma once
#include <cstddef>
#include <cstdint>

namespace netphase {

template <class T> struct DeepRequest {
  std::size_t networks = 0, copies = 1, layers = 0;  // e, c, L + 1
  std::size_t samples = 0, padded = 0;               // n, and n rounded up to whole lines of the cache
  const std::size_t* sizes = nullptr;                // m_0 ... m_{L+1}
  std::size_t numbers = 0, signals = 0;              // of weights and of hidden signals a network
  T* weights = nullptr;                              // (e, numbers): (c, m_l, m_{l-1}), layer after layer
  const T *x = nullptr, *target = nullptr;           // (m_0, padded) with zeros behind n; (k, n)
  const T* centre = nullptr;                         // (e, k, n), or null for none
  const T *gains = nullptr, *factors = nullptr;      // (e, L + 1): see passes.Gains; h eta_l/(beta_l^2 n)
  T *values = nullptr, *slopes = nullptr;            // (e, signals): (c, m_l, padded), layer after layer
  T *output = nullptr, *residual = nullptr;          // (e, k, n)
  int activation = 0;                                // of netphase.activations.Activation
  std::int64_t* steps = nullptr;                     // (e,): the most to make, and then those made
  double* squares = nullptr;                         // (e, 2): mean squares one step back and now
  // A network stops after a step whose mean square is no number in (floor, ceiling], or, where they are
  // to fall, is above that of the step before.
  double floor = 0;
  const double* ceilings = nullptr;                  // (e,)
  bool falling = false;
};

constexpr std::size_t deep_panel_bytes = std::size_t{64} << 10;  // room for what product.hpp packs at a time

// Numbers of the room that every thread brings along, aligned to 64 bytes.
template <class T> std::size_t deep_room(const DeepRequest<T>& q) {
  std::size_t widest = 0;
  for (std::size_t layer = 1; layer <= q.layers; ++layer) widest = q.sizes[layer] > widest ? q.sizes[layer] : widest;
  return 2 * q.copies * widest * q.padded + deep_panel_bytes / sizeof(T);
}

}  // namespace netphase

#ifdef NETPHASE_ISA
namespace netphase::NETPHASE_ISA {
// Steps of one network. Values, slopes and residual are those at the weights before them and after them.
void deep_steps(const DeepRequest<double>& request, std::size_t network, double* room);
void deep_steps(const DeepRequest<float>& request, std::size_t network, float* room);
}
#endif
