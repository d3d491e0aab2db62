"""Power laws of all cells of a plane at once: which runs count, fits that lend scatter, words."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, TypeAlias, cast

import numpy as np

from netphase._types import Array
from netphase.analysis.power_law import PowerLawFit, fit_power_law
from netphase.analysis.verdict import judge, uncertainty
from netphase.errors import FitError
from netphase.results import STATUS_CODES

PRIOR = 2.0
"""Degrees of freedom that the plane's median scatter lends to every cell."""

Flags: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]
Fits: TypeAlias = np.ndarray[Any, np.dtype[np.object_]]
"""A `PowerLawFit` a cell, None where there is no slope, shape (rows, columns)."""


def check_widths(widths: Array) -> None:
    """Refuse a single width.

    Raises:
        FitError: there is no slope anywhere.
    """
    if len(widths) < 2:
        raise FitError(
            f"There are runs at one width only (m = {int(widths[0])}), and an exponent in the "
            "width needs two at least: add widths."
        )


def succeeded(codes: np.ndarray[Any, Any]) -> Flags:
    """Which runs reached their target."""
    return np.isin(codes, [code for status, code in STATUS_CODES.items() if status.succeeded])


def all_converged(codes: np.ndarray[Any, Any]) -> Flags:
    """Which cells hold no run that ended badly; codes of shape (rows, columns, seeds, widths)."""
    bad = [code for status, code in STATUS_CODES.items() if not status.succeeded]
    return np.asarray(~np.isin(codes, bad).any(axis=(2, 3)))


def fit_cells(widths: Array, changes: Array, usable: Flags) -> Fits:
    """A fit a cell.

    Args:
        widths: m, shape (widths,).
        changes: shape (rows, columns, seeds, widths).
        usable: which of them count, same shape.
    """
    fits = np.full(changes.shape[:2], None, dtype=object)
    for cell in np.ndindex(*fits.shape):
        try:
            fits[cell] = fit_power_law(widths, np.where(usable[cell], changes[cell], np.nan))
        except FitError:
            fits[cell] = None
    _moderate(fits)
    return fits


def _moderate(fits: Fits) -> None:
    """Draw the cells' standard errors towards their median over the plane, in place.

    The scatter of a cell is known from few points (with one seed and five widths three degrees of
    freedom), so some cells look far too certain. Each variance becomes the mean of its own and the
    plane's median one, weighted by its degrees of freedom and `PRIOR`.

    References:
        Smyth, "Linear models and empirical Bayes methods", Stat. Appl. Genet. Mol. Biol. 3 (2004).
    """
    known = [fit for fit in fits.ravel() if fit is not None and fit.degrees_of_freedom > 0]
    prior = min(PRIOR, 0.2 * (len(known) - 1))
    if prior <= 0:
        return
    middle = np.median([fit.standard_error**2 for fit in known])
    middle_drift = np.nanmedian([fit.drift_error**2 for fit in known] + [0.0])
    for cell in np.ndindex(*fits.shape):
        fit = cast("PowerLawFit | None", fits[cell])
        if fit is not None and fit.degrees_of_freedom > 0:
            own = fit.degrees_of_freedom
            fits[cell] = dataclasses.replace(
                fit,
                standard_error=math.sqrt(
                    (own * fit.standard_error**2 + prior * middle) / (own + prior)
                ),
                drift_error=math.sqrt(
                    (own * fit.drift_error**2 + prior * middle_drift) / (own + prior)
                ),
                degrees_of_freedom=own + prior,
            )


def field(fits: Fits, name: str) -> Array:
    """One field of all fits, or the "half_width" of a verdict, NaN where there is no fit."""
    return np.array(
        [[np.nan if fit is None else _value(fit, name) for fit in row] for row in fits],
        dtype=np.float64,
    )


def _value(fit: PowerLawFit, name: str) -> float:
    return uncertainty(fit) if name == "half_width" else float(getattr(fit, name))


def seed_exponents(widths: Array, changes: Array, usable: Flags) -> Array:
    """Exponents of the seeds alone, shape (seeds, rows, columns); arguments as of `fit_cells`."""
    values = np.moveaxis(changes, 2, 0)
    known = np.moveaxis(usable, 2, 0) & np.isfinite(values) & (values > 0)
    x = np.log(widths)
    y = np.log(np.where(known, values, 1.0))
    count = known.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = (known * x).sum(axis=-1) / count
        centred = np.where(known, x - centre[..., None], 0.0)
        slopes = (centred * y).sum(axis=-1) / (centred**2).sum(axis=-1)
    return np.where(count >= 2, slopes, np.nan)


def verdicts_of(fits: Fits, converged: Flags) -> np.ndarray[Any, np.dtype[np.str_]]:
    """Words of the verdicts, shape (rows, columns)."""
    return np.array(
        [
            [judge(fit, bool(fine)).value for fit, fine in zip(row, good, strict=True)]
            for row, good in zip(fits, converged, strict=True)
        ]
    )
