"""Gradient flow with error control: the loop that the implicit and the explicit scheme share.

A scheme attempts one step; this module judges its error, chooses the next step, notes records and
decides when the run ends. Everything is in float64, whatever the dtype of the problem; only the
final parameters are converted back.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from netphase._checks import finite_array, positive_float
from netphase._types import Array, Status
from netphase.engine.history import History, Judge, last_step
from netphase.engine.problem import Outcome, Problem, Records, Stop, record_array
from netphase.errors import ArgumentError
from netphase.networks import Parameters

DEFAULT_RTOL = 5e-5
"""Keeps the loss at all times and the parameter changes within 1e-3 of the exact flow (tanh, width
1000, all over the plane; within 1e-4 where features hardly move)."""

PARAMETER_FLOOR = 1e-3
"""A block's error is measured against its displacement, but at least this part of its norm."""

FIRST_FLOOR = 0.02
"""The part of a block's norm that replaces its displacement in the choice of the first step."""

ROUNDING = 1e-12
"""The residual's error is measured against its norm, but at least this part of the targets'."""

SAFETY, SHRINK, GROW, FIRST_GROW = 0.93, 0.1, 6.0, 30.0
"""Safety factor of the step control, and the least and most by which one step changes the next."""

MOST_REJECTIONS = 60
"""So many rejections in a row end a run: no step is short enough."""

PATIENCE, PUT = 1e6, 1e-6
"""A run is stuck when its clock grows this many times and the loss falls by less than this part."""


class Field:
    """The flow u′ = F(u) of a problem in float64, with u = (a, w) of shape (m, d + 1).

    Args:
        problem: data, activation, scale and mobilities.

    Attributes:
        x: inputs, shape (n, d).
        y: targets, shape (n,).
        mobility: mobility of each column of u, shape (d + 1,).
        evaluations: how often the network has been evaluated.
    """

    def __init__(self, problem: Problem) -> None:
        self.x = np.ascontiguousarray(problem.x, dtype=np.float64)
        self.y = np.asarray(problem.y, dtype=np.float64)
        self.activation = problem.activation
        self.scale = problem.output_scale
        d = self.x.shape[1]
        self.mobility = np.array([problem.mobility_a] + d * [problem.mobility_w], dtype=np.float64)
        self.evaluations = 0

    def residual(self, u: Array) -> Array:
        """Residual e = f − y, shape (n,)."""
        self.evaluations += 1
        values = self.activation.value(self.x @ u[:, 1:].T)
        return np.asarray(self.scale * (values @ u[:, 0]) - self.y)

    def velocity(self, u: Array) -> tuple[Array, Array]:
        """Residual e and du/dt, shapes (n,) and (m, d + 1)."""
        self.evaluations += 1
        z = self.x @ u[:, 1:].T
        values = self.activation.value(z)
        residual = self.scale * (values @ u[:, 0]) - self.y
        weighted = (-self.scale / len(residual)) * residual
        flow = np.empty_like(u)
        flow[:, 0] = weighted @ values
        slopes = self.activation.derivative(z)
        slopes *= weighted[:, None]
        slopes *= u[:, 0]
        flow[:, 1:] = slopes.T @ self.x
        flow *= self.mobility
        return residual, flow

    def residual_rate(self, u: Array, flow: Array) -> Array:
        """de/dt along ``flow``, shape (n,)."""
        z = self.x @ u[:, 1:].T
        inner = self.activation.derivative(z) * (self.x @ flow[:, 1:].T)
        return np.asarray(self.scale * (self.activation.value(z) @ flow[:, 0] + inner @ u[:, 0]))


@dataclass(frozen=True)
class Trial:
    """What one attempted step found.

    Attributes:
        u: the new state, shape (m, d + 1).
        error: estimate of the error of u, same shape.
        residual: e(u), shape (n,).
        embedded: e of the less accurate solution, shape (n,).
    """

    u: Array
    error: Array
    residual: Array
    embedded: Array


