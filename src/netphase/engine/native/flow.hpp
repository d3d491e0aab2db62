// The structured Rosenbrock gradient flow: what it takes and what it gives back.
//
// engine/reference_flow.py and engine/adaptive.py are the readable definition of the algorithm.
// Everything here is float64; the caller converts float32 parameters before and after.
#pragma once
#include <cstdint>

namespace netphase {

enum class FlowStatus : int {
  converged = 0,
  time_reached = 1,
  max_steps = 2,
  stagnated = 3,
  diverged = 4,
  non_finite = 5,
  interrupted = 6,  // poll() asked to stop; the parameters are meaningless
};

constexpr int flow_row_length = 5;  // time, steps, mean square, change of a, change of w

struct FlowRequest {
  const double* x;  // (samples, inputs)
  const double* y;  // (samples)
  const double* a;  // (neurons)
  const double* w;  // (neurons, inputs)
  std::int64_t samples, inputs, neurons;
  std::int64_t tracked;  // how many of the first neurons count in the recorded changes
  int activation;        // code of with_activation
  double output_scale, mobility_a, mobility_w;
  double rtol;
  double target;      // of the mean square
  double end_time;    // may be infinite
  double stagnation;  // as in Stop
  std::int64_t max_steps;
  const double* times;  // increasing clock readings to record at, or null for accepted steps
  std::int64_t time_count;
  bool (*poll)();  // called at least every 100 ms; true stops the run; may be null
};

struct FlowResult {
  double* a;     // (neurons), the caller's
  double* w;     // (neurons, inputs), the caller's
  double* rows;  // (row_capacity, flow_row_length), the caller's
  std::int64_t row_capacity, row_count;
  FlowStatus status;
  double time, mean_square;
  std::int64_t steps, rejected, gradients, solves;
};

}  // namespace netphase

#ifdef NETPHASE_ISA
namespace netphase::NETPHASE_ISA {
// Throws std::bad_alloc, or std::invalid_argument for an unknown activation.
void flow(const FlowRequest& request, FlowResult& result);
}
#endif
