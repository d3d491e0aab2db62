"""Figures of single stages: the risk in the time of each window, and the growth of a and s."""

from __future__ import annotations

import math
from fractions import Fraction
from string import ascii_lowercase as LETTERS
from typing import TYPE_CHECKING

import numpy as np

from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.figures.stages import (
    RISK,
    TIME,
    Curve,
    Step,
    coefficients,
    curves_of,
    degrees_of,
    draw_median,
    legend_below,
    median,
    name_epsilons,
    steps_of,
    time_limits,
)
from netphase.figures.style import DASHED, INK, MARKERS, PAGE, new_figure, panel_label, style, tidy

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PANELS = 4
"""Degrees that have a panel of their own, the first ones."""

MARGIN = 0.25
"""How far beyond its two plateaus the risk of a panel is shown, as a part of the step."""

REACH = 5.0
"""Half of the window of degree 1 that is shown, in units of its logistic function."""


def rescaled_risk(results: xr.Dataset, *, width: float = PAGE) -> Figure:
    """The risk against time in the unit of each stage: curves of small ε fall on one another.

    Degree 0 in units of ε, degree 1 around its predicted time in units of √ε, with the logistic
    fall that is predicted there dotted, degrees l ≥ 2 in units of the predicted power of ε. Dashed
    lines are the predicted plateaus before and behind.

    Args:
        results: what `netphase.timescales` returned.
        width: width of the figure in inches.

    Returns:
        The figure, one panel a degree, four at most.

    Raises:
        ArgumentError: ``results`` is of another kind, holds no two records of a run, or no degree
            that can be learnt.

    References:
        Berthier, Montanari & Zhou (2024), the inner solutions of the first stages.
    """
    curves = curves_of(results)
    shown = [step for step in steps_of(results) if _unit_known(results, step.degree)]
    shown = shown[:MOST_PANELS]
    if not shown:
        raise ArgumentError("Argument `results` must hold a degree that is learnt, but has none.")
    with style():
        rows = (len(shown) + 1) // 2
        figure = new_figure(width, 0.36 * width * rows + 0.5)
        places = figure.subplots(rows, min(2, len(shown)), squeeze=False)
        panels = list(places.flat[: len(shown)])
        for axes in places.flat[len(shown) :]:
            axes.remove()
        for axes, step, letter in zip(panels, shown, LETTERS, strict=False):
            degree = step.degree
            for curve in curves:
                _draw_rescaled(axes, results, curve, degree)
            if degree == 1:
                _draw_logistic(axes, results, step)
            for height in step[1:]:
                axes.axhline(height, color=INK, lw=0.8, ls=DASHED, zorder=1.5)
            margin = MARGIN * (step.before - step.after)
            axes.set_ylim(max(0.0, step.after - margin), step.before + margin)
            _limit_window(axes, results, degree)
            panel_label(axes, f"({letter}) degree {degree}")
            tidy(axes)
        for axes in places[:, 0]:
            axes.set_ylabel(RISK)
        name_epsilons(panels[0], curves)
        panels[0].plot([], [], color=INK, lw=0.8, ls=DASHED, label="predicted plateaus")
        if any(step.degree == 1 for step in shown):
            panels[0].plot([], [], color=INK, ls=":", label="logistic fall")
        legend_below(figure, panels[0], width)
    return figure


def _unit_known(results: xr.Dataset, degree: int) -> bool:
    """Whether the unit of time of a degree is known, and degree 1 has a time to start from."""
    if degree == 1:
        return bool(np.isfinite(results["predicted_time"].values[:, degree]).any())
    return bool(np.isfinite(results["predicted_exponent"].values[degree]))


def _draw_rescaled(axes: Axes, results: xr.Dataset, curve: Curve, degree: int) -> None:
    """One curve in the unit of a stage; around its middle for degree 1."""
    if degree == 1:
        middle = results["predicted_time"].values[curve.place, degree]
        time = (curve.time - middle) / math.sqrt(curve.epsilon)
    else:
        time = curve.time / curve.epsilon ** float(results["predicted_exponent"].values[degree])
    if np.isfinite(time).all():
        draw_median(axes, curve._replace(time=time), curve.of(results["risk"].values))


def _rate(results: xr.Dataset) -> float:
    """|σ_1 φ_1|."""
    return abs(float(coefficients(results)[1] * coefficients(results, "activation")[1]))


