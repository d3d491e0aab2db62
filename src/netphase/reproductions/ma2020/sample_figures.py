"""Figures of the parts on samples: curves against the width, neurons in time, learning curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import numpy as np

from netphase._types import Array
from netphase.figures import new_figure, panel_label
from netphase.figures.style import DASHED, INK, PAGE, SERIES, style, tidy
from netphase.reproductions.ma2020 import printed
from netphase.reproductions.ma2020.samples import log_error

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NETWORK, TWIN = SERIES[0], SERIES[1]
"""Colours of the network and of its random-feature twin."""

PRINTED = {"ls": "none", "marker": "x", "ms": 4.0, "mew": 0.9}
"""How printed values are drawn: crosses in the colour of what they belong to."""


class WidthTable(Protocol):
    """What a sweep over the width offers."""

    @property
    def widths(self) -> tuple[int, ...]:
        """The widths, increasing."""

    def values(self, name: str, width: int) -> Array:
        """One number of the runs at a width, one a seed."""


def width_curves(curves: Mapping[str, WidthTable]) -> Figure:
    """Fig. 4: log₁₀ of the test error above, path norm below, a column a target.

    Args:
        curves: target → its runs along the widths.

    Returns:
        The figure: means with bands of one standard deviation, printed means as crosses, and the
        lines m = n/(d + 1) and m = n.
    """
    rows = {
        "single neuron": (printed.SINGLE_ERROR, printed.SINGLE_FEATURES, printed.SINGLE_NORM),
        "circle": (printed.CIRCLE_ERROR, printed.CIRCLE_FEATURES, printed.CIRCLE_NORM),
    }
    with style():
        figure = new_figure(PAGE, 0.72 * PAGE)
        axes = figure.subplots(2, len(curves), sharex=True, squeeze=False)
        for column, (name, curve) in enumerate(curves.items()):
            error, features, norm = rows[name]
            above, below = axes[:, column]
            _band(above, curve, "test_error", NETWORK, "network")
            _band(above, curve, "rf_test_error", TWIN, "random features")
            _band(below, curve, "path_norm", NETWORK, "network")
            above.plot(printed.TABLE_WIDTHS, error, color=NETWORK, **PRINTED)
            peak = printed.TABLE_WIDTHS.index(printed.PEAK_WIDTH)  # a mean of unknown error
            others = [k for k in range(len(features)) if k != peak]
            above.plot(
                np.array(printed.TABLE_WIDTHS)[others],
                np.array(features)[others],
                color=TWIN,
                **PRINTED,
            )
            below.plot(printed.TABLE_WIDTHS, norm, color=NETWORK, **PRINTED)
            for box in (above, below):
                lines(box, printed.SAMPLES, printed.SWEEP_INPUTS, legend=box is below)
                box.set_xscale("log")
                tidy(box)
            above.set_title(name)
            below.set_xlabel(r"width $m$ (neurons)")
            panel_label(above, f"({'ab'[column]})")
            panel_label(below, f"({'cd'[column]})")
            above.plot([], [], color=INK, label="printed", **PRINTED)
        axes[0, 0].set_ylabel(r"$\log_{10}$ of the test error")
        axes[1, 0].set_ylabel(r"path norm $\sum_j |a_j|\,|w_j|$")
        axes[0, 1].legend()
        axes[1, 0].legend(loc="lower right")
    return figure


def _band(axes: Axes, curve: WidthTable, name: str, colour: str, label: str) -> None:
    """Mean and standard deviation over seeds of one number."""
    table = [curve.values(name, width) for width in curve.widths]
    table = [each[np.isfinite(each)] for each in table]
    mean = np.array([each.mean() for each in table])
    spread = np.array([each.std(ddof=1) for each in table])
    axes.plot(curve.widths, mean, color=colour, label=label)
    axes.fill_between(curve.widths, mean - spread, mean + spread, color=colour, alpha=0.18, lw=0)


def lines(axes: Axes, n: int, d: int, legend: bool = False) -> None:
    """The widths n/(d + 1) and n as vertical lines.

    Args:
        axes: where.
        n: samples.
        d: inputs.
        legend: whether the lines have labels.
    """
    for width, dashes, label in (
        (n / (d + 1), (0, (1, 1.5)), r"$m = n/(d+1)$"),
        (n, DASHED, r"$m = n$"),
    ):
        axes.axvline(width, color=INK, lw=0.8, ls=dashes, label=label if legend else None)


def distributions(errors: Mapping[str, Array], exponent: float) -> Figure:
    """How the error at m = n is distributed: the part of the seeds above each error.

    Args:
        errors: target → log₁₀ errors, one a seed.
        exponent: α of the law x^−α of the tail, drawn beside the data.

    Returns:
        The figure.
    """
    with style():
        figure = new_figure(PAGE, 0.4 * PAGE)
        left, right = figure.subplots(1, 2)
        for index, (name, values) in enumerate(errors.items()):
            colour = SERIES[index]
            bins = np.arange(np.floor(values.min()), np.ceil(values.max()) + 0.25, 0.25)
            left.hist(values, bins, histtype="step", color=colour, label=name, density=True)
            left.axvline(values.mean(), color=colour, lw=0.8, ls=DASHED)
            ordered = np.sort(values)
            above = 1.0 - np.arange(len(ordered)) / len(ordered)
            right.semilogy(ordered, above, color=colour, label=name)
        last = max(values.max() for values in errors.values())
        law = np.array([last - 3.0, last])
        right.semilogy(law, 0.004 * 10 ** (exponent * (last - law)), color=INK, lw=0.8, ls=":")
        right.plot([], [], color=INK, lw=0.8, ls=":", label=rf"$x^{{-{exponent:g}}}$")
        left.plot([], [], color=INK, lw=0.8, ls=DASHED, label="mean")
        left.set(xlabel=r"$\log_{10}$ of the test error, $m = n$", ylabel="density over seeds")
        right.set(xlabel=r"$\log_{10} x$", ylabel="part of the seeds with error > $x$")
        for box, text in ((left, "(a)"), (right, "(b)")):
            panel_label(box, text)
            box.legend()
            tidy(box)
    return figure


def contrast_curves(results: xr.Dataset) -> Figure:
    """Fig. 7, right: test error and N₂ against the width in both scalings.

    Args:
        results: a size sweep at one number of samples, dims scaling, width and seed.

    Returns:
        The figure: means with bands of one standard deviation, and the printed errors as crosses.
    """
    rows = {
        0.0: ("conventional", NETWORK, printed.CONTRAST_CONVENTIONAL),
        1.0: ("mean field", SERIES[2], printed.CONTRAST_MEAN_FIELD),
    }
    n, d = printed.CONTRAST_SAMPLES, printed.CONTRAST_INPUTS
    with style():
        figure = new_figure(PAGE, 0.42 * PAGE)
        left, right = figure.subplots(1, 2)
        for scaling, (name, colour, table) in rows.items():
            runs = results.sel(scaling=scaling)
            widths = runs["width"].values
            for axes, values in ((left, log_error(runs)), (right, runs["effective_number"])):
                mean, spread = values.mean("seed").values, values.std("seed", ddof=1).values
                axes.plot(widths, mean, color=colour, marker="o", label=name)
                axes.fill_between(
                    widths, mean - spread, mean + spread, color=colour, alpha=0.18, lw=0
                )
            left.plot(printed.CONTRAST_WIDTHS, table, color=colour, **PRINTED)
        left.plot([], [], color=INK, label="printed", **PRINTED)
        for axes, text in ((left, "(a)"), (right, "(b)")):
            lines(axes, n, d, legend=axes is right)
            axes.set_xscale("log")
            axes.set_xlabel(r"width $m$ (neurons)")
            panel_label(axes, text)
            axes.legend()
            tidy(axes)
        left.set_ylabel(r"$\log_{10}$ of the test error")
        right.set_yscale("log")
        right.set_ylabel(r"$N_2 = (\sum|p|)^2/\sum p^2$")
    return figure
