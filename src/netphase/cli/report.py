"""What a sweep over the plane says: its JSON fields, its tables, and its figures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from netphase.cli.output import new_table, number, short
from netphase.cli.sweep_report import SweepReport

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure
    from rich.console import Console
    from rich.table import Table

    from netphase._types import Which
    from netphase.analysis import PhaseBoundary

FIELDS = """axes {gamma, gamma_prime, width, seed}, runs {total, done, statuses},
cells [{gamma, gamma_prime, regime, alias, zone, converged, remark, exponents {w, a, theta:
{exponent, standard_error, half_width, drift}}, alignment_ratio {value, standard_error}}],
criterion (of the regimes), zone_criterion, boundary {w, a, theta: [{gamma_prime, gamma,
standard_error, statistical, systematic, exact, note}]}, boundary_criterion, whole_row (as
boundary.w), published (stars of the paper: {gamma_prime, gamma}; both null unless
--whole-row), warnings, store, files"""
"""The fields of the JSON documents of `diagram` and `show`."""

MARKS = {
    "linear": ("▽", "red"),
    "critical": ("=", "magenta"),
    "condensed": ("▲", "blue"),
    "undetermined": ("?", "yellow"),
    "not converged": ("!", "yellow"),
}
"""Sign and colour of each verdict in a table."""

ZONE_MARKS = {
    "θ-lazy": ("▽", "red"),
    "w-lag": ("◁", "yellow"),
    "a-lag": ("▷", "green"),
    "condensed": ("▲", "blue"),
    "critical": ("=", "magenta"),
    "undetermined": ("?", "white"),
    "not converged": ("!", "white"),
}
"""Sign and colour of each zone in a table."""

CELL = 9
"""Columns of text that one cell of the plane takes."""

BLOCKS: tuple[Which, ...] = ("w", "a", "theta")
"""The three exponents: of input weights, output weights, all weights."""


class Stars(NamedTuple):
    """Published points of a boundary."""

    gamma_prime: tuple[float, ...]
    gamma: tuple[float, ...]


class Report(SweepReport):
    """A sweep's results, analysed once for every way of showing them.

    Args:
        results: labelled results of a sweep, finished or not.
        whole_row: whether to add the zeros of straight lines through whole rows.

    Raises:
        FitError: the sweep has one width only.
    """

    def __init__(self, results: xr.Dataset, whole_row: bool = False) -> None:
        from netphase.analysis import analyse_plane
        from netphase.analysis.plane import boundary_of

        super().__init__(results)
        self.plane = analyse_plane(results)
        self.boundary = {block: boundary_of(self.plane, block) for block in BLOCKS}
        self.zones = self._smooth()
        self.law_holds = not self.zones or self._in_linear_stage()
        self.whole_row = boundary_of(self.plane, "w", "whole row") if whole_row else None
        self.published = self._stars() if whole_row else None

    def _stars(self) -> Stars | None:
        """Stars of Luo et al. (2021), Fig. 4, if the sweep trains its networks on its data."""
        from netphase.datasets import four_points
        from netphase.reproductions.luo2021.printed import STARS

        about = self.results.attrs
        same_data = str(about["data_sha256"]) == four_points().sha256
        if not same_data or about["activation"] != "relu":
            return None
        return Stars(tuple(STARS), tuple(STARS.values()))

    def _smooth(self) -> bool:
        """Whether both layers are shown: those of smooth activations part in four zones."""
        from netphase import activations

        name = str(self.results.attrs["activation"])
        return name in activations.NAMES and activations.get(name).smooth

    def _in_linear_stage(self) -> bool:
        """Whether the runs of a smooth activation end while it is a straight line to the neurons.

        Beyond, and for activations that are none at zero, no law of infinite width is known.
        """
        from netphase import activations
        from netphase.cli.stages import without_initial_stage
        from netphase.errors import ArgumentError
        from netphase.kernels import linear_plateau
        from netphase.sweep import Sweep

        base = Sweep.from_json(str(self.results.attrs["sweep"])).base
        if without_initial_stage(activations.get(base.activation)):
            return False
        try:
            return bool(base.mean_square > linear_plateau(base.dataset))
        except (ArgumentError, OSError):  # the data file is no longer there
            return False

    @property
    def remarks(self) -> list[str]:
        """A sentence where no law of infinite width is known."""
        if self.law_holds:
            return []
        return [
            f"No law of infinite width is known for {self.results.attrs['activation']} beyond its "
            "linear stage: exponents are given without exact lines."
        ]

    @property
    def complete(self) -> bool:
        """Whether every run was made and reached its target."""
        return bool(self.plane["converged"].values.all()) and not self.unfinished

    def content(self) -> dict[str, Any]:
        """The fields `FIELDS` names, without warnings, store and files."""
        axes = {
            name: self.results[name].values for name in ("gamma", "gamma_prime", "width", "seed")
        }
        return {
            "axes": axes,
            "runs": self.runs(),
            "cells": self._cells(),
            "criterion": self.plane["verdict"].attrs["long_name"],
            "zone_criterion": self.plane["zone"].attrs["long_name"],
            "boundary": {
                block: boundary_rows(boundary, block, self.law_holds)
                for block, boundary in self.boundary.items()
            },
            "boundary_criterion": self.boundary["w"].criterion,
            "whole_row": boundary_rows(self.whole_row, "w", self.law_holds)
            if self.whole_row
            else None,
            "published": self.published._asdict() if self.published else None,
        }

    def _cells(self) -> list[dict[str, Any]]:
        """One entry a cell of the plane."""
        names = ("exponent", "standard_error", "half_width", "drift")
        tables = {
            block: {name: self.plane[name].sel(block=block).values for name in names}
            for block in BLOCKS
        }
        verdict, remark = self.plane["verdict"].values, self.plane["remark"].values
        converged, zone = self.plane["converged"].values, self.plane["zone"].values
        ratio, error = (self.plane[f"alignment_{name}"].values for name in ("ratio", "error"))
        return [
            {
                "gamma": float(gamma),
                "gamma_prime": float(gamma_prime),
                "regime": str(verdict[i, j]),
                "alias": alias(str(verdict[i, j])),
                "zone": str(zone[i, j]),
                "converged": bool(converged[i, j]),
                "remark": str(remark[i, j]),
                "exponents": {
                    block: {name: float(table[i, j]) for name, table in tables[block].items()}
                    for block in BLOCKS
                },
                "alignment_ratio": {
                    "value": float(ratio[i, j]),
                    "standard_error": float(error[i, j]),
                },
            }
            for i, gamma_prime in enumerate(self.plane["gamma_prime"].values)
            for j, gamma in enumerate(self.plane["gamma"].values)
        ]

    def print(self, page: Console) -> None:
        """Print the tables."""
        heading, below = (
            ("exponents S_w and S_a of the changes of both layers", "S_w over S_a")
            if self.zones
            else ("exponent S_w of the change of the input weights", "S_w ± its standard error")
        )
        page.print(f"[bold]{heading}[/bold]", soft_wrap=True)
        for grid in self._grids(page.width):
            page.print(grid)
        marks = ZONE_MARKS if self.zones else MARKS
        words = (
            f"[{colour}]{mark}[/{colour}] {word}" + (f" ({alias(word)})" if alias(word) else "")
            for word, (mark, colour) in marks.items()
        )
        page.print(f"{below}; {', '.join(words)}", soft_wrap=True)
        page.print(self._boundary_table())
        self.print_runs(page)

    def _grids(self, room: int) -> Iterator[Table]:
        """Every cell, γ to the right, in as many tables as the width asks for."""
        from rich import box
        from rich.table import Table

        gamma, rows = self.plane["gamma"].values, self.plane["gamma_prime"].values
        fitting = max(1, (room - CELL) // CELL)
        for first in range(0, len(gamma), fitting):
            table = Table(
                box=box.SIMPLE_HEAD,
                padding=(0, 0, 0, 1),
            )
            columns = range(first, min(first + fitting, len(gamma)))
            for name in ("γ' \\ γ", *(short(float(gamma[j])) for j in columns)):
                table.add_column(name, justify="right", no_wrap=True)
            for i in reversed(range(len(rows))):
                table.add_row(short(float(rows[i])), *(self._cell(i, j) for j in columns))
            yield table

    def _cell(self, i: int, j: int) -> str:
        """One cell: a mark and the exponent over its error, or both layers' exponents."""
        place = self.plane.isel(gamma_prime=i, gamma=j)
        cut = place.sel(block="w")
        if self.zones:
            mark, colour = ZONE_MARKS[str(place["zone"].values)]
            value, other = (float(place["exponent"].sel(block=block)) for block in ("w", "a"))
            return f"[{colour}]{mark}{number(value)}\n{number(other)}[/{colour}]"
        mark, colour = MARKS[str(cut["verdict"].values)]
        value, error = float(cut["exponent"]), float(cut["standard_error"])
        return f"[{colour}]{mark}{number(value)}[/{colour}]\n[dim]±{number(error)}[/dim]"

    def _boundary_table(self) -> Table:
        """Measured and exact boundary, row by row."""
        columns = [">γ'", ">measured γ", ">± s.e.", ">exact γ", ">difference"]
        if self.whole_row:
            columns += [">straight line", ">± s.e."]
        stars = dict(zip(*self.published, strict=True)) if self.published else {}
        if stars:
            columns += [">paper's star"]
        table = new_table(*columns, "remark", title="boundary: where S_w = 0 in each row")
        holds = self.law_holds
        lines = boundary_rows(self.whole_row, "w", holds) if self.whole_row else []
        for k, row in enumerate(boundary_rows(self.boundary["w"], "w", holds)):
            extra = [number(lines[k]["gamma"]), number(lines[k]["standard_error"])] if lines else []
            if stars:
                extra.append(number(stars.get(round(row["gamma_prime"], 9), math.nan)))
            table.add_row(
                short(row["gamma_prime"]),
                number(row["gamma"]),
                number(row["standard_error"]),
                number(row["exact"]),
                number(row["gamma"] - row["exact"]),
                *extra,
                row["note"],
            )
        return table

    def draw(self, folder: Path) -> list[Path]:
        """Draw maps, rows of the plane and fits in the width; return the files written."""
        from netphase import figures

        written: list[Path] = []
        verdicts = self.plane["verdict"]
        unfinished = verdicts == "not converged"
        drawable = min(self.plane.sizes["gamma"], self.plane.sizes["gamma_prime"]) >= 2
        for block, stem in zip(BLOCKS, ("phase_diagram", "map_a", "map_theta"), strict=True):
            if drawable:
                figure = figures.phase_diagram(
                    self.plane["exponent"].sel(block=block, drop=True),
                    which=block,
                    verdicts=verdicts if block == "w" else verdicts.where(unfinished, ""),
                    boundary=self.boundary[block],
                    whole_row=self.whole_row if block == "w" else None,
                    published=self.published if block == "w" else None,
                    exact=self.law_holds,
                )
                written += figures.save(figure, folder / stem)
        if self.zones and drawable:
            figure = figures.zone_diagram(self.plane, exact=self.law_holds, title=self._title())
            written += figures.save(figure, folder / "zones")
        written += figures.save(self._rows_figure(), folder / "exponents")
        return written + figures.save(self._widths_figure(), folder / "widths")

    def _title(self) -> str:
        """What the networks are, in a line."""
        about, widths = self.results.attrs, self.results["width"].values
        return (
            f"{about['activation']}, {about['data']}, m = {widths[0]} to {widths[-1]}; "
            "ρ at the largest"
        )

    def _rows_figure(self) -> Figure:
        """S_w against γ for up to five rows of γ', with the law of infinite width."""
        import numpy as np

        from netphase import figures
        from netphase.scalings import predicted_exponents

        label = {row: rf"$\gamma^{{\prime}} = {row:g}$" for row in self._spread("gamma_prime")}
        gamma = self.plane["gamma"].values
        fine = np.linspace(gamma.min(), gamma.max(), 200)
        cut = self.plane.sel(block="w", drop=True)
        return figures.exponents_against_gamma(
            {label[row]: cut["exponent"].sel(gamma_prime=row, drop=True) for row in label},
            {label[row]: cut["standard_error"].sel(gamma_prime=row, drop=True) for row in label},
            predicted={}
            if not self.law_holds
            else {
                label[row]: (fine, np.array([predicted_exponents(g, row).w for g in fine]))
                for row in label
            },
        )

    def _widths_figure(self) -> Figure:
        """RD_w against the width in up to five cells of the row nearest γ' = 0, with the fits."""
        from netphase import figures

        row = min(self.plane["gamma_prime"].values, key=lambda value: (abs(value), value))
        changes, fits = {}, {}
        for gamma in self._spread("gamma"):
            place = {"gamma": gamma, "gamma_prime": row}
            label = rf"$\gamma = {gamma:g}$, $\gamma^{{\prime}} = {row:g}$"
            changes[label] = self.results["relative_change_w"].sel(place, drop=True)
            cell = self.plane.sel(place).sel(block="w")
            fits[label] = Line(*(float(cell[name]) for name in Line._fields))
        return figures.change_against_width(changes, fits)

    def _spread(self, axis: str) -> list[float]:
        """Up to five values of an axis of the plane, evenly chosen, both ends included."""
        import numpy as np

        values = self.plane[axis].values
        chosen = np.linspace(0, len(values) - 1, min(5, len(values))).round().astype(int)
        return [float(value) for value in values[chosen]]


class Line(NamedTuple):
    """A fitted power law as the figures take it."""

    exponent: float
    standard_error: float
    prefactor: float


def alias(verdict: str) -> str | None:
    """The regime or zone in the words of the rest of the literature; None for other verdicts."""
    from netphase.scalings import Regime, Zone

    if verdict in set(Regime):
        return Regime(verdict).alias
    return Zone(verdict).alias if verdict in set(Zone) else None


def boundary_rows(
    boundary: PhaseBoundary, block: Which, law_holds: bool = True
) -> list[dict[str, Any]]:
    """A measured boundary beside the exact one (NaN where none is known), by rows of γ'."""
    from netphase.scalings import gamma_c

    return [
        {
            "gamma_prime": float(boundary.gamma_prime[k]),
            "gamma": float(boundary.gamma[k]),
            "standard_error": float(boundary.standard_error[k]),
            "statistical": float(boundary.statistical[k]),
            "systematic": float(boundary.systematic[k]),
            "exact": gamma_c(float(boundary.gamma_prime[k]), block) if law_holds else math.nan,
            "note": boundary.notes[k],
        }
        for k in range(len(boundary.gamma_prime))
    ]
