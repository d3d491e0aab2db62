"""Maxima of a smooth landscape on a sphere of any dimension, by ascent from many random starts."""

from __future__ import annotations

import numpy as np

from netphase._types import Array
from netphase.directions.landscape import Landscape
from netphase.directions.maxima import ROUNDING, Maxima, mirrored, nothing

_STEPS = 3000
_SETTLED = 1e-4  # slope along the sphere, relative to p F
_ONE_BASIN = 5e-5  # 1 − |cos| of end points that Newton's method starts from together
_ONE_MAXIMUM = 1e-10  # 1 − |cos| of equal maxima after Newton's method
_FLAT = 1e-6  # curvature relative to p F at which a maximum is no point but a curve


def by_search(landscape: Landscape, starts: Array) -> Maxima:
    """The maxima that gradient ascent on the sphere finds.

    Args:
        landscape: a smooth one of degree p ≥ 2.
        starts: where the ascents begin, of any length but zero, shape (N, d).

    Returns:
        Each maximum with the number of starts that ended on its line.
    """
    d = starts.shape[1]
    size = np.abs(landscape.weights) @ np.linalg.norm(landscape.x, axis=1) ** landscape.degree
    starts = starts / np.linalg.norm(starts, axis=1, keepdims=True)
    if np.abs(landscape.value(starts)).max() <= ROUNDING * size:
        return nothing(d, vanishes=True)
    lines: list[Array] = []
    signs: list[int] = []
    hits: list[int] = []
    degenerate: list[int] = []
    for sign in (1, -1) if landscape.degree % 2 == 0 else (1,):
        own = landscape.turned(sign)
        found, flat = _isolated(own, ascend(own, starts), size)
        if flat:
            degenerate.append(sign)
        lines += [u for u, _ in found]
        hits += [hit for _, hit in found]
        signs += [sign] * len(found)
    if degenerate and landscape.degree % 2:
        degenerate.append(-1)
    return mirrored(
        np.reshape(lines, (-1, d)), signs, landscape.degree, hits, degenerate=tuple(degenerate)
    )


def ascend(landscape: Landscape, starts: Array) -> Array:
    """Gradient ascent of F on the unit sphere, every start with a step length of its own.

    Args:
        landscape: what to climb.
        starts: unit vectors, shape (N, d).

    Returns:
        End points, unit vectors, shape (N, d); F is nowhere lower than at the start.
    """
    u = np.array(starts)
    value, slope = landscape.value(u), _along(landscape, u)
    step = 0.1 / np.maximum(np.linalg.norm(slope, axis=1), 1e-300)
    going = np.arange(len(u))
    for _ in range(_STEPS):
        trial = u[going] + step[going, None] * slope[going]
        trial /= np.linalg.norm(trial, axis=1, keepdims=True)
        reached = landscape.value(trial)
        better = reached > value[going]
        step[going] *= np.where(better, 1.3, 0.4)
        moved = going[better]
        u[moved], value[moved] = trial[better], reached[better]
        slope[moved] = _along(landscape, trial[better])
        steep = np.linalg.norm(slope[going], axis=1)
        scale = landscape.degree * np.abs(value[going])
        going = going[(steep > _SETTLED * scale) & (step[going] * steep > 1e-12)]
        if not len(going):
            break
    return u


def _along(landscape: Landscape, u: Array) -> Array:
    """The gradient's part along the sphere at unit vectors, shape (N, d)."""
    gradient = landscape.gradient(u)
    return np.asarray(gradient - np.einsum("nd,nd->n", gradient, u)[:, None] * u)


def _isolated(
    landscape: Landscape, ends: Array, size: float
) -> tuple[list[tuple[Array, int]], bool]:
    """The isolated maxima among end points with their hits, and whether others form a continuum."""
    maxima: list[tuple[Array, int]] = []
    flat = False
    while len(ends):
        together = 1 - _cosine(landscape, ends, ends[0]) < _ONE_BASIN
        u, hit = _polished(landscape, ends[0]), int(together.sum())
        ends = ends[~together]
        bend = landscape.tangent_curvature(u)
        value = float(landscape.value(u))
        scale = landscape.degree * abs(value)
        if abs(bend) <= _FLAT * scale:
            flat = flat or value > ROUNDING * size
            continue
        if bend > 0:  # an ascent that stopped beside a saddle
            continue
        same = [
            k
            for k, (v, _) in enumerate(maxima)
            if 1 - _cosine(landscape, v[None], u)[0] < _ONE_MAXIMUM
        ]
        if same:
            maxima[same[0]] = (maxima[same[0]][0], maxima[same[0]][1] + hit)
        else:
            maxima.append((u, hit))
    return maxima, flat


def _cosine(landscape: Landscape, points: Array, u: Array) -> Array:
    """Cosines with u, of lines where F(−w) = F(w)."""
    cosine = points @ u
    return np.abs(cosine) if landscape.degree % 2 == 0 else cosine


def _polished(landscape: Landscape, u: Array) -> Array:
    """The maximum next to u, by a few steps of Newton's method; u itself if they lead away."""
    v = u
    for _ in range(8):
        step = landscape.newton_step(v)
        v = v + step
        v = v / np.linalg.norm(v)
        if np.linalg.norm(step) < 1e-14:
            break
    higher = landscape.value(v) >= landscape.value(u) - 1e-9 * abs(landscape.value(u))
    return v if v @ u > 0.999 and higher else u
