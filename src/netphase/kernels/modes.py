"""Residuals under a tangent kernel that stays: the eigenmodes of one, or of a stack of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from netphase._types import Array
from netphase.errors import ArgumentError


def above_rounding(eigenvalues: Array, error: float = 1.0) -> Array:
    """Eigenvalues, ascending in the last axis, of which those of the size of rounding are 0.

    Args:
        eigenvalues: of n × n kernels, shape (…, n).
        error: of the kernels' entries, in units of the rounding of the largest ones.
    """
    noise = error * eigenvalues.shape[-1] * np.finfo(np.float64).eps * eigenvalues[..., -1:]
    return np.where(eigenvalues > noise, eigenvalues, 0.0)


class LinearModes:
    """de/dt = −(1/n) Θ e from a start, solved exactly at any time by the eigenvectors of Θ.

    Times may have any shape that broadcasts with the stack's, such as (t, …) for rows over time.

    Attributes:
        eigenvalues: of Θ, ascending, shape (…, p); those of the size of rounding errors are 0, and
            their modes never move.
        start: coefficients of e(0) in the modes, shape (…, p).
    """

    def __init__(self, kernel: Array, residual: Array, samples: int) -> None:
        """Decompose.

        Args:
            kernel: Θ, finite, shape (…, p, p).
            residual: e(0), shape (…, p).
            samples: n.
        """
        values, self._modes = np.linalg.eigh(kernel)
        self.eigenvalues = above_rounding(values)
        self.start = (residual[..., None, :] @ self._modes)[..., 0, :]
        self._samples = samples

    def member(self, index: int) -> LinearModes:
        """The modes of one kernel of a stack."""
        one = object.__new__(LinearModes)
        one.eigenvalues, one._modes = self.eigenvalues[index], self._modes[index]
        one.start, one._samples = self.start[index], self._samples
        return one

    @property
    def rates(self) -> Array:
        """λ/n of the modes of one kernel that move, ascending, all > 0."""
        return np.asarray(self.eigenvalues[self.eigenvalues > 0] / self._samples)

    def residual(self, time: npt.ArrayLike) -> Array:
        """e(t), shape (…, p).

        Args:
            time: t ≥ 0; infinity is the end of training.

        Raises:
            ArgumentError: a time is negative or NaN.
        """
        return self._combined(np.exp(-self._exponent(time)) * self.start)

    def mean_square(self, time: npt.ArrayLike) -> Array:
        """(1/n) Σ e², shape (…)."""
        return self._mean_square(self._exponent(time))

    def descended_mean_square(self, time: Array, steps: Array) -> Array:
        """(1/n) Σ e² of literal descent, where each step takes 1 − hλ/n of a mode of one kernel.

        Args:
            time: rows of the clock, ascending from 0, shape (t,).
            steps: how many were made up to each row, from 0; those between two rows count as
                equally long.

        Returns:
            Shape (t,).
        """
        count = np.diff(steps)[:, None]
        length = np.diff(time)[:, None] / np.maximum(count, 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):  # a mode that is gone after one step
            shrunk = -count * np.log(np.abs(1.0 - length * (self.eigenvalues / self._samples)))
        shrunk = np.where(count > 0, shrunk, 0.0)
        return self._mean_square(np.cumsum(np.pad(shrunk, ((1, 0), (0, 0))), axis=0))

    def pull(self, time: npt.ArrayLike) -> Array:
        """(1/n) ∫₀ᵗ e ds, shape (…, p); of the modes that never move nothing."""
        moving = self.eigenvalues > 0
        fitted = -np.expm1(-self._exponent(time)) * np.where(moving, self.start, 0.0)
        return self._combined(fitted / np.where(moving, self.eigenvalues, 1.0))

    def _mean_square(self, exponent: Array) -> Array:
        with np.errstate(over="ignore"):
            squares = (np.exp(-exponent) * self.start) ** 2
            return np.asarray(squares.sum(axis=-1) / self._samples)

    def _combined(self, coefficients: Array) -> Array:
        return np.asarray((self._modes @ coefficients[..., None])[..., 0])

    def _exponent(self, time: npt.ArrayLike) -> Array:
        """λ t/n of every mode; 0 for those that no parameter moves."""
        clock = np.asarray(time, dtype=np.float64)[..., None]
        wrong = clock[~(clock >= 0)]
        if len(wrong):
            raise ArgumentError(f"Argument `time` must be ≥ 0, but {wrong[0]:g} is in it.")
        still = self.eigenvalues == 0
        moving = np.where(still, 1.0, self.eigenvalues)
        return np.where(still, 0.0, moving * (clock / self._samples))