def _draw_logistic(axes: Axes, results: xr.Dataset, step: Step) -> None:
    """½φ_1²/(1 + exp(2|σ_1φ_1|x))² above the plateau behind."""
    rate = _rate(results)
    x = np.linspace(-REACH / rate, REACH / rate, 201)
    fall = (step.before - step.after) * (0.5 - 0.5 * np.tanh(rate * x)) ** 2
    axes.plot(x, step.after + fall, color=INK, ls=":", zorder=4.0)


def _limit_window(axes: Axes, results: xr.Dataset, degree: int) -> None:
    """Axis of a panel: logarithmic for degree 0, wide enough for the fall of all curves else."""
    if degree == 1:
        reach = REACH / _rate(results)
        axes.set(xlim=(-reach, reach), xlabel=r"$(t - t_1)/\sqrt{\varepsilon}$")
        return
    exponent = float(results["predicted_exponent"].values[degree])
    axes.set_xlabel(rf"$t{_unit(exponent)}$")
    epsilon = results["epsilon"].values[:, None]
    learnt = results["learning_time"].values[..., degree] / epsilon**exponent
    learnt = learnt[np.isfinite(learnt) & (learnt > 0.0)]
    if not learnt.size:
        return
    if degree == 0:
        axes.set(xscale="log", xlim=(0.02 * learnt.min(), 50.0 * learnt.max()))
    else:
        axes.set_xlim(0.0, 1.6 * float(learnt.max()))


def _unit(exponent: float) -> str:
    """A division by a power of ε as mathematics."""
    if exponent == 0.0:
        return ""
    power = Fraction(exponent).limit_denominator(32)
    return r"/\varepsilon" if power == 1 else rf"/\varepsilon^{{{power}}}"


def growth(results: xr.Dataset, *, width: float = PAGE) -> Figure:
    """How output weights and overlaps grow: the root mean squares of a and of s against time.

    A marker, of its own shape for each degree, sits where half of a degree is left for the last
    time: there a ∝ ε^(−l/(2(l+1))) and s ∝ ε^(1/(2(l+1))) where degrees are learnt in turn.

    Args:
        results: what `netphase.timescales` returned.
        width: width of the figure in inches.

    Returns:
        The figure, two panels.

    Raises:
        ArgumentError: ``results`` is of another kind, or holds no two records of a run.

    References:
        Berthier, Montanari & Zhou (2024), Theorem 1.
    """
    curves = curves_of(results)
    with style():
        figure = new_figure(width, 0.48 * width)
        panels = figure.subplots(1, 2)
        names = (
            ("rms_a", r"$\sqrt{\langle a^2 \rangle}$"),
            ("rms_s", r"$\sqrt{\langle s^2 \rangle}$"),
        )
        for axes, (name, label), letter in zip(panels, names, LETTERS, strict=False):
            axes.set(xscale="log", yscale="log", xlabel=TIME, ylabel=label)
            for curve in curves:
                _draw_growth(axes, results, curve, name)
            first, last = time_limits(curves, results)
            axes.set_xlim(first, last)
            _limit_growth(axes, curves, results[name].values, first)
            panel_label(axes, f"({letter})")
            tidy(axes)
        name_epsilons(panels[0], curves)
        for degree in degrees_of(results):
            panels[0].plot([], [], ls="none", color=INK, marker=MARKERS[degree % len(MARKERS)],
                           label=f"degree {degree} learnt")  # fmt: skip
        legend_below(figure, panels[0], width)
    return figure


def _draw_growth(axes: Axes, results: xr.Dataset, curve: Curve, name: str) -> None:
    """One curve with its markers; where it is zero it has no place on the axis."""
    values = curve.of(results[name].values)
    values = np.where(values > 0.0, values, np.nan)
    draw_median(axes, curve, values)
    middle = median(values)
    known = np.isfinite(middle)
    learnt = median(results["learning_time"].values[curve.place])
    for degree in degrees_of(results):
        if known.any() and learnt[degree] > 0.0:
            height = np.interp(
                np.log(learnt[degree]), np.log(curve.time[known]), np.log(middle[known])
            )
            axes.plot(
                learnt[degree], np.exp(height), ls="none", color=curve.colour, mec="white", mew=0.4,
                marker=MARKERS[degree % len(MARKERS)], zorder=3.0,
            )  # fmt: skip


def _limit_growth(axes: Axes, curves: list[Curve], table: Array, first: float) -> None:
    """From below to above all values from the first time that is shown on."""
    shown = [curve.of(table)[:, curve.time >= first] for curve in curves]
    values = np.concatenate([each[np.isfinite(each) & (each > 0.0)] for each in shown])
    if values.size:
        axes.set_ylim(0.5 * float(values.min()), 2.0 * float(values.max()))
