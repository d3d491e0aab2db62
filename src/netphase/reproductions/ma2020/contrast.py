"""Fig. 7, right, and claim C6: in the mean-field scaling the width hardly matters.

All neurons take part, whereas a conventional network turns into its random features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from netphase.reproductions.check import Check, at_least, at_most, below, close
from netphase.reproductions.ma2020 import printed
from netphase.reproductions.ma2020.sample_figures import contrast_curves
from netphase.reproductions.ma2020.samples import (
    LONGEST,
    METHOD,
    STAGNATION,
    log_error,
    sweep_sizes,
)
from netphase.reproductions.reproduction import Size, Stage
from netphase.reproductions.runs import average
from netphase.sweep import SizeSweep

if TYPE_CHECKING:
    import xarray as xr

CONVENTIONAL, MEAN_FIELD = 0.0, 1.0
"""γ of κ = m^(−γ)."""

WIDTHS: dict[Size, tuple[int, ...]] = {
    "smoke": (20, 40, 100),
    "small": (5, 10, 20, 40, 80, 100, 200, 400, 800),
    "paper": printed.CONTRAST_WIDTHS,
}
SEEDS = {"smoke": 2, "small": 5, "paper": 10}

LOSS = 1e-7
"""Training error."""

WIDTH, TOLERANCE = 100, 0.2
PLATEAU = 20
"""From this width on the printed mean-field error is flat to 0.2 dex."""

WHERE = "Fig. 7, right"


def run(stage: Stage) -> list[Check]:
    """Train both scalings at several widths, draw the test error, compare it with the printed one.

    Inputs: circle, n = 100, d = 10, training error 1e-7, a plateau, or t = 2·10⁴ (m times this in
    the mean-field scaling). Size small ends at width 800, a smoke run has 3 widths and 2 seeds.
    """
    sweep = SizeSweep(
        widths=WIDTHS[stage.size],
        samples=(printed.CONTRAST_SAMPLES,),
        seeds=tuple(range(SEEDS[stage.size])),
        scalings=(CONVENTIONAL, MEAN_FIELD),
        target=f"circle?d={printed.CONTRAST_INPUTS}",
        method=METHOD,
        mean_square=LOSS,
        stagnation=STAGNATION,
    )
    results = sweep_sizes(stage, "figure7-contrast", sweep, LONGEST).isel(sample=0)
    stage.save(contrast_curves(results), "figure7-contrast")
    return [*_values(results), *_flat(results), _participation(results)]


def _values(results: xr.Dataset) -> list[Check]:
    """Both errors at width 100 and the largest distance over all widths."""
    checks = []
    rows = {
        CONVENTIONAL: ("conventional", printed.CONTRAST_CONVENTIONAL),
        MEAN_FIELD: ("mean field", printed.CONTRAST_MEAN_FIELD),
    }
    for scaling, (name, row) in rows.items():
        table = dict(zip(printed.CONTRAST_WIDTHS, row, strict=True))
        errors = log_error(results).sel(scaling=scaling)
        means = {m: average(errors.sel(width=m).values) for m in results["width"].values.tolist()}
        claim = f"{name}: log₁₀ of the test error, m = {WIDTH}"
        checks.append(
            close(claim, WHERE, table[WIDTH], means[WIDTH][0], TOLERANCE, means[WIDTH][1])
        )
        width = max(means, key=lambda m: abs(means[m][0] - table[m]))
        gap, error = abs(means[width][0] - table[width]), means[width][1]
        claim = f"{name}: largest distance from a printed error (m = {width}, of {len(means)})"
        checks.append(at_most(claim, WHERE, TOLERANCE, gap, error))
    return checks


def _flat(results: xr.Dataset) -> list[Check]:
    """C6: the mean-field error hardly depends on the width, the conventional one does."""
    errors = log_error(results).sel(width=results["width"] >= PLATEAU)
    means = errors.mean("seed")
    spread = {g: float(np.ptp(means.sel(scaling=g).values)) for g in (CONVENTIONAL, MEAN_FIELD)}
    path = results["path_norm"].sel(scaling=MEAN_FIELD, width=WIDTH).values
    norm, norm_error = average(path)
    gap = (errors.sel(scaling=MEAN_FIELD) - errors.sel(scaling=CONVENTIONAL)).sel(width=WIDTH)
    mean, error = average(gap.values)
    return [
        at_most(
            f"mean field: range of log₁₀ of the test error over m ≥ {PLATEAU} (conventional: "
            f"{spread[CONVENTIONAL]:.2f})",
            "Fig. 7, right, C6",
            0.3,
            spread[MEAN_FIELD],
        ),
        below(
            f"m = {WIDTH}: log₁₀ of the mean-field error over the conventional one",
            "Fig. 7, right, C6",
            -1.0,
            mean,
            error,
        ),
        close(
            f"mean field: path norm, m = {WIDTH}", "C6 (measured)", 1.095, norm, 0.05, norm_error
        ),
    ]


def _participation(results: xr.Dataset) -> Check:
    """C6: the number of neurons that share the function grows with the width."""
    from netphase.analysis import fit_power_law

    table = results["effective_number"].sel(scaling=MEAN_FIELD).transpose("seed", "width")
    fit = fit_power_law(results["width"].values, table.values)
    claim = "mean field: N₂ grows as a power of m, exponent (1: a fixed part of all neurons)"
    return at_least(claim, "C6 (derived)", 0.8, fit.exponent, fit.standard_error)
