"""The numbers a sweep keeps of every run: names, units, packing, and the labelled grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from netphase._types import Array, Status
from netphase.errors import ArgumentError

if TYPE_CHECKING:
    import xarray as xr

AXES = ("gamma", "gamma_prime", "width", "seed")
"""Dimensions of a sweep, in the order in which every array is stored."""

AXIS_ATTRIBUTES: dict[str, dict[str, str]] = {
    "gamma": {"units": "1", "long_name": "γ, from κ = β1 β2 / α = m^(−γ)"},
    "gamma_prime": {"units": "1", "long_name": "γ', from κ' = β1 / β2 = m^(−γ')"},
    "width": {"units": "1", "long_name": "width m: neurons of one copy of the network"},
    "seed": {"units": "1", "long_name": "integer seed of the initial parameters"},
}

STATUS_CODES: dict[Status, int] = {
    Status.CONVERGED: 0,
    Status.TIME_REACHED: 1,
    Status.MAX_STEPS: 2,
    Status.STAGNATED: 3,
    Status.DIVERGED: 4,
    Status.NON_FINITE: 5,
}
"""Numbers of the statuses on disk; frozen, new statuses get new numbers."""

NOT_RUN = -1
"""Status code of a run that has not been made."""


@dataclass(frozen=True)
class Quantity:
    """One scalar that a run of a sweep leaves.

    Attributes:
        name: name of the variable.
        units: units ("1" where dimensionless).
        long_name: what it is, in a few words.
        provenance: True for wall-clock figures, which differ between two equal runs and are left
            out when results are compared.
    """

    name: str
    units: str
    long_name: str
    provenance: bool = False

    @property
    def attributes(self) -> dict[str, str]:
        """Attributes of the variable in a dataset."""
        role = "provenance" if self.provenance else "result"
        return {"units": self.units, "long_name": self.long_name, "role": role}


def _changes() -> list[Quantity]:
    blocks = {"w": "input weights", "a": "output weights", "theta": "all weights (normalised)"}
    return [
        Quantity(f"{prefix}relative_change_{block}", "1", f"{words} relative change of the {what}")
        for prefix, words in (("", "final"), ("max_", "largest"))
        for block, what in blocks.items()
    ]


QUANTITIES: tuple[Quantity, ...] = (
    Quantity("status", "1", "why the run ended"),
    *_changes(),
    Quantity("mean_square", "target units squared", "final mean square error (1/n) Σ e²"),
    Quantity("time", "β1 β2", "final time on the normalised clock"),
    Quantity("steps", "1", "accepted steps"),
    Quantity("rejected", "1", "rejected steps"),
    Quantity("gradients", "1", "evaluations of the gradient"),
    Quantity("solves", "1", "linear solves"),
    Quantity("active_neurons", "1", "neurons with an amplitude above 5 % of the largest"),
    Quantity("direction_clusters", "1", "directions (cosine > 0.95) among the active neurons"),
    Quantity("entropy_number", "1", "exponential entropy of the amplitude over directions"),
    Quantity("participation_ratio", "1", "participation ratio of the amplitude over directions"),
    Quantity("effective_rank", "1", "effective rank of the amplitude-weighted directions"),
    Quantity("alignment_ratio", "1", "ρ, the share of the input weights along Σ y_i x_i"),
    Quantity("wall_seconds", "s", "wall-clock time of the run", provenance=True),
)
"""Every scalar of a sweep, in the order in which a unit of work is stored."""

COLUMN: dict[str, int] = {quantity.name: i for i, quantity in enumerate(QUANTITIES)}
"""Place of each quantity in a stored unit."""

PROVENANCE: tuple[str, ...] = tuple(q.name for q in QUANTITIES if q.provenance)
"""Variables that may differ between two equal sweeps."""


def pack(scalars: Mapping[str, float | int | str]) -> Array:
    """The scalars of one run as one row of numbers.

    Args:
        scalars: a status (word or `Status`) and any of `QUANTITIES`; what is missing becomes NaN.

    Returns:
        Float64 row, shape (len(QUANTITIES),); integers up to 2⁵³ are exact.

    Raises:
        ArgumentError: a name is unknown, or the status is missing.
    """
    unknown = sorted(set(scalars) - set(COLUMN))
    if unknown:
        raise ArgumentError(
            f"Argument `scalars` holds {', '.join(unknown)}, which no sweep records; "
            f"known are {', '.join(COLUMN)}."
        )
    if "status" not in scalars:
        raise ArgumentError("Argument `scalars` must hold the status of the run.")
    row = np.full(len(QUANTITIES), np.nan)
    for name, value in scalars.items():
        row[COLUMN[name]] = STATUS_CODES[Status(str(value))] if name == "status" else float(value)
    return row


def is_done(rows: Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which units of an array of rows hold a finished run (its status is a number).

    Args:
        rows: shape (..., len(QUANTITIES)).

    Returns:
        Booleans, shape (...).
    """
    return np.isfinite(rows[..., COLUMN["status"]])


