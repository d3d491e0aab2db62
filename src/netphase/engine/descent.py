"""Descent in the compiled engine, or in NumPy where inputs are large or σ is the user's own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from netphase._checks import positive_float
from netphase._types import Array
from netphase.engine.flow import STATUSES
from netphase.engine.large import (
    PACE,
    descend_large,
    descend_stable_large,
    largest_growth,
)
from netphase.engine.large_auto import descend_auto_large
from netphase.engine.problem import Outcome, Problem, Records, Stop
from netphase.engine.tangent import FULL_RANK
from netphase.networks import Parameters

LARGE_INPUT = 4096
"""From so many numbers n·d on, matrix products beat the fused loops over neurons."""

GATE_INPUTS, GATE_INPUT = 32, 65_536
"""Up to so many inputs d and numbers n·d, literal descent of ReLU is compiled."""

SPECTRAL_SAMPLES = 16
"""Up to so many samples the compiled automatic step knows the tangent Gram matrix."""

KINKED_INPUTS = 2
"""Up to so many inputs, neurons with kinks meet many of them in a long step."""

ROOM = 10**7
"""Most numbers n·m of which the NumPy path, which holds six arrays of this size, is preferred."""

RECORD_RATIO = 1.06
"""Steps between two records grow by this factor."""

REFERENCE_TOLERANCE = 0.01
"""The tolerance at which the three bounds below hold."""

ACCURACY, STABILITY, ROTATION = 5e-4, 0.18, 0.07
"""Error of the predicted residual a step, relative to the residual (scales with the tolerance);
h λ_max that needs no further justification, and growth of the fastest neuron a step (both scale
with its square root, for a method of second order). Calibrated on ReLU networks over the (γ, γ′)
plane so that relative changes are within the tolerance of gradient flow."""

LARGEST_STABILITY, LARGEST_ROTATION, LARGEST_ACCURACY = 0.7, 0.4, 0.02
"""Bounds of the bounds: beyond them the two-step average is no longer stable."""

DRIFT = 10.0
"""The invariant may drift by this many tolerances before all bounds are tightened."""


def fits_compiled(problem: Problem) -> bool:
    """Whether the fused, compiled loops are the better path for this problem."""
    n, d = problem.x.shape
    return problem.activation.code is not None and n * d < LARGE_INPUT


def fits_compiled_descent(problem: Problem) -> bool:
    """The same for literal descent, which for ReLU works through tables of gates.

    They cost a fourth of the operations of a matrix product or less, with rows that fit registers.
    """
    n, d = problem.x.shape
    gates = problem.activation.name == "relu" and d <= GATE_INPUTS and n * d < GATE_INPUT
    return fits_compiled(problem) or gates


def fits_compiled_flow(problem: Problem, neurons: int) -> bool:
    """Whether the compiled automatic step is the better one.

    Beyond 16 samples its length is bounded by λ_max, while the NumPy path goes on with the
    exponential of the tangent Gram matrix and takes some hundred times fewer steps. In one or two
    dimensions long steps of neurons with kinks lose accuracy, and the compiled path is kept.
    """
    n, d = problem.x.shape
    exponential = SPECTRAL_SAMPLES < n <= FULL_RANK and n * neurons <= ROOM
    crowded = not problem.activation.smooth and d <= KINKED_INPUTS
    return fits_compiled(problem) and (crowded or not exponential)


def descend(
    problem: Problem,
    parameters: Parameters,
    *,
    learning_rate: float,
    stop: Stop,
    tracked: int,
) -> Outcome:
    """Full-batch gradient descent with a fixed learning rate, θ ← θ − η M ∂R/∂θ.

    Args:
        problem: data, activation, scale and mobilities M; its dtype is the precision.
        parameters: the start, shapes (m,) and (m, d); not changed.
        learning_rate: η > 0, in units of the problem's clock; the last step is shortened to end at
            ``stop.time``.
        stop: when to end.
        tracked: how many of the first neurons count in the recorded changes.

    Returns:
        The outcome; a descent that blows up is one too. ``notes["largest_sharpness"]`` is the
        largest h λ_max/2 seen, with the largest eigenvalue of the tangent Gram matrix divided by
        n, looked up at least every 512 steps: above 1 the step is unstable where the network is
        linear, and a descent that goes on all the same does so beyond the edge of stability.

    Raises:
        ArgumentError: ``learning_rate`` is not positive.
    """
    rate = positive_float("learning_rate", learning_rate)
    if not fits_compiled_descent(problem):
        return descend_large(problem, parameters, learning_rate=rate, stop=stop, tracked=tracked)
    return _compiled(problem, parameters, stop, tracked, learning_rate=rate, **bounds(1.0))


def descend_stable(
    problem: Problem, parameters: Parameters, *, stop: Stop, tracked: int
) -> Outcome:
    """Full-batch gradient descent whose every step is as long as half the limit of stability.

    The step is h = 1/λ_max, with the largest eigenvalue of the tangent Gram matrix divided by n,
    looked up again at least every 64 steps and wherever the loss rose. While the loss is large
    the step is also at most the time in which a neuron can grow e-fold, so that the flow's
    transients are kept.

    Args:
        problem: data, activation, scale and mobilities; its dtype is the precision.
        parameters: the start, shapes (m,) and (m, d); not changed.
        stop: when to end; the last step is shortened to end at ``stop.time``.
        tracked: how many of the first neurons count in the recorded changes.

    Returns:
        The outcome; ``notes["largest_sharpness"]`` as in `descend`.

    References:
        Ma, Wu & E (2020), whose rates are below this limit.
    """
    if not fits_compiled_descent(problem):
        return descend_stable_large(problem, parameters, stop=stop, tracked=tracked)
    paced = {"learning_rate": 0.0, "pace": PACE, "growth": largest_growth(problem)}
    return _compiled(problem, parameters, stop, tracked, **paced, **bounds(1.0))


def descend_auto(
    problem: Problem,
    parameters: Parameters,
    *,
    tolerance: float,
    stop: Stop,
    tracked: int,
) -> Outcome:
    """Descent whose steps follow the gradient flow to a tolerance.

    Every step is a gradient step with the residual averaged over the step: by the exponential of
    the tangent Gram matrix, or by a two-step average where there are too many samples or neurons
    for it. Neurons move to second order; ReLU neurons that cross a kink use the secant slope, and
    those that slide along a kink stay on it. A step that raises the loss is undone and halved;
    where the invariant a²/mobility_a − |w|²/mobility_w of a homogeneous activation drifts in the
    compiled form, all bounds are tightened.

    Args:
        problem: data, activation, scale and mobilities; its dtype is the precision.
        parameters: the start, shapes (m,) and (m, d); not changed.
        tolerance: relative error of the parameters' displacement against gradient flow, > 0.
        stop: when to end.
        tracked: how many of the first neurons count in the recorded changes.

    Returns:
        The outcome; ``notes["invariant_drift"]`` is Σ|Δa²/μ_a − Δ|w|²/μ_w| over
        Σ(|Δa²|/μ_a + |Δ|w|²|/μ_w) for homogeneous activations.

    Raises:
        ArgumentError: ``tolerance`` is not positive.

    References:
        Luo et al. (JMLR 2021), section 2.2, for the flow that is followed.
    """
    checked = positive_float("tolerance", tolerance)
    if not fits_compiled_flow(problem, len(parameters.a)):
        return descend_auto_large(
            problem, parameters, tolerance=checked, stop=stop, tracked=tracked
        )
    return _compiled(problem, parameters, stop, tracked, learning_rate=0.0, **bounds(checked))


def bounds(tolerance: float) -> dict[str, float]:
    """Bounds of one automatic step that keep the error of the displacement within a tolerance."""
    scale = tolerance / REFERENCE_TOLERANCE
    return {
        "accuracy": min(ACCURACY * scale, LARGEST_ACCURACY),
        "stability": min(STABILITY * math.sqrt(scale), LARGEST_STABILITY),
        "rotation": min(ROTATION * math.sqrt(scale), LARGEST_ROTATION),
        "drift_limit": DRIFT * tolerance,
    }


def _compiled(
    problem: Problem, parameters: Parameters, stop: Stop, tracked: int, **options: float
) -> Outcome:
    from netphase.engine import _core

    dtype = problem.x.dtype
    options = {"pace": 0.0, "growth": 0.0} | options
    found = _core.descend(
        np.ascontiguousarray(problem.x, dtype=np.float64),
        np.ascontiguousarray(problem.y, dtype=np.float64),
        np.ascontiguousarray(parameters.a, dtype=dtype),
        np.ascontiguousarray(parameters.w, dtype=dtype),
        activation=problem.activation.code,
        scale=problem.output_scale,
        mobility_a=problem.mobility_a,
        mobility_w=problem.mobility_w,
        target=stop.mean_square,
        end_time=stop.time,
        max_steps=stop.max_steps,
        stagnation=stop.stagnation,
        tracked=tracked,
        record_ratio=RECORD_RATIO,
        **options,
    )
    literal = options["learning_rate"] > 0.0 or options["pace"] > 0.0
    return _outcome(found, problem, literal)


def _outcome(found: Mapping[str, Any], problem: Problem, literal: bool) -> Outcome:
    def column(name: str) -> Array:
        return np.asarray(found[f"record_{name}"])

    records = Records(*map(column, ("time", "steps", "mean_square", "change_a", "change_w")))
    notes = {"invariant_drift": found["drift"]} if problem.activation.homogeneous else {}
    if literal:
        notes["largest_sharpness"] = found["sharpness"]
    return Outcome(
        parameters=Parameters(found["a"], found["w"]),
        status=STATUSES[found["end"]],
        time=found["time"],
        steps=found["steps"],
        rejected=found["rejected"],
        gradients=found["passes"],
        solves=0,
        mean_square=found["mean_square"],
        records=records,
        notes=notes,
    )
