"""Moments of smooth functions of two normal variables, by the series of Mehler in r."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from netphase._types import Array
from netphase.activations import Activation, Pointwise
from netphase.hermite import polynomials
from netphase.kernels.panels import graded, nodes

IndexArray: TypeAlias = npt.NDArray[np.integer[Any]]

TERMS = 256
"""Most Hermite coefficients that are used."""

_END, _WIDE = 14.0, 0.5  # the square root of the density has vanished; h_256 is resolved
_VANISHED = 1e-19  # of the mean square: squares of coefficients that no digit feels
_NOISE = 1e-14  # of the norm: coefficients below are rounding
_BLOCK = 1 << 15  # entries at a time, to stay in the cache


class Coefficients(NamedTuple):
    """Hermite coefficients of z ↦ g(p_i z) for several sizes p_i.

    Attributes:
        table: c_k(p_i), shape (n, K).
        square: E g(p_i G)², shape (n,).
        rest: what the series leaves out of ``square``, as a share of it, shape (n,).
    """

    table: Array
    square: Array
    rest: Array

    def take(self, index: IndexArray) -> Coefficients:
        """The rows of some sizes."""
        return Coefficients(self.table[index], self.square[index], self.rest[index])


def coefficients(function: Pointwise, sizes: Array) -> Coefficients:
    """Coefficients of g(p_i z), by Gauss–Legendre panels.

    Args:
        function: g, smooth.
        sizes: p_i > 0, shape (n,).

    Returns:
        The coefficients, without those that vanish for every size.
    """
    z, weights = nodes(graded(_END, _WIDE, (0.0,), float(sizes.max())))
    root = np.exp(-z * z / 4) / (2 * math.pi) ** 0.25
    values = function(np.outer(sizes, z)) * (root * weights)
    table = values @ polynomials(z, TERMS, root).T
    square = np.einsum("it,it->i", values, values / weights)
    norm = np.sqrt(square)
    table[np.abs(table) < _NOISE * norm[:, None]] = 0.0
    share = table**2 / np.where(square > 0, square, 1.0)[:, None]
    rest = np.maximum(1.0 - share.sum(axis=1), 0.0)
    kept = np.flatnonzero(share.max(axis=0) > _VANISHED)
    return Coefficients(table[:, : int(kept.max(initial=0)) + 1], square, rest)


def pair_coefficients(sigma: Activation, sizes: Array) -> tuple[Coefficients, Coefficients]:
    """Coefficients of σ and of σ′; equal sizes are expanded once."""
    distinct, index = np.unique(sizes, return_inverse=True)
    value = coefficients(sigma.value, distinct).take(index)
    return value, coefficients(sigma.derivative, distinct).take(index)


def series(rows: Coefficients, columns: Coefficients, r: Array) -> tuple[Array, Array]:
    """Σ_k c_k(p_i) c_k(q_j) r_ij^k, and a bound of its error over the geometric mean of squares.

    Args:
        rows: coefficients of n sizes.
        columns: coefficients of p sizes.
        r: correlations, shape (n, p).

    Returns:
        The sum and the bound, each of shape (n, p).
    """
    terms = min(rows.table.shape[1], columns.table.shape[1])
    a, b = rows.table[:, :terms], columns.table[:, :terms]
    powers = np.flatnonzero(np.any(a != 0, axis=0) & np.any(b != 0, axis=0))
    first, step = _progression(powers)
    out = np.empty(r.shape)
    height = max(1, _BLOCK // r.shape[1])
    for i in range(0, len(r), height):
        part, here = r[i : i + height], a[i : i + height]
        ratio = part if step == 1 else part**step
        total = np.zeros(part.shape)
        for k in range(first + step * ((terms - 1 - first) // step), first - 1, -step):
            total *= ratio
            total += np.outer(here[:, k], b[:, k])
        out[i : i + height] = total * part**first
    bound = np.sqrt(np.outer(rows.rest, columns.rest)) * np.abs(r) ** terms
    return out, bound


def _progression(powers: IndexArray) -> tuple[int, int]:
    """The first power and the step, 2 where all powers are odd or all are even."""
    if not len(powers):
        return 0, 1
    first = int(powers[0])
    return first, 2 if len(powers) > 1 and not np.any((powers - first) % 2) else 1
