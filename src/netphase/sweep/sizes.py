"""A grid over scaling, number of samples, width and seed: students of one teacher."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import msgspec

from netphase import targets
from netphase._checks import (
    finite_float,
    instance_of,
    machine_memory,
    one_of,
    positive_float,
    positive_int,
)
from netphase._types import DTypeName, InputLaw
from netphase.dynamics import Descent, Flow
from netphase.engine.problem import Stop
from netphase.errors import ArgumentError
from netphase.experiment import Specification, content_hash, integer, to_builtins
from netphase.kernels import INPUT_LAWS
from netphase.results import SIZES
from netphase.store import Plan
from netphase.sweep.axes import axis_values
from netphase.sweep.student import Student, measure_student
from netphase.sweep.work import Index, RunOptions, Scalars, run_grid

if TYPE_CHECKING:
    import xarray as xr

MOST_STEPS = 10**9
"""No run is to end here: it stops on its loss or on stagnation long before."""


class SizeSweep(Specification, frozen=True, kw_only=True):
    """Students f(x) = κ Σ_j a_j relu(w_j·x), trained on samples of a teacher, over their sizes.

    Every run starts from `networks.student_parameters`, and has a random-feature twin: the same
    input weights, never moved, with the output weights of least norm that fit the same data best.
    The data of a smaller n are the first of a larger one, the neurons of a smaller width the first
    of a larger one. Axes are sorted; repeated values are refused.

    Attributes:
        widths: widths m.
        samples: numbers of samples n.
        seeds: integer seeds, each of data and start together.
        scalings: γ of κ = m^(−γ) with β₁ = β₂ = 1: 0 is the conventional scaling, 1 mean-field.
        target: name of a teacher as `netphase.targets.load` knows it.
        inputs: law of the inputs, "gaussian" or "sphere".
        method: how the gradient flow or descent is advanced.
        mean_square: a run has converged when (1/n) Σ e² falls to this.
        stagnation: a run whose mean square falls by less than this fraction while its steps double
            is stopped as stagnated, as a width too small for its data must be; 0 switches the test
            off.
        time: end of a run on its clock t, None for no end; a run that gets there counts.
        max_steps: a guard that no run is to meet; one that does is no result.
        dtype: "float64" or "float32".
        output_std: standard deviation of the output weights at the start.

    Raises:
        ArgumentError: an axis is empty, has repeated values or values outside their domain, or
            another value is outside its domain.

    References:
        Ma, Wu & E (2020), the heat maps of test error over width and sample size.

    Example:
        >>> sweep = SizeSweep(widths=(4, 8), samples=(50,), target="circle?d=5")
        >>> SizeSweep.from_json(sweep.to_json()) == sweep, sweep.place((1, 0, 1, 0))
        (True, 'κ = m^(−1), n = 50, m = 8, seed 0')
    """

    widths: tuple[int, ...]
    samples: tuple[int, ...]
    seeds: tuple[int, ...] = (0,)
    scalings: tuple[float, ...] = (0.0, 1.0)
    target: str = "single_neuron?d=20"
    inputs: InputLaw = "gaussian"
    method: Descent | Flow = Descent()
    mean_square: float = 1e-7
    stagnation: float = 0.001
    time: float | None = None
    max_steps: int = MOST_STEPS
    dtype: DTypeName = "float64"
    output_std: float = 0.0

    def __post_init__(self) -> None:
        checks: dict[str, Callable[[str, Any], float | int]] = {
            "widths": positive_int,
            "samples": positive_int,
            "seeds": integer,
            "scalings": finite_float,
        }
        plain: dict[str, Any] = {
            name: axis_values(name, getattr(self, name), check) for name, check in checks.items()
        }
        instance_of("target", self.target, str, "the name of a target")
        plain["target"] = targets.load(self.target).source
        plain["mean_square"] = positive_float("mean_square", self.mean_square)
        if self.time is not None:
            plain["time"] = positive_float("time", self.time)
        plain["output_std"] = finite_float("output_std", self.output_std)
        if plain["output_std"] < 0:
            raise ArgumentError(
                f"Argument `output_std` must not be negative, but is {self.output_std!r}."
            )
        one_of("inputs", self.inputs, INPUT_LAWS)
        one_of("dtype", self.dtype, ("float64", "float32"))
        instance_of("method", self.method, (Descent, Flow), "a Descent or a Flow")
        for name, value in plain.items():
            msgspec.structs.force_setattr(self, name, value)
        _ = self.stop  # which has its own domain
        for i in (0, -1):  # κ is monotone along both axes, so the ends tell for all
            _ = self.task((i, 0, -1, 0)).scales

    @property
    def coordinates(self) -> dict[str, tuple[float, ...] | tuple[int, ...]]:
        """Values of each axis, by the names of a result's dimensions."""
        axes = self.scalings, self.samples, self.widths, self.seeds
        return dict(zip(SIZES.dims, axes, strict=True))

    @property
    def stop(self) -> Stop:
        """When a run ends."""
        end = math.inf if self.time is None else self.time
        return Stop(self.mean_square, end, self.max_steps, self.stagnation)

    @property
    def key(self) -> str:
        """Content hash: equal keys mean equal results."""
        return content_hash(to_builtins(self))

    def task(self, index: Index) -> Student:
        """The run at one place on the axes scaling, sample, width, seed."""
        i, j, k, s = index
        return Student(
            scaling=self.scalings[i],
            samples=self.samples[j],
            width=self.widths[k],
            seed=self.seeds[s],
            target=self.target,
            inputs=self.inputs,
            method=self.method,
            stop=self.stop,
            dtype=self.dtype,
            output_std=self.output_std,
        )

    def place(self, index: Index) -> str:
        """One place of the grid in words."""
        run = self.task(index)
        power = f"{0.0 - run.scaling:g}".replace("-", "−")
        return f"κ = m^({power}), n = {run.samples}, m = {run.width}, seed {run.seed}"

    def neurons(self, index: Index) -> int:
        """Neurons that the run at one place trains."""
        return self.widths[index[2]]

    def cost(self, index: Index) -> float:
        """What the run at one place is expected to cost: its steps times the work of one.

        A step builds an n × n matrix out of every neuron. Neurons that hardly turn, as those of
        wide networks in the conventional scaling, need few steps (fitted at d = 20, n ≤ 500).
        """
        gamma, n, m = self.scalings[index[0]], self.samples[index[1]], self.widths[index[2]]
        steps = 1500.0 * m**-0.25 if gamma > 0.5 else 20.0 + 160.0 * min(1.0, n / m)
        return steps * n**2 * (m + 0.1 * n)

    def plan(self) -> Plan:
        """What a store of this sweep is called and holds."""
        teacher = targets.load(self.target)
        return Plan(
            schema=SIZES,
            sweep_id=self.key,
            specification=self.to_json(),
            coordinates=self.coordinates,
            attributes={
                "target": self.target,
                "target_name": teacher.name,
                "d": teacher.d,
                "target_square": teacher.square(self.inputs),
                "inputs": self.inputs,
                "dtype": self.dtype,
                "method": json.dumps(to_builtins(self.method)),
                "target_mean_square": self.mean_square,
                "output_std": self.output_std,
            },
        )


