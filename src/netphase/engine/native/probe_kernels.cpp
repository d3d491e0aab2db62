// The activations as the engine evaluates them, and the machine's peak rates (see probe.hpp).
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <new>
#include <stdexcept>

#include "activations.hpp"
#include "probe.hpp"

namespace netphase::NETPHASE_ISA {

namespace {

using Clock = std::chrono::steady_clock;

double elapsed(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

template <class T, class A, int order> void evaluate(const T* z, T* out, std::size_t n) {
  constexpr std::size_t width = lanes<T>;
  for (std::size_t i = 0; i < n; i += width) {
    const std::size_t filled = std::min(width, n - i);
    vec<T> x{}, y, cached[A::cached + 1];
    std::memcpy(&x, z + i, filled * sizeof(T));
    A::cache(x, cached);
    if constexpr (order == 0) y = A::value(x, cached);
    if constexpr (order == 1) y = A::derivative(x, cached);
    if constexpr (order == 2) y = A::second(x, cached);
    std::memcpy(out + i, &y, filled * sizeof(T));
  }
}

template <class T> void probe_any(int code, int derivative_order, const T* z, T* out, std::size_t n) {
  with_activation<T>(code, [&](auto activation) {
    using A = decltype(activation);
    switch (derivative_order) {
      case 0: return evaluate<T, A, 0>(z, out, n);
      case 1: return evaluate<T, A, 1>(z, out, n);
      case 2: return evaluate<T, A, 2>(z, out, n);
      default: throw std::invalid_argument("the derivative order must be 0, 1 or 2");
    }
  });
}

// The compiler can neither drop nor merge what these hide from it.
template <class V> NETPHASE_INLINE void hide(V& v) {
#if defined(__x86_64__)
  asm volatile("" : "+x"(v));
#else
  asm volatile("" : "+w"(v));
#endif
}

template <class T> double fma_rate(double seconds) {
  constexpr int chains = 12, rounds = 20000;  // 12 chains hide a latency of 4-6 cycles at two a cycle
  vec<T> total[chains], factor = splat<T>(T(0.999)), addend = splat<T>(T(0.001));
  for (auto& t : total) t = splat<T>(1);
  hide(factor);
  hide(addend);
  double best = 0;
  const auto start = Clock::now();
  do {
    const auto begin = Clock::now();
    for (int i = 0; i < rounds; ++i) {
      for (auto& t : total) t = t * factor + addend;
    }
    for (auto& t : total) hide(t);
    best = std::max(best, 2.0 * lanes<T> * chains * rounds / elapsed(begin));
  } while (elapsed(start) < seconds);
  return best * 1e-9;
}

struct Free {
  void operator()(double* p) const { std::free(p); }
};

}  // namespace

void probe(int code, int derivative_order, const double* z, double* out, std::size_t n) {
  probe_any(code, derivative_order, z, out, n);
}

void probe(int code, int derivative_order, const float* z, float* out, std::size_t n) {
  probe_any(code, derivative_order, z, out, n);
}

double fma_gflops(double seconds, bool single) {
  return single ? fma_rate<float>(seconds) : fma_rate<double>(seconds);
}

double triad_gbytes(std::size_t bytes, double seconds) {
  constexpr std::size_t block = 64 / sizeof(double);  // rows of whole cache lines
  const std::size_t n = std::max<std::size_t>(1, bytes / (3 * 64)) * block;
  const std::unique_ptr<double, Free> memory(static_cast<double*>(std::aligned_alloc(64, 3 * n * sizeof(double))));
  if (!memory) throw std::bad_alloc();
  double *a = memory.get(), *b = a + n, *c = b + n;
  std::fill(a, a + 3 * n, 1.0);
  const std::size_t passes = std::max<std::size_t>(1, (std::size_t{1} << 22) / (3 * n * sizeof(double)));
  double best = 0;
  const auto start = Clock::now();
  do {
    const auto begin = Clock::now();
    for (std::size_t pass = 0; pass < passes; ++pass) {
      for (std::size_t i = 0; i < n; i += lanes<double>) {
        store<double>(a + i, load<double>(b + i) + load<double>(c + i) * 0.5);
      }
      asm volatile("" ::"r"(a), "r"(b), "r"(c) : "memory");
    }
    best = std::max(best, static_cast<double>(3 * n * sizeof(double) * passes) / elapsed(begin));
  } while (elapsed(start) < seconds);
  return best * 1e-9;
}

}  // namespace netphase::NETPHASE_ISA
