"""The fewest directions that come near every active neuron: exact on the circle, else bounds."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from netphase._types import Array
from netphase.observables.clusters import direction_clusters
from netphase.observables.features import Features, active, cosine_limit, living, of_neurons
from netphase.observables.greedy import Indices, greedy_centres

_MOST_CANDIDATES = 1000
"""Beyond so many clusters no better cover is looked for; so many neurons are tried as centres."""


class Cover(NamedTuple):
    """Bounds on the size of the smallest cover.

    Attributes:
        lower: no fewer directions will do: so many neurons are pairwise too far apart to share one.
        upper: so many directions were found that do.
    """

    lower: int
    upper: int


def minimal_cover(feature: Features, cosine: float = 0.95, threshold: float = 0.05) -> Cover:
    """The effective neuron number: the fewest directions that come near every active neuron.

    In d = 1 and d = 2 both bounds are the exact number. Beyond, ``lower`` counts neurons chosen
    greedily at pairwise angles of at least twice arccos ``cosine``, and ``upper`` is the greedy
    set cover by the mean directions of `condensed_directions`, their strongest neurons and the
    1000 strongest of all (only the number of directions, where there are more than 1000).

    Args:
        feature: directions and amplitudes.
        cosine: a direction covers the neurons whose cosine with it is above this, in (0, 1).
        threshold: neurons at or below this share of the largest amplitude are left out, in [0, 1).

    Returns:
        The bounds, ≥ 1.

    Raises:
        ArgumentError: an argument is outside its range, a number is not finite, or no neuron is
            active.

    References:
        Zhang & Xu, "Implicit regularization of dropout" (TPAMI 2024): effective neuron number.

    Example:
        >>> from netphase.networks import Parameters
        >>> from netphase.observables import features
        >>> minimal_cover(features(Parameters(np.ones(3), np.eye(3))))
        Cover(lower=3, upper=3)
    """
    c = cosine_limit(cosine, 0.0)
    kept = living(feature, threshold)
    unit = feature.direction[kept]
    if unit.shape[1] == 1:
        exact = len(np.unique(np.sign(unit)))
        return Cover(exact, exact)
    if unit.shape[1] == 2:
        exact = _arcs(np.sort(np.arctan2(unit[:, 1], unit[:, 0])), 2 * math.acos(c))
        return Cover(exact, exact)
    apart, _ = greedy_centres(unit, 2 * c * c - 1)
    centres, labels = greedy_centres(unit, c)
    if len(centres) > _MOST_CANDIDATES:
        return Cover(len(apart), len(centres))
    return Cover(len(apart), min(len(centres), _set_cover(unit, centres, labels, c)))


def _set_cover(unit: Array, centres: Indices, labels: Indices, cosine: float) -> int:
    """Size of a cover by means of clusters, their centres, and strong neurons, the fullest first.

    Centres alone are a cover, so the search ends.
    """
    sums = np.zeros((len(centres), unit.shape[1]))
    np.add.at(sums, labels, unit)
    means = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-300)
    candidates = np.concatenate([means, unit[centres], unit[:_MOST_CANDIDATES]])
    covers = unit @ candidates.T > cosine  # (m, candidates)
    gains = covers.sum(axis=0)
    left = np.ones(len(unit), dtype=bool)
    count = 0
    while left.any():
        newly = left & covers[:, np.argmax(gains)]
        gains -= covers[newly].sum(axis=0)
        left &= ~newly
        count += 1
    return count


def effective_neurons(feature: Features, cosine: float = 0.95, threshold: float = 0.05) -> int:
    """The fewest directions, neurons or not, that come near every active neuron.

    In d = 2 this is the exact smallest number (10 for a structureless cloud at the default
    cosine); in any other d finding it is hard, and the number of `direction_clusters` is given,
    which is an upper bound; `minimal_cover` bounds it from both sides.

    Args:
        feature: directions and amplitudes.
        cosine: a direction covers the neurons whose cosine with it is above this, in (0, 1).
        threshold: neurons below this share of the largest amplitude are left out, in [0, 1).

    Returns:
        The number of directions; 0 if there is no active neuron or an amplitude is not finite.

    Raises:
        ArgumentError: not `Features`, or ``cosine`` or ``threshold`` is outside its range.

    References:
        Zhang & Xu, "Implicit regularization of dropout" (TPAMI 2024): effective neuron number.
    """
    of_neurons(feature)
    if feature.angle is None:
        return direction_clusters(feature, cosine, threshold)
    c = cosine_limit(cosine, 0.0)
    angles = np.sort(feature.angle[active(feature, threshold)])
    return _arcs(angles, 2 * math.acos(c)) if len(angles) else 0


def _arcs(angles: Array, length: float) -> int:
    """The fewest open arcs of a length < π that cover sorted angles on the circle."""
    n = len(angles)
    twice = np.concatenate([angles, angles + 2 * math.pi])
    after = np.searchsorted(twice, angles + length, side="left")  # first one an arc leaves out
    start = np.arange(min(int(after[0]), n - 1) + 1)
    position = start.copy()
    count = 0
    while True:
        count += 1
        turns, place = np.divmod(position, n)
        position = after[place] + turns * n
        if np.any(position >= start + n):
            return count
