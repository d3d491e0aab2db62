"""What reproductions share: many runs side by side, and averages over seeds."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from netphase._types import Array

C = TypeVar("C")
R = TypeVar("R")


def in_parallel(function: Callable[[C], R], cases: Iterable[C]) -> list[R]:
    """The function of every case, one thread a core (the engine leaves Python's lock alone)."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, cases))


def average(values: Sequence[float] | Array) -> tuple[float, float]:
    """Mean over seeds and its standard error (NaN for one seed)."""
    table = np.asarray(values, dtype=np.float64)
    if len(table) < 2:
        return float(table.mean()), math.nan
    return float(table.mean()), float(table.std(ddof=1) / math.sqrt(len(table)))


def typical(values: Sequence[float] | Array) -> tuple[float, float]:
    """Median over seeds and its standard error, for values of any distribution.

    Args:
        values: one a seed, at least one.

    Returns:
        The median, and half the distance between the quantiles at 1/2 ± 1/(2√n), which is the
        standard error of a median in large samples; NaN for one value.
    """
    table = np.asarray(values, dtype=np.float64)
    if len(table) < 2:
        return float(np.median(table)), math.nan
    part = 0.5 / math.sqrt(len(table))
    low, high = np.quantile(table, [0.5 - part, 0.5 + part])
    return float(np.median(table)), float(high - low) / 2
