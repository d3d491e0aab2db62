// The activations the engine knows, for short vectors: value, derivative and second derivative.
//
// Each struct first computes the `cached` transcendental values of z that the three functions share;
// they then cost a few multiplications and additions. Derivatives at the kink of the ReLUs are those
// of z < 0. Products such as z (1 - tanh^2 z) are 0 at infinite z, not NaN.
#pragma once
#include <stdexcept>

#include "vecmath.hpp"

namespace netphase::NETPHASE_ISA {

template <class T> struct Relu {
  static constexpr int cached = 0;
  NETPHASE_INLINE void cache(vec<T>, vec<T>*) {}
  NETPHASE_INLINE vec<T> value(vec<T> z, const vec<T>*) { return maximum<T>(vec<T>{}, z); }  // hands NaN on
  NETPHASE_INLINE vec<T> derivative(vec<T> z, const vec<T>*) { return where_positive<T>(z, splat<T>(1)); }
  NETPHASE_INLINE vec<T> second(vec<T>, const vec<T>*) { return vec<T>{}; }
};

template <class T> struct LeakyRelu {
  static constexpr int cached = 0;
  static constexpr T slope = T(0.01);
  NETPHASE_INLINE void cache(vec<T>, vec<T>*) {}
  NETPHASE_INLINE vec<T> value(vec<T> z, const vec<T>*) { return maximum<T>(z * slope, z); }
  NETPHASE_INLINE vec<T> derivative(vec<T> z, const vec<T>*) {
    return select<T>(z > vec<T>{}, splat<T>(1), splat<T>(slope));
  }
  NETPHASE_INLINE vec<T> second(vec<T>, const vec<T>*) { return vec<T>{}; }
};

template <class T> struct Tanh {
  static constexpr int cached = 1;  // t = tanh z
  NETPHASE_INLINE void cache(vec<T> z, vec<T>* c) { c[0] = vtanh<T>(z); }
  NETPHASE_INLINE vec<T> slope(const vec<T>* c) { return T(1) - c[0] * c[0]; }
  NETPHASE_INLINE vec<T> value(vec<T>, const vec<T>* c) { return c[0]; }
  NETPHASE_INLINE vec<T> derivative(vec<T>, const vec<T>* c) { return slope(c); }
  NETPHASE_INLINE vec<T> second(vec<T>, const vec<T>* c) { return T(-2) * c[0] * slope(c); }
};

template <class T> struct XTanh : Tanh<T> {
  using Tanh<T>::slope;
  NETPHASE_INLINE vec<T> value(vec<T> z, const vec<T>* c) { return z * c[0]; }
  NETPHASE_INLINE vec<T> derivative(vec<T> z, const vec<T>* c) {
    const vec<T> s = slope(c);
    return c[0] + where_positive<T>(s, z * s);
  }
  NETPHASE_INLINE vec<T> second(vec<T> z, const vec<T>* c) {
    const vec<T> s = slope(c), twice = s + s;
    return twice - where_positive<T>(s, z * c[0] * twice);
  }
};

template <class T> struct X2Tanh : Tanh<T> {
  using Tanh<T>::slope;
  NETPHASE_INLINE vec<T> value(vec<T> z, const vec<T>* c) { return z * z * c[0]; }
  NETPHASE_INLINE vec<T> derivative(vec<T> z, const vec<T>* c) {
    const vec<T> s = slope(c);
    return T(2) * z * c[0] + where_positive<T>(s, z * z * s);
  }
  NETPHASE_INLINE vec<T> second(vec<T> z, const vec<T>* c) {
    const vec<T> s = slope(c);
    return T(2) * c[0] + where_positive<T>(s, z * s * (T(4) - T(2) * z * c[0]));
  }
};

template <class T> struct Sigmoid {
  static constexpr int cached = 1;  // s = 1/(1 + e^-z)
  NETPHASE_INLINE void cache(vec<T> z, vec<T>* c) { c[0] = logistic<T>(z, exp_negative<T>(-absolute<T>(z))); }
  NETPHASE_INLINE vec<T> slope(vec<T> s) { return s * (T(1) - s); }
  NETPHASE_INLINE vec<T> value(vec<T>, const vec<T>* c) { return c[0]; }
  NETPHASE_INLINE vec<T> derivative(vec<T>, const vec<T>* c) { return slope(c[0]); }
  NETPHASE_INLINE vec<T> second(vec<T>, const vec<T>* c) { return slope(c[0]) * (T(1) - T(2) * c[0]); }
};

template <class T> struct Softplus {
  static constexpr int cached = 2;  // log(1 + e^z) and 1/(1 + e^-z)
  NETPHASE_INLINE void cache(vec<T> z, vec<T>* c) {
    const vec<T> e = exp_negative<T>(-absolute<T>(z));
    c[0] = maximum<T>(vec<T>{}, z) + log1p_unit<T>(e);
    c[1] = logistic<T>(z, e);
  }
  NETPHASE_INLINE vec<T> value(vec<T>, const vec<T>* c) { return c[0]; }
  NETPHASE_INLINE vec<T> derivative(vec<T>, const vec<T>* c) { return c[1]; }
  NETPHASE_INLINE vec<T> second(vec<T>, const vec<T>* c) { return c[1] * (T(1) - c[1]); }
};

template <class T> struct CentredSigmoid {
  static constexpr int cached = 2;  // tanh(z/2)/2 and its derivative
  NETPHASE_INLINE void cache(vec<T> z, vec<T>* c) {
    const vec<T> y = -absolute<T>(z), e = exp_negative<T>(y), inverse = T(1) / (e + T(1));
    c[0] = with_sign_of<T>(z, T(0.5) * one_minus_exp<T>(y) * inverse);
    c[1] = e * inverse * inverse;
  }
  NETPHASE_INLINE vec<T> value(vec<T>, const vec<T>* c) { return c[0]; }
  NETPHASE_INLINE vec<T> derivative(vec<T>, const vec<T>* c) { return c[1]; }
  NETPHASE_INLINE vec<T> second(vec<T>, const vec<T>* c) { return T(-2) * c[0] * c[1]; }
};

template <class T> struct CentredSoftplus : Softplus<T> {  // log((1 + e^z)/2) = max(z, 0) - log(1 + tanh|z/2|)
  NETPHASE_INLINE void cache(vec<T> z, vec<T>* c) {
    const vec<T> y = -absolute<T>(z), fall = one_minus_exp<T>(y);
    c[0] = maximum<T>(vec<T>{}, z) - twice_atanh<T>(fall / (T(4) - fall));
    c[1] = logistic<T>(z, exp_negative<T>(y));
  }
};

template <class T> struct Erf {
  static constexpr int cached = 2;  // erf z and its derivative
  static constexpr T limit = Floating<T>::erfc_limit;
  NETPHASE_INLINE void cache(vec<T> z, vec<T>* c) {
    const vec<T> y = minimum<T>(splat<T>(limit), absolute<T>(z));
    const vec<T> e = gaussian<T>(y, T(1));
    c[0] = verf<T>(z, y, e);
    c[1] = e * T(1.1283791670955126);  // 2/sqrt(pi)
  }
  NETPHASE_INLINE vec<T> value(vec<T>, const vec<T>* c) { return c[0]; }
  NETPHASE_INLINE vec<T> derivative(vec<T>, const vec<T>* c) { return c[1]; }
  NETPHASE_INLINE vec<T> second(vec<T> z, const vec<T>* c) { return T(-2) * bounded<T>(z, limit) * c[1]; }
};

template <class T> struct Gelu {
  static constexpr int cached = 2;  // distribution function and density of a standard normal at z
  static constexpr T limit = T(Floating<T>::erfc_limit * 1.4142135623730951);
  NETPHASE_INLINE void cache(vec<T> z, vec<T>* c) {
    const vec<T> y = minimum<T>(splat<T>(limit), absolute<T>(z));
    const vec<T> e = gaussian<T>(y, T(0.5));
    const vec<T> tail = T(0.5) * e * scaled_erfc<T>(y * T(0.70710678118654752));
    c[0] = select<T>(z > vec<T>{}, T(1) - tail, tail);
    c[1] = e * T(0.3989422804014327);  // 1/sqrt(2 pi)
  }
  NETPHASE_INLINE vec<T> value(vec<T> z, const vec<T>* c) { return maximum<T>(splat<T>(-limit), z) * c[0]; }
  NETPHASE_INLINE vec<T> derivative(vec<T> z, const vec<T>* c) { return bounded<T>(z, limit) * c[1] + c[0]; }
  NETPHASE_INLINE vec<T> second(vec<T> z, const vec<T>* c) {
    const vec<T> x = bounded<T>(z, limit);
    return (T(2) - x * x) * c[1];
  }
};

// f(Relu<T>{}), f(LeakyRelu<T>{}), ... by the code of netphase.activations.Activation.code
template <class T, class F> auto with_activation(int code, F&& f) {
  switch (code) {
    case 0: return f(Relu<T>{});
    case 1: return f(LeakyRelu<T>{});
    case 2: return f(Tanh<T>{});
    case 3: return f(XTanh<T>{});
    case 4: return f(X2Tanh<T>{});
    case 5: return f(Erf<T>{});
    case 6: return f(Sigmoid<T>{});
    case 7: return f(Softplus<T>{});
    case 8: return f(Gelu<T>{});
    case 9: return f(CentredSigmoid<T>{});
    case 10: return f(CentredSoftplus<T>{});
    default: throw std::invalid_argument("unknown activation code");
  }
}

}  // namespace netphase::NETPHASE_ISA
