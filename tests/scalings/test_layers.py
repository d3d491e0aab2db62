"""Scalings of deep networks: the table of initialisations, and depth one against the plane."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netphase.errors import ArgumentError
from netphase.scalings import (
    INITIALISATIONS,
    LAYER_INITIALISATIONS,
    LayerScales,
    LayerScaling,
    Laziness,
    Regime,
    ScalingLaw,
    initialisation,
    layer_initialisation,
    laziness,
    predicted_exponents,
    predicted_layers,
    regime_at,
    uniform_scaling,
)

EXPONENT = st.floats(-2, 2)
PREFACTOR = st.floats(0.1, 10)


@pytest.mark.parametrize(
    ("name", "log_m_kappa", "verdict", "shares", "point"),
    [
        ("lecun", 0.5, "θ-lazy", None, (0.5, 0.5)),
        ("pytorch", 0.5, "θ-lazy", None, (0.5, 0.5)),
        ("he", 0.5, "θ-lazy", None, (0.5, 0.5)),
        ("xavier", 0.0, "boundary", None, (1.0, 0.0)),
        ("ntk", 0.5, "θ-lazy", "all", (0.5, 0.0)),
        ("mean_field", 0.0, "boundary", "all", (1.0, 0.0)),
        ("multilayer_mean_field", None, None, "all", (1.0, 0.0)),
        ("mup", 0.0, "boundary", "all", (1.0, 0.0)),
        ("mup_one_rate", 0.0, "boundary", "output", (1.0, 1.0)),
    ],
)
@pytest.mark.parametrize("depth", [1, 2, 3, 6])
def test_the_table_of_initialisations(name, log_m_kappa, verdict, shares, point, depth):
    law = layer_initialisation(name, depth, d=10)
    expected = (1 - depth) / 2 if log_m_kappa is None else log_m_kappa
    assert law.log_m_kappa == pytest.approx(expected, abs=1e-12)
    assert laziness(law) == (verdict or ("boundary" if depth == 1 else "below"))
    layers = predicted_layers(law)
    if shares == "all":
        assert law.share_exponents == (0.0,) * (depth + 1)
        assert len({each.operator for each in layers}) == 1
    if shares == "output":
        assert [each.share for each in layers] == [0.0] * depth + [1.0]
        assert [each.regime for each in layers] == [Regime.LINEAR] * depth + [Regime.CRITICAL]
    if depth == 1:
        assert (law.gamma, law.gamma_prime) == pytest.approx(point, abs=1e-12)


@pytest.mark.parametrize("depth", [1, 2, 5])
@pytest.mark.parametrize("c", [0.0, 0.3, 0.5, 1.5])
def test_one_standard_deviation_for_all_layers_is_lazy_below_a_half(depth, c):
    law = uniform_scaling(depth, c)
    assert law.log_m_kappa == pytest.approx((depth + 1) * (0.5 - c))
    assert laziness(law) == ("θ-lazy" if c < 0.5 else "boundary" if c == 0.5 else "below")
    if depth == 1:
        assert (law.gamma, law.gamma_prime) == (2 * c, 0.0)
    if c >= 0.5:  # equal layers share the growth: S = (γ − γ_c)/(L+1)
        grown = (law.gamma - law.gamma_c) / (depth + 1)
        assert [each.operator for each in predicted_layers(law)] == pytest.approx(
            [grown] * (depth + 1)
        )


@given(EXPONENT)
def test_the_line_of_e_ma_wu(g):
    law = LayerScaling(g=(0.0, g))
    assert (law.gamma, law.gamma_prime) == (g, g)
    assert law.log_m_kappa == 1 - g
    if g > 1 + 1e-6:
        assert predicted_layers(law)[0].regime is Regime.LINEAR
        assert predicted_layers(law)[1].regime is Regime.CONDENSED


@pytest.mark.parametrize(
    ("scaling", "exponents"),
    [
        (layer_initialisation("lecun", 2, 5), (-1.5, -0.5, -0.5)),
        (layer_initialisation("xavier", 2, 5), (0.0, 0.0, 0.0)),
        (LayerScaling(g=(0.5, 0.5, 0.5)), (0.0, 0.0, 0.0)),
        (LayerScaling(g=(0.25, 0.5, 0.5)), (-0.75, -0.25, -0.25)),
        (LayerScaling(g=(0.0, 0.75, 0.5)), (-1.75, -0.25, -0.75)),
        (layer_initialisation("lecun", 3, 5), (-1.5, -0.5, -0.5, -0.5)),
        (LayerScaling(g=(0.0, 0.5, 1.0)), (-2.0, -1.0, 0.0)),
        (LayerScaling(g=(0.7, 0.7, 0.7)), (0.2, 0.2, 0.2)),
        (LayerScaling(g=(0.9, 0.9, 0.9)), (0.4, 0.4, 0.4)),
    ],
)
def test_predicted_changes_of_measured_networks(scaling, exponents):
    found = predicted_layers(scaling)
    assert [each.operator for each in found] == pytest.approx(exponents)
    for each in found:
        hidden = 1 < each.layer <= scaling.depth
        assert each.frobenius == pytest.approx(each.operator - (0.5 if hidden else 0.0))


@given(st.floats(-2, 4), EXPONENT, EXPONENT, EXPONENT, st.booleans())
def test_one_hidden_layer_is_the_plane(gamma, gamma_prime, gauge, ratio, antisymmetric):
    law = ScalingLaw.from_gamma(gamma, gamma_prime, gauge).with_learning_rates(ratio)
    deep = LayerScaling.from_two_layer(law)
    assert deep.gamma == pytest.approx(law.gamma, abs=1e-12)
    assert deep.gamma_prime == pytest.approx(law.gamma_prime, abs=1e-12)
    assert deep.log_m_kappa == pytest.approx(1 - law.gamma, abs=1e-12)
    w, a = predicted_layers(deep, antisymmetric)
    expected = predicted_exponents(law.gamma, law.gamma_prime, antisymmetric)
    assert w.operator == pytest.approx(expected.w, abs=1e-8)
    assert a.operator == pytest.approx(expected.a, abs=1e-8)
    assert (w.frobenius, a.frobenius) == (w.operator, a.operator)


@given(st.integers(-8, 16), st.integers(-8, 8))
def test_one_hidden_layer_has_the_regimes_of_the_plane(gamma, gamma_prime):
    point = gamma / 4, gamma_prime / 4
    layers = predicted_layers(LayerScaling.from_two_layer(ScalingLaw.plain(*point)))
    assert layers[0].regime is regime_at(*point, which="w")
    assert layers[1].regime is regime_at(*point, which="a")


@given(EXPONENT, EXPONENT, EXPONENT, EXPONENT, PREFACTOR, PREFACTOR, st.integers(1, 10**6))
def test_scales_of_one_hidden_layer_are_those_of_the_law(alpha, b1, b2, ratio, p, q, m):
    law = ScalingLaw(alpha, b1, b2, ratio, p, q, 1.5, 0.7)
    deep, scales = LayerScaling.from_two_layer(law), law.at_width(m)
    found = deep.at_width(m)
    assert deep.two_layer == law
    assert found.betas == (scales.beta2, scales.beta1)
    assert found.alpha == scales.alpha
    assert found.rates[1] / found.rates[0] == pytest.approx(scales.rate_ratio, rel=1e-12)
    assert found.kappa == pytest.approx(m * scales.kappa, rel=1e-10)
    odds = found.shares[1] / found.shares[0]
    assert odds == pytest.approx(scales.kappa_prime**-2, rel=1e-10)


@pytest.mark.parametrize("name", INITIALISATIONS)
def test_named_scalings_of_one_hidden_layer_are_the_named_laws(name):
    deep, law = layer_initialisation(name, 1, 7), initialisation(name, 7)
    assert (deep.gamma, deep.gamma_prime) == pytest.approx((law.gamma, law.gamma_prime))
    for m in (10, 1000):
        a, b = deep.two_layer.at_width(m), law.at_width(m)
        assert a.kappa == pytest.approx(b.kappa, rel=1e-12)
        assert a.kappa_prime == pytest.approx(b.kappa_prime, rel=1e-12)


def test_kappa_at_a_width_differs_from_its_asymptote():
    scales = layer_initialisation("lecun", 1, 10).at_width(1000)
    assert scales.log_m_kappa == pytest.approx(1 / 3, abs=1e-12)
    assert scales.kappa == pytest.approx(10.0)
    far = layer_initialisation("lecun", 4, 10).at_width(10**12)
    assert far.log_m_kappa == pytest.approx(0.5 - math.log(10) / 2 / math.log(1e12))
    xavier = layer_initialisation("xavier", 2, 3).at_width(5)
    assert xavier.betas == pytest.approx((0.5, 5**-0.5, 3**-0.5))


@given(st.lists(st.tuples(EXPONENT, EXPONENT), min_size=2, max_size=6), EXPONENT)
def test_growing_layers_fill_the_output_and_shares_are_limits(layers, alpha):
    g, rates = zip(*layers, strict=True)
    law = LayerScaling(g=g, rates=rates, alpha=alpha)
    found = predicted_layers(law)
    if law.log_m_kappa < -1e-6:
        grown = math.fsum(max(each.operator, 0.0) for each in found)
        assert grown == pytest.approx(-law.log_m_kappa, abs=1e-9)
    else:
        assert max(each.operator for each in found) == pytest.approx(
            -law.log_m_kappa if abs(law.log_m_kappa) > 1e-9 else 0.0, abs=1e-9
        )
    scales = law.at_width(1000)
    mobility = np.array(scales.rates) / np.array(scales.betas) ** 2
    np.testing.assert_allclose(scales.shares, mobility / mobility.sum(), rtol=1e-10)
    assert math.fsum(each.share for each in found) == pytest.approx(1.0)


def test_a_common_learning_rate_changes_only_the_clock():
    law = layer_initialisation("mup", 3, 5)
    other = law.with_learning_rates(tuple(each + 0.7 for each in law.rates), (3.0,) * 4)
    assert [each.operator for each in predicted_layers(other)] == pytest.approx(
        [each.operator for each in predicted_layers(law)]
    )
    np.testing.assert_allclose(other.at_width(50).shares, law.at_width(50).shares, rtol=1e-12)


def test_an_output_that_is_not_centred_saturates_the_slopes():
    law = LayerScaling(g=(0.0, 0.25, 0.25))
    centred, plain = predicted_layers(law), predicted_layers(law, antisymmetric=False)
    assert max(each.operator for each in centred) == -1.0
    assert max(each.operator for each in plain) == -0.5


def test_words_of_both_vocabularies():
    assert {each.alias for each in Laziness} == {
        "linear: lazy, kernel",
        "critical: mean-field, μP-like",
        "condensed: rich, feature learning",
    }
    assert len(LAYER_INITIALISATIONS) == 9


def test_numbers_of_any_kind_are_kept_as_plain_ones():
    law = LayerScaling(g=np.zeros(2), alpha=1, alpha_prefactor=np.float32(2))
    assert repr(law) == repr(LayerScaling(g=(0.0, 0.0), alpha=1.0, alpha_prefactor=2.0))
    scales = LayerScales(np.int64(5), np.array([1.0, 0.5]), [1, 2], alpha=np.float32(1))
    assert repr(scales) == repr(LayerScales(5, (1.0, 0.5), (1.0, 2.0), 1.0))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: layer_initialisation("lecun", 0, 2), "network without a hidden layer"),
        (
            lambda: layer_initialisation("ntk", 10**6, 2),
            "at most 1000 hidden layers, but is 1000000",
        ),
        (lambda: layer_initialisation("lecun", 1.5, 2), "`depth` must be a positive integer"),
        (lambda: layer_initialisation("mupp", 2, 2), "Did you mean 'mup'"),
        (lambda: LayerScaling(g=(0.5,)), "needs a hidden layer"),
        (lambda: LayerScaling(g=0.5), "`g` must be a sequence"),
        (lambda: LayerScaling(g=(0.5, math.nan)), r"`g\[1\]` must be a finite"),
        (lambda: LayerScaling(g=(0, 0, 0), rates=(1, 1)), "`rates` must have 3 entries"),
        (lambda: LayerScaling(g=(0, 0), beta_prefactors=(1, -1)), r"`beta_prefactors\[1\]`"),
        (lambda: LayerScaling(g=(0, 0, 200)).at_width(1000), "β_3 of layer 3 .* m = 1000"),
        (lambda: LayerScaling(g=(0, -60, -60)).at_width(1000), "signal in layer 2"),
        (lambda: LayerScaling(g=(0, 0), alpha=400).at_width(10), "α = 1·m.400 leaves"),
        (lambda: LayerScaling(g=(0, 0), rates=(0, 999)).at_width(10), "η_2 of layer 2"),
        (lambda: uniform_scaling(300, 0.0).at_width(1000), "signal in layer 104"),
        (lambda: uniform_scaling(1, 0.0).at_width(0), "`width` must be a positive"),
        (lambda: LayerScaling(g=(0, 0, 0)).gamma_prime, "must be 1 for a point of the plane"),
        (lambda: LayerScales(1, (1.0, 1.0), (1.0, 1.0)).log_m_kappa, "at least 2 for log_m"),
        (lambda: LayerScales(5, (1.0, 0.0), (1.0, 1.0)), r"`betas\[1\]` must be a positive"),
        (lambda: laziness(ScalingLaw.ntk()), "must be a LayerScaling"),
        (lambda: LayerScaling.from_two_layer(3), "must be a ScalingLaw"),
        (lambda: LayerScaling(g=(0, 0), formulas=("m", "1", "1")), "agree with the exponents"),
    ],
)
def test_bad_arguments_are_refused_in_words(call, words):
    with pytest.raises(ArgumentError, match=words):
        call()


@pytest.mark.parametrize("name", LAYER_INITIALISATIONS)
def test_rescaled_scales_are_the_old_ones_times_powers(name):
    law = layer_initialisation(name, 2, 7)
    new = law.rescaled((0.25, 0.0, -0.5), alpha=0.75)
    assert new.log_m_kappa == pytest.approx(law.log_m_kappa - 1.0, abs=1e-12)
    old, found = law.at_width(81), new.at_width(81)
    assert found.rates == old.rates
    factors = (3.0, 1.0, 1 / 9)
    assert found.betas == pytest.approx([b * f for b, f in zip(old.betas, factors, strict=True)])
    assert found.alpha == pytest.approx(27 * old.alpha)


@given(EXPONENT, EXPONENT, PREFACTOR, PREFACTOR)
def test_what_is_written_is_the_scaling(g, alpha, p, q):
    law = LayerScaling(g=(g, 1.0, 0.0), alpha=alpha, beta_prefactors=(p, 2.0, q))
    *betas, last = law.written
    again = LayerScaling.from_formulas(tuple(betas), last)
    assert again.g == pytest.approx(law.g, abs=1e-15)
    assert again.at_width(50).betas == pytest.approx(law.at_width(50).betas, rel=1e-14)
    assert again.at_width(50).alpha == pytest.approx(law.at_width(50).alpha, rel=1e-14)


def test_a_formula_out_of_range_says_its_layer():
    law = LayerScaling.from_formulas(("1", "(m+1)^-200", "1"))
    with pytest.raises(ArgumentError, match=r"β of layer 2: .* out of the range of a float"):
        law.at_width(1000)
