// Descent of one two-layer network: literal gradient descent, and the automatic second-order step.
//
// The automatic step follows the gradient flow. In the n residuals it is an exponential
// Adams–Bashforth method (averaging.hpp), in the neurons a second-order step with the averaged residual
// held fixed (descent_pass.hpp). Its length is bounded by the error of the predicted residual and by the
// fastest rate at which any neuron can grow; a step that raises the loss is undone and halved. With
// more than `spectral_samples` samples the matrix is left out and λ_max bounds the step instead.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>

#include "averaging.hpp"
#include "descent.hpp"
#include "descent_pass.hpp"
#include "gate_pass.hpp"

namespace netphase::NETPHASE_ISA {
namespace {

constexpr std::size_t cache_budget = std::size_t(1) << 26;  // bytes of kept transcendental values
constexpr std::size_t spectral_samples = 16;  // up to so many samples the tangent Gram matrix is formed
constexpr std::size_t gate_samples = 16;      // from so many samples on, tables of gates pay
constexpr double refresh_inflation = 0.2;   // refresh λ_max when its bound has grown by e^0.2 …
constexpr int refresh_steps = 64;           // … or after so many steps
constexpr int paced_look = 64, fixed_look = 512;  // literal descent: most steps between two looks at λ_max
constexpr double least_caution = 1e-9;     // a step cut down so far cannot lower the loss
constexpr double least_care = 1.0 / 16;     // the watch on the invariant shortens steps at most so far

Buffer allocate(std::size_t bytes) {
  auto* p = static_cast<unsigned char*>(::operator new[](bytes, std::align_val_t(64)));
  std::memset(p, 0, bytes);
  return Buffer(p);
}

template <class T> struct Run {
  using PassFn = void (*)(const Sweep<T>&);
  using TangentFn = void (*)(const Sweep<T>&, T, T);
  using GramFn = void (*)(const Sweep<T>&, vec<T>*, const double*, double, double, double*);
  const DescentRequest& q;
  DescentResult& r;
  PassFn forward, advance;
  TangentFn tangent;
  GramFn gram;
  std::size_t n, d, m, stride;
  Buffer now, next, cache, splats;
  vec<T>*x, *residual, *residual_x, *sums, *scratch;
  std::unique_ptr<GateDescent<T>> gates;  // literal descent of ReLU with more than a few inputs
  const bool spectral;
  ResidualAverage model;
  std::vector<double> output, error, average, after, predicted, eigenvector, matrix;
  double time = 0, square = 0;  // square: Σ e²
  long long next_record = 0, until_poll = 0;

  Run(const DescentRequest& request, DescentResult& result, int kept_values)
      : q(request), r(result), n(q.n), d(q.d), m(q.m), spectral(n <= spectral_samples),
        model(n), output(n), error(n), average(n), after(n), predicted(n), eigenvector(n),
        matrix(spectral ? n * n : 0) {
    constexpr std::size_t row = 64 / sizeof(T);
    stride = (m + row - 1) / row * row;
    now = allocate((d + 1) * stride * sizeof(T));
    if (q.automatic) next = allocate((d + 1) * stride * sizeof(T));
    const std::size_t cached = kept_values * n * stride * sizeof(T);
    if (cached && cached <= cache_budget) cache = allocate(cached);
    splats = allocate((2 * n * d + 2 * n + 8 * d + 3 * n + (spectral ? n * (n + 1) : 0)) * sizeof(vec<T>));
    x = reinterpret_cast<vec<T>*>(splats.get());
    residual_x = x + n * d, residual = residual_x + n * d, sums = residual + n, scratch = sums + n;
    for (std::size_t i = 0; i < n * d; ++i) x[i] = splat<T>(static_cast<T>(q.x[i]));
    T* rows = parameters(now);
    const T *a = static_cast<const T*>(q.a), *w = static_cast<const T*>(q.w);
    std::copy(a, a + m, rows);
    for (std::size_t k = 0; k < m; ++k)
      for (std::size_t j = 0; j < d; ++j) rows[(j + 1) * stride + k] = w[k * d + j];
  }

  static T* parameters(Buffer& b) { return reinterpret_cast<T*>(b.get()); }

  Sweep<T> sweep(Buffer& from, Buffer& to, double h) {
    const double per_sample = h * q.scale / static_cast<double>(n);
    return {n, d, stride, m, parameters(from), parameters(to), cache ? parameters(cache) : nullptr, x, residual,
            residual_x, static_cast<T>(per_sample * q.mobility_a), static_cast<T>(per_sample * q.mobility_w), sums,
            scratch, output.data()};
  }

  void splat_residual(const std::vector<double>& e) {
    for (std::size_t i = 0; i < n; ++i) {
      residual[i] = splat<T>(static_cast<T>(e[i]));
      for (std::size_t j = 0; j < d; ++j) residual_x[i * d + j] = splat<T>(static_cast<T>(e[i] * q.x[i * d + j]));
    }
  }

  double squared(std::vector<double>& e) {  // error of the output just computed, and its Σ e²
    double total = 0;
    for (std::size_t i = 0; i < n; ++i) {
      e[i] = q.scale * output[i] - q.y[i];
      total += e[i] * e[i];
    }
    return total;
  }

  // Largest eigenvalue of the tangent Gram matrix by power iteration, warm-started.
  double largest_eigenvalue(int iterations) {
    double value = 0;
    for (int k = 0; k < iterations; ++k) {
      double norm = 0;
      for (double v : eigenvector) norm += v * v;
      norm = std::sqrt(norm);
      if (!(norm > 0) || !std::isfinite(norm)) return norm;
      for (double& v : eigenvector) v /= norm;
      splat_residual(eigenvector);
      tangent(sweep(now, now, 0), static_cast<T>(q.mobility_a), static_cast<T>(q.mobility_w));
      ++r.passes;
      double rayleigh = 0;
      for (std::size_t i = 0; i < n; ++i) rayleigh += eigenvector[i] * output[i];
      eigenvector.assign(output.begin(), output.end());
      const double last = value;
      value = rayleigh * q.scale * q.scale / static_cast<double>(n);
      if (k > 1 && value - last < 0.01 * value) break;
    }
    return value;
  }

  // Displacements of the tracked neurons, and how far the invariant a²/p_a − |w|²/p_w has drifted.
  void record() {
    bring_home();
    const T *rows = parameters(now), *a0 = static_cast<const T*>(q.a), *w0 = static_cast<const T*>(q.w);
    double moved_a = 0, moved_w = 0, drift = 0, turned = 0, size = 0;
    for (std::size_t k = 0; k < q.tracked; ++k) {
      const double before = a0[k], a = rows[k];
      double norm = 0, square_w = 0;  // |w|² − |w(0)|², |w|²
      for (std::size_t j = 0; j < d; ++j) {
        const double v0 = w0[k * d + j], v = rows[(j + 1) * stride + k];
        moved_w += (v - v0) * (v - v0);
        norm += (v - v0) * (v + v0);
        square_w += v * v;
      }
      moved_a += (a - before) * (a - before);
      const double from_a = (a - before) * (a + before) / q.mobility_a, from_w = norm / q.mobility_w;
      drift += std::abs(from_a - from_w);
      turned += std::abs(from_a) + std::abs(from_w);
      size += a * a / q.mobility_a + square_w / q.mobility_w;
    }
    r.drift = turned > 0 ? drift / turned : 0;
    // what rounding of the parameters, a random walk, may have done to the invariant
    const double rounding = std::numeric_limits<T>::epsilon() * std::sqrt(1.0 + static_cast<double>(r.steps)) * size;
    drifts = drift > q.drift_limit * turned + rounding;
    r.record_time.push_back(time);
    r.record_steps.push_back(static_cast<double>(r.steps));
    r.record_mean_square.push_back(square / static_cast<double>(n));
    r.record_change_a.push_back(std::sqrt(moved_a));
    r.record_change_w.push_back(std::sqrt(moved_w));
    next_record = std::max(r.steps + 1, static_cast<long long>(static_cast<double>(r.steps) * q.record_ratio));
  }

  bool interrupted() {
    if (--until_poll > 0) return false;
    // about 20 ms of work between two looks
    until_poll = 1 + static_cast<long long>(1e7 / static_cast<double>(stride * n * (d + 2)));
    return q.poll && q.poll();
  }

  // Whether the clock has grown a million-fold while the loss stood still: no residual has a gradient left.
  bool stationary() {
    if (time < patience * anchor_time) return false;
    const double mean = square / static_cast<double>(n), part = std::max(put, q.stagnation);
    const bool stuck = anchor_time > 0 && mean > (1 - part) * anchor_mean;
    anchor_time = time, anchor_mean = mean;
    return stuck;
  }

  // The reason to stop at the present state, if there is one.
  bool finished(double& last_checked, long long& next_check) {
    const double mean = square / static_cast<double>(n);
    if (!std::isfinite(mean)) return end(End::non_finite);
    if (mean <= q.target) return end(End::converged);
    if (time >= q.end_time) return end(End::time_reached);
    if (r.steps >= q.max_steps) return end(End::max_steps);
    if (mean > 1e8 * (r.record_mean_square.front() + 1)) return end(End::diverged);
    if (q.stagnation > 0 && r.steps >= next_check) {
      if (mean > (1 - q.stagnation) * last_checked) return end(End::stagnated);
      last_checked = mean;
      next_check *= 2;
    }
    if (interrupted()) return end(End::interrupted);
    return false;
  }
  bool end(End why) {
    r.end = why;
    return true;
  }

  void start() {
    forward(sweep(now, now, 0));
    ++r.passes;
    square = squared(error);
    record();
  }

  void finish() {
    bring_home();
    if (r.record_steps.back() != static_cast<double>(r.steps)) record();
    r.time = time;
    r.mean_square = square / static_cast<double>(n);
    r.padded = stride;
    next.reset(), cache.reset();
    r.parameters = std::move(now);
  }

  void literal() {
    double last_checked = std::numeric_limits<double>::infinity(), h = q.learning_rate;
    long long next_check = 10000, next_look = 0;
    start();
    seed_eigenvector();
    if (gates) gates->load(parameters(now), stride), away = true;
    while (!finished(last_checked, next_check)) {
      if (r.steps >= next_look) {
        h = look(h);
        if (!(h > 0)) {  // no parameter moves the output
          end(End::stagnated);
          break;
        }
        next_look = std::min(2 * r.steps + 1, r.steps + (q.pace > 0 ? paced_look : fixed_look));
      }
      const double left = q.end_time - time, before = square;
      const bool last = h >= left * (1 - 1e-12);
      move(last ? left : h);
      ++r.passes, ++r.steps;
      time = last ? q.end_time : time + h;
      square = squared(error);
      if (!(square <= before) && q.pace > 0) next_look = r.steps;
      if (r.steps >= next_record) record();
    }
    finish();
  }

  void move(double h) {
    if (gates) {
      const double per_sample = h * q.scale / static_cast<double>(n);
      gates->step(error.data(), static_cast<T>(per_sample * q.mobility_a), static_cast<T>(per_sample * q.mobility_w),
                  output.data());
    } else {
      splat_residual(error);
      advance(sweep(now, now, h));
    }
  }
  void bring_home() {  // the parameters, from where the gates keep them
    if (away) gates->store(parameters(now), stride);
  }

  void seed_eigenvector() {
    for (std::size_t i = 0; i < n; ++i) eigenvector[i] = 1 + 0.5 * std::sin(1.0 + static_cast<double>(i));
  }

  // Notes how far the step h is from the limit of stability; returns the step to go on with, 0 if there is none.
  double look(double h) {
    bring_home();
    r.lambda_max = largest_eigenvalue(r.steps ? 3 : 30);
    r.sharpness = std::max(r.sharpness, 0.5 * h * r.lambda_max);
    if (!(q.pace > 0)) return h;
    if (!(r.lambda_max > 0)) return 0;
    const double growth = q.growth * std::sqrt(square / static_cast<double>(n));
    h = std::min(q.pace / r.lambda_max, growth > 0 ? 1 / growth : std::numeric_limits<double>::infinity());
    r.sharpness = std::max(r.sharpness, 0.5 * h * r.lambda_max);
    return h;
  }

  // Fastest relative growth of any neuron: (s/n) Σ |e_i| |x_i| sup|σ'| √(mobility_a mobility_w).
  double growth_rate() const {
    double total = 0;
    for (std::size_t i = 0; i < n; ++i) {
      double norm = 0;
      for (std::size_t j = 0; j < d; ++j) norm += q.x[i * d + j] * q.x[i * d + j];
      total += std::abs(error[i]) * std::sqrt(norm);
    }
    return total * q.scale / static_cast<double>(n) * std::sqrt(q.mobility_a * q.mobility_w);
  }

  // Refreshes the frozen matrix; returns its largest eigenvalue.
  double freeze() {
    gram(sweep(now, now, 0), scratch + 8 * d + 3 * n, q.x, q.mobility_a, q.mobility_w, matrix.data());
    for (double& g : matrix) g *= q.scale * q.scale / static_cast<double>(n);
    model.freeze(matrix);
    return model.largest_eigenvalue();
  }

  // An upper bound on λ_max now. Without the matrix it is refreshed by power iteration; in between,
  // parameters grow at most like exp(∫ rate), the tangent Gram matrix like their square.
  double bound_eigenvalue() {
    if (spectral) return freeze();
    if (grown > refresh_inflation || since_refresh >= refresh_steps) {
      lambda = largest_eigenvalue(2);
      grown = 0, since_refresh = 0;
    }
    return lambda * std::exp(2 * grown);
  }

  void automatic() {
    double last_checked = std::numeric_limits<double>::infinity();
    // as many steps as 10 000 that let the fastest neuron grow by a tenth each
    long long next_check = static_cast<long long>(10000 * std::max(1.0, 0.1 / q.rotation));
    start();
    if (!spectral) {
      seed_eigenvector();
      lambda = largest_eigenvalue(30);
    }
    double h = 0, caution = 1;
    while (!finished(last_checked, next_check)) {
      const double rate = growth_rate(), longest = care * q.rotation / rate;
      r.lambda_max = bound_eigenvalue();
      if (!(r.lambda_max > 0) || stationary()) {  // no parameter moves the output any more
        end(End::stagnated);
        break;
      }
      const double safe = std::min(care * q.stability / r.lambda_max, longest);  // short enough without any model
      // the two-step average begins with the plain residual, of first order: begin with short steps
      h = spectral ? std::clamp(h * stretch, safe, longest) : std::min(safe, std::max(1.5 * taken, 0.05 * safe));
      model.start(error);
      h = model.land(h, q.target * static_cast<double>(n) * 0.999);
      while (!try_step(caution * std::min(h, (q.end_time - time) / caution), safe)) {
        ++r.rejected;
        if (rose) caution *= 0.5, model.forget(), model.start(error);
        else h = std::max(0.5 * h, safe);
        if (caution < least_caution) {  // rounding keeps the loss from falling
          end(End::stagnated);
          return finish();
        }
      }
      grown += rate * taken, ++since_refresh;
      time = taken < (q.end_time - time) * (1 - 1e-12) ? time + taken : q.end_time;
      ++r.steps;
      caution = std::min(1.0, caution * 1.1);
      if (r.steps >= next_record) {
        record();
        if (conserves && drifts && care > least_care) care *= 0.5;
      }
    }
    finish();
  }

  // One step of length h; false, with nothing changed, when it would raise the loss (`rose`) or when
  // the residual came out too far from its prediction and the step was longer than `safe`.
  bool try_step(double h, double safe) {
    model.average(h, average);
    splat_residual(average);
    advance(sweep(now, next, h));
    ++r.passes;
    const double square_after = squared(after);
    model.predict(h, predicted);
    double miss = 0, scale = 0;
    for (std::size_t i = 0; i < n; ++i) {
      miss += (after[i] - predicted[i]) * (after[i] - predicted[i]);
      scale += q.y[i] * q.y[i];
    }
    const double error_ratio = std::sqrt(miss / square) / (care * q.accuracy);
    const double slack = 64 * std::numeric_limits<T>::epsilon() * std::sqrt(square * (scale + square));
    rose = !(square_after <= square + slack);  // not a number counts as a rise
    if (rose || (spectral && error_ratio > 4 && h > 1.01 * safe)) {
      if (cache) forward(sweep(now, now, 0)), ++r.passes;  // restore what the rejected pass overwrote
      return false;
    }
    model.learn(h, error, average, after);
    stretch = std::min(2.0, std::max(0.5, 0.9 / std::sqrt(std::max(error_ratio, 1e-12))));
    std::swap(now, next);
    error.swap(after);
    square = square_after, taken = h;
    return true;
  }

  static constexpr double patience = 1e6, put = 1e-6;  // clock growth, least fall of the loss
  double anchor_time = 0, anchor_mean = 0;
  double lambda = 0, grown = 0, taken = 0, stretch = 1, care = 1;
  bool away = false;       // whether the gates hold the present parameters
  bool drifts = false;     // whether the invariant has drifted too far
  bool conserves = false;  // homogeneous activations keep the invariant
  int since_refresh = 0;
  bool rose = false;
};

template <class T, class A, int N, int D> void run_as(const DescentRequest& q, DescentResult& r) {
  Run<T> run(q, r, kept<A, D>);
  run.forward = &pass<T, A, 0, D, Order::forward>;
  run.advance = q.automatic ? &pass<T, A, N, D, Order::second> : &pass<T, A, N, D, Order::first>;
  run.tangent = &tangent_apply<T, A, D>;
  run.gram = &gram<T, A, N, D>;
  run.conserves = homogeneous<A>;
  if constexpr (std::is_same_v<A, Relu<T>> && D == 0)
    if (!q.automatic && q.n >= gate_samples) run.gates = gate_descent<T>(q.x, q.n, q.d, q.m);
  q.automatic ? run.automatic() : run.literal();
}

bool has_bias(const DescentRequest& q) {  // the last column of x is all ones
  for (std::size_t i = 0; i < q.n; ++i)
    if (q.x[(i + 1) * q.d - 1] != 1.0) return false;
  return true;
}

template <class T> void run_typed(const DescentRequest& q, DescentResult& r) {
  with_activation<T>(q.activation, [&](auto activation) {
    using A = decltype(activation);
    // Copies for the data that phase diagrams are drawn on, for the activations they are drawn for; the
    // general one is some tens of per cent slower, and one more copy of each would double the build.
    if constexpr (std::is_same_v<A, Relu<T>> || std::is_same_v<A, Tanh<T>>) {
      if (q.d == 2 && q.n == 4 && has_bias(q)) return run_as<T, A, 4, 2>(q, r);
      if (q.d == 2) return run_as<T, A, 0, 2>(q, r);
    }
    run_as<T, A, 0, 0>(q, r);
  });
}

}  // namespace

void descend(const DescentRequest& q, DescentResult& r) { q.single ? run_typed<float>(q, r) : run_typed<double>(q, r); }

}  // namespace netphase::NETPHASE_ISA
