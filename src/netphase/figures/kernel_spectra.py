"""Spectra of kernels and what follows from them: the decay of the loss, small first layers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.figures.kernel_panels import deviation, refuse_other, two_panels, width_axis
from netphase.figures.style import (
    COLUMN,
    DASHED,
    INK,
    MARKERS,
    PAGE,
    SERIES,
    new_figure,
    style,
    tidy,
)

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAND = (10.0, 90.0)
"""Percentiles of the seeds between which a band is shaded."""

MOST_FALL = 1e-14
"""Part of the first loss below which curves are not followed."""


def kernel_spectra(results: xr.Dataset, *, width: float = PAGE) -> Figure:
    """Eigenvalues of limiting and finite kernels, and λ_min against the width.

    Left the spectra in units of the largest limiting eigenvalue, the finite ones at the smallest
    and the largest width as medians with a band from the 10th to the 90th percentile of the seeds.
    Right λ_min over its limit, one marker a seed, with mean and standard deviation.

    Args:
        results: what `netphase.concentration.kernel_concentration` returned.
        width: width of the figure in inches.

    Returns:
        The figure.

    Raises:
        ArgumentError: ``results`` is of another kind.
    """
    refuse_other(results)
    parts = {"spectrum of the tangent kernel": _draw_spectra, "least eigenvalue": _draw_least}
    return two_panels(results, parts, (width, 0.45 * width))


def _draw_spectra(axes: Axes, results: xr.Dataset) -> None:
    limit = results["limit_eigenvalue"].values
    number = np.arange(1, limit.shape[1] + 1)
    for place, colour in {0: SERIES[0], len(limit) - 1: SERIES[1]}.items():
        table = results["eigenvalue"].values[place, :, ::-1] / limit[place, -1]
        low, middle, high = np.percentile(table, (BAND[0], 50.0, BAND[1]), axis=0)
        axes.fill_between(number, low, high, color=colour, alpha=0.2, lw=0)
        axes.plot(number, middle, color=colour, marker=MARKERS[min(place, 1)],
                  label=f"$m = {int(results['width'][place])}$")  # fmt: skip
    axes.plot(number, limit[-1, ::-1] / limit[-1, -1], color=INK, ls=DASHED,
              label=r"limit, $m \to \infty$")  # fmt: skip
    axes.set(
        yscale="log", xlabel="number of the eigenvalue", ylabel=r"$\lambda/\lambda_{\max}(\Theta)$"
    )
    if number[-1] > 1:
        axes.set_xticks(_whole_ticks(int(number[-1])))


def _whole_ticks(last: int) -> list[int]:
    step = max(1, round(last / 8))
    return list(range(step, last + 1, step)) if step > 1 else list(range(1, last + 1))


def _draw_least(axes: Axes, results: xr.Dataset) -> None:
    widths = results["width"].values
    ratio = results["decay_rate"].values / results["limit_decay_rate"].values[:, None]
    for column in ratio.T:
        axes.plot(widths, column, ls="none", marker=".", color=SERIES[0], alpha=0.5)
    axes.errorbar(widths * 1.06, ratio.mean(axis=1), deviation(ratio), ls="none", marker="s",
                  color=SERIES[1], label="mean and standard deviation")  # fmt: skip
    axes.plot([], [], ls="none", marker=".", color=SERIES[0], label="one network")
    axes.axhline(1.0, color=INK, lw=0.8, ls=DASHED, label="limit")
    axes.set(ylim=(0.0, None),
             ylabel=r"$\lambda_{\min}(\Theta_m)\,/\,\lambda_{\min}(\Theta)$")  # fmt: skip
    width_axis(axes, results)


def loss_decay(results: xr.Dataset, *, width: float = PAGE) -> Figure:
    """The loss of trained networks against what kernels predict, and rates against the width.

    Left one thin line a network of the smallest and of the largest width, in units of its start;
    dashed is the loss if the kernel were the limiting one all the time, from the same start (the
    first seed's, at the largest width), dotted an exponential of the rate 2 λ_min/n. Right the
    late rates over those of the limiting kernel and of the network's own kernel at the start, in
    the same stretch of the run: means and standard deviations over the seeds.

    Args:
        results: of `netphase.concentration.kernel_concentration` with training.
        width: width of the figure in inches.

    Returns:
        The figure.

    Raises:
        ArgumentError: ``results`` is of another kind, or no network was trained.
    """
    refuse_other(results)
    if "mean_square" not in results:
        raise ArgumentError("Argument `results` must be of trained networks: give `train_by`.")
    parts = {"loss of trained networks": _draw_losses, "late decay of the loss": _draw_rates}
    return two_panels(results, parts, (width, 0.55 * width), legend_at=-0.2)


def _draw_losses(axes: Axes, results: xr.Dataset) -> None:
    """Losses in units of their starts, over time in units of the limiting rate."""
    rates, last = results["limit_decay_rate"].values, results.sizes["width"] - 1
    for place, colour in {0: SERIES[0], last: SERIES[1]}.items():
        for seed in range(results.sizes["seed"]):
            time, loss = _curve(results, place, seed, "mean_square")
            axes.plot(rates[place] * time, loss, color=colour, lw=0.7, alpha=0.8)
        axes.plot([], [], color=colour, lw=0.9, label=f"$m = {int(results['width'][place])}$")
    time, loss = _curve(results, last, 0, "limit_mean_square")
    axes.plot(rates[last] * time, loss, color=INK, ls=DASHED, label="kernel of the limit")
    clock = rates[last] * time
    if loss.size:
        axes.plot(clock, loss[-1] * np.exp(clock[-1] - clock), color=INK, lw=0.8, ls=":",
                  label=r"rate $2\lambda_{\min}(\Theta)/n$")  # fmt: skip
    axes.set(
        yscale="log", xlabel=r"time $2\lambda_{\min}(\Theta)\,t/n$", ylabel="loss over its start"
    )
    axes.set_ylim(top=3.0)


def _curve(results: xr.Dataset, place: int, seed: int, name: str) -> tuple[Array, Array]:
    """Times and losses of one run in units of the start, as far as there are any."""
    time, loss = results["t"].values[place, seed], results[name].values[place, seed]
    loss = loss / results["mean_square"].values[place, seed, 0]
    kept = np.isfinite(time) & (loss > MOST_FALL)
    return time[kept], loss[kept]


def _draw_rates(axes: Axes, results: xr.Dataset) -> None:
    widths, measured = results["width"].values, results["measured_decay"].values
    words = {
        "limit_decay": "over limiting kernel's",
        "start_decay": "over own kernel's at the start",
    }
    for place, (name, label) in enumerate(words.items()):
        ratio = np.ma.masked_invalid(measured / results[name].values)
        axes.errorbar(
            widths * 1.05**place, ratio.mean(axis=1), deviation(ratio), color=SERIES[place + 2],
            marker=MARKERS[place + 1], elinewidth=0.8, lw=0.8, label=label,
        )  # fmt: skip
    axes.axhline(1.0, color=INK, lw=0.8, ls=DASHED)
    axes.axhspan(0.9, 1.1, color=INK, alpha=0.08, lw=0)
    axes.set(ylabel="measured rate, relative")
    width_axis(axes, results)


def least_eigenvalues(results: xr.Dataset, *, width: float = COLUMN) -> Figure:
    """λ_min of the limiting kernel with β_1 times ε against ε, with the fitted slope.

    Open markers are below the error of the kernels; the line has the slope over the last decade
    that is above it, and the legend says the one that is predicted.

    Args:
        results: what `netphase.concentration.kernel_degeneracy` returned.
        width: width of the figure in inches.

    Returns:
        The figure.

    Raises:
        ArgumentError: ``results`` is of another kind.
    """
    if not {"factor", "least", "resolved"} <= set(results.variables):
        raise ArgumentError("Argument `results` must be a result of kernel_degeneracy.")
    factor, least, good = (results[name].values for name in ("factor", "least", "resolved"))
    slope, setting = results.attrs["slope"], json.loads(results.attrs["setting"])
    with style():
        figure = new_figure(width, 0.8 * width)
        axes = figure.add_subplot()
        axes.plot(factor[good], least[good], ls="none", marker="o", color=SERIES[0])
        hidden = ~good & (least > 0.0)
        axes.plot(factor[hidden], least[hidden], ls="none", marker="o", mfc="none", color=SERIES[0])
        if np.isfinite(slope):
            x, y = factor[good], least[good]
            line = y[0] * (x / x[0]) ** slope
            shown = line <= 10.0 * y.max()
            axes.plot(x[shown], line[shown], color=SERIES[1],
                      label=_slope_label(slope, results.attrs["predicted_slope"]))  # fmt: skip
            axes.legend()
        axes.set(xscale="log", yscale="log", xlabel=r"factor $\varepsilon$ of $\beta_1$",
                 ylabel=r"$\lambda_{\min}(\Theta)$")  # fmt: skip
        axes.set_title(
            f"{setting['activation']}, $L = {setting['depth']}$, $n = {setting['samples']}$"
        )
        tidy(axes)
    return figure


def _slope_label(slope: float, predicted: float) -> str:
    told = f" (predicted {predicted:g})" if np.isfinite(predicted) else ""
    return f"slope {slope + 0.0:.2f}{told}".replace("-", "−")
