// The part of the passes that knows the activation A.
#pragma once
#include "flow_passes.hpp"

namespace netphase::NETPHASE_ISA {

template <class A, int D> class FlowSolver final : public FlowBlocks<D> {
 public:
  explicit FlowSolver(const FlowRequest& request) : FlowBlocks<D>(request, A::cached) {}

 private:
  using Blocks = FlowBlocks<D>;
  using Blocks::alive, Blocks::d, Blocks::dim, Blocks::local, Blocks::n, Blocks::pick;
  using Blocks::pre_activation;
  using Blocks::at_ja, Blocks::at_jw, Blocks::r, Blocks::root_a, Blocks::root_w, Blocks::scratch;
  using Blocks::sums, Blocks::weight;

  void evaluate(const Vector* u, Vector* cache) override {
    for (int i = 0; i < n(); ++i) {
      const Vector z = pre_activation(u, i);
      A::cache(z, cache + i * A::cached);
      sums[i] += u[0] * A::value(z, cache + i * A::cached);
    }
  }
  void gradient(std::int64_t g, const Vector* u, const Vector* cache, Vector* out) const override {
    Vector store[local()];
    Vector* sum = pick(store, 1);
    for (int j = 0; j < dim(); ++j) sum[j] = Vector{};
    for (int i = 0; i < n(); ++i) {
      const Vector z = pre_activation(u, i);
      sum[0] += weight[i] * A::value(z, cache + i * A::cached);
      const Vector slope = weight[i] * A::derivative(z, cache + i * A::cached);
      for (int j = 0; j < d(); ++j) sum[1 + j] += slope * r.x[i * d() + j];
    }
    out[0] = root_a * alive(g) * sum[0];
    const Vector by = root_w * u[0];
    for (int j = 1; j < dim(); ++j) out[j] = by * sum[j];
  }
  void jacobian(std::int64_t g, const Vector* u, const Vector* cache, Vector* block) const override {
    const Vector by_a = r.output_scale * root_a * alive(g), by_w = r.output_scale * root_w * u[0];
    for (int i = 0; i < n(); ++i) {
      const Vector z = pre_activation(u, i);
      block[at_ja + i] = by_a * A::value(z, cache + i * A::cached);
      block[at_jw + i] = by_w * A::derivative(z, cache + i * A::cached);
    }
  }
  void curvature(const Vector* u, const Vector* cache, double c, Vector* out) const override {
    Vector store[local() * (local() + 1) / 2];
    Vector* s = D > 0 ? store : out;
    for (int k = 0; k < dim() * (dim() + 1) / 2; ++k) s[k] = Vector{};
    const Vector inner = r.mobility_w * u[0];
    for (int i = 0; i < n(); ++i) {
      const double* x = r.x + i * d();
      const Vector z = pre_activation(u, i);
      const Vector mixed = weight[i] * (root_a * root_w) * A::derivative(z, cache + i * A::cached);
      const Vector bend = weight[i] * inner * A::second(z, cache + i * A::cached);
      for (int j = 0; j < d(); ++j) {
        s[packed(j + 1, 0)] += mixed * x[j];
        const Vector row = bend * x[j];
        for (int k = 0; k <= j; ++k) s[packed(j + 1, k + 1)] += row * x[k];
      }
    }
    for (int j = 0; j < dim(); ++j) s[packed(j, j)] += c;
    if (D > 0)
      for (int k = 0; k < dim() * (dim() + 1) / 2; ++k) out[k] = s[k];
  }
};

}  // namespace netphase::NETPHASE_ISA
