"""``netphase diagram --exact``: the infinite-width diagram of the initial stage, in seconds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netphase._files import replacing
from netphase.cli.application import SUCCESS
from netphase.cli.output import (
    new_table,
    number,
    present,
    save_document,
    short,
    warn,
)
from netphase.cli.stages import data_of, given, stage_of

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import Console

FINE = (41, 41)
"""Values of γ in [0.5, 2.5] and of γ' in [−1, 1], in steps that meet the lines."""

COARSE = (11, 11)
"""The same for --quick."""

LAW = 0.005
"""Far from the lines exponents further from the law than this tell of a range that is left."""

UNUSED = (
    "seeds",
    "method",
    "learning_rate",
    "accuracy",
    "dtype",
    "tolerance",
    "workers",
    "resume",
    "whole_row",
    "gauge",
)
"""Options of trained networks, which mean nothing here."""

DISTANCES = (0.03, 0.1, 0.25)
"""Cells at least so far from the lines of the law are compared with it."""


def exact_diagram(ctx: click.Context, options: dict[str, Any]) -> int:
    """Integrate the closed equations over the plane, draw and print what they say.

    Args:
        ctx: the call, which knows what stands on the command line.
        options: values of the options of ``netphase diagram``.

    Returns:
        The exit code.

    Raises:
        click.UsageError: options that are of trained networks only, or one width.
        ArgumentError: a value is outside its domain, or the data are not usable.
    """
    plane = _plane(ctx, options)
    sentences = _weaknesses(plane)
    for sentence in sentences:
        warn(sentence)
    folder: Path = options["output"]
    files = [_save(plane, folder / "exact.nc"), *_draw(plane, folder)]
    content = {**_content(plane), "warnings": sentences, "files": files}
    save_document("diagram", content, folder / "exact.json")
    present(
        "diagram",
        content,
        lambda page: _print(page, plane, content),
        [folder / "exact.json", *files],
        options["as_json"],
    )
    return SUCCESS


def _plane(ctx: click.Context, options: dict[str, Any]) -> xr.Dataset:
    """The exact plane that the options describe."""
    import numpy as np

    from netphase.sweep import EXACT_WIDTHS, exact_plane

    if not given(ctx, "activation"):
        options = {**options, "activation": "tanh"}
    for name in UNUSED:
        if given(ctx, name):
            option = {"resume": "resume/--fresh"}.get(name, name).replace("_", "-")
            raise click.UsageError(
                f"--{option} is for networks that are trained; --exact trains none."
            )
    if stage_of({**options, "stage": options["stage"] or "initial"}) != "initial":
        raise click.UsageError("--exact is for the initial stage: leave out --stage final.")
    widths = [float(m) for m in options["widths"] or EXACT_WIDTHS]
    if len(widths) < 2:
        raise click.UsageError(
            f"One width ({widths[0]:g}) gives no slope: give two, as in --widths 1e12,1e16."
        )
    columns, rows = COARSE if options["quick"] else FINE
    return exact_plane(
        options["gamma"] or np.linspace(0.5, 2.5, columns),
        options["gamma_prime"] or np.linspace(-1.0, 1.0, rows),
        widths,
        data_of(ctx, options, "initial"),
        options["activation"],
        antisymmetric=options["antisymmetric"],
        part=options["part"],
    )


