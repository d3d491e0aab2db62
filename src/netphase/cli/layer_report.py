"""What a layer sweep says: its JSON fields, its tables, and its figures."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netphase.cli.output import new_table, number, short
from netphase.cli.sweep_report import SweepReport

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import Console
    from rich.table import Table

    from netphase.analysis import LayerBoundary

LAYER_FIELDS = """depth, plane {x, y} (names of the axes), base (the scaling), activation, kind,
data, axes {x, y, width, seed}, runs {total, done, statuses}, cells [{x, y, verdict, alias,
predicted_verdict, converged, layers [{layer, regime, operator, standard_error, half_width, drift,
trend (slope between the two largest widths), predicted, frobenius, frobenius_error,
frobenius_predicted, mislabelled}], features [{layer, exponent, standard_error}], kernel {exponent,
standard_error}}], criterion (of the verdicts), regime_criterion, boundaries [{layer (null: the
largest exponent, which decides on the network), rows [{y, x, standard_error, exact, note}]}],
boundary_criterion, agreement [{norm, compared, near, median, worst, worst_at [x, y, layer],
smallest_widths, largest_widths}] (deviations of exponents from theory: near is up to 0.15, the
last two are medians of the local exponents), mislabels {count, of} (hidden layers that move, and
those of them that the Frobenius norm says stay), mislabel_criterion, warnings, store, files"""
"""The fields of the JSON documents of the plane of layers."""

LAZINESS_MARKS = {
    "θ-lazy": ("▽", "red"),
    "boundary": ("=", "magenta"),
    "below": ("▲", "blue"),
    "undetermined": ("?", "yellow"),
    "not converged": ("!", "yellow"),
}
"""Sign and colour of each verdict in a table."""

CELL = 12
"""Columns of text that one cell of the plane takes."""


def is_layer_sweep(results: xr.Dataset) -> bool:
    """Whether a store holds a layer sweep."""
    return "plane_x" in results.attrs


class LayerReport(SweepReport):
    """A layer sweep's results, analysed once for every way of showing them.

    Args:
        results: labelled results of a layer sweep, finished or not.

    Raises:
        ArgumentError: the results are not of a layer sweep.
        FitError: the sweep has one width only.
    """

    def __init__(self, results: xr.Dataset) -> None:
        from netphase.analysis import (
            frobenius_mislabels,
            layer_agreement,
            layer_boundary,
            layer_exponents,
        )
        from netphase.analysis.layers import Plane

        super().__init__(results)
        self.exponents = layer_exponents(results)
        plane = Plane("results", results, "status")
        self.depth, self.axes = plane.depth, plane.axes
        self.boundaries = [
            layer_boundary(self.exponents, layer) for layer in (None, *range(1, self.depth + 2))
        ]
        self.agreement = [
            layer_agreement(self.exponents, norm) for norm in ("operator", "frobenius")
        ]
        self.mislabels = frobenius_mislabels(self.exponents)

    @property
    def complete(self) -> bool:
        """Whether every run was made and reached its target."""
        return bool(self.exponents["converged"].values.all()) and not self.unfinished

    def content(self) -> dict[str, Any]:
        """The fields `LAYER_FIELDS` names, without warnings, store and files."""
        from netphase.analysis import CRITERION, LAYER_CRITERION, MISLABEL

        about = self.results.attrs
        names = dict(zip(("x", "y"), self.axes, strict=True))
        return {
            "depth": self.depth,
            "plane": names,
            "base": json.loads(str(about["base"])),
            **{name: about[name] for name in ("activation", "kind", "data")},
            "axes": {
                **{short_name: self.results[name].values for short_name, name in names.items()},
                **{name: self.results[name].values for name in ("width", "seed")},
            },
            "runs": self.runs(),
            "cells": list(self._cells()),
            "criterion": LAYER_CRITERION,
            "regime_criterion": CRITERION,
            "boundaries": [
                {"layer": each.layer, "rows": list(_rows(each))} for each in self.boundaries
            ],
            "boundary_criterion": self.boundaries[0].criterion,
            "agreement": [each._asdict() for each in self.agreement],
            "mislabels": dict(zip(("count", "of"), self._mislabelled(), strict=True)),
            "mislabel_criterion": MISLABEL,
        }

    def _cells(self) -> Iterator[dict[str, Any]]:
        """One entry a cell of the plane."""
        x, y = self.axes
        for b in self.exponents[y].values:
            for a in self.exponents[x].values:
                cell = self.exponents.sel({x: a, y: b})
                wrong = self.mislabels.sel({x: a, y: b})
                verdict = str(cell["verdict"].item())
                yield {
                    "x": float(a),
                    "y": float(b),
                    "verdict": verdict,
                    "alias": laziness_alias(verdict),
                    "predicted_verdict": str(cell["predicted_verdict"].item()),
                    "converged": bool(cell["converged"]),
                    "layers": [
                        _layer(cell.sel(layer=k), bool(wrong.sel(layer=k)))
                        for k in cell["layer"].values
                    ],
                    "features": [
                        {
                            "layer": int(k),
                            "exponent": float(cell["feature"].sel(hidden=k)),
                            "standard_error": float(cell["feature_error"].sel(hidden=k)),
                        }
                        for k in cell["hidden"].values
                    ],
                    "kernel": {
                        "exponent": float(cell["kernel"]),
                        "standard_error": float(cell["kernel_error"]),
                    },
                }

    def _mislabelled(self) -> tuple[int, int]:
        """Hidden layers that the Frobenius norm mislabels, and hidden layers that move."""
        from netphase.scalings import Regime

        hidden = slice(2, self.depth)
        words = self.exponents["operator_regime"].sel(layer=hidden)
        moving = words.isin([Regime.CRITICAL.value, Regime.CONDENSED.value])
        return int(self.mislabels.sel(layer=hidden).sum()), int(moving.sum())

    def print(self, page: Console) -> None:
        """Print the tables."""
        page.print(
            f"[bold]exponents S of the changes of the layers, W1 to W{self.depth + 1} from above "
            "(operator norm)[/bold]",
            soft_wrap=True,
        )
        for grid in self._grids(page.width):
            page.print(grid)
        words = (
            f"[{colour}]{mark}[/{colour}] {word}"
            + (f" ({laziness_alias(word)})" if laziness_alias(word) else "")
            for word, (mark, colour) in LAZINESS_MARKS.items()
        )
        page.print(f"S ± its standard error; {', '.join(words)}", soft_wrap=True)
        page.print(self._boundary_table())
        self._print_sentences(page)
        self.print_runs(page)

    def _grids(self, room: int) -> Iterator[Table]:
        """Every cell, x to the right, in as many tables as the width asks for."""
        from rich import box
        from rich.table import Table

        x, y = self.axes
        columns, rows = self.exponents[x].values, self.exponents[y].values
        fitting = max(1, (room - CELL) // CELL)
        for first in range(0, len(columns), fitting):
            shown = columns[first : first + fitting]
            table = Table(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1), show_lines=False)
            for name in (f"{y} \\ {x}", *(short(float(a)) for a in shown)):
                table.add_column(name, justify="right", no_wrap=True)
            for b in rows[::-1]:
                cells = (self._cell(self.exponents.sel({x: a, y: b})) for a in shown)
                table.add_row(short(float(b)), *cells, end_section=True)
            yield table

    def _cell(self, cell: xr.Dataset) -> str:
        """One cell: a mark, and the exponents of the layers with their errors."""
        mark, colour = LAZINESS_MARKS[str(cell["verdict"].item())]
        lines = [
            f"{number(float(value), 2)}[dim]±{number(float(error), 2)}[/dim]"
            for value, error in zip(
                cell["operator"].values, cell["operator_error"].values, strict=True
            )
        ]
        return f"[{colour}]{mark}[/{colour}]" + "\n".join(lines)

    def _boundary_table(self) -> Table:
        """Measured and exact boundaries of the network and of its layers, row by row."""
        x, y = self.axes
        network, *layers = self.boundaries
        table = new_table(
            f">{y}",
            f">measured {x}",
            ">± s.e.",
            ">exact",
            ">difference",
            *(f">W{each.layer} (exact)" for each in layers),
            "remark",
            title=f"boundary: where the largest S, and that of each layer, vanishes along {x}",
        )
        for k, row in enumerate(_rows(network)):
            table.add_row(
                short(row["y"]),
                number(row["x"]),
                number(row["standard_error"]),
                number(row["exact"]),
                number(row["x"] - row["exact"]),
                *(f"{number(each.x[k])} ({number(each.exact[k])})" for each in layers),
                row["note"],
            )
        return table

    def _print_sentences(self, page: Console) -> None:
        """Verdicts and exponents against theory, and both norms, a line each."""
        from netphase.analysis.layer_agreement import NEAR

        verdicts = self.exponents["verdict"].values
        predicted = self.exponents["predicted_verdict"].values
        right, cells = int((verdicts == predicted).sum()), verdicts.size
        page.print(f"verdicts as predicted: {right} of {cells} cells", soft_wrap=True)
        for each in self.agreement:
            if each.worst_at is None:
                continue
            a, b, layer = each.worst_at
            text = (
                f"{each.norm.replace('frob', 'Frob')} exponents: {each.near} of {each.compared} "
                f"within {NEAR:g} of theory, median deviation {number(each.median)}, largest "
                f"{number(each.worst)} (W{layer} at {self.axes[0]} = {short(a)}, "
                f"{self.axes[1]} = {short(b)})"
            )
            if math.isfinite(each.largest_widths):
                text += (
                    f"; of local exponents {number(each.smallest_widths)} at the smallest width, "
                    f"{number(each.largest_widths)} at the largest"
                )
            page.print(text, soft_wrap=True)
        if self.depth > 1:
            wrong, moving = self._mislabelled()
            page.print(
                f"hidden layers that move: {moving}; the Frobenius norm says of {wrong} of them "
                "that they stay",
                soft_wrap=True,
            )

    def draw(self, folder: Path) -> list[Path]:
        """Draw the maps, where there are some, and changes against the width."""
        from netphase import figures

        if not self.results["done"].values.any():
            return []
        drawn = {"widths": figures.layer_changes(self.results, self.exponents, self._places())}
        if min(self.exponents.sizes[name] for name in self.axes) >= 2:
            drawn["layers"] = figures.layer_maps(self.exponents, title=self._title())
            drawn["features"] = figures.feature_maps(self.exponents, title=self._title())
            if self.depth > 1:
                drawn["norms"] = figures.norm_maps(self.exponents, title=self._title())
        return [
            path for stem, figure in drawn.items() for path in figures.save(figure, folder / stem)
        ]

    def _title(self) -> str:
        """What the networks are, in a line."""
        about, widths = self.results.attrs, self.results["width"].values
        seeds = self.results.sizes["seed"]
        return (
            f"L = {self.depth}, {about['activation']}, {about['data']}, m = {widths[0]} to "
            f"{widths[-1]}, {seeds} seed{'s' if seeds > 1 else ''}"
        )

    def _places(self) -> list[tuple[float, float]]:
        """Three cells of the middle row: both ends, and the one nearest to the exact boundary."""
        import numpy as np

        x, y = (self.exponents[name].values for name in self.axes)
        row = len(y) // 2
        exact = self.boundaries[0].exact[row]
        middle = len(x) // 2 if math.isnan(exact) else int(np.argmin(np.abs(x - exact)))
        columns = dict.fromkeys((0, middle, len(x) - 1))
        return [(float(x[k]), float(y[row])) for k in columns]


def laziness_alias(verdict: str) -> str | None:
    """The verdict in the words of the rest of the literature; None for what is no verdict."""
    from netphase.scalings import Laziness

    return Laziness(verdict).alias if verdict in set(Laziness) else None


def _layer(cell: xr.Dataset, mislabelled: bool) -> dict[str, Any]:
    """One layer of one cell in JSON."""
    names = {
        "operator": "operator",
        "standard_error": "operator_error",
        "half_width": "operator_half_width",
        "drift": "operator_drift",
        "trend": "trend",
        "predicted": "predicted_operator",
        "frobenius": "frobenius",
        "frobenius_error": "frobenius_error",
        "frobenius_predicted": "predicted_frobenius",
    }
    return {
        "layer": int(cell["layer"]),
        "regime": str(cell["operator_regime"].item()),
        **{key: float(cell[name]) for key, name in names.items()},
        "mislabelled": mislabelled,
    }


def _rows(boundary: LayerBoundary) -> Iterator[dict[str, Any]]:
    """A measured boundary beside the exact one, row by row."""
    columns = boundary.y, boundary.x, boundary.standard_error, boundary.exact
    for *values, note in zip(*columns, boundary.notes, strict=True):
        numbers = dict(zip(("y", "x", "standard_error", "exact"), map(float, values), strict=True))
        yield {**numbers, "note": note}
