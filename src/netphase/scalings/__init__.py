"""Scales as powers of the width, the plane (γ, γ′) they span, and what theory says of it."""

from netphase.scalings.formulas import PowerLaw, evaluate, leading_power
from netphase.scalings.law import Scales, ScalingLaw
from netphase.scalings.named import INITIALISATIONS, initialisation, known_initialisations
from netphase.scalings.notations import Notation, notations
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
    "Exponents",
    "Notation",
    "PowerLaw",
    "Regime",
    "Scales",
    "ScalingLaw",
    "Zone",
    "distance_to_lines",
    "evaluate",
    "gamma_c",
    "initialisation",
    "known_initialisations",
    "leading_power",
    "notations",
    "predicted_exponents",
    "regime_at",
    "zone_at",
    "zone_of",
]
