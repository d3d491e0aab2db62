"""Gradient descent for large inputs (images, many samples): NumPy over BLAS, nothing fused by hand.

For n samples in d dimensions the Gram form works on pre-activations through XXᵀ and costs 2n²m
operations a step instead of 4ndm; it is the same descent, and cheaper when n < 2d.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from netphase._checks import one_of, positive_float
from netphase._types import Array, Status
from netphase.engine.blocks import Blocks, Form
from netphase.engine.history import STAGNATION_STEPS, History, Judge, last_step
from netphase.engine.problem import Outcome, Problem, Stop
from netphase.engine.tangent import TangentFlow
from netphase.networks import Parameters

Path = Literal["auto", "blas", "gram"]

PACE = 1.0
"""h λ_max of the stable descent: half the limit 2 of gradient descent."""

PACED_LOOK, FIXED_LOOK = 64, 512
"""Most steps between two looks at λ_max, where the step follows it and where it is fixed."""

MOST_REJECTIONS = 60
"""So many halvings in a row mean that no step lowers the loss in this precision."""

FEW_REJECTIONS = 2
"""After more rejections in a row, kinks are resolved more finely for the rest of the run."""

PATIENCE = 60.0
"""A run that follows the flow may be called stagnated after so many e-folds of the fastest neuron:
an escape from a start of size 1e-26 takes no more."""

REFRESH_STEPS = 20
"""Most steps between two looks at the tangent Gram matrix."""


def descend_large(
    problem: Problem,
    parameters: Parameters,
    *,
    learning_rate: float,
    stop: Stop,
    tracked: int,
    path: Path = "auto",
) -> Outcome:
    """Full-batch gradient descent with a fixed learning rate.

    θ ← θ − η M ∂R/∂θ, with M the mobilities; the last step is shortened to end at ``stop.time``.

    Args:
        problem: data, activation, scale and mobilities; its dtype is the precision.
        parameters: the start, shapes (m,) and (m, d); not changed.
        learning_rate: η > 0, in units of the problem's clock.
        stop: when to end.
        tracked: how many of the first neurons count in the recorded changes.
        path: "gram", "blas", or "auto": Gram when n < 2d.

    Returns:
        The outcome; a descent that blows up is one too (`Status.DIVERGED`).

    Raises:
        ArgumentError: ``learning_rate`` is not positive, or ``path`` is unknown.
    """
    rate = positive_float("learning_rate", learning_rate)
    return _literal(problem, parameters, rate, stop, tracked, path)


def descend_stable_large(
    problem: Problem,
    parameters: Parameters,
    *,
    stop: Stop,
    tracked: int,
    path: Path = "auto",
) -> Outcome:
    """Full-batch gradient descent with the step h = 1/λ_max; see `descend_stable` of the engine.

    Args:
        problem: data, activation, scale and mobilities; its dtype is the precision.
        parameters: the start, shapes (m,) and (m, d); not changed.
        stop: when to end.
        tracked: how many of the first neurons count in the recorded changes.
        path: "gram", "blas", or "auto": Gram when n < 2d.

    Returns:
        The outcome, with ``notes["largest_sharpness"]``.

    Raises:
        ArgumentError: ``path`` is unknown.
    """
    return _literal(problem, parameters, None, stop, tracked, path)


def _literal(
    problem: Problem,
    parameters: Parameters,
    rate: float | None,
    stop: Stop,
    tracked: int,
    path: Path,
) -> Outcome:
    """Gradient descent with one step length, or with the stable one where ``rate`` is None."""
    blocks = Blocks(problem, parameters, choose_form(problem, path))
    run = _Run(blocks, stop, tracked)
    with np.errstate(all="ignore"):
        pace = _Pace(blocks, rate)
        while (status := run.verdict()) is None:
            wanted = pace.step(run)
            if not wanted > 0.0:  # no parameter moves the output
                status = Status.STAGNATED
                break
            step, clock = last_step(wanted, run.time, stop)
            blocks.step(run.residual, step)
            run.advance(clock)
        return run.outcome(status, largest_sharpness=pace.sharpness)


def largest_growth(problem: Problem) -> float:
    """The fastest rate at which a neuron can grow, divided by the root of the mean square error.

    |Σ e_i σ'(z_i) x_i|/n is at most √((1/n) Σ e²) times the largest singular value of x/√n for an
    activation of slope at most 1; a neuron's layers feed each other at this rate times s √(μ_aμ_w).
    """
    size = float(np.linalg.norm(problem.x.astype(np.float64), 2)) / math.sqrt(len(problem.x))
    return abs(problem.output_scale) * math.sqrt(problem.mobility_a * problem.mobility_w) * size


class _Pace:
    """The step of a literal descent, and how near it has come to the limit of stability.

    Args:
        blocks: the network.
        rate: the step length; None for the stable one.

    Attributes:
        sharpness: largest h λ_max/2 seen.
    """

    def __init__(self, blocks: Blocks, rate: float | None) -> None:
        self.sharpness = 0.0
        self._blocks, self._fixed = blocks, rate is not None
        self._step = 0.0 if rate is None else rate
        self._growth = largest_growth(blocks.problem)
        self._vector = 1.0 + 0.5 * np.sin(1.0 + np.arange(len(blocks.output)))
        self._next, self._square = 0, math.inf

    def step(self, run: _Run) -> float:
        """The length of the next step, 0 where nothing moves the output."""
        risen = not run.mean_square <= self._square
        if run.steps >= self._next or (risen and not self._fixed):
            self._look(run)
            most = FIXED_LOOK if self._fixed else PACED_LOOK
            self._next = min(2 * run.steps + 1, run.steps + most)
        self._square = run.mean_square
        return self._step

    def _look(self, run: _Run) -> None:
        largest = self._largest(3 if run.steps else 30)
        self._note(largest)  # of the step taken up to here, which the next one may undercut
        if self._fixed:
            return
        growth = self._growth * math.sqrt(run.mean_square)
        limit = 1.0 / growth if growth > 0.0 else math.inf
        self._step = min(PACE / largest, limit) if largest > 0.0 else 0.0
        self._note(largest)

    def _note(self, largest: float) -> None:
        self.sharpness = max(self.sharpness, 0.5 * self._step * largest)

    def _largest(self, iterations: int) -> float:
        """Largest eigenvalue of the tangent Gram matrix by power iteration from the last vector."""
        value = 0.0
        for k in range(iterations):
            self._vector /= np.linalg.norm(self._vector)
            after = self._blocks.tangent_apply(self._vector)
            before, value = value, float(self._vector @ after)
            self._vector = after
            if not value > 0.0 or (k > 1 and value - before < 0.01 * value):
                break
        return value


def descend_auto_large(
    problem: Problem,
    parameters: Parameters,
    *,
    tolerance: float,
    stop: Stop,
    tracked: int,
    path: Path = "auto",
) -> Outcome:
    """Gradient descent whose steps follow gradient flow to a tolerance.

    A step uses the mean of the residual over its length, from the exponential of the tangent Gram
    matrix, and moves the output weights in two halves around the input weights; neurons that cross
    or slide along a kink of ReLU are resolved within the step. Its length keeps the growth of the
    fastest neuron and the error of the predicted residual within bounds set by the tolerance; a
    step that raises the loss is rejected and halved.

    Args:
        problem: data, activation, scale and mobilities; its dtype is the precision.
        parameters: the start, shapes (m,) and (m, d); not changed.
        tolerance: relative error of the parameters' displacement against gradient flow, in (0, 1).
        stop: when to end.
        tracked: how many of the first neurons count in the recorded changes.
        path: "gram", "blas", or "auto": Gram when n < 2d.

    Returns:
        The outcome; ``notes["invariant_drift"]`` is given for homogeneous activations.

    Raises:
        ArgumentError: ``tolerance`` is not positive, or ``path`` is unknown.

    References:
        Luo et al. (JMLR 2021), section 2.2, for the flow that is followed.
    """
    control = _Control.of(positive_float("tolerance", tolerance))
    blocks = Blocks(problem, parameters, choose_form(problem, path), trial=True)
    run = _Run(blocks, stop, tracked, patience=control.patience)
    with np.errstate(all="ignore"):
        pilot = _Pilot(blocks, run, control)
        while (status := run.verdict() or pilot.verdict()) is None:
            pilot.step()
        return run.outcome(status)


def choose_form(problem: Problem, path: Path) -> Form:
    """The cheaper exact form for this problem, or the one asked for."""
    chosen = one_of("path", path, ("auto", "blas", "gram"))
    if chosen == "auto":
        n, d = problem.x.shape
        return "gram" if n < 2 * d else "blas"
    return "gram" if chosen == "gram" else "blas"


class _Run:
    """Clock, counters, records and the end of a run."""

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


@dataclass(frozen=True)
class _Control:
    """Bounds that follow from the tolerance.

    Attributes:
        growth: most growth of the fastest neuron in one step, h × rate.
        surprise: most error of the predicted residual in one step, relative to the residual.
    """

    growth: float
    surprise: float

    @property
    def patience(self) -> int:
        """Steps in which an escape from any start shows in the loss."""
        return math.ceil(PATIENCE / self.growth)

    @classmethod
    def of(cls, tolerance: float) -> _Control:
        return cls(growth=1.5 * math.sqrt(tolerance), surprise=3.0 * tolerance)


class _Pilot:
    """Chooses, tries and judges the steps of `descend_auto_large`."""

    def __init__(self, blocks: Blocks, run: _Run, control: _Control) -> None:
        self._blocks, self._run, self._control = blocks, run, control
        self._defect = np.zeros_like(run.residual)
        self._failures = self._still = 0
        self._least = run.mean_square
        y = blocks.problem.y
        self._scale = mean_of_squares(y.astype(np.float64))
        self._rounding = 64.0 * float(np.finfo(y.dtype).eps)
        self._look()
        self._step = 0.1 * self._longest()

    def verdict(self) -> Status | None:
        """Why no further step makes sense, or None."""
        if self._flow.largest == 0.0:  # no parameter moves the output
            return Status.STAGNATED
        stuck = self._failures > MOST_REJECTIONS or self._still > self._control.patience
        return Status.STAGNATED if stuck else None

    def _look(self) -> None:
        """Refreshes the tangent Gram matrix and the fastest neuron's rate."""
        self._flow = TangentFlow(self._blocks.tangent_gram())
        self._size = math.sqrt(self._run.mean_square)
        self._rate = self._blocks.growth_rate(self._run.residual)
        self._age = 0
        self._moved = 0.0

    def _growth(self) -> float:
        return self._rate * math.sqrt(self._run.mean_square) / self._size

    def _longest(self) -> float:
        longest = 1e6 / max(self._flow.largest, 1e-290)
        if self._growth() > 0.0:
            longest = min(longest, self._control.growth / self._growth())
        if self._flow.unresolved > 0.0:
            longest = min(longest, 0.5 / self._flow.unresolved)
        return longest

    def step(self) -> None:
        """Tries one step, and keeps it or goes back."""
        run, flow = self._run, self._flow
        wanted = self._landing(min(self._step, self._longest()))
        step, clock = last_step(wanted, run.time, run.stop)
        before, square = run.residual, run.mean_square
        mean = flow.mean(before, self._defect, step)
        self._blocks.split_step(mean, step)
        after = self._blocks.residual()
        error = after - flow.end(before, self._defect, step)
        surprise = math.sqrt(mean_of_squares(error) / square)
        risen = not mean_of_squares(after) <= square + self._slack(square)
        if risen or not surprise <= 2.0 * self._control.surprise:
            self._back(step, surprise)
            return
        self._blocks.accept()
        self._failures = 0
        self._watch(mean_of_squares(after))
        self._defect = (after - before) / step + flow.decay(mean)
        self._moved += step * self._growth()
        self._age += 1
        run.advance(clock)
        self._step = step * _scaled(self._control.surprise, surprise)
        if self._age >= REFRESH_STEPS or self._moved > 0.5:
            self._look()

    def _watch(self, square: float) -> None:
        """Counts the steps since the loss last fell by more than rounding."""
        fallen = square < self._least - self._slack(self._least)
        self._still = 0 if fallen else self._still + 1
        self._least = square if fallen else self._least

    def _slack(self, square: float) -> float:
        """What rounding can add to the mean square."""
        return self._rounding * math.sqrt(square * (self._scale + square))

    def _landing(self, step: float) -> float:
        """The longest step up to this one that is not expected to fall below the target."""
        target = 0.999 * self._run.stop.mean_square

        def below(length: float) -> bool:
            end = self._flow.end(self._run.residual, self._defect, length)
            return mean_of_squares(end) < target

        if not below(step):
            return step
        low, high = 0.0, step
        for _ in range(40):
            middle = 0.5 * (low + high)
            low, high = (low, middle) if below(middle) else (middle, high)
        return high

    def _back(self, step: float, surprise: float) -> None:
        self._run.rejected += 1
        self._run.gradients += 1
        self._failures += 1
        self._blocks.careful |= self._failures > FEW_REJECTIONS
        self._blocks.reject()
        self._step = step * min(0.5, _scaled(self._control.surprise, surprise))
        if self._age > 0:
            self._look()


def _scaled(bound: float, error: float) -> float:
    """Factor for the next step after this error of a second-order prediction."""
    if not math.isfinite(error):
        return 0.2
    return min(2.0, max(0.2, 0.8 * math.sqrt(bound / max(error, 1e-300))))
