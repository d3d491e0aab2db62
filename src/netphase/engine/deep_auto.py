"""Descent of ensembles of deep networks whose steps follow the gradient flow to a tolerance."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from netphase._checks import check_memory, positive_float
from netphase._types import Array, Status
from netphase.engine.adaptive import MOST_REJECTIONS, ROUNDING
from netphase.engine.deep import DeepProblem, DeepTrajectory, Ensemble
from netphase.engine.deep_arrays import Flags, layer_norms, mean_squares
from netphase.engine.deep_flow import Plateaus
from netphase.engine.problem import Stop
from netphase.engine.tangent import TangentFlow
from netphase.kernels.layer_tangent import rated_kernel
from netphase.networks import LayerParameters
from netphase.networks.passes import Signals, output_factors

Solution: TypeAlias = Callable[[TangentFlow, Array, Array, float], Array]
"""`TangentFlow.mean` or `TangentFlow.end`."""

BOUND = 0.25
"""Most that the first-order step may differ from the second-order one, in units of the tolerance.
Calibrated on tanh and erf networks from lazy to condensed, at all times of their runs."""

MARGIN = 1.5
"""An error of so many bounds is still accepted, and the next step shortened."""

SAFETY, SHRINK, GROW = 0.8, 0.2, 3.0
"""Safety factor of the step control, and the least and most by which one step changes the next."""

RISE = 0.01
"""The loss may rise by this part of the tolerance squared in one step: noise on a plateau."""

PATIENCE = 40.0
"""Least number of steps, in units of 1/√tolerance, before a run can be called stagnated."""

LEAST_MOVE = 1e-9
"""Part of a layer's norm below which its displacement counts as this much."""

MATRICES = 6
"""Arrays of the size of its tangent kernel that every network needs at once."""


def descend_auto_deep(
    problem: DeepProblem,
    parameters: LayerParameters,
    *,
    tolerance: float,
    stop: Stop,
    times: Array,
    integrator: str = "automatic descent",
) -> DeepTrajectory:
    """Gradient descent of every network with steps that follow the flow, in float64.

    A step of length h takes the gradient in the middle of it, with the mean of the residual over
    the step: of e′ = −G e with G the tangent kernel over n in the middle, however stiff it is,

        W½ = W − ½h P(W) ē,    W(h) = W − h P(W½) ē½,    ē = φ₁(hG) e,

    where P(W) e are the gradients η_l ∂R/∂W^[l]. It is of second order in how fast features move
    and exact where they do not. How far W(h) is from the step with P(W) is the error that chooses
    h, relative to the displacement of every layer; as is how far the residual is from exp(−hG) e.
    A step that raises the loss is undone and halved. At kinks of the activation the order is one.

    Args:
        problem: data and networks.
        parameters: the start; not changed. Its dtype is that of what comes back.
        tolerance: relative error of the displacement of every layer against the flow, > 0.
        stop: when a run ends; the target of the loss is met up to the tolerance.
        times: when to keep parameters.
        integrator: what the trajectory says of it.

    Returns:
        The trajectories, with ``notes["gradients"]``, two for every step that was tried; each step
        forms a tangent kernel, too.

    Raises:
        ArgumentError: ``tolerance`` is not positive, or the kernels do not fit into memory.

    References:
        Hochbruck, Ostermann (Acta Numerica 19, 2010), for exponential integrators.
    """
    checked = positive_float("tolerance", tolerance)
    _check_memory(len(parameters.weights[0]), problem.y.size)
    patience = math.ceil(PATIENCE / math.sqrt(checked))
    with np.errstate(all="ignore"):  # a number that overflows ends its run, or its step
        run = Ensemble(problem, parameters, stop, times, np.dtype(np.float64), patience)
        pilot = _Pilot(run, checked, patience)
        pilot.select(run.settle(pilot.verdicts()))
        while run.running:
            pilot.step()
    return run.trajectory(integrator)


