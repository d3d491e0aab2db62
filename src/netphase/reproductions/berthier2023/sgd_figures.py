"""Figures of one-pass SGD beside flows: convergence in the rate, collapse in n/d, noise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from netphase._types import Array
from netphase.figures import new_figure, panel_label
from netphase.figures.style import INK, MARKERS, PAGE, SERIES, style, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Convergence(NamedTuple):
    """SGD at several rates.

    Attributes:
        rates: η, falling, shape (r,).
        distances: largest |R_SGD − R_flow| of each seed, shape (r, seed).
        printed: η → the printed one.
        runs: times and risk (seed, k) of each rate.
        flow: risk of the flow, shape (seed, k).
        inputs: d.
    """

    rates: Array
    distances: Array
    printed: Mapping[float, float]
    runs: list[tuple[Array, Array]]
    flow: Array
    inputs: int


class Collapse(NamedTuple):
    """SGD at one ηd and several d.

    Attributes:
        curves: d → n/d (k,) and risk (seed, k).
        samples: d → samples that learn each degree, shape (seed, degree).
        degrees: which.
    """

    curves: Mapping[int, tuple[Array, Array]]
    samples: Mapping[int, Array]
    degrees: tuple[int, ...]


class Noise(NamedTuple):
    """SGD with ηd of order 1, its noisy flow and the plain one.

    Attributes:
        times: t, shape (k,).
        runs: risk of SGD, shape (seed, k).
        noisy: mean risk of the flow with noise, shape (k,).
        flow: mean risk of the flow, shape (k,).
    """

    times: Array
    runs: Array
    noisy: Array
    flow: Array


def descents(convergence: Convergence, collapse: Collapse) -> Figure:
    """Fig. 10: risk beside the flow, distances against η, risk against n/d, samples against d."""
    from matplotlib.ticker import NullFormatter

    with style():
        figure = new_figure(PAGE, 5.0)
        panels = figure.subplots(2, 2)
        _beside_flow(panels[0, 0], convergence)
        _distances(panels[0, 1], convergence)
        _against_samples(panels[1, 0], collapse)
        _counts(panels[1, 1], collapse)
        for axes, letter in zip(panels.flat, "abcd", strict=True):
            panel_label(axes, f"({letter})")
            tidy(axes)
            axes.legend(fontsize=6.0)
        for axes, ticks in ((panels[0, 0], (0.2, 0.4, 0.8)), (panels[1, 0], (0.1, 0.3, 1.0))):
            axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
            axes.yaxis.set_minor_formatter(NullFormatter())
    return figure


def _beside_flow(axes: Axes, found: Convergence) -> None:
    """Two rates with the band of seeds; thin lines are single runs."""
    for index, row in enumerate((0, len(found.rates) - 2)):
        times, risk = found.runs[row]
        name = rf"SGD, $\eta$ = {found.rates[row]:g}"
        band(axes, times, risk, SERIES[index], name)
        axes.plot(times, risk[0], color=SERIES[index], lw=0.5, alpha=0.8)
    axes.plot(times, found.flow.mean(axis=0), color=INK, ls="--", label="gradient flow, mean")
    axes.plot(times, found.flow[0], color=INK, lw=0.5, ls=":", label="flow of the thin runs")
    axes.set(xlabel=r"time $t = k\eta$", ylabel="risk $R$", yscale="log")


def _distances(axes: Axes, found: Convergence) -> None:
    means = found.distances.mean(axis=1)
    low, high = np.quantile(found.distances, [0.025, 0.975], axis=1)
    axes.errorbar(found.rates, means, yerr=[means - low, high - means], color=SERIES[0],
                  marker=MARKERS[0], ls="none", elinewidth=0.8, capsize=1.5,
                  label="mean of the seeds, 95 % of them")  # fmt: skip
    axes.plot(list(found.printed), list(found.printed.values()), ls="none", marker="x",
              color=SERIES[1], label="single runs (derived)")  # fmt: skip
    law = means[-1] * np.sqrt(found.rates / found.rates[-1])
    axes.plot(found.rates, law, color=INK, lw=0.7, ls=":", label=r"$\sqrt{\eta}$")
    axes.set(xscale="log", yscale="log", xlabel=rf"rate $\eta$  ($d$ = {found.inputs})",
             ylabel=r"largest $|R_{SGD} - R_{flow}|$")  # fmt: skip


def _against_samples(axes: Axes, found: Collapse) -> None:
    for index, (inputs, (samples, risk)) in enumerate(found.curves.items()):
        band(axes, samples, risk, SERIES[index], f"$d$ = {inputs}")
    axes.set(xlabel="samples over inputs $n/d$", ylabel="risk $R$", yscale="log")


def _counts(axes: Axes, found: Collapse) -> None:
    from matplotlib.ticker import NullFormatter

    inputs = np.array(list(found.samples), dtype=np.float64)
    for column, degree in enumerate(found.degrees):
        table = np.array([rows[:, column] for rows in found.samples.values()])
        means = np.nanmean(table, axis=1)
        errors = np.nanstd(table, axis=1, ddof=1) / np.sqrt(table.shape[1])
        axes.errorbar(inputs, means, yerr=errors, color=SERIES[column], marker=MARKERS[column],
                      ls="none", elinewidth=0.8, capsize=1.5,
                      label=f"degree {degree}")  # fmt: skip
        axes.plot(inputs, means[-1] * inputs / inputs[-1], color=SERIES[column], lw=0.7, ls=":")
    axes.plot([], [], color=INK, lw=0.7, ls=":", label="$n \\propto d$")
    axes.set(xscale="log", yscale="log", xlabel="inputs $d$", ylabel="samples until half learnt")
    axes.set_xticks(inputs, [f"{each:.0f}" for each in inputs])
    axes.xaxis.set_minor_formatter(NullFormatter())


def noises(panels: Mapping[int, Noise], gamma: float) -> Figure:
    """Fig. 10: SGD at η = γ/d beside the flow with its noise and the flow without, a panel a d."""
    with style():
        figure = new_figure(PAGE, 2.7)
        row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for index, (axes, (inputs, panel)) in enumerate(zip(row, panels.items(), strict=True)):
            band(axes, panel.times, panel.runs, SERIES[0], "SGD: mean, and ±2 s.e.", error=True)
            axes.plot(panel.times, panel.noisy, color=SERIES[1], ls="--", label="flow with noise")
            axes.plot(panel.times, panel.flow, color=INK, ls=":", label="gradient flow")
            axes.set(xlabel="time $t$", title=rf"$d$ = {inputs}, $\eta$ = {gamma:g}$/d$")
            panel_label(axes, f"({'abc'[index]})")
            tidy(axes)
        row[0].set(ylabel="risk $R$", yscale="log")
        row[0].legend()
    return figure


def band(axes: Axes, x: Array, runs: Array, colour: str, name: str, *, error: bool = False) -> None:
    """Draw the mean of runs, and 80 % of them, or two standard errors, as a band.

    Args:
        axes: where.
        x: shape (k,).
        runs: shape (seed, k).
        colour: of both.
        name: for the legend.
        error: whether the band is that of the mean.
    """
    mean = runs.mean(axis=0)
    if error:
        half = 2 * runs.std(axis=0, ddof=1) / np.sqrt(len(runs))
        low, high = mean - half, mean + half
    else:
        low, high = np.quantile(runs, [0.1, 0.9], axis=0)
    axes.fill_between(x, low, high, color=colour, alpha=0.25, lw=0)
    axes.plot(x, mean, color=colour, label=name)
