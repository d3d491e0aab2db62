// The Python face of the exact averages over random inputs: an object that keeps its memory.
#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <algorithm>

#include "bind_flow.hpp"
#include "population.hpp"

namespace netphase {

// Owns the numbers that a request only points to.
class BoundPopulation {
 public:
  using Factory = std::unique_ptr<Population> (*)(const PopulationRequest&);

  BoundPopulation(Factory make, std::size_t m, FlowVector target_a, FlowMatrix target_c, FlowMatrix value,
                  FlowMatrix slope, const nb::kwargs& kwargs)
      : target_a_(target_a), target_c_(target_c), value_(value), slope_(slope) {
    if (target_a.shape(0) != target_c.shape(0) || value.shape(0) != slope.shape(0) || value.shape(1) != slope.shape(1) ||
        value.size() == 0 || m == 0)
      throw nb::value_error("Population: the shapes of the targets or of the tables do not fit");
    const auto number = [&](const char* name) { return nb::cast<double>(kwargs[name]); };
    q_.m = m, q_.d = target_c.shape(1), q_.targets = target_a.shape(0);
    q_.target_a = target_a.data(), q_.target_c = target_c.data();
    q_.slope = number("slope"), q_.target_slope = number("target_slope"), q_.scale = number("scale");
    q_.mobility_a = number("mobility_a"), q_.mobility_w = number("mobility_w");
    q_.sphere = nb::cast<std::size_t>(kwargs["sphere"]), q_.sphere_weight = number("sphere_weight");
    q_.square = number("square"), q_.power = number("power");
    q_.table = {value.data(), slope.data(), value.shape(0), value.shape(1)};
    if (q_.sphere > q_.d) throw nb::value_error("Population: the sphere has more axes than there are inputs");
    q_.poll = poll;
    run_ = make(q_);
  }

  nb::tuple velocity(FlowMatrix u) {
    check(u);
    double *flow = nullptr, mean_square = 0;
    nb::object flow_array = new_array(u.shape(0), u.shape(1), flow);
    {
      nb::gil_scoped_release released;
      mean_square = run_->velocity(u.data(), flow);
    }
    return nb::make_tuple(mean_square, flow_array);
  }

  nb::tuple march(FlowMatrix u, FlowMatrix flow, double step, long long count, double low, double high) {
    check(u), check(flow);
    double *u_out = nullptr, *flow_out = nullptr, mean_square = 0;
    nb::object u_array = new_array(u.shape(0), u.shape(1), u_out), flow_array = new_array(u.shape(0), u.shape(1), flow_out);
    std::copy_n(u.data(), u.size(), u_out);
    std::copy_n(flow.data(), flow.size(), flow_out);
    long long done = 0;
    {
      nb::gil_scoped_release released;
      mean_square = run_->march(u_out, flow_out, step, count, low, high, done);
    }
    give_up();
    return nb::make_tuple(u_array, flow_array, mean_square, done);
  }

  nb::tuple chebyshev(FlowMatrix u, FlowMatrix flow, double step, FlowMatrix coefficients, FlowVector fractions) {
    check(u), check(flow);
    if (coefficients.shape(0) < 3 || coefficients.shape(1) != 5) throw nb::value_error("chebyshev: coefficients must be (s + 1, 5), s >= 2");
    double *after = nullptr, *between = nullptr;
    nb::object after_array = new_array(u.shape(0), u.shape(1), after);
    nb::object between_array = new_array(fractions.shape(0), u.size(), between);
    {
      nb::gil_scoped_release released;
      run_->chebyshev(u.data(), flow.data(), step, coefficients.data(), coefficients.shape(0) - 1, fractions.data(),
                      fractions.shape(0), after, between);
    }
    give_up();
    return nb::make_tuple(after_array, between_array.attr("reshape")(fractions.shape(0), u.shape(0), u.shape(1)));
  }

  static bool (*poll)();

 private:
  void check(const FlowMatrix& u) const {
    if (u.shape(0) != q_.m || u.shape(1) != q_.d + 1) throw nb::value_error("Population: a state must be (m, d + 1)");
  }

  void give_up() {
    if (!run_->interrupted) return;
    run_->interrupted = false;
    if (PyErr_Occurred() == nullptr) PyErr_SetNone(PyExc_KeyboardInterrupt);
    throw nb::python_error();
  }

  FlowVector target_a_;
  FlowMatrix target_c_, value_, slope_;
  PopulationRequest q_;
  std::unique_ptr<Population> run_;
};

inline bool (*BoundPopulation::poll)() = nullptr;

// Population(m, target_a, target_c, value, slope, *, slope…) with velocity, march and chebyshev; see
// population.hpp.
inline void bind_population(nb::module_& module, BoundPopulation::Factory (*factory)(), bool (*poll)()) {
  BoundPopulation::poll = poll;
  static BoundPopulation::Factory (*choose)() = factory;
  nb::class_<BoundPopulation>(module, "Population")
      .def("__init__",
           [](BoundPopulation* self, std::size_t m, FlowVector target_a, FlowMatrix target_c, FlowMatrix value,
              FlowMatrix slope, nb::kwargs kwargs) {
             new (self) BoundPopulation(choose(), m, target_a, target_c, value, slope, kwargs);
           },
           nb::arg("m"), nb::arg("target_a"), nb::arg("target_c"), nb::arg("sphere_value"), nb::arg("sphere_slope"),
           nb::arg("kwargs"))
      .def("velocity", &BoundPopulation::velocity, nb::arg("u"))
      .def("march", &BoundPopulation::march, nb::arg("u"), nb::arg("flow"), nb::arg("step"), nb::arg("count"),
           nb::arg("low"), nb::arg("high"))
      .def("chebyshev", &BoundPopulation::chebyshev, nb::arg("u"), nb::arg("flow"), nb::arg("step"),
           nb::arg("coefficients"), nb::arg("fractions"));
}

}  // namespace netphase
