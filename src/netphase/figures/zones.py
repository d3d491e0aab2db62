"""The four-zone diagram: which layers move, from the three exponents, and where neurons align."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from netphase._types import Which
from netphase.errors import ArgumentError
from netphase.figures.cells import (
    colour_bar_ends,
    draw_cells,
    frame,
    ordered_plane,
    top_bar,
)
from netphase.figures.diagram import mark_names
from netphase.figures.style import (
    DASHED,
    EXPONENT_LABELS,
    GAMMA,
    GAMMA_PRIME,
    INK,
    PAGE,
    new_figure,
    panel_label,
    style,
)
from netphase.figures.word_maps import colour_patches, draw_words, hatch_patches, map_legend
from netphase.scalings import Zone

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ZONE_COLOURS = {
    Zone.THETA_LAZY: "#f4a582",
    Zone.W_LAG: "#fee0b6",
    Zone.A_LAG: "#a6dba0",
    Zone.CONDENSED: "#92c5de",
    Zone.CRITICAL: "#ffffff",
}
"""Colours of the zones: warm where the input weights stay, cold where they move."""

ON_DARK = "#f0f0f0"
"""Colour of lines over the dark end of a sequential map."""

RHO = r"alignment $\rho$ with $\Sigma_i\, y_i x_i$"
"""Label of a colour bar of ρ."""


def zone_diagram(
    plane: xr.Dataset,
    *,
    limit: float = 1.0,
    names: bool = True,
    exact: bool = True,
    title: str = "",
    width: float = PAGE,
) -> Figure:
    """The zones of the plane beside what tells them: S_w, S_a, S_θ, and the alignment ρ.

    Args:
        plane: an analysed plane (`netphase.analysis.analyse_plane`) or the exact one, with
            ``exponent`` over block, gamma_prime and gamma, and ``zone`` and ``alignment_ratio``
            over gamma_prime and gamma.
        limit: exponent at which the colours saturate, > 0.
        names: whether to mark known initialisations that lie inside the axes.
        exact: whether to draw the exact lines; not every activation has some that are known.
        title: a line above the figure, as activation, data and widths.
        width: width of the figure in inches.

    Returns:
        The figure; the exact lines of infinite width are dashed.

    Raises:
        ArgumentError: a dimension is missing or has fewer than two values.

    References:
        Chen et al. (2023), the phase diagram of initial condensation; the exponents are sharper.
    """
    with style():
        figure = new_figure(width, 0.68 * width, title)
        grid = figure.add_gridspec(2, 4)
        zones = ordered_plane(plane["zone"], "plane.zone")
        _zones(figure, figure.add_subplot(grid[:, :2]), zones, names, exact)
        exponents = plane["exponent"]
        blocks: tuple[Which, ...] = ("w", "a", "theta")
        places = (grid[0, 2], grid[0, 3], grid[1, 2])
        for block, place, letter in zip(blocks, places, "bcd", strict=True):
            table = ordered_plane(exponents.sel(block=block, drop=True), "plane.exponent")
            axes = figure.add_subplot(place)
            _exponent(axes, table, block, limit, exact)
            panel_label(axes, f"({letter})")
        _alignment(figure.add_subplot(grid[1, 3]), plane["alignment_ratio"], exact)
    return figure


def alignment_maps(ratios: Mapping[str, xr.DataArray], *, width: float = PAGE) -> Figure:
    """Maps of ρ over the plane side by side, as of networks and of their equations.

    Args:
        ratios: title → ρ with the dimensions ``gamma_prime`` and ``gamma``; one or more.
        width: width of the figure in inches.

    Returns:
        The figure; the exact lines of infinite width are dashed.

    Raises:
        ArgumentError: there is nothing to draw, or a dimension is missing or has fewer than two
            values.

    References:
        Chen et al. (2023): ρ tends to one in the condensed regime.
    """
    if not ratios:
        raise ArgumentError("Argument `ratios` must hold at least one map, but is empty.")
    tables = {title: ordered_plane(ratio, "ratios") for title, ratio in ratios.items()}
    least = min(float(np.nanmin(table.values)) for table in tables.values())
    with style():
        figure = new_figure(width, 0.92 * width / len(tables) if len(tables) > 1 else 0.8 * width)
        panels = figure.subplots(1, len(tables), squeeze=False, sharey=True)[0]
        for axes, (title, table), letter in zip(panels, tables.items(), "abcdef", strict=False):
            mesh = draw_cells(axes, table, cmap="viridis", vmin=min(least, 0.99), vmax=1.0)
            _small(axes, table, ON_DARK)
            panel_label(axes, f"({letter}) {title}")
        bar = figure.colorbar(mesh, ax=list(panels), pad=0.015, aspect=24)
        bar.set_label(RHO)
        bar.outline.set_linewidth(0.5)
        for axes in panels[1:]:
            axes.set_ylabel("")
    return figure


def _zones(figure: Figure, axes: Axes, table: xr.DataArray, names: bool, exact: bool) -> None:
    """The map of zones, with a legend below all maps."""
    hatched = draw_words(axes, table, ZONE_COLOURS)
    frame(axes, table)
    if exact:
        _lines(axes, legend=True)
    if names:
        mark_names(axes, with_zones=True)
    shown = {
        f"{zone.value}: {zone.alias}": ZONE_COLOURS[zone]
        for zone in Zone
        if np.any(table.values == zone.value)
    }
    drawn, _ = axes.get_legend_handles_labels()
    map_legend(figure, [*colour_patches(shown), *hatch_patches(hatched), *drawn])
    panel_label(axes, "(a) which layers move")


def _exponent(axes: Axes, table: xr.DataArray, block: Which, limit: float, exact: bool) -> None:
    """One small map of an exponent."""
    mesh = draw_cells(axes, table, cmap="RdBu", vmin=-limit, vmax=limit)
    _small(axes, table, INK if exact else None)
    ends = colour_bar_ends(np.asarray(table.values), limit)
    top_bar(axes, mesh, EXPONENT_LABELS[block].split("  ")[0], ends)


def _alignment(axes: Axes, ratio: xr.DataArray, exact: bool) -> None:
    """The small map of ρ."""
    table = ordered_plane(ratio, "plane.alignment_ratio")
    values = np.asarray(table.values, dtype=np.float64)
    least = np.nanmin(values) if np.isfinite(values).any() else 0.0
    mesh = draw_cells(axes, table, cmap="viridis", vmin=min(least, 0.99), vmax=1.0)
    _small(axes, table, ON_DARK if exact else None)
    top_bar(axes, mesh, RHO, "neither")
    panel_label(axes, "(e)")


def _small(axes: Axes, table: xr.DataArray, lines: str | None) -> None:
    """Frame of a small map, and the exact lines in a colour."""
    frame(axes, table, (GAMMA, GAMMA_PRIME), (4, 5))
    if lines is not None:
        _lines(axes, lines)


def _lines(axes: Axes, colour: str = INK, legend: bool = False) -> None:
    """The exact lines between the zones, as far as they lie inside the axes."""
    limits = axes.get_xlim(), axes.get_ylim()
    right = max(limits[0][1], 1.0)
    low, high = limits[1]
    for x, y in (([1.0, 1.0], [low, high]), ([1.0, right], [0.0, right - 1.0])):
        axes.plot(x, y, color=colour, ls=DASHED, lw=1.1, zorder=4)
    axes.plot(
        [1.0, right],
        [0.0, 1.0 - right],
        color=colour,
        ls=DASHED,
        lw=1.1,
        zorder=4,
        label=r"exact, infinite width: $\gamma = 1$, $\gamma^{\prime} = \pm(\gamma - 1)$"
        if legend
        else None,
    )
    axes.set(xlim=limits[0], ylim=limits[1])
