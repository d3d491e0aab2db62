"""What tests of deep networks share: networks on a few points, and where they start."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from netphase import activations, datasets, networks
from netphase.scalings import layer_initialisation


def deep_case(
    dynamics: Callable[..., Any],
    name: str = "tanh",
    depth: int = 2,
    m: int = 12,
    scalings: Sequence[str] = ("he", "mup"),
    seeds: Sequence[int] = (0, 1),
    data: datasets.Dataset | None = None,
    **network: Any,
) -> tuple[Any, networks.LayerParameters]:
    """Dynamics of an ensemble on some points, by default four, and its start.

    Args:
        dynamics: from a network, inputs and targets.
        name: of the activation.
        depth: L.
        m: width.
        scalings: names of the initialisations.
        seeds: of the start.
        data: inputs and targets; outputs beyond the first have multiples of these.
        network: further arguments of the network.
    """
    points = datasets.four_points() if data is None else data
    d = points.x.shape[1]
    scales = tuple(layer_initialisation(each, depth, d=d).at_width(m) for each in scalings)
    deep = networks.MultiLayerNetwork(activations.get(name), scales, d, **network)
    factors = [1.0, -0.5, 2.0][: deep.outputs]
    y = points.y if deep.outputs == 1 else np.outer(points.y, factors)
    return dynamics(deep, points.x, y), networks.initial_layer_parameters(deep, seeds)


@pytest.fixture(name="deep_case", scope="session")
def _deep_case() -> Callable[..., tuple[Any, networks.LayerParameters]]:
    """The function `deep_case`."""
    return deep_case
