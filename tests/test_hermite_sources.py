"""Functions from a line of text: names with options, coefficients, polynomials, refusals."""

import math

import numpy as np
import pytest

from netphase import hermite
from netphase.errors import ArgumentError


def test_coefficients_may_be_fractions():
    found = hermite.load("1, −1, 2/3,-1/3")
    assert found.coefficients.tolist() == [1.0, -1.0, 2 / 3, -1 / 3]
    assert found.finite
    assert hermite.load("1e-3").coefficients.tolist() == [1e-3]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("tanh", hermite.expand("tanh")),
        ("relu", hermite.relu()),
        ("relu?shift=0.5", hermite.relu(0.5)),
        ("erf?scale=0.5&terms=20", hermite.erf(0.5, 20)),
        ("gelu?terms=8", hermite.expand("gelu", 8)),
        ("1 + z - 2*z^2", hermite.polynomial([1.0, 1.0, -2.0])),
        ("h1(z) - 0.5*h3(z)", hermite.expand([0.0, 1.0, 0.0, -0.5])),
    ],
)
def test_a_text_is_the_function_it_names(text, same):
    found = hermite.load(text)
    np.testing.assert_allclose(found.coefficients, same.coefficients, rtol=1e-14)
    assert found.square == pytest.approx(same.square, rel=1e-14)
    z = np.linspace(-3, 3, 7)
    np.testing.assert_allclose(found(z), same(z), rtol=1e-12, atol=1e-12)


def test_several_variables_are_a_multi_index_target():
    found = hermite.load("z1 + 2*z1*z2")
    assert found.projections == 2
    assert found.square == pytest.approx(5.0)
    assert found(np.array([3.0, 0.5])) == pytest.approx(6.0)


def test_the_mean_square_of_a_polynomial_is_that_of_its_moments():
    assert hermite.load("z^3").square == pytest.approx(15.0)  # E G^6
    assert hermite.load("z + z^2").square == pytest.approx(4.0)
    assert hermite.load("z").coefficients.tolist() == [0.0, 1.0]
    assert math.isclose(hermite.load("1/2,1/2").square, 0.5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("exp", "`target` must be an activation (relu, "),
        ("rellu", "Did you mean 'relu'?"),
        ("", "must be a name"),
        ("1,,2", "must be numbers or fractions with commas"),
        ("1,2/0", "must be numbers or fractions with commas"),
        ("1,2,z", "is no part of a polynomial"),
        ("z^z", "`target` must be a polynomial"),
        ("exp(z)", "`target` must be a polynomial"),
        ("1e999", "overflow|must be finite|must be numbers"),
        ("relu?shift=big", "must be a number, but is 'big'"),
        ("relu?slope=1", "has the unknown option 'slope'. Options: shift, terms."),
        ("erf?scale=-1", "whose option `scale` must be a positive"),
        ("z - z", "must not be zero"),
    ],
)
def test_anything_else_is_refused_in_a_sentence(text, words):
    with pytest.raises(ArgumentError) as refused:
        hermite.load(text, "target")
    assert any(each in str(refused.value) for each in words.split("|")), str(refused.value)
