// The sweeps over the neurons that descent consists of, vectorised over neurons:
//   pass           update every neuron with a given residual, then accumulate the new output
//   gram           the tangent Gram matrix of few samples
//   tangent_apply  the tangent Gram matrix times a vector, for many samples
// A number of samples known beforehand (N > 0) comes with a bias: the last input is 1 for every sample.
// Parameters are rows a, w_1 … w_d of `stride` numbers each; padding neurons are zero and stay zero.
#pragma once
#include <type_traits>
#include <vector>

#include "activations.hpp"
#include "vec.hpp"

namespace netphase::NETPHASE_ISA {

// Neurons between two reductions of the vector sums into 64-bit totals.
constexpr std::size_t chunk_neurons = 1024;

template <class T> struct Sweep {
  std::size_t n, d, stride;
  std::size_t neurons;         // those beyond are padding
  const T* in;                 // parameters before
  T* out;                      // parameters after (may be the same memory)
  T* cache;                    // transcendental values a (neuron, sample) pair, or null: recompute
  const vec<T>* x;             // (n, d), every number splat over a vector
  const vec<T>* residual;      // (n): ē, splat
  const vec<T>* residual_x;    // (n, d): ē_i x_ij, splat
  T step_a, step_w;            // h s mobility / n, a layer
  vec<T>* sums;                // scratch (n)
  vec<T>* scratch;             // scratch (8 d + 3 n)
  double* output;              // (n): Σ_k a_k σ(w_k·x_i), unscaled
};

#define NETPHASE_FLATTEN __attribute__((always_inline))

// Calls body(i) for every sample; a number of samples known beforehand (N > 0) is unrolled.
template <int N, class F> NETPHASE_INLINE void each_sample(std::size_t n, F&& body) {
  if constexpr (N > 0) {
#pragma GCC unroll 8
    for (std::size_t i = 0; i < N; ++i) body(i);
  } else {
    for (std::size_t i = 0; i < n; ++i) body(i);
  }
}

// A sum over samples, with the padding neurons' lanes cleared: σ(0) need not be 0.
template <class T> NETPHASE_INLINE vec<T> living(const vec<T>& sum, std::size_t first, std::size_t neurons) {
  vec<T> v = sum;
  if (__builtin_expect(first + lanes<T> > neurons, 0))
    for (int lane = 0; lane < lanes<T>; ++lane)
      if (first + lane >= neurons) v[lane] = 0;
  return v;
}

enum class Order { forward, first, second };

// What is kept a (neuron, sample) pair between the forward half of one pass and the update of the
// next: the transcendental values, and z itself where the number of inputs is not known beforehand.
template <class A, int D> constexpr int kept = A::cached + (D == 0 ? 1 : 0);
template <class A> constexpr bool homogeneous = A::cached == 0;  // σ(z) = σ'(z) z

// σ'(z) v; the gate of ReLU needs no multiplication.
template <class T, class A> NETPHASE_INLINE vec<T> times_slope(vec<T> z, const vec<T>* cached, vec<T> v) {
  if constexpr (std::is_same_v<A, Relu<T>>) return where_positive<T>(z, v);
  else return A::derivative(z, cached) * v;
}

template <class T, class A, int N, int D, Order order, int U> struct Block {
  using V = vec<T>;
  static constexpr int L = lanes<T>;
  static constexpr int rows = D ? D : 1;  // register rows of w (none are kept for run-time d)

  // z = w·x_i of U vectors of neurons
  static inline __attribute__((always_inline)) void preactivation(const Sweep<T>& s, const T* w, const V (*reg)[U],
                                                                  std::size_t i, V* z) {
    if constexpr (D > 0) {
      for (int u = 0; u < U; ++u) z[u] = N ? reg[D - 1][u] : reg[D - 1][u] * s.x[i * D + D - 1];
      for (int j = 0; j < D - 1; ++j)
        for (int u = 0; u < U; ++u) z[u] += reg[j][u] * s.x[i * D + j];
    } else {
      for (int u = 0; u < U; ++u) z[u] = V{};
      for (std::size_t j = 0; j < s.d; ++j)
        for (int u = 0; u < U; ++u) z[u] += load<T>(w + j * s.stride + u * L) * s.x[i * s.d + j];
    }
  }

  static inline __attribute__((always_inline)) void recall(const Sweep<T>& s, const T* cache, V z, V* c) {
    if constexpr (A::cached > 0) {
      if (s.cache) {
        for (int k = 0; k < A::cached; ++k) c[k] = load<T>(cache + k * L);
      } else {
        A::cache(z, c);
      }
    }
    (void)s, (void)cache, (void)z, (void)c;
  }

  // One block of U·L neurons starting at neuron k0: update, then forward.
  static inline __attribute__((always_inline)) void run(const Sweep<T>& s, std::size_t k0) {
    constexpr int K = kept<A, D>;
    const std::size_t n = N ? N : s.n, d = D ? D : s.d;
    const T* w_in = s.in + s.stride + k0;
    T* w_out = s.out + s.stride + k0;
    T* cache0 = K ? s.cache + (s.cache ? k0 * n * K : 0) : nullptr;
    auto slot = [&](std::size_t i, int u) { return cache0 + ((u * n + i) * K) * L; };
    V a[U], w[rows][U];
    for (int u = 0; u < U; ++u) a[u] = load<T>(s.in + k0 + u * L);
    if constexpr (D > 0)
      for (int j = 0; j < D; ++j)
        for (int u = 0; u < U; ++u) w[j][u] = load<T>(w_in + j * s.stride + u * L);

    if constexpr (order != Order::forward) {
      V v_reg[rows][U], dot[U];  // v = Σ ē σ' x,  dot = Σ ē σ
      V* v = D ? &v_reg[0][0] : s.scratch;
      for (std::size_t j = 0; j < d * U; ++j) v[j] = V{};
      for (int u = 0; u < U; ++u) dot[u] = V{};
      each_sample<N>(n, [&](std::size_t i) NETPHASE_FLATTEN {
        V z[U], c[A::cached + 1];
        if (D == 0 && K && s.cache) {
          for (int u = 0; u < U; ++u) z[u] = load<T>(slot(i, u) + A::cached * L);
        } else {
          preactivation(s, w_in, w, i, z);
        }
        for (int u = 0; u < U; ++u) {
          recall(s, K ? slot(i, u) : nullptr, z[u], c);
          for (std::size_t j = 0; j < d; ++j) v[j * U + u] += times_slope<T, A>(z[u], c, s.residual_x[i * d + j]);
          if constexpr (!homogeneous<A>) dot[u] += A::value(z[u], c) * s.residual[i];
        }
      });
      const V ca = splat<T>(-s.step_a), cw = splat<T>(-s.step_w);
      for (int u = 0; u < U; ++u) dot[u] = living<T>(dot[u], k0 + u * L, s.neurons);
      if constexpr (homogeneous<A>) {
        for (std::size_t j = 0; j < d; ++j)
          for (int u = 0; u < U; ++u)
            dot[u] += v[j * U + u] * (D ? w[D ? j : 0][u] : load<T>(w_in + j * s.stride + u * L));
      }
      if constexpr (order == Order::first) {
        for (int u = 0; u < U; ++u) {
          const V pull = cw * a[u];
          for (std::size_t j = 0; j < d; ++j) v[j * U + u] *= pull;
          a[u] += ca * dot[u];
        }
      } else {
        // Taylor step of second order at fixed ē: the curvature term is Σ ē σ'' (x·δw) x
        const V half = splat<T>(T(0.5));
        V bend_reg[rows][U], slope_step[U];
        V* bend = D ? &bend_reg[0][0] : s.scratch + d * U;
        for (std::size_t j = 0; j < d * U; ++j) bend[j] = V{};
        for (int u = 0; u < U; ++u) slope_step[u] = V{};
        each_sample<N>(n, [&](std::size_t i) NETPHASE_FLATTEN {
          V z[U], c[A::cached + 1];
          if (D == 0 && K && s.cache) {
            for (int u = 0; u < U; ++u) z[u] = load<T>(slot(i, u) + A::cached * L);
          } else {
            preactivation(s, w_in, w, i, z);
          }
          for (int u = 0; u < U; ++u) {
            recall(s, K ? slot(i, u) : nullptr, z[u], c);
            V along = V{};
            for (std::size_t j = 0; j < d; ++j) along += v[j * U + u] * s.x[i * d + j];
            const V curve = A::second(z[u], c) * along;
            for (std::size_t j = 0; j < d; ++j) bend[j * U + u] += curve * s.residual_x[i * d + j];
          }
        });
        for (std::size_t j = 0; j < d; ++j)
          for (int u = 0; u < U; ++u) slope_step[u] += v[j * U + u] * v[j * U + u];
        for (int u = 0; u < U; ++u) {
          const V da = ca * dot[u], dw = cw * a[u];                  // first-order steps: δa and δw = dw v
          const V first = dw + half * cw * da, second = half * dw * dw;
          for (std::size_t j = 0; j < d; ++j)
            v[j * U + u] = first * v[j * U + u] + second * bend[j * U + u];
          a[u] += da + half * ca * dw * slope_step[u];
        }
      }
      for (std::size_t j = 0; j < d; ++j)
        for (int u = 0; u < U; ++u) {
          if constexpr (D > 0) {
            w[j][u] += v[j * U + u];
            store<T>(w_out + j * s.stride + u * L, w[j][u]);
          } else {
            const V moved = load<T>(w_in + j * s.stride + u * L) + v[j * U + u];
            store<T>(w_out + j * s.stride + u * L, moved);
          }
        }
      for (int u = 0; u < U; ++u) store<T>(s.out + k0 + u * L, a[u]);
    }

    const T* w_now = order == Order::forward ? w_in : w_out;
    each_sample<N>(n, [&](std::size_t i) NETPHASE_FLATTEN {
      V z[U], c[A::cached + 1];
      preactivation(s, w_now, w, i, z);
      V total = V{};
      for (int u = 0; u < U; ++u) {
        if constexpr (A::cached > 0) {
          A::cache(z[u], c);
          if (s.cache) {
            for (int k = 0; k < A::cached; ++k) store<T>(slot(i, u) + k * L, c[k]);
          }
        }
        if constexpr (D == 0)
          if (s.cache) store<T>(slot(i, u) + A::cached * L, z[u]);
        if constexpr (U == 1) s.sums[i] += a[u] * A::value(z[u], c);
        else total += a[u] * A::value(z[u], c);
      }
      if constexpr (U > 1) s.sums[i] += total;
    });
  }
};

// The second-order step of a homogeneous activation (σ(z) = σ'(z) z), one vector of neurons at a time.
// With the slopes σ' held, a' ∝ v·w and w' ∝ a v with v = Σ ē σ' x: the implicit midpoint rule of this
// linear system keeps a²/mobility_a − |w|²/mobility_w of each neuron. Where a neuron crosses the kink
// of a sample during the step, that sample's slope becomes its mean over the step, the secant.
template <class T, class A, int N, int D> struct SecantBlock {
  using V = vec<T>;
  static constexpr std::size_t L = lanes<T>;

  static inline __attribute__((always_inline)) V preactivation(const Sweep<T>& s, const V* w, std::size_t i) {
    const std::size_t d = D ? D : s.d;
    V z = N ? w[d - 1] : w[d - 1] * s.x[i * d + d - 1];
    for (std::size_t j = 0; j + 1 < d; ++j) z += w[j] * s.x[i * d + j];
    return z;
  }

  // Redoes the step δw = pull v, already in w, for neurons that crossed a kink: first with the secant
  // slopes of the step just tried; where that turns the neuron back across the same kink it slides along
  // it, and the slope is the one between the two that ends the step on the kink (Filippov's solution).
  static __attribute__((noinline)) void cross_kinks(const Sweep<T>& s, std::size_t k, V a, V* w, const V* v, const V* z0,
                                                    V& da, V pull) {
    const std::size_t n = N ? N : s.n, d = D ? D : s.d;
    const V ca = splat<T>(-s.step_a), cw = splat<T>(-s.step_w), half = splat<T>(T(0.5)), one = splat<T>(1), zero{};
    V mean_reg[D ? D : 1], tried_reg[N ? N : 1], slope_reg[N ? N : 1];
    V* mean = D ? mean_reg : s.scratch + 2 * d;                    // (d): Σ ē (mean slope) x
    V* tried = N ? tried_reg : s.scratch + 8 * d + n;              // (n): z after the first try
    V* slope = N ? slope_reg : s.scratch + 8 * d + 2 * n;          // (n)
    V given_reg[D ? D : 1], *given = D ? given_reg : s.scratch + 4 * d;  // (d): w as it came
    const V da_given = da;
    for (std::size_t j = 0; j < d; ++j) mean[j] = zero, given[j] = w[j], w[j] -= pull * v[j];
    V dot = zero;
    mask<T> once{}, several{};  // lanes that met a kink, and those that met more than one
    for (std::size_t i = 0; i < n; ++i) {
      V along = zero;
      for (std::size_t j = 0; j < d; ++j) along += v[j] * s.x[i * d + j];
      tried[i] = z0[i] + pull * along;
      const V before = A::value(z0[i], nullptr), after = A::value(tried[i], nullptr), run = tried[i] - z0[i];
      const mask<T> kink = (z0[i] > zero) != (tried[i] > zero);
      several |= once & kink, once |= kink;
      slope[i] = select<T>(kink, (after - before) / select<T>(kink, run, one), A::derivative(z0[i], nullptr));
      for (std::size_t j = 0; j < d; ++j) mean[j] += slope[i] * s.residual_x[i * d + j];
      dot += (before + after) * s.residual[i];
    }
    da = half * ca * dot;
    pull = cw * (a + half * da);
    V final_reg[D ? D : 1], *final = D ? final_reg : s.scratch + 3 * d;
    for (std::size_t j = 0; j < d; ++j) final[j] = mean[j];
    for (std::size_t i = 0; i < n; ++i) {
      V along = zero;
      for (std::size_t j = 0; j < d; ++j) along += mean[j] * s.x[i * d + j];
      const V turned = z0[i] + pull * along;
      const mask<T> slides = ((z0[i] > zero) != (tried[i] > zero)) & ((tried[i] > zero) != (turned > zero));
      const V share = tried[i] / select<T>(slides, tried[i] - turned, one);
      const V more = select<T>(slides, (slope[i] - A::derivative(z0[i], nullptr)) * (share - one), zero);
      for (std::size_t j = 0; j < d; ++j) final[j] += more * s.residual_x[i * d + j];
    }
    for (std::size_t j = 0; j < d; ++j) w[j] += pull * final[j];
    dot = zero;
    for (std::size_t i = 0; i < n; ++i) {
      const V z = preactivation(s, w, i);
      several |= ((z0[i] > zero) == (tried[i] > zero)) & ((z0[i] > zero) != (z > zero));
      dot += (A::value(z0[i], nullptr) + A::value(z, nullptr)) * s.residual[i];
    }
    // neighbours in the vector that met no kink keep what they had
    da = select<T>(once, half * ca * dot, da_given);
    for (std::size_t j = 0; j < d; ++j) w[j] = select<T>(once, w[j], given[j]);
    several &= once;
    if (top_bit_set(several)) share_kinks(s, k, a, w, z0, da, several);
  }

  // The same for neurons that meet several kinks in one step. `share` is the part of the step that a neuron spends on
  // the upper side of a sample: the crossing time where it ends on one side whatever its share, the share that ends
  // the step on the kink where its own push would turn it back. The end of the step is linear in the shares, which
  // are made consistent with it one sample after the other: a projected Gauss–Seidel iteration, which converges
  // however many kinks a neuron slides along.
  static __attribute__((noinline)) void share_kinks(const Sweep<T>& s, std::size_t k, V a, V* w, const V* z0, V& da,
                                                    mask<T> several) {
    const std::size_t n = N ? N : s.n, d = D ? D : s.d;
    const V ca = splat<T>(-s.step_a), cw = splat<T>(-s.step_w), half = splat<T>(T(0.5)), one = splat<T>(1), zero{};
    const V low = A::derivative(-one, nullptr), rise = one - low;
    V share_reg[N ? N : 1], *share = N ? share_reg : s.scratch + 8 * d + n;  // (n)
    V kept_reg[D ? D : 1], *kept = D ? kept_reg : s.scratch + 3 * d, kept_da = da;  // of the other neurons
    for (std::size_t j = 0; j < d; ++j) kept[j] = w[j];
    for (std::size_t i = 0; i < n; ++i) share[i] = where_positive<T>(z0[i], one);
    for (int round = 0; round < 2; ++round) {  // the second with a corrected δa
      const V pull = cw * (a + half * da);
      for (std::size_t j = 0; j < d; ++j) {
        V along{};
        for (std::size_t i = 0; i < n; ++i) along += (low + rise * share[i]) * s.residual_x[i * d + j];
        w[j] = load<T>(s.in + (j + 1) * s.stride + k) + pull * along;
      }
      mask<T> moving = ~mask<T>{};
      for (int sweep = 0; top_bit_set(moving) && sweep < most_sweeps; ++sweep) {
        moving = mask<T>{};
        for (std::size_t i = 0; i < n; ++i) {
          V square{};
          for (std::size_t j = 0; j < d; ++j) square += s.x[i * d + j] * s.residual_x[i * d + j];
          const V reach = pull * rise * square, z = preactivation(s, w, i);  // ∂z/∂share, z at the end
          const V off = z - reach * share[i], on = off + reach;              // z at the end for share 0, 1
          const mask<T> active = z0[i] > zero, low_side = off > zero, high_side = on > zero;
          const mask<T> slides = low_side & ~high_side, crosses = ~(low_side ^ high_side) & (active ^ high_side);
          const V time = z0[i] / select<T>(crosses & (z0[i] != z), z0[i] - z, one);
          V next = where_positive<T>(z0[i], one);
          next = select<T>(crosses, select<T>(active, time, one - time), next);
          next = select<T>(slides, off / select<T>(slides, off - on, one), next);
          next = minimum<T>(one, maximum<T>(zero, next));
          const V more = next - share[i], push = pull * rise * more;
          share[i] = next;
          moving |= several & ((more > splat<T>(settled)) | (more < splat<T>(-settled)));
          for (std::size_t j = 0; j < d; ++j) w[j] += push * s.residual_x[i * d + j];
        }
      }
      V dot{};
      for (std::size_t i = 0; i < n; ++i)
        dot += (A::value(z0[i], nullptr) + A::value(preactivation(s, w, i), nullptr)) * s.residual[i];
      da = half * ca * dot;
    }
    for (std::size_t j = 0; j < d; ++j) w[j] = select<T>(several, w[j], kept[j]);
    da = select<T>(several, da, kept_da);
  }
  static constexpr int most_sweeps = 32;
  static constexpr T settled = sizeof(T) == 8 ? T(1e-9) : T(1e-5);

  static inline __attribute__((always_inline)) void run(const Sweep<T>& s, std::size_t k) {
    const std::size_t n = N ? N : s.n, d = D ? D : s.d;
    const V ca = splat<T>(-s.step_a), cw = splat<T>(-s.step_w), half = splat<T>(T(0.5));
    V w_reg[D ? D : 1], v_reg[D ? D : 1], z_reg[N ? N : 1];
    V *w = D ? w_reg : s.scratch, *v = D ? v_reg : s.scratch + d, *z0 = N ? z_reg : s.scratch + 8 * d;
    V a = load<T>(s.in + k);
    for (std::size_t j = 0; j < d; ++j) w[j] = load<T>(s.in + (j + 1) * s.stride + k), v[j] = V{};
    each_sample<N>(n, [&](std::size_t i) NETPHASE_FLATTEN {
      z0[i] = preactivation(s, w, i);
      for (std::size_t j = 0; j < d; ++j) v[j] += times_slope<T, A>(z0[i], nullptr, s.residual_x[i * d + j]);
    });
    V dot{}, norm{};
    for (std::size_t j = 0; j < d; ++j) dot += v[j] * w[j], norm += v[j] * v[j];
    V da = ca * dot, pull = cw * (a + half * da);  // δw = pull v
    for (int k2 = 0; k2 < 2; ++k2) {
      da = ca * (dot + half * pull * norm);
      pull = cw * (a + half * da);
    }
    for (std::size_t j = 0; j < d; ++j) w[j] += pull * v[j];
    mask<T> crossed{};
    each_sample<N>(n, [&](std::size_t i) NETPHASE_FLATTEN {
      crossed |= (preactivation(s, w, i) > V{}) ^ (z0[i] > V{});
    });
    if (__builtin_expect(top_bit_set(crossed), 0)) cross_kinks(s, k, a, w, v, z0, da, pull);
    a += da;
    store<T>(s.out + k, a);
    for (std::size_t j = 0; j < d; ++j) store<T>(s.out + (j + 1) * s.stride + k, w[j]);
    each_sample<N>(n, [&](std::size_t i) NETPHASE_FLATTEN {
      s.sums[i] += a * A::value(preactivation(s, w, i), nullptr);
    });
  }
};

template <class T, class A, int N, int D, Order order> void pass(const Sweep<T>& s) {
  constexpr bool secant = order == Order::second && homogeneous<A>;
  constexpr int U = N || secant || A::cached > 1 ? 1 : A::cached ? 2 : 4;
  constexpr std::size_t L = lanes<T>;
  const std::size_t n = N ? N : s.n;
  vec<T> local[N ? N : 1];  // a fixed number of samples keeps its sums in registers
  Sweep<T> t = s;
  if constexpr (N > 0) t.sums = local;
  for (std::size_t i = 0; i < n; ++i) t.output[i] = 0;
  for (std::size_t start = 0; start < s.stride; start += chunk_neurons) {
    const std::size_t end = start + chunk_neurons < s.stride ? start + chunk_neurons : s.stride;
    for (std::size_t i = 0; i < n; ++i) t.sums[i] = vec<T>{};
    std::size_t k = start;
    if constexpr (secant) {
      for (; k < end; k += L) SecantBlock<T, A, N, D>::run(t, k);
    } else {
      for (; k + U * L <= end; k += U * L) Block<T, A, N, D, order, U>::run(t, k);
      if constexpr (U > 1)
        for (; k < end; k += L) Block<T, A, N, D, order, 1>::run(t, k);
    }
    for (std::size_t i = 0; i < n; ++i) t.output[i] += sum64<T>(t.sums[i]);
  }
}

// One of the two sums of the tangent Gram matrix over neurons start … end, added to `sums`
// (n (n+1)/2, lower triangle by rows): Σ σ_i σ_j, or Σ a² σ'_i σ'_j (without x_i·x_j).
template <class T, class A, int N, int D, bool slopes>
void gram_sums(const Sweep<T>& s, std::size_t start, std::size_t end, vec<T>* sums) {
  using V = vec<T>;
  constexpr std::size_t L = lanes<T>;
  const std::size_t n = N ? N : s.n, d = D ? D : s.d;
  V part_reg[N ? N : 1], sum_reg[N ? N * (N + 1) / 2 : 1];
  V *part = N ? part_reg : s.scratch, *total = N ? sum_reg : sums;
  for (std::size_t p = 0; p < n * (n + 1) / 2; ++p) total[p] = V{};
  for (std::size_t k = start; k < end; k += L) {
    const V a = load<T>(s.in + k);
    each_sample<N>(n, [&](std::size_t i) NETPHASE_FLATTEN {
      V z = load<T>(s.in + d * s.stride + k), c[A::cached + 1];
      if constexpr (N == 0) z *= s.x[i * d + d - 1];
      for (std::size_t j = 0; j + 1 < d; ++j) z += load<T>(s.in + (j + 1) * s.stride + k) * s.x[i * d + j];
      A::cache(z, c);
      part[i] = slopes ? a * A::derivative(z, c) : living<T>(A::value(z, c), k, s.neurons);
    });
    each_sample<N>(n, [&](std::size_t i) NETPHASE_FLATTEN {
#pragma GCC unroll 4
      for (std::size_t j = 0; j <= i; ++j) total[i * (i + 1) / 2 + j] += part[i] * part[j];
    });
  }
  if constexpr (N > 0)
    for (std::size_t p = 0; p < n * (n + 1) / 2; ++p) sums[p] = total[p];
}

// The tangent Gram matrix without its factor s²/n: Σ_k [mobility_a σσ + mobility_w a² σ'σ' x_i·x_j].
template <class T, class A, int N, int D>
void gram(const Sweep<T>& s, vec<T>* sums, const double* inputs, double mobility_a, double mobility_w,
          double* matrix) {
  const std::size_t n = N ? N : s.n, pairs = n * (n + 1) / 2;
  for (std::size_t i = 0; i < n * n; ++i) matrix[i] = 0;
  for (std::size_t start = 0; start < s.stride; start += chunk_neurons) {
    const std::size_t end = start + chunk_neurons < s.stride ? start + chunk_neurons : s.stride;
    gram_sums<T, A, N, D, false>(s, start, end, sums);
    gram_sums<T, A, N, D, true>(s, start, end, sums + pairs);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j <= i; ++j) {
        double overlap = 0;
        for (std::size_t k = 0; k < s.d; ++k) overlap += inputs[i * s.d + k] * inputs[j * s.d + k];
        const std::size_t p = i * (i + 1) / 2 + j;
        matrix[i * n + j] += mobility_a * sum64<T>(sums[p]) + mobility_w * overlap * sum64<T>(sums[pairs + p]);
        matrix[j * n + i] = matrix[i * n + j];
      }
  }
}

