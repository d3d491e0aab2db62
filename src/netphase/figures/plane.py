"""The (γ, γ') plane of the theory: its exact boundaries and where known initialisations sit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from netphase import scalings
from netphase._types import Array, Which
from netphase.errors import ArgumentError
from netphase.figures.style import COLUMN, GAMMA_AXIS, GAMMA_PRIME_AXIS, INK, new_figure, style
from netphase.scalings import Regime

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def exact_boundary(which: Which, gamma_prime: Array) -> Array:
    """γ on the line where an exponent changes sign in the infinitely wide network.

    S_w = 0 on γ = 1 + max(γ', 0), S_a = 0 on γ = 1 + max(−γ', 0), S_θ = 0 on γ = 1.

    Args:
        which: "w", "a" or "theta".
        gamma_prime: γ', shape (rows,).

    Returns:
        γ of the boundary, shape (rows,).

    References:
        Luo, Xu, Ma, Zhang (2021), Theorems 6 and 8 and Figs 4 and 10.
    """
    return np.array([scalings.gamma_c(float(row), which) for row in gamma_prime])


def known_points() -> list[tuple[str, float, float]]:
    """Named initialisations with a fixed place in the plane, as (label, γ, γ')."""
    return [
        (name, law.gamma, law.gamma_prime) for name, law in scalings.known_initialisations().items()
    ]


def initialisation_plane(
    points: Sequence[tuple[str, float, float]] | None = None,
    *,
    gamma_range: tuple[float, float] = (-0.15, 2.15),
    gamma_prime_range: tuple[float, float] = (-1.15, 1.15),
    width: float = COLUMN,
) -> Figure:
    """The plane of the theory: its regimes, its boundary, and where initialisations sit.

    Args:
        points: further initialisations as (label, γ, γ'), marked beside the known ones; the axes
            grow to hold them.
        gamma_range: limits of γ.
        gamma_prime_range: limits of γ'.
        width: width of the figure in inches.

    Returns:
        The figure.

    Raises:
        ArgumentError: a range is empty.

    References:
        Luo, Xu, Ma, Zhang (2021), Fig. 1 and Table 1.
    """
    for name, (low, high) in (
        ("gamma_range", gamma_range),
        ("gamma_prime_range", gamma_prime_range),
    ):
        if not low < high:
            raise ArgumentError(
                f"Argument `{name}` must hold a smaller and a larger number, but is {low}, {high}."
            )
    points = points or ()
    gamma_range = _covering(gamma_range, [gamma for _, gamma, _ in points])
    gamma_prime_range = _covering(gamma_prime_range, [row for _, _, row in points])
    with style():
        figure = new_figure(width, 0.95 * width)
        axes = figure.add_subplot()
        axes.set(
            xlim=gamma_range,
            ylim=gamma_prime_range,
            xlabel=GAMMA_AXIS,
            ylabel=GAMMA_PRIME_AXIS,
        )
        rows = np.array([gamma_prime_range[0], 0.0, max(gamma_prime_range[1], 0.0)])
        line = exact_boundary("w", rows)
        axes.fill_betweenx(rows, gamma_range[0], line, color="#f4a582", alpha=0.55, lw=0)
        axes.fill_betweenx(
            rows, line, max(gamma_range[1], line[-1]), color="#92c5de", alpha=0.55, lw=0
        )
        axes.plot(line, rows, color=INK, lw=1.4, zorder=3)
        diagonal = np.array([max(0.0, gamma_prime_range[0]), min(1.0, gamma_prime_range[1])])
        axes.plot(diagonal, diagonal, color="#b2182b", ls="--", lw=1.0, zorder=2)
        axes.annotate(
            r"E, Ma, Wu: $\gamma^{\prime}=\gamma$",
            (0.78, 0.78),
            (-5, 3),
            textcoords="offset points",
            ha="right",
            fontsize=6.5,
            color="#8c0f20",
        )
        _schematic_regimes(axes)
        _schematic_points(axes, points)
    return figure


def _covering(limits: tuple[float, float], values: Sequence[float]) -> tuple[float, float]:
    """The limits, widened so that every value lies inside with a margin."""
    return min([limits[0], *(v - 0.15 for v in values)]), max(
        [limits[1], *(v + 0.15 for v in values)]
    )


def _schematic_regimes(axes: Axes) -> None:
    """Names of the regimes, in both vocabularies, inside the schematic plane."""
    names = {regime: f"{regime.value}\n({regime.alias})" for regime in Regime}
    for regime, x in ((Regime.LINEAR, 0.3), (Regime.CONDENSED, 0.76)):
        axes.text(x, 0.2, names[regime], transform=axes.transAxes, ha="center", fontsize=7.0)
    axes.annotate(
        names[Regime.CRITICAL].replace("\n", " "),
        (1.0, axes.get_ylim()[0]),
        (-2, 4),
        textcoords="offset points",
        rotation=90,
        ha="right",
        va="bottom",
        fontsize=6.5,
    )


def _schematic_points(axes: Axes, extra: Sequence[tuple[str, float, float]]) -> None:
    """The known initialisations (purple) and the caller's (green), labelled by place."""
    places: dict[tuple[float, float], list[str]] = {}
    for label, gamma, gamma_prime in known_points():
        places.setdefault((round(gamma, 9), round(gamma_prime, 9)), []).append(label)
    marks = [(place, ", ".join(labels), "#984ea3", "D") for place, labels in places.items()]
    marks += [((gamma, prime), label, "#1a9850", "o") for label, gamma, prime in extra]
    for (gamma, gamma_prime), text, colour, marker in marks:
        axes.plot(
            gamma, gamma_prime, marker=marker, ms=5, mfc=colour, mec="white", ls="none", zorder=5
        )
        axes.annotate(
            text,
            (gamma, gamma_prime),
            (6, -9),
            textcoords="offset points",
            fontsize=6.5,
            color=colour,
            zorder=6,
        )
