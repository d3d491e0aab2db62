// Exact averages of piecewise linear networks over random inputs: what is asked. No Python and no
// instruction set in here. engine/population/reference.py is the readable definition.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>

namespace netphase {

// Value and slope of the sphere's kernel F(-1/2, -1/2; k/2; 1 - y)/2π over y: Chebyshev coefficients in
// y 2^(i+1) on [1, 2], row i for y in [2^-(i+1), 2^-i]; the last row, constants, for all smaller y.
struct SphereTable {
  const double* value = nullptr;  // (rows, terms)
  const double* slope = nullptr;
  std::size_t rows = 0, terms = 0;
};

struct PopulationRequest {
  std::size_t m = 0, d = 0, targets = 0;
  const double* target_a = nullptr;  // (targets)
  const double* target_c = nullptr;  // (targets, d)
  double slope = 0, target_slope = 0;  // of max(z, slope z)
  double scale = 1, mobility_a = 1, mobility_w = 1;
  std::size_t sphere = 0;  // axes
  double sphere_weight = 0;
  SphereTable table;
  double square = 0;  // E f*^2 for Gaussian inputs
  double power = 1;   // every average is that of Gaussian inputs times this
  std::function<bool()> poll;  // true: give up now
};

// States and flows are (m, d + 1) matrices, rows a_k, w_k. Not for two threads at a time.
class Population {
 public:
  virtual ~Population() = default;

  // E e^2 at a state, and du/dt there.
  virtual double velocity(const double* u, double* flow) = 0;

  // Up to `count` steps u += step u', in place, as long as low < E e^2 < high; returns E e^2.
  virtual double march(double* u, double* flow, double step, long long count, double low, double high,
                       long long& done) = 0;

  // One step of the stabilised method; `coefficients` is (stages + 1, 5), see chebyshev.py. The states at
  // the increasing `fractions` of the step go to `between`, (count, m, d + 1).
  virtual void chebyshev(const double* u, const double* flow, double step, const double* coefficients,
                         std::size_t stages, const double* fractions, std::size_t count, double* after,
                         double* between) = 0;

  bool interrupted = false;  // poll() asked to stop; what was computed is meaningless
};

}  // namespace netphase

#ifdef NETPHASE_ISA
namespace netphase::NETPHASE_ISA {
std::unique_ptr<Population> population(const PopulationRequest& request);
}
#endif
