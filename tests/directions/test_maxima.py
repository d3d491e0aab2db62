"""Maxima on the sphere against brute force: fine grids, many starts of SciPy, enumeration."""

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.spatial import cKDTree

from netphase.datasets import from_arrays, gaussian
from netphase.directions import Landscape, expansion
from netphase.directions.circle import on_circle
from netphase.directions.kinked import by_linearising, smooth_tangents
from netphase.directions.maxima import first_order, second_order
from netphase.directions.search import by_search

ANGLES = np.linspace(0, 2 * np.pi, 40_000, endpoint=False)
CIRCLE = np.column_stack([np.cos(ANGLES), np.sin(ANGLES)])


def landscape(data, **kind):
    return Landscape.of(data, expansion(**kind))


def starts(d, count=200, seed=0):
    return np.random.default_rng(seed).standard_normal((count, d))


def assert_same_points(found, signs, expected, distance):
    """Two lists of (direction, sign) hold the same points, in any order."""
    assert len(found) == len(signs) == len(expected)
    for u, s in expected:
        near = np.linalg.norm(found - u, axis=1) < distance
        assert np.sum(near & (signs == s)) == 1, (u, s)


def peaks_on_grid(f):
    """Local maxima of ±F among 40 000 points of the circle."""
    value = f.value(CIRCLE)
    for sign in (1, -1):
        high = sign * value
        top = (high > np.roll(high, 1)) & (high >= np.roll(high, -1))
        yield from ((CIRCLE[k], sign) for k in np.flatnonzero(top))


@pytest.mark.parametrize("p", [1, 2, 3, 4, 5, 8, 13])
@pytest.mark.parametrize("seed", range(4))
def test_the_circle_is_enumerated(p, seed):
    f = landscape(gaussian(n=11, inputs=2, seed=seed, bias=False), multiplicity=p)
    found = on_circle(f)
    assert_same_points(found.directions, found.signs, list(peaks_on_grid(f)), 3e-4)
    assert len(found.signs) <= 2 * p
    slopes = [abs(f.gradient(u) @ [-u[1], u[0]]) for u in found.directions]
    assert max(slopes) < 1e-12 * np.abs(f.value(CIRCLE)).max() * p**2


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_the_circle_with_kinks_is_enumerated(activation, seed):
    f = landscape(
        gaussian(n=7, inputs=1 + seed % 2, seed=seed, bias=seed % 2 == 0), activation=activation
    )
    found = on_circle(f)
    risen = [(u, s) for u, s in peaks_on_grid(f) if s * f.value(u) > 1e-6]
    assert_same_points(found.directions, found.signs, risen, 3e-4)


def test_the_first_order_is_one_line():
    data = gaussian(n=9, inputs=5, seed=3)
    found = first_order(landscape(data, activation="tanh"))
    z = data.y @ data.x
    np.testing.assert_allclose(found.directions, [z, -z] / np.linalg.norm(z), atol=1e-15)
    assert found.signs.tolist() == [1, -1]


@pytest.mark.parametrize("d", [2, 3, 7])
def test_the_second_order_is_the_ends_of_the_spectrum(d):
    data = gaussian(n=9, inputs=d, seed=d, bias=False)
    found = second_order(landscape(data, activation="x_tanh"))
    matrix = np.einsum("n,ni,nj->ij", data.y, data.x, data.x) / data.n
    values = np.linalg.eigvalsh(matrix)
    assert found.signs.tolist() == [1, -1, 1, -1]
    for u, s in zip(found.directions, found.signs, strict=True):
        np.testing.assert_allclose(matrix @ u, values[-1 if s > 0 else 0] * u, atol=1e-13)


def fibonacci_sphere(count):
    k = np.arange(count) + 0.5
    height, angle = 1 - 2 * k / count, np.pi * (1 + 5**0.5) * k
    radius = np.sqrt(1 - height**2)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle), height])


@pytest.mark.parametrize("p", [3, 4, 5])
@pytest.mark.parametrize("seed", range(3))
def test_searches_of_the_sphere_find_what_a_grid_holds(p, seed):
    f = landscape(gaussian(n=12, inputs=3, seed=seed, bias=False), multiplicity=p)
    points = fibonacci_sphere(60_000)
    _, near = cKDTree(points).query(points, k=13)
    value = f.value(points)
    peaks = []
    for sign in (1, -1):
        top = (sign * value)[:, None] >= (sign * value)[near]
        peaks += [(points[k], sign) for k in np.flatnonzero(top.all(axis=1))]
    found = by_search(f, starts(3))
    assert_same_points(found.directions, found.signs, peaks, 0.02)


@pytest.mark.parametrize(("p", "d", "seed"), [(3, 4, 0), (4, 4, 1), (5, 5, 3)])
def test_searches_find_what_many_starts_of_scipy_do(p, d, seed):
    f = landscape(gaussian(n=15, inputs=d, seed=seed, bias=False), multiplicity=p)
    known = []
    for sign, start in itertools.product((1, -1), starts(d, 12 * d, seed=9)):

        def fall(w, sign=sign):
            size = np.linalg.norm(w)
            u, value = w / size, sign * f.value(w / size)
            slope = -(sign * f.gradient(u) - p * value * u) / size
            return -value + (size - 1) ** 2, slope + 2 * (size - 1) * u

        end = minimize(fall, start, jac=True, method="BFGS", options={"gtol": 1e-7})
        u = end.x / np.linalg.norm(end.x)
        if not any(s == sign and np.linalg.norm(u - v) < 1e-4 for v, s in known):
            known.append((u, sign))
    found = by_search(f, starts(d))
    assert_same_points(found.directions, found.signs, known, 1e-5)
    for u, s in zip(found.directions, found.signs, strict=True):
        gradient = s * f.gradient(u)
        assert np.linalg.norm(gradient - (gradient @ u) * u) < 1e-13 * np.linalg.norm(gradient)
        assert f.turned(int(s)).tangent_curvature(u) < 0


