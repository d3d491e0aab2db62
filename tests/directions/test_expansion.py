"""Leading orders of activations: Taylor coefficients, kinks, and refusals in words."""

import math

import numpy as np
import pytest

from netphase import activations
from netphase.directions import Expansion, expansion
from netphase.errors import ArgumentError

CUBE = activations.from_pair("cube", lambda z: z**3, lambda z: 3 * z * z, multiplicity=3)
COSINE = activations.from_pair("cosine", np.cos, lambda z: -np.sin(z))
SINE = activations.from_pair("sine", np.sin, np.cos, multiplicity=1)
ELU = activations.from_pair(
    "elu_2",
    lambda z: np.where(z > 0, z, 2 * np.expm1(np.minimum(z, 0))),
    lambda z: np.where(z > 0, 1.0, 2 * np.exp(np.minimum(z, 0))),
    smooth=False,
)
HARD = activations.from_pair(
    "hard", lambda z: np.clip(z, -1, 1), lambda z: (np.abs(z) < 1) * 1.0, smooth=False
)
SQUARED_RELU = activations.from_pair(
    "relu_2", lambda z: np.maximum(z, 0) ** 2, lambda z: 2 * np.maximum(z, 0), smooth=False
)


@pytest.mark.parametrize("name", [n for n in activations.NAMES if activations.get(n).smooth])
def test_smooth_activations_are_their_constant_and_first_power(name):
    found = expansion(name)
    z = np.array([-1e-3, 1e-3])
    rest = activations.get(name).value(z) - found.constant
    p = found.multiplicity
    # averaging over ±z or differencing it takes the next order away
    leading = (rest[1] + (-1) ** p * rest[0]) / 2 / z[1] ** p
    np.testing.assert_allclose(found.coefficient, leading, rtol=1e-5)
    assert found.slopes is None


def test_coefficients_are_known_in_closed_form():
    known = {"erf": 2 / math.sqrt(math.pi), "gelu": 0.5, "sigmoid": 0.25, "centred_softplus": 0.5}
    for name, coefficient in known.items():
        assert expansion(name).coefficient == pytest.approx(coefficient, rel=1e-15)
    assert expansion("softplus").constant == pytest.approx(math.log(2), rel=1e-15)


@pytest.mark.parametrize(
    ("activation", "slopes"),
    [("relu", (1.0, 0.0)), ("leaky_relu", (1.0, 0.01)), (ELU, (1.0, 2.0))],
)
def test_kinks_have_two_slopes(activation, slopes):
    found = expansion(activation)
    assert (found.multiplicity, found.coefficient, found.constant) == (1, 1.0, 0.0)
    np.testing.assert_allclose(found.slopes, slopes, atol=1e-8)


def test_a_kink_elsewhere_does_not_matter():
    assert expansion(HARD) == Expansion(1, 1.0)


def test_activations_of_ones_own():
    assert expansion(SINE) == Expansion(1, 1.0)
    cosine = expansion(COSINE, multiplicity=2)
    assert cosine.constant == 1
    assert cosine.coefficient == pytest.approx(-0.5, abs=1e-9)
    assert expansion(CUBE, coefficient=1.0) == Expansion(3, 1.0)


def test_a_multiplicity_alone():
    assert expansion(multiplicity=4) == Expansion(4, 1.0)
    assert expansion(multiplicity=2, coefficient=-3) == Expansion(2, -3.0)


@pytest.mark.parametrize(
    ("activation", "options", "words"),
    [
        (None, {}, "One of the arguments `activation` and `multiplicity` is needed"),
        (None, {"multiplicity": 0}, "`multiplicity` must be a positive integer"),
        (None, {"multiplicity": 21}, "must be at most 20, but is 21"),
        (None, {"multiplicity": 2, "coefficient": 0.0}, "`coefficient` must not be zero"),
        (None, {"multiplicity": 2, "coefficient": np.nan}, "`coefficient` must be a finite"),
        ("tanh", {"multiplicity": 1}, "must be left out where they are known, as for tanh"),
        ("relu", {"coefficient": 1.0}, "must be left out where they are known, as for relu"),
        ("thanh", {}, "Did you mean 'tanh'"),
        (COSINE, {}, "`multiplicity` is needed: that of cosine is not known"),
        (SINE, {"multiplicity": 2}, "must agree with sine, which has 1, but is 2"),
        (SINE, {"coefficient": 1.0}, "must be left out where they are known, as for sine"),
        (COSINE, {"multiplicity": 3, "coefficient": 1.0}, "first two are 0 and -1"),
        (COSINE, {"multiplicity": 1}, "`coefficient` must not be zero"),
        (CUBE, {}, "`coefficient` is needed for cube: its derivative 3 at 0, divided by 3!"),
        (SQUARED_RELU, {}, "neither smooth nor has a slope at 0"),
    ],
)
def test_what_is_not_known_or_contradicts_is_refused_in_words(activation, options, words):
    with pytest.raises(ArgumentError, match=words):
        expansion(activation, **options)
