"""Maps over widths and sample sizes: medians, slopes of the error, the twins' ridge, endings."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from netphase._checks import finite_float
from netphase._types import Array, Status
from netphase.errors import ArgumentError
from netphase.results import STATUS_CODES, status_words
from netphase.seeds import Stream, generator

if TYPE_CHECKING:
    import xarray as xr

RESAMPLES = 400
"""Sets of seeds drawn anew to see how far a front moves."""

FEW_SEEDS = 3
"""From fewer seeds no error is estimated."""

USABLE = (Status.CONVERGED, Status.STAGNATED, Status.TIME_REACHED)
"""How a run has to end to count: at its target, where its loss falls no more, or at its time."""


def check_sizes(results: xr.Dataset) -> None:
    """Refuse results that are not of a size sweep.

    Raises:
        ArgumentError: a dimension is missing.
    """
    missing = {"scaling", "sample", "width", "seed"} - set(map(str, results.dims))
    if missing:
        raise ArgumentError(
            "Argument `results` must be those of a size sweep, but lacks the dimension "
            f"{sorted(missing)[0]}."
        )


def check_scaling(results: xr.Dataset, scaling: float) -> None:
    """Refuse a scaling that a size sweep does not hold.

    Raises:
        ArgumentError: it does not, or the results are of another sweep.
    """
    check_sizes(results)
    known = results["scaling"].values.tolist()
    if scaling not in known:
        raise ArgumentError(f"Argument `scaling` must be one of {known}, but is {scaling!r}.")


def resampled(seeds: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Sets of seeds drawn with replacement, always the same, shape (RESAMPLES, seeds)."""
    return generator(0, Stream.BOOTSTRAP).integers(seeds, size=(RESAMPLES, seeds))


def log_errors(results: xr.Dataset, name: str = "test_error") -> xr.DataArray:
    """log10 of an error of every run that counts, NaN for the others.

    Args:
        results: dims scaling, sample, width and seed.
        name: "test_error", or that of the twin, which counts however its network ended.

    Returns:
        Same dims.
    """
    values = results[name]
    known = values > 0
    if not name.startswith("rf_"):
        known &= results["status"].isin([STATUS_CODES[status] for status in USABLE])
    usable = values.where(known)
    return usable.copy(data=np.log10(usable.values))


def median(values: Array, axis: int = -1) -> Array:
    """Median of what is there, NaN where fewer than half is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of rows without any number
        middle = np.nanmedian(values, axis=axis)
    enough = 2 * np.isfinite(values).sum(axis=axis) >= values.shape[axis]
    return np.where(enough, middle, np.nan)


@dataclass(frozen=True)
class ErrorSlopes:
    """log10 error ≈ c + p log10 m + q log10 n, fitted by least squares over cells.

    Attributes:
        scaling: γ of κ = m^(−γ).
        width: p.
        width_error: standard error of p over resampled seeds.
        sample: q.
        sample_error: standard error of q.
        cells: number of cells fitted.
    """

    scaling: float
    width: float
    width_error: float
    sample: float
    sample_error: float
    cells: int

    @property
    def ratio(self) -> float:
        """|p|/|q|: 0 for contours that are horizontal, as when the width does not matter."""
        return abs(self.width) / abs(self.sample) if self.sample else math.inf


def error_slopes(results: xr.Dataset, scaling: float, least: float = 0.0) -> ErrorSlopes:
    """How steeply the median error of one scaling changes with the width and with the samples.

    Args:
        results: dims scaling, sample, width and seed, with the attribute ``d``.
        scaling: one of its scalings.
        least: only cells with more weights a sample than this count, m(d + 1)/n > ``least``; 1
            leaves out the networks that have fewer weights than samples.

    Returns:
        The slopes; NaN where the cells span no plane.

    Raises:
        ArgumentError: the results are of another sweep, do not hold the scaling, or ``least`` is
            not finite.
    """
    check_scaling(results, scaling)
    table = log_errors(results).sel(scaling=scaling)
    errors = table.transpose("sample", "width", "seed").values
    log_n, log_m = np.log10(results["sample"].values), np.log10(results["width"].values)
    weights = np.outer(1 / results["sample"].values, results["width"].values)
    weights *= int(results.attrs["d"]) + 1
    errors = np.where((weights > finite_float("least", least))[..., None], errors, np.nan)
    seeds = errors.shape[-1]
    p, q, cells = _plane(log_n, log_m, median(errors))
    p_error = q_error = math.nan
    if seeds >= FEW_SEEDS:
        maps = np.moveaxis(median(errors[..., resampled(seeds)]), -1, 0)  # (resamples, n, m)
        found = np.array([_plane(log_n, log_m, each)[:2] for each in maps])
        found = found[np.isfinite(found).all(axis=1)]
        if 2 * len(found) > RESAMPLES:
            p_error, q_error = (float(error) for error in np.std(found, axis=0))
    return ErrorSlopes(float(scaling), p, p_error, q, q_error, cells)


def _plane(log_n: Array, log_m: Array, heights: Array) -> tuple[float, float, int]:
    """Slopes in log10 m and log10 n of the least-squares plane, and the cells it is fitted to."""
    known = np.isfinite(heights)
    n, m = np.meshgrid(log_n, log_m, indexing="ij")
    design = np.column_stack([np.ones(known.sum()), m[known], n[known]])
    if np.linalg.matrix_rank(design) < 3:
        return math.nan, math.nan, int(known.sum())
    _, p, q = np.linalg.lstsq(design, heights[known], rcond=None)[0]
    return float(p), float(q), int(known.sum())


def twin_ridge(results: xr.Dataset) -> Array:
    """The width at which the median error of the random-feature twins is largest, row by row.

    Args:
        results: dims scaling, sample, width and seed.

    Returns:
        Widths, shape (samples,); NaN where nothing is known.

    Raises:
        ArgumentError: the results are of another sweep.
    """
    check_sizes(results)
    table = log_errors(results, "rf_test_error").isel(scaling=0)
    heights = median(table.transpose("sample", "width", "seed").values)
    widths = results["width"].values.astype(np.float64)
    known = np.isfinite(heights).any(axis=1)
    top = np.argmax(np.where(np.isfinite(heights), heights, -np.inf), axis=1)
    return np.where(known, widths[top], np.nan)


def endings(results: xr.Dataset) -> Mapping[float, dict[str, float]]:
    """The share of runs that ended in each way, by scaling.

    Args:
        results: dims scaling, sample, width and seed.

    Returns:
        γ → word of the status → share in (0, 1]; "not run" among them.
    """
    check_sizes(results)
    table: dict[float, dict[str, float]] = {}
    for scaling in results["scaling"].values:
        words = status_words(results["status"].sel(scaling=scaling).values).ravel()
        found, counts = np.unique(words, return_counts=True)
        shares = counts / len(words)
        table[float(scaling)] = {str(w): float(c) for w, c in zip(found, shares, strict=True)}
    return table
