"""Where the Frobenius norm calls a layer lazy that the operator norm sees moving."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netphase.analysis.verdict import MARGIN
from netphase.scalings import Regime

if TYPE_CHECKING:
    import xarray as xr

MISLABEL = (
    "the operator norm says that the layer moves (critical or condensed), while the exponent of "
    f"its Frobenius norm is below −{MARGIN:g} by more than two standard errors, as of a layer that "
    "stays"
)
"""The rule, for tables and captions."""


def frobenius_mislabels(exponents: xr.Dataset) -> xr.DataArray:
    """Layers that move, but not by the Frobenius norm.

    Training changes a hidden matrix by one of low rank. Its operator norm is that of the
    directions which matter; in the Frobenius norm it is divided by that of a random matrix of
    full rank, which is √m larger, so that its exponent is 1/2 less.

    Args:
        exponents: from `layer_exponents`.

    Returns:
        Booleans over both axes of the plane and ``layer``, by `MISLABEL`.

    References:
        Derived in `scalings.predicted_layers`.
    """
    words = exponents["operator_regime"]
    moves = (words == Regime.CRITICAL.value) | (words == Regime.CONDENSED.value)
    upper = exponents["frobenius"] + 2 * exponents["frobenius_error"]
    return (moves & (upper < -MARGIN)).rename("frobenius_mislabels")
