// The Python face of the overlap equations: arrays to an OverlapRequest, an OverlapResult to a dict.
#pragma once
#include "bind_flow.hpp"
#include "overlaps.hpp"

namespace netphase {

using OverlapFunction = void (*)(const OverlapRequest&, OverlapResult&);

// overlaps(a, s, weights, activation, target, times, *, speed, tied, rtol, max_steps) -> dict
inline nb::dict bind_overlaps(OverlapFunction run, bool (*poll)(), FlowVector a, FlowVector s, FlowVector weights,
                              FlowVector activation, FlowVector target, FlowVector times, nb::kwargs kwargs) {
  if (a.size() == 0 || a.size() != s.size() || a.size() != weights.size() || activation.size() == 0 ||
      activation.size() != target.size() || times.size() == 0)
    throw nb::value_error("overlaps: a, s, weights must be (m,), activation and target (k,), times (t,)");
  OverlapRequest q{};
  q.a = a.data(), q.s = s.data(), q.weights = weights.data();
  q.activation = activation.data(), q.target = target.data(), q.times = times.data();
  q.atoms = static_cast<std::int64_t>(a.size()), q.modes = static_cast<std::int64_t>(activation.size());
  q.time_count = static_cast<std::int64_t>(times.size());
  q.speed = nb::cast<double>(kwargs["speed"]), q.tied = nb::cast<bool>(kwargs["tied"]);
  q.rtol = nb::cast<double>(kwargs["rtol"]), q.max_steps = nb::cast<std::int64_t>(kwargs["max_steps"]);
  q.poll = poll;
  OverlapResult result{};
  const std::int64_t rows = q.time_count + 1;
  nb::object time = new_array(rows, 1, result.time), residuals = new_array(rows, q.modes, result.residuals);
  nb::object a_out = new_array(rows, q.atoms, result.a), s_out = new_array(rows, q.atoms, result.s);
  nb::object crossings = new_array(q.modes, 1, result.crossings);
  {
    nb::gil_scoped_release released;
    run(q, result);
  }
  if (result.status == FlowStatus::interrupted) {
    if (PyErr_Occurred() == nullptr) PyErr_SetNone(PyExc_KeyboardInterrupt);
    throw nb::python_error();
  }
  const nb::slice reached(nb::int_(0), nb::int_(result.row_count), nb::none());
  nb::dict out;
  out["time"] = time.attr("reshape")(-1)[reached];
  out["a"] = a_out[reached], out["s"] = s_out[reached], out["residuals"] = residuals[reached];
  out["crossings"] = crossings.attr("reshape")(-1);
  out["status"] = static_cast<int>(result.status);
  out["steps"] = result.steps, out["rejected"] = result.rejected, out["largest_rise"] = result.largest_rise;
  return out;
}

}  // namespace netphase
