"""The end of a quenching run: a document for programs, tables and sentences for people."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from netphase.cli.output import new_table, number, short

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import Console

FIELDS = """target {name, source, square, variation_norm}, setting (width, samples, gamma,
seed, inputs, method, output_std), status, remedy, succeeded, steps, largest_sharpness
(null for a flow), records, end {time, mean_square, test_error, twin_mean_square,
twin_test_error, twin_limit (test error of the twin at infinite time), distance, path_norm,
over_cost, effective_number (N2), effective_number_4, activated_neurons,
activated_by_gap, rotation, weighted_rotation (radians), background_share,
quenched_cosine}, lazy, phases [{name, about, time (null
unless reached), word}], events [{time, neuron, kind, before, after}], winners [{neuron, p,
cosine}], matched [{unit, neuron, angle (radians), excess}], gaps (angles between
neighbouring lines of activated neurons in the plane of a circle, radians), ablation
{action, at, quenched_neurons, status, test_error, intact_test_error, later_activations,
intact_later_activations}; null unless asked for, files"""
"""The fields of the JSON document of `quench`."""

SERIES = (
    "mean_square",
    "test_error",
    "twin_mean_square",
    "twin_test_error",
    "distance",
    "path_norm",
    "effective_number",
    "effective_number_4",
    "activated_neurons",
    "activated_by_gap",
    "rotation",
    "weighted_rotation",
    "background_share",
    "quenched_cosine",
)
"""What the last record says."""

MOST_ROWS = 14

PHASES = {
    "relaxation": "T_RF",
    "risk_departure": "T_dep (risk, 5 %)",
    "departure": "T_dep (1 %)",
    "departure_5": "T_dep (5 %)",
    "peak": "T_peak",
    "activation": "T_act",
    "first_event": "first event",
}
"""The markers as they are printed."""


def content_of(result: xr.Dataset) -> dict[str, Any]:
    """The fields of the JSON document but for the files.

    Args:
        result: what `netphase.quench` returned.

    Returns:
        The fields.
    """
    from netphase._types import Status
    from netphase.observables import is_lazy, line_gaps
    from netphase.results import MARKERS, events_of, markers_of

    attrs, last = result.attrs, result.isel(time=-1)
    status, kept = Status(attrs["status"]), _activated(result)
    end = {name: last[name].item() for name in SERIES}  # counts stay whole numbers
    markers = markers_of(result)
    return {
        "target": {
            "name": attrs["target"],
            "source": attrs["target_source"],
            "square": attrs["target_square"],
            "variation_norm": attrs["variation_norm"],
        },
        "setting": json.loads(attrs["setting"]),
        "status": status.value,
        "remedy": status.remedy,
        "succeeded": status.succeeded,
        "steps": int(attrs["steps"]),
        "largest_sharpness": float(attrs["largest_sharpness"]),
        "records": result.sizes["time"],
        "end": {
            "time": float(last["time"]),
            **end,
            "twin_limit": float(result["twin_limit"]),
            "over_cost": end["path_norm"] / float(attrs["variation_norm"]),
        },
        "lazy": is_lazy(end["test_error"], end["twin_test_error"], end["rotation"]),
        "phases": [
            {"name": name, "about": about, **markers[name]._asdict()}
            for name, about in MARKERS.items()
        ],
        "events": [event._asdict() for event in events_of(result)],
        "winners": _winners(result),
        "matched": _matched(result),
        "gaps": line_gaps(last["w"].values[kept]) if int(result["target_sphere"]) == 2 else [],
        "ablation": None,
    }


def _activated(result: xr.Dataset) -> Any:
    from netphase.observables import activated

    return activated(result["p"].values[-1], float(result.attrs["threshold"]))


def _winners(result: xr.Dataset) -> list[dict[str, Any]]:
    """The winners, the largest first."""
    last = result.isel(time=-1)
    p, cosine = last["p"].values, last["teacher_cosine"].values
    chosen = result["winner"].values.nonzero()[0]
    return [
        {"neuron": int(k), "p": float(p[k]), "cosine": float(cosine[k])}
        for k in sorted(chosen, key=lambda k: -abs(p[k]))
    ]


def _matched(result: xr.Dataset) -> list[dict[str, Any]]:
    """The neurons assigned to the target's."""
    names = ("matched_neuron", "matched_angle", "matched_excess")
    rows = zip(*(result[name].values.tolist() for name in names), strict=True)
    return [
        {"unit": unit, "neuron": neuron, "angle": angle, "excess": excess}
        for unit, (neuron, angle, excess) in enumerate(rows)
        if neuron >= 0
    ]


def ablation_of(altered: xr.Dataset) -> dict[str, Any]:
    """What an ablation showed.

    Args:
        altered: what `netphase.quenching.ablate` returned.

    Returns:
        The fields of the JSON document.
    """
    names = ("action", "quenched_neurons", "status", "later_activations",
             "intact_later_activations")  # fmt: skip
    last = altered.isel(time=-1)
    return {
        "at": float(altered.attrs["ablated_at"]),
        **{name: altered.attrs[name] for name in names},
        "test_error": float(last["test_error"]),
        "intact_test_error": float(last["intact_test_error"]),
    }


