"""Who lies on given directions, and how many would by chance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from netphase._types import Array
from netphase.errors import ArgumentError
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
        wrong_sign: number of neurons within the cosine of a direction whose a has the other sign,
            and so do not count above, shape (K,).
    """

    neurons: npt.NDArray[np.intp]
    shares: Array
    neuron_share: float
    share: float
    wrong_sign: npt.NDArray[np.intp]


def occupation(
    feature: Features,
    directions: Array,
    cosine: float = NEAR,
    *,
    a: Array | None = None,
    sign_of_a: npt.NDArray[np.intp] | None = None,
) -> Occupation:
    """How many neurons lie on given directions, and with how much of the amplitude.

    Each neuron counts for the nearest direction only: the nearest of those with the sign of its
    output weight, where signs are given.

    Args:
        feature: directions and amplitudes of the neurons.
        directions: unit vectors, shape (K, d), K ≥ 1.
        cosine: a neuron lies on a direction if its cosine with it is above this.
        a: output weights of the neurons, shape (m,); with ``sign_of_a``.
        sign_of_a: sign that the output weights have on each direction, shape (K,); with ``a``.

    Returns:
        The occupation; shares are NaN if all amplitudes are zero.

    Raises:
        ArgumentError: only one of ``a`` and ``sign_of_a`` is given.

    Example:
        >>> from netphase.networks import Parameters
        >>> from netphase.observables import features
        >>> network = Parameters(np.array([1.0, 3.0]), np.array([[1.0, 0.0], [0.0, 1.0]]))
        >>> cloud, right = features(network), np.array([[1.0, 0.0]])
        >>> occupation(cloud, right).share
        0.25
        >>> occupation(cloud, right, a=network.a, sign_of_a=np.array([-1])).share
        0.0
    """
    anyhow = feature.direction @ directions.T  # (m, K)
    cosines = _of_their_sign(anyhow, a, sign_of_a)
    nearest, near = cosines.argmax(axis=1), cosines.max(axis=1) > cosine
    wrong = ~near & (anyhow.max(axis=1) > cosine)
    count = len(directions)
    total = float(feature.amplitude.sum())
    weights = feature.amplitude / total if total > 0 else np.full(len(near), np.nan)
    shares = np.asarray(np.bincount(nearest[near], weights[near], count), dtype=np.float64)
    return Occupation(
        neurons=np.bincount(nearest[near], minlength=count),
        shares=shares,
        neuron_share=float(near.mean()),
        share=float(shares.sum()),
        wrong_sign=np.bincount(anyhow.argmax(axis=1)[wrong], minlength=count),
    )


def median_cosine(
    feature: Features,
    directions: Array,
    *,
    a: Array | None = None,
    sign_of_a: npt.NDArray[np.intp] | None = None,
) -> float:
    """Median over the neurons of the cosine with the nearest direction of their sign.

    Args:
        feature: directions and amplitudes of the neurons.
        directions: unit vectors, shape (K, d), K ≥ 1.
        a: as in `occupation`.
        sign_of_a: as in `occupation`.

    Returns:
        The median over the neurons with w ≠ 0 for whose sign there is a direction; NaN without
        any.

    Raises:
        ArgumentError: only one of ``a`` and ``sign_of_a`` is given.

    Example:
        >>> from netphase.networks import Parameters
        >>> from netphase.observables import features
        >>> network = Parameters(np.array([1.0, -3.0]), np.array([[1.0, 0.0], [2.0, 0.0]]))
        >>> line, signs = np.array([[1.0, 0.0], [-1.0, 0.0]]), np.array([1, -1])
        >>> median_cosine(features(network), line, a=network.a, sign_of_a=signs)
        0.0
    """
    cosines = _of_their_sign(feature.direction @ directions.T, a, sign_of_a).max(axis=1)
    kept = cosines[feature.direction.any(axis=1) & np.isfinite(cosines)]
    return float(np.median(kept)) if len(kept) else float("nan")


def _of_their_sign(
    cosines: Array, a: Array | None, sign_of_a: npt.NDArray[np.intp] | None
) -> Array:
    """Cosines of shape (m, K), −∞ where the signs of neuron and direction differ."""
    if a is None and sign_of_a is None:
        return cosines
    if a is None or sign_of_a is None:
        raise ArgumentError("Arguments `a` and `sign_of_a` go together: give both or neither.")
    return np.where(np.sign(a)[:, None] == np.sign(sign_of_a), cosines, -np.inf)


def chance_occupation(
    directions: Array, cosine: float = NEAR, *, sign_of_a: npt.NDArray[np.intp] | None = None
) -> float:
    """Share of neurons of random directions that lie on any of some given directions.

    Args:
        directions: unit vectors, shape (K, d), K ≥ 1.
        cosine: as in `occupation`.
        sign_of_a: as in `occupation`, against random signs; None to count both.

    Returns:
        The share among 20 000 even directions, always the same ones.

    Example:
        >>> exact = np.arccos(0.95) / np.pi  # an arc of ±18.2°
        >>> bool(abs(chance_occupation(np.array([[1.0, 0.0]])) - exact) < 0.01)
        True
    """
    shape = CHANCE_NEURONS, directions.shape[1]
    w = generator(0, Stream.NULL_MODEL).standard_normal(shape)
    cosines = w / np.linalg.norm(w, axis=1, keepdims=True) @ directions.T
    if sign_of_a is None:
        return float(np.mean(cosines.max(axis=1) > cosine))
    with_sign = [  # half of the neurons have either sign
        np.max(cosines, axis=1, where=sign_of_a == sign, initial=-1.0) > cosine for sign in (1, -1)
    ]
    return float(np.mean(with_sign))
