// Projected one-pass SGD of a two-layer network on a single-index target: what is asked.
//
// engine/sgd/reference.py is the readable definition of the algorithm.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

#include "normals.hpp"

namespace netphase {

struct CurveRequest {      // z -> A(scale z + shift), or a Hermite series where code < 0
  int code = -1;           // of netphase.activations.Activation
  double scale = 1, shift = 0;
  const double* coefficients = nullptr;
  std::size_t count = 0;
};

struct SgdRequest {
  std::size_t m = 0, inputs = 0, columns = 0, batch = 1;
  std::size_t room = 0;  // new directions kept between two compressions; 0: columns are the inputs
  const double *a = nullptr, *w = nullptr;  // (m), (m, columns): rows of unit length; column 0 is u*
  double rate_a = 0, rate_w = 0, noise = 0;
  CurveRequest activation, target;
  const std::uint64_t *data = nullptr, *labels = nullptr;  // (4, 8): states of the generators
  bool (*poll)() = nullptr;  // called at least every 100 ms; true: give up now
};

// Not for two threads at a time.
class Sgd {
 public:
  virtual ~Sgd() = default;
  virtual std::size_t advance(std::size_t steps) = 0;  // steps taken; fewer where it diverged or gave up
  virtual std::size_t columns() const = 0;             // of the state
  virtual void state(double* a, double* w) = 0;        // (m), (m, columns)

  bool interrupted = false;  // poll() asked to stop; the state is meaningless
};

}  // namespace netphase

#ifdef NETPHASE_ISA
namespace netphase::NETPHASE_ISA {
std::unique_ptr<Sgd> sgd(const SgdRequest& request);  // throws std::bad_alloc
}
#endif
