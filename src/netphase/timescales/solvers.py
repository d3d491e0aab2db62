"""The runs behind time-scales: one solver, one ε, one seed at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from netphase._types import Array, Status
from netphase.dynamics import MeanFieldOverlaps, OutputAtoms
from netphase.observables import find_plateaus, learning_windows
from netphase.results.timescales import StageRun

Solver: TypeAlias = Literal["mean_field", "exact", "sgd"]
"""The limit of infinitely many neurons and inputs, any width and dimension, or one-pass SGD."""

LONGEST = 1000.0
"""End of a run in which a degree that can be learnt is not learnt earlier."""

SHORTEST = 1.0
"""Least end where a degree is never learnt, so that it is seen to stay."""

BEYOND = 10.0
"""A run ends at so many times the last learning time."""

FIRST = 1e-3
"""First record, in units of ε."""

RECORDS, NEAR, REACH = 240, 40, (0.5, 1.5)
"""Records that are spaced evenly in log time; further ones near each learning time; and how far
around it they lie, in units of it."""


@dataclass(frozen=True, eq=False)
class Problem:
    """What is learnt from what, in the limit of infinitely many neurons and inputs.

    Attributes:
        activation: σ_k, shape (k,).
        target: φ_k, shape (k,).
        outputs: P_A.
        learnable: which degrees are learnt in the end, shape (l,), l ≤ k; only they are recorded.
    """

    activation: Array
    target: Array
    outputs: OutputAtoms
    learnable: Array

    @property
    def degrees(self) -> int:
        """How many degrees are recorded."""
        return len(self.learnable)

    def mean_field(self, epsilon: float) -> MeanFieldOverlaps:
        """The equations at one ε."""
        return MeanFieldOverlaps(
            epsilon, self.activation, self.target, self.outputs.atoms, self.outputs.weights
        )


def mean_field_run(
    problem: Problem, epsilon: float, end: float | None, rtol: float | None
) -> StageRun:
    """One run of the mean field, with records where they are needed.

    Args:
        problem: what is learnt.
        epsilon: ε.
        end: when to stop; None to stop after everything that can be learnt is.
        rtol: relative tolerance of a step; None for the solver's own.

    Returns:
        The run; learning times are those of the solver itself, good to its tolerance.
    """
    model = problem.mean_field(epsilon)
    options = {} if rtol is None else {"rtol": rtol}
    first = model.solve(end=LONGEST if end is None else end, **options)
    times = first.crossing_times[: problem.degrees]
    last = end_of(problem, times) if end is None else end
    found = model.solve(times=record_times(epsilon, last, times), **options)
    return staged(
        problem,
        found.time,
        found.risk,
        found.residuals[:, : problem.degrees],
        (found.rms_a, found.rms_s),
        found.status,
        found.crossing_times[: problem.degrees],
    )


def end_of(problem: Problem, times: Array, beyond: float = BEYOND) -> float:
    """When to stop after everything that can be learnt is learnt.

    Args:
        problem: what is learnt.
        times: t_l, shape (l,), NaN where degree l is not learnt.
        beyond: so many times the last learning time.

    Returns:
        The end, at most `LONGEST`.
    """
    asked = times[problem.learnable]
    if np.isnan(asked).any():
        return LONGEST
    never = np.any(problem.target[: problem.degrees][~problem.learnable] != 0.0)
    last = beyond * float(asked.max(initial=0.0))
    least = SHORTEST if never or last == 0.0 else 0.0
    return min(LONGEST, max(last, least))


def record_times(epsilon: float, end: float, near: Array) -> Array:
    """Times of records: even in log time, and more of them around some times.

    Args:
        epsilon: ε.
        end: the last one.
        near: t_l, shape (l,); those that are not learnt count as records even in log time.

    Returns:
        `RECORDS` + `NEAR` l increasing times.
    """
    total = RECORDS + NEAR * len(near)
    start = min(FIRST * epsilon, 1e-3 * end)
    inside = [t for t in near if start < t < end]
    parts = [np.geomspace(max(REACH[0] * t, start), min(REACH[1] * t, end), NEAR) for t in inside]
    extra = np.unique(np.concatenate(parts)) if parts else np.empty(0)
    even = np.geomspace(start, end, total - len(extra))
    times = np.unique(np.concatenate([even[:-1], extra[extra < end], [end]]))
    while len(times) < total:  # some fell together: halve the widest gaps in log time
        gaps = np.argsort(np.diff(np.log(times)))[::-1][: total - len(times)]
        times = np.sort(np.append(times, np.sqrt(times[gaps] * times[gaps + 1])))
    return np.asarray(times)


def staged(
    problem: Problem,
    time: Array,
    risk: Array,
    residuals: Array,
    sizes: tuple[Array, Array],
    status: Status,
    learning_time: Array | None = None,
    noise: float | None = 0.0,
) -> StageRun:
    """A run with what is measured on its records.

    Args:
        problem: what is learnt.
        time: shape (t,).
        risk: shape (t,).
        residuals: shape (t, l).
        sizes: root mean squares of a and of s, both of shape (t,).
        status: why it ended.
        learning_time: t_l where the solver tells them better than the records, shape (l,).
        noise: of the risk, as in `observables.find_plateaus`.

    Returns:
        The run.
    """
    windows = learning_windows(time, residuals, problem.target[: problem.degrees])
    times = windows.time if learning_time is None else learning_time
    return StageRun(
        time=time,
        risk=risk,
        residuals=residuals,
        rms_a=sizes[0],
        rms_s=sizes[1],
        learning_time=np.where(problem.target[: problem.degrees] == 0.0, np.nan, times),
        window_start=windows.start,
        window_end=windows.end,
        plateau=_plateaus(problem, time, risk, windows.start, windows.end, noise),
        status=status,
    )


def _plateaus(
    problem: Problem, time: Array, risk: Array, start: Array, end: Array, noise: float | None
) -> Array:
    """The risk of the longest plateau between the window of each degree and the next one."""
    found = np.full(problem.degrees, np.nan)
    if not np.all(np.isfinite(risk)):
        return found
    plateaus = find_plateaus(time, risk, noise=noise).plateaus
    learnt = [int(k) for k in np.flatnonzero(problem.learnable) if np.isfinite(end[k])]
    for k in learnt:
        later = [start[j] for j in range(k + 1, problem.degrees) if problem.learnable[j]]
        until = min((each for each in later if np.isfinite(each)), default=math.inf)
        between = [each for each in plateaus if end[k] <= each.middle <= until]
        if between:
            found[k] = max(between, key=lambda each: each.length).height
        elif k == learnt[-1]:
            found[k] = risk[-1]
    return found
