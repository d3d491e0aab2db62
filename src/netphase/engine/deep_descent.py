"""Literal gradient descent of ensembles of deep networks, with a fixed or a stable step."""

from __future__ import annotations

import numpy as np

from netphase._checks import positive_float
from netphase._types import Array, Status
from netphase.engine.deep import DeepProblem, DeepTrajectory, Ensemble
from netphase.engine.deep_arrays import Counts, Flags, layer_norms, select_signals
from netphase.engine.large import FIXED_LOOK, PACE, PACED_LOOK
from netphase.engine.problem import Stop
from netphase.kernels.layer_tangent import rated_kernel
from netphase.networks import LayerParameters
from netphase.networks.passes import (
    Gains,
    Signals,
    backward,
    gradient,
    output_factors,
    pushforward,
)

FIRST_ITERATIONS, LATER_ITERATIONS = 30, 3
"""Most power iterations of the first look at λ_max, and of later ones, which go on from it."""

SETTLED = 1e-3
"""Relative rise of λ_max in one iteration that ends them: it lacks some times that at most."""

_STILL = {False: Status.STAGNATED, True: Status.NON_FINITE}
"""Why a run makes no step of length 0, or of none that is a number."""

FULL = 256
"""Up to this many samples times outputs the tangent kernel is formed, and λ_max is exact."""


def descend_deep(
    problem: DeepProblem,
    parameters: LayerParameters,
    *,
    learning_rate: float | None,
    stop: Stop,
    times: Array,
) -> DeepTrajectory:
    """Full-batch gradient descent, W^[l] ← W^[l] − h η_l ∂R/∂W^[l], of every network.

    Args:
        problem: data, networks and precision.
        parameters: the start; not changed.
        learning_rate: h > 0, the same for all; None for the stable one, which every network has
            for itself: h = 1/λ_max, half the limit of stability, with λ_max the largest eigenvalue
            of its tangent kernel over n, or less where the kernel itself grows faster than that.
        stop: when a run ends.
        times: when to keep parameters; steps are shortened to end there.

    Returns:
        The trajectories, with ``notes["largest_sharpness"]``, the largest h λ_max/2 seen.

    Raises:
        ArgumentError: ``learning_rate`` is not positive.
    """
    rate = None if learning_rate is None else positive_float("learning_rate", learning_rate)
    with np.errstate(all="ignore"):  # a number that overflows ends its run
        run = Ensemble(problem, parameters, stop, times, parameters.weights[0].dtype)
        pace = _Pace(run, rate)
        pace.select(run.settle())
        while run.running:
            wanted = pace.steps()
            ends = [None if h > 0.0 else _STILL[bool(np.isnan(h))] for h in wanted]
            step, clock = run.shortened(np.nan_to_num(wanted))
            most = np.minimum(run.unseen(step), pace.unseen())
            made = run.descend(step, most, falling=rate is None)
            run.advance(_clocks(clock, step, made), made=made)
            pace.select(run.settle(ends))
    name = "gradient descent" if rate else "gradient descent at half the limit of stability"
    return run.trajectory(name)


