"""A network that activates few of its neurons, labelled, beside its random-feature twin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from netphase._types import Array, InputLaw, Status
from netphase.networks import Parameters
from netphase.observables import (
    activated,
    activated_by_gap,
    active_neurons,
    background_share,
    effective_number,
    function_distance,
    mean_rotation,
    neuron_contributions,
    path_norm,
    population_risk,
    teacher_cosine,
)
from netphase.results.activation import event_table, marker_table, match_table
from netphase.results.provenance import provenance
from netphase.results.schema import labels

if TYPE_CHECKING:
    import xarray as xr

    from netphase.networks import TwoLayerNetwork
    from netphase.targets import Target

WINNER = 0.95
"""An activated neuron with a larger cosine with the teacher is a winner."""


class Record(NamedTuple):
    """A network at one time of its run.

    Attributes:
        time: its clock t.
        mean_square: mean square error on what it is trained on.
        parameters: its parameters.
    """

    time: float
    mean_square: float
    parameters: Parameters


class End(NamedTuple):
    """How a run ended.

    Attributes:
        status: why.
        steps: steps taken.
        integrator: what took them, in words.
        largest_sharpness: the largest h λ_max/2 of a literal descent, NaN for a flow.
    """

    status: Status
    steps: int
    integrator: str
    largest_sharpness: float


class Twin(NamedTuple):
    """The random-feature twin: the same input weights, frozen.

    Attributes:
        states: its parameters at the times of the records.
        mean_square: mean square error on what it is trained on, shape (t,).
        limit: its parameters at infinite time; None where they are not known.
    """

    states: Sequence[Parameters]
    mean_square: Array
    limit: Parameters | None


def quenching_dataset(
    network: TwoLayerNetwork,
    target: Target,
    records: Sequence[Record],
    twin: Twin,
    end: End,
    *,
    inputs: InputLaw = "gaussian",
    threshold: float = 0.1,
    population: bool = False,
    attributes: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Everything that is kept of a network and its twin.

    Args:
        network: the map that was trained.
        target: what it learns.
        records: the network at increasing times, the first at 0.
        twin: its random-feature twin at the same times.
        end: how the run ended.
        inputs: law of the inputs.
        threshold: neurons above this share of the largest contribution are activated.
        population: whether it was trained on all inputs, so that its mean square error is the test
            error, and is taken from there.
        attributes: provenance to add.

    Returns:
        Dataset over ``time``, ``neuron``, ``input``, ``event``, ``marker`` and ``unit``.
    """
    import xarray as xr

    time = np.array([record.time for record in records])
    states = [record.parameters for record in records]
    series = _Series(network, target, states, twin, inputs, threshold)
    mean_square = np.array([record.mean_square for record in records])
    if population:
        mean_square = series.losses["test_error"]
    events, table = event_table(time, series.p)
    variables = {
        **_neurons(series),
        "active": (
            ("time", "neuron"),
            active_neurons(time, series.p, events),
            labels("1", "active by the event log: above 5 % of the path norm, sustained"),
        ),
        **_losses(series, mean_square),
        **_measures(series),
        **table,
        **marker_table(time, series.p, series.losses, target, inputs),
        **match_table(series.p[-1], states[-1].w, series.activated[-1], target),
        **_target(target),
    }
    return xr.Dataset(
        variables,
        coords=_coordinates(time, states[0]),
        attrs={
            "title": "netphase run with its random-feature twin",
            "status": end.status.value,
            "remedy": end.status.remedy,
            "integrator": end.integrator,
            "steps": end.steps,
            "largest_sharpness": end.largest_sharpness,
            "threshold": threshold,
            "inputs": inputs,
            "kappa": network.scales.kappa,
            "target": target.name,
            "target_source": target.source,
            "target_square": target.square(inputs),
            "variation_norm": target.variation_norm,
            **provenance(),
            **(attributes or {}),
        },
    )


def network_at(result: xr.Dataset, index: int) -> Parameters:
    """The network of a record at one time.

    Args:
        result: what `quenching_dataset` made.
        index: which time; negative numbers count from the end.

    Returns:
        ``a`` of shape (m,) and ``w`` of shape (m, d).
    """
    now = result[["a", "w"]].isel(time=index)
    return Parameters(now["a"].values, now["w"].values)


class _Series:
    """What is measured at every time."""

    def __init__(
        self,
        network: TwoLayerNetwork,
        target: Target,
        states: Sequence[Parameters],
        twin: Twin,
        inputs: InputLaw,
        threshold: float,
    ) -> None:
        self.states, self.twin, self.target = states, twin, target
        kappa, start = network.scales.kappa, states[0].w
        self.a = np.stack([state.a for state in states])
        self.w = np.stack([state.w for state in states])
        self.p = neuron_contributions(self.a, self.w, kappa)
        twin_a = np.stack([state.a for state in twin.states])
        self.twin_p = twin_a * np.linalg.norm(start, axis=1) * kappa
        self.activated = activated(self.p, threshold)
        self.cosine = _cosine(self.w, target)
        self.rotation = np.array([mean_rotation(start, state.w) for state in states])
        self.weighted_rotation = np.array(
            [mean_rotation(start, state.w, np.abs(state.a)) for state in states]
        )
        self.background = np.array(
            [background_share(network, state, kept)
             for state, kept in zip(states, self.activated, strict=True)]
        )  # fmt: skip

        def risk(parameters: Parameters) -> float:
            return _finite(parameters, lambda: population_risk(network, parameters, target, inputs))

        def distance(first: Parameters, second: Parameters) -> float:
            both = Parameters(np.concatenate([first.a, second.a]), first.w)
            return _finite(both, lambda: function_distance(network, first, second, inputs))

        self.losses = {
            "test_error": np.array([risk(state) for state in states]),
            "twin_mean_square": np.asarray(twin.mean_square),
            "twin_test_error": np.array([risk(state) for state in twin.states]),
            "distance": np.array([distance(*pair) for pair in zip(states, twin.states,
                                                                  strict=True)]),
            "twin_limit": np.array(np.nan if twin.limit is None else risk(twin.limit)),
        }  # fmt: skip


