"""Kernels against limits at the end: a document for programs, tables and sentences for people."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from netphase.cli.output import new_table, number, short

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr
    from rich.console import Console
    from rich.table import Table

FIELDS = """name, setting (data, depth, scaling, activation, outputs, kind, log_m_kappa …), verdict
{word (m^(-1/2), faster, slower, undetermined), reason, criterion}, exponent and exponent_error (of
tangent_error over the width; null for one width), layers [{layer, exponent, exponent_error (of its
part of the kernel), feature_exponent, feature_exponent_error (of S^[l]; null for the output),
limit_share, share {mean, std} (at the largest width)}], seeds, widths [{width, tangent_error
{mean, std}, layer_errors, feature_errors (means), limit {least, largest, condition, decay_rate
(2 λ_min/n), stable_rate (2n/λ_max), alignment, shares, eigenvalues}, empirical {least, largest,
condition, decay_rate, stable_rate, alignment, each {mean, std}}, training {statuses, steps,
measured_decay, over_limit (over the rate of the limiting kernel in the same stretch), over_start
(over that of the own kernel at the start), end_decay_rate, kernel_change, kernel_turn (1 −
cosine), each {mean, std}; null without --train}}], degeneracy {factors, least, resolved, slope,
drift, predicted_slope, reason; null without --scale-range}, succeeded, files"""
"""The fields of the JSON document of `kernel`."""

_MEASURED = ("decay_rate", "stable_rate", "alignment")


def content_of(results: xr.Dataset, degeneracy: xr.Dataset | None) -> dict[str, Any]:
    """The fields of the JSON document but for the name and the files.

    Args:
        results: what `netphase.concentration.kernel_concentration` returned.
        degeneracy: what `netphase.concentration.kernel_degeneracy` returned, None if not asked.

    Returns:
        Name → value.
    """
    attrs = results.attrs
    rows = [_width(results.isel(width=place)) for place in range(results.sizes["width"])]
    return {
        "setting": json.loads(attrs["setting"]),
        "verdict": {"word": attrs["verdict"], "reason": attrs["reason"],
                    "criterion": attrs["criterion"]},
        "exponent": float(results["tangent_exponent"]),
        "exponent_error": float(results["tangent_exponent_error"]),
        "layers": [_layer(results, layer) for layer in results["layer"].values.tolist()],
        "seeds": results["seed"].values,
        "widths": rows,
        "degeneracy": None if degeneracy is None else _degeneracy(degeneracy),
        "succeeded": all(row["training"] is None or row["training"]["succeeded"] for row in rows),
    }  # fmt: skip


def _layer(results: xr.Dataset, layer: int) -> dict[str, Any]:
    at = results.sel(layer=layer)
    hidden = layer in results["hidden"].values
    feature = results.sel(hidden=layer) if hidden else None
    return {
        "layer": layer,
        "exponent": float(at["layer_exponent"]),
        "exponent_error": float(at["layer_exponent_error"]),
        "feature_exponent": math.nan if feature is None else float(feature["feature_exponent"]),
        "feature_exponent_error": (
            math.nan if feature is None else float(feature["feature_exponent_error"])
        ),
        "limit_share": float(at["limit_share"][-1]),
        "share": _spread(at["share"].values[-1]),
    }


def _width(at: xr.Dataset) -> dict[str, Any]:
    """What one width gave."""
    limits, own = at["limit_eigenvalue"].values, at["eigenvalue"].values
    least, largest = own[:, 0], own[:, -1]
    limit = {name: float(at[f"limit_{name}"]) for name in _MEASURED}
    return {
        "width": int(at["width"]),
        "tangent_error": _spread(at["tangent_error"].values),
        "layer_errors": at["layer_error"].values.mean(axis=0),
        "feature_errors": at["feature_error"].values.mean(axis=0),
        "limit": {
            "least": limits[0],
            "largest": limits[-1],
            "condition": limits[-1] / limits[0],
            **limit,
            "shares": at["limit_share"].values,
            "eigenvalues": limits,
        },
        "empirical": {
            "least": _spread(least),
            "largest": _spread(largest),
            "condition": _spread(_ratio(largest, least)),
            **{name: _spread(at[name].values) for name in _MEASURED},
        },
        "training": _training(at),
    }


def _training(at: xr.Dataset) -> dict[str, Any] | None:
    """What the training of one width gave; null where there was none."""
    from netphase._types import Status
    from netphase.results import status_words

    if "status" not in at:
        return None
    words = status_words(at["status"].values).tolist()
    measured = at["measured_decay"].values
    names = ("end_decay_rate", "kernel_change", "kernel_turn", "steps")
    return {
        "statuses": words,
        "succeeded": all(Status(word).succeeded for word in words),
        "measured_decay": _spread(measured),
        "over_limit": _spread(_ratio(measured, at["limit_decay"].values)),
        "over_start": _spread(_ratio(measured, at["start_decay"].values)),
        **{name: _spread(at[name].values) for name in names},
    }


def _degeneracy(found: xr.Dataset) -> dict[str, Any]:
    names = ("slope", "drift", "predicted_slope", "reason")
    return {
        "factors": found["factor"].values,
        "least": found["least"].values,
        "resolved": found["resolved"].values,
        **{name: found.attrs[name] for name in names},
    }


def _ratio(above: np.ndarray[Any, Any], below: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A quotient that is infinite, or not a number, where it is none."""
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(above / below)


def _spread(values: np.ndarray[Any, Any]) -> dict[str, float]:
    """Mean and standard deviation over the seeds; of one seed there is no deviation."""
    import numpy as np

    known = values[np.isfinite(values)]
    unit = float(np.abs(known).max(initial=0.0)) or 1.0  # whose square may be no float
    return {
        "mean": float(known.mean()) if known.size else math.nan,
        "std": unit * float((known / unit).std(ddof=1)) if known.size > 1 else math.nan,
    }


