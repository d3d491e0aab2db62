"""Kernels of finite networks beside their limits, over widths and seeds, labelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from netphase._types import Array
from netphase.results.provenance import provenance
from netphase.results.schema import labels, status_attributes

if TYPE_CHECKING:
    import xarray as xr

_RUN, _LIMIT = ("width", "seed"), ("width",)
_RATE = "1/time"

_VARIABLES: dict[str, tuple[tuple[str, ...], str, str]] = {
    "tangent_error": (_RUN, "1", "‖Θ_m − Θ‖_F/‖Θ‖_F of the tangent kernel at the start"),
    "layer_error": ((*_RUN, "layer"), "1", "the same of what the weights W^[l] add to it"),
    "feature_error": ((*_RUN, "hidden"), "1", "the same of the Gram matrices S^[l] of x^[l]"),
    "share": ((*_RUN, "layer"), "1", "share of layer l in the trace of Θ_m"),
    "limit_share": ((*_LIMIT, "layer"), "1", "share of layer l in the trace of Θ"),
    "eigenvalue": ((*_RUN, "mode"), _RATE, "eigenvalues of Θ_m, ascending"),
    "limit_eigenvalue": ((*_LIMIT, "mode"), _RATE, "eigenvalues of Θ, ascending"),
    "label_part": (
        (*_LIMIT, "mode"),
        "1",
        "part of |y|² along each eigenvector of Θ (NaN: no targets but zero)",
    ),
    "alignment": (_RUN, "1", "yᵀΘ_m y/(‖Θ_m‖_F |y|²) (NaN: no targets but zero)"),
    "limit_alignment": (_LIMIT, "1", "yᵀΘy/(‖Θ‖_F |y|²) (NaN: no targets but zero)"),
    "decay_rate": (_RUN, _RATE, "2 λ_min(Θ_m)/n, at which the loss of the flow decays in the end"),
    "limit_decay_rate": (_LIMIT, _RATE, "2 λ_min(Θ)/n"),
    "stable_rate": (_RUN, "time", "2n/λ_max(Θ_m), the largest stable step of gradient descent"),
    "limit_stable_rate": (_LIMIT, "time", "2n/λ_max(Θ)"),
    "tangent_exponent": ((), "1", "S of tangent_error ∝ m^S (NaN: one width)"),
    "tangent_exponent_error": ((), "1", "its standard error"),
    "layer_exponent": (("layer",), "1", "S of layer_error ∝ m^S (NaN: one width)"),
    "layer_exponent_error": (("layer",), "1", "its standard error"),
    "feature_exponent": (("hidden",), "1", "S of feature_error ∝ m^S (NaN: one width)"),
    "feature_exponent_error": (("hidden",), "1", "its standard error"),
}

_TRAINED: dict[str, tuple[tuple[str, ...], str, str]] = {
    "t": ((*_RUN, "record"), "time", "time t (NaN: behind the end of a run)"),
    "mean_square": ((*_RUN, "record"), "target units squared", "(1/n) Σ e² of the network"),
    "limit_mean_square": (
        (*_RUN, "record"),
        "target units squared",
        "the same if the kernel were the limiting one all the time, from the same start",
    ),
    "start_mean_square": (
        (*_RUN, "record"),
        "target units squared",
        "the same if the kernel stayed what it is at the start",
    ),
    "measured_decay": (
        _RUN,
        _RATE,
        "rate of the loss where it is at most 100 times its last value (NaN: too few records)",
    ),
    "limit_decay": (_RUN, _RATE, "rate of limit_mean_square at the same records"),
    "start_decay": (_RUN, _RATE, "rate of start_mean_square at the same records"),
    "kernel_change": (_RUN, "1", "‖Θ_m(t) − Θ_m(0)‖_F/‖Θ_m(0)‖_F in the end"),
    "kernel_turn": (_RUN, "1", "1 − cosine of Θ_m(t) and Θ_m(0) in the end"),
    "end_decay_rate": (_RUN, _RATE, "2 λ_min(Θ_m)/n of the kernel in the end"),
    "steps": (_RUN, "1", "accepted steps"),
}


def concentration_dataset(
    widths: Sequence[int],
    seeds: Sequence[int],
    values: Mapping[str, Array],
    attributes: Mapping[str, Any],
) -> xr.Dataset:
    """Measures of networks beside their limits.

    Args:
        widths: m, shape (width,).
        seeds: seeds, shape (seed,).
        values: the arrays; those of training only where networks were trained, with ``status``.
        attributes: setting and verdict.

    Returns:
        Dataset over ``width``, ``seed``, ``layer`` (1 … L+1), ``hidden`` (1 … L), ``mode`` and,
        where networks were trained, ``record``.
    """
    import xarray as xr

    trained = "status" in values
    told = _VARIABLES | (_TRAINED if trained else {})
    variables: dict[str, Any] = {
        name: (dims, np.asarray(values[name]), labels(units, text))
        for name, (dims, units, text) in told.items()
    }
    if trained:
        variables["status"] = (_RUN, np.asarray(values["status"]), status_attributes())
    layers = np.shape(values["layer_error"])[-1]
    return xr.Dataset(
        variables,
        coords={
            "width": ("width", np.asarray(widths, dtype=np.int64), labels("1", "width m")),
            "seed": ("seed", np.asarray(seeds, dtype=np.int64), labels("1", "seed")),
            "layer": ("layer", np.arange(1, layers + 1), labels("1", "layer of weights l")),
            "hidden": ("hidden", np.arange(1, layers), labels("1", "hidden layer l")),
        },
        attrs={"title": "netphase kernels of finite networks", **attributes, **provenance()},
    )


def degeneracy_dataset(
    factors: Array, values: Mapping[str, Array], attributes: Mapping[str, Any]
) -> xr.Dataset:
    """Least eigenvalues of limiting kernels whose β_1 is multiplied by ε.

    Args:
        factors: ε, shape (factor,).
        values: ``least`` and ``resolved``, shape (factor,).
        attributes: setting, slope and prediction.

    Returns:
        Dataset over ``factor``.
    """
    import xarray as xr

    told = {
        "least": (_RATE, "λ_min(Θ) with β_1 times ε"),
        "resolved": ("1", "whether it is above the error of the kernels"),
    }
    return xr.Dataset(
        {name: ("factor", values[name], labels(*text)) for name, text in told.items()},
        coords={"factor": ("factor", factors, labels("1", "factor ε of β_1"))},
        attrs={"title": "netphase degeneracy of kernels", **attributes, **provenance()},
    )
