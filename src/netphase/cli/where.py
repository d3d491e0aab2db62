"""``netphase where``: the place of an initialisation in the plane, and what to expect there."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netphase.cli.layer_options import layer_options
from netphase.cli.layer_place import LAYERS_HELP, place_layers, refuse_layer_options
from netphase.cli.options import (
    activation_option,
    antisymmetric_option,
    chosen_law,
    data_option,
    json_option,
    law_options,
)
from netphase.cli.output import new_table, number, present, short

if TYPE_CHECKING:
    from rich.console import Console

    from netphase.datasets import Dataset
    from netphase.scalings import ScalingLaw

_PLANE = """Say where an initialisation sits in the (γ, γ') plane, and what to expect there.

Without an initialisation: the table of all known ones. α divides the output, β1 is the
standard deviation of the output weights, β2 that of the input weights; formulas may use
m (width), d (inputs), pi, numbers, + - * / ^, sqrt, log and exp.

\b
Examples:
  netphase where
  netphase where --init he --width 1000
  netphase where --alpha 1 --beta1 "m^-0.5" --beta2 "d^-0.5" --inputs 2
  netphase where --gamma 1.5 --gamma-prime 0.2 --json
  netphase where --depth 3
  netphase where --depth 3 --init mup --width 1000

\b
JSON fields of one initialisation: name, gamma, gamma_prime, regime, alias, zone,
gamma_critical (γ of the boundary at this γ'), distance (to the boundary, in the plane),
exponents {w, a, theta}, notations [{name, symbol, value, exponent, definition,
lazy_limit}], notations_width (of their values), width, inputs, predicted
{relative_change_w, relative_change_a, basis} or null, files.
Of the table: initialisations [{name, gamma, gamma_prime, regime, alias, zone, exponents}].
"""
HELP = f"{_PLANE}\n{LAYERS_HELP}"

DEFAULT_WIDTH = 1000


@click.command("where", help=HELP, short_help="Place an initialisation in the plane.")
@law_options
@click.option(
    "--depth",
    type=int,
    metavar="L",
    help="Networks of L hidden layers of m neurons each, and a table of their layers.",
)
@layer_options
@click.option("--width", type=click.IntRange(min=1), help="Width m: adds the sizes expected there.")
@click.option(
    "--inputs",
    type=click.IntRange(min=1),
    help="Inputs d of a neuron, the bias included; default: those of the data.",
)
@data_option
@activation_option
@antisymmetric_option
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="STEM",
    help="Also draw the plane with this point, to STEM.pdf and STEM.png.",
)
@json_option
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:
    """Place an initialisation, or list the known ones."""
    data = _data_of(ctx, options)
    inputs = data.d if data is not None else options["inputs"]
    if options["depth"] is not None:
        place_layers(ctx, options, inputs, data)
        return
    refuse_layer_options(ctx)
    chosen = chosen_law(options, inputs)
    if chosen is None:
        if options["width"] is not None:
            raise click.UsageError("--width needs an initialisation beside it, as in --init he.")
        _list_all(options, inputs)
        return
    name, law = chosen
    content = describe(name, law, options["width"], inputs, data)
    files = content["files"] = _draw([(name, law.gamma, law.gamma_prime)], options["output"])
    present("where", content, lambda page: _print_one(page, content), files, options["as_json"])


def _data_of(ctx: click.Context, options: dict[str, Any]) -> Dataset | None:
    """The data set of the predictions, None where --inputs asks for another number of inputs."""
    from netphase import datasets

    data = datasets.load(options["data"])
    if options["inputs"] in (None, data.d):
        return data
    if ctx.get_parameter_source("data") is not click.core.ParameterSource.DEFAULT:
        raise click.UsageError(
            f"--inputs {options['inputs']} does not fit the data, whose neurons have {data.d} "
            "inputs (the bias included)."
        )
    return None


def describe(
    name: str, law: ScalingLaw, width: int | None, inputs: int, data: Dataset | None
) -> dict[str, Any]:
    """Everything known about an initialisation, as the JSON document has it.

    Args:
        name: what to call it.
        law: the law.
        width: width of the predictions and of the translations, None for no predictions.
        inputs: inputs of a neuron.
        data: data set of the predictions, None where there is none with so many inputs.

    Returns:
        The fields of the document.
    """
    import msgspec

    from netphase.scalings import gamma_c, notations

    return {
        **_summary(name, law),
        "gamma_critical": gamma_c(law.gamma_prime),
        "distance": distance(law.gamma, law.gamma_prime),
        "width": width,
        "inputs": inputs,
        "notations": [
            msgspec.to_builtins(entry) for entry in notations(law, width or DEFAULT_WIDTH, inputs)
        ],
        "notations_width": width or DEFAULT_WIDTH,
        "predicted": None if width is None or data is None else _predict(law, width, data),
    }


def distance(gamma: float, gamma_prime: float) -> float:
    """Shortest distance in the plane to the boundary γ = 1 (γ' ≤ 0), γ = 1 + γ' (γ' ≥ 0)."""
    u = gamma - 1.0
    down = abs(u) if gamma_prime <= 0.0 else math.hypot(u, gamma_prime)
    along = 0.5 * (u + gamma_prime)
    slanted = abs(u - gamma_prime) / math.sqrt(2.0) if along >= 0.0 else math.hypot(u, gamma_prime)
    return min(down, slanted)


def _summary(name: str, law: ScalingLaw) -> dict[str, Any]:
    """Place, regime and exponents."""
    return {
        "name": name,
        "gamma": law.gamma,
        "gamma_prime": law.gamma_prime,
        "regime": law.regime.value,
        "alias": law.regime.alias,
        "zone": law.zone.value,
        "exponents": law.predicted_exponents._asdict(),
    }


def _draw(points: list[tuple[str, float, float]], stem: Path | None) -> list[Path]:
    """Draw the plane with these points, if a file was asked for."""
    if stem is None:
        return []
    from netphase import figures

    plain = stem.with_suffix("") if stem.suffix in (".pdf", ".png") else stem
    return figures.save(figures.initialisation_plane(points), plain)


def _list_all(options: dict[str, Any], inputs: int) -> None:
    """The table of known initialisations."""
    from netphase.scalings import known_initialisations

    rows = [_summary(name, law) for name, law in known_initialisations(inputs).items()]
    files = _draw([], options["output"])
    content = {"initialisations": rows, "files": files}
    present("where", content, lambda page: _print_all(page, rows), files, options["as_json"])


def _print_all(page: Console, rows: list[dict[str, Any]]) -> None:
    """The table of initialisations for a reader."""
    table = new_table("initialisation", ">γ", ">γ'", "regime", ">S_w", ">S_a", ">S_θ")
    for row in rows:
        table.add_row(
            row["name"],
            short(row["gamma"]),
            short(row["gamma_prime"]),
            f"{row['regime']} ({row['alias']})",
            *(short(s) for s in row["exponents"].values()),
        )
    page.print(table)
    page.print(
        "E, Ma & Wu (2020), β1 = β and all else 1: the line γ' = γ, linear.\n"
        "S: exponents in the width of the relative changes of the input weights (w), the output "
        "weights (a) and all (θ)."
    )


def _print_one(page: Console, content: dict[str, Any]) -> None:
    """One initialisation for a reader."""
    from netphase.scalings import Zone

    gap = content["gamma"] - content["gamma_critical"]
    side = "on the boundary" if abs(gap) < 1e-9 else f"{short(content['distance'])} away from it"
    exponents = content["exponents"]
    page.print(f"[bold]{content['name']}[/bold]")
    page.print(
        f"  γ = {short(content['gamma'])}, γ' = {short(content['gamma_prime'])}: "
        f"[bold]{content['regime']}[/bold] ({content['alias']})"
    )
    zone = Zone(content["zone"])
    page.print(f"  zone by both layers: {zone.value} ({zone.alias})")
    page.print(
        f"  boundary at this γ': γ = {short(content['gamma_critical'])}; the point is {side}"
    )
    page.print(
        "  exponents in the width: "
        + ", ".join(
            f"S_{key} = {number(exponents[k])}"
            for k, key in (("w", "w"), ("a", "a"), ("theta", "θ"))
        )
    )
    if content["predicted"]:
        _print_prediction(page, content["predicted"], content["width"])
    _print_notations(page, content)


def _print_notations(page: Console, content: dict[str, Any]) -> None:
    """The scales in the notations of several papers."""
    table = new_table(
        "notation",
        "symbol",
        f">at m = {content['notations_width']}",
        ">exponent in m",
        "lazy where",
        "meaning",
    )
    for entry in content["notations"]:
        table.add_row(
            entry["name"],
            entry["symbol"],
            short(entry["value"]),
            short(entry["exponent"]),
            entry["lazy_limit"],
            entry["definition"].partition(". ")[0],
        )
    page.print(table)
    page.print(
        "The notations of other papers describe networks whose two layers start at one and learn "
        "equally fast (κ' = 1)."
    )


def _print_prediction(page: Console, predicted: dict[str, Any], width: int) -> None:
    """The sizes expected at a width, or why there are none."""
    if predicted["relative_change_w"] is None:
        page.print(f"  expected at m = {width}: {predicted['basis']}")
        return
    page.print(
        f"  expected at m = {width}: RD_w = {short(predicted['relative_change_w'])}, "
        f"RD_a = {short(predicted['relative_change_a'])} ({predicted['basis']})"
    )


def _predict(law: ScalingLaw, width: int, data: Dataset) -> dict[str, Any]:
    """Sizes expected of a ReLU network of a width, without a free parameter, and on what basis."""
    from netphase import kernels
    from netphase.scalings import Regime

    if law.regime is Regime.LINEAR:
        change = kernels.linear_predictions(law, width, data)
        basis = "linearised network; good to some 5 % for γ ≤ 0.6, to 20 % at γ = 0.8"
    elif law.regime is Regime.CONDENSED and law.gamma - 1.0 > abs(law.gamma_prime) and data.d == 2:
        amplitude = kernels.least_amplitude(data)
        change = kernels.condensed_prediction(law, width, data.d, amplitude)
        basis = "least total amplitude; good to 5-20 % away from the boundaries"
    else:
        return {
            "relative_change_w": None,
            "relative_change_a": None,
            "basis": "no parameter-free formula holds here",
        }
    return {
        "relative_change_w": change.w,
        "relative_change_a": change.a,
        "basis": f"relu, antisymmetric start; {basis}",
    }
