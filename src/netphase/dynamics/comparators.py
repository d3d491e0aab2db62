"""Equations a trained network is compared with: its linearisation at the start, in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from netphase._types import Array, Status
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
        end = self._end(model, stop)
        status = Status.CONVERGED
        if model.mean_square(end) > stop.mean_square * (1 + 1e-6):
            status = Status.TIME_REACHED if math.isfinite(stop.time) else Status.STAGNATED
        wanted = times[times <= end]
        inner = wanted if times.size else self._spread(model, end)
        clock = np.unique(np.concatenate([[0.0], inner, [end]]))

        def parameters(time: float) -> Parameters:
            a, w = model.parameters(time)
            return Parameters(a.astype(state.a.dtype), w.astype(state.w.dtype))

        final = parameters(end)
        rows: dict[str, list[float]] = {"w": [], "a": [], "theta": []}
        for time in clock:
            now = parameters(float(time))
            for which in ("w", "a", "theta"):
                rows[which].append(relative_change(state, now, which, tracked))
        return Trajectory(
            time=clock,
            mean_square=np.array([model.mean_square(float(time)) for time in clock]),
            relative_change_w=np.array(rows["w"]),
            relative_change_a=np.array(rows["a"]),
            relative_change_theta=np.array(rows["theta"]),
            status=status,
            steps=0,
            rejected=0,
            gradients=1,
            solves=0,
            integrator="closed form",
            initial=state,
            final=final,
            snapshots=tuple(parameters(float(time)) for time in wanted),
        )

    @staticmethod
    def _spread(model: LinearModel, end: float) -> Array:
        """Times over the whole relaxation, logarithmically."""
        fastest = float(model.eigenvalues[-1]) / len(model.eigenvalues)
        first = FIRST_ROW / fastest if fastest > 0 else end
        return np.geomspace(min(first, end), end, ROWS) if end > 0 else np.empty(0)

    @staticmethod
    def _end(model: LinearModel, stop: Stop) -> float:
        """When the target is met, at most ``stop.time``; a long finite time if it never is."""
        from scipy.optimize import brentq

        if model.mean_square(0.0) <= stop.mean_square:
            return 0.0
        positive = model.eigenvalues[model.eigenvalues > 0]
        # after 800 decay times of the slowest mode every moving mode has underflowed
        longest = 800.0 * len(model.eigenvalues) / float(positive[0]) if positive.size else 0.0
        limit = min(stop.time, longest)
        if model.mean_square(limit) > stop.mean_square:
            return limit

        def excess(time: float) -> float:
            return model.mean_square(time) - stop.mean_square

        return float(brentq(excess, 0.0, limit, xtol=1e-300, rtol=1e-14))
