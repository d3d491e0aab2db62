"""Everything the plane of a sweep says: exponents with errors, verdicts, labelled."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from netphase._checks import one_of
from netphase._types import Array
from netphase.analysis.boundary import PhaseBoundary, phase_boundary, whole_row_zero
from netphase.analysis.power_law import PowerLawFit, fit_power_law
from netphase.analysis.verdict import (
    CONFIDENCE,
    CRITERION,
    ZONE_CRITERION,
    RegimeVerdict,
    judge,
    judge_zone,
    uncertainty,
)
from netphase.errors import FitError
from netphase.results import STATUS_CODES

if TYPE_CHECKING:
    import xarray as xr

BLOCKS = ("w", "a", "theta")
"""The three order parameters: S_w, S_a, S_θ."""

PRIOR = 2.0
"""Degrees of freedom that the plane's median scatter lends to every cell."""

_FIELDS = {
    "exponent": "exponent S of RD ∝ m^S",
    "standard_error": "standard error of the exponent, moderated by that of the other cells",
    "degrees_of_freedom": "degrees of freedom of the standard error",
    "half_width": f"half of the {CONFIDENCE:.0%} interval joined with the finite-width error",
    "prefactor": "prefactor C of RD ≈ C m^S",
    "points": "number of runs used",
    "drift": "local exponent at the largest width minus that at the smallest",
    "drift_error": "standard error of the drift",
}


def analyse_plane(results: xr.Dataset, change: str = "final") -> xr.Dataset:
    """Exponents in the width and verdicts, for every cell of a sweep.

    A cell whose runs cannot give a slope has NaN there; runs that did not reach their target are
    left out of the fits, and the cell's verdict is "not converged".

    Args:
        results: a sweep's dataset with relative changes and status over gamma, gamma_prime, width
            and seed.
        change: "final" for the relative change at the end (as in the paper), "max" for the largest
            along the run.

    Returns:
        Dataset over (block, gamma_prime, gamma): exponent, standard_error, degrees_of_freedom,
        half_width, prefactor, points, drift, drift_error; ``seed_exponent`` (block, seed,
        gamma_prime, gamma); over (gamma_prime, gamma): ``verdict`` (by S_w), ``zone`` (by S_w and
        S_a), ``converged``, ``remark`` (warnings of the fit of S_w), and ``alignment_ratio`` with
        ``alignment_error``, ρ at the largest width and its standard error over the seeds (NaN
        for one). Blocks are "w", "a", "theta".

    Raises:
        ArgumentError: ``change`` is unknown.
        FitError: the sweep has one width only, so there is no slope anywhere.

    References:
        Luo et al. (JMLR 2021), Figs 4 and 10.
    """
    import xarray as xr

    prefix = {"final": "", "max": "max_"}[one_of("change", change, ("final", "max"))]
    widths = results["width"].values.astype(np.float64)
    if len(widths) < 2:
        raise FitError(
            f"There are runs at one width only (m = {int(widths[0])}), and an exponent in the "
            "width needs two at least: add widths."
        )
    order = ("gamma_prime", "gamma", "seed", "width")
    succeeded = _succeeded(results["status"].transpose(*order).values)
    fits = {
        block: _fit_all(
            widths, results[f"{prefix}relative_change_{block}"].transpose(*order).values, succeeded
        )
        for block in BLOCKS
    }
    coords: dict[str, Any] = {"block": list(BLOCKS)}
    coords |= {name: results[name] for name in ("gamma_prime", "gamma", "seed")}
    plane = ("gamma_prime", "gamma")
    converged = _converged(results["status"].transpose(*order).values)
    data: dict[str, Any] = {
        name: (("block", *plane), _gather(fits, name), {"units": "1", "long_name": words})
        for name, words in _FIELDS.items()
    }
    data["seed_exponent"] = (
        ("block", "seed", *plane),
        np.stack([_seed_table(widths, results, prefix, block, succeeded) for block in BLOCKS]),
        {"units": "1", "long_name": "exponent of one seed alone"},
    )
    verdicts = {block: _verdicts(fits[block], converged) for block in ("w", "a")}
    data["verdict"] = (plane, verdicts["w"], {"long_name": CRITERION})
    data["zone"] = (plane, _zones(**verdicts), {"long_name": ZONE_CRITERION})
    data |= _alignment(results, succeeded)
    data["converged"] = (plane, converged, {"long_name": "whether every run reached its target"})
    data["remark"] = (plane, _remarks(fits["w"]), {"long_name": "warnings of the fit of S_w"})
    return xr.Dataset(data, coords=coords, attrs={**results.attrs, "change": change})


def boundary_of(plane: xr.Dataset, block: str = "w", method: str = "local") -> PhaseBoundary:
    """The measured boundary of one exponent of an analysed plane.

    Args:
        plane: from `analyse_plane`.
        block: "w", "a" or "theta".
        method: "local" (`phase_boundary`) or "whole row" (`whole_row_zero`, the paper's stars).

    Returns:
        One zero a row of γ'.

    Raises:
        ArgumentError: a word is unknown.
    """
    one_of("block", block, BLOCKS)
    one_of("method", method, ("local", "whole row"))
    cut = plane.sel(block=block)
    gamma, rows = plane["gamma"].values, plane["gamma_prime"].values
    exponent = cut["exponent"].values
    if method == "whole row":
        return whole_row_zero(gamma, rows, exponent)
    return phase_boundary(
        gamma,
        rows,
        exponent,
        cut["standard_error"].values,
        cut["drift"].values,
        cut["seed_exponent"].transpose("seed", "gamma_prime", "gamma").values,
    )


