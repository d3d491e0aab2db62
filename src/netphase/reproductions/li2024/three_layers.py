"""Fig. 5: three layers of weights of equal scale, and what the Frobenius norm makes of them."""

from __future__ import annotations

from netphase.reproductions.check import Check, at_least, below, close, every, untested
from netphase.reproductions.li2024 import setting
from netphase.reproductions.li2024.drawing import layer_figure
from netphase.reproductions.li2024.training import Case, Ladder, ladders
from netphase.reproductions.reproduction import Size, Stage
from netphase.scalings import LayerScaling

LAYERS = 3
"""Matrices of weights."""

GAMMAS: dict[Size, tuple[float, ...]] = {
    "smoke": (0.9, 1.5, 2.1),
    "small": (0.9, 1.2, 1.5, 1.8, 2.1, 2.4, 2.7, 3.0, 3.3),
    "paper": (0.9, 1.2, 1.5, 1.8, 2.1, 2.4, 2.7, 3.0, 3.3),
}

WIDTHS: dict[Size, tuple[int, ...]] = {
    "smoke": (50, 100, 200, 400),
    "small": (100, 200, 400, 800),
    "paper": (100, 200, 400, 800, 1600),
}

SEEDS: dict[Size, int] = {"smoke": 4, "small": 12, "paper": 24}

MEASURED = {1.5: (-0.05, -0.67), 2.1: (0.18, -0.305), 2.7: (0.42, -0.07)}
"""γ → exponents of the outer layers and of the inner matrix in the Frobenius norm, measured
before by another program with m = 50 … 400 on other data, which theory puts at (0, −.5),
(.2, −.3) and (.4, −.1)."""

WITHIN = 0.15
"""Of an exponent from theory: as for the slopes of Fig. 1."""

WHERE = "reconstruction 8"


def exponents(gamma: float) -> tuple[float, float]:
    """Exponents in the Frobenius norm of the outer layers and of the inner matrix.

    Args:
        gamma: γ, from κ = β_1 β_2 β_3/α = m^(−γ) with equal β.

    Returns:
        S below γ = L/2 the distance γ − L/2, above it a share of 1/L of that; the inner matrix
        has 1/2 less.
    """
    away = gamma - LAYERS / 2
    outer = away if away < 0 else away / LAYERS
    return outer, outer - 0.5


def run(stage: Stage) -> list[Check]:
    """ReLU networks of two hidden layers, β = m^(−γ/3) for all three matrices."""
    gammas = GAMMAS[stage.size]
    stage.progress("three layers")
    cases = [
        Case(LayerScaling(g=(each / LAYERS,) * LAYERS), "relu", setting.data()) for each in gammas
    ]
    runs = ladders(cases, WIDTHS[stage.size], SEEDS[stage.size])
    found = dict(zip(gammas, runs, strict=True))
    stage.save(layer_figure(found, exponents), "figure5")
    checks = [
        check for gamma, each in found.items() for check in _exponents(gamma, each, stage.size)
    ]
    return [*checks, *_mislabelled(found)]


def _exponents(gamma: float, found: Ladder, size: Size) -> list[Check]:
    """All three matrices in the Frobenius norm, and the inner one in the operator norm."""
    outer, inner = exponents(gamma)
    fits = found.fits("frobenius")
    before = MEASURED.get(gamma)
    note = f" (measured before: {before[0]:g} and {before[1]:g} inside)" if before else ""
    rows = [
        (f"W^[{k}], Frobenius norm{note}", expected, fit)
        for k, (expected, fit) in enumerate(zip((outer, inner, outer), fits, strict=True), 1)
    ]
    rows.append(("W^[2], operator norm", outer, found.fits()[1]))
    checks = []
    for name, expected, fit in rows:
        claim = f"γ = {gamma:g}, {name}: exponent"
        if size == "smoke" and found.converged:
            checks.append(untested(claim, WHERE, expected, WITHIN, fit.exponent))
        else:
            checks.append(close(claim, WHERE, expected, fit.exponent, WITHIN, fit.standard_error))
    return checks


def _mislabelled(found: dict[float, Ladder]) -> list[Check]:
    """From γ = L/2 on hidden features change by O(1), though the Frobenius exponent is negative."""
    between = [gamma for gamma in found if LAYERS / 2 <= gamma < LAYERS]
    where = "reconstructions 3 and 8"
    checks = []
    for gamma in between:
        frobenius = found[gamma].fits("frobenius")[1]
        claim = f"γ = {gamma:g}: exponent of W^[2] in the Frobenius norm, as if lazy"
        if gamma < 2.7:  # nearer to γ = L the sign is a matter of the width
            checks.append(below(claim, where, 0.0, frobenius.exponent, frobenius.standard_error))
        feature = found[gamma].fits("feature")[1]
        words = f"γ = {gamma:g}: exponent of the change of the second layer's features"
        checks.append(at_least(words, where, -WITHIN, feature.exponent, feature.standard_error))
    lazy = [each for gamma, each in found.items() if gamma < LAYERS / 2]
    shrinking = [each.fits("feature")[1].exponent < -WITHIN for each in lazy]
    words = f"γ < {LAYERS / 2:g}: features of the second layer change less, the wider they are"
    return [*checks, every(words, where, sum(shrinking), len(lazy))]
