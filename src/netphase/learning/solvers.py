"""The runs behind time-scales: one solver, one ε, one seed at a time."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np

from netphase._types import Array
from netphase.dynamics import ExactOverlaps, ProjectedSGD
from netphase.hermite import HermiteSeries
from netphase.learning.problem import FIRST, LONGEST, Problem, staged
from netphase.results import StageRun

Solver: TypeAlias = Literal["mean_field", "exact", "sgd"]
"""The limit of infinitely many neurons and inputs, any width and dimension, or one-pass SGD."""

BEYOND, BEYOND_FINITE = 10.0, 3.0
"""A run ends at so many times the last learning time of the mean field, and of other solvers."""

RECORDS, NEAR, REACH = 240, 80, (0.5, 1.5)
"""Records of the mean field that are even in log time; further ones near each learning time; and
how far around it they lie, in units of it."""

RECORDS_FINITE, LEAST_RECORDS, MOST_NUMBERS = 120, 20, 1.2e8
"""Records of other solvers; fewer, down to the second, where their m² overlaps pass the third."""

EXACT_RTOL = 1e-6
"""Tolerance of the exact equations: windows of learning enlarge an error by some hundred times."""

SECOND_LAYER, FIRST_LAYER = 0.1, 0.03
"""Size of a step of SGD in each layer, where no rate is given."""


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
    model, options = problem.mean_field(epsilon), _tolerance(rtol)
    times = learning_times(problem, epsilon, LONGEST if end is None else end, rtol)
    last = problem.end(times, BEYOND) if end is None else end
    planned = record_times(epsilon, last, times)
    found = model.solve(times=planned, **options)
    shared = min(len(planned), len(found.time))
    rows = int(np.sum(found.time[:shared] == planned[:shared]))
    return staged(
        problem,
        planned,
        found.risk[:rows],
        found.residuals[:rows, : problem.degrees],
        (found.rms_a[:rows], found.rms_s[:rows]),
        found.status,
        found.crossing_times[: problem.degrees],
    )


def learning_times(problem: Problem, epsilon: float, end: float, rtol: float | None) -> Array:
    """t_l of the mean field, shape (l,), NaN where degree l is not learnt by the end."""
    found = problem.mean_field(epsilon).solve(end=end, **_tolerance(rtol))
    return np.asarray(found.crossing_times[: problem.degrees])


def exact_run(
    problem: Problem, epsilon: float, width: int, end: float | None, rtol: float | None, seed: int
) -> StageRun:
    """One run of the exact equations.

    Args:
        problem: what is learnt.
        epsilon: ε.
        width: m.
        end: when to stop; None for `BEYOND_FINITE` times the last learning time of the mean field.
        rtol: relative tolerance of a step; None for `EXACT_RTOL`.
        seed: of the start.

    Returns:
        The run; its residuals are those of the network's part along the target's directions.
    """
    equations = ExactOverlaps(problem.activation, problem.target, epsilon)
    start = equations.initial(width, problem.inputs, problem.outputs, seed)
    count = int(min(RECORDS_FINITE, max(LEAST_RECORDS, MOST_NUMBERS // width**2)))
    last = end_of_finite(problem, epsilon) if end is None else end
    planned = np.geomspace(min(FIRST * epsilon, 1e-3 * last), last, count)
    found = equations.solve(start, planned, rtol=EXACT_RTOL if rtol is None else rtol)
    return staged(
        problem,
        planned,
        found.risk,
        problem.residuals(found.a, found.s),
        _sizes(found.a, found.s),
        found.status,
    )


def end_of_finite(problem: Problem, epsilon: float) -> float:
    """Where runs of finitely many neurons end."""
    return problem.end(learning_times(problem, epsilon, LONGEST, None), BEYOND_FINITE)


def sgd_runs(
    problem: Problem,
    epsilon: float,
    width: int,
    end: float | None,
    options: dict[str, Any],
    seeds: tuple[int, ...],
    jobs: int | None,
) -> tuple[list[StageRun], tuple[str, ...]]:
    """Runs of one-pass SGD from several seeds.

    Args:
        problem: what is learnt.
        epsilon: ε.
        width: m.
        end: as in `exact_run`.
        options: ``rate``, ``batch`` and ``noise``; a rate of None gives `default_rate`.
        seeds: of the starts and the samples.
        jobs: threads.

    Returns:
        The runs, and what is to be said of the size of their steps.
    """
    assert isinstance(problem.target, HermiteSeries)
    d, batch = int(problem.inputs), options["batch"]
    rate = options["rate"] or default_rate(problem, epsilon, d, batch)
    equations = ProjectedSGD(
        problem.activation,
        problem.target,
        epsilon,
        rate=rate,
        inputs=d,
        batch=batch,
        noise=options["noise"],
    )
    last = end_of_finite(problem, epsilon) if end is None else end
    steps = whole_steps(round(max(last / rate, 2.0)), RECORDS_FINITE)
    found = equations.run(width, steps * rate, outputs=problem.outputs, seeds=seeds, jobs=jobs)
    planned = np.full(RECORDS_FINITE, np.nan)
    planned[: len(steps)] = found.times
    runs = []
    for row, status in enumerate(found.status):
        a, s = found.a[row], found.s[row]
        residuals, sizes = problem.residuals(a, s), _sizes(a, s)
        runs.append(staged(problem, planned, found.risk[row], residuals, sizes, status, noise=None))
    return runs, found.notes


def whole_steps(last: int, count: int) -> Array:
    """Whole numbers from 1 to ``last``, nearly even in their logarithm; ``count`` if there are."""
    if last <= count:
        return np.arange(1.0, last + 1.0)
    tries = count
    steps = np.empty(0)
    while len(steps) < count:  # neighbours fall together where the steps are small
        steps = np.unique(np.rint(np.geomspace(1.0, last, tries)))
        tries += count
    return np.asarray(steps[np.rint(np.linspace(0, len(steps) - 1, count)).astype(int)])


def default_rate(problem: Problem, epsilon: float, d: int, batch: int) -> float:
    """η with (η/ε)‖σ‖² and η d ⟨a²⟩ E σ′²/B of `SECOND_LAYER` and `FIRST_LAYER` at most."""
    sigma, law = problem.activation, problem.outputs
    degrees = np.arange(len(sigma.coefficients))
    slope = float(np.sum(degrees * sigma.coefficients**2))
    square = float(law.weights @ law.atoms**2)
    first = FIRST_LAYER * batch / max(d * max(square, 1.0) * slope, 1e-300)
    return min(SECOND_LAYER * epsilon / sigma.square, first)


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


def _tolerance(rtol: float | None) -> dict[str, Any]:
    return {} if rtol is None else {"rtol": rtol}


def _sizes(a: Array, s: Array) -> tuple[Array, Array]:
    """Root mean squares of a, shape (t, m), and of overlaps, shape (t, m) or (t, m, p)."""
    lengths = s**2 if s.ndim == 2 else np.sum(s**2, axis=-1)
    return np.sqrt(np.mean(a**2, axis=1)), np.sqrt(np.mean(lengths, axis=1))
