"""Trained networks of the initial stage beside the macroscopic equations at the same widths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netphase.cli.output import new_table, short

if TYPE_CHECKING:
    import xarray as xr
    from rich.table import Table

    from netphase.sweep import Sweep

COMPARED = {
    "relative_change_w": "RD_w",
    "relative_change_a": "RD_a",
    "alignment_ratio": "ρ",
}
"""What is compared, and its sign."""


def against_equations(results: xr.Dataset, sweep: Sweep, part: float) -> dict[str, Any]:
    """How far the widest networks are from the macroscopic equations, over the plane.

    Args:
        results: labelled results of the sweep.
        sweep: what was run.
        part: the stop of its initial stage.

    Returns:
        Name → median and largest relative difference (of the mean over the seeds), and the place
        of the largest; the width.
    """
    import numpy as np

    from netphase.sweep import exact_plane

    exact = exact_plane(
        sweep.gamma,
        sweep.gamma_prime,
        sweep.widths,
        sweep.base.dataset,
        sweep.base.activation,
        antisymmetric=sweep.base.antisymmetric,
        part=part,
    )
    found: dict[str, Any] = {"width": sweep.widths[-1]}
    for name in COMPARED:
        order = ("gamma_prime", "gamma")
        measured = results[name].isel(width=-1).mean("seed").transpose(*order).values
        gap = np.abs(measured / exact[name].isel(width=-1).values - 1)
        if not np.isfinite(gap).any():
            continue
        row, column = np.unravel_index(np.nanargmax(gap), gap.shape)
        found[name] = {
            "median": float(np.nanmedian(gap)),
            "largest": float(gap[row, column]),
            "gamma": sweep.gamma[column],
            "gamma_prime": sweep.gamma_prime[row],
        }
    return found


def comparison_table(found: dict[str, Any]) -> Table:
    """The comparison for a reader."""
    title = f"networks of m = {found['width']} against the macroscopic equations"
    table = new_table("", ">median difference", ">largest", "at (γ, γ')", title=title)
    for name, sign in COMPARED.items():
        if name in found:
            row = found[name]
            sizes = (f"{short(100 * row[key], 2)} %" for key in ("median", "largest"))
            table.add_row(sign, *sizes, f"({short(row['gamma'])}, {short(row['gamma_prime'])})")
    return table
