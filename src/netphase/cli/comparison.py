"""Trained networks of the initial stage beside the macroscopic equations at the same widths."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from netphase.cli.output import new_table, short, warn
from netphase.cli.report import Report
from netphase.cli.stages import LINEAR

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr
    from rich.console import Console
    from rich.table import Table

    from netphase.sweep import Sweep

COMPARED = {
    "relative_change_w": "RD_w",
    "relative_change_a": "RD_a",
    "alignment_ratio": "ρ",
}
"""What is compared, and its sign."""


class ComparedReport(Report):
    """A sweep's results, beside the macroscopic equations in the initial stage, where these hold.

    Args:
        results: labelled results of the sweep.
        whole_row: as for `Report`.
        sweep: what was run.
        part: the stop of the initial stage; None in the final stage.

    Raises:
        FitError: the sweep has one width only.
    """

    def __init__(
        self, results: xr.Dataset, whole_row: bool, sweep: Sweep, part: float | None
    ) -> None:
        super().__init__(results, whole_row)
        self._sweep = sweep
        self._part = part

    @cached_property
    def macroscopic(self) -> dict[str, Any] | None:
        """What `against_equations` finds; None where there is nothing to compare with."""
        from netphase.errors import ArgumentError

        if self._part is None:
            return None
        try:
            return against_equations(self.results, self._sweep, self._part)
        except ArgumentError as error:  # the runs are worth more than the comparison
            warn(f"There is no comparison with the macroscopic equations: {error}")
            return None

    def content(self) -> dict[str, Any]:
        """The fields of a report, and ``macroscopic``."""
        return {**super().content(), "macroscopic": self.macroscopic}

    def print(self, page: Console) -> None:
        """Print the tables."""
        super().print(page)
        if self.macroscopic:
            page.print(comparison_table(self.macroscopic))


def against_equations(results: xr.Dataset, sweep: Sweep, part: float) -> dict[str, Any]:
    """How far the widest networks are from the macroscopic equations, over the plane.

    Cells with a run that did not reach its target, and those whose input weights start beyond the
    linear part of the activation, are left out: the equations say nothing of them.

    Args:
        results: labelled results of the sweep.
        sweep: what was run.
        part: the stop of its initial stage.

    Returns:
        Name → median and largest relative difference (of the mean over the seeds), and the place
        of the largest; the width; the numbers of cells compared and left out.
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
    kept = _comparable(results, sweep)
    count = int(kept.sum())
    found: dict[str, Any] = {"width": sweep.widths[-1], "cells": count}
    found["left_out"] = kept.size - count
    for name in COMPARED:
        order = ("gamma_prime", "gamma")
        measured = results[name].isel(width=-1).mean("seed").transpose(*order).values
        gap = np.abs(measured / exact[name].isel(width=-1).values - 1)
        gap[~kept] = np.nan
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


def _comparable(results: xr.Dataset, sweep: Sweep) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Cells that ended well and started linear, shape (rows, columns)."""
    import numpy as np

    from netphase.results import STATUS_CODES

    good = [code for status, code in STATUS_CODES.items() if status.succeeded]
    codes = results["status"].isel(width=-1).transpose("gamma_prime", "gamma", "seed").values
    linear = [
        [sweep.experiment((i, j, -1, 0)).scales.beta2 <= LINEAR for i in range(len(sweep.gamma))]
        for j in range(len(sweep.gamma_prime))
    ]
    return np.isin(codes, good).all(axis=-1) & np.array(linear)


def comparison_table(found: dict[str, Any]) -> Table:
    """The comparison for a reader."""
    title = (
        f"networks of m = {found['width']} against the macroscopic equations, {found['cells']} "
        f"cells ({found['left_out']} that ended badly or start with β2 > {LINEAR:g} left out)"
    )
    table = new_table("", ">median difference", ">largest", "at (γ, γ')", title=title)
    for name, sign in COMPARED.items():
        if name in found:
            row = found[name]
            sizes = (f"{short(100 * row[key], 2)} %" for key in ("median", "largest"))
            table.add_row(sign, *sizes, f"({short(row['gamma'])}, {short(row['gamma_prime'])})")
    return table
