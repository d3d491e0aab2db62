"""Source strings, ``name?option=value&option=value``: their names and options."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from netphase.errors import ArgumentError


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
