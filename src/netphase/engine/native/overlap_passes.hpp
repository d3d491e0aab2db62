// The passes over the atoms that make up one step of Rodas4 on the overlap equations.
//
// Atoms sit in groups of one vector; all a group needs lies together. Unused lanes of the last group
// repeat the last atom with weight zero: an atom of its own would escape the control of errors.
#pragma once
#include <cmath>
#include <cstdlib>
#include <new>
#include <utility>
#include <vector>

#include "flow_tableau.hpp"
#include "overlaps.hpp"
#include "vec.hpp"

namespace netphase::NETPHASE_ISA {

using Vector = vec<double>;

struct OverlapNorms {  // weighted mean squares of a and of s
  double error[2], start[2], end[2];
};

class OverlapPasses {
 public:
  explicit OverlapPasses(const OverlapRequest& request)
      : r(request), modes(r.modes), rank(r.modes + (r.tied ? 1 : 0)), groups((r.atoms + width - 1) / width) {
    at_inverse = at_stage + 12, at_p = at_inverse + 4, at_q = at_p + modes, at_wide = at_q + modes;
    at_slope = at_wide + 2 * rank, stride = at_slope + 1;
    const std::int64_t shared = 2 * modes + rank + rank * rank;
    block = static_cast<Vector*>(std::aligned_alloc(64, bytes(groups * stride + shared)));
    if (block == nullptr) throw std::bad_alloc();
    sums = block + groups * stride, image = sums + 2 * modes, gram = image + rank;
    for (auto* list : {&rho, &trial_rho, &embedded_rho, &force, &mean_power}) list->assign(modes, 0.0);
    small.assign(rank * rank, 0.0), q.assign(rank, 0.0), pivots.assign(rank, 0);
    for (std::int64_t g = 0; g < groups; ++g) {
      Vector* b = group(g);
      for (std::int64_t j = 0; j < stride; ++j) b[j] = Vector{};
      for (int k = 0; k < width; ++k) {
        const std::int64_t i = g * width + k, real = i < r.atoms ? i : r.atoms - 1;
        b[0][k] = i < r.atoms ? r.weights[i] : 0.0, b[at_state][k] = r.a[real], b[at_state + 1][k] = r.s[real];
      }
    }
  }
  ~OverlapPasses() { std::free(block); }
  OverlapPasses(const OverlapPasses&) = delete;
  OverlapPasses& operator=(const OverlapPasses&) = delete;

  // The residuals of the start, and the squares of a', s', a, s and the mean squares of powers.
  void begin(double* rates) {
    clear(sums, 2 * modes);
    for (std::int64_t g = 0; g < groups; ++g) add_moments(group(g), group(g) + at_state);
    take_residual(rho);
    take_forces(rho);
    Vector total[4] = {};
    clear(sums, modes);
    for (std::int64_t g = 0; g < groups; ++g) {
      const Vector* b = group(g);
      const Vector a = b[at_state], s = b[at_state + 1];
      Vector velocity[2];
      flow(a, s, velocity);
      for (int j = 0; j < 2; ++j) {
        total[j] += b[0] * velocity[j] * velocity[j];
        total[2 + j] += b[0] * b[at_state + j] * b[at_state + j];
      }
      Vector power = b[0];
      for (std::int64_t k = 0; k < modes; ++k, power *= s * s) sums[k] += power;
    }
    for (int j = 0; j < 4; ++j) rates[j] = sum64<double>(total[j]);
    rates[4] = 0;
    for (std::int64_t k = 0; k < modes; ++k) rates[4] += r.activation[k] * r.activation[k] * sum64<double>(sums[k]);
  }

  // Factorises cI - B + U V' at the accepted state and begins its first stage.
  void linearise(double h) {
    const double c = 1.0 / (rodas4::gamma * h);
    take_moments_of_base();
    clear(gram, rank * rank);
    clear(image, rank);
    for (std::int64_t g = 0; g < groups; ++g) {
      Vector* b = group(g);
      factorise_block(b, c);
      for (std::int64_t l = 0; l < rank; ++l) {
        const Vector left = right_a(b, l), right = right_s(b, l);
        for (std::int64_t k = 0; k < rank; ++k)
          gram[l * rank + k] += left * b[at_wide + 2 * k] + right * b[at_wide + 2 * k + 1];
      }
      begin_stage(b, 0, 1.0);
    }
    factorise_small();
    solve_small();
  }

  // Ends stage i - 1; argument of stage i < 6, or the new state for i = 6.
  void forward(int i) {
    clear(sums, 2 * modes);
    Vector total[6] = {};
    for (std::int64_t g = 0; g < groups; ++g) {
      Vector* b = group(g);
      Vector* stage = b + at_stage + 2 * (i - 1);
      for (std::int64_t k = 0; k < rank; ++k)
        stage[0] -= q[k] * b[at_wide + 2 * k], stage[1] -= q[k] * b[at_wide + 2 * k + 1];
      Vector* u = b + at_trial;
      combine(b, rodas4::argument[i], i, u);
      add_moments(b, u);
      if (i == 6) add_norms(b, total);
    }
    if (i == 5) take_residual(embedded_rho), take_forces(embedded_rho);
    else take_residual(trial_rho), take_forces(trial_rho);
    if (i < 6) return;
    for (int j = 0; j < 2; ++j)
      norms.error[j] = sum64<double>(total[j]), norms.start[j] = sum64<double>(total[2 + j]),
      norms.end[j] = sum64<double>(total[4 + j]);
  }

