"""Figures of learning time-scales: the staircase of the risk, residuals, times against ε."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from netphase._types import Array
from netphase.figures.stages import (
    RISK,
    TIME,
    Curve,
    curves_of,
    degree_colour,
    degrees_of,
    draw_median,
    legend_below,
    median,
    name_epsilons,
    power_of_ten,
    refuse_other,
    time_limits,
)
from netphase.figures.style import COLUMN, INK, MARKERS, PAGE, new_figure, style, tidy

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DEPTH = 8.0
"""How far below the lowest plateau a fall of the risk is shown, as a ratio."""

HALF = 0.25
"""Part of a step of the risk that is left where half of the residual is."""

HIGHEST = 2.0
"""Largest ratio of a residual to its coefficient that is shown; others are cut."""

PLAIN_EXPONENT = 32
"""Largest denominator with which an exponent is written as a fraction."""


def risk_staircase(results: xr.Dataset, *, width: float = PAGE) -> Figure:
    """The risk against log time, one curve an ε, over the plateaus and times that are predicted.

    Dashed lines are the plateaus ½ Σ_(k>l) φ_k², thick pale ones the plateaus that were measured.
    A ring sits where a curve should pass while half of a degree is learnt, with a bar as long as
    the predicted window, where that begins after 0. Several seeds are drawn as their median with a
    band from the 10th to the 90th percentile. At most ten values of ε are drawn.

    Args:
        results: what `netphase.timescales` returned.
        width: width of the figure in inches.

    Returns:
        The figure.

    Raises:
        ArgumentError: ``results`` is of another kind, or holds no two records of a run.

    References:
        Berthier, Montanari & Zhou (2024), risk against log time.
    """
    curves = curves_of(results)
    with style():
        figure = new_figure(width, 0.55 * width if width > COLUMN else 0.95 * width)
        axes = figure.add_subplot()
        axes.set(xscale="log", yscale="log", xlabel=TIME, ylabel=RISK)
        for curve in curves:
            _draw_measured_plateaus(axes, results, curve)
            draw_median(axes, curve, curve.of(results["risk"].values), zorder=2.5)
        for curve in curves:
            _draw_predicted_times(axes, results, curve)
        axes.set_xlim(time_limits(curves, results))
        _limit_risk(axes, results)
        _draw_predicted_plateaus(axes, results)
        name_epsilons(axes, curves)
        axes.plot([], [], color=INK, lw=0.8, ls=(0, (4, 2)), label="predicted plateaus")
        axes.plot([], [], color=INK, lw=4.0, alpha=0.3, label="measured plateaus")
        axes.plot(
            [], [], color=INK, marker="o", mfc="white", lw=0.8, label="predicted times, windows"
        )
        tidy(axes)
        legend_below(figure, axes, width)
    return figure


def _limit_risk(axes: Axes, results: xr.Dataset) -> None:
    """From below the lowest plateau to above the highest risk."""
    risk, floors = results["risk"].values, results["predicted_plateau"].values
    high = float(np.nanmax(risk))
    least = np.append(floors[floors > 1e-9 * high], high).min() / DEPTH
    axes.set_ylim(max(least, 0.5 * float(np.nanmin(np.where(risk > 0, risk, high)))), 1.4 * high)


def _steps(results: xr.Dataset) -> list[tuple[int, int, float, float]]:
    """Place and number of a degree that can be learnt, height before, height after."""
    phi, after = results["phi"].values, results["predicted_plateau"].values
    able = results["learnable"].values
    return [
        (place, degree, float(after[place] + 0.5 * phi[place] ** 2), float(after[place]))
        for place, degree in degrees_of(results)
        if able[place]
    ]


def _draw_predicted_plateaus(axes: Axes, results: xr.Dataset) -> None:
    low = axes.get_ylim()[0]
    for _, _, _, after in _steps(results):
        if after > low:
            axes.axhline(after, color=INK, lw=0.8, ls=(0, (4, 2)), zorder=1.5)
            axes.annotate(
                f"{after:.3g}", (1.0, after), xycoords=axes.get_yaxis_transform(),
                xytext=(3, 0), textcoords="offset points", va="center", fontsize=7.0,
            )  # fmt: skip


def _draw_measured_plateaus(axes: Axes, results: xr.Dataset, curve: Curve) -> None:
    """Each measured height from where its degree is learnt to where the next one begins to be."""
    heights = median(results["plateau"].values[curve.place])
    begins = median(results["window_end"].values[curve.place])
    ends = np.append(median(results["window_start"].values[curve.place])[1:], np.nan)
    ends = np.where(np.isfinite(ends), ends, curve.time[-1])
    for height, begin, end in zip(heights, begins, ends, strict=True):
        if np.isfinite([height, begin]).all() and height > 0.0 and begin < end:
            axes.plot([begin, end], [height] * 2, color=curve.colour, lw=4.0, alpha=0.3,
                      solid_capstyle="butt", zorder=2.0)  # fmt: skip


def _draw_predicted_times(axes: Axes, results: xr.Dataset, curve: Curve) -> None:
    times = results["predicted_time"].values[curve.place]
    lengths = results["predicted_width"].values[curve.place]
    for place, _, before, after in _steps(results):
        time, length = times[place], lengths[place]
        if not (np.isfinite(time) and curve.time[0] < time <= curve.time[-1]):
            continue
        height = after + HALF * (before - after)
        if length < 2.0 * time:  # a longer one has no beginning in log time
            ends = [time - length / 2, min(time + length / 2, curve.time[-1])]
            axes.plot(ends, [height] * 2, color=curve.colour, lw=0.8, zorder=3.0)
        axes.plot(time, height, color=curve.colour, marker="o", mfc="white", ms=3.6, zorder=3.5)


def degree_residuals(
    results: xr.Dataset, *, epsilon: float | None = None, width: float = PAGE
) -> Figure:
    """What is left of every degree, |ρ_k|/|φ_k|, against log time, at up to three values of ε.

    A marker sits where half of a degree is left for the last time, a dashed line where that is
    predicted. Before, a residual may grow: higher degrees can first move away from the target.
    Several seeds are drawn as their median with a band from the 10th to the 90th percentile.

    Args:
        results: what `netphase.timescales` returned.
        epsilon: the ε to draw, the nearest one of the results; None for the largest, a middle one
            and the smallest.
        width: width of the figure in inches.

    Returns:
        The figure, one panel an ε.

    Raises:
        ArgumentError: ``results`` is of another kind, or holds no two records of a run.

    References:
        Berthier, Montanari & Zhou (2024), the components of the target against time.
    """
    curves = _chosen(curves_of(results), epsilon)
    with style():
        figure = new_figure(width, 0.42 * width if len(curves) > 1 else 0.6 * width)
        panels = figure.subplots(1, len(curves), sharey=True, squeeze=False)[0]
        for axes, curve in zip(panels, curves, strict=True):
            for place, degree in degrees_of(results):
                _draw_residual(axes, results, curve, place, degree)
            axes.axhline(0.5, color=INK, lw=0.6, ls=":")
            axes.set(
                xscale="log",
                xlabel=TIME,
                xlim=time_limits([curve], results.isel(epsilon=[curve.place])),
            )
            axes.set_title(rf"$\varepsilon = {power_of_ten(curve.epsilon)}$")
            tidy(axes)
        top = min(HIGHEST, 1.05 * max(1.0, panels[0].get_ylim()[1]))
        panels[0].set(ylim=(0.0, top), ylabel=r"$|\rho_k| / |\varphi_k|$")
        panels[0].plot([], [], color=INK, lw=0.8, ls=(0, (4, 2)), label="predicted times")
        legend_below(figure, panels[0], width)
    return figure


def _chosen(curves: list[Curve], epsilon: float | None) -> list[Curve]:
    if epsilon is not None:
        return [min(curves, key=lambda each: abs(np.log(each.epsilon / epsilon)))]
    return curves if len(curves) < 3 else [curves[0], curves[len(curves) // 2], curves[-1]]


def _draw_residual(axes: Axes, results: xr.Dataset, curve: Curve, place: int, degree: int) -> None:
    colour, marker = degree_colour(degree), MARKERS[degree % len(MARKERS)]
    left = np.abs(curve.of(results["residual"].values)[..., place] / results["phi"].values[place])
    draw_median(axes, curve, left, color=colour)
    axes.plot([], [], color=colour, marker=marker, label=f"degree {degree}")
    learnt = median(results["learning_time"].values[curve.place])[place]
    axes.plot(learnt, 0.5, color=colour, marker=marker, zorder=3.0, clip_on=False)
    predicted = results["predicted_time"].values[curve.place, place]
    if np.isfinite(predicted) and predicted <= curve.time[-1]:
        axes.axvline(predicted, color=colour, lw=0.8, ls=(0, (4, 2)), zorder=1.5)


def learning_times(results: xr.Dataset, *, width: float = COLUMN) -> Figure:
    """When half of each degree is left for the last time, t_l, against ε, both logarithmic.

    Markers are medians over the seeds, with bars from the 10th to the 90th percentile where there
    are several. Solid lines have the fitted exponents, over the values of ε they were fitted to;
    dashed ones are predicted times. The legend says the exponents with their standard errors, and
    the predicted ones in brackets.

    Args:
        results: what `netphase.timescales` returned.
        width: width of the figure in inches.

    Returns:
        The figure.

    Raises:
        ArgumentError: ``results`` is of another kind.

    References:
        Berthier, Montanari & Zhou (2024): t_l ∝ ε^(1/(2l)).
    """
    refuse_other(results)
    with style():
        figure = new_figure(width, 1.05 * width if width <= COLUMN else 0.6 * width)
        axes = figure.add_subplot()
        axes.set(xscale="log", yscale="log", xlabel=r"$\varepsilon$", ylabel=r"learning time $t_l$")
        epsilon = results["epsilon"].values
        axes.set_xlim(0.5 * epsilon.min(), 2.0 * epsilon.max())
        for place, degree in degrees_of(results):
            _draw_times(axes, results, place, degree)
        axes.plot([], [], color=INK, lw=0.8, ls=(0, (4, 2)), label="predicted")
        tidy(axes)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center",
                      ncols=1 if width <= COLUMN else 2)  # fmt: skip
    return figure


def _draw_times(axes: Axes, results: xr.Dataset, place: int, degree: int) -> None:
    colour, marker = degree_colour(degree), MARKERS[degree % len(MARKERS)]
    order = np.argsort(results["epsilon"].values)
    epsilon = results["epsilon"].values[order]
    table = results["learning_time"].values[order, :, place]
    middle = median(table.T)
    shown = np.isfinite(middle) & (middle > 0.0)
    axes.plot(epsilon[shown], middle[shown], ls="none", color=colour, marker=marker, zorder=3.0,
              label=_exponent_label(results, place, degree))  # fmt: skip
    if table.shape[1] > 1 and shown.any():
        low, high = np.nanpercentile(table[shown], (10, 90), axis=1)
        axes.vlines(epsilon[shown], low, high, color=colour, lw=0.8)
    _draw_fit(axes, results, place, epsilon[shown], middle[shown])
    predicted = results["predicted_time"].values[order, place]
    known = np.isfinite(predicted) & (predicted > 0.0)
    if known.any():
        axes.plot(
            epsilon[known], predicted[known], color=colour, lw=0.8, ls=(0, (4, 2)), zorder=2.0
        )


def _draw_fit(axes: Axes, results: xr.Dataset, place: int, epsilon: Array, times: Array) -> None:
    """A line with the fitted exponent through the middle of its points, those of smallest ε."""
    exponent = float(results["exponent"].values[place])
    used = slice(0, int(results["exponent_points"].values[place]))
    x, y = np.log(epsilon[used]), np.log(times[used])
    if np.isfinite(exponent) and len(x) > 1:
        ends = x[[0, -1]]
        axes.plot(np.exp(ends), np.exp(y.mean() + exponent * (ends - x.mean())),
                  color=degree_colour(int(results["degree"].values[place])), lw=1.0)  # fmt: skip


def _exponent_label(results: xr.Dataset, place: int, degree: int) -> str:
    """Degree, exponent with its error, and the predicted one in brackets."""
    exponent, error, predicted = (
        float(results[name].values[place])
        for name in ("exponent", "exponent_error", "predicted_exponent")
    )
    if not np.isfinite(exponent):
        return f"degree {degree}"
    said = f"degree {degree}: {exponent:.3f}"
    if np.isfinite(error):
        said += f" ± {error:.3f}"
    if np.isfinite(predicted):
        said += f" ({Fraction(predicted).limit_denominator(PLAIN_EXPONENT)})"
    return said.replace("-", "−")
