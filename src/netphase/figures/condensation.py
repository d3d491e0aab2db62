"""Figures of condensation: cosine heat maps, alignment histograms, counts against time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from netphase._checks import finite_float, positive_int
from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.figures.style import (
    COLUMN,
    FINAL,
    INK,
    PAGE,
    SERIES,
    new_figure,
    panel_label,
    plain_ticks,
    style,
    tidy,
)
from netphase.observables import Features, alignment_histogram, cosine_image, cosines_with

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

DIVERGING, LITERATURE = "RdBu", "YlGnBu"
"""Colour maps of cosines: white at 0 with opposite directions apart, and the literature's."""

DIRECTIONS, EFFECTIVE = SERIES[3], SERIES[2]
"""Colours of the number of directions and of the effective number, here and in films."""

LETTERS = "abcdefgh"
MOST_COLUMNS = 3
"""Heat maps side by side; more of them make further rows."""

LOGARITHMIC = 0.1
"""A record whose initial stage ends before this share of it is drawn on a logarithmic axis."""

NEVER = 1e-4  # shares of a bin below this are drawn on the floor of the axis


def cosine_heat_map(
    features: Features | Mapping[str, Features],
    *,
    threshold: float = 0.05,
    literature: bool = False,
    pixels: int = 1000,
    width: float | None = None,
) -> Figure:
    """Cosines between the input weights of the neurons, ordered so that groups are blocks.

    Neurons are sorted by their components of the leading eigenvector of the cosine matrix, in each
    panel on its own. A condensed network shows uniform blocks: one a direction.

    Args:
        features: directions and amplitudes of some neurons, or title → those of a panel, at most
            eight.
        threshold: neurons at or below this share of the largest amplitude are inactive and left
            out, in [0, 1); their number is written below each panel. Neurons with w = 0 have no
            cosine and are left out in any case.
        literature: use the colours of the literature (YlGnBu) in place of the diverging ones,
            which are white at 0 and tell opposite directions from orthogonal ones.
        pixels: most pixels along a side; where there are more neurons, a pixel is the exact mean
            over those it stands for.
        width: width of the figure in inches.

    Returns:
        The figure.

    Raises:
        ArgumentError: there is no panel or there are too many, a number is not finite, or an
            argument is outside its range.

    References:
        Zhou et al. (NeurIPS 2022), Figs 1-3.
    """
    panels = {"": features} if isinstance(features, Features) else dict(features)
    _count_panels(panels)
    share = finite_float("threshold", threshold)
    if not 0 <= share < 1:
        raise ArgumentError(f"Argument `threshold` must lie in [0, 1), but is {share}.")
    side = positive_int("pixels", pixels)
    with style():
        full = width or (COLUMN if len(panels) == 1 else PAGE)
        rows = -(-len(panels) // MOST_COLUMNS)
        columns = -(-len(panels) // rows)
        figure = new_figure(full, rows * ((full - 1.3) / columns + 0.45))
        boxes = figure.subplots(rows, columns, squeeze=False).ravel()
        for spare in boxes[len(panels) :]:
            spare.remove()
        boxes = boxes[: len(panels)]
        picture = None
        for index, (title, cloud) in enumerate(panels.items()):
            kept = cloud.amplitude > share * np.max(cloud.amplitude, initial=0.0)
            kept &= cloud.direction.any(axis=1)
            picture = _cosines(boxes[index], cloud, kept, side, literature) or picture
            boxes[index].set_title(title)
            if len(panels) > 1:
                panel_label(boxes[index], f"({LETTERS[index]})")
        if picture is not None:
            bar = figure.colorbar(picture, ax=boxes, shrink=0.85, aspect=25, pad=0.015)
            bar.set_label(r"cosine of $w_j$ and $w_k$")
            bar.set_ticks([-1.0, -0.5, 0.0, 0.5, 1.0])
            bar.outline.set_linewidth(0.6)
    return figure


def _cosines(
    axes: Axes,
    cloud: Features,
    kept: npt.NDArray[np.bool_],
    pixels: int,
    literature: bool,
) -> AxesImage | None:
    """One heat map, with what it shows and what it leaves out written below."""
    shown, all_neurons = int(kept.sum()), len(cloud.amplitude)
    left = all_neurons - shown
    axes.set(xlabel=f"{shown} of {all_neurons} neurons" + (f" ({left} inactive)" if left else ""))
    if not shown:
        axes.set(xticks=[], yticks=[])
        axes.text(0.5, 0.5, "no active neuron", ha="center", transform=axes.transAxes)
        return None
    group = -(-shown // pixels)  # neurons a pixel, the same for all but the last
    active = Features(cloud.direction[kept], cloud.amplitude[kept], None)
    image = cosine_image(active, max(1, shown // group))
    picture = axes.imshow(
        image,
        cmap=LITERATURE if literature else DIVERGING,
        vmin=-1.0,
        vmax=1.0,
        extent=(0.5, shown + 0.5, shown + 0.5, 0.5),
        interpolation="nearest",  # real cosines: a mean over a border would be no neuron's
    )
    ticks = [1] if shown == 1 else [1, shown]
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)
    return picture


def alignment_histograms(
    features: Features | Mapping[str, Features],
    direction: Array,
    *,
    bins: int = 50,
    weighted: bool = False,
    name: str = "v",
    about: str = "",
    width: float | None = None,
) -> Figure:
    """How the neurons' cosines with one direction are distributed, against chance.

    The dashed line is the share of each bin for directions drawn evenly over the sphere in d
    dimensions, whose cosine has the density ∝ (1 − c²)^((d−3)/2).

    Args:
        features: directions and amplitudes of some neurons, or title → those of a panel, at most
            eight.
        direction: the direction v, of any length but zero, shape (d,).
        bins: bins over [−1, 1].
        weighted: count amplitudes instead of neurons.
        name: what the axis calls the direction.
        about: what it is, in words, for the legend.
        width: width of the figure in inches.

    Returns:
        The figure: shares on a logarithmic axis, and the median of |cos| over the neurons.

    Raises:
        ArgumentError: there is no panel or there are too many, or an argument is not usable (see
            `netphase.observables.alignment_histogram`).

    References:
        Chen et al. (2023), for the alignment with z = (1/n) Σ y_i x_i.
    """
    panels = {"": features} if isinstance(features, Features) else dict(features)
    _count_panels(panels)
    with style():
        full = width or (COLUMN if len(panels) == 1 else PAGE)
        figure = new_figure(full, 2.3)
        boxes = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
        for index, (title, cloud) in enumerate(panels.items()):
            axes = boxes[index]
            shares, edges = alignment_histogram(cloud, direction, bins, weighted)
            axes.stairs(np.maximum(shares, NEVER), edges, baseline=NEVER, fill=True, color=FINAL,
                        alpha=0.85, label="neurons")  # fmt: skip
            chance = chance_shares(edges, cloud.direction.shape[1])
            if chance is not None:
                axes.stairs(
                    np.maximum(chance, NEVER), edges, baseline=None, color=INK, lw=1.0, ls="--",
                    label="random directions",
                )  # fmt: skip
            median = float(np.nanmedian(np.abs(cosines_with(cloud, direction))))
            axes.text(
                0.5, 0.97, f"median |cos| = {median:.3f}", ha="center", va="top",
                transform=axes.transAxes,
            )  # fmt: skip
            axes.set(
                title=title, xlabel=rf"$\cos(w_k, {name})$", xlim=(-1.02, 1.02),
                yscale="log", ylim=(NEVER, 4.0),
            )  # fmt: skip
            if len(panels) > 1:
                panel_label(axes, f"({LETTERS[index]})")
            tidy(axes)
        what = "amplitude" if weighted else "neurons"
        boxes[0].set_ylabel(f"share of the {what} in a bin")
        handles, labels = boxes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2, title=about or None)
    return figure


def chance_shares(edges: Array, d: int) -> Array | None:
    """Share of each bin of a cosine with a fixed direction, for even directions in d dimensions.

    Args:
        edges: increasing edges of bins in [−1, 1], shape (bins + 1,).
        d: number of dimensions.

    Returns:
        Shares, shape (bins,); None for d = 1, where there are only the cosines ±1.

    Example:
        >>> chance_shares(np.array([-1.0, 0.0, 0.5, 1.0]), 3).tolist()
        [0.5, 0.25, 0.25]
    """
    if d == 1:
        return None
    from scipy.special import betainc

    below = (1.0 + np.sign(edges) * betainc(0.5, (d - 1) / 2, np.minimum(edges**2, 1.0))) / 2
    return np.asarray(np.diff(below))


def condensation_counts(result: xr.Dataset, *, width: float = 0.85 * PAGE) -> Figure:
    """Number of directions, alignment and loss of a network against time while it condenses.

    Args:
        result: what `netphase.condense` returns. With chance levels in it, the number of
            directions and the effective number of random ones are drawn as bands of two standard
            deviations.
        width: width of the figure in inches.

    Returns:
        The figure, on one time axis; a dotted line marks the end of the initial stage.

    Raises:
        ArgumentError: ``result`` lacks a variable, or holds one moment only.
    """
    names = ("direction_clusters", "lines", "effective_number", "mean_square", "initial_stage_end")
    refuse_other("result", result, names)
    time, label, logarithmic = clock_of(result)
    with style():
        figure = new_figure(width, 0.75 * width)
        counts, aligned, loss = figure.subplots(3, sharex=True, height_ratios=(3, 2, 2))
        _numbers(counts, result, time)
        _alignment(aligned, result, time)
        loss.plot(time, result["mean_square"].values / 2, color=INK)
        loss.set(ylabel="loss", yscale="log" if _decades(result) > 1 else "linear", xlabel=label)
        end = float(np.interp(result["initial_stage_end"], result["time"].values, time))
        for axes in (counts, aligned, loss):
            if math.isfinite(end):
                words = "end of the initial stage" if axes is counts else None
                axes.axvline(end, color=INK, lw=0.7, ls=":", label=words)
            tidy(axes)
        for axes in (counts, aligned):
            if axes.get_legend_handles_labels()[1]:
                axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        if logarithmic:
            loss.set_xscale("log")
        loss.set_xlim(time[time > 0.0].min() if logarithmic else 0.0, time.max())
        figure.align_ylabels()
    return figure


def refuse_other(name: str, result: xr.Dataset, variables: tuple[str, ...]) -> None:
    """Refuse what is no record of a condensing network, or one of a single moment.

    Args:
        name: the argument's name, for the message.
        result: what was passed.
        variables: variables that it must hold.

    Raises:
        ArgumentError: a variable is missing, or there is one moment only.
    """
    missing = [each for each in (*variables, "time") if each not in result.variables]
    if missing or result.sizes["time"] < 2:
        raise ArgumentError(
            f"Argument `{name}` must be what netphase.condense returns, with two moments at least, "
            + (f"but lacks {', '.join(missing)}." if missing else "but holds one.")
        )


def clock_of(result: xr.Dataset) -> tuple[Array, str, bool]:
    """The time axis of a record as people read it.

    Args:
        result: what `netphase.condense` returns.

    Returns:
        Times: in units of the growth time 1/λ where growth is exponential, else t, or steps;
        their axis label; whether they are better shown on a logarithmic axis.
    """
    if "raw_time" not in result.variables:
        time, label = result["time"].values, "steps"
    elif "growth_rate" in result:
        rate = float(result["growth_rate"])
        time, label = rate * result["raw_time"].values, r"time $\lambda t$ (λ: initial growth rate)"
    else:
        time, label = result["raw_time"].values, r"time $t$"
    end = float(result["initial_stage_end"])
    logarithmic = end < LOGARITHMIC * float(result["time"][-1])
    return np.asarray(time, dtype=np.float64), label, logarithmic


def _decades(result: xr.Dataset) -> float:
    """Over how many powers of ten the loss falls."""
    values = result["mean_square"].values
    return float(np.log10(values.max() / max(values.min(), 1e-300)))


def _numbers(axes: Axes, result: xr.Dataset, time: Array) -> None:
    """Directions, lines and effective number, with their chance levels."""
    for name, words, colour, style_of in (
        ("direction_clusters", "directions", DIRECTIONS, "-"),
        ("lines", "lines", SERIES[6], "--"),
        ("effective_number", "effective number", EFFECTIVE, "-"),
    ):
        axes.plot(time, result[name].values, color=colour, ls=style_of, label=words)
        if f"{name}_chance" not in result:
            continue
        mean, std = (result[f"{name}_chance{end}"].values for end in ("", "_std"))
        drawn = np.isfinite(mean) & np.isfinite(std)
        low = np.maximum(mean - 2 * std, 0.5)[drawn]
        axes.fill_between(
            time[drawn], low, (mean + 2 * std)[drawn], color=colour, alpha=0.2, lw=0,
            label=f"{words}, random neurons",
        )  # fmt: skip
    axes.set(ylabel="directions in use", yscale="log")
    axes.set_ylim(0.8, max(2.2, axes.get_ylim()[1]))
    axes.yaxis.set_major_formatter("{x:g}")
    plain_ticks(axes)


def _alignment(axes: Axes, result: xr.Dataset, time: Array) -> None:
    """How far the neurons lie on what was predicted, or along z."""
    for name, words, colour, style_of in (
        (
            "median_cosine",
            "median cosine with the nearest\npredicted direction (same sign of $a$)",
            SERIES[0],
            "-",
        ),
        ("predicted_share", "share of the amplitude on one\n(cosine > 0.95)", SERIES[4], "--"),
        ("alignment_ratio", r"$\rho$ along $z$", SERIES[5], ":"),
    ):
        if name in result and np.isfinite(result[name].values).any():
            axes.plot(time, result[name].values, color=colour, ls=style_of, label=words)
    axes.set(ylabel="alignment", ylim=(min(-0.03, axes.get_ylim()[0]), 1.05))


def _count_panels(panels: Mapping[str, Features]) -> None:
    """Refuse no panel and more than there are letters for."""
    if not 1 <= len(panels) <= len(LETTERS):
        raise ArgumentError(
            f"Argument `features` must hold 1 to {len(LETTERS)} panels, but holds {len(panels)}."
        )
