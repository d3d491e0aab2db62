"""Figures of quenching and activation: contributions, losses with phases, stems, directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.figures.neurons import QUENCHED, Cast, cast_of, refuse_other
from netphase.figures.style import (
    COLUMN,
    DASHED,
    INK,
    PAGE,
    SERIES,
    new_figure,
    panel_label,
    plain_ticks,
    style,
    tidy,
)
from netphase.results import events_of, markers_of

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NETWORK, TWIN = INK, SERIES[1]
"""Colours of the network and of its random-feature twin."""

PHASES = (("#dbe9f6", "random features"), ("#f1f1f1", "transition"), ("#fdebd8", "activation"))
"""Backgrounds of the phases, and what they are called."""

IN_SIGHT = 4.0
"""A neuron of the target with more than so many times the largest contribution is not drawn."""

TIME = r"time $t$ of the gradient flow"
CONTRIBUTION = r"contribution $p_j = \kappa\, a_j \|w_j\|$"


def contribution_curves(
    result: xr.Dataset, *, logarithmic: bool = True, width: float = PAGE
) -> Figure:
    """The contribution of every neuron against time, with the event log.

    Neurons that are activated, or were so on the way, are in colour, the eight largest in the end
    where there are more; all others are grey. A triangle up marks an activation of the event log
    after the departure from the twin, a triangle down a deactivation. Dotted lines are the
    contributions of the target's neurons, but for those more than four times as large as any here.

    Args:
        result: what `netphase.quench` returned.
        logarithmic: whether the time axis is.
        width: width of the figure in inches.

    Returns:
        The figure.

    Raises:
        ArgumentError: ``result`` is no such record.

    References:
        Ma, Wu & E (2020), magnitudes of the neurons against the iterations.
    """
    refuse_other(result)
    with style():
        figure = new_figure(width, 0.52 * width)
        axes = figure.add_subplot()
        draw_contributions(axes, result, cast_of(result), logarithmic)
        axes.set(xlabel=TIME, ylabel=CONTRIBUTION)
        figure.legend(
            *axes.get_legend_handles_labels(), loc="outside lower center", ncols=4,
            columnspacing=1.2,
        )  # fmt: skip
    return figure


def draw_contributions(axes: Axes, result: xr.Dataset, cast: Cast, logarithmic: bool) -> None:
    """Draw contributions against time into an axes.

    Args:
        axes: where to.
        result: the record.
        cast: who is drawn in colour.
        logarithmic: whether the time axis is.
    """
    time, p = result["time"].values[1:], result["p"].values[1:]
    grey = axes.plot(time, p[:, cast.others], color=QUENCHED, lw=0.6)
    for neuron, colour, final in zip(*cast[:3], strict=True):
        axes.plot(time, p[:, neuron], color=colour, lw=1.5 if final else 1.0,
                  ls="-" if final else (0, (4, 1.5)))  # fmt: skip
    axes.plot([], [], color=SERIES[0], lw=1.5, label=cast.words[0])
    if not cast.activated.all():
        axes.plot([], [], color=SERIES[1], lw=1.0, ls=(0, (4, 1.5)), label="active on the way")
    if grey:
        axes.plot([], [], color=QUENCHED, lw=0.6, label=cast.words[1])
    _draw_target(axes, result)
    _draw_events(axes, result, cast)
    if logarithmic:
        axes.set_xscale("log")
        plain_ticks_of_x(axes)
    axes.set_xlim(time[0] if logarithmic else 0.0, time[-1])
    tidy(axes)


def plain_ticks_of_x(axes: Axes) -> None:
    """Labels between powers of ten on the time axis only where there is room for them."""
    low, high = axes.get_xlim()
    if low > 0.0 and high / low < 100.0:
        plain_ticks(axes)


def _draw_target(axes: Axes, result: xr.Dataset) -> None:
    """What the target's neurons contribute."""
    if "target_a" not in result or not result.sizes.get("unit"):
        return
    wanted = result["target_a"].values * np.linalg.norm(result["target_c"].values, axis=1)
    near = np.abs(wanted) <= IN_SIGHT * largest_contribution(result)
    if not near.any():
        return
    for height in np.unique(wanted[near].round(12)):
        axes.axhline(height, color=INK, lw=0.7, ls=":")
    axes.plot([], [], color=INK, lw=0.7, ls=":", label="neurons of the target")


