"""How condensed some neurons are: every measure beside its chance level, and a verdict."""

from __future__ import annotations

from dataclasses import dataclass

from netphase._types import Array
from netphase.observables import (
    CondensationVerdict,
    Cover,
    Features,
    Significance,
    against_chance,
    condensation_verdict,
    condensed_directions,
    minimal_cover,
)
from netphase.results.single import ACTIVE

TESTED = (
    "clusters",
    "lines",
    "effective_number",
    "cover",
    "entropy_number",
    "participation_ratio",
    "effective_rank",
    "mean_square_cosine",
)
"""Statistics that a summary compares with chance, in its order."""

VERDICT_DRAWS = 99
"""Fewest clouds from which the verdict can be had at its level."""


@dataclass(frozen=True)
class CondensationSummary:
    """Every measure of condensation of some neurons.

    Attributes:
        active: neurons with an amplitude above 5 % of the largest.
        inactive: the others.
        directions: number of directions among the active ones, u and −u counted apart.
        lines: number of lines among them.
        shares: share of the active neurons' amplitude on each direction, the largest first.
        cover: bounds on the effective neuron number, the fewest directions that come near all.
        chance: each statistic of `TESTED` with its null model, z and p.
        verdict: condensed or not, and why.
    """

    active: int
    inactive: int
    directions: int
    lines: int
    shares: Array
    cover: Cover
    chance: tuple[Significance, ...]
    verdict: CondensationVerdict


def condensation_summary(feature: Features, draws: int = 99, seed: int = 0) -> CondensationSummary:
    """Measure how condensed some neurons are.

    Args:
        feature: directions and amplitudes.
        draws: clouds of random directions each statistic is compared with; the verdict, which
            fewer could not give, takes 99 at least.
        seed: of these clouds.

    Returns:
        The summary.

    Raises:
        ArgumentError: no neuron is active, a number is not finite, or ``draws`` is not a positive
            integer.

    Example:
        >>> from netphase.networks import initial_parameters
        >>> from netphase.observables import features
        >>> found = condensation_summary(features(initial_parameters(200, 2, 0, False)), draws=19)
        >>> found.active + found.inactive, found.verdict.label
        (200, 'not condensed')
    """
    found = condensed_directions(feature, threshold=ACTIVE)
    return CondensationSummary(
        active=len(feature.amplitude) - found.inactive,
        inactive=found.inactive,
        directions=found.count,
        lines=condensed_directions(feature, threshold=ACTIVE, lines=True).count,
        shares=found.shares,
        cover=minimal_cover(feature, threshold=ACTIVE),
        chance=tuple(against_chance(feature, name, draws, seed, ACTIVE) for name in TESTED),
        verdict=condensation_verdict(feature, max(draws, VERDICT_DRAWS), seed, ACTIVE),
    )
