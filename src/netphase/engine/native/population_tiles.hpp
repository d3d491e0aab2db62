// Tiles of pairs of neurons: their cosines, what follows from the angles, and products with it.
#pragma once
#include <algorithm>
#include <type_traits>

#include "vecmath.hpp"

namespace netphase::NETPHASE_ISA::tiles {

using V = vec<double>;
constexpr std::size_t lane_count = lanes<double>;
constexpr std::size_t side = 48;                                      // neurons of one side of a tile
constexpr int rows_at_once = NETPHASE_VECTOR_BYTES == 64 ? 8 : 4;     // register block: rows by vectors
constexpr int vectors_at_once = NETPHASE_VECTOR_BYTES == 16 ? 2 : 3;
constexpr std::size_t unit = rows_at_once > static_cast<int>(lane_count) ? rows_at_once : lane_count;

NETPHASE_INLINE std::size_t padded(std::size_t n, std::size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

NETPHASE_INLINE V square_root(V v) {
#if defined(__x86_64__) && NETPHASE_VECTOR_BYTES == 16
  return (V)_mm_sqrt_pd(v);
#elif defined(__x86_64__) && NETPHASE_VECTOR_BYTES == 32
  return (V)_mm256_sqrt_pd(v);
#elif defined(__x86_64__)
  return (V)_mm512_maskz_sqrt_pd(-1, v);
#else
  for (std::size_t k = 0; k < lane_count; ++k) v[k] = __builtin_sqrt(v[k]);
  return v;
#endif
}

// (asin(x)/x - 1)/x^2 in x^2, |x| <= 1/2: 2^-57
constexpr double arc_sine[] = {
      0.16666666666666669, 0.07499999999998433, 0.04464285714635543, 0.030381944138531247,
      0.02237217294214989, 0.017352392720869973, 0.013971212973552933, 0.011479177415184906,
      0.01032281435018578, 0.005457506718640358, 0.01740087944269402, -0.014851887071247204,
      0.028757851367421566};

struct Angle {
  V sine;     // sin θ
  V opening;  // π - θ
};

// The angle θ of two unit vectors from their cosine z in [-1, 1]. Its error is of the size of z's, divided
// by sin θ; the kernels, flat at θ = 0 and π, are accurate to rounding all the same.
NETPHASE_INLINE Angle angle_of(V z) {
  constexpr double pi = 3.141592653589793, pi_rest = 1.2246467991473532e-16;
  const V sine = square_root((1.0 - z) * (1.0 + z));
  const V size = absolute<double>(z);
  const mask<double> steep = size > splat<double>(0.5);
  V w = z * z, x = z;
  if (__builtin_expect(!top_bit_set(steep), 1)) return {sine, ((x * w) * polynomial<double>(w, arc_sine) + x + pi_rest / 2) + pi / 2};
  const V half = (1.0 - size) * 0.5;
  w = select<double>(steep, half, w);
  x = select<double>(steep, square_root(half), z);
  const V arc = (x * w) * polynomial<double>(w, arc_sine) + x;
  const V flat = (arc + pi_rest / 2) + pi / 2, twice = 2.0 * arc;
  const V outer = select<double>(z > V{}, (pi_rest - twice) + pi, twice);
  return {sine, select<double>(steep, outer, flat)};
}

// z[j][k] = Σ_i a[i][j] b[i][k] for R rows and C vectors of columns; rows of a, b and z are `side` long
template <int R, int C> NETPHASE_INLINE void cosine_block(const double* a, const double* b, std::size_t d, double* z) {
  V total[R][C];
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) total[r][c] = V{};
  for (std::size_t i = 0; i < d; ++i, a += side, b += side) {
    V right[C];
    for (int c = 0; c < C; ++c) right[c] = load<double>(b + c * lane_count);
    for (int r = 0; r < R; ++r)
      for (int c = 0; c < C; ++c) total[r][c] += a[r] * right[c];
  }
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) store<double>(z + r * side + c * lane_count, total[r][c]);
}

