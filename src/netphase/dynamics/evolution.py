"""`evolve`: one equation, one method, one start; a trajectory whatever happens on the way."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TypeAlias, cast, overload

import numpy as np

from netphase import engine
from netphase._checks import finite_array, instance_of, positive_int
from netphase._types import Array, Status, Which
from netphase.dynamics.comparators import LinearizedDynamics, changes_of
from netphase.dynamics.deep import DeepGradientDynamics
from netphase.dynamics.deep_linear import DeepLinearizedDynamics
from netphase.dynamics.gradient import GradientDynamics
from netphase.dynamics.macroscopic import MacroscopicDynamics
from netphase.dynamics.methods import (
    AT_KINKS,
    Adam,
    Descent,
    Flow,
    Method,
    StochasticDescent,
)
from netphase.dynamics.population import PopulationDynamics
from netphase.dynamics.random_features import RandomFeatureDynamics
from netphase.dynamics.trajectory import Trajectory, check_times
from netphase.engine.deep import DeepTrajectory
from netphase.engine.problem import Outcome, Problem, Stop
from netphase.errors import ArgumentError
from netphase.networks import LayerParameters, Parameters

Comparator: TypeAlias = LinearizedDynamics | MacroscopicDynamics | RandomFeatureDynamics
"""An equation that a trained network is compared with, and that is solved on its own."""

COMPARATORS = (LinearizedDynamics, MacroscopicDynamics, RandomFeatureDynamics)

DeepDynamics: TypeAlias = DeepGradientDynamics | DeepLinearizedDynamics
"""An equation of ensembles of deep networks."""

ROSENBROCK_SAMPLES, ROSENBROCK_INPUTS = 128, 32
"""Beyond so many samples or inputs the implicit solver's small systems are no longer small."""

STAGNATION = 0.01
"""Where no condition to stop is given: a loss that falls by less than this part has stagnated."""

SHARPNESS = "largest_sharpness"
"""The note of a literal descent on how near its steps came to the limit of stability, 1."""


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
        return dataclasses.replace(_trajectory(integrator, outcome, checked, count), snapshots=kept)
    if isinstance(dynamics, COMPARATORS):
        return dynamics.solve(checked, condition, count, check_times(times))
    problem = dynamics.problem(checked.a.dtype)
    if times is None:
        integrator, outcome = advance(problem, method, checked, condition, count)
        return _trajectory(integrator, outcome, checked, count)
    return _through_times(problem, method, checked, condition, count, check_times(times))


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
    run = _trajectory("Adam", outcome, state, tracked)
    return dataclasses.replace(run, snapshots=kept, in_steps=True)


def advance(
    problem: Problem, method: Descent | Flow, state: Parameters, stop: Stop, tracked: int
) -> tuple[str, Outcome]:
    """Hands a problem to the part of the engine that suits the method; names that part.

    Args:
        problem: what to solve.
        method: how.
        state: the start, shapes (m,) and (m, d).
        stop: when to end.
        tracked: neurons that count in the recorded changes.

    Returns:
        The integrator in words, and the outcome.
    """
    if isinstance(method, Flow):
        return _flow(problem, method, state, stop, tracked)
    rate, tolerance = method.learning_rate, method.tolerance
    if rate == "stable":
        outcome = engine.descend_stable(problem, state, stop=stop, tracked=tracked)
        return "gradient descent at half the limit of stability", outcome
    if isinstance(rate, str):
        outcome = engine.descend_auto(
            problem, state, tolerance=tolerance, stop=stop, tracked=tracked
        )
        return "automatic descent", outcome
    outcome = engine.descend(problem, state, learning_rate=rate, stop=stop, tracked=tracked)
    return "gradient descent", outcome


def _flow(
    problem: Problem, method: Flow, state: Parameters, stop: Stop, tracked: int
) -> tuple[str, Outcome]:
    n, d = problem.x.shape
    if not problem.activation.smooth:
        outcome = engine.descend_auto(
            problem, state, tolerance=method.tolerance_at_kinks, stop=stop, tracked=tracked
        )
        return AT_KINKS, outcome
    if n <= ROSENBROCK_SAMPLES and d <= ROSENBROCK_INPUTS:
        outcome = engine.flow_rosenbrock(
            problem, state, rtol=method.rtol, stop=stop, tracked=tracked
        )
        return "structured Rosenbrock method", outcome
    outcome = engine.flow_explicit(problem, state, rtol=method.rtol, stop=stop, tracked=tracked)
    return "explicit Runge–Kutta pair", outcome


