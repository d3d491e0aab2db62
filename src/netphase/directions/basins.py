"""Which share of Gaussian neurons ends in each predicted direction."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from netphase._types import Array
from netphase.directions.flow import flow_to_the_end
from netphase.directions.landscape import Landscape
from netphase.directions.maxima import Maxima
from netphase.directions.span import Span

_NEAR = 0.99
_SETTLED = 1e-6
_TOLERANCE = 1e-6
_SLIDE = 0.02  # step of a neuron among kinks, over the largest growth rate
_SLIDES = 5000
_LOOK = 100  # steps between looks at whether neurons still move


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
    size = np.sqrt(a * a + np.einsum("md,md->m", w, w))
    a, w = a / size, w / size[:, None]
    if span.landscape.slopes is None:
        end = flow_to_the_end(span.landscape, a, w, np.full(neurons, np.inf), _SETTLED, _TOLERANCE)
        a, w = end.a[end.settled], end.w[end.settled]
    else:
        a, w = _slid(span.landscape, maxima, a, w)
    return np.asarray(np.bincount(_nearest(maxima, a, w), minlength=count + 1)[:count] / neurons)


def _nearest(maxima: Maxima, a: Array, w: Array) -> npt.NDArray[np.intp]:
    """Index of the direction each neuron is at, K for none, shape (m,)."""
    unit = w / np.maximum(np.linalg.norm(w, axis=1, keepdims=True), 1e-300)
    cosine = np.where(np.sign(a)[:, None] == maxima.signs, unit @ maxima.directions.T, -1.0)
    best = cosine.argmax(axis=1)
    return np.where(cosine[np.arange(len(a)), best] > _NEAR, best, len(maxima.signs))


def _slid(landscape: Landscape, maxima: Maxima, a: Array, w: Array) -> tuple[Array, Array]:
    """The same by small steps: neurons slide along the kinks that they meet."""
    step = _SLIDE / float((maxima.signs * landscape.value(maxima.directions)).max())
    state = np.column_stack([a, w])
    before = state
    for count in range(1, _SLIDES + 1):
        a, w = state[:, :1], state[:, 1:]
        state = state + step * np.column_stack([landscape.value(w), a * landscape.gradient(w)])
        state /= np.linalg.norm(state, axis=1, keepdims=True)
        if count % _LOOK == 0:
            if np.abs(state - before).max() < _SLIDE:
                break
            before = state
    return state[:, 0], state[:, 1:]
