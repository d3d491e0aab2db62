"""Moments of Gaussian pairs: closed forms against quadrature, series against panels, kinks."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netphase import activations
from netphase.errors import ArgumentError
from netphase.kernels import moments, panels

SMOOTH = [name for name in activations.NAMES if activations.get(name).smooth]


def own(name):
    """A built-in activation as if it were the user's: no closed form is known."""
    return dataclasses.replace(activations.get(name), name=f"my_{name}", code=None)


def sizes_and_angles(size, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((5, 3))
    x /= np.linalg.norm(x, axis=1)[:, None]
    phi = np.arccos(np.clip(x @ x.T, -1, 1))
    np.fill_diagonal(phi, 0.0)
    phi[0, 1] = phi[1, 0] = 1e-5
    phi[0, 2] = phi[2, 0] = np.pi
    phi[3, 4] = phi[4, 3] = np.pi - 1e-3
    return size * rng.uniform(0.5, 1.5, 5), phi


@pytest.mark.parametrize("size", [0.03, 0.5, 2.0, 8.0, 300.0])
@pytest.mark.parametrize("name", ["erf", "relu", "leaky_relu"])
def test_quadrature_agrees_with_closed_forms(name, size):
    p, phi = sizes_and_angles(size)
    sigma = own(name)
    kinks = moments.kinks_of(sigma, (0.0,))
    assert kinks == (() if name == "erf" else (0.0,))
    exact = moments.pair_moments(activations.get(name), p, p, phi)
    found = moments.pair_moments(sigma, p, p, phi, kinks, symmetric=True)
    for one, other in zip(exact, found, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-11 * np.abs(one).max())
    np.testing.assert_allclose(
        moments.second_moments(sigma, p, kinks), np.diag(exact.value), rtol=1e-12
    )


@pytest.mark.parametrize("size", [1.0, 1e8, 1e100])
def test_erf_keeps_its_digits_for_steep_and_nearly_parallel_pairs(size):
    """An arc sine near 1 would lose half of them; an arc tangent loses none."""
    phi = 1e-8
    p = np.array([size])
    found = moments.pair_moments(activations.get("erf"), p, p, np.array([[phi]]))
    apart = np.hypot(np.hypot(1.0, 2 * size) / (2 * size**2), np.sin(phi)) / np.cos(phi)
    assert found.value[0, 0] == pytest.approx(1 - 2 / np.pi * np.arctan(apart), rel=4e-16)
    assert moments.second_moments(activations.get("erf"), p)[0] == pytest.approx(
        1 - 2 / np.pi * np.arctan(np.hypot(1.0, 2 * size) / (2 * size**2)), rel=4e-16
    )


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(SMOOTH), st.floats(0.02, 9), st.integers(0, 1000))
def test_the_series_agrees_with_panels(name, size, seed):
    sigma = activations.get(name)
    p, phi = sizes_and_angles(size, seed)
    found = moments.pair_moments(sigma, p[:2], p[2:4], phi[:2, 2:4])
    for i in range(2):
        for j in range(2):
            exact = panels.pair(sigma, p[i], p[2 + j], phi[i, 2 + j], ())
            assert found.value[i, j] == pytest.approx(exact[0], rel=1e-10, abs=1e-13)
            assert found.slope[i, j] == pytest.approx(exact[1], rel=1e-10, abs=1e-13)


def test_kinks_and_jumps_anywhere_are_split():
    """relu(z − c) has closed moments where both inputs are one: those of a shifted normal."""
    from scipy.stats import norm

    c, p = 0.7, np.array([1.3])
    shifted = activations.from_pair(
        "shifted",
        lambda z: np.maximum(z - c, 0),
        lambda z: (z > c).astype(float),
        lambda z: np.zeros_like(z),
        smooth=False,
    )
    found = moments.pair_moments(shifted, p, p, np.zeros((1, 1)), (c,))
    b = c / p[0]
    square = p[0] ** 2 * ((1 + b * b) * norm.sf(b) - b * norm.pdf(b))
    assert found.value[0, 0] == pytest.approx(square, rel=1e-12)
    assert found.slope[0, 0] == pytest.approx(norm.sf(b), rel=1e-12)
    right = moments.pair_moments(shifted, p, p, np.full((1, 1), np.pi / 2), (c,))
    mean = p[0] * (norm.pdf(b) - b * norm.sf(b))
    assert right.value[0, 0] == pytest.approx(mean**2, rel=1e-12)
    with pytest.raises(ArgumentError, match="must hold every kink"):
        moments.pair_moments(shifted, p, p, np.zeros((1, 1)), (0.0,))
