// The Python face of projected SGD and of its random numbers: two objects that keep their memory.
#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include "bind_flow.hpp"
#include "dispatch.hpp"

namespace netphase {

using Words = nb::ndarray<const std::uint64_t, nb::shape<4, normal_streams>, nb::c_contig, nb::device::cpu>;

// Owns the numbers that a request only points to; they are read when the run is made.
class BoundSgd {
 public:
  BoundSgd(const Kernels& kernels, bool (*poll)(), FlowVector a, FlowMatrix w, Words data, Words labels,
           const nb::kwargs& kwargs) {
    const auto number = [&](const char* name) { return nb::cast<double>(kwargs[name]); };
    const auto count = [&](const char* name) { return nb::cast<std::size_t>(kwargs[name]); };
    SgdRequest q;
    q.m = a.size(), q.columns = w.shape(1), q.inputs = count("inputs"), q.batch = count("batch"), q.room = count("room");
    const std::size_t chunks = (q.batch + normal_streams - 1) / normal_streams * normal_streams;
    const std::size_t extra = q.room > chunks ? q.room : chunks;
    if (q.m == 0 || w.shape(0) != q.m || q.columns == 0 || q.batch == 0 ||
        (q.room ? q.columns != q.m + 1 || q.inputs < q.columns + extra + 1 : q.columns != q.inputs))
      throw nb::value_error("Sgd: shapes of a and w, the inputs and the room do not fit");
    q.a = a.data(), q.w = w.data(), q.data = data.data(), q.labels = labels.data();
    q.rate_a = number("rate_a"), q.rate_w = number("rate_w"), q.noise = number("noise"), q.poll = poll;
    const auto activation = nb::cast<FlowVector>(kwargs["activation_series"]);
    const auto target = nb::cast<FlowVector>(kwargs["target_series"]);
    q.activation = {nb::cast<int>(kwargs["activation"]), number("scale"), number("shift"), activation.data(), activation.size()};
    q.target = {nb::cast<int>(kwargs["target"]), number("target_scale"), number("target_shift"), target.data(), target.size()};
    if ((q.activation.code < 0 && q.activation.count == 0) || (q.target.code < 0 && q.target.count == 0))
      throw nb::value_error("Sgd: a series needs a coefficient");
    run_ = kernels.sgd(q), m_ = static_cast<std::int64_t>(q.m);
  }

  std::size_t advance(std::size_t steps) {
    std::size_t done = 0;
    {
      nb::gil_scoped_release released;
      done = run_->advance(steps);
    }
    if (run_->interrupted) {
      run_->interrupted = false;
      if (PyErr_Occurred() == nullptr) PyErr_SetNone(PyExc_KeyboardInterrupt);
      throw nb::python_error();
    }
    return done;
  }

  nb::tuple state() {
    double *a = nullptr, *w = nullptr;
    nb::object a_array = new_array(m_, 1, a);
    nb::object w_array = new_array(m_, static_cast<std::int64_t>(run_->columns()), w);
    run_->state(a, w);
    return nb::make_tuple(a_array.attr("reshape")(-1), w_array);
  }

 private:
  std::unique_ptr<Sgd> run_;
  std::int64_t m_ = 0;
};

class BoundNormals {
 public:
  BoundNormals(const Kernels& kernels, Words words) : source_(kernels.normals(words.data())) {}

  nb::object pairs(std::size_t count) {
    double* rows = nullptr;
    nb::object found = new_array(static_cast<std::int64_t>(2 * count), normal_streams, rows);
    for (std::size_t k = 0; k < count; ++k, rows += 2 * normal_streams) source_->pair(rows, rows + normal_streams);
    return found;
  }

  nb::object chi(FlowVector degrees) {
    if (degrees.size() != normal_streams) throw nb::value_error("Normals: eight degrees are wanted");
    for (std::size_t k = 0; k < normal_streams; ++k)
      if (!(degrees.data()[k] >= 2)) throw nb::value_error("Normals: degrees must be 2 at least");
    double* row = nullptr;
    nb::object found = new_array(normal_streams, 1, row);
    source_->chi(degrees.data(), row);
    return found.attr("reshape")(-1);
  }

 private:
  std::unique_ptr<Normals> source_;
};

// Sgd(a, w, data, labels, *, …) with advance and state, see sgd.hpp; Normals(words) with pairs and chi.
inline void bind_sgd(nb::module_& module, const Kernels& kernels, bool (*poll)()) {
  nb::class_<BoundSgd>(module, "Sgd")
      .def("__init__",
           [&kernels, poll](BoundSgd* self, FlowVector a, FlowMatrix w, Words data, Words labels, nb::kwargs kwargs) {
             new (self) BoundSgd(kernels, poll, a, w, data, labels, kwargs);
           },
           nb::arg("a"), nb::arg("w"), nb::arg("data"), nb::arg("labels"), nb::arg("kwargs"))
      .def("advance", &BoundSgd::advance, nb::arg("steps"))
      .def("state", &BoundSgd::state);
  nb::class_<BoundNormals>(module, "Normals")
      .def("__init__",
           [&kernels](BoundNormals* self, Words words) { new (self) BoundNormals(kernels, words); }, nb::arg("words"))
      .def("pairs", &BoundNormals::pairs, nb::arg("count"))
      .def("chi", &BoundNormals::chi, nb::arg("degrees"));
}

}  // namespace netphase
