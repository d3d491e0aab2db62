"""How long the initial stage lasts, against the width: a logarithmic window, or a power law."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.figures.style import (
    INK,
    MARKERS,
    PAGE,
    SERIES,
    new_figure,
    panel_label,
    style,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Window(NamedTuple):
    """The length of the initial stage at one point of the plane.

    Attributes:
        widths: of the trained networks, shape (widths,).
        measured: λT of these, shape (seeds, widths).
        fine: widths of the theory, shape (points,).
        exact: λT from the macroscopic equations, shape (points,).
        closed: λT in closed form, shape (points,).
    """

    widths: Array
    measured: Array
    fine: Array
    exact: Array
    closed: Array


def break_down_times(
    logarithmic: Mapping[str, Window],
    power: Mapping[str, Window],
    *,
    delta: float = 0.1,
    width: float = PAGE,
) -> Figure:
    """λT_δ against the width, where it grows as log m (left) and where it falls as a power (right).

    Args:
        logarithmic: label → times where a window of order log m exists.
        power: label → times where there is none.
        delta: δ in |f|_rms = δ|y|_rms, for the axis label.
        width: width of the figure in inches.

    Returns:
        The figure: one marker a seed, the macroscopic equations solid, the closed form dotted.

    Raises:
        ArgumentError: one of the mappings is empty.

    References:
        Chen et al. (2023): a window of order log m in the condensed regime.
    """
    for name, curves in (("logarithmic", logarithmic), ("power", power)):
        if not curves:
            raise ArgumentError(f"Argument `{name}` must hold at least one curve, but is empty.")
    with style():
        figure = new_figure(width, 0.46 * width)
        left, right = figure.subplots(1, 2)
        for axes, curves in ((left, logarithmic), (right, power)):
            _panel(axes, curves)
            axes.set(xlabel=r"width $m$ (neurons)", ylabel=rf"$\lambda T$ at $\delta$ = {delta:g}")
        right.set_yscale("log")
        panel_label(left, "(a) a window of order log m")
        panel_label(right, "(b) a power of m")
    return figure


def _panel(axes: Axes, curves: Mapping[str, Window]) -> None:
    for index, (label, curve) in enumerate(curves.items()):
        colour, marker = SERIES[index % len(SERIES)], MARKERS[index % len(MARKERS)]
        for row in np.atleast_2d(curve.measured):
            axes.plot(curve.widths, row, ls="none", marker=marker, color=colour, alpha=0.6)
        axes.plot(curve.fine, curve.exact, color=colour, lw=1.0)
        axes.plot(curve.fine, curve.closed, color=colour, lw=0.9, ls=":")
        axes.plot([], [], color=colour, marker=marker, ls="none", label=label)
    axes.plot([], [], color=INK, lw=1.0, label="macroscopic equations")
    axes.plot([], [], color=INK, lw=0.9, ls=":", label="closed form")
    axes.set_xscale("log")
    axes.legend()
    tidy(axes)
