"""From a line of text, as on a command line, to a function of standard normal variables."""

from __future__ import annotations

import difflib
import re
from fractions import Fraction

import numpy as np

from netphase import activations
from netphase._sources import builder_options, split_source
from netphase.errors import ArgumentError
from netphase.hermite.expansion import TERMS, erf, expand, relu
from netphase.hermite.multi_index import MultiIndexTarget, multi_index
from netphase.hermite.series import HermiteSeries

_NUMBERS = re.compile(r"[-+.,/\deE\s]+")
_VARIABLE = re.compile(r"(?<![A-Za-z])z\d*(?![A-Za-z])")


def load(text: str, what: str = "function") -> HermiteSeries | MultiIndexTarget:
    """The function that a line of text names.

    Args:
        text: one of `activations.NAMES`, with options as in ``"relu?shift=0.5"`` or
            ``"erf?scale=0.7071"``; Hermite coefficients σ_0, σ_1, … as numbers or fractions, as in
            ``"1,-1,2/3,-1/3"``; or a polynomial of z or of z1, z2, …, as in ``"z + z^3"``,
            ``"h1(z) - 0.5*h3(z)"`` or ``"z1 + z1*z2"``.
        what: the argument's name, for the messages.

    Returns:
        The series, or, of several variables, the `MultiIndexTarget`.

    Raises:
        ArgumentError: the text is none of them.

    Example:
        >>> load("1,-1,2/3,-1/3").square
        2.5555...
        >>> load("z + z^3").coefficients.round(4)
        array([0.    , 4.    , 0.    , 2.4495])
        >>> load("relu?shift=0.5").name
        'relu(z+0.5)'
    """
    source = text.strip().replace("−", "-") if isinstance(text, str) else text
    name, query = split_source(what, source)
    if name in activations.NAMES:
        return _activation(name, query, source, what)
    if _NUMBERS.fullmatch(source):
        return expand(_coefficients(source, what), name=source)
    if _VARIABLE.search(source):
        return _polynomial(source, what)
    near = difflib.get_close_matches(name.lower(), activations.NAMES, n=1)
    raise ArgumentError(
        f"Argument `{what}` must be an activation ({', '.join(activations.NAMES)}), Hermite "
        f"coefficients such as 1,-1,2/3 or a polynomial such as z1 + 0.5*z1*z2, but is {source!r}."
        + (f" Did you mean {near[0]!r}?" if near else "")
    )


def _activation(name: str, query: str, source: str, what: str) -> HermiteSeries:
    def plain(terms: int = TERMS) -> HermiteSeries:
        return expand(name, terms)

    builder = {"relu": relu, "erf": erf}.get(name, plain)
    options = builder_options(what, builder, query, source)
    try:
        return builder(**options)
    except ArgumentError as error:  # of an option, which is no argument of the caller's
        said = str(error).removeprefix("Argument ")
        raise ArgumentError(f"Argument `{what}` is {source!r}, whose option {said}") from error


def _coefficients(source: str, what: str) -> list[float]:
    try:
        return [float(Fraction(each.strip())) for each in source.split(",")]
    except (ValueError, ZeroDivisionError, OverflowError):
        raise ArgumentError(
            f"Argument `{what}` must be numbers or fractions with commas between them, such as "
            f"1,-1,2/3, but is {source!r}."
        ) from None


def _polynomial(source: str, what: str) -> HermiteSeries | MultiIndexTarget:
    try:
        found = multi_index(source)
    except ArgumentError as error:
        raise ArgumentError(str(error).replace("`target`", f"`{what}`", 1)) from error
    if found.projections > 1:
        return found
    coefficients = np.zeros(found.degree + 1)
    coefficients[found.exponents[:, 0]] = found.coefficients
    return expand(coefficients, name=source)
