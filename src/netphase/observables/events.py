"""The event log of a training run: when which neuron is activated, and when it dies again."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from netphase._checks import finite_array, finite_float, positive_float
from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.observables.activation import path_norm

Kind: TypeAlias = Literal["activation", "deactivation"]
"""What happens to a neuron."""

SHARE, SUSTAINED = 0.05, 1.2
"""A neuron is active above this share of the path norm; for so long, as a factor in time, it must
stay on its side."""


class ActivationEvent(NamedTuple):
    """A neuron that starts, or ceases, to carry a part of the function.

    Attributes:
        time: when its contribution crosses the threshold, interpolated.
        neuron: its index.
        kind: "activation" or "deactivation".
        before: p of the neuron at the record before the crossing.
        after: p at the record that confirms it.
    """

    time: float
    neuron: int
    kind: Kind
    before: float
    after: float


def activation_events(
    time: Array, p: Array, *, share: float = SHARE, sustained: float = SUSTAINED
) -> list[ActivationEvent]:
    """Activations and deactivations along a trajectory, in the order of time.

    A neuron is activated where |p_j| rises above ``share`` of the path norm Σ|p| and stays above
    until ``sustained`` times the time of the crossing at least; it is deactivated where it falls
    below in the same way. So a contribution that flickers about the threshold makes no event, and
    a crossing too near the end of the run to be confirmed makes none either. The state at the
    first record with a path norm is a state, not an event: of few neurons each has a large share
    from the start.

    Args:
        time: increasing times, the first one ≥ 0, shape (t,).
        p: contributions of the neurons at these times, shape (t, m).
        share: share of the path norm above which a neuron is active, in (0, 1).
        sustained: factor in time, ≥ 1; 1 takes every crossing between two records.

    Returns:
        The events; times are interpolated linearly in the logarithm of time (in time itself in the
        interval that starts at 0).

    Raises:
        ArgumentError: the times do not increase, the shapes do not fit, a number is not finite, or
            a parameter is outside its range.

    References:
        Ma, Wu & E (2020): activations and deactivations in the second phase of training.

    Example:
        >>> time = np.geomspace(1.0, 100.0, 41)
        >>> rising = 1 / (1 + (30.0 / time) ** 4)
        >>> p = np.column_stack([np.ones(41), rising])
        >>> [(each.kind, each.neuron, round(each.time, 1)) for each in activation_events(time, p)]
        [('activation', 1, 14.5)]
    """
    clock, rows = _record(time, p)
    level, factor = finite_float("share", share), positive_float("sustained", sustained)
    if not 0.0 < level < 1.0:
        raise ArgumentError(f"Argument `share` must lie in (0, 1), but is {level}.")
    if factor < 1.0:
        raise ArgumentError(f"Argument `sustained` must be at least 1, but is {factor}.")
    first = _first_record(rows)
    if first is None:
        return []
    part = _shares(rows)
    found: list[ActivationEvent] = []
    for neuron in np.flatnonzero((part[first:] > level).any(axis=0)):
        series = part[:, neuron], rows[:, neuron]
        found += _events_of(int(neuron), clock, *series, level, factor, first)
    return sorted(found)


def active_neurons(
    time: Array, p: Array, events: list[ActivationEvent], *, share: float = SHARE
) -> npt.NDArray[np.bool_]:
    """Which neurons are active at each record, according to the event log.

    Args:
        time: as in `activation_events`, shape (t,).
        p: as in `activation_events`, shape (t, m).
        events: what `activation_events` returned for them.
        share: the share it was given.

    Returns:
        Active or not, shape (t, m): the state at the first record with a path norm, changed by
        every event at its time; none before that record.

    Raises:
        ArgumentError: as `activation_events`.
    """
    clock, rows = _record(time, p)
    state = np.zeros(rows.shape, dtype=np.bool_)
    first = _first_record(rows)
    if first is None:
        return state
    state[first:] = _shares(rows)[first] > share
    for event in events:
        state[clock >= event.time, event.neuron] = event.kind == "activation"
    return state


def _record(time: Array, p: Array) -> tuple[Array, Array]:
    """Times and contributions, checked."""
    clock, rows = finite_array("time", time, 1), finite_array("p", p, 2)
    if len(rows) != len(clock):
        raise ArgumentError(
            "Arguments `time` and `p` must have the shapes (t,) and (t, m), but have "
            f"{clock.shape} and {rows.shape}."
        )
    if clock[0] < 0.0 or np.any(np.diff(clock) <= 0.0):
        raise ArgumentError("Argument `time` must increase from a time ≥ 0 on, but does not.")
    return clock, rows


def _shares(rows: Array) -> Array:
    """|p_j| in units of the path norm, 0 where that is zero."""
    norm = path_norm(rows)[:, None]
    return np.divide(np.abs(rows), norm, out=np.zeros_like(rows), where=norm > 0)


def _first_record(rows: Array) -> int | None:
    """The first record with a path norm."""
    loud = np.flatnonzero(rows.any(axis=1))
    return int(loud[0]) if len(loud) else None


def _events_of(
    neuron: int,
    clock: Array,
    part: Array,
    values: Array,
    level: float,
    factor: float,
    first: int,
) -> list[ActivationEvent]:
    """The events of one neuron."""
    above = part > level
    state = bool(above[first])
    found: list[ActivationEvent] = []
    index = first + 1
    while index < len(clock):
        if bool(above[index]) == state:
            index += 1
            continue
        when = crossing(clock, part, level, index)
        until = int(np.searchsorted(clock, factor * when))  # first record not before that
        until = max(until, index)
        if until >= len(clock):
            break
        if np.all(above[index : until + 1] != state):
            kind: Kind = "deactivation" if state else "activation"
            found.append(
                ActivationEvent(when, neuron, kind, float(values[index - 1]), float(values[until]))
            )
            state = not state
            index = until + 1
        else:  # go on after the record that takes it back
            index += int(np.argmax(above[index : until + 1] == state))
    return found


def crossing(clock: Array, series: Array, level: float, index: int) -> float:
    """When a series crosses a level between a record and the one before it.

    Args:
        clock: times ≥ 0, shape (t,).
        series: values on two sides of the level at ``index - 1`` and ``index``, shape (t,).
        level: the level.
        index: the later record, ≥ 1.

    Returns:
        The time, interpolated linearly in log time, or in time itself from 0.
    """
    low, high = float(series[index - 1]), float(series[index])
    weight = (level - low) / (high - low)
    start, end = float(clock[index - 1]), float(clock[index])
    if start == 0.0:
        return weight * end
    return start * math.exp(weight * math.log(end / start))


def crossings(clock: Array, series: Array, level: float) -> Array:
    """All times at which a series changes from one side of a level to the other.

    Args:
        clock: increasing times ≥ 0, shape (t,).
        series: values, shape (t,); the level itself counts as above it.
        level: the level.

    Returns:
        Times as `crossing` interpolates them, in order, shape (k,).
    """
    turns = np.flatnonzero(np.diff(series >= level)) + 1
    return np.array([crossing(clock, series, level, int(index)) for index in turns])
