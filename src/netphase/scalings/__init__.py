"""Scales as powers of the width, the plane (γ, γ′) and its deep kin, and what theory says."""

from netphase.scalings.formulas import PowerLaw, evaluate, leading_power
from netphase.scalings.law import Scales, ScalingLaw
from netphase.scalings.layer_axes import layer_axes, with_exponents
from netphase.scalings.layer_named import (
    LAYER_INITIALISATIONS,
    layer_initialisation,
    uniform_scaling,
)
from netphase.scalings.layer_scales import LayerScales
from netphase.scalings.layer_theory import LayerPrediction, Laziness, laziness, predicted_layers
from netphase.scalings.layers import LayerScaling
from netphase.scalings.named import INITIALISATIONS, initialisation, known_initialisations
from netphase.scalings.notations import Notation, notations
from netphase.scalings.recommendations import Goal, Recommendation, recommendations
from netphase.scalings.theory import (
    Exponents,
    Regime,
    gamma_c,
    predicted_exponents,
    regime_at,
)
from netphase.scalings.zones import Zone, distance_to_lines, zone_at, zone_of

__all__ = [
    "INITIALISATIONS",
    "LAYER_INITIALISATIONS",
    "Exponents",
    "Goal",
    "LayerPrediction",
    "LayerScales",
    "LayerScaling",
    "Laziness",
    "Notation",
    "PowerLaw",
    "Recommendation",
    "Regime",
    "Scales",
    "ScalingLaw",
    "Zone",
    "distance_to_lines",
    "evaluate",
    "gamma_c",
    "initialisation",
    "known_initialisations",
    "layer_axes",
    "layer_initialisation",
    "laziness",
    "leading_power",
    "notations",
    "predicted_exponents",
    "predicted_layers",
    "recommendations",
    "regime_at",
    "uniform_scaling",
    "with_exponents",
    "zone_at",
    "zone_of",
]
