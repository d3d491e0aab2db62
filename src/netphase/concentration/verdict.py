"""Whether kernels concentrate at the rate m^(−1/2), judged from a fitted power of the width."""

from __future__ import annotations

import math
from typing import NamedTuple

from netphase.analysis import PowerLawFit

EXPECTED = -0.5
"""The exponent of an average over m independent neurons."""

CLOSE = 0.05
"""A difference of the exponent from −1/2 that finite widths explain."""

WIDEST = 0.25
"""Half-width of an interval from which it no longer tells m^(−1/2) from a constant."""

CRITERION = (
    "m^(-1/2) if the 95 % interval of the exponent, or 0.05 around it, covers -1/2; else faster or "
    "slower; undetermined if the half-width of the interval exceeds 0.25 or there is none"
)
"""What the words of a verdict mean."""


class ConcentrationVerdict(NamedTuple):
    """The exponent of an error in the width, judged.

    Attributes:
        word: "m^(-1/2)", "faster", "slower" or "undetermined".
        exponent: S of error ∝ m^S, NaN where there is none.
        half_width: of its 95 % interval; infinite where there is none.
        reason: a sentence.
    """

    word: str
    exponent: float
    half_width: float
    reason: str


def judge_concentration(fit: PowerLawFit | None) -> ConcentrationVerdict:
    """Judges the error of a kernel over the width.

    Args:
        fit: `netphase.analysis.fit_power_law` of the errors; None where there is only one width.

    Returns:
        The verdict; `CRITERION` says its rule.
    """
    if fit is None:
        return ConcentrationVerdict(
            "undetermined",
            math.nan,
            math.inf,
            "One width gives an error but no exponent: give two widths or more.",
        )
    half = fit.half_width()
    found = f"The error falls as m^({fit.exponent:.3f})"
    if not half <= WIDEST:
        said = f"{found}, but its interval is too wide to judge: add seeds or widths."
        return ConcentrationVerdict("undetermined", fit.exponent, half, said)
    told = f"{found}, with a 95 % interval of ± {half:.2g}"
    if abs(fit.exponent - EXPECTED) <= max(half, CLOSE):
        said = f"{told}: as m^(−1/2), the rate of averages over m neurons."
        return ConcentrationVerdict("m^(-1/2)", fit.exponent, half, said)
    word = "faster" if fit.exponent < EXPECTED else "slower"
    return ConcentrationVerdict(word, fit.exponent, half, f"{told}: {word} than m^(−1/2).")
