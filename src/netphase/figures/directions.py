"""Figures of predicted directions: the field that turns the neurons, and each direction's part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from netphase._types import Array
from netphase.directions import Landscape
from netphase.errors import ArgumentError
from netphase.figures.style import (
    FINAL,
    INK,
    PAGE,
    SERIES,
    new_figure,
    panel_label,
    style,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.collections import Collection
    from matplotlib.figure import Figure

    from netphase.datasets import Dataset
    from netphase.directions import DirectionPrediction
    from netphase.networks import Parameters

GRID = 19
"""Arrows along each side of the direction field."""

REACH = 1.1
"""Half the side of the direction field, in units of the largest neuron."""

DECADES = 3.0
"""Most decades of the size of w' that the colours span."""

MOST_ROWS = 24
"""Directions that a chart of strengths shows; the strongest ones."""

SIGN_COLOURS = {1: SERIES[0], -1: SERIES[1]}
"""Colours of output weights above and below zero."""


def direction_field(
    prediction: DirectionPrediction,
    data: Dataset,
    *,
    tracks: tuple[Parameters, Parameters] | None = None,
    width: float = PAGE,
) -> Figure:
    """The field w' = a ∇F(w) that turns small neurons, for a > 0 and a < 0, with its lines.

    Arrows have one length; their colour is the size of w'. Neurons condense on the solid lines.
    Towards dotted lines they turn too, but shrink; from dashed lines they turn away.

    Args:
        prediction: of the data, with two input dimensions, as one input and a bias.
        data: what the prediction is of.
        tracks: neurons before and after some time, in the same order; each is drawn as a thin
            line that ends in a dot, in units of the largest one after.
        width: width of the figure in inches.

    Returns:
        The figure.

    Raises:
        ArgumentError: there are more than two input dimensions, or the tracks do not fit.

    References:
        Zhou et al. (NeurIPS 2022), Fig. 6.
    """
    if data.d != 2 or prediction.directions.shape[1] != 2:
        raise ArgumentError(
            f"A direction field needs two input dimensions, as one input and a bias, but these "
            f"data have {data.d}. Draw `direction_strengths` instead."
        )
    order = prediction.order
    field = Landscape.of(data, order)
    paths = None if tracks is None else _paths(*tracks)
    names = ("weight of the input", "weight of the bias" if data.bias else "weight of input 2")
    with style():
        figure = new_figure(width, 0.56 * width)
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        for axes, sign, label in zip(panels, (1, -1), ("(a)", "(b)"), strict=True):
            arrows = _draw_field(axes, field.turned(sign))
            _draw_lines(axes, prediction, sign)
            if paths is not None:
                _draw_paths(axes, *paths, sign)
            axes.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), xlabel=names[0])
            axes.set(xticks=(-1, 0, 1), yticks=(-1, 0, 1), aspect="equal")
            panel_label(axes, label)
            axes.set_title(rf"output weight $a {'>' if sign > 0 else '<'} 0$")
        panels[0].set_ylabel(names[1])
        if order.multiplicity > 1 or order.slopes:
            bar = figure.colorbar(arrows, ax=panels, pad=0.015, fraction=0.04, shrink=0.8)
            bar.set_label(r"$\log_{10}$ of $\|\dot w\|$ over its largest value")
        handles, labels = _distinct(panels)
        figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


def _draw_field(axes: Axes, field: Landscape) -> Collection:
    """Arrows of one length along the field, coloured by its size; none where it is zero."""
    grid = np.linspace(-1.0, 1.0, GRID)
    w = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    force = field.gradient(w)
    size = np.linalg.norm(force, axis=1)
    shown = size > 10.0**-DECADES * size.max()
    unit = force[shown] / size[shown, None]
    colour = np.log10(size[shown] / size.max())
    arrows = axes.quiver(
        *w[shown].T,
        *unit.T,
        colour,
        pivot="mid",
        scale=GRID * 1.15,
        width=0.0035,
        cmap="viridis_r",  # strong arrows dark on white
        zorder=1,
    )
    arrows.set_clim(min(float(colour.min()), -1.0), 0.0)
    return arrows


def _draw_lines(axes: Axes, prediction: DirectionPrediction, sign: int) -> None:
    """The rays from the origin: stable and growing, stable and shrinking, unstable."""
    own = prediction.sign_of_a == sign
    fading = prediction.shrinking_sign_of_a == sign
    unstable = np.concatenate([prediction.directions[~own], prediction.shrinking[~fading]])
    dashes = (0, (5, 3))
    for rays, colour, width, dash, label in (
        (prediction.directions[own], FINAL, 2.0, "-", "stable: neurons condense"),
        (prediction.shrinking[fading], FINAL, 1.5, ":", "stable, but neurons shrink"),
        (unstable, INK, 1.0, dashes, "unstable"),
    ):
        for u in 2 * REACH * rays:
            axes.plot([0, u[0]], [0, u[1]], color=colour, lw=width, ls=dash, label=label, zorder=2)


