"""What the parts share: networks from small weights, and reading them where their stage ends."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from netphase import activations
from netphase._types import Array
from netphase.activations import Activation
from netphase.datasets import Dataset
from netphase.directions import escape_times
from netphase.dynamics import (
    Adam,
    Flow,
    GradientDynamics,
    MacroscopicDynamics,
    breakdown_time,
    evolve,
)
from netphase.engine.problem import Stop
from netphase.networks import Parameters, TwoLayerNetwork, initial_parameters
from netphase.observables import label_mean
from netphase.scalings import Scales

LOOKS = (0.5, 0.9, 1.1, 1.5, 2.5)
"""Times at which a network is looked at first, in units of its expected break-down time."""

REFINEMENTS, NEAR = 6, 1e-4
"""Most looks after that, by false position, and log(|f|_rms/δ|y|_rms) that counts as zero."""

RTOL = 1e-6
"""Tolerance of a step, of networks and of the macroscopic equation."""

SLOWEST = 10.0
"""Largest factor by which a neuron is made larger in order to escape with the others."""


class Breakdown(NamedTuple):
    """A network at the end of its initial stage, where |f|_rms = δ|y|_rms.

    Attributes:
        escapes: λT, the time in units of the escape, λ = ‖z‖/α.
        parameters: the network then, normalised.
    """

    escapes: float
    parameters: Parameters


def small_network(activation: str | Activation, std: float) -> TwoLayerNetwork:
    """The network with α = 1 and one standard deviation for all weights."""
    return TwoLayerNetwork(activations.get(activation), Scales(1.0, std, std))


def breakdown(
    dynamics: GradientDynamics | MacroscopicDynamics, start: Parameters, delta: float
) -> Breakdown:
    """Follows a network of multiplicity one to the end of its initial stage.

    Args:
        dynamics: the network itself, or the macroscopic equation with its own moments.
        start: the parameters at the start, normalised.
        delta: δ, the part of |y|_rms that |f|_rms reaches.

    Returns:
        The network then; if that is not among the times looked at, NaN for λT and the last state.
    """
    network, data = dynamics.network, dynamics.data
    expected = breakdown_time(
        network.scales, len(start.a), data, network.activation, delta=delta, antisymmetric=False
    )
    times = expected.time * np.array(LOOKS)
    seen = evolve(dynamics, Flow(RTOL), start, stop=_until(times[-1]), times=times).snapshots
    level = math.log(delta) + 0.5 * math.log(np.mean(data.y**2))
    heights = [math.log(_output_rms(dynamics, each)) - level for each in seen]
    after = int(np.argmax(np.array(heights) > 0))
    if after == 0:
        return Breakdown(math.nan, seen[-1])
    low, below, state = times[after - 1], heights[after - 1], seen[after - 1]
    high, above = times[after], heights[after]
    for _ in range(REFINEMENTS):
        now = low - below * (high - low) / (above - below)
        there = evolve(dynamics, Flow(RTOL), state, stop=_until(now - low)).final
        height = math.log(_output_rms(dynamics, there)) - level
        if abs(height) < NEAR:
            break
        if height > 0:
            high, above = now, height
        else:
            low, below, state = now, height, there
    rate = float(np.linalg.norm(label_mean(data.x, data.y))) / network.scales.alpha
    return Breakdown(rate * now * network.scales.clock, there)


def _until(time: float) -> Stop:
    return Stop(mean_square=0.0, time=float(time))


def _output_rms(dynamics: GradientDynamics | MacroscopicDynamics, state: Parameters) -> float:
    """Root mean square of f over the data; of its linear part in the macroscopic equation."""
    network, data = dynamics.network, dynamics.data
    if isinstance(dynamics, GradientDynamics):
        values = dynamics.output(state)
    else:
        slope = float(network.activation.derivative(np.zeros(1))[0])
        values = slope * network.scales.kappa * (data.x @ (state.a @ state.w))
    return float(math.sqrt(np.mean(values**2)))


def synchronised(
    data: Dataset,
    activation: str | Activation,
    width: int,
    seed: int,
    coefficient: float | None = None,
) -> Parameters:
    """Gaussian neurons, each rescaled so that all of them escape at the same time.

    Near the origin neurons of multiplicity p > 1 blow up at times that go as size^−(p−1), so that
    of a Gaussian start only the few that are first condense before the network fits something.
    Directions of neurons do not depend on their sizes; these only set the time.

    Args:
        data: inputs and targets.
        activation: σ of multiplicity p > 1.
        width: neurons drawn; those that never escape, or so late that they would have to start
            ten times as large as the others, are left out.
        seed: any integer.
        coefficient: c of an activation of one's own, see `netphase.directions.expansion`.

    Returns:
        The neurons, those with the median escape time at the size that was drawn.
    """
    a, w = initial_parameters(width, data.d, seed, antisymmetric=False)
    power = (activations.get(activation).multiplicity or 1) - 1
    times = escape_times(data, activation, a, w, coefficient=coefficient)
    factor: Array = (times / np.median(times)) ** (1 / power)
    kept = factor <= SLOWEST
    factor = factor[kept]
    return Parameters(a[kept] * factor, w[kept] * factor[:, None])


def adam(
    data: Dataset,
    activation: str,
    width: int,
    std: float,
    rate: float,
    epochs: tuple[int, ...],
    seed: int,
) -> tuple[Parameters, ...]:
    """A network trained as the literature does, by Adam on the full batch.

    Args:
        data: inputs and targets.
        activation: σ.
        width: neurons m.
        std: standard deviation of all weights.
        rate: learning rate.
        epochs: increasing steps at which to look.
        seed: of the start.

    Returns:
        The parameters after each of ``epochs``, normalised.
    """
    dynamics = GradientDynamics(small_network(activation, std), data)
    start = initial_parameters(width, data.d, seed, antisymmetric=False)
    stop = Stop(mean_square=0.0, time=float(epochs[-1]))
    return evolve(dynamics, Adam(rate), start, stop=stop, times=list(map(float, epochs))).snapshots


def rescaled(data: Dataset, rms: float) -> Dataset:
    """The data with targets of a given root mean square."""
    y = data.y * (rms / math.sqrt(np.mean(data.y**2)))
    return Dataset(data.x, y, data.name, bias=data.bias)
