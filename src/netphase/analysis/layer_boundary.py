"""Where deep networks stop being lazy: zeros of the largest exponent, measured and exact."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from netphase._types import Array
from netphase.analysis.layers import Plane
from netphase.analysis.local_zero import LOCAL, local_zero
from netphase.errors import ArgumentError
from netphase.scalings.theory import ON_A_LINE

if TYPE_CHECKING:
    import xarray as xr

_HALVINGS, _DIGITS = 60, 8


@dataclass(frozen=True)
class LayerBoundary:
    """Where an operator exponent rises through zero along x, row by row of a layer sweep.

    Attributes:
        axes: names of the exponents along x and y.
        layer: whose exponent it is; None for the largest one, which decides on the network.
        y: rows, shape (rows,).
        x: measured places, NaN where a row has none, shape (rows,).
        standard_error: of ``x``, all parts together, shape (rows,).
        exact: places at infinite width, NaN where the prediction does not change its sign inside
            the grid, shape (rows,).
        notes: one remark a row, empty where all is well.
        criterion: how the zeros were located.
    """

    axes: tuple[str, str]
    layer: int | None
    y: Array
    x: Array
    standard_error: Array
    exact: Array
    notes: tuple[str, ...]
    criterion: str = LOCAL


def layer_boundary(exponents: xr.Dataset, layer: int | None = None) -> LayerBoundary:
    """The boundary of a layer sweep by `local_zero`, in every row.

    The largest exponent of a row is, cell by cell, that of the layer which moves most; where
    several layers are equal by theory, it lies above them by about their error.

    Args:
        exponents: from `layer_exponents`.
        layer: one layer, from 1 to L+1, in place of the largest.

    Returns:
        Measured places with their errors, and the exact ones.

    Raises:
        ArgumentError: the table is not from `layer_exponents`, or there is no such layer.
    """
    plane = Plane("exponents", exponents, "seed_operator")
    if layer is not None and layer not in exponents["layer"].values:
        raise ArgumentError(
            f"Argument `layer` must be one of 1 … {plane.depth + 1} or None, but is {layer!r}."
        )
    order = "layer", plane.axes[1], plane.axes[0]
    values = exponents["operator"].transpose(*order).values
    errors, drifts = (
        exponents[name].transpose(*order).values for name in ("operator_error", "operator_drift")
    )
    seeds = exponents["seed_operator"].transpose("seed", *order).values
    at = np.argmax(values, axis=0)[None]  # the first that is NaN, if one is
    if layer is not None:
        at = np.full_like(at, layer - 1)
    heights, errors, drifts = (
        np.take_along_axis(table, at, axis=0)[0] for table in (values, errors, drifts)
    )
    seeds = np.take_along_axis(seeds, at[None], axis=1)[:, 0]
    x, y = (exponents[name].values for name in plane.axes)
    zeros = [
        local_zero(x, heights[row], errors[row], drifts[row], seeds[:, row], plane.axes[0])
        for row in range(len(y))
    ]
    return LayerBoundary(
        axes=plane.axes,
        layer=layer,
        y=y,
        x=np.array([zero.gamma for zero in zeros]),
        standard_error=np.array([zero.standard_error for zero in zeros]),
        exact=np.array([_exact(plane, float(row), x, layer) for row in y]),
        notes=tuple(zero.note for zero in zeros),
    )


def _exact(plane: Plane, y: float, x: Array, layer: int | None) -> float:
    """Where the predicted exponent changes its sign in a row, NaN where it does not."""

    def height(place: float) -> float:
        found = plane.operators(place, y)
        return float(found.max() if layer is None else found[layer - 1])

    found = _sign_change(height, float(x.min()), float(x.max()))
    return round(found, _DIGITS)  # an exponent counts as zero a little before it is


def _sign_change(height: Callable[[float], float], low: float, high: float) -> float:
    first, last = (_sign(height(place)) for place in (low, high))
    if first == last:
        return math.nan
    if first == 0:
        return low
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _sign(height(middle)) == first else (low, middle)
    return high


def _sign(value: float) -> int:
    return 0 if abs(value) <= ON_A_LINE else int(math.copysign(1, value))