class Scheme(Protocol):
    """One-step method.

    Attributes:
        field: the flow.
        exponent: the local error estimate falls as h^(1/exponent).
        solves: linear solves so far.
    """

    field: Field
    exponent: float
    solves: int

    def begin(self, u: Array) -> tuple[Array, Array]:
        """Sets the start; returns e and du/dt there."""

    def attempt(self, h: float) -> Trial:
        """One step of length h from the accepted state."""

    def dense(self, s: float) -> Array:
        """The state at the fraction s of the last attempted step, shape (m, d + 1)."""

    def accept(self) -> None:
        """Makes the last attempted step the accepted state."""


def block_norms(u: Array) -> Array:
    """‖a‖ and ‖w‖ of a state, shape (2,)."""
    return np.array([np.linalg.norm(u[:, 0]), np.linalg.norm(u[:, 1:])])


def error_ratio(trial: Trial, start: Array, y: Array, rtol: float) -> float:
    """Error of a step over the tolerance (the step is good when this is ≤ 1).

    The largest of three relative errors: of the residual against its norm, and of a and of w
    against their displacement from the start (at least `PARAMETER_FLOOR` of their norms).

    Returns:
        The ratio; infinity where anything is not finite.
    """
    scale = max(float(np.linalg.norm(trial.residual)), ROUNDING * float(np.linalg.norm(y)), 1e-300)
    errors = [float(np.linalg.norm(trial.residual - trial.embedded)) / scale]
    moved = block_norms(trial.u - start)
    floors = PARAMETER_FLOOR * block_norms(trial.u)
    for error, size in zip(block_norms(trial.error), np.maximum(moved, floors), strict=True):
        if error != 0.0:
            errors.append(float(error / size) if size > 0.0 else math.inf)
    ratio = sum(errors) / rtol  # not finite if any part is not
    return max(errors) / rtol if math.isfinite(ratio) else math.inf


def first_step(field: Field, u: Array, residual: Array, flow: Array, rtol: float) -> float:
    """A cautious first step; infinity at a stationary point."""
    size = float(np.linalg.norm(residual))
    rates = [float(np.linalg.norm(field.residual_rate(u, flow))) / size] if size > 0.0 else [0.0]
    for speed, norm in zip(block_norms(flow), block_norms(u), strict=True):
        if norm > 0.0:
            rates.append(float(speed / (FIRST_FLOOR * norm)))
    fastest = max(rates)
    return 0.5 * float(rtol**0.25) / fastest if fastest > 0.0 else math.inf


class StepControl:
    """Chooses the next step from the errors of the last two.

    Args:
        exponent: 1/(order of the estimate + 1).

    References:
        Hairer, Wanner, Solving Ordinary Differential Equations II (1996), section IV.8.
    """

    def __init__(self, exponent: float) -> None:
        self._exponent = exponent
        self._before: tuple[float, float] | None = None
        self._rejections = 0

    @property
    def hopeless(self) -> bool:
        """Whether too many steps in a row were rejected."""
        return self._rejections >= MOST_REJECTIONS

    def accepted(self, h: float, ratio: float) -> float:
        """The step after an accepted one."""
        ratio = max(ratio, 1e-6)
        factor = SAFETY * float(ratio**-self._exponent)
        most = FIRST_GROW
        if self._before is not None:
            h_before, ratio_before = self._before
            trend = float(h / h_before * (ratio_before / ratio) ** self._exponent)
            factor *= math.sqrt(min(max(trend, 0.5), 1.3))
            most = GROW
        if self._rejections:
            most = 1.0
        self._before, self._rejections = (h, ratio), 0
        return h * min(most, max(0.2, factor))

    def rejected(self, h: float, ratio: float) -> float:
        """The step after a rejected one."""
        self._rejections += 1
        return h * max(SHRINK, min(0.9, SAFETY * float(ratio**-self._exponent)))


