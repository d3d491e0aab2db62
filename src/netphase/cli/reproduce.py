"""``netphase reproduce``: a paper's claims, each expected, measured and judged."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netphase._files import write_whole
from netphase.cli.application import FAILED, SUCCESS, InterruptedRun
from netphase.cli.options import json_option
from netphase.cli.output import error_console, new_table, plain, present, short
from netphase.cli.values import WholeNumbers

if TYPE_CHECKING:
    from rich.console import Console

    from netphase.reproductions import Check

HELP = """Reproduce a paper: print its claims, expected, measured and judged; draw its figures.

KEY names the paper: luo2021 (phase diagram of ReLU networks), chen2023 (initial condensation),
ma2020 (quenching of neurons), berthier2023 (learning time-scales) or li2024 (lazy training of deep
networks). Size smoke takes a minute or two, small some minutes, paper what the paper did. The exit
code is 1 if a claim that was tested at this size is not reproduced.

\b
Examples:
  netphase reproduce luo2021
  netphase reproduce luo2021 --figure 3 --size paper
  netphase reproduce chen2023 --figure 5,7
  netphase reproduce luo2021 --size smoke --json

\b
JSON fields: key, reference, departures [where this differs from the paper], size, figures
(asked for; null means all), checks [{claim, where, expected, measured, standard_error,
tolerance, verdict}], verdicts {verdict: count}, files.
"""

NOT_REPRODUCED = "not reproduced"
"""The verdict that makes the command fail."""


@click.command("reproduce", help=HELP, short_help="Test a paper's claims and draw its figures.")
@click.argument("key")
@click.option(
    "--figure",
    "figure_list",
    type=WholeNumbers(1, "3 or 2,3"),
    metavar="LIST",
    help="Only these figures of the paper, as in 3 or 2,3.",
)
@click.option(
    "--size",
    type=click.Choice(["smoke", "small", "paper"]),
    default="small",
    show_default=True,
    help="How large the networks and grids are.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Folder for figures, stores and checks.json; default: KEY-SIZE.",
)
@click.option(
    "--images",
    metavar="FILE",
    help="An image set of your own (.npz) for the figures made on images.",
)
@json_option
def command(
    key: str,
    figure_list: tuple[int, ...] | None,
    size: str,
    output: Path | None,
    images: str | None,
    as_json: bool,
) -> int:
    """Reproduce a paper."""
    # runs are spread over the cores; read by BLAS when numpy is imported, which is below
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from netphase import reproductions

    reproduction = reproductions.get(key)
    folder = output if output is not None else Path(f"{key}-{size}")
    folder.mkdir(parents=True, exist_ok=True)
    with error_console().status(f"reproducing {key}, size {size}") as status:
        try:
            checks = reproduction.run(size, figure_list, folder, status.update, images)
        except KeyboardInterrupt:
            raise InterruptedRun(
                f"Interrupted; what was finished is kept in {folder}: give the same command again "
                "to go on."
            ) from None
    verdicts = Counter(str(check.verdict) for check in checks)
    content: dict[str, Any] = {
        "key": key,
        "reference": reproduction.reference,
        "departures": reproduction.departures,
        "size": size,
        "figures": figure_list,
        "checks": [as_row(check) for check in checks],
        "verdicts": verdicts,
    }
    text = json.dumps(plain(content), indent=1, ensure_ascii=False)
    write_whole(folder / "checks.json", text + "\n")
    content["files"] = sorted(path for path in folder.iterdir() if path.is_file())
    present("reproduce", content, lambda page: _print(page, content), content["files"], as_json)
    return FAILED if verdicts[NOT_REPRODUCED] else SUCCESS


def as_row(check: Check) -> dict[str, Any]:
    """One claim as a JSON object.

    Args:
        check: a claim of a reproduction.

    Returns:
        Its fields.
    """
    import msgspec

    return msgspec.structs.asdict(check)


def _print(page: Console, content: dict[str, Any]) -> None:
    """The claims as a table."""
    from rich.markup import escape

    table = new_table("claim", "where", ">expected", ">measured", ">± s.e.", ">within", "verdict")
    colours = {"reproduced": "green", "partly": "yellow", NOT_REPRODUCED: "red"}
    for row in content["checks"]:
        verdict = str(row["verdict"])
        colour = colours.get(verdict, "dim")
        entries = (_entry(row[k]) for k in ("expected", "measured", "standard_error", "tolerance"))
        words = (row["claim"], row["where"], *entries)
        table.add_row(*map(escape, words), f"[{colour}]{verdict}[/{colour}]")  # K^[l] is no markup
    page.print(content["reference"], markup=False)
    page.print(table)
    for departure in content["departures"]:
        page.print(f"differs from the paper: {departure}", markup=False)
    page.print(", ".join(f"{count} {verdict}" for verdict, count in content["verdicts"].items()))


def _entry(value: Any) -> str:
    """A number with four digits, a text as it is, nothing as a dash."""
    if value is None:
        return "–"
    return short(float(value)) if isinstance(value, (int, float)) else str(value)