def _draw_events(axes: Axes, result: xr.Dataset, cast: Cast) -> None:
    """Triangles at the events of neurons in colour, after the departure from the twin."""
    time, p = result["time"].values, result["p"].values
    departure = markers_of(result)["departure"]
    colour_of = dict(zip(cast.neurons.tolist(), cast.colours, strict=True))
    for kind, marker in (("activation", "^"), ("deactivation", "v")):
        shown = [
            event
            for event in events_of(result)
            if event.kind == kind and event.neuron in colour_of
            and (not departure.reached or event.time > departure.time)
        ]  # fmt: skip
        for event in shown:
            height = float(np.interp(event.time, time, p[:, event.neuron]))
            axes.plot(event.time, height, marker, color=colour_of[event.neuron], ms=5.0,
                      mec=INK, mew=0.5, zorder=5)  # fmt: skip
        if shown:
            axes.plot([], [], marker, ls="none", color="white", mec=INK, mew=0.7, ms=5.0,
                      label=kind)  # fmt: skip


def loss_with_twin(result: xr.Dataset, *, width: float = COLUMN) -> Figure:
    """Errors of the network and of its random-feature twin against time, over the phases.

    The first phase ends where the network leaves its twin, T_dep: where their distance exceeds 1 %
    of E f*². The last one begins at T_act, where a neuron has half of what one of the target's has.

    Args:
        result: what `netphase.quench` returned.
        width: width of the figure in inches.

    Returns:
        The figure; training errors are drawn dashed where they are not the test errors.

    Raises:
        ArgumentError: ``result`` is no such record.

    References:
        Ma, Wu & E (2020), the loss of the network and of the random-feature model.
    """
    refuse_other(result, "twin_test_error", "distance")
    with style():
        figure = new_figure(width, 0.95 * width)
        axes = figure.add_subplot()
        draw_losses(axes, result)
        figure.legend(
            *axes.get_legend_handles_labels(), loc="outside lower center", ncols=2,
            columnspacing=1.2,
        )  # fmt: skip
    return figure


def draw_losses(axes: Axes, result: xr.Dataset) -> None:
    """Draw errors and phases into an axes.

    Args:
        axes: where to.
        result: the record.
    """
    time = result["time"].values[1:]
    for name, colour, words in (("", NETWORK, "network"), ("twin_", TWIN, "random features")):
        test = result[f"{name}test_error"].values[1:]
        train = result[f"{name}mean_square"].values[1:]
        axes.loglog(time, test, color=colour, label=words)
        if not np.allclose(train, test, rtol=1e-6, atol=0.0):
            axes.loglog(time, train, color=colour, ls=DASHED, lw=0.9,
                        label="on the samples" if name == "" else None)  # fmt: skip
    distance = result["distance"].values[1:]
    size = float(result.attrs["target_square"])
    drawn = np.where(distance > 1e-6 * size, distance, np.nan)
    axes.loglog(time, drawn, color=SERIES[0], lw=0.9, ls=(0, (1, 1.2)), label="distance of the two")
    low = min(float(np.nanmin(result[name].values[1:])) for name in ("test_error", "mean_square"))
    high = max(float(np.nanmax(result[name].values)) for name in ("test_error", "mean_square"))
    axes.set_ylim(max(low, 1e-16 * size) / 3.0, 3.0 * max(high, size))  # a twin may diverge
    axes.set(xlabel=TIME, ylabel="mean square error", xlim=(time[0], time[-1]))
    _shade(axes, result)
    tidy(axes)


