"""One student of a teacher and its random-feature twin: trained, fitted, and tested exactly."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from netphase import targets
from netphase._types import Array, DTypeName, InputLaw
from netphase.activations import get
from netphase.dynamics import Descent, Flow, GradientDynamics, evolve
from netphase.engine.problem import Stop
from netphase.networks import Parameters, TwoLayerNetwork, student_parameters
from netphase.observables import (
    effective_number,
    mean_rotation,
    neuron_contributions,
    path_norm,
    population_risk,
    teacher_cosine,
)
from netphase.scalings import Scales, ScalingLaw
from netphase.targets import Target


class Student(NamedTuple):
    """The specification of one run of a size sweep.

    Attributes:
        scaling: γ of κ = m^(−γ).
        samples: n.
        width: m.
        seed: of the data and the start.
        target: name of the teacher.
        inputs: law of the inputs.
        method: how the network is trained.
        stop: when the training ends.
        dtype: precision of the training.
        output_std: standard deviation of the output weights at the start.
    """

    scaling: float
    samples: int
    width: int
    seed: int
    target: str
    inputs: InputLaw
    method: Descent | Flow
    stop: Stop
    dtype: DTypeName
    output_std: float

    @property
    def scales(self) -> Scales:
        """α = m^γ and β₁ = β₂ = 1.

        Raises:
            ArgumentError: α leaves the range of a float.
        """
        return ScalingLaw(self.scaling, 0.0, 0.0).at_width(self.width)


def measure_student(student: Student) -> dict[str, float | int | str]:
    """Train one student, fit its random-feature twin, and keep the scalars of both.

    Args:
        student: what to run.

    Returns:
        Name → value of every quantity of `netphase.results.SIZES` but the wall-clock ones.

    Raises:
        ArgumentError: an argument is outside its domain; numerical failures are a status.
    """
    teacher = targets.load(student.target)
    data = teacher.sample(student.samples, student.seed, student.inputs)
    network = TwoLayerNetwork(get("relu"), student.scales)
    start = student_parameters(
        student.width, teacher.d, student.seed, student.output_std, dtype=student.dtype
    )
    run = evolve(GradientDynamics(network, data), student.method, start, stop=student.stop)
    first, last = _doubled(run.initial), _doubled(run.final)
    twin = random_feature_twin(network, first, data.x, data.y)
    return {
        "status": run.status.value,
        "test_error": _risk(network, last, teacher, student.inputs),
        "train_error": float(run.mean_square[-1]),
        "rf_test_error": _risk(network, twin, teacher, student.inputs),
        "rf_train_error": float(np.mean((network.output(twin, data.x) - data.y) ** 2)),
        **_spread(network, last, teacher),
        "mean_rotation": mean_rotation(first.w, last.w),
        "relative_change_w": float(run.relative_change_w[-1]),
        "max_relative_change_w": run.max_relative_change_w,
        "time": float(run.time[-1]),
        "steps": run.steps,
        "rejected": run.rejected,
        "gradients": run.gradients,
    }


def _doubled(parameters: Parameters) -> Parameters:
    """The same numbers in float64, in which everything after the training is computed."""
    return Parameters(parameters.a.astype(np.float64), parameters.w.astype(np.float64))


def random_feature_twin(
    network: TwoLayerNetwork, start: Parameters, x: Array, y: Array
) -> Parameters:
    """Where gradient descent on the output weights alone ends, from the same start.

    a = a₀ + (κΦ)⁺ (y − κΦ a₀), Φ_ij = σ(w_j·x_i): least squares for m < n, the interpolant nearest
    to the start for m > n.

    Args:
        network: the map.
        start: the parameters both share at first, shapes (m,) and (m, d).
        x: inputs, shape (n, d).
        y: targets, shape (n,).

    Returns:
        Parameters with the ``w`` of the start.

    References:
        Ma, Wu & E (2020), who take the minimal-norm solution without a cut-off.
    """
    features = network.unit(x @ start.w.T)  # (n, m)
    residual = y - network.scales.kappa * (features @ start.a)
    change = np.linalg.lstsq(features, residual, rcond=None)[0] / network.scales.kappa
    return Parameters(start.a + change, start.w)


def _risk(
    network: TwoLayerNetwork, parameters: Parameters, teacher: Target, inputs: InputLaw
) -> float:
    """The exact test error, NaN after an overflow."""
    if not all(np.isfinite(block).all() for block in parameters):
        return math.nan
    return population_risk(network, parameters, teacher, inputs)


def _spread(
    network: TwoLayerNetwork, parameters: Parameters, teacher: Target
) -> dict[str, float | int | str]:
    """Over how many neurons the function is spread, and where its largest one points."""
    p = neuron_contributions(parameters.a, parameters.w, network.scales.kappa)
    size = np.abs(p)
    largest = int(np.argmax(np.where(np.isfinite(size), size, -1.0)))
    return {
        "path_norm": float(path_norm(p)),
        "effective_number": float(effective_number(p, 2)),
        "effective_number_4": float(effective_number(p, 4)),
        "largest_contribution": float(size[largest]),
        "teacher_cosine": _cosine(parameters.w[largest], teacher),
    }


def _cosine(w: Array, teacher: Target) -> float:
    """Largest cosine with a neuron of the teacher; with a sphere of them, the share of w in it."""
    found = []
    if teacher.units:
        found.append(float(teacher_cosine(w[None], teacher.c)[0]))
    if teacher.sphere and (size := float(np.linalg.norm(w))) > 0:
        found.append(float(np.linalg.norm(w[: teacher.sphere])) / size)
    return max(found, default=math.nan)