  void backward(int i, double h) {  // begins stage i, 1..5
    clear(image, rank);
    for (std::int64_t g = 0; g < groups; ++g) begin_stage(group(g), i, 1.0 / h);
    solve_small();
  }

  // The residuals at a fraction of the last step; the state too where `a` is given.
  void between(double part, std::vector<double>& out, double* a, double* s) {
    double weights[6];
    for (int k = 0; k < 6; ++k)
      weights[k] = part * rodas4::argument[6][k] +
                   part * (1 - part) * (rodas4::dense[0][k] + part * rodas4::dense[1][k]);
    clear(sums, 2 * modes);
    for (std::int64_t g = 0; g < groups; ++g) {
      Vector u[2];
      combine(group(g), weights, 6, u);
      add_moments(group(g), u);
      if (a != nullptr) put(g, u, a, s);
    }
    take_residual(out);
  }

  void accept() {
    for (std::int64_t g = 0; g < groups; ++g)
      for (int j = 0; j < 2; ++j) group(g)[at_state + j] = group(g)[at_trial + j];
    rho = trial_rho;
  }

  void write(double* a, double* s) const {
    for (std::int64_t g = 0; g < groups; ++g) put(g, group(g) + at_state, a, s);
  }

  std::vector<double> rho, trial_rho, embedded_rho;
  OverlapNorms norms;

 private:
  static constexpr int width = lanes<double>;
  static constexpr std::int64_t at_state = 1, at_trial = 3, at_stage = 5;

  const OverlapRequest& r;
  std::int64_t modes, rank, groups, at_inverse, at_p, at_q, at_wide, at_slope, stride;
  Vector *block, *sums, *image, *gram;
  std::vector<double> force, mean_power, small, q;
  std::vector<std::int64_t> pivots;
  double mean_force = 0;  // sum of w f(s) where the amplitudes are tied

  static std::size_t bytes(std::int64_t vectors) {
    return (static_cast<std::size_t>(vectors) * sizeof(Vector) + 127) / 64 * 64;
  }
  Vector* group(std::int64_t g) const { return block + g * stride; }
  static void clear(Vector* list, std::int64_t count) {
    for (std::int64_t k = 0; k < count; ++k) list[k] = Vector{};
  }
  void put(std::int64_t g, const Vector* u, double* a, double* s) const {
    for (int k = 0; k < width && g * width + k < r.atoms; ++k) a[g * width + k] = u[0][k], s[g * width + k] = u[1][k];
  }

  // sums[k] += w a s^k and, where tied, sums[modes + k] += w s^k
  void add_moments(const Vector* b, const Vector* u) {
    Vector power = b[0] * u[0];
    for (std::int64_t k = 0; k < modes; ++k, power *= u[1]) sums[k] += power;
    if (!r.tied) return;
    power = b[0];
    for (std::int64_t k = 0; k < modes; ++k, power *= u[1]) sums[modes + k] += power;
  }
  void take_residual(std::vector<double>& out) const {
    for (std::int64_t k = 0; k < modes; ++k) out[k] = r.target[k] - r.activation[k] * sum64<double>(sums[k]);
  }
  void take_forces(const std::vector<double>& residual) {
    mean_force = 0;
    for (std::int64_t k = 0; k < modes; ++k) {
      force[k] = r.activation[k] * residual[k];
      if (r.tied) mean_power[k] = sum64<double>(sums[modes + k]), mean_force += force[k] * mean_power[k];
    }
  }
  void take_moments_of_base() {
    if (r.tied) {
      clear(sums, 2 * modes);
      for (std::int64_t g = 0; g < groups; ++g) add_moments(group(g), group(g) + at_state);
    }
    take_forces(rho);
  }

  // f, f' and f''/2 by Horner's rule: small overlaps keep their relative accuracy
  void derivatives(Vector s, Vector* f) const {
    f[0] = f[1] = f[2] = Vector{};
    for (std::int64_t k = modes; k-- > 0;) f[2] = f[2] * s + f[1], f[1] = f[1] * s + f[0], f[0] = f[0] * s + force[k];
  }
  void flow(Vector a, Vector s, Vector* out) const {
    Vector f[3];
    derivatives(s, f);
    out[0] = r.tied ? splat(r.speed * mean_force) : r.speed * f[0];
    out[1] = a * (1.0 - s * s) * f[1];
  }

