"""A grid of experiments over the plane, widths and seeds: the specification of a sweep."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import msgspec

from netphase._checks import finite_float, instance_of, one_of, positive_int
from netphase.experiment import Experiment, Specification, content_hash, integer, to_builtins
from netphase.results import PLANE
from netphase.scalings import ScalingLaw
from netphase.store import Plan
from netphase.sweep.axes import axis_values
from netphase.sweep.work import Index

Gauge: TypeAlias = Literal["beta1", "alpha"]
"""Whose exponent is fixed over the plane."""


class Sweep(Specification, frozen=True, kw_only=True):
    """The same experiment at every point of a grid.

    Every run starts from the law with unit prefactors at (γ, γ'). Axes are sorted; repeated values
    are refused.

    Attributes:
        base: everything the runs share; its own γ, γ', width and seed are not used.
        gamma: values of γ.
        gamma_prime: values of γ'.
        widths: widths m.
        seeds: integer seeds.
        gauge: what fixes the third exponent. "beta1": the exponent of β₁ that the base's law has;
            "alpha": α = 1 (`ScalingLaw.plain`), as for smooth activations, where it matters.

    Raises:
        ArgumentError: an axis is empty, has repeated values or values outside their domain, the
            gauge is unknown, or a scale leaves the range of a float somewhere on the grid.
    """

    base: Experiment
    gamma: tuple[float, ...]
    gamma_prime: tuple[float, ...]
    widths: tuple[int, ...]
    seeds: tuple[int, ...] = (0,)
    gauge: Gauge = "beta1"

    def __post_init__(self) -> None:
        instance_of("base", self.base, Experiment, "an Experiment")
        one_of("gauge", self.gauge, ("beta1", "alpha"))
        checks: dict[str, Callable[[str, Any], float | int]] = {
            "gamma": finite_float,
            "gamma_prime": finite_float,
            "widths": positive_int,
            "seeds": integer,
        }
        for name, check in checks.items():
            values = axis_values(name, getattr(self, name), check)
            msgspec.structs.force_setattr(self, name, values)
        # scales are monotone along every axis, so the corners tell for all
        for i, j, k in itertools.product((0, -1), repeat=3):
            _ = self.experiment((i, j, k, 0)).scales

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Number of γ, γ', widths and seeds."""
        return len(self.gamma), len(self.gamma_prime), len(self.widths), len(self.seeds)

    @property
    def coordinates(self) -> dict[str, tuple[float, ...] | tuple[int, ...]]:
        """Values of each axis, by the names of a result's dimensions."""
        axes = self.gamma, self.gamma_prime, self.widths, self.seeds
        return dict(zip(PLANE.dims, axes, strict=True))

    @property
    def key(self) -> str:
        """Content hash: equal keys mean equal results. It reads the data."""
        return content_hash({**self._shared(), "data": self.base.dataset.sha256})

    def _shared(self) -> dict[str, Any]:
        """The specification without what the grid overrides."""
        table = to_builtins(self)
        base = table.pop("base")
        for name in ("law", "width", "seed", "data"):
            base.pop(name, None)
        if self.gauge == "beta1":
            table["gauge"] = self.base.law.beta1
        return {**table, "base": base}

    def experiment(self, index: Index) -> Experiment:
        """The run at one place of the grid.

        Args:
            index: place on the axes gamma, gamma_prime, widths, seeds.
        """
        i, j, k, s = index
        point = self.gamma[i], self.gamma_prime[j]
        if self.gauge == "alpha":
            law = ScalingLaw.plain(*point)
        else:
            law = ScalingLaw.from_gamma(*point, self.base.law.beta1)
        return msgspec.structs.replace(self.base, law=law, width=self.widths[k], seed=self.seeds[s])

    def task(self, index: Index) -> Experiment:
        """The run at one place, as `experiment`."""
        return self.experiment(index)

    def place(self, index: Index) -> str:
        """One place of the grid in words."""
        i, j, k, s = index
        return (
            f"γ = {self.gamma[i]:g}, γ' = {self.gamma_prime[j]:g}, m = {self.widths[k]}, "
            f"seed {self.seeds[s]}"
        )

    def neurons(self, index: Index) -> int:
        """Neurons that the run at one place trains."""
        return self.experiment(index).trained_neurons

    def cost(self, index: Index) -> float:
        """What the run at one place is expected to cost: its width times its steps.

        The steps depend little on the width; they grow where the weights have far to go.
        """
        gamma, gamma_prime = self.gamma[index[0]], self.gamma_prime[index[1]]
        escape = max(gamma - 1.0 - max(gamma_prime, 0.0), 0.0)
        steps = 1.0 + 8.0 * escape + 1.5 * min(max(-gamma_prime, 0.0) / 0.2, 1.0)
        return steps * self.widths[index[2]]

    def plan(self) -> Plan:
        """What a store of this sweep is called and holds."""
        data, base = self.base.dataset, self.base
        return Plan(
            schema=PLANE,
            sweep_id=self.key,
            specification=self.to_json(),
            coordinates=self.coordinates,
            attributes={
                "activation": base.activation,
                "data": data.name,
                "data_sha256": data.sha256,
                "dtype": base.dtype,
                "method": json.dumps(to_builtins(base.method)),
                "target_mean_square": base.mean_square,
                "antisymmetric": int(base.antisymmetric),
                "gauge": self.gauge,
            },
        )


def with_loaded_data(sweep: Sweep) -> Sweep:
    """The sweep with its data in memory, so that they are read once and not in every run."""
    base = msgspec.structs.replace(sweep.base, data=sweep.base.dataset)
    return msgspec.structs.replace(sweep, base=base)
