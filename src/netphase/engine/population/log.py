"""What a run on infinitely many inputs notes down and keeps on its way."""

from __future__ import annotations

import numpy as np

from netphase._types import Array, Status
from netphase.engine.adaptive import block_norms
from netphase.engine.population.field import PopulationField
from netphase.engine.population.problem import invariant_drift
from netphase.engine.problem import Outcome, Records, record_array
from netphase.networks import Parameters

TIME_RATIO = 1.02
"""Clock readings of two records differ by this factor at least: 116 rows a decade."""


class Log:
    """History and snapshots of one run; its parameters come back in the dtype of the start.

    Args:
        field: the flow.
        parameters: the start, shapes (m,) and (m, d).
        tracked: how many of the first neurons count in the recorded changes.
        times: clock readings at which to keep the parameters, shape (t,); with them the history
            has rows at the start, these times and the end only.

    Attributes:
        start: the start as a state, shape (m, d + 1).
    """

    def __init__(
        self, field: PopulationField, parameters: Parameters, tracked: int, times: Array
    ) -> None:
        self._field, self._tracked, self._dtype = field, tracked, parameters.a.dtype
        self.start: Array = np.column_stack([parameters.a, parameters.w]).astype(np.float64)
        self._times, self._sparse = times, times.size > 0
        self._rows: list[tuple[float, int, float, float, float]] = []
        self._kept: list[Parameters] = []

    def due(self, time: float, end: float) -> Array:
        """The times after ``time`` and before ``end`` at which to keep the parameters."""
        return self._times[(self._times > time) & (self._times < end)]

    def keep(self, time: float, end: float, between: Array, steps: int) -> None:
        """Keeps the states of the times after ``time`` and before ``end``, as far as there are."""
        for reading, u in zip(self.due(time, end), between, strict=False):
            mean_square, _ = self._field.velocity(u)
            self._row(float(reading), steps, mean_square, u)
            self._kept.append(self.parameters(u))

    def note(self, time: float, steps: int, mean_square: float, u: Array) -> None:
        """Notes an accepted state, if it is due."""
        if np.any(self._times == time):
            self._row(time, steps, mean_square, u)
            self._kept.append(self.parameters(u))
        elif not self._rows or (
            not self._sparse and (time >= TIME_RATIO * self._rows[-1][0] or steps < 10)
        ):
            self._row(time, steps, mean_square, u)

    def _row(self, time: float, steps: int, mean_square: float, u: Array) -> None:
        change_a, change_w = block_norms((u - self.start)[: self._tracked])
        self._rows.append((time, steps, mean_square, float(change_a), float(change_w)))

    def parameters(self, u: Array) -> Parameters:
        """A state as parameters."""
        final = u.astype(self._dtype)
        return Parameters(final[:, 0].copy(), final[:, 1:].copy())

    def outcome(
        self,
        status: Status,
        time: float,
        steps: int,
        rejected: int,
        mean_square: float,
        u: Array,
        **notes: float,
    ) -> tuple[Outcome, tuple[Parameters, ...]]:
        """The end of the run, and what was kept."""
        if self._rows[-1][0] != time:
            self._row(time, steps, mean_square, u)
        problem = self._field.problem
        if problem.activation.homogeneous:
            first, last = (Parameters(each[:, 0], each[:, 1:]) for each in (self.start, u))
            notes["invariant_drift"] = invariant_drift(problem, first, last)
        columns = (record_array(list(map(float, each))) for each in zip(*self._rows, strict=True))
        outcome = Outcome(
            parameters=self.parameters(u),
            status=status,
            time=time,
            steps=steps,
            rejected=rejected,
            gradients=self._field.evaluations,
            solves=0,
            mean_square=mean_square,
            records=Records(*columns),
            notes=notes,
        )
        return outcome, tuple(self._kept)
