"""What the quenched neurons are for: take them out at some time, and see what still happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from netphase._checks import finite_float, one_of, positive_int
from netphase._types import Array, Status
from netphase.errors import ArgumentError
from netphase.experiment import integer
from netphase.networks import Parameters
from netphase.observables import activated, neuron_contributions, population_risk
from netphase.quenching.running import MOST_STEPS, Walk, grain_of
from netphase.quenching.setting import Setting
from netphase.results.ablation import ablation_dataset
from netphase.results.quenching import network_at
from netphase.seeds import Stream, generator

if TYPE_CHECKING:
    import xarray as xr

    from netphase.targets import Target

ACTIONS = ("delete", "freeze", "redraw")
"""What can be done to the quenched neurons."""


class Altered(NamedTuple):
    """A network whose quenched neurons were taken out.

    Attributes:
        parameters: the neurons that go on.
        goal: what they learn.
        neuron: which neurons of the intact network they are, shape (k,).
    """

    parameters: Parameters
    goal: Target
    neuron: npt.NDArray[np.intp]


def ablate(
    result: xr.Dataset,
    at: float,
    action: Literal["delete", "freeze", "redraw"] = "delete",
    *,
    threshold: float = 0.1,
    seed: int = 0,
    max_steps: int = MOST_STEPS,
) -> xr.Dataset:
    """Take out the quenched neurons at one time, go on to the end, and compare with the intact run.

    The quenched neurons Q are those with |p| ≤ τ max|p| at that time. "delete" removes them;
    "freeze" leaves them as they are, so that the others learn f* − f_Q; "redraw" gives them fresh
    random directions of the same length and silent output weights, as at the start.

    Args:
        result: what `netphase.quench` returned.
        at: when; the last record not after this time is taken, and at least one must follow.
        action: what happens to the quenched neurons.
        threshold: τ in [0, 1).
        seed: of the fresh directions.
        max_steps: most steps.

    Returns:
        Dataset over ``time``, from that record to the last one of ``result``, and over ``neuron``,
        those that go on: ``p``, the exact test error of the whole function and that of the intact
        run, the event log, and as attributes the later activations of both. Numerical failures are
        a status, and the record then ends early; a flow that comes to rest has "stagnated", and its
        last state is recorded once more at the end.

    Raises:
        ArgumentError: ``result`` is no record of `netphase.quench`, no record follows that time, no
            neuron is quenched then, or an argument is outside its domain.

    References:
        Ma, Wu & E (2020): quenched neurons support later activations and deactivations.

    Example:
        >>> import netphase as nph
        >>> result = nph.quench("single_neuron?d=5", width=20, mean_square=1e-4)
        >>> alone = nph.ablate(result, float(result["time"][-20]))
        >>> alone.sizes["neuron"] < 20, alone.attrs["action"]
        (True, 'delete')
    """
    setting = Setting.from_record(result)
    way = one_of("action", action, ACTIONS)
    fresh, index = integer("seed", seed), _index(result, at)
    now = network_at(result, index)
    kappa = setting.network.scales.kappa
    kept = activated(neuron_contributions(now.a, now.w, kappa), threshold)
    if kept.all() or not kept.any():
        raise ArgumentError(
            "Argument `at` must be a time with activated and quenched neurons, but at t = "
            f"{float(result['time'][index]):.4g} {int(kept.sum())} of {len(kept)} are above "
            f"{threshold:g} of the largest. Take a later time, or another threshold."
        )
    altered = _alter(setting, now, kept, way, fresh)
    clock = result["time"].values
    walk = Walk(
        setting.student(altered.goal if way == "freeze" else None),
        setting.method,
        float(clock[index]),
        0.0,
        positive_int("max_steps", max_steps),
        impatient=False,
    )
    later = _later(clock, index, grain_of(setting.method))
    records, end = walk.through(altered.parameters, later)
    if end.status is Status.STAGNATED and records[-1].time < later[-1]:
        records.append(records[-1]._replace(time=float(later[-1])))  # at rest until the end
    risks = [
        population_risk(setting.network, each.parameters, altered.goal, setting.inputs)
        for each in records
    ]
    return ablation_dataset(
        result,
        records,
        np.array(risks),
        end,
        altered.neuron,
        kept,
        action=way,
        kappa=kappa,
        threshold=threshold,
    )


def _index(result: xr.Dataset, at: float) -> int:
    """The last record not after a time."""
    when, clock = finite_float("at", at), result["time"].values
    if not clock[0] <= when < clock[-1]:
        raise ArgumentError(
            f"Argument `at` must lie in the run, from {clock[0]:g} to before {clock[-1]:.6g}, "
            f"but is {when:g}."
        )
    return int(np.searchsorted(clock, when, side="right")) - 1


def _later(clock: Array, index: int, grain: float | None) -> Array:
    """The times of the intact run after a record, in whole steps of a literal descent from it."""
    later = np.asarray(clock[index + 1 :])
    if grain is None:
        return later
    steps = np.unique(np.maximum(np.round((later - clock[index]) / grain), 1.0))
    return np.asarray(clock[index] + steps * grain)


def _alter(
    setting: Setting, now: Parameters, kept: npt.NDArray[np.bool_], way: str, seed: int
) -> Altered:
    """The network without its quenched neurons as they were."""
    mine = np.flatnonzero(kept)
    if way == "redraw":
        size = np.linalg.norm(now.w[~kept], axis=1, keepdims=True)
        fresh = generator(seed, Stream.NULL_MODEL).standard_normal((len(size), now.w.shape[1]))
        a, w = now.a.copy(), now.w.copy()
        a[~kept] = 0.0
        w[~kept] = size * fresh / np.linalg.norm(fresh, axis=1, keepdims=True)
        return Altered(Parameters(a, w), setting.target, np.arange(len(a)))
    alone = Parameters(now.a[kept].copy(), now.w[kept].copy())
    if way == "delete":
        return Altered(alone, setting.target, mine)
    frozen = setting.network.scales.kappa * now.a[~kept]
    goal = setting.target.minus(frozen, now.w[~kept], f"{setting.target.name}, less frozen neurons")
    return Altered(alone, goal, mine)
