"""The regime of one cell of the plane, judged from the measured exponent and its error alone."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from netphase._types import Array
from netphase.analysis.power_law import PowerLawFit
from netphase.scalings import Laziness, Regime, zone_of

MARGIN = 0.1
"""A cell is critical only if its interval lies within ± this."""

CONFIDENCE = 0.95
"""Confidence of the interval a verdict rests on."""

CRITERION = (
    f"S_w ± e, where e joins the {CONFIDENCE:.0%} Student-t interval and half of the drift of the "
    "local exponent with its noise taken off: condensed if S_w > e, linear if S_w < −e, critical "
    f"if the interval contains 0 and lies within ±{MARGIN:g}, otherwise undetermined; not "
    "converged if any run of the cell did not reach its target."
)
"""The rule, for tables and captions."""

ZONE_CRITERION = (
    "the rule of the regimes applied to S_w and to S_a: θ-lazy if both are negative, w-lag if only "
    "S_a is positive, a-lag if only S_w is, condensed if both are; critical if either vanishes; "
    "otherwise undetermined or not converged."
)
"""The rule of the zones."""

LAYER_CRITERION = (
    "the rule of the regimes applied to the operator-norm exponent of every layer: θ-lazy if all "
    "are negative, below if one is positive; boundary if the largest is critical and the interval "
    f"of none reaches beyond {MARGIN:g}; otherwise undetermined or not converged."
)
"""The rule for whole networks of several layers."""


class RegimeVerdict(StrEnum):
    """What the trained runs of a cell say; `CRITERION` is the rule.

    In other words: linear is lazy or kernel, critical is mean-field or μP-like, condensed is rich
    or feature learning.
    """

    LINEAR = "linear"
    CRITICAL = "critical"
    CONDENSED = "condensed"
    UNDETERMINED = "undetermined"
    NOT_CONVERGED = "not converged"


def judge_zone(w: RegimeVerdict, a: RegimeVerdict) -> str:
    """The zone of a cell from the verdicts on its two layers.

    Args:
        w: verdict on the relative change of the input weights.
        a: the same on that of the output weights.

    Returns:
        A `scalings.Zone`, "undetermined" or "not converged", by `ZONE_CRITERION`.
    """
    for word in (RegimeVerdict.NOT_CONVERGED, RegimeVerdict.UNDETERMINED):
        if word in (w, a):
            return word.value
    return zone_of(Regime(w.value), Regime(a.value)).value


def judge_layers(fits: Sequence[PowerLawFit | None], converged: bool) -> str:
    """The verdict on a network from the power laws of its layers.

    Args:
        fits: of the relative change of every layer in the operator norm, None where there is none.
        converged: whether every run of the cell reached its target.

    Returns:
        A `scalings.Laziness`, "undetermined" or "not converged", by `LAYER_CRITERION`.
    """
    words = [judge(fit, converged) for fit in fits]
    if RegimeVerdict.NOT_CONVERGED in words:
        return RegimeVerdict.NOT_CONVERGED.value
    if RegimeVerdict.CONDENSED in words:
        return Laziness.BELOW.value
    if all(word is RegimeVerdict.LINEAR for word in words):
        return Laziness.THETA_LAZY.value
    known = [fit for fit in fits if fit is not None]
    if len(known) == len(fits):
        largest = max(range(len(known)), key=lambda k: known[k].exponent)
        bounded = all(fit.exponent + uncertainty(fit) <= MARGIN for fit in known)
        if words[largest] is RegimeVerdict.CRITICAL and bounded:
            return Laziness.BOUNDARY.value
    return RegimeVerdict.UNDETERMINED.value


def uncertainty(fit: PowerLawFit) -> float:
    """Half-width e of the interval that a verdict rests on.

    The statistical interval and the systematic error of a finite width are added in quadrature.
    The latter is half of the drift (by so much the local exponent at the largest width differs
    from the fitted one), after its noise has been taken off.

    Args:
        fit: the power law of the cell.

    Returns:
        e > 0, infinite where the fit has no standard error.
    """
    systematic = 0.5 * float(beyond_noise(fit.drift, fit.drift_error))
    return float(np.hypot(fit.half_width(CONFIDENCE), systematic))


def beyond_noise(drift: Array | float, error: Array | float) -> Array:
    """Size of a drift with its noise taken off, √max(drift² − error², 0); 0 where unknown.

    Args:
        drift: measured drifts, any shape.
        error: their standard errors, same shape.

    Returns:
        Sizes ≥ 0, same shape.
    """
    excess = np.nan_to_num(np.square(drift) - np.square(error))
    return np.asarray(np.sqrt(np.maximum(excess, 0.0)))


def judge(fit: PowerLawFit | None, converged: bool) -> RegimeVerdict:
    """The verdict on one cell.

    Args:
        fit: power law of RD_w in the width, None where there is none.
        converged: whether every run of the cell reached its target.

    Returns:
        The verdict by `CRITERION`.
    """
    if not converged:
        return RegimeVerdict.NOT_CONVERGED
    if fit is None:
        return RegimeVerdict.UNDETERMINED
    error = uncertainty(fit)
    if fit.exponent > error:
        return RegimeVerdict.CONDENSED
    if fit.exponent < -error:
        return RegimeVerdict.LINEAR
    if abs(fit.exponent) + error <= MARGIN:
        return RegimeVerdict.CRITICAL
    return RegimeVerdict.UNDETERMINED
