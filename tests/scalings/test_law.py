"""Scaling laws: the table of initialisations, the plane, the gauge, learning rates and targets."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netphase import activations
from netphase.errors import ArgumentError
from netphase.networks import TwoLayerNetwork, initial_parameters
from netphase.scalings import (
    INITIALISATIONS,
    Regime,
    Scales,
    ScalingLaw,
    initialisation,
    known_initialisations,
)

EXPONENT = st.floats(-2, 2)


def _kappas(m, d):
    """κ and κ′ of Table 1, written out."""
    return {
        "lecun": ((m * d) ** -0.5, (d / m) ** 0.5),
        "he": ((4 / (m * d)) ** 0.5, (d / m) ** 0.5),
        "xavier": (2 / math.sqrt((m + 1) * (m + d)), ((m + d) / (m + 1)) ** 0.5),
        "ntk": (m**-0.5, 1),
        "mean_field": (1 / m, 1),
        "mup": (1 / m, 1),
        "pytorch": ((9 * m * d) ** -0.5, (d / m) ** 0.5),
    }


@pytest.mark.parametrize(
    ("name", "gamma", "gamma_prime", "regime"),
    [
        ("lecun", 0.5, 0.5, "linear"),
        ("he", 0.5, 0.5, "linear"),
        ("xavier", 1, 0, "critical"),
        ("ntk", 0.5, 0, "linear"),
        ("mean_field", 1, 0, "critical"),
        ("mup", 1, 0, "critical"),
        ("pytorch", 0.5, 0.5, "linear"),
    ],
)
@pytest.mark.parametrize(("m", "d"), [(10, 2), (1000, 785)])
def test_the_table_of_initialisations(name, gamma, gamma_prime, regime, m, d):
    law = initialisation(name, d)
    scales = law.at_width(m)
    kappa, kappa_prime = _kappas(m, d)[name]
    assert scales.kappa == pytest.approx(kappa, rel=1e-14)
    assert scales.kappa_prime == pytest.approx(kappa_prime, rel=1e-14)
    assert (law.gamma, law.gamma_prime) == (gamma, gamma_prime)
    assert law.regime is Regime(regime)


def test_xavier_is_exact_at_finite_width():
    scales = ScalingLaw.xavier(3).at_width(7)
    assert (scales.alpha, scales.beta1, scales.beta2) == (1.0, 0.5, math.sqrt(0.2))


def test_names_are_forgiving_and_wrong_ones_suggest():
    assert initialisation("Glorot", 2) == initialisation("xavier", 2)
    assert initialisation("Mean field", 2) == initialisation("mean-field", 2)
    assert len(known_initialisations()) == len(INITIALISATIONS)
    with pytest.raises(ArgumentError, match="Did you mean 'lecun'"):
        initialisation("lecunn", 2)


@given(EXPONENT)
def test_the_line_of_e_ma_wu_is_linear_everywhere(exponent):
    law = ScalingLaw.e_ma_wu(exponent)
    assert law.gamma == law.gamma_prime == -exponent
    assert law.regime is Regime.LINEAR


@given(st.floats(-2, 3), EXPONENT, EXPONENT, st.integers(1, 10**6))
def test_from_gamma_puts_kappa_where_asked_in_every_gauge(gamma, gamma_prime, beta1, m):
    law = ScalingLaw.from_gamma(gamma, gamma_prime, beta1)
    assert law.gamma == pytest.approx(gamma, abs=1e-12)
    assert law.gamma_prime == pytest.approx(gamma_prime, abs=1e-12)
    scales = law.at_width(m)
    assert scales.beta1 == pytest.approx(m**beta1, rel=1e-12)
    assert scales.kappa == pytest.approx(m**-gamma, rel=1e-10)
    assert scales.kappa_prime == pytest.approx(m**-gamma_prime, rel=1e-10)
    assert scales.clock == pytest.approx(scales.beta1 * scales.beta2, rel=1e-12)


@given(EXPONENT, EXPONENT, EXPONENT, st.floats(0.1, 10))
def test_only_products_of_scales_matter(alpha, beta1, beta2, c):
    law = ScalingLaw(alpha, beta1, beta2)
    same = ScalingLaw(
        alpha, beta1, beta2, alpha_prefactor=c * c, beta1_prefactor=c, beta2_prefactor=c
    )
    one, other = law.at_width(50), same.at_width(50)
    assert other.kappa == pytest.approx(one.kappa, rel=1e-12)
    assert other.kappa_prime == pytest.approx(one.kappa_prime, rel=1e-12)


def test_alpha_divides_beta1_is_of_output_and_beta2_of_input_weights():
    parameters = initial_parameters(4000, 3, seed=1, antisymmetric=False)
    scales = Scales(alpha=5.0, beta1=2.0, beta2=0.3)
    a, w = scales.beta1 * parameters.a, scales.beta2 * parameters.w
    x = np.array([[0.2, -0.4, 1.0], [1.0, 0.5, 1.0]])
    for name in ("relu", "tanh", "sigmoid"):
        sigma = activations.get(name)
        raw = sigma.value(x @ w.T) @ a / scales.alpha
        found = TwoLayerNetwork(sigma, scales).output(parameters, x)
        np.testing.assert_allclose(found, raw, rtol=1e-12)


def test_learning_rates_shift_gamma_prime_by_half():
    law = ScalingLaw(0.0, -1.0, 0.0).with_learning_rates(-2.0)
    assert law == ScalingLaw.mup()
    slower = ScalingLaw.ntk().with_learning_rates(0.0, prefactor=4.0).at_width(10)
    assert slower.kappa_prime == 0.5


def _raw_gradients(sigma, scales, a, w, x, y):
    z = x @ w.T
    e = (sigma.value(z) @ a / scales.alpha - y) / len(y)
    grad_a = sigma.value(z).T @ e / scales.alpha
    grad_w = ((sigma.derivative(z) * a).T * e) @ x / scales.alpha
    return grad_a, grad_w


@pytest.mark.parametrize("name", ["relu", "tanh"])
def test_normalised_equations_follow_from_the_raw_ones_with_two_learning_rates(name):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((5, 3)), rng.standard_normal(5)
    parameters = initial_parameters(6, 3, seed=2, antisymmetric=False)
    scales = Scales(alpha=3.0, beta1=0.7, beta2=1.9, rate_ratio=2.5)
    eta_a, eta_w = math.sqrt(2.5), 1 / math.sqrt(2.5)
    sigma, b1, b2 = activations.get(name), scales.beta1, scales.beta2
    grad_a, grad_w = _raw_gradients(sigma, scales, b1 * parameters.a, b2 * parameters.w, x, y)
    network = TwoLayerNetwork(sigma, scales)
    z = x @ parameters.w.T
    e = (network.output(parameters, x) - y) / len(y)
    bar_a = scales.kappa * network.unit(z).T @ e
    bar_w = scales.kappa * ((network.unit_derivative(z) * parameters.a).T * e) @ x
    # dā/dt̄ = β₁β₂ · dā/dt and dā/dt = −η_a ∂R/∂a / β₁
    np.testing.assert_allclose(eta_a * b2 * grad_a, bar_a / scales.kappa_prime, rtol=1e-12)
    np.testing.assert_allclose(eta_w * b1 * grad_w, bar_w * scales.kappa_prime, rtol=1e-12)


@pytest.mark.parametrize("law", [ScalingLaw.ntk(), ScalingLaw.xavier(2), ScalingLaw.mup()])
def test_larger_targets_raise_gamma(law):
    larger = law.for_target_size(0.5, prefactor=3.0)
    assert larger.gamma == law.gamma + 0.5
    assert larger.gamma_prime == law.gamma_prime
    one, other = law.at_width(100), larger.at_width(100)
    assert other.kappa * 30 == pytest.approx(one.kappa, rel=1e-13)
    assert other.kappa_prime == pytest.approx(one.kappa_prime, rel=1e-13)


def test_formulas_give_the_same_law_as_exponents():
    law = ScalingLaw.from_formulas("sqrt(m)", "2*m^-0.25", "1/sqrt(d)", d=4)
    plain = ScalingLaw(0.5, -0.25, 0.0, beta1_prefactor=2.0, beta2_prefactor=0.5)
    assert (law.gamma, law.gamma_prime) == (plain.gamma, plain.gamma_prime)
    assert law.at_width(81).kappa == pytest.approx(plain.at_width(81).kappa, rel=1e-14)


@pytest.mark.parametrize("name", INITIALISATIONS)
def test_laws_survive_json_and_are_hashable(name):
    law = initialisation(name, 5)
    again = msgspec.json.decode(msgspec.json.encode(law), type=ScalingLaw)
    assert again == law
    assert hash(again) == hash(law)


def test_formulas_that_contradict_the_exponents_are_refused():
    with pytest.raises(ArgumentError, match="`formulas` must agree"):
        ScalingLaw(0.5, 0.0, 0.0, formulas=("m", "1", "1"))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ScalingLaw(float("nan"), 0, 0), "`alpha` must be a finite number"),
        (lambda: ScalingLaw(0, 0, 0, beta1_prefactor=0), "`beta1_prefactor` must be a positive"),
        (lambda: ScalingLaw.he(0), "`d` must be a positive integer"),
        (lambda: ScalingLaw.ntk().at_width(0), "`width` must be a positive integer"),
        (lambda: ScalingLaw(200, 0, 0).at_width(1000), "leaves the range of a float"),
        (lambda: ScalingLaw(-200, 0, 0).at_width(1000), "leaves the range of a float"),
        (lambda: Scales(1.0, -1.0, 1.0), "`beta1` must be a positive"),
        (lambda: ScalingLaw.from_formulas(beta2="1/sqrt(d)"), "unknown name 'd'"),
        (lambda: ScalingLaw.ntk().for_target_size(0.0, -1.0), "`prefactor` must be a positive"),
    ],
)
def test_unusable_laws_are_refused_in_words(make, words):
    with pytest.raises(ArgumentError, match=words):
        make()
