// Step control, records and stops of the gradient flow: engine/adaptive.py in C++.
#pragma once
#include "flow_solver.hpp"

namespace netphase::NETPHASE_ISA {

class FlowDriver {
 public:
  FlowDriver(FlowPasses& passes, FlowStorage& storage, FlowResult& result)
      : passes(passes), storage(storage), r(storage.r), out(result) {
    out.row_count = 0, out.steps = 0, out.rejected = 0, out.gradients = 0, out.solves = 0;
    out.time = 0, out.status = FlowStatus::max_steps;
    for (std::int64_t i = 0; i < r.samples; ++i) size_of_y += r.y[i] * r.y[i];
    size_of_y = std::sqrt(size_of_y);
  }

  void run() {
    passes.first_forward();
    ++out.gradients;
    out.mean_square = storage.mean_square(storage.base_e);
    divergence = 1e8 * (out.mean_square > r.target ? out.mean_square : r.target);
    anchor_steps_loss = anchor_clock_loss = out.mean_square;
    h = first_step();
    note(0, out.mean_square, 0, 0);
    if (r.times != nullptr && r.time_count > 0 && r.times[0] == 0) ++next_time;
    bool going = !ends(0);
    if (going && !std::isfinite(h)) {
      out.status = std::isinf(h) ? FlowStatus::stagnated : FlowStatus::non_finite;
      going = false;
    }
    while (going && !storage.interrupted) going = step();
    if (storage.interrupted) out.status = FlowStatus::interrupted;
    if (out.row_count > 0 && row(out.row_count - 1)[0] != out.time)
      note(out.time, out.mean_square, std::sqrt(change[0]), std::sqrt(change[1]));
    passes.write(out.a, out.w, latest_is_final);
  }

 private:
  static constexpr double parameter_floor = 1e-3, first_floor = 0.02, rounding = 1e-12, safety = 0.93, patience = 1e6;

  bool step() {
    const double left = r.end_time - out.time;
    double end = out.time + h;
    if (h >= left * (1.0 - 1e-12)) h = left, end = r.end_time;
    if (end == out.time) return stop(FlowStatus::stagnated);
    const double ratio = attempt();
    if (storage.interrupted) return false;
    if (!(ratio <= 1.0)) {
      ++out.rejected, ++rejections;
      const double factor = safety * std::pow(ratio, -0.25);
      h *= factor > 0.9 ? 0.9 : (factor > 0.1 ? factor : 0.1);
      if (rejections < 60) return true;
      return stop(std::isinf(ratio) ? FlowStatus::non_finite : FlowStatus::stagnated);
    }
    return advance(end, next_step(ratio));
  }

  double attempt() {
    passes.linearise(h);
    ++out.solves;
    for (int stage = 1; stage <= 5 && !storage.interrupted; ++stage) {
      passes.forward(stage);
      passes.backward(stage, h);
      ++out.gradients, ++out.solves;
    }
    passes.forward(6);
    ++out.gradients;
    return error_ratio();
  }

  double error_ratio() const {
    double size = 0, error = 0;
    for (std::int64_t i = 0; i < r.samples; ++i) {
      const double difference = storage.trial_e[i] - storage.embedded_e[i];
      size += storage.trial_e[i] * storage.trial_e[i], error += difference * difference;
    }
    size = std::sqrt(size);
    if (size < rounding * size_of_y) size = rounding * size_of_y;
    if (size < 1e-300) size = 1e-300;
    double largest = std::sqrt(error) / size, total = largest;
    for (int k = 0; k < 2; ++k) {
      const FlowNorms& s = storage.norms;
      if (s.error[k] == 0) continue;
      const double floor = parameter_floor * std::sqrt(s.size[k]), moved = std::sqrt(s.moved[k]);
      const double part = std::sqrt(s.error[k]) / (moved > floor ? moved : floor);
      total += part;
      if (part > largest) largest = part;
    }
    return std::isfinite(total / r.rtol) ? largest / r.rtol : HUGE_VAL;
  }

  double next_step(double ratio) {
    if (ratio < 1e-6) ratio = 1e-6;
    double factor = safety * std::pow(ratio, -0.25), most = 30.0;
    if (out.steps > 0) {
      double trend = h / h_before * std::pow(ratio_before / ratio, 0.25);
      trend = trend < 0.5 ? 0.5 : (trend > 1.3 ? 1.3 : trend);
      factor *= std::sqrt(trend);
      most = 6.0;
    }
    if (rejections > 0) most = 1.0;
    h_before = h, ratio_before = ratio, rejections = 0;
    if (factor < 0.2) factor = 0.2;
    return h * (factor < most ? factor : most);
  }

  bool advance(double end, double h_next) {
    const double before = out.time, loss = storage.mean_square(storage.trial_e);
    double now = loss;
    ++out.steps;
    change[0] = storage.norms.change[0], change[1] = storage.norms.change[1];
    const bool last = ends(end, loss);
    double s = 1;
    if (last && out.status == FlowStatus::converged) {
      s = locate(loss, now);
      if (s < 1) end = before + s * h;
    }
    note_times(before, end);
    if (s < 1) {
      dense(s, true);
      change[0] = storage.norms.change[0], change[1] = storage.norms.change[1];
    }
    out.time = end, out.mean_square = now;
    if (r.times == nullptr && out.steps >= due) note(end, now, std::sqrt(change[0]), std::sqrt(change[1]));
    latest_is_final = last;
    if (last) return false;
    passes.accept();
    h = h_next;
    return !stationary();
  }

