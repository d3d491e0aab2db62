"""What the parts share: one trained network with its function and its cloud."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netphase import activations
from netphase._types import Array
from netphase.datasets import Dataset, four_points
from netphase.dynamics import Descent, GradientDynamics, Trajectory, evolve
from netphase.engine.problem import Stop
from netphase.experiment import Experiment
from netphase.networks import TwoLayerNetwork, initial_parameters
from netphase.observables import Features, features
from netphase.scalings import ScalingLaw

IMAGE_MEAN_SQUARE = 1e-4
"""Where training on images stops (section 4.1 and the authors' script)."""


@dataclass(frozen=True)
class Trained:
    """A trained network.

    Attributes:
        network: the map.
        trajectory: its run.
        width: neurons of one copy, the first of the trained ones.
    """

    network: TwoLayerNetwork
    trajectory: Trajectory
    width: int

    @property
    def initial(self) -> Features:
        """Directions and amplitudes of the first copy at the start."""
        return features(self.trajectory.initial, self.width)

    @property
    def final(self) -> Features:
        """Directions and amplitudes of the first copy after training."""
        return features(self.trajectory.final, self.width)

    def output(self, points: Array) -> Array:
        """The trained function of one input, shape (p,)."""
        x = np.column_stack([points, np.ones(len(points))])
        return self.network.output(self.trajectory.final, x)


def network_at(gamma: float, gamma_prime: float, width: int) -> TwoLayerNetwork:
    """The ReLU network of a point of the plane, with β₁ = 1."""
    scales = ScalingLaw.from_gamma(gamma, gamma_prime).at_width(width)
    return TwoLayerNetwork(activations.get("relu"), scales)


def train(
    gamma: float,
    gamma_prime: float,
    width: int,
    seed: int = 0,
    data: Dataset | None = None,
    *,
    antisymmetric: bool = True,
    mean_square: float = 1e-6,
    tolerance: float = 0.01,
    both_copies: bool = False,
) -> Trained:
    """Train one ReLU network by automatic descent.

    Args:
        gamma: γ.
        gamma_prime: γ'.
        width: neurons m of one copy.
        seed: any integer.
        data: the four points of the paper by default.
        antisymmetric: start at zero, with a second copy.
        mean_square: target of (1/n) Σ e².
        tolerance: of the automatic step.
        both_copies: whether relative changes are over both copies instead of the first.

    Returns:
        The trained network.
    """
    points = four_points() if data is None else data
    network = network_at(gamma, gamma_prime, width)
    start = initial_parameters(width, points.d, seed, antisymmetric)
    trajectory = evolve(
        GradientDynamics(network, points),
        Descent(tolerance=tolerance),
        start,
        stop=Stop(mean_square=mean_square, stagnation=0.01),
        tracked=None if both_copies else width,
    )
    return Trained(network, trajectory, width)


def base_experiment(data: Dataset | str = "four_points", gauge: float = 0.0) -> Experiment:
    """What the runs of a sweep share; antisymmetric to 1e-6, except on images (section 4.1).

    Args:
        data: a data set; anything but "four_points" is trained as the paper trains images.
        gauge: exponent of β₁.
    """
    law = ScalingLaw.from_gamma(1.0, 0.0, gauge)
    if data == "four_points":
        return Experiment(law=law, width=1000)
    return Experiment(
        law=law, width=1000, data=data, antisymmetric=False, mean_square=IMAGE_MEAN_SQUARE
    )
