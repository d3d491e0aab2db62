"""`evolve`: one equation, one method, one start; a trajectory whatever happens on the way."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TypeAlias, cast, overload

import numpy as np

from netphase import engine
from netphase._checks import finite_array, instance_of, positive_int
from netphase._types import Array
from netphase.dynamics.comparators import LinearizedDynamics
from netphase.dynamics.deep import DeepGradientDynamics
from netphase.dynamics.deep_linear import DeepLinearizedDynamics
from netphase.dynamics.gradient import GradientDynamics
from netphase.dynamics.macroscopic import MacroscopicDynamics
from netphase.dynamics.methods import Adam, Descent, Flow, Method, StochasticDescent
from netphase.dynamics.population import PopulationDynamics
from netphase.dynamics.random_features import RandomFeatureDynamics
from netphase.dynamics.trajectory import Trajectory, check_times
from netphase.dynamics.two_layer_runs import advance, through_times, trajectory_of
from netphase.engine.deep import DeepTrajectory
from netphase.engine.problem import Stop
from netphase.errors import ArgumentError
from netphase.networks import LayerParameters, Parameters

Comparator: TypeAlias = LinearizedDynamics | MacroscopicDynamics | RandomFeatureDynamics
"""An equation that a trained network is compared with, and that is solved on its own."""

COMPARATORS = (LinearizedDynamics, MacroscopicDynamics, RandomFeatureDynamics)

DeepDynamics: TypeAlias = DeepGradientDynamics | DeepLinearizedDynamics
"""An equation of ensembles of deep networks."""

STAGNATION = 0.01
"""Where no condition to stop is given: a loss that falls by less than this part has stagnated."""


@overload
def evolve(
    dynamics: GradientDynamics | PopulationDynamics | Comparator,
    method: Method,
    state: Parameters,
    *,
    stop: Stop | None = None,
    times: Sequence[float] | Array | None = None,
    tracked: int | None = None,
) -> Trajectory: ...


@overload
def evolve(
    dynamics: DeepDynamics,
    method: Method,
    state: LayerParameters,
    *,
    stop: Stop | None = None,
    times: Sequence[float] | Array | None = None,
) -> DeepTrajectory: ...


def evolve(
    dynamics: GradientDynamics | PopulationDynamics | Comparator | DeepDynamics,
    method: Method,
    state: Parameters | LayerParameters,
    *,
    stop: Stop | None = None,
    times: Sequence[float] | Array | None = None,
    tracked: int | None = None,
) -> Trajectory | DeepTrajectory:
    """Advances parameters by an equation until a condition to stop is met.

    Args:
        dynamics: the equation. `LinearizedDynamics` and `RandomFeatureDynamics` are solved in
            closed form and `MacroscopicDynamics` by its own integrator, whether `Descent` or
            `Flow` is asked for; see `PopulationDynamics` for how these follow its flow.
            `DeepGradientDynamics` trains an ensemble, from and to `LayerParameters`;
            `DeepLinearizedDynamics` is its linearisation, in closed form.
        method: how it is advanced.
        state: the start, ``a`` of shape (m,) and ``w`` of shape (m, d), normalised; its dtype is
            the precision. Not changed.
        stop: when to end; by default at a mean square of 1e-6, or on a plateau.
        times: increasing readings of the normalised clock (for `Adam`: whole numbers of steps) at
            which to keep the parameters (`Trajectory.snapshots`); the history then has rows at the
            start, these times and the end only.
        tracked: how many of the first neurons count in relative changes; by default all. For an
            antisymmetric start this is the width of one copy. Not for deep networks.

    Returns:
        The trajectory. Numerical failures are its status; nothing is raised for them. That of an
        ensemble of deep networks is a `DeepTrajectory`, whose history keeps its own rows.

    Raises:
        ArgumentError: shapes do not fit, a number is not finite, ``times`` does not increase, or
            `Adam` is asked for times between steps or for a comparator.
        KeyboardInterrupt: the run was interrupted.

    Example:
        >>> import netphase as nph
        >>> law = nph.ScalingLaw.ntk()
        >>> network = nph.TwoLayerNetwork(nph.activations.get("tanh"), law.at_width(100))
        >>> dynamics = nph.GradientDynamics(network, nph.datasets.four_points())
        >>> start = nph.initial_parameters(100, d=2, seed=0)
        >>> nph.evolve(dynamics, nph.Flow(), start, tracked=100).status.value
        'converged'
    """
    _check_kinds(dynamics, method, stop)
    condition = Stop(stagnation=STAGNATION) if stop is None else stop
    if isinstance(dynamics, (DeepGradientDynamics, DeepLinearizedDynamics)):
        return _deep(dynamics, method, state, condition, check_times(times), tracked)
    if isinstance(method, StochasticDescent):
        raise ArgumentError(
            "Argument `method` must be a Descent, a Flow or an Adam for a "
            f"{type(dynamics).__name__}, but is a StochasticDescent. Mini-batches are for a "
            "DeepGradientDynamics: one hidden layer is a MultiLayerNetwork with scales of depth 1."
        )
    checked = _check_state(dynamics, state)
    count = len(checked.a) if tracked is None else positive_int("tracked", tracked)
    if count > len(checked.a):
        raise ArgumentError(
            f"Argument `tracked` must be at most the number of neurons, {len(checked.a)}, but is "
            f"{count}."
        )
    if isinstance(method, Adam):
        return _adam(dynamics, method, checked, condition, count, check_times(times))
    if isinstance(dynamics, PopulationDynamics):
        integrator, outcome, kept = dynamics.advance(
            method, checked, condition, count, check_times(times)
        )
        return dataclasses.replace(
            trajectory_of(integrator, outcome, checked, count), snapshots=kept
        )
    if isinstance(dynamics, COMPARATORS):
        return dynamics.solve(checked, condition, count, check_times(times))
    problem = dynamics.problem(checked.a.dtype)
    if times is None:
        integrator, outcome = advance(problem, method, checked, condition, count)
        return trajectory_of(integrator, outcome, checked, count)
    return through_times(problem, method, checked, condition, count, check_times(times))


def _check_kinds(dynamics: object, method: object, stop: object) -> None:
    """Refuses what is no equation, no method, or no condition to stop."""
    known = (
        GradientDynamics,
        PopulationDynamics,
        *COMPARATORS,
        DeepGradientDynamics,
        DeepLinearizedDynamics,
    )
    names = (
        "a GradientDynamics, a PopulationDynamics, a LinearizedDynamics, a RandomFeatureDynamics, "
        "a MacroscopicDynamics, a DeepGradientDynamics or a DeepLinearizedDynamics"
    )
    instance_of("dynamics", dynamics, known, names)
    methods = (Descent, StochasticDescent, Flow, Adam)
    instance_of("method", method, methods, "a Descent, a StochasticDescent, a Flow or an Adam")
    instance_of("stop", stop, (Stop, type(None)), "a Stop")


def _deep(
    dynamics: DeepDynamics,
    method: Method,
    state: Parameters | LayerParameters,
    stop: Stop,
    times: Array,
    tracked: int | None,
) -> DeepTrajectory:
    instance_of("state", state, LayerParameters, "LayerParameters")
    if tracked is not None:
        raise ArgumentError(
            f"Argument `tracked` must be left out for deep networks, but is {tracked!r}."
        )
    return dynamics.advance(method, cast(LayerParameters, state), stop, times)


def _adam(
    dynamics: GradientDynamics | PopulationDynamics | Comparator,
    method: Adam,
    state: Parameters,
    stop: Stop,
    tracked: int,
    times: Array,
) -> Trajectory:
    """Adam in the raw variables, its means kept through all times asked for."""
    if isinstance(dynamics, (PopulationDynamics, *COMPARATORS)):
        raise ArgumentError(
            "Argument `method` must be a Descent or a Flow here, but is an Adam: a "
            f"{type(dynamics).__name__} is solved as a gradient flow."
        )
    if np.any(times != np.round(times)):
        raise ArgumentError(
            f"Argument `times` must hold whole numbers of steps for an Adam, but holds "
            f"{float(times[times != np.round(times)][0])!r}."
        )
    scales = dynamics.network.scales
    split = math.sqrt(scales.rate_ratio)
    rates = method.learning_rate * split, method.learning_rate / split
    moments = engine.Moments(
        rates, (scales.beta1, scales.beta2), method.decay1, method.decay2, method.epsilon
    )
    outcome, kept = engine.descend_adam(
        dynamics.problem(state.a.dtype),
        state,
        moments,
        stop=stop,
        tracked=tracked,
        steps=times if times.size else None,
    )
    run = trajectory_of("Adam", outcome, state, tracked)
    return dataclasses.replace(run, snapshots=kept, in_steps=True)


def _check_state(
    dynamics: GradientDynamics | PopulationDynamics | Comparator,
    state: Parameters | LayerParameters,
) -> Parameters:
    instance_of("state", state, Parameters, "Parameters")
    state = cast(Parameters, state)
    a, w = finite_array("state.a", state.a, 1), finite_array("state.w", state.w, 2)
    if isinstance(dynamics, PopulationDynamics):
        d = dynamics.target.d
        dynamics.target.check_inputs("state.w", w.shape[1])
    else:
        d = dynamics.data.d
    if w.shape != (len(a), d) or a.dtype != w.dtype:
        raise ArgumentError(
            f"Argument `state` must hold a of shape (m,) and w of shape (m, {d}) in one dtype, but "
            f"holds {a.shape} ({a.dtype}) and {w.shape} ({w.dtype})."
        )
    return Parameters(a, w)
