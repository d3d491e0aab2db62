"""What the figures of learning time-scales share: chosen curves, their colours, medians, axes."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.figures.style import COLUMN, SERIES

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_CURVES = 10
"""Values of ε that are drawn; of more, so many evenly spread ones."""

COLOURS = "viridis"
"""Perceptually uniform, from dark (large ε) to light (small ε)."""

LIGHTEST = 0.88
"""Part of the colours that is used: its end is too light on white."""

BAND = (10.0, 90.0)
"""Percentiles of the seeds between which a band is shaded."""

TIME = r"time $t$"
RISK = r"risk $R$"
EPSILON = r"$\varepsilon$"


class Curve(NamedTuple):
    """One value of ε in a figure.

    Attributes:
        place: of ε in the results.
        epsilon: ε.
        colour: of all that is drawn of it.
        time: times > 0, shape (t,).
        kept: which records those are, shape (records,), bools.
    """

    place: int
    epsilon: float
    colour: str
    time: Array
    kept: Array

    def of(self, table: Array) -> Array:
        """The records of this curve in a table (ε, seed, record, …), shape (seed, t, …)."""
        return np.asarray(table[self.place][:, self.kept])


def curves_of(results: xr.Dataset) -> list[Curve]:
    """The values of ε that are drawn, from the largest to the smallest, with their colours.

    Args:
        results: what `netphase.timescales` returned.

    Returns:
        At most `MOST_CURVES` of them, those whose records hold two times > 0.

    Raises:
        ArgumentError: the results are of another kind, or no run has two records.
    """
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    refuse_other(results)
    epsilon, t = results["epsilon"].values, results["t"].values
    kept = np.isfinite(t) & (t > 0.0) & np.isfinite(results["risk"].values).any(axis=1)
    order = [i for i in np.argsort(-epsilon) if kept[i].sum() > 1]
    if not order:
        raise ArgumentError("Argument `results` must hold two records of a run, but does not.")
    if len(order) > MOST_CURVES:
        places = np.linspace(0, len(order) - 1, MOST_CURVES).round().astype(int)
        order = [order[place] for place in places]
    shades = np.linspace(0.0, LIGHTEST, len(order)) if len(order) > 1 else [0.0]
    return [
        Curve(int(i), float(epsilon[i]), to_hex(colormaps[COLOURS](shade)), t[i][kept[i]], kept[i])
        for i, shade in zip(order, shades, strict=True)
    ]


def refuse_other(results: xr.Dataset) -> None:
    """Refuse a dataset that is no result of `netphase.timescales`.

    Raises:
        ArgumentError: a variable that every such result has is missing.
    """
    if not {"epsilon", "degree", "t", "risk", "learning_time"} <= set(results.variables):
        raise ArgumentError("Argument `results` must be a record of netphase.timescales.")


def coefficients(results: xr.Dataset, of: str = "target") -> Array:
    """The Hermite coefficients of the target or the activation, one for each recorded degree.

    Args:
        results: what `netphase.timescales` returned.
        of: "target" or "activation".

    Returns:
        φ_l or σ_l, shape (l,).
    """
    found = json.loads(results.attrs["setting"])[f"{of}_coefficients"]
    return np.array(found[: results.sizes["degree"]])


def degrees_of(results: xr.Dataset) -> list[int]:
    """The degrees that the target has, φ_l ≠ 0."""
    return [int(degree) for degree in np.flatnonzero(coefficients(results))]


class Step(NamedTuple):
    """The fall of the risk while one degree is learnt, as predicted.

    Attributes:
        degree: l.
        before: risk before.
        after: risk behind.
    """

    degree: int
    before: float
    after: float


def steps_of(results: xr.Dataset) -> list[Step]:
    """The falls of the risk, one for each degree that can be learnt."""
    phi, after = coefficients(results), results["predicted_plateau"].values
    able = results["learnable"].values
    return [
        Step(degree, float(after[degree] + 0.5 * phi[degree] ** 2), float(after[degree]))
        for degree in degrees_of(results)
        if able[degree]
    ]


def degree_colour(degree: int) -> str:
    """The colour of a degree, the same in every figure."""
    return SERIES[degree % len(SERIES)]


def draw_median(axes: Axes, curve: Curve, values: Array, **looks: Any) -> None:
    """Draw the median over seeds against time, with a band where there are several.

    Args:
        axes: where to.
        curve: whose times and colour are taken.
        values: shape (seed, t), NaN where a run had ended.
        looks: further properties of the line; ``color`` overrides that of the curve.
    """
    known = np.isfinite(values).any(axis=0)
    time, table = curve.time[known], values[:, known]
    if not len(time):
        return
    line: dict[str, Any] = {"color": curve.colour, **looks}
    axes.plot(time, np.nanmedian(table, axis=0), **line)
    if len(table) > 1:
        low, high = np.nanpercentile(table, BAND, axis=0)
        axes.fill_between(time, low, high, color=line["color"], alpha=0.2, lw=0)


def median(table: Array) -> Array:
    """The median over the seeds, the first axis, of the runs that have a value; else NaN."""
    known = np.isfinite(table).any(axis=0)
    return np.where(known, np.nanmedian(np.where(known, table, 0.0), axis=0), np.nan)


def power_of_ten(value: float) -> str:
    """A number as mathematics, "10^{-4}" or "3 × 10^{-4}", without its dollar signs."""
    exponent = math.floor(math.log10(value) + 1e-9)
    digits = f"{value / 10.0**exponent:.3g}"
    if abs(exponent) < 2:
        return f"{value:.3g}"
    return rf"10^{{{exponent}}}" if digits == "1" else rf"{digits} \times 10^{{{exponent}}}"


def name_epsilons(axes: Axes, curves: list[Curve]) -> None:
    """Add an entry for every ε to the legend."""
    for curve in curves:
        axes.plot(
            [], [], color=curve.colour, label=rf"$\varepsilon = {power_of_ten(curve.epsilon)}$"
        )


def legend_below(figure: Figure, axes: Axes, width: float) -> None:
    """One legend below the figure, in as many columns as its width takes."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=2 if width <= COLUMN else 5,
        columnspacing=1.2,
    )  # fmt: skip


def time_limits(curves: list[Curve], results: xr.Dataset) -> tuple[float, float]:
    """From a little before the first degree is learnt, by any curve, to the last record."""
    first = min(curve.time[0] for curve in curves)
    last = max(curve.time[-1] for curve in curves)
    learnt = results["learning_time"].values
    early = learnt[np.isfinite(learnt) & (learnt > first)]
    return (max(first, 0.1 * float(early.min())) if early.size else first), last