def _save(plane: xr.Dataset, path: Path) -> Path:
    """Write the plane as NetCDF, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as draft:
        plane.to_netcdf(draft, engine="h5netcdf")
    return path


def _draw(plane: xr.Dataset, folder: Path) -> list[Path]:
    """The four-zone diagram, where there is a plane to be drawn."""
    from netphase import figures

    if min(plane.sizes["gamma"], plane.sizes["gamma_prime"]) < 2:
        return []
    about, widths = plane.attrs, plane["width"].values
    title = (
        f"{about['activation']}, {about['data']}, equations, m = {widths[0]:.0e} to "
        f"{widths[-1]:.0e}; ρ at the largest"
    )
    figure = figures.zone_diagram(plane.isel(width=-1, drop=True), title=title)
    return figures.save(figure, folder / "exact_zones")


def _weaknesses(plane: xr.Dataset) -> list[str]:
    """Sentences on what is wrong with or missing from a plane."""
    found = []
    far = deviations(plane)[-1]
    if max(far["w"], far["a"]) > LAW:
        found.append(
            f"Exponents differ from the law by up to {max(far['w'], far['a']):.2g} far from its "
            "lines: give larger --widths, or targets and inputs of size one."
        )
    if min(plane.sizes["gamma"], plane.sizes["gamma_prime"]) < 2:
        found.append("One row or column is no plane: no figure is drawn.")
    return found


def _content(plane: xr.Dataset) -> dict[str, Any]:
    """The fields of the JSON document."""
    from netphase.scalings import Zone

    blocks = [str(block) for block in plane["block"].values]
    exponent, law = plane["exponent"].values, plane["law"].values
    ratio, zones = plane["alignment_ratio"].values[-1], plane["zone"].values
    cells = [
        {
            "gamma": float(gamma),
            "gamma_prime": float(row),
            "zone": str(zones[i, j]),
            "alias": Zone(str(zones[i, j])).alias,
            "exponents": {
                block: {"exponent": float(exponent[k, i, j]), "law": float(law[k, i, j])}
                for k, block in enumerate(blocks)
            },
            "alignment_ratio": float(ratio[i, j]),
        }
        for i, row in enumerate(plane["gamma_prime"].values)
        for j, gamma in enumerate(plane["gamma"].values)
    ]
    return {
        "axes": {name: plane[name].values for name in ("gamma", "gamma_prime", "width")},
        "cells": cells,
        "criterion": plane["zone"].attrs["long_name"],
        "deviations": deviations(plane),
        **{name: plane.attrs[name] for name in ("activation", "data", "part", "mean_square")},
    }


def deviations(plane: xr.Dataset) -> list[dict[str, float]]:
    """How far exponents are from the law, at most, by the distance from its lines.

    Args:
        plane: from `netphase.sweep.exact_plane`.

    Returns:
        One entry a distance: the deviation of each exponent in the cells at least so far away
        (NaN if there is none).
    """
    gap, rows = abs(plane["exponent"] - plane["law"]), []
    for distance in DISTANCES:
        worst = gap.where(plane["distance"] >= distance).max(("gamma_prime", "gamma"))
        by_block = {str(block): float(worst.sel(block=block)) for block in worst["block"].values}
        rows.append({"distance": distance, **by_block})
    return rows


def _print(page: Console, plane: xr.Dataset, content: dict[str, Any]) -> None:
    """The plane for a reader: one row a zone, and how the law holds."""
    from netphase.scalings import Zone

    widths = " and ".join(short(float(m)) for m in plane["width"].values[[0, -1]])
    page.print(
        f"[bold]initial stage at infinite width[/bold]: {plane.attrs['activation']}, "
        f"{plane.attrs['data']}; exponents between m = {widths}",
        soft_wrap=True,
    )
    zones, ratio = plane["zone"].values, plane["alignment_ratio"].values[-1]
    ranges = (column for name in ("S_w", "S_a", "ρ") for column in (f">{name} from", ">to"))
    table = new_table("zone", ">cells", *ranges, "")
    for zone in Zone:
        inside = zones == zone.value
        if not inside.any():
            continue
        row = [zone.value, str(int(inside.sum()))]
        for values in (*plane["exponent"].values[:2], ratio):
            row += [number(float(values[inside].min())), number(float(values[inside].max()))]
        table.add_row(*row, zone.alias)
    page.print(table)
    table = new_table(">distance from the lines", ">S_w", ">S_a", title="largest error of the law")
    for row in content["deviations"]:
        table.add_row(f"≥ {short(row['distance'])}", short(row["w"], 2), short(row["a"], 2))
    page.print(table)
