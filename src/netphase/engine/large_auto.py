"""Gradient descent for large inputs whose steps follow gradient flow to a tolerance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from netphase._checks import positive_float
from netphase._types import Status
from netphase.engine.blocks import Blocks
from netphase.engine.history import last_step
from netphase.engine.large_run import LargeRun, Path, choose_form, mean_of_squares
from netphase.engine.problem import Outcome, Problem, Stop
from netphase.engine.tangent import TangentFlow
from netphase.networks import Parameters

MOST_REJECTIONS = 60
"""So many halvings in a row mean that no step lowers the loss in this precision."""

FEW_REJECTIONS = 2
"""After more rejections in a row, kinks are resolved more finely for the rest of the run."""

PATIENCE = 60.0
"""A run that follows the flow may be called stagnated after so many e-folds of the fastest neuron:
an escape from a start of size 1e-26 takes no more."""

REFRESH_STEPS = 20
"""Most steps between two looks at the tangent Gram matrix."""


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
    run = LargeRun(blocks, stop, tracked, patience=control.patience)
    with np.errstate(all="ignore"):
        pilot = _Pilot(blocks, run, control)
        while (status := run.verdict() or pilot.verdict()) is None:
            pilot.step()
        return run.outcome(status)


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

    def __init__(self, blocks: Blocks, run: LargeRun, control: _Control) -> None:
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
        run = self._run
        target = 0.999 * run.stop.mean_square * len(run.residual)
        return self._flow.landing(run.residual, self._defect, step, target)

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
