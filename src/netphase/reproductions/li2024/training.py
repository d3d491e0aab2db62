"""What the parts share: ladders of deep networks over widths and seeds, and slopes with errors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from netphase import activations
from netphase._types import Array
from netphase.analysis import PowerLawFit, fit_power_law
from netphase.dynamics import DeepGradientDynamics, Descent, evolve
from netphase.engine.problem import Stop
from netphase.networks import MultiLayerNetwork, initial_layer_parameters
from netphase.observables import feature_change, layer_change
from netphase.reproductions.li2024.setting import FITTED, Data
from netphase.reproductions.runs import in_parallel
from netphase.scalings import LayerScaling, predicted_layers

TOGETHER = 4
"""Seeds in one ensemble: wide ensembles take memory, and both cores want work."""

MOST_STEPS = 20_000


class Case(NamedTuple):
    """A scaling, trained over widths and seeds.

    Attributes:
        scaling: its scales.
        activation: σ.
        data: what it is trained on.
    """

    scaling: LayerScaling
    activation: str
    data: Data


@dataclass(frozen=True)
class Ladder:
    """Trained networks of one scaling over widths and seeds.

    Attributes:
        scaling: their scales.
        widths: m, shape (w,).
        operator: relative changes in the operator norm, shape (s, w, L+1).
        frobenius: the same in the Frobenius norm.
        feature: relative changes of the hidden representations, shape (s, w, L).
        converged: whether every run fitted the data.
    """

    scaling: LayerScaling
    widths: Array
    operator: Array
    frobenius: Array
    feature: Array
    converged: bool

    def fits(self, norm: str = "operator", last: int = 0) -> list[PowerLawFit]:
        """One power law in the width a layer, over the last few widths or (0) over all.

        Where a run did not converge all are NaN, and so no claim on them is reproduced.
        """
        table = getattr(self, norm)[:, -last:]
        widths = self.widths[-last:]
        return [power_law(widths, each, self.converged) for each in np.moveaxis(table, -1, 0)]

    def local(self, norm: str = "operator") -> Array:
        """Slopes between neighbouring widths, shape (s, w − 1, layers); NaN as in `fits`."""
        changes = np.log(getattr(self, norm))
        slopes = np.diff(changes, axis=1) / np.diff(np.log(self.widths))[:, None]
        return slopes if self.converged else np.full_like(slopes, math.nan)

    def predicted(self, norm: str = "operator") -> Array:
        """The exponents of theory in the operator or Frobenius norm, shape (L+1,)."""
        return np.array([getattr(each, norm) for each in predicted_layers(self.scaling)])


def ladders(cases: Sequence[Case], widths: Sequence[int], seeds: int) -> list[Ladder]:
    """Trains every case at every width from every seed.

    Args:
        cases: what is trained.
        widths: m of the hidden layers.
        seeds: their number.

    Returns:
        One ladder a case.
    """
    groups = [range(k, min(k + TOGETHER, seeds)) for k in range(0, seeds, TOGETHER)]
    jobs = [
        (case, width, group) for width in sorted(widths)[::-1] for group in groups for case in cases
    ]
    found = in_parallel(lambda job: _train(*job), jobs)
    table = dict(zip(((id(c), w, g.start) for c, w, g in jobs), found, strict=True))
    return [
        _ladder(case.scaling, widths, [
            [table[id(case), width, group.start] for width in widths] for group in groups
        ])
        for case in cases
    ]  # fmt: skip


def power_law(widths: Array, values: Array, converged: bool) -> PowerLawFit:
    """A power law in the width, which `fit_power_law` would fit to the runs that converged alone.

    Args:
        widths: m, shape (w,).
        values: shape (s, w).
        converged: whether all runs did.

    Returns:
        The fit; NaN throughout where one did not.
    """
    if converged:
        return fit_power_law(widths, values)
    nothing = np.full(len(values), math.nan)
    return PowerLawFit(math.nan, math.nan, 0.0, math.nan, 0, math.nan, math.nan, nothing)


def jackknife(statistic: Callable[[Array], float], values: Array) -> tuple[float, float]:
    """A statistic of values over seeds, and its standard error by leaving out one seed each time.

    Args:
        statistic: from values, shape (s, …), to a number.
        values: shape (s, …).

    Returns:
        The statistic of all seeds, and its error; NaN for one seed.
    """
    count = len(values)
    if count < 2:
        return statistic(values), math.nan
    without = [statistic(np.delete(values, each, axis=0)) for each in range(count)]
    return statistic(values), math.sqrt((count - 1) * float(np.var(without)))


class _Ends(NamedTuple):
    operator: Array
    frobenius: Array
    feature: Array
    converged: bool


def _train(case: Case, width: int, seeds: range) -> _Ends:
    """Descent at half the limit of stability, until the data is fitted."""
    x, y = case.data.x, case.data.y
    network = MultiLayerNetwork(
        activations.get(case.activation), case.scaling.at_width(width), x.shape[1], kind="centred"
    )
    start = initial_layer_parameters(network, seeds)
    stop = Stop(mean_square=FITTED * case.data.square, max_steps=MOST_STEPS)
    run = evolve(DeepGradientDynamics(network, x, y), Descent("stable"), start, stop=stop)
    change = layer_change(start, run.final)
    return _Ends(
        change.operator,
        change.frobenius,
        feature_change(network, start, run.final, x).relative,
        all(status.value == "converged" for status in run.status),
    )


def _ladder(scaling: LayerScaling, widths: Sequence[int], parts: list[list[_Ends]]) -> Ladder:
    """Joins what groups of seeds left at every width."""
    join = partial(_joined, parts)
    return Ladder(
        scaling,
        np.array(widths, dtype=np.float64),
        join("operator"),
        join("frobenius"),
        join("feature"),
        all(each.converged for part in parts for each in part),
    )


def _joined(parts: list[list[_Ends]], name: str) -> Array:
    """Shape (s, w, …)."""
    return np.concatenate([np.stack([getattr(each, name) for each in part], 1) for part in parts])
