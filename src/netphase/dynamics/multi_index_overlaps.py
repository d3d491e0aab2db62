"""Learning of multi-index targets by stages: mean-field equations of p overlaps a neuron."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netphase._checks import finite_array, positive_float, positive_int
from netphase._types import Array, Status
from netphase.dynamics.atoms import (
    DEFAULT_RTOL,
    check_length,
    check_tied,
    check_tolerance,
    solution_rows,
)
from netphase.dynamics.output_law import probabilities
from netphase.engine.overlaps import OverlapProblem, solve_overlaps
from netphase.errors import ArgumentError
from netphase.hermite import (
    HermiteSeries,
    Monomials,
    MultiIndexLike,
    MultiIndexTarget,
    multi_index,
    multiplicity_roots,
)

MOST_MONOMIALS = 1000
"""Monomials whose residuals the solver follows; a step costs their number to the third power."""

_SLACK = 1e-12
"""Rounding of a length of one."""


@dataclass(frozen=True)
class MultiIndexSolution:
    """A solution of `MultiIndexOverlaps`; rows are the times asked for.

    A run that ends early has the rows it reached and one more, for its last state. Terms are all
    n monomials α of total degree |α| ≤ K, in the order of ``exponents``.

    Attributes:
        time: t, shape (t,).
        risk: R = ½ Σ_α ρ_α², shape (t,).
        residuals: (Σ_(|α|=k) ρ_α²)^½ for each total degree k, shape (t, K + 1).
        term_residuals: ρ_α = c_α − σ_(|α|) √(|α|!/Π α_j!) ⟨a s^α⟩, shape (t, n).
        exponents: α, shape (n, p).
        a: output weights a_i, shape (t, m).
        s: overlaps of the neurons with the p directions of the target, shape (t, m, p).
        rms_a: √⟨a²⟩, shape (t,).
        rms_s: √⟨|s|²⟩, shape (t,).
        rms_overlaps: √⟨s_j²⟩, shape (t, p).
        crossing_times: last time at which the residual of a total degree is at least half of
            ‖Φ_k‖, shape (K + 1,). 0 where it is below from the start; NaN where it is above at the
            end, or Φ_k = 0.
        term_crossing_times: the same of |ρ_α| and |c_α|/2, shape (n,).
        status: why the run ended.
        steps: accepted steps.
        rejected: rejected steps.
        largest_rise: largest rise of the risk in one step, as a part of the risk of the start;
            exact solutions never rise.
    """

    time: Array
    risk: Array
    residuals: Array
    term_residuals: Array
    exponents: Array
    a: Array
    s: Array
    rms_a: Array
    rms_s: Array
    rms_overlaps: Array
    crossing_times: Array
    term_crossing_times: Array
    status: Status
    steps: int
    rejected: int
    largest_rise: float

    def term(self, *exponent: int) -> int:
        """Where a monomial is among the terms: ``term(1, 1)`` for z1 z2.

        Raises:
            ArgumentError: it is none of the terms.
        """
        known = [tuple(alpha) for alpha in self.exponents.tolist()]
        if exponent not in known:
            raise ArgumentError(
                f"Argument `exponent` must be {self.exponents.shape[1]} integers ≥ 0 whose sum is "
                f"at most {sum(known[-1])}, but is {exponent!r}."
            )
        return known.index(exponent)


@dataclass(frozen=True, init=False, eq=False)
class MultiIndexOverlaps:
    """Gradient flow of a two-layer network on a multi-index target, as d → ∞, then m → ∞.

    The network (1/m) Σ_i a_i σ(u_i·x), |u_i| = 1, learns φ(u*_1·x, …, u*_p·x) from Gaussian
    inputs, its second layer 1/ε times as fast as its first. A neuron has p overlaps
    s_j = u·u*_j, and φ is Σ_α c_α Π_j h_(α_j)(z_j), see `hermite.MultiIndexTarget`. With
    γ_α = σ_(|α|) √(|α|!/Π α_j!), s^α = Π_j s_j^(α_j) and ⟨·⟩ the mean over neurons,

        ε ȧ_i = f(s_i),   ṡ_i = a_i (1 − s_i s_iᵀ) ∇f(s_i),   f(s) = Σ_α γ_α ρ_α s^α,
        ρ_α = c_α − γ_α ⟨a s^α⟩,   R = ½ Σ_α ρ_α².

    All monomials up to the degree K of the activation enter, also those with c_α = 0, as
    penalties. Degrees beyond K are left out of everything, and the target may have none. The
    total degree k ≥ 2 of a term sets the power of its time, ε^(1/(2k)), where atoms outnumber the
    monomials of lower degree; with fewer it may take a time that knows no ε. From s = 0 terms are
    reached by leaps of one only, see `hermite.MultiIndexTarget.reach`; other overlaps stay at
    zero. The solver is that of `MeanFieldOverlaps`, to relative accuracy in a, in each overlap
    and in the risk; for p > 1 it runs in NumPy.

    Attributes:
        epsilon: ε > 0; ``math.inf`` freezes the second layer.
        activation: σ_0 … σ_K, shape (K + 1,), or a `HermiteSeries`.
        target: φ, as `hermite.multi_index` takes it: a text, a dictionary, a `MultiIndexTarget`.
        atoms: initial output weights a_i(0), shape (m,).
        weights: their probabilities, shape (m,); None for equal ones.
        overlaps: initial overlaps, of length at most one, shape (m, p); None for zeros, as in
            d = ∞.
        tied: whether all a_i are one trained number; its atoms must be equal.

    References:
        Berthier, Montanari & Zhou (2024), Learning time-scales in two-layers neural networks;
        Abbe, Boix-Adserà & Misiakiewicz (2023), SGD learning on neural networks: leap complexity
        and saddle-to-saddle dynamics.

    Raises:
        ArgumentError: an attribute is out of its range, or shapes do not fit.

    Example:
        >>> flow = MultiIndexOverlaps(1e-8, np.ones(3), "z1 + z1*z2", [-1.5, -0.5, 0.4, 1.7])
        >>> solution = flow.solve(end=1.0)
        >>> times = solution.term_crossing_times
        >>> print(*(f"{times[solution.term(*alpha)]:.2e}" for alpha in [(1, 0), (1, 1)]))
        5.13e-04 2.21e-02
    """

    epsilon: float
    activation: Array
    target: MultiIndexTarget
    atoms: Array
    weights: Array | None = None
    overlaps: Array | None = None
    tied: bool = False

    def __init__(
        self,
        epsilon: float,
        activation: HermiteSeries | Sequence[float] | Array,
        target: MultiIndexLike,
        atoms: Sequence[float] | Array,
        weights: Sequence[float] | Array | None = None,
        overlaps: Array | None = None,
        tied: bool = False,
    ) -> None:
        sigma = activation.coefficients if isinstance(activation, HermiteSeries) else activation
        for name, value, axes in (
            ("activation", sigma, 1),
            ("atoms", atoms, 1),
            ("weights", weights, 1),
            ("overlaps", overlaps, 2),
        ):
            array = None if value is None else finite_array(name, value, axes).astype(np.float64)
            object.__setattr__(self, name, array)
        number = math.inf if epsilon == math.inf else positive_float("epsilon", epsilon)
        object.__setattr__(self, "epsilon", number)
        object.__setattr__(self, "target", multi_index(target))
        object.__setattr__(self, "tied", tied)
        probabilities(self.atoms, self.weights)
        self._check_degrees()
        self._check_overlaps()
        check_tied(self.tied, self.atoms, self.epsilon)

    def solve(
        self,
        *,
        end: float | None = None,
        times: Sequence[float] | Array | None = None,
        rtol: float = DEFAULT_RTOL,
        max_steps: int = 100_000,
    ) -> MultiIndexSolution:
        """The solution from the start on.

        Args:
            end: when to stop, > 0; None for the last of ``times``.
            times: when to keep the state, increasing, shape (t,); ``end`` is added. None for 0 and
                240 log-spaced times from the lesser of ε/1000 and 10⁻⁶ of ``end`` on.
            rtol: relative tolerance of a step, from 1e-10 to 1e-2; crossing times come out about
                as accurate.
            max_steps: steps after which to give up.

        Returns:
            The solution.

        Raises:
            ArgumentError: an argument is out of its range, or neither end nor times are given.
        """
        problem, rows = self.problem(), solution_rows(end, times, self.epsilon)
        tolerance, steps = check_tolerance(rtol), positive_int("max_steps", max_steps)
        m, p = len(self.atoms), self.target.projections
        start = np.zeros((m, p)) if self.overlaps is None else self.overlaps
        found = solve_overlaps(
            problem,
            self.atoms,
            start[:, 0] if p == 1 else start,
            times=rows,
            rtol=tolerance,
            max_steps=steps,
        )
        s, w, modes = found.s.reshape(-1, m, p), problem.weights, problem.modes
        # a step may end beyond the sphere by as much as its tolerance
        s = s / np.maximum(np.linalg.norm(s, axis=2, keepdims=True), 1.0)
        squares, degrees = found.residuals**2, np.arange(len(self.activation))
        of_overlaps = np.einsum("tmp,m->tp", s**2, w)
        return MultiIndexSolution(
            time=found.time,
            risk=0.5 * np.sum(squares, axis=1),
            residuals=np.sqrt(squares @ (modes.degrees[:, None] == degrees)),
            term_residuals=found.residuals,
            exponents=modes.exponents,
            a=found.a,
            s=s,
            rms_a=np.sqrt(found.a**2 @ w),
            rms_s=np.sqrt(of_overlaps.sum(axis=1)),
            rms_overlaps=np.sqrt(of_overlaps),
            crossing_times=found.degree_crossings,
            term_crossing_times=found.crossings,
            status=found.status,
            steps=found.steps,
            rejected=found.rejected,
            largest_rise=found.largest_rise,
        )

    def problem(self) -> OverlapProblem:
        """The same equations as the engine takes them."""
        modes = Monomials.up_to(self.target.projections, len(self.activation) - 1)
        target = np.zeros(len(modes.exponents))
        target[[modes.places[alpha] for alpha in self.target.terms]] = self.target.coefficients
        return OverlapProblem(
            weights=probabilities(self.atoms, self.weights),
            activation=self.activation[modes.degrees] * multiplicity_roots(modes.exponents),
            target=target,
            speed=1.0 / self.epsilon,
            tied=self.tied,
            monomials=modes,
        )

    def _check_degrees(self) -> None:
        known, degree, p = len(self.activation) - 1, self.target.degree, self.target.projections
        if degree > known:
            raise ArgumentError(
                "Argument `activation` must have a coefficient for every degree of the target, "
                f"up to {degree}, but goes up to {known}. Fill it with zeros where it has none."
            )
        count = math.comb(known + p, p)
        if count > MOST_MONOMIALS:
            raise ArgumentError(
                f"Argument `activation` must leave at most {MOST_MONOMIALS} monomials of {p} "
                f"projections, but up to its degree {known} there are {count}. Cut its "
                "coefficients off behind the degrees of interest."
            )

    def _check_overlaps(self) -> None:
        if self.overlaps is None:
            return
        check_length("overlaps", self.overlaps, self.atoms)
        if self.overlaps.shape[1] != self.target.projections:
            raise ArgumentError(
                f"Argument `overlaps` must have {self.target.projections} columns, one for each "
                f"projection of the target, but has {self.overlaps.shape[1]}."
            )
        largest = float(np.linalg.norm(self.overlaps, axis=1).max())
        if largest > 1.0 + _SLACK:
            raise ArgumentError(
                "Argument `overlaps` must have rows of length at most 1, as projections of unit "
                f"vectors are, but has one of length {largest!r}."
            )
