"""What the planes of ``netphase diagram`` share: whose option is whose, runs, and reports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from netphase.cli.application import INCOMPLETE, SUCCESS, InterruptedRun
from netphase.cli.output import present, save_document, warn
from netphase.cli.show import STORE_NAME
from netphase.cli.stages import given

if TYPE_CHECKING:
    import xarray as xr

    from netphase.cli.sweep_report import SweepReport

PLANES = ("scaling", "size", "layers")
"""Values of --plane."""

ONLY_FOR: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("gamma", "gamma_prime", "stage", "part", "gauge"), ("scaling",)),
    **dict.fromkeys(("exact", "whole_row"), ("scaling",)),
    **dict.fromkeys(("activation", "data", "antisymmetric"), ("scaling", "layers")),
    **dict.fromkeys(("samples", "target", "scaling", "inputs"), ("size",)),
    "time": ("size", "layers"),
    **dict.fromkeys(("depth", "axes", "x", "y", "kind"), ("layers",)),
    **dict.fromkeys(("init", "alpha", "g", "beta", "std_exponent", "rates"), ("layers",)),
}
"""Planes of the options that not all of them have."""

INSTEAD = {
    "scaling": "the plane of the scales has --gamma, --gamma-prime and --data",
    "size": "the size plane has --target, --scaling and --samples",
    "layers": "the plane of layers has --axes with --x and --y",
}
"""What a plane has in place of the options of others."""


def refuse_options_of_others(ctx: click.Context, plane: str) -> None:
    """Refuse options that mean nothing in a plane.

    Args:
        ctx: the call, which knows what stands on the command line.
        plane: one of `PLANES`.

    Raises:
        click.UsageError: there is one.
    """
    for name, planes in ONLY_FOR.items():
        if plane not in planes and given(ctx, name):
            option = {"antisymmetric": "antisymmetric/--plain"}.get(name, name).replace("_", "-")
            raise click.UsageError(
                f"--{option} is for --plane {' or '.join(planes)}; {INSTEAD[plane]}."
            )


def run_with_bar(
    run: Callable[..., xr.Dataset], sweep: Any, store: Path, options: dict[str, Any], name: str
) -> xr.Dataset:
    """Make the missing runs of a sweep, with a live bar on standard error.

    Args:
        run: `netphase.sweep.run_sweep`, or its like.
        sweep: what it takes.
        store: folder of the store.
        options: values of --workers and --resume.
        name: the command, for the sentence on how to go on.

    Returns:
        The results.

    Raises:
        InterruptedRun: Ctrl-C; finished runs are kept.
    """
    from netphase.cli.progress import SweepBar, interrupted_sentence

    with SweepBar() as bar:
        try:
            return run(
                sweep,
                store,
                workers=options["workers"],
                progress=bar.update,
                fresh=not options["resume"],
            )
        except KeyboardInterrupt:
            raise InterruptedRun(interrupted_sentence(bar, store, name)) from None


class Plane(NamedTuple):
    """What is measured in a plane, and how it is shown.

    Attributes:
        run: what makes the runs, as for `run_with_bar`.
        sweep: what it takes.
        report_on: makes a report of results.
        weaknesses: sentences on what makes the sweep weak; they are warnings.
        folder: where the output goes if no folder is asked for.
    """

    run: Callable[..., xr.Dataset]
    sweep: Any
    report_on: Callable[[xr.Dataset], SweepReport]
    weaknesses: list[str]
    folder: Path


def measured_plane(ctx: click.Context, options: dict[str, Any], plane: Plane) -> int:
    """Measure a plane, draw it, write it down and print what it says.

    Args:
        ctx: the call, which knows the name of the command.
        options: values of the options of ``netphase diagram``.
        plane: what to measure.

    Returns:
        The exit code.
    """
    for sentence in plane.weaknesses:
        warn(sentence)
    folder: Path = options["output"] if given(ctx, "output") else plane.folder
    store = folder / STORE_NAME
    results = run_with_bar(plane.run, plane.sweep, store, options, ctx.command_path)
    report = plane.report_on(results)
    for sentence in report.remarks:
        warn(sentence)
    files = report.draw(folder)
    content = {
        **report.content(),
        "warnings": [*plane.weaknesses, *report.remarks],
        "store": store,
        "files": files,
        "sweep": report.specification,
    }
    save_document("diagram", content, folder / "diagram.json")
    present(
        "diagram",
        content,
        report.print,
        [store, folder / "diagram.json", *files],
        options["as_json"],
    )
    return SUCCESS if report.complete else INCOMPLETE
