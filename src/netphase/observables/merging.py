"""The condensed network: neurons that share a direction merged into one."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from netphase._checks import finite_array, instance_of
from netphase._types import Array
from netphase.activations import Activation
from netphase.errors import ArgumentError
from netphase.networks import Parameters, TwoLayerNetwork
from netphase.observables.clusters import condensed_directions
from netphase.observables.features import exponent_of, features, rows_near_one

LEFT_OUT = -1


@dataclass(frozen=True)
class MergedNetwork:
    """A network of few neurons in place of many.

    Attributes:
        parameters: ``a`` of shape (size,), ``w`` of shape (size, d), normalised as before: the
            same `TwoLayerNetwork` maps them to a function.
        size: neurons of the merged network.
        neurons_before: neurons that there were.
        labels: merged neuron of each neuron, −1 for one left out, shape (neurons_before,).
        inactive: neurons left out.
        error: rms difference of the outputs over the given inputs, relative to the rms output
            before; NaN where that is zero up to rounding.
    """

    parameters: Parameters
    size: int
    neurons_before: int
    labels: npt.NDArray[np.intp]
    inactive: int
    error: float


def merge(
    network: TwoLayerNetwork,
    parameters: Parameters,
    x: Array,
    cosine: float = 0.95,
    least_share: float = 0.005,
    refit: bool = False,
) -> MergedNetwork:
    """Merge the neurons that share a direction into one each.

    The groups are the `condensed_directions` of all neurons, weak ones included; groups that carry
    little amplitude are left out. A group with mean direction u, amplitude-weighted, becomes one
    neuron w = s u with s the weighted mean of the |w_k| and a = Σ a_k |w_k|^p / s^p, p being the
    activation's multiplicity (1 where it has none). Output weights of both signs add up; opposite
    directions stay apart.

    What is exact: for a homogeneous activation the merged network is the same function where the
    directions of each group coincide, whatever their lengths. For a smooth activation it is the
    same where also the lengths coincide, and else to leading order in small |w·x|. Where
    σ(0) ≠ 0 that order is the constant σ(0) Σ a_k, which no such neuron keeps: those networks are
    only merged with ``refit``, which then chooses all a by least squares against the outputs
    before and never makes them worse.

    Args:
        network: the map, with its activation and scales.
        parameters: ``a`` of shape (m,), ``w`` of shape (m, d), normalised; all neurons of the
            network, both copies of an antisymmetric one.
        x: inputs at which the functions are compared (and refitted), shape (n, d).
        cosine: neurons nearer than this share a direction, in (−1, 1).
        least_share: groups that carry a smaller share of the amplitude are left out, in [0, 1).
        refit: choose the output weights by least squares.

    Returns:
        The merged network, its size and its error.

    Raises:
        ArgumentError: an argument is outside its range, shapes do not fit, a number is not
            finite, all neurons are dead, no group carries ``least_share`` (an uncondensed
            network of many inputs: nothing is to be merged), or σ(0) ≠ 0 without ``refit``.

    References:
        Zhang & Xu (TPAMI 2024), the effective neuron number; Luo et al. (JMLR 2021), Fig. 2: at
        γ = 1.75 two neurons are left, and a third, of 2% of the amplitude, for the constant 1/36.

    Example:
        >>> from netphase import activations
        >>> from netphase.scalings import Scales
        >>> network = TwoLayerNetwork(activations.get("relu"), Scales(1.0, 1.0, 1.0))
        >>> many = Parameters(np.array([1.0, 2.0, -1.0]), np.array([[1.0], [3.0], [-2.0]]))
        >>> few = merge(network, many, np.array([[1.0], [-1.0]]))
        >>> few.size, bool(few.error < 1e-15)
        (2, True)
    """
    instance_of("network", network, TwoLayerNetwork, "a TwoLayerNetwork")
    inputs = finite_array("x", x, 2)
    if not refit:
        _check_centred(network.activation)
    before = network.output(parameters, inputs)
    found = condensed_directions(features(parameters), cosine, 0.0, least_share=least_share)
    a = np.asarray(parameters.a, dtype=np.float64)
    w = np.asarray(parameters.w, dtype=np.float64)
    near_one, exponent = rows_near_one(w)
    norm = np.ldexp(np.linalg.norm(near_one, axis=1), exponent)
    labels = np.maximum(found.labels, LEFT_OUT)
    merged = _grouped(a, norm, labels, found.directions, network.activation.multiplicity or 1)
    if refit:
        ones = np.ones(found.count)
        columns = [
            network.output(Parameters(ones[k : k + 1], merged.w[k : k + 1]), inputs)
            for k in range(found.count)
        ]
        correction = before - network.output(merged, inputs)
        step = np.linalg.lstsq(np.column_stack(columns), correction, rcond=None)[0]
        merged = Parameters(merged.a + step, merged.w)
    difference = network.output(merged, inputs) - before
    size = _size(before)
    error = _size(difference) / size if size > _rounding(network, parameters, inputs) else math.nan
    left_out = int((labels == LEFT_OUT).sum())
    return MergedNetwork(merged, found.count, len(a), labels, left_out, error)


def _check_centred(activation: Activation) -> None:
    constant = float(activation.value(np.zeros(1))[0])
    if constant != 0:
        raise ArgumentError(
            f"Argument `network` must have an activation that is zero at 0, but {activation.name} "
            f"is {constant:.3g} there: merging does not keep that constant. Take refit=True, or "
            "train with the centred activation (activations.centred)."
        )


def _size(values: Array) -> float:
    """The root mean square of numbers of any size."""
    exponent = exponent_of(values)
    near_one = np.ldexp(np.asarray(values, dtype=np.float64), -exponent)
    return math.ldexp(math.sqrt(float(np.mean(near_one**2))), exponent)


def _rounding(network: TwoLayerNetwork, parameters: Parameters, x: Array) -> float:
    """The size of an output that only rounding keeps from zero, from that of κ Σ |a_k σ̄(w_k·x)|.

    Sums of m numbers round as √m at random, pre-activations at most as d.
    """
    sigma = network.activation.value
    positive = replace(network.activation, value=lambda z: np.abs(sigma(z)), code=None)
    without_signs = Parameters(np.abs(parameters.a), parameters.w)
    gross = TwoLayerNetwork(positive, network.scales).output(without_signs, x)
    terms = math.sqrt(len(parameters.w)) + float(parameters.w.shape[1])
    return 4 * float(np.finfo(gross.dtype).eps) * terms * _size(gross)


def _grouped(
    a: Array, norm: Array, labels: npt.NDArray[np.intp], directions: Array, p: int
) -> Parameters:
    """One neuron per group with the group's leading term at small inputs."""
    kept = labels != LEFT_OUT
    group, few, length = labels[kept], a[kept], norm[kept]
    count = len(directions)
    unit = np.bincount(group, length, count) / np.bincount(group, minlength=count)  # mean |w|
    relative = length / unit[group]
    strength = np.abs(few) * relative**p
    size = np.bincount(group, strength * relative, count) / np.bincount(group, strength, count)
    weight = np.bincount(group, few * relative**p, count) / size**p
    return Parameters(weight, directions * (size * unit)[:, None])
