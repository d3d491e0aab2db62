"""The infinite-width phase diagram: regimes, boundaries and exponents of the relative changes."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from netphase._checks import finite_float, one_of
from netphase._types import Which

ON_A_LINE = 1e-9
"""Exponents nearer to zero are zero."""


class Regime(StrEnum):
    """How far the parameters move, relative to their start, as the width grows."""

    LINEAR = "linear"
    CRITICAL = "critical"
    CONDENSED = "condensed"

    @property
    def alias(self) -> str:
        """The same regime in the words of the rest of the literature."""
        return _ALIASES[self]


_ALIASES = {
    Regime.LINEAR: "lazy, kernel",
    Regime.CRITICAL: "mean-field, μP-like",
    Regime.CONDENSED: "rich, feature learning",
}


class Exponents(NamedTuple):
    """Exponents S of relative changes in the width, RD ~ m^S.

    Attributes:
        w: of the input weights.
        a: of the output weights.
        theta: of all parameters (in normalised variables).
    """

    w: float
    a: float
    theta: float


def gamma_c(gamma_prime: float, which: Which = "w") -> float:
    """The γ at which a relative change goes from vanishing to growing with the width.

    Input weights: γ_c = 1 + max(γ′, 0); output weights: γ_c = 1 + max(−γ′, 0); all: γ_c = 1.

    Args:
        gamma_prime: γ′ = lim −log κ′/log m, any finite number.
        which: ``"w"``, ``"a"`` or ``"theta"``.

    Returns:
        The critical γ, ≥ 1.

    Raises:
        ArgumentError: γ′ is not finite or ``which`` is unknown.

    References:
        Luo et al. (JMLR 2021), Theorems 6 and 8 (w), appendix D (θ), Remark 28 (a).

    Example:
        >>> gamma_c(0.5), gamma_c(0.5, "a")
        (1.5, 1.0)
    """
    g = finite_float("gamma_prime", gamma_prime)
    block = one_of("which", which, ("w", "a", "theta"))
    return 1.0 + max({"w": g, "a": -g, "theta": 0.0}[block], 0.0)


def regime_at(gamma: float, gamma_prime: float, which: Which = "w") -> Regime:
    """The regime of a point of the plane, by the relative change of one block of parameters.

    The regime of the paper is that of ``"w"``; a point within 1e-9 of a boundary is critical.

    Args:
        gamma: γ = lim −log κ/log m.
        gamma_prime: γ′ = lim −log κ′/log m.
        which: ``"w"``, ``"a"`` or ``"theta"``.

    Returns:
        The regime at infinite width.

    Raises:
        ArgumentError: a coordinate is not finite or ``which`` is unknown.

    References:
        Luo et al. (JMLR 2021), Theorems 6 and 8, Fig. 1.

    Example:
        >>> regime_at(1.5, 0.0).alias
        'rich, feature learning'
    """
    return regime_of(finite_float("gamma", gamma) - gamma_c(gamma_prime, which))


def regime_of(exponent: float) -> Regime:
    """The regime of a layer whose relative change has this exponent in the width."""
    if abs(exponent) <= ON_A_LINE:
        return Regime.CRITICAL
    return Regime.LINEAR if exponent < 0 else Regime.CONDENSED


def _exponent_w(u: float, g: float) -> float:
    if u < max(0.0, -g):
        return u if g <= 0 else u - 2 * g
    return 2 * (u - g) if u <= g else (u - g) / 2


def predicted_exponents(gamma: float, gamma_prime: float, antisymmetric: bool = True) -> Exponents:
    """Exponents of the relative changes in the width, at infinite width.

    With u = γ − 1 and γ′ ≥ 0: S_w = u − 2γ′ for u < 0, 2(u − γ′) for 0 ≤ u ≤ γ′ and (u − γ′)/2
    beyond. With γ′ ≤ 0: S_w = u up to u = −γ′ and (u − γ′)/2 beyond. S_a is S_w with γ′ ↦ −γ′
    and S_θ is the larger of the two. The law holds for the whole training of ReLU networks and for
    the initial stage of smooth activations of multiplicity one. It was found by a scaling argument
    and checked numerically; it is not a theorem. At widths up to some 10⁴ measured slopes differ
    from it by up to 0.15 near the critical lines and at small |γ′|.

    Args:
        gamma: γ = lim −log κ/log m.
        gamma_prime: γ′ = lim −log κ′/log m.
        antisymmetric: whether the network starts at zero output. Otherwise its first output grows
            with the width for γ < 1/2 and training has to take that back, so that the exponents
            are those of γ = 1/2.

    Returns:
        The three exponents; negative where the change vanishes, positive where it grows.

    Raises:
        ArgumentError: a coordinate is not finite.

    References:
        Luo et al. (JMLR 2021) define S_w (Fig. 4); the law itself is not in the paper.

    Example:
        >>> predicted_exponents(1.75, 0.0).w
        0.375
    """
    u = finite_float("gamma", gamma) - 1
    u = u if antisymmetric else max(u, -0.5)
    g = finite_float("gamma_prime", gamma_prime)
    w, a = _exponent_w(u, g), _exponent_w(u, -g)
    return Exponents(w, a, max(w, a))
