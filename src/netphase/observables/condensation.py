"""The neurons as directions with amplitudes, and numbers that say how few directions they use."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from netphase._checks import finite_float, positive_int
from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.networks import Parameters

_BLOCK = 256
_CHUNK = 65_536


class Features(NamedTuple):
    """What each neuron looks at, and how strongly.

    Attributes:
        direction: w/‖w‖ (zero for a neuron with w = 0), shape (m, d).
        amplitude: |a|·‖w‖, the neuron's weight in the function, shape (m,).
        angle: for d = 2 the angle atan2(w₂, w₁) in [−π, π), shape (m,); else None.
    """

    direction: Array
    amplitude: Array
    angle: Array | None


def features(parameters: Parameters, tracked: int | None = None) -> Features:
    """Directions and amplitudes of the neurons.

    Normalised and original variables give the same directions; the amplitudes differ by one
    factor for all neurons.

    Args:
        parameters: ``a`` of shape (m,), ``w`` of shape (m, d).
        tracked: take only the first so many neurons (the first copy of an antisymmetric network);
            all by default.

    Returns:
        The features, in float64.

    Raises:
        ArgumentError: ``tracked`` is not a positive integer.

    References:
        Luo et al. (JMLR 2021), Fig. 2.
    """
    count = len(parameters.a) if tracked is None else positive_int("tracked", tracked)
    a = np.asarray(parameters.a[:count], dtype=np.float64)
    w = np.asarray(parameters.w[:count], dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        norm = np.sqrt(np.einsum("kd,kd->k", w, w))
        direction = np.where(norm[:, None] > 0, w / norm[:, None], 0.0)
        amplitude = np.abs(a) * norm
        angle = np.arctan2(w[:, 1], w[:, 0]) if w.shape[1] == 2 else None
    if angle is not None:
        angle[angle >= math.pi] = -math.pi
    return Features(direction, amplitude, angle)


def _active(feature: Features, threshold: float) -> npt.NDArray[np.intp]:
    """Indices of the neurons above the threshold, the strongest first."""
    share = finite_float("threshold", threshold)
    if not 0 <= share < 1:
        raise ArgumentError(f"Argument `threshold` must lie in [0, 1), but is {share}.")
    amplitude = feature.amplitude
    if not np.all(np.isfinite(amplitude)) or not amplitude.size:
        return np.empty(0, dtype=np.intp)
    kept = np.flatnonzero(amplitude > share * amplitude.max())
    return kept[np.argsort(-amplitude[kept], kind="stable")]


def _cosine(value: float) -> float:
    cosine = finite_float("cosine", value)
    if not -1 < cosine < 1:
        raise ArgumentError(f"Argument `cosine` must lie in (-1, 1), but is {cosine}.")
    return cosine


def _centres_within(block: Array, cosine: float) -> list[int]:
    """Rows of a block of unit vectors (strongest first) that no earlier centre covers."""
    near = block @ block.T > cosine
    covered = np.zeros(len(block), dtype=bool)
    centres = []
    for k in range(len(block)):
        if not covered[k]:
            centres.append(k)
            covered |= near[k]
    return centres


def _uncovered(rest: Array, centres: Array, cosine: float) -> Array:
    parts = [
        chunk[np.max(chunk @ centres.T, axis=1) <= cosine]
        for chunk in (rest[i : i + _CHUNK] for i in range(0, len(rest), _CHUNK))
    ]
    return np.concatenate(parts) if parts else rest


def direction_clusters(feature: Features, cosine: float = 0.95, threshold: float = 0.05) -> int:
    """In how many directions the active neurons gather.

    The strongest neuron is a centre and covers every neuron whose direction has a cosine above
    ``cosine`` with its own; the strongest of the rest is the next centre; and so on. In d = 2 a
    cloud without any structure needs about 15 centres at the default cosine (a cap of ±18°), a
    condensed one a few. The cost is proportional to the neurons times the centres.

    Args:
        feature: directions and amplitudes, any d.
        cosine: neurons nearer than this share a direction, in (−1, 1).
        threshold: neurons below this share of the largest amplitude are left out, in [0, 1).

    Returns:
        The number of centres; 0 if there is no active neuron or an amplitude is not finite.

    Raises:
        ArgumentError: ``cosine`` or ``threshold`` is outside its range.

    References:
        Zhang & Xu, "Implicit regularization of dropout" (TPAMI 2024): neurons are condensed
        where cosines of input weights exceed 0.95.
    """
    c = _cosine(cosine)
    rest = feature.direction[_active(feature, threshold)]
    count = 0
    while len(rest):
        block = rest[:_BLOCK]
        centres = block[_centres_within(block, c)]
        count += len(centres)
        rest = _uncovered(rest[_BLOCK:], centres, c)
    return count


def effective_neurons(feature: Features, cosine: float = 0.95, threshold: float = 0.05) -> int:
    """The fewest directions, neurons or not, that come near every active neuron.

    In d = 2 this is the exact smallest number (10 for a structureless cloud at the default
    cosine); in any other d finding it is hard, and the number of `direction_clusters` is given,
    which is an upper bound.

    Args:
        feature: directions and amplitudes.
        cosine: a direction covers the neurons whose cosine with it is above this, in (0, 1).
        threshold: neurons below this share of the largest amplitude are left out, in [0, 1).

    Returns:
        The number of directions; 0 if there is no active neuron or an amplitude is not finite.

    Raises:
        ArgumentError: ``cosine`` or ``threshold`` is outside its range.

    References:
        Zhang & Xu, "Implicit regularization of dropout" (TPAMI 2024): effective neuron number.
    """
    if feature.angle is None:
        return direction_clusters(feature, cosine, threshold)
    c = _cosine(cosine)
    if c <= 0:
        raise ArgumentError(f"Argument `cosine` must lie in (0, 1), but is {c}.")
    angles = np.sort(feature.angle[_active(feature, threshold)])
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


def _histogram(feature: Features, bins: int) -> Array:
    """Shares of the total amplitude by angle (d = 2) or by projection on (1, …, 1)/√d."""
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
        ArgumentError: ``bins`` is not a positive integer.
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
        ArgumentError: ``bins`` is not a positive integer.
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
    """
    total = float(feature.amplitude.sum())
    if not 0 < total < math.inf:
        return math.nan
    rows = feature.direction * np.sqrt(feature.amplitude / total)[:, None]
    gram = rows @ rows.T if len(rows) < rows.shape[1] else rows.T @ rows
    values = np.linalg.eigvalsh(gram)
    values = values[values > 0]
    return float(np.exp(-np.sum(values * np.log(values))))
