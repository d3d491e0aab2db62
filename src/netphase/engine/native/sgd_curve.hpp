// A function of one variable that is chosen at run time, value and slope of many numbers at a time.
#pragma once
#include <cmath>
#include <memory>
#include <vector>

#include "activations.hpp"
#include "sgd.hpp"

namespace netphase::NETPHASE_ISA {

class Curve {
 public:
  using Vector = vec<double>;
  virtual ~Curve() = default;
  virtual void look(const Vector* z, Vector* value, Vector* slope, std::size_t count) const = 0;
};

template <class A> class NamedCurve final : public Curve {
 public:
  NamedCurve(double scale, double shift) : scale_(scale), shift_(shift) {}

  void look(const Vector* z, Vector* value, Vector* slope, std::size_t count) const override {
    for (std::size_t i = 0; i < count; ++i) {
      const Vector x = z[i] * scale_ + shift_;
      Vector cache[A::cached + 1];
      A::cache(x, cache);
      value[i] = A::value(x, cache), slope[i] = A::derivative(x, cache) * scale_;
    }
  }

 private:
  double scale_, shift_;
};

// sum c_k h_k with sqrt(k) h_k = z h_{k-1} - sqrt(k-1) h_{k-2} and h_k' = sqrt(k) h_{k-1}
class SeriesCurve final : public Curve {
 public:
  SeriesCurve(const double* coefficients, std::size_t count) : terms_(count) {
    for (std::size_t k = 0; k < count; ++k) {
      const double root = std::sqrt(static_cast<double>(k));
      terms_[k] = {coefficients[k], coefficients[k] * root, root, k > 0 ? 1 / root : 0};
    }
  }

  void look(const Vector* z, Vector* value, Vector* slope, std::size_t count) const override {
    for (std::size_t i = 0; i < count; ++i) {
      Vector before = {}, now = splat<double>(1), total = splat<double>(terms_[0].value), steep = {};
      for (std::size_t k = 1; k < terms_.size(); ++k) {
        const Vector next = (z[i] * now - terms_[k - 1].root * before) * terms_[k].inverse;
        steep += terms_[k].slope * now, total += terms_[k].value * next;
        before = now, now = next;
      }
      value[i] = total, slope[i] = steep;
    }
  }

 private:
  struct Term {
    double value, slope, root, inverse;  // c_k, c_k sqrt(k), sqrt(k), 1/sqrt(k)
  };
  std::vector<Term> terms_;
};

inline std::unique_ptr<Curve> curve(const CurveRequest& q) {
  if (q.code < 0) return std::make_unique<SeriesCurve>(q.coefficients, q.count);
  return with_activation<double>(q.code, [&](auto kind) -> std::unique_ptr<Curve> {
    return std::make_unique<NamedCurve<decltype(kind)>>(q.scale, q.shift);
  });
}

}  // namespace netphase::NETPHASE_ISA
