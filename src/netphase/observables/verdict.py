"""Condensed or not: chance level and size of the effect together."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, TypeAlias

from netphase._checks import finite_float, positive_int
from netphase.errors import ArgumentError
from netphase.observables.features import Features
from netphase.observables.significance import Significance, against_chance

Label: TypeAlias = Literal["condensed", "not condensed", "undetermined"]

LEAST_NULL = 4.0
"""Where chance itself uses fewer directions than this, nothing can be told from chance."""
WEAK, STRONG = 0.1, 0.45
"""Effects below the first are not condensed, above the second (and significant) condensed."""

CONTRADICTING = 0.3
"""How far between chance (0) and one line (1) a mean squared cosine contradicts "not condensed"."""

WORDS = {
    "participation_ratio": "a participation ratio of the orientations",
    "effective_number": "an effective number of directions",
}
"""The statistics of the verdict in words."""


class CondensationVerdict(NamedTuple):
    """Whether some neurons are condensed, and why.

    Attributes:
        label: ``"condensed"``, ``"not condensed"`` or ``"undetermined"``.
        effect: how far the neurons are on the way from chance (0) to one direction (1).
        significance: the amplitude-weighted number of directions against its chance level.
        reason: one sentence.
    """

    label: Label
    effect: float
    significance: Significance
    reason: str


def condensation_verdict(
    feature: Features,
    draws: int = 99,
    seed: int = 0,
    threshold: float = 0.05,
    level: float = 0.01,
) -> CondensationVerdict:
    """Judge whether the active neurons are condensed.

    The statistic is an amplitude-weighted number of directions N: the participation ratio of 128
    angles in d = 2, the effective number 1/Σ share² of `condensed_directions` beyond. With N₀ its
    mean over random directions, the effect is 1 − log N/log N₀: 0 at chance, 1 for one direction.
    Condensed is what is significant (p ≤ ``level``) and has an effect ≥ 0.45; not condensed has an
    effect < 0.1, however significant; what lies between is undetermined, as a critical network is.
    So are neurons in one dimension (only ±1 exists) and those so few that N₀ < 4.

    The participation ratio of a few neurons is about their number wherever they look, so "not
    condensed" is not said against the weighted mean squared cosine C: where
    (C − C₀)/(1 − C₀) ≥ 0.3, with C₀ at chance, it is undetermined.

    The bounds stand where the known clouds of one-input ReLU networks leave room: effects −0.01
    to 0.01 at the start and at γ = 0.5, 0.16 to 0.29 at γ = 1, 0.53 to 0.84 from γ = 1.25 on.

    Args:
        feature: directions and amplitudes.
        draws: clouds of the null model, at least 1/``level`` − 1: the p-value of fewer is below
            ``level`` by chance alone. Wide uncondensed layers in many dimensions cost about
            0.15 s a cloud, all else milliseconds.
        seed: of the null model.
        threshold: neurons at or below this share of the largest amplitude are inactive, in [0, 1).
        level: largest p-value that counts as significant, in (0, 1).

    Returns:
        The verdict with its reason.

    Raises:
        ArgumentError: as `against_chance`, ``level`` is not in (0, 1), or ``draws`` are too few
            for it.

    References:
        Luo et al. (JMLR 2021), Figs 2 and 6, show what is judged here.

    Example:
        >>> from netphase.networks import initial_parameters
        >>> from netphase.observables import features
        >>> condensation_verdict(features(initial_parameters(500, 2, 0, False))).label
        'not condensed'
    """
    limit, count = finite_float("level", level), positive_int("draws", draws)
    if not 0 < limit < 1:
        raise ArgumentError(f"Argument `level` must lie in (0, 1), but is {limit}.")
    least = 1 / limit - 1
    if count < least * (1 - 1e-12):
        raise ArgumentError(
            f"Argument `draws` must be at least 1/level − 1 = {least:.10g} for a `level` of "
            f"{limit:g}, but is {count}: fewer clouds tell nothing at that level. Draw more, or "
            f"take a `level` of {1 / (count + 1):.2g} or more."
        )
    d = feature.direction.shape[1] if isinstance(feature, Features) else 0
    statistic = "participation_ratio" if d == 2 else "effective_number"
    found = against_chance(feature, statistic, count, seed, threshold)
    if d == 1:
        reason = "In one input dimension there are only the directions +1 and −1."
        return CondensationVerdict("undetermined", math.nan, found, reason)
    if found.null_mean < LEAST_NULL:
        reason = (
            "So few neurons are active that random ones, too, would use only "
            f"{found.null_mean:.2g} direction{'s' if f'{found.null_mean:.2g}' != '1' else ''}."
        )
        return CondensationVerdict("undetermined", math.nan, found, reason)
    effect = 1 - math.log(found.observed) / math.log(found.null_mean)
    label, why = _judge(effect, found.p, limit)
    reason = (
        f"The active neurons have {WORDS[statistic]} of {found.observed:.3g} "
        f"where random ones have {found.null_mean:.3g} (p = {found.p:.2g}): {why}"
    )
    if label == "not condensed":
        cosine = against_chance(feature, "mean_square_cosine", count, seed, threshold)
        gain = (cosine.observed - cosine.null_mean) / (1 - cosine.null_mean)
        if gain >= CONTRADICTING:
            label = "undetermined"
            reason += (
                f"; but their mean squared cosine is {cosine.observed:.3g}, where random ones have "
                f"{cosine.null_mean:.3g} (p = {cosine.p:.2g})"
            )
    return CondensationVerdict(label, effect, found, reason + ".")


def _judge(effect: float, p: float, level: float) -> tuple[Label, str]:
    """The label for an effect and a p-value, and why."""
    if effect < WEAK:
        return "not condensed", "hardly fewer"
    if effect < STRONG:
        return "undetermined", "fewer, but not few"
    if p > level:
        return "undetermined", "few, but chance could do it"
    return "condensed", "few"
