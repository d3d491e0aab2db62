"""From a source string, as on a command line or in a stored specification, to the data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from netphase._checks import one_of
from netphase._sources import builder_options, split_source
from netphase.datasets.builtin import (
    axes,
    four_points,
    gaussian,
    linear,
    mnist,
    polynomial,
    sines,
    teacher_student,
)
from netphase.datasets.dataset import Dataset
from netphase.datasets.files import from_csv, from_npz
from netphase.errors import ArgumentError

_BUILDERS: dict[str, Callable[..., Dataset]] = {
    "four_points": four_points,
    "polynomial": polynomial,
    "gaussian": gaussian,
    "teacher_student": teacher_student,
    "linear": linear,
    "sines": sines,
    "axes": axes,
    "mnist": mnist,
}
_READERS: dict[str, Callable[..., Dataset]] = {".npz": from_npz, ".csv": from_csv}

BUILT_IN: tuple[str, ...] = tuple(_BUILDERS)
"""The names `load` knows besides files."""


def load(source: str) -> Dataset:
    """The data set of a source string.

    Args:
        source: a name of `BUILT_IN` or the path of a .npz or .csv file, optionally followed by
            ``?option=value&option=value``, for example ``"mnist?count=200"``,
            ``"polynomial?coefficients=0,0,1&n=8"`` or ``"points.csv?bias=False"``. Besides the
            options of its function each takes ``centred=True``, for `Dataset.centred`.
            `Dataset.source` is such a string.

    Returns:
        The data set.

    Raises:
        ArgumentError: the name, an option or a value is unknown, or the file is not usable.
        MissingDependencyError: the images of ``mnist`` are not installed.

    Example:
        >>> load("four_points").n
        4
    """
    text, query = split_source("data", source)
    reader = _READERS.get(Path(text).suffix.lower())
    if reader is not None:
        return _made(reader, text, **_data_options(reader, query, source))
    if text not in _BUILDERS and ("/" in text or "\\" in text or Path(text).exists()):
        raise ArgumentError(f"Data file {text!r} must be a .npz or .csv file.")
    builder = _BUILDERS[one_of("data", text, [*BUILT_IN, "<path>.npz", "<path>.csv"])]
    options = _data_options(builder, query, source)
    try:
        return _made(builder, **options)
    except ArgumentError as error:
        said = str(error)
        raise ArgumentError(f"In data {source!r}, {said[0].lower()}{said[1:]}") from None


def _made(
    function: Callable[..., Dataset], *path: str, centred: bool = False, **options: Any
) -> Dataset:
    data = function(*path, **options)
    return data.centred() if centred else data


def _data_options(function: Callable[..., Dataset], query: str, source: str) -> dict[str, Any]:
    return builder_options("data", function, query, source, {"centred": False})
