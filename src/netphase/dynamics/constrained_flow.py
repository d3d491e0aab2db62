"""The flow between two stages, held to the degrees already learnt, and when it blows up."""

from __future__ import annotations

import math

import numpy as np

from netphase._checks import finite_array, finite_float, non_negative_int
from netphase._types import Array
from netphase.dynamics.output_law import probabilities
from netphase.errors import ArgumentError

BLOWN_UP = 1e5
"""Growth of the constrained flow after which it is a power law of the remaining time."""

PATIENCE = 400.0
"""Stretched time after which a flow that has not blown up is taken never to do so."""


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
    w = probabilities(start, weights)
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
    w = probabilities(a, weights)
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
