"""The random-feature twin of a student: its input weights frozen, its equation solved exactly."""

from __future__ import annotations

import math

import numpy as np

from netphase._types import Array
from netphase.kernels import relu_kernel, sphere_kernel
from netphase.networks import Parameters
from netphase.observables import population_risk
from netphase.quenching.setting import Setting

NEGLIGIBLE = 1e-15
"""Modes of the features below this part of the largest are none in the limit of infinite time."""


class FrozenTwin:
    """da/dt = −∂R/∂a at fixed w, mode by mode: a linear equation, or its descent at any step.

    Args:
        setting: network, target and data.
        start: the student's initial parameters.
    """

    def __init__(self, setting: Setting, start: Parameters) -> None:
        self._setting, self._start = setting, start
        kappa = setting.network.scales.kappa
        if setting.data is None:
            gram = kappa**2 * relu_kernel(start.w, start.w, setting.inputs)
            rate, self._modes = np.linalg.eigh(gram)
            self._rate = np.maximum(rate, 0.0)
            pull = self._modes.T @ (kappa * self._population_pull(start.w))
        else:
            data = setting.data
            features = kappa * np.maximum(data.x @ start.w.T, 0.0) / math.sqrt(data.n)  # (n, m)
            left, size, right = np.linalg.svd(features, full_matrices=False)
            self._rate, self._modes = size**2, right.T
            pull = size * (left.T @ data.y) / math.sqrt(data.n)
        self._force = pull - self._rate * (self._modes.T @ start.a)

    def _population_pull(self, w: Array) -> Array:
        """E f* relu(w·x), shape (m,)."""
        target, inputs = self._setting.target, self._setting.inputs
        total = np.zeros(len(w))
        if target.units:
            total += relu_kernel(w, target.c, inputs) @ target.a
        if target.sphere:
            total += target.sphere_weight * sphere_kernel(w, target.sphere, inputs)
        return total

    def at(self, time: float, step: float | None) -> Parameters:
        """The twin at a time.

        Args:
            time: t ≥ 0.
            step: h of a literal descent, of which ``time`` is a multiple; None for the flow.

        Returns:
            Its parameters; not finite where a descent has diverged.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            if step is None:
                gone = -np.expm1(-self._rate * time)
            else:
                gone = 1.0 - (1.0 - step * self._rate) ** round(time / step)
            moved = np.divide(gone, self._rate, out=np.full_like(gone, time), where=self._rate > 0)
            a = self._start.a + self._modes @ (moved * self._force)
        return Parameters(a, self._start.w)

    def limit(self) -> Parameters:
        """The twin at infinite time: least squares, or the interpolant nearest to the start."""
        there = self._rate > NEGLIGIBLE**2 * self._rate.max(initial=0.0)
        if self._setting.data is None:  # eigenvalues, and not their roots, are known to rounding
            there = self._rate > NEGLIGIBLE * len(self._rate) * self._rate.max(initial=0.0)
        moved = np.divide(self._force, self._rate, out=np.zeros_like(self._rate), where=there)
        return Parameters(self._start.a + self._modes @ moved, self._start.w)

    def mean_square(self, parameters: Parameters) -> float:
        """Mean square error on what the student is trained on; infinite if not finite."""
        if not np.isfinite(parameters.a).all():
            return math.inf
        setting = self._setting
        if setting.data is None:
            return population_risk(setting.network, parameters, setting.target, setting.inputs)
        with np.errstate(over="ignore"):
            values = setting.network.output(parameters, setting.data.x)
            return float(np.mean((values - setting.data.y) ** 2))
