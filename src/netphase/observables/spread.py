"""Over how many bins or dimensions the amplitude is spread: entropy, participation, rank."""

from __future__ import annotations

import math

import numpy as np

from netphase._checks import positive_int
from netphase._types import Array
from netphase.observables.cosine import rank_of
from netphase.observables.features import Features, of_neurons


def _histogram(feature: Features, bins: int) -> Array:
    """Shares of the total amplitude by angle (d = 2) or by projection on (1, …, 1)/√d."""
    of_neurons(feature)
    count = positive_int("bins", bins)
    if feature.angle is not None:
        coordinate, half = feature.angle, math.pi
    else:
        coordinate = feature.direction.sum(axis=1) / math.sqrt(feature.direction.shape[1])
        coordinate, half = np.clip(coordinate, -1.0, 1.0), 1.0
    total = float(feature.amplitude.sum())
    if not 0 < total < math.inf:
        return np.full(count, np.nan)
    share = feature.amplitude / total
    return np.histogram(coordinate, count, (-half, half), weights=share)[0]


def entropy_number(feature: Features, bins: int = 128) -> float:
    """exp(−Σ h log h) of the amplitude-weighted histogram h of directions.

    The number of bins that an even cloud of the same entropy would fill: near ``bins`` for a
    structureless cloud, near the number of directions for a condensed one.

    Args:
        feature: directions and amplitudes. In d = 2 the histogram is over the angle in [−π, π),
            in other d over the projection on (1, …, 1)/√d in [−1, 1].
        bins: number of bins.

    Returns:
        A number in [1, bins]; NaN if the total amplitude is zero or not finite.

    Raises:
        ArgumentError: not `Features`, or ``bins`` is not a positive integer.
    """
    h = _histogram(feature, bins)
    h = h[h != 0]
    return float(np.exp(-np.sum(h * np.log(h))))


def participation_ratio(feature: Features, bins: int = 128) -> float:
    """1/Σ h² of the amplitude-weighted histogram h of directions.

    As `entropy_number`, with more weight on the fullest bins.

    Args:
        feature: directions and amplitudes.
        bins: number of bins.

    Returns:
        A number in [1, bins]; NaN if the total amplitude is zero or not finite.

    Raises:
        ArgumentError: not `Features`, or ``bins`` is not a positive integer.
    """
    h = _histogram(feature, bins)
    return float(1 / np.sum(h * h))


def effective_rank(feature: Features) -> float:
    """Exp of the entropy of the eigenvalues of Σ_k p_k ŵ_k ŵ_kᵀ, with p_k the share of amplitude.

    The number of dimensions that the directions span, opposite directions counting as one.

    Args:
        feature: directions and amplitudes.

    Returns:
        A number in [1, min(m, d)]; NaN if the total amplitude is zero or not finite.

    Raises:
        ArgumentError: not `Features`.
    """
    of_neurons(feature)
    total = float(feature.amplitude.sum())
    if not 0 < total < math.inf:
        return math.nan
    rows = feature.direction * np.sqrt(feature.amplitude / total)[:, None]
    gram = rows @ rows.T if len(rows) < rows.shape[1] else rows.T @ rows
    return rank_of(np.linalg.eigvalsh(gram))
