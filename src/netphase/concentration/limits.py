"""The limit at one width, and how far one network's kernels are from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from netphase._types import Array
from netphase.kernels import DeepKernels, tangent_kernel
from netphase.networks import LayerParameters, MultiLayerNetwork
from netphase.observables import kernel_change


class Spectrum(NamedTuple):
    """Eigenvalues and eigenvectors of a symmetric kernel.

    Attributes:
        values: ascending, shape (nk,); those of the size of rounding are 0.
        modes: one column each, shape (nk, nk).
    """

    values: Array
    modes: Array

    def decayed(self, residual: Array, time: Array, n: int, step: float = 0.0) -> Array:
        """The mean square error of de/dt = −(1/n) Θ e, in closed form.

        Args:
            residual: e(0), shape (nk,).
            time: t ≥ 0, shape (t,).
            n: number of samples.
            step: h of a literal descent, whose modes shrink by 1 − hλ/n a step; 0 for the flow.

        Returns:
            (1/n) Σ e², shape (t,).
        """
        rates = self.values / n
        if step > 0.0:
            with np.errstate(divide="ignore"):
                rates = -np.log(np.abs(1.0 - step * rates)) / step
        with np.errstate(invalid="ignore"):  # a mode that is gone after one step, at t = 0
            left = np.where(time[:, None] > 0, np.exp(-2.0 * np.outer(time, rates)), 1.0)
        return np.asarray(left @ (self.modes.T @ residual) ** 2 / n)


def spectrum(kernel: Array) -> Spectrum:
    """The eigenvalues and eigenvectors of one kernel, shape (nk, nk); NaN of one that is none."""
    if not np.all(np.isfinite(kernel)):
        return Spectrum(np.full(len(kernel), np.nan), np.full(kernel.shape, np.nan))
    values, modes = np.linalg.eigh(kernel)
    noise = len(values) * np.finfo(np.float64).eps * values[-1]
    return Spectrum(np.where(values > noise, values, 0.0), modes)


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

    @cached_property
    def spectrum(self) -> Spectrum:
        """That of Θ."""
        return spectrum(self.tangent)


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


def feature_grams(network: MultiLayerNetwork, parameters: LayerParameters, x: Array) -> list[Array]:
    """Empirical S^[l] = x^[l]·x^[l]′/m_l of the first copy of one network, l = 1 … L, (n, n)."""
    hidden = network.signals(parameters, x, slopes=False).inputs[1:]
    betas = network.all_scales[0].betas
    found = []
    for layer, values in enumerate(hidden, 1):
        h = values[0, 0].astype(np.float64)
        gain = 1.0
        if network.activation.homogeneous:  # its signals leave out β_1 … β_l
            gain = math.exp(2.0 * math.fsum(map(math.log, betas[:layer])))
        found.append(gain * (h.T @ h) / len(h))
    return found


def _distance(found: Array, limit: Array) -> float:
    return float(kernel_change(limit, found).relative)


def _distances(found: Array | list[Array], limits: tuple[Array, ...]) -> Array:
    return np.array([_distance(*pair) for pair in zip(found, limits, strict=True)])
