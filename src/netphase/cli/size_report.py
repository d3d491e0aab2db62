"""What a map over width and sample size says: its JSON fields, its tables, and its figure."""

from __future__ import annotations

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

    from netphase.analysis import Front

SIZE_FIELDS = """axes {scaling, sample, width, seed}, target, d, inputs, runs {total, done,
statuses}, cells [{scaling, sample, width, log10_test_error, standard_deviation,
rf_log10_test_error, log10_train_error, path_norm, effective_number, usable}] (medians over seeds;
usable counts the seeds that converged, stagnated or reached their time), fronts [{scaling,
rows: [{sample, width, error (of log10 width), floor, level, note}], between (rows with
n/(d+1) < width < n), found, exponent, exponent_error}], front_criterion,
slopes [{scaling, least, width, width_error, sample, sample_error, ratio}] (of log10 test error in
log10 width and log10 sample, over the cells with m(d+1)/n > least: all, and those with more
weights than samples), ridge [{sample, width, nearest}] (of the random features; nearest is the
width of the grid next to n), endings [{scaling, shares}], warnings, store, files"""
"""The fields of the JSON documents of the size plane."""

CELL = 7
"""Columns of text that one cell of the map takes."""


def is_size_sweep(results: xr.Dataset) -> bool:
    """Whether a store holds a map over width and sample size."""
    return "scaling" in results.dims


