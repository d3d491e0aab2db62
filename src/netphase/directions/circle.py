"""All maxima of a landscape on the circle (two input dimensions), without any search.

With w = (cos φ, sin φ) and z = e^{2iφ}, the slope of Σ q_i (w·x_i)ᵖ along the circle is a
polynomial of degree p in z over z^{p/2}: its roots of modulus one are all critical points, at
most p of them in half a turn. A landscape with kinks is a cosine on every arc between two kinks.
"""

from __future__ import annotations

from math import comb, pi

import numpy as np

from netphase._types import Array
from netphase.directions.kinked import is_one
from netphase.directions.kinks import ON_KINK, Kinks, kinks_of
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
        The maxima, and where else neurons rest among kinks; those of a smooth landscape are
        accurate to rounding.
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
    """Where neurons rest: within an arc, its ends included, or on a concave kink.

    On an arc the force is constant, so a neuron rests in its direction if this lies on the arc. At
    an end of it no force drives the neuron across the kink from this side, whatever the other side.
    """
    kinks = kinks_of(landscape)
    size = float(np.abs(landscape.weights) @ np.linalg.norm(landscape.x, axis=1))
    starts, ends = _arcs(kinks)
    force = kinks.force(unit((starts + ends) / 2))  # (A, 2)
    directions: list[Array] = []
    signs: list[int] = []
    for sign in (1, -1):
        tops = _inside(starts, ends, sign * force) + _on_concave(starts, sign * force)
        own: list[Array] = []
        for u in tops:
            high = sign * landscape.value(u) > ROUNDING * size
            if high and not any(is_one(u, v) for v in own):
                own.append(u)
        directions += own
        signs += [sign] * len(own)
    return Maxima(
        np.reshape(directions, (-1, 2)),
        np.array(signs, dtype=np.intp),
        np.zeros(len(signs), dtype=np.intp),
        vanishes=kinks.vanishes,
    )


def _arcs(kinks: Kinks) -> tuple[Array, Array]:
    """Angles at which arcs between kinks start and end; one whole turn without any kink."""
    phase = np.arctan2(kinks.normals[:, 1], kinks.normals[:, 0])
    starts = np.sort(np.mod(np.concatenate([phase + pi / 2, phase - pi / 2]), 2 * pi))
    if not len(starts):
        return np.array([0.0]), np.array([2 * pi])
    return starts, np.append(starts[1:], starts[0] + 2 * pi)


def _inside(starts: Array, ends: Array, force: Array) -> list[Array]:
    """Directions of forces that point to their own arc, its ends included."""
    angle = np.arctan2(force[:, 1], force[:, 0])
    after = np.mod(angle - starts + ON_KINK, 2 * pi)
    there = (after <= ends - starts + 2 * ON_KINK) & force.any(axis=1)
    return list(force[there] / np.linalg.norm(force[there], axis=1, keepdims=True))


def _on_concave(starts: Array, force: Array) -> list[Array]:
    """Kinks at the start of an arc at which F falls with a slope on both sides."""
    kinks = unit(starts)
    along = np.column_stack([-kinks[:, 1], kinks[:, 0]])
    before, after = (np.einsum("ad,ad->a", f, along) for f in (np.roll(force, 1, axis=0), force))
    return list(kinks[(before > 0) & (after < 0)])
