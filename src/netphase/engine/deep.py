"""Ensembles of deep networks in training: the problem, those that run on, and what they leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from netphase._types import Array, Status
from netphase.engine.deep_step import CompiledStep
from netphase.engine.history import RECORD_RATIO, STAGNATION_STEPS, Judge
from netphase.engine.problem import Stop
from netphase.networks import LayerParameters, MultiLayerNetwork
from netphase.networks.passes import Signals, backward, forward, gradient

Counts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


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
        self._sizes = layer_norms(self.views(self.start))
        self._moved = np.empty_like(self.start[0])
        self._parts = [each.ravel() for each in self.views(self._moved[None])]
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
        self._rows: list[tuple[Array, Array, Array, Array]] = []
        self._rounds, self._due = 0, 0
        self.weights = self.views(self.flat)
        self._compiled: CompiledStep | None = None
        self._steps = [np.empty(each.shape, dtype) for each in self.weights]
        self.look()
        self._judges = [Judge(stop, float(each), patience) for each in self.square]
        self._keep_due()
        self._note()

    @property
    def running(self) -> bool:
        """Whether any network still runs."""
        return len(self.ids) > 0

    @property
    def due(self) -> bool:
        """Whether the next step is to be noted down."""
        return self._rounds + 1 >= self._due

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

    def descend(self, lengths: Array) -> None:
        """W^[l] ← W^[l] − h η_l ∂R/∂W^[l] for every running network, which is evaluated there.

        Weights, signals and residuals change in place, by the compiled engine where it knows σ.
        """
        code = self.problem.network.activation.code
        if code is None:
            self._step(self.signals, self.residual, lengths)
            self.look()
            return
        if self._compiled is None:
            self._compiled = CompiledStep(
                self.flat,
                self.problem.network.layers,
                self.gains,
                self._target,
                self._centre,
                self.signals,
                self.residual,
                code,
            )
            self.signals, self.residual = self._compiled.signals, self._compiled.residual
        self._compiled.step(lengths[:, None] * self.rates)
        self.square = mean_squares(self.residual)

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
        waiting = np.append(self._times, np.inf)[self._next]
        limit = np.minimum(waiting, self.stop.time)
        left = limit - self.clock
        hit = step >= left * (1.0 - 1e-12)
        return np.where(hit, left, step), np.where(hit, limit, self.clock + step)

    def advance(self, clock: Array, accepted: Flags | None = None) -> None:
        """Takes note of a step that the running networks have made, where it was accepted."""
        good = np.ones(len(self.ids), bool) if accepted is None else accepted
        self.clock = np.where(good, clock, self.clock)
        self.steps[self.ids] += good
        self.rejected[self.ids] += ~good
        self._rounds += 1
        self._keep_due()
        if self._rounds >= self._due:
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
        changes = self._changes(self._final, np.arange(len(self.start)))
        end = (self._ends[:, 0], self._ends[:, 1], changes, self.steps.astype(np.float64))
        columns = zip(*self._rows, end, strict=True)
        time, square, change, steps = (np.stack(each) for each in columns)
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

    def _changes(self, flat: Array, ids: Counts) -> Array:
        """Relative Frobenius changes of the networks ``ids``, shape (a, L+1)."""
        found = np.empty((len(ids), len(self._shapes)))
        for row, i in enumerate(ids):  # one after another, so that their numbers stay in the cache
            np.subtract(flat[row], self.start[i], out=self._moved)
            found[row] = [part @ part for part in self._parts]
        return np.asarray(np.sqrt(found) / self._sizes[ids])

    def _note(self) -> None:
        count = len(self.status)
        time, square, steps = np.full((3, count), np.nan)
        change = np.full((count, len(self._shapes)), np.nan)
        time[self.ids], square[self.ids] = self.clock, self.square
        steps[self.ids] = self.steps[self.ids]
        change[self.ids] = self._changes(self.flat, self.ids)
        self._rows.append((time, square, change, steps))
        self._due = max(self._rounds + 1, int(np.ceil(self._rounds * RECORD_RATIO)))

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
        self.residual, self.square = self.residual[keep], self.square[keep]
        self._centre = None if self._centre is None else self._centre[keep]
        self.signals = select_signals(self.signals, keep)


def split_layers(flat: Array, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    """Views of (a, P) numbers as one array of shape (a, c, m_l, m_{l−1}) a layer."""
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    parts = np.split(flat, ends[:-1], axis=1)
    return [part.reshape(len(flat), *shape) for part, shape in zip(parts, shapes, strict=True)]


def select_signals(signals: Signals, keep: Flags | Counts) -> Signals:
    """The signals of some of the networks."""
    samples, *hidden = signals.inputs
    inputs = (samples, *(each[keep] for each in hidden))
    return Signals(inputs, tuple(each[keep] for each in signals.slopes), signals.output[keep])


def layer_norms(weights: Sequence[Array]) -> Array:
    """Frobenius norms over all copies, shape (a, layers)."""
    parts = [each.reshape(len(each), 1, -1) for each in weights]
    squares = [(each @ each.swapaxes(1, 2))[:, 0, 0] for each in parts]
    return np.sqrt(np.stack(squares, axis=1))


def mean_squares(residual: Array) -> Array:
    """(1/n) Σ |e|², float64, shape (a,)."""
    wide = residual.astype(np.float64)
    return np.asarray(np.einsum("akn,akn->a", wide, wide) / residual.shape[-1])
