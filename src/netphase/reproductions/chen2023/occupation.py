"""Gradient flow from small weights: which of the predicted directions trained networks use."""

from __future__ import annotations

import math
from typing import NamedTuple

from netphase import activations
from netphase._types import Status
from netphase.activations import Activation
from netphase.datasets import Dataset
from netphase.directions import predicted_directions
from netphase.dynamics import Flow, GradientDynamics, evolve
from netphase.engine.problem import Stop
from netphase.kernels import stage_end
from netphase.networks import initial_parameters
from netphase.observables import Features, condensed_directions, features
from netphase.reproductions.chen2023.training import rescaled, small_network, synchronised

WIDTH, OWN_WIDTH = 200, 48
"""Neurons, and those of an activation that runs in NumPy."""

SIZE, PART = 1e-6, 0.02
"""|y|_rms (small, so that |w·x| stays small until the stage ends), and the part of the error that
the leading order explains which is then gone."""

GROWTH, FIRST_GROWTH, OWN_GROWTH = 10000.0, 1000.0, 30.0
"""About how much neurons grow in the initial stage: at p > 1, at p = 1, and in NumPy."""

RTOL, OWN_RTOL = 1e-8, 1e-6

ACTIVE, LEAST, NEAR = 0.1, 0.003, 0.95
"""Neurons above this share of the largest amplitude are looked at, of rescaled ones (which are the
larger, the slower their direction grows) those above the second share; nearer cosines are equal."""


class Occupied(NamedTuple):
    """What a trained network occupies at the end of its initial stage.

    Attributes:
        cloud: its neurons.
        directions: number of directions that active neurons are on.
        predicted: directions that were predicted.
        hits: predicted directions that active neurons are on.
        nearest: least cosine of an occupied direction with the nearest predicted one.
        time: raw time at the end.
    """

    cloud: Features
    directions: int
    predicted: int
    hits: int
    nearest: float
    time: float


def occupied(
    data: Dataset, activation: str | Activation, seed: int, growth: float = GROWTH
) -> Occupied:
    """Train a network from small weights to the end of its initial stage.

    For p > 1 its neurons are rescaled so that all of them escape at the same time.

    Args:
        data: inputs and targets; the targets are made small.
        activation: σ; one of the user's own has c = 1.
        seed: of the neurons.
        growth: about the factor by which neurons grow; no more than at p = 1 and in NumPy.

    Returns:
        What it occupies; nothing if the run did not reach the end of the stage.
    """
    small, sigma = rescaled(data, SIZE), activations.get(activation)
    own, order = sigma.smooth and sigma.code is None, sigma.multiplicity or 1
    width, coefficient = (OWN_WIDTH, 1.0) if own else (WIDTH, None)
    if order == 1:
        start = initial_parameters(width, data.d, seed, antisymmetric=False)
    else:
        start = synchronised(small, sigma, width, seed, coefficient)
    final = (SIZE / width) ** (1 / (1 + order))
    most = OWN_GROWTH if own else FIRST_GROWTH if order == 1 else math.inf
    network = small_network(sigma, final / min(growth, most))
    run = evolve(
        GradientDynamics(network, small),
        Flow(OWN_RTOL if own else RTOL),
        start,
        stop=Stop(stage_end(small, sigma, PART)),
    )
    cloud = features(run.final)
    expected = predicted_directions(small, sigma, coefficient=coefficient, neurons=0)
    if run.status is not Status.CONVERGED:
        return Occupied(cloud, 0, expected.count, 0, math.nan, math.nan)
    seen = condensed_directions(cloud, NEAR, ACTIVE if order == 1 else LEAST).directions
    cosines = seen @ expected.directions.T
    return Occupied(
        cloud,
        len(seen),
        expected.count,
        int((cosines.max(axis=0) > NEAR).sum()),
        float(cosines.max(axis=1).min()),
        float(run.time[-1]) * network.scales.clock,
    )
