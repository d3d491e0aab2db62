"""Gradient flow on infinitely many inputs by a stabilised explicit method with error control.

The method takes s gradients for steps of about 0.65 s²/λ, λ the largest curvature, where gradient
descent needs as many gradients as steps of 1/λ: the slow creep of neurons between activations
costs little however stiff the output weights are.

References:
    Sommeijer, Shampine, Verwer (J. Comput. Appl. Math. 88, 1998), RKC, second order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from netphase._types import Array, Status
from netphase.engine.adaptive import (
    PARAMETER_FLOOR,
    PATIENCE,
    PUT,
    StepControl,
    block_norms,
    check_rtol,
)
from netphase.engine.history import DIVERGED_FACTOR, STAGNATION_STEPS, last_step
from netphase.engine.population.field import PopulationField
from netphase.engine.population.log import Log
from netphase.engine.problem import Outcome, Stop
from netphase.networks import Parameters

DAMPING = 2.0 / 13.0
"""ε of the method: stiff modes are damped by ε/3 a step."""

MOST_STAGES = 400
"""Stages of one step at most; rounding grows with their square."""

STABILITY = 1.54
"""A step h of s stages is stable while hλ is below (s² − 1) over this, with the damping ε."""

RENEW = 10
"""Accepted steps between two estimates of the largest curvature."""

MARGIN = 1.15
"""The estimate is multiplied by this: it is from below, and the curvature changes."""

LOSS_FLOOR = 1e-13
"""The error of the loss is measured against it, but at least this part of its first value."""


@lru_cache(maxsize=512)
def coefficients(stages: int) -> Array:
    """The method of some stages: rows j of (μ, ν, μ̃, γ̃, c), shape (stages + 1, 5); row 0 is zero.

    Args:
        stages: s ≥ 2; row 1 has only μ̃ and c.

    Returns:
        The table, read-only: it is kept for the next call.
    """
    w0 = 1.0 + DAMPING / stages**2
    value, first, second = [1.0, w0], [0.0, 1.0], [0.0, 0.0]
    for _ in range(2, stages + 1):
        second.append(4.0 * first[-1] + 2.0 * w0 * second[-1] - second[-2])
        first.append(2.0 * value[-1] + 2.0 * w0 * first[-1] - first[-2])
        value.append(2.0 * w0 * value[-1] - value[-2])
    t, t1, t2 = np.array(value), np.array(first), np.array(second)
    w1 = t1[stages] / t2[stages]
    b = np.empty(stages + 1)
    b[2:] = t2[2:] / t1[2:] ** 2
    b[:2] = b[2]
    a = 1.0 - b * t
    table = np.zeros((stages + 1, 5))
    table[1, 2] = b[1] * w1
    ratio = b[2:] / b[1:-1]
    table[2:, 0], table[2:, 1] = 2.0 * w0 * ratio, -b[2:] / b[:-2]
    table[2:, 2] = 2.0 * w1 * ratio
    table[2:, 3] = -a[1:-1] * table[2:, 2]
    table[2:, 4] = w1 * t2[2:] / t1[2:]
    table[1, 4] = table[2, 4] / t1[2]
    table.setflags(write=False)
    return table


def stages_for(step: float, curvature: float) -> int:
    """The fewest stages that are stable for a step."""
    return max(2, 1 + math.isqrt(math.ceil(1.0 + STABILITY * step * curvature)))


def flow_chebyshev(
    field: PopulationField,
    parameters: Parameters,
    *,
    rtol: float,
    stop: Stop,
    tracked: int,
    times: Array,
) -> tuple[Outcome, tuple[Parameters, ...]]:
    """Follows the flow until a `Stop` condition holds.

    The error of a step is measured as in `netphase.engine.adaptive`, with the loss in place of the
    residual: relative to the loss, and to the displacement of each block. ``stop.stagnation``
    counts steps of gradient descent at 1/λ in place of steps, as many as the flow has passed. The
    loss target is met at the crossing; a run is also called stagnated where its clock grows
    10⁶-fold and the loss does not fall.

    Args:
        field: the flow.
        parameters: the start, shapes (m,) and (m, d); not changed.
        rtol: tolerance of one step.
        stop: when to end.
        tracked: how many of the first neurons count in the recorded changes.
        times: increasing clock readings at which to keep the parameters, shape (t,); the steps are
            not shortened for them.

    Returns:
        The outcome, and the parameters at ``times`` as far as they were reached.

    Raises:
        ArgumentError: ``rtol`` is not in (0, 1).
    """
    with np.errstate(all="ignore"):
        return _Run(field, parameters, check_rtol(rtol), stop, tracked, times).finish()


class _Run:
    """The state of one integration."""

    def __init__(
        self,
        field: PopulationField,
        parameters: Parameters,
        rtol: float,
        stop: Stop,
        tracked: int,
        times: Array,
    ) -> None:
        self.field, self.rtol, self.stop = field, rtol, stop
        self.log = Log(field, parameters, tracked, times)
        self.u = self.log.start
        self.time, self.steps, self.rejected = 0.0, 0, 0
        self.mean_square, self.flow = field.velocity(self.u)
        self.first = self.mean_square
        self.anchor, self.plateau = (0.0, self.first), (0.0, self.first)
        self.passed = 0.0  # steps of gradient descent at 1/λ
        self.curvature, self.direction = field.stiffness(self.u, self.flow)
        self.curvature *= MARGIN
        self.h = 0.1 * self.rtol ** (1 / 3) / self.curvature if self.curvature > 0 else math.inf

    def finish(self) -> tuple[Outcome, tuple[Parameters, ...]]:
        """Runs to the end."""
        self.log.note(0.0, 0, self.mean_square, self.u)
        status = self._verdict(self.time, self.mean_square)
        if status is None and not math.isfinite(self.h):
            status = Status.STAGNATED if self.h == math.inf else Status.NON_FINITE
        control = StepControl(1 / 3)
        while status is None:
            status = self._step(control)
        return self.log.outcome(
            status, self.time, self.steps, self.rejected, self.mean_square, self.u
        )

    def _step(self, control: StepControl) -> Status | None:
        longest = ((MOST_STAGES - 1) ** 2 - 1) / (STABILITY * self.curvature)
        self.h, end = last_step(min(self.h, longest), self.time, self.stop)
        if end == self.time:
            return Status.STAGNATED
        wanted = self.log.due(self.time, end)
        u, between = self._attempt(self.h, (wanted - self.time) / self.h)
        mean_square, flow = self.field.velocity(u)
        ratio = self._error(u, flow, mean_square)
        if ratio > 1.0 or not math.isfinite(ratio):
            self.rejected += 1
            self._renew(self.u, self.flow)
            self.h = control.rejected(self.h, ratio if math.isfinite(ratio) else 1e9)
            if control.hopeless:
                return Status.NON_FINITE if not math.isfinite(ratio) else Status.STAGNATED
            return None
        return self._advance(u, flow, mean_square, end, between, control.accepted(self.h, ratio))

    def _attempt(self, step: float, fractions: Array) -> tuple[Array, Array]:
        table = coefficients(stages_for(step, self.curvature))
        return self.field.chebyshev(self.u, self.flow, step, table, fractions)

    def _error(self, u: Array, flow: Array, mean_square: float) -> float:
        """Error of a step over the tolerance, by the estimate that comes with the method."""
        error = 0.8 * (self.u - u) + 0.4 * self.h * (self.flow + flow)
        floor = max(mean_square, LOSS_FLOOR * self.first, 1e-300)
        errors = [abs(float(np.sum(flow * error / self.field.mobility))) / floor]
        moved, floors = block_norms(u - self.log.start), PARAMETER_FLOOR * block_norms(u)
        for part, size in zip(block_norms(error), np.maximum(moved, floors), strict=True):
            if part != 0.0:
                errors.append(float(part / size) if size > 0.0 else math.inf)
        total = sum(errors) / self.rtol
        return max(errors) / self.rtol if math.isfinite(total) else math.nan

    def _advance(
        self, u: Array, flow: Array, mean_square: float, end: float, between: Array, h_next: float
    ) -> Status | None:
        self.steps += 1
        self.passed += self.h * self.curvature / MARGIN
        status = self._verdict(end, mean_square)
        if status is Status.CONVERGED:
            part, u, mean_square = self._locate(u, mean_square)
            end = self.time + part * self.h if part < 1.0 else end
        self.log.keep(self.time, end, between, self.steps)
        self.time, self.u, self.flow, self.mean_square = end, u, flow, mean_square
        self.log.note(self.time, self.steps, self.mean_square, self.u)
        self.h = h_next
        if status is None and self.steps % RENEW == 0:
            self._renew(self.u, self.flow)
        return status

    def _renew(self, u: Array, flow: Array) -> None:
        found, self.direction = self.field.stiffness(u, flow, self.direction)
        self.curvature = MARGIN * found if found > 0.0 else self.curvature

    def _locate(self, u: Array, mean_square: float) -> tuple[float, Array, float]:
        """The part of the last step at which the loss crosses its target, and the state there."""
        target = self.stop.mean_square
        best = (1.0, u, mean_square)
        if target <= 0.0:
            return best
        low, height_low = 0.0, math.log(self.mean_square / target)
        for _ in range(8):
            height = math.log(max(best[2], 1e-300) / target)
            if height >= -1e-3:
                break
            part = low + (best[0] - low) * (height_low + 5e-4) / (height_low - height)
            state, _ = self._attempt(part * self.h, np.empty(0))
            found, _ = self.field.velocity(state)
            if found <= target:
                best = (part, state, found)
            else:
                low, height_low = part, math.log(found / target)
        return best

    def _verdict(self, time: float, mean_square: float) -> Status | None:
        """Why the run ends here, or None while it goes on."""
        if not math.isfinite(mean_square):
            return Status.NON_FINITE
        if mean_square <= self.stop.mean_square:
            return Status.CONVERGED
        if mean_square > DIVERGED_FACTOR * max(self.first, self.stop.mean_square):
            return Status.DIVERGED
        if time >= self.stop.time:
            return Status.TIME_REACHED
        if any(self._plateaus(time, mean_square)):
            return Status.STAGNATED
        return Status.MAX_STEPS if self.steps >= self.stop.max_steps else None

    def _plateaus(self, time: float, mean_square: float) -> Iterator[bool]:
        share, (passed, before) = self.stop.stagnation, self.plateau
        if share > 0.0 and self.passed >= max(2 * passed, passed + STAGNATION_STEPS):
            self.plateau = (self.passed, mean_square)
            yield mean_square > (1.0 - share) * before
        since, before = self.anchor
        if since == 0.0 or time >= PATIENCE * since:
            self.anchor = (time, mean_square)
            yield since > 0.0 and mean_square > (1.0 - max(PUT, share)) * before
