"""Gradient flow by the structured Rosenbrock method: compiled where σ is, in NumPy elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from netphase._types import Array, Status
from netphase.engine import reference_flow
from netphase.engine.adaptive import DEFAULT_RTOL, check_rtol, check_times
from netphase.engine.problem import Outcome, Problem, Records, Stop
from netphase.networks import Parameters

STATUSES = (
    Status.CONVERGED,
    Status.TIME_REACHED,
    Status.MAX_STEPS,
    Status.STAGNATED,
    Status.DIVERGED,
    Status.NON_FINITE,
)


def flow_rosenbrock(
    problem: Problem,
    parameters: Parameters,
    *,
    rtol: float = DEFAULT_RTOL,
    stop: Stop,
    tracked: int,
    times: Array | None = None,
) -> Outcome:
    """Gradient flow by Rodas4 with the structured linear solve, in the compiled engine.

    An activation without compiled code runs in `netphase.engine.reference_flow`, which defines what
    this function computes and takes the same steps. Memory is about 9 (d + 1) + (d + 1)²/2 + 4n
    numbers a neuron, work n²(d + 1)/2 + (d + 1)³/6 operations a neuron and step beyond the
    gradients: for small n and d.

    Args:
        problem: the problem; evaluated in float64 whatever its dtype.
        parameters: the start, shapes (m,) and (m, d); not changed.
        rtol: tolerance of one step; see `netphase.engine.adaptive.error_ratio`.
        stop: when to end.
        tracked: how many of the first neurons count in the recorded changes.
        times: clock readings at which to record, shape (t,), instead of at accepted steps.

    Returns:
        The outcome; final parameters have the dtype of ``parameters``.

    Raises:
        ArgumentError: ``rtol`` is not in (0, 1), or ``times`` is not an increasing list.

    References:
        Hairer, Wanner, Solving Ordinary Differential Equations II (1996), sections IV.7 and VI.4.
    """
    code = problem.activation.code
    if code is None:
        return reference_flow.flow_rosenbrock(
            problem, parameters, rtol=rtol, stop=stop, tracked=tracked, times=times
        )
    from netphase.engine import _core

    found = _core.flow(
        _wide(problem.x),
        _wide(problem.y),
        _wide(parameters.a),
        _wide(parameters.w),
        activation=code,
        output_scale=problem.output_scale,
        mobility_a=problem.mobility_a,
        mobility_w=problem.mobility_w,
        rtol=check_rtol(rtol),
        target=stop.mean_square,
        end_time=stop.time,
        max_steps=stop.max_steps,
        stagnation=stop.stagnation,
        tracked=tracked,
        times=check_times(times),
    )
    return outcome_of(found, parameters.a.dtype)


def outcome_of(found: Mapping[str, Any], dtype: np.dtype[Any]) -> Outcome:
    """The outcome in what the compiled engine returns.

    Args:
        found: its dictionary.
        dtype: precision of the final parameters.

    Returns:
        The outcome.
    """
    time, steps, mean_square, change_a, change_w = np.ascontiguousarray(found["rows"].T)
    return Outcome(
        parameters=Parameters(found["a"].astype(dtype), found["w"].astype(dtype)),
        status=STATUSES[found["status"]],
        time=found["time"],
        steps=found["steps"],
        rejected=found["rejected"],
        gradients=found["gradients"],
        solves=found["solves"],
        mean_square=found["mean_square"],
        records=Records(time, steps, mean_square, change_a, change_w),
    )


def _wide(values: Array) -> Array:
    return np.ascontiguousarray(values, dtype=np.float64)
