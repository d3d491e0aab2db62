"""The measured phase diagram: an exponent over the (γ, γ') plane, exact over measured boundary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from netphase._checks import positive_float
from netphase._types import Array, Which
from netphase.figures.cells import (
    cell_edges,
    colour_bar_ends,
    draw_cells,
    draw_marks,
    draw_measured,
    frame,
    hatch_cells,
    ordered_plane,
)
from netphase.figures.plane import exact_boundary, known_points
from netphase.figures.style import COLUMN, DASHED, EXPONENT_LABELS, new_figure, style
from netphase.figures.word_maps import colour_patches, hatch_patches, map_legend
from netphase.scalings import zone_at

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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
    values = np.asarray(table.values, dtype=np.float64)
    with style():
        figure = new_figure(width, 1.3 * width)
        axes = figure.add_subplot()
        mesh = draw_cells(axes, table, cmap="RdBu", vmin=-limit, vmax=limit)
        frame(axes, table)
        hatched = []
        if verdicts is not None:
            dark = np.abs(np.nan_to_num(values)) > 0.6 * limit
            hatched = hatch_cells(axes, ordered_plane(verdicts, "verdicts"), dark)
        if exact:
            _draw_exact(axes, which, table["gamma_prime"].values)
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


def _draw_exact(axes: Axes, which: Which, gamma_prime: Array) -> None:
    """The exact boundary of infinite width, dashed."""
    edges = cell_edges(gamma_prime)
    rows = np.unique(np.concatenate((edges, [0.0]) if edges[0] < 0 < edges[-1] else (edges,)))
    axes.plot(
        exact_boundary(which, rows),
        rows,
        color="black",
        ls=DASHED,
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
        draw_measured(axes, centre, at, error, "measured boundary (local zero of the row, ± s.e.)")
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
    places: dict[tuple[float, float], list[str]] = {}
    for label, gamma, gamma_prime in known_points():
        places.setdefault((round(gamma, 9), round(gamma_prime, 9)), []).append(label)
    draw_marks(
        axes,
        {
            place: ", ".join(labels) + (f" ({zone_at(*place).value})" if with_zones else "")
            for place, labels in places.items()
        },
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

SIDE_COLOURS = ("#c23b3b", "#f7f7f7", "#3a83bb")
"""Colours of these."""


def _sides(which: Which) -> dict[str, str]:
    """What the colours mean, in both vocabularies: words → colour."""
    symbol = {"w": "S_w", "a": "S_a", "theta": r"S_\theta"}[which]
    sides = zip(("<", r"\approx", ">"), SIDES[which], SIDE_COLOURS, strict=True)
    return {f"${symbol} {sign} 0$: {words}": colour for sign, words, colour in sides}


def _legend(figure: Figure, axes: Axes, which: Which, hatched: Sequence[str]) -> None:
    """One legend below the axes: colours, hatches, lines and marks."""
    drawn = sorted(
        zip(*axes.get_legend_handles_labels(), strict=True),
        key=lambda entry: ("boundary" not in entry[1], "zero" not in entry[1]),
    )
    entries = [*colour_patches(_sides(which)), *hatch_patches(hatched, face="white")]
    map_legend(figure, [*entries, *(handle for handle, _ in drawn)], columns=1)
