"""When degrees 0 and 1 of a target are learnt as ε → 0: closed forms."""

from __future__ import annotations

import math

import numpy as np

from netphase._checks import finite_array, finite_float, positive_float
from netphase._types import Array
from netphase.errors import ArgumentError


def degree_zero_time(epsilon: float, sigma: float, phi: float, mean: float) -> float:
    """t_0 = (ε/σ_0²) log(2|φ_0 − σ_0⟨a(0)⟩|/|φ_0|), where |ρ_0| falls to half of |φ_0|.

    Exact up to relative order ε: overlaps are still ∝ ε.

    Args:
        epsilon: ε > 0.
        sigma: σ_0.
        phi: φ_0.
        mean: ⟨a(0)⟩.

    Returns:
        The time; 0 where the residual starts below the level, infinite where σ_0 is zero, NaN where
        φ_0 is.

    Raises:
        ArgumentError: a number is not finite, or ε is not positive.
    """
    epsilon, sigma = positive_float("epsilon", epsilon), finite_float("sigma", sigma)
    phi, mean = finite_float("phi", phi), finite_float("mean", mean)
    if phi == 0.0:
        return math.nan
    ratio = 2.0 * abs(phi - sigma * mean) / abs(phi)
    if ratio < 1.0:
        return 0.0
    return math.inf if sigma == 0.0 else epsilon * math.log(ratio) / sigma**2


def degree_one_time(
    epsilon: float, sigma: float, phi: float, variance: float, d: float = math.inf
) -> float:
    """t_1 = (√ε/(2|σ_1φ_1|)) log(4|φ_1/σ_1|/(√ε V + 1/(d√ε))), where ρ_1 falls to φ_1/2.

    To leading order √ε log(1/ε)/(4|σ_1φ_1|), which alone is still 8 % low at ε = 1e-12. It holds
    while √ε V + 1/(d√ε) ≪ |φ_1/σ_1|.

    Args:
        epsilon: ε > 0.
        sigma: σ_1, not zero.
        phi: φ_1, not zero.
        variance: V, the variance of the initial output weights; their mean square if σ_0 = 0.
        d: inputs, where initial overlaps are N(0, 1/d); infinite for zero overlaps.

    Returns:
        The time.

    Raises:
        ArgumentError: a number is out of its range.
    """
    epsilon = positive_float("epsilon", epsilon)
    rate, reach = _degree_one(sigma, phi)
    start = _degree_one_start(epsilon, variance, d)
    return math.sqrt(epsilon) / (2.0 * rate) * math.log(4.0 * reach / start)


def degree_one_residual(
    times: Array, epsilon: float, sigma: float, phi: float, variance: float, d: float = math.inf
) -> Array:
    """ρ_1(t) = φ_1/(1 + exp(2|σ_1φ_1|(t − t_1)/√ε)), a logistic fall around t_1.

    Args:
        times: t, shape (t,).
        epsilon: ε > 0.
        sigma: σ_1, not zero.
        phi: φ_1, not zero.
        variance: as in `degree_one_time`.
        d: as in `degree_one_time`.

    Returns:
        Shape (t,).

    Raises:
        ArgumentError: a number is out of its range.
    """
    middle = degree_one_time(epsilon, sigma, phi, variance, d)
    at = finite_array("times", times, 1).astype(np.float64)
    height = abs(sigma * phi) * (at - middle) / math.sqrt(epsilon)
    return np.asarray(0.5 * phi * (1.0 - np.tanh(height)))


def _degree_one(sigma: float, phi: float) -> tuple[float, float]:
    """|σ_1φ_1| and |φ_1/σ_1|."""
    sigma, phi = finite_float("sigma", sigma), finite_float("phi", phi)
    if sigma == 0.0 or phi == 0.0:
        raise ArgumentError(
            f"Arguments `sigma` and `phi` must not be zero, but are {sigma} and {phi}: degree 1 is "
            "never learnt."
        )
    return abs(sigma * phi), abs(phi / sigma)


def _degree_one_start(epsilon: float, variance: float, d: float) -> float:
    inputs = 0.0 if d == math.inf else 1.0 / positive_float("d", d)
    return math.sqrt(epsilon) * positive_float("variance", variance) + inputs / math.sqrt(epsilon)
