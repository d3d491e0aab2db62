"""Maxima of a landscape on the sphere: what every method returns, and the exact p = 1 and p = 2."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from netphase._types import Array
from netphase.directions.landscape import Landscape

ROUNDING = 1e-13
_EQUAL = 1e-10  # eigenvalues nearer than this share of the largest one are equal


@dataclass(frozen=True)
class Maxima:
    """Strict local maxima of s F on the unit sphere, for s = ±1, whatever their value.

    Among kinks: all directions that neurons come to rest on, if only from one side, with s F > 0.

    Attributes:
        directions: unit vectors, shape (K, d).
        signs: s, shape (K,).
        hits: how many starts of a search ended there, 0 where none was needed, shape (K,).
        degenerate: the signs s for which maxima with s F > 0 form a continuum.
        vanishes: whether F is zero up to rounding.
    """

    directions: Array
    signs: npt.NDArray[np.intp]
    hits: npt.NDArray[np.intp]
    degenerate: tuple[int, ...] = ()
    vanishes: bool = False

    def only(self, kept: npt.NDArray[np.bool_]) -> Maxima:
        """Some of the maxima, with what is known of all."""
        return replace(
            self, directions=self.directions[kept], signs=self.signs[kept], hits=self.hits[kept]
        )


def nothing(d: int, degenerate: tuple[int, ...] = (), vanishes: bool = False) -> Maxima:
    """No isolated maximum in dimension d, for the reason given."""
    none = np.zeros(0, dtype=np.intp)
    return Maxima(np.zeros((0, d)), none, none, degenerate, vanishes)


def mirrored(
    lines: Array,
    signs: Array | list[int],
    degree: int,
    hits: Array | list[int] | None = None,
    degenerate: tuple[int, ...] = (),
) -> Maxima:
    """Both ends of every line: −u has the sign of u times (−1)ᵖ, as F(−u) = (−1)ᵖ F(u).

    Args:
        lines: one unit vector of each line, shape (L, d).
        signs: s of these, shape (L,).
        degree: p.
        hits: starts that ended on each line, shape (L,).
        degenerate: as in `Maxima`.

    Returns:
        The 2L maxima.
    """
    sign = np.asarray(signs, dtype=np.intp)
    hit = np.zeros(len(sign), dtype=np.intp) if hits is None else np.asarray(hits, dtype=np.intp)
    both = np.concatenate([sign, sign * (-1) ** degree])
    ends = np.concatenate([lines, -lines]) + 0.0  # no negative zeros
    return Maxima(ends, both, np.concatenate([hit, hit]), degenerate)


def first_order(landscape: Landscape) -> Maxima:
    """The case p = 1: the sphere's points along ±z with z = Σ q_i x_i; one line."""
    z = landscape.weights @ landscape.x
    size = np.abs(landscape.weights) @ np.linalg.norm(landscape.x, axis=1)
    length = float(np.linalg.norm(z))
    if length <= ROUNDING * size:
        return nothing(len(z), vanishes=True)
    return mirrored(z[None] / length, [1], 1)


def second_order(landscape: Landscape) -> Maxima:
    """The case p = 2: the top eigenvector of M = Σ q_i x_i x_iᵀ, and the bottom one for s = −1."""
    x = landscape.x
    d = x.shape[1]
    matrix = (x.T * landscape.weights) @ x
    size = np.abs(landscape.weights) @ np.einsum("nd,nd->n", x, x)
    values, vectors = np.linalg.eigh(matrix)
    largest = float(np.abs(values).max())
    if largest <= ROUNDING * size:
        return nothing(d, vanishes=True)
    lines, signs, degenerate = [], [], []
    for sign, end, next_to_it in ((1, -1, -2), (-1, 0, 1)):
        if abs(values[end] - values[next_to_it]) <= _EQUAL * largest:
            if sign * values[end] > ROUNDING * size:
                degenerate.append(sign)
            continue
        lines.append(vectors[:, end])
        signs.append(sign)
    return mirrored(np.reshape(lines, (-1, d)), signs, 2, degenerate=tuple(degenerate))
