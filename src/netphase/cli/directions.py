"""``netphase directions``: where the neurons will condense, predicted before any training."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netphase.cli.application import SUCCESS
from netphase.cli.options import data_option, folder_option, json_option
from netphase.cli.output import console, emit, list_files, make_folder, new_table, short
from netphase.cli.values import POSITIVE

if TYPE_CHECKING:
    from rich.console import Console

    from netphase.datasets import Dataset
    from netphase.directions import DirectionPrediction

HELP = """Predict on which directions the neurons of a small network will condense.

While the weights are small, neurons climb F(w) = (c/n) Sum_i y_i (w·x_i)^p, where the
activation begins with c z^p: those of output weight a > 0 end on maxima of F on the unit
sphere, those of a < 0 on maxima of -F. The maxima, how stable they are and which share of
the neurons each gets follow from the data and p alone; nothing is trained.

That there are at most 2p of them is a theorem for p = 1, for p = 2 and for two input
dimensions (one input and the bias), and a conjecture otherwise, which some data refute.

Of an activation with a kink (relu) the directions are those on which neurons come to rest:
maxima, and also points of a kink reached from the one side on which the input across it is
off (orthogonal inputs), though F rises on the other side.

\b
Examples:
  netphase directions --activation x_tanh
  netphase directions --data "sines?inputs=5" --multiplicity 3
  netphase directions --data axes --activation x2_tanh --json
  netphase directions --data mine.csv --activation centred_sigmoid --output mine

\b
JSON fields: data {source, name, n, d, sha256}, activation, multiplicity, coefficient, slopes
(of an activation with a kink), directions [{line, sign_of_a, strength, rate, curvature (on
the side of the neurons; null at a corner, where F falls with a slope on all sides), share,
share_error, direction}], count, lines, on_sphere (count and shrinking ones), bound (2p),
statement, exceeds_bound, complete, unseen (estimated share of starts that end elsewhere),
degenerate (signs of a with a continuum), shrinking [{sign_of_a, direction}], escape {law,
rate, e_folding_time, blow_up_time} (of a neuron of size 1 on the strongest direction), files.
"""

COMPONENTS = 6
"""Components of a direction that the table shows."""

MOST_ROWS = 40
"""Directions that the table shows."""

TRACKED = 120
"""Neurons whose way the figure shows."""

GROWTH = {1: 8.0}
"""Factor by which they grow on it, by multiplicity; `LATER_GROWTH` otherwise."""

LATER_GROWTH = 4.0


@click.command("directions", help=HELP, short_help="Predict where neurons condense.")
@data_option
@click.option(
    "--activation",
    metavar="NAME",
    help="Name of the activation, as for netphase train; default: tanh.",
)
@click.option(
    "--multiplicity",
    type=click.IntRange(min=1),
    metavar="P",
    help="Order p of the activation at 0 instead of its name, with c = 1.",
)
@click.option(
    "--restarts",
    type=click.IntRange(min=1),
    default=400,
    show_default=True,
    help="Random starts of the search, where the directions cannot be enumerated.",
)
@click.option(
    "--neurons",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    help="Random neurons that measure the shares; 0 leaves them out.",
)
@click.option(
    "--ratio",
    type=POSITIVE,
    default=1.0,
    show_default=True,
    help="κ' = β1/β2, std of their output weights over that of their input weights.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of starts and neurons.")
@folder_option("netphase-directions", "Folder for the figures.")
@json_option
def command(**options: Any) -> int:
    """Predict the directions of condensation."""
    from netphase.datasets import load

    name, multiplicity = options["activation"], options["multiplicity"]
    if name is not None and multiplicity is not None:
        raise click.UsageError("Give --activation or --multiplicity, not both.")
    if name is None and multiplicity is None:
        name = "tanh"
    data = load(options["data"])
    prediction = _predicted(data, name, options)
    content = _content(data, name, prediction, options["neurons"])
    if not options["as_json"]:
        _print(console(), content)
    files = _draw(options["output"], data, prediction, options["ratio"], options["seed"])
    if options["as_json"]:
        emit("directions", content | {"files": files})
    else:
        list_files(console(), files)
    return SUCCESS


def _predicted(data: Dataset, name: str | None, options: dict[str, Any]) -> DirectionPrediction:
    """The prediction, once the folder is there; a new one goes again if nothing is predicted."""
    from netphase.directions import predicted_directions
    from netphase.errors import ArgumentError

    folder: Path = options["output"]
    new = not folder.exists()
    make_folder(folder)
    try:
        return predicted_directions(
            data,
            name,
            multiplicity=options["multiplicity"],
            restarts=options["restarts"],
            neurons=options["neurons"],
            ratio=options["ratio"],
            seed=options["seed"],
        )
    except ArgumentError:
        if new:
            folder.rmdir()
        raise


def _draw(
    folder: Path, data: Dataset, prediction: DirectionPrediction, ratio: float, seed: int
) -> list[Path]:
    """Draw the field where there are two input dimensions, and each direction's part."""
    from netphase import figures

    files: list[Path] = []
    if data.d == 2:
        tracks = None if prediction.order.slopes else _tracks(data, prediction, ratio, seed)
        figure = figures.direction_field(prediction, data, tracks=tracks)
        files += figures.save(figure, folder / "directions-field")
    if prediction.count:
        figure = figures.direction_strengths(prediction)
        files += figures.save(figure, folder / "directions-strengths")
    return files


