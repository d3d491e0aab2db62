"""What is measured on a network: how far it moved and how far it condensed."""

from netphase.observables.alignment import (
    alignment_histogram,
    alignment_ratio,
    cosines_with,
    label_mean,
)
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
from netphase.observables.features import Features, features
from netphase.observables.merging import MergedNetwork, merge
from netphase.observables.significance import Significance, against_chance
from netphase.observables.spread import effective_rank, entropy_number, participation_ratio
from netphase.observables.verdict import CondensationVerdict, condensation_verdict

__all__ = [
    "CondensationVerdict",
    "CondensedDirections",
    "CosineSummary",
    "Cover",
    "Features",
    "MergedNetwork",
    "Significance",
    "against_chance",
    "alignment_histogram",
    "alignment_ratio",
    "condensation_verdict",
    "condensed_directions",
    "cosine_blocks",
    "cosine_image",
    "cosine_order",
    "cosine_summary",
    "cosines_with",
    "direction_clusters",
    "effective_neurons",
    "effective_rank",
    "entropy_number",
    "features",
    "label_mean",
    "merge",
    "minimal_cover",
    "participation_ratio",
    "relative_change",
]
