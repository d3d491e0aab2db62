"""`Check`: one claim of a paper, what was expected, what was measured, and the verdict."""

from __future__ import annotations

import math
from enum import StrEnum

import msgspec

STANDARD_ERRORS = 2.0
"""A claim missed by less than so many standard errors is not refuted: it is *partly* reproduced."""

MOST = 0.5
"""A claim about many cases that holds in more than this share of them is *partly* reproduced."""


class Verdict(StrEnum):
    """How a claim came out."""

    REPRODUCED = "reproduced"
    PARTLY = "partly"
    NOT_REPRODUCED = "not reproduced"
    NOT_TESTED = "not tested at this size"


class Check(msgspec.Struct, frozen=True):
    """One claim of a paper against one measurement.

    Attributes:
        claim: what is claimed, in one line.
        where: its place in the paper.
        expected: the number or words expected.
        measured: the number or words found; None where nothing was (or could be) measured.
        standard_error: statistical error of ``measured`` over seeds, None where there is none.
        tolerance: how far ``measured`` may be from ``expected``; it belongs to the claim.
        verdict: the outcome.
    """

    claim: str
    where: str
    expected: float | str
    measured: float | str | None
    standard_error: float | None
    tolerance: float | None
    verdict: Verdict


def close(
    claim: str,
    where: str,
    expected: float,
    measured: float,
    tolerance: float,
    standard_error: float | None = None,
) -> Check:
    """A number that should be within a tolerance of another.

    Args:
        claim: what is claimed.
        where: its place in the paper.
        expected: the number in the paper or of the theory.
        measured: the number found; NaN is not reproduced.
        tolerance: largest distance, ≥ 0.
        standard_error: of ``measured``; a miss within 2 of them is "partly".

    Returns:
        The check.
    """
    miss = abs(measured - expected) - tolerance
    return _judged(claim, where, expected, measured, tolerance, standard_error, miss)


def at_most(
    claim: str, where: str, limit: float, measured: float, standard_error: float | None = None
) -> Check:
    """A number that should not exceed a limit; arguments as in `close`."""
    words = f"≤ {limit:g}"
    return _judged(claim, where, words, measured, None, standard_error, measured - limit)


def at_least(
    claim: str, where: str, limit: float, measured: float, standard_error: float | None = None
) -> Check:
    """A number that should not fall below a limit; arguments as in `close`."""
    words = f"≥ {limit:g}"
    return _judged(claim, where, words, measured, None, standard_error, limit - measured)


def below(claim: str, where: str, limit: float, measured: float, standard_error: float) -> Check:
    """A number that should be below a limit beyond doubt, by 2 standard errors.

    Args:
        claim: what is claimed.
        where: its place in the paper.
        limit: what to stay below.
        measured: the number found.
        standard_error: of ``measured``.

    Returns:
        The check: "partly" if ``measured`` is below the limit by less than 2 standard errors.
    """
    words = f"< {limit:g} by {STANDARD_ERRORS:g} s.e."
    miss = measured + STANDARD_ERRORS * standard_error - limit
    return _judged(claim, where, words, measured, None, standard_error, miss)


def every(claim: str, where: str, holds: int, cases: int) -> Check:
    """A claim about many cases.

    Args:
        claim: what is claimed of each.
        where: its place in the paper.
        holds: number of cases where it holds.
        cases: number of cases, ≥ 1.

    Returns:
        The check: reproduced if it holds in all, "partly" if in more than half of them.
    """
    if holds == cases:
        verdict = Verdict.REPRODUCED
    else:
        verdict = Verdict.PARTLY if holds > MOST * cases else Verdict.NOT_REPRODUCED
    return Check(claim, where, f"{cases} of {cases}", f"{holds} of {cases}", None, None, verdict)


def same(claim: str, where: str, expected: str, measured: str) -> Check:
    """Words that should be the same."""
    verdict = Verdict.REPRODUCED if expected == measured else Verdict.NOT_REPRODUCED
    return Check(claim, where, expected, measured, None, None, verdict)


def untested(
    claim: str,
    where: str,
    expected: float | str,
    tolerance: float | None = None,
    measured: float | str | None = None,
) -> Check:
    """A claim that the chosen size is too small for; ``measured`` is what that size gives."""
    return Check(claim, where, expected, measured, None, tolerance, Verdict.NOT_TESTED)


def _judged(
    claim: str,
    where: str,
    expected: float | str,
    measured: float,
    tolerance: float | None,
    standard_error: float | None,
    miss: float,
) -> Check:
    """The check of a number that misses its claim by ``miss`` (≤ 0: it does not)."""
    number = float(measured) + 0.0  # no negative zero
    error = None if standard_error is None or not math.isfinite(standard_error) else standard_error
    if miss <= 0:
        verdict = Verdict.REPRODUCED
    elif error is not None and miss <= STANDARD_ERRORS * error:
        verdict = Verdict.PARTLY
    else:
        verdict = Verdict.NOT_REPRODUCED
    found = number if math.isfinite(number) else None
    return Check(claim, where, expected, found, error, tolerance, verdict)
