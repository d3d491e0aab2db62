"""Adam, full batch, in the raw variables a and w of the network; NumPy over BLAS."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netphase._types import Array, Status
from netphase.engine.adaptive import Field
from netphase.engine.history import History, Judge
from netphase.engine.problem import Outcome, Problem, Stop
from netphase.networks import Parameters


@dataclass(frozen=True)
class Moments:
    """How Adam steps.

    Attributes:
        rates: learning rates of (a, w), raw.
        units: raw size of one unit of the problem's (a, w): β₁ and β₂ for normalised variables.
        decay1: decay of the mean of gradients, in [0, 1).
        decay2: decay of the mean of their squares, in [0, 1).
        epsilon: what is added to the root of the latter, ≥ 0, in units of the raw gradient.
    """

    rates: tuple[float, float]
    units: tuple[float, float]
    decay1: float
    decay2: float
    epsilon: float


def descend_adam(
    problem: Problem,
    parameters: Parameters,
    moments: Moments,
    *,
    stop: Stop,
    tracked: int,
    steps: Array | None = None,
) -> tuple[Outcome, tuple[Parameters, ...]]:
    """Full-batch Adam on R = (1/2n) Σ e², with both means corrected for their start at zero.

    The clock counts steps; ``stop.time`` does, too.

    Args:
        problem: the problem; evaluated in float64 whatever its dtype. Its mobilities do not enter.
        parameters: the start, shapes (m,) and (m, d); not changed.
        moments: rates, units and decays.
        stop: when to end.
        tracked: how many of the first neurons count in the recorded changes.
        steps: increasing whole numbers after which to keep the parameters and to note a row,
            shape (t,), in place of rows at about logarithmic spacing.

    Returns:
        The outcome, and the parameters after ``steps`` as far as they were reached.

    References:
        Kingma & Ba (ICLR 2015), algorithm 1.
    """
    run = _Run(problem, parameters, moments, stop, tracked)
    due = [] if steps is None else [int(step) for step in steps]
    with np.errstate(all="ignore"):
        while (status := run.verdict(due, noting=steps is None)) is None:
            run.step()
        return run.outcome(status), tuple(run.kept)


class _Run:
    """One run: parameters, both moments, history."""

    def __init__(
        self, problem: Problem, start: Parameters, moments: Moments, stop: Stop, tracked: int
    ) -> None:
        self._field, self._dtype = Field(problem), start.a.dtype
        self._u0: Array = np.column_stack([start.a, start.w]).astype(np.float64)
        self._u, self._tracked, self._moments = self._u0.copy(), tracked, moments
        inputs = self._u.shape[1] - 1
        self._unit = np.array([moments.units[0]] + inputs * [moments.units[1]])
        self._rate = np.array([moments.rates[0]] + inputs * [moments.rates[1]]) / self._unit
        self._mean, self._square = np.zeros_like(self._u), np.zeros_like(self._u)
        self._steps, self._history = 0, History()
        self.kept: list[Parameters] = []
        self._look()
        self._judge = Judge(stop, self._mean_square)

    def _look(self) -> None:
        residual, flow = self._field.velocity(self._u)
        self._mean_square = float(np.mean(residual**2))
        self._gradient = -flow / (self._field.mobility * self._unit)

    def step(self) -> None:
        """One step, and a look at the gradient after it."""
        how, self._steps = self._moments, self._steps + 1
        self._mean += (1 - how.decay1) * (self._gradient - self._mean)
        self._square += (1 - how.decay2) * (self._gradient**2 - self._square)
        mean = self._mean / (1 - how.decay1**self._steps)
        root = np.sqrt(self._square / (1 - how.decay2**self._steps))
        moving = mean != 0.0  # without ε, a gradient of zero moves nothing
        self._u -= np.divide(
            self._rate * mean, root + how.epsilon, np.zeros_like(mean), where=moving
        )
        self._look()

    def verdict(self, due: list[int], noting: bool) -> Status | None:
        """Notes what is due, and says why the run ends here, or None."""
        wanted = bool(due) and due[0] <= self._steps
        if wanted:
            self.kept.append(self._parameters())
            due.pop(0)
        if wanted or self._steps == 0 or (noting and self._history.due(self._steps)):
            self._note()
        return self._judge.verdict(float(self._steps), self._steps, self._mean_square)

    def _note(self) -> None:
        change = self._u[: self._tracked] - self._u0[: self._tracked]
        norms = float(np.linalg.norm(change[:, 0])), float(np.linalg.norm(change[:, 1:]))
        self._history.note(float(self._steps), self._steps, self._mean_square, *norms)

    def _parameters(self) -> Parameters:
        a, w = self._u[:, 0].astype(self._dtype), self._u[:, 1:].astype(self._dtype)
        return Parameters(a, np.ascontiguousarray(w))

    def outcome(self, status: Status) -> Outcome:
        """The end of the run."""
        self._note()
        return Outcome(
            parameters=self._parameters(),
            status=status,
            time=float(self._steps),
            steps=self._steps,
            rejected=0,
            gradients=self._field.evaluations,
            solves=0,
            mean_square=self._mean_square,
            records=self._history.records(),
        )
