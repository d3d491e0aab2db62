"""A landscape with kinks as a linear part and one kink for each hyperplane that has any."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netphase._types import Array
from netphase.directions.landscape import Landscape
from netphase.directions.maxima import ROUNDING

ON_KINK = 1e-8
"""Cosine with a kink's normal up to which a unit vector lies on the kink."""


@dataclass(frozen=True, eq=False)
class Kinks:
    """F(w) = drift·w + Σ_k heights_k max(0, normals_k·w), each hyperplane once.

    Attributes:
        drift: shape (d,).
        normals: unit vectors, no two of them on one line, shape (K, d).
        heights: convex kinks are positive and concave ones negative, none is zero, shape (K,).
    """

    drift: Array
    normals: Array
    heights: Array

    @property
    def vanishes(self) -> bool:
        """Whether F is zero."""
        return not len(self.heights) and not self.drift.any()

    def met(self, u: Array) -> npt.NDArray[np.bool_]:
        """Which kinks a unit vector of shape (d,) lies on, shape (K,)."""
        return np.asarray(np.abs(self.normals @ u) <= ON_KINK)

    def force(self, w: Array) -> Array:
        """∇F at points beside the kinks, of shape (…, d)."""
        return np.asarray(self.drift + ((w @ self.normals.T > 0) * self.heights) @ self.normals)


def kinks_of(landscape: Landscape) -> Kinks:
    """The kinks of a landscape, those of parallel and opposite inputs taken together.

    Args:
        landscape: one with kinks, φ(z) = left·z + (right − left) max(0, z).

    Returns:
        The kinks; what is zero up to rounding is left out.
    """
    assert landscape.slopes is not None
    right, left = landscape.slopes
    norms = np.linalg.norm(landscape.x, axis=1)
    x, weights, norms = landscape.x[norms > 0], landscape.weights[norms > 0], norms[norms > 0]
    rounding = ROUNDING * float(np.abs(weights) @ norms) * max(abs(right), abs(left))
    drift = left * (weights @ x)
    size, unit, left_over = (right - left) * weights * norms, x / norms[:, None], np.arange(len(x))
    normals, heights = [], []
    while len(left_over):
        normal = unit[left_over[0]]
        same = np.linalg.norm(unit[left_over] - normal, axis=1) <= ON_KINK
        opposite = np.linalg.norm(unit[left_over] + normal, axis=1) <= ON_KINK
        turned = left_over[opposite]
        drift = drift + size[turned] @ unit[turned]  # max(0, −z) = max(0, z) − z
        height = float(size[left_over[same | opposite]].sum())
        if abs(height) > rounding:
            normals.append(normal)
            heights.append(height)
        left_over = left_over[~(same | opposite)]
    drift = np.where(np.linalg.norm(drift) > rounding, drift, 0.0)
    return Kinks(drift, np.reshape(normals, (-1, x.shape[1])), np.array(heights))
