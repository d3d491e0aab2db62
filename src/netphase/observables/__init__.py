"""What is measured on a network: how far it moved and how far it condensed."""

from netphase.observables.activation import (
    activated,
    activated_by_gap,
    effective_number,
    neuron_contributions,
    over_cost,
    path_norm,
)
from netphase.observables.alignment import (
    alignment_histogram,
    alignment_ratio,
    cosines_with,
    label_mean,
)
from netphase.observables.background import background_share
from netphase.observables.change import relative_change
from netphase.observables.clusters import (
    CondensedDirections,
    condensed_directions,
    direction_clusters,
)
from netphase.observables.cosine import (
    CosineSummary,
    cosine_blocks,
    cosine_image,
    cosine_order,
    cosine_summary,
)
from netphase.observables.cover import Cover, effective_neurons, minimal_cover
from netphase.observables.escapes import Escape
from netphase.observables.events import ActivationEvent, activation_events, active_neurons
from netphase.observables.feature_change import FeatureChange, feature_change
from netphase.observables.features import Features, features
from netphase.observables.kernel_change import KernelChange, kernel_alignment, kernel_change
from netphase.observables.kernel_history import KernelHistory, kernel_history
from netphase.observables.layer_change import LayerChange, layer_change, operator_norm
from netphase.observables.merging import MergedNetwork, merge
from netphase.observables.phases import (
    NEVER,
    UNDETERMINED,
    Marker,
    activation_time,
    departure_time,
    first_above,
    is_lazy,
    last_crossing,
    mean_rotation,
    relaxation_time,
    risk_departure_time,
    spreading_peak,
)
from netphase.observables.plateaus import Plateau, Staircase, find_plateaus
from netphase.observables.recovery import (
    TeacherMatch,
    angles_between,
    line_gaps,
    match_teacher,
    teacher_cosine,
)
from netphase.observables.risk import function_distance, population_risk
from netphase.observables.significance import Significance, against_chance
from netphase.observables.spread import effective_rank, entropy_number, participation_ratio
from netphase.observables.verdict import CondensationVerdict, condensation_verdict
from netphase.observables.windows import LearningWindows, learning_windows

__all__ = [
    "NEVER",
    "UNDETERMINED",
    "ActivationEvent",
    "CondensationVerdict",
    "CondensedDirections",
    "CosineSummary",
    "Cover",
    "Escape",
    "FeatureChange",
    "Features",
    "KernelChange",
    "KernelHistory",
    "LayerChange",
    "LearningWindows",
    "Marker",
    "MergedNetwork",
    "Plateau",
    "Significance",
    "Staircase",
    "TeacherMatch",
    "activated",
    "activated_by_gap",
    "activation_events",
    "activation_time",
    "active_neurons",
    "against_chance",
    "alignment_histogram",
    "alignment_ratio",
    "angles_between",
    "background_share",
    "condensation_verdict",
    "condensed_directions",
    "cosine_blocks",
    "cosine_image",
    "cosine_order",
    "cosine_summary",
    "cosines_with",
    "departure_time",
    "direction_clusters",
    "effective_neurons",
    "effective_number",
    "effective_rank",
    "entropy_number",
    "feature_change",
    "features",
    "find_plateaus",
    "first_above",
    "function_distance",
    "is_lazy",
    "kernel_alignment",
    "kernel_change",
    "kernel_history",
    "label_mean",
    "last_crossing",
    "layer_change",
    "learning_windows",
    "line_gaps",
    "match_teacher",
    "mean_rotation",
    "merge",
    "minimal_cover",
    "neuron_contributions",
    "operator_norm",
    "over_cost",
    "participation_ratio",
    "path_norm",
    "population_risk",
    "relative_change",
    "relaxation_time",
    "risk_departure_time",
    "spreading_peak",
    "teacher_cosine",
]
