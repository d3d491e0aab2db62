"""Normalised Hermite polynomials, and the coefficients of ReLU."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import count

import numpy as np

from netphase._types import Array


def polynomials(z: Array, terms: int, start: Array | float = 1.0) -> Array:
    """h_0(z), h_1(z), …, from √(k+1) h_{k+1} = z h_k − √k h_{k−1}.

    Args:
        z: any shape.
        terms: how many, ≥ 1.
        start: every one is multiplied by this, a weight that keeps them from overflowing.

    Returns:
        Shape (terms, …).
    """
    table = np.empty((terms, *np.shape(z)))
    for row, each in zip(range(terms), ascending(z, start), strict=False):
        table[row] = each
    return table


def ascending(z: Array, start: Array | float = 1.0) -> Iterator[Array]:
    """h_0(z), h_1(z), … without end, each times a start; as in `polynomials`."""
    before, now = np.zeros_like(z), np.broadcast_to(start, np.shape(z))
    for k in count():
        yield now
        before, now = now, (z * now - math.sqrt(k) * before) / math.sqrt(k + 1)


def relu_coefficients(terms: int, shift: float = 0.0) -> Array:
    """E relu(G + b) h_k(G) = g(b) h_{k−2}(−b)/√(k(k−1)) from k = 2 on, shape (terms,)."""
    density, below = normal(shift)
    k = np.arange(2, max(terms, 3))
    higher = polynomials(np.asarray(-shift), len(k), density) / np.sqrt(k * (k - 1))
    return np.concatenate([[density + shift * below, below], higher + 0.0])[:terms]  # no −0


def normal(b: float) -> tuple[float, float]:
    """Density and distribution function of the standard normal law at b."""
    return math.exp(-b * b / 2) / math.sqrt(2 * math.pi), 0.5 * math.erfc(-b / math.sqrt(2))