def _shade(axes: Axes, result: xr.Dataset) -> None:
    """The phases, and lines where they meet."""
    markers = markers_of(result)
    start, end = axes.get_xlim()
    departure, activation = markers["departure"], markers["activation"]
    sides = ("left", "right") if activation.time < departure.time else ("right", "left")
    marks = [
        (departure, r"$T_\mathrm{dep}$", sides[0]),
        (activation, r"$T_\mathrm{act}$", sides[1]),
    ]
    edges = [start]
    for marker, words, side in marks:
        if not marker.reached:
            break
        edges.append(min(max(marker.time, edges[-1]), end))
        if not start < marker.time <= end:  # it was so from the first record on
            continue
        axes.axvline(marker.time, color=INK, lw=0.7, ls=(0, (1, 2)))
        axes.annotate(words, (marker.time, 1.0), (-2 if side == "right" else 2, -1),
                      xycoords=("data", "axes fraction"), textcoords="offset points", ha=side,
                      va="top", fontsize=7.0)  # fmt: skip
    for (colour, words), left, right in zip(PHASES, edges, [*edges[1:], end], strict=False):
        if left == right:  # activated before it left its twin, say
            continue
        axes.axvspan(left, right, color=colour, lw=0, zorder=-2)
        axes.fill_between([], [], [], color=colour, label=f"phase: {words}")


def contribution_stems(result: xr.Dataset, *, width: float = PAGE) -> Figure:
    """Contributions of all neurons in the end, of the network and of its random-feature twin.

    Args:
        result: what `netphase.quench` returned.
        width: width of the figure in inches.

    Returns:
        The figure, both panels on one scale.

    Raises:
        ArgumentError: ``result`` is no such record.

    References:
        Ma, Wu & E (2020), contributions of the neurons of both at the end.
    """
    refuse_other(result, "twin_p")
    with style():
        figure = new_figure(width, 0.33 * width)
        panels = figure.subplots(1, 2, sharey=True, sharex=True)
        rows = (
            ("(a) network", result["p"], NETWORK),
            ("(b) random features", result["twin_p"], TWIN),
        )
        for axes, (title, values, colour) in zip(panels, rows, strict=True):
            last = values.values[-1]
            index = np.arange(len(last))
            axes.vlines(index, 0.0, last, color=colour, lw=0.8)
            axes.plot(index, last, "o", color=colour, ms=2.2)
            axes.axhline(0.0, color=INK, lw=0.6)
            axes.set(xlabel=r"neuron $j$")
            axes.xaxis.get_major_locator().set_params(integer=True)
            panel_label(axes, title)
            tidy(axes)
        panels[0].set_ylabel(CONTRIBUTION)
    return figure


def direction_scatter(result: xr.Dataset, *, width: float = PAGE) -> Figure:
    """The neurons' directions at the start and in the end, and their contributions by direction.

    Unit vectors û = w/|w| by their first two components, with the unit circle of the plane; the
    larger a neuron's contribution the larger its dot. Right, the contribution against the first
    component, on its twin's.

    Args:
        result: what `netphase.quench` returned.
        width: width of the figure in inches.

    Returns:
        The figure.

    Raises:
        ArgumentError: ``result`` is no such record, or the inputs have one dimension only.

    References:
        Ma, Wu & E (2020), directions of the neurons at the start and the end.
    """
    refuse_other(result, "twin_p")
    if result.sizes["input"] < 2:
        raise ArgumentError("Argument `result` must have at least two inputs, but has one.")
    with style():
        cast = cast_of(result)
        figure = new_figure(width, 0.39 * width)
        panels = figure.subplots(1, 3)
        for axes, index, title in zip(panels, (0, -1), ("(a) start", "(b) end"), strict=False):
            draw_directions(axes, result, cast, index)
            panel_label(axes, title)
        _by_direction(panels[2], result, cast)
        panel_label(panels[2], "(c) contributions in the end")
        found = [axes.get_legend_handles_labels() for axes in panels[1:]]
        handles, labels = ([*found[0][part], *found[1][part]] for part in (0, 1))
        figure.legend(handles, labels, loc="outside lower center", ncols=5)
    return figure


