"""Least eigenvalues of limiting kernels as pre-activations shrink: exponents against kernels."""

import math

import numpy as np
import pytest

from netphase import activations
from netphase.errors import ArgumentError
from netphase.kernels import deep_kernels, degeneracy_exponent, shrinking_eigenvalues
from netphase.scalings import LayerScales


def inputs(n, d, seed=1):
    return np.random.default_rng(seed).standard_normal((n, d))


@pytest.mark.parametrize(
    ("activation", "n", "d", "depth", "layer", "exponent"),
    [
        ("tanh", 3, 3, 1, 2, 0),  # independent inputs
        ("tanh", 6, 3, 1, 2, 4),
        ("tanh", 6, 3, 1, 1, 4),
        ("tanh", 6, 3, 2, None, 4),
        ("erf", 7, 2, 1, 2, 8),  # 2 + 4 polynomials of degrees 1 and 3 are not enough
        ("erf", 4, 3, 3, 2, 4),
        ("gelu", 6, 3, 1, 2, 2),
        ("gelu", 6, 2, 1, 2, 6),  # 2 + 3 of degrees 1 and 2, none of degree 3, then of 4
        ("gelu", 6, 2, 2, None, 4),  # two layers have degree 3 = 1 + 2, too
        ("softplus", 4, 3, 1, 2, 0),  # a constant and d linear functions
        ("softplus", 4, 3, 1, 1, 2),  # no constant in K^[1]
        ("sigmoid", 6, 3, 1, 2, 4),
        ("sigmoid", 6, 3, 2, 3, 2),  # pre-activations of size one have every degree
        ("x_tanh", 5, 3, 1, 2, 2),
        ("x_tanh", 3, 2, 2, 3, 6),
        ("x2_tanh", 4, 2, 1, 1, 4),
        ("leaky_relu", 6, 2, 3, None, 0),
    ],
)
def test_the_exponent_is_that_of_the_kernels(activation, n, d, depth, layer, exponent):
    x = inputs(n, d)
    assert degeneracy_exponent(x, activation, depth, layer) == exponent
    size = 0.03 if exponent < 6 else 0.06  # the rest is rounding
    sizes = np.array([1.3, 1.0]) * size
    values = shrinking_eigenvalues(x, activation, sizes, depth, layer)
    assert np.all(values > 0)
    slope = math.log(values[0] / values[1]) / math.log(sizes[0] / sizes[1])
    assert slope == pytest.approx(exponent, abs=0.15)


@pytest.mark.parametrize("layer", [None, 1, 2, 3, 4])
def test_equal_inputs_leave_no_eigenvalue_in_any_layer(layer):
    x = inputs(4, 3, seed=3)
    twice = np.vstack([x, x[0]])
    values = shrinking_eigenvalues(twice, "x_tanh", np.array([30.0, 1.0, 0.3]), 3, layer)
    assert values.tolist() == [0.0, 0.0, 0.0]


def test_a_bias_counts_as_an_input_and_special_positions_count_as_they_are():
    line = np.column_stack([np.linspace(-1, 1, 3), np.ones(3)])
    assert degeneracy_exponent(line, "gelu") == 2  # 1, x and x²
    angles = np.linspace(0.1, 3.0, 5)
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    assert degeneracy_exponent(inputs(6, 2), "tanh") == 4
    assert degeneracy_exponent(circle, "tanh") == 8  # degree 3 has four harmonics, two of them new
    cone = inputs(4, 3)
    cone[3] = cone[0] + cone[1]
    assert degeneracy_exponent(cone[[0, 1, 3]], "tanh") == 4


def test_one_polynomial_has_its_own_degrees():
    square = activations.from_pair("square", lambda z: z + z * z, lambda z: 1 + 2 * z)
    assert degeneracy_exponent(inputs(5, 2), square) == 2
    with pytest.raises(ArgumentError, match="rank 5 for 6 inputs"):
        degeneracy_exponent(inputs(6, 2), square)
    assert degeneracy_exponent(inputs(6, 2), square, depth=2) == 4


