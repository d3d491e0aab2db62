"""Table 1 and Fig. 1: where the known initialisations sit, and the three regimes of the plane."""

from __future__ import annotations

import math

import numpy as np

from netphase.figures import initialisation_plane
from netphase.reproductions.check import Check, close, every, same
from netphase.reproductions.reproduction import Stage
from netphase.scalings import Regime, ScalingLaw, known_initialisations, regime_at

TABLE: dict[str, tuple[float, float, str]] = {
    "LeCun": (0.5, 0.5, "linear"),
    "He": (0.5, 0.5, "linear"),
    "Xavier": (1.0, 0.0, "critical"),
    "NTK": (0.5, 0.0, "linear"),
    "mean field": (1.0, 0.0, "critical"),
}
"""Table 1: γ, γ' and the region of Fig. 1."""

FAR, FARTHER = 10**8, 10**12
"""Widths between which the exponents of κ and κ' are read off."""

DIMENSION = 2


def run(stage: Stage) -> list[Check]:
    """Table 1 by the scales' values, the regions by the conditions of Theorems 6 and 8.

    Inputs: the formulas of Table 1; section 3.3 for the regions.
    """
    checks = []
    laws = known_initialisations(DIMENSION)
    for name, (gamma, gamma_prime, regime) in TABLE.items():
        found = _measured(laws[name])
        checks += [
            close(f"γ of {name}", "Table 1", gamma, round(found[0], 6), 1e-5),
            close(f"γ' of {name}", "Table 1", gamma_prime, round(found[1], 6), 1e-5),
            same(f"region of {name}", "Fig. 1", regime, laws[name].regime.value),
        ]
    checks += [_diagonal(), _regions()]
    stage.save(initialisation_plane(), "figure1")
    return checks


def _measured(law: ScalingLaw) -> tuple[float, float]:
    """−log κ/log m and −log κ'/log m between two large widths."""
    near, far = law.at_width(FAR), law.at_width(FARTHER)
    span = math.log(FARTHER / FAR)
    return (
        -math.log(far.kappa / near.kappa) / span,
        -math.log(far.kappa_prime / near.kappa_prime) / span,
    )


def _diagonal() -> Check:
    """E, Ma & Wu: the line γ' = γ lies in the linear regime (Fig. 1, red dashed)."""
    exponents = np.linspace(0.0, 3.0, 31)
    laws = [ScalingLaw.e_ma_wu(-float(p)) for p in exponents]
    holds = sum(
        law.gamma == law.gamma_prime == p and law.regime is Regime.LINEAR
        for law, p in zip(laws, exponents, strict=True)
    )
    return every("E, Ma & Wu lie on γ' = γ, all linear", "Table 1, Fig. 1", holds, len(laws))


def _regions() -> Check:
    """The three regions, against the conditions written out."""
    grid = [(g / 8, h / 8) for g in range(25) for h in range(-16, 17)]
    holds = sum(regime_at(g, h).value == _printed_region(g, h) for g, h in grid)
    return every("regions of the plane", "section 3.3", holds, len(grid))


def _printed_region(gamma: float, gamma_prime: float) -> str:
    if gamma < 1 or gamma_prime > gamma - 1:
        return "linear"
    if gamma > 1 and gamma_prime < gamma - 1:
        return "condensed"
    return "critical"
