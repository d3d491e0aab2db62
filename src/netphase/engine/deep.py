"""Ensembles of deep networks in training: the problem, those that run on, and what they leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from netphase._types import Array, Status
from netphase.engine.deep_arrays import (
    Counts,
    Flags,
    mean_squares,
    select_signals,
    split_layers,
)
from netphase.engine.deep_history import DeepHistory
from netphase.engine.deep_step import CompiledSteps
from netphase.engine.history import STAGNATION_STEPS, Judge
from netphase.engine.problem import Stop
from netphase.networks import LayerParameters, MultiLayerNetwork
from netphase.networks.passes import Signals, backward, forward, gradient

MOST_WORK = 1e10
"""Operations in one go, some tenths of a second, after which a run hears of being interrupted."""


@dataclass(frozen=True)
class DeepProblem:
    """dW^[l]/dt = −η_l ∂R/∂W^[l], with R = (1/2n) Σ_i |f(x_i) − y_i|², of e networks at once.

    Attributes:
        network: the map.
        x: inputs, samples last, shape (d, n).
        y: targets, shape (k, n), same dtype; this dtype is the precision.
    """

    network: MultiLayerNetwork
    x: Array
    y: Array


@dataclass(frozen=True)
class DeepTrajectory:
    """Runs of an ensemble of e networks; rows over time have shape (t, e).

    Every network has its own clock. The first row is the start and the last row the end of each;
    in between, rows are at about logarithmic spacing of steps, and NaN behind a network's end.

    Attributes:
        time: t, in which W^[l] moves with its learning rate η_l.
        mean_square: (1/n) Σ |f(x_i) − y_i|².
        frobenius_change: ‖W^[l](t) − W^[l](0)‖/‖W^[l](0)‖ in the Frobenius norm over all copies,
            shape (t, e, L+1). For operator norms see `observables.layer_change`.
        record_steps: accepted steps up to a row.
        status: why each run ended.
        steps: accepted steps, (e,).
        rejected: rejected steps, (e,).
        integrator: what advanced the runs, in words.
        initial: parameters at the start.
        final: parameters at the end.
        snapshots: parameters at the times asked for; NaN for networks that did not get there.
        notes: further figures of the method, each of shape (e,).
    """

    time: Array
    mean_square: Array
    frobenius_change: Array
    record_steps: Array
    status: tuple[Status, ...]
    steps: Counts
    rejected: Counts
    integrator: str
    initial: LayerParameters
    final: LayerParameters
    snapshots: tuple[LayerParameters, ...] = ()
    notes: dict[str, Array] = field(default_factory=dict)

    @property
    def loss(self) -> Array:
        """R = (1/2n) Σ |f(x_i) − y_i|², half the mean square, shape (t, e)."""
        return self.mean_square / 2.0


class Ensemble:
    """The networks that are still running, and what became of the others.

    Args:
        problem: what they are trained on.
        parameters: the start; not changed.
        stop: when a run ends.
        times: when to keep parameters, shape (t,).
        dtype: precision of the work, which may be finer than that of the parameters.
        patience: least number of steps before a run can be called stagnated.

    Attributes:
        ids: numbers of the running networks, shape (a,).
        flat: their weights one after another, (a, P); ``weights`` are views into it.
        gains: see `netphase.networks.passes.Gains`.
        rates: η_l/(β_l² n), shape (a, L+1).
        clock: times reached, (a,).
        residual: f − y at the weights, (a, k, n).
        square: mean square errors, (a,).
        before: those one step of `descend` earlier.
        notes: figures of the method that go into the trajectory, each of shape (e,).
    """

    def __init__(
        self,
        problem: DeepProblem,
        parameters: LayerParameters,
        stop: Stop,
        times: Array,
        dtype: np.dtype[np.floating],
        patience: int = STAGNATION_STEPS,
    ) -> None:
        network = problem.network
        self.problem, self._parameters, self.stop, self._times = problem, parameters, stop, times
        weights = parameters.weights
        count = len(weights[0])
        self._shapes = [each.shape[1:] for each in weights]
        self.ids = np.arange(count)
        self.flat = np.concatenate([each.reshape(count, -1) for each in weights], 1).astype(dtype)
        self.start = self.flat.copy()
        self._history = DeepHistory(self.start, [each[0].size for each in weights])
        self._final, self._kept = self.flat.copy(), np.full((len(times), *self.flat.shape), np.nan)
        self.gains = network.gains(count, dtype)
        self.rates = network.mobilities(count) / problem.x.shape[1]
        self._target = problem.y.astype(dtype)
        self._x = problem.x.astype(dtype)
        self._centre = self._start_output(parameters, dtype)
        self.clock = np.zeros(count)
        self.steps, self.rejected = np.zeros(count, np.int64), np.zeros(count, np.int64)
        self.status: list[Status | None] = [None] * count
        self.notes: dict[str, Array] = {}
        self._next = np.zeros(count, np.int64)
        self._ends = np.zeros((count, 2))
        self.weights = self.views(self.flat)
        self._compiled: CompiledSteps | None = None
        self._steps = [np.empty(each.shape, dtype) for each in self.weights]
        self.look()
        self.before = np.full(count, np.inf)
        self._judges = [Judge(stop, float(each), patience) for each in self.square]
        self._ceilings = np.array([each.limit for each in self._judges])
        self._keep_due()
        self._note()

    @property
    def running(self) -> bool:
        """Whether any network still runs."""
        return len(self.ids) > 0

    @property
    def due(self) -> bool:
        """Whether the next step of any network is to be noted down."""
        return bool(np.any(self._tried() + 1 >= self._history.due(self.ids)))

    def views(self, flat: Array) -> list[Array]:
        """Weights of every layer as views of (a, P) numbers."""
        return split_layers(flat, self._shapes)

    def forward(self, weights: Sequence[Array], slopes: bool = True) -> tuple[Signals, Array]:
        """Signals and residuals of the running networks at some weights."""
        sigma = self.problem.network.activation
        signals = forward(weights, self.gains, self._x, sigma, slopes)
        values = signals.output if self._centre is None else signals.output - self._centre
        return signals, values - self._target

    def look(self) -> None:
        """Evaluates the networks at their weights."""
        self._compiled = None
        self.signals, self.residual = self.forward(self.weights)
        self.square = mean_squares(self.residual)

    def velocity(self, weights: Sequence[Array], signals: Signals, residual: Array) -> Array:
        """−η_l ∂R/∂W^[l] of every layer at some weights and residuals, shape (a, P)."""
        count = len(residual)
        pull = gradient(weights, self.gains, signals, residual)
        rated = [
            each.reshape(count, -1) * -self.rates[:, layer, None] for layer, each in enumerate(pull)
        ]
        return np.concatenate(rated, axis=1)

    def descend(self, lengths: Array, most: Counts | None = None, falling: bool = False) -> Counts:
        """W^[l] ← W^[l] − h η_l ∂R/∂W^[l] for every running network, which is evaluated there.

        Weights, signals and residuals change in place, by the compiled engine where it knows σ,
        which may make several steps.

        Args:
            lengths: h, (a,).
            most: steps that each network makes at most, (a,); one by default. None follows a step
                whose mean square ends the run,
            falling: or, if True, that has raised it.

        Returns:
            The steps made, (a,).
        """
        code, ones = self.problem.network.activation.code, np.ones(len(self.ids), np.int64)
        if code is None:
            self.before = self.square
            self._step(self.signals, self.residual, lengths)
            self.look()
            return ones
        if self._compiled is None:
            self._compiled = CompiledSteps(
                self.flat,
                self.problem.network.layers,
                self.gains,
                self._target,
                self._centre,
                self.signals,
                self.residual,
                np.stack([self.before, self.square], axis=1),
                code,
            )
            self.signals, self.residual = self._compiled.signals, self._compiled.residual
        made = self._compiled.run(
            lengths[:, None] * self.rates,
            ones if most is None else most,
            self.stop.mean_square,
            self._ceilings[self.ids],
            falling,
        )
        self.before, self.square = self._compiled.squares.T.copy()
        return made

    def descend_batch(self, lengths: Array, samples: Counts) -> None:
        """The same step on the mean loss of some samples, which leaves signals and residual.

        Args:
            lengths: h, (a,).
            samples: their numbers, shape (b,).
        """
        sigma = self.problem.network.activation
        signals = forward(self.weights, self.gains, self._x[:, samples], sigma)
        residual = signals.output - self._target[:, samples]
        if self._centre is not None:
            residual -= self._centre[:, :, samples]
        self._step(signals, residual, lengths * (self._x.shape[1] / len(samples)))

    def _step(self, signals: Signals, residual: Array, lengths: Array) -> None:
        factors = (lengths[:, None] * self.rates).astype(self.flat.dtype)[:, :, None, None, None]
        passes = backward(self.weights, self.gains, signals, residual)
        for layer, delta, h in passes:
            step = np.matmul(delta * factors[:, layer], h.swapaxes(-1, -2), out=self._steps[layer])
            self.weights[layer] -= step

    def shortened(self, step: Array) -> tuple[Array, Array]:
        """Steps that end at the next time asked for at the latest, and the clocks after them."""
        limit = self._marks()
        left = limit - self.clock
        hit = step >= left * (1.0 - 1e-12)
        return np.where(hit, left, step), np.where(hit, limit, self.clock + step)

    def unseen(self, step: Array) -> Counts:
        """Steps of a length that each network may make in one go, one at least, (a,).

        Before the last of them there is no row, no time asked for and no test but of its mean
        square. Of length 0 or without end there is one.
        """
        ahead = np.floor((self._marks() - self.clock) / step) - 1.0  # the next may be shortened
        ahead[~((step > 0.0) & np.isfinite(step))] = 1.0
        row = self._history.due(self.ids) - self._tried()
        tests = [self._judges[i].untested(int(self.steps[i])) for i in self.ids]
        work = 6.0 * self.flat.size * self._x.shape[1]
        found = np.minimum(np.minimum(ahead, row), np.minimum(tests, MOST_WORK // work))
        return np.asarray(np.maximum(found, 1.0).astype(np.int64))

    def advance(self, clock: Array, accepted: Flags | None = None, made: Counts | int = 1) -> None:
        """Takes note of steps that the running networks have made, where they were accepted."""
        good = np.ones(len(self.ids), bool) if accepted is None else accepted
        self.clock = np.where(good, clock, self.clock)
        self.steps[self.ids] += good * made
        self.rejected[self.ids] += ~good
        self._keep_due()
        self._note()

    def settle(self, verdicts: Sequence[Status | None] | None = None) -> Flags | None:
        """Ends the runs that are to end, those of a verdict given here among them.

        Returns:
            Which of the networks that ran still do, (a,), or None where all do.
        """
        given = verdicts or [None] * len(self.ids)
        found = [
            self._judges[i].verdict(float(time), int(self.steps[i]), float(square)) or each
            for i, each, time, square in zip(self.ids, given, self.clock, self.square, strict=True)
        ]
        keep = np.array([each is None for each in found], bool)
        if keep.all():
            return None
        for row, (i, status) in enumerate(zip(self.ids, found, strict=True)):
            if status is not None:
                self.status[i] = status
                self._ends[i] = self.clock[row], self.square[row]
                self._final[i] = self.flat[row]
        self._select(keep)
        return keep

    def trajectory(self, integrator: str) -> DeepTrajectory:
        """What all networks leave."""
        dtype = self._parameters.weights[0].dtype
        ends = (self._ends[:, 0], self._ends[:, 1], self.steps, self._final)
        time, square, change, steps = self._history.columns(*ends)
        return DeepTrajectory(
            time=time,
            mean_square=square,
            frobenius_change=change,
            record_steps=steps,
            status=tuple(each for each in self.status if each is not None),
            steps=self.steps,
            rejected=self.rejected,
            integrator=integrator,
            initial=self._parameters,
            final=self._packed(self._final.astype(dtype)),
            snapshots=tuple(self._packed(each.astype(dtype)) for each in self._kept),
            notes=self.notes,
        )

    def _start_output(
        self, parameters: LayerParameters, dtype: np.dtype[np.floating]
    ) -> Array | None:
        if not parameters.centre:
            return None
        centre = [each.astype(dtype) for each in parameters.centre]
        return forward(centre, self.gains, self._x, self.problem.network.activation, False).output

    def _packed(self, flat: Array) -> LayerParameters:
        weights = (np.ascontiguousarray(each) for each in split_layers(flat, self._shapes))
        return LayerParameters(tuple(weights), self._parameters.centre)

    def _marks(self) -> Array:
        """The next time of each network at which it is to be looked at, (a,)."""
        return np.asarray(np.minimum(np.append(self._times, np.inf)[self._next], self.stop.time))

    def _tried(self) -> Counts:
        """Accepted and rejected steps, (a,)."""
        return self.steps[self.ids] + self.rejected[self.ids]

    def _note(self) -> None:
        steps = self.steps[self.ids]
        self._history.note(self.ids, self._tried(), self.clock, self.square, steps, self.flat)

    def _keep_due(self) -> None:
        """Keeps the weights of networks that have reached the next time asked for."""
        for row, i in enumerate(self.ids):
            k = int(self._next[row])
            if k < len(self._times) and self.clock[row] >= self._times[k]:
                self._kept[k, i] = self.flat[row]
                self._next[row] += 1

    def _select(self, keep: Flags) -> None:
        self.ids, self.flat = self.ids[keep], self.flat[keep]
        self.weights, self._compiled = self.views(self.flat), None
        self._steps = [each[: len(self.ids)] for each in self._steps]
        self.gains = tuple(None if each is None else each[keep] for each in self.gains)
        self.rates, self.clock, self._next = self.rates[keep], self.clock[keep], self._next[keep]
        self.square, self.before = self.square[keep], self.before[keep]
        self.residual = self.residual[keep]
        self._centre = None if self._centre is None else self._centre[keep]
        self.signals = select_signals(self.signals, keep)
