"""Figures of networks of finite width beside their mean field: risks, 1/m laws, delays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from netphase._types import Array
from netphase.figures import new_figure, panel_label
from netphase.figures.style import INK, MARKERS, PAGE, SERIES, style, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PLATEAU = 7 / 9
"""½ Σ_{k≥1} φ_k² of the base case."""


class Approach(NamedTuple):
    """Networks of several widths at one ε.

    Attributes:
        widths: m, shape (k,).
        curves: times and risk of each width.
        limit: times and risk of the mean field.
        error: risk over the mean field's at one time, shape (k,).
        spread: root mean square of r_ij − s_i s_j there, shape (k,).
    """

    widths: Array
    curves: list[tuple[Array, Array]]
    limit: tuple[Array, Array]
    error: Array
    spread: Array


class Delay(NamedTuple):
    """When degree 1 is learnt at one width and one ε.

    Attributes:
        time: t_1 of the exact equations.
        limit: of the mean field of the same atoms.
        theory: of the leading order at that width.
        theory_limit: of the leading order at infinite width.
    """

    time: float
    limit: float
    theory: float
    theory_limit: float


def approach(panels: Mapping[float, Approach]) -> Figure:
    """Figs 8 and 11: risks in time, a panel an ε; distances from the mean field against m."""
    with style():
        figure = new_figure(PAGE, 2.9)
        row = figure.subplots(1, len(panels) + 1, width_ratios=(1.0,) * len(panels) + (1.2,))
        for axes, (epsilon, panel) in zip(row, panels.items(), strict=False):
            _risks(axes, panel)
            axes.set_title(rf"$\varepsilon$ = {epsilon:g}")
        row[0].set(ylabel="risk $R$")
        _laws(row[-1], panels)
        for axes, letter in zip(row, "abc", strict=True):
            panel_label(axes, f"({letter})")
            tidy(axes)
        figure.legend(*row[0].get_legend_handles_labels(), loc="outside lower left", ncols=4)
        figure.legend(*row[-1].get_legend_handles_labels(), loc="outside lower right", ncols=2)
    return figure


def _risks(axes: Axes, panel: Approach) -> None:
    from matplotlib import colormaps

    shades = np.linspace(0.75, 0.1, len(panel.curves))
    for width, (time, risk), shade in zip(panel.widths, panel.curves, shades, strict=True):
        axes.semilogx(time[1:], risk[1:], color=colormaps["viridis"](shade), lw=1.0,
                      label=f"$m$ = {width:.0f}")  # fmt: skip
    time, risk = panel.limit
    axes.semilogx(time[1:], risk[1:], color=INK, ls="--", label="mean field")
    axes.axhline(PLATEAU, color=INK, lw=0.6, ls=":", label="7/9, behind degree 0")
    axes.set(xlabel="time $t$", xlim=(1e-3, time[-1]), ylim=(0.0, 1.1))


def _laws(axes: Axes, panels: Mapping[float, Approach]) -> None:
    from matplotlib.ticker import NullFormatter

    for index, (epsilon, panel) in enumerate(panels.items()):
        look = {"color": SERIES[index], "marker": MARKERS[index]}
        for values, fill, name in (
            (panel.error, SERIES[index], "$R - R_{mf}$"),
            (panel.spread, "white", r"rms $r_{ij} - s_i s_j$"),
        ):
            axes.loglog(panel.widths, values, mfc=fill,
                        label=rf"{name}, $\varepsilon$ = {epsilon:g}", **look)  # fmt: skip
            law = values[-1] * panel.widths[-1] / panel.widths
            axes.loglog(panel.widths, law, color=INK, lw=0.6, ls=":")
    axes.set_xticks(panel.widths, [f"{width:.0f}" for width in panel.widths])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set(xlabel="width $m$  (dotted: $1/m$)", ylabel="distance at $t$ = 0.1")


def delays(found: Mapping[tuple[float, int], Delay]) -> Figure:
    """Fig. 8: t_1 against m, and in units of the mean field's against m√ε/log(1/ε)."""
    with style():
        figure = new_figure(PAGE, 2.7)
        left, right = figure.subplots(1, 2)
        for index, epsilon in enumerate(sorted({each for each, _ in found}, reverse=True)):
            cases = {width: each for (at, width), each in found.items() if at == epsilon}
            widths = np.array(list(cases), dtype=np.float64)
            look = {"color": SERIES[index], "marker": MARKERS[index]}
            times = np.array([each.time for each in cases.values()])
            limits = np.array([each.limit for each in cases.values()])
            theory = np.array([each.theory for each in cases.values()])
            name = rf"$\varepsilon = 10^{{{math.log10(epsilon):.0f}}}$"
            left.loglog(widths, times, ls="-", label=name, **look)
            left.loglog(widths, theory, color=SERIES[index], ls=":")
            left.axhline(limits[-1], color=SERIES[index], lw=0.6, ls="--")
            margin = widths * math.sqrt(epsilon) / math.log(1 / epsilon)
            right.loglog(margin, times / limits, ls="-", **look)
        left.plot([], [], color=INK, ls=":", label="leading order at width $m$")
        left.plot([], [], color=INK, lw=0.6, ls="--", label="mean field")
        left.set(xlabel="width $m$", ylabel="$t_1$, degree 1 half learnt", ylim=(None, 1.0))
        right.axvline(1.0, color=INK, lw=0.6, ls=":")
        right.axhline(1.0, color=INK, lw=0.6, ls="--")
        right.set(xlabel=r"$m\,\sqrt{\varepsilon}\,/\,\log(1/\varepsilon)$",
                  ylabel="$t_1$ over the mean field's")  # fmt: skip
        for axes, letter in ((left, "a"), (right, "b")):
            panel_label(axes, f"({letter})")
            tidy(axes)
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=6)
    return figure