def _through_times(
    problem: Problem,
    method: Descent | Flow,
    state: Parameters,
    stop: Stop,
    tracked: int,
    times: Array,
) -> Trajectory:
    """Runs from one time to the next, keeping the parameters at each."""
    clock, now = 0.0, state
    rows = [(0.0, _mean_square(problem, state), state)]
    kept = [state] if times[0] == 0.0 else []
    counts = np.zeros(4, dtype=np.int64)
    sharpness = 0.0
    status = Status.TIME_REACHED
    for target in [*times.tolist(), stop.time]:
        if target > stop.time or target <= clock:
            continue
        if counts[0] >= stop.max_steps:
            status = Status.MAX_STEPS
            break
        left = dataclasses.replace(
            stop, time=target - clock, max_steps=stop.max_steps - int(counts[0])
        )
        integrator, outcome = advance(problem, method, now, left, tracked)
        clock, now = clock + outcome.time, outcome.parameters
        rows.append((clock, outcome.mean_square, now))
        sharpness = max(sharpness, outcome.notes.get(SHARPNESS, 0.0))
        counts += [outcome.steps, outcome.rejected, outcome.gradients, outcome.solves]
        status = outcome.status
        if status is not Status.TIME_REACHED:
            break
        if target in times:
            kept.append(now)
    time, mean_square, states = zip(*rows, strict=True)
    notes = outcome.notes | ({SHARPNESS: sharpness} if SHARPNESS in outcome.notes else {})

    def changes(which: Which) -> Array:
        return changes_of(state, states, which, tracked)

    return Trajectory(
        time=np.array(time),
        mean_square=np.array(mean_square),
        relative_change_w=changes("w"),
        relative_change_a=changes("a"),
        relative_change_theta=changes("theta"),
        status=status,
        steps=int(counts[0]),
        rejected=int(counts[1]),
        gradients=int(counts[2]),
        solves=int(counts[3]),
        integrator=integrator,
        initial=state,
        final=now,
        snapshots=tuple(kept),
        notes=_with_rises(notes, np.array(mean_square)),
    )


def _trajectory(integrator: str, outcome: Outcome, state: Parameters, tracked: int) -> Trajectory:
    norm_a = float(np.linalg.norm(state.a[:tracked].astype(np.float64)))
    norm_w = float(np.linalg.norm(state.w[:tracked].astype(np.float64)))
    records = outcome.records
    return Trajectory(
        time=records.time,
        mean_square=records.mean_square,
        relative_change_w=_over(records.change_w, norm_w),
        relative_change_a=_over(records.change_a, norm_a),
        relative_change_theta=_over(
            np.hypot(records.change_a, records.change_w), math.hypot(norm_a, norm_w)
        ),
        status=outcome.status,
        steps=outcome.steps,
        rejected=outcome.rejected,
        gradients=outcome.gradients,
        solves=outcome.solves,
        integrator=integrator,
        initial=state,
        final=outcome.parameters,
        notes=_with_rises(outcome.notes, records.mean_square),
    )


def _over(change: Array, size: float) -> Array:
    """Change over size; NaN where a block starts at zero and has no size to compare with."""
    return change / size if size > 0.0 else np.full_like(change, math.nan)


def _with_rises(notes: dict[str, float], mean_square: Array) -> dict[str, float]:
    """The notes of a literal descent, with the share of records in which the loss rose."""
    if SHARPNESS not in notes or len(mean_square) < 2:
        return notes
    return notes | {"rising_records": float(np.mean(np.diff(mean_square) > 0.0))}


def _mean_square(problem: Problem, state: Parameters) -> float:
    values = problem.activation.value(problem.x @ state.w.T) @ state.a  # (n, m) @ (m,)
    return float(np.mean((problem.output_scale * values - problem.y) ** 2))


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
