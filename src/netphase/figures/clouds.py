"""Figures of the neurons' features: orientation against amplitude, one network or a whole grid."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.figures.plane import exact_boundary
from netphase.figures.style import (
    COLUMN,
    FINAL,
    GAMMA,
    GAMMA_PRIME,
    INITIAL,
    PAGE,
    new_figure,
    style,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from netphase.observables import Features

WIDTH_COLOURS = ("#4575b4", "#d73027", "#fdae21", "#1a9850", "#762a83")
"""Colours of clouds of growing width, the widest drawn on top."""

MANY = 100_000
"""Points above which markers shrink to one pixel."""


def feature_cloud(
    initial: Features,
    final: Features,
    *,
    window: tuple[float, float] | None = None,
    width: float = COLUMN,
) -> Figure:
    """Orientation and amplitude of every neuron before and after training.

    The amplitude |a|‖w‖ is divided by the largest one after training, in both clouds.

    Args:
        initial: directions and amplitudes before training (`netphase.observables.features`).
        final: the same after training. Inputs of two dimensions are drawn by their angle, others
            by the projection of their direction on (1, …, 1)/√d.
        window: limits of the orientation; the whole range if None.
        width: width of the figure in inches.

    Returns:
        The figure.

    Raises:
        ArgumentError: the two differ in their inputs, or no amplitude is above zero.

    References:
        Luo, Xu, Ma, Zhang (2021), Fig. 2d-f.
    """
    with style():
        figure = new_figure(width, 0.8 * width)
        axes = figure.add_subplot()
        draw_cloud(axes, initial, final, window)
        handles, labels = axes.get_legend_handles_labels()
        legend = figure.legend(handles, labels, loc="outside lower center", ncols=2)
        for handle in filter(None, legend.legend_handles):
            handle.set_alpha(1.0)
    return figure


def draw_cloud(
    axes: Axes,
    initial: Features,
    final: Features,
    window: tuple[float, float] | None = None,
) -> None:
    """Draw what `feature_cloud` shows into an axes."""
    inputs = final.direction.shape[1]
    if initial.direction.shape[1] != inputs:
        raise ArgumentError(
            "Arguments `initial` and `final` must have the same number of inputs, but have "
            f"{initial.direction.shape[1]} and {inputs}."
        )
    largest = float(np.max(final.amplitude, initial=0.0))
    if not 0.0 < largest < math.inf:
        raise ArgumentError("Argument `final` must have amplitudes above zero, and finite ones.")
    for cloud, colour, label, order in (
        (final, FINAL, "trained", 2),
        (initial, INITIAL, "initial", 3),
    ):
        axes.plot(
            _orientation(cloud),
            cloud.amplitude / largest,
            color=colour,
            label=label,
            zorder=order,
            **_markers(len(cloud.amplitude)),
        )
    _orientation_axis(axes, inputs, window)
    axes.set(ylabel=r"amplitude $|a|\,\|w\|$ / largest", ylim=(-0.03, 1.05))
    tidy(axes)


def cloud_grid(
    cells: Mapping[tuple[float, float], Mapping[int, Features]],
    *,
    window: tuple[float, float] | None = None,
    width: float = PAGE,
) -> Figure:
    """Final clouds of a whole grid of the plane, one small box a cell, one colour a width.

    γ grows to the right and γ' upwards; boxes on the critical line are framed in blue. Each cloud
    is divided by its own largest amplitude.

    Args:
        cells: (γ, γ') → width → directions and amplitudes after training.
        window: limits of the orientation; the whole range if None.
        width: width of the figure in inches.

    Returns:
        The figure.

    Raises:
        ArgumentError: no cells, or clouds of different inputs.

    References:
        Luo, Xu, Ma, Zhang (2021), Figs 6 and 7.
    """
    if not cells:
        raise ArgumentError("Argument `cells` is empty: there is nothing to draw.")
    columns = sorted({gamma for gamma, _ in cells})
    rows = sorted({gamma_prime for _, gamma_prime in cells}, reverse=True)
    widths = sorted({m for clouds in cells.values() for m in clouds})
    sizes = {cloud.direction.shape[1] for clouds in cells.values() for cloud in clouds.values()}
    if len(sizes) != 1:
        raise ArgumentError("Argument `cells` must hold clouds of one number of inputs.")
    planar = sizes == {2}
    with style():
        side = width / (len(columns) + 0.4)
        figure = new_figure(width, side * len(rows) + 0.75)
        boxes = figure.subplots(len(rows), len(columns), squeeze=False)
        for i, gamma_prime in enumerate(rows):
            for j, gamma in enumerate(columns):
                clouds = cells.get((gamma, gamma_prime), {})
                _small_cloud(boxes[i, j], clouds, widths, window or full_range(planar))
                _critical_frame(boxes[i, j], gamma, gamma_prime)
            boxes[i, 0].set_ylabel(
                f"{gamma_prime:g}".replace("-", "−"), rotation=0, ha="right", va="center"
            )
        for j, gamma in enumerate(columns):
            boxes[-1, j].set_xlabel(f"{gamma:g}")
        words = "angle of $w$" if planar else r"projection of $w/\|w\|$"
        figure.supxlabel(f"{GAMMA}   (in each box: {words})", fontsize=8)
        figure.supylabel(f"{GAMMA_PRIME}   (in each box: amplitude / largest)", fontsize=8)
        figure.legend(
            handles=_width_handles(widths), loc="outside upper center", ncols=len(widths) + 1
        )
    return figure


def _orientation(cloud: Features) -> Array:
    """Angle of each neuron for inputs of two dimensions, else projection on (1, …, 1)/√d."""
    if cloud.angle is not None:
        return cloud.angle
    return np.asarray(cloud.direction.sum(axis=1) / math.sqrt(cloud.direction.shape[1]))


def full_range(planar: bool) -> tuple[float, float]:
    """Limits of the orientation axis: of an angle, or of a projection."""
    return (-math.pi, math.pi) if planar else (-1.0, 1.0)


def _markers(count: int) -> dict[str, Any]:
    """Markers small enough for the number of points; rasterised so that files stay small."""
    if count > MANY:
        return {"ls": "none", "marker": ",", "alpha": 0.6, "rasterized": True}
    size = 1.6 if count > 500 else 3.0
    return {"ls": "none", "marker": "o", "ms": size, "mew": 0.0, "alpha": 0.7, "rasterized": True}


def _orientation_axis(axes: Axes, inputs: int, window: tuple[float, float] | None) -> None:
    """Label and range of the orientation axis."""
    planar = inputs == 2
    axes.set(
        xlabel="angle of $w$ = (weight, bias), in radians"
        if planar
        else r"projection of $w/\|w\|$ on $(1,\dots,1)/\sqrt{d}$",
        xlim=window or full_range(planar),
    )
    if planar and window is None:
        axes.set_xticks(
            [-math.pi, -math.pi / 2, 0.0, math.pi / 2, math.pi],
            [r"$-\pi$", r"$-\pi/2$", "0", r"$\pi/2$", r"$\pi$"],
        )


def _small_cloud(
    axes: Axes, clouds: Mapping[int, Features], widths: list[int], limits: tuple[float, float]
) -> None:
    """One box of the grid."""
    for m, cloud in sorted(clouds.items()):
        largest = float(np.max(cloud.amplitude, initial=0.0))
        axes.plot(
            _orientation(cloud),
            cloud.amplitude / (largest if largest > 0.0 else 1.0),
            color=_width_colour(widths.index(m)),
            ls="none",
            marker="," if len(cloud.amplitude) > MANY else "o",
            ms=0.9,
            mew=0.0,
            alpha=0.7,
            rasterized=True,
        )
    axes.set(xticks=[], yticks=[], xlim=limits, ylim=(-0.05, 1.1))


def _critical_frame(axes: Axes, gamma: float, gamma_prime: float) -> None:
    """A thick blue frame around the boxes on the critical line."""
    line = float(exact_boundary("w", np.array([gamma_prime]))[0])
    if abs(gamma - line) < 1e-9:
        for spine in axes.spines.values():
            spine.set(color="#0033cc", linewidth=1.6)


def _width_colour(index: int) -> str:
    return WIDTH_COLOURS[index % len(WIDTH_COLOURS)]


def _width_handles(widths: list[int]) -> list[Any]:
    """Legend entries of the widths and of the critical frame."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Line2D(
            [],
            [],
            ls="none",
            marker="o",
            ms=4,
            color=_width_colour(i),
            label=f"$m$ = {m:,}".replace(",", " "),
        )
        for i, m in enumerate(widths)
    ]
    handles.append(Patch(facecolor="none", edgecolor="#0033cc", lw=1.6, label="critical line"))
    return handles
