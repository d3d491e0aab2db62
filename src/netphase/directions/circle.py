"""All maxima of a landscape on the circle (two input dimensions), without any search.

With w = (cos φ, sin φ) and z = e^{2iφ}, the slope of Σ q_i (w·x_i)ᵖ along the circle is a
polynomial of degree p in z over z^{p/2}: its roots of modulus one are all critical points, at
most p of them in half a turn. A landscape with kinks is a cosine on every arc between two kinks.
"""

from __future__ import annotations

from math import comb, pi

import numpy as np

from netphase._types import Array
from netphase.directions.landscape import Landscape
from netphase.directions.maxima import ROUNDING, Maxima, mirrored, nothing

_NEAR_CIRCLE = 1e-3  # a double root of the slope splits by the root of rounding
_SAME_ANGLE = 1e-4


def unit(angle: Array) -> Array:
    """Unit vectors (cos φ, sin φ) of angles of shape (…), shape (…, 2)."""
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def on_circle(landscape: Landscape) -> Maxima:
    """All maxima of a landscape in two dimensions.

    Args:
        landscape: with inputs of shape (n, 2).

    Returns:
        The maxima; those of a smooth landscape are accurate to rounding.
    """
    if landscape.slopes is not None:
        return _between_kinks(landscape)
    harmonics = _harmonics(landscape)
    size = np.abs(landscape.weights) @ np.linalg.norm(landscape.x, axis=1) ** landscape.degree
    orders = landscape.degree - 2 * np.arange(landscape.degree + 1)
    if np.abs(harmonics).max() <= ROUNDING * size:
        return nothing(2, vanishes=True)
    if np.abs(orders * harmonics).max() <= ROUNDING * size:
        return nothing(2, degenerate=(int(np.sign(harmonics[landscape.degree // 2].real)),))
    return _smooth(landscape, _critical_angles(orders * harmonics))


def _harmonics(landscape: Landscape) -> Array:
    """c_j of F(φ) = Σ_j c_j e^{i(p−2j)φ}, shape (p + 1,), complex."""
    p = landscape.degree
    radius = np.linalg.norm(landscape.x, axis=1)
    phase = np.arctan2(landscape.x[:, 1], landscape.x[:, 0])
    weights = landscape.weights * radius**p
    return np.array(
        [comb(p, j) / 2**p * (weights @ np.exp(-1j * (p - 2 * j) * phase)) for j in range(p + 1)]
    )


def _critical_angles(coefficients: Array) -> Array:
    """Angles in [0, π) at which the slope is zero up to rounding, in ascending order."""
    small = np.abs(coefficients) <= ROUNDING * np.abs(coefficients).max()
    roots = np.roots(np.where(small, 0, coefficients))
    near = roots[np.abs(np.abs(roots) - 1) < _NEAR_CIRCLE]
    angles = np.sort(np.mod(np.angle(near) / 2, pi))
    if len(angles) < 2:
        return angles
    gaps = np.diff(angles, append=angles[0] + pi)
    return angles[gaps > _SAME_ANGLE] if np.any(gaps > _SAME_ANGLE) else angles[:1]


def _slope(landscape: Landscape, angle: float) -> float:
    w = unit(np.asarray(angle))
    return float(landscape.gradient(w) @ np.array([-w[1], w[0]]))


def _smooth(landscape: Landscape, angles: Array) -> Maxima:
    """The critical angles at which the slope changes its sign, found exactly in between."""
    from scipy.optimize import brentq

    lines, signs = [], []
    if len(angles):
        before = np.concatenate(
            [[(angles[-1] - pi + angles[0]) / 2], (angles[:-1] + angles[1:]) / 2]
        )
        after = np.append(before[1:], before[0] + pi)
        for low, high in zip(before, after, strict=True):
            left, right = _slope(landscape, low), _slope(landscape, high)
            if left * right >= 0:
                continue
            top = brentq(
                lambda angle: _slope(landscape, angle), low, high, xtol=1e-15, maxiter=1000
            )
            lines.append(unit(np.asarray(top)))
            signs.append(1 if left > 0 else -1)
    return mirrored(np.reshape(lines, (-1, 2)), signs, landscape.degree)


def _between_kinks(landscape: Landscape) -> Maxima:
    """Maxima inside the arcs, where F is a cosine, and on the kinks between them."""
    phase = np.arctan2(landscape.x[:, 1], landscape.x[:, 0])
    kinks = np.unique(np.mod(np.concatenate([phase + pi / 2, phase - pi / 2]), 2 * pi))
    ends = np.append(kinks[1:], kinks[0] + 2 * pi)
    force = landscape.gradient(unit((kinks + ends) / 2))  # constant on each arc, (A, 2)
    size = float(np.abs(landscape.weights) @ np.linalg.norm(landscape.x, axis=1))
    found: list[tuple[Array, int]] = []
    for sign in (1, -1):
        for start, end, push, before in zip(
            kinks, ends, sign * force, sign * np.roll(force, 1, axis=0), strict=True
        ):
            found += [
                (u, sign) for u in _tops(start, end, push, before) if u @ push > ROUNDING * size
            ]
    count = len(found)
    directions = np.reshape([u for u, _ in found], (count, 2))
    signs = np.array([sign for _, sign in found], dtype=np.intp)
    return Maxima(directions, signs, np.zeros(count, dtype=np.intp), vanishes=size == 0)


def _tops(start: float, end: float, push: Array, before: Array) -> list[Array]:
    """The maximum inside an arc, if any, and the kink at its start if F falls on both sides."""
    tops = []
    inside = np.mod(np.arctan2(push[1], push[0]) - start, 2 * pi)
    if 0 < inside < end - start and push.any():
        tops.append(push / np.linalg.norm(push))
    kink = unit(np.asarray(start))
    along = np.array([-kink[1], kink[0]])
    if before @ along > 0 and push @ along <= 0:
        tops.append(kink)
    return tops
