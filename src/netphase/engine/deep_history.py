"""What an ensemble of deep networks notes down on its way: rows over the steps of each network."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from netphase._types import Array
from netphase.engine.deep_arrays import Counts
from netphase.engine.history import next_row


class DeepHistory:
    """Row r of every network is of the same number of tries, whenever the network comes to it.

    Args:
        start: weights of all networks at their start, (e, P), layer after layer; not copied.
        sizes: how many numbers each layer has.
    """

    def __init__(self, start: Array, sizes: Sequence[int]) -> None:
        self._start, self._moved = start, np.empty_like(start[0])
        self._parts = np.split(self._moved, np.cumsum(sizes)[:-1])
        self._sizes = np.stack([self._norms(each, 0.0) for each in start])
        self._row, self._due = np.zeros((2, len(start)), np.int64)
        self._rows: list[tuple[Array, Array, Array, Array]] = []

    def due(self, ids: Counts) -> Counts:
        """Accepted and rejected steps of some networks at their next row."""
        return self._due[ids]

    def note(
        self, ids: Counts, tried: Counts, clock: Array, square: Array, steps: Counts, flat: Array
    ) -> None:
        """Writes the rows that networks have come to.

        Args:
            ids: numbers of the networks that run, (a,).
            tried: their accepted and rejected steps.
            clock: their times.
            square: their mean square errors.
            steps: their accepted steps.
            flat: their weights, (a, P).
        """
        for k in np.flatnonzero(tried >= self._due[ids]).tolist():
            i = int(ids[k])
            if self._row[i] == len(self._rows):
                self._rows.append(self._empty())
            row = self._rows[self._row[i]]
            found = (clock[k], square[k], self._change(i, flat[k]), steps[k])
            for column, value in zip(row, found, strict=True):
                column[i] = value
            self._row[i] += 1
            self._due[i] = next_row(int(tried[k]))

    def columns(self, time: Array, square: Array, steps: Counts, flat: Array) -> list[Array]:
        """Times, mean squares, changes of layers and steps with the end of each, (t, e, …)."""
        change = np.stack([self._change(i, each) for i, each in enumerate(flat)])
        end = (time, square, change, steps.astype(np.float64))
        return [np.stack(each) for each in zip(*self._rows, end, strict=True)]

    def _empty(self) -> tuple[Array, Array, Array, Array]:
        time, square, steps = np.full((3, len(self._start)), np.nan)
        return time, square, np.full(self._sizes.shape, np.nan), steps

    def _change(self, i: int, weights: Array) -> Array:
        """Relative Frobenius changes of the layers of network i, (L+1,)."""
        return np.asarray(self._norms(weights, self._start[i]) / self._sizes[i])

    def _norms(self, weights: Array, origin: Array | float) -> Array:
        np.subtract(weights, origin, out=self._moved)
        return np.array([math.sqrt(part @ part) for part in self._parts])