def _cosine(w: Array, target: Target) -> Array:
    """The largest cosine of each neuron with one of the target, shape (t, m)."""
    found = [np.full(w.shape[:-1], -1.0)]
    if target.units:
        found.append(teacher_cosine(w, target.c))
    if target.sphere:
        size = np.linalg.norm(w, axis=-1)
        inside = np.linalg.norm(w[..., : target.sphere], axis=-1)
        found.append(np.divide(inside, size, out=np.zeros_like(size), where=size > 0))
    return np.asarray(np.max(found, axis=0))


def _quenched_cosine(series: _Series) -> Array:
    """The largest cosine among the quenched neurons, NaN where there are none, shape (t,)."""
    quenched = np.where(series.activated, -np.inf, series.cosine).max(axis=1)
    return np.where(np.isfinite(quenched), quenched, np.nan)


def _finite(parameters: Parameters, measured: Any) -> float:
    """A measure of parameters, infinite where one of them is not finite."""
    if not (np.isfinite(parameters.a).all() and np.isfinite(parameters.w).all()):
        return np.inf
    return float(measured())


def _coordinates(time: Array, start: Parameters) -> dict[str, Any]:
    m, d = start.w.shape
    return {
        "time": ("time", time, labels("1", "time t of the gradient flow of ½ E e²")),
        "neuron": ("neuron", np.arange(m), labels("1", "neuron")),
        "input": ("input", np.arange(d), labels("1", "input")),
    }


def _neurons(series: _Series) -> dict[str, Any]:
    """Everything with one number a neuron."""
    per_neuron, cosine = ("time", "neuron"), series.cosine
    words = "largest cosine with a neuron of the target, those of its sphere included"
    winner = series.activated[-1] & (cosine[-1] > WINNER)
    return {
        "a": (per_neuron, series.a, labels("1", "output weights")),
        "w": ((*per_neuron, "input"), series.w, labels("1", "input weights")),
        "p": (per_neuron, series.p, labels("target units", "contribution κ a |w|")),
        "twin_p": (
            per_neuron,
            series.twin_p,
            labels("target units", "contribution of the twin's neurons"),
        ),
        "teacher_cosine": (per_neuron, cosine, labels("1", words)),
        "winner": ("neuron", winner, labels("1", "activated in the end, cosine above 0.95")),
    }


def _losses(series: _Series, mean_square: Array) -> dict[str, Any]:
    """Errors of both on what they train on and on all inputs, and their distance."""
    squared = "target units squared"
    words = {
        "test_error": "E (f − f*)² of the network, exact",
        "twin_mean_square": "mean square error of the twin on what it trains on",
        "twin_test_error": "E (f − f*)² of the random-feature twin, exact",
        "distance": "D = E (f − f_twin)², exact",
    }
    trained = ("time", mean_square, labels(squared, "mean square error on what is trained on"))
    table: dict[str, Any] = {
        "loss": ("time", mean_square / 2, labels(squared, "loss R, half the mean square error")),
        "mean_square": trained,
    }
    for name, text in words.items():
        table[name] = ("time", series.losses[name], labels(squared, text))
    about = labels(squared, "E (f − f*)² of the twin at infinite time")
    return {**table, "twin_limit": ((), series.losses["twin_limit"], about)}


def _measures(series: _Series) -> dict[str, Any]:
    """How sparse the network is, how far its neurons turned, what the quenched ones carry."""
    columns = {
        "path_norm": (path_norm(series.p), "target units", "path norm Σ|p|"),
        "twin_path_norm": (path_norm(series.twin_p), "target units", "path norm of the twin"),
        "effective_number": (effective_number(series.p), "1", "N₂ = (Σ|p|)²/Σp²"),
        "effective_number_4": (effective_number(series.p, 4), "1", "N₄ = (Σp²)²/Σp⁴"),
        "activated_neurons": (series.activated.sum(axis=1), "1", "neurons above τ max|p|"),
        "activated_by_gap": (
            np.array([activated_by_gap(row).sum() for row in series.p]),
            "1",
            "neurons above the largest gap of log|p|",
        ),
        "quenched_cosine": (
            _quenched_cosine(series),
            "1",
            "largest cosine of a quenched neuron with the target, which creeps up before it is "
            "activated",
        ),
        "rotation": (series.rotation, "rad", "mean angle by which the input weights turned"),
        "weighted_rotation": (series.weighted_rotation, "rad", "the same, weighted by |a|"),
        "background_share": (series.background, "1", "share |f_Q|²/|f|² of the quenched neurons"),
    }
    return {name: ("time", values, labels(units, words))
            for name, (values, units, words) in columns.items()}  # fmt: skip


def _target(target: Target) -> dict[str, Any]:
    """What makes the target again."""
    return {
        "target_a": ("unit", target.a, labels("target units", "output weights of the target")),
        "target_c": (("unit", "input"), target.c, labels("1", "input weights of the target")),
        "target_sphere": ((), target.sphere, labels("1", "dimension of its sphere of neurons")),
        "target_sphere_weight": (
            (),
            target.sphere_weight,
            labels("target units", "weight of that sphere"),
        ),
    }