def _tracks(data: Dataset, prediction: DirectionPrediction, ratio: float, seed: int) -> Any:
    """Random neurons before and after they have grown, without those that never do."""
    import numpy as np

    from netphase.directions import escape
    from netphase.networks import Parameters, initial_parameters

    order = prediction.order
    start = initial_parameters(TRACKED, d=data.d, seed=seed)
    growth = GROWTH.get(order.multiplicity, LATER_GROWTH)
    end = escape(
        data,
        None,
        ratio * start.a,
        start.w,
        growth,
        multiplicity=order.multiplicity,
        coefficient=order.coefficient,
    )
    left = np.isfinite(end.time)
    before = Parameters(ratio * start.a[left], start.w[left])
    return before, Parameters(end.a[left], end.w[left])


def _content(
    data: Dataset, activation: str | None, prediction: DirectionPrediction, neurons: int
) -> dict[str, Any]:
    """The fields of the JSON document but the files."""
    found, order = prediction, prediction.order
    rows = []
    for k, line in enumerate(found.line):
        share = float(found.basin[k])
        rows.append(
            {
                "line": int(line) + 1,
                "sign_of_a": int(found.sign_of_a[k]),
                "strength": found.strength[k],
                "rate": found.rates[k],
                "curvature": found.curvature[k],
                "share": share,
                "share_error": math.sqrt(share * (1 - share) / max(1, neurons)),
                "direction": found.directions[k],
            }
        )
    fading = zip(found.shrinking_sign_of_a, found.shrinking, strict=True)
    return {
        "data": {
            "source": data.source,
            "name": data.name,
            "n": data.n,
            "d": data.d,
            "sha256": data.sha256,
        },
        "activation": activation,
        "multiplicity": order.multiplicity,
        "coefficient": order.coefficient,
        "slopes": order.slopes,
        "directions": rows,
        "count": found.count,
        "lines": found.lines,
        "on_sphere": found.on_sphere,
        "bound": found.bound,
        "statement": found.statement,
        "exceeds_bound": found.exceeds_bound,
        "complete": found.complete,
        "unseen": found.unseen,
        "degenerate": found.degenerate,
        "shrinking": [{"sign_of_a": int(s), "direction": u} for s, u in fading],
        "escape": _escape(found),
    }


