"""Checks of the inputs between which kernels are formed."""

from __future__ import annotations

import numpy as np

from netphase._checks import finite_array
from netphase._types import Array
from netphase.errors import ArgumentError

LARGEST = 1e150
"""Squares of numbers up to here are floats, and so are those of their inverses."""


def rows_and_columns(x: Array, other: Array | None) -> tuple[Array, Array]:
    """Inputs of the rows and of the columns of a kernel, float64.

    Args:
        x: shape (n, d).
        other: shape (p, d); ``x`` where it is None.

    Returns:
        Both; the same array twice where ``other`` is None.

    Raises:
        ArgumentError: an input is zero, not finite or too large, or numbers of columns differ.
    """
    rows = _inputs("x", x)
    columns = rows if other is None else _inputs("other", other)
    if rows.shape[1] != columns.shape[1]:
        raise ArgumentError(
            "Arguments `x` and `other` must have equal numbers of columns, but have "
            f"{rows.shape[1]} and {columns.shape[1]}."
        )
    return rows, columns


def _inputs(name: str, x: Array) -> Array:
    array = finite_array(name, x, 2).astype(np.float64)
    empty = np.flatnonzero(~np.any(array != 0, axis=1))
    if len(empty):
        raise ArgumentError(
            f"Argument `{name}` must have no zero row, but row {empty[0]} is: its kernel vanishes."
        )
    if np.abs(array).max() > LARGEST:
        raise ArgumentError(
            f"Argument `{name}` must lie within ±{LARGEST:g}, where squares are floats, but "
            f"{np.abs(array).max():.1e} is in it."
        )
    return array