  // The row l of V, weight included.
  Vector right_a(const Vector* b, std::int64_t l) const { return l < modes ? b[0] * b[at_p + l] : Vector{}; }
  Vector right_s(const Vector* b, std::int64_t l) const {
    return l < modes ? b[0] * b[at_state] * b[at_q + l] : b[0] * b[at_slope];
  }

  // The inverse of cI - B of a group, its parts of V, and (cI - B)^-1 U.
  void factorise_block(Vector* b, double c) const {
    const Vector a = b[at_state], s = b[at_state + 1], free = 1.0 - s * s;
    Vector f[3];
    derivatives(s, f);
    const Vector up = r.tied ? Vector{} : r.speed * f[1], down = free * f[1];
    const Vector last = c - a * (2.0 * free * f[2] - 2.0 * s * f[1]);
    const Vector over = 1.0 / (c * last - up * down);
    Vector* inverse = b + at_inverse;
    inverse[0] = over * last, inverse[1] = over * up, inverse[2] = over * down, inverse[3] = over * c;
    Vector power = splat(1.0), below = Vector{};
    for (std::int64_t k = 0; k < modes; ++k) {
      b[at_p + k] = r.activation[k] * power;
      b[at_q + k] = (r.activation[k] * static_cast<double>(k)) * below;
      below = power, power *= s;
      const Vector drive = r.tied ? splat(r.activation[k] * mean_power[k]) : b[at_p + k];
      invert(inverse, r.speed * drive, a * free * b[at_q + k], b + at_wide + 2 * k);
    }
    if (!r.tied) return;
    invert(inverse, splat(-r.speed), Vector{}, b + at_wide + 2 * modes);
    b[at_slope] = f[1];
  }
  static void invert(const Vector* inverse, Vector first, Vector second, Vector* out) {
    out[0] = inverse[0] * first + inverse[1] * second;
    out[1] = inverse[2] * first + inverse[3] * second;
  }

  // right-hand side of stage i, through the block's inverse; image += V' of it
  void begin_stage(Vector* b, int i, double over_h) {
    const Vector* u = b + (i == 0 ? at_state : at_trial);
    Vector right[2];
    flow(u[0], u[1], right);
    for (int k = 0; k < i; ++k)
      for (int j = 0; j < 2; ++j) right[j] += (rodas4::right[i][k] * over_h) * b[at_stage + 2 * k + j];
    Vector* stage = b + at_stage + 2 * i;
    invert(b + at_inverse, right[0], right[1], stage);
    for (std::int64_t l = 0; l < rank; ++l) image[l] += right_a(b, l) * stage[0] + right_s(b, l) * stage[1];
  }
  void combine(const Vector* b, const double* weights, int count, Vector* u) const {
    for (int j = 0; j < 2; ++j) {
      Vector sum{};
      for (int k = 0; k < count; ++k) sum += weights[k] * b[at_stage + 2 * k + j];
      u[j] = b[at_state + j] + sum;
    }
  }
  void add_norms(const Vector* b, Vector* total) const {
    for (int j = 0; j < 2; ++j) {
      const Vector error = b[at_stage + 10 + j], start = b[at_state + j], end = b[at_trial + j];
      total[j] += b[0] * error * error, total[2 + j] += b[0] * start * start, total[4 + j] += b[0] * end * end;
    }
  }

  // small = I + V' (cI - B)^-1 U, then its LU factors with partial pivoting
  void factorise_small() {
    for (std::int64_t k = 0; k < rank * rank; ++k) small[k] = sum64<double>(gram[k]);
    for (std::int64_t k = 0; k < rank; ++k) small[k * rank + k] += 1.0;
    for (std::int64_t c = 0; c < rank; ++c) {
      std::int64_t p = c;
      for (std::int64_t i = c + 1; i < rank; ++i)
        if (std::fabs(small[i * rank + c]) > std::fabs(small[p * rank + c])) p = i;
      pivots[c] = p;
      if (p != c)
        for (std::int64_t j = 0; j < rank; ++j) std::swap(small[c * rank + j], small[p * rank + j]);
      const double over = 1.0 / small[c * rank + c];
      for (std::int64_t i = c + 1; i < rank; ++i) {
        const double l = small[i * rank + c] *= over;
        for (std::int64_t j = c + 1; j < rank; ++j) small[i * rank + j] -= l * small[c * rank + j];
      }
    }
  }
  void solve_small() {
    for (std::int64_t k = 0; k < rank; ++k) q[k] = sum64<double>(image[k]);
    for (std::int64_t c = 0; c < rank; ++c) std::swap(q[c], q[pivots[c]]);
    for (std::int64_t i = 1; i < rank; ++i)
      for (std::int64_t j = 0; j < i; ++j) q[i] -= small[i * rank + j] * q[j];
    for (std::int64_t i = rank - 1; i >= 0; --i) {
      for (std::int64_t j = i + 1; j < rank; ++j) q[i] -= small[i * rank + j] * q[j];
      q[i] /= small[i * rank + i];
    }
  }
};

}  // namespace netphase::NETPHASE_ISA
