"""The least eigenvalue of limiting kernels as pre-activations shrink."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from netphase import activations, datasets
from netphase._checks import instance_of, positive_float
from netphase._types import Array
from netphase.activations import Activation
from netphase.datasets import Dataset
from netphase.errors import ArgumentError
from netphase.kernels import degeneracy_exponent
from netphase.kernels.degeneracy import shrunk_eigenvalues
from netphase.results import degeneracy_dataset
from netphase.scalings import LayerScales
from netphase.sweep.axes import axis_values

if TYPE_CHECKING:
    import xarray as xr

FACTORS = tuple(float(f"{each:.3g}") for each in np.geomspace(1e-3, 1.0, 13))
"""ε where none are given."""

RESOLVED = 100.0
"""Eigenvalues below so many roundings of the largest one are not trusted."""

DECADE = 10.0
"""The slope is that over the last decade of ε that is resolved."""


def kernel_degeneracy(
    data: str | Dataset,
    scales: LayerScales,
    *,
    activation: str | Activation = "relu",
    factors: Sequence[float] = FACTORS,
) -> xr.Dataset:
    """λ_min of the limiting tangent kernel with β_1 multiplied by ε, against ε.

    A small first layer makes pre-activations small, where a smooth activation is its first Taylor
    terms: kernels become those of a few polynomials of the inputs, and singular where there are
    more samples than those span. λ_min falls as a power of ε, and the decay of the loss with it.
    Kernels of homogeneous activations such as ReLU stay regular, as K^[1] does not know β_1.

    Args:
        data: a data set, or its name or file.
        scales: the scales at one width.
        activation: σ.
        factors: ε > 0, different.

    Returns:
        Dataset over ``factor``; its attributes hold the ``slope`` over the last decade of resolved
        ε, its ``drift`` (the local slope at the smallest of them minus it), and the
        ``predicted_slope`` as ε → 0 of `kernels.degeneracy_exponent`, NaN for a ``reason``.

    Raises:
        ArgumentError: an argument is out of its range, or pre-activations leave that of a float.

    References:
        Derived. Li, Luo & Zhou (2024) need λ_min > 0 for their decay.

    Example:
        >>> from netphase.scalings import layer_initialisation
        >>> scales = layer_initialisation("lecun", depth=1, d=2).at_width(100)
        >>> found = kernel_degeneracy("four_points", scales, activation="tanh").attrs
        >>> round(found["slope"], 1), found["predicted_slope"]
        (4.0, 4.0)
    """
    known = datasets.load(data) if isinstance(data, str) else data
    instance_of("data", known, Dataset, "a Dataset or its name")
    instance_of("scales", scales, LayerScales, "LayerScales")
    epsilons = np.array(axis_values("factors", factors, positive_float))
    rows = [_least(known.x, scales, activation, each) for each in epsilons]
    least, resolved = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    slope, drift = _slope(epsilons, least, resolved)
    predicted, reason = _predicted(known.x, activation, scales.depth)
    return degeneracy_dataset(
        epsilons,
        {"least": least, "resolved": resolved},
        {
            "slope": slope,
            "drift": drift,
            "predicted_slope": predicted,
            "reason": reason,
            "setting": json.dumps(
                {
                    "data": known.source or known.name,
                    "data_sha256": known.sha256,
                    "samples": known.n,
                    "activation": activations.get(activation).name,
                    "depth": scales.depth,
                    "width": scales.width,
                    "betas": scales.betas,
                    "rates": scales.rates,
                    "alpha": scales.alpha,
                },
                ensure_ascii=False,
            ),
        },
    )


def _least(
    x: Array, scales: LayerScales, activation: str | Activation, factor: float
) -> tuple[float, bool]:
    """λ_min with β_1 times ε, and whether it is above the error."""
    try:
        values = shrunk_eigenvalues(x, scales, activation, factor)
    except ArgumentError as error:
        raise ArgumentError(f"With β_1 times ε = {factor:g}: {error}") from error
    noise = RESOLVED * len(values) * np.finfo(np.float64).eps * values[-1]
    return float(values[0]), bool(values[0] > noise)


def _predicted(x: Array, activation: str | Activation, depth: int) -> tuple[float, str]:
    """The exponent of theory, or NaN and why there is none."""
    try:
        return float(degeneracy_exponent(x, activation, depth)), ""
    except ArgumentError as error:
        return np.nan, str(error)


def _slope(epsilons: Array, least: Array, resolved: Array) -> tuple[float, float]:
    """Slope over the last resolved decade, and how far the slope at its end is from it."""
    if np.count_nonzero(resolved) < 2:
        return np.nan, np.nan
    x, y = np.log(epsilons[resolved]), np.log(least[resolved])
    used = x <= x[0] + np.log(DECADE) * (1 + 1e-9)
    if np.count_nonzero(used) < 2:
        return np.nan, np.nan
    centred = x[used] - x[used].mean()
    slope = float(centred @ y[used] / (centred @ centred))
    return slope, float((y[1] - y[0]) / (x[1] - x[0])) - slope
