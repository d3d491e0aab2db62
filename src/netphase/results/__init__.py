"""Labelled results: which numbers a run leaves, their units, and the datasets that hold them."""

from netphase.results.ablation import ablation_dataset
from netphase.results.activation import MARKERS, activation_level, events_of, markers_of
from netphase.results.concentration import concentration_dataset, degeneracy_dataset
from netphase.results.condensing import (
    COUNTS,
    Moment,
    condensing_dataset,
    features_at,
    growth_rate,
    parameters_at,
)
from netphase.results.grid import PLANE
from netphase.results.layers import layer_schema
from netphase.results.occupation import Occupation, chance_occupation, occupation
from netphase.results.provenance import provenance
from netphase.results.quenching import Record, network_at, quenching_dataset
from netphase.results.schema import (
    NOT_RUN,
    STATUS_CODES,
    Axis,
    Quantity,
    Schema,
    comparable,
    status_attributes,
    status_words,
)
from netphase.results.single import run_dataset, trajectory_scalars
from netphase.results.sizes import SIZES
from netphase.results.summary import CondensationSummary, condensation_summary
from netphase.results.timescales import DegreeTable, StageRun, timescales_dataset

__all__ = [
    "COUNTS",
    "MARKERS",
    "NOT_RUN",
    "PLANE",
    "SIZES",
    "STATUS_CODES",
    "Axis",
    "CondensationSummary",
    "DegreeTable",
    "Moment",
    "Occupation",
    "Quantity",
    "Record",
    "Schema",
    "StageRun",
    "ablation_dataset",
    "activation_level",
    "chance_occupation",
    "comparable",
    "concentration_dataset",
    "condensation_summary",
    "condensing_dataset",
    "degeneracy_dataset",
    "events_of",
    "features_at",
    "growth_rate",
    "layer_schema",
    "markers_of",
    "network_at",
    "occupation",
    "parameters_at",
    "provenance",
    "quenching_dataset",
    "run_dataset",
    "status_attributes",
    "status_words",
    "timescales_dataset",
    "trajectory_scalars",
]