  // The fraction of the last step where the loss crosses its target; `found` is the loss there.
  double locate(double loss, double& found) {
    double low = 0, best = 1;
    found = loss;
    if (r.target <= 0) return best;
    double height_low = std::log(out.mean_square / r.target);
    for (int k = 0; k < 8; ++k) {
      const double height = std::log((found > 1e-300 ? found : 1e-300) / r.target);
      if (height >= -1e-3) break;
      const double s = low + (best - low) * (height_low + 5e-4) / (height_low - height);
      const double value = dense(s, false);
      ++out.gradients;
      if (value <= r.target) best = s, found = value;
      else low = s, height_low = std::log(value / r.target);
    }
    return best;
  }

  double dense(double s, bool keep) {  // mean square at the fraction s of the last step
    double weights[6];
    for (int k = 0; k < 6; ++k)
      weights[k] = s * rodas4::argument[6][k] +
                   s * (1 - s) * (rodas4::dense[0][k] + s * rodas4::dense[1][k]);
    passes.dense(weights, keep);
    return storage.mean_square(storage.e);
  }

  void note_times(double before, double end) {
    while (next_time < r.time_count && r.times[next_time] <= end) {
      const double time = r.times[next_time++];
      const double loss = dense((time - before) / h, false);
      ++out.gradients;
      note(time, loss, std::sqrt(storage.norms.change[0]), std::sqrt(storage.norms.change[1]));
    }
  }

  bool stop(FlowStatus status) {
    out.status = status;
    return false;
  }
  bool ends(double time) { return ends(time, out.mean_square); }
  bool ends(double time, double loss) {  // the order of engine/history.py
    out.status = FlowStatus::max_steps;
    if (!std::isfinite(loss)) return !stop(FlowStatus::non_finite);
    if (loss <= r.target) return !stop(FlowStatus::converged);
    if (loss > divergence) return !stop(FlowStatus::diverged);
    if (time >= r.end_time) return !stop(FlowStatus::time_reached);
    if (stagnates(loss)) return !stop(FlowStatus::stagnated);
    return out.steps >= r.max_steps;
  }
  bool stagnates(double loss) {
    if (r.stagnation <= 0) return false;
    const std::int64_t twice = 2 * anchor_steps, later = anchor_steps + 10000;
    if (out.steps < (twice > later ? twice : later)) return false;
    const double before = anchor_steps_loss;
    anchor_steps = out.steps, anchor_steps_loss = loss;
    return loss > (1 - r.stagnation) * before;
  }
  bool stationary() {
    if (anchor_clock > 0 && out.time < patience * anchor_clock) return false;
    const double part = r.stagnation > 1e-6 ? r.stagnation : 1e-6;
    const bool stuck = anchor_clock > 0 && out.mean_square > (1 - part) * anchor_clock_loss;
    anchor_clock = out.time, anchor_clock_loss = out.mean_square;
    return stuck && !stop(FlowStatus::stagnated);
  }

  double first_step() {
    double rates[5], fastest = 0, size = 0;
    passes.first_rates(rates);
    for (std::int64_t i = 0; i < r.samples; ++i) size += storage.base_e[i] * storage.base_e[i];
    if (size > 0) fastest = std::sqrt(rates[4] / size);
    for (int k = 0; k < 4; k += 2) {
      const double rate = rates[k + 1] > 0 ? std::sqrt(rates[k] / rates[k + 1]) / first_floor : 0;
      if (!(rate <= fastest)) fastest = rate;
    }
    return 0.5 * std::pow(r.rtol, 0.25) / fastest;
  }

  double* row(std::int64_t k) { return out.rows + k * flow_row_length; }
  void note(double time, double loss, double change_a, double change_w) {
    if (out.row_count == out.row_capacity) return;
    double* to = row(out.row_count++);
    to[0] = time, to[1] = static_cast<double>(out.steps), to[2] = loss, to[3] = change_a, to[4] = change_w;
    const double later = std::ceil(static_cast<double>(out.steps) * 1.05);
    due = static_cast<std::int64_t>(later) > out.steps ? static_cast<std::int64_t>(later) : out.steps + 1;
  }

  FlowPasses& passes;
  FlowStorage& storage;
  const FlowRequest& r;
  FlowResult& out;
  double h = 0, h_before = 0, ratio_before = 0, size_of_y = 0, divergence = 0;
  double change[2] = {0, 0};
  double anchor_steps_loss = 0, anchor_clock = 0, anchor_clock_loss = 0;
  std::int64_t anchor_steps = 0, due = 0, next_time = 0;
  int rejections = 0;
  bool latest_is_final = false;
};

}  // namespace netphase::NETPHASE_ISA
