"""The front m*(n) of a map over widths and sample sizes: where sparse recovery gives way."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from netphase._types import Array
from netphase.analysis.power_law import PowerLawFit, fit_power_law
from netphase.analysis.sizes import (
    FEW_SEEDS,
    check_scaling,
    log_errors,
    median,
    resampled,
)
from netphase.errors import FitError

if TYPE_CHECKING:
    import xarray as xr

CONTRAST = 1.0
"""Least distance of the sparse floor and the random features' level, in decades of the error."""

NEAR = 0.25
"""Beyond a front the error comes this near the random features' level, in parts of the contrast."""

FRONT = (
    "the last width at which the median over seeds of log10 test error rises through the middle "
    "between its lowest value in the row and the lowest median of the random-feature twins, if it "
    "then comes within a quarter of their distance of the latter; the error joins the scatter over "
    "resampled seeds and the spacing of the widths over √12"
)
"""How a front is located, for tables and captions."""


@dataclass(frozen=True)
class Front:
    """The measured front of one scaling: a width for each number of samples, NaN where none.

    Attributes:
        scaling: γ of κ = m^(−γ).
        samples: n, shape (rows,).
        width: m*, shape (rows,).
        error: standard error of log10 m*, NaN from fewer than three seeds, shape (rows,).
        floor: lowest median of log10 test error in the row, shape (rows,).
        level: lowest median of log10 test error of the random-feature twins, shape (rows,).
        seed_widths: fronts of the seeds alone at the same height, shape (seeds, rows).
        notes: why a row has no front, or what is weak about it; empty where all is well.
        between: rows whose front lies between m = n/(d+1) and m = n.
        fit: m* ∝ n^exponent over the seeds' fronts, None where there are fewer than two rows; its
            standard error joins the scatter over the seeds and the spacing of the widths, which
            all seeds share.
    """

    scaling: float
    samples: Array
    width: Array
    error: Array
    floor: Array
    level: Array
    seed_widths: Array
    notes: tuple[str, ...]
    between: int
    fit: PowerLawFit | None

    @property
    def found(self) -> int:
        """Rows that have a front."""
        return int(np.isfinite(self.width).sum())

    @property
    def bounds(self) -> tuple[Array, Array]:
        """m* less and plus its standard error, each of shape (rows,)."""
        return self.width * 10**-self.error, self.width * 10**self.error


def measured_front(results: xr.Dataset, scaling: float) -> Front:
    """The front of one scaling of a size sweep.

    Args:
        results: dims scaling, sample, width and seed, with the attribute ``d``.
        scaling: one of its scalings.

    Returns:
        The front, with an error a row.

    Raises:
        ArgumentError: the results are of another sweep, or do not hold the scaling.
    """
    check_scaling(results, scaling)
    samples, widths = results["sample"].values, results["width"].values
    errors, twins = (
        log_errors(results, name).sel(scaling=scaling).transpose("sample", "width", "seed").values
        for name in ("test_error", "rf_test_error")
    )
    rows = [_row(widths, errors[j], twins[j]) for j in range(len(samples))]
    width = np.array([row.width for row in rows])
    seed_widths = np.array([row.seed_widths for row in rows]).T
    d = int(results.attrs["d"])
    with np.errstate(invalid="ignore"):
        inside = (width > samples / (d + 1)) & (width < samples)
    return Front(
        scaling=float(scaling),
        samples=samples.astype(np.float64),
        width=width,
        error=np.array([row.error for row in rows]),
        floor=np.array([row.floor for row in rows]),
        level=np.array([row.level for row in rows]),
        seed_widths=seed_widths,
        notes=tuple(row.note for row in rows),
        between=int(inside.sum()),
        fit=_fit(samples, width, seed_widths, np.array([row.grid_error for row in rows])),
    )


@dataclass(frozen=True)
class _Row:
    """The front at one number of samples."""

    width: float
    error: float
    grid_error: float
    floor: float
    level: float
    seed_widths: Array
    note: str


