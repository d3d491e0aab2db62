"""What maps over a plane share: cells and their colours, hatches, frames and colour bars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.figures.style import GAMMA_AXIS, GAMMA_PRIME_AXIS

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh

Ends: TypeAlias = Literal["neither", "min", "max", "both"]
"""Which ends of a colour bar have an arrow."""

UNUSABLE = {"undetermined": "//////", "not converged": "xxxxxx"}
"""Verdicts that hatch a cell, and their hatches."""

EMPTY = "#d9d9d9"
"""Colour of a cell without a value."""

MEASURED = "#006d2c"
"""Colour of measured boundaries."""

PLANE = ("gamma_prime", "gamma")
"""Dimensions of the plane of the scales, the vertical one first."""


def cell_edges(centres: Array) -> Array:
    """Edges of cells around unevenly spaced centres, half-way between neighbours.

    Args:
        centres: increasing coordinates, shape (k,), k ≥ 2.

    Returns:
        Edges, shape (k + 1,).
    """
    middle = 0.5 * (centres[1:] + centres[:-1])
    first = centres[0] - (middle[0] - centres[0])
    last = centres[-1] + (centres[-1] - middle[-1])
    return np.concatenate(([first], middle, [last]))


def ordered_plane(table: xr.DataArray, name: str, dims: tuple[str, str] = PLANE) -> xr.DataArray:
    """A table over a plane with both axes increasing.

    Args:
        table: values with the dimensions ``dims``, in any order.
        name: what to call it in an error.
        dims: names of the vertical and of the horizontal dimension.

    Returns:
        The same with its dimensions in the order of ``dims``.

    Raises:
        ArgumentError: a dimension is missing or has fewer than two values.
    """
    if set(table.dims) != set(dims):
        raise ArgumentError(
            f"Argument `{name}` must have the dimensions {dims[0]} and {dims[1]}, "
            f"but has {', '.join(map(str, table.dims)) or 'none'}."
        )
    if min(table.shape) < 2:
        raise ArgumentError(
            f"Argument `{name}` must hold at least two values of {dims[1]} and of {dims[0]} to be "
            "drawn as a plane; draw a single row or column as a curve."
        )
    return table.transpose(*dims).sortby(list(dims))


def coordinates(table: xr.DataArray) -> tuple[Array, Array]:
    """Horizontal and vertical coordinates of an ordered table."""
    vertical, horizontal = table.dims
    return table[horizontal].values, table[vertical].values


def draw_cells(axes: Axes, table: xr.DataArray, **look: Any) -> QuadMesh:
    """Coloured cells of an ordered table, grey where there is no value.

    Args:
        axes: where to draw.
        table: numbers, dims (vertical, horizontal), both increasing.
        look: colour map and limits, as matplotlib's ``pcolormesh`` takes them.

    Returns:
        The cells.
    """
    x, y = coordinates(table)
    axes.set_facecolor(EMPTY)
    return axes.pcolormesh(
        cell_edges(x),
        cell_edges(y),
        np.ma.masked_invalid(np.asarray(table.values, dtype=np.float64)),
        edgecolors="none",
        rasterized=True,
        **look,
    )


def colour_bar_ends(values: Array, limit: float) -> Ends:
    """Which ends of a colour bar over ± ``limit`` need an arrow for these values."""
    finite = values[np.isfinite(values)]
    low, high = bool(np.any(finite < -limit)), bool(np.any(finite > limit))
    if low and high:
        return "both"
    return "min" if low else "max" if high else "neither"


def frame(
    axes: Axes,
    table: xr.DataArray,
    labels: tuple[str, str] = (GAMMA_AXIS, GAMMA_PRIME_AXIS),
    ticks: tuple[int, int] = (6, 7),
) -> None:
    """Limits, labels and at most so many intervals between ticks of a map of these cells.

    Args:
        axes: the map.
        table: an ordered table.
        labels: of the horizontal and of the vertical axis.
        ticks: intervals between ticks of either.
    """
    from matplotlib.ticker import MaxNLocator

    x, y = (cell_edges(centres) for centres in coordinates(table))
    axes.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]), xlabel=labels[0], ylabel=labels[1])
    for axis, most in zip((axes.xaxis, axes.yaxis), ticks, strict=True):
        axis.set_major_locator(MaxNLocator(most, steps=[1, 2, 5, 10]))


def hatch_cells(
    axes: Axes, verdicts: xr.DataArray, dark: np.ndarray[Any, np.dtype[np.bool_]]
) -> list[str]:
    """Hatch the cells whose verdict is no regime.

    Args:
        axes: where the cells are drawn.
        verdicts: words, an ordered table.
        dark: which cells need a light hatch, same shape.

    Returns:
        The words of the hatches used.
    """
    from matplotlib.patches import Rectangle

    x, y = (cell_edges(centres) for centres in coordinates(verdicts))
    used = []
    for word, hatch in UNUSABLE.items():
        cells = np.argwhere(verdicts.values == word)
        for row, column in cells:
            axes.add_patch(
                Rectangle(
                    (x[column], y[row]),
                    x[column + 1] - x[column],
                    y[row + 1] - y[row],
                    fill=False,
                    hatch=hatch,
                    edgecolor="white" if dark[row, column] else "#333333",
                    linewidth=0.0,
                )
            )
        if len(cells):
            used.append(word)
    return used


def draw_measured(axes: Axes, x: Array, y: Array, error: Array, label: str) -> None:
    """A measured boundary, one point a row: a line with bars and a band of one standard error.

    Args:
        axes: the map.
        x: its place in every row, NaN where there is none, shape (rows,).
        y: the rows, shape (rows,).
        error: standard errors of ``x``, shape (rows,).
        label: its entry in the legend.
    """
    axes.fill_betweenx(y, x - error, x + error, color=MEASURED, alpha=0.25, lw=0, zorder=3)
    axes.errorbar(
        x,
        y,
        xerr=np.where(np.isfinite(error), error, 0.0),
        color=MEASURED,
        lw=1.3,
        elinewidth=0.8,
        capsize=1.5,
        marker="o",
        ms=2.6,
        zorder=5,
        label=label,
    )


def draw_marks(axes: Axes, places: Mapping[tuple[float, float], str]) -> None:
    """Mark the places that lie inside the axes, each with its own entry in the legend."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    inside = [
        (x, y, label) for (x, y), label in places.items() if left < x < right and low < y < high
    ]
    for index, (x, y, label) in enumerate(inside):
        axes.plot(
            x,
            y,
            ls="none",
            marker="DPXv"[index % 4],
            ms=6,
            mfc="#984ea3",
            mec="white",
            mew=0.7,
            zorder=7,
            label=label,
        )


def top_bar(axes: Axes, cells: QuadMesh, label: str, extend: Ends) -> None:
    """A thin colour bar above a small map."""
    bar = axes.figure.colorbar(
        cells, ax=axes, location="top", pad=0.03, aspect=22, shrink=0.8, extend=extend
    )
    bar.set_label(label, labelpad=3)
    bar.outline.set_linewidth(0.5)
    bar.ax.tick_params(labelsize=6, pad=1, length=2)
