"""Greedy centres: unit vectors of which each covers its neighbours, found in blocks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from netphase._types import Array

_BLOCK = 256
_CHUNK = 512
_MARGIN = 1e-5
"""Single-precision cosines nearer to the limit than this are taken again in double precision."""

Indices = npt.NDArray[np.intp]


def greedy_centres(unit: Array, cosine: float, lines: bool = False) -> tuple[Indices, Indices]:
    """Go through unit vectors in order; each that no earlier centre covers becomes a centre.

    The cost is proportional to the vectors times the centres; only products of matrices and
    single-precision comparisons run over all of them.

    Args:
        unit: unit vectors, the most important first, shape (m, d).
        cosine: a centre covers what has a larger cosine with it.
        lines: opposite vectors count as one: the absolute cosine is compared.

    Returns:
        Rows of the centres, increasing, shape (K,), and for every vector which centre covers it
        first, shape (m,).

    Example:
        >>> centres, labels = greedy_centres(np.array([[1.0, 0.0], [0.0, 1.0], [0.8, 0.6]]), 0.7)
        >>> centres.tolist(), labels.tolist()
        ([0, 1], [0, 1, 0])
    """
    labels = np.full(len(unit), -1, dtype=np.intp)
    left = np.arange(len(unit))
    rows = unit
    single = unit.astype(np.float32)
    found: list[Indices] = []
    known = 0
    while len(left):
        inside = _centres_of_block(rows[:_BLOCK], cosine, lines)
        centres = rows[inside]
        found.append(left[inside])
        covered = _covered(rows, single, centres, cosine, lines)
        covered[:_BLOCK] = True
        hit = np.flatnonzero(covered)
        labels[left[hit]] = known + _first_near(rows[hit], centres, cosine, lines)
        labels[left[inside]] = known + np.arange(len(inside))
        known += len(inside)
        left, rows, single = left[~covered], rows[~covered], single[~covered]
    return (np.concatenate(found) if found else np.empty(0, dtype=np.intp)), labels


def _cosines(rows: Array, centres: Array, lines: bool) -> Array:
    product = rows @ centres.T
    return np.abs(product, out=product) if lines else product


def _centres_of_block(block: Array, cosine: float, lines: bool) -> Indices:
    near = np.tril(_cosines(block, block, lines) > cosine, -1)  # near an earlier one
    centre: npt.NDArray[np.bool_] = np.logical_not(near.any(axis=1))
    for k in np.flatnonzero(~centre):
        centre[k] = not np.any(near[k, :k] & centre[:k])
    return np.flatnonzero(centre)


def _covered(
    rows: Array, single: Array, centres: Array, cosine: float, lines: bool
) -> npt.NDArray[np.bool_]:
    """Which rows some centre covers."""
    few = centres.astype(np.float32)
    largest = np.empty(len(rows), dtype=np.float32)
    for first in range(0, len(rows), _CHUNK):
        part = few @ single[first : first + _CHUNK].T  # (centres, chunk)
        largest[first : first + _CHUNK] = np.abs(part, out=part).max(0) if lines else part.max(0)
    covered = np.asarray(largest > cosine)
    close = np.flatnonzero(np.abs(largest - cosine) < _MARGIN)
    for first in range(0, len(close), _CHUNK):
        some = close[first : first + _CHUNK]
        covered[some] = _cosines(rows[some], centres, lines).max(axis=1) > cosine
    return covered


def _first_near(rows: Array, centres: Array, cosine: float, lines: bool) -> Indices:
    """The first centre that covers each row; every row is covered by one."""
    first = np.empty(len(rows), dtype=np.intp)
    for start in range(0, len(rows), _CHUNK):
        part = slice(start, start + _CHUNK)
        first[part] = np.argmax(_cosines(rows[part], centres, lines) > cosine, axis=1)
    return first
