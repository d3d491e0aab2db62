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
from netphase.kernels import deep_kernels
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
    """λ_min of the limiting tangent kernel of inputs εx, over its mean eigenvalue, against ε.

    Small inputs, or small weights of the first layer, make pre-activations small, where a smooth
    activation is its first Taylor terms: kernels become those of a few monomials, and singular
    where there are more samples than those span. λ_min/(tr Θ/n) then falls as a power of ε, and the
    decay of the loss with it. Homogeneous activations such as ReLU have the same kernel at any ε.

    Args:
        data: a data set, or its name or file.
        scales: the scales at one width.
        activation: σ.
        factors: ε > 0, different.

    Returns:
        Dataset over ``factor``; its attributes hold the ``slope`` over the last decade of resolved
        ε, and its ``drift``: the local slope at the smallest of them minus it.

    Raises:
        ArgumentError: an argument is out of its range, or pre-activations leave that of a float.

    References:
        Derived. Li, Luo & Zhou (2024) need λ_min > 0 for their decay.

    Example:
        >>> from netphase.scalings import layer_initialisation
        >>> scales = layer_initialisation("lecun", depth=1, d=2).at_width(100)
        >>> found = kernel_degeneracy("four_points", scales, activation="tanh")
        >>> round(found.attrs["slope"], 1)
        4.0
    """
    known = datasets.load(data) if isinstance(data, str) else data
    instance_of("data", known, Dataset, "a Dataset or its name")
    epsilons = np.array(axis_values("factors", factors, positive_float))
    rows = [_least(known.x, scales, activation, each) for each in epsilons]
    least, resolved = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    slope, drift = _slope(epsilons, least, resolved)
    return degeneracy_dataset(
        epsilons,
        {"least": least, "resolved": resolved},
        {
            "slope": slope,
            "drift": drift,
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
    """λ_min over the mean eigenvalue at inputs εx, and whether it is above the error."""
    try:
        kernels = deep_kernels(factor * x, scales, activation)
    except ArgumentError as error:
        raise ArgumentError(
            f"At ε = {factor:g}: {str(error)[0].lower()}{str(error)[1:]}"
        ) from error
    values = np.linalg.eigvalsh(kernels.tangent)
    noise = RESOLVED * len(values) * np.finfo(np.float64).eps * values[-1]
    return max(float(values[0] / values.mean()), 0.0), bool(values[0] > noise)


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
