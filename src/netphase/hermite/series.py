"""A function of one standard normal variable: coefficients, norm, kernels, and their errors."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from netphase._checks import finite_array, instance_of
from netphase._types import Array
from netphase.activations import Pointwise
from netphase.errors import ArgumentError
from netphase.hermite.duals import DualMap, PowerSeries
from netphase.hermite.polynomials import polynomials

_ROUNDING = 4e-16  # of the mean square: what is known of a rest
_DIFFERENCE = 6e-6  # the cube root of the rounding, best for a central difference


@dataclass(frozen=True)
class HermiteSeries:
    """A function σ with E σ(G)² < ∞, G ~ N(0, 1), with its coefficients σ_k = E σ(G) h_k(G).

    Here h_k = He_k/√k! are the normalised Hermite polynomials, E h_j(G) h_k(G) = δ_jk. Made by
    `expand`, `polynomial`, `relu` and `erf`.

    Attributes:
        name: what the function is called.
        coefficients: σ_k, shape (K,).
        square: ‖σ‖² = E σ(G)², of the function itself and not of the truncated series.
        function: z ↦ σ(z), elementwise.
        finite: whether σ is a polynomial, so that no term is left out.
        closed: r ↦ U(r), U′(r) in closed form, or None where the series has to do.
        slope: z ↦ σ′(z), or None where a difference has to do.
    """

    name: str
    coefficients: Array
    square: float
    function: Pointwise = field(repr=False)
    finite: bool = False
    closed: DualMap | None = field(default=None, repr=False)
    slope: Pointwise | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.coefficients.setflags(write=False)

    def __call__(self, z: Array) -> Array:
        """σ(z) itself, any shape."""
        return np.asarray(self.function(np.asarray(z, dtype=np.float64)))

    def derivative(self, z: Array) -> Array:
        """σ′(z), any shape; good to some 1e-10 where it has to be a difference.

        At a kink it is the slope of one side, or, of a difference, between those of the two.

        Args:
            z: any shape.

        Returns:
            σ′(z), same shape.
        """
        z = np.asarray(z, dtype=np.float64)
        if self.slope is not None:
            return np.asarray(self.slope(z))
        if self.finite:
            found = np.sqrt(np.arange(1, len(self.coefficients))) * self.coefficients[1:]
            return np.tensordot(found, polynomials(z, len(found)), 1) if len(found) else 0.0 * z
        h = _DIFFERENCE * np.maximum(1.0, np.abs(z))
        return (self(z + h) - self(z - h)) / (2 * h)

    def partial_sum(self, z: Array) -> Array:
        """Σ_{k<K} σ_k h_k(z), shape of ``z``."""
        z = np.asarray(z, dtype=np.float64)
        return np.tensordot(self.coefficients, polynomials(z, len(self.coefficients)), 1)

    def rest(self, terms: int | None = None) -> float:
        """‖σ‖² − Σ_{k<terms} σ_k², what the first terms leave out; never below its rounding.

        Args:
            terms: how many are kept; K by default.

        Returns:
            The rest, ≥ 0.
        """
        count = len(self.coefficients) if terms is None else terms
        if self.finite:
            return float((self.coefficients[count:] ** 2).sum())
        kept = math.fsum(self.coefficients[:count] ** 2)
        return max(self.square - kept, _ROUNDING * self.square)

    def kernel(self, r: Array) -> Array:
        """U(r) = E σ(X) σ(Y) = Σ σ_k² r^k for unit normal X, Y of correlation r; exact at r = 1.

        The truncated series, used where there is no closed form, is off by |r|^K `rest` at most.

        Args:
            r: correlations in [−1, 1], any shape.

        Returns:
            U(r), same shape.

        Raises:
            ArgumentError: a correlation lies outside.
        """
        r = _correlations("r", r)
        return np.where(r == 1.0, self.square, self.dual(r).value)

    def kernel_slope(self, r: Array) -> Array:
        """U′(r) = E σ′(X) σ′(Y), any shape.

        Raises:
            ArgumentError: a correlation lies outside [−1, 1].
        """
        return self.dual(_correlations("r", r)).slope

    def kernel_error(self, r: Array) -> Array:
        """Bounds of the errors of `kernel` and, in the last axis, of `kernel_slope`.

        Args:
            r: correlations in [−1, 1], any shape.

        Returns:
            Shape (…, 2); rounding only where there is a closed form; infinite for the slope at
            |r| = 1 where terms are left out.
        """
        r = _correlations("r", r)
        if self.finite or self.closed is not None:
            return np.full((*r.shape, 2), _ROUNDING * self.square)
        return _bounds(np.abs(r), len(self.coefficients), self.rest())

    def overlap(self, other: HermiteSeries, s: Array) -> Array:
        """V(s) = E φ(X) σ(Y) = Σ φ_k σ_k s^k, with φ the other function.

        Args:
            other: φ.
            s: correlations in [−1, 1], any shape.

        Returns:
            V(s), same shape.

        Raises:
            ArgumentError: a correlation lies outside.
        """
        return self.cross(other)(_correlations("s", s)).value

    def overlap_slope(self, other: HermiteSeries, s: Array) -> Array:
        """V′(s) = E φ′(X) σ′(Y), any shape.

        Raises:
            ArgumentError: a correlation lies outside [−1, 1].
        """
        return self.cross(other)(_correlations("s", s)).slope

    def overlap_error(self, other: HermiteSeries, s: Array) -> Array:
        """Bounds of the errors of `overlap` and, in the last axis, of `overlap_slope`."""
        s = _correlations("s", s)
        if self._same(other) or (self.finite and other.finite):
            return self.kernel_error(s)
        terms = min(len(self.coefficients), len(other.coefficients))
        return _bounds(np.abs(s), terms, math.sqrt(self.rest(terms) * other.rest(terms)))

    @property
    def dual(self) -> DualMap:
        """The map r ↦ U(r), U′(r), not checked; ‖σ‖² has to be put in where r = 1."""
        return PowerSeries.of(self.coefficients**2) if self.closed is None else self.closed

    def cross(self, other: HermiteSeries) -> DualMap:
        """The map s ↦ V(s), V′(s), not checked."""
        instance_of("other", other, HermiteSeries, "a HermiteSeries")
        if self._same(other):
            return self.dual
        terms = min(len(self.coefficients), len(other.coefficients))
        return PowerSeries.of(self.coefficients[:terms] * other.coefficients[:terms])

    def _same(self, other: HermiteSeries) -> bool:
        return self is other or (self.closed is not None and self.closed == other.closed)


def _correlations(name: str, r: Any) -> Array:
    found = finite_array(name, np.atleast_1d(r), np.atleast_1d(r).ndim).astype(np.float64)
    if np.abs(found).max() > 1 + 1e-12:
        worst = float(found.flat[np.abs(found).argmax()])
        raise ArgumentError(f"Argument `{name}` must lie in [-1, 1], but {worst:.6g} is in it.")
    return np.clip(found, -1.0, 1.0).reshape(np.shape(r))


def _bounds(r: Array, terms: int, rest: float) -> Array:
    """Bounds of Σ_{k≥K} c_k r^k and its slope where Σ |c_k| ≤ rest, shape (…, 2)."""
    if rest == 0:
        return np.zeros((*r.shape, 2))
    with np.errstate(divide="ignore", over="ignore"):
        peak = np.maximum(terms, -1.0 / np.log(np.where(r > 0, r, 1e-300)))
        slope = np.where(r < 1, peak * r ** (peak - 1), math.inf)
    return rest * np.stack([r**terms, slope], axis=-1)
