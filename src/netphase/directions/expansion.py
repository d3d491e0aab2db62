"""The first order of an activation that drives condensation: σ(z) = σ(0) + c zᵖ + ….

Reference: Zhou et al. (NeurIPS 2022), Definition 1, for the multiplicity p.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from netphase import activations
from netphase._checks import finite_float, positive_int
from netphase.activations import Activation
from netphase.errors import ArgumentError

LARGEST_MULTIPLICITY = 20

_COEFFICIENTS = {
    "tanh": 1.0,
    "x_tanh": 1.0,
    "x2_tanh": 1.0,
    "erf": 2 / math.sqrt(math.pi),
    "sigmoid": 0.25,
    "softplus": 0.5,
    "gelu": 0.5,
}


@dataclass(frozen=True)
class Expansion:
    """What a neuron of small input weights sees of its activation.

    Attributes:
        multiplicity: p, the first order that is there; 1 for ReLU and its kin, which are
            homogeneous of degree one.
        coefficient: c = σ⁽ᵖ⁾(0)/p!; 1 where ``slopes`` are given.
        constant: σ(0).
        slopes: for an activation of degree one with a kink, its slopes (right, left) of 0; None
            for a smooth one.
    """

    multiplicity: int
    coefficient: float
    constant: float = 0.0
    slopes: tuple[float, float] | None = None


def expansion(
    activation: str | Activation | None = None,
    *,
    multiplicity: int | None = None,
    coefficient: float | None = None,
) -> Expansion:
    """The leading order of an activation, or of a multiplicity without one.

    Args:
        activation: a name of `netphase.activations` or an `Activation`; None to give the
            multiplicity instead.
        multiplicity: p ≥ 1; for an activation of the user's own it may be left out if the
            activation knows its own.
        coefficient: c ≠ 0; 1 by default where only a multiplicity is given. An activation of
            the user's own needs it for p ≥ 3, where derivatives of the function cannot give it.

    Returns:
        The expansion.

    Raises:
        ArgumentError: neither or contradictory arguments are given, or the expansion of an
            activation is not known.

    References:
        Zhou et al. (NeurIPS 2022), Definition 1.

    Example:
        >>> expansion("softplus").coefficient, expansion("x2_tanh").multiplicity
        (0.5, 3)
    """
    if activation is None:
        if multiplicity is None:
            raise ArgumentError("One of the arguments `activation` and `multiplicity` is needed.")
        return Expansion(_order(multiplicity), _factor(1.0 if coefficient is None else coefficient))
    sigma = activations.get(activation)
    if sigma.homogeneous:
        return _degree_one(sigma, multiplicity, coefficient)
    if sigma.name in _COEFFICIENTS and activations.get(sigma.name) == sigma:
        return _named(sigma, multiplicity, coefficient)
    return _own(sigma, multiplicity, coefficient)


def _order(multiplicity: int) -> int:
    p = positive_int("multiplicity", multiplicity)
    if p > LARGEST_MULTIPLICITY:
        raise ArgumentError(
            f"Argument `multiplicity` must be at most {LARGEST_MULTIPLICITY}, but is {p}."
        )
    return p


def _factor(coefficient: float) -> float:
    c = finite_float("coefficient", coefficient)
    if c == 0:
        raise ArgumentError("Argument `coefficient` must not be zero: the next order decides then.")
    return c


def _at_zero(function: activations.Pointwise) -> float:
    return float(function(np.zeros(1))[0])


def _must_be_left_out(sigma: Activation, given: object) -> None:
    if given is not None:
        raise ArgumentError(
            f"Arguments `multiplicity` and `coefficient` must be left out here: those of "
            f"{sigma.name} are known."
        )


def _degree_one(sigma: Activation, multiplicity: object, coefficient: object) -> Expansion:
    _must_be_left_out(sigma, multiplicity)
    _must_be_left_out(sigma, coefficient)
    right, left = (float(s * sigma.value(np.array([s]))[0]) for s in (1.0, -1.0))
    if right == left:
        return Expansion(1, _factor(right))
    return Expansion(1, 1.0, 0.0, (right, left))


def _named(sigma: Activation, multiplicity: object, coefficient: object) -> Expansion:
    _must_be_left_out(sigma, multiplicity)
    _must_be_left_out(sigma, coefficient)
    assert sigma.multiplicity is not None
    return Expansion(sigma.multiplicity, _COEFFICIENTS[sigma.name], _at_zero(sigma.value))


def _own(sigma: Activation, multiplicity: int | None, coefficient: float | None) -> Expansion:
    known = sigma.multiplicity if multiplicity is None else multiplicity
    if known is None:
        raise ArgumentError(
            f"Argument `multiplicity` is needed: that of {sigma.name} is not known. It is the "
            "order of its first derivative that is not zero at 0."
        )
    p = _order(known)
    if sigma.multiplicity not in (None, p):
        raise ArgumentError(
            f"Argument `multiplicity` must agree with {sigma.name}, which has "
            f"{sigma.multiplicity}, but is {p}."
        )
    if coefficient is None:
        if p > 2:
            raise ArgumentError(
                f"Argument `coefficient` is needed for {sigma.name}: derivative {p} at 0, divided "
                f"by {p}!."
            )
        first = p == 1
        coefficient = _at_zero(sigma.derivative) if first else _at_zero(sigma.second_derivative) / 2
    return Expansion(p, _factor(coefficient), _at_zero(sigma.value))
