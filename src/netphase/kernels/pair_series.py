"""Moments of smooth functions of normal pairs of any sizes, by as many terms as each pair needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from netphase._types import Array
from netphase.activations import Activation, Pointwise
from netphase.kernels.mehler import IndexArray, Pairs, bound, expand, parallel, series

BoolArray: TypeAlias = npt.NDArray[np.bool_]

_FIRST = 256  # terms of all pairs, doubled again and again for those left
_MOST = 1 << 15  # terms at most
_EVEN = 8192  # terms whose coefficients cost as much for a size as panels for a pair
_SET_UP = 128  # sizes whose coefficients cost as much as the polynomials
_GOOD = 1e-12  # of the geometric mean of squares: an error that is let pass
_BLOCK = 1 << 15  # pairs at a time, to stay in the cache


def pair_series(
    sigma: Activation, p: Array, q: Array, phi: Array, symmetric: bool
) -> tuple[Array, BoolArray]:
    """E σ(u)σ(v) and E σ′(u)σ′(v) = Σ_k c_k(p_i) c_k(q_j) cos^k φ_ij, where the sums converge.

    Pairs that have not converged after 256 terms take twice as many, and so on, as long as panels
    in two dimensions would cost more.

    Args:
        sigma: σ, smooth.
        p: standard deviations of the rows, shape (n,).
        q: those of the columns, shape (p,).
        phi: angles, shape (n, p).
        symmetric: whether rows and columns are the same; then only pairs j ≥ i mean something.

    Returns:
        Both moments, shape (2, n, p), and which pairs are left to be found, shape (n, p).
    """
    functions = (sigma.value, sigma.derivative)
    sizes, places = np.unique(np.concatenate([p, q]), return_inverse=True)
    rows, columns = places[: len(p)], places[len(p) :]
    r = np.cos(phi)
    found, missing = np.zeros((2, *r.shape)), np.zeros(r.shape, dtype=bool)
    rests = np.ones((2, len(sizes)))
    for moment, rest, function in zip(found, rests, functions, strict=True):
        expansion = expand(function, sizes, 0, _FIRST)
        rest -= expansion.share
        for part in _parts(len(r), _BLOCK // r.shape[1]):
            here = part, slice(part.start if symmetric else 0, None)
            block = Pairs(rows[part, None], columns[None, here[1]], r[here])
            moment[here] = series(expansion, block)
            missing[here] |= ~(bound(rest, block, _FIRST) <= _GOOD)
    i, j = np.nonzero(np.triu(missing) if symmetric else missing)
    pairs, gap = Pairs(rows[i], columns[j], r[i, j]), np.sin(phi[i, j]) ** 2 / 2
    refined = _refined(functions, sizes, pairs, gap, found[:, i, j], rests)
    found[:, i, j], missing[i, j] = refined
    return found, missing


def _refined(
    functions: tuple[Pointwise, ...],
    sizes: Array,
    pairs: Pairs,
    gap: Array,
    found: Array,
    rests: Array,
) -> tuple[Array, BoolArray]:
    """Moments (2, n) of a list of pairs with more terms, and which pairs still miss some.

    Pairs whose gap 1 − |r| is too small to be felt are integrated along a line.
    """
    line = gap * sizes[pairs.i] * sizes[pairs.j] < _GOOD
    left, terms = np.flatnonzero(~line), _FIRST
    if line.any():
        near, own = _those(pairs, np.flatnonzero(line))
        for moment, function in zip(found, functions, strict=True):
            moment[line] = parallel(function, sizes[own], near)
    while len(left) and 2 * terms <= _MOST:
        some, own = _those(pairs, left)
        if len(left) < (len(own) + _SET_UP) * (2 * terms / _EVEN) ** 1.5:
            break
        off = np.zeros(len(left), dtype=bool)
        for moment, rest, function in zip(found, rests, functions, strict=True):
            expansion = expand(function, sizes[own], terms, 2 * terms)
            rest[own] -= expansion.share
            for part in _parts(len(left), _BLOCK):
                block = Pairs(some.i[part], some.j[part], some.r[part])
                moment[left[part]] += series(expansion, block)
                off[part] |= ~(bound(rest[own], block, 2 * terms) <= _GOOD)
        left, terms = left[off], 2 * terms
    missing = np.zeros(len(line), dtype=bool)
    missing[left] = True
    return found, missing


def _those(pairs: Pairs, index: IndexArray) -> tuple[Pairs, IndexArray]:
    """Some pairs of a list, and the sizes they have, by which i and j are counted anew."""
    ends = np.concatenate([pairs.i[index], pairs.j[index]])
    own, places = np.unique(ends, return_inverse=True)
    return Pairs(places[: len(index)], places[len(index) :], pairs.r[index]), own


def _parts(length: int, height: int) -> Iterator[slice]:
    """Slices of so many entries, at least one."""
    height = max(1, height)
    return (slice(start, start + height) for start in range(0, length, height))