class _Pilot:
    """Chooses, tries and judges the steps of the running networks, each of its own length."""

    def __init__(self, run: Ensemble, tolerance: float, patience: int) -> None:
        count = len(run.ids)
        self._run, self._tolerance, self._patience = run, tolerance, patience
        self._start, self._least = run.start, run.square
        self._failures, self._still = np.zeros(count, np.int64), np.zeros(count, np.int64)
        self._plateaus = Plateaus(run)
        self._target = float(mean_squares(run.problem.y[None])[0])
        kernels = self._kernels(run.signals, self._factors(run.weights, run.signals))
        self._finite = np.isfinite(np.linalg.norm(kernels, axis=(1, 2)))
        self._flows = _flows(kernels)
        self._h = self._first()
        run.notes["gradients"] = np.zeros(count)

    def verdicts(self) -> list[Status | None]:
        """Which of the running networks can make no step, and why."""
        run, found = self._run, self._plateaus.verdicts()
        dead = np.array([flow.largest == 0.0 for flow in self._flows])
        lost = (self._failures >= MOST_REJECTIONS) | (run.clock + self._h == run.clock)
        for i in np.flatnonzero(dead | lost | (self._still > self._patience)).tolist():
            found[i] = Status.STAGNATED if self._finite[i] else Status.NON_FINITE
        return found

    def step(self) -> None:
        """Tries one step with every network; each keeps its own or goes back."""
        run = self._run
        h, clock = run.shortened(self._landing())
        before = _rows(run.residual)
        mean = self._solve(TangentFlow.mean, self._flows, before, h)
        first = h[:, None] * run.velocity(run.weights, run.signals, self._columns(mean))
        middle = run.views(run.flat + 0.5 * first)
        signals, _ = run.forward(middle)
        factors = self._factors(middle, signals)
        flows = _flows(self._kernels(signals, factors))
        mean = self._solve(TangentFlow.mean, flows, before, h)
        moved = h[:, None] * self._velocity(signals, factors, self._columns(mean))
        state = run.flat + moved
        _, residual = run.forward(run.views(state), slopes=False)
        run.notes["gradients"][run.ids] += 2
        surprise = _rows(residual) - self._solve(TangentFlow.end, flows, before, h)
        error = np.maximum(self._drift(state, moved - first), self._relative(surprise, residual))
        ratio = error / (BOUND * self._tolerance)
        ratio = np.where(np.isfinite(ratio), ratio, np.inf)
        square = mean_squares(residual)
        good = (ratio <= MARGIN) & (square <= run.square + self._slack(run.square))
        factor = np.clip(SAFETY / np.sqrt(np.maximum(ratio, 1e-12)), SHRINK, GROW)
        self._h = h * np.where(good, factor, np.minimum(factor, 0.5))
        run.flat[good] = state[good]
        pairs = zip(flows, self._flows, good, strict=True)
        self._flows = [new if kept else old for new, old, kept in pairs]
        run.look()
        self._watch(good)
        run.advance(clock, good)
        self.select(run.settle(self.verdicts()))

    def select(self, keep: Flags | None) -> None:
        """Follows the ensemble when runs have ended."""
        if keep is None:
            return
        self._start, self._least, self._h = self._start[keep], self._least[keep], self._h[keep]
        self._failures, self._still = self._failures[keep], self._still[keep]
        self._finite = self._finite[keep]
        self._flows = [each for each, k in zip(self._flows, keep, strict=True) if k]
        self._plateaus.select(keep)

    def _factors(self, weights: list[Array], signals: Signals) -> list[list[Array]]:
        return output_factors(weights, self._run.gains, signals)

    def _kernels(self, signals: Signals, factors: list[list[Array]]) -> Array:
        """G of every network, shape (a, nk, nk)."""
        return rated_kernel(signals.inputs, factors, self._run.rates)

    def _velocity(self, signals: Signals, factors: list[list[Array]], residual: Array) -> Array:
        """The same as `Ensemble.velocity`, from the factors of all outputs."""
        run, found = self._run, []
        for layer, h in enumerate(signals.inputs):
            delta = sum(
                each[layer] * residual[:, k, None, None, :] for k, each in enumerate(factors)
            )
            slope = np.matmul(delta, h.swapaxes(-1, -2)).reshape(len(residual), -1)
            found.append(slope * -run.rates[:, layer, None])
        return np.concatenate(found, axis=1)

    def _solve(self, what: Solution, flows: list[TangentFlow], rows: Array, h: Array) -> Array:
        """The mean or the end of every network's residual over its step, shape (a, nk)."""
        pairs = zip(flows, rows, h.tolist(), strict=True)
        return np.stack([what(flow, e, np.zeros_like(e), step) for flow, e, step in pairs])

    def _columns(self, rows: Array) -> Array:
        """From (a, nk) to the shape of the residuals, (a, k, n)."""
        a, k, n = self._run.residual.shape
        return np.ascontiguousarray(rows.reshape(a, n, k).swapaxes(1, 2))

    def _drift(self, state: Array, error: Array) -> Array:
        """The largest error of a layer's displacement from the start, relative to it, (a,)."""
        run = self._run
        moved = layer_norms(run.views(state - self._start))
        size = np.maximum(moved, LEAST_MOVE * layer_norms(run.views(state)))
        errors = layer_norms(run.views(error))
        return np.asarray(np.where(errors == 0.0, 0.0, errors / size).max(axis=1))

    def _relative(self, surprise: Array, residual: Array) -> Array:
        size = np.linalg.norm(residual, axis=(1, 2))
        floor = ROUNDING * math.sqrt(self._target * residual.shape[-1])
        return np.asarray(np.linalg.norm(surprise, axis=1) / np.maximum(size, floor))

    def _slack(self, square: Array) -> Array:
        """How far the mean square may rise and count as not having risen."""
        return RISE * self._tolerance**2 * square + self._rounding(square)

    def _rounding(self, square: Array) -> Array:
        """What rounding can add to the mean square."""
        epsilon = float(np.finfo(np.float64).eps)
        return np.asarray(64.0 * epsilon * np.sqrt(square * (self._target + square)))

    def _watch(self, good: Flags) -> None:
        """Counts rejections in a row, and the tries since the loss last fell by any amount."""
        square = self._run.square
        fallen = square < self._least - self._rounding(self._least)
        self._failures = np.where(good, 0, self._failures + 1)
        self._still = np.where(fallen, 0, self._still + 1)
        self._least = np.where(fallen, square, self._least)

    def _landing(self) -> Array:
        """Steps that are not expected to fall below the target, nor too long to be stable."""
        run, steps = self._run, []
        target = 0.999 * run.stop.mean_square * run.residual.shape[-1]
        for flow, e, h in zip(self._flows, _rows(run.residual), self._h.tolist(), strict=True):
            longest = 0.5 / flow.unresolved if flow.unresolved > 0.0 else math.inf
            steps.append(flow.landing(e, np.zeros_like(e), min(h, longest), target))
        return np.array(steps)

    def _first(self) -> Array:
        """First steps: √tolerance of the time in which a layer would move by its own norm."""
        run = self._run
        speed = layer_norms(run.views(run.velocity(run.weights, run.signals, run.residual)))
        size = layer_norms(run.weights)
        some = (speed > 0.0) & (size > 0.0)
        time = np.where(some, size / np.where(some, speed, 1.0), np.inf).min(axis=1)
        return np.asarray(math.sqrt(self._tolerance) * np.where(np.isfinite(time), time, 1.0))


def _rows(residual: Array) -> Array:
    """Residuals with entry i·k + j of sample i and output j, as kernels have it, (a, nk)."""
    return np.ascontiguousarray(residual.swapaxes(1, 2)).reshape(len(residual), -1)


def _flows(kernels: Array) -> list[TangentFlow]:
    """The residual's flow for every kernel; one that is not finite moves nothing."""
    norms = np.linalg.norm(kernels, axis=(1, 2))
    return [
        TangentFlow(each if math.isfinite(norm) else np.zeros_like(each))
        for each, norm in zip(kernels, norms.tolist(), strict=True)
    ]


def _check_memory(networks: int, rows: int) -> None:
    check_memory(
        8.0 * MATRICES * networks * rows**2,
        "Argument `method` must be Descent('stable') or a Descent with a number here: the tangent "
        f"kernels that follow the flow, of {rows} samples times outputs and {networks} networks,",
    )
