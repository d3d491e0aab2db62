"""How far the measured exponents of a layer sweep are from the predicted ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from netphase._checks import one_of
from netphase._types import Array
from netphase.analysis.layers import Plane

if TYPE_CHECKING:
    import xarray as xr

NEAR = 0.15
"""Deviations up to this count as near."""


class LayerAgreement(NamedTuple):
    """Deviations |S − predicted S| over all layers of all cells whose runs converged.

    Attributes:
        norm: "operator" or "frobenius".
        compared: how many exponents are compared.
        near: how many of them deviate by at most `NEAR`.
        median: median deviation, NaN where there is none.
        worst: largest deviation.
        worst_at: x, y and layer of the largest one; None where there is none.
        smallest_widths: median deviation of the local exponents at the smallest width.
        largest_widths: the same at the largest width; below the other, widths help. Both are NaN
            for the Frobenius norm, or with fewer than three widths.
    """

    norm: str
    compared: int
    near: int
    median: float
    worst: float
    worst_at: tuple[float, float, int] | None
    smallest_widths: float
    largest_widths: float


def layer_agreement(exponents: xr.Dataset, norm: str = "operator") -> LayerAgreement:
    """Measured exponents against those of infinite width.

    Args:
        exponents: from `layer_exponents`.
        norm: "operator" or "frobenius".

    Returns:
        The deviations.

    Raises:
        ArgumentError: the norm is unknown, or the table is not that of a layer sweep.
    """
    one_of("norm", norm, ("operator", "frobenius"))
    plane = Plane("exponents", exponents, norm)
    order = "layer", plane.axes[1], plane.axes[0]
    measured = exponents[norm].where(exponents["converged"]).transpose(*order)
    signed = (measured - exponents[f"predicted_{norm}"].transpose(*order)).values
    off = np.abs(signed)
    known = np.isfinite(off)
    first = last = math.nan
    if norm == "operator":
        drift = exponents["operator_drift"].transpose(*order).values
        first, last = (_median(np.abs(signed + half * drift)) for half in (-0.5, 0.5))
    if not known.any():
        return LayerAgreement(norm, 0, 0, math.nan, math.nan, None, first, last)
    layer, row, column = np.unravel_index(np.nanargmax(off), off.shape)
    x, y = (exponents[name].values for name in plane.axes)
    return LayerAgreement(
        norm=norm,
        compared=int(known.sum()),
        near=int((off <= NEAR).sum()),
        median=_median(off),
        worst=float(np.nanmax(off)),
        worst_at=(float(x[column]), float(y[row]), int(layer) + 1),
        smallest_widths=first,
        largest_widths=last,
    )


def _median(values: Array) -> float:
    """Median of what is finite, NaN where nothing is."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else math.nan
