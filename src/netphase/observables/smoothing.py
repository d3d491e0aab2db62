"""A noisy curve in log-log coordinates: its noise, means over short intervals, local lines."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from netphase._types import Array

BLOCK = 64
"""Records whose noise is estimated together."""

NORMAL = 1.4826
"""Standard deviation of normal noise over the median of its absolute value."""

FEWEST = 3
"""Nodes that a line is fitted to at least."""


class Nodes(NamedTuple):
    """Means of a curve over short intervals of x.

    Attributes:
        x: mean abscissa, increasing, shape (k,).
        y: mean ordinate, shape (k,).
        error: standard error of ``y``, shape (k,).
    """

    x: Array
    y: Array
    error: Array


class Lines(NamedTuple):
    """Straight lines fitted around every node.

    Attributes:
        value: height of the line at its node, shape (k,).
        value_error: standard error of ``value``, shape (k,).
        slope: slope of the line, shape (k,); NaN where the nodes are too sparse for one.
        slope_error: standard error of ``slope``, shape (k,); infinite there.
    """

    value: Array
    value_error: Array
    slope: Array
    slope_error: Array


def noise_of(x: Array, y: Array) -> Array:
    """The noise of each point of a curve, from how far it lies off its two neighbours' line.

    The median of a block of points is taken, so a few steps or spikes do not count as noise.

    Args:
        x: increasing abscissae, shape (n,), n ≥ 3.
        y: ordinates, shape (n,).

    Returns:
        Standard deviations, constant over blocks of `BLOCK` points or a little more, shape (n,).
    """
    left = (x[2:] - x[1:-1]) / (x[2:] - x[:-2])  # weight of the left neighbour
    off = y[1:-1] - left * y[:-2] - (1 - left) * y[2:]
    scaled = np.abs(off) / np.sqrt(1 + left**2 + (1 - left) ** 2)
    blocks = len(scaled) // BLOCK
    if blocks < 2:
        return np.full(len(x), NORMAL * np.median(scaled))
    found = NORMAL * np.median(scaled[: blocks * BLOCK].reshape(blocks, BLOCK), axis=1)
    return found[np.clip((np.arange(len(x)) - 1) // BLOCK, 0, blocks - 1)]


def nodes_of(x: Array, y: Array, noise: Array | None, step: float) -> Nodes:
    """Means over the intervals of a grid that starts at the first record.

    Args:
        x: increasing abscissae, shape (n,), n ≥ 3.
        y: ordinates, shape (n,).
        noise: standard deviation of each ordinate, independent of the others, shape (n,); None to
            estimate it. Then the scatter of the means among each other counts, too, in which
            noise that is correlated over several records shows.
        step: length of an interval.

    Returns:
        One node for each interval that holds a record.
    """
    place = np.floor((x - x[0]) / step * (1 + 1e-12)).astype(np.int64)
    cell = np.cumsum(np.diff(place, prepend=0) > 0)  # numbers the cells that hold a record
    count = np.bincount(cell).astype(np.float64)
    sd = noise_of(x, y) if noise is None else noise
    centre, height = (np.bincount(cell, part) / count for part in (x, y))
    error = np.sqrt(np.bincount(cell, sd**2)) / count
    if noise is None and len(centre) >= FEWEST:
        error = np.maximum(error, noise_of(centre, height))
    return Nodes(centre, height, error)


def lines_of(
    nodes: Nodes,
    shortest: float,
    longest: float,
    *,
    slope_error: float = math.inf,
    value_error: float = math.inf,
) -> Lines:
    """The line around each node over the shortest stretch that tells it well enough.

    Args:
        nodes: at least three.
        shortest: length of the first stretch, centred at the node as far as the curve goes; it is
            lengthened to three nodes, and then by factors √2 until the line is known.
        longest: greatest length.
        slope_error: standard error of the slope that is wanted.
        value_error: standard error of the height at the node that is wanted.

    Returns:
        The lines; where no stretch is long enough, the one over the longest stretch.
    """
    rows = []
    for index in range(len(nodes.x)):
        row = (float(nodes.y[index]), float(nodes.error[index]), math.nan, math.inf)
        for part in _stretches(nodes.x, index, shortest, longest):
            row = _fit(nodes, part, float(nodes.x[index]))
            if row[1] <= value_error and row[3] <= slope_error:
                break
        rows.append(row)
    return Lines(*np.array(rows).T)


def _stretches(x: Array, index: int, shortest: float, longest: float) -> Iterator[slice]:
    """Longer and longer stretches around a node; none where three nodes are too far apart."""
    length = shortest
    while length <= longest * (1 + 1e-9):
        start = min(max(x[index] - length / 2, x[0]), max(x[-1] - length, x[0]))
        low = int(np.searchsorted(x, start - 1e-9 * length))
        high = int(np.searchsorted(x, start + (1 + 1e-9) * length, side="right"))
        low = max(0, min(low, index - 1, len(x) - FEWEST))
        high = min(len(x), max(high, index + 2, FEWEST))
        if x[high - 1] - x[low] > longest * (1 + 1e-9):
            return
        yield slice(low, high)
        length *= math.sqrt(2)


def _fit(nodes: Nodes, part: slice, at: float) -> tuple[float, float, float, float]:
    """A straight line by least squares with equal weights, and its height at a point."""
    x, y, variance = nodes.x[part], nodes.y[part], nodes.error[part] ** 2
    middle = float(x.mean())
    pull = (x - middle) / float(np.sum((x - middle) ** 2))
    slope = float(pull @ y)
    lever = 1 / len(x) + (at - middle) * pull
    return (
        float(lever @ y),
        math.sqrt(float(lever**2 @ variance)),
        slope,
        math.sqrt(float(pull**2 @ variance)),
    )
