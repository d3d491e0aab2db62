"""Which share of Gaussian neurons ends in each predicted direction."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from netphase._types import Array
from netphase.directions.flow import Neurons
from netphase.directions.kinked import Climb, is_one
from netphase.directions.landscape import Landscape
from netphase.directions.maxima import Maxima
from netphase.directions.span import Span

_NEAR = 0.9998  # cosine on the sphere of (a, w) to a maximum that attracts
_REST = 1e-5  # speed at which a neuron stays elsewhere, in a continuum
_TOLERANCE = 1e-6
_STEPS = 2000
_SLIDE = 0.02  # step of a neuron among kinks, over the largest growth rate
_SLIDES = 50  # such steps between looks at where neurons are
_LOOKS = 200
_NEAR_KINKS = 0.99  # as _NEAR, for neurons that go to and fro across a kink


def basin_shares(
    span: Span, maxima: Maxima, neurons: int, ratio: float, random: np.random.Generator
) -> Array:
    """Follows Gaussian neurons to where they condense while the residual stands still.

    Args:
        span: the landscape.
        maxima: the predicted directions in its coordinates.
        neurons: how many to follow; 0 to leave it out.
        ratio: standard deviation of their a over that of their w.
        random: what draws them.

    Returns:
        The share of each direction, NaN if left out, shape (K,).
    """
    count = len(maxima.signs)
    if neurons == 0 or count == 0:
        return np.full(count, np.nan)
    a: Array = ratio * random.standard_normal(neurons)
    w: Array = random.standard_normal((neurons, span.basis.shape[0])) @ span.basis
    points = np.column_stack([a, w])
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    follow = _followed if span.landscape.slopes is None else _slid
    ends = follow(span.landscape, maxima, points)
    return np.asarray(np.bincount(ends, minlength=count + 1)[:count] / neurons)


def _nearest(
    maxima: Maxima, degree: int, points: Array, near: float = _NEAR
) -> npt.NDArray[np.intp]:
    """Index of the direction that each point (a, w)/R is at, K for none, shape (m,)."""
    a, w = 1 / np.sqrt(degree + 1), np.sqrt(degree / (degree + 1))
    targets = np.column_stack([a * maxima.signs, w * maxima.directions])
    cosine = points @ targets.T  # (m, K)
    best = cosine.argmax(axis=1)
    return np.where(cosine[np.arange(len(points)), best] > near, best, len(maxima.signs))


def _followed(landscape: Landscape, maxima: Maxima, points: Array) -> npt.NDArray[np.intp]:
    """Index of the direction that each neuron of a smooth landscape reaches, K for none."""
    neurons = Neurons(landscape, points[:, 0], points[:, 1:])
    ends = np.full(len(points), len(maxima.signs))
    going = np.arange(len(points))
    for _ in range(_STEPS):
        ends[going] = _nearest(maxima, landscape.degree, neurons.state[going, :-2])
        elsewhere = neurons.at_rest(going, _REST) | neurons.lost(going)
        going = going[(ends[going] == len(maxima.signs)) & ~elsewhere]
        if not len(going):
            break
        neurons.advance(going, _TOLERANCE)
    return ends


def _slid(landscape: Landscape, maxima: Maxima, points: Array) -> npt.NDArray[np.intp]:
    """The same among kinks, by small steps: neurons slide along the kinks that they meet."""
    climbs = {sign: Climb(landscape.turned(sign)) for sign in (1, -1)}
    step = _SLIDE / float((maxima.signs * landscape.value(maxima.directions)).max())
    ends = np.full(len(points), len(maxima.signs))
    going = np.arange(len(points))
    for _ in range(_LOOKS):
        for _ in range(_SLIDES):
            a, w = points[:, :1], points[:, 1:]
            value, gradient = landscape.value_and_gradient(w)
            rates = np.column_stack([value, a * gradient])
            points = points + step * rates
            points /= np.linalg.norm(points, axis=1, keepdims=True)
        ends[going] = _staying(climbs, maxima, points, _nearest(maxima, 1, points, _NEAR_KINKS))
        left = (ends[going] == len(maxima.signs)) & rates.any(axis=1)
        going, points = going[left], points[left]
        if not len(going):
            break
    return ends


def _staying(
    climbs: dict[int, Climb], maxima: Maxima, points: Array, ends: npt.NDArray[np.intp]
) -> npt.NDArray[np.intp]:
    """``ends`` of those that stay there; others pass on the side of a kink that is left."""
    count = len(maxima.signs)
    stays = ends.copy()
    for k in np.flatnonzero(ends < count):
        top = climbs[int(maxima.signs[ends[k]])].top(points[k, 1:])
        if top is None or not is_one(top, maxima.directions[ends[k]]):
            stays[k] = count
    return stays
