"""Tables of the kernel of a sphere of neurons, for the compiled pass."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from netphase._types import Array

ROWS, TERMS = 53, 25
"""Halvings of the distance 1 − ρ² to the sphere's axes, and Chebyshev terms between two of them."""


@lru_cache(maxsize=32)
def sphere_tables(k: int) -> tuple[Array, Array]:
    """F(−½, −½; k/2; 1 − y)/2π and F(½, ½; k/2 + 1; 1 − y)/2πk over y = 1 − ρ² in [0, 1].

    The second has a logarithm at y = 0, so that the pieces halve towards it.

    Args:
        k: dimension of the sphere's space, ≥ 2.

    Returns:
        Chebyshev coefficients, each of shape (ROWS + 1, TERMS): row i is for y in 2⁻ⁱ [½, 1], the
        last row is the value at y = 0; accurate to some 1e-13.
    """
    from scipy.special import hyp2f1

    def value(y: Array) -> Array:
        return np.asarray(hyp2f1(-0.5, -0.5, k / 2, 1.0 - y) / (2 * math.pi))

    def slope(y: Array) -> Array:
        return np.asarray(hyp2f1(0.5, 0.5, k / 2 + 1, 1.0 - y) / (2 * math.pi * k))

    nodes = np.polynomial.chebyshev.chebpts1(TERMS)
    nodes_to_series = np.polynomial.chebyshev.chebvander(nodes, TERMS - 1).T * (2.0 / TERMS)
    nodes_to_series[0] /= 2.0
    tables = []
    for function in (value, slope):
        table = np.zeros((ROWS + 1, TERMS))
        for i in range(ROWS):
            table[i] = nodes_to_series @ function(2.0 ** -(i + 1) * (1.5 + 0.5 * nodes))
        table[ROWS, 0] = function(np.zeros(1))[0]
        table.setflags(write=False)
        tables.append(table)
    return tables[0], tables[1]
