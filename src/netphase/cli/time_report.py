"""Learning time-scales at the end: a document for programs, tables and sentences for people."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from netphase.cli.output import new_table, number, short

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import Console
    from rich.table import Table

FIELDS = """setting (activation, target and their Hermite coefficients, outputs, solver, width,
inputs, end …), verdict {word (canonical, not canonical, undetermined), level (last degree
learnt in the canonical order, -1 for none), reason, criterion}, warnings, initial_risk, floor
(predicted risk in the end), seeds, records, degrees [{degree, coefficient (of the target),
learnable, prediction (what it rests on), reason, exponent, exponent_error, exponent_points,
predicted_exponent, predicted_plateau (risk behind it)}], runs [{epsilon, end (last time),
statuses (one a seed), risk (in the end), degrees [{degree, time (last half-level), times (one
a seed), window_start (90 %), window_end (10 %), predicted_time, predicted_width, plateau}]}],
succeeded, files. Of several seeds, medians; null: not within the run, or not predicted"""
"""The fields of the JSON document of `timescales`."""

MOST_ROWS = 12
"""Values of ε in the table; of more, the smallest ones."""

SOLVERS = {
    "mean_field": "mean field of infinitely many neurons",
    "exact": "exact equations of the overlaps",
    "sgd": "one-pass projected SGD",
}
"""What the solvers are called."""


def content_of(results: xr.Dataset) -> dict[str, Any]:
    """The fields of the JSON document but for the files.

    Args:
        results: what `netphase.timescales` returned.

    Returns:
        Name → value.
    """
    attrs = results.attrs
    setting = json.loads(attrs["setting"])
    runs = [_run(results.isel(epsilon=place)) for place in range(results.sizes["epsilon"])]
    return {
        "setting": setting,
        "verdict": {
            "word": attrs["verdict"],
            **{name: attrs[name] for name in ("level", "reason", "criterion")},
        },
        "warnings": json.loads(attrs["warnings"]),
        "initial_risk": attrs["initial_risk"],
        "floor": attrs["floor"],
        "seeds": results["seed"].values,
        "records": results.sizes["record"],
        "degrees": [
            {
                "degree": degree,
                "coefficient": setting["target_coefficients"][degree],
                **{name: results[name].values[degree].item() for name in _OF_DEGREE},
            }
            for degree in results["degree"].values.tolist()
        ],
        "runs": runs,
        "succeeded": all(row["succeeded"] for row in runs),
    }


_OF_DEGREE = (
    "learnable",
    "prediction",
    "reason",
    "exponent",
    "exponent_error",
    "exponent_points",
    "predicted_exponent",
    "predicted_plateau",
)


def _run(at: xr.Dataset) -> dict[str, Any]:
    """What one ε gave."""
    import numpy as np

    from netphase._types import Status
    from netphase.figures.stages import median
    from netphase.results import status_words

    words = status_words(at["status"].values).tolist()
    middle = {
        name: median(at[name].values)
        for name in ("learning_time", "window_start", "window_end", "plateau")
    }
    times = at["t"].values[np.isfinite(at["t"].values)]
    return {
        "epsilon": float(at["epsilon"]),
        "end": float(times[-1]),
        "statuses": words,
        "succeeded": all(Status(word).succeeded for word in words),
        "risk": float(median(at["risk"].values)[len(times) - 1]),
        "degrees": [
            {
                "degree": degree,
                "time": middle["learning_time"][degree],
                "times": at["learning_time"].values[:, degree],
                **{name: middle[name][degree] for name in ("window_start", "window_end")},
                "predicted_time": at["predicted_time"].values[degree],
                "predicted_width": at["predicted_width"].values[degree],
                "plateau": middle["plateau"][degree],
            }
            for degree in at["degree"].values.tolist()
        ],
    }


def print_content(page: Console, content: dict[str, Any]) -> None:
    """Print time-scales for a reader.

    Args:
        page: where to.
        content: what `content_of` returned.
    """
    setting, verdict = content["setting"], content["verdict"]
    page.print(
        f"σ = {setting['activation']} learns φ = {setting['target']}",
        style="bold", markup=False, soft_wrap=True,
    )  # fmt: skip
    page.print(f"  {_model(setting)}", markup=False, soft_wrap=True)
    colour = {"canonical": "green", "not canonical": "red"}.get(verdict["word"], "yellow")
    page.print(f"[{colour}]{_heading(verdict)}[/{colour}] {verdict['reason']}", soft_wrap=True)
    if _asked(content):
        page.print(_degree_table(content))
        if len(content["runs"]) > 1:
            page.print(_time_table(content))
    for sentence in _sentences(content):
        page.print(sentence, markup=False, soft_wrap=True)


def _model(setting: dict[str, Any]) -> str:
    """Solver, size and start in a line."""
    parts = [SOLVERS[setting["solver"]]]
    if setting["width"] is not None:
        parts.append(f"{setting['width']} neurons")
    d = setting["inputs"]
    parts.append("infinitely many inputs" if d is None else f"{short(d)} inputs")
    return ", ".join([*parts, f"output weights start as {setting['outputs']}"])


def _heading(verdict: dict[str, Any]) -> str:
    """The verdict in words."""
    word, level = verdict["word"], verdict["level"]
    upto = f"up to degree {level}" if level >= 0 else "in no degree"
    if word == "canonical":
        return f"Canonical learning order {upto}."
    kind = "Not the canonical learning order" if word == "not canonical" else "Undetermined"
    return f"{kind} (canonical {upto})."


def _asked(content: dict[str, Any]) -> list[int]:
    """The degrees that the target has."""
    return [row["degree"] for row in content["degrees"] if row["coefficient"] != 0.0]


def _degree_table(content: dict[str, Any]) -> Table:
    """One row a degree, at the smallest ε."""
    run = min(content["runs"], key=lambda each: each["epsilon"])
    seeds = len(content["seeds"])
    of = f", medians over {seeds} seeds" if seeds > 1 else ""
    table = new_table(
        ">degree", ">learnt at", ">predicted", ">exponent", ">predicted", ">plateau behind",
        ">predicted", title=f"ε = {short(run['epsilon'])}{of}",
    )  # fmt: skip
    for degree in _asked(content):
        about, found = content["degrees"][degree], run["degrees"][degree]
        table.add_row(
            str(degree),
            short(found["time"]),
            short(found["predicted_time"]),
            _exponent(about),
            _fraction(about["predicted_exponent"]),
            short(found["plateau"]),
            short(about["predicted_plateau"]),
        )
    return table


def _exponent(about: dict[str, Any]) -> str:
    """An exponent with its error, which is never written as zero."""
    value, error = about["exponent"], about["exponent_error"]
    if not math.isfinite(error):
        return number(value)
    return f"{number(value)} ± {number(error) if error >= 5e-4 else '<0.001'}"


def _fraction(exponent: float) -> str:
    """An exponent as a fraction with its true minus sign."""
    if not math.isfinite(exponent):
        return "–"
    return str(Fraction(exponent).limit_denominator(32)).replace("-", "−")


def _time_table(content: dict[str, Any]) -> Table:
    """Learning times over ε, the predicted ones in brackets."""
    degrees = _asked(content)
    table = new_table(">ε", *(f">t{degree} (predicted)" for degree in degrees))
    rows = sorted(content["runs"], key=lambda each: -each["epsilon"])
    for run in rows[-MOST_ROWS:]:
        cells = []
        for degree in degrees:
            found = run["degrees"][degree]
            predicted = found["predicted_time"]
            told = f" ({short(predicted)})" if math.isfinite(predicted) else ""
            cells.append(f"{short(found['time'])}{told}")
        table.add_row(short(run["epsilon"]), *cells)
    return table


def _sentences(content: dict[str, Any]) -> list[str]:
    """What is never learnt and why, and which runs did not finish."""
    said = []
    if len(content["runs"]) > MOST_ROWS:
        said.append(f"… and {len(content['runs']) - MOST_ROWS} larger ε, in the JSON document.")
    blocked: dict[str, list[int]] = {}
    for degree in _asked(content):
        about = content["degrees"][degree]
        if not about["learnable"]:
            blocked.setdefault(about["reason"], []).append(degree)
    for reason, degrees in blocked.items():
        which = ", ".join(map(str, degrees))
        said.append(f"Never learnt: degree{'s' * (len(degrees) > 1)} {which}. {reason}")
    if content["floor"] > 0.0:
        said.append(f"The risk stays at {short(content['floor'])} for ever, as predicted.")
    return said + _unfinished(content)


def _unfinished(content: dict[str, Any]) -> list[str]:
    """One sentence for each way in which runs did not finish."""
    from netphase._types import Status

    ends: dict[str, list[float]] = {}
    for run in content["runs"]:
        for word in set(run["statuses"]):
            if not Status(word).succeeded:
                ends.setdefault(word, []).append(run["epsilon"])
    return [
        f"Runs at ε = {', '.join(map(short, epsilons))}: {word}. {Status(word).remedy}"
        for word, epsilons in ends.items()
    ]
