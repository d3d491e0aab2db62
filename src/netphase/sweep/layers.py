"""A grid over two exponents of deep networks, widths and seeds: the planes of every layer."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import msgspec
import numpy as np

from netphase import activations
from netphase._checks import (
    finite_float,
    instance_of,
    machine_memory,
    one_of,
    positive_float,
    positive_int,
)
from netphase._types import DTypeName
from netphase.datasets import Dataset, load
from netphase.dynamics import Descent, Flow
from netphase.engine.problem import Stop
from netphase.engine.threads import cores
from netphase.errors import ArgumentError
from netphase.experiment import Specification, content_hash, integer, to_builtins
from netphase.networks import MultiLayerNetwork
from netphase.networks.multi_layer import OUTPUT_KINDS, OutputKind
from netphase.results import layer_schema
from netphase.scalings import LayerScaling, layer_initialisation, with_exponents
from netphase.store import Plan
from netphase.sweep.axes import axis_values
from netphase.sweep.layer_run import LayerRun, measure_layers, refuse_unusable_data
from netphase.sweep.work import Index, RunOptions, Scalars, run_grid

if TYPE_CHECKING:
    import xarray as xr

SHARE_LEFT = 1e-4
"""By default a run has converged when this share of (1/n) Σ y² is left of (1/n) Σ e²."""

COPIES = 10
"""Arrays of the size of the weights that a run holds at its end, at most."""


class LayerSweep(Specification, frozen=True, kw_only=True):
    """Deep networks over a plane of two of their exponents, at several widths and seeds.

    The runs of a cell differ in width and seed only; how far each layer moves, as a power of the
    width, is what `analysis.layer_exponents` finds. Axes are sorted; repeated values are refused.

    The default data are six unit vectors with a linear target: all kernels are well conditioned on
    them, so that runs end after some hundred steps on either side of the boundary. The theory below
    the boundary is that of homogeneous activations, of which ReLU is one: pre-activations of a
    saturating activation such as tanh stop growing once they are of order one, other layers then
    have to move instead, and runs take a hundred times as many steps.

    Attributes:
        base: scales, learning rates and prefactors of all the networks but for the axes.
        axes: the exponents along x and along y, as `scalings.layer_axes` lists them.
        x: values of the first axis.
        y: values of the second axis.
        widths: widths m of every hidden layer.
        seeds: integer seeds of the start.
        data: a built-in name, a path to .npz or .csv, or a `Dataset`.
        activation: name of σ.
        kind: how the output is made zero at the start: "antisymmetric", "centred" or "plain" (not
            at all).
        method: how the networks are trained.
        mean_square: a run has converged when (1/n) Σ e² falls to this; by default to 1e-4 of
            (1/n) Σ y², where every layer is within about 1 % of where it ends.
        time: end of a run on its clock t, None for no end; a run that gets there counts.
        max_steps: most accepted steps.
        stagnation: a run whose mean square falls by less than this fraction while its steps double
            is stopped as stagnated; 0 switches the test off.
        dtype: "float64" or "float32".

    Raises:
        ArgumentError: an axis is unknown, empty, has repeated values or values outside their
            domain, a scale leaves the range of ``dtype`` somewhere on the grid, or another value is
            outside its domain.

    References:
        The planes are a reconstruction: θ-lazy networks as in Li, Luo & Zhou (2024), known here
        from their abstract, and layers in regimes of their own as in the three-layer diagrams of
        Zhou et al. (NeurIPS 2022), whose coordinates γ2, γ3 could not be verified. With
        ``gamma`` and the exponent of the output layer as axes, the NTK scaling lies at γ = L/2,
        mean field and μP at (L+1)/2, and for L = 1 the plane is that of Luo et al. (JMLR 2021).

    Example:
        >>> base = layer_initialisation("ntk", depth=2, d=4)
        >>> sweep = LayerSweep(
        ...     base=base, axes=("gamma", "g3"), x=(1.2, 1.8), y=(0.5,), widths=(32, 64)
        ... )
        >>> sweep.place((0, 1, 0, 0)), sweep.scaling((0, 1, 0, 0)).alpha
        ('g3 = 0.5, gamma = 1.8, m = 32, seed 0', 0.8)
    """

    base: LayerScaling
    axes: tuple[str, str]
    x: tuple[float, ...]
    y: tuple[float, ...]
    widths: tuple[int, ...]
    seeds: tuple[int, ...] = (0,)
    data: str | Dataset = "linear"
    activation: str = "relu"
    kind: OutputKind = "antisymmetric"
    method: Descent | Flow = Descent("stable")
    mean_square: float | None = None
    time: float | None = None
    max_steps: int = 100_000
    stagnation: float = 0.01
    dtype: DTypeName = "float64"

    def __post_init__(self) -> None:
        instance_of("base", self.base, LayerScaling, "a LayerScaling")
        instance_of("axes", self.axes, (tuple, list), "two names of exponents")
        plain: dict[str, Any] = {"axes": tuple(self.axes)}
        layer_schema(self.base.depth, plain["axes"])
        checks: dict[str, Callable[[str, Any], float | int]] = {
            "x": finite_float,
            "y": finite_float,
            "widths": positive_int,
            "seeds": integer,
        }
        plain |= {
            name: axis_values(name, getattr(self, name), check) for name, check in checks.items()
        }
        plain |= {
            name: positive_float(name, getattr(self, name))
            for name in ("mean_square", "time")
            if getattr(self, name) is not None
        }
        for name, value in plain.items():
            msgspec.structs.force_setattr(self, name, value)
        instance_of("data", self.data, (str, Dataset), "a name, a path or a Dataset")
        instance_of("activation", self.activation, str, "the name of an activation")
        activations.get(self.activation)
        one_of("kind", self.kind, OUTPUT_KINDS)
        instance_of("method", self.method, (Descent, Flow), "a Descent or a Flow")
        one_of("dtype", self.dtype, ("float64", "float32"))
        Stop(max_steps=self.max_steps, stagnation=self.stagnation)  # which have their own domains
        # scales are monotone along every axis, so the corners tell for all
        for i, j, k in itertools.product((0, -1), repeat=3):
            self._network((i, j, k, 0)).gains(1, np.dtype(self.dtype))

    @property
    def dataset(self) -> Dataset:
        """The data, loaded where only their name is given."""
        return load(self.data) if isinstance(self.data, str) else self.data

    @property
    def coordinates(self) -> dict[str, tuple[float, ...] | tuple[int, ...]]:
        """Values of each axis, by the names of a result's dimensions."""
        return {
            self.axes[1]: self.y,
            self.axes[0]: self.x,
            "width": self.widths,
            "seed": self.seeds,
        }

    @property
    def key(self) -> str:
        """Content hash: equal keys mean equal results. It reads the data."""
        return content_hash({**to_builtins(self), "data": self.dataset.sha256})

    @property
    def stop(self) -> Stop:
        """When a run ends. It reads the data."""
        target = self.mean_square
        if target is None:
            target = SHARE_LEFT * float(np.mean(self.dataset.y**2))
        end = math.inf if self.time is None else self.time
        return Stop(target, end, self.max_steps, self.stagnation)

    def scaling(self, index: Index) -> LayerScaling:
        """The scaling at a place on the axes y, x, width, seed."""
        exponents = {self.axes[0]: self.x[index[1]], self.axes[1]: self.y[index[0]]}
        return with_exponents(self.base, exponents)

    def task(self, index: Index) -> LayerRun:
        """The run at one place."""
        return LayerRun(
            scaling=self.scaling(index),
            width=self.widths[index[2]],
            seed=self.seeds[index[3]],
            data=self.dataset,
            activation=self.activation,
            kind=self.kind,
            method=self.method,
            stop=self.stop,
            dtype=self.dtype,
        )

    def place(self, index: Index) -> str:
        """One place of the grid in words."""
        (y, j), (x, i) = zip(reversed(self.axes), index, strict=False)
        m, seed = self.widths[index[2]], self.seeds[index[3]]
        return f"{y} = {self.y[j]:g}, {x} = {self.x[i]:g}, m = {m}, seed {seed}"

    def neurons(self, index: Index) -> int:
        """Neurons that the run at one place trains."""
        network = self._network(index)
        return network.copies * sum(network.layers[1:-1])

    def cost(self, index: Index) -> float:
        """What the run at one place is expected to cost: its steps times its weights.

        The steps grow where the output has to be made larger, and hardly with the width (fitted to
        the default data). A step costs as much as 10⁵ weights before the first of them.
        """
        climb = max(-self.scaling(index).log_m_kappa, 0.0)
        steps = 25.0 + 50.0 * self.base.depth**2 * climb
        return steps * (1e5 + self._network(index, self.dataset.d).number_of_weights)

    def plan(self) -> Plan:
        """What a store of this sweep is called and holds."""
        data = self.dataset
        return Plan(
            schema=layer_schema(self.base.depth, self.axes),
            sweep_id=self.key,
            specification=self.to_json(),
            coordinates=self.coordinates,
            attributes={
                "depth": self.base.depth,
                "plane_x": self.axes[0],
                "plane_y": self.axes[1],
                "base": json.dumps(to_builtins(self.base)),
                "activation": self.activation,
                "kind": self.kind,
                "data": data.name,
                "data_sha256": data.sha256,
                "n": data.n,
                "d": data.d,
                "target_square": float(np.mean(data.y**2)),
                "dtype": self.dtype,
                "method": json.dumps(to_builtins(self.method)),
                "target_mean_square": self.stop.mean_square,
            },
        )

    def _network(self, index: Index, inputs: int = 1) -> MultiLayerNetwork:
        """The map of one run; of one input for what does not depend on the data."""
        scales = self.scaling(index).at_width(self.widths[index[2]])
        return MultiLayerNetwork(activations.get(self.activation), scales, inputs, kind=self.kind)

    def refuse_what_no_memory_holds(self, runs: int) -> None:
        """Refuse a largest width of which so many networks at once do not fit into memory.

        Args:
            runs: how many are trained at a time.

        Raises:
            ArgumentError: it says how large they are.
        """
        network, size = self._network((0, 0, -1, 0), self.dataset.d), np.dtype(self.dtype).itemsize
        needed, have = runs * COPIES * size * network.number_of_weights, machine_memory()
        if needed > have:
            raise ArgumentError(
                f"Argument `widths` must hold networks that fit into memory, but {runs} at a time "
                f"of m = {self.widths[-1]} with {self.base.depth} hidden layers need "
                f"{needed / 1e9:.3g} GB of {have / 1e9:.3g} GB: leave out the largest, or take "
                "fewer workers."
            )


