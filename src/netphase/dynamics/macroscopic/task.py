"""What the linear stage sees of the data and of the activation, and what it refuses."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from netphase._types import Array
from netphase.activations import Activation
from netphase.datasets import Dataset
from netphase.errors import ArgumentError
from netphase.kernels import linear_plateau
from netphase.observables import label_mean

_FLAT = 1e-12
"""A slope at zero below this, in units of the slopes nearby, is none."""

_NEARLY = 1e-9
"""Outputs nearer than this to that of the best linear fit, relatively, are reached by rounding."""


@dataclass(frozen=True)
class LinearTask:
    """Least squares by a linear function u·x, in the eigenbasis of Σ = (1/n) Σ_i x_i x_iᵀ.

    Only the r directions with positive eigenvalue appear: nothing moves along the others.

    Attributes:
        basis: orthonormal eigenvectors of Σ as columns, shape (d, r).
        spectrum: their eigenvalues s, shape (r,).
        z: (1/n) Σ y_i x_i in this basis, shape (r,).
        target_rms: root mean square of the targets.
        plateau: mean square error of the best linear fit.
    """

    basis: Array
    spectrum: Array
    z: Array
    target_rms: float
    plateau: float

    @classmethod
    def of(cls, data: Dataset) -> LinearTask:
        """The task of a data set.

        Args:
            data: inputs (n, d) and targets (n,).

        Returns:
            The task.

        Raises:
            ArgumentError: z is zero: then the linear stage has no direction.
        """
        label_mean(data.x, data.y)  # refuses z = 0
        n, d = data.x.shape
        left, sizes, right = np.linalg.svd(data.x / math.sqrt(n), full_matrices=False)
        there = sizes > max(n, d) * np.finfo(float).eps * sizes[0]
        return cls(
            basis=right[there].T,
            spectrum=sizes[there] ** 2,
            z=sizes[there] * (data.y @ left[:, there]) / math.sqrt(n),
            target_rms=math.sqrt(float(np.mean(data.y**2))),
            plateau=linear_plateau(data),
        )

    @property
    def rate(self) -> float:
        """λ = |z|, the rate of the escape."""
        return float(np.linalg.norm(self.z))

    @property
    def reducible(self) -> float:
        """What the best linear fit takes off the mean square: zᵀΣ⁻¹z."""
        return float(np.sum(self.z**2 / self.spectrum))

    @property
    def largest_output(self) -> float:
        """Root mean square of the best linear fit, in units of that of the targets."""
        return math.sqrt(self.reducible) / self.target_rms

    @property
    def spread(self) -> float:
        """X_v, root mean square of v·x over the data, with v = z/|z|."""
        return float(np.sqrt(np.sum(self.spectrum * self.z**2))) / self.rate

    def excess(self, u: Array) -> Array:
        """Mean square above the plateau, gᵀΣ⁻¹g with g = z − Σu, without cancellation.

        Args:
            u: coefficients of the linear function in this basis, shape (..., r).

        Returns:
            Shape (...).
        """
        drive = self.z - self.spectrum * u
        return np.asarray(np.sum(drive**2 / self.spectrum, axis=-1))

    def reaches(self, delta: float) -> bool:
        """Whether |f|_rms = δ|y|_rms comes to pass, at a time that rounding does not decide."""
        return delta < (1 - _NEARLY) * self.largest_output

    def output_rms(self, u: Array) -> Array:
        """Root mean square of u·x over the data, for |u| of any size; shapes as in `excess`."""
        return np.asarray(np.hypot.reduce(np.sqrt(self.spectrum) * u, axis=-1))


def slope_at_zero(activation: Activation) -> float:
    """The slope c = σ′(0) of an activation that is c·u near zero.

    Args:
        activation: σ.

    Returns:
        c, not zero.

    Raises:
        ArgumentError: σ has a kink at 0, σ(0) ≠ 0, or σ′(0) = 0 (multiplicity above one).
    """
    name = activation.name
    if not activation.smooth:
        raise ArgumentError(
            f"Argument `activation` must be smooth at zero, but {name!r} has a kink there: its "
            "neurons never become linear. Use tanh, erf, gelu or another of multiplicity one."
        )
    zero = np.zeros(1)
    value, slope = float(activation.value(zero)[0]), float(activation.derivative(zero)[0])
    if value != 0:
        raise ArgumentError(
            f"Argument `activation` must vanish at zero, but {name!r} is {value:g} there: the "
            "output weights fit the mean of the targets before anything condenses. Centre it: "
            f"netphase.activations.centred({name!r})."
        )
    nearby = float(np.max(np.abs(activation.derivative(np.linspace(-1.0, 1.0, 21)))))
    if abs(slope) <= _FLAT * nearby or (activation.multiplicity or 1) > 1:
        raise ArgumentError(
            f"Argument `activation` must have a slope at zero, but that of {name!r} vanishes "
            "(multiplicity above one): such neurons escape by blow-up in finite time, each on a "
            "clock of its own. See netphase.directions for where they go."
        )
    return slope
