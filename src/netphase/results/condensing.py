"""A network while it condenses: its neurons at many moments, and how condensed they are at each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.networks import Parameters
from netphase.observables import (
    Features,
    against_chance,
    alignment_ratio,
    condensed_directions,
    cosine_summary,
    effective_rank,
    features,
    relative_change,
)
from netphase.results.occupation import median_cosine, occupation
from netphase.results.provenance import provenance
from netphase.results.schema import labels
from netphase.results.single import ACTIVE, BLOCKS

if TYPE_CHECKING:
    import xarray as xr

    from netphase.datasets import Dataset
    from netphase.directions import DirectionPrediction
    from netphase.dynamics import Trajectory
    from netphase.networks import TwoLayerNetwork
    from netphase.scalings import Scales

COUNTS: dict[str, str] = {
    "active_neurons": "neurons with an amplitude above 5 % of the largest",
    "direction_clusters": "directions (cosine > 0.95) among the active neurons",
    "lines": "lines among them: directions with opposite ones counted as one",
    "effective_number": "1/Σ s² of the amplitude shares s of the directions",
    "effective_rank": "effective rank of the amplitude-weighted directions",
    "mean_square_cosine": "mean squared cosine between neurons, weighted by amplitude",
    "median_cosine": "median cosine with the nearest predicted direction of the same sign of a",
    "predicted_share": "share of the amplitude at cosine > 0.95 with such a direction",
    "alignment_ratio": "share ρ of the input weights' size along z = (1/n) Σ y_i x_i",
}
"""What is measured at every moment, and in words."""

AGAINST_CHANCE = {"clusters": "direction_clusters", "effective_number": "effective_number"}
"""Statistics whose chance level a record may hold, and the counts they belong to."""

CHANCE_MOMENTS = 9
GRID_POINTS = 200


@dataclass(frozen=True)
class Moment:
    """A network at one moment.

    Attributes:
        time: normalised clock, or steps of Adam.
        mean_square: (1/n) Σ e².
        parameters: the parameters, normalised.
        counts: the numbers of `COUNTS`.
    """

    time: float
    mean_square: float
    parameters: Parameters
    counts: dict[str, float]


def growth_rate(prediction: DirectionPrediction | None, scales: Scales) -> float | None:
    """The exponential rate λ at which the fastest neurons grow, in units of 1/t.

    Args:
        prediction: the predicted directions.
        scales: α, which divides the output.

    Returns:
        λ; None where nothing is predicted or growth is not exponential (multiplicity 2 and more).
    """
    if prediction is None or not prediction.count or prediction.order.multiplicity != 1:
        return None
    return float(prediction.strength[0]) / scales.alpha


def moment(
    time: float,
    mean_square: float,
    parameters: Parameters,
    tracked: int,
    predicted: tuple[Array, npt.NDArray[np.intp]] | None,
    label_mean: Array | None,
) -> Moment:
    """Look at a network at one moment.

    Args:
        time: its clock.
        mean_square: its (1/n) Σ e².
        parameters: its parameters, normalised.
        tracked: the first so many neurons are looked at.
        predicted: directions to compare with, shape (K, d), K ≥ 1, and the sign of a there, shape
            (K,); None for none. A neuron is compared with those of its own sign.
        label_mean: z, shape (d,); None for none.

    Returns:
        The moment; counts are zero and measures NaN where no neuron has an amplitude.
    """
    cloud = features(parameters, tracked)
    counts = dict.fromkeys(COUNTS, np.nan)
    counts |= {"active_neurons": 0.0, "direction_clusters": 0.0, "lines": 0.0}
    if np.isfinite(cloud.amplitude).all() and cloud.amplitude.any():
        found = condensed_directions(cloud)
        counts |= {
            "active_neurons": float(len(cloud.amplitude) - found.inactive),
            "direction_clusters": float(found.count),
            "lines": float(condensed_directions(cloud, lines=True).count),
            "effective_number": found.effective_number,
            "effective_rank": effective_rank(cloud),
            "mean_square_cosine": cosine_summary(cloud, weighted=True).mean_square_cosine,
        }
        if label_mean is not None:
            counts["alignment_ratio"] = alignment_ratio(parameters, label_mean, tracked)
        if predicted is not None:
            directions, signs = predicted
            a = parameters.a[:tracked]
            counts["median_cosine"] = median_cosine(cloud, directions, a=a, sign_of_a=signs)
            there = occupation(cloud, directions, a=a, sign_of_a=signs)
            counts["predicted_share"] = there.share
    return Moment(time, mean_square, parameters, counts)


def condensing_dataset(
    network: TwoLayerNetwork,
    trajectory: Trajectory,
    moments: Sequence[Moment],
    data: Dataset,
    width: int,
    *,
    prediction: DirectionPrediction | None = None,
    initial_stage_end: float = math.nan,
    chance_draws: int = 0,
    attributes: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Everything that is kept of a network while it condenses, labelled.

    Args:
        network: the map that was trained.
        trajectory: its run, for the reason of its end and the steps it took.
        moments: what was looked at, in order, at least one.
        data: what it was trained on.
        width: neurons of one copy, which all counts refer to.
        prediction: the directions it was expected to condense on.
        initial_stage_end: when the initial stage ends, on the clock of the moments; NaN if never.
        chance_draws: clouds of random directions drawn for the chance level of the counts, at up
            to 9 of the moments; 0 for none.
        attributes: provenance to add.

    Returns:
        Dataset over ``time``, ``neuron``, ``input``, ``sample`` and ``prediction``: parameters
        ``a`` and ``w`` at every moment, loss, relative changes and `COUNTS`; the predicted
        directions with the sign of a and the growth rate; and for one input with a bias the
        function itself over ``grid``; and the scalar ``initial_stage_end``.
    """
    import xarray as xr

    neurons = len(moments[0].parameters.a)
    coords = {
        **_clock(network, trajectory, moments),
        "neuron": ("neuron", np.arange(neurons), labels("1", "neuron")),
        "copy": ("neuron", np.arange(neurons) // width, labels("1", "copy of the network")),
        "input": ("input", np.arange(data.d), labels("1", "input of a neuron, bias last")),
        "sample": ("sample", np.arange(data.n), labels("1", "sample of the data")),
    }
    variables = {
        **_parameters(moments),
        **_series(moments, width),
        **_chance(moments, width, chance_draws),
        **_predicted(network, prediction, data.d),
        **_function(network, moments, data),
        "x": (("sample", "input"), data.x, labels("input units", "inputs")),
        "y": ("sample", data.y, labels("target units", "targets")),
        "initial_stage_end": ((), initial_stage_end, labels("as time", "end of the initial stage")),
    }
    scales = network.scales
    return xr.Dataset(
        variables,
        coords=coords,
        attrs={
            "title": "netphase run while it condenses",
            "status": trajectory.status.value,
            "remedy": trajectory.status.remedy,
            "integrator": trajectory.integrator,
            "steps": trajectory.steps,
            "width": width,
            "activation": network.activation.name,
            "alpha": scales.alpha,
            "beta1": scales.beta1,
            "beta2": scales.beta2,
            "data": data.name,
            "data_sha256": data.sha256,
            **provenance(),
            **(attributes or {}),
        },
    )


def parameters_at(result: xr.Dataset, index: int) -> Parameters:
    """Parameters of the first copy at one moment of a record.

    Args:
        result: what `condensing_dataset` made.
        index: which moment; negative numbers count from the end.

    Returns:
        ``a`` of shape (m,) and ``w`` of shape (m, d), normalised.

    Raises:
        ArgumentError: there is no such moment.
    """
    moments = result.sizes["time"]
    if not -moments <= index < moments:
        raise ArgumentError(
            f"Argument `index` must name one of the {moments} moments, but is {index}."
        )
    first = result["copy"].values == 0
    now = result[["a", "w"]].isel(time=index)
    return Parameters(now["a"].values[first], now["w"].values[first])


def features_at(result: xr.Dataset, index: int) -> Features:
    """Directions and amplitudes of the first copy at one moment of a record.

    Args:
        result: what `condensing_dataset` made.
        index: which moment; negative numbers count from the end.

    Returns:
        The features.

    Raises:
        ArgumentError: there is no such moment.
    """
    return features(parameters_at(result, index))


def _clock(
    network: TwoLayerNetwork, trajectory: Trajectory, moments: Sequence[Moment]
) -> dict[str, Any]:
    """The time axis, and the raw time along it where there is one."""
    time = np.array([each.time for each in moments])
    if trajectory.in_steps:
        return {"time": ("time", time, labels("1", "steps taken"))}
    return {
        "time": ("time", time, labels("β1 β2", "normalised time t/(β1 β2)")),
        "raw_time": ("time", time * network.scales.clock, labels("1", "time t")),
    }


def _parameters(moments: Sequence[Moment]) -> dict[str, Any]:
    a = np.stack([each.parameters.a for each in moments])
    w = np.stack([each.parameters.w for each in moments])
    return {
        "a": (("time", "neuron"), a, labels("β1", "output weights")),
        "w": (("time", "neuron", "input"), w, labels("β2", "input weights")),
    }


def _series(moments: Sequence[Moment], width: int) -> dict[str, Any]:
    """Loss, relative changes and counts along the time axis."""
    mean_square = np.array([each.mean_square for each in moments])
    squared = "target units squared"
    table: dict[str, Any] = {
        "loss": ("time", mean_square / 2, labels(squared, "loss R = (1/2n) Σ e²")),
        "mean_square": ("time", mean_square, labels(squared, "(1/n) Σ e² = 2 R")),
    }
    start = moments[0].parameters
    for block, words in BLOCKS.items():
        values = [relative_change(start, each.parameters, block, width) for each in moments]
        about = labels("1", f"relative change of the {words}")
        table[f"relative_change_{block}"] = ("time", np.array(values), about)
    for name, words in COUNTS.items():
        values = [each.counts[name] for each in moments]
        table[name] = ("time", np.array(values), labels("1", words))
    return table


def _chance(moments: Sequence[Moment], width: int, draws: int) -> dict[str, Any]:
    """Mean and standard deviation of counts over random directions, NaN where not drawn."""
    if not draws:
        return {}
    picked = np.unique(np.linspace(0, len(moments) - 1, CHANCE_MOMENTS).round().astype(int))
    table: dict[str, Any] = {}
    for statistic, name in AGAINST_CHANCE.items():
        levels = np.full((2, len(moments)), np.nan)
        for index in picked:
            cloud = features(moments[index].parameters, width)
            if np.isfinite(cloud.amplitude).all() and cloud.amplitude.any():
                found = against_chance(cloud, statistic, draws, threshold=ACTIVE)
                levels[:, index] = found.null_mean, found.null_std
        words = f"over {draws} draws of random directions of {COUNTS[name]}"
        table[f"{name}_chance"] = ("time", levels[0], labels("1", f"mean {words}"))
        table[f"{name}_chance_std"] = ("time", levels[1], labels("1", f"deviation {words}"))
    return table


def _predicted(
    network: TwoLayerNetwork, prediction: DirectionPrediction | None, d: int
) -> dict[str, Any]:
    """The predicted directions; none of them where there is no prediction."""
    directions = np.empty((0, d)) if prediction is None else prediction.directions
    signs = np.empty(0, dtype=np.intp) if prediction is None else prediction.sign_of_a
    strength = np.empty(0) if prediction is None else prediction.strength
    rate = strength / network.scales.alpha
    about = labels("1/t", "rate s F(u)/α of growth of a neuron there")
    table: dict[str, Any] = {
        "predicted_direction": (
            ("prediction", "input"),
            directions,
            labels("1", "predicted directions, unit vectors, the fastest-growing first"),
        ),
        "predicted_sign": ("prediction", signs, labels("1", "sign of the output weights there")),
        "predicted_rate": ("prediction", rate, about),
    }
    fastest = growth_rate(prediction, network.scales)
    if fastest is not None:
        about = labels("1/t", "exponential growth rate λ of the fastest neurons")
        table["growth_rate"] = ((), fastest, about)
    return table


def _function(network: TwoLayerNetwork, moments: Sequence[Moment], data: Dataset) -> dict[str, Any]:
    """The function of one input at every moment, to a tenth beyond the data on either side."""
    if not (data.bias and data.d == 2):
        return {}
    x = data.x[:, 0]
    margin = 0.1 * float(np.ptp(x)) or 1.0
    grid = np.linspace(x.min() - margin, x.max() + margin, GRID_POINTS)
    inputs = np.column_stack([grid, np.ones_like(grid)])
    with np.errstate(over="ignore", invalid="ignore"):  # of a run that diverged
        values = np.stack([network.output(each.parameters, inputs) for each in moments])
    return {
        "grid": ("grid", grid, labels("input units", "input")),
        "function": (("time", "grid"), values, labels("target units", "function f(x)")),
    }
