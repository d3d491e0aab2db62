"""Runs of two-layer networks: the part of the engine that suits a method, and what it leaves."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from netphase import engine
from netphase._types import Array, Status, Which
from netphase.dynamics.comparators import changes_of
from netphase.dynamics.methods import AT_KINKS, Descent, Flow
from netphase.dynamics.trajectory import Trajectory
from netphase.engine.problem import Outcome, Problem, Stop
from netphase.networks import Parameters

ROSENBROCK_SAMPLES, ROSENBROCK_INPUTS = 128, 32
"""Beyond so many samples or inputs the implicit solver's small systems are no longer small."""

SHARPNESS = "largest_sharpness"
"""The note of a literal descent on how near its steps came to the limit of stability, 1."""


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


def through_times(
    problem: Problem,
    method: Descent | Flow,
    state: Parameters,
    stop: Stop,
    tracked: int,
    times: Array,
) -> Trajectory:
    """Runs from one time to the next, keeping the parameters at each.

    Args:
        problem: what to solve.
        method: how.
        state: the start, shapes (m,) and (m, d).
        stop: when to end.
        tracked: neurons that count in relative changes.
        times: increasing readings of the clock, shape (t,).

    Returns:
        The trajectory, with a row for the start, every time and the end.
    """
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


def trajectory_of(integrator: str, outcome: Outcome, state: Parameters, tracked: int) -> Trajectory:
    """What one run of the engine leaves, as a trajectory.

    Args:
        integrator: the part of the engine, in words.
        outcome: what it returned.
        state: the start.
        tracked: neurons that count in relative changes.

    Returns:
        The trajectory.
    """
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
