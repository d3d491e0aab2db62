// Products of matrices with the vectors along the rows of the result, for one instruction set.
//
// C (+)= A B: B comes in packed panels that stay in the nearest caches, A is read number by number with
// any two strides, and sums for a tile of C stay in registers. They start from zero and meet C in
// one addition, so that small changes are not rounded to C's digits term by term. The order of each
// sum depends on the shapes alone.
#pragma once
#include <algorithm>

#include "vec.hpp"

namespace netphase::NETPHASE_ISA {

constexpr int tile_rows = 6, tile_vectors = NETPHASE_VECTOR_BYTES == 64 ? 4 : 2;  // as registers allow
template <class T> constexpr std::size_t panel_columns = tile_vectors * lanes<T>;
constexpr std::size_t panel_terms = 256;  // the more, the less often tiles go back to memory
constexpr std::size_t panel_bytes = panel_terms * tile_vectors * NETPHASE_VECTOR_BYTES;

template <class T> NETPHASE_INLINE vec<T> load_any(const T* p) {
  vec<T> v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class T> NETPHASE_INLINE void store_any(T* p, vec<T> v) { std::memcpy(p, &v, sizeof v); }

template <class T> struct Left {  // A: entry (i, k) is at data[i * row + k * column]
  const T* data;
  std::size_t row, column;
};

// R rows and V vectors of C, with `count` terms of each sum
template <class T, int R, int V>
void tile(Left<T> a, const T* panel, std::size_t count, T* c, std::size_t stride, bool add) {
  vec<T> total[R][V] = {};
  const T* left = a.data;
  for (std::size_t k = 0; k < count; ++k, left += a.column, panel += V * lanes<T>) {
    vec<T> right[V];
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) right[v] = load(panel + v * lanes<T>);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const vec<T> mine = splat<T>(left[r * a.row]);
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) total[r][v] += mine * right[v];
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
      T* to = c + r * stride + v * lanes<T>;
      store_any(to, add ? load_any(to) + total[r][v] : total[r][v]);
    }
}

template <class T, int V, int R = tile_rows>
void rows_of_tile(std::size_t rows, Left<T> a, const T* panel, std::size_t count, T* c, std::size_t stride, bool add) {
  if constexpr (R == 1) {
    tile<T, 1, V>(a, panel, count, c, stride, add);
  } else {
    if (rows < R) return rows_of_tile<T, V, R - 1>(rows, a, panel, count, c, stride, add);
    tile<T, R, V>(a, panel, count, c, stride, add);
  }
}

// All rows of C in one panel; `columns` may end within a vector.
template <class T, int V>
void panel_product(std::size_t rows, std::size_t columns, Left<T> a, const T* panel, std::size_t count, T* c,
                   std::size_t stride, bool add) {
  constexpr std::size_t width = V * lanes<T>;
  alignas(64) T edge[tile_rows * width] = {};
  for (std::size_t i = 0; i < rows; i += tile_rows, a.data += tile_rows * a.row, c += tile_rows * stride) {
    const std::size_t some = std::min<std::size_t>(tile_rows, rows - i);
    if (columns == width) {
      rows_of_tile<T, V>(some, a, panel, count, c, stride, add);
      continue;
    }
    for (std::size_t r = 0; r < some && add; ++r) std::copy_n(c + r * stride, columns, edge + r * width);
    rows_of_tile<T, V>(some, a, panel, count, edge, width, add);
    for (std::size_t r = 0; r < some; ++r) std::copy_n(edge + r * width, columns, c + r * stride);
  }
}

template <class T, int V = tile_vectors>
void any_panel_product(std::size_t rows, std::size_t columns, Left<T> a, const T* panel, std::size_t count, T* c,
                       std::size_t stride, bool add) {
  if constexpr (V > 1)
    if (columns <= (V - 1) * lanes<T>)
      return any_panel_product<T, V - 1>(rows, columns, a, panel, count, c, stride, add);
  panel_product<T, V>(rows, columns, a, panel, count, c, stride, add);
}

template <class T> std::size_t whole_vectors(std::size_t columns) {
  return (columns + lanes<T> - 1) / lanes<T> * lanes<T>;
}

// C (rows, columns) = A B or C += A B. pack(first column, columns, width, first term, terms, panel) puts
// terms of B there, (terms, width), with zeros behind the columns; the panel has room for panel_bytes.
template <class T, class Pack>
void product(std::size_t rows, std::size_t columns, std::size_t terms, Left<T> a, Pack pack, T* panel, T* c,
             std::size_t stride, bool add) {
  for (std::size_t j = 0; j < columns; j += panel_columns<T>) {
    const std::size_t some = std::min(panel_columns<T>, columns - j), width = whole_vectors<T>(some);
    for (std::size_t k = 0; k < terms; k += panel_terms) {
      const std::size_t count = std::min(panel_terms, terms - k);
      pack(j, some, width, k, count, panel);
      any_panel_product<T>(rows, some, {a.data + k * a.column, a.row, a.column}, panel, count, c + j, stride,
                           add || k > 0);
    }
  }
}

// B = rows that are whole vectors long
template <class T> struct Rows {
  const T* data;
  std::size_t stride;
  void operator()(std::size_t j, std::size_t, std::size_t width, std::size_t k, std::size_t count, T* panel) const {
    for (std::size_t i = 0; i < count; ++i, panel += width)
      for (std::size_t v = 0; v < width; v += lanes<T>) store(panel + v, load_any(data + (k + i) * stride + j + v));
  }
};

// B = factor times the transpose of rows
template <class T> struct Transposed {
  const T* data;
  std::size_t stride;
  T factor;
  void operator()(std::size_t j, std::size_t columns, std::size_t width, std::size_t k, std::size_t count,
                  T* panel) const {
    constexpr std::size_t line = 64 / sizeof(T);  // what is read at a time
    if (columns < width) std::fill_n(panel, count * width, T(0));
    for (std::size_t first = 0; first < count; first += line) {
      const std::size_t some = std::min(line, count - first);
      for (std::size_t column = 0; column < columns; ++column) {
        const T* from = data + (j + column) * stride + k + first;
        T* to = panel + first * width + column;
        for (std::size_t i = 0; i < some; ++i) to[i * width] = factor * from[i];
      }
    }
  }
};

}  // namespace netphase::NETPHASE_ISA
