// Standard normal and chi variables, eight at a time: the method of Box and Muller over eight
// xoshiro256++ generators (Blackman and Vigna 2018), and that of Marsaglia and Tsang (2000).
//
// Numbers do not depend on the instruction set, beyond the rounding of the functions.
#pragma once
#include "normals.hpp"
#include "vecmath.hpp"

namespace netphase::NETPHASE_ISA {

typedef std::uint64_t vec_u64 __attribute__((vector_size(NETPHASE_VECTOR_BYTES)));

NETPHASE_INLINE vec_f64 root(vec_f64 x) {
#if defined(__x86_64__) && NETPHASE_VECTOR_BYTES == 16
  return (vec_f64)_mm_sqrt_pd((__m128d)x);
#elif defined(__x86_64__) && NETPHASE_VECTOR_BYTES == 32
  return (vec_f64)_mm256_sqrt_pd((__m256d)x);
#elif defined(__x86_64__)
  return (vec_f64)_mm512_maskz_sqrt_pd(-1, (__m512d)x);
#else
  for (int k = 0; k < lanes<double>; ++k) x[k] = __builtin_sqrt(x[k]);
  return x;
#endif
}

// log x of positive normal numbers: x = 2^k m with m in [1/sqrt 2, sqrt 2)
NETPHASE_INLINE vec_f64 logarithm(vec_f64 x) {
  constexpr std::int64_t low = 0x3fe6a09e667f3bcd, mantissa = 0xfffffffffffff;  // the bits of 1/sqrt 2
  constexpr double magic = 6755399441055744.0;                                 // 1.5 * 2^52
  const vec_i64 shifted = reinterpret_cast<vec_i64>(x) - low;
  const vec_i64 whole = (shifted >> 52) + reinterpret_cast<vec_i64>(splat<double>(magic));
  const vec_f64 m = reinterpret_cast<vec_f64>((shifted & mantissa) + low);
  return (reinterpret_cast<vec_f64>(whole) - magic) * Floating<double>::ln2 +
         twice_atanh<double>((m - 1.0) / (m + 1.0));
}

class Gaussian final : public Normals {
 public:
  static constexpr int parts = normal_streams / lanes<double>;

  explicit Gaussian(const std::uint64_t* words) {  // (4, normal_streams)
    std::memcpy(state, words, sizeof state);
  }

  void pair(double* first, double* second) override {
    for (int p = 0; p < parts; ++p) {
      vec_f64 one, other;
      pair(p, one, other);
      std::memcpy(first + p * lanes<double>, &one, sizeof one);
      std::memcpy(second + p * lanes<double>, &other, sizeof other);
    }
  }

  // Twice a gamma variable of shape k = degrees/2 is d v with d = 2k - 2/3 and v = (1 + x/sqrt(9k - 3))^3, x
  // normal, where log u < x^2/2 + (d/2) (1 - v + log v). Lanes that had their number draw on with the others.
  void chi(const double* degrees, double* out) override {
    for (int p = 0; p < parts; ++p) {
      vec_f64 n, found = {}, x, spare;
      std::memcpy(&n, degrees + p * lanes<double>, sizeof n);
      const vec_f64 half = n * 0.5 - 1.0 / 3.0, width = 1.0 / root(9.0 * half);
      vec_i64 open = vec_i64{} - 1;
      while (top_bit_set(open)) {
        pair(p, x, spare);
        const vec_f64 edge = 1.0 + width * x, cube = edge * edge * edge;
        const vec_i64 inside = cube > vec_f64{};
        const vec_f64 v = select<double>(inside, cube, splat<double>(1));
        const vec_f64 bound = 0.5 * x * x + half * (1.0 - v + logarithm(v));
        const vec_i64 taken = open & inside & (logarithm(unit(next(p))) < bound);
        found = select<double>(taken, root(2.0 * half * v), found);
        open &= ~taken;
      }
      std::memcpy(out + p * lanes<double>, &found, sizeof found);
    }
  }

 private:
  vec_u64 state[4][parts];

  static vec_u64 rotated(vec_u64 x, int count) { return (x << count) | (x >> (64 - count)); }

  vec_u64 next(int p) {
    const vec_u64 result = rotated(state[0][p] + state[3][p], 23) + state[0][p], t = state[1][p] << 17;
    state[2][p] ^= state[0][p], state[3][p] ^= state[1][p];
    state[1][p] ^= state[2][p], state[0][p] ^= state[3][p];
    state[2][p] ^= t, state[3][p] = rotated(state[3][p], 45);
    return result;
  }

  // 52 bits as a number in [1, 2)
  static vec_f64 fraction(vec_u64 bits) {
    return reinterpret_cast<vec_f64>((bits >> 12) | std::uint64_t{0x3ff0000000000000});
  }
  static vec_f64 unit(vec_u64 bits) { return 2.0 - fraction(bits); }  // in (0, 1]

  // An angle within 45 degrees of one of the four diagonals, and the radius of two normal numbers.
  void pair(int p, vec_f64& first, vec_f64& second) {
    // (sin(x)/x - 1)/x^2 and (cos(x) - 1)/x^2 in x^2, |x| <= pi/4: Taylor to 1e-17
    static constexpr double sine[] = {-1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800,
                                      1.0 / 6227020800.0, -1.0 / 1307674368000.0};
    static constexpr double cosine[] = {-1.0 / 2, 1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800,
                                        1.0 / 479001600, -1.0 / 87178291200.0, 1.0 / 20922789888000.0};
    const vec_f64 radius = root(-logarithm(unit(next(p))));  // over sqrt 2, that of the diagonals
    const vec_u64 bits = next(p);
    const vec_f64 angle = (fraction(bits) - 1.5) * 1.5707963267948966, square = angle * angle;
    const vec_f64 s = (angle * square) * polynomial<double>(square, sine) + angle;
    const vec_f64 c = square * polynomial<double>(square, cosine) + 1.0;
    const vec_u64 top = vec_u64{} + (std::uint64_t{1} << 63);
    const auto turned = [&](vec_f64 x, vec_u64 sign) {
      return reinterpret_cast<vec_f64>(reinterpret_cast<vec_u64>(x) ^ (sign & top));
    };
    first = turned(radius * (c - s), bits << 63), second = turned(radius * (c + s), bits << 62);
  }
};

}  // namespace netphase::NETPHASE_ISA
