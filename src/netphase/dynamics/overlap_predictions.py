"""When each degree of a target is learnt as ε → 0: closed forms and the flow between two stages."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from netphase._checks import finite_array, finite_float, non_negative_int, positive_float
from netphase._types import Array
from netphase.errors import ArgumentError

BLOWN_UP = 1e5
"""Growth of the constrained flow after which it is a power law of the remaining time."""

PATIENCE = 400.0
"""Stretched time after which a flow that has not blown up is taken never to do so."""


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


def degree_two_constant(
    activation: Array, target: Array, atoms: Array, weights: Array | None = None
) -> float:
    """c_2 of t_2 = c_2 ε^(1/4)(1 + o(1)), from the flow that degrees 0 and 1 constrain.

    The corrections are of relative order ε^(1/12).

    Args:
        activation: σ_k, shape (k,), k ≥ 3; σ_0, σ_1 and σ_2 must not vanish.
        target: φ_k, shape (k,); φ_1 and φ_2 must not vanish.
        atoms: initial output weights, shape (m,), not all equal.
        weights: their probabilities, shape (m,); None for equal ones.

    Returns:
        The constant; infinite where the flow does not blow up, as with two atoms.

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> target, atoms = np.array([1.0, -1.0, 2 / 3]), np.array([-1.5, -0.5, 0.4, 1.7])
        >>> print(f"{degree_two_constant(np.ones(3), target, atoms):.3f}")
        2.131
    """
    sigma = finite_array("activation", activation, 1).astype(np.float64)
    phi = finite_array("target", target, 1).astype(np.float64)
    for name, used in (("activation", sigma[:3]), ("target", phi[1:3])):
        if len(sigma) < 3 or len(phi) < 3 or not np.all(used):
            raise ArgumentError(
                f"Argument `{name}` must have coefficients other than zero up to degree 2, but "
                f"begins with {used.tolist()!r}."
            )
    start = finite_array("atoms", atoms, 1).astype(np.float64)
    w = _probabilities(start, weights)
    spread = start - w @ start
    if not np.any(spread):
        raise ArgumentError("Argument `atoms` must not be all equal: nothing would grow.")
    size = math.sqrt(abs(phi[1] / sigma[1]) / (w @ spread**2))
    a = size * spread
    return blow_up_time(
        2, float(sigma[2] * phi[2]), a, math.copysign(1.0, sigma[1] * phi[1]) * a, w
    )


def blow_up_time(
    degree: int, kappa: float, a: Array, s: Array, weights: Array | None = None
) -> float:
    """Time at which the flow towards degree l, held to the degrees already learnt, blows up.

    In units ε^(−(l−1)/(2l)) of a, ε^(1/(2l)) of s and ε^(1/(2l)) of t,

        â′ = Σ_(j<l) Λ_j ŝ^j + κ ŝ^l,   ŝ′ = â (Σ_(j<l) j Λ_j ŝ^(j−1) + l κ ŝ^(l−1)),

    with multipliers Λ_j that keep every ⟨â ŝ^j⟩, j < l, as it is: steepest ascent of κ⟨â ŝ^l⟩ on
    those constraints. The blow-up is t_l/ε^(1/(2l)). For l ≥ 3 the stage before leaves atoms in
    groups, the closer the smaller ε is, so that the start, and with it this time, still depends on
    ε, by a logarithm: only degree 2 has a constant, `degree_two_constant`.

    Args:
        degree: l ≥ 2.
        kappa: σ_l φ_l, not zero.
        a: â at the end of the stage before, shape (m,).
        s: ŝ there, shape (m,).
        weights: probabilities, shape (m,); None for equal ones.

    Returns:
        The time; infinite where there is no blow-up.

    Raises:
        ArgumentError: an argument is out of its range, or lengths differ.
    """
    from scipy.integrate import solve_ivp

    degree, kappa = non_negative_int("degree", degree), finite_float("kappa", kappa)
    if degree < 2:
        raise ArgumentError(f"Argument `degree` must be at least 2, but is {degree}.")
    if kappa == 0.0:
        raise ArgumentError("Argument `kappa` must not be 0, but is: nothing would grow.")
    a, s = (finite_array(n, x, 1).astype(np.float64) for n, x in (("a", a), ("s", s)))
    w = _probabilities(a, weights)
    if a.shape != s.shape:
        raise ArgumentError(
            f"Arguments `a` and `s` must have the same length, but have {len(a)} and {len(s)}."
        )
    if not np.any(s):
        raise ArgumentError("Argument `s` must not be all zero, but is: nothing would grow.")

    def size(state: Array) -> float:
        return math.sqrt(w @ (state[: len(a)] ** 2 + state[len(a) : -1] ** 2))

    def rates(_: float, state: Array) -> Array:
        # The clock is stretched by size^(l−1), in which a blow-up is exponential growth.
        flow = constrained_velocity(degree, kappa, state[: len(a)], state[len(a) : -1], w)
        return np.append(np.concatenate(flow), 1.0) / size(state) ** (degree - 1)

    def blown_up(_: float, state: Array) -> float:
        return size(state) / (BLOWN_UP * first) - 1.0

    blown_up.terminal = True  # type: ignore[attr-defined]
    start = np.concatenate([a, s, [0.0]])
    first = size(start)
    span = (0.0, PATIENCE / abs(kappa))
    found = solve_ivp(
        rates, span, start, method="DOP853", rtol=1e-10, atol=1e-13 * first, events=blown_up
    )
    if found.status != 1:
        return math.inf
    end = found.y[:, -1]
    a, s = end[: len(a)], end[len(a) : -1]
    growth = w @ np.sum(np.multiply((a, s), constrained_velocity(degree, kappa, a, s, w)), axis=0)
    return float(end[-1] + size(end) ** 2 / ((degree - 1) * growth))


def constrained_velocity(
    degree: int, kappa: float, a: Array, s: Array, weights: Array
) -> tuple[Array, Array]:
    """(â′, ŝ′) of the flow in `blow_up_time`.

    Args:
        degree: l ≥ 2.
        kappa: σ_l φ_l.
        a: â, shape (m,).
        s: ŝ, shape (m,).
        weights: probabilities, shape (m,).

    Returns:
        Two arrays of shape (m,).
    """
    power = np.arange(degree + 1)[:, None]
    p = s**power  # (l + 1, m): gradients of ⟨â ŝ^j⟩ along â
    q = power * a * s ** np.maximum(power - 1, 0)  # and along ŝ
    products = (p * weights) @ p.T + (q * weights) @ q.T
    multipliers = np.linalg.lstsq(
        products[:degree, :degree], -kappa * products[:degree, degree], rcond=None
    )[0]
    along = np.append(multipliers, kappa)
    return along @ p, along @ q


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


def _probabilities(atoms: Array, weights: Array | None) -> Array:
    if weights is None:
        return np.full(len(atoms), 1.0 / len(atoms))
    w = finite_array("weights", weights, 1).astype(np.float64)
    if len(w) != len(atoms) or np.any(w <= 0.0) or abs(math.fsum(w) - 1.0) > 1e-9:
        raise ArgumentError(
            f"Argument `weights` must be {len(atoms)} positive numbers that sum to one, but is "
            f"{w.tolist()!r}."
        )
    return w
