"""Series of pairs of any sizes: against closed forms, limits of steep activations and panels."""

import dataclasses
import math

import numpy as np
import pytest

from netphase import activations
from netphase.errors import ArgumentError
from netphase.kernels import gaussian_kernels, moments, panels
from netphase.kernels.pair_series import pair_series

SIZES = np.array([0.01, 0.5, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0])
ERF = dataclasses.replace(activations.get("erf"), name="my_erf", code=None)


def relative_errors(found, exact, squares):
    """Errors over the geometric means of squares."""
    pairs = zip(found, exact, squares, strict=True)
    return [np.abs(one - other) / np.sqrt(np.outer(s, s)) for one, other, s in pairs]


def closed(phi):
    """Moments of erf for all pairs of sizes, and squares."""
    erf = activations.get("erf")
    same = moments.pair_moments(erf, SIZES, SIZES, np.zeros((len(SIZES),) * 2))
    return moments.pair_moments(erf, SIZES, SIZES, phi), [np.diag(each) for each in same]


@pytest.mark.parametrize("gap", [1.0, 0.5, 0.1, 0.05, 0.01, 5e-3, 1e-3, 1e-4, 1e-6])
@pytest.mark.parametrize("sign", [1, -1])
def test_sums_agree_with_closed_forms_where_they_claim_to(gap, sign):
    phi = np.full((len(SIZES),) * 2, math.acos(sign * (1 - gap)))
    found, missing = pair_series(ERF, SIZES, SIZES, phi, symmetric=False)
    for error in relative_errors(found, *closed(phi)):
        assert error[~missing].max() < 1e-12
    assert not missing[:3, :3].any()
    if gap >= 0.05:
        assert not missing.any()


def test_many_pairs_take_as_many_terms_as_they_need():
    phi = np.linspace(0.01, math.pi - 0.01, 4000)[None, :]
    p, q = np.array([100.0]), np.full(4000, 300.0)
    found, missing = pair_series(ERF, p, q, phi, symmetric=False)
    exact = moments.pair_moments(activations.get("erf"), p, q, phi)
    squares = [moments.second_moments(activations.get("erf"), each)[0] for each in (p, q)]
    assert not missing[np.sin(phi) > 0.1].any()
    assert missing.mean() < 0.05
    size = math.sqrt(math.prod(squares))
    np.testing.assert_allclose(found[0][~missing], exact.value[~missing], rtol=0, atol=1e-12 * size)
    np.testing.assert_allclose(found[1][~missing], exact.slope[~missing], rtol=1e-9)


@pytest.mark.parametrize("phi", [0.0, math.pi, 1e-12, math.pi - 1e-12])
def test_parallel_pairs_are_integrated_along_a_line(phi):
    angles = np.full((len(SIZES),) * 2, phi)
    found, missing = pair_series(ERF, SIZES, SIZES, angles, symmetric=False)
    assert not missing.any()
    for error in relative_errors(found, *closed(angles)):
        assert error.max() < 1e-12


@pytest.mark.parametrize("size", [1e20, 1e40])
def test_steep_activations_are_those_with_a_kink(size):
    phi = np.array([[0.05, 0.3, 1.0, 1.57, 2.5, 2.8, 0.0, math.pi]])
    c, s, a = np.cos(phi), np.sin(phi), math.pi / 2 - phi
    p, q = np.array([size]), np.full(phi.size, 2 * size)
    sign = moments.pair_moments(activations.get("tanh"), p, q, phi)
    np.testing.assert_allclose(sign.value, 2 / math.pi * a, atol=1e-14)
    square = moments.pair_moments(activations.get("x2_tanh"), p, q, phi)  # z² sign z
    exact = 2 / math.pi * (3 * c * s + (1 + 2 * c * c) * a)
    np.testing.assert_allclose(square.value / (4 * size**4), exact, atol=1e-13)
    np.testing.assert_allclose(square.slope / (2 * size**2), 8 / math.pi * (s + c * a), atol=1e-13)


@pytest.mark.parametrize("size", [1e7, 1e10, 1e15])
def test_slopes_of_steep_activations_are_those_of_a_step(size):
    """Whose derivative is a point mass at 0: 4 times the density of the pair there."""
    phi = np.array([[0.05, 0.3, 1.0, 1.57, 2.8]])
    p, q = np.array([size]), np.full(phi.size, 2 * size)
    found = moments.pair_moments(activations.get("tanh"), p, q, phi).slope
    np.testing.assert_allclose(found, 4 / (2 * math.pi * np.outer(p, q) * np.sin(phi)), rtol=1e-10)


@pytest.mark.parametrize("name", ["tanh", "gelu", "sigmoid", "x_tanh"])
def test_sums_agree_with_panels_for_large_sizes(name):
    sigma = activations.get(name)
    rng = np.random.default_rng(3)
    p, q = rng.uniform(13, 300, 3), rng.uniform(13, 300, 4)
    phi = rng.uniform(0.4, 2.7, (3, 4))
    found, missing = pair_series(sigma, p, q, phi, symmetric=False)
    assert not missing.any()
    squares = [
        [panels.mean_square(function, size, ()) for size in sizes]
        for function in (sigma.value, sigma.derivative)
        for sizes in (p, q)
    ]
    for (i, j), angle in np.ndenumerate(phi):
        exact = panels.pair(sigma, p[i], q[j], angle, ())
        for which in range(2):
            size = math.sqrt(squares[2 * which][i] * squares[2 * which + 1][j])
            assert found[which, i, j] == pytest.approx(exact[which], rel=0, abs=1e-12 * size)


def test_both_halves_of_a_symmetric_matrix_are_filled():
    x = np.random.default_rng(0).standard_normal((12, 2))
    whole = gaussian_kernels(x, "tanh", 30.0)
    parts = gaussian_kernels(x, "tanh", 30.0, other=x[::-1])
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one, one.T)
        np.testing.assert_allclose(one, other[:, ::-1], atol=1e-11 * np.abs(one).max())


def test_squares_beyond_the_range_of_floats_are_refused():
    with pytest.raises(ArgumentError, match="`scale` must keep squares of the activation"):
        gaussian_kernels(np.ones((2, 2)), "x2_tanh", 1e100)