def print_content(page: Console, content: dict[str, Any]) -> None:
    """Print the run for a reader.

    Args:
        page: where to.
        content: what `content_of` returned, with the ablation if there was one.
    """
    setting, target = content["setting"], content["target"]
    n = setting["samples"]
    on = "on infinitely many inputs" if n is None else f"on {n} samples"
    page.print(
        f"[bold]{setting['width']} neurons learn: {target['name']}[/bold] {on}, "
        f"{_scaling(setting['gamma'])}",
        soft_wrap=True,
    )
    colour = "green" if content["succeeded"] else "red"
    page.print(f"[{colour}]{content['status']}[/{colour}]. {content['remedy']}".rstrip())
    _print_end(page, content)
    _print_phases(page, content)
    _print_events(page, content)
    for sentence in _sentences(content):
        page.print(sentence, soft_wrap=True)


def _scaling(gamma: float) -> str:
    """The output's scaling in words."""
    known = {0.0: "conventional scaling", 1.0: "mean-field scaling, output divided by m"}
    return known.get(gamma, f"output divided by m^{short(gamma)}")


def _print_end(page: Console, content: dict[str, Any]) -> None:
    """The numbers of the last record beside the twin's."""
    end = content["end"]
    table = new_table("in the end", ">network", ">random features")
    table.add_row("time t", short(end["time"]), "")
    for words, name in (("mean square error", "mean_square"), ("test error, exact", "test_error")):
        table.add_row(words, short(end[name]), short(end[f"twin_{name}"]))
    table.add_row("test error at infinite time", "", short(end["twin_limit"]))
    table.add_row("path norm PN", short(end["path_norm"]), "")
    table.add_row("PN over that of the target", short(end["over_cost"]), "")
    table.add_row("effective numbers N2, N4", f"{short(end['effective_number'])}, "
                  f"{short(end['effective_number_4'])}", "")  # fmt: skip
    table.add_row("activated neurons", str(end["activated_neurons"]), "")
    table.add_row("mean rotation", f"{number(math.degrees(end['rotation']), 2)}°", "0°")
    table.add_row("share of the quenched neurons", short(end["background_share"], 2), "")
    page.print(table)


def _print_phases(page: Console, content: dict[str, Any]) -> None:
    """When the phases begin."""
    table = new_table("phase marker", ">time", "what happens then")
    for row in content["phases"]:
        when = short(row["time"]) if row["word"] == "reached" else row["word"]
        table.add_row(PHASES[row["name"]], when, row["about"].partition(": ")[2] or row["about"])
    page.print(table)


def _print_events(page: Console, content: dict[str, Any]) -> None:
    """The event log after the departure from the twin."""
    since = next(row["time"] for row in content["phases"] if row["name"] == "departure")
    events = [e for e in content["events"] if not e["time"] <= since]
    if not events:
        return
    table = new_table("event", ">time", ">neuron", ">p before", ">p after")
    for event in events[-MOST_ROWS:]:
        table.add_row(event["kind"], short(event["time"]), str(event["neuron"]),
                      number(event["before"]), number(event["after"]))  # fmt: skip
    page.print(table)
    if len(events) > MOST_ROWS:
        page.print(f"… and {len(events) - MOST_ROWS} earlier ones, in the JSON document.")


def _sentences(content: dict[str, Any]) -> list[str]:
    """What else there is to say."""
    said = [_found(content)]
    if content["lazy"]:
        said.append("The network is its random-feature twin still: nothing was activated.")
    gaps = content["gaps"]
    if len(gaps):
        angles = ", ".join(number(math.degrees(gap), 1) for gap in gaps)
        said.append(f"Gaps between the lines of activated neurons: {angles} degrees.")
    sharpness = content["largest_sharpness"]
    if math.isfinite(sharpness):
        beyond = " (beyond the limit: the edge of stability)" if sharpness > 1.0 else ""
        said.append(f"Largest step: {short(sharpness)} of the limit of stability 2/λ_max{beyond}.")
    if content["ablation"] is not None:
        said.append(_ablated(content["ablation"]))
    return said


def _found(content: dict[str, Any]) -> str:
    """Who found the target."""
    winners, matched = content["winners"], content["matched"]
    text = f"{len(winners)} activated neuron{'s' * (len(winners) != 1)} with a cosine above 0.95"
    if not matched:
        return f"{text} with the target."
    angle = math.degrees(max(row["angle"] for row in matched))
    excess = max(abs(row["excess"]) for row in matched)
    return (
        f"{text} with the target; {len(matched)} neuron{'s' * (len(matched) != 1)} assigned to the "
        f"target's, within {number(angle, 2)}° and {short(excess, 2)} of their contributions."
    )


def _ablated(found: dict[str, Any]) -> str:
    """What the ablation showed."""
    done = {"delete": "deleted", "freeze": "frozen", "redraw": "drawn anew"}[found["action"]]
    return (
        f"With the {found['quenched_neurons']} quenched neurons {done} at t = {short(found['at'])} "
        f"the test error ends at {short(found['test_error'])} (intact: "
        f"{short(found['intact_test_error'])}), after {found['later_activations']} later "
        f"activations (intact: {found['intact_later_activations']})."
    )
