// The Python face of the gradient flow: arrays to a FlowRequest, a FlowResult to a dict.
#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>

#include <optional>

#include "flow.hpp"

namespace netphase {

namespace nb = nanobind;

using FlowFunction = void (*)(const FlowRequest&, FlowResult&);
using FlowVector = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using FlowMatrix = nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

constexpr std::int64_t flow_row_capacity = 1024;  // more than any number of steps can fill

// A NumPy array that owns new memory; `data` is where that is.
inline nb::object new_array(std::int64_t rows, std::int64_t columns, double*& data) {
  data = new double[static_cast<std::size_t>(rows * columns) + 1];
  nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<double*>(p); });
  const std::size_t shape[2] = {static_cast<std::size_t>(rows), static_cast<std::size_t>(columns)};
  return nb::cast(nb::ndarray<nb::numpy, double, nb::ndim<2>>(data, 2, shape, owner));
}

inline nb::dict flow_to_dict(FlowFunction run, FlowRequest request, const std::optional<FlowVector>& times) {
  const std::int64_t m = request.neurons, d = request.inputs;
  FlowResult result{};
  if (times) request.times = times->data(), request.time_count = static_cast<std::int64_t>(times->shape(0));
  result.row_capacity = times ? request.time_count + 2 : flow_row_capacity;
  nb::object a = new_array(m, 1, result.a), w = new_array(m, d, result.w);
  nb::object rows = new_array(result.row_capacity, flow_row_length, result.rows);
  {
    nb::gil_scoped_release released;
    run(request, result);
  }
  if (result.status == FlowStatus::interrupted) {
    if (PyErr_Occurred() == nullptr) PyErr_SetNone(PyExc_KeyboardInterrupt);
    throw nb::python_error();
  }
  nb::dict out;
  out["a"] = a.attr("reshape")(-1);
  out["w"] = w;
  out["rows"] = rows[nb::slice(nb::int_(0), nb::int_(result.row_count), nb::none())];
  out["status"] = static_cast<int>(result.status);
  out["time"] = result.time;
  out["mean_square"] = result.mean_square;
  out["steps"] = result.steps;
  out["rejected"] = result.rejected;
  out["gradients"] = result.gradients;
  out["solves"] = result.solves;
  return out;
}

// flow(x, y, a, w, *, activation, output_scale, mobility_a, mobility_w, rtol, target, end_time,
// max_steps, stagnation, tracked, times) -> dict. `poll` is called without the GIL; it returns true
// to stop the run, which then raises the pending exception or KeyboardInterrupt.
inline nb::dict bind_flow(FlowFunction run, bool (*poll)(), nb::args args, nb::kwargs kwargs) {
  if (args.size() != 4) throw nb::type_error("flow takes x, y, a and w, and keyword arguments");
  const auto x = nb::cast<FlowMatrix>(args[0]);
  const auto y = nb::cast<FlowVector>(args[1]), a = nb::cast<FlowVector>(args[2]);
  const auto w = nb::cast<FlowMatrix>(args[3]);
  if (x.shape(0) != y.shape(0) || a.shape(0) != w.shape(0) || x.shape(1) != w.shape(1) || x.size() == 0 ||
      a.size() == 0)
    throw nb::value_error("flow: the shapes of x, y, a and w must be (n, d), (n,), (m,) and (m, d)");
  const auto number = [&](const char* name) { return nb::cast<double>(kwargs[name]); };
  FlowRequest request{};
  request.x = x.data(), request.y = y.data(), request.a = a.data(), request.w = w.data();
  request.samples = static_cast<std::int64_t>(x.shape(0));
  request.inputs = static_cast<std::int64_t>(x.shape(1));
  request.neurons = static_cast<std::int64_t>(a.shape(0));
  request.tracked = nb::cast<std::int64_t>(kwargs["tracked"]);
  request.activation = nb::cast<int>(kwargs["activation"]);
  request.output_scale = number("output_scale");
  request.mobility_a = number("mobility_a"), request.mobility_w = number("mobility_w");
  request.rtol = number("rtol"), request.target = number("target"), request.end_time = number("end_time");
  request.stagnation = number("stagnation");
  request.max_steps = nb::cast<std::int64_t>(kwargs["max_steps"]);
  request.poll = poll;
  return flow_to_dict(run, request, nb::cast<std::optional<FlowVector>>(kwargs["times"]));
}

}  // namespace netphase
