"""Moments of smooth functions of two normal variables, by the series of Mehler in r."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from netphase._types import Array
from netphase.activations import Pointwise
from netphase.errors import ArgumentError
from netphase.hermite.polynomials import ascending
from netphase.kernels.panels import graded, nodes

IndexArray: TypeAlias = npt.NDArray[np.integer[Any]]

_END = 14.0  # the root of the density has vanished, and h_k times it is bounded
_PHASE = 12.0  # by which h_k, of wavenumber √k at most, turns on a panel
_VANISHED = 1e-19  # of the mean square: squares of coefficients that no digit feels
_NOISE = 1e-14  # of the norm: coefficients below are rounding
_ROWS = 256  # polynomials at a time


class Expansion(NamedTuple):
    """Hermite coefficients of z ↦ g(p_i z) for several sizes p_i, from one degree to another.

    Attributes:
        table: c_k(p_i), shape (K, n), without the last ones if they vanish for every size.
        share: Σ_k c_k² over E g(p_i G)², shape (n,).
        first: the first degree.
    """

    table: Array
    share: Array
    first: int


class Pairs(NamedTuple):
    """Pairs of normal variables of sizes p_i and p_j; the arrays have, or broadcast to, one shape.

    Attributes:
        i: which size the first has.
        j: which size the second has.
        r: correlations.
    """

    i: IndexArray
    j: IndexArray
    r: Array


def expand(function: Pointwise, sizes: Array, first: int, last: int) -> Expansion:
    """Coefficients first ≤ k < last of g(p_i z).

    Args:
        function: g, smooth.
        sizes: p_i > 0, shape (n,).
        first: the first degree, a multiple of 256.
        last: the degree at which to end, another one.

    Returns:
        The coefficients.

    Raises:
        ArgumentError: the square of g is out of the range of a float.
    """
    z, root = _rule(last, sizes)
    with np.errstate(over="ignore"):
        even, odd = _halves(function, sizes, z, root)
        square = np.einsum("it,it->i", even, even) + np.einsum("it,it->i", odd, odd)
    if not np.all(np.isfinite(square)):
        raise ArgumentError(
            "Argument `scale` must keep squares of the activation in a float's range, but the "
            f"pre-activations have sizes up to {sizes.max():.1e}. Use a smaller one."
        )
    table = np.empty((last - first, len(sizes)))
    blocks = _polynomials(z, math.sqrt(2) * root, first, last)
    for rows, h in zip(np.split(table, (last - first) // _ROWS), blocks, strict=True):
        rows[::2], rows[1::2] = h[::2] @ even.T, h[1::2] @ odd.T
    table[np.abs(table) < _NOISE * np.sqrt(square)] = 0.0
    shares = table**2 / np.where(square > 0, square, 1.0)
    kept = np.flatnonzero(shares.max(axis=1) > _VANISHED)
    return Expansion(table[: int(kept.max(initial=0)) + 1], shares.sum(axis=0), first)


def series(expansion: Expansion, pairs: Pairs) -> Array:
    """Σ_k c_k(p_i) c_k(p_j) r^k over the degrees of an expansion, shape of r."""
    i, j, r = pairs
    first, step = _progression(np.flatnonzero(expansion.table.any(axis=1)))
    ratio = r if step == 1 else r**step
    total = np.zeros(r.shape)
    for c in expansion.table[first::step][::-1]:
        total *= ratio
        total += c[i] * c[j]
    return np.asarray(total * r ** (expansion.first + first))


def bound(rest: Array, pairs: Pairs, terms: int) -> Array:
    """What so many terms leave out at most, over the geometric mean of squares.

    Args:
        rest: what so many coefficients leave out of the mean squares, shape (n,).
        pairs: pairs of sizes.
        terms: how many.

    Returns:
        |r|^terms √(rest_i rest_j), shape of r.
    """
    root = np.sqrt(np.maximum(rest, 0.0))
    return np.asarray(root[pairs.i] * root[pairs.j] * np.abs(pairs.r) ** terms)


def parallel(function: Pointwise, sizes: Array, pairs: Pairs) -> Array:
    """The sum of all terms at r = 1, or at r = −1 where r < 0: an integral along a line."""
    even, odd = _halves(function, sizes, *_rule(_ROWS, sizes))
    i, j, r = pairs
    return np.asarray((even @ even.T)[i, j] + np.sign(r) * (odd @ odd.T)[i, j])


def _rule(degree: int, sizes: Array) -> tuple[Array, Array]:
    """Nodes z > 0 that resolve h_k up to a degree, and roots of weight times density."""
    edges = graded(_END, _PHASE / math.sqrt(degree), (0.0,), float(sizes.max()))
    z, weights = nodes(edges[edges >= 0])
    return z, np.sqrt(weights) * np.exp(-z * z / 4) / (2 * math.pi) ** 0.25


def _halves(function: Pointwise, sizes: Array, z: Array, root: Array) -> tuple[Array, Array]:
    """The even and the odd part of g(p_i z), so weighted that sums of products integrate."""
    argument = np.outer(sizes, z)
    right, left = function(argument), function(-argument)
    root = root / math.sqrt(2)
    return (right + left) * root, (right - left) * root


def _polynomials(z: Array, start: Array, first: int, last: int) -> Iterator[Array]:
    """h_k(z) times a start for first ≤ k < last, some rows at a time."""
    rows = islice(ascending(z, start), first, last)
    while block := list(islice(rows, _ROWS)):
        yield np.array(block)


def _progression(powers: IndexArray) -> tuple[int, int]:
    """The first power and the step, 2 where all powers are odd or all are even."""
    if not len(powers):
        return 0, 1
    first = int(powers[0])
    return first, 2 if len(powers) > 1 and not np.any((powers - first) % 2) else 1
