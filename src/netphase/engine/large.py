"""Gradient descent for large inputs (images, many samples): NumPy over BLAS, nothing fused by hand.

For n samples in d dimensions the Gram form works on pre-activations through XXᵀ and costs 2n²m
operations a step instead of 4ndm; it is the same descent, and cheaper when n < 2d.
"""

from __future__ import annotations

import math

import numpy as np

from netphase._checks import positive_float
from netphase._types import Status
from netphase.engine.blocks import Blocks
from netphase.engine.history import last_step
from netphase.engine.large_run import LargeRun, Path, choose_form
from netphase.engine.problem import Outcome, Problem, Stop
from netphase.networks import Parameters

PACE = 1.0
"""h λ_max of the stable descent: half the limit 2 of gradient descent."""

PACED_LOOK, FIXED_LOOK = 64, 512
"""Most steps between two looks at λ_max, where the step follows it and where it is fixed."""


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
    run = LargeRun(blocks, stop, tracked)
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

    def step(self, run: LargeRun) -> float:
        """The length of the next step, 0 where nothing moves the output."""
        risen = not run.mean_square <= self._square
        if run.steps >= self._next or (risen and not self._fixed):
            self._look(run)
            most = FIXED_LOOK if self._fixed else PACED_LOOK
            self._next = min(2 * run.steps + 1, run.steps + most)
        self._square = run.mean_square
        return self._step

    def _look(self, run: LargeRun) -> None:
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
