"""Activations: values against high precision, derivatives, limits and the user's own."""

import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netphase import activations
from netphase.errors import ArgumentError

SMOOTH = [n for n in activations.NAMES if activations.get(n).smooth]
ALL = list(activations.NAMES)


def test_codes_are_those_of_the_compiled_engine():
    assert [activations.get(name).code for name in ALL] == list(range(11))
    assert ALL == [
        "relu", "leaky_relu", "tanh", "x_tanh", "x2_tanh", "erf", "sigmoid", "softplus", "gelu",
        "centred_sigmoid", "centred_softplus",
    ]  # fmt: skip


# Taylor coefficients of σ at 0, enough for |z| ≤ 0.02 to 1e-15.
TANH = {
    1: Fraction(1),
    3: Fraction(-1, 3),
    5: Fraction(2, 15),
    7: Fraction(-17, 315),
    9: Fraction(62, 2835),
}
ERF = {1: 1.0, 3: -1 / 3, 5: 1 / 10, 7: -1 / 42, 9: 1 / 216}
SERIES = {
    "tanh": {k: float(c) for k, c in TANH.items()},
    "x_tanh": {k + 1: float(c) for k, c in TANH.items()},
    "x2_tanh": {k + 2: float(c) for k, c in TANH.items()},
    "erf": {k: c * 2 / math.sqrt(math.pi) for k, c in ERF.items()},
    "sigmoid": {0: 0.5} | {k: float(c) / 2 ** (k + 1) for k, c in TANH.items()},
    "softplus": {0: math.log(2), 1: 0.5}
    | {k + 1: float(c) / 2 ** (k + 1) / (k + 1) for k, c in TANH.items()},
    "gelu": {1: 0.5} | {k + 1: c / 2 ** (k / 2) / math.sqrt(math.pi) for k, c in ERF.items()},
}
SERIES |= {
    f"centred_{name}": {k: c for k, c in SERIES[name].items() if k}
    for name in ("sigmoid", "softplus")
}


def _derived(series):
    return {k - 1: k * c for k, c in series.items() if k}


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("sign", [1, -1])
def test_values_and_derivatives_keep_relative_accuracy_near_zero(name, sign):
    z = sign * np.array([1e-300, 1e-100, 1e-8, 1e-3, 0.02])
    sigma, series = activations.get(name), SERIES[name]
    with np.errstate(under="ignore"):
        for function in (sigma.value, sigma.derivative, sigma.second_derivative):
            expected = sum(c * z**k for k, c in series.items())
            np.testing.assert_allclose(function(z), expected, rtol=2e-12, atol=1e-307)
            series = _derived(series)


@pytest.mark.parametrize("name", SMOOTH)
def test_multiplicity_is_the_first_power_after_the_constant(name):
    assert activations.get(name).multiplicity == min(k for k in SERIES[name] if k > 0)


@pytest.mark.parametrize("name", ALL)
def test_derivatives_are_the_slopes(name):
    z = np.array([-5.3, -2.1, -0.7, -0.31, 0.29, 0.83, 1.9, 6.1])
    sigma = activations.get(name)
    h = 1e-5
    for function, slope in (
        (sigma.value, sigma.derivative),
        (sigma.derivative, sigma.second_derivative),
    ):
        differences = (function(z + h) - function(z - h)) / (2 * h)
        np.testing.assert_allclose(slope(z), differences, rtol=1e-6, atol=1e-9)


LIMITS = {  # value, derivative, second derivative at −1000 and at 1000
    "relu": ((0, 0, 0), (1e3, 1, 0)),
    "leaky_relu": ((-10, 0.01, 0), (1e3, 1, 0)),
    "tanh": ((-1, 0, 0), (1, 0, 0)),
    "x_tanh": ((1e3, -1, 0), (1e3, 1, 0)),
    "x2_tanh": ((-1e6, 2e3, -2), (1e6, 2e3, 2)),
    "erf": ((-1, 0, 0), (1, 0, 0)),
    "sigmoid": ((0, 0, 0), (1, 0, 0)),
    "softplus": ((0, 0, 0), (1e3, 1, 0)),
    "gelu": ((0, 0, 0), (1e3, 1, 0)),
    "centred_sigmoid": ((-0.5, 0, 0), (0.5, 0, 0)),
    "centred_softplus": ((-math.log(2), 0, 0), (1e3 - math.log(2), 1, 0)),
}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_nothing_overflows_far_out(name, dtype):
    sigma = activations.get(name)
    z = np.array([-1e3, 1e3], dtype=dtype)
    with np.errstate(all="raise", under="ignore"):
        for k, function in enumerate((sigma.value, sigma.derivative, sigma.second_derivative)):
            found = function(z)
            assert found.dtype == z.dtype
            np.testing.assert_allclose(found, [LIMITS[name][s][k] for s in (0, 1)], rtol=1e-6)


