"""Learning by stages: the mean-field equations of a network's overlaps with its target."""

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


@dataclass(frozen=True)
class OverlapSolution:
    """A solution of `MeanFieldOverlaps`; rows are the times asked for.

    A run that ends early has the rows it reached and one more, for its last state.

    Attributes:
        time: t, shape (t,).
        risk: R = ½ Σ_k ρ_k², shape (t,).
        residuals: ρ_k = φ_k − σ_k ⟨a s^k⟩, shape (t, k), to within the tolerance times the larger
            of |φ_k| and |ρ_k|.
        a: output weights a_i, shape (t, m).
        s: overlaps s_i of the neurons with the target direction, shape (t, m).
        rms_a: √⟨a²⟩, shape (t,).
        rms_s: √⟨s²⟩, shape (t,).
        crossing_times: t_k, the last time at which |ρ_k| ≥ |φ_k|/2, shape (k,): where degree k is
            learnt. 0 where the residual is below from the start; NaN where it is above at the end,
            or φ_k = 0.
        status: why the run ended.
        steps: accepted steps.
        rejected: rejected steps.
        largest_rise: largest rise of the risk in one step, as a part of the risk of the start;
            exact solutions never rise.
    """

    time: Array
    risk: Array
    residuals: Array
    a: Array
    s: Array
    rms_a: Array
    rms_s: Array
    crossing_times: Array
    status: Status
    steps: int
    rejected: int
    largest_rise: float


@dataclass(frozen=True, eq=False)
class MeanFieldOverlaps:
    """Gradient flow of a two-layer network on a single-index target, as d → ∞, then m → ∞.

    The network (1/m) Σ_i a_i σ(u_i·x), |u_i| = 1, learns φ(u*·x) from Gaussian inputs, its second
    layer 1/ε times as fast as its first. With s_i = u_i·u*, ⟨·⟩ the mean over neurons and Hermite
    coefficients σ_k and φ_k (normalised: E[h_j h_k] = δ_jk),

        ε ȧ_i = Σ_k σ_k ρ_k s_i^k,   ṡ_i = a_i (1 − s_i²) Σ_k k σ_k ρ_k s_i^(k−1),
        ρ_k = φ_k − σ_k ⟨a s^k⟩,   R = ½ Σ_k ρ_k².

    For small ε degrees are learnt one after another, degree l at a time ∝ ε^(1/(2l)), with a
    plateau of ½ Σ_(k>l) φ_k² behind it: see `stage_exponents`. The equations are stiff; they are
    solved by a Rosenbrock method whose steps cost O(mK²), to relative accuracy in a, in s and in
    the risk, however small s is. A network of m neurons follows them only while
    m ≫ ε^(−1/2) log(1/ε). Degrees need σ_1 φ_1 ≠ 0 to be learnt from s = 0 at all, and at least
    l + 1 different atoms for the power law of degree l. Coefficients beyond K are left out of
    everything, of the risk too.

    Attributes:
        epsilon: ε > 0; ``math.inf`` freezes the second layer.
        activation: σ_0 … σ_K, shape (k,).
        target: φ_0 … φ_K, shape (k,).
        atoms: initial output weights a_i(0), shape (m,).
        weights: their probabilities, shape (m,); None for equal ones.
        overlaps: initial s_i(0) in [−1, 1], shape (m,); None for zeros, as in d = ∞.
        tied: whether all a_i are one trained number ā, ε dā/dt = ⟨Σ_k σ_k ρ_k s^k⟩; its atoms must
            be equal.

    References:
        Berthier, Montanari & Zhou (2024), Learning time-scales in two-layers neural networks.

    Raises:
        ArgumentError: an attribute is out of its range, or lengths differ.

    Example:
        >>> target, atoms = np.array([1, -1, 2 / 3, -1 / 3]), np.array([-1.5, -0.5, 0.4, 1.7])
        >>> solution = MeanFieldOverlaps(1e-8, np.ones(4), target, atoms).solve(end=1.0)
        >>> print(*(f"{time:.2e}" for time in solution.crossing_times))
        6.68e-09 5.13e-04 2.00e-02 1.32e-01
    """

    epsilon: float
    activation: Array
    target: Array
    atoms: Array
    weights: Array | None = None
    overlaps: Array | None = None
    tied: bool = False

    def __post_init__(self) -> None:
        if self.epsilon != math.inf:
            object.__setattr__(self, "epsilon", positive_float("epsilon", self.epsilon))
        for name in ("activation", "target", "atoms", "weights", "overlaps"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, finite_array(name, value, 1).astype(np.float64))
        if len(self.activation) != len(self.target):
            raise ArgumentError(
                "Argument `target` must have as many coefficients as `activation`, "
                f"{len(self.activation)}, but has {len(self.target)}. Fill the shorter with zeros."
            )
        probabilities(self.atoms, self.weights)
        self._check_overlaps()
        check_tied(self.tied, self.atoms, self.epsilon)

    def solve(
        self,
        *,
        end: float | None = None,
        times: Sequence[float] | Array | None = None,
        rtol: float = DEFAULT_RTOL,
        max_steps: int = 100_000,
    ) -> OverlapSolution:
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
        found = solve_overlaps(
            problem, self.atoms, self._start(), times=rows, rtol=tolerance, max_steps=steps
        )
        # a step may end beyond the sphere by as much as its tolerance
        w, s = problem.weights, np.clip(found.s, -1.0, 1.0)
        return OverlapSolution(
            time=found.time,
            risk=0.5 * np.sum(found.residuals**2, axis=1),
            residuals=found.residuals,
            a=found.a,
            s=s,
            rms_a=np.sqrt(found.a**2 @ w),
            rms_s=np.sqrt(s**2 @ w),
            crossing_times=found.crossings,
            status=found.status,
            steps=found.steps,
            rejected=found.rejected,
            largest_rise=found.largest_rise,
        )

    def problem(self) -> OverlapProblem:
        """The same equations as the engine takes them."""
        return OverlapProblem(
            weights=probabilities(self.atoms, self.weights),
            activation=self.activation,
            target=self.target,
            speed=1.0 / self.epsilon,
            tied=self.tied,
        )

    def _start(self) -> Array:
        return np.zeros(len(self.atoms)) if self.overlaps is None else self.overlaps

    def _check_overlaps(self) -> None:
        if self.overlaps is None:
            return
        check_length("overlaps", self.overlaps, self.atoms)
        largest = float(np.max(np.abs(self.overlaps)))
        if largest > 1.0:
            raise ArgumentError(
                "Argument `overlaps` must be between -1 and 1, as products of unit vectors are, "
                f"but has an entry of size {largest!r}."
            )
