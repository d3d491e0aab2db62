"""Maps of a layer sweep beside its verdicts: both norms of hidden layers, features and kernels."""

from __future__ import annotations

import math
from string import ascii_lowercase as LETTERS
from typing import TYPE_CHECKING, Any

import numpy as np

from netphase._checks import positive_float
from netphase.analysis import frobenius_mislabels
from netphase.errors import ArgumentError
from netphase.figures.cells import coordinates
from netphase.figures.layer_plane import LayerPlane, label_outer, layer_name, share_bar
from netphase.figures.style import DASHED, INK, PAGE, new_figure, panel_label, style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_COLUMNS = 4
"""Most maps side by side."""

DOT: dict[str, Any] = {
    "ls": "none",
    "marker": "o",
    "ms": 3.2,
    "mfc": INK,
    "mec": "white",
    "zorder": 6,
}
"""How a cell that is mislabelled is marked."""

NORMS = {"operator": "operator norm", "frobenius": "Frobenius norm"}
"""Both norms, by their variables."""

NORM = r"exponent $S$ of the change  ($\propto m^{S}$)"
"""Label of a colour bar of exponents of both norms."""


def norm_maps(
    exponents: xr.Dataset, *, limit: float = 1.0, title: str = "", width: float = PAGE
) -> Figure:
    """Hidden layers by their operator norm, left, and by their Frobenius norm, right.

    Dots mark the cells in which a layer moves and the Frobenius norm says that it stays
    (`netphase.analysis.MISLABEL`).

    Args:
        exponents: from `netphase.analysis.layer_exponents`.
        limit: exponent at which the colours saturate, > 0.
        title: a line above the figure.
        width: width of the figure in inches.

    Returns:
        The figure, with a row for every matrix between hidden layers.

    Raises:
        ArgumentError: there is one hidden layer only, the table is not that of a layer sweep, or
            it has one row or one column only.
    """
    limit = positive_float("limit", limit)
    plane = LayerPlane(exponents)
    if plane.depth < 2:
        raise ArgumentError(
            "Argument `exponents` must be of networks with two hidden layers or more, but has one: "
            "in input and output layers both norms have the same exponent."
        )
    wrong = frobenius_mislabels(exponents)
    hidden = range(2, plane.depth + 1)
    tables = {
        (layer, name): plane.ordered(exponents[name].sel(layer=layer, drop=True))
        for layer in hidden
        for name in NORMS
    }
    with style():
        figure = new_figure(width, (0.16 + 0.36 * len(hidden)) * width, title)
        panels = list(figure.subplots(len(hidden), 2, squeeze=False).flat)
        for axes, letter, ((layer, name), table) in zip(
            panels, LETTERS, tables.items(), strict=False
        ):
            cells, _ = plane.draw_map(axes, table, limit)
            plane.draw_line(axes, layer)
            words = NORMS[name]
            panel_label(axes, f"({letter}) {layer_name(layer, plane.depth)}, {words}")
            if name == "frobenius":
                _dots(axes, plane.ordered(wrong.sel(layer=layer, drop=True)))
        share_bar(figure, panels, cells, list(tables.values()), limit, NORM)
        label_outer(panels)
        _legend(figure, "exact boundary of the operator norm", wrong.sel(layer=list(hidden)))
    return figure


def feature_maps(
    exponents: xr.Dataset, *, limit: float = 1.0, title: str = "", width: float = PAGE
) -> Figure:
    """Exponents of the change of every hidden representation, and of the tangent kernel.

    Args:
        exponents: from `netphase.analysis.layer_exponents`.
        limit: exponent at which the colours saturate, > 0.
        title: a line above the figure.
        width: width of the figure in inches.

    Returns:
        The figure; the dashed line is κ = 1, where lim log κ/log m changes its sign.

    Raises:
        ArgumentError: the table is not that of a layer sweep, or has one row or one column only.
    """
    limit = positive_float("limit", limit)
    plane = LayerPlane(exponents)
    maps = {
        f"features $x^{{[{k}]}}$": exponents["feature"].sel(hidden=k, drop=True)
        for k in exponents["hidden"].values
    }
    maps["tangent kernel"] = exponents["kernel"]
    tables = {name: plane.ordered(table) for name, table in maps.items()}
    columns = min(len(tables), MOST_COLUMNS)
    rows = math.ceil(len(tables) / columns)
    with style():
        figure = new_figure(width, (0.16 + 0.88 / columns * rows) * width, title)
        places = figure.subplots(rows, columns, squeeze=False)
        panels = list(places.flat[: len(tables)])
        for axes in places.flat[len(tables) :]:
            axes.remove()
        for axes, letter, (name, table) in zip(panels, LETTERS, tables.items(), strict=False):
            cells, _ = plane.draw_map(axes, table, limit)
            plane.draw_line(axes)
            panel_label(axes, f"({letter}) {name}")
        share_bar(figure, panels, cells, list(tables.values()), limit, NORM)
        label_outer(panels)
        _legend(figure, r"exact line $\kappa = 1$ of infinite width")
    return figure


def _dots(axes: Axes, wrong: xr.DataArray) -> None:
    """A dot in every cell that is mislabelled."""
    x, y = coordinates(wrong)
    rows, columns = np.nonzero(wrong.values)
    axes.plot(x[columns], y[rows], **DOT)


def _legend(figure: Figure, line: str, wrong: xr.DataArray | None = None) -> None:
    """What the dashed line is, and the dots, where there are some."""
    from matplotlib.lines import Line2D

    handles, labels = [Line2D([], [], color=INK, ls=DASHED, lw=1.1)], [line]
    if wrong is not None and wrong.any():
        handles.append(Line2D([], [], **DOT))
        labels.append("the layer moves, and the Frobenius norm says that it stays")
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