def integrate(
    scheme: Scheme,
    parameters: Parameters,
    *,
    rtol: float,
    stop: Stop,
    tracked: int,
    times: Array | None = None,
) -> Outcome:
    """Follows the gradient flow until a `Stop` condition holds.

    The loss target is met at the crossing itself: inside the last step the continuous output is
    searched for a mean square at most 0.1 % below ``stop.mean_square``. ``stop.time`` is hit
    exactly. Besides the test of ``stop.stagnation`` by steps, a run is called stagnated when the
    gradient vanishes, or when the clock grows 10⁶-fold and the mean square falls by less than
    ``stop.stagnation`` (10⁻⁶ if that is larger).

    Args:
        scheme: the one-step method.
        parameters: the start, shapes (m,) and (m, d); not changed.
        rtol: tolerance of one step, relative to the residual and to the displacement of each block.
        stop: when to end.
        tracked: how many of the first neurons count in the recorded changes.
        times: clock readings, increasing and ≥ 0, shape (t,). When given, the records hold the
            start, these times (as far as the run gets) and the end, by continuous output, instead
            of the usual rows of accepted steps.

    Returns:
        The outcome; final parameters have the dtype of ``parameters``.

    Raises:
        ArgumentError: ``rtol`` is not in (0, 1), or ``times`` is not an increasing list.
    """
    tolerance, readings = check_rtol(rtol), check_times(times)
    with np.errstate(all="ignore"):  # a number that overflows ends the run, or its step
        return _Run(scheme, parameters, tolerance, stop, tracked, readings).finish()


def check_rtol(rtol: float) -> float:
    """A tolerance in (0, 1), or an `ArgumentError`."""
    value = positive_float("rtol", rtol)
    if value >= 1.0:
        raise ArgumentError(f"Argument `rtol` must be below 1, but is {value}.")
    return value


def check_times(times: Array | None) -> Array | None:
    """Increasing non-negative float64 times, or an `ArgumentError`."""
    if times is None:
        return None
    checked = finite_array("times", times, 1).astype(np.float64)
    if checked[0] < 0.0 or np.any(np.diff(checked) <= 0.0):
        raise ArgumentError("Argument `times` must be an increasing list of numbers ≥ 0.")
    return checked


