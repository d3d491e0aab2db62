"""Where neurons of an activation with a kink (ReLU) rest, in three and more dimensions.

F is a sum of convex kinks and of concave ones. With the convex ones replaced by a tangent, what is
left has one maximum on the sphere: the remainder of a least-squares problem with bounds. Doing so
again and again climbs F. It ends where neurons do: on a local maximum, kinks included, or on a
convex kink that a neuron does not leave from the side on which it came, since no force across it is
felt there (ReLU: the input across it is off).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from netphase._types import Array
from netphase.directions.kinks import ON_KINK, Kinks, kinks_of
from netphase.directions.landscape import Landscape
from netphase.directions.maxima import ROUNDING, Maxima

_ROUNDS = 200
_ONE_MAXIMUM = 1e-9
_STRICTLY = 1e-9  # distance of a multiplier from its bounds at which F falls with a slope


def by_linearising(landscape: Landscape, starts: Array) -> Maxima:
    """The resting directions that random starts lead to.

    Args:
        landscape: one with kinks.
        starts: where the climbs begin, shape (N, d).

    Returns:
        The directions, each with the number of starts that ended there.
    """
    d = starts.shape[1]
    kinks = kinks_of(landscape)
    size = float(np.abs(landscape.weights) @ np.linalg.norm(landscape.x, axis=1))
    directions: list[Array] = []
    signs: list[int] = []
    hits: list[int] = []
    for sign in (1, -1):
        climb = Climb(landscape.turned(sign))
        for start in starts:
            u = climb.end(start)
            if u is None or sign * landscape.value(u) <= ROUNDING * size:
                continue
            known = [k for k, v in enumerate(directions) if signs[k] == sign and is_one(v, u)]
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
        vanishes=kinks.vanishes,
    )


def is_one(u: Array, v: Array) -> bool:
    """Whether two unit vectors are one direction."""
    return bool(1 - u @ v < _ONE_MAXIMUM)


class Climb:
    """Climbs of one landscape; the round from each set of active convex kinks is made once.

    Args:
        landscape: one with kinks.
    """

    def __init__(self, landscape: Landscape) -> None:
        kinks = kinks_of(landscape)
        convex = kinks.heights > 0
        self._drift = kinks.drift
        self._convex, self._heights = kinks.normals[convex], kinks.heights[convex]
        self._normals = kinks.normals[~convex]
        self._concave = (self._normals * -kinks.heights[~convex, None]).T  # (d, kinks)
        self._known: dict[bytes, tuple[Array | None, Array]] = {}

    def end(self, u: Array) -> Array | None:
        """The direction that the climb from u ends on; None where F has no slope left."""
        active = self._convex @ u > 0
        for _ in range(_ROUNDS):
            top, multipliers = self._top(active)
            if top is None:
                return None
            u, along = top, self._convex @ top
            following = np.where(np.abs(along) <= ON_KINK, active, along > 0)
            if np.array_equal(following, active):
                following = self._past_pinned(u, active, multipliers)
            if np.array_equal(following, active):
                break
            active = following
        return u

    def top(self, w: Array) -> Array | None:
        """The maximum of F with the convex kinks linear as at w, shape (d,); None without one.

        Neurons at w end there unless they cross a convex kink.
        """
        return self._top(self._convex @ w > 0)[0]

    def _top(self, active: npt.NDArray[np.bool_]) -> tuple[Array | None, Array]:
        """The maximum with the kinks in ``active`` taken as linear, and its multipliers."""
        key = np.packbits(active).tobytes()
        if key not in self._known:
            self._known[key] = self._solved(active)
        return self._known[key]

    def _solved(self, active: npt.NDArray[np.bool_]) -> tuple[Array | None, Array]:
        from scipy.optimize import lsq_linear

        left = self._drift + (self._heights * active) @ self._convex
        multipliers = np.zeros(self._concave.shape[1])
        if len(multipliers):
            multipliers = lsq_linear(self._concave, left, (0.0, 1.0), method="bvls", tol=1e-14).x
            left = left - self._concave @ multipliers
        length = float(np.linalg.norm(left))
        return (left / length if length > ROUNDING else None), multipliers

    def _past_pinned(
        self, u: Array, active: npt.NDArray[np.bool_], multipliers: Array
    ) -> npt.NDArray[np.bool_]:
        """Another set to climb with, if concave kinks hold neurons on a convex one through u.

        There a neuron cannot stay on its side, so F must not rise on the other one either.
        """
        met = np.flatnonzero(np.abs(self._convex @ u) <= ON_KINK)
        inside = (multipliers > _STRICTLY) & (multipliers < 1 - _STRICTLY)
        if not len(met) or not inside.any():
            return active
        held = self._normals[inside]
        across = self._convex[met] - self._convex[met] @ np.linalg.pinv(held) @ held
        for k in met[np.linalg.norm(across, axis=1) <= ON_KINK]:
            other = active.copy()
            other[k] = not active[k]
            top, _ = self._top(other)
            if top is not None and not is_one(top, u):
                return other
        return active


def falls_on_all_sides(landscape: Landscape, u: Array) -> bool:
    """Whether F falls with a slope, not only by curvature, in all directions along the sphere.

    This is so where multipliers strictly between their bounds balance the force along the sphere.

    Args:
        landscape: one with kinks.
        u: a resting direction, a unit vector of shape (d,).

    Returns:
        Whether u is such a corner.
    """
    kinks = kinks_of(landscape)
    met = kinks.met(u)
    concave = met & (kinks.heights < 0)
    d = len(u)
    if not concave.any() or np.linalg.matrix_rank(kinks.normals[concave]) < d - 1:
        return False
    off = Kinks(kinks.drift, kinks.normals[~met], kinks.heights[~met])
    columns = (kinks.normals[concave] * -kinks.heights[concave, None]).T
    return _depth(off.force(u), columns, u) > _STRICTLY


def _depth(force: Array, columns: Array, u: Array) -> float:
    """How far inside (0, 1) multipliers can be with force − columns @ multipliers along u."""
    from scipy.optimize import linprog

    across = np.linalg.qr(np.column_stack([u, np.eye(len(u))]))[0][:, 1:]
    count = columns.shape[1]
    bounds = np.column_stack([np.vstack([-np.eye(count), np.eye(count)]), np.ones(2 * count)])
    solved = linprog(
        -np.eye(count + 1)[-1],
        A_ub=bounds,
        b_ub=np.repeat([0.0, 1.0], count),
        A_eq=np.column_stack([across.T @ columns, np.zeros(len(u) - 1)]),
        b_eq=across.T @ force,
        bounds=[(0, 1)] * (count + 1),
    )
    return float(solved.x[-1]) if solved.success else 0.0
