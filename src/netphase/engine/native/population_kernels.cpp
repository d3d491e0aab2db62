// The population risk, its gradient and the integrators' loops for one instruction set.
#include <algorithm>
#include <cmath>
#include <new>
#include <utility>

#include "population.hpp"
#include "population_tiles.hpp"

namespace netphase::NETPHASE_ISA {

namespace {

using namespace tiles;

constexpr double two_pi = 6.283185307179586;

struct Aligned {
  void operator()(double* p) const { ::operator delete[](p, std::align_val_t(64)); }
};

// Zeroed memory for vectors.
class Row {
 public:
  explicit Row(std::size_t n) : data_(static_cast<double*>(::operator new[](std::max<std::size_t>(n, 1) * sizeof(double), std::align_val_t(64)))) {
    std::fill(data_.get(), data_.get() + n, 0.0);
  }
  double* get() { return data_.get(); }
  const double* get() const { return data_.get(); }
  double& operator[](std::size_t k) { return data_.get()[k]; }
  const double& operator[](std::size_t k) const { return data_.get()[k]; }
  void swap(Row& other) { data_.swap(other.data_); }

 private:
  std::unique_ptr<double[], Aligned> data_;
};

// Unit vectors of some neurons as tiles want them: tile after tile, input after input, `side` neurons.
class Columns {
 public:
  Columns(std::size_t count, std::size_t d) : d_(d), data_((count + side - 1) / side * side * d) {}
  const double* tile(std::size_t first) const { return data_.get() + first * d_; }
  // Neurons first … first + lane_count - 1 from rows of `stride` numbers
  void set(std::size_t first, const double* rows, std::size_t stride) {
    double* out = data_.get() + first / side * side * d_ + first % side;
    for (std::size_t i = 0; i < d_; ++i, ++rows, out += side) {
      V column;
      for (std::size_t k = 0; k < lane_count; ++k) column[k] = rows[k * stride];
      store<double>(out, column);
    }
  }

 private:
  std::size_t d_;
  Row data_;
};

// A state is m rows of `stride` input weights, then the m output weights, everything padded with zeros.
class Exact final : public Population {
 public:
  explicit Exact(const PopulationRequest& q)
      : q_(q), rows_(padded(q.m, unit)), stride_(padded(q.d, lane_count)), size_(rows_ * stride_ + padded(rows_, 8)),
        target_rows_(padded(q.targets, unit)), columns_(rows_, q.d), target_columns_(target_rows_, q.d),
        units_(rows_ * stride_), pulls_(rows_ * stride_), target_pulls_(target_rows_ * stride_), linear_(stride_), bend_(stride_),
        length_(rows_), weight_(rows_), target_weight_(target_rows_), across_(rows_), value_(rows_), down_(padded(side, 8)),
        tile_(side * side), u_(size_), flow_(size_), before_(size_), now_(size_), after_(size_), start_flow_(size_) {
    set_targets();
    const double work = 3.0 * static_cast<double>(rows_) * static_cast<double>(rows_ + target_rows_) * static_cast<double>(q.d + 20);
    patience_ = static_cast<long long>(std::max(1.0, 5e7 / work));
  }

  double velocity(const double* u, double* flow) override {
    read(u, u_);
    const double mean_square = look(u_, flow_);
    write(flow_, flow);
    return mean_square;
  }

  double march(double* u, double* flow, double step, long long count, double low, double high,
               long long& done) override {
    read(u, u_);
    read(flow, flow_);
    double mean_square = 0;
    for (done = 0; done < count && (done == 0 || (mean_square > low && mean_square < high)) && !polled();) {
      for (std::size_t k = 0; k < size_; k += lane_count)
        store<double>(&u_[k], load<double>(&u_[k]) + step * load<double>(&flow_[k]));
      mean_square = look(u_, flow_);
      ++done;
    }
    write(u_, u);
    write(flow_, flow);
    return mean_square;
  }

