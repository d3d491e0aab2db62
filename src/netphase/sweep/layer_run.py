"""One deep network of a layer sweep: trained, and how far each of its parts has moved."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netphase import activations
from netphase._types import DTypeName, Status
from netphase.datasets import Dataset
from netphase.dynamics import DeepGradientDynamics, Descent, Flow, evolve
from netphase.engine.problem import Stop
from netphase.errors import ArgumentError
from netphase.kernels import tangent_kernel
from netphase.networks import LayerParameters, MultiLayerNetwork, initial_layer_parameters
from netphase.networks.multi_layer import OutputKind
from netphase.observables import feature_change, kernel_alignment, kernel_change, layer_change
from netphase.scalings import LayerScaling


class LayerRun(NamedTuple):
    """The specification of one run of a layer sweep.

    Attributes:
        scaling: scales and learning rates as powers of the width.
        width: m of every hidden layer.
        seed: of the start.
        data: inputs and targets.
        activation: name of σ.
        kind: how the output is made zero at the start, as in `MultiLayerNetwork`.
        method: how the network is trained.
        stop: when the training ends.
        dtype: precision of the training.
    """

    scaling: LayerScaling
    width: int
    seed: int
    data: Dataset
    activation: str
    kind: OutputKind
    method: Descent | Flow
    stop: Stop
    dtype: DTypeName

    @property
    def network(self) -> MultiLayerNetwork:
        """The map, with its scales at the width.

        Raises:
            ArgumentError: a scale leaves the range of a float.
        """
        return MultiLayerNetwork(
            activations.get(self.activation),
            self.scaling.at_width(self.width),
            inputs=self.data.d,
            kind=self.kind,
        )


def measure_layers(run: LayerRun) -> dict[str, float | int | str]:
    """Train one deep network and keep how far its layers, features and kernel have moved.

    Args:
        run: what to run.

    Returns:
        Name → value of every quantity of `netphase.results.layer_schema` but the wall-clock ones;
        changes and alignments only of a run that stayed finite.

    Raises:
        ArgumentError: an argument is outside its domain; numerical failures are a status.
    """
    network, data = run.network, run.data
    start = initial_layer_parameters(network, (run.seed,), run.dtype)
    task = DeepGradientDynamics(network, data.x, data.y)
    found = evolve(task, run.method, start, stop=run.stop)
    scalars: dict[str, float | int | str] = {
        "status": found.status[0].value,
        "mean_square": float(found.mean_square[-1, 0]),
        "kappa": run.scaling.at_width(run.width).kappa,
        "time": float(found.time[-1, 0]),
        "steps": int(found.steps[0]),
        "rejected": int(found.rejected[0]),
    }
    if "largest_sharpness" in found.notes:
        scalars["largest_sharpness"] = float(found.notes["largest_sharpness"][0])
    # without a first step, too, the weights of a run that is not finite are its last finite ones
    ended = found.status[0] is not Status.NON_FINITE
    if ended and all(np.isfinite(each).all() for each in found.final.weights):
        scalars |= _changes(network, found.initial, found.final, data)
    return scalars


def refuse_unusable_data(data: Dataset, dtype: DTypeName) -> None:
    """Refuse data that no network could be trained on in this precision.

    Args:
        data: inputs and targets.
        dtype: precision of the training.

    Raises:
        ArgumentError: all targets are zero, or a mean square is near the ends of the range.
    """
    if not np.any(data.y):
        raise ArgumentError(
            "Argument `data` must have targets that are not all zero: there is nothing to learn, "
            "nor labels that a kernel could be aligned with."
        )
    limits = np.finfo(dtype)
    # with room for errors that are much smaller than the targets, and for sums of squares
    least, most = float(limits.tiny / limits.eps), float(limits.max * limits.eps)
    for name, values in (("inputs", data.x), ("targets", data.y)):
        square = float(np.mean(np.square(values)))
        if not least < square < most:
            raise ArgumentError(
                f"Argument `data` must have {name} with a mean square in the range of {dtype}, "
                f"{least:.1g} to {most:.1g}, but it is {square:.3g}. Rescale them to size one."
            )


def _changes(
    network: MultiLayerNetwork, initial: LayerParameters, final: LayerParameters, data: Dataset
) -> dict[str, float]:
    """How far the weights, the features and the kernel have moved; all in float64."""
    first, last = initial.astype(np.float64), final.astype(np.float64)
    weights = layer_change(first, last)
    features = feature_change(network, first, last, data.x)
    columns = {
        "operator_change": weights.operator,
        "frobenius_change": weights.frobenius,
        "feature_change": features.relative,
        "feature_gram_change": features.gram,
    }
    scalars = {
        f"{name}_{k}": float(value)
        for name, values in columns.items()
        for k, value in enumerate(values[0], 1)
    }
    before, after = (tangent_kernel(network, each, data.x).total for each in (first, last))
    return {
        **scalars,
        "kernel_change": float(kernel_change(before, after).relative[0]),
        "alignment_start": float(kernel_alignment(before, data.y)[0]),
        "alignment_end": float(kernel_alignment(after, data.y)[0]),
    }