def test_tails_keep_relative_accuracy():
    z = np.array([20.0])
    np.testing.assert_allclose(activations.get("tanh").derivative(z), 4 * np.exp(-40), rtol=1e-14)
    np.testing.assert_allclose(activations.get("sigmoid").value(-z), np.exp(-20), rtol=1e-8)
    np.testing.assert_allclose(activations.get("softplus").value(-z), np.exp(-20), rtol=1e-8)
    centred = activations.get("centred_sigmoid")
    np.testing.assert_allclose(centred.derivative(z), np.exp(-20), rtol=1e-8)
    mills = 1 / (20 + 1 / (20 + 2 / (20 + 3 / (20 + 4 / 20))))
    density = np.exp(-200) / math.sqrt(2 * math.pi)
    np.testing.assert_allclose(activations.get("gelu").value(-z), -20 * density * mills, rtol=1e-7)


@pytest.mark.parametrize("name", ALL)
def test_float32_agrees_with_float64(name):
    z = np.linspace(-4, 4, 101).astype(np.float32)
    sigma = activations.get(name)
    for function in (sigma.value, sigma.derivative, sigma.second_derivative):
        wide, narrow = function(z.astype(np.float64)), function(z)
        assert narrow.dtype == np.float32
        np.testing.assert_allclose(narrow, wide, rtol=1e-5, atol=3e-6)


@given(st.floats(-50, 50), st.floats(0.01, 100))
def test_homogeneous_activations_are(z, c):
    for name in ALL:
        sigma = activations.get(name)
        if sigma.homogeneous:
            point = np.array([z])
            np.testing.assert_allclose(
                sigma.value(c * point), c * sigma.value(point), rtol=1e-12, atol=1e-300
            )


@pytest.mark.parametrize("name", ALL)
def test_activations_can_be_sent_to_other_processes(name):
    sigma = activations.get(name)
    assert pickle.loads(pickle.dumps(sigma)) == sigma


def test_unknown_names_suggest_and_activations_pass_through():
    sigma = activations.get("tanh")
    assert activations.get(sigma) is sigma
    with pytest.raises(ArgumentError, match="Did you mean 'leaky_relu'"):
        activations.get("leaky-relu")


def test_a_pair_of_ones_own_gets_a_second_derivative():
    sine = activations.from_pair("sine", np.sin, np.cos, multiplicity=1)
    z = np.linspace(-3, 3, 7)
    assert (sine.code, sine.smooth, sine.homogeneous, sine.multiplicity) == (None, True, False, 1)
    np.testing.assert_allclose(sine.second_derivative(z), -np.sin(z), atol=1e-9)
    assert sine.second_derivative(z.astype(np.float32)).dtype == np.float32
    exact = activations.from_pair("sine", np.sin, np.cos, lambda z: -np.sin(z))
    assert np.array_equal(exact.second_derivative(z), -np.sin(z))


@pytest.mark.parametrize("name", ALL)
def test_centring_takes_the_constant_and_keeps_the_derivatives(name):
    z = np.array([-7.0, -0.4, 0.0, 1.1, 30.0])
    sigma, centred = activations.get(name), activations.centred(name)
    np.testing.assert_allclose(
        centred.value(z), sigma.value(z) - sigma.value(np.zeros(1)), rtol=1e-14, atol=2e-16
    )
    assert np.array_equal(centred.derivative(z), sigma.derivative(z))
    assert centred.multiplicity == sigma.multiplicity
    assert centred.code is not None
    assert (centred is sigma) == (name not in ("sigmoid", "softplus"))


def test_centring_an_activation_of_ones_own_subtracts_its_value_at_zero():
    cosine = activations.from_pair("cosine", np.cos, lambda z: -np.sin(z), multiplicity=2)
    centred = activations.centred(cosine)
    z = np.linspace(-3, 3, 7)
    value = pickle.loads(pickle.dumps(centred.value))
    np.testing.assert_allclose(value(z), np.cos(z) - 1)
    assert centred.value(z.astype(np.float32)).dtype == np.float32
    assert (centred.name, centred.code, centred.multiplicity) == ("centred_cosine", None, 2)
    sine = activations.from_pair("sine", np.sin, np.cos)
    assert activations.centred(sine) is sine


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (("relu", np.sin, np.cos), {}, "must not be a built-in one"),
        (("s", np.sin, np.sin), {}, "`derivative` must be the derivative of `value`"),
        (("s", np.sin, np.cos, np.cos), {}, "`second_derivative` must be the derivative of"),
        (("s", 3, np.cos), {}, "`value` must be a function, but is 3"),
        (("s", lambda _: 1.0, np.cos), {}, "`value` must return finite numbers in the shape"),
        (("s", np.sin, lambda z: z[:3]), {}, "`derivative` must return finite numbers"),
        (("s", lambda z: z * np.nan, np.cos), {}, "`value` must return finite numbers"),
        (("s", np.sin, np.cos), {"homogeneous": True}, "`homogeneous` must be False"),
    ],
)
def test_inconsistent_pairs_are_refused_in_words(arguments, options, words):
    with pytest.raises(ArgumentError, match=words):
        activations.from_pair(*arguments, **options)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", activations.NAMES)
def test_value_and_slope_at_once_are_those_one_by_one(name: str, dtype: type) -> None:
    sigma, z = activations.get(name), np.linspace(-30, 30, 2001).astype(dtype)
    value, slope = sigma.value_and_slope(z.copy())
    assert value.dtype == slope.dtype == dtype
    np.testing.assert_array_equal(value, sigma.value(z))
    np.testing.assert_allclose(
        slope, sigma.derivative(z), rtol=0, atol=4 * np.finfo(dtype).eps * abs(slope).max()
    )
