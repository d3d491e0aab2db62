// The gradient flow for one instruction set.
#include "flow_activation.hpp"
#include "flow_driver.hpp"

namespace netphase::NETPHASE_ISA {

namespace {

template <class A, int D> void follow(const FlowRequest& request, FlowResult& result) {
  FlowSolver<A, D> solver(request);
  FlowDriver(solver, solver, result).run();
}

}  // namespace

void flow(const FlowRequest& request, FlowResult& result) {
  with_activation<double>(request.activation, [&](auto activation) {
    using A = decltype(activation);
    switch (request.inputs) {
      case 1: return follow<A, 1>(request, result);
      case 2: return follow<A, 2>(request, result);
      case 3: return follow<A, 3>(request, result);
      default: return follow<A, 0>(request, result);
    }
  });
}

}  // namespace netphase::NETPHASE_ISA