  void chebyshev(const double* u, const double* flow, double step, const double* coefficients, std::size_t stages,
                 const double* fractions, std::size_t count, double* after, double* between) override {
    read(u, u_);
    read(flow, start_flow_);
    const double* row = coefficients + 5;
    for (std::size_t k = 0; k < size_; k += lane_count) {
      const V here = load<double>(&u_[k]);
      store<double>(&before_[k], here);
      store<double>(&now_[k], here + (row[2] * step) * load<double>(&start_flow_[k]));
    }
    double nodes[3] = {0, 0, row[4]};
    std::size_t filled = 0;
    for (std::size_t j = 2; j <= stages && !polled(); ++j) {
      row += 5;
      look(now_, flow_);
      const double own = 1 - row[0] - row[1];
      for (std::size_t k = 0; k < size_; k += lane_count)
        store<double>(&after_[k], own * load<double>(&u_[k]) + row[0] * load<double>(&now_[k]) +
                                      row[1] * load<double>(&before_[k]) + (step * row[2]) * load<double>(&flow_[k]) +
                                      (step * row[3]) * load<double>(&start_flow_[k]));
      nodes[0] = nodes[1], nodes[1] = nodes[2], nodes[2] = row[4];
      for (; filled < count && fractions[filled] <= row[4]; ++filled)
        interpolate(nodes, fractions[filled], between + filled * q_.m * (q_.d + 1));
      before_.swap(now_);
      now_.swap(after_);
    }
    write(now_, after);
  }

 private:
  bool polled() {
    if (++looks_ % patience_ == 0 && q_.poll && q_.poll()) interrupted = true;
    return interrupted;
  }

  void read(const double* u, Row& state) const {
    for (std::size_t k = 0; k < q_.m; ++k) {
      state[rows_ * stride_ + k] = u[k * (q_.d + 1)];
      std::copy_n(u + k * (q_.d + 1) + 1, q_.d, &state[k * stride_]);
    }
  }

  void write(const Row& state, double* u) const {
    for (std::size_t k = 0; k < q_.m; ++k) {
      u[k * (q_.d + 1)] = state[rows_ * stride_ + k];
      std::copy_n(state.get() + k * stride_, q_.d, u + k * (q_.d + 1) + 1);
    }
  }

  // The parabola through the last three stages; scratch: flow_ is free between two looks.
  void interpolate(const double (&node)[3], double x, double* out) {
    const double p = node[0], q = node[1], r = node[2];
    const double first = (x - q) * (x - r) / ((p - q) * (p - r)), second = (x - p) * (x - r) / ((q - p) * (q - r)),
                 third = (x - p) * (x - q) / ((r - p) * (r - q));
    for (std::size_t k = 0; k < size_; ++k) flow_[k] = first * before_[k] + second * now_[k] + third * after_[k];
    write(flow_, out);
  }

  void set_targets() {
    const double both = (1 - q_.slope) * (1 - q_.target_slope);
    mean_slope_ = (q_.slope + q_.target_slope) / 2;
    Row directions(target_rows_ * stride_), c(stride_);
    for (std::size_t l = 0; l < q_.targets; ++l) {
      std::copy_n(q_.target_c + l * q_.d, q_.d, c.get());
      const double length = normalise(c.get(), &directions[l * stride_]);
      target_weight_[l] = -both * q_.target_a[l] * length;
      for (std::size_t i = 0; i < q_.d; ++i) {
        target_pulls_[l * stride_ + i] = target_weight_[l] * directions[l * stride_ + i];
        linear_[i] -= two_pi * mean_slope_ * q_.target_a[l] * c[i];
      }
    }
    for (std::size_t l = 0; l < target_rows_; l += lane_count) target_columns_.set(l, &directions[l * stride_], stride_);
  }

  double dot(const double* x, const double* y) const {  // padded rows
    V total{};
    for (std::size_t i = 0; i < stride_; i += lane_count) total += load<double>(x + i) * load<double>(y + i);
    return sum<double>(total);
  }

