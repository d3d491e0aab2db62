"""Maps of verdicts over a plane: cells in the colours of their words, and the legend below them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from netphase.figures.cells import EMPTY, UNUSABLE, draw_cells, hatch_cells

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

Word = TypeVar("Word", bound=str)


def draw_words(axes: Axes, words: xr.DataArray, colours: Mapping[Word, str]) -> list[str]:
    """Cells in the colours of their words; those whose word has none are grey and hatched.

    Args:
        axes: where to draw.
        words: an ordered table.
        colours: word → colour.

    Returns:
        The words of the hatches used.
    """
    from matplotlib.colors import ListedColormap

    codes = np.full(words.shape, np.nan)
    for code, word in enumerate(colours):
        codes[words.values == str(word)] = code
    draw_cells(
        axes,
        words.copy(data=codes),
        cmap=ListedColormap(list(colours.values())),
        vmin=-0.5,
        vmax=len(colours) - 0.5,
    )
    return hatch_cells(axes, words, np.zeros(words.shape, dtype=bool))


def colour_patches(colours: Mapping[str, str]) -> list[Patch]:
    """Entries of a legend for colours of cells: label → colour."""
    from matplotlib.patches import Patch

    return [
        Patch(facecolor=colour, edgecolor="#888888", lw=0.4, label=label)
        for label, colour in colours.items()
    ]


def hatch_patches(words: Iterable[str], face: str = EMPTY) -> list[Patch]:
    """Entries of a legend for the hatches of verdicts that are no regime."""
    from matplotlib.patches import Patch

    return [
        Patch(facecolor=face, edgecolor="#555555", hatch=UNUSABLE[word], lw=0.0, label=word)
        for word in words
    ]


def map_legend(figure: Figure, entries: Iterable[Any], columns: int = 2) -> None:
    """One legend below all maps, so that it hides no cell.

    Args:
        figure: the figure.
        entries: what has a label: patches, lines, or handles of an axes.
        columns: how many stand side by side.
    """
    figure.legend(
        handles=list(entries),
        loc="outside lower left",
        ncols=columns,
        labelspacing=0.3,
        borderaxespad=0.2,
    )
