"""Who lies on given directions, and how many would by chance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from netphase._types import Array
from netphase.observables import Features
from netphase.seeds import Stream, generator

NEAR = 0.95
"""Cosine above which a neuron counts as lying on a direction."""

CHANCE_NEURONS = 20_000


class Occupation(NamedTuple):
    """Who lies on some given directions.

    Attributes:
        neurons: number of neurons within the cosine, shape (K,).
        shares: their share of the whole amplitude, shape (K,).
        neuron_share: share of all neurons that lie on any of the directions.
        share: share of the amplitude that lies on any of them.
    """

    neurons: npt.NDArray[np.intp]
    shares: Array
    neuron_share: float
    share: float


def occupation(feature: Features, directions: Array, cosine: float = NEAR) -> Occupation:
    """How many neurons lie on given directions, and with how much of the amplitude.

    Each neuron counts for the nearest direction only.

    Args:
        feature: directions and amplitudes of the neurons.
        directions: unit vectors, shape (K, d), K ≥ 1.
        cosine: a neuron lies on a direction if its cosine with it is above this.

    Returns:
        The occupation; shares are NaN if all amplitudes are zero.

    Example:
        >>> from netphase.networks import Parameters
        >>> from netphase.observables import features
        >>> cloud = features(Parameters(np.array([1.0, 3.0]), np.array([[1.0, 0.0], [0.0, 1.0]])))
        >>> occupation(cloud, np.array([[1.0, 0.0]])).share
        0.25
    """
    cosines = feature.direction @ directions.T  # (m, K)
    nearest = cosines.argmax(axis=1)
    near = cosines.max(axis=1) > cosine
    count = len(directions)
    total = float(feature.amplitude.sum())
    weights = feature.amplitude / total if total > 0 else np.full(len(near), np.nan)
    shares = np.asarray(np.bincount(nearest[near], weights[near], count), dtype=np.float64)
    neurons = np.bincount(nearest[near], minlength=count)
    return Occupation(neurons, shares, float(near.mean()), float(shares.sum()))


def chance_occupation(directions: Array, cosine: float = NEAR) -> float:
    """Share of neurons of random directions that lie on any of some given directions.

    Args:
        directions: unit vectors, shape (K, d), K ≥ 1.
        cosine: as in `occupation`.

    Returns:
        The share among 20 000 even directions, always the same ones.

    Example:
        >>> exact = np.arccos(0.95) / np.pi  # an arc of ±18.2°
        >>> bool(abs(chance_occupation(np.array([[1.0, 0.0]])) - exact) < 0.01)
        True
    """
    shape = CHANCE_NEURONS, directions.shape[1]
    w = generator(0, Stream.NULL_MODEL).standard_normal(shape)
    unit = w / np.linalg.norm(w, axis=1, keepdims=True)
    return float(np.mean((unit @ directions.T).max(axis=1) > cosine))
