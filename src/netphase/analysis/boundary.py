"""The measured boundary of a plane: local zeros, or the straight lines behind published stars."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from netphase._checks import finite_array
from netphase._types import Array
from netphase.analysis.local_zero import LOCAL, local_zero
from netphase.errors import ArgumentError

WHOLE_ROW = "zero of the least-squares straight line through the whole row"
"""How the published stars of Luo et al. (2021) were made."""


@dataclass(frozen=True)
class PhaseBoundary:
    """The measured boundary: one zero a row, NaN where a row has none.

    Attributes:
        gamma_prime: rows, shape (rows,).
        gamma: zeros, shape (rows,).
        standard_error: of ``gamma``, all parts together, shape (rows,).
        statistical: its statistical part, shape (rows,).
        systematic: its systematic part (curvature and finite width), shape (rows,).
        notes: one remark a row, empty where all is well.
        criterion: how the zeros were located.
    """

    gamma_prime: Array
    gamma: Array
    standard_error: Array
    statistical: Array
    systematic: Array
    notes: tuple[str, ...]
    criterion: str


def phase_boundary(
    gamma: Array,
    gamma_prime: Array,
    exponents: Array,
    standard_errors: Array,
    drifts: Array | None = None,
    seed_exponents: Array | None = None,
) -> PhaseBoundary:
    """The boundary of a plane by `local_zero`, row by row.

    Args:
        gamma: shape (columns,).
        gamma_prime: shape (rows,).
        exponents: shape (rows, columns), NaN where there is none.
        standard_errors: shape (rows, columns).
        drifts: drifts of the local exponents over the widths, shape (rows, columns).
        seed_exponents: shape (seeds, rows, columns).

    Returns:
        The boundary, with an error bar a row.

    Raises:
        ArgumentError: the shapes do not fit together.
    """
    table = _table(gamma, gamma_prime, exponents)
    zeros = [
        local_zero(
            gamma,
            table[row],
            np.asarray(standard_errors)[row],
            None if drifts is None else np.asarray(drifts)[row],
            None if seed_exponents is None else np.asarray(seed_exponents)[:, row],
        )
        for row in range(len(table))
    ]
    return PhaseBoundary(
        gamma_prime=np.asarray(gamma_prime, dtype=np.float64),
        gamma=np.array([zero.gamma for zero in zeros]),
        standard_error=np.array([zero.standard_error for zero in zeros]),
        statistical=np.array([zero.statistical for zero in zeros]),
        systematic=np.array([math.hypot(zero.curvature, zero.finite_width) for zero in zeros]),
        notes=tuple(zero.note for zero in zeros),
        criterion=LOCAL,
    )


def whole_row_zero(gamma: Array, gamma_prime: Array, exponents: Array) -> PhaseBoundary:
    """The boundary as the stars of the published figures: the zero of one line a row.

    Because the exponent bends at the boundary, this is off by up to .05; use it to compare with
    the paper and `phase_boundary` for everything else.

    Args:
        gamma: shape (columns,).
        gamma_prime: shape (rows,).
        exponents: shape (rows, columns), NaN where there is none.

    Returns:
        The zeros; the standard error is that of the straight-line fit alone.

    Raises:
        ArgumentError: the shapes do not fit together.

    References:
        Luo et al. (JMLR 2021), Fig. 4.
    """
    table = _table(gamma, gamma_prime, exponents)
    zeros, errors, notes = zip(*(_line_zero(np.asarray(gamma), row) for row in table), strict=True)
    return PhaseBoundary(
        gamma_prime=np.asarray(gamma_prime, dtype=np.float64),
        gamma=np.array(zeros),
        standard_error=np.array(errors),
        statistical=np.array(errors),
        systematic=np.zeros(len(table)),
        notes=notes,
        criterion=WHOLE_ROW,
    )


def _line_zero(gamma: Array, row: Array) -> tuple[float, float, str]:
    """Zero of the straight line through a row, its standard error, and a remark."""
    known = np.isfinite(row)
    if known.sum() < 3:
        return math.nan, math.nan, "fewer than three cells have an exponent"
    x, s = gamma[known], row[known]
    centre = x.mean()
    centred = x - centre
    spread = float(centred @ centred)
    slope = float(centred @ s) / spread
    if slope == 0:
        return math.nan, math.nan, "the line is flat"
    distance = -float(s.mean()) / slope
    residuals = s - s.mean() - slope * centred
    variance = float(residuals @ residuals) / (len(x) - 2)
    error = math.sqrt(variance * (1.0 / len(x) + distance**2 / spread)) / abs(slope)
    return float(centre + distance), error, ""


def _table(gamma: Array, gamma_prime: Array, exponents: Array) -> Array:
    """The exponents as a float64 table whose shape fits the axes."""
    table = np.asarray(exponents, dtype=np.float64)
    shape = (
        len(finite_array("gamma_prime", gamma_prime, 1)),
        len(finite_array("gamma", gamma, 1)),
    )
    if table.shape != shape:
        raise ArgumentError(
            f"Argument `exponents` must have shape {shape} (rows of γ', columns of γ), but has "
            f"shape {table.shape}."
        )
    return table