class SizeReport(SweepReport):
    """A size sweep's results, analysed once for every way of showing them.

    Args:
        results: labelled results of a size sweep, finished or not.
    """

    def __init__(self, results: xr.Dataset) -> None:
        from netphase.analysis import endings, error_slopes, measured_front, twin_ridge

        super().__init__(results)
        self.scalings = [float(gamma) for gamma in results["scaling"].values]
        self.fronts = [measured_front(results, gamma) for gamma in self.scalings]
        self.slopes = [
            (least, error_slopes(results, gamma, least))
            for gamma in self.scalings
            for least in (0.0, 1.0)
        ]
        self.ridge = twin_ridge(results)
        self.endings = endings(results)

    @property
    def complete(self) -> bool:
        """Whether every run was made and ended at its target, on a plateau, or at its time."""
        from netphase.analysis.sizes import USABLE

        return set(self.statuses()) <= {status.value for status in USABLE}

    def content(self) -> dict[str, Any]:
        """The fields `SIZE_FIELDS` names, without warnings, store and files."""
        from netphase.analysis import FRONT

        dims = ("scaling", "sample", "width", "seed")
        about = self.results.attrs
        return {
            "axes": {name: self.results[name].values for name in dims},
            "target": about["target"],
            "d": int(about["d"]),
            "inputs": about["inputs"],
            "runs": self.runs(),
            "cells": self._cells(),
            "fronts": [self._front(front) for front in self.fronts],
            "front_criterion": FRONT,
            "slopes": [
                {
                    "scaling": each.scaling,
                    "least": least,
                    "width": each.width,
                    "width_error": each.width_error,
                    "sample": each.sample,
                    "sample_error": each.sample_error,
                    "ratio": each.ratio,
                }
                for least, each in self.slopes
            ],
            "ridge": self._ridge(),
            "endings": [
                {"scaling": gamma, "shares": shares} for gamma, shares in self.endings.items()
            ],
        }

    def _cells(self) -> list[dict[str, Any]]:
        """One entry a cell of the map."""
        import numpy as np

        from netphase.analysis import log_errors
        from netphase.analysis.sizes import median

        dims = ("scaling", "sample", "width", "seed")
        errors = log_errors(self.results).transpose(*dims).values
        usable = np.isfinite(errors)
        kept = usable.sum(axis=-1)
        mean = np.where(usable, errors, 0.0).sum(axis=-1) / np.maximum(kept, 1)
        squares = np.where(usable, errors - mean[..., None], 0.0) ** 2
        tables = {
            "log10_test_error": median(errors),
            "standard_deviation": np.where(
                kept > 1, np.sqrt(squares.sum(axis=-1) / np.maximum(kept - 1, 1)), np.nan
            ),
            "rf_log10_test_error": median(
                log_errors(self.results, "rf_test_error").transpose(*dims).values
            ),
            "log10_train_error": median(
                log_errors(self.results, "train_error").transpose(*dims).values
            ),
            **{
                name: median(self.results[name].transpose(*dims).values)
                for name in ("path_norm", "effective_number")
            },
        }
        axes = [self.results[name].values.tolist() for name in dims[:-1]]
        return [
            {
                **{name: axis[i] for name, axis, i in zip(dims, axes, place, strict=False)},
                **{name: float(table[place]) for name, table in tables.items()},
                "usable": int(kept[place]),
            }
            for place in np.ndindex(*kept.shape)
        ]

    def _front(self, front: Front) -> dict[str, Any]:
        """One front in JSON."""
        columns = zip(front.width, front.error, front.floor, front.level, strict=True)
        names = ("width", "error", "floor", "level")
        return {
            "scaling": front.scaling,
            "rows": [
                {"sample": int(n), **dict(zip(names, map(float, row), strict=True)), "note": note}
                for n, row, note in zip(front.samples, columns, front.notes, strict=True)
            ],
            "between": front.between,
            "found": front.found,
            "exponent": front.fit.exponent if front.fit else math.nan,
            "exponent_error": front.fit.standard_error if front.fit else math.nan,
        }

    def _ridge(self) -> list[dict[str, float]]:
        """Where the random features are worst, and the width of the grid next to n."""
        import numpy as np

        widths = self.results["width"].values
        return [
            {
                "sample": int(n),
                "width": float(top),
                "nearest": int(widths[np.argmin(np.abs(np.log(widths / n)))]),
            }
            for n, top in zip(self.results["sample"].values, self.ridge, strict=True)
        ]

    def print(self, page: Console) -> None:
        """Print the tables."""
        cells = {(c["scaling"], c["sample"], c["width"]): c for c in self._cells()}
        for gamma in self.scalings:
            page.print(f"[bold]log10 test error, {_name(gamma)} scaling[/bold]", soft_wrap=True)
            for table in self._grids(page.width, cells, gamma, "log10_test_error"):
                page.print(table)
        page.print("[bold]log10 test error, random features[/bold]", soft_wrap=True)
        for table in self._grids(page.width, cells, self.scalings[0], "rf_log10_test_error"):
            page.print(table)
        page.print(f"medians over {self.results.sizes['seed']} seeds; – too few runs ended")
        for front in self.fronts:
            page.print(self._front_table(front))
        self._print_sentences(page)

    def _grids(
        self,
        room: int,
        cells: dict[tuple[float, int, int], dict[str, Any]],
        gamma: float,
        name: str,
    ) -> Iterator[Table]:
        """The map, width to the right, in as many tables as the page asks for."""
        from rich import box
        from rich.table import Table

        widths = self.results["width"].values.tolist()
        fitting = max(1, (room - CELL) // CELL)
        for first in range(0, len(widths), fitting):
            shown = widths[first : first + fitting]
            table = Table(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1))
            for title in ("n \\ m", *map(str, shown)):
                table.add_column(title, justify="right", no_wrap=True)
            for n in reversed(self.results["sample"].values.tolist()):
                row = (number(cells[gamma, n, m][name], 2) for m in shown)
                table.add_row(str(n), *row)
            yield table

    def _front_table(self, front: Front) -> Table:
        """One front, row by row."""
        d = int(self.results.attrs["d"])
        table = new_table(
            ">n",
            ">n/(d+1)",
            ">measured m*",
            ">± decades",
            ">floor",
            ">level",
            "remark",
            title=f"front, {_name(front.scaling)} scaling",
        )
        columns = zip(
            front.samples, front.width, front.error, front.floor, front.level, strict=True
        )
        for (n, width, error, floor, level), note in zip(columns, front.notes, strict=True):
            table.add_row(
                short(n),
                short(n / (d + 1), 3),
                short(width, 3),
                number(error, 2),
                number(floor, 2),
                number(level, 2),
                note,
            )
        return table

    def _print_sentences(self, page: Console) -> None:
        """What the map says in numbers, a line each."""
        for front in filter(lambda front: front.found, self.fronts):
            text = (
                f"{_name(front.scaling)}: the front lies between m = n/(d+1) and m = n in "
                f"{front.between} of the {front.found} rows that have one"
            )
            if front.fit:
                error = number(front.fit.standard_error, 2)
                text += f", and grows as n^S, S = {number(front.fit.exponent, 2)} ± {error}"
            page.print(text, soft_wrap=True)
        for least, slope in self.slopes:
            page.print(
                f"{_name(slope.scaling)}{', m > n/(d+1)' if least else ''}: a decade of m changes "
                f"log10 error by {number(slope.width, 2)} ± {number(slope.width_error, 2)}, a "
                f"decade of n by {number(slope.sample, 2)} ± {number(slope.sample_error, 2)}; "
                f"ratio {number(slope.ratio, 2)} (0: horizontal contours)",
                soft_wrap=True,
            )
        ridge = self._ridge()
        hits = sum(row["width"] == row["nearest"] for row in ridge)
        page.print(
            f"random features: worst at the width next to m = n in {hits} of {len(ridge)} rows"
        )
        for gamma, shares in self.endings.items():
            words = ", ".join(f"{100 * share:.0f} % {word}" for word, share in shares.items())
            page.print(f"{_name(gamma)} runs: {words}", soft_wrap=True)

    def draw(self, folder: Path) -> list[Path]:
        """Draw the maps, where there are some; return the files written."""
        import numpy as np

        from netphase import figures

        sizes = self.results.sizes
        if min(sizes["sample"], sizes["width"]) < 2 or not np.any(self.results["done"].values):
            return []
        about = self.results.attrs
        inputs = {"gaussian": "Gaussian"}.get(str(about["inputs"]), about["inputs"])
        title = (
            f"{about['target_name']}, d = {about['d']}, {inputs} inputs, "
            f"{sizes['seed']} seed{'s' if sizes['seed'] > 1 else ''}"
        )
        figure = figures.size_maps(self.results, self.fronts, title=title)
        return figures.save(figure, folder / "sizes")


def _name(gamma: float) -> str:
    """What a scaling is called in a line of text."""
    return {0.0: "conventional", 1.0: "mean-field"}.get(gamma, f"κ = m^{-gamma:g}")
