"""``netphase show``: the tables and figures of a store, again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from netphase.cli.application import INCOMPLETE, SUCCESS
from netphase.cli.layer_report import LAYER_FIELDS, LayerReport, is_layer_sweep
from netphase.cli.options import json_option
from netphase.cli.output import present, warn
from netphase.cli.report import FIELDS, Report
from netphase.cli.size_report import SIZE_FIELDS, SizeReport, is_size_sweep
from netphase.cli.sweep_report import SweepReport

if TYPE_CHECKING:
    import xarray as xr

HELP = f"""Print the tables of a store again, finished or not, and draw its figures.

STORE is the folder of a sweep (its name usually ends in .zarr), or the output folder of
`netphase diagram` that holds it.

\b
Examples:
  netphase show netphase-diagram
  netphase show netphase-diagram --output again --whole-row
  netphase show results.zarr --json | jq .boundary.w

\b
JSON fields: {FIELDS},
sweep (its specification), provenance (attributes of the store).
Of a store over width and sample size: {SIZE_FIELDS}, sweep, provenance.
Of a store of the plane of layers: {LAYER_FIELDS}, sweep, provenance.
"""

STORE_NAME = "results.zarr"
"""Name of the store inside the output folder of `netphase diagram`."""


@click.command("show", help=HELP, short_help="Reprint table and figures of a store.")
@click.argument("store", type=click.Path(path_type=Path))
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Also draw the figures into this folder.",
)
@click.option(
    "--whole-row",
    is_flag=True,
    help="Add the zero of a straight line through each whole row, as in the paper.",
)
@json_option
def command(store: Path, output: Path | None, whole_row: bool, as_json: bool) -> int:
    """Show a store."""
    from netphase import store as stores

    folder = store / STORE_NAME if (store / STORE_NAME).is_dir() else store
    results = stores.read(folder)
    report = _report(results, whole_row)
    sentences = [unfinished_sentence(report)] if report.unfinished else []
    for sentence in sentences:
        warn(sentence)
    files = report.draw(output) if output else []
    content = {
        **report.content(),
        "warnings": sentences,
        "store": folder,
        "files": files,
        "sweep": report.specification,
        "provenance": {name: each for name, each in results.attrs.items() if name != "sweep"},
    }
    present("show", content, report.print, files, as_json)
    return SUCCESS if report.complete else INCOMPLETE


def _report(results: xr.Dataset, whole_row: bool) -> SweepReport:
    """The report that suits a store.

    Raises:
        click.UsageError: --whole-row is given for a store that has no such rows.
    """
    sizes, layers = is_size_sweep(results), is_layer_sweep(results)
    if not sizes and not layers:
        return Report(results, whole_row)
    if whole_row:
        what = "over width and sample size" if sizes else "of the plane of layers"
        raise click.UsageError(
            f"--whole-row is for stores of the plane of the scales; this one is {what}."
        )
    return SizeReport(results) if sizes else LayerReport(results)


def unfinished_sentence(report: SweepReport) -> str:
    """How many runs are missing, and what to do."""
    total = report.results["done"].size
    return (
        f"{report.unfinished} of {total} runs were not made yet: run the command that made the "
        "store again to finish it."
    )
