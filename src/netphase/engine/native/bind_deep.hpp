// The Python face of steps of deep networks: arrays that are changed in place, and the threads.
#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <numeric>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include "deep.hpp"

namespace netphase {

namespace nb = nanobind;

constexpr double deep_thread_work = 8e6;  // operations that are worth a thread of their own

template <class T> using DeepTable = nb::ndarray<T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class N> using DeepList = nb::ndarray<N, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class T> using DeepStack = nb::ndarray<T, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
template <class T> using DeepKernel = void (*)(const DeepRequest<T>&, std::size_t, T*);

struct DeepRelease {
  void operator()(void* p) const { std::free(p); }
};

// Every network is one piece of work, whose result depends on nothing else.
template <class T> void run_deep(DeepKernel<T> kernel, const DeepRequest<T>& q, std::size_t threads) {
  const auto steps = std::accumulate(q.steps, q.steps + q.networks, std::int64_t{0});
  const double work = 6.0 * static_cast<double>(q.numbers * q.samples) * static_cast<double>(steps);
  threads = std::min({threads, q.networks, 1 + static_cast<std::size_t>(work / deep_thread_work)});
  const std::size_t bytes = (deep_room(q) * sizeof(T) + 63) / 64 * 64;
  std::vector<std::unique_ptr<T, DeepRelease>> rooms;
  for (std::size_t i = 0; i < threads; ++i) {
    rooms.emplace_back(static_cast<T*>(std::aligned_alloc(64, bytes)));
    if (!rooms.back()) throw std::bad_alloc();
  }
  std::atomic<std::size_t> next{0};
  const auto work_off = [&](T* room) {
    for (std::size_t number; (number = next++) < q.networks;) kernel(q, number, room);
  };
  std::vector<std::thread> helpers;
  helpers.reserve(threads);
  try {
    for (std::size_t i = 1; i < threads; ++i) helpers.emplace_back(work_off, rooms[i].get());
  } catch (const std::system_error&) {  // no more threads to be had: those there are do it all
  }
  work_off(rooms[0].get());
  for (std::thread& each : helpers) each.join();
}

template <class T> bool fits(const DeepRequest<T>& q) {
  std::size_t numbers = 0, signals = 0;
  for (std::size_t layer = 0; layer < q.layers; ++layer) {
    numbers += q.copies * q.sizes[layer] * q.sizes[layer + 1];
    if (layer > 0) signals += q.copies * q.sizes[layer] * q.padded;
  }
  return numbers == q.numbers && signals == q.signals && q.padded >= q.samples && q.padded * sizeof(T) % 64 == 0;
}

template <class T> void def_deep_steps(nb::module_& module, const DeepKernel<T>& kernel) {
  module.def(
      "deep_steps",
      [&kernel](DeepTable<T> weights, DeepTable<const T> x, DeepTable<const T> target,
                std::optional<DeepStack<const T>> centre, DeepTable<const T> gains, DeepTable<const T> factors,
                DeepTable<T> values, DeepTable<T> slopes, DeepStack<T> output, DeepStack<T> residual,
                DeepList<std::int64_t> steps, DeepTable<double> squares, DeepList<const double> ceilings,
                std::vector<std::size_t> sizes, std::size_t copies, int activation, double floor, bool falling,
                std::size_t threads) {
        DeepRequest<T> q;
        if (sizes.size() < 3 || copies == 0 || threads == 0)
          throw nb::value_error("deep_steps: sizes, copies or threads are too few");
        q.networks = weights.shape(0), q.copies = copies, q.layers = sizes.size() - 1, q.sizes = sizes.data();
        q.samples = target.shape(1), q.padded = x.shape(1), q.numbers = weights.shape(1), q.signals = values.shape(1);
        const auto of = [&](const auto& each, std::size_t columns) {
          return each.shape(0) == q.networks && each.shape(1) == columns;
        };
        const auto outputs = [&](const auto& each) { return of(each, sizes.back()) && each.shape(2) == q.samples; };
        if (!fits(q) || !of(values, q.signals) || !of(slopes, q.signals) || !of(gains, q.layers) ||
            !of(factors, q.layers) || !outputs(output) || !outputs(residual) || (centre && !outputs(*centre)) ||
            steps.shape(0) != q.networks || !of(squares, 2) || ceilings.shape(0) != q.networks ||
            x.shape(0) != sizes[0] || target.shape(0) != sizes.back() || activation < 0 || activation > 10)
          throw nb::value_error("deep_steps: the arrays do not fit the sizes");
        q.weights = weights.data(), q.x = x.data(), q.target = target.data();
        q.centre = centre ? centre->data() : nullptr, q.gains = gains.data(), q.factors = factors.data();
        q.values = values.data(), q.slopes = slopes.data(), q.output = output.data(), q.residual = residual.data();
        q.steps = steps.data(), q.squares = squares.data(), q.ceilings = ceilings.data();
        q.activation = activation, q.floor = floor, q.falling = falling;
        nb::gil_scoped_release released;
        run_deep<T>(kernel, q, threads);
      },
      nb::arg("weights").noconvert(), nb::arg("x").noconvert(), nb::arg("target").noconvert(),
      nb::arg("centre").none().noconvert(), nb::arg("gains").noconvert(), nb::arg("factors").noconvert(),
      nb::arg("values").noconvert(), nb::arg("slopes").noconvert(), nb::arg("output").noconvert(),
      nb::arg("residual").noconvert(), nb::arg("steps").noconvert(), nb::arg("squares").noconvert(),
      nb::arg("ceilings").noconvert(), nb::kw_only(), nb::arg("sizes"), nb::arg("copies"), nb::arg("activation"),
      nb::arg("floor"), nb::arg("falling"), nb::arg("threads"));
}

inline void bind_deep(nb::module_& module, const DeepKernel<double>& wide, const DeepKernel<float>& narrow) {
  def_deep_steps<double>(module, wide);
  def_deep_steps<float>(module, narrow);
}

}  // namespace netphase
