"""Gradient training of a two-layer network on a data set, in normalised variables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netphase._checks import instance_of
from netphase._types import Array
from netphase.datasets import Dataset
from netphase.engine.problem import Problem
from netphase.networks import TwoLayerNetwork


@dataclass(frozen=True)
class GradientDynamics:
    """dā/dt̄ = −(1/κ′) ∂R/∂ā and dw̄/dt̄ = −κ′ ∂R/∂w̄, with R = (1/2n) Σ (f(x_i) − y_i)².

    The clock is t̄ = t/(β₁β₂). Homogeneous activations keep κ′²(ā² − ā(0)²) − (|w̄|² − |w̄(0)|²)
    of every neuron at zero.

    Attributes:
        network: the map, with its scales.
        data: inputs (n, d) and targets (n,).

    References:
        Luo et al. (JMLR 2021), the rescaled gradient flow of section 2.2.

    Raises:
        ArgumentError: an attribute is of another type.
    """

    network: TwoLayerNetwork
    data: Dataset

    def __post_init__(self) -> None:
        instance_of("network", self.network, TwoLayerNetwork, "a TwoLayerNetwork")
        instance_of("data", self.data, Dataset, "a Dataset")

    def problem(self, dtype: np.dtype[np.floating]) -> Problem:
        """The same equation as the engine takes it, in one precision.

        Args:
            dtype: float64 or float32.

        Returns:
            The problem; β₂ of a smooth activation is moved into the inputs,
            κ Σ ā σ(β₂ w̄·x)/β₂ = (κ/β₂) Σ ā σ(w̄·(β₂x)).
        """
        inner, scales = self.network.inner_scale, self.network.scales
        return Problem(
            x=np.ascontiguousarray(inner * self.data.x, dtype=dtype),
            y=np.ascontiguousarray(self.data.y, dtype=dtype),
            activation=self.network.activation,
            output_scale=scales.kappa / inner,
            mobility_a=1.0 / scales.kappa_prime,
            mobility_w=scales.kappa_prime,
        )

    def output(self, parameters: tuple[Array, Array]) -> Array:
        """The network's values at the data, shape (n,)."""
        a, w = parameters
        return self.network.unit(self.data.x @ w.T) @ a * self.network.scales.kappa