def _succeeded(codes: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which runs reached their target."""
    return np.isin(codes, [code for status, code in STATUS_CODES.items() if status.succeeded])


def _converged(codes: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which cells hold no run that ended badly; codes of shape (rows, columns, seeds, widths)."""
    bad = [code for status, code in STATUS_CODES.items() if not status.succeeded]
    return np.asarray(~np.isin(codes, bad).any(axis=(2, 3)))


def _fit_all(
    widths: Array, changes: Array, succeeded: np.ndarray[Any, np.dtype[np.bool_]]
) -> np.ndarray[Any, np.dtype[np.object_]]:
    """A fit a cell (None where there is no slope), shape (rows, columns)."""
    fits = np.full(changes.shape[:2], None, dtype=object)
    for cell in np.ndindex(*fits.shape):
        try:
            fits[cell] = fit_power_law(widths, np.where(succeeded[cell], changes[cell], np.nan))
        except FitError:
            fits[cell] = None
    _moderate(fits)
    return fits


def _moderate(fits: np.ndarray[Any, np.dtype[np.object_]]) -> None:
    """Draw the cells' standard errors towards their median over the plane, in place.

    The scatter of a cell is known from few points (with one seed and five widths three degrees of
    freedom), so some cells look far too certain. Each variance becomes the mean of its own and the
    plane's median one, weighted by its degrees of freedom and `PRIOR`.

    Args:
        fits: shape (rows, columns), None where there is none.

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


def _gather(fits: dict[str, np.ndarray[Any, Any]], name: str) -> Array:
    """One field of all fits, shape (blocks, rows, columns)."""
    return np.array(
        [
            [[np.nan if fit is None else _value(fit, name) for fit in row] for row in fits[block]]
            for block in BLOCKS
        ],
        dtype=np.float64,
    )


def _value(fit: PowerLawFit, name: str) -> float:
    return uncertainty(fit) if name == "half_width" else float(getattr(fit, name))


def _seed_table(
    widths: Array,
    results: xr.Dataset,
    prefix: str,
    block: str,
    succeeded: np.ndarray[Any, np.dtype[np.bool_]],
) -> Array:
    """Exponents of the seeds alone, shape (seeds, rows, columns)."""
    order = ("seed", "gamma_prime", "gamma", "width")
    values = results[f"{prefix}relative_change_{block}"].transpose(*order).values
    usable = np.moveaxis(succeeded, 2, 0) & np.isfinite(values) & (values > 0)
    x = np.log(widths)
    y = np.log(np.where(usable, values, 1.0))
    count = usable.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = (usable * x).sum(axis=-1) / count
        centred = np.where(usable, x - centre[..., None], 0.0)
        slopes = (centred * y).sum(axis=-1) / (centred**2).sum(axis=-1)
    return np.where(count >= 2, slopes, np.nan)


def _verdicts(
    fits: np.ndarray[Any, Any], converged: np.ndarray[Any, np.dtype[np.bool_]]
) -> np.ndarray[Any, np.dtype[np.str_]]:
    """Words of the verdicts, shape (rows, columns)."""
    return np.array(
        [
            [judge(fit, bool(fine)).value for fit, fine in zip(row, good, strict=True)]
            for row, good in zip(fits, converged, strict=True)
        ]
    )


def _zones(w: np.ndarray[Any, Any], a: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.str_]]:
    """Words of the zones, shape (rows, columns)."""
    pairs = [zip(*rows, strict=True) for rows in zip(w, a, strict=True)]
    return np.array([[judge_zone(*map(RegimeVerdict, pair)) for pair in row] for row in pairs])


def _alignment(
    results: xr.Dataset, succeeded: np.ndarray[Any, np.dtype[np.bool_]]
) -> dict[str, Any]:
    """ρ at the largest width: its mean over the seeds, and the standard error of that."""
    cut = results["alignment_ratio"].transpose("gamma_prime", "gamma", "seed", "width").values
    values = np.ma.masked_invalid(np.where(succeeded, cut, np.nan)[..., -1])
    count = values.count(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.ma.filled(values.std(axis=-1, ddof=1), np.nan) / np.sqrt(count)
    words = "ρ, share of the input weights along Σ y_i x_i at the largest width"
    plane = ("gamma_prime", "gamma")
    return {
        "alignment_ratio": (
            plane,
            np.ma.filled(values.mean(axis=-1), np.nan),
            {"units": "1", "long_name": words},
        ),
        "alignment_error": (
            plane,
            np.where(count > 1, error, np.nan),
            {"units": "1", "long_name": "standard error of ρ over the seeds"},
        ),
    }


def _remarks(fits: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.str_]]:
    """Warnings of the fits as sentences, shape (rows, columns)."""
    return np.array(
        [
            ["; ".join(fit.warnings) if fit is not None else "no slope" for fit in row]
            for row in fits
        ]
    )
