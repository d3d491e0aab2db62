"""``netphase plateaus``: where a loss curve stands, and when it moves on."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netphase.cli.application import SUCCESS
from netphase.cli.curve_files import LossCurve, read_curve
from netphase.cli.options import figures_option_with, folder_option, json_option
from netphase.cli.output import (
    make_folder,
    new_table,
    present,
    save_document,
    short,
    warn,
)
from netphase.cli.values import POSITIVE, REAL

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from netphase.observables import Staircase

HELP = """Find the plateaus of a loss curve in log time, and the escapes between them.

FILE is a .csv table of times (or steps) and losses, with a header or without, or the .nc
record of `netphase train`, `quench` or `timescales` (of that, at the smallest ε). A plateau
is a stretch of at least --length powers of ten of time on which the loss moves slower than
t^±SLOPE; an escape is half-way where half of the loss between two heights is gone. The curve
may be noisy, have bumps, be spaced in any way, start at time 0 and end at 0. Where the
records cannot tell, the answer is undetermined, with the reason.

\b
Examples:
  netphase plateaus log.csv
  netphase plateaus log.csv --time step --loss train_loss --json
  netphase plateaus netphase-quench/quench.nc --loss test_error --noise 0
  netphase plateaus log.csv --length 0.5 --drop 2 --output steps

