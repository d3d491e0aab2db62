"""What is measured on a network: how far it moved and how far it condensed."""

from netphase.observables.change import relative_change
from netphase.observables.condensation import (
    Features,
    direction_clusters,
    effective_neurons,
    effective_rank,
    entropy_number,
    features,
    participation_ratio,
)

__all__ = [
    "Features",
    "direction_clusters",
    "effective_neurons",
    "effective_rank",
    "entropy_number",
    "features",
    "participation_ratio",
    "relative_change",
]
