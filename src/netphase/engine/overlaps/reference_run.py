"""The overlap solver in NumPy: step control, rows and crossings as the compiled one has them."""

from __future__ import annotations

import numpy as np

from netphase._types import Array, Status
from netphase.engine.adaptive import StepControl
from netphase.engine.overlaps.problem import OverlapOutcome, OverlapProblem
from netphase.engine.overlaps.reference import Step, error_ratio, first_step, residuals, rodas4

BISECTIONS = 40
"""Halvings that find a crossing in a step: to 1e-12 of its length."""


def solve_reference(
    problem: OverlapProblem,
    a: Array,
    s: Array,
    *,
    times: Array,
    rtol: float,
    max_steps: int,
) -> OverlapOutcome:
    """Follows the overlaps; see `netphase.engine.overlaps.solve_overlaps` for the arguments."""
    with np.errstate(all="ignore"):  # a number that overflows ends the run, or its step
        return _Run(problem, np.column_stack([a, s]), times, rtol).finish(max_steps)


class _Run:
    """The state of one integration."""

    def __init__(self, problem: OverlapProblem, u: Array, times: Array, rtol: float) -> None:
        self.problem, self.u, self.times, self.rtol = problem, u, times, rtol
        self.time, self.steps, self.rejected, self.rise = 0.0, 0, 0, 0.0
        self.rho = self.rho_start = residuals(problem, u)
        self.scale = float(max(self.rho @ self.rho, problem.target @ problem.target))
        degrees = problem.modes.degrees
        self.groups = np.vstack(
            [np.eye(len(degrees)), np.arange(degrees[-1] + 1)[:, None] == degrees]
        )
        self.level = self._sizes(problem.target) / 2.0
        self.crossings = np.zeros_like(self.level)
        self.rows: list[tuple[float, Array]] = [(0.0, u)] if times[0] == 0.0 else []
        self.h = first_step(problem, u, float(times[-1]), rtol)

    def finish(self, max_steps: int) -> OverlapOutcome:
        """Runs to the last of the times."""
        control, end = StepControl(0.25), float(self.times[-1])
        status = None if np.isfinite(self.h) else Status.NON_FINITE
        while status is None:
            if self.time >= end:
                status = Status.TIME_REACHED
            elif self.steps >= max_steps:
                status = Status.MAX_STEPS
            else:
                status = self._step(control, end)
        if not self.rows or self.rows[-1][0] != self.time:
            self.rows.append((self.time, self.u))
        return self._outcome(status)

    def _step(self, control: StepControl, end: float) -> Status | None:
        left, after = end - self.time, self.time + self.h
        if self.h >= left * (1.0 - 1e-12):
            self.h, after = left, end
        if after == self.time:
            return Status.STAGNATED
        try:
            step = rodas4(self.problem, self.u, self.h)
            ratio = error_ratio(self.problem, step, self.scale, self.rtol)
        except np.linalg.LinAlgError:
            ratio = np.inf
        if ratio > 1.0:
            self.rejected += 1
            self.h = control.rejected(self.h, ratio)
            if control.hopeless:
                return Status.NON_FINITE if ratio == np.inf else Status.STAGNATED
            return None
        self._accept(step, after)
        self.h = control.accepted(self.h, ratio)
        return None

    def _accept(self, step: Step, after: float) -> None:
        fell = (self._sizes(self.rho) >= self.level) & (self._sizes(step.rho) < self.level)
        for k in np.flatnonzero(fell):
            self.crossings[k] = self.time + self._part(step, int(k)) * self.h
        for time in self.times[(self.times > self.time) & (self.times <= after)]:
            part = 1.0 if time == after else (time - self.time) / self.h
            self.rows.append((float(time), step.at(part)))
        rise = (step.rho @ step.rho - self.rho @ self.rho) / (self.rho_start @ self.rho_start)
        self.rise = max(self.rise, float(rise))
        self.time, self.u, self.rho = after, step.end, step.rho
        self.steps += 1

    def _sizes(self, rho: Array) -> Array:
        """|ρ_k| of each mode, then the norms of the modes of each total degree."""
        return np.asarray(np.sqrt(self.groups @ rho**2))

    def _part(self, step: Step, k: int) -> float:
        """The fraction of a step at which the size k falls through its level."""
        low, high = 0.0, 1.0
        for _ in range(BISECTIONS):
            part = 0.5 * (low + high)
            if self._sizes(residuals(self.problem, step.at(part)))[k] >= self.level[k]:
                low = part
            else:
                high = part
        return 0.5 * (low + high)

    def _outcome(self, status: Status) -> OverlapOutcome:
        open_still = (self._sizes(self.rho) >= self.level) | (self.level == 0.0)
        crossings = np.where(open_still, np.nan, self.crossings)
        states = np.array([u for _, u in self.rows])
        modes = len(self.rho)
        return OverlapOutcome(
            status=status,
            time=np.array([time for time, _ in self.rows]),
            a=states[:, :, 0],
            s=states[:, :, 1] if self.problem.projections == 1 else states[:, :, 1:],
            residuals=np.array([residuals(self.problem, u) for u in states]),
            crossings=crossings[:modes],
            degree_crossings=crossings[modes:],
            steps=self.steps,
            rejected=self.rejected,
            largest_rise=self.rise,
        )
