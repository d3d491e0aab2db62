"""One boost followed in time, with its history: from the start to a target, a time, or rest."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from netphase._types import Array, Status
from netphase.dynamics.macroscopic.equation import Equation, Frame, State, mean_function, start
from netphase.dynamics.macroscopic.integration import attempt, cross, first_step, next_step
from netphase.dynamics.macroscopic.task import LinearTask
from netphase.engine.problem import Stop

REST = 1e-20
"""Part of the reducible error below which nothing but rounding is left to fall."""

SAME, LARGEST = 1e-9, 300.0
"""A target is met within this part of it; beyond this rapidity cosh²(η) leaves a float's range."""

ROW = 0.1
"""Rows of the history lie no further apart than this part of the time since the start."""


@dataclass(frozen=True)
class Path:
    """A history; arrays over time have shape (t,), the first row is the start, the last the end.

    Attributes:
        clock: τ.
        state: the boosts, one cell a time.
        mean_square: (1/n) Σ e².
        status: why it ended.
        steps: accepted steps.
        rejected: rejected steps.
        asked: which rows lie at a time that was asked for, shape (t,).
    """

    clock: Array
    state: State
    mean_square: Array
    status: Status
    steps: int
    rejected: int
    asked: Array


@dataclass(frozen=True)
class Ends:
    """Where a path may end.

    Attributes:
        target: mean square above the plateau; not positive if it can never be met.
        clock: τ.
        rest: mean square above the plateau at which a path without another end has come to rest.
    """

    target: float
    clock: float
    rest: float

    @classmethod
    def of(cls, task: LinearTask, stop: Stop, unit: float) -> Ends:
        """The ends that a `Stop` asks for, its time being in units of τ."""
        target, end = stop.mean_square - task.plateau, stop.time * unit
        rest = 0.0 if math.isfinite(end) else REST * task.reducible
        if target <= 0 and stop.stagnation > 0:  # excess ≤ stagnation · mean square
            rest = max(rest, task.plateau * stop.stagnation / (1 - stop.stagnation))
        return cls(target, end, rest)

    def met(self, excess: float, clock: float, rapidity: float) -> Status | None:
        """Which end has been met, if one has."""
        if excess <= self.target * (1 + SAME):
            return Status.CONVERGED
        if clock >= self.clock:
            return Status.TIME_REACHED
        if excess <= self.rest:
            return Status.STAGNATED
        return Status.NON_FINITE if rapidity > LARGEST else None


def follow(equation: Equation, stop: Stop, unit: float, times: Array, rtol: float) -> Path:
    """Follows one cell.

    Args:
        equation: of one cell.
        stop: when to end. A target at or below the plateau is never met; the run then ends,
            stagnated, where ``stop.stagnation`` of the mean square is left to fall, or, without an
            end of time, where only rounding is.
        unit: τ of one unit of ``stop.time`` and ``times``.
        times: at which rows are kept; empty for rows at about logarithmic spacing.
        rtol: tolerance of a step.

    Returns:
        The path.
    """
    task, ends = equation.task, Ends.of(equation.task, stop, unit)
    state, clock, h = start(equation), 0.0, float(first_step(equation)[0])
    wanted_at = (times * unit).tolist()
    marks = [each for each in wanted_at if 0 < each < ends.clock] + [ends.clock]
    rows = [(clock, state, clock in wanted_at)]
    first, steps, rejected = h, 0, 0

    def ended() -> Status | None:
        rapidity = float(Frame.of(state, equation.scale).rapidity[0, 0])
        met = ends.met(float(task.excess(mean_function(equation, state))[0]), clock, rapidity)
        return Status.MAX_STEPS if met is None and steps + rejected >= stop.max_steps else met

    def level(u: Array) -> Array:
        return np.asarray(np.log(ends.target / task.excess(u)))

    status = ended()
    while status is None:
        farthest = math.inf if times.size else ROW * (clock + first)
        tried = np.array([min(h, farthest, marks[0] - clock)])
        new, error = attempt(equation, state, tried)
        wanted = float(next_step(tried, error, rtol)[0])
        if error[0] > rtol:
            h, rejected, status = wanted, rejected + 1, ended()
            continue
        h, steps = max(h, wanted) if tried[0] < h else wanted, steps + 1
        if ends.target > 0 and level(mean_function(equation, new))[0] >= 0:
            new, tried = cross(equation, state, tried, level)
        reached = tried[0] >= marks[0] - clock
        clock, state = (marks.pop(0) if reached else clock + float(tried[0])), new
        status = ended()
        if reached or status is not None or not times.size:
            rows.append((clock, state, clock in wanted_at))
    return _path(equation, rows, status, (steps, rejected))


def _path(
    equation: Equation,
    rows: list[tuple[float, State, bool]],
    status: Status,
    counts: tuple[int, int],
) -> Path:
    """Rows as arrays."""
    clocks, states, asked = zip(*rows, strict=True)
    state = State(*(np.concatenate(each) for each in zip(*states, strict=True)))
    every = equation.rows(np.zeros(len(clocks), dtype=np.intp))
    excess = equation.task.excess(mean_function(every, state))
    return Path(
        clock=np.array(clocks),
        state=state,
        mean_square=equation.task.plateau + excess,
        status=status,
        steps=counts[0],
        rejected=counts[1],
        asked=np.array(asked),
    )