def status_codes(rows: Array) -> np.ndarray[Any, np.dtype[np.int8]]:
    """Status codes of an array of rows, `NOT_RUN` where there is none, shape (...)."""
    codes = rows[..., COLUMN["status"]]
    return np.where(np.isfinite(codes), codes, NOT_RUN).astype(np.int8)


def status_attributes() -> dict[str, Any]:
    """CF attributes of the coded status: ``flag_values`` and ``flag_meanings``."""
    words = [status.value.replace(" ", "_") for status in STATUS_CODES]
    return {
        "long_name": "why the run ended",
        "role": "result",
        "flag_values": [NOT_RUN, *STATUS_CODES.values()],
        "flag_meanings": " ".join(["not_run", *words]),
    }


DONE_ATTRIBUTES: dict[str, Any] = {
    "long_name": "whether the run is finished and stored",
    "role": "result",
}


def grid_variables(rows: Array) -> dict[str, tuple[np.ndarray[Any, Any], dict[str, Any]]]:
    """Name → (values over `AXES`, attributes) of everything a sweep has measured.

    Args:
        rows: shape (gamma, gamma_prime, width, seed, len(QUANTITIES)), NaN where not run.

    Returns:
        One entry a quantity, the status as int8 codes, and at the end the boolean ``done``.
    """
    table: dict[str, tuple[np.ndarray[Any, Any], dict[str, Any]]] = {}
    for quantity in QUANTITIES:
        if quantity.name == "status":
            table["status"] = status_codes(rows), status_attributes()
        else:
            values = np.ascontiguousarray(rows[..., COLUMN[quantity.name]])
            table[quantity.name] = values, quantity.attributes
    table["done"] = is_done(rows), dict(DONE_ATTRIBUTES)
    return table


def grid_dataset(
    coordinates: Mapping[str, Sequence[float] | Sequence[int]],
    rows: Array,
    attributes: Mapping[str, Any],
) -> xr.Dataset:
    """The labelled results of a sweep.

    Args:
        coordinates: values of each of `AXES`.
        rows: shape (gamma, gamma_prime, width, seed, len(QUANTITIES)), NaN where not run.
        attributes: provenance of the sweep.

    Returns:
        Dataset with the dimensions gamma, gamma_prime, width and seed.
    """
    import xarray as xr

    coords = {
        name: (name, np.asarray(coordinates[name], dtype=axis_dtype(name)), AXIS_ATTRIBUTES[name])
        for name in AXES
    }
    variables = {name: (AXES, *entry) for name, entry in grid_variables(rows).items()}
    return xr.Dataset(variables, coords=coords, attrs=dict(attributes))


def axis_dtype(name: str) -> str:
    """Type of a coordinate: integers for widths and seeds, float64 for γ and γ'."""
    return "int64" if name in ("width", "seed") else "float64"


def comparable(dataset: xr.Dataset) -> xr.Dataset:
    """A sweep's results without what may differ between two equal sweeps.

    Args:
        dataset: labelled results of a sweep.

    Returns:
        The same without the wall-clock variables and without attributes.
    """
    kept = dataset.drop_vars([name for name in PROVENANCE if name in dataset.variables])
    return kept.drop_attrs()


def status_words(codes: Any) -> np.ndarray[Any, np.dtype[np.str_]]:
    """Words for an array of status codes ("not run" where there is none).

    Args:
        codes: integers of any shape, as in the variable ``status``.

    Returns:
        Strings of the same shape.
    """
    words = np.array(["not run", *(status.value for status in STATUS_CODES)])
    return words[np.asarray(codes, dtype=np.int64) + 1]
