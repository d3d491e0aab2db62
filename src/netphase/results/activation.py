"""The tables of an activating network: events, phase markers, and who found the teacher."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from netphase._types import Array, InputLaw
from netphase.observables import (
    NEVER,
    UNDETERMINED,
    ActivationEvent,
    Marker,
    activation_events,
    activation_time,
    departure_time,
    match_teacher,
    relaxation_time,
    risk_departure_time,
    spreading_peak,
)
from netphase.results.schema import labels

if TYPE_CHECKING:
    import xarray as xr

    from netphase.targets import Target

MARKERS: dict[str, str] = {
    "relaxation": "T_RF: the twin's risk is within 2 % of its floor",
    "risk_departure": "the risk is 5 % below the twin's",
    "departure": "T_dep(1 %): the distance from the twin exceeds 1 % of E f*²",
    "departure_5": "T_dep(5 %): the distance from the twin exceeds 5 % of E f*²",
    "peak": "T_peak: the path norm is largest",
    "activation": "T_act: a neuron has half of what one of the target's has",
    "first_event": "first activation of the event log after T_dep(1 %)",
}
"""Names of the phase markers, and what happens then."""

KINDS: dict[int, str] = {1: "activation", -1: "deactivation"}
"""Codes of the events."""


def event_table(time: Array, p: Array) -> tuple[list[ActivationEvent], dict[str, Any]]:
    """The event log of a trajectory, as it is and as variables over ``event``.

    Args:
        time: times of the records, shape (t,).
        p: contributions of the neurons, shape (t, m); rows that are not finite are left out.

    Returns:
        Events and variables.
    """
    good = np.isfinite(p).all(axis=1)
    events = activation_events(time[good], p[good]) if good.any() else []
    code = {word: number for number, word in KINDS.items()}
    columns: dict[str, tuple[list[Any], Any, str, str]] = {
        "event_time": ([e.time for e in events], float, "1", "time of the event"),
        "event_neuron": ([e.neuron for e in events], np.int64, "1", "neuron of the event"),
        "event_kind": (
            [code[e.kind] for e in events],
            np.int8,
            "1",
            "1 for an activation, -1 for a deactivation",
        ),
        "event_before": ([e.before for e in events], float, "target units", "p before the event"),
        "event_after": ([e.after for e in events], float, "target units", "p after the event"),
    }
    return events, {
        name: ("event", np.array(values, dtype=kind), labels(units, words))
        for name, (values, kind, units, words) in columns.items()
    }


def events_of(result: xr.Dataset) -> list[ActivationEvent]:
    """The event log of a record.

    Args:
        result: what `netphase.quench` or `netphase.ablate` returned.

    Returns:
        The events in the order of time; none where the record holds none.
    """
    if "event_time" not in result:
        return []
    names = ("event_time", "event_neuron", "event_kind", "event_before", "event_after")
    rows = zip(*(result[name].values.tolist() for name in names), strict=True)
    return [
        ActivationEvent(time, neuron, cast("Any", KINDS[kind]), before, after)
        for time, neuron, kind, before, after in rows
    ]


def marker_table(
    time: Array, p: Array, losses: Mapping[str, Array], target: Target, inputs: InputLaw
) -> dict[str, Any]:
    """The phase markers as variables over ``marker``.

    Args:
        time: times of the records, shape (t,).
        p: contributions of the neurons, shape (t, m).
        losses: ``test_error``, ``twin_test_error`` and ``distance``, shape (t,), and
            ``twin_limit``.
        target: what is learnt.
        inputs: law of the inputs.

    Returns:
        ``marker_time`` and ``marker_word``.
    """
    found = _markers(time, p, losses, target, inputs)
    about = labels("1", "time of the marker, NaN where there is none")
    words = labels("1", "reached, never or undetermined")
    return {
        "marker": ("marker", list(MARKERS), labels("1", "phase marker")),
        "marker_time": ("marker", np.array([found[name].time for name in MARKERS]), about),
        "marker_word": ("marker", [str(found[name].word) for name in MARKERS], words),
    }


def markers_of(result: xr.Dataset) -> dict[str, Marker]:
    """The phase markers of a record.

    Args:
        result: what `netphase.quench` returned.

    Returns:
        Name (of `MARKERS`) → time and word.
    """
    names = (str(name) for name in result["marker"].values)
    rows = zip(result["marker_time"].values.tolist(), result["marker_word"].values, strict=True)
    return {
        name: Marker(time, cast("Any", str(word)))
        for name, (time, word) in zip(names, rows, strict=True)
    }


def activation_level(target: Target) -> float:
    """Half of what one neuron contributes in the sparsest network for a target.

    For a finite target half of its largest contribution. A sphere of dimension k needs at least
    k + 1 neurons, whose contributions u must cancel in Σ p u = 0, and each then has at most
    weight/(k + 1).

    Args:
        target: what is learnt.

    Returns:
        The level of `netphase.observables.activation_time`.

    Example:
        >>> from netphase import targets
        >>> activation_level(targets.single_neuron(3)), activation_level(targets.circle(3)) * 6
        (0.5, 1.0)
    """
    sizes = np.abs(target.a) * np.linalg.norm(target.c, axis=1)
    even = abs(target.sphere_weight) / (target.sphere + 1)
    return 0.5 * max(float(sizes.max(initial=0.0)), even)


def _markers(
    time: Array, p: Array, losses: Mapping[str, Array], target: Target, inputs: InputLaw
) -> dict[str, Marker]:
    good = np.isfinite(p).all(axis=1)
    square = target.square(inputs)
    level = activation_level(target)
    if not good.any() or square <= 0.0 or level <= 0.0:
        return dict.fromkeys(MARKERS, UNDETERMINED)
    clock, rows = time[good], p[good]
    own, twin, distance = (
        losses[name][good] for name in ("test_error", "twin_test_error", "distance")
    )
    departure = departure_time(clock, distance, square, 0.01)
    later = [
        event
        for event in activation_events(clock, rows)
        if event.kind == "activation" and event.time > departure.time  # never so for a NaN
    ]
    limit = float(losses["twin_limit"])
    floor = min(limit, float(twin.min())) if np.isfinite(limit) else None
    first = Marker(later[0].time, "reached") if later else NEVER
    return {
        "relaxation": relaxation_time(clock, twin, floor),
        "risk_departure": risk_departure_time(clock, own, twin, 0.05),
        "departure": departure,
        "departure_5": departure_time(clock, distance, square, 0.05),
        "peak": spreading_peak(clock, rows),
        "activation": activation_time(clock, rows, level),
        "first_event": first,
    }


def match_table(p: Array, w: Array, kept: npt.NDArray[np.bool_], target: Target) -> dict[str, Any]:
    """Who found the target's neurons in the end, as variables over ``unit``.

    Args:
        p: contributions of the neurons, shape (m,).
        w: their input weights, shape (m, d).
        kept: which are activated, shape (m,).
        target: what is learnt.

    Returns:
        For every neuron of the target the activated neuron assigned to it (−1 for none), the angle
        between the two and the excess of its contribution.
    """
    neuron = np.full(target.units, -1, dtype=np.int64)
    angle, excess = np.full(target.units, np.nan), np.full(target.units, np.nan)
    if target.units and kept.any() and np.isfinite(p).all() and np.isfinite(w).all():
        teacher_p = target.a * np.linalg.norm(target.c, axis=1)
        found = match_teacher(p, w, teacher_p, target.c, kept)
        neuron[found.unit], angle[found.unit] = found.neuron, found.angle
        excess[found.unit] = found.excess
    return {
        "matched_neuron": ("unit", neuron, labels("1", "activated neuron assigned, -1 for none")),
        "matched_angle": ("unit", angle, labels("rad", "angle between it and the target's")),
        "matched_excess": (
            "unit",
            excess,
            labels("target units", "its contribution minus that of the target's"),
        ),
    }
