"""Kernels of finite networks beside their limits: relative errors, and shares of the layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from netphase._types import Array
from netphase.figures.curves import with_error
from netphase.figures.kernel_panels import deviation, refuse_other, two_panels, width_axis
from netphase.figures.style import (
    COLUMN,
    DASHED,
    INK,
    MARKERS,
    PAGE,
    SERIES,
    new_figure,
    style,
    tidy,
)

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def kernel_errors(results: xr.Dataset, *, width: float = PAGE) -> Figure:
    """Relative errors of kernels against the width, both logarithmic, with their fitted slopes.

    Markers are means over the seeds with their standard errors, lines are fits; the dashed line is
    m^(−1/2). Left the tangent kernel and what each layer of weights adds to it, right the Gram
    matrices of the features.

    Args:
        results: what `netphase.concentration.kernel_concentration` returned.
        width: width of the figure in inches.

    Returns:
        The figure.

    Raises:
        ArgumentError: ``results`` is of another kind.
    """
    refuse_other(results)
    parts = {
        "tangent kernel and its layers": _draw_tangent_errors,
        "Gram matrices of features": _draw_feature_errors,
    }
    return two_panels(results, parts, (width, 0.56 * width), legend_at=-0.16, sharey=True)


def _draw_tangent_errors(axes: Axes, results: xr.Dataset) -> None:
    _draw_errors(axes, results, "tangent", r"$\Theta$", 0)
    for layer in results["layer"].values:
        name = rf"$\Theta^{{[{layer}]}}$"
        _draw_errors(axes, results.sel(layer=layer), "layer", name, int(layer))
    _draw_half(axes, results[["tangent_error", "layer_error"]])
    width_axis(axes, results)
    axes.set_ylabel("relative error (Frobenius norm)")


def _draw_feature_errors(axes: Axes, results: xr.Dataset) -> None:
    for hidden in results["hidden"].values:
        name = f"$S^{{[{hidden}]}}$"
        _draw_errors(axes, results.sel(hidden=hidden), "feature", name, int(hidden))
    _draw_half(axes, results[["feature_error"]])
    width_axis(axes, results)


def _draw_errors(axes: Axes, results: xr.Dataset, what: str, name: str, place: int) -> None:
    colour = INK if what == "tangent" else SERIES[(place - 1) % len(SERIES)]
    marker = MARKERS[place % len(MARKERS)]
    widths, table = results["width"].values, results[f"{what}_error"].values
    mean, error = _mean(table)
    exponent = float(results[f"{what}_exponent"])
    label = name
    if np.isfinite(exponent):
        slope = with_error(exponent, float(results[f"{what}_exponent_error"]))
        label += f": slope {slope}"
        centre = np.exp(np.log(table).mean() - exponent * np.log(widths).mean())
        axes.plot(widths, centre * widths**exponent, color=colour)
    axes.errorbar(widths, mean, error, ls="none", color=colour, marker=marker, elinewidth=0.8)
    axes.plot([], [], color=colour, marker=marker, label=label)
    axes.set(xscale="log", yscale="log")


def _draw_half(axes: Axes, errors: xr.Dataset) -> None:
    """A line of the slope −1/2 below the errors."""
    widths = errors["width"].values.astype(np.float64)
    low = min(float(each.mean("seed")[-1].min()) for each in errors.data_vars.values())
    line = 0.6 * low * (widths / widths[-1]) ** -0.5
    axes.plot(widths, line, color=INK, lw=0.8, ls=DASHED, label=r"$\propto m^{-1/2}$")


def _mean(table: Array) -> tuple[Array, Array | None]:
    """Mean over the seeds and its standard error, None with one seed."""
    spread = deviation(table)
    error = None if spread is None else spread / np.sqrt(table.shape[1])
    return table.mean(axis=1), error


def layer_shares(results: xr.Dataset, *, width: float = COLUMN) -> Figure:
    """Shares of the layers in the trace of the tangent kernel against the width.

    Markers are means over the seeds with their standard deviations, dashed lines the limits.

    Args:
        results: what `netphase.concentration.kernel_concentration` returned.
        width: width of the figure in inches.

    Returns:
        The figure.

    Raises:
        ArgumentError: ``results`` is of another kind.
    """
    refuse_other(results)
    with style():
        figure = new_figure(width, 0.85 * width)
        axes = figure.add_subplot()
        widths = results["width"].values
        for place, layer in enumerate(results["layer"].values):
            colour, marker = SERIES[place % len(SERIES)], MARKERS[place % len(MARKERS)]
            table = results["share"].sel(layer=layer).values
            axes.errorbar(widths, table.mean(axis=1), deviation(table), ls="none", color=colour,
                          marker=marker, elinewidth=0.8, label=f"$W^{{[{layer}]}}$")  # fmt: skip
            limit = results["limit_share"].sel(layer=layer).values
            if len(widths) == 1:
                axes.axhline(limit[0], color=colour, ls=DASHED, lw=0.9)
            axes.plot(widths, limit, color=colour, ls=DASHED, lw=0.9)
        axes.plot([], [], color=INK, ls=DASHED, lw=0.9, label="limit")
        axes.set(ylim=(0.0, None),
                 ylabel=r"share of the layer in $\mathrm{tr}\,\Theta_m$")  # fmt: skip
        tidy(axes)
        width_axis(axes, results)
        figure.legend(loc="outside lower center", ncols=min(4, results.sizes["layer"] + 1))
    return figure
