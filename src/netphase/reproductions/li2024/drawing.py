"""Figures of deep networks: exponents of layers, verdicts, decay, kernels, three layers."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from netphase.analysis.verdict import uncertainty
from netphase.figures import new_figure, panel_label
from netphase.figures.style import DASHED, INK, MARKERS, PAGE, SERIES, style, tidy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from netphase._types import Array
    from netphase.analysis import PowerLawFit
    from netphase.reproductions.li2024.decay import Decay
    from netphase.reproductions.li2024.degeneracy import Degeneracy
    from netphase.reproductions.li2024.limits import Approach
    from netphase.reproductions.li2024.slopes import Runs
    from netphase.reproductions.li2024.table import Found
    from netphase.reproductions.li2024.training import Ladder

THEORY: dict[str, Any] = {"color": INK, "lw": 0.8, "ls": DASHED}
"""Looks of lines that are predicted."""

VERDICTS = {"θ-lazy": SERIES[0], "boundary": SERIES[4], "below": SERIES[1]}
OTHER = SERIES[6]


def slope_figure(found: Runs, last: int, within: float) -> Figure:
    """Fig. 1: exponents of all layers of all scalings against theory, and how widths help.

    Args:
        found: (L, activation) → name → runs.
        last: widths that exponents are fitted over.
        within: distance from theory that is shaded.

    Returns:
        The figure.
    """
    with style():
        figure = new_figure(PAGE, 2.9)
        row = figure.subplots(1, 3)
        norms = (("operator", "operator norm"), ("frobenius", "Frobenius norm"))
        for axes, (norm, words) in zip(row, norms, strict=False):
            for index, ((depth, activation), runs) in enumerate(found.items()):
                theory = np.concatenate([each.predicted(norm) for each in runs.values()])
                fits = [fit for each in runs.values() for fit in each.fits(norm, last)]
                _exponents(axes, theory, fits, color=SERIES[depth - 1], marker=MARKERS[index // 2],
                           elinewidth=0.6, label=f"$L = {depth}$, {_sigma(activation)}",
                           mfc="white" if activation == "relu" else SERIES[depth - 1])  # fmt: skip
            ends = np.array(axes.get_xlim())
            axes.fill_between(ends, ends - within, ends + within, color=INK, alpha=0.08, lw=0)
            axes.plot(ends, ends, **THEORY, zorder=1)
            axes.set(xlim=ends, xlabel=f"predicted exponent, {words}", ylabel="measured exponent")
        for index, ((depth, activation), runs) in enumerate(found.items()):
            ladders = list(runs.values())
            misses = [np.abs(each.local().mean(axis=0) - each.predicted()).T for each in ladders]
            widths = ladders[0].widths
            row[2].plot(np.sqrt(widths[1:] * widths[:-1]), np.concatenate(misses).mean(axis=0),
                        color=SERIES[depth - 1], marker=MARKERS[index // 2],
                        mfc="white" if activation == "relu" else SERIES[depth - 1])  # fmt: skip
        row[2].set(xscale="log", xlabel="width $m$", ylim=(0.0, None),
                   ylabel="mean distance of local slopes")  # fmt: skip
        seen = (each.widths for runs in found.values() for each in runs.values())
        _width_ticks(row[2], max(seen, key=len))
        figure.legend(*row[0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
        _finish(row)
    return figure


def table_figure(found: Sequence[Found]) -> Figure:
    """Fig. 2: the exponents of the layers of every row with the intervals that verdicts rest on.

    Args:
        found: rows of the table as trained.

    Returns:
        The figure.
    """
    depths = sorted({each.ladder.scaling.depth for each in found})
    names = list(dict.fromkeys(each.row.name for each in found))
    with style():
        figure = new_figure(PAGE, 0.6 + 0.22 * len(names))
        row = np.atleast_1d(figure.subplots(1, len(depths), sharey=True))
        for axes, depth in zip(row, depths, strict=True):
            for each in (each for each in found if each.ladder.scaling.depth == depth):
                place, fits = names.index(each.row.name), each.ladder.fits()
                right = each.verdict == each.row.verdict(depth)
                colour = VERDICTS.get(each.verdict, OTHER)
                for k, (fit, theory) in enumerate(zip(fits, each.ladder.predicted(), strict=True)):
                    at = place + 0.5 * (k / (len(fits) - 1) - 0.5)
                    axes.errorbar(fit.exponent, at, xerr=uncertainty(fit), color=colour,
                                  marker=MARKERS[k], mfc=colour if right else "white")  # fmt: skip
                    axes.plot([theory] * 2, [at - 0.12, at + 0.12], color=INK, lw=0.9, zorder=3)
            axes.axvline(0.0, color=INK, lw=0.6, ls=":")
            axes.set(xlabel="operator exponent $S_l$", yticks=range(len(names)))
            axes.set_yticklabels([_power(name) for name in names])
            axes.set_ylim(len(names) - 0.5, -0.5)
            panel_label(axes, f"$L = {depth}$")
            tidy(axes)
        for word, colour in VERDICTS.items():
            row[0].plot([], [], color=colour, lw=3, label=word)
        row[0].plot([], [], color=OTHER, lw=3, label="undetermined")
        for k in range(max(depths) + 1):
            row[0].plot([], [], color=INK, marker=MARKERS[k], ls="none", label=f"$W^{{[{k + 1}]}}$")
        row[0].plot([], [], color=INK, marker="|", ls="none", label="theory")
        if any(each.verdict != each.row.verdict(each.ladder.scaling.depth) for each in found):
            row[0].plot([], [], color=INK, marker="o", mfc="white", ls="none", label="open: wrong")
        figure.legend(*row[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


def decay_figure(found: Sequence[Decay]) -> Figure:
    """Fig. 3: falls of the loss, rates over prediction and changes of the kernel over widths.

    Args:
        found: one a depth and exponent of κ.

    Returns:
        The figure.
    """
    deepest = max(each.depth for each in found)
    with style():
        figure = new_figure(PAGE, 2.9)
        row = figure.subplots(1, 3)
        shown = [each for each in found if each.depth == min(deepest, 2)]
        for index, each in enumerate(shown):
            looks: dict[str, Any] = {"color": SERIES[index], "lw": 1.2}
            row[0].semilogy(each.time, each.loss, **looks)
            looks |= {"marker": MARKERS[index], "label": rf"$\kappa = m^{{{each.exponent:g}}}$"}
            mean = each.ratio.mean(axis=0)
            error = each.ratio.std(axis=0, ddof=1) / math.sqrt(len(each.ratio))
            row[1].errorbar(each.widths, mean, error, **looks)
            row[2].loglog(each.widths, np.exp(np.log(each.kernel).mean(axis=0)), **looks)
        late = np.array([0.0, max(float(each.time[-1]) for each in shown)])
        row[0].semilogy(late, np.exp(-late), **THEORY, label="theory")
        row[1].axhspan(0.9, 1.1, color=INK, alpha=0.08, lw=0)
        row[1].axhline(1.0, **THEORY)
        for each in (each for each in shown if each.exponent > 0):
            last = np.exp(np.log(each.kernel[:, -1]).mean())
            power = -min(2 * each.exponent, each.exponent + 0.5)
            line = last * (each.widths / each.widths[-1]) ** power
            row[2].plot(each.widths, line, **THEORY, zorder=1)
        row[0].set(xlabel=r"$2\lambda_{\min}t/n$", ylabel="$R(t)/R(0)$", ylim=(1e-10, 2.0))
        row[1].set(xlabel="width $m$", ylabel=r"rate over $2\lambda_{\min}/n$", xscale="log")
        row[2].set(xlabel="width $m$", ylabel="relative change of the kernel")
        for axes in row[1:]:
            _width_ticks(axes, shown[0].widths)
        handles, words = row[1].get_legend_handles_labels()
        lines, names = row[0].get_legend_handles_labels()
        figure.legend(handles + lines, words + names, loc="outside lower center", ncols=7)
        _finish(row)
        row[0].set_title(f"$L = {shown[0].depth}$", loc="right")
    return figure


def kernel_figure(found: Sequence[Approach], small: Sequence[Degeneracy]) -> Figure:
    """Fig. 4: errors of finite kernels over widths, and least eigenvalues of small inputs.

    Args:
        found: one a depth and kernel.
        small: one an activation, number of inputs and depth.

    Returns:
        The figure.
    """
    with style():
        figure = new_figure(PAGE, 3.1)
        left, right = figure.subplots(1, 2)
        kinds = list(dict.fromkeys((each.activation, each.what) for each in found))
        for each in found:
            index = kinds.index((each.activation, each.what))
            mean = np.exp(np.log(each.error).mean(axis=0))
            left.loglog(each.widths, mean, color=SERIES[index], marker=MARKERS[each.depth - 1],
                        mfc=SERIES[index] if each.depth < 3 else "white")  # fmt: skip
        for index, (activation, what) in enumerate(kinds):
            left.plot([], [], color=SERIES[index], label=f"{_sigma(activation)}, {what} kernel")
        for depth in sorted({each.depth for each in found}):
            left.plot([], [], color=INK, marker=MARKERS[depth - 1], ls="none", label=f"$L={depth}$",
                      mfc=INK if depth < 3 else "white")  # fmt: skip
        ends = np.array([min(each.widths[0] for each in found),
                         max(each.widths[-1] for each in found)])  # fmt: skip
        left.plot(ends, 0.5 * (ends / ends[0]) ** -0.5, **THEORY, label="$m^{-1/2}$")
        left.set(xlabel="width $m$", ylabel="relative error of the kernel")
        left.set_ylim(bottom=left.get_ylim()[0] / 3)  # room for the legend
        left.legend(loc="lower left", ncols=2)
        for index, case in enumerate(case for case in small if case.depth == 1):
            power = 2 * (case.degree - 1)
            right.loglog(case.epsilons, case.least[-1], color=SERIES[index], marker=MARKERS[index],
                         ls="none", label=f"{_sigma(case.activation)}, $n={case.samples}$: "
                         rf"$\varepsilon^{{{power}}}$")  # fmt: skip
            line = case.least[-1, 0] * (case.epsilons / case.epsilons[0]) ** power
            right.plot(case.epsilons, line, **THEORY, zorder=1)
        right.set(xlabel=r"size $\varepsilon$ of the pre-activations",
                  ylabel=r"$\lambda_{\min}(K^{[2]})$, $L=1$")  # fmt: skip
        right.legend(loc="upper left")
        _finish((left, right))
    return figure


def layer_figure(
    found: Mapping[float, Ladder], exponents: Callable[[float], tuple[float, float]]
) -> Figure:
    """Fig. 5: exponents of layers of equal scale over γ in both norms, and how far features move.

    Args:
        found: γ → runs of three matrices of weights.
        exponents: γ → those of theory in the Frobenius norm, of the outer layers and inside.

    Returns:
        The figure.
    """
    gammas = np.array(list(found))
    layers = next(iter(found.values())).scaling.depth + 1
    boundary = layers / 2
    fine = np.linspace(gammas[0], gammas[-1], 200)
    outer, inner = np.transpose([exponents(each) for each in fine])
    with style():
        figure = new_figure(PAGE, 3.0)
        row = figure.subplots(1, 3)
        for axes, norm in zip(row, ("operator", "frobenius"), strict=False):
            for k in range(layers):
                fits = [each.fits(norm)[k] for each in found.values()]
                _exponents(axes, gammas, fits, color=SERIES[k], marker=MARKERS[k],
                           label=f"$W^{{[{k + 1}]}}$")  # fmt: skip
            axes.plot(fine, outer, **THEORY, zorder=1, label="theory")
            axes.set(ylim=(-1.2, 0.75))
        row[1].plot(fine, inner, **THEORY, zorder=1)
        row[1].axvspan(boundary, min(layers, float(gammas[-1])), color=SERIES[1], alpha=0.1, lw=0)
        row[1].annotate("$W^{[2]}$ as if lazy", (boundary + 0.05, 0.68), fontsize=7.0, va="top")
        for k in range(layers - 1):
            fits = [each.fits("feature")[k] for each in found.values()]
            _exponents(row[2], gammas, fits, color=SERIES[k], marker=MARKERS[k],
                       label=f"$x^{{[{k + 1}]}}$")  # fmt: skip
        row[2].set(ylim=(-1.2, 1.4))
        row[2].legend(loc="lower right")
        for axes, words in zip(row, ("operator norm", "Frobenius norm", "features"), strict=True):
            axes.axhline(0.0, color=INK, lw=0.6, ls=":")
            axes.axvline(boundary, color=INK, lw=0.6, ls=":")
            axes.set(xlabel=r"$\gamma$", ylabel=f"exponent of the change, {words}")
        row[0].legend(loc="lower right")
        _finish(row)
    return figure


def _exponents(axes: Axes, x: Array, fits: Sequence[PowerLawFit], **look: Any) -> None:
    """Fitted exponents with their standard errors."""
    errors = [fit.standard_error for fit in fits]
    axes.errorbar(x, [fit.exponent for fit in fits], errors, ls="none", **look)


def _sigma(name: str) -> str:
    return {"relu": "ReLU"}.get(name, name.replace("_", " "))


def _power(name: str) -> str:
    """m^−0.25 in a name as a figure writes it."""
    return re.sub(r"m\^−([\d.]+)", r"$m^{-\1}$", name)


def _width_ticks(axes: Axes, widths: Array) -> None:
    """Ticks at the widths of the runs."""
    axes.set_xticks(widths, [f"{each:g}" for each in widths])
    axes.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)


def _finish(row: Sequence[Axes]) -> None:
    """Letters and frames of a row of panels."""
    for axes, letter in zip(row, "abcdef", strict=False):
        panel_label(axes, f"({letter})")
        tidy(axes)
