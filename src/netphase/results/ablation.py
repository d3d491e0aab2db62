"""A run without its quenched neurons, labelled, beside the intact one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from netphase._types import Array
from netphase.observables import activated, neuron_contributions, path_norm
from netphase.results.activation import event_table, events_of
from netphase.results.provenance import provenance
from netphase.results.schema import labels

if TYPE_CHECKING:
    import xarray as xr

    from netphase.results.quenching import End, Record


def ablation_dataset(
    result: xr.Dataset,
    records: Sequence[Record],
    risks: Array,
    end: End,
    neuron: npt.NDArray[np.intp],
    kept: npt.NDArray[np.bool_],
    *,
    action: str,
    kappa: float,
    threshold: float,
) -> xr.Dataset:
    """What is left of a network whose quenched neurons were taken out at one time.

    Args:
        result: the intact run.
        records: the altered network from the record on at which that happened.
        risks: E (f − f*)² of its whole function, frozen neurons included, shape (t,).
        end: how it ended.
        neuron: which neurons of the intact network go on, shape (k,).
        kept: which were activated, shape (m,).
        action: what happened to the others.
        kappa: κ.
        threshold: τ of the activated set.

    Returns:
        Dataset over ``time``, ``neuron`` (indices of the intact run) and ``event``.
    """
    import xarray as xr

    time = np.array([record.time for record in records])
    a = np.stack([record.parameters.a for record in records])
    w = np.stack([record.parameters.w for record in records])
    p = neuron_contributions(a, w, kappa)
    events, table = event_table(time, p)
    born = [int(neuron[event.neuron]) for event in events]
    dims, local, about = table["event_neuron"]
    table["event_neuron"] = (dims, np.array(born, dtype=local.dtype), about)
    when = float(time[0])
    intact = result["test_error"].values
    on_this_clock = np.interp(time, result["time"].values, intact)
    squared = "target units squared"
    per_neuron = ("time", "neuron")
    variables = {
        "a": (per_neuron, a, labels("1", "output weights")),
        "w": ((*per_neuron, "input"), w, labels("1", "input weights")),
        "p": (per_neuron, p, labels("target units", "contribution κ a |w|")),
        "test_error": ("time", risks, labels(squared, "E (f − f*)² of the whole function, exact")),
        "intact_test_error": (
            "time",
            on_this_clock,
            labels(squared, "E (f − f*)² of the intact network"),
        ),
        "path_norm": ("time", path_norm(p), labels("target units", "path norm of these neurons")),
        "activated_neurons": (
            "time",
            activated(p, threshold).sum(axis=1),
            labels("1", "neurons above τ max|p|"),
        ),
        **table,
    }
    later = [event for event in events_of(result) if when < event.time <= time[-1]]
    return xr.Dataset(
        variables,
        coords={
            "time": ("time", time, labels("1", "time t of the gradient flow of ½ E e²")),
            "neuron": ("neuron", neuron, labels("1", "neuron of the intact network")),
            "input": ("input", np.arange(w.shape[2]), labels("1", "input")),
        },
        attrs={
            "title": "netphase run without its quenched neurons",
            "action": action,
            "ablated_at": when,
            "quenched_neurons": int((~kept).sum()),
            "status": end.status.value,
            "remedy": end.status.remedy,
            "steps": end.steps,
            "later_activations": sum(event.kind == "activation" for event in events),
            "later_deactivations": sum(event.kind == "deactivation" for event in events),
            "intact_later_activations": sum(event.kind == "activation" for event in later),
            "intact_later_deactivations": sum(event.kind == "deactivation" for event in later),
            "setting": result.attrs["setting"],
            **provenance(),
        },
    )
