"""``netphase diagram``: the phase diagram, measured, with the exact boundary over it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netphase._files import write_whole
from netphase.cli.application import INCOMPLETE, SUCCESS, InterruptedRun
from netphase.cli.methods import chosen_method, method_options
from netphase.cli.options import (
    activation_option,
    antisymmetric_option,
    data_option,
    dtype_option,
    json_option,
    tolerance_option,
)
from netphase.cli.output import console, document, emit, list_files, warn
from netphase.cli.report import FIELDS, Report
from netphase.cli.show import STORE_NAME
from netphase.cli.values import NUMBERS, SEEDS, WIDTHS

if TYPE_CHECKING:
    import xarray as xr

    from netphase.cli.progress import SweepBar
    from netphase.datasets import Dataset
    from netphase.experiment import Experiment
    from netphase.sweep import Sweep

HELP = f"""Measure the phase diagram in the (γ, γ') plane.

Trains a network at every point of the plane, for every width and seed, to the same loss;
fits the exponent in the width of the relative change of the weights; says for every cell
whether it is linear, critical or condensed; and locates the boundary in every row, with an
uncertainty. Results go into a store that a second call resumes, so that an interrupted run
loses nothing.

With no options it measures Fig. 4 of Luo et al. (2021) in full: 13 x 9 points, widths up
to 40 000, one seed.

\b
Examples:
  netphase diagram
  netphase diagram --quick
  netphase diagram --gamma 0.6:1.4:0.1 --gamma-prime=-0.2:0.2:0.1 --seeds 0:2
  netphase diagram --data mine.csv --activation tanh --output mine --json > mine.json

\b
A LIST is start:stop:step (both ends included), or numbers with commas, or both.

\b
JSON fields: {FIELDS},
sweep (its specification).
"""

GAMMA = (0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0, 1.02, 1.05, 1.1, 1.2, 1.3, 1.4)
GAMMA_PRIME = (-0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4)
PAPER_WIDTHS = (1000, 5000, 10000, 20000, 40000)
"""The grid of Fig. 4 of Luo et al. (2021)."""

QUICK_GAMMA = (0.6, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4)
QUICK_GAMMA_PRIME = (-0.4, -0.2, 0.0, 0.2, 0.4)
QUICK_WIDTHS = (500, 1000, 2000, 4000)
"""The coarser grid of --quick."""

SMALL_WIDTH = 100
"""Below this width the law of infinite width says little."""

ROUNDING = 1e3
"""Mean square errors below so many times the square of the machine precision are rarely reached."""


@click.command("diagram", help=HELP, short_help="Measure the phase diagram.")
@click.option(
    "--plane",
    type=click.Choice(["scaling"]),
    default="scaling",
    show_default=True,
    help="Which plane: scaling is (γ, γ') of κ = β1 β2/α = m^(−γ), κ' = β1/β2 = m^(−γ').",
)
@click.option("--gamma", type=NUMBERS, help="Values of γ; default: those of the paper.")
@click.option("--gamma-prime", type=NUMBERS, help="Values of γ'; default: those of the paper.")
@click.option("--widths", type=WIDTHS, metavar="LIST", help="Widths m, two at least.")
@click.option(
    "--seeds", type=SEEDS, metavar="LIST", default="0", show_default=True, help="Seeds, as 0:4."
)
@activation_option
@data_option
@method_options
@dtype_option
@tolerance_option
@antisymmetric_option
@click.option(
    "--workers", type=click.IntRange(min=1), help="Runs at a time; default: one a processor."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default="netphase-diagram",
    show_default=True,
    metavar="FOLDER",
    help=f"Folder for the store ({STORE_NAME}), the figures and the JSON document.",
)
@click.option(
    "--resume/--fresh",
    default=True,
    show_default=True,
    help="Go on with the store in the output folder, or replace it.",
)
@click.option("--quick", is_flag=True, help="A coarser grid and narrower networks: seconds.")
@click.option(
    "--whole-row",
    is_flag=True,
    help="Add the zero of a straight line through each whole row, as in the paper.",
)
@json_option
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> int:
    """Measure the phase diagram."""
    # runs are spread over the cores; read by BLAS when numpy is imported, which is below
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sweep = sweep_of(options)
    sentences = weaknesses(sweep)
    for sentence in sentences:
        warn(sentence)
    folder: Path = options["output"]
    results = _run(sweep, folder / STORE_NAME, options, ctx.command_path)
    report = Report(results, options["whole_row"])
    files = report.draw(folder)
    content = {
        **report.content(),
        "warnings": sentences,
        "store": folder / STORE_NAME,
        "files": files,
        "sweep": _specification(sweep),
    }
    write_whole(folder / "diagram.json", document("diagram", content) + "\n")
    if options["as_json"]:
        emit("diagram", content)
    else:
        page = console()
        report.print(page)
        list_files(page, [folder / STORE_NAME, folder / "diagram.json", *files])
    return SUCCESS if report.complete else INCOMPLETE


def sweep_of(options: dict[str, Any]) -> Sweep:
    """The sweep the options describe.

    Args:
        options: values of the options of `command`.

    Returns:
        The sweep.

    Raises:
        click.UsageError: one width only, or options that exclude each other.
        ArgumentError: a value is outside its domain, or the data are not usable.
    """
    from netphase.datasets import load
    from netphase.experiment import Experiment
    from netphase.scalings import ScalingLaw
    from netphase.sweep import Sweep

    quick = options["quick"]
    widths = options["widths"] or (QUICK_WIDTHS if quick else PAPER_WIDTHS)
    if len(widths) < 2:
        raise click.UsageError(
            f"One width ({widths[0]}) gives no slope: give two or more, as in --widths 1000,4000."
        )
    data = load(options["data"])
    _refuse_fitted_start(data, options)
    base = Experiment(
        law=ScalingLaw.mean_field(),
        width=widths[0],
        activation=options["activation"],
        data=data,
        antisymmetric=options["antisymmetric"],
        method=chosen_method(options),
        dtype=options["dtype"],
        mean_square=options["tolerance"],
    )
    return Sweep(
        base=base,
        gamma=options["gamma"] or (QUICK_GAMMA if quick else GAMMA),
        gamma_prime=options["gamma_prime"] or (QUICK_GAMMA_PRIME if quick else GAMMA_PRIME),
        widths=widths,
        seeds=options["seeds"],
    )


def _refuse_fitted_start(data: Dataset, options: dict[str, Any]) -> None:
    """Refuse targets that a network of zero output fits already: no weight would move.

    Raises:
        click.UsageError: the targets are such.
    """
    size = float((data.y**2).mean())
    if options["antisymmetric"] and size <= options["tolerance"]:
        raise click.UsageError(
            f"The targets have a mean square of {size:.3g}, which is within --tolerance "
            f"{options['tolerance']:g} of zero, where an antisymmetric network starts: nothing "
            "would move. Rescale the targets, or give a smaller --tolerance."
        )


def weaknesses(sweep: Sweep) -> list[str]:
    """Sentences on what makes a sweep's exponents weak.

    Args:
        sweep: the sweep.

    Returns:
        One sentence a weakness, none where all is well.
    """
    widths, found = sweep.widths, []
    if len(widths) < 3:
        found.append("Two widths give a slope without an error: add a third.")
    if widths[-1] < 4 * widths[0]:
        found.append(
            f"The widths {widths[0]} to {widths[-1]} span less than a factor 4: exponents will be "
            "uncertain."
        )
    if widths[0] < SMALL_WIDTH:
        found.append(
            f"Width {widths[0]} is so small that the law of infinite width says little: use widths "
            f"of {SMALL_WIDTH} and more."
        )
    return found + _precision_weakness(sweep.base)


def _precision_weakness(base: Experiment) -> list[str]:
    """A sentence if rounding hides the target of the loss."""
    import numpy as np

    least = ROUNDING * float(np.finfo(base.dtype).eps) ** 2
    size = max(1.0, float((base.dataset.y**2).mean()))
    if base.mean_square >= least * size:
        return []
    return [
        f"A mean square error of {base.mean_square:g} is near the rounding of {base.dtype}: many "
        f"runs will not reach it. Use a --tolerance of {least * size:.0e} or more."
    ]


def _specification(sweep: Sweep) -> Any:
    """The sweep as JSON-able objects."""
    import json

    return json.loads(sweep.to_json())


def _run(sweep: Sweep, store: Path, options: dict[str, Any], name: str) -> xr.Dataset:
    """Make the missing runs, with a live bar on standard error."""
    from netphase.cli.progress import SweepBar
    from netphase.sweep import run_sweep

    with SweepBar() as bar:
        try:
            return run_sweep(
                sweep,
                store,
                workers=options["workers"],
                progress=bar.update,
                fresh=not options["resume"],
            )
        except KeyboardInterrupt:
            raise InterruptedRun(interrupted_sentence(bar, store, name)) from None


def interrupted_sentence(bar: SweepBar, store: Path, name: str) -> str:
    """What Ctrl-C left behind, and how to go on."""
    if not bar.runs_total:
        return "Interrupted before the first run was started."
    return (
        f"Interrupted; {bar.runs_done} of {bar.runs_total} runs are kept in {store}: give the same "
        f"`{name}` command again (without --fresh) to go on."
    )
