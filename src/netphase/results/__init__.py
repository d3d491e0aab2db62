"""Labelled results: which numbers a run leaves, their units, and the datasets that hold them."""

from netphase.results.grid import (
    AXES,
    AXIS_ATTRIBUTES,
    COLUMN,
    NOT_RUN,
    PROVENANCE,
    QUANTITIES,
    STATUS_CODES,
    Quantity,
    axis_dtype,
    comparable,
    grid_dataset,
    grid_variables,
    is_done,
    pack,
    status_attributes,
    status_words,
)
from netphase.results.provenance import provenance
from netphase.results.single import run_dataset, trajectory_scalars

__all__ = [
    "AXES",
    "AXIS_ATTRIBUTES",
    "COLUMN",
    "NOT_RUN",
    "PROVENANCE",
    "QUANTITIES",
    "STATUS_CODES",
    "Quantity",
    "axis_dtype",
    "comparable",
    "grid_dataset",
    "grid_variables",
    "is_done",
    "pack",
    "provenance",
    "run_dataset",
    "status_attributes",
    "status_words",
    "trajectory_scalars",
]
