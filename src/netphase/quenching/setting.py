"""What decides a run: target, student, data, scaling and method, and the equations they make."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from netphase import activations, targets
from netphase._checks import (
    finite_float,
    instance_of,
    machine_memory,
    non_negative_int,
    one_of,
    positive_int,
)
from netphase._types import Array, InputLaw
from netphase.datasets import Dataset
from netphase.dynamics import (
    Descent,
    Flow,
    GradientDynamics,
    PopulationDynamics,
    RandomFeatureDynamics,
    RandomFeatureModel,
)
from netphase.errors import ArgumentError
from netphase.experiment import integer, to_builtins
from netphase.kernels import INPUT_LAWS
from netphase.networks import Parameters, TwoLayerNetwork, student_parameters
from netphase.scalings import Scales
from netphase.targets import Target

if TYPE_CHECKING:
    from typing import Self

    import xarray as xr

SCALINGS: dict[str, float] = {"conventional": 0.0, "mean_field": 1.0}
"""γ of the scalings with a name: the output is divided by m^γ."""

STABLE = Descent("stable")
"""The default method: gradient descent at half the limit of stability."""

MEMORY_SHARE = 0.6
"""A run that would take more than this share of the machine's memory is refused."""


@dataclass(frozen=True)
class Setting:
    """A student of a target, trained on samples or on all inputs.

    Attributes:
        target: f*.
        width: neurons m of the student.
        samples: n, or None for infinitely many.
        gamma: γ; the output is κ Σ a relu(w·x) with κ = m^−γ.
        seed: fixes the initial weights and the samples.
        inputs: law of the inputs.
        method: how the equation is advanced.
        output_std: standard deviation of the initial output weights.
    """

    target: Target
    width: int
    samples: int | None = None
    gamma: float = 0.0
    seed: int = 0
    inputs: InputLaw = "gaussian"
    method: Descent | Flow = STABLE
    output_std: float = 0.0

    @classmethod
    def of(
        cls,
        target: Target | str,
        width: int,
        samples: int | None,
        scaling: Literal["conventional", "mean_field"] | float,
        seed: int,
        inputs: InputLaw,
        method: Descent | Flow,
        output_std: float,
    ) -> Self:
        """A setting from what a user gives, checked.

        Args:
            target: a target or the name of one.
            width: m ≥ 1.
            samples: n ≥ 1 or None.
            scaling: a name of `SCALINGS`, or γ.
            seed: any integer.
            inputs: "gaussian" or "sphere".
            method: a descent or a flow.
            output_std: ≥ 0.

        Returns:
            The setting.

        Raises:
            ArgumentError: a value is outside its domain.
        """
        known = targets.load(target) if isinstance(target, str) else target
        instance_of("target", known, Target, "a Target or the name of one")
        instance_of("method", method, (Descent, Flow), "a Descent or a Flow")
        spread = finite_float("output_std", output_std)
        if spread < 0.0:
            raise ArgumentError(f"Argument `output_std` must not be negative, but is {spread!r}.")
        law: Any = one_of("inputs", inputs, INPUT_LAWS)
        return cls(
            target=known,
            width=positive_int("width", width),
            samples=None if samples is None else positive_int("samples", samples),
            gamma=_gamma(scaling),
            seed=integer("seed", seed),
            inputs=law,
            method=method,
            output_std=spread,
        )

    @classmethod
    def from_record(cls, result: xr.Dataset) -> Self:
        """The setting of a record that `quench` made.

        Args:
            result: the record.

        Returns:
            The setting, its target made from the numbers of the record.

        Raises:
            ArgumentError: ``result`` is no such record.
        """
        import msgspec

        if "setting" not in result.attrs or "target_sphere" not in result:
            raise ArgumentError(
                "Argument `result` must be what `netphase.quench` returned, but it lacks the "
                "setting of the run."
            )
        plain: dict[str, Any] = json.loads(result.attrs["setting"])
        method = msgspec.convert(plain.pop("method"), Descent | Flow)
        d, units = result.sizes["input"], result.sizes.get("unit", 0)
        target = Target(
            result["target_a"].values if units else np.empty(0),
            result["target_c"].values if units else np.empty((0, d)),
            int(result["target_sphere"]),
            float(result["target_sphere_weight"]),
            str(result.attrs["target"]),
            str(result.attrs["target_source"]),
        )
        return cls(target=target, method=method, **plain)

    def to_json(self) -> str:
        """Everything but the target, as JSON."""
        names = ("width", "samples", "gamma", "seed", "inputs", "output_std")
        plain = {name: getattr(self, name) for name in names}
        return json.dumps({**plain, "method": to_builtins(self.method)}, sort_keys=True)

    @cached_property
    def network(self) -> TwoLayerNetwork:
        """The student as a map."""
        try:
            alpha = float(self.width) ** self.gamma
            scales = Scales(alpha, 1.0, 1.0)
        except (OverflowError, ArgumentError):
            raise ArgumentError(
                f"Argument `scaling` must keep m^γ within the range of floats, but γ is "
                f"{self.gamma:g} for m = {self.width}."
            ) from None
        return TwoLayerNetwork(activations.get("relu"), scales)

    @cached_property
    def data(self) -> Dataset | None:
        """The samples, or None for infinitely many."""
        if self.samples is None:
            return None
        return self.target.sample(self.samples, self.seed, self.inputs)

    def start(self) -> Parameters:
        """The student's initial parameters: silent output weights, unit input weights."""
        return student_parameters(self.width, self.target.d, self.seed, self.output_std)

    def student(self, target: Target | None = None) -> GradientDynamics | PopulationDynamics:
        """The equation of the student.

        Args:
            target: what to learn instead of `target`: what frozen neurons leave of it.

        Returns:
            The equation, on the same inputs.
        """
        goal = self.target if target is None else target
        if self.data is None:
            return PopulationDynamics(self.network, goal, self.inputs)
        data = self.data
        if target is not None:
            y = target(data.x)
            data = replace(data, y=y, name=f"{data.name}, {target.name}", source="")
        return GradientDynamics(self.network, data)

    def twin(self, start: Parameters) -> RandomFeatureModel:
        """The random-feature twin of the student from a start, solved.

        Args:
            start: the initial parameters.

        Returns:
            The solution.

        Raises:
            ArgumentError: no neuron responds to any input.
        """
        if self.data is None:
            dynamics = RandomFeatureDynamics(self.network, self.target, self.inputs)
        else:
            dynamics = RandomFeatureDynamics(self.network, self.data)
        model = dynamics.model(start)
        if not model.rates.size:
            raise ArgumentError(
                "Argument `start` must hold a neuron that responds to some input, but all are dead."
            )
        return model

    def refuse_memory(self, records: int) -> None:
        """Refuse a run that the machine cannot hold.

        Args:
            records: states that will be kept.

        Raises:
            ArgumentError: they need too much memory.
        """
        m, d, n = self.width, self.target.d, self.samples or 0
        numbers = 2.0 * records * m * (d + 4) + (n or m) * m * 4.0 + n * d
        if isinstance(self.method, Flow) or self.method.automatic:
            numbers += 4.0 * n * n  # the Gram matrices that the flow is followed with
        if 8.0 * numbers > MEMORY_SHARE * machine_memory():
            raise ArgumentError(
                f"Argument `width` must leave room in memory, but m = {m} with d = {d}"
                f"{f' and n = {n}' if n else ''} needs about {8e-9 * numbers:.3g} GB of "
                f"{1e-9 * machine_memory():.3g} GB. Use a smaller width, fewer frames or fewer "
                "samples."
            )


