"""What a run leaves: its history, its end, and why it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from netphase._checks import finite_array
from netphase._types import Array, Status
from netphase.errors import ArgumentError
from netphase.networks import Parameters


@dataclass(frozen=True)
class Trajectory:
    """One run; arrays over time have shape (t,), the first row is the start, the last the end.

    Attributes:
        time: normalised clock t/(β₁β₂); steps taken where ``in_steps``.
        mean_square: (1/n) Σ e², or E e² for infinitely many inputs.
        relative_change_w: RD of the input weights, ‖w − w(0)‖/‖w(0)‖, first copy only.
        relative_change_a: RD of the output weights; NaN where they start at zero.
        relative_change_theta: RD of both, in normalised variables.
        status: why the run ended.
        steps: accepted steps.
        rejected: rejected steps.
        gradients: evaluations of the gradient.
        solves: linear solves (implicit methods).
        integrator: what advanced the run, in words.
        initial: parameters at the start.
        final: parameters at the end.
        snapshots: parameters at the times asked for, as far as they were reached.
        notes: further figures of the method, for example the drift of the invariant.
        in_steps: whether ``time`` counts steps, as it does for `Adam`, which follows no clock.

    References:
        Luo et al. (JMLR 2021), eq. (13) and section 3.2, for the relative change.
    """

    time: Array
    mean_square: Array
    relative_change_w: Array
    relative_change_a: Array
    relative_change_theta: Array
    status: Status
    steps: int
    rejected: int
    gradients: int
    solves: int
    integrator: str
    initial: Parameters
    final: Parameters
    snapshots: tuple[Parameters, ...] = ()
    notes: dict[str, float] = field(default_factory=dict)
    in_steps: bool = False

    @property
    def loss(self) -> Array:
        """R = (1/2n) Σ e², half the mean square, shape (t,)."""
        return self.mean_square / 2.0

    @property
    def max_relative_change_w(self) -> float:
        """Largest recorded RD of the input weights."""
        return float(np.max(self.relative_change_w))

    @property
    def max_relative_change_a(self) -> float:
        """Largest recorded RD of the output weights."""
        return float(np.max(self.relative_change_a))

    @property
    def max_relative_change_theta(self) -> float:
        """Largest recorded RD of all parameters."""
        return float(np.max(self.relative_change_theta))


def check_times(times: Sequence[float] | Array | None) -> Array:
    """Times at which to keep something, as an array; empty for None.

    Raises:
        ArgumentError: they are not finite, negative, or do not increase.
    """
    if times is None:
        return np.empty(0)
    checked = finite_array("times", times, 1)
    if checked[0] < 0 or np.any(np.diff(checked) <= 0):
        raise ArgumentError(
            "Argument `times` must be an increasing list of times from 0 on, but is "
            f"{np.asarray(times).tolist()!r}."
        )
    return checked
