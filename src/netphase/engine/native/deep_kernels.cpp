// Gradient steps of one deep network, each backwards from the signals at hand and forwards again.
#include <cmath>

#include "activations.hpp"
#include "deep.hpp"
#include "product.hpp"

namespace netphase::NETPHASE_ISA {

namespace {

static_assert(panel_bytes <= deep_panel_bytes);

template <class T> class Network {
 public:
  Network(const DeepRequest<T>& request, std::size_t number, T* room)
      : q(request), gains(q.gains + number * q.layers), factors(q.factors + number * q.layers),
        weights(q.weights + number * q.numbers), values(q.values + number * q.signals),
        slopes(q.slopes + number * q.signals), panel(room) {
    outputs = q.sizes[q.layers];
    output = q.output + number * outputs * q.samples, residual = q.residual + number * outputs * q.samples;
    centre = q.centre ? q.centre + number * outputs * q.samples : nullptr;
    std::size_t widest = 0;
    for (std::size_t layer = 1; layer <= q.layers; ++layer) widest = std::max(widest, q.sizes[layer]);
    delta = room + panel_bytes / sizeof(T), below = delta + q.copies * widest * q.padded;
  }

  // W += (-factor) delta h^T, layer after layer from the last, each after its delta has been handed down.
  void backward() {
    std::size_t across = 0;  // from the delta of a copy to that of the next: all have one at the output
    for (std::size_t k = 0; k < outputs; ++k) {
      T* row = delta + k * q.padded;
      std::fill_n(row, q.padded, T(0));
      for (std::size_t i = 0; i < q.samples; ++i) row[i] = residual[k * q.samples + i] * gains[q.layers - 1];
    }
    std::size_t numbers = q.numbers, signals = q.signals;  // where the layer's weights and inputs begin
    for (std::size_t layer = q.layers; layer-- > 0;) {
      const std::size_t to = q.sizes[layer + 1], from = q.sizes[layer];
      numbers -= q.copies * to * from;
      if (layer > 0) signals -= q.copies * from * q.padded;
      for (std::size_t copy = 0; copy < q.copies; ++copy) {
        T* w = weights + numbers + copy * to * from;
        const T* mine = delta + copy * across;
        const std::size_t hidden = signals + copy * from * q.padded;
        if (layer > 0) hand_down(w, mine, to, from, hidden, gains[layer - 1], below + copy * from * q.padded);
        const T* h = layer > 0 ? values + hidden : q.x;
        const Transposed<T> pack{h, q.padded, -factors[layer]};
        product<T>(to, from, q.samples, {mine, q.padded, 1}, pack, panel, w, from, true);
      }
      across = from * q.padded;
      std::swap(delta, below);
    }
  }

  template <class A> void forward() {
    const T* h = q.x;
    std::size_t across = 0, numbers = 0, signals = 0;
    for (std::size_t layer = 0; layer + 1 < q.layers; ++layer) {
      const std::size_t to = q.sizes[layer + 1], from = q.sizes[layer];
      for (std::size_t copy = 0; copy < q.copies; ++copy) {
        T* z = values + signals + copy * to * q.padded;
        product<T>(to, q.padded, from, {weights + numbers + copy * to * from, from, 1},
                   Rows<T>{h + copy * across, q.padded}, panel, z, q.padded, false);
      }
      const std::size_t count = q.copies * to * q.padded;
      activate<A>(values + signals, slopes + signals, count, gains[layer]);
      h = values + signals, across = to * q.padded;
      numbers += q.copies * to * from, signals += count;
    }
    finish(h, across, weights + numbers);
  }

  double mean_square() const {
    double total = 0;
    for (std::size_t i = 0; i < outputs * q.samples; ++i) total += static_cast<double>(residual[i]) * residual[i];
    return total / static_cast<double>(q.samples);
  }

 private:
  const DeepRequest<T>& q;
  const T *gains, *factors;
  T *weights, *values, *slopes, *panel, *output, *residual, *delta, *below;
  const T* centre;
  std::size_t outputs;

  // W^T delta, times the slopes and the gain of the layer below
  void hand_down(const T* w, const T* mine, std::size_t to, std::size_t from, std::size_t hidden, T gain, T* found) {
    const Rows<T> rows{mine, q.padded};
    const auto pack = [&](std::size_t j, std::size_t some, std::size_t width, std::size_t k, std::size_t count, T* at) {
      if (j == 0) fetch(w + k * from, count * from);
      rows(j, some, width, k, count, at);
    };
    product<T>(from, q.padded, to, {w, 1, from}, pack, panel, found, q.padded, false);
    const T* slope = slopes + hidden;
    for (std::size_t i = 0; i < from * q.padded; i += lanes<T>)
      store_any<T>(found + i, load_any(found + i) * load_any(slope + i) * gain);
  }

  // Asks for numbers that are read across their rows, which the processor would not foresee.
  static void fetch(const T* data, std::size_t count) {
    for (std::size_t i = 0; i < count; i += 64 / sizeof(T)) __builtin_prefetch(data + i, 1, 2);
  }

  template <class A> static void activate(T* z, T* slope, std::size_t count, T gain) {
    for (std::size_t i = 0; i < count; i += lanes<T>) {
      const vec<T> y = load_any(z + i) * gain;
      vec<T> cached[A::cached + 1];
      A::cache(y, cached);
      store_any<T>(z + i, A::value(y, cached));
      store_any<T>(slope + i, A::derivative(y, cached));
    }
  }

  // The outputs of all copies, their sum and the residual
  void finish(const T* h, std::size_t across, const T* w) {
    const std::size_t from = q.sizes[q.layers - 1];
    for (std::size_t copy = 0; copy < q.copies; ++copy)
      product<T>(outputs, q.padded, from, {w + copy * outputs * from, from, 1}, Rows<T>{h + copy * across, q.padded},
                 panel, delta + copy * outputs * q.padded, q.padded, false);
    for (std::size_t k = 0; k < outputs; ++k)
      for (std::size_t i = 0; i < q.samples; ++i) {
        T total = delta[k * q.padded + i];
        for (std::size_t copy = 1; copy < q.copies; ++copy) total += delta[(copy * outputs + k) * q.padded + i];
        const std::size_t place = k * q.samples + i;
        output[place] = total * gains[q.layers - 1];
        residual[place] = (centre ? output[place] - centre[place] : output[place]) - q.target[place];
      }
  }
};

// One network at a time makes all its steps, so that its weights stay in the cache.
template <class T> void steps(const DeepRequest<T>& q, std::size_t number, T* room) {
  Network<T> network(q, number, room);
  double &before = q.squares[2 * number], &now = q.squares[2 * number + 1];
  const auto goes_on = [&] {
    return std::isfinite(now) && now > q.floor && now <= q.ceilings[number] && (!q.falling || now <= before);
  };
  std::int64_t made = 0;
  with_activation<T>(q.activation, [&](auto sigma) {
    do {
      network.backward();
      network.template forward<decltype(sigma)>();
      before = now, now = network.mean_square(), ++made;
    } while (made < q.steps[number] && goes_on());
  });
  q.steps[number] = made;
}

}  // namespace

void deep_steps(const DeepRequest<double>& request, std::size_t network, double* room) { steps(request, network, room); }
void deep_steps(const DeepRequest<float>& request, std::size_t network, float* room) { steps(request, network, room); }

}  // namespace netphase::NETPHASE_ISA
