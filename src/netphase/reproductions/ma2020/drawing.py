"""Figures of single runs as the paper has them: losses, contributions and directions of neurons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from netphase.figures import new_figure, panel_label
from netphase.figures.neurons import cast_of
from netphase.figures.quenching import CONTRIBUTION, draw_contributions, draw_directions
from netphase.figures.style import INK, PAGE, SERIES, style, tidy
from netphase.reproductions.ma2020 import printed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def losses(runs: Sequence[xr.Dataset]) -> Figure:
    """Fig. 1: losses of networks and their random features, and final contributions.

    Args:
        runs: what `netphase.reproductions.ma2020.students.student` returned, one a seed.

    Returns:
        The figure.
    """
    network, features = SERIES[1], SERIES[0]
    with style():
        figure = new_figure(PAGE, 2.6)
        left, right = figure.subplots(1, 2)
        for run in runs:
            clock = run["iteration"].values[1:]
            for name, colour, dashes in (
                ("test_error", network, "-"),
                ("twin_test_error", features, "--"),
            ):
                left.loglog(clock, printed.CODE_LOSS * run[name][1:], color=colour, ls=dashes,
                            lw=0.8, alpha=0.7)  # fmt: skip
        for table, colour, marker, dashes, words in (
            (printed.NETWORK_LOSS, network, "o", "-", "network"),
            (printed.FEATURES_LOSS, features, "s", "--", "random features"),
        ):
            left.loglog(list(table), list(table.values()), ls="none", marker=marker, mfc="white",
                        mec=colour, mew=0.9, zorder=3)  # fmt: skip
            left.plot([], [], color=colour, ls=dashes, marker=marker,
                      mfc="white", label=words)  # fmt: skip
        left.set(xlabel="iteration", ylabel=r"loss $2\pi\,\mathrm{E}\,(f-f^*)^2$",
                 ylim=(printed.END_LOSS, 5.0), xlim=(1.0, None))  # fmt: skip
        left.plot([], [], ls="none", label="lines: seeds, markers: as printed")
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
        panel_label(left, "(a)")
        _stems(right, runs[0])
        panel_label(right, "(b)")
        tidy(left)
    return figure


def _stems(axes: Axes, run: xr.Dataset) -> None:
    """Final contributions of the network, and of its random features below."""
    for name, colour in (("twin_p", SERIES[0]), ("p", SERIES[1])):
        values = run[name].values[-1]
        axes.vlines(np.arange(len(values)), 0.0, values, color=colour, lw=0.9)
    axes.axhline(0.0, color=INK, lw=0.5)
    axes.set(xlabel="neuron $j$", ylabel=r"contribution $p_j$, end of the run")
    tidy(axes)


def neurons(run: xr.Dataset) -> Figure:
    """Figs 2 and 7: contributions of all neurons with the event log; directions at both ends.

    Args:
        run: what `netphase.reproductions.ma2020.students.student` returned.

    Returns:
        The figure.
    """
    with style():
        figure = new_figure(PAGE, 2.7)
        panels = figure.subplots(1, 3, width_ratios=(1.7, 1.0, 1.0))
        contributions(panels[0], run)
        panel_label(panels[0], "(a)")
        for axes, index, title in zip(panels[1:], (0, -1), ("(b) start", "(c) end"), strict=True):
            directions(axes, run, index)
            panel_label(axes, title)
        _legend(figure, panels[0])
    return figure


def staircases(runs: Mapping[str, xr.Dataset]) -> Figure:
    """Contributions of several runs side by side, each with its event log.

    Args:
        runs: title → run.

    Returns:
        The figure.
    """
    with style():
        figure = new_figure(PAGE, 2.8)
        row = figure.subplots(1, len(runs), squeeze=False)[0]
        for axes, (title, run) in zip(row, runs.items(), strict=True):
            contributions(axes, run)
            axes.set_title(title, loc="left")
        for axes in row[1:]:
            axes.set_ylabel("")
        _legend(figure, row[0])
    return figure


def _legend(figure: Figure, axes: Axes) -> None:
    """One legend below all panels."""
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside lower center", ncols=6, columnspacing=1.2
    )


def in_iterations(run: xr.Dataset) -> xr.Dataset:
    """The run with iterations of the published code in place of its time.

    Args:
        run: what `netphase.reproductions.ma2020.students.student` returned.

    Returns:
        The same record on the other clock: records, events and phase markers.
    """
    per_time = float(run["iteration"].values[-1] / run["time"].values[-1])
    events = {name: run[name] * per_time for name in ("event_time", "marker_time")}
    return run.assign_coords(time=("time", run["iteration"].values)).assign(events)


def contributions(axes: Axes, run: xr.Dataset) -> None:
    """Draw p_j of all neurons against the iterations, with the event log.

    Args:
        axes: where.
        run: what `netphase.reproductions.ma2020.students.student` returned.
    """
    shown = in_iterations(run)
    draw_contributions(axes, shown, cast_of(shown), True)
    axes.set(xlabel="iteration", ylabel=CONTRIBUTION)


def directions(axes: Axes, run: xr.Dataset, index: int) -> None:
    """Draw unit input weights in the plane of the first two inputs.

    Args:
        axes: where.
        run: what `netphase.reproductions.ma2020.students.student` returned.
        index: which record.
    """
    draw_directions(axes, run, cast_of(run), index)
