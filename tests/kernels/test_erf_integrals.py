"""Averages of erf units against their printed forms, quadrature, sampling, and one another."""

import math

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import erf

from netphase.errors import ArgumentError
from netphase.kernels import (
    erf_force,
    erf_forces,
    erf_gram,
    erf_noise,
    erf_pair,
    erf_quartic,
    erf_slopes,
)


def covariance(p, seed=0, size=1.0):
    w = np.random.default_rng(seed).standard_normal((p, p + 1))
    return size * w @ w.T / (p + 1)


def g(x):
    return erf(x / math.sqrt(2))


def slope(x):
    return math.sqrt(2 / math.pi) * np.exp(-x * x / 2)


def products(x):
    """What is averaged, by name, of fields x (4, n)."""
    return {
        "pair": g(x[0]) * g(x[1]),
        "slopes": slope(x[0]) * slope(x[1]),
        "force": slope(x[0]) * x[1] * g(x[2]),
        "quartic": slope(x[0]) * slope(x[1]) * g(x[2]) * g(x[3]),
    }


def closed(c):
    return {
        "pair": erf_pair(c[:2, :2]),
        "slopes": erf_slopes(c[:2, :2]),
        "force": erf_force(c[:3, :3]),
        "quartic": erf_quartic(c),
    }


@pytest.mark.parametrize("seed", range(3))
def test_integrals_equal_quadrature(seed):
    c = covariance(4, seed, 0.4)
    nodes, weights = hermegauss(24)
    weights = weights / weights.sum()
    grid = np.array(np.meshgrid(*4 * [nodes], indexing="ij")).reshape(4, -1)
    mass = np.prod(np.meshgrid(*4 * [weights], indexing="ij"), axis=0).ravel()
    values = products(np.linalg.cholesky(c) @ grid)
    for name, found in closed(c).items():
        assert found == pytest.approx(values[name] @ mass, abs=2e-7), name


@pytest.mark.parametrize("size", [1.0, 8.0])
def test_integrals_equal_sampling(size):
    c = covariance(4, 5, size)
    x = np.linalg.cholesky(c) @ np.random.default_rng(6).standard_normal((4, 300_000))
    values = products(x)
    for name, found in closed(c).items():
        error = values[name].std() / math.sqrt(x.shape[1])
        assert abs(found - values[name].mean()) < 4.5 * error, name


def test_the_quartic_average_has_its_printed_form():
    c = covariance(4, 8)
    a, b = 1 + c[0, 0], 1 + c[1, 1]
    whole = a * b - c[0, 1] ** 2

    def turned(k, m):
        straight = whole * c[k, m] - c[1, k] * c[1, m] * a - c[0, k] * c[0, m] * b
        return straight + c[0, 1] * (c[0, k] * c[1, m] + c[0, m] * c[1, k])

    sizes = (whole + turned(2, 2)) * (whole + turned(3, 3))
    printed = 4 / (math.pi**2 * math.sqrt(whole)) * math.asin(turned(2, 3) / math.sqrt(sizes))
    assert erf_quartic(c) == pytest.approx(printed, rel=1e-13)


@pytest.mark.parametrize(("units", "p"), [(1, 1), (2, 5), (7, 9), (30, 40)])
def test_sums_over_units_are_sums_of_integrals(units, p):
    c, b = covariance(p, 9, 2.0), np.random.default_rng(10).standard_normal(p)
    pairs = np.array([[c[np.ix_([i, j], [i, j])] for j in range(p)] for i in range(p)])
    np.testing.assert_allclose(erf_gram(c), erf_pair(pairs), rtol=1e-13, atol=1e-15)
    picked = [(0, 0), (units - 1, p - 1), (units // 2, 0)]
    for i, k in picked:
        terms = [erf_force(c[np.ix_([i, k, q], [i, k, q])]) for q in range(p)]
        assert erf_forces(c, b, units)[i, k] == pytest.approx(b @ terms, abs=1e-13 * p)
    noise = erf_noise(c, b, units, 0.3)
    for i, j in ((0, 0), (units - 1, 0), (units // 2, units - 1)):
        index = [[[i, j, k, q] for k in range(p)] for q in range(p)]
        four = np.array([[c[np.ix_(one, one)] for one in row] for row in index])
        truth = b @ erf_quartic(four) @ b + 0.3 * pairs_slope(c, i, j)
        assert noise[i, j] == pytest.approx(truth, rel=1e-11)
    assert np.linalg.eigvalsh(noise)[0] > -1e-13


def pairs_slope(c, i, j):
    return erf_slopes(c[np.ix_([i, j], [i, j])])


def test_another_shape_is_refused_in_a_sentence():
    with pytest.raises(ArgumentError, match=r"`c` must have the shape \(…, 4, 4\), but has"):
        erf_quartic(np.eye(3))
