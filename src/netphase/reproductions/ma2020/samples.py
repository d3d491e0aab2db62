"""What the parts on samples share: networks trained on n samples of a target, and their twins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from netphase import activations
from netphase._types import Array, Status
from netphase.datasets import Dataset
from netphase.dynamics import (
    Descent,
    GradientDynamics,
    RandomFeatureDynamics,
    Trajectory,
    evolve,
)
from netphase.dynamics.methods import Method
from netphase.engine.problem import Stop
from netphase.networks import Parameters, TwoLayerNetwork, student_parameters
from netphase.observables import neuron_contributions, population_risk
from netphase.reproductions.ma2020.neuron_figures import Curves
from netphase.reproductions.runs import average
from netphase.scalings import Scales
from netphase.sweep import (
    Progress,
    SizeSweep,
    Student,
    measure_student,
    random_feature_twin,
    run_size_sweep,
)
from netphase.sweep.work import Scalars
from netphase.targets import Target

if TYPE_CHECKING:
    import xarray as xr

    from netphase.reproductions.reproduction import Stage

METHOD = Descent()
"""How networks are trained where steps do not matter: automatic descent, along the flow that small
literal steps follow."""

STAGNATION = 1e-3
"""A loss that falls by less than this part in half of many steps has stagnated."""

LONGEST = 2e4
"""Where a network creeps towards an approximation floor for ever, its run ends at this time, that
of 10 million steps at the printed rate of 10⁻³; in the mean-field scaling at m times this."""

RATE_STEP = 2.0
"""A step of descent on R = (1/2n) Σ e² over a printed learning rate, which is one on (1/n) Σ e²."""

SPARSE_NEURONS, SPARSE_ERROR = 2.0, 1e-2
"""A network has found a single neuron where N₂ is below the first, and its test error below this
part of that of the random features (derived)."""


@dataclass(frozen=True)
class Trained:
    """A network trained on samples of a target.

    Attributes:
        target: f*.
        network: the map, conventional or mean-field.
        data: the samples.
        trajectory: its run.
    """

    target: Target
    network: TwoLayerNetwork
    data: Dataset
    trajectory: Trajectory

    @property
    def final(self) -> Parameters:
        """The parameters after training."""
        return self.trajectory.final

    @property
    def twin(self) -> Parameters:
        """The random features: least-squares fit of the same data with the initial w."""
        start = self.trajectory.initial
        return random_feature_twin(self.network, start, self.data.x, self.data.y)

    @property
    def converged(self) -> bool:
        """Whether the training error asked for was reached."""
        return self.trajectory.status is Status.CONVERGED

    def contributions(self, parameters: Parameters) -> Array:
        """p_j of some parameters, shape (m,)."""
        return neuron_contributions(*parameters, self.network.scales.kappa)

    def test_error(self, parameters: Parameters) -> float:
        """E(f − f*)² of some parameters, in closed form."""
        return population_risk(self.network, parameters, self.target, "gaussian")


def relu_network(width: int, mean_field: bool = False) -> TwoLayerNetwork:
    """The map Σ a relu(w·x), or its mean over the neurons."""
    scales = Scales(float(width) if mean_field else 1.0, 1.0, 1.0)
    return TwoLayerNetwork(activations.get("relu"), scales)


def train(
    target: Target,
    n: int,
    width: int,
    seed: int = 0,
    *,
    method: Method = METHOD,
    stop: Stop,
    times: Sequence[float] | Array | None = None,
) -> Trained:
    """Train one network in the conventional scaling from silent output and unit input weights.

    Args:
        target: f*.
        n: samples, drawn with the seed.
        width: neurons.
        seed: of the samples and of the start.
        method: how.
        stop: when to end.
        times: when to keep the parameters.

    Returns:
        The trained network.
    """
    network, data = relu_network(width), target.sample(n, seed)
    start = student_parameters(width, target.d, seed)
    trajectory = evolve(GradientDynamics(network, data), method, start, stop=stop, times=times)
    return Trained(target, network, data, trajectory)


def twin_error(target: Target, n: int, width: int, seed: int) -> float:
    """log₁₀ of the test error of the random features alone, conventional scaling."""
    network, data = relu_network(width), target.sample(n, seed)
    start = student_parameters(width, target.d, seed)
    twin = random_feature_twin(network, start, data.x, data.y)
    return math.log10(population_risk(network, twin, target, "gaussian"))


def sweep_sizes(stage: Stage, name: str, sweep: SizeSweep, longest: float = math.inf) -> xr.Dataset:
    """The results of a size sweep, from its store in the folder as far as they are there.

    Args:
        stage: folder and progress.
        name: first part of the name of the store, for progress too.
        sweep: what to run; its key is the second part of the name.
        longest: time t at which a conventional run ends at the latest, m^γ times it where
            κ = m^(−γ); it is part of the name.
    """

    def report(done: Progress) -> None:
        stage.progress(f"{name}: {done.runs_done} of {done.runs_total} runs")

    def measure(student: Student) -> Scalars:
        time = longest * student.width**student.scaling
        return measure_student(student._replace(stop=replace(student.stop, time=time)))

    limit = f"-t{longest:g}" if longest < math.inf else ""
    store = stage.folder / f"{name}{limit}-{sweep.key[:8]}.zarr"
    return run_size_sweep(sweep, store, progress=report, measure=measure)


def log_error(results: xr.Dataset, name: str = "test_error") -> xr.DataArray:
    """log₁₀ of an error of all runs, however they ended."""
    return results[name].copy(data=np.log10(results[name].values))


def sparse(results: xr.Dataset) -> xr.DataArray:
    """Which runs are one neuron, see `SPARSE_NEURONS`; dims as those of the results."""
    few = results["effective_number"] < SPARSE_NEURONS
    return few & (results["test_error"] < SPARSE_ERROR * results["rf_test_error"])


def curves(trained: Trained, rate: float) -> Curves:
    """Training and test errors of a network and of its twin at the same times.

    Args:
        trained: a run that kept its parameters at some times, the first of them 0.
        rate: printed rate, in whose iterations time is counted.
    """
    run = trained.trajectory
    twin = RandomFeatureDynamics(trained.network, trained.data).model(run.initial)
    states, count = run.snapshots, len(run.snapshots)
    times, errors = run.time[:count], run.mean_square[:count]
    others = [twin.parameters(float(time)) for time in times]
    return Curves(
        iterations=times / (RATE_STEP * rate),
        train=errors,
        test=np.array([trained.test_error(each) for each in states]),
        twin_train=np.array([twin.mean_square(float(time)) for time in times]),
        twin_test=np.array([trained.test_error(each) for each in others]),
        contributions=trained.contributions(states[-1]),
        twin_contributions=trained.contributions(others[-1]),
    )


def toleranced(values: Sequence[float] | Array, tolerance: float) -> tuple[float, float, float]:
    """Mean, tolerance and standard error, in the order of a check's arguments."""
    mean, error = average(values)
    return mean, tolerance, error


def spaced(first: float, last: float, count: int) -> Array:
    """Increasing times from 0 on, evenly spaced in their logarithm beyond the first."""
    return np.concatenate([[0.0], np.geomspace(first, last, count)])
