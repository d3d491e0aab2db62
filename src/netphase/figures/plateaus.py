"""A loss against the logarithm of time, with its plateaus and the escapes between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netphase._types import Array
from netphase.figures.style import COLUMN, INK, SERIES, new_figure, style, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from netphase.observables import Staircase

PLATEAU, ESCAPE, NOISY = SERIES[0], SERIES[1], "#9a9a9a"
"""Colours of plateaus, of escapes, and of a curve whose noise would hide them."""

LOUD = 0.03
"""Relative noise from which on a curve is drawn in grey behind its plateaus."""

DEPTH = 30.0
"""How far below the lowest plateau a fall is shown, as a ratio of losses."""

MANY = 5000
"""Records from which on a curve is drawn as an image, which keeps the file small."""


def loss_plateaus(
    time: Array,
    loss: Array,
    found: Staircase,
    *,
    time_label: str = "time",
    loss_label: str = "loss",
    width: float = COLUMN,
) -> Figure:
    """A loss against log time: its plateaus shaded with their heights, its escapes marked.

    Escapes are dotted at half of the way, with a bar from 10 % to 90 % of it. A fall far below the
    lowest plateau is cut.

    Args:
        time: increasing times ≥ 0, shape (t,); a record at 0 is not drawn.
        loss: losses ≥ 0, shape (t,).
        found: what `netphase.observables.find_plateaus` returned for them.
        time_label: label of the time axis.
        loss_label: label of the loss axis.
        width: width of the figure in inches.

    Returns:
        The figure.

    References:
        Berthier, Montanari & Zhou (2024): risk against log time.
    """
    with style():
        figure = new_figure(width, 0.8 * width)
        axes = figure.add_subplot()
        shown = (time > 0.0) & (loss > 0.0)
        noisy = found.noise > LOUD
        axes.loglog(time[shown], loss[shown], color=NOISY if noisy else INK,
                    lw=0.5 if noisy else 1.0, rasterized=bool(shown.sum() > MANY))  # fmt: skip
        if found.plateaus:
            least = min(each.height for each in found.plateaus) / DEPTH
            if least > axes.get_ylim()[0]:
                axes.set_ylim(least, 2 * float(loss[shown].max()))
        _draw_plateaus(axes, found)
        _draw_escapes(axes, found)
        if found.word == "none":
            axes.plot([], [], ls="none", label="no plateau")
        if found.word == "undetermined":
            axes.plot([], [], ls="none", label="plateaus undetermined")
        axes.set(xlabel=time_label, ylabel=loss_label)
        tidy(axes)
        figure.legend(
            *axes.get_legend_handles_labels(), loc="outside lower center", ncols=2,
            columnspacing=1.2,
        )  # fmt: skip
    return figure


def _draw_plateaus(axes: Axes, found: Staircase) -> None:
    for index, each in enumerate(found.plateaus):
        axes.axvspan(each.start, each.end, color=PLATEAU, alpha=0.1, lw=0)
        axes.plot([each.start, each.end], [each.height] * 2, color=PLATEAU, lw=1.8,
                  label=None if index else "plateaus, at their heights")  # fmt: skip


def _draw_escapes(axes: Axes, found: Staircase) -> None:
    low = axes.get_ylim()[0]
    for index, each in enumerate(found.escapes):
        axes.axvline(each.time, color=ESCAPE, lw=0.9, ls=(0, (1, 2)),
                     label=None if index else "escapes, half-way")  # fmt: skip
        axes.plot([each.start, each.end], [low, low], color=ESCAPE, lw=3.0, solid_capstyle="butt",
                  clip_on=False, label=None if index else "10 % to 90 % of the way")  # fmt: skip
    axes.set_ylim(bottom=low)
