"""The linearised twin of deep networks: frozen tangent kernels, solved in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netphase._types import Array, Status
from netphase.dynamics.comparators import ROWS, end_of, spread_times
from netphase.dynamics.deep import DeepGradientDynamics, check_start
from netphase.dynamics.methods import Descent, Flow, Method
from netphase.engine.deep import DeepTrajectory
from netphase.engine.deep_arrays import layer_norms
from netphase.engine.problem import Stop
from netphase.errors import ArgumentError
from netphase.kernels import tangent_kernel
from netphase.kernels.modes import LinearModes
from netphase.networks import LayerParameters, MultiLayerNetwork


class DeepLinearModel:
    """f_lin(x, t) = f(x, θ₀) + ∇f(x, θ₀)·(θ(t) − θ₀) of e networks, known at any time.

    Every network has its own tangent kernel Θ at θ₀, whose eigenmodes decay at the rates λ/n. A
    time is one for all networks or of shape (e,); infinity is the end of training.

    Attributes:
        eigenvalues: of Θ, ascending, shape (e, nk); those of the size of rounding errors are 0, and
            their modes never move.
        finite: whether the start gives a kernel and a residual that are finite, shape (e,); where
            it does not, nothing moves.
    """

    def __init__(self, task: DeepGradientDynamics, start: LayerParameters) -> None:
        """Linearise.

        Args:
            task: the networks, inputs and targets.
            start: θ₀ of e networks.

        Raises:
            ArgumentError: shapes do not fit, or the kernels do not fit into memory.
        """
        self._task = task
        task.network.check(start)
        self._start = start.astype(np.float64)
        with np.errstate(all="ignore"):
            layers = tangent_kernel(task.network, self._start, task.x).layers  # (L+1, e, nk, nk)
            residual = task.residual(self._start).reshape(layers.shape[1], -1)
            good = np.isfinite(layers.sum(axis=(0, 2, 3))) & np.isfinite((residual**2).sum(axis=1))
        self.finite: npt.NDArray[np.bool_] = good
        self._layers = np.where(good[:, None, None], layers, 0.0)
        self._modes = LinearModes(self._layers.sum(axis=0), residual, len(task.x))
        self.eigenvalues = self._modes.eigenvalues

    def member(self, e: int) -> LinearModes:
        """The eigenmodes of one network."""
        return self._modes.member(e)

    def residual(self, time: npt.ArrayLike) -> Array:
        """f_lin − y on the data, with the shape of `MultiLayerNetwork.output`."""
        return self._shaped(self._modes.residual(self._clock(time)))

    def mean_square(self, time: npt.ArrayLike) -> Array:
        """(1/n) Σ |f_lin − y|², shape (e,), or (t, e) for times of this shape."""
        return self._modes.mean_square(self._clock(time))

    def parameters(self, time: npt.ArrayLike) -> LayerParameters:
        """θ(t): W̄^[l] = W̄^[l](0) − (η_l/β_l²) Σ r ∂f/∂W̄^[l], r the integral of the residual."""
        weights = [
            before + move
            for before, move in zip(self._start.weights, self._moves(time), strict=True)
        ]
        return self._start._replace(weights=tuple(weights))

    def output(self, time: npt.ArrayLike, x: Array) -> Array:
        """f_lin at any inputs.

        Args:
            time: t ≥ 0, one number or shape (e,).
            x: inputs, shape (p, d).

        Returns:
            With the shape of `MultiLayerNetwork.output`.

        Raises:
            ArgumentError: a time is negative or NaN, or ``x`` does not fit.
        """
        network, direction = self._task.network, LayerParameters(self._moves(time))
        moved = network.derivative(self._start, x, direction)
        return np.asarray(network.output(self._start, x) + moved)

    def distance(self, time: npt.ArrayLike, parameters: LayerParameters, x: Array) -> Array:
        """‖f − f_lin‖/‖f_lin‖ over some inputs: how far networks are from their linearisations.

        Args:
            time: t ≥ 0 of both, one number or shape (e,); see `DeepTrajectory.time`.
            parameters: of the networks at this time.
            x: inputs, shape (p, d).

        Returns:
            Root mean squares over inputs and outputs, shape (e,).

        Raises:
            ArgumentError: as `output`.
        """
        twin = self.output(time, x).reshape(len(self.finite), -1)
        network = self._task.network.output(parameters, x).reshape(twin.shape)
        return np.asarray(np.linalg.norm(network - twin, axis=1) / np.linalg.norm(twin, axis=1))

    def frobenius_change(self, time: npt.ArrayLike) -> Array:
        """‖W^[l](t) − W^[l](0)‖_F/‖W^[l](0)‖_F over all copies, shape (…, e, L+1)."""
        pull = np.moveaxis(self._modes.pull(self._clock(time)), -2, 0)  # (e, …, nk)
        rows = pull.reshape(len(pull), -1, pull.shape[-1])
        # of ΔW̄ = −M Jᵀr with the mobility M, the square is M (r·Θr) by the layer's own kernel
        squares = [((rows @ kernel) * rows).sum(axis=-1) for kernel in self._layers]  # (e, …)
        mobile = np.stack(squares, axis=-1) * self._mobilities[:, None, :]
        with np.errstate(over="ignore"):  # of a start that does not move
            size = layer_norms(self._start.weights)[:, None, :]
        sizes = np.sqrt(np.maximum(mobile, 0.0)) / size
        return np.moveaxis(sizes.reshape(*pull.shape[:-1], -1), 0, -2)

    @property
    def _mobilities(self) -> Array:
        return self._task.network.mobilities(len(self.finite))

    def _clock(self, time: npt.ArrayLike) -> Array:
        clock = np.asarray(time, dtype=np.float64)
        count = len(self.finite)
        if clock.ndim and clock.shape[-1] != count:
            raise ArgumentError(
                f"Argument `time` must be one number or have {count} columns, one a network, but "
                f"has the shape {clock.shape}."
            )
        return np.broadcast_to(clock, clock.shape or (count,))

    def _moves(self, time: npt.ArrayLike) -> tuple[Array, ...]:
        """θ(t) − θ₀, layer by layer."""
        task = self._task
        pull = self._shaped(self._modes.pull(self._clock(time)))
        rates = -self._mobilities.T[:, :, None, None, None]
        moving = self.finite[:, None, None, None]
        with np.errstate(all="ignore"):
            slopes = task.network.gradient(self._start, task.x, pull).weights
            return tuple(
                np.where(moving, rate * slope, 0.0)
                for rate, slope in zip(rates, slopes, strict=True)
            )

    def _shaped(self, values: Array) -> Array:
        k = self._task.network.outputs
        return values if k == 1 else values.reshape(len(values), -1, k)


@dataclass(frozen=True, eq=False)
class DeepLinearizedDynamics:
    """The linearisation at the start, trained by the gradient flow of the networks themselves.

    f_lin(x, t) = f(x, θ₀) + ∇f(x, θ₀)·(θ(t) − θ₀), with the learning rate of every layer. In the
    lazy regime networks follow it ever more closely as the width grows; `DeepLinearModel.distance`
    measures how closely.

    Attributes:
        network: the networks, with their scales.
        x: inputs, shape (n, d).
        y: targets, shape (n,) for one output and (n, k) for more.

    Raises:
        ArgumentError: as `DeepGradientDynamics`.

    References:
        Lee et al. (NeurIPS 2019) for wide networks of any depth as linear models; Li, Luo & Zhou
        (2024) for when layers of any scales become so.

    Example:
        >>> from netphase import activations, datasets, dynamics, networks
        >>> from netphase.engine import Stop
        >>> from netphase.scalings import layer_initialisation
        >>> data = datasets.four_points()
        >>> scales = layer_initialisation("ntk", depth=2, d=2).at_width(100)
        >>> network = networks.MultiLayerNetwork(activations.get("tanh"), scales, inputs=2)
        >>> start = networks.initial_layer_parameters(network, seeds=range(3))
        >>> twin = DeepLinearizedDynamics(network, data.x, data.y)
        >>> run = dynamics.evolve(twin, dynamics.Flow(), start, stop=Stop(mean_square=1e-4))
        >>> run.status[0].value, run.mean_square[-1].round(10).tolist()
        ('converged', [0.0001, 0.0001, 0.0001])
    """

    network: MultiLayerNetwork
    x: Array
    y: Array

    def __post_init__(self) -> None:
        DeepGradientDynamics(self.network, self.x, self.y)  # its checks are the checks here

    def model(self, state: LayerParameters) -> DeepLinearModel:
        """The solution from a start at any time, and its output at any inputs.

        Args:
            state: θ₀ of e networks.

        Returns:
            The model.

        Raises:
            ArgumentError: the start does not fit or is not finite, or the kernels do not fit into
                memory.
        """
        check_start(self.network, state)
        return DeepLinearModel(DeepGradientDynamics(self.network, self.x, self.y), state)

    def advance(
        self, method: Method, state: LayerParameters, stop: Stop, times: Array
    ) -> DeepTrajectory:
        """Solves for every network; called by `evolve`.

        Args:
            method: `Descent` or `Flow`; the flow is solved exactly whichever is given.
            state: the start.
            stop: its mean square and time; steps do not count here.
            times: when to keep parameters, shape (t,).

        Returns:
            The trajectories; those that can never reach the target have stagnated.

        Raises:
            ArgumentError: the method is another, or as `model`.
        """
        if not isinstance(method, (Descent, Flow)):
            raise ArgumentError(
                "Argument `method` must be a Descent or a Flow for a DeepLinearizedDynamics, which "
                f"is solved as a gradient flow, but is of type {type(method).__name__}."
            )
        model = self.model(state)
        ends, statuses, rows = zip(
            *(_run(model, e, stop) for e in range(len(model.finite))), strict=True
        )
        end, clock = np.array(ends), np.stack(rows, axis=1)  # (e,), (t, e)
        reached = np.nan_to_num(clock)
        behind = np.isnan(clock)
        return DeepTrajectory(
            time=clock,
            mean_square=np.where(behind, np.nan, model.mean_square(reached)),
            frobenius_change=np.where(behind[..., None], np.nan, model.frobenius_change(reached)),
            record_steps=np.where(behind, np.nan, 0.0),
            status=statuses,
            steps=np.zeros(len(end), np.int64),
            rejected=np.zeros(len(end), np.int64),
            integrator="closed form",
            initial=state,
            final=model.parameters(end).astype(state.weights[0].dtype),
            snapshots=tuple(_snapshot(model, float(time), end, state) for time in times),
        )


def _run(model: DeepLinearModel, e: int, stop: Stop) -> tuple[float, Status, Array]:
    """End, status and times of the rows of one network; NaN where it has no row."""
    modes = model.member(e)
    end, status = 0.0, Status.NON_FINITE
    if model.finite[e]:
        end, status = end_of(lambda time: float(modes.mean_square(time)), modes.rates, stop)
    inner = spread_times(modes.rates, end)
    rows = np.full(ROWS + 1, np.nan)
    rows[0], rows[-1] = 0.0, end
    rows[1 : len(inner) + 1] = inner
    return end, status, rows


def _snapshot(
    model: DeepLinearModel, time: float, end: Array, state: LayerParameters
) -> LayerParameters:
    """The parameters at one time, NaN for networks that ended before."""
    kept = model.parameters(np.minimum(time, end)).astype(state.weights[0].dtype)
    for each in kept.weights:
        each[time > end] = np.nan
    return kept
