"""The measured phase diagram: an exponent over the (γ, γ') plane, exact over measured boundary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from netphase._checks import positive_float
from netphase._types import Array, Which
from netphase.errors import ArgumentError
from netphase.figures.plane import exact_boundary, known_points
from netphase.figures.style import (
    COLUMN,
    EXPONENT_LABELS,
    GAMMA_AXIS,
    GAMMA_PRIME_AXIS,
    new_figure,
    style,
)
from netphase.scalings import zone_at

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

UNUSABLE = {"undetermined": "//////", "not converged": "xxxxxx"}
"""Verdicts that hatch a cell, and their hatches."""


class Zeros(Protocol):
    """Points of a boundary: one γ a row, NaN where a row has none."""

    @property
    def gamma_prime(self) -> Array | Sequence[float]:
        """Rows, shape (rows,)."""

    @property
    def gamma(self) -> Array | Sequence[float]:
        """Zero of the exponent in each row, shape (rows,)."""


class Boundary(Zeros, Protocol):
    """A measured boundary: points with their errors."""

    @property
    def standard_error(self) -> Array | Sequence[float]:
        """Standard error of ``gamma``, shape (rows,)."""


def phase_diagram(
    exponents: xr.DataArray,
    *,
    which: Which = "w",
    verdicts: xr.DataArray | None = None,
    boundary: Boundary | None = None,
    whole_row: Zeros | None = None,
    published: Zeros | None = None,
    limit: float = 0.5,
    names: bool = True,
    exact: bool = True,
    width: float = COLUMN,
) -> Figure:
    """Heat map of an exponent over the plane, the exact boundary over the measured one.

    Red is the linear side (the exponent is negative: the change dies out with the width), blue the
    condensed side (positive: it grows).

    Args:
        exponents: S_w, S_a or S_θ with the dimensions ``gamma_prime`` and ``gamma``.
        which: which of the three it is.
        verdicts: strings with the same dimensions; cells called "undetermined" or
            "not converged" are hatched.
        boundary: local zeros of the exponent, drawn solid with a band of one standard error.
        whole_row: zeros of a straight line through the whole row, drawn as open stars.
        published: such zeros as a paper printed them, drawn as filled stars.
        limit: exponent at which the colours saturate, > 0.
        names: whether to mark the known initialisations that lie inside the axes.
        exact: whether to draw the exact boundary; not every activation has one that is known.
        width: width of the figure in inches.

    Returns:
        The figure.

    Raises:
        ArgumentError: a dimension is missing or has fewer than two values.

    References:
        Luo, Xu, Ma, Zhang (2021), Figs 4 and 10.
    """
    table = ordered_plane(exponents, "exponents")
    limit = positive_float("limit", limit)
    gamma, gamma_prime = table["gamma"].values, table["gamma_prime"].values
    values = np.asarray(table.values, dtype=np.float64)
    with style():
        figure = new_figure(width, 1.3 * width)
        axes = figure.add_subplot()
        mesh = axes.pcolormesh(
            cell_edges(gamma),
            cell_edges(gamma_prime),
            np.ma.masked_invalid(values),
            cmap="RdBu",
            vmin=-limit,
            vmax=limit,
            edgecolors="none",
            rasterized=True,
        )
        axes.set_facecolor("#d9d9d9")
        frame(axes, gamma, gamma_prime)
        hatched = []
        if verdicts is not None:
            dark = np.abs(np.nan_to_num(values)) > 0.6 * limit
            hatched = hatch_cells(axes, ordered_plane(verdicts, "verdicts"), dark)
        if exact:
            _draw_exact(axes, which, gamma_prime)
        _draw_boundaries(axes, boundary, whole_row, published)
        if names:
            mark_names(axes)
        bar = figure.colorbar(
            mesh, ax=axes, extend=colour_bar_ends(values, limit), pad=0.02, aspect=26
        )
        bar.set_label(EXPONENT_LABELS[which])
        bar.outline.set_linewidth(0.5)
        _legend(figure, axes, which, hatched)
    return figure


def cell_edges(centres: Array) -> Array:
    """Edges of cells around unevenly spaced centres, half-way between neighbours.

    Args:
        centres: increasing coordinates, shape (k,), k ≥ 2.

    Returns:
        Edges, shape (k + 1,).
    """
    middle = 0.5 * (centres[1:] + centres[:-1])
    first = centres[0] - (middle[0] - centres[0])
    last = centres[-1] + (centres[-1] - middle[-1])
    return np.concatenate(([first], middle, [last]))


def ordered_plane(table: xr.DataArray, name: str) -> xr.DataArray:
    """A table over the plane with both axes increasing.

    Args:
        table: values with the dimensions ``gamma_prime`` and ``gamma``, in any order.
        name: what to call it in an error.

    Returns:
        The same with dimensions (gamma_prime, gamma).

    Raises:
        ArgumentError: a dimension is missing or has fewer than two values.
    """
    if set(table.dims) != {"gamma_prime", "gamma"}:
        raise ArgumentError(
            f"Argument `{name}` must have the dimensions gamma_prime and gamma, "
            f"but has {', '.join(map(str, table.dims)) or 'none'}."
        )
    if min(table.shape) < 2:
        raise ArgumentError(
            f"Argument `{name}` must hold at least two values of gamma and of gamma_prime to be "
            "drawn as a plane; draw a single row or column as a curve."
        )
    return table.transpose("gamma_prime", "gamma").sortby(["gamma_prime", "gamma"])


def colour_bar_ends(values: Array, limit: float) -> Literal["neither", "min", "max", "both"]:
    """Which ends of a colour bar over ± ``limit`` need an arrow for these values."""
    finite = values[np.isfinite(values)]
    low, high = bool(np.any(finite < -limit)), bool(np.any(finite > limit))
    if low and high:
        return "both"
    return "min" if low else "max" if high else "neither"


def frame(axes: Axes, gamma: Array, gamma_prime: Array) -> None:
    """Limits, ticks and labels of a diagram with cells around these centres."""
    from matplotlib.ticker import MaxNLocator

    edges = cell_edges(gamma), cell_edges(gamma_prime)
    axes.set(
        xlim=(edges[0][0], edges[0][-1]),
        ylim=(edges[1][0], edges[1][-1]),
        xlabel=GAMMA_AXIS,
        ylabel=GAMMA_PRIME_AXIS,
    )
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))


def hatch_cells(
    axes: Axes, verdicts: xr.DataArray, dark: np.ndarray[Any, np.dtype[np.bool_]]
) -> list[str]:
    """Hatch the cells whose verdict is no regime.

    Args:
        axes: where the cells are drawn.
        verdicts: words over (gamma_prime, gamma), ordered.
        dark: which cells need a light hatch, same shape.

    Returns:
        The words of the hatches used.
    """
    from matplotlib.patches import Rectangle

    x, y = cell_edges(verdicts["gamma"].values), cell_edges(verdicts["gamma_prime"].values)
    used = []
    for word, hatch in UNUSABLE.items():
        cells = np.argwhere(verdicts.values == word)
        for row, column in cells:
            axes.add_patch(
                Rectangle(
                    (x[column], y[row]),
                    x[column + 1] - x[column],
                    y[row + 1] - y[row],
                    fill=False,
                    hatch=hatch,
                    edgecolor="white" if dark[row, column] else "#333333",
                    linewidth=0.0,
                )
            )
        if len(cells):
            used.append(word)
    return used


def _draw_exact(axes: Axes, which: Which, gamma_prime: Array) -> None:
    """The exact boundary of infinite width, dashed."""
    edges = cell_edges(gamma_prime)
    rows = np.unique(np.concatenate((edges, [0.0]) if edges[0] < 0 < edges[-1] else (edges,)))
    axes.plot(
        exact_boundary(which, rows),
        rows,
        color="black",
        ls=(0, (4, 2)),
        lw=1.3,
        zorder=4,
        label="exact boundary, infinite width",
    )


def _draw_boundaries(
    axes: Axes, boundary: Boundary | None, whole_row: Zeros | None, published: Zeros | None
) -> None:
    """Measured line solid with its band, stars of the whole-row zeros."""
    if boundary is not None:
        at, centre, error = (
            np.asarray(v, dtype=np.float64)
            for v in (boundary.gamma_prime, boundary.gamma, boundary.standard_error)
        )
        axes.fill_betweenx(
            at, centre - error, centre + error, color="#006d2c", alpha=0.25, lw=0, zorder=3
        )
        axes.errorbar(
            centre,
            at,
            xerr=np.where(np.isfinite(error), error, 0.0),
            color="#006d2c",
            lw=1.3,
            elinewidth=0.8,
            capsize=1.5,
            marker="o",
            ms=2.6,
            zorder=5,
            label="measured boundary (local zero of the row, ± s.e.)",
        )
    for stars, face, text in (
        (whole_row, "none", "zero of a straight line through the whole row"),
        (published, "#ffd92f", "published zero of such a line"),
    ):
        if stars is not None:
            axes.plot(
                stars.gamma,
                stars.gamma_prime,
                ls="none",
                marker="*",
                ms=7.0,
                mfc=face,
                mec="black",
                mew=0.6,
                zorder=6,
                label=text,
            )


def mark_names(axes: Axes, with_zones: bool = False) -> None:
    """Mark the known initialisations that lie inside the axes; the legend names them.

    Args:
        axes: a map of the plane with its limits set.
        with_zones: whether the names are followed by the zone of the place.
    """
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    places: dict[tuple[float, float], list[str]] = {}
    for label, gamma, gamma_prime in known_points():
        if left < gamma < right and low < gamma_prime < high:
            places.setdefault((round(gamma, 9), round(gamma_prime, 9)), []).append(label)
    for index, ((gamma, gamma_prime), labels) in enumerate(places.items()):
        zone = f" ({zone_at(gamma, gamma_prime).value})" if with_zones else ""
        axes.plot(
            gamma,
            gamma_prime,
            ls="none",
            marker="DPXv"[index % 4],
            ms=5,
            mfc="#984ea3",
            mec="white",
            mew=0.7,
            zorder=7,
            label=", ".join(labels) + zone,
        )


SIDES: dict[str, tuple[str, str, str]] = {
    "w": (
        "linear (lazy, kernel)",
        "critical (mean-field, μP-like)",
        "condensed (rich, feature learning)",
    ),
    "a": ("output weights stay", "marginal", "output weights move"),
    "theta": ("all weights stay", "marginal", "some weights move"),
}
"""What a negative, a vanishing and a positive exponent mean, for each of the three."""


def _sides(which: Which) -> tuple[list[Any], list[str]]:
    """Legend entries that say, in both vocabularies, what the colours mean."""
    from matplotlib.patches import Patch

    symbol = {"w": "S_w", "a": "S_a", "theta": r"S_\theta"}[which]
    handles = [
        Patch(facecolor=colour, edgecolor="#888888", lw=0.4)
        for colour in ("#c23b3b", "#f7f7f7", "#3a83bb")
    ]
    labels = [
        f"${symbol} {sign} 0$: {words}"
        for sign, words in zip(("<", r"\approx", ">"), SIDES[which], strict=True)
    ]
    return handles, labels


def _legend(figure: Figure, axes: Axes, which: Which, hatched: Sequence[str]) -> None:
    """One legend below the axes, so that it hides no cell: colours, hatches, lines and marks."""
    from matplotlib.patches import Patch

    handles, labels = _sides(which)
    handles += [
        Patch(facecolor="white", edgecolor="#555555", hatch=UNUSABLE[word], lw=0.0)
        for word in hatched
    ]
    labels += hatched
    drawn = sorted(
        zip(*axes.get_legend_handles_labels(), strict=True),
        key=lambda entry: ("boundary" not in entry[1], "zero" not in entry[1]),
    )
    handles += [handle for handle, _ in drawn]
    labels += [label for _, label in drawn]
    figure.legend(
        handles, labels, loc="outside lower left", ncols=1, labelspacing=0.3, borderaxespad=0.2
    )
