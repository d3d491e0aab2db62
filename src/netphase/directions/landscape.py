"""The landscape on the sphere whose maxima neurons condense on: F(w) = (c/n) Σ y_i (w·x_i)ᵖ."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from netphase._checks import instance_of
from netphase._types import Array
from netphase.datasets import Dataset
from netphase.directions.expansion import Expansion


def power(z: Array, p: int) -> Array:
    """zᵖ for an integer p ≥ 0, by repeated squaring (much faster than ``z**p``)."""
    if p < 2:
        return z if p else np.ones_like(z)
    half = power(z, p // 2)
    square = half * half
    return square * z if p % 2 else square


@dataclass(frozen=True, eq=False)
class Landscape:
    """F(w) = Σ_i q_i φ(w·x_i), where φ(z) is zᵖ, or linear to either side of a kink at 0.

    While a network is small and its residual is still −y, every neuron obeys a′ = F(w) and
    w′ = a ∇F(w) with q_i = c y_i/n. F is homogeneous of degree p.

    Attributes:
        x: inputs, shape (n, d).
        weights: q, shape (n,).
        degree: p ≥ 1.
        slopes: slopes of φ to the right and left of 0, with p = 1; None for φ(z) = zᵖ.
    """

    x: Array
    weights: Array
    degree: int
    slopes: tuple[float, float] | None = None

    @staticmethod
    def of(data: Dataset, order: Expansion) -> Landscape:
        """The landscape of a data set for the leading order of an activation.

        Args:
            data: inputs and targets.
            order: the expansion of the activation, see `expansion`.

        Returns:
            The landscape, in the units of the data.

        Raises:
            ArgumentError: ``data`` or ``order`` is of another type.

        Example:
            >>> from netphase.datasets import from_arrays
            >>> data = from_arrays(np.eye(2), np.array([2.0, 4.0]), bias=False)
            >>> cubic = Landscape.of(data, Expansion(3, 1.0))
            >>> float(cubic.value(np.array([1.0, 1.0])))
            3.0
        """
        instance_of("data", data, Dataset, "a Dataset")
        instance_of("order", order, Expansion, "an Expansion")
        weights = order.coefficient * data.y / data.n
        return Landscape(data.x, weights, order.multiplicity, order.slopes)

    def turned(self, sign: int) -> Landscape:
        """The landscape times ``sign`` (±1): what neurons of a of that sign climb."""
        return replace(self, weights=sign * self.weights)

    def value(self, w: Array) -> Array:
        """F at points.

        Args:
            w: points, shape (…, d).

        Returns:
            Values, shape (…).
        """
        return np.asarray(self._shape(w @ self.x.T) @ self.weights)

    def gradient(self, w: Array) -> Array:
        """∇F at points; on a kink, the one from the left.

        Args:
            w: points, shape (…, d).

        Returns:
            Gradients, shape (…, d).
        """
        return self.value_and_gradient(w)[1]

    def value_and_gradient(self, w: Array) -> tuple[Array, Array]:
        """Both at points of shape (…, d), for little more than one of them."""
        z = w @ self.x.T  # (..., n)
        slope = self._slope(z) * self.weights
        value = np.einsum("...n,...n->...", slope, z) / self.degree  # Euler's theorem
        return np.asarray(value), np.asarray(slope @ self.x)

    def hessian(self, w: Array) -> Array:
        """∇²F at one point, zero beside kinks.

        Args:
            w: the point, shape (d,).

        Returns:
            The matrix, shape (d, d).
        """
        if self.degree == 1:
            return np.zeros((len(w), len(w)))
        p = self.degree
        bend = p * (p - 1) * power(self.x @ w, p - 2) * self.weights
        return np.asarray((self.x.T * bend) @ self.x)

    def tangent_curvature(self, u: Array) -> float:
        """Largest second derivative of F along the unit sphere, over all tangents.

        Args:
            u: a unit vector at which F is stationary on the sphere, shape (d,) with d ≥ 2.

        Returns:
            The largest eigenvalue of the Hessian on the sphere; negative at a stable maximum.
        """
        hessian, across = self._on_sphere(u)
        return float(np.linalg.eigvalsh(across.T @ hessian @ across)[-1])

    def newton_step(self, u: Array) -> Array:
        """The tangent vector of Newton's method on the sphere at a unit vector u, shape (d,)."""
        hessian, across = self._on_sphere(u)
        slope = across.T @ self.gradient(u)
        step, *_ = np.linalg.lstsq(across.T @ hessian @ across, slope, rcond=1e-10)
        return np.asarray(-across @ step)

    def _on_sphere(self, u: Array) -> tuple[Array, Array]:
        """∇²F − (u·∇F) I, which is the sphere's Hessian on tangents, and a basis of these."""
        hessian = self.hessian(u) - self.degree * float(self.value(u)) * np.eye(len(u))
        across = np.linalg.qr(np.column_stack([u, np.eye(len(u))]))[0][:, 1:]
        return hessian, across

    def _shape(self, z: Array) -> Array:
        if self.slopes is None:
            return power(z, self.degree)
        right, left = self.slopes
        return np.where(z > 0, right * z, left * z)

    def _slope(self, z: Array) -> Array:
        if self.slopes is None:
            return self.degree * power(z, self.degree - 1)
        right, left = self.slopes
        return np.where(z > 0, right, left)
