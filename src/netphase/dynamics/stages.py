"""The laws of the stages in which degrees are learnt as ε → 0: exponents and plateaus."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netphase._checks import finite_array, non_negative_int
from netphase._types import Array
from netphase.errors import ArgumentError


@dataclass(frozen=True)
class StageExponents:
    """Powers of ε in the stage of one degree, for coefficients σ_k φ_k that do not vanish up to it.

    Attributes:
        degree: l.
        time: of t_l; degrees 0 and 1 have a factor log(1/ε) beside it (degree 0 only to its end).
        width: of the time the fall of the residual takes.
        amplitude: of |a| when it is learnt.
        overlap: of |s| when it is learnt.
    """

    degree: int
    time: float
    width: float
    amplitude: float
    overlap: float


def stage_exponents(degree: int) -> StageExponents:
    """Exponents of the stage of degree l: t_l ∝ ε^(1/(2l)), in a width ∝ ε^(1/(l+1)).

    There a ∝ ε^(−l/(2(l+1))) and s ∝ ε^(1/(2(l+1))), so that ⟨a s^l⟩ is of size one.

    Args:
        degree: l ≥ 0; degree 0 has time and width ε, a of size one and s ∝ ε.

    Returns:
        The exponents.

    Raises:
        ArgumentError: ``degree`` is no integer ≥ 0.

    References:
        Berthier, Montanari & Zhou (2024), Theorem 1.

    Example:
        >>> stage_exponents(2).time
        0.25
    """
    degree = non_negative_int("degree", degree)
    if degree == 0:
        return StageExponents(0, 1.0, 1.0, 0.0, 1.0)
    after = degree + 1
    return StageExponents(
        degree, 1 / (2 * degree), 1 / after, -degree / (2 * after), 1 / (2 * after)
    )


def time_exponent(degree: int, previous: int) -> float:
    """Exponent of t_l where p is the last degree learnt before l: (p + 2 − l)/(2(p + 1)).

    Degrees between the two have σ_j φ_j = 0. With l = p + 1 this is 1/(2l); with l = p + 2 it is
    zero, no separation in ε; beyond, t_l diverges.

    Args:
        degree: l.
        previous: p, from 1 to l − 1.

    Returns:
        The exponent.

    Raises:
        ArgumentError: the degrees are not in this order.

    Example:
        >>> time_exponent(4, previous=1)
        -0.25
    """
    degree, previous = non_negative_int("degree", degree), non_negative_int("previous", previous)
    if not 1 <= previous < degree:
        raise ArgumentError(
            f"Argument `previous` must be from 1 to `degree` - 1 = {degree - 1}, but is {previous}."
        )
    return (previous + 2 - degree) / (2 * (previous + 1))


def plateau_risks(target: Array) -> Array:
    """The risk once degrees 0 … l are learnt, ½ Σ_(k>l) φ_k², for every l.

    Args:
        target: φ_k, shape (k,).

    Returns:
        Shape (k,); the last one is 0.

    Raises:
        ArgumentError: ``target`` is no list of finite numbers.
    """
    squares = finite_array("target", target, 1).astype(np.float64) ** 2
    tails = np.cumsum(squares[::-1])[::-1]
    return np.asarray(0.5 * np.append(tails[1:], 0.0))
