"""The residual's own linear flow: exponential averages with a frozen tangent Gram matrix.

While features hardly move, e′ = −G e + d with G the tangent Gram matrix over n and d what is left
over (a slowly varying defect). Its exact solution over a step of length h,

    e(h) = exp(−hG) e + h φ₁(hG) d,    mean of e = φ₁(hG) e + h φ₂(hG) d,

lets a step be as long as the features allow, however stiff G is.

References:
    Hochbruck, Ostermann (Acta Numerica 19, 2010), section 2.1, for φ₁ and φ₂.
"""

from __future__ import annotations

import numpy as np

from netphase._types import Array

FULL_RANK = 512
"""Up to this many samples every mode of G is treated exponentially; beyond, the leading ones."""

LEADING = 64
"""How many modes are kept beyond `FULL_RANK`."""


def phi_1(u: Array) -> Array:
    """(1 − e⁻ᵘ)/u, with its limit 1 at 0."""
    safe = np.where(u == 0.0, 1.0, u)
    return np.where(u == 0.0, 1.0, -np.expm1(-safe) / safe)


def phi_2(u: Array) -> Array:
    """(e⁻ᵘ − 1 + u)/u², with its limit ½ at 0."""
    safe = np.where(u < 1e-3, 1.0, u)
    return np.where(u < 1e-3, 0.5 - u / 6.0 + u * u / 24.0, (np.expm1(-safe) + safe) / safe**2)


class TangentFlow:
    """e′ = −G e + d for one frozen G.

    Args:
        gram: G, symmetric and positive semi-definite, shape (n, n).

    Attributes:
        largest: largest eigenvalue of G.
        unresolved: largest eigenvalue that is left to the explicit step (0 at full rank).
    """

    def __init__(self, gram: Array) -> None:
        n = gram.shape[0]
        if n <= FULL_RANK:
            values, self._vectors = np.linalg.eigh(gram)
            self.unresolved = 0.0
        else:
            from scipy.sparse.linalg import eigsh

            start = np.ones(n)
            values, self._vectors = eigsh(gram, k=LEADING, v0=start, tol=1e-3)
            self.unresolved = float(max(values[0], 0.0))
        self._values = np.maximum(values, 0.0)
        self.largest = float(self._values.max())

    def _apply(self, factors: Array, at_zero: float, vector: Array) -> Array:
        modes = self._vectors.T @ vector
        return at_zero * vector + self._vectors @ ((factors - at_zero) * modes)

    def decay(self, residual: Array) -> Array:
        """G e, shape (n,)."""
        return self._apply(self._values, 0.0, residual)

    def mean(self, residual: Array, defect: Array, step: float) -> Array:
        """Mean of e over the step, shape (n,)."""
        u = step * self._values
        return self._apply(phi_1(u), 1.0, residual) + step * self._apply(phi_2(u), 0.5, defect)

    def end(self, residual: Array, defect: Array, step: float) -> Array:
        """Residual e after the step, shape (n,)."""
        u = step * self._values
        return self._apply(np.exp(-u), 1.0, residual) + step * self._apply(phi_1(u), 1.0, defect)

    def landing(self, residual: Array, defect: Array, step: float, target: float) -> float:
        """The longest step up to this one after which |e|² is expected to be ``target`` or more."""

        def below(length: float) -> bool:
            end = self.end(residual, defect, length)
            return float(end @ end) < target

        if not below(step):
            return step
        low, high = 0.0, step
        for _ in range(40):
            middle = 0.5 * (low + high)
            low, high = (low, middle) if below(middle) else (middle, high)
        return high
