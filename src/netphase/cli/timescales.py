"""``netphase timescales``: in which order and when the degrees of a target are learnt."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netphase.cli.application import INCOMPLETE, SUCCESS
from netphase.cli.options import figures_option_with, folder_option, json_option, workers_option
from netphase.cli.output import clear_folder, make_folder, present, save_document, save_record, warn
from netphase.cli.progress import LiveLine
from netphase.cli.time_report import FIELDS, content_of, print_content
from netphase.cli.values import LOG_NUMBERS, POSITIVE, REAL, SEEDS

if TYPE_CHECKING:
    import xarray as xr

    from netphase.dynamics import OutputAtoms
    from netphase.hermite import HermiteSeries

HELP = f"""See when each degree of a target is learnt, as the second layer gets faster.

A two-layer network learns a function of one direction of Gaussian inputs, its second layer
1/ε times as fast as its first. For small ε the Hermite degrees of the target are learnt one
after another, at times ε, √ε log(1/ε), ε^(1/4), ε^(1/6) …, with a plateau of the risk behind
each. Prints times, exponents and plateaus beside what is predicted, whether the order is
canonical, and what is never learnt; draws the risk against log time, residuals, times
against ε, the windows in their own units, and the growth of the weights.

\b
Functions are written as one of
  tanh, relu?shift=0.5, erf?scale=0.7071   an activation, with options
  1,-1,2/3,-1/3                            Hermite coefficients (normalised polynomials)
  z + z^3, h1(z) - 0.5*h3(z)               a polynomial
  z1 + z1*z2, h2(z1) + z2                  a target of several directions, by its total degrees

\b
Examples:
  netphase timescales
  netphase timescales --activation relu?shift=0.5 --target 'h1(z) + h2(z)' --epsilon 1e-6:1e-12:7
  netphase timescales --outputs rademacher --no-figures --json
  netphase timescales --solver exact --width 200 --inputs 1e4 --epsilon 0.01 --seeds 0:4
  netphase timescales --solver sgd --width 30 --inputs 100 --rate 1e-3 --epsilon 0.1 --end 3

\b
JSON fields: {FIELDS}.
"""

DRAWN = {
    "risk": "risk_staircase",
    "residuals": "degree_residuals",
    "times": "learning_times",
    "windows": "rescaled_risk",
    "growth": "growth",
}
"""Names of the figures' files, and what of `netphase.figures` draws them."""


@click.command("timescales", help=HELP, short_help="See when each degree of a target is learnt.")
@click.option(
    "--activation",
    default="1,1,1,1",
    show_default=True,
    metavar="FUNCTION",
    help="σ of the neurons.",
)
@click.option(
    "--target",
    default="1,-1,2/3,-1/3",
    show_default=True,
    metavar="FUNCTION",
    help="φ, what is learnt.",
)
@click.option(
    "--epsilon",
    type=LOG_NUMBERS,
    help="Values of ε, with commas, or from:to:count with even ratios, as in 1e-4:1e-12:5; "
    "default: 1e-5:1e-13:5, of the other solvers 0.1,0.03,0.01.",
)
@click.option(
    "--outputs",
    default="-1.5,-0.5,0.4,1.7",
    show_default=True,
    metavar="LAW",
    help="Start of the output weights: atoms, with weights as in -1@0.25,1@0.75, or a law: "
    "gaussian, uniform, rademacher, uniform:200 (quantiles), gaussian:40:quadrature.",
)
@click.option(
    "--solver",
    type=click.Choice(["mean_field", "exact", "sgd"]),
    default="mean_field",
    show_default=True,
    help="Infinitely many neurons and inputs, any width and dimension, or one-pass SGD.",
)
@click.option("--width", type=click.IntRange(min=1), help="Neurons m, of exact and sgd.")
@click.option(
    "--inputs",
    type=POSITIVE,
    help="Inputs d; default: infinitely many. Initial overlaps are of size 1/√d.",
)
@click.option("--end", type=POSITIVE, help="Last time t; default: after all that can be learnt is.")
@click.option("--rate", type=POSITIVE, help="Learning rate η of sgd; t counts steps times η.")
@click.option("--batch", type=click.IntRange(min=1), help="Samples of a step of sgd; default: 1.")
@click.option("--noise", type=REAL, help="Standard deviation of the noise on the targets of sgd.")
@click.option("--seeds", type=SEEDS, help="Seeds of exact and sgd, as in 0:4; default: 0.")
@click.option("--accuracy", type=POSITIVE, help="Relative error of a step of mean_field and exact.")
@workers_option
@figures_option_with("Draw figures.")
@folder_option(
    "netphase-timescales", "Folder for the record (timescales.nc, timescales.json) and the figures."
)
@json_option
def command(**options: Any) -> int:
    """See when each degree is learnt."""
    from netphase import hermite
    from netphase.learning import timescales

    activation = _activation(options["activation"])
    target = hermite.load(options["target"], "target")
    outputs = _outputs(options["outputs"])
    folder: Path = options["output"]
    make_folder(folder)
    with LiveLine("starting") as line:
        results = timescales(
            activation,
            target,
            outputs=outputs,
            epsilons=options["epsilon"],
            solver=options["solver"],
            **_given(options),
            progress=lambda done, total: line.say(f"runs {done}/{total}"),
        )
    content = content_of(results)
    clear_folder(folder / "timescales.json", DRAWN)
    files = [save_record(results, folder / "timescales.nc")]
    if options["figures"]:
        files += _draw(results, folder)
    files.append(folder / "timescales.json")
    content["files"] = files
    save_document("timescales", content, files[-1])
    for sentence in content["warnings"]:
        warn(sentence)
    present(
        "timescales", content, lambda page: print_content(page, content), files, options["as_json"]
    )
    return SUCCESS if content["succeeded"] else INCOMPLETE


def _activation(text: str) -> HermiteSeries:
    """A function of one variable."""
    from netphase import hermite

    found = hermite.load(text, "activation")
    if not isinstance(found, hermite.HermiteSeries):
        raise click.UsageError(
            f"Option --activation must be a function of one variable z, but {text!r} is one of "
            f"{found.projections}."
        )
    return found


def _outputs(text: str) -> OutputAtoms:
    """The law of the output weights, whose refusals name the option."""
    from netphase.dynamics import output_atoms
    from netphase.errors import ArgumentError

    try:
        return output_atoms(text)
    except ArgumentError as error:
        said = str(error)
        if not said.startswith("Argument `outputs`"):
            said = f"Argument `outputs` is {text!r}: {said[0].lower()}{said[1:]}"
        raise ArgumentError(said) from error


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Arguments of the library for the options that were given."""
    names = {"accuracy": "rtol", "workers": "jobs"}
    optional = ("width", "inputs", "end", "rate", "batch", "noise", "seeds", "accuracy", "workers")
    return {names.get(name, name): options[name] for name in optional if options[name] is not None}


def _draw(results: xr.Dataset, folder: Path) -> list[Path]:
    """All figures for which there is something to draw."""
    from netphase import figures

    able = results["learnable"].values
    skipped = set() if able.any() else {"windows"}
    if not math.isfinite(float(results["residual"].max())):
        skipped.add("residuals")
    files = []
    for stem, name in DRAWN.items():
        if stem not in skipped:
            files += figures.save(getattr(figures, name)(results), folder / stem)
    return files
