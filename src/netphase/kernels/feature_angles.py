"""Angles between inputs and between the features of a layer, accurate for nearly equal ones."""

from __future__ import annotations

import math

import numpy as np

from netphase._types import Array
from netphase.activations import Activation
from netphase.kernels.moments import slope_of

_NEAR = 1e-4  # 1 − |cosine| below which an angle is taken from the difference of the vectors
_NEAR_ANGLE = 0.1  # below, the cosine of the next angle is not formed
_SMALL = 0.05
"""Below this φ four terms of the series of sin φ − φ cos φ are exact to rounding."""


def input_angles(x: Array, other: Array | None) -> Array:
    """Angles between the rows of two arrays, to rounding also where they are (anti)parallel.

    Args:
        x: shape (n, d), no zero row.
        other: shape (p, d); None for ``x``.

    Returns:
        φ in [0, π], shape (n, p), zero on the diagonal where ``other`` is None.
    """
    u = x / np.linalg.norm(x, axis=1)[:, None]
    v = u if other is None else other / np.linalg.norm(other, axis=1)[:, None]
    cosine = np.clip(u @ v.T, -1.0, 1.0)
    phi = np.arccos(cosine)
    near = np.argwhere(1 - np.abs(cosine) < _NEAR)
    for start in range(0, len(near), 4096):
        i, j = near[start : start + 4096].T
        apart = np.linalg.norm(u[i] - v[j], axis=1)
        phi[i, j] = 2 * np.arctan2(apart, np.linalg.norm(u[i] + v[j], axis=1))
    if other is None:
        np.fill_diagonal(phi, 0.0)
    return np.asarray(phi)


def next_angles(sigma: Activation, phi: Array, value: Array, rows: Array, columns: Array) -> Array:
    """Angles between features: cos φ′ = S_ij/√(S_ii S_jj).

    For ReLU and leaky ReLU, whose slopes feel the square root of an error of the cosine, small
    angles come from 1 − cos φ′ without cancellation. Smooth activations feel it only linearly;
    there, equal inputs have exactly equal features.

    Args:
        sigma: σ.
        phi: angles between pre-activations, shape (n, p).
        value: S, shape (n, p).
        rows: S_ii, shape (n,).
        columns: S_jj, shape (p,).

    Returns:
        φ′ in [0, π], shape (n, p).
    """
    cosine = np.outer(1 / np.sqrt(rows), 1 / np.sqrt(columns))
    cosine *= value
    angle = np.arccos(np.clip(cosine, -1.0, 1.0, out=cosine), out=cosine)
    slope = slope_of(sigma)
    if slope is not None:
        near = phi < _NEAR_ANGLE
        angle[near] = _near_angles(phi[near], slope)
    else:  # equal features, among them those of the diagonal
        angle[(phi == 0.0) & (rows[:, None] == columns[None, :])] = 0.0
    return angle


def _near_angles(phi: Array, slope: float) -> Array:
    """φ′ of max(z, slope·z), from (1 − cos φ′)/2, which is a sum without cancellation."""
    half_gap = np.sin(phi / 2) ** 2
    share = half_gap - sine_minus_arc(phi) / (2 * math.pi)  # that of ReLU's features
    gap = (2 * slope * half_gap + (1 - slope) ** 2 * share) / (1 + slope**2)
    return np.asarray(2 * np.arcsin(np.sqrt(gap)))


def sine_minus_arc(phi: Array) -> Array:
    """The difference sin φ − φ cos φ, whose leading terms cancel for small φ."""
    square = phi**2
    series = phi * square / 3 * (1 - square / 10 * (1 - square / 28 * (1 - square / 54)))
    return np.where(phi < _SMALL, series, np.sin(phi) - phi * np.cos(phi))
