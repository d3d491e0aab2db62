// The passes for d inputs (D = 0: any number, known at run time), whatever the activation.
#pragma once
#include "flow_solver.hpp"

namespace netphase::NETPHASE_ISA {

// Calls the activation's part through one virtual function a group, so that everything else is
// compiled once a D and not once an activation.
template <int D> class FlowBlocks : public FlowPasses, public FlowStorage {
 public:
  FlowBlocks(const FlowRequest& request, int cached) : FlowStorage(request, cached) {
    for (std::int64_t g = 0; g < groups; ++g) {
      Vector* start = block + g * stride;
      for (std::int64_t k = 0; k < stride; ++k) start[k] = Vector{};
      for (int lane = 0; lane < width && g * width + lane < r.neurons; ++lane) {
        const std::int64_t k = g * width + lane;
        start[0][lane] = r.a[k];
        for (int j = 0; j < d(); ++j) start[1 + j][lane] = r.w[k * d() + j];
      }
      for (int j = 0; j < dim(); ++j) start[at_state[0] + j] = start[j];
    }
  }

  void first_forward() override {
    clear_sums();
    sweep([&](std::int64_t, Vector* block) { evaluate(block + at_state[base], block + at_cache[base]); });
    take_residual(base_e);
  }

  void first_rates(double* rates) override {
    Vector total[4] = {};
    clear_sums();
    load_weights(base_e);
    sweep([&](std::int64_t g, Vector* block) {
      const Vector* u = block + at_state[base];
      Vector flow_store[local()];
      Vector* flow = pick(flow_store, 0);
      gradient(g, u, block + at_cache[base], flow);
      total[0] += r.mobility_a * flow[0] * flow[0];
      total[1] += u[0] * u[0];
      for (int j = 1; j < dim(); ++j) {
        total[2] += r.mobility_w * flow[j] * flow[j];
        total[3] += u[j] * u[j];
      }
      jacobian(g, u, block + at_cache[base], block);
      project(block, flow);
    });
    for (int k = 0; k < 4; ++k) rates[k] = sum64<double>(total[k]);
    rates[4] = 0;
    for (int i = 0; i < n(); ++i) {
      const double rate = sum64<double>(sums[i]);
      rates[4] += rate * rate;
    }
  }

  void linearise(double h) override {
    const double c = 1.0 / (rodas4::gamma * h);
    clear_sums();
    for (int k = 0; k < n() * (n() + 1) / 2; ++k) gram_sums[k] = Vector{};
    load_weights(base_e);
    sweep([&](std::int64_t g, Vector* block) {
      const Vector* u = block + at_state[base];
      Vector* v = block + at_stage;
      jacobian(g, u, block + at_cache[base], block);
      curvature(u, block + at_cache[base], c, block + at_factor);
      factorise(block + at_factor, dim());
      gradient(g, u, block + at_cache[base], v);
      for (int j = 0; j < dim(); ++j) v[j] = -v[j];
      solve_block(block + at_factor, dim(), v);
      project(block, v);
      gram(block);
    });
    factorise_small();
    solve_small();
  }

  void forward(int stage) override {
    const double* weights = rodas4::argument[stage];
    const int other = 1 - base;
    clear_sums();
    Vector total[8] = {};
    sweep([&](std::int64_t g, Vector* block) {
      finish(block, block + at_stage + (stage - 1) * dim());
      Vector* u = block + at_state[other];
      combine(block, weights, stage, u);
      evaluate(u, block + at_cache[other]);
      if (stage == 6) add_norms(g, block, u, total);
    });
    take_residual(stage == 6 ? trial_e : e);
    if (stage == 6)
      for (int k = 0; k < 2; ++k) {
        norms.error[k] = sum64<double>(total[k]), norms.moved[k] = sum64<double>(total[2 + k]);
        norms.size[k] = sum64<double>(total[4 + k]), norms.change[k] = sum64<double>(total[6 + k]);
      }
    if (stage == 5)
      for (int i = 0; i < n(); ++i) embedded_e[i] = e[i];
  }

  void backward(int stage, double h) override {
    const int other = 1 - base;
    double weights[5];
    for (int k = 0; k < stage; ++k) weights[k] = rodas4::right[stage][k] / h;
    clear_sums();
    load_weights(e);
    sweep([&](std::int64_t g, Vector* block) {
      Vector* v = block + at_stage + stage * dim();
      gradient(g, block + at_state[other], block + at_cache[other], v);
      for (int j = 0; j < dim(); ++j) {
        Vector right = -v[j];
        for (int k = 0; k < stage; ++k) right += weights[k] * block[at_stage + k * dim() + j];
        v[j] = right;
      }
      solve_block(block + at_factor, dim(), v);
      project(block, v);
    });
    solve_small();
  }

  void dense(const double* weights, bool keep) override {
    clear_sums();
    Vector total[2] = {};
    sweep([&](std::int64_t g, Vector* block) {
      Vector store[local()];
      Vector* u = keep ? block + at_state[1 - base] : pick(store, 0);
      combine(block, weights, 6, u);
      evaluate(u, spare_cache);
      const Vector counted = lanes_below(g, r.tracked);
      total[0] += counted * squared_distance(u, block, 0, 1);
      total[1] += counted * squared_distance(u, block, 1, dim());
    });
    take_residual(e);
    norms.change[0] = sum64<double>(total[0]), norms.change[1] = sum64<double>(total[1]);
  }

  void accept() override {
    base = 1 - base;
    for (int i = 0; i < n(); ++i) base_e[i] = trial_e[i];
  }

  void write(double* a, double* w, bool latest) override {
    const int slot = latest ? 1 - base : base;
    for (std::int64_t k = 0; k < r.neurons; ++k) {
      const Vector* u = block + k / width * stride + at_state[slot];
      a[k] = u[0][k % width];
      for (int j = 0; j < d(); ++j) w[k * d() + j] = u[1 + j][k % width];
    }
  }

 protected:
  // sums += a sigma(z); fills the cache of the activation
  virtual void evaluate(const Vector* u, Vector* cache) = 0;
  // sqrt(mobility) times the gradient of the loss
  virtual void gradient(std::int64_t g, const Vector* u, const Vector* cache, Vector* out) const = 0;
  // the group's part of J sqrt(M)
  virtual void jacobian(std::int64_t g, const Vector* u, const Vector* cache, Vector* block) const = 0;
  // c I + sqrt(M) B sqrt(M) / n, packed
  virtual void curvature(const Vector* u, const Vector* cache, double c, Vector* s) const = 0;

  int d() const { return D > 0 ? D : static_cast<int>(r.inputs); }
  int dim() const { return d() + 1; }
  int n() const { return static_cast<int>(r.samples); }
  static constexpr int local() { return D > 0 ? D + 1 : 1; }
  Vector* pick(Vector* store, int which) const { return D > 0 ? store : scratch + which * dim(); }

  Vector pre_activation(const Vector* u, int i) const {
    Vector z = u[1] * r.x[i * d()];
    for (int j = 1; j < d(); ++j) z += u[1 + j] * r.x[i * d() + j];
    return z;
  }

 private:
  void load_weights(const double* residual) {  // e_i s / n
    for (int i = 0; i < n(); ++i) weight[i] = residual[i] * r.output_scale / n();
  }
  void project(const Vector* block, const Vector* v) {  // sums += J v
    for (int i = 0; i < n(); ++i) sums[i] += block[at_ja + i] * v[0] + block[at_jw + i] * pre_activation(v, i);
  }
  void gram(const Vector* block) {  // gram_sums += J S^-1 J', by forward substitution only
    for (int i = 0; i < n(); ++i) {
      Vector* row = rows + i * dim();
      row[0] = block[at_ja + i];
      for (int j = 0; j < d(); ++j) row[1 + j] = block[at_jw + i] * r.x[i * d() + j];
      solve_lower(block + at_factor, dim(), row);
    }
    for (int i = 0; i < n(); ++i) {
      Vector store[local()];
      Vector* scaled = pick(store, 2);
      for (int j = 0; j < dim(); ++j) scaled[j] = rows[i * dim() + j] * block[at_factor + packed(j, j)];
      for (int k = 0; k <= i; ++k) {
        Vector total = scaled[0] * rows[k * dim()];
        for (int j = 1; j < dim(); ++j) total += scaled[j] * rows[k * dim() + j];
        gram_sums[i * (i + 1) / 2 + k] += total;
      }
    }
  }
  void finish(const Vector* block, Vector* v) const {  // v -= S^-1 J' q
    Vector store[local()];
    Vector* back = pick(store, 0);
    for (int j = 0; j < dim(); ++j) back[j] = Vector{};
    for (int i = 0; i < n(); ++i) {
      back[0] += q[i] * block[at_ja + i];
      const Vector by = q[i] * block[at_jw + i];
      for (int j = 0; j < d(); ++j) back[1 + j] += by * r.x[i * d() + j];
    }
    solve_block(block + at_factor, dim(), back);
    for (int j = 0; j < dim(); ++j) v[j] -= back[j];
  }
  // u = base + sqrt(mobility) times the weighted sum of the first `count` stages
  void combine(const Vector* block, const double* weights, int count, Vector* u) const {
    const Vector* from = block + at_state[base];
    for (int j = 0; j < dim(); ++j) {
      Vector sum{};
      for (int k = 0; k < count; ++k) sum += weights[k] * block[at_stage + k * dim() + j];
      u[j] = from[j] + (j == 0 ? root_a : root_w) * sum;
    }
  }
  Vector squared_distance(const Vector* u, const Vector* start, int from, int to) const {
    Vector total{};
    for (int j = from; j < to; ++j) total += (u[j] - start[j]) * (u[j] - start[j]);
    return total;
  }
  void add_norms(std::int64_t g, const Vector* block, const Vector* u, Vector* total) const {
    const Vector* last = block + at_stage + 5 * dim();
    const Vector moved[2] = {squared_distance(u, block, 0, 1), squared_distance(u, block, 1, dim())};
    const Vector counted = lanes_below(g, r.tracked);
    total[0] += r.mobility_a * last[0] * last[0];
    total[4] += u[0] * u[0];
    for (int j = 1; j < dim(); ++j) {
      total[1] += r.mobility_w * last[j] * last[j];
      total[5] += u[j] * u[j];
    }
    for (int k = 0; k < 2; ++k) total[2 + k] += moved[k], total[6 + k] += counted * moved[k];
  }
};

}  // namespace netphase::NETPHASE_ISA