def run_size_sweep(
    sweep: SizeSweep,
    store: str | Path | None = None,
    executor: Executor | None = None,
    *,
    measure: Callable[[Student], Scalars] = measure_student,
    **options: Unpack[RunOptions],
) -> xr.Dataset:
    """Make every run of a size sweep that is not in the store yet, as `run_sweep` does.

    Args:
        sweep: the grid.
        store: folder to write to, resumed if it holds this sweep; None keeps results in memory.
        executor: where runs are made; by default a pool of threads. It is not shut down.
        measure: what a run is; for a pool of processes it must be importable.
        **options: ``workers``, ``progress`` and ``fresh`` of `run_sweep`.

    Returns:
        The labelled results: dims scaling, sample, width, seed.

    Raises:
        ArgumentError: a network does not fit into memory, ``workers`` is given together with an
            executor, or is not positive.
        StoreMismatchError: the folder holds another sweep or something that is no store.
        StoreError: the folder cannot be written or the disk is full; finished runs are kept.
        EvolutionError: some runs raised an unexpected error.
    """
    instance_of("sweep", sweep, SizeSweep, "a SizeSweep")
    _refuse_what_no_memory_holds(sweep)
    return run_grid(sweep, measure, store, executor, **options)


def _refuse_what_no_memory_holds(sweep: SizeSweep) -> None:
    """Refuse a largest run whose arrays alone are larger than the memory of the machine.

    Raises:
        ArgumentError: it says how large they are.
    """
    m, n = sweep.widths[-1], sweep.samples[-1]
    d = targets.load(sweep.target).d
    networks = 8 * (4 * m * (d + 1) + 4 * n * m)  # weights and gradients; features and factors
    follows = isinstance(sweep.method, Flow) or sweep.method.automatic
    matrices = 8 * 4 * n**2 if follows else 0  # of inputs, and the tangent Gram matrix in parts
    have = machine_memory()
    if networks + matrices <= have:
        return
    name, what = ("widths", "networks") if networks > matrices else ("samples", "data")
    raise ArgumentError(
        f"Argument `{name}` must hold {what} that fit into memory, but m = {m} with n = {n} needs "
        f"{(networks + matrices) / 1e9:.3g} GB of {have / 1e9:.3g} GB: leave out the largest."
    )
