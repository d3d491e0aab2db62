"""The four zones of the plane for smooth activations, told by which of the layers move."""

from __future__ import annotations

from enum import StrEnum

from netphase._checks import finite_float
from netphase.scalings.theory import Regime, regime_at


class Zone(StrEnum):
    """Which weights move, relative to their start, as the width grows.

    The condensed regime of the input weights is two zones: in `A_LAG` the output weights stay.
    """

    THETA_LAZY = "θ-lazy"
    W_LAG = "w-lag"
    A_LAG = "a-lag"
    CONDENSED = "condensed"
    CRITICAL = "critical"

    @property
    def alias(self) -> str:
        """The zone in plain words and those of the rest of the literature."""
        return _ALIASES[self]


_ALIASES = {
    Zone.THETA_LAZY: "both layers stay: lazy, kernel",
    Zone.W_LAG: "only output weights move: lazy, random features",
    Zone.A_LAG: "only input weights move: rich, feature learning",
    Zone.CONDENSED: "both layers move: rich, feature learning",
    Zone.CRITICAL: "a layer on the verge: mean-field, μP-like",
}

_OF_SIDES = {
    (Regime.LINEAR, Regime.LINEAR): Zone.THETA_LAZY,
    (Regime.LINEAR, Regime.CONDENSED): Zone.W_LAG,
    (Regime.CONDENSED, Regime.LINEAR): Zone.A_LAG,
    (Regime.CONDENSED, Regime.CONDENSED): Zone.CONDENSED,
}


def zone_of(w: Regime, a: Regime) -> Zone:
    """The zone in which input and output weights have these regimes.

    Args:
        w: regime of the relative change of the input weights.
        a: the same of the output weights.

    Returns:
        The zone, critical if either layer is.

    Example:
        >>> zone_of(Regime.LINEAR, Regime.CONDENSED).value
        'w-lag'
    """
    return _OF_SIDES.get((w, a), Zone.CRITICAL)


def zone_at(gamma: float, gamma_prime: float) -> Zone:
    """The zone of a point of the plane at infinite width.

    θ-lazy for γ < 1; beyond, w-lag for γ′ > γ − 1, a-lag for γ′ < 1 − γ, condensed between. The
    lines γ = 1, γ′ = γ − 1 and γ′ = 1 − γ (γ ≥ 1) are critical.

    Args:
        gamma: γ = lim −log κ/log m.
        gamma_prime: γ′ = lim −log κ′/log m.

    Returns:
        The zone.

    Raises:
        ArgumentError: a coordinate is not finite.

    References:
        Chen et al. (2023) for θ-lazy, w-lag and condensed, with smooth activations of multiplicity
        one. The a-lag zone is the part of their condensed regime that lies beyond the boundary of
        RD(a); Luo et al. (JMLR 2021), Remark 28.

    Example:
        >>> [zone_at(1.5, g).value for g in (1.0, 0.5, 0.0, -1.0)]
        ['w-lag', 'critical', 'condensed', 'a-lag']
    """
    return zone_of(*(regime_at(gamma, gamma_prime, which) for which in ("w", "a")))


def distance_to_lines(gamma: float, gamma_prime: float) -> float:
    """How far a point is, along an axis, from where S_w or S_a of the law changes its form.

    These lines are γ = 1, |γ′| = γ − 1 beyond it, and γ′ = 0 before it. Near them a finite width
    blurs the law: two terms that differ by m^distance compete.

    Args:
        gamma: γ = lim −log κ/log m.
        gamma_prime: γ′ = lim −log κ′/log m.

    Returns:
        The distance, ≥ 0.

    Raises:
        ArgumentError: a coordinate is not finite.

    Example:
        >>> distance_to_lines(1.5, 0.25), distance_to_lines(0.75, 0.125)
        (0.25, 0.125)
    """
    u, g = finite_float("gamma", gamma) - 1, abs(finite_float("gamma_prime", gamma_prime))
    return min(-u, g) if u < 0 else min(u, abs(u - g))
