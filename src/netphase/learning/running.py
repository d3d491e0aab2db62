"""Learning time-scales in one call: runs over ε and seeds, predictions, exponents, a verdict."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from netphase._checks import finite_array, positive_float, positive_int
from netphase._types import Array
from netphase.activations import Activation
from netphase.analysis import TimeScaleFit, fit_time_scale
from netphase.dynamics import (
    LearningPrediction,
    OutputAtoms,
    output_atoms,
    predict_learning,
    predict_multi_index,
)
from netphase.engine.threads import run_threads
from netphase.errors import ArgumentError
from netphase.hermite import HermiteSeries, MultiIndexTarget, expand
from netphase.learning.problem import Problem
from netphase.learning.setting import Setting
from netphase.learning.solvers import Solver, default_rate, exact_run, mean_field_run, sgd_runs
from netphase.learning.verdict import CRITERION, asymptotic, judge_order
from netphase.learning.warnings import cautions
from netphase.results import DegreeTable, StageRun, timescales_dataset

if TYPE_CHECKING:
    import xarray as xr

EPSILONS = (1e-5, 1e-7, 1e-9, 1e-11, 1e-13)
"""ε of the mean field where none are given: three of them small enough for degree 3."""

EPSILONS_FINITE = (0.1, 0.03, 0.01)
"""The same for networks of some hundred neurons, whose output weights lose their spread below."""

TERMS = 32
"""Hermite coefficients of an activation or target that count, where they do not end earlier."""

DEGREES = 10
"""Degrees that are recorded at most."""


def timescales(
    activation: str | Activation | Sequence[float] | HermiteSeries,
    target: str | Activation | Sequence[float] | HermiteSeries | MultiIndexTarget,
    *,
    outputs: Any,
    epsilons: Sequence[float] | Array | None = None,
    weights: Array | None = None,
    solver: Solver = "mean_field",
    width: int | None = None,
    inputs: float = math.inf,
    end: float | None = None,
    rtol: float | None = None,
    rate: float | None = None,
    batch: int = 1,
    noise: float = 0.0,
    seeds: Sequence[int] = (0,),
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> xr.Dataset:
    """When each degree of a target is learnt, over ε, and whether in the canonical order.

    Runs of the mean field take milliseconds. Networks of finitely many neurons keep the stages
    apart only while m ≫ ε^(−1/2) log(1/ε) for degree 1 and ε^(−1+1/(2l)) for degree l, and an input
    dimension counts as infinite only while d ≫ 1/(ε Var a): the warnings say where it is not so.

    Args:
        activation: σ: a name, an `Activation`, Hermite coefficients, or a `HermiteSeries`.
        target: φ, likewise; or a `hermite.MultiIndexTarget`, whose total degrees are looked at.
        outputs: P_A, as `dynamics.output_atoms` takes it.
        epsilons: ε > 0, different; `EPSILONS` by default, `EPSILONS_FINITE` of finite networks.
        weights: of atoms in ``outputs``, of sum one.
        solver: "mean_field", of infinitely many neurons; "exact", any width and dimension; or
            "sgd", one-pass projected SGD.
        width: m of "exact" and "sgd".
        inputs: d; finite for "sgd". In the mean field initial overlaps are then N(0, 1/d).
        end: of every run; None to stop some time after all that can be learnt is, at 1000 at most.
        rtol: relative tolerance of a step of "mean_field" and "exact".
        rate: η of "sgd"; None for one that keeps its noise small.
        batch: samples of a step of "sgd".
        noise: standard deviation of the noise on the targets of "sgd".
        seeds: different integers, one run each, of "exact" and "sgd".
        jobs: runs at a time; one a core by default.
        progress: called with the numbers of runs done and of all.

    Returns:
        Dataset over ``epsilon``, ``seed``, ``record`` and ``degree``: see `results.timescales`.

    Raises:
        ArgumentError: an argument is out of its range or does not go with the solver.

    References:
        Berthier, Montanari & Zhou (2024), Learning time-scales in two-layers neural networks.

    Example:
        >>> found = timescales(
        ...     [1, 1, 1],
        ...     [1, -1, 2 / 3],
        ...     outputs=[-1.5, -0.5, 0.4, 1.7],
        ...     epsilons=[1e-8, 1e-10, 1e-12],
        ... )
        >>> found.attrs["verdict"], found.attrs["level"]
        ('canonical', 2)
        >>> found.exponent.round(2).values.tolist()
        [1.0, 0.5, 0.25]
    """
    setting = Setting(solver, width, inputs, rate, batch, noise, rtol, tuple(seeds))
    rates = _epsilons(epsilons, setting.solver)
    problem = _problem(activation, target, output_atoms(outputs, weights=weights), setting)
    last = None if end is None else positive_float("end", end)
    threads = None if jobs is None else positive_int("jobs", jobs)
    runs, notes = _run(problem, rates, setting, last, threads, progress)
    prediction = problem.prediction
    times = np.array([prediction.times(each)[: problem.degrees] for each in rates])
    fits = [_fit(prediction, times, degree, rates, runs) for degree in range(problem.degrees)]
    verdict = judge_order(prediction, fits, rates, runs)
    said = cautions(problem, rates, runs, setting.seeds, setting.width) + notes
    return timescales_dataset(
        rates,
        setting.seeds,
        runs,
        _table(prediction, times, fits, rates),
        {
            "verdict": verdict.word,
            "level": verdict.level,
            "reason": verdict.reason,
            "criterion": CRITERION,
            "initial_risk": prediction.initial_risk,
            "floor": prediction.floor,
            "warnings": json.dumps(said, ensure_ascii=False),
            "setting": json.dumps(_described(problem, setting, rates, last), ensure_ascii=False),
        },
    )


def _problem(activation: Any, target: Any, law: OutputAtoms, setting: Setting) -> Problem:
    """What is learnt, with its prediction."""
    sigma = expand(activation)
    if not isinstance(target, MultiIndexTarget):
        phi = expand(target)
        terms = max(min(len(each.coefficients), TERMS) for each in (sigma, phi))
        prediction = predict_learning(*_padded(sigma, phi, terms), law, setting.inputs)
        degrees = min(len(phi.coefficients), terms, DEGREES)
        return Problem(sigma, phi, law, prediction, degrees, setting.inputs)
    if setting.solver == "sgd" or (setting.solver == "mean_field" and setting.inputs != math.inf):
        raise ArgumentError(
            "Argument `target` must be a function of one direction for SGD and for the mean field "
            f"of finitely many inputs, but is one of {target.projections} directions."
        )
    prediction = predict_multi_index(sigma, target, law)
    return Problem(sigma, target, law, prediction, min(target.degree + 1, DEGREES), setting.inputs)


def _run(
    problem: Problem,
    epsilons: Array,
    setting: Setting,
    end: float | None,
    jobs: int | None,
    progress: Callable[[int, int], None] | None,
) -> tuple[list[list[StageRun]], list[str]]:
    """All runs, by ε and seed, and what is to be said of them."""
    total = len(epsilons) * len(setting.seeds)

    def tell(done: int) -> None:
        if progress is not None:
            progress(done, total)

    if setting.solver == "sgd":
        rows: list[list[StageRun]] = []
        notes: list[str] = []
        options = {"rate": setting.rate, "batch": setting.batch, "noise": setting.noise}
        for epsilon in epsilons:
            row, said = sgd_runs(
                problem, float(epsilon), setting.width or 0, end, options, setting.seeds, jobs
            )
            rows.append(row)
            notes = [f"At ε = {epsilon:g}: {each}" for each in said]  # the smallest ε is the worst
            tell(len(rows) * len(setting.seeds))
        return rows, notes

    def one(epsilon: float, seed: int) -> StageRun:
        if setting.width is None:
            return mean_field_run(problem, epsilon, end, setting.rtol)
        return exact_run(problem, epsilon, setting.width, end, setting.rtol, seed)

    with run_threads(jobs) as pool:
        waiting = [
            [pool.submit(one, float(epsilon), seed) for seed in setting.seeds]
            for epsilon in epsilons
        ]
        for done, _ in enumerate(as_completed([each for row in waiting for each in row]), 1):
            tell(done)
        return [[each.result() for each in row] for row in waiting], []


def _described(
    problem: Problem, setting: Setting, epsilons: Array, end: float | None
) -> dict[str, Any]:
    """The setting as plain values; ``rates`` are the η of SGD at each ε."""
    rates = []
    if setting.solver == "sgd":
        d, batch = int(setting.inputs), setting.batch
        rates = [setting.rate or default_rate(problem, float(e), d, batch) for e in epsilons]
    return {
        "activation": problem.activation.name,
        "activation_coefficients": problem.prediction.activation.tolist(),
        "target": problem.target.name,
        "target_coefficients": problem.prediction.target.tolist(),
        "outputs": problem.outputs.name,
        "atoms": len(problem.outputs.atoms),
        **asdict(setting),
        "seeds": list(setting.seeds),
        "inputs": None if setting.inputs == math.inf else setting.inputs,
        "rates": rates,
        "end": end,
    }


def _epsilons(epsilons: Sequence[float] | Array | None, solver: str) -> Array:
    """ε from the largest to the smallest."""
    if epsilons is None:
        return np.array(EPSILONS if solver == "mean_field" else EPSILONS_FINITE)
    rates = finite_array("epsilons", np.atleast_1d(epsilons), 1).astype(np.float64)
    if np.any(rates <= 0.0) or len(np.unique(rates)) < len(rates):
        raise ArgumentError(
            f"Argument `epsilons` must hold positive, different numbers, but is {rates.tolist()}."
        )
    return np.sort(rates)[::-1]


def _padded(sigma: HermiteSeries, phi: HermiteSeries, terms: int) -> tuple[Array, Array]:
    """The first coefficients of both, filled with zeros."""
    found = np.zeros((2, terms))
    for row, series in zip(found, (sigma, phi), strict=True):
        kept = series.coefficients[:terms]
        row[: len(kept)] = kept
    return found[0], found[1]


def _fit(
    prediction: LearningPrediction,
    predicted: Array,
    degree: int,
    epsilons: Array,
    runs: list[list[StageRun]],
) -> TimeScaleFit:
    """The exponent of one degree: where it holds, and of t_1 without its logarithm."""
    each = prediction.degrees[degree]
    times = np.array([[run.learning_time[degree] for run in row] for row in runs])
    if degree == 1 and each.basis == "closed form":
        times = times * (np.sqrt(epsilons) / predicted[:, 1])[:, None]
    times = np.where(asymptotic(each, epsilons)[:, None], times, np.nan)
    return fit_time_scale(epsilons, times)


def _table(
    prediction: LearningPrediction, predicted: Array, fits: list[TimeScaleFit], epsilons: Array
) -> DegreeTable:
    degrees = len(fits)
    told = prediction.degrees[:degrees]
    return DegreeTable(
        predicted_time=predicted,
        predicted_width=np.array([prediction.widths(each)[:degrees] for each in epsilons]),
        predicted_plateau=prediction.plateaus[:degrees],
        predicted_exponent=np.array([each.exponent for each in told]),
        exponent=np.array([each.exponent for each in fits]),
        exponent_error=np.array([each.error for each in fits]),
        exponent_points=[each.points for each in fits],
        learnable=[each.learnable for each in told],
        prediction=[each.basis for each in told],
        reason=[each.reason for each in told],
    )