def _gamma(scaling: Any) -> float:
    """γ of a scaling."""
    if isinstance(scaling, str):
        return SCALINGS[one_of("scaling", scaling, SCALINGS)]
    return finite_float("scaling", scaling)


def check_frames(frames: int) -> int:
    """Records per factor of ten in time, at least two.

    Raises:
        ArgumentError: it is no integer ≥ 2.
    """
    count = non_negative_int("frames", frames)
    if count < 2:
        raise ArgumentError(
            f"Argument `frames` must be at least 2 for each factor of ten in time, but is {count}."
        )
    return count


def check_threshold(threshold: float) -> float:
    """τ of the activated set.

    Raises:
        ArgumentError: it is outside [0, 1).
    """
    share = finite_float("threshold", threshold)
    if not 0.0 <= share < 1.0:
        raise ArgumentError(f"Argument `threshold` must lie in [0, 1), but is {share}.")
    return share


def log_times(first: float, frames: int, end: float, grain: float | None) -> Array:
    """Times evenly spaced in their logarithm.

    Args:
        first: the first one, > 0.
        frames: how many for each factor of ten.
        end: no later than this; infinite for as many as a run may need.
        grain: multiples of this are wanted; any time if None.

    Returns:
        Increasing times, the last one ``end`` where that is finite.
    """
    last = end if math.isfinite(end) else first * 1e15
    if last <= first:
        return np.array([last])
    count = max(2, math.ceil(frames * math.log10(last / first)) + 1)
    times = np.geomspace(first, last, count)
    times[-1] = last
    if grain is None:
        return times
    return np.asarray(np.unique(np.maximum(np.round(times / grain), 1.0)) * grain)
