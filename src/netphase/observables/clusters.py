"""The condensed directions of some neurons: which they are, who belongs, what they carry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netphase._checks import finite_float
from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.observables.features import Features, active, cosine_limit, living, of_neurons
from netphase.observables.greedy import greedy_centres

INACTIVE = -1
UNASSIGNED = -2


@dataclass(frozen=True)
class CondensedDirections:
    """The directions that active neurons gather in, the one with most amplitude first.

    Attributes:
        directions: amplitude-weighted mean directions, unit vectors, shape (K, d).
        labels: direction of each neuron; −1 for an inactive neuron, −2 for an active one whose
            direction carries too small a share; shape (m,).
        shares: share of the active neurons' amplitude that each direction carries, shape (K,).
        counts: neurons of each direction, shape (K,).
        inactive: number of inactive neurons (those without a direction included).
        zero: number of neurons without a direction (w = 0).
    """

    directions: Array
    labels: npt.NDArray[np.intp]
    shares: Array
    counts: npt.NDArray[np.intp]
    inactive: int
    zero: int

    @property
    def count(self) -> int:
        """K, the number of directions."""
        return len(self.shares)

    @property
    def effective_number(self) -> float:
        """1/Σ s² of the shares s: K if they are equal, near 1 if one carries nearly all."""
        share = self.shares / self.shares.sum()
        return float(1 / np.sum(share * share))

    @property
    def entropy_number(self) -> float:
        """exp(−Σ s log s) of the shares s, between `effective_number` and K."""
        share = self.shares / self.shares.sum()
        return float(np.exp(-np.sum(share * np.log(share))))


def condensed_directions(
    feature: Features,
    cosine: float = 0.95,
    threshold: float = 0.05,
    lines: bool = False,
    least_share: float = 0.0,
) -> CondensedDirections:
    """The directions in which the active neurons gather.

    The strongest neuron founds a direction and takes every neuron whose cosine with it is above
    ``cosine``; the strongest of the rest founds the next; and so on.

    Args:
        feature: directions and amplitudes, any d. In d = 1 there are only the directions ±1.
        cosine: neurons nearer than this share a direction, in (−1, 1); with ``lines`` in [0, 1).
        threshold: neurons at or below this share of the largest amplitude are inactive, in [0, 1).
        lines: a direction and its opposite are one.
        least_share: directions that carry a smaller share of the active amplitude than this are
            left out, in [0, 1).

    Returns:
        The directions with their neurons and shares.

    Raises:
        ArgumentError: an argument is outside its range, a number is not finite, no neuron is
            active, or no direction carries ``least_share``.

    References:
        Luo et al. (JMLR 2021), Fig. 2; Zhang & Xu (TPAMI 2024): the cosine 0.95.

    Example:
        >>> from netphase.networks import Parameters
        >>> from netphase.observables import features
        >>> w = np.array([[1.0, 0.0], [2.0, 0.1], [0.0, -3.0], [0.0, 0.0]])
        >>> found = condensed_directions(features(Parameters(np.ones(4), w)))
        >>> found.count, found.labels.tolist(), found.zero
        (2, [0, 0, 1, -1], 1)
    """
    limit = cosine_limit(cosine, -1e-300 if lines else -1.0)
    least = finite_float("least_share", least_share)
    if not 0 <= least < 1:
        raise ArgumentError(f"Argument `least_share` must lie in [0, 1), but is {least}.")
    kept = living(feature, threshold)
    unit = feature.direction[kept]
    weight = feature.amplitude[kept] / feature.amplitude[kept[0]]
    centres, labels = greedy_centres(unit, limit, lines)
    total = np.bincount(labels, weight)
    order = np.argsort(-total, kind="stable")
    order = order[total[order] >= least * total.sum()]
    if not len(order):
        raise ArgumentError(
            f"Argument `least_share` is {least}, but the strongest of the {len(total)} directions "
            f"carries a share of {total.max() / total.sum():.3g}. Choose a smaller share."
        )
    places = np.full(len(centres), UNASSIGNED, dtype=np.intp)
    places[order] = np.arange(len(order))
    everyone = np.full(len(feature.amplitude), INACTIVE, dtype=np.intp)
    everyone[kept] = places[labels]
    return CondensedDirections(
        _means(unit, weight, centres, labels, lines)[order],
        everyone,
        total[order] / total.sum(),
        np.bincount(labels)[order],
        int(len(everyone) - len(kept)),
        int((~feature.direction.any(axis=1)).sum()),
    )


def _means(
    unit: Array,
    weight: Array,
    centres: npt.NDArray[np.intp],
    labels: npt.NDArray[np.intp],
    lines: bool,
) -> Array:
    """Mean direction of each cluster; on lines, of the neurons turned to the centre's side."""
    if lines:
        turn = np.einsum("kd,kd->k", unit, unit[centres[labels]])
        weight = np.where(turn < 0, -weight, weight)
    weighted = unit * weight[:, None]
    sums = np.column_stack([np.bincount(labels, column, len(centres)) for column in weighted.T])
    norm = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.where(norm > 0, sums / np.maximum(norm, 1e-300), unit[centres])


def direction_clusters(feature: Features, cosine: float = 0.95, threshold: float = 0.05) -> int:
    """In how many directions the active neurons gather.

    The count of `condensed_directions`, for any features: also those that have no active neuron.
    In d = 2 a cloud without any structure needs about 15 directions at the default cosine (a cap
    of ±18°), a condensed one a few.

    Args:
        feature: directions and amplitudes, any d.
        cosine: neurons nearer than this share a direction, in (−1, 1).
        threshold: neurons below this share of the largest amplitude are left out, in [0, 1).

    Returns:
        The number of directions; 0 if there is no active neuron or an amplitude is not finite.

    Raises:
        ArgumentError: not `Features`, or ``cosine`` or ``threshold`` is outside its range.

    References:
        Zhang & Xu, "Implicit regularization of dropout" (TPAMI 2024): neurons are condensed
        where cosines of input weights exceed 0.95.
    """
    of_neurons(feature)
    limit = cosine_limit(cosine)
    return len(greedy_centres(feature.direction[active(feature, threshold)], limit)[0])