def default_layer_sweep(depth: int = 2, quick: bool = False) -> LayerSweep:
    """The plane of γ and of the output layer's exponent, around the NTK scaling.

    Along γ the output scale κ = m^((L+1)/2 − γ) falls: θ-lazy, the boundary at γ = (L+1)/2, below.
    Along the other axis the share of the output layer in the tangent kernel grows as m^(2g − 1);
    the other layers have equal shares. Where layers have different shares, one can be lazy beside
    another that moves; for one hidden layer this is the plane (γ, γ′).

    Args:
        depth: number of hidden layers, L ≥ 1.
        quick: fewer cells, widths and seeds: a first look in some seconds.

    Returns:
        The sweep; some minutes on two cores for two or three hidden layers.

    Raises:
        ArgumentError: ``depth`` is not a positive integer.

    Example:
        >>> sweep = default_layer_sweep(depth=3)
        >>> sweep.axes, min(sweep.x), max(sweep.x)
        (('gamma', 'g4'), 1.4, 2.6)
    """
    d = 4  # of the data; it enters prefactors only, and NTK has none
    base = layer_initialisation("ntk", depth, d)
    steps, rows = (5, 3) if quick else (9, 5)
    return LayerSweep(
        base=base,
        axes=("gamma", f"g{depth + 1}"),
        x=tuple(round(each, 6) for each in base.gamma_c + np.linspace(-0.6, 0.6, steps)),
        y=tuple(round(each, 6) for each in np.linspace(0.2, 0.8, rows)),
        widths=(64, 128, 256, 512) if quick else (256, 512, 1024),
        seeds=tuple(range(4 if quick else 8)),
    )


