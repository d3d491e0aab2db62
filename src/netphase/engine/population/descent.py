"""Literal gradient descent on infinitely many inputs, with a fixed step or one of 1/λ."""

from __future__ import annotations

import math

import numpy as np

from netphase._types import Array, Status
from netphase.engine.history import DIVERGED_FACTOR, STAGNATION_STEPS
from netphase.engine.population.field import PopulationField
from netphase.engine.population.log import Log
from netphase.engine.problem import Outcome, Stop
from netphase.networks import Parameters

FIRST_LEG, GROWTH = 10, 1.05
"""Steps between two looks at the largest eigenvalue: at first, and how they grow."""

ROUNDING = 1e-9
"""A time within this part of a step of a multiple of the step is that multiple."""


def descend_population(
    field: PopulationField,
    parameters: Parameters,
    *,
    learning_rate: float | None,
    stop: Stop,
    tracked: int,
    times: Array,
) -> tuple[Outcome, tuple[Parameters, ...]]:
    """Gradient descent θ ← θ − h M ∇R.

    Args:
        field: the flow.
        parameters: the start, shapes (m,) and (m, d); not changed.
        learning_rate: h, or None for 1/λ with λ the largest eigenvalue of the tangent operator,
            found anew along the run.
        stop: when to end; the last step is shortened to end at ``stop.time``.
        tracked: how many of the first neurons count in the recorded changes.
        times: increasing clock readings at which to keep the parameters, shape (t,), between two
            steps on the line that joins them.

    Returns:
        The outcome, with the largest h λ/2 met as ``notes["largest_sharpness"]``, and the
        parameters at ``times`` as far as they were reached.
    """
    with np.errstate(all="ignore"):
        return _Run(field, parameters, learning_rate, stop, tracked, times).finish()


class _Run:
    """The state of one descent."""

    def __init__(
        self,
        field: PopulationField,
        parameters: Parameters,
        learning_rate: float | None,
        stop: Stop,
        tracked: int,
        times: Array,
    ) -> None:
        self.field, self.rate, self.stop = field, learning_rate, stop
        self.log, self.times = Log(field, parameters, tracked, times), times
        self.u = self.log.start
        self.time, self.steps, self.leg = 0.0, 0, 0
        self.mean_square, self.flow = field.velocity(self.u)
        self.limit = DIVERGED_FACTOR * max(self.mean_square, stop.mean_square)
        self.anchor = (0, self.mean_square)
        self.direction: Array | None = None
        self.sharpest = 0.0

    def finish(self) -> tuple[Outcome, tuple[Parameters, ...]]:
        """Runs to the end."""
        self.log.note(0.0, 0, self.mean_square, self.u)
        while (status := self._verdict()) is None:
            step = self._pace()
            if step is None:
                status = Status.STAGNATED if self.mean_square < math.inf else Status.NON_FINITE
                break
            self._march(step)
        return self.log.outcome(
            status,
            self.time,
            self.steps,
            0,
            self.mean_square,
            self.u,
            largest_sharpness=self.sharpest,
        )

    def _pace(self) -> float | None:
        """Looks at the largest eigenvalue where that is due; the length of the next steps."""
        if self.steps >= self.leg:
            largest, self.direction = self.field.sharpness(self.u, self.direction)
            if self.rate is None:
                self.step = 1.0 / largest if largest > 0.0 else math.inf
            else:
                self.step = self.rate
            self.sharpest = max(self.sharpest, 0.5 * largest * min(self.step, 1e300))
            self.leg = max(self.steps + FIRST_LEG, math.ceil(GROWTH * self.steps))
        return self.step if math.isfinite(self.step) else None

    def _march(self, step: float) -> None:
        """Steps to the next look, the next time asked for or the end."""
        later = self.times[self.times > self.time]
        marks = [*later[:1].tolist(), self.stop.time]
        left = (min(marks) - self.time) / step
        most = min(self.leg, self.stop.max_steps) - self.steps
        count = most if left >= most else max(math.floor(left), 0)
        if count > 0:
            bounds = (self.stop.mean_square, self.limit)
            self.u, self.flow, self.mean_square, done = self.field.march(
                self.u, self.flow, step, count, bounds
            )
            self.steps += done
            self.time += done * step
            if abs(min(marks) - self.time) <= ROUNDING * step:
                self.time = min(marks)
            self.log.note(self.time, self.steps, self.mean_square, self.u)
            return
        self._partial(step)

    def _partial(self, step: float) -> None:
        """One step with marks inside: states at the times asked for, or the end."""
        end = min(self.time + step, self.stop.time)
        inside = self.log.due(self.time, end)
        between = [self.u + (time - self.time) * self.flow for time in inside]
        self.log.keep(self.time, end, np.array(between), self.steps)
        self.u = self.u + (end - self.time) * self.flow
        self.mean_square, self.flow = self.field.velocity(self.u)
        self.time, self.steps = end, self.steps + 1
        self.log.note(self.time, self.steps, self.mean_square, self.u)

    def _verdict(self) -> Status | None:
        stop = self.stop
        if not math.isfinite(self.mean_square):
            return Status.NON_FINITE
        if self.mean_square <= stop.mean_square:
            return Status.CONVERGED
        if self.mean_square > self.limit:
            return Status.DIVERGED
        if self.time >= stop.time:
            return Status.TIME_REACHED
        if self._stagnates():
            return Status.STAGNATED
        return Status.MAX_STEPS if self.steps >= stop.max_steps else None

    def _stagnates(self) -> bool:
        start, before = self.anchor
        if self.stop.stagnation <= 0.0 or self.steps < max(2 * start, start + STAGNATION_STEPS):
            return False
        self.anchor = (self.steps, self.mean_square)
        return self.mean_square > (1.0 - self.stop.stagnation) * before
