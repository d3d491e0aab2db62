"""How far every layer of a deep network moves, against the width, with the predicted slopes."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase as LETTERS
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.figures.curves import draw_power_law, with_error
from netphase.figures.layer_plane import LayerPlane
from netphase.figures.style import (
    DASHED,
    INK,
    MARKERS,
    PAGE,
    SERIES,
    new_figure,
    plain_ticks,
    style,
    tidy,
)
from netphase.results import STATUS_CODES

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_CELLS = 4
"""Most cells side by side."""


class Line(NamedTuple):
    """A fitted power law."""

    exponent: float
    standard_error: float
    prefactor: float


def layer_changes(
    results: xr.Dataset,
    exponents: xr.Dataset,
    places: Sequence[tuple[float, float]],
    *,
    title: str = "",
    width: float = PAGE,
) -> Figure:
    """Relative change of every layer against the width, one panel a cell of the plane.

    Filled markers and solid lines are the operator norm, open markers and dotted lines the
    Frobenius norm of the hidden matrices; dashed lines have the predicted slopes and pass through
    the mean at the largest width.

    Args:
        results: of a layer sweep.
        exponents: from `netphase.analysis.layer_exponents` of the same results.
        places: cells by their values of both axes, up to four.
        title: a line above the figure.
        width: width of the figure in inches.

    Returns:
        The figure.

    Raises:
        ArgumentError: there is no place, are too many, or is one that is no cell of the sweep.
    """
    plane = LayerPlane(exponents)
    if not 1 <= len(places) <= MOST_CELLS:
        raise ArgumentError(
            f"Argument `places` must hold one to {MOST_CELLS} cells, but holds {len(places)}."
        )
    with style():
        figure = new_figure(width, 0.62 * width if len(places) > 1 else 0.8 * width, title)
        panels = figure.subplots(1, len(places), squeeze=False, sharey=True)[0]
        for axes, letter, (x, y) in zip(panels, LETTERS, places, strict=False):
            at = {plane.axes[0]: x, plane.axes[1]: y}
            _check(exponents, at)
            _cell(axes, results.sel(at), exponents.sel(at), plane.depth)
            words = ", ".join(
                f"{symbol} = {value:g}" for symbol, value in zip(plane.symbols, (x, y), strict=True)
            )
            verdict = exponents["verdict"].sel(at).item()
            axes.set_title(f"({letter}) {words}:\n{verdict}", loc="left")
            axes.set_xlabel(r"width $m$")
        panels[0].set_ylabel("relative change of the weights")
        _legend(figure, plane.depth)
    return figure


def _check(exponents: xr.Dataset, at: dict[str, float]) -> None:
    for name, value in at.items():
        if value not in exponents[name].values:
            known = ", ".join(f"{each:g}" for each in exponents[name].values)
            raise ArgumentError(
                f"Argument `places` must hold cells of the sweep, but has {name} = {value:g}; "
                f"there are {known}."
            )


def _cell(axes: Axes, runs: xr.Dataset, found: xr.Dataset, depth: int) -> None:
    """The changes in one cell."""
    succeeded = runs["status"].isin([c for s, c in STATUS_CODES.items() if s.succeeded])
    for layer in range(1, depth + 2):
        colour, marker = SERIES[(layer - 1) % len(SERIES)], MARKERS[(layer - 1) % len(MARKERS)]
        cut = found.sel(layer=layer)
        table = runs[f"operator_change_{layer}"].where(succeeded)
        fit = _line(table, cut, "operator")
        draw_power_law(axes, table, fit, colour, marker)
        theory = float(cut["predicted_operator"])
        _predicted(axes, table, theory, colour)
        slope = with_error(fit.exponent, fit.standard_error) if fit else "–"
        label = f"$W^{{[{layer}]}}$: {slope} ({theory:.3g})".replace("-", "−")
        axes.plot([], [], color=colour, marker=marker, label=label)
        if 1 < layer <= depth:
            table = runs[f"frobenius_change_{layer}"].where(succeeded)
            fit = _line(table, cut, "frobenius")
            draw_power_law(axes, table, fit, colour, marker, ls=":", filled=False)
    tidy(axes)
    plain_ticks(axes)
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.16),
        title="measured slope (predicted)",
        title_fontsize=7.0,
    )


def _line(table: xr.DataArray, cut: xr.Dataset, norm: str) -> Line | None:
    """The fitted power law through the mean of the logarithms, None where there is no slope."""
    slope, error = float(cut[norm]), float(cut[f"{norm}_error"])
    log_m, log_change = _logarithms(table)
    if not np.isfinite(slope) or not log_m.size:
        return None
    return Line(slope, error, float(np.exp(log_change.mean() - slope * log_m.mean())))


def _logarithms(table: xr.DataArray) -> tuple[Array, Array]:
    """Log m and log of the change of all runs that have one."""
    usable = table.where(table > 0).stack(run=table.dims).dropna("run")
    return np.log(usable["width"].values), np.log(usable.values)


def _predicted(axes: Axes, table: xr.DataArray, slope: float, colour: str) -> None:
    """A line of the predicted slope, through the mean at the largest width."""
    log_m, log_change = _logarithms(table)
    if not log_m.size:
        return
    end = log_m.max()
    level = log_change[log_m == end].mean()
    ends = np.array([log_m.min(), end])
    axes.loglog(np.exp(ends), np.exp(level + slope * (ends - end)), color=colour, ls=DASHED, lw=0.9)


def _legend(figure: Figure, depth: int) -> None:
    """What markers and lines are, below all panels."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=INK, marker="o", ls="-"),
        Line2D([], [], color=INK, ls=DASHED, lw=0.9),
    ]
    labels = ["operator norm, fit", "predicted slope"]
    if depth > 1:
        handles.append(Line2D([], [], color=INK, marker="o", mfc="none", ls=":"))
        labels.append("Frobenius norm of hidden layers, fit")
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