def _paths(before: Parameters, after: Parameters) -> tuple[Array, Array, Array]:
    """Input weights before and after over the largest one after, with the sign of a after."""
    if before.w.shape != after.w.shape or after.w.shape[1] != 2:
        raise ArgumentError(
            "Argument `tracks` must hold the same neurons of two input weights twice, but has "
            f"shapes {before.w.shape} and {after.w.shape}."
        )
    largest = float(np.linalg.norm(after.w, axis=1).max()) or 1.0
    return before.w / largest, after.w / largest, np.sign(after.a)


def _draw_paths(axes: Axes, before: Array, after: Array, signs: Array, sign: int) -> None:
    """The neurons of one sign of a on their way."""
    own = signs == sign
    axes.plot(
        np.stack([before[own, 0], after[own, 0]]),
        np.stack([before[own, 1], after[own, 1]]),
        color=INK,
        lw=0.4,
        alpha=0.6,
        zorder=3,
    )
    axes.plot(*after[own].T, "o", color=INK, ms=2.0, label="neurons", zorder=4)


def _distinct(panels: npt.NDArray[np.object_]) -> tuple[list[Artist], list[str]]:
    """Legend entries of all panels, each label once."""
    entries: dict[str, Artist] = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    return list(entries.values()), list(entries)


def direction_strengths(prediction: DirectionPrediction, *, width: float = PAGE) -> Figure:
    """Strength, stability and share of the neurons of each predicted direction.

    A row is a direction; the two ends of a line stand beside each other and share its number.

    Args:
        prediction: of any number of input dimensions.
        width: width of the figure in inches.

    Returns:
        The figure.

    Raises:
        ArgumentError: there is no direction to show.
    """
    if not prediction.count:
        raise ArgumentError(
            "There is no isolated direction to draw: all of a continuum are equally good."
        )
    from matplotlib.patches import Patch

    rows = np.argsort(prediction.line, kind="stable")[:MOST_ROWS]
    columns = [
        (prediction.strength, r"strength $s F(u)$"),
        (-prediction.curvature / prediction.strength, "stability: −curvature / strength"),
    ]
    if np.isfinite(prediction.basin).all():
        columns.append((100 * prediction.basin, "share of the neurons (%)"))
    place = _places(prediction.line[rows])
    with style():
        figure = new_figure(width, 0.9 + 0.17 * (place.max() + 2))
        panels = figure.subplots(1, len(columns), sharey=True, squeeze=False)[0]
        colours = [SIGN_COLOURS[int(s)] for s in prediction.sign_of_a[rows]]
        for axes, (value, label) in zip(panels, columns, strict=True):
            value = value[rows]
            bars = np.where(np.isfinite(value), value, 0.0)
            axes.barh(place, bars, height=0.8, color=colours)
            for y in place[np.isinf(value)]:
                axes.annotate(" corner", (0, y), va="center", fontsize=6.0)
            axes.set(xlabel=label, xlim=(0, None))
            tidy(axes)
        _mark_rows(panels[0], place, prediction, rows)
        keys = [
            Patch(color=SIGN_COLOURS[sign], label=f"output weight $a {relation} 0$")
            for sign, relation in ((1, ">"), (-1, "<"))
        ]
        figure.legend(handles=keys, loc="outside lower center", ncols=2)
        if prediction.count > MOST_ROWS:
            figure.suptitle(
                f"the strongest {MOST_ROWS} of {prediction.count} directions", fontsize=8.0
            )
    return figure


def _places(line: npt.NDArray[np.intp]) -> Array:
    """Heights of the rows from the top, with a gap between lines."""
    return np.arange(len(line)) + 0.5 * np.concatenate([[0], np.cumsum(np.diff(line) != 0)])


def _mark_rows(
    axes: Axes, place: Array, prediction: DirectionPrediction, rows: npt.NDArray[np.intp]
) -> None:
    """The number of each line, once, beside the middle of its rows."""
    line = prediction.line[rows]
    middles = [float(place[line == number].mean()) for number in np.unique(line)]
    axes.set_yticks(middles, [f"line {number + 1}" for number in np.unique(line)])
    axes.set_ylim(place.max() + 0.8, -0.8)
    axes.tick_params(axis="y", length=0)
