// The mean-field overlap equations: what the solver takes and what it gives back.
//
// engine/overlaps/reference.py and reference_run.py are the readable definition of the algorithm.
#pragma once
#include <cstdint>

#include "flow.hpp"

namespace netphase {

struct OverlapRequest {
  const double *a, *s, *weights;      // (atoms)
  const double *activation, *target;  // (modes)
  std::int64_t atoms, modes;
  double speed;  // 1/epsilon
  bool tied;
  const double* times;  // increasing, at least one; the last one is the end
  std::int64_t time_count;
  double rtol;
  std::int64_t max_steps;
  bool (*poll)();  // called at least every 100 ms; true stops the run; may be null
};

struct OverlapResult {
  double *time, *a, *s, *residuals;  // rows for the times and one more, the caller's
  double* crossings;                 // (modes), the caller's
  std::int64_t row_count, steps, rejected;
  double largest_rise;
  FlowStatus status;
};

}  // namespace netphase

#ifdef NETPHASE_ISA
namespace netphase::NETPHASE_ISA {
void overlaps(const OverlapRequest& request, OverlapResult& result);  // throws std::bad_alloc
}
#endif
