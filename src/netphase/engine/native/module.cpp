// netphase.engine._core: the Python face of the compiled engine.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "bind_deep.hpp"
#include "bind_flow.hpp"
#include "bind_overlaps.hpp"
#include "bind_population.hpp"
#include "bind_sgd.hpp"
#include "dispatch.hpp"

namespace nb = nanobind;
using namespace netphase;
using Array = nb::ndarray<nb::numpy, const double, nb::c_contig, nb::device::cpu>;
template <class T> using Typed = nb::ndarray<nb::numpy, const T, nb::c_contig, nb::device::cpu>;

namespace {

std::atomic<bool> stop_requested{false};
Kernels kernels;

// True when a run should give up: another thread asked for it, or the user pressed Ctrl-C. Signal
// handlers run in the main thread only; elsewhere PyErr_CheckSignals does nothing.
bool poll() {
  if (stop_requested.load(std::memory_order_relaxed)) return true;
  nb::gil_scoped_acquire gil;
  return PyErr_CheckSignals() != 0;
}

// After a run that gave up: hand on the signal's own exception, or raise KeyboardInterrupt.
void raise_interrupt() {
  if (!PyErr_Occurred()) PyErr_SetNone(PyExc_KeyboardInterrupt);
  throw nb::python_error();
}

template <class T> nb::object numpy_array(T* data, std::initializer_list<std::size_t> shape) {
  nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<T*>(p); });
  return nb::cast(nb::ndarray<nb::numpy, T>(data, shape.size(), shape.begin(), owner));
}

nb::object numpy_vector(const std::vector<double>& values) {
  auto* copy = new double[values.size()];
  std::copy(values.begin(), values.end(), copy);
  return numpy_array(copy, {values.size()});
}

template <class T>
nb::dict descend(Array x, Array y, Typed<T> a, Typed<T> w, int activation, double scale, double mobility_a,
                 double mobility_w, double learning_rate, double pace, double growth, double accuracy, double stability, double rotation,
                 double drift_limit, double target,
                 double end_time, long long max_steps, double stagnation, std::size_t tracked, double record_ratio) {
  DescentRequest q;
  q.activation = activation, q.automatic = learning_rate <= 0 && pace <= 0, q.single = sizeof(T) == 4;
  q.n = x.shape(0), q.d = x.shape(1), q.m = a.shape(0), q.tracked = tracked;
  if (y.shape(0) != q.n || w.shape(0) != q.m || w.shape(1) != q.d || tracked > q.m)
    throw std::invalid_argument("descend: shapes of x, y, a and w do not fit");
  q.x = x.data(), q.y = y.data(), q.a = a.data(), q.w = w.data();
  q.scale = scale, q.mobility_a = mobility_a, q.mobility_w = mobility_w, q.learning_rate = learning_rate;
  q.pace = pace, q.growth = growth;
  q.accuracy = accuracy, q.stability = stability, q.rotation = rotation, q.drift_limit = drift_limit, q.target = target, q.end_time = end_time;
  q.max_steps = max_steps, q.stagnation = stagnation, q.record_ratio = record_ratio, q.poll = poll;
  DescentResult r;
  {
    nb::gil_scoped_release release;
    kernels.descend(q, r);
  }
  if (r.end == End::interrupted) raise_interrupt();

  auto* a_out = new T[q.m];
  nb::object a_array = numpy_array(a_out, {q.m});
  auto* w_out = new T[q.m * q.d];
  nb::object w_array = numpy_array(w_out, {q.m, q.d});
  const T* rows = reinterpret_cast<const T*>(r.parameters.get());
  std::copy(rows, rows + q.m, a_out);
  for (std::size_t k = 0; k < q.m; ++k)
    for (std::size_t j = 0; j < q.d; ++j) w_out[k * q.d + j] = rows[(j + 1) * r.padded + k];

  nb::dict out;
  out["a"] = a_array, out["w"] = w_array;
  out["end"] = static_cast<int>(r.end), out["time"] = r.time, out["mean_square"] = r.mean_square;
  out["steps"] = r.steps, out["rejected"] = r.rejected, out["passes"] = r.passes, out["lambda_max"] = r.lambda_max;
  out["drift"] = r.drift, out["sharpness"] = r.sharpness;
  out["record_time"] = numpy_vector(r.record_time), out["record_steps"] = numpy_vector(r.record_steps);
  out["record_mean_square"] = numpy_vector(r.record_mean_square);
  out["record_change_a"] = numpy_vector(r.record_change_a), out["record_change_w"] = numpy_vector(r.record_change_w);
  return out;
}

template <class T> void def_descend(nb::module_& module) {
  module.def("descend", &descend<T>, nb::arg("x"), nb::arg("y"), nb::arg("a").noconvert(), nb::arg("w").noconvert(),
             nb::kw_only(), nb::arg("activation"), nb::arg("scale"), nb::arg("mobility_a"), nb::arg("mobility_w"),
             nb::arg("learning_rate"),
             nb::arg("pace"), nb::arg("growth"), nb::arg("accuracy"), nb::arg("stability"), nb::arg("rotation"), nb::arg("drift_limit"),
             nb::arg("target"), nb::arg("end_time"), nb::arg("max_steps"), nb::arg("stagnation"), nb::arg("tracked"),
             nb::arg("record_ratio"));
}

template <class T, class F> nb::object probe(F function, int code, int order, Typed<T> z) {
  auto* out = new T[z.shape(0)];
  function(code, order, z.data(), out, z.shape(0));
  return numpy_array(out, {z.shape(0)});
}

}  // namespace

NB_MODULE(_core, module) {
  module.doc() = "The compiled engine of netphase; use it through netphase.engine.";
  const char* wanted = std::getenv("NETPHASE_ISA");
  kernels = kernels_named(wanted ? wanted : "");

  def_descend<double>(module);
  def_descend<float>(module);
  module.def("flow", [](nb::args args, nb::kwargs kwargs) { return bind_flow(kernels.flow, poll, args, kwargs); });
  module.def("overlaps",
             [](FlowVector a, FlowVector s, FlowVector weights, FlowVector activation, FlowVector target, FlowVector times,
                nb::kwargs kwargs) {
               return bind_overlaps(kernels.overlaps, poll, a, s, weights, activation, target, times, kwargs);
             });
  bind_population(module, [] { return kernels.population; }, poll);
  bind_sgd(module, kernels, poll);
  bind_deep(module, kernels.deep_steps64, kernels.deep_steps32);
  module.def("request_stop", [](bool stop) { stop_requested = stop; }, nb::arg("stop"));
  module.def("activation", [](int code, int order, Typed<double> z) { return probe<double>(kernels.probe64, code, order, z); },
             nb::arg("code"), nb::arg("order"), nb::arg("z").noconvert());
  module.def("activation", [](int code, int order, Typed<float> z) { return probe<float>(kernels.probe32, code, order, z); },
             nb::arg("code"), nb::arg("order"), nb::arg("z").noconvert());
  module.def("fma_gflops", [](double seconds, bool single) { return kernels.fma_gflops(seconds, single); });
  module.def("triad_gbytes", [](std::size_t bytes, double seconds) { return kernels.triad_gbytes(bytes, seconds); });
  module.def("build_info", [] {
    nb::dict info;
    info["instruction_set"] = kernels.isa;
    nb::list available;
    for (const Kernels& k : available_kernels()) available.append(k.isa);
    info["available_instruction_sets"] = available;
    info["compiler"] = __VERSION__;
    info["hardware_threads"] = std::thread::hardware_concurrency();
    return info;
  });
}
