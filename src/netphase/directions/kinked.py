"""Maxima of a landscape with kinks (ReLU) in three and more dimensions.

F is a sum of convex kinks and of concave ones. With the convex ones replaced by a tangent, what is
left has one maximum on the sphere: the remainder of a least-squares problem with bounds. Doing so
again and again climbs F, and ends on a local maximum after few rounds, kinks included.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from netphase._types import Array
from netphase.directions.landscape import Landscape
from netphase.directions.maxima import ROUNDING, Maxima

_ROUNDS = 200
_ONE_MAXIMUM = 1e-9
ON_KINK = 1e-8


def by_linearising(landscape: Landscape, starts: Array) -> Maxima:
    """The maxima that random starts lead to.

    Args:
        landscape: one with kinks.
        starts: where the climbs begin, shape (N, d).

    Returns:
        The maxima, each with the number of starts that ended there.
    """
    d = starts.shape[1]
    size = float(np.abs(landscape.weights) @ np.linalg.norm(landscape.x, axis=1))
    directions: list[Array] = []
    signs: list[int] = []
    hits: list[int] = []
    for sign in (1, -1):
        climb = _Climb(landscape.turned(sign))
        for start in starts:
            u = climb.end(start)
            if u is None or climb.landscape.value(u) <= ROUNDING * size:
                continue
            known = [
                k for k, v in enumerate(directions) if signs[k] == sign and 1 - v @ u < _ONE_MAXIMUM
            ]
            if known:
                hits[known[0]] += 1
            else:
                directions.append(u)
                signs.append(sign)
                hits.append(1)
    return Maxima(
        np.reshape(directions, (-1, d)),
        np.array(signs, dtype=np.intp),
        np.array(hits, dtype=np.intp),
        vanishes=size == 0,
    )


class _Climb:
    """Climbs of one landscape; the round from each set of active convex kinks is made once."""

    def __init__(self, landscape: Landscape) -> None:
        assert landscape.slopes is not None
        right, left = landscape.slopes
        kink = (right - left) * landscape.weights
        self.landscape = landscape
        self._drift = left * (landscape.weights @ landscape.x)
        self._convex = landscape.x[kink > 0]
        self._heights = kink[kink > 0]
        self._concave = (landscape.x[kink < 0] * -kink[kink < 0, None]).T  # (d, kinks)
        self._known: dict[bytes, Array | None] = {}

    def end(self, u: Array) -> Array | None:
        """The maximum that the climb from u ends on; None where F has no slope left."""
        last = b""
        for _ in range(_ROUNDS):
            active = self._convex @ u > 0
            key = np.packbits(active).tobytes()
            if key == last:
                break
            if key not in self._known:
                self._known[key] = self._top(active)
            top = self._known[key]
            if top is None:
                return None
            u, last = top, key
        return u

    def _top(self, active: npt.NDArray[np.bool_]) -> Array | None:
        """The maximum on the sphere with the convex kinks in ``active`` taken as linear."""
        from scipy.optimize import lsq_linear

        pull = self._drift + (self._heights * active) @ self._convex
        if self._concave.shape[1]:
            solved = lsq_linear(self._concave, pull, (0.0, 1.0), method="bvls", tol=1e-14)
            left = pull - self._concave @ solved.x
        else:
            left = pull
        length = float(np.linalg.norm(left))
        return left / length if length > ROUNDING else None


def smooth_tangents(landscape: Landscape, u: Array) -> int:
    """Number of independent directions along the sphere that stay on the kinks through u.

    Args:
        landscape: one with kinks.
        u: a maximum, a unit vector of shape (d,).

    Returns:
        d − 1 inside a smooth piece, 0 at a corner.
    """
    norms = np.linalg.norm(landscape.x, axis=1)
    met = landscape.x[np.abs(landscape.x @ u) <= ON_KINK * norms]
    rank = int(np.linalg.matrix_rank(met)) if len(met) else 0
    return len(u) - 1 - rank