\b
JSON fields: file, time and loss (names of the columns), records, skipped (rows with an empty
cell), word (none, one, several, undetermined), reason, plateaus [{start, middle, end, length
(powers of ten of time), height, error, spread (relative, of the records), from_start,
to_end}], escapes [{time, error, start (10 % of the way), end (90 %), width, decades, before,
after (heights; after is 0 where no plateau follows)}], noise (relative, of a record), untold
(powers of ten of time in which the slope is not told), zero (when the loss is at its floor),
settings {length, slope, drop, noise, floor, halfway}, files.
"""


@click.command("plateaus", help=HELP, short_help="Find plateaus and escapes of a loss curve.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--time",
    metavar="COLUMN",
    help="Name or number of the column of times or steps; default: the first, of a record time.",
)
@click.option(
    "--loss",
    metavar="COLUMN",
    help="Name or number of the column of losses; default: the second, of a record loss, "
    "test_error, mean_square or risk.",
)
@click.option(
    "--length",
    type=POSITIVE,
    default=0.25,
    show_default=True,
    help="Least length of a plateau in powers of ten of time.",
)
@click.option(
    "--slope",
    type=POSITIVE,
    default=0.1,
    show_default=True,
    help="Largest |d log loss/d log time| on a plateau.",
)
@click.option(
    "--drop",
    type=POSITIVE,
    default=1.1,
    show_default=True,
    help="Least ratio, above 1, of the heights of neighbouring plateaus.",
)
@click.option(
    "--noise",
    type=REAL,
    help="Relative standard deviation of one record, 0 for an exact curve; default: estimated.",
)
@click.option(
    "--floor",
    type=REAL,
    help="Loss that counts as zero; default: rounding of float64, 1e-29 of the largest loss.",
)
@click.option(
    "--halfway",
    type=click.Choice(["linear", "log"]),
    default="linear",
    show_default=True,
    help="Whether half of the way between two heights is half of the loss or of its logarithm.",
)
@figures_option_with("Draw the curve with its plateaus.")
@folder_option("netphase-plateaus", "Folder for plateaus.json and the figure.")
@json_option
def command(**options: Any) -> int:
    """Find plateaus and escapes."""
    from netphase.observables import find_plateaus

    settings = {
        name: options[name] for name in ("length", "slope", "drop", "noise", "floor", "halfway")
    }
    curve = read_curve(options["file"], options["time"], options["loss"])
    found = find_plateaus(curve.time, curve.loss, **settings)
    folder: Path = options["output"]
    make_folder(folder)
    files = _draw(curve, found, folder) if options["figures"] else []
    files.append(folder / "plateaus.json")
    content = {"file": options["file"], **content_of(curve, found), "settings": settings}
    content["files"] = files
    save_document("plateaus", content, files[-1])
    if curve.skipped:
        warn(f"{curve.skipped} rows have an empty cell and were left out.")
    present("plateaus", content, lambda page: _print(page, content), files, options["as_json"])
    return SUCCESS


def content_of(curve: LossCurve, found: Staircase) -> dict[str, Any]:
    """The fields of the JSON document that describe a curve and its plateaus.

    Args:
        curve: the curve.
        found: its plateaus.

    Returns:
        Name → value.
    """
    return {
        "time": curve.time_name,
        "loss": curve.loss_name,
        "records": len(curve.time),
        "skipped": curve.skipped,
        **found._asdict(),
        "plateaus": [{**each._asdict(), "length": each.length} for each in found.plateaus],
        "escapes": [
            {**each._asdict(), "width": each.width, "decades": each.decades}
            for each in found.escapes
        ],
    }


def _draw(curve: LossCurve, found: Staircase, folder: Path) -> list[Path]:
    """The curve with its plateaus, where it has two records to draw."""
    from netphase import figures

    if ((curve.time > 0) & (curve.loss > 0)).sum() < 2:
        return []
    figure = figures.loss_plateaus(
        curve.time, curve.loss, found, time_label=_plain(curve.time_name),
        loss_label=_plain(curve.loss_name),
    )  # fmt: skip
    return figures.save(figure, folder / "plateaus")


def _plain(name: str) -> str:
    """A name in which the figure finds no mathematics."""
    return name.replace("$", r"\$")


def _print(page: Console, content: dict[str, Any]) -> None:
    """The plateaus for a reader."""
    answer = {"none": "no plateau", "one": "one plateau", "undetermined": "undetermined"}.get(
        content["word"], f"{len(content['plateaus'])} plateaus"
    )
    page.print(f"{content['file']}: {answer}", style="bold", markup=False)
    noise = f", noise {short(100 * content['noise'], 2)} %" if content["noise"] >= 1e-4 else ""
    page.print(
        f"  {content['loss']} against {content['time']}, {content['records']} records{noise}",
        markup=False,
    )
    for sentence in _remarks(content):
        page.print(f"  {sentence}")
    if content["plateaus"]:
        page.print(_plateau_table(content["plateaus"]))
    if content["escapes"]:
        page.print(_escape_table(content["escapes"]))


def _remarks(content: dict[str, Any]) -> list[str]:
    """What a reader of the tables should know beside them."""
    remarks = [content["reason"]] if content["reason"] else []
    if content["plateaus"] and content["untold"] > 0:
        remarks.append(
            f"over {short(content['untold'], 2)} powers of ten of time the slope is not told"
        )
    if math.isfinite(content["zero"]):
        remarks.append(f"at its floor from {short(content['zero'])} on")
    return remarks


def _plateau_table(rows: list[dict[str, Any]]) -> Table:
    """One row a plateau; what the ends of the record cut is a bound."""
    table = new_table(">height", ">from", ">to", ">powers of ten", ">spread")
    for row in rows:
        cut = row["from_start"] or row["to_end"]
        table.add_row(
            f"{short(row['height'])} ± {short(row['error'], 2)}",
            f"{'≤ ' * row['from_start']}{short(row['start'])}",
            f"{'≥ ' * row['to_end']}{short(row['end'])}",
            f"{'≥ ' * cut}{short(row['length'], 3)}",
            f"{short(100 * row['spread'], 2)} %",
        )
    return table


def _escape_table(rows: list[dict[str, Any]]) -> Table:
    """One row an escape."""
    table = new_table(">escape at", ">10 % at", ">90 % at", ">powers of ten", ">heights")
    for row in rows:
        table.add_row(
            f"{short(row['time'])} ± {short(row['error'], 2)}",
            short(row["start"]),
            short(row["end"]),
            short(row["decades"], 3),
            f"{short(row['before'], 3)} → {short(row['after'], 3)}",
        )
    return table
