"""One run of gradient descent on large inputs: its form, clock, records and end."""

from __future__ import annotations

from typing import Literal

import numpy as np

from netphase._checks import one_of
from netphase._types import Array, Status
from netphase.engine.blocks import Blocks, Form
from netphase.engine.history import STAGNATION_STEPS, History, Judge
from netphase.engine.problem import Outcome, Problem, Stop

Path = Literal["auto", "blas", "gram"]


def choose_form(problem: Problem, path: Path) -> Form:
    """The cheaper exact form for this problem, or the one asked for."""
    chosen = one_of("path", path, ("auto", "blas", "gram"))
    if chosen == "auto":
        n, d = problem.x.shape
        return "gram" if n < 2 * d else "blas"
    return "gram" if chosen == "gram" else "blas"


class LargeRun:
    """Clock, counters, records and the end of a run.

    Args:
        blocks: the network.
        stop: when to end.
        tracked: how many of the first neurons count in the recorded changes.
        patience: steps without progress after which a run has stagnated.
    """

    def __init__(
        self, blocks: Blocks, stop: Stop, tracked: int, patience: int = STAGNATION_STEPS
    ) -> None:
        self.blocks, self.stop, self.tracked = blocks, stop, tracked
        self.time = 0.0
        self.steps = self.rejected = self.gradients = 0
        self.history = History()
        self.residual = blocks.residual()
        self.mean_square = mean_of_squares(self.residual)
        self._judge = Judge(stop, self.mean_square, patience)
        self._note()

    def verdict(self) -> Status | None:
        """Why the run ends here, or None."""
        return self._judge.verdict(self.time, self.steps, self.mean_square)

    def advance(self, time: float) -> None:
        """Takes note of a step that has been made."""
        self.time = time
        self.steps += 1
        self.gradients += 1
        self.residual = self.blocks.residual()
        self.mean_square = mean_of_squares(self.residual)
        if self.history.due(self.steps):
            self._note()

    def _note(self) -> None:
        changes = self.blocks.changes(self.tracked)
        self.history.note(self.time, self.steps, self.mean_square, *changes)

    def outcome(self, status: Status, **notes: float) -> Outcome:
        """What the run comes to, with a last record."""
        self._note()
        if self.blocks.problem.activation.homogeneous:
            notes["invariant_drift"] = self.blocks.invariant_drift()
        return Outcome(
            parameters=self.blocks.parameters(),
            status=status,
            time=self.time,
            steps=self.steps,
            rejected=self.rejected,
            gradients=self.gradients,
            solves=0,
            mean_square=self.mean_square,
            records=self.history.records(),
            notes=notes,
        )


def mean_of_squares(residual: Array) -> float:
    """(1/n) Σ e²."""
    return float(np.vdot(residual, residual) / residual.shape[0])
