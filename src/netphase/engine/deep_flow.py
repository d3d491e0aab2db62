"""Gradient flow of ensembles of deep networks by an explicit Runge–Kutta pair, a step for each."""

from __future__ import annotations

import math

import numpy as np

from netphase._types import Array, Status
from netphase.engine.adaptive import (
    FIRST_FLOOR,
    PARAMETER_FLOOR,
    PATIENCE,
    PUT,
    ROUNDING,
    StepControl,
    check_rtol,
)
from netphase.engine.deep import DeepProblem, DeepTrajectory, Ensemble
from netphase.engine.deep_arrays import Flags, layer_norms, mean_squares
from netphase.engine.explicit import ERROR, A, dense_weights
from netphase.engine.problem import Stop
from netphase.networks import LayerParameters
from netphase.networks.passes import pushforward

ORDER = 5


def flow_deep(
    problem: DeepProblem,
    parameters: LayerParameters,
    *,
    rtol: float,
    stop: Stop,
    times: Array,
) -> DeepTrajectory:
    """Gradient flow of every network by Tsit5 with error control, in float64.

    The error of a step is measured as in `netphase.engine.adaptive.error_ratio`, layer by layer.
    Steps end at the times asked for; the loss target is met inside the last step.

    Args:
        problem: data and networks.
        parameters: the start; not changed. Its dtype is that of what comes back.
        rtol: tolerance of one step, in (0, 1).
        stop: when a run ends.
        times: when to keep parameters.

    Returns:
        The trajectories.

    Raises:
        ArgumentError: ``rtol`` is not in (0, 1).

    References:
        Tsitouras (Computers & Mathematics with Applications 62, 2011), table 1.
    """
    tolerance = check_rtol(rtol)
    with np.errstate(all="ignore"):  # a number that overflows ends its run, or its step
        run = Ensemble(problem, parameters, stop, times, np.dtype(np.float64))
        flow = _Flow(run, tolerance)
        flow.select(run.settle(flow.verdicts()))
        while run.running:
            flow.step()
    return run.trajectory("explicit Runge–Kutta pair")


class Plateaus:
    """Calls runs stuck whose clock has grown by `PATIENCE` while their loss has stayed."""

    def __init__(self, run: Ensemble) -> None:
        self._run = run
        self._anchor = np.stack([np.zeros(len(run.ids)), run.square], axis=1)

    def verdicts(self) -> list[Status | None]:
        """Which of the running networks have stagnated now."""
        run = self._run
        time, square = self._anchor.T
        due = (run.clock > 0.0) & (run.clock >= PATIENCE * time)
        part = max(PUT, run.stop.stagnation)
        stuck = due & (time > 0.0) & (run.square > (1.0 - part) * square)
        self._anchor[due] = np.stack([run.clock, run.square], axis=1)[due]
        return [Status.STAGNATED if each else None for each in stuck]

    def select(self, keep: Flags) -> None:
        """Follows the ensemble when runs have ended."""
        self._anchor = self._anchor[keep]


