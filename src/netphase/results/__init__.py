"""Labelled results: which numbers a run leaves, their units, and the datasets that hold them."""

from netphase.results.condensing import (
    COUNTS,
    Moment,
    condensing_dataset,
    features_at,
    growth_rate,
    parameters_at,
)
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
from netphase.results.occupation import Occupation, chance_occupation, occupation
from netphase.results.provenance import provenance
from netphase.results.single import run_dataset, trajectory_scalars
from netphase.results.summary import CondensationSummary, condensation_summary

__all__ = [
    "AXES",
    "AXIS_ATTRIBUTES",
    "COLUMN",
    "COUNTS",
    "NOT_RUN",
    "PROVENANCE",
    "QUANTITIES",
    "STATUS_CODES",
    "CondensationSummary",
    "Moment",
    "Occupation",
    "Quantity",
    "axis_dtype",
    "chance_occupation",
    "comparable",
    "condensation_summary",
    "condensing_dataset",
    "features_at",
    "grid_dataset",
    "grid_variables",
    "growth_rate",
    "is_done",
    "occupation",
    "pack",
    "parameters_at",
    "provenance",
    "run_dataset",
    "status_attributes",
    "status_words",
    "trajectory_scalars",
]