def _escape(prediction: DirectionPrediction) -> dict[str, Any]:
    """How neurons leave the origin, and when one of size 1 on the strongest direction does."""
    p = prediction.order.multiplicity
    if not prediction.count:
        return {"law": None, "rate": None, "e_folding_time": None, "blow_up_time": None}
    rate = float(prediction.rates[0])
    if p == 1:
        law = "exponential, T = log(growth)/rate whatever the scale"
        return {"law": law, "rate": rate, "e_folding_time": 1 / rate, "blow_up_time": None}
    law = f"blow-up in finite time, T proportional to scale^-{p - 1}"
    time = float(prediction.escape_times()[0])
    return {"law": law, "rate": rate, "e_folding_time": None, "blow_up_time": time}


def _print(page: Console, content: dict[str, Any]) -> None:
    """The prediction for a reader."""
    data, p = content["data"], content["multiplicity"]
    what = content["activation"] or f"c = {short(content['coefficient'])}"
    kind = "a kink at 0" if content["slopes"] else f"p = {p}"
    page.print(
        f"[bold]{data['name']}[/bold] (n = {data['n']}, d = {data['d']}), {what}: {kind}",
    )
    page.print(f"  {_count_sentence(content)}")
    for sentence in _remarks(content):
        page.print(f"  {sentence}")
    if content["directions"]:
        page.print(_table(content))
        if content["count"] > MOST_ROWS:
            page.print(f"the strongest {MOST_ROWS} of {content['count']}; --json gives all")
        page.print(_escape_sentence(content))


def _count_sentence(content: dict[str, Any]) -> str:
    """How many there are against how many there may be."""
    count, lines, bound = content["count"], content["lines"], content["bound"]
    found = (
        f"[bold]{count} direction{'s' * (count != 1)}[/bold] on {lines} line{'s' * (lines != 1)}"
    )
    if bound is None:
        return f"{found}; {content['statement']}"
    if content["exceeds_bound"]:
        return f"{found}: [bold]more than 2p = {bound}[/bold], which refutes the conjecture here"
    return f"{found}, of at most 2p = {bound}: {content['statement']}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _remarks(content: dict[str, Any]) -> list[str]:
    """What a reader of the table should know beside it."""
    remarks = []
    for sign in content["degenerate"]:
        relation = ">" if sign > 0 else "<"
        remarks.append(
            f"for a {relation} 0 all of a continuum are equally good, so none is singled out"
        )
    if content["shrinking"]:
        remarks.append(
            f"{len(content['shrinking'])} more maxima on the sphere, on which neurons shrink"
        )
    if not content["complete"]:
        remarks.append(
            "found by search; the share of starts that would find another is about "
            f"{short(100 * content['unseen'], 2)} %"
        )
    return remarks


def _table(content: dict[str, Any]) -> Any:
    """One row a direction."""
    table = new_table(
        ">line", "a", ">strength", ">share of neurons", ">curvature", "direction u (w = |w| u)"
    )
    for row in content["directions"][:MOST_ROWS]:
        share = "–"
        if math.isfinite(row["share"]):
            share = f"{100 * row['share']:.1f} ± {100 * row['share_error']:.1f} %"
        corner = math.isinf(row["curvature"])
        table.add_row(
            str(row["line"]),
            "> 0" if row["sign_of_a"] > 0 else "< 0",
            short(row["strength"]),
            share,
            "corner" if corner else short(row["curvature"]),
            _vector(row["direction"]),
        )
    return table


def _vector(u: Any) -> str:
    """The first components, aligned."""
    shown = [f"{round(float(value), 3) + 0.0:+.3f}".replace("-", "−") for value in u[:COMPONENTS]]
    return " ".join(shown) + (" …" if len(u) > COMPONENTS else "")


def _escape_sentence(content: dict[str, Any]) -> str:
    """How long a network of a scale stays at the origin."""
    escape, power = content["escape"], content["multiplicity"] - 1
    if escape["blow_up_time"] is None:
        return (
            "Neurons grow exponentially, on the strongest direction by e in every "
            f"{short(escape['e_folding_time'])} of raw time, whatever their scale."
        )
    return (
        f"Neurons blow up in finite time: one of size s on the strongest direction at "
        f"{short(escape['blow_up_time'])}/s{'' if power == 1 else f'^{power}'} of raw time."
    )