// out[r][i] += Σ_k p[r·row + k·column] v[k][i] for R rows and C vectors; rows of v and out are `stride` long
template <int R, int C>
NETPHASE_INLINE void product_block(const double* p, std::size_t row, std::size_t column, std::size_t depth,
                                   const double* v, std::size_t stride, double* out) {
  V total[R][C];
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) total[r][c] = load<double>(out + r * stride + c * lane_count);
  for (std::size_t k = 0; k < depth; ++k, p += column, v += stride) {
    V right[C];
    for (int c = 0; c < C; ++c) right[c] = load<double>(v + c * lane_count);
    for (int r = 0; r < R; ++r)
      for (int c = 0; c < C; ++c) total[r][c] += p[r * row] * right[c];
  }
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) store<double>(out + r * stride + c * lane_count, total[r][c]);
}

// Calls body(C, first) for blocks of vectors_at_once vectors, and for what is left.
template <class F> NETPHASE_INLINE void each_block(std::size_t vectors, F&& body) {
  std::size_t first = 0;
  for (; first + vectors_at_once <= vectors; first += vectors_at_once)
    body(std::integral_constant<int, vectors_at_once>{}, first * lane_count);
  if (vectors_at_once > 2 && vectors - first == 2) body(std::integral_constant<int, 2>{}, first * lane_count);
  if (vectors - first == 1) body(std::integral_constant<int, 1>{}, first * lane_count);
}

// The cosines of a tile of `rows` by `columns` neurons, multiples of `unit`; of a square of one set of
// neurons (`upper`) at least those of the blocks of `unit` on and above the diagonal.
inline void cosines(const double* a, const double* b, std::size_t d, std::size_t rows, std::size_t columns, bool upper,
                    double* z) {
  each_block(columns / lane_count, [&](auto width, std::size_t k) {
    const std::size_t last = upper ? std::min(rows, k + decltype(width)::value * lane_count) : rows;
    for (std::size_t j = 0; j < last; j += rows_at_once)
      cosine_block<rows_at_once, decltype(width)::value>(a + j, b + k, d, z + j * side + k);
  });
}

// out += p v, with p read along its rows (row = side, column = 1) or its columns (the other way round)
inline void product(const double* p, std::size_t row, std::size_t column, std::size_t rows, std::size_t depth,
                    const double* v, std::size_t stride, double* out) {
  each_block(stride / lane_count, [&](auto width, std::size_t i) {
    for (std::size_t j = 0; j < rows; j += rows_at_once)
      product_block<rows_at_once, decltype(width)::value>(p + j * row, row, column, depth, v + i, stride,
                                                          out + j * stride + i);
  });
}

// The same with a symmetric square p whose blocks of `unit` on and above the diagonal are known
inline void product_symmetric(const double* p, std::size_t rows, const double* v, std::size_t stride, double* out) {
  each_block(stride / lane_count, [&](auto width, std::size_t i) {
    for (std::size_t j = 0; j < rows; j += rows_at_once) {
      const std::size_t known = j / unit * unit;
      product_block<rows_at_once, decltype(width)::value>(p + j, 1, side, known, v + i, stride, out + j * stride + i);
      product_block<rows_at_once, decltype(width)::value>(p + j * side + known, side, 1, rows - known,
                                                          v + known * stride + i, stride, out + j * stride + i);
    }
  });
}

// Cosines to openings, in place; sines, weighted by e, are added up along rows (into `across`) and, unless
// null, along columns by the rows' weights (into `down`). With `upper` the blocks of `unit` below the
// diagonal are left out, and those on it are not added up twice.
inline void angles(double* z, std::size_t rows, std::size_t columns, bool upper, const double* e, double* across,
                   const double* row_weight, double* down) {
  for (std::size_t j = 0; j < rows; ++j, z += side) {
    V total{};
    const std::size_t first = upper ? j / unit * unit : 0, above = upper ? first + unit : 0;
    for (std::size_t k = first; k < columns; k += lane_count) {
      const V cosine = minimum<double>(splat(1.0), maximum<double>(splat(-1.0), load<double>(z + k)));
      const Angle angle = angle_of(cosine);
      store<double>(z + k, angle.opening);
      total += load<double>(e + k) * angle.sine;
      if (down && k >= above) store<double>(down + k, load<double>(down + k) + row_weight[j] * angle.sine);
    }
    across[j] += sum<double>(total);
  }
}

}  // namespace netphase::NETPHASE_ISA::tiles
