// Gradient descent of a ReLU network through its gates: the same steps at a fraction of the operations.
//
// With the gates g_ik = 1{w_k·x_i > 0} the output is f_i = x_i · Σ_k g_ik a_k w_k, and the gradient of
// neuron k needs v_k = Σ_i g_ik e_i x_i: two sums of rows selected by bits. Rows are taken five at a
// time: the 32 sums of each subset of five rows are tabulated once, and every selection of five rows
// is then one addition instead of five ("method of the four Russians"). The gates of a neuron are
// looked at again only when it may have moved as far as the nearest kink: |w_k·x_i| ≤ |δw_k||x_i|.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <vector>

#include "descent.hpp"
#include "vec.hpp"

namespace netphase::NETPHASE_ISA {

template <class T> struct GateDescent {
  virtual ~GateDescent() = default;
  virtual void load(const T* rows, std::size_t stride) = 0;  // rows a, w_1 … w_d
  virtual void store(T* rows, std::size_t stride) const = 0;
  // One step with the residual e (n), then the unscaled output after it.
  virtual void step(const double* e, T step_a, T step_w, double* output) = 0;
};

// P: vectors that hold the d numbers of one row.
template <class T, int P> class GatePass final : public GateDescent<T> {
  using V = vec<T>;
  static constexpr int L = lanes<T>, row = P * L;
  static constexpr int bits = 5, groups = 4, tile = bits * groups;  // rows a table, tables at a time, rows at a time
  static constexpr int table = (1 << bits) * row;

 public:
  GatePass(const double* x, std::size_t n, std::size_t d, std::size_t m)
      : n_(n), d_(d), m_(m), sample_tiles_((n + tile - 1) / tile), neuron_tiles_((m + tile - 1) / tile),
        lanes_n_((n + L - 1) / L * L), x_(sample_tiles_ * tile * row), columns_(d * lanes_n_),
        inverse_(lanes_n_), z_(lanes_n_ + bits), w_(neuron_tiles_ * tile * row), v_(neuron_tiles_ * tile * row),
        sums_(n * row), tables_(groups * table), a_(neuron_tiles_ * tile), e_(sample_tiles_ * tile),
        margin_(m), moved_(m), of_sample_(neuron_tiles_ * n * groups), of_neuron_(sample_tiles_ * m * groups) {
    for (std::size_t i = 0; i < n; ++i) {
      double norm = 0;
      for (std::size_t j = 0; j < d; ++j) {
        const double value = x[i * d + j];
        x_[i * row + j] = columns_[j * lanes_n_ + i] = static_cast<T>(value);
        norm += value * value;
      }
      inverse_[i] = norm > 0 ? static_cast<T>(1 / std::sqrt(norm)) : std::numeric_limits<T>::infinity();
    }
    for (std::size_t i = n; i < lanes_n_; ++i) inverse_[i] = std::numeric_limits<T>::infinity();
  }

  void load(const T* rows, std::size_t stride) override {
    for (std::size_t k = 0; k < m_; ++k) {
      a_[k] = rows[k];
      for (std::size_t j = 0; j < d_; ++j) w_[k * row + j] = rows[(j + 1) * stride + k];
      look(k);
    }
  }

  void store(T* rows, std::size_t stride) const override {
    for (std::size_t k = 0; k < m_; ++k) {
      rows[k] = a_[k];
      for (std::size_t j = 0; j < d_; ++j) rows[(j + 1) * stride + k] = w_[k * row + j];
    }
  }

  void step(const double* e, T step_a, T step_w, double* output) override {
    for (std::size_t i = 0; i < n_; ++i) e_[i] = static_cast<T>(e[i]);
    for (std::size_t t = 0; t < sample_tiles_; ++t)
      select(x_.data() + t * tile * row, e_.data() + t * tile, of_neuron_.data() + t * m_ * groups, m_, v_.data(), t == 0);
    for (std::size_t k = 0; k < m_; ++k) update(k, step_a, step_w);
    for (std::size_t t = 0; t < neuron_tiles_; ++t)
      select(w_.data() + t * tile * row, a_.data() + t * tile, of_sample_.data() + t * n_ * groups, n_, sums_.data(), t == 0);
    for (std::size_t i = 0; i < n_; ++i) output[i] = static_cast<double>(dot(sums_.data() + i * row, x_.data() + i * row));
  }

 private:
  template <class U> struct Array {  // aligned, zero
    explicit Array(std::size_t size) : buffer(static_cast<unsigned char*>(::operator new[](size * sizeof(U) + 64, std::align_val_t(64)))) {
      std::memset(buffer.get(), 0, size * sizeof(U) + 64);
    }
    U* data() { return reinterpret_cast<U*>(buffer.get()); }
    const U* data() const { return reinterpret_cast<const U*>(buffer.get()); }
    U& operator[](std::size_t i) { return data()[i]; }
    const U& operator[](std::size_t i) const { return data()[i]; }
    Buffer buffer;
  };

  static T dot(const T* p, const T* q) {
    V total = load_row(p, 0) * load_row(q, 0);
    for (int j = 1; j < P; ++j) total += load_row(p, j) * load_row(q, j);
    alignas(64) T half[L];  // halved again and again: shorter chains than one lane after the other
    netphase::NETPHASE_ISA::store<T>(half, total);
#pragma GCC unroll 8
    for (int width = L / 2; width > 0; width /= 2)
#pragma GCC unroll 8
      for (int lane = 0; lane < width; ++lane) half[lane] += half[lane + width];
    return half[0];
  }
  static V load_row(const T* p, int j) { return netphase::NETPHASE_ISA::load<T>(p + j * L); }

  // sums_q (+)= Σ of the `tile` rows, times their factors, that the codes of q select
  void select(const T* rows, const T* factors, const std::uint8_t* codes, std::size_t count, T* sums, bool first) {
    for (int g = 0; g < groups; ++g) {
      T* entry = tables_.data() + g * table;
      for (int b = 0; b < bits; ++b) {
        const int r = g * bits + b;
        const V factor = splat<T>(factors[r]);
        V one[P];
        for (int j = 0; j < P; ++j) one[j] = factor * load_row(rows + r * row, j);
        for (int s = 0; s < 1 << b; ++s)
          for (int j = 0; j < P; ++j)
            netphase::NETPHASE_ISA::store<T>(entry + ((1 << b) + s) * row + j * L, load_row(entry + s * row, j) + one[j]);
      }
    }
    const T* entries = tables_.data();
    for (std::size_t q = 0; q < count; ++q) {
      const std::uint8_t* code = codes + q * groups;
      const T *t0 = entries + code[0] * row, *t1 = entries + table + code[1] * row,
              *t2 = entries + 2 * table + code[2] * row, *t3 = entries + 3 * table + code[3] * row;
      T* out = sums + q * row;
      for (int j = 0; j < P; ++j) {
        V total = (load_row(t0, j) + load_row(t1, j)) + (load_row(t2, j) + load_row(t3, j));
        if (!first) total += load_row(out, j);
        netphase::NETPHASE_ISA::store<T>(out + j * L, total);
      }
    }
  }

  void update(std::size_t k, T step_a, T step_w) {
    T *w = w_.data() + k * row, *v = v_.data() + k * row;
    const T along = dot(v, w), size = dot(v, v), pull = -step_w * a_[k];
    for (int j = 0; j < P; ++j)
      netphase::NETPHASE_ISA::store<T>(w + j * L, load_row(w, j) + splat<T>(pull) * load_row(v, j));
    a_[k] -= step_a * along;
    moved_[k] += std::abs(pull) * std::sqrt(size);
    if (!(moved_[k] < margin_[k])) look(k);
  }

  // Finds the gates of one neuron, and how far it may move before one of them can change.
  void look(std::size_t k) {
    const T* w = w_.data() + k * row;
    V nearest = splat<T>(std::numeric_limits<T>::max());
    for (std::size_t i = 0; i < lanes_n_; i += L) {
      V z{};
      for (std::size_t j = 0; j < d_; ++j) z += splat<T>(w[j]) * netphase::NETPHASE_ISA::load<T>(columns_.data() + j * lanes_n_ + i);
      netphase::NETPHASE_ISA::store<T>(z_.data() + i, z);
      nearest = minimum<T>(maximum<T>(z, -z) * netphase::NETPHASE_ISA::load<T>(inverse_.data() + i), nearest);
    }
    T least = nearest[0];
    for (int lane = 1; lane < L; ++lane) least = std::min(least, nearest[lane]);
    const std::size_t u = k / tile, s = k - u * tile;
    std::uint8_t* other = of_sample_.data() + u * n_ * groups + s / bits;
    const auto other_bit = static_cast<std::uint8_t>(1u << (s % bits));
    for (std::size_t first = 0, g = 0; first < n_; first += bits, ++g) {
      unsigned now = 0;
      for (int b = 0; b < bits; ++b) now |= static_cast<unsigned>(z_[first + b] > 0) << b;
      std::uint8_t& code = of_neuron_[(g / groups * m_ + k) * groups + g % groups];
      unsigned changed = now ^ code;
      code = static_cast<std::uint8_t>(now);
      for (std::size_t i = first; changed; ++i, changed >>= 1)
        if (changed & 1) other[i * groups] ^= other_bit;
    }
    // what rounding may do to z is no margin
    margin_[k] = least - 4 * static_cast<T>(d_) * std::numeric_limits<T>::epsilon() * std::sqrt(dot(w, w));
    moved_[k] = 0;
  }

  std::size_t n_, d_, m_, sample_tiles_, neuron_tiles_, lanes_n_;
  Array<T> x_, columns_, inverse_, z_, w_, v_, sums_, tables_, a_, e_, margin_, moved_;
  Array<std::uint8_t> of_sample_, of_neuron_;  // codes of five gates: (neuron tiles, n, 4) and (sample tiles, m, 4)
};

constexpr int most_gate_vectors = 8;

// The pass for rows of d numbers, or null where they are too long for it.
template <class T, int P = 1>
std::unique_ptr<GateDescent<T>> gate_descent(const double* x, std::size_t n, std::size_t d, std::size_t m) {
  if constexpr (P > most_gate_vectors) return nullptr;
  else if (d <= static_cast<std::size_t>(P * lanes<T>)) return std::make_unique<GatePass<T, P>>(x, n, d, m);
  else return gate_descent<T, P + 1>(x, n, d, m);
}

}  // namespace netphase::NETPHASE_ISA