def run_layer_sweep(
    sweep: LayerSweep,
    store: str | Path | None = None,
    executor: Executor | None = None,
    *,
    measure: Callable[[LayerRun], Scalars] = measure_layers,
    **options: Unpack[RunOptions],
) -> xr.Dataset:
    """Make every run of a layer sweep that is not in the store yet, as `run_sweep` does.

    Runs are made side by side, one a thread. For these the BLAS should use one thread each, which
    it reads from the environment before NumPy is imported (``OPENBLAS_NUM_THREADS=1``).

    Args:
        sweep: the grid.
        store: folder to write to, resumed if it holds this sweep; None keeps results in memory.
        executor: where runs are made; by default a pool of threads. It is not shut down.
        measure: what a run is; for a pool of processes it must be importable.
        **options: ``workers``, ``progress`` and ``fresh`` of `run_sweep`.

    Returns:
        The labelled results: dims y, x (by the names of the axes), width, seed.

    Raises:
        ArgumentError: all targets are zero, data are near the ends of the range of ``dtype``, the
            networks do not fit into memory, ``workers`` is given together with an executor, or is
            not positive.
        StoreMismatchError: the folder holds another sweep or something that is no store.
        StoreError: the folder cannot be written or the disk is full; finished runs are kept.
        EvolutionError: some runs raised an unexpected error.
    """
    instance_of("sweep", sweep, LayerSweep, "a LayerSweep")
    refuse_unusable_data(sweep.dataset, sweep.dtype)
    sweep.refuse_what_no_memory_holds(options.get("workers") or cores())
    loaded = msgspec.structs.replace(sweep, data=sweep.dataset)
    return run_grid(loaded, measure, store, executor, **options)
