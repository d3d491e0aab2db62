"""What figures of kernels beside their limits share: two panels, widths, spreads, a check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.figures.style import new_figure, panel_label, plain_ticks, style, tidy

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def two_panels(
    results: xr.Dataset,
    parts: Mapping[str, Callable[[Axes, xr.Dataset], None]],
    size: tuple[float, float],
    *,
    legend_at: float | None = None,
    sharey: bool = False,
) -> Figure:
    """Two panels side by side, by their titles; legends inside, or below at this height."""
    below: dict[str, Any] = {}
    if legend_at is not None:
        below = {"loc": "upper center", "bbox_to_anchor": (0.5, legend_at), "ncols": 2}
    with style():
        figure = new_figure(*size)
        panels = figure.subplots(1, 2, sharey=sharey)
        for axes, letter, (title, draw) in zip(panels, "ab", parts.items(), strict=True):
            draw(axes, results)
            panel_label(axes, f"({letter}) {title}")
            tidy(axes)
            axes.legend(**below)
    return figure


def width_axis(axes: Axes, results: xr.Dataset) -> None:
    """The axis of widths, which may be a single one."""
    widths = results["width"].values
    axes.set(xscale="log", xlabel=r"width $m$", xlim=(0.8 * widths[0], 1.25 * widths[-1]))
    plain_ticks(axes)


def deviation(table: Array) -> Array | None:
    """Standard deviation over the seeds as tables print it, (width,); None with one seed."""
    return table.std(axis=1, ddof=1) if table.shape[1] > 1 else None


def refuse_other(results: xr.Dataset) -> None:
    """Refuse what `netphase.concentration.kernel_concentration` has not returned."""
    if not {"tangent_error", "limit_eigenvalue", "share"} <= set(results.variables):
        raise ArgumentError("Argument `results` must be a result of kernel_concentration.")