class _Flow:
    """Steps of the running networks, each of its own length."""

    def __init__(self, run: Ensemble, rtol: float) -> None:
        self._run, self._rtol = run, rtol
        self._stages = np.zeros((7, *run.flat.shape))
        self._stages[0] = run.velocity(run.weights, run.signals, run.residual)
        self._start = run.start
        self._controls = [StepControl(1 / ORDER) for _ in run.ids]
        self._plateaus = Plateaus(run)
        size = np.linalg.norm(run.problem.y.astype(np.float64))
        self._floor = max(ROUNDING * float(size), 1e-300)
        self._h = self._first()

    def verdicts(self) -> list[Status | None]:
        """Why no step can be made from the start."""
        ends = {math.inf: Status.STAGNATED}
        return [
            None if math.isfinite(h) else ends.get(float(h), Status.NON_FINITE) for h in self._h
        ]

    def step(self) -> None:
        """Tries one step with every network; each keeps its own or goes back."""
        run = self._run
        h, clock = run.shortened(self._h)
        state, error = self._attempt(h)
        weights = run.views(state)
        signals, residual = run.forward(weights)
        self._stages[6] = run.velocity(weights, signals, residual)
        error = error + (h * ERROR[6])[:, None] * self._stages[6]
        ratio = self._ratio(state, error, residual)
        good = ratio <= 1.0
        verdicts: list[Status | None] = [None] * len(run.ids)
        for i, each in enumerate(good):
            control = self._controls[i]
            choose = control.accepted if each else control.rejected
            self._h[i] = choose(float(h[i]), float(ratio[i]))
            if clock[i] == run.clock[i] or control.hopeless:
                finite = ratio[i] < math.inf
                verdicts[i] = Status.STAGNATED if finite else Status.NON_FINITE
        square = mean_squares(residual)
        for i in np.flatnonzero(good & (square <= run.stop.mean_square)).tolist():
            self._land(i, h, clock, state)
        run.flat[good] = state[good]
        self._stages[0, good] = self._stages[6, good]
        run.look()
        run.advance(clock, good)
        stuck = self._plateaus.verdicts()
        self.select(
            run.settle([each or other for each, other in zip(verdicts, stuck, strict=True)])
        )

    def select(self, keep: Flags | None) -> None:
        """Follows the ensemble when runs have ended."""
        if keep is not None:
            self._stages, self._start = self._stages[:, keep], self._start[keep]
            self._h = self._h[keep]
            self._plateaus.select(keep)
            self._controls = [each for each, k in zip(self._controls, keep, strict=True) if k]

    def _attempt(self, h: Array) -> tuple[Array, Array]:
        """The new state, and what of the error the first six stages make."""
        run = self._run
        for i in range(1, 6):
            weights = run.views(self._combine(h, A[i, :i]))
            signals, residual = run.forward(weights)
            self._stages[i] = run.velocity(weights, signals, residual)
        error = np.tensordot(ERROR[:6], self._stages[:6], axes=1) * h[:, None]
        return self._combine(h, A[6, :6]), error

    def _combine(self, h: Array, weights: Array) -> Array:
        moved = np.tensordot(weights, self._stages[: len(weights)], axes=1)
        return np.asarray(self._run.flat + h[:, None] * moved)

    def _ratio(self, state: Array, error: Array, residual: Array) -> Array:
        """Errors over the tolerance; infinite where anything is not finite, (a,)."""
        run = self._run
        _, embedded = run.forward(run.views(state - error), slopes=False)
        size = np.maximum(np.linalg.norm(residual, axis=(1, 2)), self._floor)
        found = [np.linalg.norm(residual - embedded, axis=(1, 2)) / size]
        moved = layer_norms(run.views(state - self._start))
        sizes = np.maximum(moved, PARAMETER_FLOOR * layer_norms(run.views(state)))
        errors = layer_norms(run.views(error))
        found.extend(np.where(errors == 0.0, 0.0, errors / sizes).T)
        worst = np.max(found, axis=0) / self._rtol
        return np.where(np.isfinite(worst), worst, np.inf)

    def _first(self) -> Array:
        """Cautious first steps; infinite at a stationary point."""
        run = self._run
        moves = run.views(self._stages[0])
        change = pushforward(run.weights, run.gains, run.signals, moves)
        size = np.linalg.norm(run.residual, axis=(1, 2))
        speed = np.linalg.norm(change, axis=(1, 2))
        slow = np.where(size > 0.0, speed / size, 0.0)
        fast = (layer_norms(moves) / (FIRST_FLOOR * layer_norms(run.weights))).max(axis=1)
        return np.asarray(0.5 * self._rtol**0.25 / np.maximum(slow, fast))

    def _land(self, i: int, h: Array, clock: Array, state: Array) -> None:
        """Moves the end of a step back to where its loss is at most 0.1 % below the target."""
        run = self._run
        target = run.stop.mean_square
        if target <= 0.0:
            return
        low, high = 0.0, 1.0
        trial = state.copy()
        for _ in range(40):
            middle = 0.5 * (low + high)
            trial[i] = self._dense(i, float(h[i]), middle)
            square = float(mean_squares(run.forward(run.views(trial), slopes=False)[1])[i])
            if square > target:
                low = middle
                continue
            high = middle
            state[i], clock[i] = trial[i], run.clock[i] + middle * h[i]
            if square >= 0.999 * target:
                return

    def _dense(self, i: int, h: float, s: float) -> Array:
        """The state of one network at the fraction s of the step, fourth order."""
        return np.asarray(self._run.flat[i] + h * dense_weights(s) @ self._stages[:, i])
