"""Learning time-scales in one call: runs over ε and seeds, predictions, exponents, a verdict."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from netphase._checks import finite_array, instance_of, one_of, positive_float
from netphase._types import Array
from netphase.activations import Activation
from netphase.analysis import TimeScaleFit, fit_time_scale
from netphase.dynamics import LearningPrediction, OutputAtoms, output_atoms, predict_learning
from netphase.errors import ArgumentError
from netphase.hermite import HermiteSeries, expand
from netphase.results.timescales import DegreeTable, StageRun, timescales_dataset
from netphase.timescales.solvers import Problem, Solver, mean_field_run
from netphase.timescales.verdict import CRITERION, CROSSOVER, LATE, judge_order

if TYPE_CHECKING:
    import xarray as xr

EPSILONS = (1e-5, 1e-7, 1e-9, 1e-11, 1e-13)
"""ε of the mean field where none are given: three of them small enough for degree 3."""

TERMS = 32
"""Hermite coefficients of an activation or target that count, where they do not end earlier."""

DEGREES = 10
"""Degrees that are recorded at most."""


def timescales(
    activation: str | Activation | Sequence[float] | HermiteSeries,
    target: str | Activation | Sequence[float] | HermiteSeries,
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

    Args:
        activation: σ: a name, an `Activation`, Hermite coefficients, or a `HermiteSeries`.
        target: φ, likewise.
        outputs: P_A, as `dynamics.output_atoms` takes it.
        epsilons: ε > 0, different; `EPSILONS` by default.
        weights: of atoms in ``outputs``, of sum one.
        solver: "mean_field".
        width: m; none in the mean field.
        inputs: d; infinite in the mean field.
        end: of every run; None to stop after all that can be learnt is.
        rtol: relative tolerance of a step.
        rate: η of one-pass SGD.
        batch: samples of a step of SGD.
        noise: standard deviation of the noise on the targets of SGD.
        seeds: integers, one run each; the mean field has none.
        jobs: threads; one a core by default.
        progress: called with the numbers of runs done and of all.

    Returns:
        Dataset over ``epsilon``, ``seed``, ``record`` and ``degree``: see `results.timescales`.

    Raises:
        ArgumentError: an argument is out of its range or does not go with the solver.

    References:
        Berthier, Montanari & Zhou (2024), Learning time-scales in two-layers neural networks.

    Example:
        >>> found = timescales(
        ...     [1, 1, 1], [1, -1, 2 / 3], outputs="-1.5,-0.5,0.4,1.7", epsilons=[1e-8, 1e-10, 1e-12]
        ... )
        >>> found.attrs["verdict"], found.attrs["level"]
        ('canonical', 2)
        >>> found.exponent.round(2).values.tolist()
        [1.0, 0.5, 0.25]
    """
    one_of("solver", solver, get_args(Solver))
    sigma, phi = expand(activation), expand(target)
    law = output_atoms(outputs, weights=weights)
    rates = _epsilons(epsilons)
    terms = _terms(sigma, phi)
    prediction = predict_learning(*_padded(sigma, phi, terms), law, inputs)
    degrees = min(len(phi.coefficients), terms, DEGREES)
    problem = Problem(prediction.activation, prediction.target, law, prediction.learnable[:degrees])
    if end is not None:
        end = positive_float("end", end)
    runs = []
    for done, epsilon in enumerate(rates):
        runs.append([mean_field_run(problem, epsilon, end, rtol)])
        if progress is not None:
            progress(done + 1, len(rates))
    fits = [_fit(prediction, degree, rates, runs) for degree in range(degrees)]
    verdict = judge_order(prediction, fits, rates, runs)
    setting = {
        "activation": sigma.name,
        "activation_coefficients": prediction.activation.tolist(),
        "target": phi.name,
        "target_coefficients": prediction.target.tolist(),
        "outputs": law.name,
        "atoms": len(law.atoms),
        "solver": solver,
        "width": width,
        "inputs": None if inputs == math.inf else inputs,
        "end": end,
        "rtol": rtol,
    }
    return timescales_dataset(
        rates,
        (0,),
        runs,
        _table(prediction, fits, rates, degrees),
        {
            "verdict": verdict.word,
            "level": verdict.level,
            "reason": verdict.reason,
            "criterion": CRITERION,
            "initial_risk": prediction.initial_risk,
            "floor": prediction.floor,
            "warnings": json.dumps(list(prediction.warnings), ensure_ascii=False),
            "setting": json.dumps(setting, ensure_ascii=False),
        },
    )


def _epsilons(epsilons: Sequence[float] | Array | None) -> Array:
    """ε from the largest to the smallest."""
    if epsilons is None:
        return np.array(EPSILONS)
    rates = finite_array("epsilons", np.atleast_1d(epsilons), 1).astype(np.float64)
    if np.any(rates <= 0.0) or len(np.unique(rates)) < len(rates):
        raise ArgumentError(
            f"Argument `epsilons` must hold positive, different numbers, but is {rates.tolist()}."
        )
    return np.sort(rates)[::-1]


def _terms(sigma: HermiteSeries, phi: HermiteSeries) -> int:
    """Coefficients that count: all of the target, and of the activation up to `TERMS`."""
    return max(min(len(sigma.coefficients), TERMS), min(len(phi.coefficients), TERMS))


def _padded(sigma: HermiteSeries, phi: HermiteSeries, terms: int) -> tuple[Array, Array]:
    """The first coefficients of both, filled with zeros."""
    found = np.zeros((2, terms))
    for row, series in zip(found, (sigma, phi), strict=True):
        kept = series.coefficients[:terms]
        row[: len(kept)] = kept
    return found[0], found[1]


def _fit(
    prediction: LearningPrediction, degree: int, epsilons: Array, runs: list[list[StageRun]]
) -> TimeScaleFit:
    """The exponent of one degree: where it holds, and of t_1 without its logarithm."""
    each = prediction.degrees[degree]
    times = np.array([[run.learning_time[degree] for run in row] for row in runs])
    if degree == 1 and each.basis == "closed form":
        predicted = np.array([prediction.times(epsilon)[1] for epsilon in epsilons])
        times = times * (np.sqrt(epsilons) / predicted)[:, None]
    if degree >= LATE and each.exponent == 1 / (2 * degree):
        times = np.where((epsilons <= CROSSOVER * (1 + 1e-9))[:, None], times, np.nan)
    return fit_time_scale(epsilons, times)


def _table(
    prediction: LearningPrediction, fits: list[TimeScaleFit], epsilons: Array, degrees: int
) -> DegreeTable:
    told = prediction.degrees[:degrees]
    return DegreeTable(
        predicted_time=np.array([prediction.times(each)[:degrees] for each in epsilons]),
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
