"""How the tangent kernels of deep networks move while they are trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from netphase._checks import instance_of
from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.kernels import tangent_kernel
from netphase.networks import LayerParameters, MultiLayerNetwork
from netphase.observables.kernel_change import kernel_alignment, kernel_change


class KernelHistory(NamedTuple):
    """Tangent kernels Θ of e networks at t moments, arrays of shape (t, e) but for the last one.

    Attributes:
        relative: ‖Θ(t) − Θ(0)‖_F/‖Θ(0)‖_F, with Θ(0) that of the first moment.
        distance: 1 − the cosine of Θ(t) and Θ(0): change of direction alone.
        step: ‖Θ(t) − Θ(s)‖_F/‖Θ(s)‖_F since the moment s before; 0 at the first.
        alignment: yᵀΘy/(‖Θ‖_F |y|²), see `kernel_alignment`.
        eigenvalues: of Θ, ascending, shape (t, e, nk); NaN where Θ is not finite.
    """

    relative: Array
    distance: Array
    step: Array
    alignment: Array
    eigenvalues: Array


def kernel_history(
    network: MultiLayerNetwork, moments: Sequence[LayerParameters], x: Array, y: Array
) -> KernelHistory:
    """The tangent kernel along a run: what the lazy regime keeps, and what features change.

    Only three kernels a network are held at a time.

    Args:
        network: the map of all moments.
        moments: parameters in the order of time, the start first, for example
            ``(run.initial, *run.snapshots, run.final)`` of a `DeepTrajectory`; those behind a
            network's end, NaN, give NaN. A network whose first kernel is not finite has NaN in all
            that is relative to it.
        x: inputs, shape (n, d).
        y: targets, shape (n,) or (n, k).

    Returns:
        The history.

    Raises:
        ArgumentError: there is no moment, shapes do not fit, or a kernel does not fit into memory.

    References:
        Jacot, Gabriel & Hongler (2018); Fort et al. (NeurIPS 2020), kernels while they learn.

    Example:
        >>> from netphase import activations, datasets, dynamics, networks
        >>> from netphase.scalings import layer_initialisation
        >>> data = datasets.four_points()
        >>> scales = layer_initialisation("mup", depth=2, d=2).at_width(64)
        >>> network = networks.MultiLayerNetwork(activations.get("tanh"), scales, inputs=2)
        >>> start = networks.initial_layer_parameters(network)
        >>> task = dynamics.DeepGradientDynamics(network, data.x, data.y)
        >>> run = dynamics.evolve(task, dynamics.Descent("stable"), start)
        >>> history = kernel_history(network, (run.initial, run.final), data.x, data.y)
        >>> bool(history.relative[1, 0] > 0.1)
        True
    """
    instance_of("network", network, MultiLayerNetwork, "a MultiLayerNetwork")
    if not moments:
        raise ArgumentError("Argument `moments` must hold the start at least, but is empty.")
    rows: list[tuple[Array, ...]] = []
    for moment in moments:
        with np.errstate(all="ignore"):
            kernel = tangent_kernel(network, moment, x).total
        known = _known(kernel)
        if not rows:
            first = before = known
        change, step = kernel_change(first, kernel), kernel_change(before, kernel).relative
        alignment = kernel_alignment(kernel, y)
        rows.append((change.relative, change.distance, step, alignment, _spectrum(kernel)))
        before = known
    return KernelHistory(*(np.stack(each) for each in zip(*rows, strict=True)))


def _known(kernel: Array) -> Array:
    """A stack with zeros, to which no change is relative, for kernels that are not finite."""
    return np.where(_finite(kernel)[..., None, None], kernel, 0.0)


def _spectrum(kernel: Array) -> Array:
    """Eigenvalues of a stack, NaN for kernels that are not finite."""
    return np.where(_finite(kernel)[..., None], np.linalg.eigvalsh(_known(kernel)), np.nan)


def _finite(kernel: Array) -> npt.NDArray[np.bool_]:
    return np.asarray(np.isfinite(kernel).all(axis=(-2, -1)))
