"""Normalised Hermite polynomials, and the coefficients of ReLU."""

from __future__ import annotations

import math

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
    table[0] = start
    if terms > 1:
        table[1] = z * table[0]
    for k in range(1, terms - 1):
        table[k + 1] = (z * table[k] - math.sqrt(k) * table[k - 1]) / math.sqrt(k + 1)
    return table


def relu_coefficients(terms: int, shift: float = 0.0) -> Array:
    """E relu(G + b) h_k(G) = g(b) h_{k−2}(−b)/√(k(k−1)) from k = 2 on, shape (terms,)."""
    density, below = normal(shift)
    k = np.arange(2, max(terms, 3))
    higher = polynomials(np.asarray(-shift), len(k), density) / np.sqrt(k * (k - 1))
    return np.concatenate([[density + shift * below, below], higher + 0.0])[:terms]  # no −0


def normal(b: float) -> tuple[float, float]:
    """Density and distribution function of the standard normal law at b."""
    return math.exp(-b * b / 2) / math.sqrt(2 * math.pi), 0.5 * math.erfc(-b / math.sqrt(2))