def draw_directions(axes: Axes, result: xr.Dataset, cast: Cast, index: int) -> None:
    """Draw the directions at one record into an axes.

    Args:
        axes: where to.
        result: the record.
        cast: who is drawn in colour.
        index: which time.
    """
    unit = unit_directions(result["w"].values[index])
    size = dot_sizes(result["p"].values[index], largest_contribution(result))
    draw_plane(axes)
    x, y = unit[:, 0], unit[:, 1]
    axes.scatter(x[cast.others], y[cast.others], s=size[cast.others], color=QUENCHED, lw=0)
    axes.scatter(
        x[cast.neurons], y[cast.neurons], s=size[cast.neurons], c=list(cast.colours), lw=0, zorder=3
    )
    wanted = result["target_c"].values if result.sizes.get("unit") else np.empty((0, 2))
    if len(wanted):
        axes.plot(*unit_directions(wanted)[:, :2].T, "x", color=INK, ms=5.0, mew=0.9, zorder=4)
        if index:
            axes.plot([], [], "x", color=INK, ms=5.0, mew=0.9, label="target")


def largest_contribution(result: xr.Dataset) -> float:
    """The largest |p| of a run; 1 where all are silent."""
    return float(np.abs(result["p"].values).max()) or 1.0


def draw_plane(axes: Axes) -> None:
    """The unit circle of the first two inputs, its axes and their labels."""
    angle = np.linspace(0.0, 2 * np.pi, 361)
    axes.plot(np.cos(angle), np.sin(angle), color=INK, lw=0.7)
    axes.axhline(0.0, color=INK, lw=0.3)
    axes.axvline(0.0, color=INK, lw=0.3)
    axes.set(
        xlim=(-1.15, 1.15), ylim=(-1.15, 1.15), aspect="equal", xlabel=r"$\hat{w}_1$",
        ylabel=r"$\hat{w}_2$", xticks=(-1, 0, 1), yticks=(-1, 0, 1),
    )  # fmt: skip
    tidy(axes)


def unit_directions(w: Array) -> Array:
    """Rows of length one; those that are zero stay zero."""
    norm = np.linalg.norm(w, axis=-1, keepdims=True)
    return np.asarray(np.divide(w, norm, out=np.zeros_like(w), where=norm > 0))


def dot_sizes(p: Array, largest: float) -> Array:
    """Areas of dots in points squared, larger for larger contributions.

    Args:
        p: contributions, shape (m,).
        largest: the largest |p| of the run, or any number above zero.

    Returns:
        Areas, shape (m,).
    """
    return np.asarray(4.0 + 50.0 * np.abs(p) / largest)


def _by_direction(axes: Axes, result: xr.Dataset, cast: Cast) -> None:
    """Contributions against the first component, of the twin and of the network in the end."""
    start = unit_directions(result["w"].values[0])[:, 0]
    unit = unit_directions(result["w"].values[-1])[:, 0]
    p = result["p"].values[-1]
    axes.axhline(0.0, color=INK, lw=0.3)
    axes.plot(start, result["twin_p"].values[-1], "o", ms=2.2, mfc="none", mew=0.6, color=TWIN,
              label="random features")  # fmt: skip
    axes.scatter(unit[cast.others], p[cast.others], s=7, color=QUENCHED, lw=0, label=cast.words[1])
    for final, size, words in ((True, 18, cast.words[0]), (False, 9, "active on the way")):
        who = cast.neurons[cast.activated == final]
        colours = [c for c, there in zip(cast.colours, cast.activated, strict=True)
                   if there == final]  # fmt: skip
        if len(who):
            axes.scatter(unit[who], p[who], s=size, c=colours, lw=0, zorder=3, label=words)
    axes.set(xlim=(-1.05, 1.05), xlabel=r"$\hat{w}_1$", ylabel=CONTRIBUTION)
    tidy(axes)
