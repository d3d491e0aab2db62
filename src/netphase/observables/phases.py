"""When the phases of a training run begin and end, with "never" and "undetermined" as answers."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from netphase._checks import finite_float, positive_float
from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.observables.activation import path_norm
from netphase.observables.events import crossing, crossings
from netphase.observables.recovery import angles_between

Reached: TypeAlias = Literal["reached", "never", "undetermined"]
"""Whether a moment came: it did; not within the run; or the records cannot tell."""

DEPARTURE, RELAXED, LAZY_RISK, LAZY_ANGLE = 0.01, 1.02, 0.1, math.radians(5.0)
"""Share of E f*² at which the network has left its twin; share of its floor at which the twin's
risk is relaxed; largest relative difference of the risks, and mean rotation, of a lazy network."""


class Marker(NamedTuple):
    """A moment of a run, or the word why there is none.

    Attributes:
        time: when; NaN where it was not reached.
        word: "reached", "never" (not within the run) or "undetermined" (the records cannot tell).
    """

    time: float
    word: Reached

    @property
    def reached(self) -> bool:
        """Whether there is a time."""
        return self.word == "reached"


NEVER = Marker(math.nan, "never")
"""A moment that does not come within the run."""

UNDETERMINED = Marker(math.nan, "undetermined")
"""A moment of which the records cannot tell."""


def first_above(time: Array, values: Array, level: float) -> Marker:
    """When a series first exceeds a level.

    Args:
        time: increasing times ≥ 0, shape (t,).
        values: the series, shape (t,).
        level: the level.

    Returns:
        The crossing, interpolated linearly in log time (in time where an interval starts at 0);
        the first time if the series starts above; "never" if it stays below; "undetermined" where
        a value is not a number before it does.

    Raises:
        ArgumentError: the shapes differ, or the times do not increase.

    Example:
        >>> first_above(np.array([1.0, 4.0]), np.array([0.0, 1.0]), 0.5)
        Marker(time=2.0, word='reached')
    """
    clock, series = _series(time, values)
    height = finite_float("level", level)
    with np.errstate(invalid="ignore"):
        above = np.flatnonzero(series > height)
    missing = np.flatnonzero(np.isnan(series))
    if len(missing) and (not len(above) or missing[0] < above[0]):
        return UNDETERMINED
    if not len(above):
        return NEVER
    index = int(above[0])
    if index == 0 or not math.isfinite(series[index]):
        return Marker(float(clock[index]), "reached")
    return Marker(crossing(clock, series, height, index), "reached")


def last_crossing(time: Array, values: Array, level: float) -> Marker:
    """When a series crosses a level for the last time, upwards or downwards.

    This is the moment at which a part of the target is learnt for good, where a series may first
    move the wrong way or come back.

    Args:
        time: increasing times ≥ 0, shape (t,).
        values: the series, shape (t,); the level itself counts as above it.
        level: the level, 1/2 of what is to be learnt for the half-level time.

    Returns:
        The crossing, interpolated linearly in log time (in time where an interval starts at 0);
        "never" if the series stays on one side; "undetermined" where a value is not finite.

    Raises:
        ArgumentError: the shapes differ, or the times do not increase.

    References:
        Berthier, Montanari & Zhou (2024): time scales of learning, by half-levels.

    Example:
        >>> last_crossing(np.array([1.0, 4.0, 16.0]), np.array([1.0, 0.0, 1.0]), 0.5)
        Marker(time=8.0, word='reached')
    """
    clock, series = _series(time, values)
    height = finite_float("level", level)
    if not np.isfinite(series).all():
        return UNDETERMINED
    times = crossings(clock, series, height)
    return Marker(float(times[-1]), "reached") if len(times) else NEVER


def departure_time(time: Array, distance: Array, size: float, share: float = DEPARTURE) -> Marker:
    """T_dep: when the network leaves its random-feature twin, D(t) > ε E f*².

    Args:
        time: increasing times ≥ 0, shape (t,).
        distance: D = E (f − f_twin)², shape (t,).
        size: E f*², > 0.
        share: ε, > 0.

    Returns:
        The departure; "never" for a network that follows its twin to the end of the run.

    Raises:
        ArgumentError: a number is not positive, or the shapes differ.

    References:
        Ma, Wu & E (2020): the network follows the random-feature model at first.
    """
    level = positive_float("share", share) * positive_float("size", size)
    return first_above(time, distance, level)


def risk_departure_time(
    time: Array, risk: Array, twin_risk: Array, share: float = DEPARTURE
) -> Marker:
    """T_dep by the risks: when R < (1 − ε) R_twin.

    Earlier than `departure_time` at the same ε: the risk feels the difference to first order.

    Args:
        time: increasing times ≥ 0, shape (t,).
        risk: risk of the network, shape (t,).
        twin_risk: risk of its random-feature twin, shape (t,).
        share: ε in (0, 1).

    Returns:
        The departure.

    Raises:
        ArgumentError: ``share`` is outside its range, or the shapes differ.
    """
    if positive_float("share", share) >= 1.0:
        raise ArgumentError(f"Argument `share` must be smaller than 1, but is {share}.")
    clock, own = _series(time, risk)
    _, other = _series(time, twin_risk)
    with np.errstate(all="ignore"):
        return first_above(clock, 1.0 - own / other, share)


def activation_time(time: Array, p: Array, level: float) -> Marker:
    """T_act: when the largest |p_j| first exceeds a level.

    Args:
        time: increasing times ≥ 0, shape (t,).
        p: contributions of the neurons, shape (t, m).
        level: half of what one neuron of the target contributes; 0.5 for a single neuron.

    Returns:
        The time; "never" where the function stays spread over many neurons.

    Raises:
        ArgumentError: the shapes do not fit, or the level is not positive.
    """
    largest = np.abs(np.asarray(p, dtype=np.float64)).max(axis=-1)
    return first_above(time, largest, positive_float("level", level))


def relaxation_time(time: Array, risk: Array, floor: float | None = None) -> Marker:
    """T_RF: when the risk of the random-feature twin is within 2 % of its floor.

    Args:
        time: increasing times ≥ 0, shape (t,).
        risk: risk of the twin, shape (t,).
        floor: the smallest risk it can reach; the smallest recorded one if None.

    Returns:
        The time; "never" if the floor is not approached; "undetermined" where a risk is not
        finite, and without a given floor where the time lies in the second half of the run: the
        risk may still fall.

    Raises:
        ArgumentError: the shapes differ, or ``floor`` is negative.
    """
    clock, series = _series(time, risk)
    if not np.isfinite(series).all():
        return UNDETERMINED
    least = float(series.min()) if floor is None else finite_float("floor", floor)
    if least < 0.0:
        raise ArgumentError(f"Argument `floor` must not be negative, but is {least}.")
    found = first_above(clock, -series, -RELAXED * least)
    return UNDETERMINED if floor is None and 2 * found.time > clock[-1] else found


def spreading_peak(time: Array, p: Array) -> Marker:
    """T_peak: when the path norm is largest, the end of the spreading over all neurons.

    Args:
        time: increasing times ≥ 0, shape (t,).
        p: contributions of the neurons, shape (t, m).

    Returns:
        The time of the largest recorded path norm; "undetermined" where that is the last record
        (it may still grow) or a number is not finite.

    Raises:
        ArgumentError: the shapes do not fit.
    """
    clock, norm = _series(time, path_norm(p))
    if not np.isfinite(norm).all() or not norm.any():
        return UNDETERMINED
    index = int(norm.argmax())
    return UNDETERMINED if index == len(norm) - 1 else Marker(float(clock[index]), "reached")


def mean_rotation(initial: Array, current: Array, weights: Array | None = None) -> float:
    """ℓ, the mean angle by which the neurons have turned: 0 for a lazy network.

    Args:
        initial: input weights at the start, shape (m, d).
        current: input weights now, shape (m, d).
        weights: weight of each neuron in the mean, |a_j| for example, shape (m,); equal if None.

    Returns:
        ℓ in radians, in [0, π]; NaN where a neuron has no direction or all weights are zero.

    Raises:
        ArgumentError: the shapes do not fit, or a weight is negative.
    """
    before, now = np.asarray(initial), np.asarray(current)
    if before.ndim != 2 or before.shape != now.shape:
        raise ArgumentError(
            "Arguments `initial` and `current` must have the same shape (m, d), but have "
            f"{before.shape} and {now.shape}."
        )
    angles = angles_between(before, now)
    if weights is None:
        return float(angles.mean())
    share = np.asarray(weights, dtype=np.float64)
    if share.shape != angles.shape:
        raise ArgumentError(
            f"Argument `weights` must have the shape {angles.shape} of the neurons, but has "
            f"{share.shape}."
        )
    if np.any(share < 0.0):
        raise ArgumentError(
            f"Argument `weights` must not be negative, but holds {float(share.min()):g}."
        )
    total = float(share.sum())
    return float(share @ angles) / total if total > 0.0 else math.nan


def is_lazy(risk: float, twin_risk: float, rotation: float) -> bool:
    """Whether a network is its random-feature twin: |R − R_twin| < 0.1 R_twin and ℓ < 5°.

    Args:
        risk: risk of the network.
        twin_risk: risk of the twin, > 0.
        rotation: mean rotation ℓ in radians.

    Returns:
        True or False; False where a number is NaN.
    """
    return bool(abs(risk - twin_risk) < LAZY_RISK * twin_risk and rotation < LAZY_ANGLE)


def _series(time: Array, values: Array) -> tuple[Array, Array]:
    """Times and a series of the same length."""
    clock, series = np.asarray(time, np.float64), np.asarray(values, np.float64)
    if clock.ndim != 1 or not len(clock) or series.shape != clock.shape:
        raise ArgumentError(
            "Argument `time` must hold one time for each value of the series, but they have the "
            f"shapes {clock.shape} and {series.shape}."
        )
    if not np.isfinite(clock).all() or clock[0] < 0.0 or np.any(np.diff(clock) <= 0.0):
        raise ArgumentError("Argument `time` must increase from a time ≥ 0 on, but does not.")
    return clock, series
