// The passes over the neurons that make up one step of Rodas4 with the structured linear solve.
//
// Neurons sit in groups of one vector; everything a group needs lies together (start, two states,
// six stages, the LDL' factor of its blocks, its part of the Jacobian, two sets of cached values of
// the activation), so that a pass is one stream through memory. Unused lanes of the last group stay
// zero. Stages live in the symmetric variables v = u / sqrt(mobility).
#pragma once
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <new>

#include "activations.hpp"
#include "flow.hpp"
#include "flow_tableau.hpp"

namespace netphase::NETPHASE_ISA {

using Vector = vec<double>;

struct FlowNorms {  // squares, over all neurons and over the tracked ones; index 0 is a, 1 is w
  double error[2], moved[2], size[2], change[2];
};

// Row-wise packed lower triangle of a symmetric matrix, one for each lane.
NETPHASE_INLINE int packed(int row, int column) { return row * (row + 1) / 2 + column; }

// S = L D L' without pivoting; the diagonal is replaced by the reciprocals of D.
NETPHASE_INLINE void factorise(Vector* s, int dim) {
  for (int c = 0; c < dim; ++c) {
    const Vector inverse = 1.0 / s[packed(c, c)];
    for (int r = c + 1; r < dim; ++r) {
      const Vector l = s[packed(r, c)] * inverse;
      for (int k = c + 1; k <= r; ++k) s[packed(r, k)] -= l * s[packed(k, c)];
    }
    for (int r = c + 1; r < dim; ++r) s[packed(r, c)] *= inverse;
    s[packed(c, c)] = inverse;
  }
}

NETPHASE_INLINE void solve_lower(const Vector* s, int dim, Vector* b) {
  for (int r = 1; r < dim; ++r)
    for (int c = 0; c < r; ++c) b[r] -= s[packed(r, c)] * b[c];
}

NETPHASE_INLINE void solve_block(const Vector* s, int dim, Vector* b) {
  solve_lower(s, dim, b);
  for (int r = 0; r < dim; ++r) b[r] *= s[packed(r, r)];
  for (int r = dim - 2; r >= 0; --r)
    for (int c = r + 1; c < dim; ++c) b[r] -= s[packed(c, r)] * b[c];
}

// What the driver sees of a solver: one virtual call a pass.
class FlowPasses {
 public:
  virtual ~FlowPasses() = default;
  virtual void first_forward() = 0;                            // residual of the start
  virtual void first_rates(double* rates) = 0;                 // squares: a', a, w', w, e'
  virtual void linearise(double h) = 0;                        // first stage included
  virtual void forward(int stage) = 0;                         // 1..5: an argument, 6: the new state
  virtual void backward(int stage, double h) = 0;              // 1..5
  virtual void dense(const double* weights, bool keep) = 0;    // residual in between
  virtual void accept() = 0;                                   // the new state becomes the base
  virtual void write(double* a, double* w, bool latest) = 0;   // final parameters
};

// The memory and the numbers that do not depend on the activation.
class FlowStorage {
 public:
  FlowStorage(const FlowRequest& request, int cached) : r(request) {
    const std::int64_t dim = r.inputs + 1, n = r.samples;
    at_state[0] = dim, at_state[1] = 2 * dim, at_stage = 3 * dim, at_factor = 9 * dim;
    at_ja = at_factor + dim * (dim + 1) / 2, at_jw = at_ja + n;
    at_cache[0] = at_jw + n, at_cache[1] = at_cache[0] + n * cached;
    stride = at_cache[1] + n * cached;
    groups = (r.neurons + width - 1) / width;
    const std::int64_t shared = n * (n + 1) / 2 + n + n * dim + 3 * dim + n * cached;
    const std::int64_t scalars = 6 * n + n * n;
    std::size_t bytes = static_cast<std::size_t>(groups * stride + shared) * sizeof(Vector) +
                        static_cast<std::size_t>(scalars) * sizeof(double);
    bytes = (bytes + 127) / 64 * 64;
    block = static_cast<Vector*>(std::aligned_alloc(64, bytes));
    if (block == nullptr) throw std::bad_alloc();
    gram_sums = block + groups * stride;
    sums = gram_sums + n * (n + 1) / 2;
    rows = sums + n;
    scratch = rows + n * dim;
    spare_cache = scratch + 3 * dim;
    e = reinterpret_cast<double*>(spare_cache + n * cached);
    base_e = e + n, embedded_e = e + 2 * n, trial_e = e + 3 * n, q = e + 4 * n, weight = e + 5 * n;
    small = e + 6 * n;
    pivots = static_cast<std::int64_t*>(std::malloc(static_cast<std::size_t>(n) * 8));
    if (pivots == nullptr) {
      std::free(block);
      throw std::bad_alloc();
    }
    root_a = std::sqrt(r.mobility_a), root_w = std::sqrt(r.mobility_w);
    work_between_polls = 1 + 200000 / (n * (n + dim) + dim * dim);
    last_poll = clock_now();
  }
  ~FlowStorage() {
    std::free(block);
    std::free(pivots);
  }
  FlowStorage(const FlowStorage&) = delete;
  FlowStorage& operator=(const FlowStorage&) = delete;

