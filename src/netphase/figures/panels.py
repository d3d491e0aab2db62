"""Figures of several panels: functions over clouds, measures against width, tests of theory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.figures.clouds import draw_cloud
from netphase.figures.curves import draw_output
from netphase.figures.style import (
    CHANGE_LABELS,
    COLUMN,
    DASHED,
    INK,
    MARKERS,
    PAGE,
    SERIES,
    new_figure,
    panel_label,
    plain_ticks,
    style,
    tidy,
)

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from netphase.observables import Features

LETTERS = "abcdefgh"


def functions_over_clouds(
    columns: Mapping[str, tuple[xr.DataArray, Features, Features]],
    points: tuple[Array, Array],
    *,
    width: float = PAGE,
) -> Figure:
    """Learned functions above, feature clouds below, one column a network.

    Args:
        columns: title → (f after training with the single dimension ``x``, features before
            training, features after it).
        points: inputs and targets of the data, each of shape (n,).
        width: width of the figure in inches.

    Returns:
        The figure.

    Raises:
        ArgumentError: there is no column.

    References:
        Luo, Xu, Ma, Zhang (2021), Fig. 2.
    """
    if not columns:
        raise ArgumentError("Argument `columns` is empty: there is nothing to draw.")
    with style():
        figure = new_figure(width, 0.62 * width)
        axes = figure.subplots(2, len(columns), squeeze=False, sharey="row")
        for index, (title, (curve, initial, final)) in enumerate(columns.items()):
            above, below = axes[:, index]
            draw_output(above, curve, points, None)
            draw_cloud(below, initial, final)
            panel_label(above, f"({LETTERS[index]})")
            panel_label(below, f"({LETTERS[index + len(columns)]})")
            above.set_title(title)
            if index:
                above.set_ylabel("")
                below.set_ylabel("")
            below.set_xlabel("angle of $w$ = (weight, bias)")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        clouds = axes[1, 0].get_legend_handles_labels()
        names = ["function", "data", *(f"neurons, {label}" for label in clouds[1])]
        legend = figure.legend(
            handles[: len(labels)] + clouds[0], names, loc="outside lower center", ncols=4
        )
        for handle in filter(None, legend.legend_handles):
            handle.set(alpha=1.0, markersize=5.0)
    return figure


def measure_against_width(
    measures: Mapping[str, xr.DataArray], label: str, *, width: float = COLUMN
) -> Figure:
    """A positive measure against the width, both logarithmic, one curve a network.

    Args:
        measures: name → values with the dimension ``width`` and perhaps ``seed``; the curve is the
            mean over seeds, its bar one standard error.
        label: what is measured, for the axis.
        width: width of the figure in inches.

    Returns:
        The figure.

    Raises:
        ArgumentError: there is nothing to draw.
    """
    if not measures:
        raise ArgumentError("Argument `measures` is empty: there is nothing to draw.")
    with style():
        figure = new_figure(width, 0.95 * width)
        axes = figure.add_subplot()
        for index, (name, table) in enumerate(measures.items()):
            mean, error = table, None
            if "seed" in table.dims:
                count = table.sizes["seed"]
                mean = table.mean("seed")
                error = table.std("seed", ddof=1).values / math.sqrt(count) if count > 1 else None
            axes.errorbar(
                mean["width"].values,
                mean.values,
                yerr=error,
                color=SERIES[index % len(SERIES)],
                marker=MARKERS[index % len(MARKERS)],
                capsize=1.5,
                elinewidth=0.8,
                label=name,
            )
        axes.set(xscale="log", yscale="log", xlabel=r"width $m$ (neurons)", ylabel=label)
        tidy(axes)
        plain_ticks(axes)
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def theory_tests(
    losses: Mapping[str, tuple[Array, Array, Array]],
    changes: Mapping[str, tuple[Array, Array, Array]],
    distances: Mapping[str, tuple[Array, Array]],
    *,
    width: float = PAGE,
) -> Figure:
    """Three tests of theory: bounds on the loss and on the change, distance from the linear model.

    Args:
        losses: name → (normalised times, loss, its upper bound), each of shape (t,).
        changes: name → (widths, largest RD(θ_w), its lower bound), each of shape (widths,).
        distances: name → (widths, sup |f − f_lin| of shape (seeds, widths)).
        width: width of the figure in inches.

    Returns:
        The figure.

    References:
        Luo, Xu, Ma, Zhang (2021), Theorems 6 and 8 and equation (15).
    """
    from matplotlib.ticker import NullFormatter

    with style():
        figure = new_figure(width, 0.45 * width)
        loss_axes, change_axes, distance_axes = figure.subplots(1, 3)
        _bounded(loss_axes, losses)
        loss_axes.set(xlabel=r"normalised time $\bar t$", ylabel="loss", yscale="log", xscale="log")
        floor = min(float(np.min(loss)) for _, loss, _ in losses.values())
        loss_axes.set_ylim(bottom=0.3 * floor)
        _bounded(change_axes, changes, markers=True)
        change_axes.set(
            xlabel=r"width $m$",
            ylabel=rf"largest {CHANGE_LABELS['w']}",
            xscale="log",
            yscale="log",
        )
        for index, (name, (m, table)) in enumerate(distances.items()):
            colour, marker = SERIES[index % len(SERIES)], MARKERS[index % len(MARKERS)]
            distance_axes.plot(m, np.mean(table, axis=0), color=colour, marker=marker, label=name)
        distance_axes.set(
            xlabel=r"width $m$",
            ylabel=r"$\sup\,|f - f_\mathrm{lin}|$",
            xscale="log",
            yscale="log",
        )
        for index, axes in enumerate((loss_axes, change_axes, distance_axes)):
            panel_label(axes, f"({LETTERS[index]})")
            tidy(axes)
            axes.xaxis.set_minor_formatter(NullFormatter())
            axes.legend(fontsize=6.0)
    return figure


def _bounded(
    axes: Axes, curves: Mapping[str, tuple[Array, Array, Array]], markers: bool = False
) -> None:
    """Curves solid, their bounds dashed in the same colour; what is not positive is left out."""
    for index, (name, (x, value, bound)) in enumerate(curves.items()):
        colour = SERIES[index % len(SERIES)]
        marker = MARKERS[index % len(MARKERS)] if markers else "none"
        shown = np.asarray(x) > 0
        axes.plot(x[shown], value[shown], color=colour, marker=marker, label=name)
        limit = np.where(bound > 0, bound, np.nan)
        axes.plot(x[shown], limit[shown], color=colour, ls=DASHED, lw=0.9)
    axes.plot([], [], color=INK, ls=DASHED, lw=0.9, label="bound")
