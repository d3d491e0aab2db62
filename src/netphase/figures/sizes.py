"""Maps of test error over width and sample size, with the measured front between two lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import cycle
from string import ascii_lowercase as LETTERS
from typing import TYPE_CHECKING

import numpy as np

from netphase._types import Array, Status
from netphase.analysis import log_errors
from netphase.analysis.sizes import check_sizes, median
from netphase.errors import ArgumentError
from netphase.figures.cells import EMPTY, cell_edges
from netphase.figures.style import DASHED, INK, PAGE, new_figure, panel_label, style
from netphase.results import STATUS_CODES

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.figure import Figure

    from netphase.analysis import Front

PANEL_NAMES = {0.0: "conventional", 1.0: "mean-field"}
"""What the scalings κ = m^(−γ) are called, by γ."""

MOST_COLUMNS = 4
"""Most panels side by side: titles of more would overlap."""

COLOURS = "viridis"
"""Perceptually uniform; dark where the test error is small."""

LINE = "#ffffff"
"""Colour of the two lines; edged in ink, so that they are seen on every colour."""

FRONT = "#e8384f"
"""Colour of the measured front."""


def size_maps(
    results: xr.Dataset, fronts: Sequence[Front] = (), *, title: str = "", width: float = PAGE
) -> Figure:
    """log10 test error over width and sample size: one panel a scaling, one for the twins.

    Medians over the seeds, on one colour scale. Cells in which fewer than half of the runs count
    are grey under a cross; a dot marks those in which most runs stopped on a plateau of the loss.

    Args:
        results: dims scaling, sample, width and seed, with the attribute ``d``.
        fronts: measured fronts, drawn in the panels of their scalings with their error bands.
        title: a line above the figure.
        width: width of the figure in inches.

    Returns:
        The figure.

    Raises:
        ArgumentError: the results are of another sweep, have one sample size or one width only, or
            no run that counts.

    References:
        Ma, Wu & E (2020), the heat maps of test error; their horizontal axis is m(d + 1).
    """
    check_sizes(results)
    if min(results.sizes["sample"], results.sizes["width"]) < 2:
        raise ArgumentError(
            "Argument `results` must hold two sample sizes and two widths to make a map, but has "
            f"{results.sizes['sample']} and {results.sizes['width']}."
        )
    maps = _maps(results)
    known = np.concatenate([table[np.isfinite(table)] for table in maps.values()])
    if not known.size:
        raise ArgumentError("Argument `results` must hold runs that count, but has none.")
    by_scaling = {scaling_name(front.scaling): front for front in fronts}
    with style():
        columns = min(len(maps), MOST_COLUMNS)
        rows = math.ceil(len(maps) / columns)
        height = 0.34 * width * rows + (0.9 if width < PAGE else 0.75)
        figure = new_figure(width, height, title)
        places = figure.subplots(rows, columns, squeeze=False, sharey=True)
        panels = list(places.flat[: len(maps)])
        for axes in places.flat[len(maps) :]:
            axes.remove()
        for axes, (name, table), letter in zip(panels, maps.items(), cycle(LETTERS), strict=False):
            mesh = _heat(axes, results, table, (float(known.min()), float(known.max())))
            _lines(axes, results)
            if name in by_scaling:
                _front(axes, by_scaling[name])
            panel_label(axes, f"({letter}) {name}")
        for axes, scaling in zip(panels, results["scaling"].values, strict=False):
            _marks(axes, results.sel(scaling=scaling))
        for axes in places[:, 0]:
            axes.set_ylabel(r"samples $n$")
        bar = figure.colorbar(mesh, ax=list(panels), pad=0.015, aspect=24)
        bar.set_label(r"$\log_{10}$ test error, median over seeds")
        _legend(figure, panels)
    return figure


def scaling_name(gamma: float) -> str:
    """What a scaling κ = m^(−γ) is called.

    Args:
        gamma: γ.

    Returns:
        "conventional", "mean-field", or the formula.
    """
    return PANEL_NAMES.get(float(gamma), rf"$\kappa = m^{{{-gamma:g}}}$")


def _maps(results: xr.Dataset) -> dict[str, Array]:
    """Name of the panel → median log10 error, shape (samples, widths); the twins' at the end."""
    table = log_errors(results).transpose("scaling", "sample", "width", "seed")
    names = [scaling_name(gamma) for gamma in results["scaling"].values]
    maps = dict(zip(names, median(table.values), strict=True))
    twins = log_errors(results, "rf_test_error").isel(scaling=0)
    maps["random features"] = median(twins.transpose("sample", "width", "seed").values)
    return maps


