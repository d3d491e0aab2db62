"""How far the hidden representations of deep networks have moved on given inputs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netphase._checks import check_memory, instance_of
from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.networks import LayerParameters, MultiLayerNetwork
from netphase.observables.kernel_change import centred_kernels, compared, frobenius


class FeatureChange(NamedTuple):
    """Changes of the hidden representations x^[l], l = 1 … L, of e networks, each (e, L).

    Attributes:
        relative: ‖x^[l](t) − x^[l](0)‖_F/‖x^[l](0)‖_F over neurons and samples.
        gram: the same of the Gram matrices x^[l]ᵀ x^[l], which do not change where the neurons are
            permuted or rotated.
        distance: 1 − CKA, one minus the cosine of the centred Gram matrices, in [0, 1]: zero where
            the representation has only been rotated, shifted or scaled.
    """

    relative: Array
    gram: Array
    distance: Array


def feature_change(
    network: MultiLayerNetwork, initial: LayerParameters, final: LayerParameters, x: Array
) -> FeatureChange:
    """How far what the hidden layers make of some inputs has moved, relative to the start.

    Of an antisymmetric network both copies count: its representation is that of the two side by
    side. In the lazy regime all of it vanishes as the width grows; where features are learnt, it
    stays of order one.

    Args:
        network: the map of both.
        initial: W(0) of e networks.
        final: W(t), same shapes; it need not be finite.
        x: inputs, shape (n, d).

    Returns:
        The changes, float64; NaN where ``final`` is not finite, where a layer is silent on all of
        ``x`` at the start (it has no size to compare with), and for the distance also where it
        tells no two samples apart.

    Raises:
        ArgumentError: shapes do not fit, an input or ``initial`` is not finite, or the Gram
            matrices do not fit into memory.

    References:
        Yang & Hu (ICML 2021) for the change of features as the mark of the rich regime; Kornblith
        et al. (ICML 2019) for CKA.

    Example:
        >>> from netphase import activations, networks
        >>> from netphase.scalings import layer_initialisation
        >>> scales = layer_initialisation("mup", depth=2, d=1).at_width(20)
        >>> network = networks.MultiLayerNetwork(activations.get("tanh"), scales, inputs=1)
        >>> start = networks.initial_layer_parameters(network, seeds=range(3))
        >>> flipped = networks.LayerParameters((-start.weights[0], *start.weights[1:]))
        >>> change = feature_change(network, start, flipped, np.array([[1.0], [2.0]]))
        >>> change.relative[0].tolist(), bool(np.all(change.gram < 1e-12))
        ([2.0, 2.0], True)
    """
    instance_of("network", network, MultiLayerNetwork, "a MultiLayerNetwork")
    before, after = network.check(initial), network.check(final)
    if len(before[0]) != len(after[0]):
        raise ArgumentError(
            "Arguments `initial` and `final` must hold equally many networks, but hold "
            f"{len(before[0])} and {len(after[0])}."
        )
    if not all(np.all(np.isfinite(each)) for each in before):
        raise ArgumentError("Argument `initial` must be finite, but a weight is not.")
    matrices, n = 4 * len(before[0]), len(network.check_inputs(x))
    check_memory(
        8.0 * matrices * n * n,
        f"Argument `x` must have fewer rows: {matrices} matrices of {n} × {n} samples",
    )
    with np.errstate(all="ignore"):
        start, end = _hidden(network, initial, x), _hidden(network, final, x)
        rows = [_changes(*pair) for pair in zip(start, end, strict=True)]
    return FeatureChange(*(np.stack(each, axis=1) for each in zip(*rows, strict=True)))


def _hidden(network: MultiLayerNetwork, parameters: LayerParameters, x: Array) -> list[Array]:
    """The values of every hidden layer, copies side by side, float64, (e, c·m_l, n)."""
    layers = network.signals(parameters.astype(np.float64), x, slopes=False).inputs[1:]
    return [each.reshape(len(each), -1, each.shape[-1]) for each in layers]


def _changes(before: Array, after: Array) -> tuple[Array, Array, Array]:
    """Changes of one layer, each of shape (e,)."""
    unit = np.abs(before).max(axis=(1, 2), keepdims=True)
    before, after = before / unit, after / unit
    relative = frobenius(after - before) / frobenius(before)
    grams = [each.swapaxes(1, 2) @ each for each in (before, after)]
    centred = compared(_centred(grams[0]), _centred(grams[1]))
    return relative, compared(grams[0], grams[1]).relative, centred.distance


def _centred(gram: Array) -> Array:
    """The centred Gram matrices; zero where nothing but rounding errors is left."""
    centred = centred_kernels(gram, gram.shape[-1])
    noise = 1e-13 * np.abs(gram).max(axis=(1, 2), keepdims=True)
    return np.where(np.abs(centred).max(axis=(1, 2), keepdims=True) > noise, centred, 0.0)