def test_large_pre_activations_of_tanh_leave_the_output_layer_alone():
    """D falls as 1/p on the diagonal and 1/p² off it; S̄ as that of a sign, over p²."""
    x = inputs(4, 3)
    sizes = np.array([100.0, 200.0])
    found = [deep_kernels(x, LayerScales(1, (p, 1.0), (1.0, 1.0)), "tanh") for p in sizes]
    ratio = found[0].slopes[0] / found[1].slopes[0]
    off = ~np.eye(4, dtype=bool)
    np.testing.assert_allclose(ratio[~off], 2.0, rtol=0.01)
    np.testing.assert_allclose(ratio[off], 4.0, rtol=0.02)
    cosine = x @ x.T / np.outer(*[np.linalg.norm(x, axis=1)] * 2)
    sign = 2 / np.pi * np.arcsin(np.clip(cosine, -1, 1))
    np.testing.assert_allclose(found[1].features[0], sign, atol=0.02)
    assert found[1].shares[0] < 0.52 * found[0].shares[0] + 1e-3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((inputs(4, 3), "tanh", 0), "`depth` must be a positive"),
        ((inputs(4, 3), "tanh", 2, 4), "`layer` must be at most 3"),
        ((inputs(4, 3)[[0, 1, 1]], "tanh"), "rank 2 for 3 inputs: some are equal"),
        ((np.vstack([inputs(2, 3), -inputs(1, 3)]), "erf"), "opposite"),
        ((inputs(99, 1), "gelu"), "too many"),
        ((np.zeros((2, 3)), "tanh"), "rank 0 for 2 inputs"),
        ((inputs(4, 3)[[0, 1, 1]], "relu"), "some are equal or proportional"),
        ((np.vstack([inputs(2, 3), 2e9 * inputs(1, 3)]), "relu", 2, 1), "equal or proportional"),
        ((np.vstack([inputs(2, 3), np.zeros((1, 3))]), "relu"), "no zero row, but row 2 is"),
    ],
)
def test_bad_arguments_are_refused_in_words(arguments, words):
    with pytest.raises(ArgumentError, match=words):
        degeneracy_exponent(*arguments)


def test_activations_with_a_kink_and_constants_have_no_exponent():
    bent = activations.from_pair(
        "bent", lambda z: np.abs(z) ** 1.5, lambda z: 1.5 * np.sign(z) * np.abs(z) ** 0.5,
        smooth=False,
    )  # fmt: skip
    with pytest.raises(ArgumentError, match="homogeneous or have derivatives"):
        degeneracy_exponent(inputs(2, 2), bent)
    flat = activations.from_pair("flat", np.ones_like, np.zeros_like)
    with pytest.raises(ArgumentError, match="constant near zero"):
        degeneracy_exponent(inputs(2, 2), flat)
    with pytest.raises(ArgumentError, match=r"`sizes\[0\]` must be a positive"):
        shrinking_eigenvalues(inputs(2, 2), "tanh", np.array([0.0]))


def own(name, value, slope):
    return activations.from_pair(name, value, slope)


def test_a_steep_activation_has_the_degrees_of_one_that_is_not():
    steep = own("steep", lambda z: np.tanh(100 * z), lambda z: 100 / np.cosh(100 * z) ** 2)
    assert degeneracy_exponent(inputs(7, 2), steep) == degeneracy_exponent(inputs(7, 2), "erf") == 8
    lacking = own(  # no z³, which an interpolation on too large an interval would show
        "lacking",
        lambda z: np.tanh(10 * z) + (10 * z) ** 3 / 3,
        lambda z: 10 / np.cosh(10 * z) ** 2 + 10 * (10 * z) ** 2,
    )
    assert degeneracy_exponent(inputs(6, 2), lacking) == 8  # degrees 1 and 5


@pytest.mark.parametrize(
    "activation",
    [
        own("cube", lambda z: z + abs(z) ** 3, lambda z: 1 + 3 * z * abs(z)),
        own(
            "step",
            lambda z: np.tanh(1e4 * z),
            lambda z: 1e4 / np.cosh(np.clip(1e4 * z, -99, 99)) ** 2,
        ),
    ],
)
def test_what_no_polynomial_holds_has_no_degrees(activation):
    with pytest.raises(ArgumentError, match="must have a Taylor series at zero"):
        degeneracy_exponent(inputs(4, 3), activation)


@pytest.mark.parametrize("size", [1e300, 1e-300])
def test_the_exponent_does_not_depend_on_the_unit_of_the_inputs(size):
    x = np.random.default_rng(4).standard_normal((5, 3))
    assert degeneracy_exponent(size * x, "tanh") == degeneracy_exponent(x, "tanh") == 4
