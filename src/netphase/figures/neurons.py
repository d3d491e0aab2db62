"""Which neurons of a quenching run are drawn in colour, and in which."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.figures.style import SERIES
from netphase.results import markers_of

if TYPE_CHECKING:
    import xarray as xr

QUENCHED = "#b5b5b5"
"""Colour of the neurons that are quenched all along."""

COLOURS = (*SERIES[:6], "#8c564b", "#17becf")
"""Colours of the others."""

PLAYING = 0.05
"""A neuron is drawn in colour if it ever has this share of the path norm after the departure."""


class Cast(NamedTuple):
    """The neurons drawn in colour, the largest in the end first.

    Attributes:
        neurons: their indices, shape (k,).
        colours: a colour for each.
        activated: whether each is activated in the end, shape (k,).
        others: the indices of all others, shape (m − k,).
        words: what the neurons in colour that are activated in the end are called, and the others.
    """

    neurons: npt.NDArray[np.intp]
    colours: tuple[str, ...]
    activated: npt.NDArray[np.bool_]
    others: npt.NDArray[np.intp]
    words: tuple[str, str]


def refuse_other(result: xr.Dataset, *names: str) -> None:
    """Refuse a dataset that lacks a variable, or holds fewer than three records.

    Args:
        result: what a figure was given.
        names: what it needs.

    Raises:
        ArgumentError: it is no record of `netphase.quench`, or one of a run that ended at once.
    """
    wanted = ("p", "w", "time", "marker_time", "test_error", *names)
    missing = [name for name in wanted if name not in result.variables]
    if missing:
        raise ArgumentError(
            f"Argument `result` must be what `netphase.quench` returned, but lacks "
            f"{', '.join(missing)}."
        )
    if result.sizes["time"] < 3:
        raise ArgumentError(
            f"Argument `result` must hold at least 3 records, but holds {result.sizes['time']}: "
            "the run ended at once."
        )


def cast_of(result: xr.Dataset, most: int = len(COLOURS)) -> Cast:
    """Who is drawn in colour: the activated neurons, and those that were so on the way.

    Args:
        result: what `netphase.quench` returned.
        most: neurons in colour at most.

    Returns:
        The cast; colours are used again where there are more neurons than colours.
    """
    p = np.abs(result["p"].values)
    share = shares(p)
    departure = markers_of(result)["departure"]
    later = result["time"].values >= (departure.time if departure.reached else 0.0)
    role = share[later].max(axis=0)
    activated = p[-1] > float(result.attrs["threshold"]) * p[-1].max()
    playing = np.flatnonzero(activated | (role > PLAYING))
    rank = np.lexsort((-role[playing], -p[-1, playing], ~activated[playing]))
    neurons = playing[rank][:most]
    others = np.setdiff1d(np.arange(p.shape[1]), neurons)
    colours = tuple(COLOURS[k % len(COLOURS)] for k in range(len(neurons)))
    words = (
        "largest in the end" if activated[others].any() else "activated in the end",
        "others" if len(playing) > most else "quenched",  # some were active on the way
    )
    return Cast(neurons, colours, activated[neurons], others, words)


def shares(p: Array) -> Array:
    """|p| in units of the path norm, 0 where that is zero, shape (t, m)."""
    size = np.abs(p)
    norm = size.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(size, norm, out=np.zeros_like(size), where=norm > 0))