// G q · n/s², where G = (s²/n) Σ_k J_k P J_kᵀ: every neuron's share needs only that neuron.
template <class T, class A, int D> void tangent_apply(const Sweep<T>& s, T mobility_a, T mobility_w) {
  using V = vec<T>;
  constexpr std::size_t L = lanes<T>;
  const std::size_t n = s.n, d = D ? D : s.d;
  const V ma = splat<T>(mobility_a), mw = splat<T>(mobility_w);
  for (std::size_t i = 0; i < n; ++i) s.output[i] = 0;
  for (std::size_t start = 0; start < s.stride; start += chunk_neurons) {
    const std::size_t end = start + chunk_neurons < s.stride ? start + chunk_neurons : s.stride;
    for (std::size_t i = 0; i < n; ++i) s.sums[i] = V{};
    for (std::size_t k = start; k < end; k += L) {
      const T* w = s.in + s.stride + k;
      const V a = load<T>(s.in + k);
      V v_reg[D ? D : 1], dot{};
      V* v = D ? v_reg : s.scratch;
      for (std::size_t j = 0; j < d; ++j) v[j] = V{};
      auto preactivation = [&](std::size_t i) {
        V z{};
        for (std::size_t j = 0; j < d; ++j) z += load<T>(w + j * s.stride) * s.x[i * d + j];
        return z;
      };
      for (std::size_t i = 0; i < n; ++i) {
        V c[A::cached + 1];
        const V z = preactivation(i);
        A::cache(z, c);
        dot += A::value(z, c) * s.residual[i];
        const V slope = A::derivative(z, c);
        for (std::size_t j = 0; j < d; ++j) v[j] += slope * s.residual_x[i * d + j];
      }
      dot = ma * living<T>(dot, k, s.neurons);
      const V back = mw * a * a;
      for (std::size_t i = 0; i < n; ++i) {
        V c[A::cached + 1], along{};
        const V z = preactivation(i);
        A::cache(z, c);
        for (std::size_t j = 0; j < d; ++j) along += v[j] * s.x[i * d + j];
        s.sums[i] += A::value(z, c) * dot + A::derivative(z, c) * along * back;
      }
    }
    for (std::size_t i = 0; i < n; ++i) s.output[i] += sum64<T>(s.sums[i]);
  }
}

}  // namespace netphase::NETPHASE_ISA
