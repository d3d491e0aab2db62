"""The limit at one width, and how far one network's kernels are from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from netphase._types import Array
from netphase.kernels import DeepKernels, tangent_kernel
from netphase.kernels.modes import above_rounding
from netphase.networks import LayerParameters, MultiLayerNetwork
from netphase.observables import kernel_change


@dataclass(frozen=True, eq=False)
class Limit:
    """What the kernels of a network of k outputs and one or two copies tend to.

    Attributes:
        kernels: those of one output and copy.
        outputs: k.
        copies: 2 for an antisymmetric network, whose tangent kernel is twice as large, else 1.
    """

    kernels: DeepKernels
    outputs: int
    copies: int

    @cached_property
    def layers(self) -> tuple[Array, ...]:
        """Θ^[l], l = 1 … L+1, each of shape (nk, nk)."""
        unit = self.copies * np.eye(self.outputs)
        pairs = zip(self.kernels.weights, self.kernels.kernels, strict=True)
        return tuple(np.kron(weight * kernel, unit) for weight, kernel in pairs)

    @cached_property
    def tangent(self) -> Array:
        """Θ, shape (nk, nk)."""
        return np.asarray(sum(self.layers))


class Measures(NamedTuple):
    """How far one network is from the limit, in relative Frobenius norms.

    Attributes:
        tangent_error: of Θ.
        layer_error: of Θ^[l], shape (L+1,).
        feature_error: of S^[l], shape (L,).
        share: shares of the layers in the trace of its own Θ, shape (L+1,).
        tangent: its Θ, shape (nk, nk).
    """

    tangent_error: float
    layer_error: Array
    feature_error: Array
    share: Array
    tangent: Array


def measure(
    network: MultiLayerNetwork, parameters: LayerParameters, x: Array, limit: Limit
) -> Measures:
    """Measures one network at its start.

    Args:
        network: the network.
        parameters: of one network.
        x: inputs, shape (n, d).
        limit: its limit at the same scales.

    Returns:
        The measures.
    """
    found = tangent_kernel(network, parameters, x)
    layers, grams = found.layers[:, 0], feature_grams(network, parameters, x)
    total = layers.sum(axis=0)
    return Measures(
        tangent_error=_distance(total, limit.tangent),
        layer_error=_distances(layers, limit.layers),
        feature_error=_distances(grams, limit.kernels.features),
        share=found.shares[0],
        tangent=total,
    )


def eigenvalues(kernel: Array) -> Array:
    """Those of one kernel of shape (nk, nk), ascending; NaN where it is not finite."""
    if not np.all(np.isfinite(kernel)):
        return np.full(len(kernel), np.nan)
    return above_rounding(np.linalg.eigvalsh(kernel))


def feature_grams(network: MultiLayerNetwork, parameters: LayerParameters, x: Array) -> list[Array]:
    """Empirical S^[l] = x^[l]·x^[l]′/m_l of the first copy of one network, l = 1 … L, (n, n)."""
    hidden = network.signals(parameters, x, slopes=False).inputs[1:]
    gains = network.gains(1, np.dtype(np.float64))
    found, missing = [], 0.0  # the part of β_1 … β_l that signals of a homogeneous σ leave out
    for values, beta, gain in zip(hidden, network.all_scales[0].betas, gains, strict=False):
        missing += math.log(beta) - (0.0 if gain is None else math.log(gain.item()))
        h = values[0, 0].astype(np.float64)
        found.append(math.exp(2.0 * missing) * (h.T @ h) / len(h))
    return found


def _distance(found: Array, limit: Array) -> float:
    return float(kernel_change(limit, found).relative)


def _distances(found: Array | list[Array], limits: tuple[Array, ...]) -> Array:
    return np.array([_distance(*pair) for pair in zip(found, limits, strict=True)])
