// The residual averaged over a step: the n-dimensional half of the automatic step.
//
// Along the gradient flow e' = −G e with the tangent Gram matrix G. Over one step of length h the
// engine replaces e by its mean ē, found from the frozen matrix Ĝ and the defect d = e' + Ĝ e that
// was seen in the last step (exponential Adams–Bashforth method of second order):
//     ē = φ₁(hĜ) e + h φ₂(hĜ) d,   φ₁(q) = (1 − e^−q)/q,   φ₂(q) = (1 − φ₁(q))/q,
// so stiff directions decay exactly and the step is limited by how fast G turns, not by λ_max.
// Without a matrix (Ĝ = 0) this is the ordinary two-step Adams–Bashforth average.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace netphase {

// Eigenvalues and eigenvectors (columns of `vectors`) of a small symmetric matrix, by Jacobi rotations.
// The matrix is overwritten.
inline void symmetric_eigen(std::size_t n, std::vector<double>& matrix, std::vector<double>& values,
                            std::vector<double>& vectors) {
  vectors.assign(n * n, 0);
  for (std::size_t i = 0; i < n; ++i) vectors[i * n + i] = 1;
  for (int sweep = 0; sweep < 30; ++sweep) {
    double off = 0, diagonal = 0;
    for (std::size_t i = 0; i < n; ++i) {
      diagonal += matrix[i * n + i] * matrix[i * n + i];
      for (std::size_t j = 0; j < i; ++j) off += matrix[i * n + j] * matrix[i * n + j];
    }
    if (!(off > 1e-30 * diagonal)) break;
    for (std::size_t p = 0; p < n; ++p)
      for (std::size_t q = p + 1; q < n; ++q) {
        const double element = matrix[p * n + q];
        if (element == 0) continue;
        const double theta = (matrix[q * n + q] - matrix[p * n + p]) / (2 * element);
        const double t = (theta >= 0 ? 1 : -1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
        const double c = 1 / std::sqrt(t * t + 1), s = t * c;
        for (std::size_t k = 0; k < n; ++k) {
          const double kp = matrix[k * n + p], kq = matrix[k * n + q];
          matrix[k * n + p] = c * kp - s * kq, matrix[k * n + q] = s * kp + c * kq;
        }
        for (std::size_t k = 0; k < n; ++k) {
          const double pk = matrix[p * n + k], qk = matrix[q * n + k];
          matrix[p * n + k] = c * pk - s * qk, matrix[q * n + k] = s * pk + c * qk;
        }
        for (std::size_t k = 0; k < n; ++k) {
          const double kp = vectors[k * n + p], kq = vectors[k * n + q];
          vectors[k * n + p] = c * kp - s * kq, vectors[k * n + q] = s * kp + c * kq;
        }
      }
  }
  values.resize(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = matrix[i * n + i];
}

class ResidualAverage {
 public:
  explicit ResidualAverage(std::size_t n)
      : n_(n), values_(n, 0), defect_(n, 0), slope_(n), mean_(n), modes_(n), forced_(n),
        seen_then_(n), seen_now_(n), work_(n) {}

  // Takes the frozen matrix Ĝ (n × n), which is overwritten.
  void freeze(std::vector<double>& gram) {
    symmetric_eigen(n_, gram, values_, vectors_);
    for (double& v : values_) v = std::max(v, 0.0);
  }
  double largest_eigenvalue() const { return *std::max_element(values_.begin(), values_.end()); }
  void forget() { known_ = false; }

  // Start a step from residual e: rotates e and the defect into the eigenvectors of Ĝ. The defect is the last step's
  // as it was seen then (right where Ĝ grows smoothly), or seen with the present Ĝ (right where neurons slide along
  // a kink, which switches their part of Ĝ on and off): whichever has foretold better of late.
  void start(const std::vector<double>& e) {
    rotate(e, modes_);
    rotate(defect_, seen_then_);
    rotate(slope_, seen_now_);
    rotate(mean_, work_);
    for (std::size_t i = 0; i < n_; ++i) seen_now_[i] += values_[i] * work_[i];
    if (!known_) std::fill(seen_then_.begin(), seen_then_.end(), 0.0), seen_now_ = seen_then_;
    forced_ = missed_now_ < missed_then_ ? seen_now_ : seen_then_;
  }
  void average(double h, std::vector<double>& out) {
    for (std::size_t i = 0; i < n_; ++i) {
      const double q = values_[i] * h, p = phi1(q);
      work_[i] = p * modes_[i] + h * phi2(q, p) * forced_[i];
    }
    rotate_back(work_, out);
  }
  // The residual the model expects after the step.
  void predict(double h, std::vector<double>& out) {
    for (std::size_t i = 0; i < n_; ++i) work_[i] = mode_after(i, h);
    rotate_back(work_, out);
  }
  double predicted_square(double h) const {
    double total = 0;
    for (std::size_t i = 0; i < n_; ++i) total += mode_after(i, h) * mode_after(i, h);
    return total;
  }
  // Longest step up to h after which the model expects at least `square`.
  double land(double h, double square) const {
    if (!(predicted_square(h) < square)) return h;
    double low = 0, high = h;
    for (int k = 0; k < 50; ++k) {
      const double middle = 0.5 * (low + high);
      (predicted_square(middle) < square ? high : low) = middle;
    }
    return high;
  }
  // What the step taken taught: the mean of e' + Ĝ e over it.
  void learn(double h, const std::vector<double>& before, const std::vector<double>& average,
             const std::vector<double>& after) {
    for (std::size_t i = 0; i < n_; ++i) slope_[i] = (after[i] - before[i]) / h;
    mean_ = average;
    rotate(mean_, work_);
    for (std::size_t i = 0; i < n_; ++i) work_[i] *= values_[i];
    rotate_back(work_, defect_);
    for (std::size_t i = 0; i < n_; ++i) defect_[i] += slope_[i];
    if (known_) {
      rotate(defect_, work_);
      missed_then_ = memory * missed_then_ + h * distance(seen_then_, work_);
      missed_now_ = memory * missed_now_ + h * distance(seen_now_, work_);
    }
    known_ = true;
  }

 private:
  static double phi1(double q) { return q > 0 ? -std::expm1(-q) / q : 1; }
  static double phi2(double q, double p) { return q < 1e-3 ? 0.5 - q / 6 + q * q / 24 : (1 - p) / q; }
  static constexpr double memory = 0.8;
  static double distance(const std::vector<double>& a, const std::vector<double>& b) {
    double total = 0;
    for (std::size_t i = 0; i < a.size(); ++i) total += (a[i] - b[i]) * (a[i] - b[i]);
    return std::sqrt(total);
  }
  double mode_after(std::size_t i, double h) const {
    const double q = values_[i] * h;
    return std::exp(-q) * modes_[i] + h * phi1(q) * forced_[i];
  }
  void rotate(const std::vector<double>& in, std::vector<double>& out) const {
    if (vectors_.empty()) return void(out = in);  // no matrix: every basis will do
    for (std::size_t i = 0; i < n_; ++i) {
      out[i] = 0;
      for (std::size_t j = 0; j < n_; ++j) out[i] += vectors_[j * n_ + i] * in[j];
    }
  }
  void rotate_back(const std::vector<double>& in, std::vector<double>& out) const {
    if (vectors_.empty()) return void(out = in);
    for (std::size_t i = 0; i < n_; ++i) {
      out[i] = 0;
      for (std::size_t j = 0; j < n_; ++j) out[i] += vectors_[i * n_ + j] * in[j];
    }
  }

  std::size_t n_;
  std::vector<double> values_, vectors_, defect_, slope_, mean_, modes_, forced_, seen_then_, seen_now_, work_;
  double missed_then_ = 0, missed_now_ = 0;  // recent errors of the two readings of the defect
  bool known_ = false;                       // whether a step has been learnt from
};

}  // namespace netphase
