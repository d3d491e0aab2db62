"""Figures of single runs on samples: output weights in time, learning curves beside the twin's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from netphase._types import Array
from netphase.figures import new_figure, panel_label
from netphase.figures.neurons import QUENCHED
from netphase.figures.style import DASHED, INK, PAGE, SERIES, style, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NETWORK, TWIN = SERIES[0], SERIES[1]
"""Colours of the network and of its random-feature twin."""

MANY_STEMS = 100
"""Beyond so many neurons their stems are thin."""

LETTERS = "abcdefgh"


class Curves(NamedTuple):
    """A network and its random-feature twin along the iterations.

    Attributes:
        iterations: of the printed rate, shape (t,).
        train: training error of the network, shape (t,).
        test: its test error, shape (t,).
        twin_train: training error of the twin, shape (t,).
        twin_test: its test error, shape (t,).
        contributions: p_j of the network at the end, shape (m,).
        twin_contributions: p_j of the twin at the end, shape (m,).
    """

    iterations: Array
    train: Array
    test: Array
    twin_train: Array
    twin_test: Array
    contributions: Array
    twin_contributions: Array


def weights_in_time(panels: Mapping[str, tuple[Array, Array]]) -> Figure:
    """Fig. 5: output weights a_j of all neurons against the time, a panel a width.

    Args:
        panels: title → (times of shape (t,), output weights of shape (t, m)).

    Returns:
        The figure; the two neurons that end largest are coloured.
    """
    with style():
        figure = new_figure(PAGE, 0.36 * PAGE)
        row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for index, (axes, (title, (times, weights))) in enumerate(
            zip(row, panels.items(), strict=True)
        ):
            order = np.argsort(np.abs(weights).max(axis=0))
            axes.plot(times, weights[:, order[:-2]], color=QUENCHED, lw=0.6)
            axes.plot(times, weights[:, order[-2]], color=TWIN, label="runner-up")
            axes.plot(times, weights[:, order[-1]], color=NETWORK, label="largest")
            axes.axhline(0.0, color=INK, lw=0.5)
            axes.set(xlabel=r"time $t$", title=title)
            panel_label(axes, f"({LETTERS[index]})")
            tidy(axes)
        row[0].set_ylabel(r"output weight $a_j$")
        row[-1].plot([], [], color=QUENCHED, lw=0.6, label="all others")
        row[-1].legend(loc="upper right")
    return figure


def learning_curves(rows: Mapping[str, Curves]) -> Figure:
    """Fig. 8: errors against the iteration on the left, final contributions on the right.

    Args:
        rows: title → curves, a row each.

    Returns:
        The figure.
    """
    with style():
        figure = new_figure(PAGE, 0.34 * PAGE * len(rows))
        table = figure.subplots(len(rows), 2, squeeze=False)
        for index, ((left, right), (title, curves)) in enumerate(
            zip(table, rows.items(), strict=True)
        ):
            _errors(left, curves)
            _stems(right, curves)
            left.set_title(title)
            panel_label(left, f"({LETTERS[2 * index]})")
            panel_label(right, f"({LETTERS[2 * index + 1]})")
        table[0, 0].legend(loc="lower left")
        table[0, 1].legend(loc="upper left", ncols=2)
    return figure


def _errors(axes: Axes, curves: Curves) -> None:
    """Training and test errors of both."""
    later = curves.iterations > 0.0
    for values, colour, line, label in (
        (curves.train, NETWORK, DASHED, "network, training"),
        (curves.test, NETWORK, "-", "network, test"),
        (curves.twin_train, TWIN, DASHED, "random features, training"),
        (curves.twin_test, TWIN, "-", "random features, test"),
    ):
        axes.loglog(curves.iterations[later], values[later], color=colour, ls=line, label=label)
    axes.set(xlabel="iteration at the printed rate", ylabel="mean square error")
    tidy(axes)


def _stems(axes: Axes, curves: Curves) -> None:
    """Contributions at the end; many neurons are drawn thinner."""
    index = np.arange(len(curves.contributions))
    thin = 1.6 if len(index) <= MANY_STEMS else 0.35
    for shift, values, colour, label in (
        (0.0, curves.twin_contributions, TWIN, "random features"),
        (0.35, curves.contributions, NETWORK, "network"),
    ):
        axes.vlines(index + shift, 0.0, values, color=colour, lw=thin, label=label)
    axes.axhline(0.0, color=INK, lw=0.5)
    axes.margins(y=0.2)  # room for the legend
    axes.locator_params(axis="x", integer=True)
    axes.set(xlabel="neuron $j$", ylabel=r"contribution $p_j = a_j\,|w_j|$")
    tidy(axes)


def contribution_stems(panels: Mapping[str, Array]) -> Figure:
    """Fig. 11: contributions of the neurons, sorted, a panel a run.

    Args:
        panels: title → p, shape (m,).

    Returns:
        The figure.
    """
    with style():
        figure = new_figure(PAGE, 0.3 * PAGE)
        row = figure.subplots(1, len(panels), squeeze=False)[0]
        for index, (axes, (title, p)) in enumerate(zip(row, panels.items(), strict=True)):
            order = np.argsort(-np.abs(p))
            axes.vlines(np.arange(1, len(p) + 1), 0.0, p[order], color=NETWORK, lw=1.6)
            axes.axhline(0.0, color=INK, lw=0.5)
            axes.set(xlabel="neuron, by size", title=f"({LETTERS[index]}) {title}")
            tidy(axes)
        row[0].set_ylabel(r"contribution $p_j = a_j\,|w_j|$")
    return figure


class Followed(Protocol):
    """What is drawn of a network beside its twin; each array of shape (t,)."""

    @property
    def time(self) -> Array:
        """Times, > 0."""

    @property
    def test(self) -> Array:
        """Test error of the network, log₁₀."""

    @property
    def twin_test(self) -> Array:
        """Test error of the twin, log₁₀."""

    @property
    def left(self) -> float:
        """When the network left its twin, infinite if never."""


def departures(panels: Mapping[str, Followed]) -> Figure:
    """Claim C5: test errors of network and twin in time, a panel a width, and the departure.

    Args:
        panels: title → a network beside its twin.

    Returns:
        The figure.
    """
    with style():
        figure = new_figure(PAGE, 0.36 * PAGE)
        row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for index, (axes, (title, each)) in enumerate(zip(row, panels.items(), strict=True)):
            axes.plot(each.time, each.test, color=NETWORK, label="network")
            axes.plot(each.time, each.twin_test, color=TWIN, label="random features")
            if np.isfinite(each.left):
                axes.axvline(each.left, color=INK, lw=0.8, ls=DASHED, label="departure")
            axes.set(xscale="log", xlabel=r"time $t$", title=title)
            panel_label(axes, f"({LETTERS[index]})")
            tidy(axes)
        row[0].set_ylabel(r"$\log_{10}$ of the test error")
        row[-1].legend(*row[0].get_legend_handles_labels(), loc="lower left")
    return figure
