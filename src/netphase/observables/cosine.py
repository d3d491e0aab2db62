"""The cosine matrix of the neurons: ordered, in blocks, as a picture, and its summaries."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from netphase._checks import positive_int
from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.observables.features import Features, checked

Indices = npt.NDArray[np.intp]


class CosineSummary(NamedTuple):
    """What the m × m cosine matrix C says on the whole; the diagonal counts.

    Attributes:
        mean_cosine: mean of C, in [0, 1]: 1 if all neurons share one direction.
        mean_square_cosine: mean of C², in [1/d, 1]: 1 if all lie on one line; about 1/d for a
            structureless cloud.
        effective_rank: exp of the entropy of the eigenvalues of C (as shares), in [1, min(m, d)].
        leading_share: share of the largest eigenvalue of C, in [1/d, 1].
    """

    mean_cosine: float
    mean_square_cosine: float
    effective_rank: float
    leading_share: float


def cosine_summary(feature: Features, weighted: bool = False) -> CosineSummary:
    """Summaries of the cosine matrix, from the d × d second moments of the directions alone.

    The non-zero eigenvalues of the m × m matrix of cosines are those of the d × d Gram matrix
    Σ ŵ_k ŵ_kᵀ, and its mean is the squared length of the mean direction; so the cost is m d².

    Args:
        feature: directions and amplitudes; neurons with w = 0 have no cosines and do not count.
        weighted: weight every neuron by its share of the amplitude, so that weak neurons do not
            count; else every neuron counts the same.

    Returns:
        The summaries.

    Raises:
        ArgumentError: a number is not finite, no neuron has a direction, or all amplitudes are
            zero and weights are asked for.

    Example:
        >>> from netphase.networks import Parameters
        >>> from netphase.observables import features
        >>> found = cosine_summary(features(Parameters(np.ones(4), np.vstack([np.eye(2)] * 2))))
        >>> found.mean_square_cosine, found.mean_cosine
        (0.5, 0.5)
    """
    unit = checked(feature).direction
    if weighted:
        largest = float(feature.amplitude.max())
        if largest == 0:
            raise ArgumentError(
                "Argument `feature` must hold an active neuron to weight by amplitude, but all "
                f"{len(unit)} neurons are dead."
            )
        share = feature.amplitude / largest
        share = share / share.sum()
        mean, rows = share @ unit, unit * np.sqrt(share)[:, None]
    else:
        count = np.count_nonzero(unit.any(axis=1))
        mean, rows = unit.sum(axis=0) / count, unit / math.sqrt(count)
    gram = rows @ rows.T if len(rows) < rows.shape[1] else rows.T @ rows
    values = np.linalg.eigvalsh(gram)
    return CosineSummary(
        min(1.0, float(mean @ mean)),
        min(1.0, float(np.einsum("ij,ij->", gram, gram))),
        rank_of(values),
        min(1.0, float(values[-1] / values.sum())),
    )


def rank_of(values: Array) -> float:
    """Exp of the entropy, ≥ 1, of eigenvalues that sum to one; those below zero are rounding."""
    positive = values[values > 0]
    return max(1.0, float(np.exp(-np.sum(positive * np.log(positive)))))


def cosine_order(feature: Features) -> Indices:
    """The order in which the literature shows the cosine matrix.

    Neurons are sorted by their components of its leading eigenvector, the largest first; the sign
    of the eigenvector is chosen so that these components have a positive sum. The eigenvector of
    the m × m matrix is had from the d × d Gram matrix of the directions.

    Args:
        feature: directions and amplitudes.

    Returns:
        Indices of the neurons that have a direction (those with w = 0 are left out).

    Raises:
        ArgumentError: a number is not finite, or no neuron has a direction.

    References:
        Zhou et al. (NeurIPS 2022), the cosine similarity of hidden neurons.
    """
    unit = checked(feature).direction
    there = np.flatnonzero(unit.any(axis=1))
    rows = unit[there]
    leading = np.linalg.eigh(rows.T @ rows)[1][:, -1]
    component = rows @ leading
    if component.sum() < 0:
        component = -component
    return there[np.argsort(-component, kind="stable")]


def _ordered(feature: Features, order: Indices | None) -> Array:
    """Directions in an order, the ones without a direction refused."""
    if order is None:
        order = cosine_order(feature)
    places = np.asarray(order)
    m = len(checked(feature).direction)
    if places.ndim != 1 or places.dtype.kind not in "iu" or not len(places):
        raise ArgumentError("Argument `order` must be a list of indices of neurons.")
    if places.min() < 0 or places.max() >= m:
        raise ArgumentError(f"Argument `order` must hold indices from 0 to {m - 1}.")
    rows = feature.direction[places]
    missing = int((~rows.any(axis=1)).sum())
    if missing:
        raise ArgumentError(
            f"Argument `order` holds {missing} neurons with w = 0, which have no cosine: leave "
            "them out, as `cosine_order` does."
        )
    return rows


def cosine_blocks(
    feature: Features, order: Indices | None = None, rows: int = 1024
) -> Iterator[tuple[slice, Array]]:
    """The ordered cosine matrix, some rows at a time, so that it need not fit in memory.

    Args:
        feature: directions and amplitudes.
        order: indices of neurons; `cosine_order` by default.
        rows: rows of a block.

    Yields:
        Which rows, and the block of cosines, shape (rows, len(order)).

    Raises:
        ArgumentError: as `cosine_order`, ``rows`` is not a positive integer, or ``order`` holds
            something else than neurons with a direction.
    """
    step = positive_int("rows", rows)
    unit = _ordered(feature, order)
    for first in range(0, len(unit), step):
        part = slice(first, min(first + step, len(unit)))
        yield part, np.clip(unit[part] @ unit.T, -1.0, 1.0)


def cosine_image(feature: Features, pixels: int = 500, order: Indices | None = None) -> Array:
    """The ordered cosine matrix averaged over pixels, exactly, at the cost of m d.

    The mean of the cosines between two groups of neurons is the product of their mean directions.

    Args:
        feature: directions and amplitudes.
        pixels: pixels along each side; no more than neurons are made.
        order: indices of neurons; `cosine_order` by default.

    Returns:
        Averages in [−1, 1], shape (pixels, pixels).

    Raises:
        ArgumentError: as `cosine_blocks`, or ``pixels`` is not a positive integer.
    """
    side = positive_int("pixels", pixels)
    unit = _ordered(feature, order)
    side = min(side, len(unit))
    starts = np.arange(side) * len(unit) // side
    sizes = np.diff(np.append(starts, len(unit)))
    means = np.add.reduceat(unit, starts, axis=0) / sizes[:, None]
    return np.clip(means @ means.T, -1.0, 1.0)
