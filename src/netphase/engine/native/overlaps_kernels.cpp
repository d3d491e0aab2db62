// The overlap equations for one instruction set: step control, rows and crossings, as
// engine/overlaps/reference_run.py has them.
#include <ctime>

#include "overlap_passes.hpp"

namespace netphase::NETPHASE_ISA {

namespace {

double square(const std::vector<double>& list) {
  double total = 0;
  for (double each : list) total += each * each;
  return total;
}

class OverlapRun {
 public:
  OverlapRun(const OverlapRequest& request, OverlapResult& result)
      : passes(request), r(request), out(result), found(request.modes), crossings(request.modes, 0.0) {
    out.row_count = out.steps = out.rejected = 0, out.largest_rise = 0, out.status = FlowStatus::time_reached;
    last_poll = now();
  }

  void run() {
    double rates[5];
    passes.begin(rates);
    const double end = r.times[r.time_count - 1];
    risk = risk_start = square(passes.rho);
    scale = risk;
    double target = 0;
    for (std::int64_t k = 0; k < r.modes; ++k) target += r.target[k] * r.target[k];
    if (target > scale) scale = target;
    h = first_step(rates, end);
    if (r.times[0] == 0) note_state(), ++next_time;
    if (!std::isfinite(h)) out.status = FlowStatus::non_finite;
    else
      while (step(end)) continue;
    if (out.row_count == 0 || out.time[out.row_count - 1] != time) note_state();
    for (std::int64_t k = 0; k < r.modes; ++k)
      out.crossings[k] = level(k) == 0 || above(passes.rho, k) ? NAN : crossings[k];
  }

 private:
  static constexpr double safety = 0.93, risk_floor = 1e-6;
  static constexpr int bisections = 40;

  OverlapPasses passes;
  const OverlapRequest& r;
  OverlapResult& out;
  std::vector<double> found, crossings;
  double time = 0, h = 0, h_before = 0, ratio_before = 0, risk = 0, risk_start = 0, scale = 0, last_poll = 0;
  std::int64_t next_time = 0;
  int rejections = 0;

  static double now() {
    timespec reading;
    clock_gettime(CLOCK_MONOTONIC, &reading);
    return static_cast<double>(reading.tv_sec) + 1e-9 * static_cast<double>(reading.tv_nsec);
  }
  bool interrupted() {
    const double reading = now();
    if (r.poll == nullptr || reading - last_poll < 0.05) return false;
    last_poll = reading;
    return r.poll() && !stop(FlowStatus::interrupted);
  }
  bool stop(FlowStatus status) {
    out.status = status;
    return false;
  }
  double level(std::int64_t k) const { return 0.5 * std::fabs(r.target[k]); }
  bool above(const std::vector<double>& rho, std::int64_t k) const { return std::fabs(rho[k]) >= level(k); }

  double first_step(const double* rates, double end) const {
    double fastest = 0;
    const auto count = [&](double rate) { fastest = rate > fastest || std::isnan(rate) ? rate : fastest; };
    for (int j = 0; j < 2; ++j) count(rates[2 + j] > 0 ? std::sqrt(rates[j] / rates[2 + j]) : 0);
    count(r.speed * rates[4]);
    if (r.modes > 1) count(std::fabs(r.activation[1] * passes.rho[1]) * (r.speed > 1 ? std::sqrt(r.speed) : 1.0));
    if (fastest == 0) return end;
    const double first = 0.1 * std::pow(r.rtol, 0.25) / fastest;
    return first > end ? end : first;
  }

  bool step(double end) {
    if (time >= end) return stop(FlowStatus::time_reached);
    if (out.steps >= r.max_steps) return stop(FlowStatus::max_steps);
    double after = time + h;
    const double left = end - time;
    if (h >= left * (1.0 - 1e-12)) h = left, after = end;
    if (after == time) return stop(FlowStatus::stagnated);
    const double ratio = attempt();
    if (out.status == FlowStatus::interrupted) return false;
    if (!(ratio <= 1.0)) {
      ++out.rejected, ++rejections;
      const double factor = safety * std::pow(ratio, -0.25);
      h *= factor > 0.9 ? 0.9 : (factor > 0.1 ? factor : 0.1);
      return rejections < 60 || stop(std::isinf(ratio) ? FlowStatus::non_finite : FlowStatus::stagnated);
    }
    accept(after);
    h = next_step(ratio);
    return true;
  }

  double attempt() {
    if (interrupted()) return HUGE_VAL;
    passes.linearise(h);
    for (int stage = 1; stage <= 5; ++stage) {
      if (interrupted()) return HUGE_VAL;
      passes.forward(stage);
      passes.backward(stage, h);
    }
    passes.forward(6);
    return error_ratio();
  }

  double error_ratio() const {
    double total = 0, largest = 0;
    const auto count = [&](double part) { total += part, largest = part > largest ? part : largest; };
    const OverlapNorms& n = passes.norms;
    for (int j = 0; j < 2; ++j) {
      const double size = n.start[j] > n.end[j] ? n.start[j] : n.end[j];
      if (size > 0) count(std::sqrt(n.error[j] / size));
      else if (n.error[j] != 0) return HUGE_VAL;
      total += n.end[j];
    }
    const double after = square(passes.trial_rho), embedded = square(passes.embedded_rho);
    const double floor = 2.0 * (after > risk_floor * scale ? after : risk_floor * scale);
    if (floor > 0) count(std::fabs(after - embedded) / floor);
    return std::isfinite(total) ? largest / r.rtol : HUGE_VAL;
  }

  double next_step(double ratio) {
    if (ratio < 1e-6) ratio = 1e-6;
    double factor = safety * std::pow(ratio, -0.25), most = 30.0;
    if (out.steps > 1) {
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

  void accept(double after) {
    for (std::int64_t k = 0; k < r.modes; ++k)
      if (above(passes.rho, k) && !above(passes.trial_rho, k)) crossings[k] = time + part(k) * h;
    for (; next_time < r.time_count && r.times[next_time] <= after; ++next_time) {
      const double reading = r.times[next_time], share = reading == after ? 1.0 : (reading - time) / h;
      passes.between(share, found, out.a + out.row_count * r.atoms, out.s + out.row_count * r.atoms);
      note(reading, found);
    }
    const double risk_after = square(passes.trial_rho), rise = (risk_after - risk) / risk_start;
    if (rise > out.largest_rise) out.largest_rise = rise;
    time = after, risk = risk_after, ++out.steps;
    passes.accept();
  }

  double part(std::int64_t k) {  // the fraction of the step at which |rho_k| falls through its level
    double low = 0, high = 1;
    for (int i = 0; i < bisections; ++i) {
      const double middle = 0.5 * (low + high);
      passes.between(middle, found, nullptr, nullptr);
      (above(found, k) ? low : high) = middle;
    }
    return 0.5 * (low + high);
  }

  void note_state() {
    passes.write(out.a + out.row_count * r.atoms, out.s + out.row_count * r.atoms);
    note(time, passes.rho);
  }
  void note(double reading, const std::vector<double>& rho) {
    out.time[out.row_count] = reading;
    for (std::int64_t k = 0; k < r.modes; ++k) out.residuals[out.row_count * r.modes + k] = rho[k];
    ++out.row_count;
  }
};

}  // namespace

void overlaps(const OverlapRequest& request, OverlapResult& result) { OverlapRun(request, result).run(); }

}  // namespace netphase::NETPHASE_ISA
