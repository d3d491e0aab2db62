"""The flow between two stages, held to the degrees already learnt, and when it blows up."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from netphase._checks import finite_array, finite_float, non_negative_int
from netphase._types import Array
from netphase.dynamics.early_degrees import degree_one_time
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

    def rates(_: float, state: Array) -> Array:
        # The clock is stretched by size^(l−1), in which a blow-up is exponential growth.
        flow = constrained_velocity(degree, kappa, state[: len(a)], state[len(a) : -1], w)
        return np.append(np.concatenate(flow), 1.0) / _size(state, w) ** (degree - 1)

    def blown_up(state: Array) -> float:
        return _size(state, w) / (BLOWN_UP * first) - 1.0

    start = np.concatenate([a, s, [0.0]])
    first = _size(start, w)
    span = (0.0, PATIENCE / abs(kappa))
    found = solve_ivp(
        rates, span, start, method="DOP853", rtol=1e-10, atol=1e-13 * first, events=_End(blown_up)
    )
    if found.status != 1:
        return math.inf
    end = found.y[:, -1]
    a, s = end[: len(a)], end[len(a) : -1]
    growth = w @ np.sum(np.multiply((a, s), constrained_velocity(degree, kappa, a, s, w)), axis=0)
    return float(end[-1] + _size(end, w) ** 2 / ((degree - 1) * growth))


def constrained_velocity(
    degree: int,
    kappa: float,
    a: Array,
    s: Array,
    weights: Array,
    held: Sequence[int] | None = None,
) -> tuple[Array, Array]:
    """(â′, ŝ′) of the flow in `blow_up_time`.

    Args:
        degree: l ≥ 2.
        kappa: σ_l φ_l.
        a: â, shape (m,).
        s: ŝ, shape (m,).
        weights: probabilities, shape (m,).
        held: degrees j < l whose ⟨â ŝ^j⟩ stay as they are; None for all.

    Returns:
        Two arrays of shape (m,).
    """
    kept = np.arange(degree) if held is None else np.asarray(held, dtype=int)
    power = np.arange(degree + 1)[:, None]
    p = s**power  # (l + 1, m): gradients of ⟨â ŝ^j⟩ along â
    q = power * a * s ** np.maximum(power - 1, 0)  # and along ŝ
    products = (p * weights) @ p.T + (q * weights) @ q.T
    along = np.zeros(degree + 1)
    along[degree] = kappa
    along[kept] = np.linalg.lstsq(
        products[np.ix_(kept, kept)], -kappa * products[kept, degree], rcond=None
    )[0]
    return along @ p, along @ q


def constrained_times(
    epsilon: float,
    activation: Array,
    target: Array,
    atoms: Array,
    weights: Array | None = None,
    d: float = math.inf,
) -> Array:
    """Learning times of all degrees from 1 on, by one constrained flow after another.

    Degree 1 is learnt at `degree_one_time`, and leaves √ε a = ± s. From there the flow of
    `blow_up_time` towards degree 2 is followed until ⟨a s²⟩ = φ_2/σ_2, which is t_2; from there,
    held to degree 2 as well, that towards degree 3, and so on. As ε → 0 this is
    `degree_two_constant` ε^(1/4) for degree 2. It leaves out that a residual falls gradually, and
    that overlaps are not small: with four or five atoms t_2 and t_3 are within 10 % and 20 % of the
    solution at ε = 1e-8, within 2 % and 10 % at 1e-12, but t_3 may be off by 4 above 1e-7.

    Args:
        epsilon: ε > 0.
        activation: σ_k, shape (k,), k ≥ 2; σ_1 not zero.
        target: φ_k, shape (k,); φ_1 not zero.
        atoms: initial output weights, shape (m,), from which degree 1 can grow.
        weights: their probabilities, shape (m,); None for equal ones.
        d: inputs, as in `degree_one_time`.

    Returns:
        t_l, shape (k,), NaN for degree 0, from the first degree with σ_l φ_l = 0 on, and from the
        first one that is reached at once or not with overlaps below one: ε is too large.

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> target, atoms = np.array([1.0, -1.0, 2 / 3, -1 / 3]), np.array([-1.5, -0.5, 0.4, 1.7])
        >>> print(*(f"{time:.3g}" for time in constrained_times(1e-12, np.ones(4), target, atoms)))
        nan 7.44e-06 0.00203 0.0353
    """
    sigma = finite_array("activation", activation, 1).astype(np.float64)
    phi = finite_array("target", target, 1).astype(np.float64)
    start = finite_array("atoms", atoms, 1).astype(np.float64)
    w = probabilities(start, weights)
    spread = start - w @ start if sigma[0] != 0.0 else start
    found = np.full(len(sigma), np.nan)
    variance = float(w @ spread**2)
    found[1] = degree_one_time(epsilon, float(sigma[1]), float(phi[1]), variance, d)
    # In A = √ε a and the clock t/√ε the flow does not know ε but in where each stage ends.
    a = epsilon**0.25 * math.sqrt(abs(phi[1] / sigma[1]) / variance) * spread
    s = math.copysign(1.0, sigma[1] * phi[1]) * a
    for degree in range(2, len(sigma)):
        if sigma[degree] * phi[degree] == 0.0:
            break
        level = math.sqrt(epsilon) * phi[degree] / sigma[degree]
        held = np.flatnonzero(sigma[:degree]).tolist()
        stage = _until(degree, float(sigma[degree] * phi[degree]), level, a, s, w, held)
        if stage is None:
            break
        a, s, time = stage
        found[degree] = found[degree - 1] + math.sqrt(epsilon) * time
    return found


def _until(
    degree: int, kappa: float, level: float, a: Array, s: Array, w: Array, held: list[int]
) -> tuple[Array, Array, float] | None:
    """The state and time at which ⟨a s^l⟩ comes to a level; None where that makes no sense.

    It does not where ⟨a s^l⟩ is beyond it already, and where overlaps pass one before.
    """
    from scipy.integrate import solve_ivp

    m = len(a)

    def rates(_: float, state: Array) -> Array:
        flow = constrained_velocity(degree, kappa, state[:m], state[m:-1], w, held)
        return np.append(np.concatenate(flow), 1.0) / _size(state, w) ** (degree - 1)

    def learnt(state: Array) -> float:
        return float(w @ (state[:m] * state[m:-1] ** degree)) / level - 1.0

    def over(state: Array) -> float:
        return float(np.abs(state[m:-1]).max()) - 1.0

    span = (0.0, PATIENCE / abs(kappa))
    start = np.concatenate([a, s, [0.0]])
    if learnt(start) >= 0.0:
        return None
    ends = (_End(learnt), _End(over))
    found = solve_ivp(rates, span, start, method="DOP853", rtol=1e-8, atol=1e-12, events=ends)
    if not len(found.t_events[0]):
        return None
    end = found.y[:, -1]
    return end[:m], end[m:-1], float(end[-1])


@dataclass(frozen=True)
class _End:
    """An event at which SciPy ends an integration: a function of the state goes through zero."""

    function: Callable[[Array], float]
    terminal: bool = True

    def __call__(self, _: float, state: Array) -> float:
        return self.function(state)


def _size(state: Array, w: Array) -> float:
    """√⟨a² + s²⟩ of a state with its clock."""
    m = len(w)
    return math.sqrt(w @ (state[:m] ** 2 + state[m:-1] ** 2))