  static constexpr int width = lanes<double>;

  static double clock_now() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
  }
  void poll() {
    const double now = clock_now();
    if (now - last_poll < 0.05) return;
    last_poll = now;
    if (r.poll != nullptr && r.poll()) interrupted = true;
  }
  template <class F> inline __attribute__((always_inline)) void sweep(F&& body) {
    std::int64_t left = work_between_polls;
    for (std::int64_t g = 0; g < groups && !interrupted; ++g) {
      body(g, block + g * stride);
      if (--left == 0) left = work_between_polls, poll();
    }
    poll();
  }
  Vector lanes_below(std::int64_t g, std::int64_t bound) const {  // 1 for neurons < bound, else 0
    Vector live{};
    for (int k = 0; k < width; ++k) live[k] = g * width + k < bound ? 1.0 : 0.0;
    return live;
  }
  Vector alive(std::int64_t g) const { return g + 1 < groups ? splat(1.0) : lanes_below(g, r.neurons); }

  const FlowRequest& r;
  std::int64_t at_state[2], at_stage, at_factor, at_ja, at_jw, at_cache[2], stride, groups;
  int base = 0;  // which state slot holds the accepted state
  Vector *block, *gram_sums, *sums, *rows, *scratch, *spare_cache;
  double *e, *base_e, *embedded_e, *trial_e, *q, *weight, *small;
  std::int64_t* pivots;
  double root_a, root_w, last_poll;
  std::int64_t work_between_polls;
  bool interrupted = false;
  FlowNorms norms;

  // small = n I + J S^-1 J' from its vector sums, then its LU factors with partial pivoting.
  void factorise_small() {
    const std::int64_t n = r.samples;
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j <= i; ++j) {
        const double s = sum64<double>(gram_sums[i * (i + 1) / 2 + j]);
        small[i * n + j] = small[j * n + i] = s + (i == j ? static_cast<double>(n) : 0.0);
      }
    for (std::int64_t c = 0; c < n; ++c) {
      std::int64_t p = c;
      for (std::int64_t i = c + 1; i < n; ++i)
        if (std::fabs(small[i * n + c]) > std::fabs(small[p * n + c])) p = i;
      pivots[c] = p;
      if (p != c)
        for (std::int64_t j = 0; j < n; ++j) {
          const double swap = small[c * n + j];
          small[c * n + j] = small[p * n + j], small[p * n + j] = swap;
        }
      const double inverse = 1.0 / small[c * n + c];
      for (std::int64_t i = c + 1; i < n; ++i) {
        const double l = small[i * n + c] *= inverse;
        for (std::int64_t j = c + 1; j < n; ++j) small[i * n + j] -= l * small[c * n + j];
      }
    }
  }
  void solve_small() {  // q = small^-1 (sums of J v)
    const std::int64_t n = r.samples;
    for (std::int64_t i = 0; i < n; ++i) q[i] = sum64<double>(sums[i]);
    for (std::int64_t c = 0; c < n; ++c) {
      const double swap = q[c];
      q[c] = q[pivots[c]], q[pivots[c]] = swap;
    }
    for (std::int64_t i = 1; i < n; ++i)
      for (std::int64_t j = 0; j < i; ++j) q[i] -= small[i * n + j] * q[j];
    for (std::int64_t i = n - 1; i >= 0; --i) {
      for (std::int64_t j = i + 1; j < n; ++j) q[i] -= small[i * n + j] * q[j];
      q[i] /= small[i * n + i];
    }
  }
  void clear_sums() {
    for (std::int64_t i = 0; i < r.samples; ++i) sums[i] = Vector{};
  }
  void take_residual(double* out) const {
    for (std::int64_t i = 0; i < r.samples; ++i) out[i] = r.output_scale * sum64<double>(sums[i]) - r.y[i];
  }
  double mean_square(const double* residual) const {
    double total = 0;
    for (std::int64_t i = 0; i < r.samples; ++i) total += residual[i] * residual[i];
    return total / static_cast<double>(r.samples);
  }
};

}  // namespace netphase::NETPHASE_ISA
