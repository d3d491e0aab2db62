// What the descent engine is asked and what it answers. No Python and no instruction set in here:
// the same structs serve every compiled copy of the kernels.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace netphase {

// Why a run ended; the numbers are shared with the Python face.
enum class End : int { converged = 0, time_reached = 1, max_steps = 2, stagnated = 3, diverged = 4, non_finite = 5,
                       interrupted = 6 };

// f(x) = scale Σ_k a_k σ(w_k·x); da/dt = −mobility_a ∂R/∂a, dw/dt = −mobility_w ∂R/∂w, R = Σ e²/(2n).
struct DescentRequest {
  int activation = 0;          // code of σ, see activations.hpp
  bool automatic = true;       // true: second-order automatic step; false: literal gradient descent
  bool single = false;         // float32 parameters (sums stay 64-bit)
  std::size_t n = 0, d = 0, m = 0, tracked = 0;
  const double* x = nullptr;   // (n, d)
  const double* y = nullptr;   // (n)
  const void* a = nullptr;     // (m), float or double
  const void* w = nullptr;     // (m, d)
  double scale = 1, mobility_a = 1, mobility_w = 1;
  double learning_rate = 0;    // literal descent: the step, where `pace` is 0
  double pace = 0;             // literal descent: h λ_max of every step (0: the step is fixed)
  double growth = 0;           // paced: h × this × sqrt((1/n) Σ e²), the most a neuron can grow, is at most 1
  double accuracy = 1e-3;      // automatic: error of the predicted residual a step, relative to the residual
  double stability = 0.25;     // automatic: h λ_max need not be below this
  double rotation = 0.1;       // automatic: h × (rate at which a neuron can grow) at most this
  double drift_limit = 0.01;   // automatic: halve the three above while the invariant drifts by more than this part
  double target = 1e-6;        // mean square to stop at
  double end_time = 0;         // clock to stop at (infinity: none)
  double stagnation = 0;       // see Stop in problem.py
  long long max_steps = 0;
  double record_ratio = 1.06;  // step counts of consecutive records grow by this factor
  std::function<bool()> poll;  // true: give up now
};

struct AlignedDeleter { void operator()(void* p) const { ::operator delete[](p, std::align_val_t(64)); } };
using Buffer = std::unique_ptr<unsigned char[], AlignedDeleter>;

struct DescentResult {
  End end = End::converged;
  double time = 0, mean_square = 0, lambda_max = 0;
  double sharpness = 0;        // literal descent: largest h λ_max/2 seen; beyond 1 the step is unstable
  double drift = 0;            // Σ|Δa²/p_a − Δ|w|²/p_w| over Σ(|Δa²|/p_a + |Δ|w|²|/p_w), tracked neurons; p: mobilities
  long long steps = 0, rejected = 0, passes = 0;
  std::vector<double> record_time, record_steps, record_mean_square, record_change_a, record_change_w;
  std::size_t padded = 0;      // row length of the final parameters below
  Buffer parameters;           // rows a, w_1 … w_d, each `padded` long, in the request's precision
};

}  // namespace netphase
