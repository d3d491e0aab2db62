"""What the quenched neurons carry: their share of the function."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from netphase.errors import ArgumentError
from netphase.networks import Parameters, TwoLayerNetwork
from netphase.observables.risk import function_distance


def background_share(
    network: TwoLayerNetwork, parameters: Parameters, kept: npt.NDArray[np.bool_]
) -> float:
    """‖f_Q‖²/‖f‖², the share of the function that the quenched neurons Q make.

    Norms are root mean squares over Gaussian inputs; on the unit sphere the share is the same. It
    is no part of a whole: activated and quenched neurons may cancel, and then it exceeds 1.

    Args:
        network: the map, of ReLU neurons.
        parameters: ``a`` of shape (m,), ``w`` of shape (m, d).
        kept: which neurons are activated; all others are quenched, shape (m,).

    Returns:
        The share, ≥ 0; NaN for a function that is zero or not finite.

    Raises:
        ArgumentError: ``kept`` does not hold one value a neuron, or the activation has no closed
            form.

    References:
        Ma, Wu & E (2020): the quenched neurons are a background that supports the activated ones.
    """
    a, w = parameters
    mask = np.asarray(kept, dtype=np.bool_)
    if mask.shape != a.shape:
        raise ArgumentError(
            f"Argument `kept` must have the shape {a.shape} of the neurons, but has {mask.shape}."
        )
    if not (np.isfinite(a).all() and np.isfinite(w).all()):
        return math.nan
    nothing = Parameters(np.zeros(1), w[:1])
    whole = function_distance(network, parameters, nothing)
    if whole <= 0.0:
        return math.nan
    if mask.all():
        return 0.0
    return function_distance(network, Parameters(a[~mask], w[~mask]), nothing) / whole
