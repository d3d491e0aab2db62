"""From a source string, as on a command line or in a stored specification, to the data set."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from netphase._checks import one_of
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


def split_source(what: str, source: str) -> tuple[str, str]:
    """The name (or path) of a source string, and its options as text.

    Args:
        what: the argument's name, for the message.
        source: ``name?option=value&option=value``.

    Returns:
        What stands before the last question mark and what after it; a file may have one in its
        name.

    Raises:
        ArgumentError: ``source`` is empty or no string.
    """
    if not isinstance(source, str) or not source.strip(" ?"):
        kind = "a name or a path" if what == "data" else "a name"
        raise ArgumentError(f"Argument `{what}` must be {kind}, but is {source!r}.")
    text, _, query = (source, "", "") if Path(source).is_file() else source.rpartition("?")
    return (text, query) if text else (query, "")


def builder_options(
    what: str,
    function: Callable[..., Any],
    query: str,
    source: str,
    further: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The options of a source string, each converted to the type of its default.

    Args:
        what: the argument's name, for the message.
        function: what the options are for; a first parameter called ``path`` is none.
        query: ``option=value&option=value``, may be empty.
        source: the whole string, for the message.
        further: more options with their defaults.

    Returns:
        Name → value of the options that are given.

    Raises:
        ArgumentError: the text, an option or a value is not understood.
    """
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "path"
    } | (further or {})
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise ArgumentError(
            f"Argument `{what}` must end in ?option=value&option=value, but is {source!r}."
        ) from None
    options: dict[str, Any] = {}
    for name, text in pairs:
        if name not in defaults:
            known = ", ".join(defaults)
            raise ArgumentError(
                f"{what.capitalize()} source {source!r} has the unknown option {name!r}. "
                f"Options: {known}."
            )
        if name in options:
            raise ArgumentError(
                f"{what.capitalize()} source {source!r} must give the option {name!r} once only."
            )
        options[name] = _converted(what, name, text, defaults[name])
    return options


def _converted(what: str, name: str, text: str, default: object) -> Any:
    """The text of an option as the type of its default."""
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    try:
        match default:
            case bool():
                return words[text.lower()]
            case int():
                return int(text)
            case float():
                return float(text)
            case tuple():
                return tuple(float(each) for each in text.split(","))
    except (KeyError, ValueError):
        kind = {"bool": "true or false", "int": "an integer", "float": "a number"}.get(
            type(default).__name__, "numbers separated by commas"
        )
        raise ArgumentError(
            f"Option {name!r} of the {what} must be {kind}, but is {text!r}."
        ) from None
    return text
