"""Plateaus of a falling loss, and how many lines the neurons of a circle target lie on there."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from netphase._types import Array
from netphase.observables import activated, line_gaps

SLOPE, FACTOR = 0.1, 1.5
"""On a plateau the loss falls slower than t^−SLOPE, while time grows by this factor at least."""

THRESHOLD = 0.3
"""A neuron is activated above this share of the largest contribution."""

APART = 10.0
"""Lines nearer than so many degrees are one."""

EVEN = 1.25
"""Largest gap between evenly spaced lines, in units of the smallest."""

CARRY = 0.8
"""Part of the path norm that the activated neurons carry at least."""


class Plateau(NamedTuple):
    """Where a loss stands almost still.

    Attributes:
        start: index of its first record.
        middle: index of the record where it falls slowest, in log time.
        end: index of its last record.
        loss: loss at the middle.
    """

    start: int
    middle: int
    end: int
    loss: float


def plateaus(
    time: Array, loss: Array, slope: float = SLOPE, factor: float = FACTOR
) -> list[Plateau]:
    """The plateaus of a loss.

    Args:
        time: increasing times > 0, shape (t,).
        loss: positive losses, shape (t,).
        slope: largest −d log(loss)/d log(time) on a plateau.
        factor: how much time must grow along it.

    Returns:
        The plateaus in the order of time.

    Example:
        >>> time = np.geomspace(1.0, 1e6, 241)
        >>> found = plateaus(time, 1 / (1 + (time / 10) ** 4) + 1e-3 / (1 + (time / 1e5) ** 4))
        >>> [f"{each.loss:.3g}" for each in found]
        ['1', '0.001']
    """
    falling = -np.diff(np.log(loss)) / np.diff(np.log(time))
    still = np.concatenate([[False], falling < slope, [False]])
    turns = np.flatnonzero(np.diff(still.astype(int)))
    found = []
    for start, end in zip(turns[::2].tolist(), turns[1::2].tolist(), strict=True):
        if time[end] >= factor * time[start]:
            middle = start + int(falling[start:end].argmin())
            found.append(Plateau(start, middle, end, float(loss[middle])))
    return found


def regular_lines(p: Array, w: Array) -> int:
    """On how many lines ±w, evenly spaced in the plane of the first two inputs, neurons lie.

    Args:
        p: contributions, shape (m,).
        w: input weights, shape (m, d), d ≥ 2.

    Returns:
        The number of lines of the activated neurons, of which opposite ones share one; 0 where the
        largest gap between neighbouring lines is more than `EVEN` times the smallest, or where the
        function is still spread over others.
    """
    kept = activated(p, THRESHOLD)
    gaps = line_gaps(w[kept])
    gaps = gaps[gaps > math.radians(APART)]
    few = kept.sum() <= 2 * len(gaps) and np.abs(p[kept]).sum() >= CARRY * np.abs(p).sum()
    return len(gaps) if len(gaps) and few and gaps.max() <= EVEN * gaps.min() else 0
