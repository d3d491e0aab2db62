"""`MacroscopicDynamics`: the equation of a whole network while every neuron is still linear."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netphase._checks import instance_of, positive_float
from netphase._types import Array
from netphase.datasets import Dataset
from netphase.dynamics.macroscopic.equation import Moments
from netphase.dynamics.macroscopic.integration import ORDER
from netphase.dynamics.macroscopic.observe import Boost, Neurons
from netphase.dynamics.macroscopic.path import follow
from netphase.dynamics.macroscopic.task import LinearTask, slope_at_zero
from netphase.dynamics.trajectory import Trajectory
from netphase.engine.problem import Stop
from netphase.errors import ArgumentError
from netphase.networks import Parameters, TwoLayerNetwork

RESPONSE = 1e-24
"""Share of the neurons' second moments along z below which rounding would decide where they go."""

DEFAULT_RTOL, LEAST_RTOL, MOST_RTOL = 1e-10, 1e-12, 1e-2


@dataclass(frozen=True)
class MacroscopicDynamics:
    """Training of a network of multiplicity one as long as |w·x| ≪ 1, σ(u) ≈ cu with c = σ′(0).

    Then f(x) = u·x with u = cκ Σ āw̄, and every neuron obeys the same linear equation with the
    drive g = z − Σu, z = (1/n) Σ y_i x_i and Σ = (1/n) Σ x_i x_iᵀ:

        ā′ = (cκ/κ′) g·w̄,   w̄′ = cκκ′ ā g.

    So one Lorentz boost Φ carries all of them, u follows from the second moments of the start, and
    a network of any width is an equation in d + d² variables. It runs from the lazy regime through
    escape and condensation to the first plateau, the best linear fit, and never below it. Every
    κ′²ā_k² − |w̄_k|² is conserved. It fails where pre-activations reach size one: see the relative
    error of `GradientDynamics` at the width in question.

    In `evolve` the method does not matter (but `Adam` is refused): it has an integrator of its own.
    Conditions on steps count that integrator's. A target below the plateau ends as stagnated.

    Attributes:
        network: the map.
        data: inputs (n, d) and targets (n,).
        rtol: tolerance of a step, from 1e-12 to 1e-2, in units of the change Φ − I.

    References:
        Chen et al. (2023) treat its beginning, where g is z; the closed equation is not theirs.

    Raises:
        ArgumentError: the activation is not c·u near zero, z vanishes, or ``rtol`` is out of range.

    Example:
        >>> import netphase as nph
        >>> from netphase.engine import Stop
        >>> scales = nph.ScalingLaw.plain(1.5, 0.0).at_width(1000)
        >>> network = nph.TwoLayerNetwork(nph.activations.get("tanh"), scales)
        >>> start = nph.initial_parameters(1000, d=4, seed=0)
        >>> data = nph.datasets.linear()
        >>> stop = Stop(nph.kernels.half_way(data))
        >>> model = nph.MacroscopicDynamics(network, data)
        >>> run = nph.evolve(model, nph.Flow(), start, stop=stop, tracked=1000)
        >>> bool(run.relative_change_w[-1] > 1)
        True
    """

    network: TwoLayerNetwork
    data: Dataset
    rtol: float = DEFAULT_RTOL

    def __post_init__(self) -> None:
        instance_of("network", self.network, TwoLayerNetwork, "a TwoLayerNetwork")
        instance_of("data", self.data, Dataset, "a Dataset")
        check_tolerance(self.rtol)
        slope_at_zero(self.network.activation)
        LinearTask.of(self.data)

    def solve(self, state: Parameters, stop: Stop, tracked: int, times: Array) -> Trajectory:
        """The solution from a start; see `netphase.dynamics.evolve` for the arguments.

        Args:
            state: the start, shapes (m,) and (m, d); its own second moments are used.
            stop: when to end.
            tracked: neurons that count in relative changes.
            times: times of the snapshots, shape (t,); empty for none.

        Returns:
            The trajectory. Relative changes keep their relative accuracy however small they are,
            the parameters that of a float.

        Raises:
            ArgumentError: the output weights or the input weights of the tracked neurons are all
                zero, or no neuron can move (all a = 0 and w orthogonal to z).
        """
        for name, block in (("a", state.a), ("w", state.w)):
            if not np.any(block[:tracked]):
                raise ArgumentError(
                    f"Argument `state` must not be zero in its block {name!r}: there is no size "
                    "to compare the change with."
                )
        task, slope = LinearTask.of(self.data), slope_at_zero(self.network.activation)
        scales = self.network.scales
        ratio = float(np.copysign(scales.kappa_prime, slope))
        equation = own_moments(task, state, slope * scales.kappa, ratio)
        unit = abs(slope) * scales.kappa
        path = follow(equation, stop, unit, times, self.rtol)
        every = equation.rows(np.zeros(len(path.clock), dtype=np.intp))
        boost = Boost.of(every, path.state)
        neurons = Neurons(state, task.basis, ratio, tracked)
        change_w, change_a, change_theta = neurons.changes(boost)
        tries = path.steps + path.rejected
        return Trajectory(
            time=path.clock / unit,
            mean_square=path.mean_square,
            relative_change_w=change_w,
            relative_change_a=change_a,
            relative_change_theta=change_theta,
            status=path.status,
            steps=path.steps,
            rejected=path.rejected,
            gradients=tries * ORDER * (ORDER + 1) // 2,
            solves=tries * ORDER * (ORDER + 1) // 2,
            integrator="macroscopic equation",
            initial=state,
            final=neurons.carried(boost, -1),
            snapshots=tuple(neurons.carried(boost, int(k)) for k in np.flatnonzero(path.asked)),
            notes={"plateau": task.plateau, "orthogonality drift": boost.drift},
        )


def check_tolerance(rtol: float) -> float:
    """A tolerance that the integrator can keep.

    Raises:
        ArgumentError: it is not between 1e-12 and 1e-2.
    """
    if not LEAST_RTOL <= positive_float("rtol", rtol) <= MOST_RTOL:
        raise ArgumentError(
            f"Argument `rtol` must lie between {LEAST_RTOL:g} and {MOST_RTOL:g}, but is {rtol!r}."
        )
    return float(rtol)


def own_moments(task: LinearTask, state: Parameters, strength: float, ratio: float) -> Moments:
    """The equation of all neurons of a start.

    Args:
        task: the data.
        state: the start, shapes (m,) and (m, d).
        strength: cκ.
        ratio: κ′ with the sign of c.

    Returns:
        The equation of one cell; an antisymmetric start has cross moments of exactly zero.

    Raises:
        ArgumentError: no neuron responds to the drive z, so that the start is a saddle.
    """
    a, w = (np.asarray(each, dtype=np.float64) for each in state)
    inner = w @ task.basis  # (m, r)
    half = len(a) // 2
    paired = np.array_equal(a[:half], -a[half:]) and np.array_equal(w[:half], w[half:])
    cross = np.zeros(inner.shape[1]) if paired else a @ inner
    top, block = strength * ratio * float(a @ a), (strength / ratio) * (inner.T @ inner)
    along = top + float(task.z @ block @ task.z) / task.rate**2
    if along <= RESPONSE * (top + float(np.trace(block))):
        raise ArgumentError(
            "Argument `state` must hold a neuron that the data can move, but all have a = 0 and a "
            "w orthogonal to z = (1/n) Σ y_i x_i."
        )
    return Moments.of(task, p=top, q=strength * cross, w=block)
