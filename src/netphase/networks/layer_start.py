"""Starting points of `MultiLayerNetwork`: normal weights, the same for every scaling of a seed."""

from __future__ import annotations

from collections.abc import Sequence, Sized

import numpy as np

from netphase._checks import check_memory, instance_of, one_of
from netphase._types import Array, DTypeName
from netphase.errors import ArgumentError
from netphase.networks.layer_parameters import LayerParameters
from netphase.networks.multi_layer import MultiLayerNetwork
from netphase.seeds import Stream, generator


def initial_layer_parameters(
    network: MultiLayerNetwork, seeds: Sequence[int] = (0,), dtype: DTypeName = "float64"
) -> LayerParameters:
    """Standard normal weights, the starting point in normalised variables.

    For every entry of ``network.scales`` there is one network a seed, the seeds of an entry side by
    side; a seed's draws are the same for all scalings. The draws of smaller widths and depths are
    among those of larger ones, and those of one hidden layer are those of `initial_parameters`.

    Args:
        network: the networks.
        seeds: integers.
        dtype: precision of the arrays.

    Returns:
        Weights of len(scales) × len(seeds) networks. The second copy of an antisymmetric network
        has the hidden layers of the first and the opposite output weights.

    Raises:
        ArgumentError: ``seeds`` is no sequence or is empty, one is not an integer, the dtype is
            unknown, or the weights do not fit into memory.
    """
    instance_of("network", network, MultiLayerNetwork, "a MultiLayerNetwork")
    precision = np.dtype(one_of("dtype", dtype, ("float64", "float32")))
    instance_of("seeds", seeds, Sized, "a sequence of integers")
    if len(seeds) == 0:
        raise ArgumentError("Argument `seeds` must hold at least one seed, but is empty.")
    few = len(network.all_scales)
    check_memory(
        float(network.number_of_weights) * few * len(seeds) * precision.itemsize,
        f"Argument `network` must fit into memory, but {few * len(seeds)} networks of the widths "
        f"{network.layers[1:-1]}",
    )
    drawn = [_draw(network, seed, precision) for seed in seeds]
    weights = tuple(np.stack(layer * few) for layer in map(list, zip(*drawn, strict=True)))
    return LayerParameters(weights, weights if network.kind == "centred" else ())


def _draw(network: MultiLayerNetwork, seed: int, dtype: np.dtype[np.floating]) -> list[Array]:
    """The weights of one network, each of shape (c, m_l, m_{l−1})."""
    d, *hidden, outputs = network.layers
    first = generator(seed, Stream.INPUT_WEIGHTS).standard_normal((hidden[0], d))
    last = generator(seed, Stream.OUTPUT_WEIGHTS).standard_normal((hidden[-1], outputs)).T
    between = [
        _nested_normal(generator(seed, Stream.HIDDEN_WEIGHTS, layer), *shape)
        for layer, shape in enumerate(zip(hidden[1:], hidden[:-1], strict=True), 2)
    ]
    signs = np.array([1.0, -1.0])[: network.copies, None, None]
    copied = [np.repeat(each[None], network.copies, axis=0) for each in (first, *between)]
    return [np.ascontiguousarray(each, dtype=dtype) for each in (*copied, signs * last)]


def _nested_normal(random: np.random.Generator, rows: int, columns: int) -> Array:
    """Normal numbers of which the leading block of any size has the first draws.

    Draws fill a square matrix shell by shell: those of rows and columns up to s come before s + 1.
    """
    i, j = np.arange(rows)[:, None], np.arange(columns)
    shell = np.maximum(i, j)
    place = shell * shell + np.where(i == shell, shell + j, i)
    return np.asarray(random.standard_normal(max(rows, columns) ** 2)[place])
