"""Formulas in the width such as ``sqrt(2/(m+d))``: safe evaluation and their power law in m."""

from __future__ import annotations

import ast
import decimal
import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from netphase.errors import ArgumentError

_LONGEST = 200
_DIGITS = 40
_PROBE_DIGITS = 400
_PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494")

_BINARY: dict[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: lambda p, q: p + q,
    ast.Sub: lambda p, q: p - q,
    ast.Mult: lambda p, q: p * q,
    ast.Div: lambda p, q: p / q,
    ast.Pow: lambda p, q: p**q,
}
_FUNCTIONS: dict[str, Callable[[Decimal], Decimal]] = {
    "sqrt": Decimal.sqrt,
    "log": Decimal.ln,
    "exp": Decimal.exp,
}


class PowerLaw(NamedTuple):
    """What a formula becomes at large width: prefactor · m^exponent."""

    exponent: float
    prefactor: float


def _refuse(text: str, why: str) -> ArgumentError:
    return ArgumentError(
        f"Formula {text!r} {why}. Write it with m, d, pi, numbers, + - * / ^, and sqrt, log, exp; "
        'for example "sqrt(2/(m+d))".'
    )


@lru_cache(maxsize=256)
def _parse(text: str) -> ast.expr:
    if len(text) > _LONGEST:
        raise _refuse(text[:20] + "…", f"is longer than {_LONGEST} characters")
    try:
        tree = ast.parse(text.strip().replace("^", "**"), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _refuse(text, "is not a formula") from None
    return tree.body


def _value(node: ast.expr, names: dict[str, Decimal], text: str) -> Decimal:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return Decimal(repr(number))
        case ast.Name(id=name):
            if name in names:
                return names[name]
            raise _refuse(text, f"uses the unknown name {name!r}")
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, names, text)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand, names, text)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _BINARY[type(op)](_value(left, names, text), _value(right, names, text))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](_value(argument, names, text))
    raise _refuse(text, f"contains {ast.unparse(node)!r}, which is not allowed")


def _evaluate(text: str, m: Decimal, d: int | None, digits: int) -> Decimal:
    names = {"m": m, "pi": _PI} | ({} if d is None else {"d": Decimal(d)})
    context = decimal.Context(prec=digits, Emax=10**9, Emin=-(10**9))
    try:
        with decimal.localcontext(context):
            result = _value(_parse(text), names, text)
    except (decimal.DecimalException, RecursionError, MemoryError):
        raise _refuse(text, f"has no finite value at m = {m:.0e}") from None
    if not result.is_finite() or result <= 0:
        raise _refuse(text, f"must be positive at every large width, but is not at m = {m:.0e}")
    return result


def evaluate(text: str, m: int, d: int | None = None) -> float:
    """The value of a formula at one width, correctly rounded to a float.

    Args:
        text: a formula in ``m``, ``d`` and ``pi``; ``^`` and ``**`` are both powers.
        m: the width.
        d: number of inputs of a neuron; needed where the formula uses ``d``.

    Returns:
        The value, positive and finite.

    Raises:
        ArgumentError: the formula is not one, or its value is not a positive number.

    Example:
        >>> evaluate("sqrt(2/(m+d))", m=6, d=2)
        0.5
    """
    value = float(_evaluate(text, Decimal(m), d, _DIGITS))
    if not 0 < value < float("inf"):
        raise _refuse(text, f"is out of the range of a float at m = {m}")
    return value


@lru_cache(maxsize=256)
def leading_power(text: str, d: int | None = None) -> PowerLaw:
    """The power law a formula approaches as m → ∞.

    The formula is evaluated with 400 digits at m = 10⁴⁰, 10⁸⁰ and 10¹⁶⁰; a true power law shows
    there to more digits than a float holds.

    Args:
        text: a formula in ``m``, ``d`` and ``pi``.
        d: number of inputs of a neuron; needed where the formula uses ``d``.

    Returns:
        Exponent and prefactor.

    Raises:
        ArgumentError: the formula is not one, is not positive, or is no power of m at large m
            (a logarithm or an exponential of m).

    Example:
        >>> leading_power("sqrt(2/(m+d))", d=3).exponent
        -0.5
    """
    near, middle, far = (_evaluate(text, Decimal(10) ** k, d, _PROBE_DIGITS) for k in (40, 80, 160))
    with decimal.localcontext(decimal.Context(prec=_PROBE_DIGITS, Emax=10**9, Emin=-(10**9))):
        first, second = (middle / near).log10() / 40, (far / middle).log10() / 80
        if abs(first - second) > Decimal("1e-12"):
            raise _refuse(text, "does not become a power of m at large m")
        prefactor = far / (Decimal(10) ** 160) ** second
    return PowerLaw(float(second) + 0.0, float(prefactor))


def substitute_d(text: str, d: int | None) -> str:
    """The formula with the number of inputs written out in place of ``d``."""
    return text if d is None else re.sub(r"\bd\b", str(d), text)
