"""What one run leaves: its scalars, or a labelled dataset with everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from netphase._types import Which
from netphase.errors import ArgumentError
from netphase.observables import (
    alignment_ratio,
    direction_clusters,
    effective_rank,
    entropy_number,
    features,
    label_mean,
    participation_ratio,
)
from netphase.results.grid import PLANE
from netphase.results.provenance import provenance
from netphase.results.schema import STATUS_CODES, labels, status_attributes

if TYPE_CHECKING:
    import xarray as xr

    from netphase.datasets import Dataset
    from netphase.dynamics import Trajectory
    from netphase.networks import Parameters, TwoLayerNetwork

ACTIVE = 0.05
"""A neuron is active if its amplitude is above this share of the largest."""

BLOCKS: dict[Which, str] = {
    "w": "input weights",
    "a": "output weights",
    "theta": "all weights (normalised)",
}


def trajectory_scalars(
    trajectory: Trajectory, data: Dataset, tracked: int
) -> dict[str, float | int | str]:
    """The scalars of `PLANE` that a trajectory gives (all but the wall-clock ones).

    Args:
        trajectory: a finished run.
        data: what it was trained on.
        tracked: neurons that measures of condensation look at (the first copy).

    Returns:
        Name → number, and the status as a word.
    """
    changes: dict[str, float] = {}
    for block in BLOCKS:
        series = getattr(trajectory, f"relative_change_{block}")
        changes[f"relative_change_{block}"] = float(series[-1])
        changes[f"max_relative_change_{block}"] = float(
            getattr(trajectory, f"max_relative_change_{block}")
        )
    return {
        "status": trajectory.status.value,
        **changes,
        "mean_square": float(trajectory.mean_square[-1]),
        "time": float(trajectory.time[-1]),
        "steps": trajectory.steps,
        "rejected": trajectory.rejected,
        "gradients": trajectory.gradients,
        "solves": trajectory.solves,
        **condensation(trajectory.final, tracked),
        "alignment_ratio": alignment(trajectory.final, data, tracked),
    }


def alignment(parameters: Parameters, data: Dataset, tracked: int) -> float:
    """ρ along z = (1/n) Σ y_i x_i, NaN where z is zero or a parameter is not finite.

    Args:
        parameters: normalised parameters.
        data: what the network was trained on.
        tracked: the first so many neurons are looked at.

    Returns:
        ρ in [0, 1].
    """
    try:
        direction = label_mean(data.x, data.y)
    except ArgumentError:  # balanced odd data: there is no such direction
        return np.nan
    return alignment_ratio(parameters, direction, tracked)


def condensation(parameters: Parameters, tracked: int) -> dict[str, float | int]:
    """How few directions the neurons use; zeros and NaN where a parameter is not finite.

    Args:
        parameters: normalised parameters.
        tracked: the first so many neurons are looked at.

    Returns:
        active_neurons, direction_clusters, entropy_number, participation_ratio, effective_rank;
        after an overflow the counts are 0 and the others NaN.
    """
    cloud = features(parameters, tracked)
    if not np.isfinite(cloud.amplitude).all():
        counts: dict[str, float | int] = {"active_neurons": 0, "direction_clusters": 0}
        measures = ("entropy_number", "participation_ratio", "effective_rank")
        return counts | dict.fromkeys(measures, np.nan)
    return {
        "active_neurons": int((cloud.amplitude > ACTIVE * cloud.amplitude.max()).sum()),
        "direction_clusters": direction_clusters(cloud),
        "entropy_number": entropy_number(cloud),
        "participation_ratio": participation_ratio(cloud),
        "effective_rank": effective_rank(cloud),
    }


def run_dataset(
    network: TwoLayerNetwork,
    trajectory: Trajectory,
    data: Dataset,
    width: int,
    attributes: Mapping[str, Any],
) -> xr.Dataset:
    """Everything one run leaves, labelled.

    Args:
        network: the map that was trained.
        trajectory: its run.
        data: what it was trained on.
        width: neurons of one copy.
        attributes: provenance to add.

    Returns:
        Dataset over time, neuron, input and sample; ``copy`` says which neurons are the first copy
        (0), which relative changes and condensation refer to, and which the second (1).
    """
    import xarray as xr

    neurons = len(trajectory.final.a)
    coords = {
        **_clock(network, trajectory),
        "neuron": ("neuron", np.arange(neurons), labels("1", "neuron")),
        "copy": ("neuron", np.arange(neurons) // width, labels("1", "copy of the network")),
        "input": ("input", np.arange(data.d), labels("1", "input of a neuron, bias last")),
        "sample": ("sample", np.arange(data.n), labels("1", "sample of the data")),
    }
    variables = {
        **_series(trajectory),
        **_cloud("initial", "before training", trajectory.initial),
        **_cloud("final", "after training", trajectory.final),
        **_outputs(network, trajectory, data),
        **_scalars(trajectory, data, width),
    }
    scales = network.scales
    return xr.Dataset(
        variables,
        coords=coords,
        attrs={
            "title": "netphase run",
            "status": trajectory.status.value,
            "remedy": trajectory.status.remedy,
            "integrator": trajectory.integrator,
            **{f"note_{name}": value for name, value in trajectory.notes.items()},
            "width": width,
            "alpha": scales.alpha,
            "beta1": scales.beta1,
            "beta2": scales.beta2,
            "kappa": scales.kappa,
            "kappa_prime": scales.kappa_prime,
            "data": data.name,
            "data_sha256": data.sha256,
            **provenance(),
            **attributes,
        },
    )


def _clock(network: TwoLayerNetwork, trajectory: Trajectory) -> dict[str, Any]:
    """The time axis, and the raw time along it where there is one."""
    if trajectory.in_steps:
        return {"time": ("time", trajectory.time, labels("1", "steps taken"))}
    raw = trajectory.time * network.scales.clock
    return {
        "time": ("time", trajectory.time, labels("β1 β2", "normalised time t/(β1 β2)")),
        "raw_time": ("time", raw, labels("1", "time t")),
    }


def _series(trajectory: Trajectory) -> dict[str, Any]:
    """Everything along the time axis."""
    squared = "target units squared"
    table: dict[str, Any] = {
        "loss": ("time", trajectory.loss, labels(squared, "loss R = (1/2n) Σ e²")),
        "mean_square": ("time", trajectory.mean_square, labels(squared, "(1/n) Σ e² = 2 R")),
    }
    for block, words in BLOCKS.items():
        values = getattr(trajectory, f"relative_change_{block}")
        about = labels("1", f"relative change of the {words}")
        table[f"relative_change_{block}"] = ("time", values, about)
    return table


def _cloud(stage: str, words: str, parameters: Parameters) -> dict[str, Any]:
    """Parameters and features at one moment."""
    cloud = features(parameters)
    table: dict[str, Any] = {
        f"{stage}_a": ("neuron", parameters.a, labels("β1", f"output weights {words}")),
        f"{stage}_w": (("neuron", "input"), parameters.w, labels("β2", f"input weights {words}")),
        f"{stage}_amplitude": (
            "neuron",
            cloud.amplitude,
            labels("β1 β2", f"amplitude |a| ‖w‖ {words}"),
        ),
        f"{stage}_direction": (
            ("neuron", "input"),
            cloud.direction,
            labels("1", f"direction w / ‖w‖ {words}"),
        ),
    }
    if cloud.angle is not None:
        about = labels("rad", f"angle of the direction {words}")
        table[f"{stage}_angle"] = ("neuron", cloud.angle, about)
    return table


def _outputs(network: TwoLayerNetwork, trajectory: Trajectory, data: Dataset) -> dict[str, Any]:
    """The data and the function on them."""
    with np.errstate(over="ignore", invalid="ignore"):
        before = network.output(trajectory.initial, data.x)
        after = network.output(trajectory.final, data.x)
    units = "target units"
    return {
        "x": (("sample", "input"), data.x, labels("input units", "inputs")),
        "y": ("sample", data.y, labels(units, "targets")),
        "initial_output": ("sample", before, labels(units, "function before training")),
        "final_output": ("sample", after, labels(units, "function after training")),
    }


def _scalars(trajectory: Trajectory, data: Dataset, width: int) -> dict[str, Any]:
    """Scalars as in a sweep, where no series has their name."""
    found = trajectory_scalars(trajectory, data, width)
    taken = {"time", *_series(trajectory)}
    about = {quantity.name: quantity.attributes for quantity in PLANE.quantities}
    about["status"] = status_attributes()
    found["status"] = STATUS_CODES[trajectory.status]
    return {name: ((), value, about[name]) for name, value in found.items() if name not in taken}
