"""Fig. 3: relative change against width at γ' = 0, its slopes, and three parametrisations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from netphase import activations, engine
from netphase.analysis import PowerLawFit, fit_power_law
from netphase.datasets import four_points
from netphase.engine.problem import Problem, Stop
from netphase.figures import change_against_width, exponents_against_gamma
from netphase.kernels import condensed_prediction, least_amplitude, linear_predictions
from netphase.networks import Parameters, initial_parameters
from netphase.observables import relative_change
from netphase.reproductions.check import Check, at_most, close, untested
from netphase.reproductions.luo2021 import printed
from netphase.reproductions.luo2021.training import base_experiment, train
from netphase.reproductions.reproduction import Stage
from netphase.reproductions.runs import average
from netphase.scalings import ScalingLaw, predicted_exponents
from netphase.sweep import Sweep

if TYPE_CHECKING:
    import xarray as xr

SEEDS = {"smoke": 2, "small": 3, "paper": 5}
SMOKE_WIDTHS = (1000, 5000, 20000)
GAUGE_WIDTHS = (1000, 4000)
RAW_WIDTH = 1000


def run(stage: Stage) -> list[Check]:
    """Sweep the row γ' = 0, fit its slopes, compare values, slopes and parametrisations.

    Inputs: four points, γ' = 0, widths 1000 to 40 000, γ of Fig. 3d. A smoke run stops at width
    20 000 and has the three γ of Fig. 3a-c only.
    """
    smoke = stage.size == "smoke"
    sweep = Sweep(
        base=base_experiment(),
        gamma=tuple(printed.CHANGES) if smoke else printed.ROW_GAMMA,
        gamma_prime=(0.0,),
        widths=SMOKE_WIDTHS if smoke else printed.WIDTHS,
        seeds=tuple(range(SEEDS[stage.size])),
    )
    results = stage.sweep("figure3", sweep).isel(gamma_prime=0)
    fits = {gamma: _fit(results, gamma) for gamma in sweep.gamma}
    _draw_changes(stage, results, fits)
    checks = [*_values(results), *_slopes(fits)]
    if smoke:
        claim = "γ' = 0: largest distance of S_w from the mean of three curves, 12 γ"
        checks.append(untested(claim, "Fig. 3d", "≤ 0.06"))
    else:
        checks.append(_row(fits))
        _draw_row(stage, fits)
    return [*checks, _gauges(stage), *_raw()]


def _fit(results: xr.Dataset, gamma: float) -> PowerLawFit:
    table = results["relative_change_w"].sel(gamma=gamma).transpose("seed", "width")
    return fit_power_law(results["width"].values, table.values)


def _values(results: xr.Dataset) -> list[Check]:
    """Fig. 3a-c: RD_w at the three widths quoted, within 10 %."""
    checks = []
    for gamma, row in printed.CHANGES.items():
        for width, value in row.items():
            claim = f"γ = {gamma:g}: RD(θ_w), m = {width} (± 10 %)"
            if width not in results["width"].values:
                checks.append(untested(claim, "Fig. 3a-c", value, 0.1 * value))
                continue
            found = results["relative_change_w"].sel(gamma=gamma, width=width).values
            mean, error = average(found)
            checks.append(close(claim, "Fig. 3a-c", value, mean, 0.1 * value, error))
    return checks


def _slopes(fits: dict[float, PowerLawFit]) -> list[Check]:
    return [
        close(
            f"γ = {gamma:g}: slope S_w",
            "Fig. 3a-c",
            slope,
            fits[gamma].exponent,
            tolerance,
            fits[gamma].standard_error,
        )
        for gamma, (slope, tolerance) in printed.SLOPES.items()
    ]


def _row(fits: dict[float, PowerLawFit]) -> Check:
    """Fig. 3d: our exponents against the mean of the three printed curves."""
    mean = np.mean(printed.ROW_EXPONENTS, axis=0)
    distance = [abs(fits[g].exponent - s) for g, s in zip(printed.ROW_GAMMA, mean, strict=True)]
    worst = int(np.argmax(distance))
    gamma = printed.ROW_GAMMA[worst]
    return at_most(
        f"γ' = 0: largest distance of S_w from the mean of three curves, 12 γ (at γ = {gamma:g})",
        "Fig. 3d",
        0.06,
        distance[worst],
        fits[gamma].standard_error,
    )


def _gauges(stage: Stage) -> Check:
    """Fig. 3d: (β₁, β₂) = (1, 1), (m^-½, m^-½), (1/m, 1/m) are one problem once normalised."""
    tables = []
    for gauge, words in printed.GAUGES.items():
        stage.progress(f"figure3: β₁ = β₂ = {words}")
        sweep = Sweep(
            base=base_experiment(gauge=gauge),
            gamma=tuple(printed.CHANGES),
            gamma_prime=(0.0,),
            widths=GAUGE_WIDTHS,
        )
        results = stage.sweep(f"figure3-gauge{-gauge:g}", sweep)
        tables.append(np.log(results["relative_change_w"].values))
    slopes = np.diff(tables, axis=3) / math.log(GAUGE_WIDTHS[1] / GAUGE_WIDTHS[0])
    spread = float(np.ptp(slopes, axis=0).max())
    return at_most("largest difference of S_w between 3 parametrisations", "Fig. 3d", 0.04, spread)


def _raw() -> list[Check]:
    """The rescaling itself: raw variables a, w and time t against the normalised ones."""
    checks = []
    for exponent in (-0.5, -1.0):
        worst = 0.0
        for gamma in printed.CHANGES:
            ours = train(gamma, 0.0, RAW_WIDTH).trajectory.relative_change_w[-1]
            worst = max(worst, abs(raw_change(gamma, exponent, RAW_WIDTH) / ours - 1.0))
        checks.append(
            at_most(
                f"RD(θ_w) in raw variables, β₁ = β₂ = {printed.GAUGES[exponent]}: largest "
                "relative difference",
                "section 2.2, Fig. 3d",
                1e-3,
                worst,
            )
        )
    return checks


def raw_change(gamma: float, exponent: float, width: int) -> float:
    """RD_w of seed 0 at γ' = 0, trained in raw variables.

    Gradient flow of all parameters with equal rates, da/dt = −∂R/∂a and dw/dt = −∂R/∂w, from
    a ~ N(0, β₁²) and w ~ N(0, β₂²), of f = (1/α) Σ a σ(w·x).

    Args:
        gamma: γ.
        exponent: β₁ = β₂ = m^exponent.
        width: neurons m of one copy.

    Returns:
        The relative change of the first copy's input weights.
    """
    scales = ScalingLaw.from_gamma(gamma, 0.0, exponent).at_width(width)
    data = four_points()
    a, w = initial_parameters(width, data.d, 0)
    start = Parameters(scales.beta1 * a, scales.beta2 * w)
    problem = Problem(data.x, data.y, activations.get("relu"), 1.0 / scales.alpha)
    outcome = engine.descend_auto(
        problem, start, tolerance=0.01, stop=Stop(mean_square=1e-6), tracked=width
    )
    return relative_change(start, outcome.parameters, "w", width)


def _draw_changes(stage: Stage, results: xr.Dataset, fits: dict[float, PowerLawFit]) -> None:
    """Fig. 3a-c, with the predictions that have no free parameter."""
    widths = np.geomspace(min(results["width"].values), max(results["width"].values), 30)
    data = four_points()
    amplitude = least_amplitude(data)
    labels = {gamma: f"$\\gamma$ = {gamma:g}" for gamma in printed.CHANGES}
    theory = {}
    for gamma in (0.5, 1.75):
        law = ScalingLaw.from_gamma(gamma, 0.0)
        values = [
            linear_predictions(law, round(m), data).w
            if gamma < 1
            else condensed_prediction(law, round(m), data.d, amplitude).w
            for m in widths
        ]
        theory[labels[gamma]] = widths, np.array(values)
    figure = change_against_width(
        {text: results["relative_change_w"].sel(gamma=g) for g, text in labels.items()},
        {text: fits[g] for g, text in labels.items()},
        predicted=theory,
    )
    stage.save(figure, "figure3abc")


def _draw_row(stage: Stage, fits: dict[float, PowerLawFit]) -> None:
    """Fig. 3d: exponents against γ beside the printed curves and the law of infinite width."""
    import xarray as xr

    coords = {"gamma": list(printed.ROW_GAMMA)}

    def row(values: list[float] | tuple[float, ...]) -> xr.DataArray:
        return xr.DataArray(np.asarray(values), dims="gamma", coords=coords)

    ours = "here"
    exponents = {ours: row([fits[g].exponent for g in printed.ROW_GAMMA])}
    for words, values in zip(printed.GAUGES.values(), printed.ROW_EXPONENTS, strict=True):
        exponents[f"printed, $\\beta_1=\\beta_2$ = {_formula(words)}"] = row(values)
    errors = {ours: row([fits[g].standard_error for g in printed.ROW_GAMMA])}
    line = np.linspace(printed.ROW_GAMMA[0], printed.ROW_GAMMA[-1], 200)
    law = np.array([predicted_exponents(float(g), 0.0).w for g in line])
    figure = exponents_against_gamma(exponents, errors, predicted={ours: (line, law)}, boundary=1.0)
    stage.save(figure, "figure3d")


def _formula(words: str) -> str:
    return {"1": "1", "m^(−1/2)": "$m^{-1/2}$", "1/m": "$1/m$"}[words]
