"""Figures with curves: change against width, exponents against γ, training, network output."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import numpy as np

from netphase._types import Array, Which
from netphase.errors import ArgumentError
from netphase.figures.style import (
    CHANGE_LABELS,
    COLUMN,
    DASHED,
    EXPONENT_LABELS,
    FINAL,
    GAMMA,
    INITIAL,
    INK,
    MARKERS,
    SERIES,
    new_figure,
    plain_ticks,
    style,
    tidy,
)

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Fit(Protocol):
    """What a fitted power law prefactor · m^exponent must offer."""

    @property
    def exponent(self) -> float:
        """The exponent of the width."""

    @property
    def standard_error(self) -> float:
        """Its standard error."""

    @property
    def prefactor(self) -> float:
        """The value at m = 1."""


def change_against_width(
    changes: Mapping[str, xr.DataArray],
    fits: Mapping[str, Fit] | None = None,
    *,
    which: Which = "w",
    predicted: Mapping[str, tuple[Array, Array]] | None = None,
    width: float = COLUMN,
) -> Figure:
    """Relative change against the width, both logarithmic, with the fitted power laws.

    Args:
        changes: label → relative change with the dimension ``width`` and perhaps ``seed``; one
            marker a seed.
        fits: label → fitted power law, drawn as a line whose slope the legend quotes.
        which: which relative change it is.
        predicted: label → (widths, relative change) of the theory, drawn dashed in the colour of
            the label.
        width: width of the figure in inches.

    Returns:
        The figure.

    Raises:
        ArgumentError: nothing to draw, a label of ``fits`` is not in ``changes``, or the dimension
            ``width`` is missing.

    References:
        Luo, Xu, Ma, Zhang (2021), Fig. 3a-c.
    """
    fits, predicted = fits or {}, predicted or {}
    _not_empty("changes", changes)
    for label in fits:
        if label not in changes:
            raise ArgumentError(f"Argument `fits` holds {label!r}, which `changes` does not hold.")
    with style():
        figure = new_figure(width, 0.82 * width)
        axes = figure.add_subplot()
        for index, (label, table) in enumerate(changes.items()):
            colour, marker = SERIES[index % len(SERIES)], MARKERS[index % len(MARKERS)]
            if "width" not in table.dims:
                raise ArgumentError(f"Argument `changes` of {label!r} has no dimension `width`.")
            fit = fits.get(label)
            draw_power_law(axes, table, fit, colour, marker)
            text = label
            if fit is not None:
                text = f"{label}: slope {with_error(fit.exponent, fit.standard_error)}"
            axes.plot([], [], color=colour, marker=marker, ls="-" if fit else "none", label=text)
            if label in predicted:
                axes.loglog(*predicted[label], color=colour, ls=DASHED, lw=0.9)
        if predicted:
            axes.plot([], [], color=INK, ls=DASHED, lw=0.9, label="predicted, nothing fitted")
        axes.set(
            xlabel=r"width $m$ (neurons)",
            ylabel=f"relative change {CHANGE_LABELS[which]}",
        )
        tidy(axes)
        plain_ticks(axes)
        _legend_below(figure, axes, 1)
    return figure


def draw_power_law(
    axes: Axes,
    table: xr.DataArray,
    fit: Fit | None,
    colour: str,
    marker: str,
    *,
    ls: str = "-",
    filled: bool = True,
) -> None:
    """Values against the width, both logarithmic, one marker a seed, and the line through them.

    Args:
        axes: where to draw.
        table: values with the dimension ``width`` and perhaps others.
        fit: the fitted power law, None for none.
        colour: of markers and line.
        marker: of the values.
        ls: style of the line.
        filled: whether the markers are.
    """
    widths = np.asarray(table["width"].values, dtype=np.float64)
    values = np.asarray(
        table.stack(_other=[d for d in table.dims if d != "width"])
        .transpose("width", "_other")
        .values
        if table.ndim > 1
        else table.values[:, None],
        dtype=np.float64,
    )
    face = colour if filled else "none"
    for column in values.T:
        axes.loglog(widths, column, ls="none", marker=marker, color=colour, mfc=face, alpha=0.85)
    if fit is not None:
        line = np.geomspace(widths.min(), widths.max(), 50)
        axes.loglog(line, fit.prefactor * line**fit.exponent, color=colour, ls=ls)


def exponents_against_gamma(
    exponents: Mapping[str, xr.DataArray],
    errors: Mapping[str, xr.DataArray] | None = None,
    *,
    which: Which = "w",
    predicted: Mapping[str, tuple[Array, Array]] | None = None,
    boundary: float | None = None,
    width: float = COLUMN,
) -> Figure:
    """An exponent against γ along rows of the plane, with errors and the law they should follow.

    Args:
        exponents: label → exponent with the single dimension ``gamma``.
        errors: label → standard error, same shape.
        which: which of the three exponents it is.
        predicted: label → (γ, exponent) of the theory, drawn dashed in the colour of the label.
        boundary: γ of an exact boundary to mark by a vertical line.
        width: width of the figure in inches.

    Returns:
        The figure.

    Raises:
        ArgumentError: nothing to draw, or an exponent has other dimensions than ``gamma``.

    References:
        Luo, Xu, Ma, Zhang (2021), Fig. 3d.
    """
    errors, predicted = errors or {}, predicted or {}
    _not_empty("exponents", exponents)
    with style():
        figure = new_figure(width, 0.82 * width)
        axes = figure.add_subplot()
        axes.axhline(0.0, color=INK, lw=0.6)
        if boundary is not None:
            axes.axvline(boundary, color=INK, lw=0.9, ls=(0, (1, 2)), label="exact boundary")
        for index, (label, row) in enumerate(exponents.items()):
            if row.dims != ("gamma",):
                raise ArgumentError(
                    f"Argument `exponents` of {label!r} must have the single dimension gamma, "
                    f"but has {', '.join(map(str, row.dims)) or 'none'}."
                )
            colour = SERIES[index % len(SERIES)]
            axes.errorbar(
                row["gamma"].values,
                row.values,
                yerr=errors[label].values if label in errors else None,
                color=colour,
                marker=MARKERS[index % len(MARKERS)],
                lw=1.0,
                capsize=1.5,
                elinewidth=0.8,
                label=label,
            )
            if label in predicted:
                axes.plot(*predicted[label], color=colour, ls=DASHED, lw=0.9)
        if predicted:
            axes.plot([], [], color=INK, ls=DASHED, lw=0.9, label="infinite width")
        axes.set(xlabel=GAMMA, ylabel=EXPONENT_LABELS[which])
        tidy(axes)
        _legend_below(figure, axes, 2)
    return figure


def training_curves(result: xr.Dataset, *, width: float = COLUMN) -> Figure:
    """Loss and relative changes of one run against its clock.

    Args:
        result: a run, with ``loss`` and ``relative_change_w``, ``_a``, ``_theta`` along ``time``
            (normalised time t̄ = t/(β1 β2), or steps where the axis says so).
        width: width of the figure in inches.

    Returns:
        The figure: loss above, relative changes below, one time axis.

    Raises:
        ArgumentError: a variable is missing, or the run holds no positive time.
    """
    names = {which: f"relative_change_{which}" for which in CHANGE_LABELS}
    _has("result", result, ("time", "loss", *names.values()))
    time = np.asarray(result["time"].values, dtype=np.float64)
    later = time > 0.0
    if not later.any():
        raise ArgumentError("Argument `result` holds no record after the start: nothing to draw.")
    with style():
        figure = new_figure(width, 1.15 * width)
        above, below = figure.subplots(2, sharex=True)
        above.loglog(time[later], result["loss"].values[later], color=INK)
        above.set(ylabel="loss (½ mean square error)")
        for index, (which, name) in enumerate(names.items()):
            values = np.asarray(result[name].values, dtype=np.float64)[later]
            below.loglog(
                time[later],
                np.where(values > 0.0, values, np.nan),
                color=SERIES[index],
                ls=("-", "--", ":")[index],
                label=CHANGE_LABELS[which],
            )
        below.axhline(1.0, color=INK, lw=0.5, ls=(0, (1, 2)))
        in_steps = result["time"].attrs.get("long_name") == "steps taken"
        clock = "steps" if in_steps else r"normalised time $\bar t = t/(\beta_1\beta_2)$"
        below.set(xlabel=clock, ylabel="relative change")
        below.legend(loc="lower right")
        for axes in (above, below):
            tidy(axes)
            plain_ticks(axes)
    return figure


def network_output(
    curve: xr.DataArray,
    points: tuple[Array, Array],
    *,
    initial: xr.DataArray | None = None,
    width: float = COLUMN,
) -> Figure:
    """The function a network of one input computes, through the points it was trained on.

    Args:
        curve: f after training with the single dimension ``x``.
        points: inputs and targets of the data, each of shape (n,).
        initial: f before training, same shape as ``curve``.
        width: width of the figure in inches.

    Returns:
        The figure.

    Raises:
        ArgumentError: ``curve`` has other dimensions than ``x``.

    References:
        Luo, Xu, Ma, Zhang (2021), Fig. 2a-c.
    """
    for name, line in (("curve", curve), ("initial", initial)):
        if line is not None and line.dims != ("x",):
            raise ArgumentError(
                f"Argument `{name}` must have the single dimension x, "
                f"but has {', '.join(map(str, line.dims)) or 'none'}."
            )
    with style():
        figure = new_figure(width, 0.72 * width)
        draw_output(figure.add_subplot(), curve, points, initial)
        _legend_below(figure, figure.axes[0], 3)
    return figure


def draw_output(
    axes: Axes, curve: xr.DataArray, points: tuple[Array, Array], initial: xr.DataArray | None
) -> None:
    """Draw what `network_output` shows into an axes."""
    if initial is not None:
        axes.plot(initial["x"].values, initial.values, color=INITIAL, lw=1.0, label="initial")
    axes.plot(curve["x"].values, curve.values, color=FINAL, label="trained")
    axes.plot(*points, ls="none", marker="o", ms=4, mfc="white", mec=INK, mew=0.9, label="data")
    axes.set(xlabel=r"input $x$", ylabel=r"output $f(x)$")
    tidy(axes)


def with_error(value: float, error: float) -> str:
    """A number with its standard error, to two digits of the error: "−0.506 ± 0.012".

    An error that is not a number is left out.
    """
    if not math.isfinite(error) or error <= 0.0:
        return f"{value:.3f}".replace("-", "−")
    digits = min(max(1 - math.floor(math.log10(error)), 0), 6)
    return f"{value:.{digits}f} ± {error:.{digits}f}".replace("-", "−")


def _not_empty(name: str, curves: Mapping[str, object]) -> None:
    """Refuse an empty set of curves."""
    if not curves:
        raise ArgumentError(f"Argument `{name}` is empty: there is nothing to draw.")


def _has(name: str, result: xr.Dataset, variables: tuple[str, ...]) -> None:
    """Refuse a dataset that lacks a variable."""
    missing = [v for v in variables if v not in result.variables]
    if missing:
        raise ArgumentError(
            f"Argument `{name}` lacks {', '.join(missing)}; it must be the result of one run."
        )


def _legend_below(figure: Figure, axes: Axes, columns: int) -> None:
    """One legend under the axes, where it hides no data."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=columns,
        columnspacing=1.2,
        borderaxespad=0.2,
    )
