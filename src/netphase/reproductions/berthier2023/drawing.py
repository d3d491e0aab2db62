"""Figures of the mean field that the command ``netphase timescales`` does not draw."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from netphase._types import Array
from netphase.dynamics import stage_exponents
from netphase.figures import new_figure, panel_label
from netphase.figures.stages import COLOURS, LIGHTEST, degree_colour, power_of_ten
from netphase.figures.style import DASHED, INK, MARKERS, PAGE, SERIES, style, tidy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from netphase.reproductions.berthier2023.collapse import Spread
    from netphase.reproductions.berthier2023.failures import Law
    from netphase.reproductions.berthier2023.flows import Flow
    from netphase.reproductions.berthier2023.inputs import Inputs
    from netphase.reproductions.berthier2023.missing import Case
    from netphase.reproductions.berthier2023.multi_index import Staircase

THEORY: dict[str, Any] = {"color": INK, "lw": 0.8, "ls": DASHED}
"""Looks of lines that are predicted."""

RISK, TIME, EPSILON = "risk $R$", "time $t$", r"$\varepsilon$"


def distances(flows: Sequence[Flow], spreads: Sequence[Spread], errors: Array) -> Figure:
    """Fig. 4: residuals around the windows of degrees 2 and 3, and how they come together.

    Args:
        flows: one an ε.
        spreads: distances of residuals of neighbouring ε, one a degree.
        errors: of the logistic curve of degree 1, one a flow.

    Returns:
        The figure.
    """
    with style():
        figure = new_figure(PAGE, 2.9)
        row = figure.subplots(1, 3)
        for axes, degree, reach in zip(row, (2, 3), (1.5, 4.0), strict=False):
            power = stage_exponents(degree).width
            for each, colour in zip(flows, _shades(flows), strict=True):
                centred = (each.solution.time - each.times[degree]) / each.model.epsilon**power
                axes.plot(centred, each.solution.residuals[:, degree] / each.model.target[degree],
                          color=colour, label=_name(each.model.epsilon))  # fmt: skip
            axes.set(xlim=(-reach, reach), ylim=(-0.05, 1.05),
                     ylabel=rf"$\rho_{degree}/\varphi_{degree}$",
                     xlabel=rf"$(t - t_{degree})/\varepsilon^{{1/{degree + 1}}}$")  # fmt: skip
        for near in spreads[1:]:
            row[2].loglog(near.epsilons, near.distance, color=degree_colour(near.degree),
                          marker=MARKERS[near.degree], label=f"degree {near.degree}")  # fmt: skip
        row[2].loglog([each.model.epsilon for each in flows], errors, **THEORY, marker="x",
                      label="degree 1 from logistic")  # fmt: skip
        row[2].set(xlabel=EPSILON, ylabel=r"distance of $\rho_l/\varphi_l$ at $10\,\varepsilon$")
        (lines, names), (others, words) = (
            axes.get_legend_handles_labels() for axes in (row[0], row[2])
        )
        figure.legend(lines + others, names + words, loc="outside lower center", ncols=5)
        for axes, label in zip(row, "abc", strict=True):
            panel_label(axes, f"({label})")
            tidy(axes)
    return figure


def law_times(laws: Mapping[str, Law]) -> Figure:
    """Fig. 6: t_2 and t_3 against ε for several P_A.

    Args:
        laws: runs of each.

    Returns:
        The figure.
    """
    groups = {
        "(a) few atoms": ("four", "three", "two", "one"),
        "(b) densities": ("uniform", "gaussian"),
        r"(c) sign of $\varphi_3$ turned": ("turned four", "turned uniform", "turned two"),
    }
    with style():
        figure = new_figure(PAGE, 3.0)
        row = figure.subplots(1, 3, sharey=True)
        for axes, (title, names) in zip(row, groups.items(), strict=True):
            for index, name in enumerate(names):
                law, colour = laws[name], SERIES[index]
                for degree, fill in ((2, colour), (3, "white")):
                    label = law.name.split(",")[0] if degree == 2 else None
                    axes.loglog(law.epsilons, law.times[:, degree], color=colour, mfc=fill,
                                marker=MARKERS[index], lw=0.9, ls="-" if degree == 2 else ":",
                                label=label)  # fmt: skip
            first = laws[names[0]]
            for degree in (2, 3):
                _power(axes, first.epsilons, first.times[:, degree], 1 / (2 * degree),
                       rf"$\varepsilon^{{1/{2 * degree}}}$")  # fmt: skip
            axes.set_xlim(right=3 * max(laws[names[-1]].epsilons[0], first.epsilons[0]) * 10)
            axes.set(xlabel=EPSILON)
            axes.legend(loc="lower right")
            panel_label(axes, title)
            tidy(axes)
        row[0].set(ylabel=r"learning time $t_l$")
        row[0].plot([], [], color=INK, marker="o", label="$t_2$")
        row[0].plot([], [], color=INK, marker="o", mfc="white", ls=":", label="$t_3$")
        row[0].plot([], [], **THEORY, label="canonical power")
        handles, words = row[0].get_legend_handles_labels()
        figure.legend(handles[-3:], words[-3:], loc="outside lower center", ncols=3)
        row[0].legend(handles[:-3], words[:-3], loc="lower right")
    return figure


def missing_times(found: Mapping[Case, Sequence[Flow]]) -> Figure:
    """Fig. 7: times of the first degree beyond a gap, and risks on the way there.

    Args:
        found: case → runs, one an ε.

    Returns:
        The figure.
    """
    with style():
        figure = new_figure(PAGE, 3.1)
        left, right = figure.subplots(1, 2)
        for index, (case, flows) in enumerate(found.items()):
            colour, marker = SERIES[index], MARKERS[index]
            epsilons = np.array([each.model.epsilon for each in flows])
            times = np.array([each.times[case.degree] for each in flows])
            left.loglog(epsilons, times, color=colour, marker=marker, ls="none", label=case.label)
            left.plot(epsilons, times[-1] * (epsilons / epsilons[-1]) ** case.exponent,
                      color=colour, lw=0.8, ls=DASHED)  # fmt: skip
            solution = flows[-1].solution
            right.loglog(solution.time[1:], solution.risk[1:], color=colour, label=case.label)
        left.plot([], [], **THEORY, label=r"$\varepsilon^{(p+2-l)/(2(p+1))}$")
        left.set(xlabel=EPSILON, ylabel="learning time of the next degree")
        right.set(xlabel=TIME, ylabel=f"{RISK} at " + _name(epsilons[-1]), ylim=(1e-4, 3.0))
        panel_label(left, "(a)")
        panel_label(right, "(b)")
        tidy(left)
        tidy(right)
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def first_times(rows: Sequence[Inputs]) -> Figure:
    """Fig. 9: t_1 against the number of inputs, at several ε.

    Args:
        rows: one an ε.

    Returns:
        The figure.
    """
    with style():
        figure = new_figure(PAGE, 2.8)
        left, right = figure.subplots(1, 2)
        for index, row in enumerate(rows):
            colour, marker = SERIES[index], MARKERS[index]
            scale = math.sqrt(row.epsilon)
            fine = np.geomspace(row.inputs[0], row.inputs[-1], 100)
            left.errorbar(row.inputs, row.mean / scale, row.error / scale, color=colour,
                          marker=marker, ls="none", label=_name(row.epsilon))  # fmt: skip
            line = np.array([row.formula(d) / scale for d in fine])
            left.plot(fine[line > 0], line[line > 0], color=colour, lw=0.9)
            left.axhline(row.formula(math.inf) / scale, color=colour, lw=0.6, ls=":")
            theory, kept = row.theory, row.smallness < 1.0
            right.errorbar(row.smallness[kept], (row.mean / theory - 1.0)[kept],
                           (row.error / theory)[kept], color=colour, marker=marker,
                           ls="none")  # fmt: skip
        left.set(
            xscale="log", xlabel="inputs $d$", ylabel=r"$t_1/\sqrt{\varepsilon}$", ylim=(0.0, None)
        )
        right.axhline(0.0, color=INK, lw=0.6, ls=":")
        right.set(xscale="log", ylabel=r"$t_1$ over its formula, minus 1",
                  xlabel=r"$(\sqrt{\varepsilon}\,V + 1/(d\sqrt{\varepsilon}))\,"
                  r"|\sigma_1/\varphi_1|$")  # fmt: skip
        left.plot([], [], color=INK, lw=0.9, label="formula")
        left.plot([], [], color=INK, lw=0.6, ls=":", label=r"$d = \infty$")
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=5)
        for axes, label in ((left, "(a)"), (right, "(b)")):
            panel_label(axes, label)
            tidy(axes)
    return figure


def directions(found: Sequence[Staircase]) -> Figure:
    """Fig. 12: risks of targets of several directions, and times of their monomials.

    Args:
        found: runs, one a target and P_A.

    Returns:
        The figure.
    """
    with style():
        figure = new_figure(PAGE, 2.9)
        left, right = figure.subplots(1, 2)
        for index, each in enumerate(found):
            colour, last = SERIES[index], each.solutions[-1]
            left.semilogx(last.time[1:], last.risk[1:], color=colour, label=each.label)
            for step, times in enumerate(each.times.T):
                right.loglog(each.epsilons, times, color=colour, marker=MARKERS[step], ls="none",
                             mfc="white" if index else colour)  # fmt: skip
        for step, power in ((1, 1 / 4), (2, 1 / 6)):
            _power(right, found[1].epsilons, found[1].times[:, step], power,
                   rf"$\varepsilon^{{1/{2 * step + 2}}}$")  # fmt: skip
        left.set(xlabel=TIME, ylabel=f"{RISK} at {_name(float(found[0].epsilons[-1]))}",
                 xlim=(1e-7, 2.0), ylim=(0.0, None))  # fmt: skip
        right.set(xlabel=EPSILON, ylabel="learning time of a monomial")
        for step, name in enumerate(("$z_1$", "$z_1z_2$", "$z_1z_2z_3$")):
            left.plot([], [], color=INK, marker=MARKERS[step], ls="none", label=name)
        left.plot([], [], **THEORY, label="canonical power")
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4)
        for axes, label in ((left, "(a)"), (right, "(b)")):
            panel_label(axes, label)
            tidy(axes)
    return figure


def _power(axes: Axes, epsilons: Array, times: Array, exponent: float, label: str) -> None:
    """A straight line of a power of ε through the last time."""
    values = times[-1] * (epsilons / epsilons[-1]) ** exponent
    axes.plot(epsilons, values, **THEORY, zorder=1.5)
    axes.annotate(label, (epsilons[0], values[0]), xytext=(5, 0), textcoords="offset points",
                  va="center", fontsize=7.0)  # fmt: skip


def _shades(flows: Sequence[Flow]) -> list[tuple[float, float, float, float]]:
    """Colours from dark, large ε, to light."""
    from matplotlib import colormaps

    return [colormaps[COLOURS](x) for x in np.linspace(0.0, LIGHTEST, len(flows))]


def _name(epsilon: float) -> str:
    return rf"$\varepsilon = {power_of_ten(epsilon)}$"
