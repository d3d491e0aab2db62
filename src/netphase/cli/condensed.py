"""The end of a condensing run: a document for programs, tables and sentences for people."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from netphase.cli.application import as_option
from netphase.cli.output import new_table, number, short

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import Console

    from netphase.condensing import Expected
    from netphase.experiment import Experiment
    from netphase.observables import Features

FIELDS = """name, experiment (specification), key, gamma, gamma_prime, regime, alias,
status, remedy, succeeded, moments, end {time, mean_square, relative_change_w,
relative_change_a, alignment_ratio, median_cosine, growth_times (λt; null without a growth
rate or by Adam)}, initial_stage_end, prediction {directions [{direction, sign_of_a, rate,
neurons, share, wrong_sign (neurons), occupied}], count, lines, multiplicity, bound,
statement, complete, occupied, share, neuron_share, wrong_sign, chance_share; null if there
is none}, reason (why there is none), neurons {active, inactive, directions, lines, shares,
cover {lower, upper}; null if none is active}, chance [{statistic, observed, null_mean,
null_std, z, p, draws}], verdict {label, effect, reason}, merged {size, neurons_before,
inactive, error (null for σ(0) ≠ 0), refitted_error; null if impossible}, files"""
"""The fields of the JSON document of `condense`."""

OCCUPIED = 0.01
"""Share of the amplitude from which a direction counts as occupied."""

MOST_ROWS = 12

FEW = 20
"""So few active neurons, of a multiplicity above one, call for an explanation."""

ANOTHER = 0.1
"""From this relative error on a merged network is another function."""

WORDS = {
    "clusters": "directions (cosine > 0.95)",
    "lines": "lines",
    "effective_number": "effective number 1/Σ s²",
    "cover": "effective neurons (smallest cover found)",
    "entropy_number": "entropy number of the orientations",
    "participation_ratio": "participation ratio of the orientations",
    "effective_rank": "effective rank",
    "mean_square_cosine": "mean squared cosine",
}
"""The statistics in words."""


def content_of(
    experiment: Experiment, expected: Expected, result: xr.Dataset, draws: int
) -> dict[str, Any]:
    """The fields of the JSON document but for the name and the files.

    Args:
        experiment: what was run.
        expected: what was predicted of it.
        result: what `netphase.condense` returned.
        draws: clouds of random directions each statistic is compared with.

    Returns:
        The fields.
    """
    import json

    from netphase._types import Status
    from netphase.results import features_at

    status, law = Status(result.attrs["status"]), experiment.law
    cloud = features_at(result, -1)
    return {
        "experiment": json.loads(experiment.to_json()),
        "key": experiment.key,
        "gamma": law.gamma,
        "gamma_prime": law.gamma_prime,
        "regime": law.regime.value,
        "alias": law.regime.alias,
        "status": status.value,
        "remedy": status.remedy,
        "succeeded": status.succeeded,
        "moments": result.sizes["time"],
        "end": _end(result),
        "initial_stage_end": float(result["initial_stage_end"]),
        "prediction": _prediction(expected, result, cloud),
        "reason": expected.reason,
        **_measures(cloud, draws),
        "merged": _merged(experiment, result),
    }


def _end(result: xr.Dataset) -> dict[str, float]:
    """What the last moment says."""
    names = ("time", "mean_square", "relative_change_w", "relative_change_a")
    last = result.isel(time=-1)
    found = {name: float(last[name]) for name in (*names, "alignment_ratio", "median_cosine")}
    known = "growth_rate" in result and "raw_time" in result.variables
    times = float(last["raw_time"] * result["growth_rate"]) if known else math.nan
    return {**found, "growth_times": times}


def _prediction(expected: Expected, result: xr.Dataset, cloud: Features) -> dict[str, Any] | None:
    """The predicted directions and who lies on them."""
    from netphase.results import chance_occupation, occupation, parameters_at

    found = expected.prediction
    if found is None:
        return None
    a = parameters_at(result, -1).a
    there = occupation(cloud, found.directions, a=a, sign_of_a=found.sign_of_a)
    rows = [
        {
            "direction": found.directions[k],
            "sign_of_a": int(found.sign_of_a[k]),
            "rate": float(result["predicted_rate"][k]),
            "neurons": int(there.neurons[k]),
            "share": float(there.shares[k]),
            "wrong_sign": int(there.wrong_sign[k]),
            "occupied": bool(there.shares[k] >= OCCUPIED),
        }
        for k in range(found.count)
    ]
    return {
        "directions": rows,
        "count": found.count,
        "lines": found.lines,
        "multiplicity": found.multiplicity,
        "bound": found.bound,
        "statement": found.statement,
        "complete": found.complete,
        "occupied": sum(row["occupied"] for row in rows),
        "share": there.share,
        "neuron_share": there.neuron_share,
        "wrong_sign": int(there.wrong_sign.sum()),
        "chance_share": chance_occupation(found.directions, sign_of_a=found.sign_of_a),
    }


def _measures(cloud: Features, draws: int) -> dict[str, Any]:
    """Counts, their chance levels and the verdict; nulls where no neuron is active."""
    from netphase.errors import ArgumentError
    from netphase.results import condensation_summary

    try:
        found = condensation_summary(cloud, draws)
    except ArgumentError as error:
        verdict = {"label": "undetermined", "effect": math.nan, "reason": str(error)}
        return {"neurons": None, "chance": [], "verdict": verdict}
    return {
        "neurons": {
            "active": found.active,
            "inactive": found.inactive,
            "directions": found.directions,
            "lines": found.lines,
            "shares": found.shares,
            "cover": found.cover._asdict(),
        },
        "chance": [each._asdict() for each in found.chance],
        "verdict": {name: getattr(found.verdict, name) for name in ("label", "effect", "reason")},
    }


def _merged(experiment: Experiment, result: xr.Dataset) -> dict[str, Any] | None:
    """Size and error of the network with the neurons of each direction merged.

    Where the activation is not zero at 0 only refitted output weights keep the function, and
    there is no error without.
    """
    from netphase import activations
    from netphase.errors import ArgumentError
    from netphase.networks import Parameters, TwoLayerNetwork
    from netphase.observables import merge

    network = TwoLayerNetwork(activations.get(experiment.activation), experiment.scales)
    last = result[["a", "w"]].isel(time=-1)
    try:
        parameters, x = Parameters(last["a"].values, last["w"].values), result["x"].values
        refitted = merge(network, parameters, x, refit=True)
        constant = activations.centred(network.activation) is not network.activation
        found = replace(refitted, error=math.nan) if constant else merge(network, parameters, x)
    except ArgumentError:
        return None
    names = ("size", "neurons_before", "inactive", "error")
    return {**{name: getattr(found, name) for name in names}, "refitted_error": refitted.error}


def print_content(page: Console, content: dict[str, Any]) -> None:
    """Print the run for a reader.

    Args:
        page: where to.
        content: what `content_of` returned, with a ``name``.
    """
    page.print(
        f"[bold]{content['name']}[/bold]: γ = {short(content['gamma'])}, γ' = "
        f"{short(content['gamma_prime'])}, {content['regime']} ({content['alias']}) at large width"
    )
    colour = "green" if content["succeeded"] else "red"
    page.print(f"[{colour}]{content['status']}[/{colour}]. {content['remedy']}".rstrip())
    _print_prediction(page, content)
    _print_measures(page, content)
    verdict = content["verdict"]
    page.print(f"[bold]{verdict['label']}[/bold]: {verdict['reason']}", soft_wrap=True)
    for sentence in _sentences(content):
        page.print(sentence, soft_wrap=True)


def _print_prediction(page: Console, content: dict[str, Any]) -> None:
    """The predicted directions, or why there are none."""
    found = content["prediction"]
    if found is None:
        page.print(f"No directions are predicted. {as_option(content['reason'])}", soft_wrap=True)
        return
    bound = f", at most {found['bound']} by a {found['statement']}" if found["bound"] else ""
    if found["statement"] == "conjecture":
        bound = f", at most {found['bound']} by conjecture"
    angles = len(found["directions"][0]["direction"]) == 2
    lines = f"{found['lines']} line{'s' if found['lines'] > 1 else ''}"
    title = f"[bold]predicted directions: {found['count']}, on {lines}{bound}[/bold]"
    page.print(title, soft_wrap=True)
    table = new_table(
        *("predicted direction", "sign of a", ">rate", ">neurons there", ">of all amplitude")
    )
    for row in found["directions"][:MOST_ROWS]:
        table.add_row(
            _direction(row["direction"], angles),
            "+" if row["sign_of_a"] > 0 else "−",
            short(row["rate"]),
            f"{row['neurons']}",
            _percent(row["share"]),
        )
    page.print(table)
    if found["count"] > MOST_ROWS:
        page.print(f"… and {found['count'] - MOST_ROWS} more, in the JSON document.")


def _direction(direction: Any, angle: bool) -> str:
    """A direction as an angle in degrees, or by its components."""
    if angle:
        return f"{number(math.degrees(math.atan2(direction[1], direction[0])), 1)}°"
    shown = ", ".join(number(round(float(each), 2), 2) for each in direction[:6])
    return f"({shown}{', …' if len(direction) > 6 else ''})"


def _print_measures(page: Console, content: dict[str, Any]) -> None:
    """Every measure beside its chance level."""
    neurons = content["neurons"]
    if neurons is None:
        return
    page.print(f"[bold]active neurons: {neurons['active']}, inactive: {neurons['inactive']}[/bold]")
    table = new_table("measure of the active", ">value", ">random directions", ">z", ">p")
    for row in content["chance"]:
        table.add_row(
            WORDS[row["statistic"]],
            short(row["observed"]),
            f"{short(row['null_mean'])} ± {short(row['null_std'], 2)}",
            number(row["z"], 1),
            short(row["p"] if neurons["active"] > 1 else math.nan, 2),
        )
    page.print(table)
    shares = ", ".join(_percent(share) for share in neurons["shares"][:6])
    more = ", …" if len(neurons["shares"]) > 6 else ""
    page.print(f"their amplitude on each direction: {shares}{more}", soft_wrap=True)
    lower, upper = neurons["cover"]["lower"], neurons["cover"]["upper"]
    if lower != upper:
        page.print(f"the smallest cover has between {lower} and {upper} directions")


def _sentences(content: dict[str, Any]) -> list[str]:
    """What else there is to say."""
    said: list[str] = []
    found, end, merged = content["prediction"], content["end"], content["merged"]
    if found is not None:
        said += _occupied(content, found, end)
    if math.isfinite(end["alignment_ratio"]):
        said.append(
            f"ρ = {short(_clean(end['alignment_ratio']))} of the input weights' size lies along "
            "z = (1/n) Σ y_i x_i."
        )
    if merged is None:
        said.append("Nothing can be merged: no direction carries half a percent of the amplitude.")
    elif merged["neurons_before"] > 1:
        refitted = not math.isfinite(merged["error"]) and math.isfinite(merged["refitted_error"])
        error = merged["refitted_error" if refitted else "error"]
        said.append(
            f"Merged{' with refitted output weights' if refitted else ''}, "
            f"{merged['neurons_before']} neurons become {merged['size']}, with a relative "
            f"error of {short(error, 2)} at the data"
            + (f": {_unlike(merged)}" if merged["error"] > ANOTHER else ".")
        )
    return said


def _occupied(content: dict[str, Any], found: dict[str, Any], end: dict[str, Any]) -> list[str]:
    """Who lies on the predicted directions, and why so few do if they do not."""
    wrong = found["wrong_sign"]
    but = f" {wrong} more lie on one with the other sign of a and do not count." if wrong else ""
    said = [
        f"{found['occupied']} of {found['count']} predicted directions are occupied: "
        f"{_percent(found['share'])} of the amplitude and {_percent(found['neuron_share'])} of "
        "the neurons lie within a cosine of 0.95 of one of their sign of a (random ones: "
        f"{_percent(found['chance_share'])}); the median neuron's cosine with the nearest is "
        f"{short(_clean(end['median_cosine']))}.{but}"
    ]
    few = content["neurons"] is not None and content["neurons"]["active"] <= FEW
    adam = content["experiment"].get("method", {}).get("type") == "adam"
    if adam and found["occupied"] < found["count"]:
        said.append(
            "The first steps of Adam follow the signs of the gradient's components, not the "
            "gradient, so that its neurons need not turn to the directions predicted for the flow."
        )
    elif few and not adam and (found["multiplicity"] or 1) > 1:
        said.append(
            f"At multiplicity {found['multiplicity']} neurons escape in finite time, the "
            "largest first, so that few are active; and where their output becomes visible, these "
            "few are no longer small and may have left the direction they escaped on. --method "
            "adam moves all of them alike."
        )
    return said


def _unlike(merged: dict[str, Any]) -> str:
    """Why a merged network with a large error is no picture of the network."""
    refitted = merged["refitted_error"]
    why = "neurons of one direction differ in length, or directions cancel"
    end = (
        f"with refitted output weights it would be {short(refitted, 2)}."
        if math.isfinite(refitted)
        else "refitting its output weights fails."
    )
    return f"it does not represent the network ({why}); {end}"


def _clean(value: float) -> float:
    """The value, and 0 for what only rounding keeps from it."""
    return 0.0 if abs(value) < 1e-12 else value


def _percent(share: float) -> str:
    """A share in percent; a dash if it is not a number."""
    return f"{100 * share:.1f} %" if math.isfinite(share) else "–"
