"""Equations a trained network is compared with: its linearisation at the start, in closed form."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from netphase._types import Array, Status, Which
from netphase.datasets import Dataset
from netphase.dynamics.trajectory import Trajectory
from netphase.engine.problem import Stop
from netphase.kernels import LinearModel
from netphase.networks import Parameters, TwoLayerNetwork
from netphase.observables import relative_change

ROWS = 200
"""Rows of the history where no times are asked for."""

FIRST_ROW = 1e-3
"""The first of them, in units of the fastest decay time."""


@dataclass(frozen=True)
class LinearizedDynamics:
    """f_lin(x, t̄) = f(x, θ₀) + ∇f(x, θ₀)·(θ(t̄) − θ₀) under the network's own gradient flow.

    In the linear regime (γ < 1) a network follows it ever more closely as the width grows.

    Attributes:
        network: the map that is linearised at the start.
        data: inputs (n, d) and targets (n,).

    References:
        Luo et al. (JMLR 2021), equation (15).
    """

    network: TwoLayerNetwork
    data: Dataset

    def solve(self, state: Parameters, stop: Stop, tracked: int, times: Array) -> Trajectory:
        """The exact solution from a start; see `netphase.dynamics.evolve` for the arguments.

        Args:
            state: θ₀, shapes (m,) and (m, d).
            stop: its mean square and time; steps do not count here.
            tracked: neurons that count in relative changes.
            times: times of the snapshots, shape (t,); empty for none.

        Returns:
            The trajectory; stagnated if the target can never be reached.
        """
        model = LinearModel(self.network, state, self.data.x, self.data.y)
        rates = model.eigenvalues[model.eigenvalues > 0] / len(model.eigenvalues)
        return solve_in_closed_form(model, rates, state, stop, tracked, times)


class ClosedForm(Protocol):
    """A solution that is known at any time."""

    def mean_square(self, time: float) -> float:
        """E e² at one time."""
        ...

    def parameters(self, time: float) -> tuple[Array, Array]:
        """The parameters at one time, of shapes (m,) and (m, d)."""
        ...


def solve_in_closed_form(
    model: ClosedForm, rates: Array, state: Parameters, stop: Stop, tracked: int, times: Array
) -> Trajectory:
    """The trajectory of a linear model, whose modes decay exponentially.

    Args:
        model: its solution.
        rates: rates at which the modes decay, ascending, all > 0; empty if nothing moves.
        state: the start.
        stop: its mean square and time; steps do not count here.
        tracked: neurons that count in relative changes.
        times: times of the snapshots, shape (t,); empty for none.

    Returns:
        The trajectory; stagnated if the target can never be reached.
    """
    end, status = end_of(model.mean_square, rates, stop)
    wanted = times[times <= end]
    inner = wanted if times.size else spread_times(rates, end)
    clock = np.unique(np.concatenate([[0.0], inner, [end]]))

    def parameters(time: float) -> Parameters:
        a, w = model.parameters(time)
        return Parameters(a.astype(state.a.dtype), w.astype(state.w.dtype))

    states = [parameters(float(time)) for time in clock]
    return Trajectory(
        time=clock,
        mean_square=np.array([model.mean_square(float(time)) for time in clock]),
        relative_change_w=changes_of(state, states, "w", tracked),
        relative_change_a=changes_of(state, states, "a", tracked),
        relative_change_theta=changes_of(state, states, "theta", tracked),
        status=status,
        steps=0,
        rejected=0,
        gradients=1,
        solves=0,
        integrator="closed form",
        initial=state,
        final=states[-1],
        snapshots=tuple(parameters(float(time)) for time in wanted),
    )


def changes_of(
    start: Parameters, states: Sequence[Parameters], which: Which, tracked: int
) -> Array:
    """The relative change of one block at several times; NaN where the block starts at zero.

    Args:
        start: θ(0).
        states: θ at these times.
        which: the block.
        tracked: neurons that count.

    Returns:
        Shape (t,).
    """
    if which == "a" and not np.any(start.a[:tracked]):
        return np.full(len(states), math.nan)
    return np.array([relative_change(start, each, which, tracked) for each in states])


def spread_times(rates: Array, end: float) -> Array:
    """Times over a whole relaxation, logarithmically, the end the last of them.

    Args:
        rates: rates at which the modes decay, ascending, all > 0.
        end: t ≥ 0.

    Returns:
        `ROWS` times; none where ``end`` is 0.
    """
    first = FIRST_ROW / float(rates[-1]) if rates.size else end
    return np.geomspace(min(first, end), end, ROWS) if end > 0 else np.empty(0)


def end_of(mean_square: Callable[[float], float], rates: Array, stop: Stop) -> tuple[float, Status]:
    """When a run in closed form ends, and why.

    Args:
        mean_square: E e² at one time, which does not rise.
        rates: rates at which the modes decay, ascending, all > 0; empty if nothing moves.
        stop: its mean square and time.

    Returns:
        The time at which the target is met, else ``stop.time``; where neither ever comes, a long
        time after which nothing moves, and `Status.STAGNATED`.
    """
    from scipy.optimize import brentq

    target = stop.mean_square
    if mean_square(0.0) <= target:
        return 0.0, Status.CONVERGED
    # after 800 decay times of the slowest mode every moving mode has underflowed
    limit = min(stop.time, 800.0 / float(rates[0]) if rates.size else 0.0)
    if mean_square(limit) <= target:
        root = brentq(lambda time: mean_square(time) - target, 0.0, limit, xtol=1e-300, rtol=1e-14)
        return float(root), Status.CONVERGED
    if mean_square(limit) <= target * (1 + 1e-6):
        return limit, Status.CONVERGED
    if math.isfinite(stop.time):
        return stop.time, Status.TIME_REACHED
    return limit, Status.STAGNATED
