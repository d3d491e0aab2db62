"""Figures of learning time-scales: the staircase of the risk, residuals, times against ε."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from netphase._types import Array
from netphase.figures.stages import (
    BAND,
    RISK,
    TIME,
    Curve,
    coefficients,
    curves_of,
    degree_colour,
    degrees_of,
    draw_median,
    legend_below,
    median,
    name_epsilons,
    power_of_ten,
    refuse_other,
    steps_of,
    time_limits,
)
from netphase.figures.style import COLUMN, DASHED, INK, MARKERS, PAGE, new_figure, style, tidy

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

LEAST_ERROR = 0.001
"""Smaller errors of an exponent are not written out."""

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
        axes.plot([], [], color=INK, lw=0.8, ls=DASHED, label="predicted plateaus")
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


def _draw_predicted_plateaus(axes: Axes, results: xr.Dataset) -> None:
    low = axes.get_ylim()[0]
    for _, _, after in steps_of(results):
        if after > low:
            axes.axhline(after, color=INK, lw=0.8, ls=DASHED, zorder=1.5)
            axes.annotate(
                f"{after:.3g}", (1.0, after), xycoords=axes.get_yaxis_transform(),
                xytext=(3, 0), textcoords="offset points", va="center", fontsize=7.0,
            )  # fmt: skip


def _draw_measured_plateaus(axes: Axes, results: xr.Dataset, curve: Curve) -> None:
    """Each measured height from the end of its degree's window to the start of the next one."""
    heights, begins, ends = (
        median(results[name].values[curve.place])
        for name in ("plateau", "window_end", "window_start")
    )
    learnt = [step.degree for step in steps_of(results) if np.isfinite(begins[step.degree])]
    for degree, later in zip(learnt, [*learnt[1:], None], strict=False):
        begin, height = begins[degree], heights[degree]
        end = curve.time[-1] if later is None else ends[later]
        if height > 0.0 and begin < end:
            axes.plot([begin, end], [height] * 2, color=curve.colour, lw=4.0, alpha=0.3,
                      solid_capstyle="butt", zorder=2.0)  # fmt: skip


def _draw_predicted_times(axes: Axes, results: xr.Dataset, curve: Curve) -> None:
    times = results["predicted_time"].values[curve.place]
    lengths = results["predicted_width"].values[curve.place]
    for degree, before, after in steps_of(results):
        time, length = times[degree], lengths[degree]
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
            for degree in degrees_of(results):
                _draw_residual(axes, results, curve, degree)
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
        panels[0].plot([], [], color=INK, lw=0.8, ls=DASHED, label="predicted times")
        legend_below(figure, panels[0], width)
    return figure


def _chosen(curves: list[Curve], epsilon: float | None) -> list[Curve]:
    if epsilon is not None:
        return [min(curves, key=lambda each: abs(np.log(each.epsilon / epsilon)))]
    return curves if len(curves) < 3 else [curves[0], curves[len(curves) // 2], curves[-1]]


def _draw_residual(axes: Axes, results: xr.Dataset, curve: Curve, degree: int) -> None:
    colour, marker = degree_colour(degree), MARKERS[degree % len(MARKERS)]
    left = np.abs(curve.of(results["residual"].values)[..., degree] / coefficients(results)[degree])
    draw_median(axes, curve, left, color=colour)
    axes.plot([], [], color=colour, marker=marker, label=f"degree {degree}")
    learnt = median(results["learning_time"].values[curve.place])[degree]
    axes.plot(learnt, 0.5, color=colour, marker=marker, zorder=3.0, clip_on=False)
    predicted = results["predicted_time"].values[curve.place, degree]
    if np.isfinite(predicted) and predicted <= curve.time[-1]:
        axes.axvline(predicted, color=colour, lw=0.8, ls=DASHED, zorder=1.5)


def learning_times(results: xr.Dataset, *, width: float = COLUMN) -> Figure:
    """When half of each degree is left for the last time, t_l, against ε, both logarithmic.

    Markers are medians over the seeds, with bars from the 10th to the 90th percentile where there
    are several. Solid lines have the fitted exponents, over the values of ε they were fitted to,
    that of degree 1 times its logarithm; dashed ones are predicted times. The legend says the
    exponents with their errors, and the predicted ones in brackets.

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
        for degree in degrees_of(results):
            _draw_times(axes, results, degree)
        axes.plot([], [], color=INK, lw=0.8, ls=DASHED, label="predicted")
        tidy(axes)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center",
                      ncols=1 if width <= COLUMN else 2)  # fmt: skip
    return figure


def _draw_times(axes: Axes, results: xr.Dataset, degree: int) -> None:
    colour, marker = degree_colour(degree), MARKERS[degree % len(MARKERS)]
    order = np.argsort(results["epsilon"].values)
    epsilon = results["epsilon"].values[order]
    table = results["learning_time"].values[order, :, degree]
    middle = median(table.T)
    shown = np.isfinite(middle) & (middle > 0.0)
    axes.plot(epsilon[shown], middle[shown], ls="none", color=colour, marker=marker, zorder=3.0,
              label=_exponent_label(results, degree))  # fmt: skip
    if table.shape[1] > 1 and shown.any():
        low, high = np.nanpercentile(table[shown], BAND, axis=1)
        axes.vlines(epsilon[shown], low, high, color=colour, lw=0.8)
    predicted = results["predicted_time"].values[order, degree]
    known = np.isfinite(predicted) & (predicted > 0.0)
    axes.plot(epsilon[known], predicted[known], color=colour, lw=0.8, ls=DASHED, marker="_",
              zorder=2.0)  # fmt: skip
    factor = _logarithm(results, degree, epsilon, predicted)
    _draw_fit(axes, results, degree, epsilon[shown], middle[shown], factor[shown])


def _logarithm(results: xr.Dataset, degree: int, epsilon: Array, predicted: Array) -> Array:
    """What is left of the formula of t_1 without its power of ε; ones for other degrees."""
    if degree != 1 or not np.isfinite(predicted).all():
        return np.ones(len(epsilon))
    return np.asarray(predicted / epsilon ** float(results["predicted_exponent"].values[degree]))


def _draw_fit(
    axes: Axes, results: xr.Dataset, degree: int, epsilon: Array, times: Array, factor: Array
) -> None:
    """A power of ε with the fitted exponent through the middle of its points, of smallest ε."""
    exponent = float(results["exponent"].values[degree])
    used = slice(0, int(results["exponent_points"].values[degree]))
    x, y, rest = np.log(epsilon[used]), np.log(times[used]), np.log(factor[used])
    if np.isfinite(exponent) and len(x) > 1:
        line = (y - rest).mean() + exponent * (x - x.mean()) + rest
        axes.plot(np.exp(x), np.exp(line), color=degree_colour(degree), lw=1.0)


def _exponent_label(results: xr.Dataset, degree: int) -> str:
    """Degree, exponent with its error, and the predicted one in brackets."""
    exponent, error, predicted = (
        float(results[name].values[degree])
        for name in ("exponent", "exponent_error", "predicted_exponent")
    )
    if not np.isfinite(exponent):
        return f"degree {degree}"
    said = f"degree {degree}: {exponent:.3f}"
    if np.isfinite(error):
        said += f" ± {error:.3f}" if error >= LEAST_ERROR else f" ± <{LEAST_ERROR}"
    if np.isfinite(predicted):
        said += f" ({Fraction(predicted).limit_denominator(PLAIN_EXPONENT)})"
    return said.replace("-", "−")