  // w/|w| (zero where |w| is) and |w|
  double normalise(const double* w, double* out) const {
    const double length = std::sqrt(dot(w, w)), inverse = length > 0 ? 1 / length : 0;
    for (std::size_t i = 0; i < stride_; i += lane_count) store<double>(out + i, load<double>(w + i) * inverse);
    return length;
  }

  // Adds the sphere's pull on neuron j, in units of 1/2π.
  void pull_of_sphere(std::size_t j, double* pull) {
    const double* x = &units_[j * stride_];
    double inside = 0, outside = 0;
    for (std::size_t i = 0; i < q_.sphere; ++i) inside += x[i] * x[i];
    for (std::size_t i = q_.sphere; i < q_.d; ++i) outside += x[i] * x[i];
    double value, slope;
    look_up(std::min(outside, 1.0), value, slope);
    const double scale = -two_pi * (1 - q_.slope) * q_.sphere_weight;
    across_[j] += scale * (value - inside * slope);
    for (std::size_t i = 0; i < q_.sphere; ++i) pull[i] += scale * slope * x[i];
  }

  void look_up(double y, double& value, double& slope) const {
    const SphereTable& table = q_.table;
    const std::size_t last = table.rows - 1;
    const long power = y > 0 ? -std::ilogb(y) - 1 : static_cast<long>(last);
    const std::size_t row = std::min<std::size_t>(power > 0 ? power : 0, last);
    const double t = 2 * std::ldexp(y, static_cast<int>(row) + 1) - 3, twice = row < last ? 2 * t : 0;
    double v1 = 0, v2 = 0, s1 = 0, s2 = 0;
    for (std::size_t k = table.terms - 1; k > 0; --k) {
      v2 = std::exchange(v1, twice * v1 - v2 + table.value[row * table.terms + k]);
      s2 = std::exchange(s1, twice * s1 - s2 + table.slope[row * table.terms + k]);
    }
    value = twice / 2 * v1 - v2 + table.value[row * table.terms];
    slope = twice / 2 * s1 - s2 + table.slope[row * table.terms];
  }

  // One tile of targets: neurons from j on pulled by those from l on.
  void pull_of_tile(std::size_t j, std::size_t l, Row& out) {
    const std::size_t rows = std::min(side, rows_ - j), columns = std::min(side, target_rows_ - l);
    cosines(columns_.tile(j), target_columns_.tile(l), q_.d, rows, columns, false, tile_.get());
    angles(tile_.get(), rows, columns, false, &target_weight_[l], &across_[j], nullptr, nullptr);
    product(tile_.get(), side, 1, rows, std::min(side, q_.targets - l), &target_pulls_[l * stride_], stride_,
            &out[j * stride_]);
  }

  // One tile of students: neurons from j on and those from k on pull each other.
  void pull_each_other(std::size_t j, std::size_t k, Row& out) {
    const std::size_t rows = std::min(side, rows_ - j), columns = std::min(side, rows_ - k);
    cosines(columns_.tile(j), columns_.tile(k), q_.d, rows, columns, j == k, tile_.get());
    if (j == k)
      for (std::size_t i = 0; i < rows; ++i) tile_[i * side + i] = 1;
    std::fill(&down_[0], &down_[0] + columns, 0.0);
    angles(tile_.get(), rows, columns, j == k, &weight_[k], &across_[j], &weight_[j], down_.get());
    for (std::size_t i = 0; i < columns; ++i) across_[k + i] += down_[i];
    if (j == k) {
      product_symmetric(tile_.get(), rows, &pulls_[j * stride_], stride_, &out[j * stride_]);
    } else {
      product(tile_.get(), side, 1, rows, columns, &pulls_[k * stride_], stride_, &out[j * stride_]);
      product(tile_.get(), 1, side, columns, rows, &pulls_[j * stride_], stride_, &out[k * stride_]);
    }
  }

  void pull_of_targets(Row& out) {
    for (std::size_t j = 0; j < rows_; j += side)
      for (std::size_t l = 0; l < q_.targets; l += side) pull_of_tile(j, l, out);
  }

