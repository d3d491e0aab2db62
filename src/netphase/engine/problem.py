"""What every engine method takes and returns: the problem, when to stop, and the outcome."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from netphase._checks import finite_float, positive_int
from netphase._types import Array, Status
from netphase.activations import Activation
from netphase.errors import ArgumentError
from netphase.networks import Parameters


@dataclass(frozen=True)
class Problem:
    """Least-squares training of f(x) = s Σ_k a_k σ(w_k·x) with one mobility a layer.

    da/dt = −mobility_a ∂R/∂a and dw/dt = −mobility_w ∂R/∂w, with R = (1/2n) Σ_i (f(x_i) − y_i)².

    Attributes:
        x: inputs (a bias is a last column of ones), shape (n, d), C-contiguous.
        y: targets, shape (n,), same dtype as ``x``; this dtype is the one the engine works in.
        activation: σ.
        output_scale: s.
        mobility_a: mobility of the output weights.
        mobility_w: mobility of the input weights.
    """

    x: Array
    y: Array
    activation: Activation
    output_scale: float
    mobility_a: float = 1.0
    mobility_w: float = 1.0


MOST_STEPS = 2**53
"""More steps than any run can make; up to here every count is exact in a float."""


@dataclass(frozen=True)
class Stop:
    """When a run ends; the first condition met names its `Status`.

    Attributes:
        mean_square: target of the mean square error (1/n) Σ e² (twice the loss).
        time: end time on the problem's clock.
        max_steps: most accepted steps, at most 2**53.
        stagnation: a run is called stagnated when, while the number of steps doubles (and over at
            least 10 000 of them, or some 400 of the long steps that follow the flow of more than
            16 samples or of deep networks), the mean square has fallen by less than this fraction;
            0 switches the test off.

    Raises:
        ArgumentError: a number is outside its domain.
    """

    mean_square: float = 1e-6
    time: float = math.inf
    max_steps: int = 10_000_000
    stagnation: float = 0.0

    def __post_init__(self) -> None:
        target = finite_float("mean_square", self.mean_square)
        time = self.time if self.time == math.inf else finite_float("time", self.time)
        for name, value in (("mean_square", target), ("time", time)):
            if value < 0.0:
                raise ArgumentError(f"Argument `{name}` must not be negative, but is {value!r}.")
        if positive_int("max_steps", self.max_steps) > MOST_STEPS:
            raise ArgumentError(
                f"Argument `max_steps` must be at most 2**53, but is {self.max_steps!r}."
            )
        if not 0.0 <= finite_float("stagnation", self.stagnation) < 1.0:
            raise ArgumentError(
                f"Argument `stagnation` must lie in [0, 1), but is {self.stagnation!r}."
            )


@dataclass(frozen=True)
class Records:
    """What was noted along a run, at about logarithmic spacing; every array has shape (t,).

    Attributes:
        time: clock of the problem.
        steps: accepted steps so far.
        mean_square: (1/n) Σ e².
        change_a: ‖a(t) − a(0)‖ over the tracked neurons.
        change_w: ‖w(t) − w(0)‖ over the tracked neurons.
    """

    time: Array
    steps: Array
    mean_square: Array
    change_a: Array
    change_w: Array


@dataclass(frozen=True)
class Outcome:
    """The end of a run.

    Attributes:
        parameters: final parameters.
        status: why the run ended.
        time: clock reached.
        steps: accepted steps.
        rejected: rejected steps.
        gradients: evaluations of the gradient (or the fused pass).
        solves: linear solves (implicit methods only).
        mean_square: final (1/n) Σ e².
        records: the run's history, first row the start, last row the end.
        notes: method-specific figures (for example the largest drift of the invariant).
    """

    parameters: Parameters
    status: Status
    time: float
    steps: int
    rejected: int
    gradients: int
    solves: int
    mean_square: float
    records: Records
    notes: dict[str, float] = field(default_factory=dict)


def record_array(values: list[float]) -> Array:
    """A float64 array of a run's notes."""
    return np.asarray(values, dtype=np.float64)
