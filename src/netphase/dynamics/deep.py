"""Gradient training of deep networks, ensembles of them at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netphase._checks import finite_array, instance_of
from netphase._types import Array
from netphase.dynamics.methods import (
    AT_KINKS,
    Descent,
    Flow,
    Method,
    StochasticDescent,
)
from netphase.engine.deep import DeepProblem, DeepTrajectory
from netphase.engine.deep_auto import descend_auto_deep
from netphase.engine.deep_descent import descend_deep
from netphase.engine.deep_flow import flow_deep
from netphase.engine.deep_sgd import descend_batches
from netphase.engine.problem import Stop
from netphase.errors import ArgumentError
from netphase.networks import LayerParameters, MultiLayerNetwork
from netphase.seeds import Stream, generator


@dataclass(frozen=True, eq=False)
class DeepGradientDynamics:
    """dW^[l]/dt = −η_l ∂R/∂W^[l] with R = (1/2n) Σ_i |f(x_i) − y_i|², layer by layer.

    In the normalised weights of `LayerParameters` a layer has the mobility η_l/β_l². The clock is
    the raw one: for one hidden layer with η_1 = η_2 = 1 it is t = β₁β₂ t̄, with t̄ that of
    `GradientDynamics`.

    Attributes:
        network: the networks, with their scales.
        x: inputs, shape (n, d).
        y: targets, shape (n,) for one output and (n, k) for more.

    Raises:
        ArgumentError: ``network`` is of another type, shapes do not fit, or a number is not finite.

    Example:
        >>> from netphase import activations, datasets, dynamics, networks
        >>> from netphase.engine import Stop
        >>> from netphase.scalings import layer_initialisation
        >>> data = datasets.four_points()
        >>> scales = layer_initialisation("ntk", depth=3, d=2).at_width(100)
        >>> network = networks.MultiLayerNetwork(activations.get("tanh"), scales, inputs=2)
        >>> start = networks.initial_layer_parameters(network, seeds=range(3))
        >>> task = DeepGradientDynamics(network, data.x, data.y)
        >>> stop = Stop(mean_square=1e-4)
        >>> run = dynamics.evolve(task, dynamics.Descent("stable"), start, stop=stop)
        >>> [status.value for status in run.status]
        ['converged', 'converged', 'converged']
    """

    network: MultiLayerNetwork
    x: Array
    y: Array

    def __post_init__(self) -> None:
        instance_of("network", self.network, MultiLayerNetwork, "a MultiLayerNetwork")
        x = self.network.check_inputs(self.x)
        y = finite_array("y", self.y, 1 if self.network.outputs == 1 else 2)
        wanted = (len(x),) if self.network.outputs == 1 else (len(x), self.network.outputs)
        if y.shape != wanted:
            raise ArgumentError(
                f"Argument `y` must have the shape {wanted}, one row a sample, but has {y.shape}."
            )

    def problem(self, dtype: np.dtype[np.floating]) -> DeepProblem:
        """The same equation as the engine takes it, in one precision.

        Args:
            dtype: float64 or float32.
        """
        y = np.reshape(self.y, (len(self.x), -1))
        return DeepProblem(
            network=self.network,
            x=np.ascontiguousarray(np.asarray(self.x).T, dtype=dtype),
            y=np.ascontiguousarray(y.T, dtype=dtype),
        )

    def residual(self, parameters: LayerParameters) -> Array:
        """The residual f − y on the data, with the shape of `MultiLayerNetwork.output`."""
        return np.asarray(self.network.output(parameters, self.x) - np.asarray(self.y))

    def loss(self, parameters: LayerParameters) -> Array:
        """R of every network, shape (e,)."""
        residual = self.residual(parameters)
        return np.asarray((residual.reshape(len(residual), -1) ** 2).sum(1) / (2 * len(self.x)))

    def gradient(self, parameters: LayerParameters) -> LayerParameters:
        """∂R/∂W̄ of every network, of the shapes of ``parameters``, without a centre."""
        pull = self.residual(parameters) / len(self.x)
        return self.network.gradient(parameters, self.x, pull)

    def advance(
        self, method: Method, state: LayerParameters, stop: Stop, times: Array
    ) -> DeepTrajectory:
        """Advances every network; called by `evolve`.

        Args:
            method: `Descent`, `StochasticDescent` or `Flow`.
            state: the start.
            stop: when a run ends.
            times: when to keep parameters, shape (t,).

        Returns:
            The trajectories.

        Raises:
            ArgumentError: the method is none of these, or the start does not fit.
        """
        weights = check_start(self.network, state)
        problem = self.problem(weights[0].dtype)
        if isinstance(method, Flow):
            return self._flow(problem, method, state, stop, times)
        if isinstance(method, StochasticDescent):
            return descend_batches(
                problem,
                state,
                learning_rate=method.learning_rate,
                batch=method.batch,
                random=generator(method.seed, Stream.BATCHES),
                stop=stop,
                times=times,
            )
        if not isinstance(method, Descent):
            raise ArgumentError(
                "Argument `method` must be a Descent, a StochasticDescent or a Flow for a "
                f"DeepGradientDynamics, but is of type {type(method).__name__}."
            )
        if method.automatic:
            return descend_auto_deep(
                problem, state, tolerance=method.tolerance, stop=stop, times=times
            )
        rate = None if isinstance(method.learning_rate, str) else method.learning_rate
        return descend_deep(problem, state, learning_rate=rate, stop=stop, times=times)

    def _flow(
        self, problem: DeepProblem, method: Flow, state: LayerParameters, stop: Stop, times: Array
    ) -> DeepTrajectory:
        if self.network.activation.smooth:
            return flow_deep(problem, state, rtol=method.rtol, stop=stop, times=times)
        return descend_auto_deep(
            problem,
            state,
            tolerance=method.tolerance_at_kinks,
            stop=stop,
            times=times,
            integrator=AT_KINKS,
        )


def check_start(network: MultiLayerNetwork, state: LayerParameters) -> tuple[Array, ...]:
    """The weights of a start, or an `ArgumentError` where they do not fit or are not finite."""
    weights = network.check(state)
    for each in (*weights, *state.centre):
        if not np.all(np.isfinite(each)):
            raise ArgumentError("Argument `state` must be finite, but a weight is not.")
    return weights
