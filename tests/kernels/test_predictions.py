"""Predictions without training: the paper's printed numbers, exponents, bounds."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netphase import kernels
from netphase.activations import get
from netphase.datasets import four_points, from_arrays, polynomial
from netphase.errors import ArgumentError
from netphase.kernels import (
    LinearModel,
    condensed_lower_bound,
    condensed_prediction,
    gaussian_kernels,
    least_amplitude,
    linear_decay_rate,
    linear_predictions,
    loss_bound,
)
from netphase.networks import Parameters, TwoLayerNetwork, initial_parameters
from netphase.observables import relative_change
from netphase.scalings import ScalingLaw, predicted_exponents

DATA = four_points()
WIDTHS = (1000, 10_000, 40_000)
CONDENSED = 2 * (2 / 3) * math.sqrt(1 + 1 / 36) + 1 / 36  # two kinks and a constant


def test_linear_predictions_are_the_printed_numbers_and_near_the_paper():
    law = ScalingLaw.from_gamma(0.5, 0.0)
    found = [linear_predictions(law, m, DATA).w for m in WIDTHS]
    np.testing.assert_allclose(found, [0.00866, 0.00274, 0.00137], rtol=2e-3)
    np.testing.assert_allclose(found, [0.00884, 0.00274, 0.00136], rtol=0.03)


def test_condensed_predictions_are_the_printed_numbers_and_near_the_paper():
    law = ScalingLaw.from_gamma(1.75, 0.0)
    found = [condensed_prediction(law, m, 2, CONDENSED).w for m in WIDTHS]
    np.testing.assert_allclose(found, [7.8, 18.6, 31.2], rtol=5e-3)
    np.testing.assert_allclose(found, [7.98, 18.4, 31.0], rtol=0.03)
    assert condensed_prediction(law, 1, 2, CONDENSED).w == pytest.approx(0.587, abs=5e-4)


@given(st.floats(0.1, 0.9), st.floats(0.3, 1.0), st.sampled_from([-1, 1]))
def test_linear_predictions_have_the_predicted_exponents(gamma, size, sign):
    law = ScalingLaw.from_gamma(gamma, sign * size)
    near, far = (linear_predictions(law, m, DATA) for m in (10**40, 10**44))
    slopes = [math.log10(b / a) / 4 for a, b in zip(near, far, strict=True)]
    assert slopes == pytest.approx(predicted_exponents(gamma, sign * size), abs=1e-6)


@given(st.floats(1.1, 3), st.floats(-0.9, 0.9))
def test_condensed_predictions_have_the_predicted_exponents(gamma, share):
    gamma_prime = share * (gamma - 1)
    law = ScalingLaw.from_gamma(gamma, gamma_prime)
    near, far = (condensed_prediction(law, m, 2, 1.0) for m in (10**3, 10**6))
    w, a, _ = (math.log10(b / a) / 3 for a, b in zip(near, far, strict=True))
    assert (w, a) == pytest.approx(predicted_exponents(gamma, gamma_prime)[:2], abs=1e-9)


@pytest.mark.parametrize("name", ["relu", "tanh"])
@pytest.mark.parametrize("antisymmetric", [True, False])
@pytest.mark.parametrize("gamma_prime", [-0.2, 0.0, 0.3])
def test_the_linear_model_ends_where_the_prediction_says(name, antisymmetric, gamma_prime):
    """The trained end of linearised networks of finite width, 1/√m away; f(0) = 0 in both."""
    m, law = 20_000, ScalingLaw.from_gamma(0.9, gamma_prime, beta1=-0.1)
    network = TwoLayerNetwork(get(name), law.at_width(m))
    start = initial_parameters(m, 2, 0, antisymmetric)
    target = DATA.y if antisymmetric else DATA.y + network.output(start, DATA.x)
    end = Parameters(*LinearModel(network, start, DATA.x, target).parameters(np.inf))
    predicted = linear_predictions(law, m, DATA, antisymmetric, name)
    for which, expected in predicted._asdict().items():
        found = relative_change(start, end, which, tracked=m)
        assert found == pytest.approx(expected, rel=0.06)


def test_scales_and_laws_predict_alike():
    law = ScalingLaw.he(2)
    assert linear_predictions(law, 50, DATA) == linear_predictions(law.at_width(50), 50, DATA)


def test_the_least_amplitude_bounds_the_condensed_interpolant_from_below():
    least = least_amplitude(DATA)
    assert 0.97 * CONDENSED < least < CONDENSED
    assert least_amplitude(from_arrays(DATA.x[:, 0], 3 * DATA.y)) == pytest.approx(3 * least)


def test_least_amplitudes_known_in_closed_form():
    """One point (x, 1): a neuron along it. A line through two far points: one neuron fits it."""
    one = from_arrays(np.array([0.75]), np.array([5.0]))
    assert least_amplitude(one) == pytest.approx(5 / 1.25, rel=1e-5)
    opposite = from_arrays(np.array([[1.0, 0.0], [-1.0, 0.0]]), np.array([2.0, -3.0]), bias=False)
    assert least_amplitude(opposite) == pytest.approx(5, rel=1e-5)


def test_decay_rates_by_hand_and_by_the_linear_model():
    m, law = 100_000, ScalingLaw.from_gamma(0.6, -0.1)
    s = law.at_width(m)
    k = gaussian_kernels(DATA.x)
    least = [np.linalg.eigvalsh(each)[0] for each in k]
    whole = linear_decay_rate(law, m, DATA)
    by_a = linear_decay_rate(law, m, DATA, lazy="w")
    by_w = linear_decay_rate(law, m, DATA, lazy="a")
    assert whole == pytest.approx(by_a + by_w)
    assert by_a == pytest.approx(2 * m * s.kappa**2 * least[0] / s.kappa_prime / 4)
    assert by_w == pytest.approx(2 * m * s.kappa**2 * least[1] * s.kappa_prime / 4)
    assert whole >= 2 * 2 * m * s.kappa**2 * min(least) / 4  # the theorem's own, weaker rate
    assert linear_decay_rate(law, m, DATA, antisymmetric=False) == pytest.approx(whole / 2)
    network = TwoLayerNetwork(get("relu"), s)
    model = LinearModel(network, initial_parameters(m, 2, 0), DATA.x, DATA.y)
    times = np.geomspace(1e-3, 30, 20) / whole
    losses = np.array([model.mean_square(t) / 2 for t in times])
    assert np.all(losses <= loss_bound(times, model.mean_square(0) / 2, whole))


def test_the_lower_bound_is_that_of_the_proof():
    law, m, d = ScalingLaw.from_gamma(2.5, 0.5), 10**6, 2
    s = law.at_width(m)
    expected = math.sqrt(s.kappa_prime / (24 * d**1.5 * s.kappa * m)) - 1
    assert condensed_lower_bound(law, m, d, antisymmetric=False) == pytest.approx(expected)
    twice = condensed_lower_bound(law, m, d)
    assert (twice + 1) ** 2 == pytest.approx((expected + 1) ** 2 / 2)


@given(st.floats(1.05, 3), st.floats(-0.9, 0.9), st.integers(10, 10**8))
def test_the_lower_bound_stays_below_the_prediction(gamma, share, m):
    """With the target of size 1/2 that the theorem asks for: amplitude ≥ (1/2)/|x| ≥ 1/(2√d)."""
    law = ScalingLaw.from_gamma(gamma, share * (gamma - 1))
    prediction = condensed_prediction(law, m, 2, 1 / (2 * math.sqrt(2)))
    assert 0 <= condensed_lower_bound(law, m, 2) <= prediction.w


def test_the_lower_bound_is_silent_outside_the_theorem():
    assert condensed_lower_bound(ScalingLaw.ntk(), 1000, 2) == 0
    assert condensed_lower_bound(ScalingLaw.mean_field(), 1000, 2) == 0


class _Parallel:
    x = np.array([[1.0, 1.0], [1.0, 1.0]])
    y = np.array([0.0, 1.0])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: linear_predictions(ScalingLaw.ntk(), 0, DATA), "`width` must be a positive"),
        (lambda: linear_predictions(ScalingLaw.ntk(), 5, _Parallel()), "Gram matrix .* singular"),
        (lambda: condensed_prediction(ScalingLaw.ntk(), 5, 2, -1.0), "`total_amplitude`"),
        (lambda: least_amplitude(_Parallel()), "No network of this kind fits"),
        (lambda: least_amplitude(polynomial(n=2, bias=False)), "must have d = 2 here"),
        (lambda: linear_decay_rate(ScalingLaw.ntk(), 5, DATA, lazy="b"), "`lazy` must be one of"),
        (lambda: loss_bound(np.ones(2), 0.0, 1.0), "`initial_loss` must be a positive"),
        (lambda: condensed_lower_bound(ScalingLaw.ntk(), 5, 0), "`d` must be a positive"),
    ],
)
def test_predictions_refuse_bad_arguments_in_words(call, words):
    with pytest.raises(ArgumentError, match=words):
        call()


def test_every_public_name_is_documented():
    for name in kernels.__all__:
        assert getattr(kernels, name).__doc__