def _heat(axes: Axes, results: xr.Dataset, table: Array, limits: tuple[float, float]) -> QuadMesh:
    """The coloured cells of one panel."""
    import matplotlib as mpl

    log_m, log_n = np.log10(results["width"].values), np.log10(results["sample"].values)
    colours = mpl.colormaps[COLOURS].with_extremes(bad=EMPTY)
    mesh = axes.pcolormesh(
        10 ** cell_edges(log_m),
        10 ** cell_edges(log_n),
        np.ma.masked_invalid(table),
        cmap=colours,
        vmin=limits[0],
        vmax=limits[1],
        rasterized=True,
    )
    axes.set(xscale="log", yscale="log", xlabel="width $m$")
    axes.set_yticks(results["sample"].values, [f"{n}" for n in results["sample"].values])
    axes.minorticks_off()
    return mesh


def _lines(axes: Axes, results: xr.Dataset) -> None:
    """M = n/(d + 1), where there are as many weights as samples, and m = n, inside the cells."""
    import matplotlib.patheffects as effects

    low, high = axes.get_ylim()
    left, right = axes.get_xlim()
    n = np.array([low, high])
    edge = [effects.Stroke(linewidth=2.2, foreground=INK), effects.Normal()]
    for divisor, dashes, label in (
        (int(results.attrs["d"]) + 1, DASHED, "$m = n/(d+1)$"),
        (1, (0, (1, 1.2)), "$m = n$"),
    ):
        axes.plot(n / divisor, n, color=LINE, ls=dashes, lw=1.2, path_effects=edge, label=label)
    axes.set(xlim=(left, right), ylim=(low, high))


def _front(axes: Axes, front: Front) -> None:
    """The measured front, with a bar one standard error long on either side."""
    import matplotlib.patheffects as effects

    known = np.isfinite(front.width)
    if not known.any():
        return
    low, high = front.bounds
    width, samples = front.width[known], front.samples[known]
    bars = np.nan_to_num(np.stack([width - low[known], high[known] - width]))
    axes.errorbar(
        width,
        samples,
        xerr=bars,
        color=FRONT,
        ecolor=FRONT,
        marker="o",
        ms=3.2,
        mec="white",
        mew=0.5,
        lw=1.3,
        elinewidth=1.3,
        capsize=2.0,
        zorder=6,
        path_effects=[effects.Stroke(linewidth=2.4, foreground="white"), effects.Normal()],
        label=r"measured front $m^{*}(n)$ ± standard error",
    )


def _marks(axes: Axes, cut: xr.Dataset) -> None:
    """A cross where too few runs count, a dot where most stopped on a plateau."""
    values = cut["status"].transpose("sample", "width", "seed").values
    stagnated = (values == STATUS_CODES[Status.STAGNATED]).mean(axis=-1) >= 0.5
    table = log_errors(cut).transpose("sample", "width", "seed").values
    nothing = ~np.isfinite(median(table))
    for where, marker, label in (
        (stagnated & ~nothing, ".", "most runs on a plateau of the loss"),
        (nothing, "x", "too few runs ended"),
    ):
        rows, columns = np.nonzero(where)
        if rows.size:
            axes.plot(
                cut["width"].values[columns],
                cut["sample"].values[rows],
                ls="none",
                marker=marker,
                ms=3.0,
                color=INK if marker == "x" else "white",
                mec=INK,
                mew=0.5 if marker == "." else 0.9,
                zorder=5,
                label=label,
            )


def _legend(figure: Figure, panels: Sequence[Axes]) -> None:
    """One legend below the panels, each entry once."""
    entries: dict[str, Artist] = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    figure.legend(
        list(entries.values()),
        list(entries),
        loc="outside lower center",
        ncols=3,
        labelspacing=0.3,
        borderaxespad=0.2,
    )
