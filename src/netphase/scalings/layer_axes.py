"""Planes of deep networks: the exponents of a `LayerScaling` by name, and how to move them."""

from __future__ import annotations

from collections.abc import Mapping

from netphase._checks import finite_float, instance_of, one_of, positive_int
from netphase.errors import ArgumentError
from netphase.scalings.layers import LayerScaling


def layer_axes(depth: int) -> dict[str, str]:
    """The exponents that a plane of networks of L hidden layers can have as axes.

    Args:
        depth: L ≥ 1.

    Returns:
        Name → what it is: ``g1`` … ``g{L+1}``, ``rate1`` … ``rate{L+1}``, ``alpha``, and
        ``gamma``, which is set through α with the β_l as they are.

    Raises:
        ArgumentError: ``depth`` is not a positive integer.

    Example:
        >>> list(layer_axes(1))
        ['g1', 'g2', 'rate1', 'rate2', 'alpha', 'gamma']
    """
    layers = range(1, positive_int("depth", depth) + 2)
    return {
        **{f"g{k}": f"g{k}, from β{k} = m^(−g{k})" for k in layers},
        **{f"rate{k}": f"exponent of the learning rate η{k}" for k in layers},
        "alpha": "exponent of α, which divides the output",
        "gamma": f"γ, from β1 ⋯ β{depth + 1} / α = m^(−γ), set through α",
    }


def with_exponents(base: LayerScaling, exponents: Mapping[str, float]) -> LayerScaling:
    """A scaling with some of its exponents replaced.

    Args:
        base: the scaling.
        exponents: name, as `layer_axes` lists it, → exponent. ``gamma`` is set last, through α.

    Returns:
        The scaling, with the prefactors of ``base``; formulas are multiplied by powers of m.

    Raises:
        ArgumentError: a name is unknown, a number is not finite, or ``alpha`` and ``gamma`` are
            both given.

    Example:
        >>> law = with_exponents(LayerScaling(g=(0.0, 0.5, 0.5)), {"g3": 1.0, "gamma": 2.0})
        >>> law.g, law.alpha
        ((0.0, 0.5, 1.0), 0.5)
    """
    instance_of("base", base, LayerScaling, "a LayerScaling")
    known = layer_axes(base.depth)
    values = {one_of("axes", k, known): finite_float(k, each) for k, each in exponents.items()}
    if {"alpha", "gamma"} <= values.keys():
        raise ArgumentError(
            "Argument `axes` must not hold both alpha and gamma, since α is what sets γ. Take one."
        )
    rates = tuple(values.get(f"rate{k}", each) for k, each in enumerate(base.rates, 1))
    powers = tuple(each - values.get(f"g{k}", each) for k, each in enumerate(base.g, 1))
    law = base.with_learning_rates(rates, base.rate_prefactors).rescaled(powers)
    alpha = values.get("alpha", base.alpha)
    if "gamma" in values:
        alpha = law.alpha + values["gamma"] - law.gamma
    return law.rescaled(alpha=alpha - law.alpha)
