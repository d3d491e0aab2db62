"""The flow of one neuron while the residual stands still, for many neurons with a clock each.

A neuron obeys a′ = F(w), w′ = a ∇F(w), the ascent of G = a F(w), which is homogeneous of degree
p + 1. With R = ‖(a, w)‖ and a clock dτ = R^{p−1} dt of each neuron's own, the point (a, w)/R moves
on a sphere whatever R is, and d log R/dτ = (p + 1) G: what would blow up is integrated smoothly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netphase._types import Array
from netphase.directions.landscape import Landscape
from netphase.directions.search import ascend

_MAX_STEPS = 20_000
_SHRUNK = 0.01  # |w|/R at which a neuron that shrinks is looked at
_LONGEST = 1e6  # factor by which a step grows at most over the first one
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


@dataclass(frozen=True)
class FlowEnd:
    """Where neurons end on the sphere, and when they leave.

    Attributes:
        a: output weights over R at the end, shape (m,).
        w: input weights over R at the end, shape (m, d).
        time: time at which log R has grown by the asked amount, in units of R(0)^{1−p}; infinite
            for a neuron that never does, shape (m,).
        settled: whether the neuron reached a direction in which it grows; otherwise it shrinks
            to w = 0, or has nothing that drives it, shape (m,).
    """

    a: Array
    w: Array
    time: Array
    settled: npt.NDArray[np.bool_]


def flow_to_the_end(
    landscape: Landscape,
    a: Array,
    w: Array,
    growth: Array,
    settled_at: float = 1e-10,
    tolerance: float = 1e-10,
) -> FlowEnd:
    """Follows every neuron until its direction stands still.

    Args:
        landscape: F, a smooth one, best with values of size one.
        a: output weights, shape (m,).
        w: input weights with a² + |w|² = 1, shape (m, d).
        growth: log R to be reached; infinite for the blow-up, shape (m,).
        settled_at: speed on the sphere, relative to the growth of log R, that counts as rest.
        tolerance: error of a step that is allowed, relative and absolute.

    Returns:
        The ends, and the times at which ``growth`` was reached.
    """
    neurons = _Neurons(landscape, a, w, growth)
    for _ in range(_MAX_STEPS):
        neurons.step(tolerance)
        if neurons.all_done(settled_at):
            break
    if landscape.degree > 1:
        neurons.add_blow_up()
    return FlowEnd(neurons.state[:, 0], neurons.state[:, 1:-2], neurons.time, neurons.settled)


class _Neurons:
    """The neurons under way: rows (a/R, w/R, log R, t) with their slopes by τ and their steps."""

    def __init__(self, landscape: Landscape, a: Array, w: Array, growth: Array) -> None:
        self.landscape, self.growth = landscape, growth
        self.state = np.column_stack([a, w, np.zeros(len(a)), np.zeros(len(a))])
        self.slope = _rates(landscape, self.state)
        fastest = np.abs(self.slope[:, :-1]).max(axis=1)
        self._h = 0.01 / np.maximum(fastest, 1e-300)
        self._longest = _LONGEST * self._h
        self.time = np.where(growth <= 0, 0.0, np.inf)
        self.settled = np.zeros(len(a), dtype=bool)
        self._looked_at = np.full(len(a), landscape.degree == 1)
        self._going = np.flatnonzero(fastest > 0)

    def step(self, tolerance: float) -> None:
        """One step of every neuron under way, taken only by those whose error allows it."""
        going = self._going
        new, slope, error = _tried(
            self.landscape, self.state[going], self.slope[going], self._h[going]
        )
        error /= tolerance
        fine = error <= 1
        rows = going[fine]
        before = (self.state[rows], self.slope[rows], self._h[rows])
        new[:, :-2] /= np.linalg.norm(new[:, :-2], axis=1, keepdims=True)
        self.state[rows], self.slope[rows] = new[fine], slope[fine]
        self._note_crossings(rows, *before)
        factor = np.clip(0.9 * np.maximum(error, 1e-10) ** -0.2, 0.2, 5.0)
        self._h[going] = np.minimum(self._h[going] * factor, self._longest[going])

    def all_done(self, settled_at: float) -> bool:
        """Takes out the neurons that stand still or only shrink; whether none is left."""
        going = self._going
        speed, gain = np.linalg.norm(self.slope[going, :-2], axis=1), self.slope[going, -2]
        self.settled[going] = (speed <= settled_at * gain) & (gain > 0)
        timed = np.isinf(self.growth[going]) | np.isfinite(self.time[going])
        going = going[~(self.settled[going] & timed)]
        small = np.linalg.norm(self.state[going, 1:-2], axis=1) < _SHRUNK
        shrinks = small & (self.slope[going, -2] < 0) & ~self._looked_at[going]
        self._looked_at[going[shrinks]] = True
        lost = going[shrinks][self._never_leaves(going[shrinks])]
        self._going = np.setdiff1d(going, lost, assume_unique=True)
        return not len(self._going)

    def _never_leaves(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
        """Whether small w, which climb ±F while a stands still, climb to a value below zero."""
        never = np.zeros(len(rows), dtype=bool)
        w = self.state[rows, 1:-2]
        unit = w / np.maximum(np.linalg.norm(w, axis=1, keepdims=True), 1e-300)
        for sign in (1, -1):
            own = np.flatnonzero(sign * self.state[rows, 0] > 0)
            if len(own):
                climb = self.landscape.turned(sign)
                never[own] = climb.value(ascend(climb, unit[own])) <= 0
        return never

    def _note_crossings(
        self, rows: npt.NDArray[np.intp], old: Array, old_slope: Array, step: Array
    ) -> None:
        """Sets the times of the neurons whose log R passed its target in the step just taken."""
        target, new = self.growth[rows], self.state[rows]
        passed = (old[:, -2] < target) & (new[:, -2] >= target) & np.isinf(self.time[rows])
        here = np.flatnonzero(passed)
        if not len(here):
            return
        ends = (old[here], old_slope[here], new[here], self.slope[rows[here]], step[here])
        low, high = np.zeros(len(here)), np.ones(len(here))
        for _ in range(50):
            middle = (low + high) / 2
            below = _between(*ends, middle)[:, 0] < target[here]
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        self.time[rows[here]] = _between(*ends, high)[:, 1]

    def add_blow_up(self) -> None:
        """Sets blow-up times: once the direction stands still, what is left is a power of R."""
        p = self.landscape.degree
        ends = self.settled & np.isinf(self.growth)
        rest, gain = self.state[ends], self.slope[ends, -2]
        self.time[ends] = rest[:, -1] + np.exp(-(p - 1) * rest[:, -2]) / ((p - 1) * gain)


def _rates(landscape: Landscape, state: Array) -> Array:
    """Rates by τ of (a/R, w/R, log R, t), shape (m, d + 3)."""
    p = landscape.degree
    a, w, growth = state[:, 0], state[:, 1:-2], state[:, -2]
    value = landscape.value(w)
    gain = (p + 1) * a * value
    rates = np.empty_like(state)
    rates[:, 0] = value - gain * a
    rates[:, 1:-2] = a[:, None] * landscape.gradient(w) - gain[:, None] * w
    rates[:, -2] = gain
    rates[:, -1] = np.exp(-(p - 1) * growth)
    return rates


def _tried(
    landscape: Landscape, state: Array, slope: Array, step: Array
) -> tuple[Array, Array, Array]:
    """One step of every neuron: the new state, its slope, and the error over the size."""
    slopes = [slope]
    h = step[:, None]
    new = state
    for weights in _STAGES:
        new = state + h * sum(c * k for c, k in zip(weights, slopes, strict=True) if c)
        slopes.append(_rates(landscape, new))
    error = h * sum(c * k for c, k in zip(_ERROR, slopes, strict=True) if c)
    size = 1 + np.maximum(np.abs(state), np.abs(new))
    return new, slopes[-1], np.abs(error / size).max(axis=1)


def _between(
    old: Array, old_slope: Array, new: Array, new_slope: Array, step: Array, part: Array
) -> Array:
    """Values (log R, t) at a part of the step, by the cubic through its ends, shape (m, 2)."""
    s, h = part[:, None], step[:, None]
    y0, y1, k0, k1 = old[:, -2:], new[:, -2:], h * old_slope[:, -2:], h * new_slope[:, -2:]
    return np.asarray(
        y0 + s * (k0 + s * (3 * (y1 - y0) - 2 * k0 - k1 + s * (2 * (y0 - y1) + k0 + k1)))
    )
