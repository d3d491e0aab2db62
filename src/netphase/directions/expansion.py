"""The first order of an activation that drives condensation: σ(z) = σ(0) + c zᵖ + ….

Reference: Zhou et al. (NeurIPS 2022), Definition 1, for the multiplicity p.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netphase import activations
from netphase._checks import finite_float, positive_int
from netphase.activations import Activation
from netphase.errors import ArgumentError

LARGEST_MULTIPLICITY = 20
_BESIDE = 1e-9  # where the slopes to either side of 0 are read
_NO_DERIVATIVE = 1e-6  # size of a derivative at 0 that counts as none


@dataclass(frozen=True)
class Expansion:
    """What a neuron of small input weights sees of its activation.

    Attributes:
        multiplicity: p, the first order that is there; 1 for ReLU and its kin.
        coefficient: c = σ⁽ᵖ⁾(0)/p!; 1 where ``slopes`` are given.
        constant: σ(0).
        slopes: of an activation with a kink at 0, those to the (right, left) of it; None where
            there is no kink.
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
        multiplicity: p, 1 to 20. It belongs to the activation: leave it out, except for one of
            the user's own that does not know it.
        coefficient: c ≠ 0; 1 by default where no activation is given. Of activations it is known,
            except for p ≥ 3 of the user's own, which need it.

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
    if sigma.code is not None or not sigma.smooth:
        _must_be_left_out(sigma, multiplicity, coefficient)
    if not sigma.smooth:
        return _at_kink(sigma)
    p = _known_order(sigma, multiplicity)
    return Expansion(p, _leading(sigma, p, coefficient), _at_zero(sigma.value))


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


def _must_be_left_out(sigma: Activation, *given: object) -> None:
    if any(each is not None for each in given):
        raise ArgumentError(
            f"Arguments `multiplicity` and `coefficient` must be left out where they are known, "
            f"as for {sigma.name}."
        )


def _at_kink(sigma: Activation) -> Expansion:
    right, left = (float(sigma.derivative(np.array([z]))[0]) for z in (_BESIDE, -_BESIDE))
    steepest = max(abs(right), abs(left))
    if steepest <= _NO_DERIVATIVE:
        raise ArgumentError(
            f"The activation {sigma.name} is neither smooth nor has a slope at 0, so nothing is "
            "known of how its neurons condense. Give the `multiplicity` alone where it has one."
        )
    constant = _at_zero(sigma.value)
    if abs(right - left) <= _NO_DERIVATIVE * steepest:
        return Expansion(1, right, constant)
    return Expansion(1, 1.0, constant, (right, left))


def _known_order(sigma: Activation, multiplicity: int | None) -> int:
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
    return p


def _leading(sigma: Activation, p: int, coefficient: float | None) -> float:
    """c, from the derivatives; those below order p must be zero."""
    first, second = _at_zero(sigma.derivative), _at_zero(sigma.second_derivative)
    if (p > 1 and abs(first) > _NO_DERIVATIVE) or (p > 2 and abs(second) > _NO_DERIVATIVE):
        raise ArgumentError(
            f"Argument `multiplicity` must be the order of the first derivative of {sigma.name} "
            f"that is not zero at 0, but is {p}: the first two are {first + 0.0:.4g} and "
            f"{second + 0.0:.4g}."
        )
    if p < 3:
        _must_be_left_out(sigma, coefficient)
        return _factor(first if p == 1 else second / 2)
    if sigma.code is not None:  # x² tanh x, the only one that is built in
        return 1.0
    if coefficient is None:
        raise ArgumentError(
            f"Argument `coefficient` is needed for {sigma.name}: its derivative {p} at 0, divided "
            f"by {p}!."
        )
    return _factor(coefficient)
