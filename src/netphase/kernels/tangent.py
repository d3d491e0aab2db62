"""The tangent Gram matrix of a finite network, and its linearised training in closed form."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from netphase._checks import finite_array
from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.kernels.modes import LinearModes
from netphase.scalings import Scales

_CHUNK = 2_000_000  # numbers held at a time in (samples × neurons) arrays


class Network(Protocol):
    """What is asked of a network here; `netphase.networks.TwoLayerNetwork` has it."""

    @property
    def scales(self) -> Scales:
        """α, β₁, β₂."""
        ...

    def unit(self, z: Array) -> Array:
        """σ̄(z)."""
        ...

    def unit_derivative(self, z: Array) -> Array:
        """σ̄′(z)."""
        ...


def tangent_gram(
    network: Network,
    parameters: tuple[Array, Array],
    x: Array,
    other: Array | None = None,
) -> Array:
    """Θ_ij = κ² Σ_k [σ̄(w_k·x_i)σ̄(w_k·x_j)/κ′ + κ′ a_k² σ̄′(w_k·x_i)σ̄′(w_k·x_j) x_i·x_j].

    With e = f − y on the data, gradient flow in normalised variables obeys de/dt̄ = −(1/n)Θe.

    Args:
        network: the map.
        parameters: (a, w) of shapes (m,) and (m, d), normalised.
        x: inputs, shape (n, d).
        other: inputs of the columns, shape (p, d); ``x`` by default.

    Returns:
        Θ, float64, shape (n, p); symmetric and positive semi-definite where p is not given.

    Raises:
        ArgumentError: an array is empty or not finite.

    References:
        Luo et al. (JMLR 2021), Theorem 6 and its proof (Gram matrices).
    """
    rows = finite_array("x", x, 2).astype(np.float64)
    columns = rows if other is None else finite_array("other", other, 2).astype(np.float64)
    a, w = (np.asarray(each, dtype=np.float64) for each in parameters)
    output = np.zeros((len(rows), len(columns)))
    inner = np.zeros_like(output)
    step = max(1, _CHUNK // (len(rows) + len(columns)))
    for k in range(0, len(a), step):
        z, weight = rows @ w[k : k + step].T, a[k : k + step] ** 2  # (n, chunk), (chunk,)
        zz = z if other is None else columns @ w[k : k + step].T
        output += network.unit(z) @ network.unit(zz).T
        inner += (network.unit_derivative(z) * weight) @ network.unit_derivative(zz).T
    scales = network.scales
    ratio = scales.kappa_prime
    return np.asarray(scales.kappa**2 * (output / ratio + ratio * inner * (rows @ columns.T)))


class LinearModel:
    """Gradient flow of the network linearised at one point, solved exactly at any time.

    f_lin(x, t̄) = f(x, θ₀) + ∇f(x, θ₀)·(θ(t̄) − θ₀), trained on the data by the flow of the
    network, with the same mobilities. A network in the linear regime follows it ever more closely
    as the width grows.

    Attributes:
        eigenvalues: of the tangent Gram matrix Θ at θ₀, ascending, shape (n,); those of the size of
            rounding errors are 0, and their modes never move.

    References:
        Luo et al. (JMLR 2021), equation (15).
    """

    def __init__(
        self, network: Network, parameters: tuple[Array, Array], x: Array, y: Array
    ) -> None:
        """Linearise.

        Args:
            network: the map.
            parameters: θ₀ = (a, w), of shapes (m,) and (m, d), normalised.
            x: training inputs, shape (n, d).
            y: targets, shape (n,).

        Raises:
            ArgumentError: shapes do not fit, or an array is not finite.
        """
        self._network = network
        self._a, self._w = (np.asarray(each, dtype=np.float64) for each in parameters)
        self._x = finite_array("x", x, 2).astype(np.float64)
        self._y = finite_array("y", y, 1).astype(np.float64)
        if self._x.shape != (len(self._y), self._w.shape[1]):
            raise ArgumentError(
                f"Argument `x` must have shape {(len(self._y), self._w.shape[1])} here, "
                f"but has {self._x.shape}."
            )
        residual = self._initial_output(self._x) - self._y
        self._modes = LinearModes(
            tangent_gram(network, parameters, self._x), residual, len(self._y)
        )
        self.eigenvalues = self._modes.eigenvalues

    def _initial_output(self, x: Array) -> Array:
        kappa = self._network.scales.kappa
        return np.asarray(kappa * (self._network.unit(x @ self._w.T) @ self._a))

    def residual(self, time: float) -> Array:
        """e(t̄) = f_lin − y on the data, shape (n,).

        Args:
            time: normalised time t̄ ≥ 0; infinity is the end of training.

        Raises:
            ArgumentError: the time is negative or NaN.
        """
        return self._modes.residual(time)

    def mean_square(self, time: float) -> float:
        """(1/n) Σ e² at one time."""
        return float(self._modes.mean_square(time))

    def parameters(self, time: float) -> tuple[Array, Array]:
        """θ(t̄) = (a, w) of the linear model, shapes (m,) and (m, d)."""
        pull = self._modes.pull(time)
        kappa, ratio = self._network.scales.kappa, self._network.scales.kappa_prime
        z = self._x @ self._w.T  # (n, m)
        a = self._a - kappa / ratio * (pull @ self._network.unit(z))
        slopes = self._network.unit_derivative(z) * pull[:, None]
        w = self._w - kappa * ratio * self._a[:, None] * (slopes.T @ self._x)
        return a, w

    def output(self, time: float, x: Array) -> Array:
        """f_lin at any inputs.

        Args:
            time: normalised time t̄ ≥ 0.
            x: inputs, shape (p, d).

        Returns:
            f_lin(x, t̄), shape (p,).
        """
        points = finite_array("x", x, 2).astype(np.float64)
        gram = tangent_gram(self._network, (self._a, self._w), points, self._x)
        return np.asarray(self._initial_output(points) - gram @ self._modes.pull(time))
