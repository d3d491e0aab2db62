"""The plane of two exponents of deep networks: its axes, its exact lines, and one small map."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from netphase._types import Array
from netphase.analysis import layer_boundary
from netphase.analysis.layers import Plane
from netphase.figures.cells import (
    MEASURED,
    cell_edges,
    colour_bar_ends,
    draw_cells,
    frame,
    hatch_cells,
    ordered_plane,
)
from netphase.figures.style import DASHED, GAMMA, INK
from netphase.scalings import LAYER_INITIALISATIONS, LayerScaling, layer_initialisation

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.figure import Figure

FINE = 41
"""Points along either axis of the grid in which the exact lines are found."""

HALVINGS = 8
"""Bisections that settle a point of an exact line between two points of that grid."""

SAME = 1e-9
"""Exponents closer than this are the same."""

OPERATOR = r"exponent $S$ of a layer's change  (operator norm $\propto m^{S}$)"
"""Label of a colour bar of operator-norm exponents."""

NAMES = {
    "lecun": "LeCun",
    "he": "He",
    "xavier": "Xavier",
    "ntk": "NTK",
    "mup": "μP",
    "mup_one_rate": "μP, one rate",
    "pytorch": "PyTorch",
}
"""How initialisations are written, where their name is not the word itself."""


class LayerPlane(Plane):
    """The plane that a layer sweep spans, as its figures need it.

    Args:
        exponents: from `netphase.analysis.layer_exponents`.

    Raises:
        ArgumentError: an attribute or the exponents are missing.
    """

    def __init__(self, exponents: xr.Dataset) -> None:
        super().__init__("exponents", exponents, "operator")
        self._coordinates = {name: exponents[name].values for name in self.axes}

    @property
    def dims(self) -> tuple[str, str]:
        """Dimensions of a table over the plane, the vertical one first."""
        return self.axes[1], self.axes[0]

    def ordered(self, table: xr.DataArray) -> xr.DataArray:
        """A table over the plane with rows along y, and both axes increasing.

        Raises:
            ArgumentError: it has other dimensions, one row only, or one column only.
        """
        return ordered_plane(table, "exponents", self.dims)

    @cached_property
    def labels(self) -> tuple[str, str]:
        """What the horizontal and the vertical axis are called, with how they are defined."""
        return _label(self.axes[0], self.depth), _label(self.axes[1], self.depth)

    @property
    def symbols(self) -> tuple[str, str]:
        """The same in short."""
        return _symbol(self.axes[0]), _symbol(self.axes[1])

    def place_of(self, scaling: LayerScaling) -> tuple[float, float] | None:
        """Where a scaling is in the plane, or None where it lies outside of it.

        A factor common to all learning rates changes the clock alone and is left out.
        """
        x, y = (_value(scaling, name) for name in self.axes)
        here = self.scaling(x, y)
        clock = scaling.rates[0] - here.rates[0]
        gaps = [
            scaling.alpha - here.alpha,
            *np.subtract(scaling.g, here.g),
            *(np.subtract(scaling.rates, here.rates) - clock),
        ]
        return (x, y) if np.max(np.abs(gaps)) < SAME else None

    def named(self) -> dict[tuple[float, float], str]:
        """Place in the plane → names of the initialisations that are there."""
        found: dict[tuple[float, float], list[str]] = {}
        for name in LAYER_INITIALISATIONS:
            place = self.place_of(layer_initialisation(name, self.depth, 1))
            if place is not None:
                rounded = round(place[0], 9) + 0.0, round(place[1], 9) + 0.0
                found.setdefault(rounded, []).append(NAMES.get(name, name.replace("_", " ")))
        return {place: ", ".join(words) for place, words in found.items()}

    @cached_property
    def _fine(self) -> tuple[Array, Array]:
        """`FINE` points along either axis, from the first to the last edge of the cells."""
        edges = (cell_edges(np.sort(self._coordinates[name])) for name in self.axes)
        x, y = (np.linspace(each[0], each[-1], FINE) for each in edges)
        return x, y

    @cached_property
    def _heights(self) -> Array:
        """Exact exponents of the layers on the fine grid, shape (L + 1, FINE, FINE)."""
        fine_x, fine_y = self._fine
        table = [[self.operators(float(a), float(b)) for a in fine_x] for b in fine_y]
        return np.moveaxis(np.array(table), -1, 0)

    def _kappa(self) -> Array:
        """Lim log κ/log m on the fine grid, shape (FINE, FINE); it is linear in all exponents."""
        fine_x, fine_y = self._fine
        low, left = float(fine_y[0]), float(fine_x[0])
        along_x = [self.scaling(float(a), low).log_m_kappa for a in fine_x]
        along_y = [self.scaling(left, float(b)).log_m_kappa for b in fine_y]
        return np.asarray(np.add.outer(along_y, along_x) - along_x[0])

    def _settled(self, layer: int, x: float, y: float) -> tuple[float, float]:
        """The exact zero on the edge of the fine grid on which an interpolated one lies."""
        place = np.array([x, y])
        # an edge runs along the axis on which the point is between the grid's values
        gaps = [np.abs(fine - at).min() for fine, at in zip(self._fine, place, strict=True)]
        axis = int(np.argmax(gaps))
        fine = self._fine[axis]
        k = int(np.clip(np.searchsorted(fine, place[axis]), 1, FINE - 1))
        ends = [place.copy(), place.copy()]
        ends[0][axis], ends[1][axis] = fine[k - 1], fine[k]
        first, last = (self._positive(layer, end) for end in ends)
        if first == last:  # the point is one of the grid, where nothing was interpolated
            return x, y
        for _ in range(HALVINGS):
            middle = 0.5 * (ends[0] + ends[1])
            ends[0 if self._positive(layer, middle) == first else 1] = middle
        centre = 0.5 * (ends[0] + ends[1])
        return float(centre[0]), float(centre[1])

    def _positive(self, layer: int, place: Array) -> bool:
        """Whether the exact exponent of a layer is positive at a place."""
        return bool(self.operators(float(place[0]), float(place[1]))[layer - 1] > 0)

    def draw_line(self, axes: Axes, layer: int | None = None) -> None:
        """The exact line of infinite width, dashed: where a layer's exponent vanishes, or κ = 1.

        Args:
            axes: a map of the plane.
            layer: which layer's, None for that of κ.
        """
        import matplotlib.patheffects as effects

        values = self._kappa() if layer is None else self._heights[layer - 1]
        if not np.nanmin(values) < 0 < np.nanmax(values):
            return
        contour = axes.contour(*self._fine, values, levels=[0.0])
        pieces = [
            np.asarray(piece, dtype=np.float64)
            for path in contour.get_paths()
            for piece in path.to_polygons(closed_only=False)
        ]
        contour.remove()  # exponents bend at their zeros, where a contour between points is jagged
        look: dict[str, Any] = {"color": INK, "ls": DASHED, "lw": 1.1, "zorder": 4}
        look["path_effects"] = [effects.withStroke(linewidth=1.9, foreground="white", alpha=0.7)]
        for piece in pieces:
            places = piece
            if layer is not None:
                places = np.array([self._settled(layer, float(x), float(y)) for x, y in piece])
            axes.plot(places[:, 0], places[:, 1], **look)

    def draw_map(
        self, axes: Axes, table: xr.DataArray, limit: float, verdicts: xr.DataArray | None = None
    ) -> tuple[QuadMesh, list[str]]:
        """A small map of an exponent, red where it is negative and blue where it is positive.

        Args:
            axes: where to draw.
            table: exponents, ordered.
            limit: exponent at which the colours saturate.
            verdicts: words of the same cells, ordered; those without a regime are hatched.

        Returns:
            The cells, and the words of the hatches.
        """
        cells = draw_cells(axes, table, cmap="RdBu", vmin=-limit, vmax=limit)
        frame(axes, table, self.symbols, (4, 5))
        if verdicts is None:
            return cells, []
        dark = np.abs(np.nan_to_num(table.values)) > 0.6 * limit
        return cells, hatch_cells(axes, verdicts, dark)

    def draw_zeros(self, axes: Axes, exponents: xr.Dataset, layer: int | None = None) -> None:
        """Where a measured exponent vanishes along the rows and along the columns.

        A zero is a point with one standard error; those that are off by more than the spacing of
        the cells, as of a row that lies on the boundary itself, are left out.

        Args:
            axes: a map of the plane.
            exponents: from `netphase.analysis.layer_exponents`.
            layer: which layer's exponent, None for the largest of all.
        """
        look: dict[str, Any] = {"color": MEASURED, "ls": "none", "elinewidth": 0.8, "capsize": 1.2}
        look |= {"marker": "o", "ms": 2.2, "zorder": 5}
        x, y = self.axes
        rows = layer_boundary(exponents, layer)
        error = rows.standard_error
        known = error < np.ptp(exponents[x].values) / (exponents.sizes[x] - 1)
        axes.errorbar(rows.x[known], rows.y[known], xerr=error[known], **look)
        columns = layer_boundary(exponents.assign_attrs(plane_x=y, plane_y=x), layer)
        error = columns.standard_error
        known = error < np.ptp(exponents[y].values) / (exponents.sizes[y] - 1)
        axes.errorbar(columns.y[known], columns.x[known], yerr=error[known], **look)


def share_bar(
    figure: Figure,
    panels: Sequence[Axes],
    cells: QuadMesh,
    tables: Sequence[xr.DataArray],
    limit: float,
    label: str = OPERATOR,
) -> None:
    """One colour bar for several maps of exponents.

    Args:
        figure: the figure.
        panels: the maps.
        cells: the cells of one of them.
        tables: what they show.
        limit: exponent at which the colours saturate.
        label: what the colours mean.
    """
    values = np.concatenate([table.values.ravel() for table in tables])
    bar = figure.colorbar(
        cells, ax=list(panels), extend=colour_bar_ends(values, limit), pad=0.015, aspect=32
    )
    bar.set_label(label)
    bar.outline.set_linewidth(0.5)


def label_outer(panels: Sequence[Axes]) -> None:
    """Keep the labels of small maps in a grid at its left and lower sides only."""
    places = {_place(axes): axes for axes in panels}
    for (row, column), axes in places.items():
        if (row, column - 1) in places:
            axes.set_ylabel("")
            axes.tick_params(labelleft=False)
        if (row + 1, column) in places:
            axes.set_xlabel("")
            axes.tick_params(labelbottom=False)


def _place(axes: Axes) -> tuple[int, int]:
    """Row and column of a panel in its grid."""
    place = axes.get_subplotspec()
    assert place is not None
    return place.rowspan.start, place.colspan.start


def layer_name(layer: int, depth: int) -> str:
    """What a layer of weights is called in a title."""
    where = {1: ", inputs", depth + 1: ", output"}.get(layer, "")
    return f"$W^{{[{layer}]}}${where}"


def _parts(name: str) -> tuple[str, str]:
    """Kind and layer of an axis, as ("g", "2"); ("gamma", "") where it belongs to no layer."""
    kind = name.rstrip("0123456789")
    return kind, name.removeprefix(kind)


def _value(scaling: LayerScaling, name: str) -> float:
    """The exponent of a name in a scaling."""
    kind, layer = _parts(name)
    if not layer:
        return scaling.gamma if kind == "gamma" else scaling.alpha
    return (scaling.g if kind == "g" else scaling.rates)[int(layer) - 1]


def _symbol(name: str) -> str:
    """A mathematical symbol of an axis."""
    kind, layer = _parts(name)
    return {
        "g": f"$g_{{{layer}}}$",
        "rate": rf"$\log_m\,\eta_{{{layer}}}$",
        "alpha": r"$\log_m\,\alpha$",
        "gamma": GAMMA,
    }[kind]


def _label(name: str, depth: int) -> str:
    """An axis by its symbol and its definition."""
    kind, layer = _parts(name)
    product = r"\cdots".join(rf"\beta_{{{k}}}" for k in (1, depth + 1))
    definition = {
        "g": rf"from $\beta_{{{layer}}} = m^{{-g_{{{layer}}}}}$",
        "rate": f"learning rate of layer {layer}",
        "alpha": r"$\alpha$ divides the output",
        "gamma": rf"from ${product}/\alpha = m^{{-\gamma}}$",
    }[kind]
    return f"{_symbol(name)}  ({definition})"
