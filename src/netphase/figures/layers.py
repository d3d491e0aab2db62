"""Maps of a layer sweep: verdicts on the networks, and the exponent of every layer's change."""

from __future__ import annotations

import math
from collections.abc import Iterable
from string import ascii_lowercase as LETTERS
from typing import TYPE_CHECKING

import numpy as np

from netphase._checks import positive_float
from netphase.figures.cells import MEASURED, draw_marks, frame
from netphase.figures.layer_plane import LayerPlane, label_outer, layer_name, share_bar
from netphase.figures.style import DASHED, INK, PAGE, new_figure, panel_label, style
from netphase.figures.word_maps import colour_patches, draw_words, hatch_patches, map_legend
from netphase.scalings import Laziness

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LAZINESS_COLOURS = {
    Laziness.THETA_LAZY: "#f4a582",
    Laziness.BOUNDARY: "#ffffff",
    Laziness.BELOW: "#92c5de",
}
"""Colours of the verdicts: warm where all layers stay, cold where some move."""

MEASURED_ZEROS = "measured boundary (zeros of rows and columns, ± s.e.)"
"""What the green points are."""

MOST_ROWS = 2
"""Rows of small maps, as long as they fit into three columns."""


def layer_maps(
    exponents: xr.Dataset,
    *,
    limit: float = 1.0,
    names: bool = True,
    title: str = "",
    width: float = PAGE,
) -> Figure:
    """The verdict on every network beside what it rests on: how each of its layers changes.

    Red is where a layer stays as the width grows, blue where it moves ever farther. The last small
    map is of the layer that moves most, which decides on the network. Measured boundaries are
    zeros of the rows, with one standard error; exact ones are those of infinite width.

    Args:
        exponents: from `netphase.analysis.layer_exponents`.
        limit: exponent at which the colours saturate, > 0.
        names: whether to mark the named initialisations that lie in the plane.
        title: a line above the figure, as activation, data and widths.
        width: width of the figure in inches.

    Returns:
        The figure.

    Raises:
        ArgumentError: the table is not that of a layer sweep, or has one row or one column only.

    References:
        Li, Luo & Zhou (2024) for the θ-lazy area, reconstructed; Zhou et al. (2022) for diagrams
        of three layers, each with a map of its own.
    """
    limit = positive_float("limit", limit)
    plane = LayerPlane(exponents)
    verdicts = plane.ordered(exponents["verdict"])
    maps = {
        **{layer_name(k, plane.depth): _layer(exponents, plane, k) for k in _numbers(plane)},
        "largest of all": _largest(exponents, plane),
    }
    with style():
        figure, large, small = _panels(len(maps), width, title)
        hatched = _verdicts(large, plane, verdicts)
        plane.draw_zeros(large, exponents)
        for axes, letter, (name, (values, words)), layer in zip(
            small, LETTERS[1:], maps.items(), (*_numbers(plane), None), strict=False
        ):
            cells, more = plane.draw_map(axes, values, limit, words)
            hatched += more
            plane.draw_line(axes, layer)
            plane.draw_zeros(axes, exponents, layer)
            panel_label(axes, f"({letter}) {name}")
        if names:
            draw_marks(large, plane.named())
        share_bar(figure, small, cells, [values for values, _ in maps.values()], limit)
        label_outer(small)
        _legend(figure, large, verdicts, dict.fromkeys(hatched))
    return figure


def _numbers(plane: LayerPlane) -> range:
    """Numbers of the layers of weights."""
    return range(1, plane.depth + 2)


def _panels(count: int, width: float, title: str) -> tuple[Figure, Axes, list[Axes]]:
    """A figure with a large panel and so many small ones to its right."""
    columns = 2 if count <= 2 * MOST_ROWS else 3
    rows = max(MOST_ROWS, math.ceil(count / columns))
    figure = new_figure(width, (0.62 + 0.25 * (rows - MOST_ROWS)) * width, title)
    grid = figure.add_gridspec(rows, 2 + columns)
    large = figure.add_subplot(grid[:MOST_ROWS, :2])
    places = [(i // columns, 2 + i % columns) for i in range(count)]
    return figure, large, [figure.add_subplot(grid[place]) for place in places]


def _layer(
    exponents: xr.Dataset, plane: LayerPlane, layer: int
) -> tuple[xr.DataArray, xr.DataArray]:
    """Exponents and words of a layer, ordered."""
    cut = exponents.sel(layer=layer, drop=True)
    return plane.ordered(cut["operator"]), plane.ordered(cut["operator_regime"])


def _largest(exponents: xr.Dataset, plane: LayerPlane) -> tuple[xr.DataArray, xr.DataArray]:
    """The same of the layer with the largest exponent, where every layer has one."""
    values = exponents["operator"]
    known = values.notnull().all("layer")
    at = values.fillna(-np.inf).argmax("layer")
    words = exponents["operator_regime"].isel(layer=at).drop_vars("layer")
    return plane.ordered(values.max("layer").where(known)), plane.ordered(words)


def _verdicts(axes: Axes, plane: LayerPlane, verdicts: xr.DataArray) -> list[str]:
    """The map of the verdicts on whole networks; returns the words of its hatches."""
    hatched = draw_words(axes, verdicts, LAZINESS_COLOURS)
    frame(axes, verdicts, plane.labels)
    plane.draw_line(axes)
    panel_label(axes, "(a) does a layer move?")
    return hatched


def _legend(figure: Figure, large: Axes, verdicts: xr.DataArray, hatched: Iterable[str]) -> None:
    """One legend below all maps."""
    from matplotlib.lines import Line2D

    shown = {
        f"{verdict.value} ({verdict.alias})": colour
        for verdict, colour in LAZINESS_COLOURS.items()
        if np.any(verdicts.values == verdict.value)
    }
    lines = [
        Line2D([], [], color=INK, ls=DASHED, lw=1.1, label="exact boundary, infinite width"),
        Line2D([], [], color=MEASURED, marker="o", ms=2.6, lw=0.8, label=MEASURED_ZEROS),
    ]
    marks, _ = large.get_legend_handles_labels()
    map_legend(figure, [*colour_patches(shown), *hatch_patches(hatched), *lines, *marks])