  void pull_of_students(Row& out) {
    for (std::size_t j = 0; j < rows_; j += side)
      for (std::size_t k = j; k < rows_; k += side) pull_each_other(j, k, out);
  }

  // s Σ_j a_j E σ(w_j·x) e with e what has been added up so far; the averages themselves go to value_.
  double correlate(const double* a, const Row& pull) {
    double total = 0;
    for (std::size_t j = 0; j < q_.m; ++j) {
      value_[j] = length_[j] * (across_[j] + dot(&units_[j * stride_], pull.get() + j * stride_)) / two_pi;
      total += a[j] * value_[j];
    }
    return q_.scale * total;
  }

  // E e^2 at a state; its flow.
  double look(const Row& state, Row& flow) {
    const double* a = state.get() + rows_ * stride_;
    const double own = q_.scale * (1 - q_.slope) * (1 - q_.slope), bend = two_pi * q_.scale * q_.slope;
    std::fill(&flow[0], &flow[0] + size_, 0.0);
    std::fill(&across_[0], &across_[0] + rows_, 0.0);
    for (std::size_t j = 0; j < q_.m; ++j) {
      double* x = &units_[j * stride_];
      length_[j] = normalise(state.get() + j * stride_, x);
      weight_[j] = own * a[j] * length_[j];
      for (std::size_t i = 0; i < stride_; i += lane_count)
        store<double>(&pulls_[j * stride_ + i], weight_[j] * load<double>(x + i));
    }
    for (std::size_t j = 0; j < rows_; j += lane_count) columns_.set(j, &units_[j * stride_], stride_);
    pull_of_targets(flow);
    for (std::size_t j = 0; j < q_.m; ++j) {
      if (q_.sphere) pull_of_sphere(j, &flow[j * stride_]);
      if (mean_slope_ != 0)
        for (std::size_t i = 0; i < stride_; ++i) flow[j * stride_ + i] += linear_[i];
    }
    const double target = correlate(a, flow);
    pull_of_students(flow);
    if (bend != 0) add_linear(state, a, bend, flow);
    const double mean_square = correlate(a, flow) + target + q_.square;
    settle(a, flow);
    return q_.power * (mean_square < 0 ? 0 : mean_square);
  }

  void add_linear(const Row& state, const double* a, double bend, Row& flow) {
    std::fill(&bend_[0], &bend_[0] + stride_, 0.0);
    for (std::size_t j = 0; j < q_.m; ++j)
      for (std::size_t i = 0; i < q_.d; ++i) bend_[i] += bend * a[j] * state[j * stride_ + i];
    for (std::size_t j = 0; j < q_.m; ++j)
      for (std::size_t i = 0; i < q_.d; ++i) flow[j * stride_ + i] += bend_[i];
  }

  // From pulls to the flow.
  void settle(const double* a, Row& flow) const {
    const double factor = -q_.power * q_.scale;
    for (std::size_t j = 0; j < q_.m; ++j) {
      flow[rows_ * stride_ + j] = q_.mobility_a * factor * value_[j];
      const double scale = q_.mobility_w * factor * a[j] / two_pi, sine = across_[j];
      for (std::size_t i = 0; i < stride_; i += lane_count) {
        double* out = &flow[j * stride_ + i];
        store<double>(out, scale * (sine * load<double>(&units_[j * stride_ + i]) + load<double>(out)));
      }
    }
    for (std::size_t j = q_.m; j < rows_; ++j) std::fill_n(&flow[j * stride_], stride_, 0.0);
  }

  PopulationRequest q_;
  std::size_t rows_, stride_, size_, target_rows_;
  Columns columns_, target_columns_;
  Row units_, pulls_, target_pulls_, linear_, bend_, length_, weight_, target_weight_, across_, value_, down_, tile_;
  Row u_, flow_, before_, now_, after_, start_flow_;
  double mean_slope_ = 0;
  long long looks_ = 0, patience_ = 1;
};

}  // namespace

std::unique_ptr<Population> population(const PopulationRequest& request) { return std::make_unique<Exact>(request); }

}  // namespace netphase::NETPHASE_ISA
