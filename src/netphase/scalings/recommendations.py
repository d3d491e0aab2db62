"""What to change in the scales of a deep network so that it becomes lazy, rich, or moves evenly."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from netphase.scalings.layer_theory import Laziness, laziness, predicted_layers
from netphase.scalings.layers import LayerScaling
from netphase.scalings.theory import ON_A_LINE, Regime


class Goal(StrEnum):
    """What a change is for."""

    LAZY = "to become lazy"
    BOUNDARY = "to become critical"
    RICH = "to become rich"
    ALL_LAYERS = "to let all layers move"


_AIMS = {
    Goal.LAZY: (Laziness.THETA_LAZY, 0.5),
    Goal.BOUNDARY: (Laziness.BOUNDARY, 0.0),
    Goal.RICH: (Laziness.BELOW, -0.5),
}
"""Verdict and lim log κ/log m of a goal: half a power on either side, as NTK has it."""


class Recommendation(NamedTuple):
    """One way to reach a goal.

    Attributes:
        goal: what it is for.
        name: what is changed: ``alpha``, ``g{L+1}``, ``g`` (all of them), ``rates``, or
            ``alpha and rates``.
        change: what to do, in words.
        scaling: the scaling after it.
        verdict: the verdict on it.
        moving: the layers that move by O(1) or more in it, from 1 to L+1.
    """

    goal: Goal
    name: str
    change: str
    scaling: LayerScaling
    verdict: Laziness
    moving: tuple[int, ...]


def recommendations(scaling: LayerScaling) -> tuple[Recommendation, ...]:
    """Ways to bring a network to the other regimes, and to let all of its layers move.

    Changes of α leave pre-activations and the balance of the layers as they are, and are named
    first. Smaller g_l shrink or swell the pre-activations behind layer l, which matters where σ is
    not homogeneous, and change the balance. Learning rates move no network across the boundary:
    they say which layers move there. Layers move evenly where η_l/β_l² has one exponent for all.

    Args:
        scaling: the scales and learning rates.

    Returns:
        For each verdict that the network does not have, changes of α, of the last exponent, and
        of all exponents; and, where a layer stays, a change with which none does.

    Raises:
        ArgumentError: ``scaling`` is no `LayerScaling`.

    References:
        Derived from the condition of Li, Luo & Zhou (2024) and from `predicted_layers`; for
        ``mup_one_rate`` it gives back the learning rates of μP (Yang & Hu 2021), up to the clock.

    Example:
        >>> from netphase.scalings import layer_initialisation
        >>> last = recommendations(layer_initialisation("mup_one_rate", 2, d=10))[-1]
        >>> last.change
        'raise the learning rates of layer 1 by m^2, of layer 2 by m'
        >>> last.verdict.value, last.moving
        ('boundary', (1, 2, 3))
    """
    now = laziness(scaling)
    found = [
        _result(goal, *change)
        for goal, (verdict, aim) in _AIMS.items()
        if verdict is not now
        for change in _of_size(scaling, scaling.log_m_kappa - aim)
    ]
    if len(_moving(scaling)) <= scaling.depth:
        found.append(_result(Goal.ALL_LAYERS, *_evenly(scaling)))
    return tuple(found)


def _of_size(scaling: LayerScaling, less: float) -> Iterator[tuple[str, str, LayerScaling]]:
    """Changes that make κ smaller by m^less."""
    yield "alpha", _words_of_alpha(less), scaling.rescaled(alpha=less)
    last, depth = scaling.g[-1] + less, scaling.depth
    words = f"set g_{depth + 1} = {_short(last)}, that is β_{depth + 1} ~ {_power(-last)}"
    yield f"g{depth + 1}", words, scaling.rescaled((*(0.0,) * depth, -less))
    each = less / (depth + 1)
    words = (
        f"{'add' if each > 0 else 'subtract'} {_short(abs(each))} {'to' if each > 0 else 'from'}"
    )
    yield "g", f"{words} every g_l", scaling.rescaled((-each,) * (depth + 1))


def _evenly(scaling: LayerScaling) -> tuple[str, str, LayerScaling]:
    """Equal shares for all layers, on the boundary where the network is lazy."""
    less = max(scaling.log_m_kappa, 0.0)
    shares = scaling.share_exponents
    rates = tuple(each - share for each, share in zip(scaling.rates, shares, strict=True))
    even = scaling.with_learning_rates(rates, scaling.rate_prefactors)
    words = _words_of_rates(shares)
    if less <= ON_A_LINE:
        return "rates", words, even
    if not words:
        return "alpha", _words_of_alpha(less), scaling.rescaled(alpha=less)
    return "alpha and rates", f"{_words_of_alpha(less)}, and {words}", even.rescaled(alpha=less)


def _result(goal: Goal, name: str, change: str, scaling: LayerScaling) -> Recommendation:
    return Recommendation(goal, name, change, scaling, laziness(scaling), _moving(scaling))


def _moving(scaling: LayerScaling) -> tuple[int, ...]:
    layers = predicted_layers(scaling)
    return tuple(each.layer for each in layers if each.regime is not Regime.LINEAR)


def _words_of_alpha(less: float) -> str:
    return f"{'multiply' if less > 0 else 'divide'} α by {_power(abs(less))}"


def _words_of_rates(shares: tuple[float, ...]) -> str:
    """Which layers need larger learning rates, those that need equal factors together."""
    factors: dict[str, list[str]] = {}
    for layer, share in enumerate(shares, 1):
        if share < -ON_A_LINE:
            factors.setdefault(_power(-share), []).append(str(layer))
    groups = [
        f"of layer{'s' if len(layers) > 1 else ''} {_enumerated(layers)} by {factor}"
        for factor, layers in factors.items()
    ]
    return f"raise the learning rates {', '.join(groups)}" if groups else ""


def _enumerated(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _power(exponent: float) -> str:
    text = _short(exponent)
    return {"0": "1", "1": "m"}.get(text, f"m^{text}")


def _short(number: float) -> str:
    return f"{round(number, 9) + 0.0:.4g}"