class _Pace:
    """Each network's step, and how near it has come to the limit of stability."""

    def __init__(self, run: Ensemble, rate: float | None) -> None:
        self._run, self._fixed = run, rate is not None
        count, size = len(run.ids), run.residual[0].size
        self._step = np.full(count, 0.0 if rate is None else rate)
        vector = 1.0 + 0.5 * np.sin(1.0 + np.arange(size)).reshape(run.residual[0].shape)
        self._vector = np.repeat(vector[None], count, axis=0).astype(run.residual.dtype)
        self._next = np.zeros(count, np.int64)
        run.notes["largest_sharpness"] = np.zeros(count)

    def steps(self) -> Array:
        """The next steps: 0 where nothing moves the output, NaN where the kernel overflows."""
        run = self._run
        taken = run.steps[run.ids]
        risen = ~(run.square <= run.before) & (not self._fixed)
        due = np.flatnonzero((taken >= self._next) | risen).astype(np.int64)
        if len(due):
            self._look(due, taken[due])
        return self._step

    def unseen(self) -> Counts:
        """Steps until each network is to be looked at, where none raises its loss."""
        run = self._run
        return np.asarray(np.maximum(self._next - run.steps[run.ids], 1))

    def select(self, keep: Flags | None) -> None:
        """Follows the ensemble when runs have ended."""
        if keep is not None:
            self._step, self._vector = self._step[keep], self._vector[keep]
            self._next = self._next[keep]

    def _look(self, due: Counts, taken: Counts) -> None:
        largest = self._largest(due)
        self._note(due, largest)  # of the steps up to here, which the next ones may undercut
        most = FIXED_LOOK if self._fixed else PACED_LOOK
        self._next[due] = np.minimum(2 * taken + 1, taken + most)
        if self._fixed:
            return
        growth = self._growth(due)
        fastest = np.maximum(largest / PACE, growth)
        moving = np.where(largest > 0.0, 1.0 / fastest, 0.0)
        self._step[due] = np.where(np.isfinite(largest), moving, np.nan)
        self._next[due[growth > largest / PACE]] = 0  # features move: look at every step
        self._note(due, largest)

    def _note(self, due: Counts, largest: Array) -> None:
        noted = self._run.notes["largest_sharpness"]
        ids = self._run.ids[due]
        noted[ids] = np.fmax(noted[ids], 0.5 * self._step[due] * largest)

    def _largest(self, due: Counts) -> Array:
        """λ_max of the tangent kernel over n, (due,); of many samples by power iteration."""
        run = self._run
        weights = [each[due] for each in run.weights]
        gains = [None if each is None else each[due] for each in run.gains]
        signals = select_signals(run.signals, due)
        if run.residual[0].size <= FULL:
            return _largest_of_kernel(weights, gains, signals, run.rates[due])
        rates = run.rates[due].astype(run.flat.dtype)[:, :, None, None, None]
        vector, value = self._vector[due], np.zeros(len(due))
        going = np.ones(len(due), bool)
        most = np.where(run.steps[run.ids[due]] > 0, LATER_ITERATIONS, FIRST_ITERATIONS)
        for k in range(FIRST_ITERATIONS):
            vector /= np.linalg.norm(vector, axis=(1, 2), keepdims=True)
            pull = gradient(weights, gains, signals, vector)
            moves = [each * rates[:, layer] for layer, each in enumerate(pull)]
            after = pushforward(weights, gains, signals, moves)
            found = np.einsum("akn,akn->a", vector, after).astype(np.float64)
            before, value = value, np.where(going, found, value)
            vector = np.where(going[:, None, None], after, vector)
            going &= (
                (k + 1 < most) & (value > 0.0) & ~((k > 1) & (value - before < SETTLED * value))
            )
            if not going.any():
                break
        self._vector[due] = vector
        return value

    def _growth(self, due: Counts) -> Array:
        """The fastest rate at which the tangent kernel may grow, (due,).

        It is of degree 2L in the weights. A layer grows by no more than the norm of its gradient
        over its root mean square singular value, relative to its operator norm.
        """
        run = self._run
        weights = [each[due] for each in run.weights]
        gains = [None if each is None else each[due] for each in run.gains]
        passes = backward(weights, gains, select_signals(run.signals, due), run.residual[due])
        speed = np.zeros((len(due), len(weights)))
        for layer, delta, h in passes:
            speed[:, layer] = layer_norms([delta @ h.swapaxes(-1, -2)])[:, 0]
        ranks = np.sqrt([min(each.shape[-2:]) for each in weights])
        growth = (speed * run.rates[due] * ranks / layer_norms(weights)).max(axis=1)
        return np.asarray(2 * (len(weights) - 1) * growth)


def _clocks(first: Array, step: Array, made: Counts) -> Array:
    """Clocks after some steps, added one by one; ``first`` are those after one of them."""
    added = np.repeat(step[:, None], made.max(), axis=1)
    added[:, 0] = first
    return np.cumsum(added, axis=1)[np.arange(len(made)), made - 1]


def _largest_of_kernel(weights: list[Array], gains: Gains, signals: Signals, rates: Array) -> Array:
    """The largest eigenvalue of Σ_l rate_l Θ^[l], NaN where it is not finite, shape (a,)."""
    kernel = rated_kernel(signals.inputs, output_factors(weights, gains, signals), rates)
    finite = np.asarray(np.isfinite(kernel).all(axis=(1, 2)))
    largest = np.linalg.eigvalsh(np.where(finite[:, None, None], kernel, 0.0))[:, -1]
    return np.where(finite, largest, np.nan)
