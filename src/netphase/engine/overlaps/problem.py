"""What the overlap solver takes and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from netphase._types import Array, Status
from netphase.hermite import Monomials


@dataclass(frozen=True)
class OverlapProblem:
    """The mean-field overlap equations of weighted atoms; everything is float64.

    With one projection, mode k is the power s^k. With p of them it is a monomial s^α of the
    overlaps, its activation σ_|α| √(|α|!/Π α_j!) and its target c_α.

    Attributes:
        weights: w_i > 0 with sum one, shape (m,).
        activation: Hermite coefficients σ_k of the modes, shape (k,).
        target: Hermite coefficients φ_k of the modes, shape (k,).
        speed: 1/ε, the rate of the second layer; 0 for a frozen one.
        tied: whether all amplitudes are one number.
        monomials: the modes; None for the powers of one overlap.
    """

    weights: Array
    activation: Array
    target: Array
    speed: float
    tied: bool = False
    monomials: Monomials | None = None

    @cached_property
    def modes(self) -> Monomials:
        """The monomials, of one overlap where no others are given."""
        return self.monomials or Monomials.up_to(1, len(self.target) - 1)

    @property
    def projections(self) -> int:
        """Number p of overlaps of an atom."""
        return self.modes.variables


@dataclass(frozen=True)
class OverlapOutcome:
    """One solution.

    Attributes:
        status: why it ended.
        time: time of each row, shape (t,); the last row is where the run ended.
        a: amplitudes, shape (t, m).
        s: overlaps, shape (t, m), or (t, m, p) for p > 1 projections.
        residuals: ρ_k, shape (t, k).
        crossings: last time at which |ρ_k| falls through |φ_k|/2; 0 where it is below from the
            start, NaN where it is above at the end or φ_k is zero; shape (k,).
        degree_crossings: the same of the norms of all modes of one total degree, by degree.
        steps: accepted steps.
        rejected: rejected steps.
        largest_rise: largest rise of the risk in one step, as a part of the risk of the start.
    """

    status: Status
    time: Array
    a: Array
    s: Array
    residuals: Array
    crossings: Array
    degree_crossings: Array
    steps: int
    rejected: int
    largest_rise: float
