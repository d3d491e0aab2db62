"""The landscape: derivatives against differences, homogeneity, curvature along the sphere."""

import numpy as np
import pytest

from netphase.datasets import from_arrays, gaussian
from netphase.directions import Landscape, expansion
from netphase.directions.landscape import power
from netphase.directions.span import normalised, span_of
from netphase.errors import ArgumentError

DATA = gaussian(n=7, inputs=3, seed=1)
POINTS = np.random.default_rng(0).standard_normal((5, 4))
KINDS = [{"multiplicity": p} for p in (1, 2, 3, 4, 7)] + [{"activation": "leaky_relu"}]


def landscape(kind, data=DATA):
    return Landscape.of(data, expansion(**kind))


def differences(function, w, h=1e-5):
    steps = h * np.eye(len(w))
    return np.array([(function(w + e) - function(w - e)) / (2 * h) for e in steps])


@pytest.mark.parametrize("z", [-1.5, 0.0, 2.0])
def test_powers_are_powers(z):
    for p in range(9):
        assert power(np.array([z]), p)[0] == z**p


def test_values_are_the_mean_over_the_data():
    for p in (1, 3):
        found = landscape({"multiplicity": p, "coefficient": -2.0}).value(POINTS)
        np.testing.assert_allclose(found, -2 * np.mean(DATA.y * (POINTS @ DATA.x.T) ** p, axis=1))
    kinked = landscape({"activation": "relu"}).value(POINTS)
    np.testing.assert_allclose(
        kinked, np.mean(DATA.y * np.maximum(POINTS @ DATA.x.T, 0), axis=1), rtol=1e-14
    )


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_gradients_and_hessians_are_slopes(kind):
    f = landscape(kind)
    for w in POINTS:
        np.testing.assert_allclose(f.gradient(w), differences(f.value, w), rtol=1e-6, atol=1e-8)
        slope = differences(f.gradient, w)
        np.testing.assert_allclose(f.hessian(w), slope, rtol=1e-6, atol=1e-8)
    value, gradient = f.value_and_gradient(POINTS)
    np.testing.assert_allclose(value, f.value(POINTS), rtol=1e-12)
    np.testing.assert_allclose(gradient[2], f.gradient(POINTS[2]), rtol=1e-14)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_landscapes_are_homogeneous(kind):
    f = landscape(kind)
    np.testing.assert_allclose(
        f.value(3 * POINTS), 3.0**f.degree * f.value(POINTS), rtol=1e-12, atol=1e-14
    )


def test_the_largest_curvature_of_the_sphere_is_that_of_great_circles():
    f = landscape({"multiplicity": 3})
    u = POINTS[0] / np.linalg.norm(POINTS[0])
    h = 1e-4

    def along(tangent):
        low, middle, high = (f.value(np.cos(t) * u + np.sin(t) * tangent) for t in (-h, 0, h))
        return (low - 2 * middle + high) / h**2

    tangents = np.random.default_rng(3).standard_normal((4000, 4))
    tangents -= np.outer(tangents @ u, u)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    largest = max(map(along, tangents))
    found = f.tangent_curvature(u)
    assert largest <= found + 1e-5
    assert largest == pytest.approx(found, abs=0.02 * abs(found))


def test_normalised_landscapes_are_the_same_function_up_to_a_factor():
    for kind in KINDS:
        f = landscape(kind)
        unit, scale = normalised(f)
        assert np.abs(unit.weights) @ np.linalg.norm(unit.x, axis=1) ** f.degree == pytest.approx(1)
        np.testing.assert_allclose(unit.value(POINTS) * scale, f.value(POINTS), rtol=1e-12)
        assert np.abs(unit.x).max() == pytest.approx(1, rel=1e-15)


def test_the_span_holds_all_that_the_landscape_sees():
    x = np.random.default_rng(1).standard_normal((5, 2)) @ np.array(
        [[1.0, 2, 0, 1], [0.0, 1, 1, -1]]
    )
    f = landscape({"multiplicity": 3}, from_arrays(x, np.arange(5) - 1.7, bias=False))
    span = span_of(f)
    assert (span.dimension, span.whole) == (2, False)
    np.testing.assert_allclose(span.basis.T @ span.basis, np.eye(2), atol=1e-14)
    inside = span.landscape.value(POINTS @ span.basis) * span.scale
    np.testing.assert_allclose(inside, f.value(POINTS), rtol=1e-11)


def test_a_single_input_still_spans_a_plane():
    f = landscape({"multiplicity": 2}, from_arrays([[1.0, 2.0, 2.0]], [1.0], bias=False))
    span = span_of(f)
    assert (span.dimension, span.whole) == (2, False)
    np.testing.assert_allclose(np.abs(span.basis[:, 0]), [1 / 3, 2 / 3, 2 / 3])


@pytest.mark.parametrize("size", [1e-90, 1e90])
def test_values_out_of_the_range_of_a_float_are_refused(size):
    data = from_arrays(size * np.eye(2), [1.0, 2.0], bias=False)
    with pytest.raises(ArgumentError, match="leave the range of a float"):
        normalised(landscape({"multiplicity": 4}, data))