def local_maxima_by_enumeration(f):
    """Maxima of ±F > 0 in three dimensions: inside cells, on kinks and where two kinks meet.

    F is linear on every cell between kinks, so the candidates are few; each is kept if none of
    many points around it is higher.
    """
    random = np.random.default_rng(5)
    cells = np.unique(random.standard_normal((20_000, 3)) @ f.x.T > 0, axis=0)
    right, left = f.slopes
    forces = (np.where(cells, right, left) * f.weights) @ f.x  # (cells, 3)
    candidates = [forces]
    for x in f.x:
        normal = x / np.linalg.norm(x)
        candidates.append(forces - np.outer(forces @ normal, normal))
    pairs = [np.cross(x, y) for x, y in itertools.combinations(f.x, 2)]
    candidates = np.concatenate([*candidates, pairs])
    lengths = np.linalg.norm(candidates, axis=1)
    candidates = candidates[lengths > 1e-9] / lengths[lengths > 1e-9, None]
    candidates = np.concatenate([candidates, -candidates])
    around = 1e-5 * random.standard_normal((300, 3))
    kept = []
    for sign, u in itertools.product((1, -1), candidates):
        met = f.x[np.abs(f.x @ u) < 1e-9]
        along = around - around @ np.linalg.pinv(met) @ met if len(met) else around
        others = np.concatenate([u + around, u + along])
        others /= np.linalg.norm(others, axis=1, keepdims=True)
        height = sign * f.value(u)
        higher = sign * f.value(others) > height + 1e-14
        new = not any(s == sign and np.linalg.norm(u - v) < 1e-7 for v, s in kept)
        if height > 1e-9 and new and not higher.any():
            kept.append((u, sign))
    return kept


@pytest.mark.parametrize("seed", range(5))
def test_kinked_maxima_are_those_of_an_enumeration(seed):
    f = landscape(gaussian(n=6, inputs=2, seed=seed), activation="relu")
    found = by_linearising(f, starts(3, 300))
    expected = local_maxima_by_enumeration(f)
    assert_same_points(found.directions, found.signs, expected, 1e-6)


def test_corners_have_no_smooth_tangents():
    data = from_arrays(np.eye(3), [1.0, -1.0, -1.0], bias=False)
    f = landscape(data, activation="relu")
    assert smooth_tangents(f, np.array([1.0, 0.0, 0.0])) == 0
    assert smooth_tangents(f, np.array([1.0, 1.0, 0.0]) / np.sqrt(2)) == 1
    assert smooth_tangents(f, np.ones(3) / np.sqrt(3)) == 2


@pytest.mark.parametrize("p", [2, 4, 6])
def test_a_landscape_that_is_round_on_the_circle_has_no_isolated_maximum(p):
    angle = np.pi * (np.arange(6) + 0.3) / 6  # evenly spread lines
    x = np.column_stack([np.cos(angle), np.sin(angle)])
    for y, signs in ((1.0, (1,)), (-2.0, (-1,))):
        found = on_circle(landscape(from_arrays(x, np.full(6, y), bias=False), multiplicity=p))
        assert (len(found.signs), found.degenerate, found.vanishes) == (0, signs, False)


def test_continua_are_seen_in_more_dimensions_too():
    data = from_arrays(np.eye(4), np.ones(4), bias=False)
    round_ = second_order(landscape(data, activation="x_tanh"))
    assert (len(round_.signs), round_.degenerate) == (0, (1,))
    # Σ_i x_i⁴ + 6 Σ_{i<j} x_i² x_j² … = |x|⁴ from the vertices of a 24-cell
    cell = [v for v in itertools.product((-1, 0, 1), repeat=4) if np.abs(v).sum() == 2]
    lines = np.array([v for v in cell if v > tuple(-k for k in v)], dtype=float)
    ones = [np.array(v) / 1.0 for v in itertools.product((1,), (1, -1), (1, -1), (1, -1))]
    points = np.concatenate([lines / np.sqrt(2), np.array(ones) / 2, np.eye(4)])
    f = landscape(from_arrays(points, np.ones(len(points)), bias=False), multiplicity=4)
    values = f.value(starts(4) / np.linalg.norm(starts(4), axis=1, keepdims=True))
    assert np.ptp(values) < 1e-14
    found = by_search(f, starts(4))
    assert (len(found.signs), found.degenerate) == (0, (1,))


def test_a_landscape_that_vanishes_says_so():
    x = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, -1.0]])
    data = from_arrays(x, [-2.0, -2.0, 1.0, 1.0], bias=False)  # (a+b)² + (a−b)² = 2a² + 2b²
    assert on_circle(landscape(data, multiplicity=2)).vanishes
    assert second_order(landscape(data, multiplicity=2)).vanishes
    assert not on_circle(landscape(data, multiplicity=4)).vanishes
    balanced = from_arrays([[1.0, 1.0], [-1.0, 1.0]], [1.0, 1.0], bias=False)
    assert not first_order(landscape(balanced, multiplicity=1)).vanishes
