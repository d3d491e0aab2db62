"""Where an exponent changes sign in a row of the plane, with an uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.seeds import Stream, generator

NEIGHBOURS = 4
"""Cells around the zero that the slope and the drift of the exponent are averaged over."""

RESAMPLES = 200
"""Rows drawn anew to see how far the zero moves."""

LOCAL = (
    "zero of the rising broken line through the cells of the row (neighbours that fall are "
    "averaged first); the error joins its scatter over rows resampled within the cells' errors, "
    "the distance to the zeros extrapolated from either side, and the drift of the exponent with "
    "the width"
)
"""How a boundary is located, for tables and captions."""


@dataclass(frozen=True)
class LocalZero:
    """The zero of an exponent in one row.

    Attributes:
        gamma: γ of the zero, NaN where there is none.
        statistical: error from the cells' standard errors.
        curvature: error from drawing a straight line between two cells of a bent curve.
        finite_width: error from the drift of the local exponent with the width: the whole drift
            over the widths, since about as much is still to come.
        slope: slope of the exponent there.
        note: why there is no zero, or what is weak about it; empty where all is well.
    """

    gamma: float
    statistical: float
    curvature: float
    finite_width: float
    slope: float
    note: str = ""

    @property
    def standard_error(self) -> float:
        """The three parts in quadrature."""
        return math.hypot(self.statistical, self.curvature, self.finite_width)


def local_zero(
    gamma: Array,
    exponents: Array,
    standard_errors: Array,
    drifts: Array | None = None,
    seed_exponents: Array | None = None,
    symbol: str = "γ",
) -> LocalZero:
    """The sign change of an exponent along a row, from the cells around it only.

    The exponent is a bent line (its slope in γ halves or quarters at the boundary, softened by the
    finite widths), so a line through a whole row misses its zero; the nearest cells do not.

    The cells of a row share their random draws, so their errors go together (errors of neighbours
    correlate by .9 and more). With seeds, rows are resampled from the seeds' own scatter, which
    knows how much they do; with one seed the whole row is shifted up and down by its errors.

    Args:
        gamma: γ of the cells, shape (cells,).
        exponents: measured exponents, shape (cells,); NaN where there is none.
        standard_errors: of the exponents, shape (cells,); NaN where unknown.
        drifts: drift of the local exponent over the widths, shape (cells,).
        seed_exponents: exponents of each seed, shape (seeds, cells).
        symbol: what the notes call the axis, where it is another than γ.

    Returns:
        The zero with its errors, or a note why there is none.

    Raises:
        ArgumentError: the shapes do not fit together.
    """
    cells = np.argsort(gamma)
    x, s, error = (
        _row(name, values, len(gamma))[cells]
        for name, values in (
            ("gamma", gamma),
            ("exponents", exponents),
            ("standard_errors", standard_errors),
        )
    )
    drift = np.zeros_like(x) if drifts is None else _row("drifts", drifts, len(gamma))[cells]
    known = np.isfinite(s)
    if known.sum() < 2:
        return _nothing("fewer than two cells have an exponent")
    x, s, error, drift = x[known], s[known], _fill(error[known]), np.nan_to_num(drift[known])
    seeds = None if seed_exponents is None else np.atleast_2d(seed_exponents)[:, cells][:, known]
    zero = float(_zeros(x, s[None])[0])
    slope, here = _slope_and_drift(x, s, error, drift, zero)
    statistical = float(np.std(_zeros(x, _resampled(s, error, seeds))))
    beyond = abs(zero - float(np.clip(zero, x[0], x[-1])))
    edge = x[-1] - x[-2] if zero > x[-1] else x[1] - x[0]
    if beyond > min(statistical, 0.5 * edge):
        return _nothing(_outside(x, zero, symbol))
    if slope <= 0:
        return _nothing("the exponent does not rise through zero")
    return LocalZero(
        gamma=zero,
        statistical=statistical,
        curvature=_bend(x, s, zero),
        finite_width=abs(here) / slope,
        slope=slope,
        note="" if beyond == 0 else "extrapolated beyond the grid",
    )


def _row(name: str, values: Array, length: int) -> Array:
    """A float64 vector of a given length."""
    row = np.asarray(values, dtype=np.float64)
    if row.shape != (length,):
        raise ArgumentError(
            f"Argument `{name}` must have shape ({length},) like `gamma`, but has shape "
            f"{row.shape}."
        )
    return row


def _nothing(note: str) -> LocalZero:
    return LocalZero(math.nan, math.nan, math.nan, math.nan, math.nan, note)


def _outside(x: Array, zero: float, symbol: str) -> str:
    """The remark on a row without a sign change."""
    side = (
        f"negative up to {symbol} = {x[-1]:g}"
        if zero > x[-1]
        else f"positive from {symbol} = {x[0]:g} on"
    )
    return f"no sign change inside the grid: the exponent is {side}"


def _fill(errors: Array) -> Array:
    """Standard errors with the unknown ones replaced by the largest known one (else zero)."""
    known = errors[np.isfinite(errors)]
    return np.where(np.isfinite(errors), errors, known.max() if len(known) else 0.0)


def _rising(x: Array, rows: Array) -> tuple[Array, Array]:
    """Broken lines that rise through the points: falling neighbours become their mean.

    The heights are the least-squares increasing sequence, max over j ≤ i of min over k ≥ i of the
    mean of points j…k.

    Args:
        x: places, shape (cells,).
        rows: heights, shape (rows, cells).

    Returns:
        Places and heights of the corners, shape (rows, cells); averaged neighbours share one.
    """
    cells = len(x)
    first, last = np.arange(cells)[:, None], np.arange(cells)
    sums = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(rows, axis=1)], axis=1)
    means = (sums[:, None, 1:] - sums[:, :-1, None]) / np.maximum(last - first + 1, 1)
    means = np.where(last >= first, means, np.inf)  # (rows, j, k)
    lowest = np.minimum.accumulate(means[:, :, ::-1], axis=2)[:, :, ::-1]
    heights = np.where(last >= first, lowest, -np.inf).max(axis=1)
    together = heights[:, :, None] == heights[:, None, :]
    return (together * x).sum(axis=2) / together.sum(axis=2), heights


def _zeros(x: Array, rows: Array) -> Array:
    """Zeros of the rising broken lines.

    Outside the row the outermost piece is continued, by its own length at most; a row without any
    rise has its zero a whole row away.

    Args:
        x: places, shape (cells,).
        rows: heights, shape (rows, cells).

    Returns:
        Zeros, shape (rows,).
    """
    places, heights = _rising(x, rows)
    every = np.arange(len(rows))
    low, high = heights[:, :1], heights[:, -1:]
    level = np.where(high < 0, high, np.where(low >= 0, np.nextafter(low, np.inf), 0.0))
    right = np.minimum((heights < level).sum(axis=1), len(x) - 1)
    left = np.maximum((heights < heights[every, right][:, None]).sum(axis=1) - 1, 0)
    length = places[every, right] - places[every, left]
    rise = heights[every, right] - heights[every, left]
    flat = rise <= 0
    share = -heights[every, left] / np.where(flat, 1.0, rise)
    zeros = places[every, left] + np.clip(share, -1.0, 2.0) * length
    far = np.where(high[:, 0] < 0, 2 * x[-1] - x[0], 2 * x[0] - x[-1])
    return np.asarray(np.where(flat, far, zeros))


def _bend(x: Array, s: Array, zero: float) -> float:
    """How far the lines of the neighbouring pieces disagree with a zero between two corners."""
    corners, heights = (np.unique(column[0]) for column in _rising(x, s[None]))
    right = int(np.searchsorted(corners, zero))
    if not 1 <= right < len(corners):
        return 0.0
    shifts = [0.0]
    for k in (right - 1, right + 1):
        if 1 <= k < len(corners):
            step, rise = np.diff(corners[k - 1 : k + 1])[0], np.diff(heights[k - 1 : k + 1])[0]
            other = np.clip(
                corners[k] - heights[k] * step / rise, corners[right - 1], corners[right]
            )
            shifts.append(abs(float(other) - zero))
    return max(shifts)


def _slope_and_drift(
    x: Array, s: Array, error: Array, drift: Array, zero: float
) -> tuple[float, float]:
    """Slope of the exponent and its drift with the width, over the cells nearest the zero.

    More cells are taken while the slope is less than four times its standard error.
    """
    order = np.argsort(np.abs(x - np.clip(zero, x[0], x[-1])), kind="stable")
    slope = here = math.nan
    for count in range(min(NEIGHBOURS, len(x)), len(x) + 1):
        near = order[:count]
        centred = x[near] - x[near].mean()
        spread = float(centred @ centred)
        slope, here = float(centred @ s[near]) / spread, float(drift[near].mean())
        if slope >= 4.0 * math.sqrt(float(centred**2 @ error[near] ** 2)) / spread:
            break
    return slope, here


def _resampled(s: Array, error: Array, seeds: Array | None) -> Array:
    """Rows as they might have come out, shape (RESAMPLES, cells)."""
    rng = generator(0, Stream.BOOTSTRAP)
    complete: Array = np.empty((0, len(s)))
    if seeds is not None:
        complete = seeds[np.isfinite(seeds).all(axis=1)]
    count = len(complete)
    if count > 1:
        scatter = (complete - complete.mean(axis=0)) / math.sqrt(count * (count - 1))
        return np.asarray(s + rng.standard_normal((RESAMPLES, count)) @ scatter)
    return np.asarray(s + rng.standard_normal((RESAMPLES, 1)) * error)
