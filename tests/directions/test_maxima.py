"""Maxima on the sphere against brute force: fine grids, many starts of SciPy, enumeration."""

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.spatial import cKDTree

from netphase.datasets import from_arrays, gaussian
from netphase.directions import Landscape, expansion
from netphase.directions.circle import on_circle
from netphase.directions.kinked import by_linearising, falls_on_all_sides
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


def test_corners_fall_with_a_slope_on_all_sides():
    force = [[0.5, 0.5, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    corner = landscape(from_arrays(force, [1.0, -1.0, -1.0], bias=False), activation="relu")
    assert falls_on_all_sides(corner, np.eye(3)[2])
    edge = landscape(from_arrays(force[:2], [1.0, -1.0], bias=False), activation="relu")
    assert not falls_on_all_sides(edge, np.array([0.0, 0.5, 1.0]) / np.sqrt(1.25))
    # the inputs that pull down are off on one side, where F falls by curvature alone
    dead = landscape(from_arrays(np.eye(3), [1.0, -1.0, -1.0], bias=False), activation="relu")
    assert not falls_on_all_sides(dead, np.eye(3)[0])


@pytest.mark.parametrize(("height", "rests"), [(0.3, True), (0.8, False)])
def test_a_convex_kink_within_concave_ones_lets_neurons_out_where_it_wins(height, rests):
    # beside e3: (v1 + v2)/2 − max(0, v1) − max(0, v2) + height·max(0, v1 + v2)
    x = [[0.5, 0.5, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 0.0]]
    f = landscape(from_arrays(x, [1.0, -1.0, -1.0, height], bias=False), activation="relu")
    found = by_linearising(f, starts(3))
    there = (found.directions[:, 2] > 1 - 1e-9) & (found.signs == 1)
    assert there.any() == rests


# --- where neurons rest although F rises on the other side of a kink ---

ORTHOGONAL = {
    "one-hot, one sign": (np.eye(2), (1.0, 1.0), 3),
    "one-hot, two lengths": (np.diag([2.0, 0.5]), (0.3, 1.0), 3),
    "one-hot, mixed signs": (np.eye(2), (-0.3, 2.1), 2),
    "one input and a bias": (np.array([[-1.0, 1.0], [1.0, 1.0]]), (1.0, -1.0), 2),
    "three in a cross": (np.array([[1.0, 0], [0, 1], [-1, 0]]), (-0.59, -1.06, -0.9), 4),
    "a cross of mixed signs": (np.array([[1.0, 0], [0, 1], [-1, 0]]), (0.17, -0.74, -0.5), 3),
}


def turned(x, angle):
    c, s = np.cos(angle), np.sin(angle)
    return x @ np.array([[c, s], [-s, c]])


@pytest.mark.parametrize("case", ORTHOGONAL)
def test_turning_orthogonal_inputs_turns_their_directions(case):
    x, y, count = ORTHOGONAL[case]
    plain = on_circle(landscape(from_arrays(x, y, bias=False), activation="relu"))
    assert len(plain.signs) == count
    for angle in np.random.default_rng(1).uniform(0, 2 * np.pi, 60):
        f = landscape(from_arrays(turned(x, angle), y, bias=False), activation="relu")
        expected = list(zip(turned(plain.directions, angle), plain.signs, strict=True))
        found = on_circle(f)
        assert_same_points(found.directions, found.signs, expected, 1e-9)


@pytest.mark.parametrize("case", ORTHOGONAL)
def test_directions_of_orthogonal_inputs_are_where_a_fine_grid_says(case):
    x, y, _ = ORTHOGONAL[case]
    f = landscape(from_arrays(turned(x, 0.7), y, bias=False), activation="relu")
    found = on_circle(f)
    for peak, sign in peaks_on_grid(f):
        if sign * f.value(peak) > 1e-6:
            near = np.linalg.norm(found.directions - peak, axis=1) < 3e-4
            assert np.sum(near & (found.signs == sign)) == 1
    step = 1e-3
    for u, s in zip(found.directions, found.signs, strict=True):
        top = s * f.value(u)
        falls = np.array([top - s * f.value(turned(u, angle)) for angle in (step, -step)])
        by_curvature = top * (1 - np.cos(step))
        # a maximum, or at rest on one side: no slope there
        assert np.all(falls > 0) or falls.max() == pytest.approx(by_curvature, rel=1e-6)


def ends_of_the_flow(f):
    """Where neurons of both signs all around the circle end, those that vanish left out.

    A neuron is done when it no longer turns; it would fall off a kink by rounding long after.
    """
    around = CIRCLE[::111]
    state = np.concatenate([np.column_stack([np.full(len(around), a), around]) for a in (0.5, -2)])
    state /= np.linalg.norm(state, axis=1, keepdims=True)
    right, left = f.slopes
    step = 0.02 / np.abs(f.value(CIRCLE)).max()
    turning = np.ones(len(state), dtype=bool)
    for _ in range(3000):
        now = state[turning]
        force = (np.where(now[:, 1:] @ f.x.T > 0, right, left) * f.weights) @ f.x
        climb = np.column_stack([np.sum(force * now[:, 1:], axis=1), now[:, :1] * force])
        growth = np.sum(climb * now, axis=1, keepdims=True)
        moved = now + step * climb
        state[turning] = moved / np.linalg.norm(moved, axis=1, keepdims=True)
        turns = np.linalg.norm(climb - growth * now, axis=1) > 1e-3 * np.abs(growth[:, 0])
        turning[turning] = turns
    grown = np.abs(state[:, 0] ** 2 - 0.5) < 0.01
    w = state[grown, 1:]
    return w / np.linalg.norm(w, axis=1, keepdims=True), np.sign(state[grown, 0])


@pytest.mark.parametrize("case", ORTHOGONAL)
def test_neurons_rest_on_the_directions_of_orthogonal_inputs_and_nowhere_else(case):
    x, y, _ = ORTHOGONAL[case]
    f = landscape(from_arrays(turned(x, 0.7), y, bias=False), activation="relu")
    found = on_circle(f)
    ends, signs = ends_of_the_flow(f)
    near = (ends @ found.directions.T > 0.999) & (signs[:, None] == found.signs)
    assert np.all(near.any(axis=0))
    assert np.all(near.any(axis=1))


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_the_circle_is_what_the_search_of_more_dimensions_finds(activation):
    random = np.random.default_rng(4)
    for trial in range(40):
        n = int(random.integers(1, 7))
        x = random.standard_normal((n, 2))
        if trial % 2:
            x = turned(np.array([[1.0, 0], [0, 1], [-1, 0], [0, -2], [3, 0], [0, 1]])[:n], trial)
        f = Landscape(x, random.standard_normal(n), 1, expansion(activation).slopes)
        flat, found = on_circle(f), by_linearising(f, starts(2, 400))
        expected = list(zip(flat.directions, flat.signs, strict=True))
        assert_same_points(found.directions, found.signs, expected, 1e-6)


@pytest.mark.parametrize("d", [3, 4])
def test_neurons_rest_on_every_group_of_orthogonal_inputs(d):
    for seed in range(4):
        frame = np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))[0]
        f = landscape(from_arrays(frame, np.ones(d), bias=False), activation="relu")
        groups = np.array(list(itertools.product((0.0, 1.0), repeat=d))[1:]) @ frame
        expected = [(u / np.linalg.norm(u), 1) for u in groups]
        found = by_linearising(f, starts(d, 400))
        assert_same_points(found.directions, found.signs, expected, 1e-9)


def test_inputs_that_cancel_leave_no_landscape():
    x = turned(np.array([[1.0, 0.5], [2.0, 1.0], [0.0, 3.0]]), 0.4)
    weights = np.array([1.0, -0.5, 1.0])
    for d, find in ((2, on_circle), (3, lambda f: by_linearising(f, starts(3)))):
        inputs = np.column_stack([x, np.zeros((3, d - 2))])
        assert find(Landscape(inputs[:2], weights[:2], 1, (1.0, 0.0))).vanishes
        left = find(Landscape(inputs, weights, 1, (1.0, 0.0)))
        assert not left.vanishes
        np.testing.assert_allclose(left.directions, inputs[2:] / 3, atol=1e-9)


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
