"""Chance level: a statistic of the neurons against the same for neurons without any structure."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from netphase._checks import one_of, positive_int
from netphase._types import Array
from netphase.observables.clusters import condensed_directions
from netphase.observables.cosine import cosine_summary
from netphase.observables.cover import minimal_cover
from netphase.observables.features import Features, living
from netphase.observables.spread import effective_rank, entropy_number, participation_ratio
from netphase.seeds import Stream, generator

Statistic = Callable[[Features], float]


def _number(lines: bool) -> Statistic:
    return lambda cloud: condensed_directions(cloud, threshold=0.0, lines=lines).count


STATISTICS: dict[str, tuple[Statistic, int]] = {
    "mean_square_cosine": (lambda c: cosine_summary(c, weighted=True).mean_square_cosine, 1),
    "effective_rank": (effective_rank, -1),
    "entropy_number": (entropy_number, -1),
    "participation_ratio": (participation_ratio, -1),
    "effective_number": (lambda c: condensed_directions(c, threshold=0.0).effective_number, -1),
    "clusters": (_number(lines=False), -1),
    "lines": (_number(lines=True), -1),
    "cover": (lambda c: minimal_cover(c, threshold=0.0).upper, -1),
}
"""Statistics by name, and whether condensation makes them larger (1) or smaller (−1)."""


class Significance(NamedTuple):
    """A statistic and its chance level.

    Attributes:
        statistic: its name.
        observed: its value for the neurons.
        null_mean: its mean over clouds without structure.
        null_std: its standard deviation over them.
        z: standard deviations by which the neurons are more condensed than chance (negative: less);
            NaN where chance does not scatter.
        p: probability that chance is at least as condensed, in (0, 1); small means condensed.
        draws: number of clouds drawn.
    """

    statistic: str
    observed: float
    null_mean: float
    null_std: float
    z: float
    p: float
    draws: int


def against_chance(
    feature: Features,
    statistic: str = "mean_square_cosine",
    draws: int = 199,
    seed: int = 0,
    threshold: float = 0.05,
) -> Significance:
    """Compare a statistic of the active neurons with neurons of random directions.

    The null model keeps the dimension, the number of active neurons and every amplitude, and
    draws the directions independently and evenly over the sphere: those of isotropic Gaussian
    input weights. Inactive neurons are left out of both sides, of every statistic.

    The p-value is the rank of the neurons among the drawn clouds, one-sided toward condensation,
    with ties (counts are whole numbers) broken at random: under the null model it is exactly
    uniform on (0, 1), for every statistic. It is below (ties + 1)/(draws + 1) at best.

    Args:
        feature: directions and amplitudes.
        statistic: ``"mean_square_cosine"`` (weighted by amplitude), ``"effective_rank"``,
            ``"entropy_number"``, ``"participation_ratio"``, ``"effective_number"`` (1/Σ share²
            of `condensed_directions`), ``"clusters"``, ``"lines"`` (their numbers, at the cosine
            0.95) or ``"cover"`` (upper bound of `minimal_cover`).
        draws: clouds drawn; more give a finer p.
        seed: any integer, of the clouds and the broken ties; p-values of one seed are dependent.
        threshold: neurons at or below this share of the largest amplitude are inactive, in [0, 1).

    Returns:
        The statistic, its chance level, z and p. In d = 1 there are only the directions ±1, and
        statistics of lines do not scatter: z is NaN and p is drawn at random.

    Raises:
        ArgumentError: an argument is outside its range, a number is not finite, or no neuron is
            active.

    Example:
        >>> from netphase.networks import Parameters, initial_parameters
        >>> from netphase.observables import features
        >>> w = initial_parameters(100, 3, 0, False).w
        >>> w[:40, 2] += 4
        >>> found = against_chance(features(Parameters(np.ones(100), w)))
        >>> found.p < 0.01, found.z > 5
        (True, True)
    """
    name = one_of("statistic", statistic, STATISTICS)
    count = positive_int("draws", draws)
    value, sign = STATISTICS[name]
    kept = living(feature, threshold)
    cloud = _cloud(feature.direction[kept], feature.amplitude[kept])
    observed = float(value(cloud))
    rng = generator(seed, Stream.NULL_MODEL)
    null = np.array([value(_random(cloud, rng)) for _ in range(count)], dtype=np.float64)
    mean, std = float(null.mean()), float(null.std(ddof=1)) if count > 1 else math.nan
    if not std > 1e-12 * abs(mean):
        std = 0.0 if count > 1 else math.nan
    tolerance = 1e-12 * abs(observed)
    ties = int(np.sum(np.abs(null - observed) <= tolerance))
    beyond = int(np.sum(sign * (null - observed) > tolerance))
    p = (beyond + (1 - rng.random()) * (ties + 1)) / (count + 1)
    z = sign * (observed - mean) / std if std > 0 else math.nan
    return Significance(name, observed, mean, std, z, p, count)


def _cloud(direction: Array, amplitude: Array) -> Features:
    angle = np.arctan2(direction[:, 1], direction[:, 0]) if direction.shape[1] == 2 else None
    return Features(direction, amplitude, angle)


def _random(cloud: Features, rng: np.random.Generator) -> Features:
    """Neurons of the same amplitudes with independent, even directions."""
    w = rng.standard_normal(cloud.direction.shape)
    norm = np.sqrt(np.einsum("kd,kd->k", w, w))
    return _cloud(w / norm[:, None], cloud.amplitude)
