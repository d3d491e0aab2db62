"""Forward, backward and tangent passes of an ensemble of deep networks, as products of matrices.

Axes: e networks, c copies of a network, m neurons, n samples, k outputs. Signals are stored as
(e, c, m, n), samples last, so that every product is one BLAS call a network and copy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from netphase._types import Array
from netphase.activations import Activation

Gains = Sequence[Array | None]
"""β_l of the hidden layers and β_{L+1}/α of the output, shape (e, 1, 1, 1); None stands for 1."""


class Signals(NamedTuple):
    """What one forward pass leaves for the passes that follow it.

    Attributes:
        inputs: what layer l + 1 takes, l = 0 … L: the samples, shape (d, n), and the values of the
            hidden neurons, (e, c, m_l, n).
        slopes: σ′ of the hidden neurons, l = 1 … L, (e, c, m_l, n); empty where not asked for.
        output: (e, k, n).
    """

    inputs: tuple[Array, ...]
    slopes: tuple[Array, ...]
    output: Array


def forward(
    weights: Sequence[Array], gains: Gains, x: Array, sigma: Activation, slopes: bool = True
) -> Signals:
    """Values of every layer at the samples ``x``, shape (d, n)."""
    inputs, derivatives = [x], []
    for matrix, gain in zip(weights[:-1], gains, strict=False):
        z = matrix @ inputs[-1]  # (e, c, m_l, m_{l−1}) @ (e, c, m_{l−1}, n)
        if gain is not None:
            z *= gain
        if slopes:
            value, slope = sigma.value_and_slope(z)
            derivatives.append(slope)
        else:
            value = sigma.value(z)
        inputs.append(value)
    output = (weights[-1] @ inputs[-1]).sum(axis=1)
    return Signals(tuple(inputs), tuple(derivatives), scaled(output, gains[-1]))


def backward(
    weights: Sequence[Array], gains: Gains, signals: Signals, cotangent: Array
) -> Iterator[tuple[int, Array, Array]]:
    """Layers from the last to the first with what their gradients are made of.

    The gradient of Σ r f, with r the cotangent of shape (e, k, n), by the weights of layer l + 1 is
    δ hᵀ. The weights of a layer may be changed as soon as it has been handed out.

    Yields:
        l = L … 0, δ of shape (e, c or 1, m_{l+1}, n), and h of shape (e, c, m_l, n) or (d, n).
    """
    delta = scaled(cotangent, gains[-1])[:, None]
    for layer in range(len(weights) - 1, -1, -1):
        below = None
        if layer:
            below = weights[layer].swapaxes(-1, -2) @ delta
            below *= signals.slopes[layer - 1]
            gain = gains[layer - 1]
            if gain is not None:
                below *= gain
        yield layer, delta, signals.inputs[layer]
        if below is not None:
            delta = below


def output_factors(weights: Sequence[Array], gains: Gains, signals: Signals) -> list[list[Array]]:
    """δ of every output and layer: those of `backward` for one output at a time, layers upward."""
    found = []
    for output in range(signals.output.shape[1]):
        unit = np.zeros_like(signals.output)
        unit[:, output] = 1.0
        found.append([delta for _, delta, _ in backward(weights, gains, signals, unit)][::-1])
    return found


def gradient(
    weights: Sequence[Array], gains: Gains, signals: Signals, cotangent: Array
) -> tuple[Array, ...]:
    """The gradient of Σ r f by every layer's weights, with shapes of ``weights``."""
    found = [
        delta @ h.swapaxes(-1, -2) for _, delta, h in backward(weights, gains, signals, cotangent)
    ]
    return tuple(found[::-1])


def pushforward(
    weights: Sequence[Array], gains: Gains, signals: Signals, directions: Sequence[Array]
) -> Array:
    """The derivative of the output along a direction of the weights, shape (e, k, n)."""
    change: Array | None = None
    for layer, (matrix, direction) in enumerate(zip(weights, directions, strict=True)):
        moved = direction @ signals.inputs[layer]
        if change is not None:
            moved += matrix @ change
        if layer == len(weights) - 1:
            break
        change = scaled(moved, gains[layer]) * signals.slopes[layer]
    return scaled(moved.sum(axis=1), gains[-1])


def scaled(array: Array, gain: Array | None) -> Array:
    """An array of shape (e, …) times the gain of its network."""
    if gain is None:
        return array
    return np.asarray(array * gain.reshape(len(gain), *(1,) * (array.ndim - 1)))
