"""The flow of neurons while the residual stands still, each with a clock of its own.

A neuron obeys a′ = F(w), w′ = a ∇F(w), the ascent of G = a F(w), which is homogeneous of degree
p + 1. With R = ‖(a, w)‖ and a clock dτ = R^{p−1} dt of each neuron's own, the point (a, w)/R climbs
G on a sphere whatever R is, and d log R/dτ = (p + 1) G: a blow-up is integrated smoothly.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from netphase._types import Array
from netphase.directions.landscape import Landscape

Rows = npt.NDArray[np.intp]

_LOST = 1e-6  # factor by which w has shrunk when it is taken never to grow again
_LANDED = 1e-12  # distance from the asked log R that counts as none
_TINY = 1e-300
# Dormand and Prince (1980): the stages, the last of which is the step, and the error.
_STAGES = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_ERROR = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)


class Neurons:
    """Neurons under way on the sphere.

    Attributes:
        state: rows (a/R, w/R, log R, t) with log R and t zero at the start and t in units of
            R(0)^{1−p}, shape (m, d + 3).
        rates: their rates by τ, shape (m, d + 3).
    """

    def __init__(self, landscape: Landscape, a: Array, w: Array) -> None:
        """Put neurons at their start.

        Args:
            landscape: F, a smooth one, best with values of size one.
            a: output weights, shape (m,).
            w: input weights with a² + |w|² = 1, shape (m, d).
        """
        self._landscape = landscape
        self.state = np.column_stack([a, w, np.zeros((len(a), 2))])
        self.rates = _rates(landscape, self.state)
        size = np.linalg.norm(w, axis=1)
        self._slow = (_LOST * size) ** (landscape.degree - 1) * (landscape.degree > 1)
        self._step = 0.01 / np.maximum(_size(self.rates, self.state), _TINY)

    def gain(self, rows: Rows) -> Array:
        """Rates of log R by τ, shape (rows,)."""
        return np.asarray(self.rates[rows, -2])

    def _speed(self, rows: Rows) -> Array:
        return np.asarray(np.linalg.norm(self.rates[rows, :-2], axis=1))

    def at_rest(self, rows: Rows, speed: float) -> npt.NDArray[np.bool_]:
        """Whether the point on the sphere moves slower than ``speed`` times |d log R/dτ|."""
        return np.asarray(self._speed(rows) <= speed * np.abs(self.gain(rows)))

    def lost(self, rows: Rows) -> npt.NDArray[np.bool_]:
        """Whether a neuron shrinks, and does so ever more slowly: all that F sees of w is gone."""
        return np.asarray((self.gain(rows) <= 0) & (self._speed(rows) <= self._slow[rows]))

    def advance(self, rows: Rows, tolerance: float, limit: Array | float = np.inf) -> None:
        """One step of some neurons, taken only by those whose error allows it.

        Args:
            rows: which neurons, shape (rows,).
            tolerance: allowed error of a step, relative to R for a and to |w| for w.
            limit: log R on which to land exactly, shape (rows,) or one for all.
        """
        old, step = self.state[rows], self._step[rows]
        with np.errstate(over="ignore", invalid="ignore"):  # of steps that are far too long
            new, rates, error = _tried(self._landscape, old, self.rates[rows], step)
            climb = (new[:, -2] - old[:, -2]) / step
        error[np.isnan(error)] = np.inf
        small, beyond = error <= tolerance, new[:, -2] - limit > _LANDED
        fine = small & ~beyond
        taken = new[fine]
        taken[:, :-2] /= np.linalg.norm(taken[:, :-2], axis=1, keepdims=True)
        self.state[rows[fine]], self.rates[rows[fine]] = taken, rates[fine]
        factor = np.clip(0.9 * (np.maximum(error, _TINY) / tolerance) ** -0.2, 0.2, 5.0)
        climb = np.maximum(np.where(fine, self.gain(rows), climb), _TINY)
        landing = np.where(small, (limit - self.state[rows, -2]) / climb, np.inf)
        self._step[rows] = np.minimum(step * factor, landing)

    def landed(self, rows: Rows, limit: Array | float) -> npt.NDArray[np.bool_]:
        """Whether log R has reached its limit."""
        return np.asarray(limit - self.state[rows, -2] <= _LANDED)


def _rates(landscape: Landscape, state: Array) -> Array:
    """Rates by τ of (a/R, w/R, log R, t), shape (m, d + 3)."""
    p = landscape.degree
    a, w = state[:, 0], state[:, 1:-2]
    value, gradient = landscape.value_and_gradient(w)
    gain = (p + 1) * a * value
    rates = np.empty_like(state)
    rates[:, 0] = value - gain * a
    rates[:, 1:-2] = a[:, None] * gradient - gain[:, None] * w
    rates[:, -2] = gain
    rates[:, -1] = np.exp(-(p - 1) * state[:, -2])
    return rates


def _size(change: Array, state: Array) -> Array:
    """The largest of |Δa|/R, |Δw|/|w|, |Δ log R| and |Δt|/(1 + t), shape (m,)."""
    w = np.linalg.norm(state[:, 1:-2], axis=1)
    sizes = (
        np.abs(change[:, 0]),
        np.abs(change[:, 1:-2]).max(axis=1) / np.maximum(w, _TINY),
        np.abs(change[:, -2]),
        np.abs(change[:, -1]) / (1 + state[:, -1]),
    )
    return np.asarray(np.max(sizes, axis=0))


def _tried(
    landscape: Landscape, state: Array, slope: Array, step: Array
) -> tuple[Array, Array, Array]:
    """One step of every neuron: the new state, its rates, and the size of the error."""
    slopes = [slope]
    h = step[:, None]
    new = state
    for weights in _STAGES:
        new = state + h * sum(c * k for c, k in zip(weights, slopes, strict=True) if c)
        slopes.append(_rates(landscape, new))
    error = h * sum(c * k for c, k in zip(_ERROR, slopes, strict=True) if c)
    return new, slopes[-1], _size(error, state)
