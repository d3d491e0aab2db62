// Access to the kernels' building blocks for tests and benchmarks, one copy an instruction set.
#pragma once
#include <cstddef>

// probe: out[i] = activation `code` at z[i] (order 0), its derivative (1) or second derivative (2), as
//   the engine computes it; any n, any alignment.
// fma_gflops: 1e9 fused multiply-adds a second and core, counted as two operations each, measured
//   for about `seconds` (without such an instruction: a multiplication and an addition).
// triad_gbytes: 1e9 bytes a second moved by a[i] = b[i] + s c[i] (three streams of doubles that
//   take `bytes` together), best pass within about `seconds`.
#define NETPHASE_DECLARE_PROBE(isa)                                                             \
  namespace netphase::isa {                                                                     \
  void probe(int code, int derivative_order, const double* z, double* out, std::size_t n);      \
  void probe(int code, int derivative_order, const float* z, float* out, std::size_t n);        \
  double fma_gflops(double seconds, bool single);                                               \
  double triad_gbytes(std::size_t bytes, double seconds);                                       \
  }

NETPHASE_DECLARE_PROBE(baseline)
#ifdef NETPHASE_X86
NETPHASE_DECLARE_PROBE(avx2)
NETPHASE_DECLARE_PROBE(avx512)
#endif