def _row(widths: Array, errors: Array, twins: Array) -> _Row:
    """The front of one row.

    Args:
        widths: m, shape (m,).
        errors: log10 test error, shape (m, seeds).
        twins: that of the twins, shape (m, seeds).
    """
    seeds = errors.shape[1]
    curve = median(errors)
    floor, level = _lowest(curve), _lowest(median(twins))

    def nothing(note: str) -> _Row:
        return _Row(math.nan, math.nan, math.nan, floor, level, np.full(seeds, math.nan), note)

    if not (np.isfinite(floor) and np.isfinite(level)):
        return nothing("no width has runs that count")
    if level - floor < CONTRAST:
        return nothing(f"undetermined: the contrast is {level - floor:.2g} < {CONTRAST:g} decades")
    middle = 0.5 * (floor + level)
    x = np.log10(widths)
    place, step = _last_rise(x, curve, middle)
    if not math.isfinite(place):
        return nothing(f"no front up to m = {widths[-1]:g}: the error stays below the middle")
    if not np.any(curve[x > place] > level - NEAR * (level - floor)):
        return nothing("no front: the error rises, but not to the level of the random features")
    alone = np.array([10 ** _last_rise(x, errors[:, s], middle)[0] for s in range(seeds)])
    scatter = _scatter(x, errors, twins)
    few = "fewer than three seeds: no error" if seeds < FEW_SEEDS else ""
    note = few or ("" if math.isfinite(scatter) else "resampled seeds lose the front: no error")
    grid = step / math.sqrt(12.0)
    return _Row(10**place, math.hypot(scatter, grid), grid, floor, level, alone, note)


def _lowest(values: Array) -> float:
    """The smallest of what is there, NaN where nothing is."""
    known = values[np.isfinite(values)]
    return float(known.min()) if known.size else math.nan


def _last_rise(x: Array, curve: Array, height: float) -> tuple[float, float]:
    """Where a curve rises through a height for good, between which neighbours.

    Args:
        x: log10 m, increasing, shape (m,).
        curve: shape (m,), NaN where unknown.
        height: the height.

    Returns:
        The place and the distance of the neighbours; NaN where the curve ends below the height or
        is never below it.
    """
    known = np.isfinite(curve)
    x, y = x[known], curve[known]
    below = np.flatnonzero(y < height)
    if not below.size or below[-1] == len(y) - 1:
        return math.nan, math.nan
    k = int(below[-1])
    step = float(x[k + 1] - x[k])
    return float(x[k] + step * (height - y[k]) / (y[k + 1] - y[k])), step


def _scatter(x: Array, errors: Array, twins: Array) -> float:
    """Standard deviation of log10 m* over resampled seeds; NaN if it is often lost, or few seeds.

    A seed keeps its widths together, since they share their draws.
    """
    seeds = errors.shape[1]
    if seeds < FEW_SEEDS:
        return math.nan
    drawn = resampled(seeds)
    curves, levels = median(errors[:, drawn]).T, median(twins[:, drawn]).T  # (resamples, m)
    places = np.array(
        [
            _last_rise(x, curve, 0.5 * (_lowest(curve) + _lowest(level)))[0]
            for curve, level in zip(curves, levels, strict=True)
        ]
    )
    found = places[np.isfinite(places)]
    return float(np.std(found)) if 2 * len(found) > len(places) else math.nan


def _fit(samples: Array, width: Array, seed_widths: Array, grid: Array) -> PowerLawFit | None:
    """Power law of the seeds' fronts in n, over the rows whose median has one.

    Args:
        samples: n, shape (rows,).
        width: m*, shape (rows,).
        seed_widths: fronts of the seeds, shape (seeds, rows).
        grid: error of log10 m* that the spacing of the widths makes, shape (rows,).
    """
    rows = np.isfinite(width)
    values = np.where(rows, seed_widths, np.nan)
    try:
        fit = fit_power_law(samples, values)
    except FitError:
        return None
    used = np.isfinite(values).any(axis=0)
    x = np.log10(samples[used])
    x = x - x.mean()
    spacing = math.sqrt(float(x**2 @ grid[used] ** 2)) / float(x @ x)
    return replace(fit, standard_error=math.hypot(fit.standard_error, spacing))