def print_content(page: Console, content: dict[str, Any]) -> None:
    """Print kernels for a reader.

    Args:
        page: where to.
        content: what `content_of` returned, with a ``name``.
    """
    setting, verdict = content["setting"], content["verdict"]
    page.print(
        f"{content['name']}: L = {setting['depth']}, {setting['activation']}, "
        f"{setting['samples']} samples, networks a width: {len(content['seeds'])}",
        style="bold", markup=False, soft_wrap=True,
    )  # fmt: skip
    colour = {"m^(-1/2)": "green", "undetermined": "yellow"}.get(verdict["word"], "red")
    page.print(f"[{colour}]{verdict['reason']}[/{colour}]".replace("m^(-", "m^(−"), soft_wrap=True)
    page.print(_spectrum_table(content))
    page.print(_rate_table(content))
    page.print(_layer_table(content))
    if content["widths"][0]["training"] is not None:
        page.print(_training_table(content))
    for sentence in _sentences(content):
        page.print(sentence, markup=False, soft_wrap=True)


def _spectrum_table(content: dict[str, Any]) -> Table:
    """One row a width: error, and finite beside limiting numbers."""
    names = {"least": ">λ_min", "condition": ">λ_max/λ_min", "alignment": ">alignment"}
    title = "Tangent kernel at the start, mean ± standard deviation"
    columns = (each for name in names.values() for each in (name, ">limit"))
    table = new_table(">m", ">error of Θ", *columns, title=title)
    for row in content["widths"]:
        table.add_row(str(row["width"]), _pair(row["tangent_error"]), *_beside_limit(row, names))
    return table


def _rate_table(content: dict[str, Any]) -> Table:
    """One row a width: what the spectra predict."""
    table = new_table(
        ">m", ">decay 2 λ_min/n", ">limit", ">largest stable rate 2n/λ_max", ">limit",
        title="Rates that follow, of the loss and of learning",
    )  # fmt: skip
    for row in content["widths"]:
        table.add_row(str(row["width"]), *_beside_limit(row, ("decay_rate", "stable_rate")))
    return table


def _beside_limit(row: dict[str, Any], names: Iterable[str]) -> list[str]:
    """What finite networks have of each name, and the limit."""
    own, limit = row["empirical"], row["limit"]
    return [each for name in names for each in (_pair(own[name]), short(limit[name], 3))]


def _layer_table(content: dict[str, Any]) -> Table:
    """One row a layer: exponents, and its share of the kernel at the largest width."""
    m = content["widths"][-1]["width"]
    table = new_table(
        ">layer", ">slope of its kernel", ">slope of its Gram matrix", f">share at m = {m}",
        ">limit",
        title="Layers: errors go as m^slope",
    )  # fmt: skip
    for row in content["layers"]:
        table.add_row(
            str(row["layer"]),
            _slope(row["exponent"], row["exponent_error"]),
            _slope(row["feature_exponent"], row["feature_exponent_error"]),
            _pair(row["share"]),
            short(row["limit_share"], 3),
        )
    return table


def _training_table(content: dict[str, Any]) -> Table:
    """One row a width: measured decay beside what kernels predict."""
    table = new_table(
        ">m", ">late decay", ">2λ_min/n of the limit", ">over limiting kernel",
        ">over own kernel at start", ">2λ_min/n in the end", ">kernel change", ">1 − cosine",
        title="Trained networks",
    )  # fmt: skip
    names = ("over_limit", "over_start", "end_decay_rate", "kernel_change", "kernel_turn")
    for row in content["widths"]:
        run = row["training"]
        table.add_row(
            str(row["width"]),
            _pair(run["measured_decay"]),
            short(row["limit"]["decay_rate"], 3),
            *(_pair(run[name]) for name in names),
        )
    return table


def _pair(spread: dict[str, float]) -> str:
    """Mean ± standard deviation."""
    mean, std = spread["mean"], spread["std"]
    return f"{short(mean, 3)} ± {short(std, 2)}" if math.isfinite(std) else short(mean, 3)


def _slope(exponent: float, error: float) -> str:
    return f"{number(exponent)} ± {number(error)}" if math.isfinite(error) else number(exponent)


def _sentences(content: dict[str, Any]) -> list[str]:
    """On small first layers, and on runs that did not finish."""
    from netphase import activations
    from netphase._types import Status

    said = []
    found = content["degeneracy"]
    if found is not None:
        said.append(_of_degeneracy(found))
    trained = [row for row in content["widths"] if row["training"] is not None]
    if trained and not activations.get(content["setting"]["activation"]).smooth:
        said.append(
            "Neurons that come to rest on the kink of a sample slow the late decay down, even "
            "below 2λ_min/n of the kernel in the end; smooth activations have none."
        )
    return said + [
        f"Runs at m = {row['width']}: {word}. {Status(word).remedy}"
        for row in trained
        for word in sorted(set(row["training"]["statuses"]))
        if not Status(word).succeeded
    ]


def _of_degeneracy(found: dict[str, Any]) -> str:
    """λ_min against ε in a sentence."""
    if not math.isfinite(found["slope"]):
        return "λ_min falls below the error of the kernels at once: give larger factors of β_1."
    told = f"With β_1 times ε, λ_min goes as ε^{number(found['slope'], 2)}"
    if math.isfinite(found["predicted_slope"]):
        return f"{told} (predicted as ε → 0: {found['predicted_slope']:g})."
    return f"{told}; no prediction: {found['reason']}"
