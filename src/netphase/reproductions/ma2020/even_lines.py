"""On how many evenly spaced lines the activated neurons of a circle target lie."""

from __future__ import annotations

import math

import numpy as np

from netphase._types import Array
from netphase.observables import activated, line_gaps

THRESHOLD = 0.3
"""A neuron is activated above this share of the largest contribution."""

APART = 10.0
"""Lines nearer than so many degrees are one."""

EVEN = 1.25
"""Largest gap between evenly spaced lines, in units of the smallest."""

CARRY = 0.8
"""Part of the path norm that the activated neurons carry at least."""


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