class _Run:
    """The state of one integration."""

    def __init__(
        self,
        scheme: Scheme,
        parameters: Parameters,
        rtol: float,
        stop: Stop,
        tracked: int,
        times: Array | None,
    ) -> None:
        self.scheme, self.field = scheme, scheme.field
        self.rtol, self.stop, self.tracked = rtol, stop, tracked
        self.dtype = parameters.a.dtype
        self.start: Array = np.column_stack([parameters.a, parameters.w]).astype(np.float64)
        self.u: Array = self.start
        self.time, self.steps, self.rejected = 0.0, 0, 0
        self.history = History()
        self.rows: list[tuple[float, int, float, float, float]] = []
        self.waiting = None if times is None else iter(times.tolist())
        self.next_time = math.inf if self.waiting is None else next(self.waiting)
        residual, flow = scheme.begin(self.u)
        self.mean_square = _mean_square(residual)
        self.judge = Judge(stop, self.mean_square)
        self.anchor = (0.0, self.mean_square)
        self.h = first_step(self.field, self.u, residual, flow, rtol)

    def finish(self) -> Outcome:
        """Runs to the end."""
        self._note(0.0, self.u, self.mean_square, always=True)
        self._skip_start()
        status = self.judge.verdict(self.time, self.steps, self.mean_square)
        if status is None and not math.isfinite(self.h):
            status = Status.STAGNATED if self.h == math.inf else Status.NON_FINITE
        control = StepControl(self.scheme.exponent)
        while status is None:
            status = self._step(control)
        return self._outcome(status)

    def _step(self, control: StepControl) -> Status | None:
        self.h, end = last_step(self.h, self.time, self.stop)
        if end == self.time:
            return Status.STAGNATED
        trial = self.scheme.attempt(self.h)
        ratio = error_ratio(trial, self.start, self.field.y, self.rtol)
        if ratio > 1.0:
            self.rejected += 1
            self.h = control.rejected(self.h, ratio)
            if control.hopeless:
                return Status.NON_FINITE if ratio == math.inf else Status.STAGNATED
            return None
        return self._advance(trial, end, control.accepted(self.h, ratio))

    def _advance(self, trial: Trial, end: float, h_next: float) -> Status | None:
        before, self.steps = self.time, self.steps + 1
        state, mean_square = trial.u, _mean_square(trial.residual)
        status = self.judge.verdict(end, self.steps, mean_square)
        if status is Status.CONVERGED:
            s, state, mean_square = self._locate(trial)
            end = before + s * self.h if s < 1.0 else end
        for time in self._due_times(end):
            between = self.scheme.dense((time - before) / self.h)
            self._note(time, between, _mean_square(self.field.residual(between)), always=True)
        self.time, self.u, self.mean_square = end, state, mean_square
        if self.waiting is None and self.history.due(self.steps):
            self._note(self.time, self.u, self.mean_square)
        if status is None:
            self.scheme.accept()
            status = self._stationary()
        self.h = h_next
        return status

    def _locate(self, trial: Trial) -> tuple[float, Array, float]:
        """The fraction of the last step where the loss crosses its target, and the state there."""
        target = self.stop.mean_square
        best = (1.0, trial.u, _mean_square(trial.residual))
        if target <= 0.0:
            return best
        low, height_low = 0.0, math.log(self.mean_square / target)
        for _ in range(8):
            height = math.log(max(best[2], 1e-300) / target)
            if height >= -1e-3:
                break
            s = low + (best[0] - low) * (height_low + 5e-4) / (height_low - height)
            state = self.scheme.dense(s)
            mean_square = _mean_square(self.field.residual(state))
            if mean_square <= target:
                best = (s, state, mean_square)
            else:
                low, height_low = s, math.log(mean_square / target)
        return best

    def _stationary(self) -> Status | None:
        time, mean_square = self.anchor
        if time > 0.0 and self.time < PATIENCE * time:
            return None
        self.anchor = (self.time, self.mean_square)
        part = max(PUT, self.stop.stagnation)
        stuck = time > 0.0 and self.mean_square > (1.0 - part) * mean_square
        return Status.STAGNATED if stuck else None

    def _due_times(self, end: float) -> Iterator[float]:
        while self.waiting is not None and self.next_time <= end:
            yield self.next_time
            self.next_time = next(self.waiting, math.inf)

    def _skip_start(self) -> None:
        if self.waiting is not None and self.next_time == 0.0:
            self.next_time = next(self.waiting, math.inf)

    def _note(self, time: float, u: Array, mean_square: float, always: bool = False) -> None:
        change_a, change_w = block_norms((u - self.start)[: self.tracked])
        row = (time, self.steps, mean_square, float(change_a), float(change_w))
        if always and self.waiting is not None:
            self.rows.append(row)
        else:
            self.history.note(*row)

    def _records(self) -> Records:
        if self.waiting is None:
            self._note(self.time, self.u, self.mean_square)
            return self.history.records()
        if self.rows[-1][0] != self.time:
            self._note(self.time, self.u, self.mean_square, always=True)
        return Records(*(record_array(list(map(float, c))) for c in zip(*self.rows, strict=True)))

    def _outcome(self, status: Status) -> Outcome:
        final = self.u.astype(self.dtype)
        return Outcome(
            parameters=Parameters(final[:, 0].copy(), final[:, 1:].copy()),
            status=status,
            time=self.time,
            steps=self.steps,
            rejected=self.rejected,
            gradients=self.field.evaluations,
            solves=self.scheme.solves,
            mean_square=self.mean_square,
            records=self._records(),
        )


def _mean_square(residual: Array) -> float:
    return float(residual @ residual) / len(residual)
