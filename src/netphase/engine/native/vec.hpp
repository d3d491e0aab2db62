// Short vectors of the instruction set being compiled for: a thin layer over the compilers' vector
// extension. NETPHASE_ISA names the namespace, NETPHASE_VECTOR_BYTES the register width.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace netphase::NETPHASE_ISA {

typedef double vec_f64 __attribute__((vector_size(NETPHASE_VECTOR_BYTES)));
typedef float vec_f32 __attribute__((vector_size(NETPHASE_VECTOR_BYTES)));
typedef std::int64_t vec_i64 __attribute__((vector_size(NETPHASE_VECTOR_BYTES)));
typedef std::int32_t vec_i32 __attribute__((vector_size(NETPHASE_VECTOR_BYTES)));

template <class T> struct VecOf;
template <> struct VecOf<double> { using type = vec_f64; using mask = vec_i64; using lane = std::int64_t; };
template <> struct VecOf<float> { using type = vec_f32; using mask = vec_i32; using lane = std::int32_t; };

template <class T> using vec = typename VecOf<T>::type;       // NETPHASE_VECTOR_BYTES/sizeof(T) lanes
template <class T> using mask = typename VecOf<T>::mask;      // all bits set where true
template <class T> constexpr int lanes = NETPHASE_VECTOR_BYTES / static_cast<int>(sizeof(T));

#define NETPHASE_INLINE static inline __attribute__((always_inline))

template <class T> NETPHASE_INLINE vec<T> splat(T value) { return value - vec<T>{}; }
template <class T> NETPHASE_INLINE vec<T> load(const T* p) { return *reinterpret_cast<const vec<T>*>(p); }  // aligned
template <class T> NETPHASE_INLINE void store(T* p, vec<T> v) { *reinterpret_cast<vec<T>*>(p) = v; }        // aligned
template <class T> NETPHASE_INLINE vec<T> select(mask<T> m, vec<T> yes, vec<T> no) { return m ? yes : no; }
// maximum: a > b ? a : b and minimum: a < b ? a : b, so b where either is NaN. One instruction on x86,
// which gcc does not choose by itself without -ffinite-math-only (and the unmasked 512-bit intrinsics
// of gcc 12 warn of an uninitialised variable).
#if defined(__x86_64__)
#if NETPHASE_VECTOR_BYTES == 16
#define NETPHASE_X86_PAIR(operation, a, b) _mm_##operation(a, b)
#elif NETPHASE_VECTOR_BYTES == 32
#define NETPHASE_X86_PAIR(operation, a, b) _mm256_##operation(a, b)
#else
#define NETPHASE_X86_PAIR(operation, a, b) _mm512_maskz_##operation(-1, a, b)
#endif
NETPHASE_INLINE vec_f64 larger(vec_f64 a, vec_f64 b) { return (vec_f64)NETPHASE_X86_PAIR(max_pd, a, b); }
NETPHASE_INLINE vec_f32 larger(vec_f32 a, vec_f32 b) { return (vec_f32)NETPHASE_X86_PAIR(max_ps, a, b); }
NETPHASE_INLINE vec_f64 smaller(vec_f64 a, vec_f64 b) { return (vec_f64)NETPHASE_X86_PAIR(min_pd, a, b); }
NETPHASE_INLINE vec_f32 smaller(vec_f32 a, vec_f32 b) { return (vec_f32)NETPHASE_X86_PAIR(min_ps, a, b); }
template <class T> NETPHASE_INLINE vec<T> maximum(vec<T> a, vec<T> b) { return larger(a, b); }
template <class T> NETPHASE_INLINE vec<T> minimum(vec<T> a, vec<T> b) { return smaller(a, b); }
#else
template <class T> NETPHASE_INLINE vec<T> maximum(vec<T> a, vec<T> b) { return a > b ? a : b; }
template <class T> NETPHASE_INLINE vec<T> minimum(vec<T> a, vec<T> b) { return a < b ? a : b; }
#endif
template <class T> NETPHASE_INLINE vec<T> where_positive(vec<T> z, vec<T> v) {  // v where z > 0, else 0
  return reinterpret_cast<vec<T>>((z > vec<T>{}) & reinterpret_cast<mask<T>>(v));
}
// True where any lane has its top bit set.
#if defined(__x86_64__) && NETPHASE_VECTOR_BYTES == 16
NETPHASE_INLINE bool top_bit_set(vec_i64 m) { return _mm_movemask_pd((__m128d)m) != 0; }
NETPHASE_INLINE bool top_bit_set(vec_i32 m) { return _mm_movemask_ps((__m128)m) != 0; }
#elif defined(__x86_64__) && NETPHASE_VECTOR_BYTES == 32
NETPHASE_INLINE bool top_bit_set(vec_i64 m) { return _mm256_movemask_pd((__m256d)m) != 0; }
NETPHASE_INLINE bool top_bit_set(vec_i32 m) { return _mm256_movemask_ps((__m256)m) != 0; }
#elif defined(__x86_64__)
NETPHASE_INLINE bool top_bit_set(vec_i64 m) { return _mm512_movepi64_mask((__m512i)m) != 0; }
NETPHASE_INLINE bool top_bit_set(vec_i32 m) { return _mm512_movepi32_mask((__m512i)m) != 0; }
#else
template <class M> NETPHASE_INLINE bool top_bit_set(M m) {
  bool any = false;
  for (std::size_t k = 0; k < sizeof(M) / sizeof(m[0]); ++k) any |= m[k] < 0;
  return any;
}
#endif
template <class T> NETPHASE_INLINE T sum(vec<T> v) {
  T total = 0;
  for (int k = 0; k < lanes<T>; ++k) total += v[k];
  return total;
}
template <class T> NETPHASE_INLINE double sum64(vec<T> v) {  // 64-bit sum of a vector of either type
  double total = 0;
  for (int k = 0; k < lanes<T>; ++k) total += static_cast<double>(v[k]);
  return total;
}

}  // namespace netphase::NETPHASE_ISA
