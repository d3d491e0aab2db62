// Elementary functions of short vectors, to two or three units in the last place: tanh, exp and expm1
// of arguments <= 0, the logistic function, log1p on [0, 1], Gaussians, erf and its scaled complement.
//
// All keep their relative accuracy near 0 and in the tails (subnormal results included), take any
// argument, infinite ones too, and hand a NaN on. None relies on a fused multiply-add, and none breaks
// if the compiler contracts a product and a sum into one. -fassociative-math would break the rounding
// by a "magic" constant. The polynomials are minimax fits (Remez) made for this file; the comment at
// each states the quantity fitted, its range and the largest relative error of the function.
#pragma once
#include "vec.hpp"

namespace netphase::NETPHASE_ISA {

template <class T> using lane = typename VecOf<T>::lane;

// c[0] + c[1] x + ... + c[N-1] x^(N-1), unrolled whatever N is
template <class T, int N, int K = 0> NETPHASE_INLINE vec<T> polynomial(vec<T> x, const T (&c)[N]) {
  if constexpr (K == N - 1) {
    return splat<T>(c[K]);
  } else {
    return polynomial<T, N, K + 1>(x, c) * x + c[K];
  }
}

template <class T> struct Floating;

template <> struct Floating<double> {
  static constexpr int mantissa_bits = 52;
  static constexpr std::int64_t sign = INT64_MIN;
  static constexpr std::int64_t upper_half = ~std::int64_t{0x7ffffff};  // 26 bits kept: their square is exact
  static constexpr double magic = 6755399441055744.0 + 1023;             // 1.5 * 2^52 + exponent bias
  static constexpr double ln2_high = 0x1.62e42fefa38p-1, ln2_low = 0x1.ef35793c76730p-45;  // high: 42 bits
  static constexpr double ln2 = 0.693147180559945309;
  static constexpr double inverse_ln2 = 1.4426950408889634;
  static constexpr double tanh_limit = 20, exp_limit = -746, erfc_limit = 27.5;
  static constexpr int exp_shift = 128;
  static constexpr double exp_unshift = 0x1p-128;
  // (tanh(r)/r - 1)/r^2 in r^2, |r| <= ln2/4: 2^-57.7
  static constexpr double tanh_small[] = {
      -0.33333333333332479539, 0.13333333332780748918, -0.053968252776828265854, 0.021869370329105509458,
      -0.0088572958966005486043, 0.0034446792705579424665};
  // (exp(r) - 1 - r)/r^2, |r| <= ln2/2: 2^-57.9
  static constexpr double exp_small[] = {
      0.50000000000000106393, 0.16666666666666412236, 0.041666666666530032213, 0.0083333333334946047236,
      0.0013888888943668312847, 0.00019841269506362943339, 0.000024801493054911457487,
      2.7557586479611721223e-6, 2.7630265463651995748e-7, 2.5000056118783605605e-8};
  // (atanh(w)/w - 1)/w^2 in w^2, 0 <= w <= 1/3: 2^-59.4
  static constexpr double atanh_small[] = {
      0.33333333333333151917, 0.20000000000078623401, 0.14285714273926299313, 0.11111111984914512664,
      0.090908719606500496477, 0.076932799998777975204, 0.066504863056303248637, 0.060530468174375206314,
      0.041700353973234647775, 0.085093147193927918147};
  // erf(x)/x - 1 in x^2, 0 <= x <= 1: 2^-56.9
  static constexpr double erf_small[] = {
      0.12837916709551256565, -0.37612638903183519531, 0.11283791670944184421, -0.026866170643111431676,
      0.0052239776061183021924, -0.00085483259293114712857, 0.00012055293576939505218,
      -0.000014924712304756808304, 1.6447131624733613502e-6, -1.6206314285130308658e-7,
      1.371098306776429752e-8, -7.7794740281643119094e-10};
  // (1 + 2x) e^(x^2) erfc(x) in (x - centre)/(x + centre), 0 <= x <= erfc_limit: 2^-59.5
  static constexpr double erfc_centre = 4;
  static constexpr double erfc_scaled[] = {
      1.23299511862555251, -0.13962111684056253576, 0.015379652102619643612, 0.068097054254695394272,
      -0.10103906603629899303, 0.09373283499825295598, -0.066330365812331726454, 0.03716751553904759744,
      -0.016197734056518474606, 0.0050319699640873536478, -0.00075777329740185633208,
      -0.00019925662020574408949, 0.00015062171760765048358, -0.000024399463949393819578,
      -0.000011222175269092242108, 5.710251179734149843e-6, 2.941697064130517608e-7,
      -8.2604659682029600628e-7, 7.4063112943069431947e-8, 1.1039289184881997329e-7,
      -1.7414570005140995574e-8, -1.4081556542326977199e-8, 1.6519331793917844538e-9,
      1.1908583450154609703e-9};
};

template <> struct Floating<float> {
  static constexpr int mantissa_bits = 23;
  static constexpr std::int32_t sign = INT32_MIN;
  static constexpr std::int32_t upper_half = ~std::int32_t{0xfff};  // 12 bits kept: their square is exact
  static constexpr float magic = 12582912.0f + 127;                  // 1.5 * 2^23 + exponent bias
  static constexpr float ln2_high = 0x1.62e4p-1f, ln2_low = 0x1.7f7d1cp-20f;  // high: 15 bits
  static constexpr float ln2 = 0.693147181f;
  static constexpr float inverse_ln2 = 1.44269504f;
  static constexpr float tanh_limit = 10, exp_limit = -105, erfc_limit = 10.3f;
  static constexpr int exp_shift = 32;
  static constexpr float exp_unshift = 0x1p-32f;
  static constexpr float tanh_small[] = {  // as above: 2^-32.5
      -0.33333322683285302519f, 0.13331178916505136979f, -0.052725682754892567572f};
  static constexpr float exp_small[] = {  // as above: 2^-28.3
      0.49999993444870792654f, 0.16666520558884255049f, 0.041668388580095310344f, 0.008368725644485362761f,
      0.0013814593173790001632f};
  static constexpr float atanh_small[] = {  // as above: 2^-33.1
      0.33333337810807793384f, 0.19999438887859505772f, 0.14308441936989958194f, 0.10713834100144028904f,
      0.12150447399330040788f};
  static constexpr float erf_small[] = {  // as above: 2^-29.6
      0.12837916572661931268f, -0.37612625824004040175f, 0.11283585148297936256f, -0.026853811962217283344f,
      0.0051883277580858598838f, -0.00080101942428849114912f, 0.00007853863090798007048f};
  static constexpr float erfc_centre = 3;
  static constexpr float erfc_scaled[] = {  // as above: 2^-28.8
      1.2530080594126927876f, -0.13562114171528502496f, -0.047562430892437095213f, 0.12964646813429478254f,
      -0.11927043003546063783f, 0.06829575344367842221f, -0.023800534098300032389f, 0.0025648427452112264323f,
      0.0020062967285336892871f, -0.00077025576770527965479f, -0.00026529220150692613844f};
};

template <class T> NETPHASE_INLINE vec<T> absolute(vec<T> z) {
  return reinterpret_cast<vec<T>>(reinterpret_cast<mask<T>>(z) & ~Floating<T>::sign);
}

template <class T> NETPHASE_INLINE vec<T> with_sign_of(vec<T> z, vec<T> magnitude) {  // magnitude >= 0
  return reinterpret_cast<vec<T>>(reinterpret_cast<mask<T>>(magnitude) |
                                  (reinterpret_cast<mask<T>>(z) & Floating<T>::sign));
}

template <class T> NETPHASE_INLINE vec<T> bounded(vec<T> z, T limit) {  // z within [-limit, limit]
  return minimum<T>(splat<T>(limit), maximum<T>(splat<T>(-limit), z));
}

// 2^k from the sum k + magic, whose lowest bits are the biased exponent
template <class T> NETPHASE_INLINE vec<T> power_of_two(vec<T> shifted) {
  return reinterpret_cast<vec<T>>(reinterpret_cast<mask<T>>(shifted) << Floating<T>::mantissa_bits);
}

// tanh(z). With |z| = k ln2/2 + r and t = tanh(r), one division:
// tanh|z| = ((2^k - 1) + (2^k + 1) t) / ((2^k + 1) + (2^k - 1) t); k = 0 gives t itself.
template <class T> NETPHASE_INLINE vec<T> vtanh(vec<T> z) {
  using F = Floating<T>;
  const vec<T> y = minimum<T>(splat<T>(F::tanh_limit), absolute<T>(z));
  const vec<T> shifted = y * (2 * F::inverse_ln2) + F::magic;
  const vec<T> k = shifted - F::magic;
  const vec<T> r = y - k * (F::ln2 / 2);
  const vec<T> u = r * r;
  const vec<T> t = (r * u) * polynomial<T>(u, F::tanh_small) + r;
  const vec<T> scale = power_of_two<T>(shifted), below = scale - T(1), above = scale + T(1);
  return with_sign_of<T>(z, (above * t + below) / (below * t + above));
}

// e^(k ln2 + r) for k <= 0 (shifted = k + exp_shift + magic): a subnormal result is rounded once, at the end
template <class T> NETPHASE_INLINE vec<T> scaled_exp(vec<T> shifted, vec<T> r) {
  using F = Floating<T>;
  const vec<T> p = (r * r) * polynomial<T>(r, F::exp_small) + r + T(1);
  return (p * power_of_two<T>(shifted)) * F::exp_unshift;
}

// e^z for z <= 0
template <class T> NETPHASE_INLINE vec<T> exp_negative(vec<T> z) {
  using F = Floating<T>;
  constexpr T magic = F::magic + F::exp_shift;
  const vec<T> y = maximum<T>(splat<T>(F::exp_limit), z);
  const vec<T> shifted = y * F::inverse_ln2 + magic;
  const vec<T> k = shifted - magic;
  return scaled_exp<T>(shifted, (y - k * F::ln2_high) - k * F::ln2_low);
}

// 1 - e^z for z <= 0
template <class T> NETPHASE_INLINE vec<T> one_minus_exp(vec<T> z) {
  using F = Floating<T>;
  constexpr T magic = F::magic + F::exp_shift;
  const vec<T> y = maximum<T>(splat<T>(F::exp_limit), z);
  const vec<T> shifted = y * F::inverse_ln2 + magic;
  const vec<T> k = shifted - magic;
  const vec<T> r = (y - k * F::ln2_high) - k * F::ln2_low;
  const vec<T> scale = power_of_two<T>(shifted) * F::exp_unshift;
  return (T(1) - scale) - scale * ((r * r) * polynomial<T>(r, F::exp_small) + r);
}

// 1/(1 + e^-z), given e = e^-|z|
template <class T> NETPHASE_INLINE vec<T> logistic(vec<T> z, vec<T> e) {
  return select<T>(z >= vec<T>{}, splat<T>(1), e) / (e + T(1));
}

// 2 atanh(w) for 0 <= w <= 1/3
template <class T> NETPHASE_INLINE vec<T> twice_atanh(vec<T> w) {
  const vec<T> v = w * w;
  return T(2) * ((w * v) * polynomial<T>(v, Floating<T>::atanh_small) + w);
}

// log(1 + e) for 0 <= e <= 1
template <class T> NETPHASE_INLINE vec<T> log1p_unit(vec<T> e) { return twice_atanh<T>(e / (e + T(2))); }

// e^(-factor y^2) for a power of two `factor` and 0 <= y <= erfc_limit/sqrt(factor). The square is taken
// in two parts, the first exact: rounding y^2 itself would cost a relative error of y^2 epsilon.
template <class T> NETPHASE_INLINE vec<T> gaussian(vec<T> y, T factor) {
  using F = Floating<T>;
  constexpr T magic = F::magic + F::exp_shift;
  const vec<T> head = reinterpret_cast<vec<T>>(reinterpret_cast<mask<T>>(y) & F::upper_half);
  const vec<T> square = head * head * factor, rest = (y - head) * (y + head) * factor;
  const vec<T> shifted = (square + rest) * -F::inverse_ln2 + magic;
  const vec<T> k = shifted - magic;
  return scaled_exp<T>(shifted, ((-square - k * F::ln2_high) - k * F::ln2_low) - rest);
}

// e^(x^2) erfc(x) for 0 <= x <= erfc_limit
template <class T> NETPHASE_INLINE vec<T> scaled_erfc(vec<T> x) {
  using F = Floating<T>;
  const vec<T> t = (x - F::erfc_centre) / (x + F::erfc_centre);
  return polynomial<T>(t, F::erfc_scaled) / (T(2) * x + T(1));
}

// erf(z), given y = min(|z|, erfc_limit) and e^-y^2
template <class T> NETPHASE_INLINE vec<T> verf(vec<T> z, vec<T> y, vec<T> exp_minus_square) {
  const vec<T> inner = y * polynomial<T>(y * y, Floating<T>::erf_small) + y;
  const vec<T> outer = T(1) - exp_minus_square * scaled_erfc<T>(y);
  return with_sign_of<T>(z, select<T>(y < splat<T>(1), inner, outer));
}

}  // namespace netphase::NETPHASE_ISA
