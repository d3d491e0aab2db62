"""The neurons as directions with amplitudes, and which of them are active."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from netphase._checks import finite_float, instance_of, positive_int
from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.networks import Parameters


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
        The features, in float64; the directions are right for weights of any size, however small
        or large.

    Raises:
        ArgumentError: not `Parameters`, the shapes of a and w do not fit, or ``tracked`` is not a
            positive integer up to the number of neurons.

    References:
        Luo et al. (JMLR 2021), Fig. 2.
    """
    a, w = first_neurons(parameters, tracked)
    scaled, exponent = rows_near_one(w)
    with np.errstate(all="ignore"):
        norm = np.sqrt(np.einsum("kd,kd->k", scaled, scaled))
        direction = np.where(norm[:, None] > 0, scaled / norm[:, None], 0.0)
        amplitude = np.abs(a) * np.ldexp(norm, exponent)
        angle = np.arctan2(w[:, 1], w[:, 0]) if w.shape[1] == 2 else None
    if angle is not None:
        angle[angle >= math.pi] = -math.pi
    return Features(direction, amplitude, angle)


def first_neurons(parameters: Parameters, tracked: int | None) -> tuple[Array, Array]:
    """The weights of the first neurons.

    Args:
        parameters: ``a`` of shape (m,), ``w`` of shape (m, d).
        tracked: how many; None for all.

    Returns:
        a and w of these neurons, in float64.

    Raises:
        ArgumentError: as `features`.
    """
    instance_of("parameters", parameters, Parameters, "the Parameters of a network")
    a = np.asarray(parameters.a, dtype=np.float64)
    w = np.asarray(parameters.w, dtype=np.float64)
    if w.ndim != 2 or a.shape != w.shape[:1]:
        raise ArgumentError(
            "Argument `parameters` must hold a of shape (m,) and w of shape (m, d), but they have "
            f"{a.shape} and {w.shape}."
        )
    count = len(a) if tracked is None else positive_int("tracked", tracked)
    if count > len(a):
        raise ArgumentError(
            f"Argument `tracked` must not exceed the number of neurons, {len(a)}, but is {count}."
        )
    return a[:count], w[:count]


def exponent_of(array: Array) -> int:
    """The e for which the largest absolute value lies in [1/2, 1)·2^e.

    Divided by 2^e numbers can be squared without under- or overflow, and are not rounded.

    Args:
        array: any numbers.

    Returns:
        e; 0 where the largest is zero or not finite, or there is none.
    """
    largest = float(np.abs(array).max(initial=0.0))
    return math.frexp(largest)[1] if math.isfinite(largest) else 0


def rows_near_one(rows: Array) -> tuple[Array, npt.NDArray[np.intc]]:
    """Rows divided by powers of two that bring their largest entries into [1/2, 1).

    Args:
        rows: shape (m, d).

    Returns:
        The scaled rows and the exponents, 0 for a row that is zero or not finite, shape (m,).
    """
    largest = np.abs(rows).max(axis=1, initial=0.0)
    exponent = np.frexp(np.where(np.isfinite(largest), largest, 0.0))[1]
    return np.ldexp(rows, -exponent[:, None]), exponent


def of_neurons(feature: Features) -> None:
    """Refuses what are not features.

    Raises:
        ArgumentError: not `Features`.
    """
    instance_of("feature", feature, Features, "the Features of some neurons")


def checked(feature: Features) -> Features:
    """The features, refused where no number could be made of them.

    Args:
        feature: directions and amplitudes.

    Returns:
        ``feature`` itself.

    Raises:
        ArgumentError: not `Features`, no neuron, a number that is not finite, or no neuron with a
            direction.
    """
    of_neurons(feature)
    direction, amplitude = feature.direction, feature.amplitude
    if direction.ndim != 2 or amplitude.shape != direction.shape[:1] or not direction.size:
        raise ArgumentError(
            "Argument `feature` must hold directions of shape (m, d) and amplitudes of shape "
            f"(m,), but they have {direction.shape} and {amplitude.shape}."
        )
    if not (np.isfinite(direction).all() and np.isfinite(amplitude).all()):
        finite = np.isfinite(direction).all(axis=1) & np.isfinite(amplitude)
        raise ArgumentError(
            f"Argument `feature` must be finite, but {int((~finite).sum())} of its "
            f"{len(finite)} neurons are not. Did the training overflow?"
        )
    if not direction.any():
        raise ArgumentError(
            "Argument `feature` must hold a neuron with a direction, but all its input weights "
            "are zero."
        )
    return feature


def active(feature: Features, threshold: float) -> npt.NDArray[np.intp]:
    """The neurons above a share of the largest amplitude, the strongest first.

    Args:
        feature: directions and amplitudes.
        threshold: neurons at or below this share of the largest amplitude are left out, in [0, 1).

    Returns:
        Indices; none if an amplitude is not finite or all are zero.

    Raises:
        ArgumentError: ``threshold`` is outside its range.
    """
    share = finite_float("threshold", threshold)
    if not 0 <= share < 1:
        raise ArgumentError(f"Argument `threshold` must lie in [0, 1), but is {share}.")
    amplitude = feature.amplitude
    if not np.all(np.isfinite(amplitude)) or not amplitude.size:
        return np.empty(0, dtype=np.intp)
    kept = np.flatnonzero(amplitude > share * amplitude.max())
    return kept[np.argsort(-amplitude[kept], kind="stable")]


def living(feature: Features, threshold: float) -> npt.NDArray[np.intp]:
    """As `active`, where there must be a neuron and all numbers must be finite.

    Raises:
        ArgumentError: as `checked` and `active`, or every amplitude is zero.
    """
    kept = active(checked(feature), threshold)
    kept = kept[feature.direction[kept].any(axis=1)]
    if not len(kept):
        raise ArgumentError(
            f"Argument `feature` must hold an active neuron, but all {len(feature.amplitude)} "
            "neurons are dead: every amplitude |a|·|w| is zero."
        )
    return kept


def cosine_limit(value: float, least: float = -1.0) -> float:
    """A cosine in (least, 1).

    Raises:
        ArgumentError: it is outside.
    """
    cosine = finite_float("cosine", value)
    if not least < cosine < 1:
        raise ArgumentError(f"Argument `cosine` must lie in ({least:g}, 1), but is {cosine}.")
    return cosine
