"""Checks of arguments: each returns the converted value or raises one clear `ArgumentError`."""

from __future__ import annotations

import difflib
import math
import operator
import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from netphase._types import Array
from netphase.errors import ArgumentError


def _refuse(name: str, what: str, value: object, remedy: str = "") -> ArgumentError:
    sentence = f"Argument `{name}` must be {what}, but is {value!r}."
    return ArgumentError(f"{sentence} {remedy}" if remedy else sentence)


def _integer(name: str, value: Any, what: str) -> int:
    if isinstance(value, (bool, np.bool_)):
        raise _refuse(name, what, value)
    try:
        return operator.index(value)
    except TypeError:
        raise _refuse(name, what, value) from None


def positive_int(name: str, value: Any) -> int:
    """An integer ≥ 1.

    Args:
        name: the argument's name, for the message.
        value: what the caller passed; booleans and floats are refused.

    Returns:
        ``value`` as an int.

    Raises:
        ArgumentError: ``value`` is anything else.
    """
    number = _integer(name, value, "a positive integer")
    if number < 1:
        raise _refuse(name, "a positive integer", number)
    return number


def non_negative_int(name: str, value: Any) -> int:
    """An integer ≥ 0; otherwise as `positive_int`."""
    number = _integer(name, value, "an integer ≥ 0")
    if number < 0:
        raise _refuse(name, "an integer ≥ 0", number)
    return number


def _real(name: str, value: Any, what: str) -> float:
    if isinstance(value, (bool, np.bool_, str, bytes)):
        raise _refuse(name, what, value)
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise _refuse(name, what, value) from None
    if not math.isfinite(number):
        raise _refuse(name, what, number)
    return number


def finite_float(name: str, value: Any) -> float:
    """A finite real number as a float; booleans and strings are refused.

    Raises:
        ArgumentError: ``value`` is not a number, or is infinite or NaN.
    """
    return _real(name, value, "a finite number")


def positive_float(name: str, value: Any) -> float:
    """A finite real number > 0 as a float.

    Raises:
        ArgumentError: ``value`` is not a number, not finite, or not positive.
    """
    number = _real(name, value, "a positive finite number")
    if number <= 0:
        raise _refuse(name, "a positive finite number", number)
    return number


def non_negative_float(name: str, value: Any) -> float:
    """A finite real number ≥ 0; otherwise as `positive_float`."""
    number = finite_float(name, value)
    if number < 0:
        raise ArgumentError(f"Argument `{name}` must be ≥ 0, but is {number:g}.")
    return number


def finite_array(name: str, value: Any, ndim: int) -> Array:
    """A non-empty array of finite numbers with ``ndim`` axes; float32 stays, all else is float64.

    Raises:
        ArgumentError: not numbers, wrong number of axes, empty, or with NaN or infinities.
    """
    try:
        array = np.asarray(value)
        if array.dtype not in (np.float64, np.float32):
            if array.dtype.kind not in "biuf":
                raise TypeError
            array = array.astype(np.float64)
    except (TypeError, ValueError):
        raise ArgumentError(f"Argument `{name}` must be an array of real numbers.") from None
    if array.ndim != ndim:
        raise ArgumentError(
            f"Argument `{name}` must have {ndim} {'axis' if ndim == 1 else 'axes'}, "
            f"but has shape {array.shape}."
        )
    if array.size == 0:
        raise ArgumentError(f"Argument `{name}` must not be empty, but has shape {array.shape}.")
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        place = ", ".join(str(int(i)) for i in bad[0])
        raise ArgumentError(
            f"Argument `{name}` must be finite, but {len(bad)} of its {array.size} entries "
            f"are not (the first at [{place}])."
        )
    return array


def instance_of(name: str, value: Any, kinds: type | tuple[type, ...], what: str) -> None:
    """Refuses a value that is of none of some types.

    Args:
        name: the argument's name, for the message.
        value: what the caller passed.
        kinds: the types.
        what: the types in words, as in "a ScalingLaw".

    Raises:
        ArgumentError: ``value`` is of another type.
    """
    if not isinstance(value, kinds):
        shown = f"the type {value.__name__}" if isinstance(value, type) else type(value).__name__
        article = "" if isinstance(value, type) else "of type "
        raise ArgumentError(f"Argument `{name}` must be {what}, but is {article}{shown}.")


def one_of(name: str, value: Any, choices: Iterable[str]) -> str:
    """One of a set of words; the message suggests the nearest one.

    Raises:
        ArgumentError: ``value`` is not among ``choices``.
    """
    known = list(choices)
    if isinstance(value, str) and value in known:
        return value
    near = difflib.get_close_matches(str(value).lower(), known, n=1)
    remedy = f"Did you mean {near[0]!r}?" if near else ""
    raise _refuse(name, f"one of {', '.join(known)}", value, remedy)


def machine_memory() -> float:
    """Bytes of the machine's memory, infinite where the system does not tell."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE")) * float(os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, OSError, ValueError):
        return math.inf


def check_memory(needed: float, sentence: str) -> None:
    """Refuses what the machine has no memory for.

    Args:
        needed: bytes.
        sentence: what must be otherwise, and, in the plural, what needs the memory, as in
            "Argument `x` must have fewer rows: kernels of 10 × 10 samples".

    Raises:
        ArgumentError: there is less memory; the message says how much is needed.
    """
    if needed > machine_memory():
        raise ArgumentError(
            f"{sentence} need {needed / 2**30:.3g} GiB, more than this machine has."
        )
