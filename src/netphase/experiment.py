"""One training run as a frozen, hashable specification, and the two ways of running it."""

from __future__ import annotations

import hashlib
import json
import math
import operator
from typing import TYPE_CHECKING, Any, Self

import msgspec
import numpy as np

from netphase import activations
from netphase._checks import finite_float, instance_of, one_of, positive_float, positive_int
from netphase._types import DTypeName
from netphase.datasets import Dataset, load
from netphase.dynamics import Adam, Descent, Flow, GradientDynamics, Trajectory, evolve
from netphase.engine.problem import Stop
from netphase.errors import ArgumentError
from netphase.networks import TwoLayerNetwork, initial_parameters
from netphase.results import run_dataset, trajectory_scalars
from netphase.scalings import Scales, ScalingLaw

if TYPE_CHECKING:
    import xarray as xr

HASH_VERSION = 1
"""Changes only if equal specifications no longer mean equal runs."""


class Specification(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be run, an experiment or a sweep: equal to another if all fields are."""

    def to_json(self) -> str:
        """The specification as JSON; data given as arrays are written out in full."""
        return json.dumps(to_builtins(self), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The specification of a JSON document made by `to_json`.

        Raises:
            ArgumentError: the text is not such a document.
        """
        try:
            return msgspec.json.decode(text, type=cls, dec_hook=_decode)
        except msgspec.MsgspecError as error:
            raise ArgumentError(
                f"The text is not the JSON of a netphase {cls.__name__.lower()} ({error})."
            ) from error


class Experiment(Specification, frozen=True, kw_only=True):
    """One two-layer network, trained once by full-batch gradient descent or flow, or Adam.

    Attributes:
        law: how the scales α, β₁, β₂ depend on the width.
        width: neurons m of one copy, ≥ 1.
        activation: name of σ (for a function of your own, use `netphase.evolve`).
        data: a built-in name, a path to .npz or .csv, or a `Dataset`.
        seed: any integer; with ``width`` it fixes the initial parameters.
        antisymmetric: train a second copy with the opposite output weights too, so that the
            network starts at zero.
        method: how the equation is advanced.
        dtype: "float64" or "float32".
        mean_square: target of (1/n) Σ e², the mean square error (twice the loss).
        time: end on the normalised clock t/(β₁β₂) (for Adam: after so many steps), None for no end.
        max_steps: most accepted steps.
        stagnation: a run whose mean square falls by less than this fraction while its steps double
            is stopped as stagnated; 0 switches the test off.

    Raises:
        ArgumentError: a value is outside its domain.

    Example:
        >>> experiment = Experiment(law=ScalingLaw.ntk(), width=100)
        >>> Experiment.from_json(experiment.to_json()).key == experiment.key
        True
    """

    law: ScalingLaw
    width: int
    activation: str = "relu"
    data: str | Dataset = "four_points"
    seed: int = 0
    antisymmetric: bool = True
    method: Descent | Flow | Adam = Descent()
    dtype: DTypeName = "float64"
    mean_square: float = 1e-6
    time: float | None = None
    max_steps: int = 10_000_000
    stagnation: float = 0.01

    def __post_init__(self) -> None:
        plain: dict[str, Any] = {
            "width": positive_int("width", self.width),
            "max_steps": positive_int("max_steps", self.max_steps),
            "mean_square": positive_float("mean_square", self.mean_square),
            "seed": integer("seed", self.seed),
            "stagnation": finite_float("stagnation", self.stagnation),
        }
        if self.time is not None:
            plain["time"] = positive_float("time", self.time)
        for name, value in plain.items():
            msgspec.structs.force_setattr(self, name, value)
        one_of("dtype", self.dtype, ("float64", "float32"))
        instance_of("law", self.law, ScalingLaw, "a ScalingLaw")
        instance_of("activation", self.activation, str, "the name of an activation")
        instance_of("antisymmetric", self.antisymmetric, bool, "True or False")
        instance_of("method", self.method, (Descent, Flow, Adam), "a Descent, a Flow or an Adam")
        instance_of("data", self.data, (str, Dataset), "a name, a path or a Dataset")
        activations.get(self.activation)
        _ = self.stop  # which has its own domain

    @property
    def dataset(self) -> Dataset:
        """The data, loaded where only their name is given."""
        return load(self.data) if isinstance(self.data, str) else self.data

    @property
    def scales(self) -> Scales:
        """α, β₁ and β₂ at the width.

        Raises:
            ArgumentError: one of them leaves the range of a float.
        """
        return self.law.at_width(self.width)

    @property
    def stop(self) -> Stop:
        """When the run ends."""
        return Stop(
            mean_square=self.mean_square,
            time=math.inf if self.time is None else self.time,
            max_steps=self.max_steps,
            stagnation=self.stagnation,
        )

    @property
    def trained_neurons(self) -> int:
        """Neurons that move: both copies of an antisymmetric network."""
        return 2 * self.width if self.antisymmetric else self.width

    @property
    def key(self) -> str:
        """Content hash, 32 hexadecimal digits: equal keys mean equal runs.

        It does not depend on the order of fields or on where the data are stored, only on their
        numbers; fields at their defaults do not enter, so new options keep old keys.
        """
        return content_hash({**to_builtins(self), "data": self.dataset.sha256})


def integer(name: str, value: Any) -> int:
    """Any integer, as an int.

    Raises:
        ArgumentError: ``value`` is not an integer.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise ArgumentError(f"Argument `{name}` must be an integer, but is {value!r}.") from None


def to_builtins(value: Any) -> Any:
    """A specification as numbers, strings, lists and objects, without fields at their defaults.

    Args:
        value: an `Experiment`, a sweep, or a part of one; data that know their source are named.

    Returns:
        What JSON can hold.
    """
    if isinstance(value, Dataset):
        inline = {"x": value.x.tolist(), "y": value.y.tolist(), "name": value.name}
        return value.source or {**inline, "bias": value.bias}
    if isinstance(value, msgspec.Struct):
        kind = value.__struct_config__
        table: dict[str, Any] = {str(kind.tag_field): kind.tag} if kind.tag is not None else {}
        for field in msgspec.structs.fields(value):
            entry = getattr(value, field.name)
            if field.default is msgspec.NODEFAULT or entry != field.default:
                table[field.name] = to_builtins(entry)
        return table
    return list(map(to_builtins, value)) if isinstance(value, (tuple, list)) else value


def _decode(kind: Any, value: Any) -> Any:
    """Nested lists as arrays; `Dataset` checks them."""
    if isinstance(value, list):
        return np.asarray(value, dtype=np.float64)
    raise TypeError(f"{kind} cannot be read from {type(value).__name__}")


def content_hash(content: dict[str, Any]) -> str:
    """SHA-256 of a JSON-able object, 32 digits.

    It depends neither on the order of fields nor on whether a whole number is written 1 or 1.0.
    """
    plain = _whole_numbers(content)
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(f"netphase {HASH_VERSION} {text}".encode()).hexdigest()[:32]


def _whole_numbers(value: Any) -> Any:
    """The same with every whole float as an integer."""
    if isinstance(value, dict):
        return {name: _whole_numbers(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def measure(experiment: Experiment) -> dict[str, float | int | str]:
    """Train the network and keep its scalars only; what sweeps call.

    Args:
        experiment: what to run.

    Returns:
        Name → value of every quantity in `netphase.results.PLANE` but the wall-clock ones:
        the status as a word, final and largest relative changes, mean square error, time on the
        normalised clock, counts of steps, and measures of condensation and alignment of the first
        copy.

    Raises:
        ArgumentError: the data cannot be read or the scales leave the range of a float; numerical
            failures of the run are a status, not an error.
    """
    return trajectory_scalars(_evolve(experiment)[1], experiment.dataset, experiment.width)


def run(experiment: Experiment) -> xr.Dataset:
    """Train the network and label everything it leaves.

    Args:
        experiment: what to run.

    Returns:
        Dataset with ``loss``, ``mean_square`` and the relative changes over ``time``; parameters
        and features (direction, amplitude, angle) before and after over ``neuron`` and ``input``
        (``copy`` is 0 for the first copy, which relative changes and condensation refer to);
        scalars as in `measure`; the function at the data. Attributes hold the experiment and its
        provenance. Times are normalised, t/(β₁β₂); ``raw_time`` is t; for Adam
        ``time`` counts steps and there is no raw time.

    Raises:
        ArgumentError: as in `measure`.

    References:
        Luo et al. (JMLR 2021), Fig. 2.
    """
    network, trajectory = _evolve(experiment)
    attributes = {"experiment": experiment.to_json(), "key": experiment.key}
    return run_dataset(network, trajectory, experiment.dataset, experiment.width, attributes)


def _evolve(experiment: Experiment) -> tuple[TwoLayerNetwork, Trajectory]:
    """Train the network of an experiment."""
    instance_of("experiment", experiment, Experiment, "an Experiment")
    data = experiment.dataset
    network = TwoLayerNetwork(activations.get(experiment.activation), experiment.scales)
    start = initial_parameters(
        experiment.width, data.d, experiment.seed, experiment.antisymmetric, experiment.dtype
    )
    trajectory = evolve(
        GradientDynamics(network, data),
        experiment.method,
        start,
        stop=experiment.stop,
        tracked=experiment.width,
    )
    return network, trajectory
