"""What the overlap solver takes and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass

from netphase._types import Array, Status


@dataclass(frozen=True)
class OverlapProblem:
    """The mean-field overlap equations of weighted atoms; everything is float64.

    Attributes:
        weights: w_i > 0 with sum one, shape (m,).
        activation: Hermite coefficients σ_k, shape (k,).
        target: Hermite coefficients φ_k, shape (k,).
        speed: 1/ε, the rate of the second layer; 0 for a frozen one.
        tied: whether all amplitudes are one number.
    """

    weights: Array
    activation: Array
    target: Array
    speed: float
    tied: bool = False


@dataclass(frozen=True)
class OverlapOutcome:
    """One solution.

    Attributes:
        status: why it ended.
        time: time of each row, shape (t,); the last row is where the run ended.
        a: amplitudes, shape (t, m).
        s: overlaps, shape (t, m).
        residuals: ρ_k, shape (t, k).
        crossings: last time at which |ρ_k| falls through |φ_k|/2; 0 where it is below from the
            start, NaN where it is above at the end or φ_k is zero; shape (k,).
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
    steps: int
    rejected: int
    largest_rise: float
