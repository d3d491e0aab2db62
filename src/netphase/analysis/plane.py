"""Everything the plane of a sweep says: exponents with errors, verdicts, labelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from netphase._checks import one_of
from netphase.analysis.boundary import PhaseBoundary, phase_boundary, whole_row_zero
from netphase.analysis.cells import (
    all_converged,
    check_widths,
    field,
    fit_cells,
    seed_exponents,
    succeeded,
    verdicts_of,
)
from netphase.analysis.verdict import (
    CONFIDENCE,
    CRITERION,
    ZONE_CRITERION,
    RegimeVerdict,
    judge_zone,
)

if TYPE_CHECKING:
    import xarray as xr

BLOCKS = ("w", "a", "theta")
"""The three order parameters: S_w, S_a, S_θ."""

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
    check_widths(widths)
    order = ("gamma_prime", "gamma", "seed", "width")
    codes = results["status"].transpose(*order).values
    usable, converged = succeeded(codes), all_converged(codes)
    changes = {
        block: results[f"{prefix}relative_change_{block}"].transpose(*order).values
        for block in BLOCKS
    }
    fits = {block: fit_cells(widths, changes[block], usable) for block in BLOCKS}
    coords: dict[str, Any] = {"block": list(BLOCKS)}
    coords |= {name: results[name] for name in ("gamma_prime", "gamma", "seed")}
    plane = ("gamma_prime", "gamma")
    data: dict[str, Any] = {
        name: (
            ("block", *plane),
            np.stack([field(fits[block], name) for block in BLOCKS]),
            {"units": "1", "long_name": words},
        )
        for name, words in _FIELDS.items()
    }
    data["seed_exponent"] = (
        ("block", "seed", *plane),
        np.stack([seed_exponents(widths, changes[block], usable) for block in BLOCKS]),
        {"units": "1", "long_name": "exponent of one seed alone"},
    )
    verdicts = {block: verdicts_of(fits[block], converged) for block in ("w", "a")}
    data["verdict"] = (plane, verdicts["w"], {"long_name": CRITERION})
    data["zone"] = (plane, _zones(**verdicts), {"long_name": ZONE_CRITERION})
    data |= _alignment(results, usable)
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


def _zones(w: np.ndarray[Any, Any], a: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.str_]]:
    """Words of the zones, shape (rows, columns)."""
    pairs = [zip(*rows, strict=True) for rows in zip(w, a, strict=True)]
    return np.array([[judge_zone(*map(RegimeVerdict, pair)) for pair in row] for row in pairs])


def _alignment(results: xr.Dataset, usable: np.ndarray[Any, np.dtype[np.bool_]]) -> dict[str, Any]:
    """ρ at the largest width: its mean over the seeds, and the standard error of that."""
    cut = results["alignment_ratio"].transpose("gamma_prime", "gamma", "seed", "width").values
    values = np.ma.masked_invalid(np.where(usable, cut, np.nan)[..., -1])
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
