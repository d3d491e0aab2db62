"""The window in which each part of a target is learnt: when its residual passes three levels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netphase._checks import finite_array
from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.observables.events import crossing

START, HALF, END = 0.9, 0.5, 0.1
"""Parts of what is to be learnt that are left at the start, the time and the end of a window."""


class LearningWindows(NamedTuple):
    """When each of several parts is learnt; arrays of shape (…, k).

    A time is 0 where the residual is below the level from the start on, and NaN where the residual
    is still above it in the last record, where the records are no numbers, and where there is
    nothing to learn.

    Attributes:
        start: the last time at which 90 % are left.
        time: the last time at which half is left.
        end: the last time at which 10 % are left.
    """

    start: Array
    time: Array
    end: Array

    @property
    def width(self) -> Array:
        """From the start to the end."""
        return np.asarray(self.end - self.start)


def learning_windows(time: Array, residuals: Array, target: Array) -> LearningWindows:
    """When residuals fall for the last time below 90 %, 50 % and 10 % of what is to be learnt.

    The last time counts, since a part may first move against the target, and come back.

    Args:
        time: increasing times ≥ 0, shape (t,).
        residuals: ρ_k at these times, of any sign, shape (…, t, k).
        target: φ_k, what each is a part of, shape (k,).

    Returns:
        Times interpolated linearly in log time (in time where an interval starts at 0).

    Raises:
        ArgumentError: the times do not increase, or the shapes do not fit.

    References:
        Berthier, Montanari & Zhou (2024): time scales of learning, by half-levels.

    Example:
        >>> time = np.array([1.0, 4.0, 16.0])
        >>> found = learning_windows(time, np.array([[1.0], [0.0], [0.0]]), np.array([-1.0]))
        >>> round(float(found.time[0]), 6), round(float(found.width[0]), 3)
        (2.0, 2.334)
    """
    clock = finite_array("time", time, 1).astype(np.float64)
    if clock[0] < 0.0 or np.any(np.diff(clock) <= 0.0):
        raise ArgumentError("Argument `time` must increase from a time ≥ 0 on, but does not.")
    size = np.abs(finite_array("target", target, 1).astype(np.float64))
    rows = np.abs(np.asarray(residuals, dtype=np.float64))
    if rows.ndim < 2 or rows.shape[-2:] != (len(clock), len(size)):
        raise ArgumentError(
            f"Argument `residuals` must have the shape (…, {len(clock)}, {len(size)}) of times and "
            f"parts, but has {rows.shape}."
        )
    flat = np.moveaxis(rows, -2, -1).reshape(-1, len(size), len(clock))
    found = np.array(
        [
            [[_last(clock, part, level * top) for part, top in zip(run, size, strict=True)]
             for run in flat]
            for level in (START, HALF, END)
        ]
    ).reshape(3, *rows.shape[:-2], len(size))  # fmt: skip
    return LearningWindows(*found)


def _last(clock: Array, series: Array, level: float) -> float:
    """The last time at which a series is at a level or above."""
    if level == 0.0 or not np.isfinite(series).all() or series[-1] >= level:
        return np.nan
    above = np.flatnonzero(series >= level)
    return crossing(clock, series, level, int(above[-1]) + 1) if len(above) else 0.0
