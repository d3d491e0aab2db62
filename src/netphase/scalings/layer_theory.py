"""What theory says of deep networks: verdicts, and the relative change of every layer."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from netphase._checks import instance_of
from netphase.scalings.layers import LayerScaling
from netphase.scalings.theory import ON_A_LINE, Regime, regime_of


class Laziness(StrEnum):
    """Where a network stands by its output scale κ, as the width grows."""

    THETA_LAZY = "θ-lazy"
    BOUNDARY = "boundary"
    BELOW = "below"

    @property
    def regime(self) -> Regime:
        """The regime of the layer that moves most."""
        return _REGIMES[self]

    @property
    def alias(self) -> str:
        """The same verdict in the words of the plane and of the rest of the literature."""
        return f"{self.regime.value}: {self.regime.alias}"


_REGIMES = {
    Laziness.THETA_LAZY: Regime.LINEAR,
    Laziness.BOUNDARY: Regime.CRITICAL,
    Laziness.BELOW: Regime.CONDENSED,
}


class LayerPrediction(NamedTuple):
    """What is predicted of one layer of weights W^[l], as the width grows.

    Attributes:
        layer: l, from 1 (inputs) to L+1 (output).
        share_exponent: exponent of its share p_l of the tangent kernel, ≤ 0.
        share: limit of p_l (of `LayerScales.shares`), in [0, 1].
        operator: exponent of ‖W(t) − W(0)‖/‖W(0)‖ in the operator norm.
        frobenius: the same in the Frobenius norm; 1/2 less for the hidden matrices.
        regime: linear (the layer stays: lazy), critical (it moves by O(1)) or condensed (it moves
            ever farther), by the operator norm.
    """

    layer: int
    share_exponent: float
    share: float
    operator: float
    frobenius: float
    regime: Regime


def laziness(scaling: LayerScaling) -> Laziness:
    """The verdict on the whole network: θ-lazy where lim log κ/log m > 0, whatever the layers.

    Args:
        scaling: the scales; learning rates do not matter.

    Returns:
        The verdict; within 1e-9 of zero it is the boundary.

    Raises:
        ArgumentError: ``scaling`` is no `LayerScaling`.

    References:
        Li, Luo & Zhou (2024), the θ-lazy area (abstract); κ as reconstructed in `LayerScaling`.

    Example:
        >>> laziness(LayerScaling(g=(0.0, 0.5, 0.5))).alias
        'linear: lazy, kernel'
    """
    instance_of("scaling", scaling, LayerScaling, "a LayerScaling")
    regime = regime_of(-scaling.log_m_kappa)
    return next(each for each in Laziness if each.regime is regime)


def predicted_layers(
    scaling: LayerScaling, antisymmetric: bool = True
) -> tuple[LayerPrediction, ...]:
    """Exponents of the relative change of every layer, RD ~ m^S, at infinite width.

    With k = lim log κ/log m and s_l the exponent of η_l/β_l²: S_l = s_l − max s − k where k ≥ 0.
    Below (k < 0) the layers that grow share the task of an output of size one under the balance
    Δ‖W^[l]‖²/η_l, which is the same for all: S_l = C + s_l where that is negative, (C + s_l)/2
    where it is positive, and the positive ones sum to −k. For one hidden layer this is
    `predicted_exponents`. Hidden matrices change by a matrix of low rank, so in the Frobenius norm
    their exponent is 1/2 less, and feature learning hides from it.

    Args:
        scaling: the scales and learning rates.
        antisymmetric: whether the network starts at zero output. Otherwise the first output grows
            with the width for k > 1/2, training has to take that back, and the exponents are those
            of k = 1/2.

    Returns:
        One prediction a layer, from the inputs' side.

    Raises:
        ArgumentError: ``scaling`` is no `LayerScaling`.

    References:
        Derived, not read: the statement for k > 0 reconstructs Li, Luo & Zhou (2024). Checked by
        training tanh and ReLU networks of two and three hidden layers with unequal scales on both
        sides of the boundary: at widths from 64 to 512 the fitted exponents of every layer are
        within 0.15 of these, beside their standard errors. Further below, α_l of hidden layers must
        not be so small that pre-activations of a smooth σ leave its linear part for good.

    Example:
        >>> [each.operator for each in predicted_layers(LayerScaling(g=(0.0, 0.5, 1.0)))]
        [-2.0, -1.0, 0.0]
    """
    verdict = laziness(scaling)
    shares = scaling.share_exponents
    k = 0.0 if verdict is Laziness.BOUNDARY else scaling.log_m_kappa
    k = k if antisymmetric else min(k, 0.5)
    level = -k if k >= 0 else _water_level(shares, -k)
    limits = _limiting_shares(scaling)
    found = []
    for layer, (share, limit) in enumerate(zip(shares, limits, strict=True), 1):
        s = level + share
        s = s / 2 if s > 0 else s + 0.0
        hidden = 1 < layer <= scaling.depth
        found.append(
            LayerPrediction(layer, share, limit, s, s - 0.5 if hidden else s, regime_of(s))
        )
    return tuple(found)


def _water_level(shares: tuple[float, ...], depth: float) -> float:
    """C with Σ_l max(0, C + s_l)/2 = depth, for shares s_l ≤ 0."""
    ordered, total = sorted(shares, reverse=True), 0.0
    level = 0.0
    for count, each in enumerate(ordered, 1):
        total += each
        level = (2 * depth - total) / count
        if count == len(ordered) or level + ordered[count] <= 0:
            break
    return level


def _limiting_shares(scaling: LayerScaling) -> tuple[float, ...]:
    leading = [
        rate / beta**2 if exponent > -ON_A_LINE else 0.0
        for rate, beta, exponent in zip(
            scaling.rate_prefactors, scaling.beta_prefactors, scaling.share_exponents, strict=True
        )
    ]
    return tuple(each / sum(leading) for each in leading)
