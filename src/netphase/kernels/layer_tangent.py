"""The tangent kernel of finite deep networks, layer by layer, from the factors of its gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from netphase._checks import check_memory
from netphase._types import Array
from netphase.errors import ArgumentError


class LayerNetwork(Protocol):
    """What is asked of networks here; `netphase.networks.MultiLayerNetwork` has it."""

    @property
    def outputs(self) -> int:
        """Number of outputs k."""
        ...

    def check(self, parameters: Any) -> tuple[Array, ...]:
        """The weights, or an `ArgumentError` where they are not those of this network."""
        ...

    def factors(self, parameters: Any, x: Array) -> tuple[tuple[Array, ...], list[list[Array]]]:
        """Inputs h of every layer, and δ of every output and layer, samples last."""
        ...

    def mobilities(self, count: int) -> Array:
        """η_l/β_l², shape (e, L+1)."""
        ...


@dataclass(frozen=True, eq=False)
class TangentKernels:
    """What the weights of every layer add to the tangent kernels of e networks.

    Rows and columns are samples, or with k outputs the pairs i·k + j of sample i and output j.

    Attributes:
        layers: Θ^[l] = η_l ∂f/∂W^[l] · ∂f/∂W^[l], l = 1 … L+1, float64, shape (L+1, e, nk, pk).
    """

    layers: Array = field(repr=False)

    @property
    def total(self) -> Array:
        """Θ = Σ_l Θ^[l], shape (e, nk, pk)."""
        return np.asarray(self.layers.sum(axis=0))

    @property
    def shares(self) -> Array:
        """Shares of the layers in the trace of Θ, shape (e, L+1); they sum to one.

        Raises:
            ArgumentError: rows and columns are different inputs.
        """
        if self.layers.shape[2] != self.layers.shape[3]:
            raise ArgumentError(
                "Argument `other` must be left out where traces are asked for: the kernel is "
                f"{self.layers.shape[2]} × {self.layers.shape[3]}."
            )
        traces = np.trace(self.layers, axis1=2, axis2=3).T
        return np.asarray(traces / traces.sum(axis=1, keepdims=True))


def tangent_kernel(
    network: LayerNetwork, parameters: Any, x: Array, other: Array | None = None
) -> TangentKernels:
    """Θ^[l] = η_l (δ^[l]·δ^[l]′) ∘ (x^[l−1]·x^[l−1]′) of every layer of finite networks.

    Under the gradient flow dW^[l]/dt = −η_l ∂R/∂W^[l], the residual on the data obeys
    de/dt = −(1/n) Θ e. The gradient of a layer is a product of two factors, δ from behind and the
    values x^[l−1] before it, so no matrix of samples by parameters is formed.

    Args:
        network: a `netphase.networks.MultiLayerNetwork`.
        parameters: `LayerParameters` of e networks, at the start or at any time.
        x: inputs, shape (n, d).
        other: inputs of the columns, shape (p, d); ``x`` by default.

    Returns:
        The kernels, in float64 whatever the precision of the weights.

    Raises:
        ArgumentError: ``parameters`` are no `LayerParameters`, shapes do not fit, an input is not
            finite, or the kernels do not fit into memory.

    References:
        Jacot, Gabriel & Hongler (2018), the tangent kernel; its limit is
        `netphase.kernels.deep_kernels`.

    Example:
        >>> from netphase import activations, networks
        >>> from netphase.scalings import layer_initialisation
        >>> scales = layer_initialisation("ntk", depth=2, d=2).at_width(100)
        >>> network = networks.MultiLayerNetwork(activations.get("tanh"), scales, inputs=2)
        >>> start = networks.initial_layer_parameters(network)
        >>> kernels = tangent_kernel(network, start, np.array([[1.0, 0.0], [0.5, 1.0]]))
        >>> kernels.layers.shape, bool(np.linalg.eigvalsh(kernels.total[0])[0] > 0)
        ((3, 1, 2, 2), True)
    """
    weights = network.check(parameters)
    count, k = len(weights[0]), network.outputs
    _check_memory(count * len(weights), len(x) * k, len(x if other is None else other) * k)
    wide = parameters.astype(np.float64)
    h, rows = network.factors(wide, x)
    g, columns = (h, rows) if other is None else network.factors(wide, other)
    mobility = network.mobilities(count)
    layers = [
        mobility[:, layer, None, None] * layer_block(h[layer], g[layer], rows, columns, layer)
        for layer in range(len(h))
    ]
    return TangentKernels(np.stack(layers))


def layer_block(
    h: Array, g: Array, rows: Sequence[Sequence[Array]], columns: Sequence[Sequence[Array]], at: int
) -> Array:
    """Σ over copies of (δ·δ′) ∘ (h·h′) of one layer, float64, shape (e, nk, pk).

    Args:
        h: what the layer takes at the rows' samples, shape (e, c, m, n) or (d, n).
        g: the same at the columns' samples.
        rows: δ of every output and layer at the rows' samples, as `LayerNetwork.factors` gives it.
        columns: the same at the columns' samples.
        at: number of the layer, from 0.
    """
    values = h.swapaxes(-1, -2) @ g  # (e, c, n, p) or (n, p)
    n, p, k = h.shape[-1], g.shape[-1], len(rows)
    blocks = np.empty((len(rows[0][at]), n, k, p, k))
    for i, left in enumerate(rows):
        for j, right in enumerate(columns):
            pairs = left[at].swapaxes(-1, -2) @ right[at]
            blocks[:, :, i, :, j] = (pairs * values).sum(axis=1)
    return blocks.reshape(-1, n * k, p * k)


def rated_kernel(
    inputs: Sequence[Array], factors: Sequence[Sequence[Array]], rates: Array
) -> Array:
    """Σ_l rate_l (δ·δ) ∘ (h·h) of e networks, without their layers, shape (e, nk, nk).

    Args:
        inputs: h, what every layer takes, samples last.
        factors: δ of every output and layer, as `LayerNetwork.factors` gives it.
        rates: one a network and layer, (e, L+1).
    """
    size = inputs[0].shape[-1] * len(factors)
    found = np.zeros((len(rates), size, size))
    for layer, h in enumerate(inputs):
        found += rates[:, layer, None, None] * layer_block(h, h, factors, factors, layer)
    return found


def _check_memory(matrices: int, rows: int, columns: int) -> None:
    check_memory(
        16.0 * matrices * rows * columns,  # the layers and as much in work
        f"Argument `x` must have fewer rows: {matrices} kernels of {rows} × {columns} samples and "
        "outputs",
    )
