"""The values along an axis of a sweep: checked one by one, sorted, each there once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from netphase._checks import instance_of
from netphase.errors import ArgumentError

Value = TypeVar("Value", int, float)


def axis_values(name: str, given: Any, check: Callable[[str, Any], Value]) -> tuple[Value, ...]:
    """Checked, sorted values of an axis.

    Args:
        name: the argument's name, for the message.
        given: the values.
        check: turns one of them into a number or refuses it.

    Returns:
        One or more different numbers, increasing.

    Raises:
        ArgumentError: there are none, some are repeated, or one is refused.
    """
    instance_of(name, given, Iterable, "a list of numbers")
    values = sorted(check(name, value) for value in given)
    if not values or len(set(values)) < len(values):
        problem = "is empty" if not values else f"has repeated values: {values}"
        raise ArgumentError(
            f"Argument `{name}` must hold one or more different values, but {problem}."
        )
    return tuple(values)
