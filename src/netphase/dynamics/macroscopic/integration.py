"""Extrapolated steps with error control, for many cells at once, and the points where levels cross.

One step of length h is made by k chains of 1, 2, …, k implicit Euler steps; their combination is of
order k, and of two orders' difference comes the error. The chains of all cells run side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from netphase._types import Array
from netphase.dynamics.macroscopic.equation import Equation, State, euler, mean_function, start

ORDER = 7
"""k; the work of a step is k(k + 1)/2 Euler steps, done in k sweeps."""

SLOWEST, FASTEST, SAFETY = 0.1, 6.0, 0.9
"""Limits of the change of a step, and the part of the optimal one that is taken."""

ON_LEVEL, NO_WIDTH = 1e-13, 1e-15
"""A crossing is found where its level is so small, or between points so near, relatively."""

BLOCK = 512
"""Cells that are advanced together, few enough for the cache."""

Level: TypeAlias = Callable[[Array], Array]
"""A function of u, shape (cells, r), that is negative before a point and positive after it."""


def _weights(first: int, last: int) -> Array:
    """Weights of the chains first … last of a harmonic extrapolation, zero for those before."""
    chains = range(first, last + 1)
    found = [np.prod([j / (j - i) for i in chains if i != j]) for j in chains]
    return np.array([0.0] * (first - 1) + found)


WEIGHTS = _weights(1, ORDER)
ERROR = WEIGHTS - _weights(2, ORDER)


def first_step(equation: Equation) -> Array:
    """A step well below both the escape and the relaxation time, shape (cells,)."""
    task = equation.task
    return np.asarray(0.05 / (task.rate * (1 + equation.scale[:, 0])))


def attempt(equation: Equation, state: State, h: Array) -> tuple[State, Array]:
    """One extrapolated step of every cell.

    Args:
        equation: the cells.
        state: their boosts.
        h: steps, shape (cells,).

    Returns:
        The boosts after it, and its error in units of Φ − I, infinite if a number overflowed;
        shape (cells,). The rapidity counts absolutely beyond one, since u is exponential in it.
    """
    cells = len(h)
    every = np.tile(np.arange(cells), ORDER)
    chains, now = equation.rows(every), state.rows(every)
    lengths = (h / np.arange(1, ORDER + 1)[:, None]).reshape(-1, 1)
    with np.errstate(all="ignore"):
        for first in range(0, len(every), cells):
            rest = slice(first, None)
            some = euler(chains.rows(rest), now.rows(rest), lengths[rest])
            now.rapidity[rest], now.turn[rest] = some
        moved = [
            each.reshape(ORDER, *before.shape) - before
            for each, before in zip(now, state, strict=True)
        ]
        step, wrong = (
            State(*(np.tensordot(weights, each, axes=1) for each in moved))
            for weights in (WEIGHTS, ERROR)
        )
        new = State(state.rapidity + step.rapidity, state.turn + step.turn)
        scale = equation.scale[:, 0]
        size = np.linalg.norm(new.rapidity, axis=1)
        eta = size / scale
        stretch = 2 * (scale * np.sinh(eta / 2)) ** 2 / np.cosh(eta)
        turned = np.linalg.norm(new.turn, axis=(1, 2))
        error = np.maximum(
            np.linalg.norm(wrong.rapidity, axis=1) / np.minimum(size, scale),
            np.linalg.norm(wrong.turn, axis=(1, 2)) / (turned + stretch),
        )
    return new, np.where(np.isfinite(error), error, np.inf)


def next_step(h: Array, error: Array, rtol: float) -> Array:
    """The step to try after one with a given error, same shape."""
    with np.errstate(divide="ignore"):
        factor = SAFETY * (rtol / error) ** (1 / ORDER)
    return np.asarray(h * np.clip(factor, SLOWEST, FASTEST))


def cross(equation: Equation, state: State, h: Array, level: Level) -> tuple[State, Array]:
    """The points inside a step where a level is zero, by false position (Illinois).

    Every trial point is a step of its own from the start, so it is as accurate as the whole one.

    Args:
        equation: the cells.
        state: their boosts at the start of the step, where the level is negative.
        h: the step, after which it is not, shape (cells,).
        level: what is zero there.

    Returns:
        The boosts there, and the part of the step, shape (cells,).
    """
    there, _ = attempt(equation, state, h)
    part, low, high, side = h.copy(), np.zeros(len(h)), h.copy(), np.zeros(len(h))
    below, above = (level(mean_function(equation, each)) for each in (state, there))
    left = np.flatnonzero(above > 0)
    while len(left):
        a, b, f, g = low[left], high[left], below[left], above[left]
        with np.errstate(invalid="ignore"):  # a level may be −∞ at the start
            secant = b - g * (b - a) / (g - f)
        part[left] = np.where((secant > a) & (secant < b), secant, (a + b) / 2)
        some = equation.rows(left)
        new, _ = attempt(some, state.rows(left), part[left])
        here = level(mean_function(some, new))
        there.rapidity[left], there.turn[left] = new
        past = here >= 0
        below[left] = np.where(past, np.where(side[left] > 0, f / 2, f), here)
        above[left] = np.where(past, here, np.where(side[left] < 0, g / 2, g))
        low[left], high[left] = np.where(past, a, part[left]), np.where(past, part[left], b)
        side[left] = np.where(past, 1.0, -1.0)
        far = (np.abs(here) > ON_LEVEL) & (high[left] - low[left] > NO_WIDTH * high[left])
        left = left[far]
    return there, part


@dataclass(frozen=True)
class Crossings:
    """Where a level is first zero, for several cells.

    Attributes:
        clock: τ there, shape (cells,).
        state: the boosts there.
    """

    clock: Array
    state: State


def reach(equation: Equation, levels: Sequence[Level], rtol: float) -> list[Crossings]:
    """Advances every cell until all levels were crossed; each must be crossed some time.

    Args:
        equation: the cells.
        levels: what is looked for.
        rtol: tolerance of a step.

    Returns:
        The crossings of each level.
    """
    cells = len(equation.scale)
    found = [Crossings(np.zeros(cells), start(equation)) for _ in levels]
    for first in range(0, cells, BLOCK):
        block = slice(first, first + BLOCK)
        some = equation.rows(block)
        for all_cells, (clock, before, h), level in zip(
            found, _brackets(some, levels, rtol), levels, strict=True
        ):
            there, part = cross(some, before, h, level)
            all_cells.clock[block] = clock + part
            all_cells.state.rapidity[block], all_cells.state.turn[block] = there
    return found


def _brackets(
    equation: Equation, levels: Sequence[Level], rtol: float
) -> list[tuple[Array, State, Array]]:
    """The step in which each level is first crossed: its start (clock and state) and its length."""
    state, h = start(equation), first_step(equation)
    clock, active = np.zeros(len(h)), np.arange(len(h))
    found: list[tuple[Array, State, Array]] = [
        (clock.copy(), start(equation), np.full(len(h), np.nan)) for _ in levels
    ]
    while len(active):
        tried = h[active]
        new, error = attempt(equation.rows(active), state.rows(active), tried)
        h[active] = next_step(tried, error, rtol)
        good = error <= rtol
        moved, new, tried = active[good], new.rows(good), tried[good]
        u = mean_function(equation.rows(moved), new)
        for (began, before, step), level in zip(found, levels, strict=True):
            crossed = (level(u) >= 0) & np.isnan(step[moved])
            rows = moved[crossed]
            began[rows], step[rows] = clock[rows], tried[crossed]
            before.rapidity[rows], before.turn[rows] = state.rows(rows)
        state.rapidity[moved], state.turn[moved] = new
        clock[moved] += tried
        active = active[np.isnan([step[active] for _, _, step in found]).any(axis=0)]
    return found
