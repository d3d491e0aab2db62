"""The verdict of `netphase.timescales` on the base case and on every way in which order fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from netphase.learning import timescales
from netphase.reproductions.berthier2023 import setting
from netphase.reproductions.check import Check, close, same
from netphase.reproductions.reproduction import Stage

DENSITY = (1e-6, 1e-7, 1e-8)
"""ε for laws with a density, whose extreme atoms rule below."""

TURNED = (*setting.PHI[:3], -setting.PHI[3])

WHERE = "definition of canonical order"


@dataclass(frozen=True)
class Case:
    """What is asked for and what the answer should be.

    Attributes:
        name: for the claim.
        activation: σ.
        target: φ_k.
        outputs: P_A.
        verdict: word, and the last degree in canonical order.
        epsilons: None for those of `timescales`.
    """

    name: str
    activation: Any
    target: tuple[float, ...]
    outputs: Any
    verdict: tuple[str, int]
    epsilons: tuple[float, ...] | None = None


FOUR, NOT = setting.ATOMS, "not canonical"
CASES = (
    Case("base case", setting.SIGMA, setting.PHI, FOUR, ("canonical", 3)),
    Case("sign of φ_3 turned", setting.SIGMA, TURNED, FOUR, ("canonical", 3)),
    Case("φ_0 = 0", setting.SIGMA, (0.0, *setting.PHI[1:]), FOUR, ("canonical", 3)),
    Case("P_A = ±1", setting.SIGMA, setting.PHI, "rademacher", (NOT, 1)),
    Case("three atoms", setting.SIGMA, setting.PHI, setting.THREE_ATOMS, (NOT, 2)),
    Case("constant P_A (0.3)", setting.SIGMA, setting.PHI, (0.3,), (NOT, 0)),
    Case("uniform P_A, 400 atoms", setting.SIGMA, setting.PHI, "uniform:400", (NOT, 2), DENSITY),
    Case("φ_2 = 0", setting.SIGMA, (1.0, -1.0, 0.0, -1 / 3), FOUR, (NOT, 1)),
    Case("φ_2 = 0, sign of φ_3 wrong", setting.SIGMA, (1.0, -1.0, 0.0, 1 / 3), FOUR, (NOT, 1)),
    Case("σ_2 = 0", (1.0, 1.0, 0.0, 1.0), setting.PHI, FOUR, (NOT, 1)),
    Case("φ_1 = 0", setting.SIGMA, (1.0, 0.0, 0.7), FOUR, (NOT, 0)),
    Case("ReLU, φ = 1 − h_1 + h_2/2 − h_4/4", "relu", (1.0, -1.0, 0.5, 0.0, -0.25), FOUR, (NOT, 2)),
    Case("tanh, φ = h_1 − h_3/2", "tanh", (0.0, 1.0, 0.0, -0.5), FOUR, (NOT, 1)),
    Case("tanh, φ = h_1 + h_3/2", "tanh", (0.0, 1.0, 0.0, 0.5), FOUR, (NOT, 1)),
)


def run(stage: Stage) -> list[Check]:
    """Ask for all verdicts, and hold what is measured on the way against the reference table."""
    checks = []
    for case in CASES:
        stage.progress(f"verdict: {case.name}")
        found = timescales(
            case.activation, list(case.target), outputs=case.outputs, epsilons=case.epsilons
        )
        word, level = case.verdict
        checks.append(
            same(
                f"verdict on {case.name}",
                WHERE,
                f"{word}, level {level}",
                f"{found.attrs['verdict']}, level {found.attrs['level']}",
            )
        )
    return [*checks, *_table()]


def _table() -> list[Check]:
    """The times that `timescales` gives, at the ε of the table."""
    epsilons = tuple(setting.TABLE)
    found = timescales(setting.SIGMA, setting.PHI, outputs=setting.ATOMS, epsilons=epsilons)
    times = found["learning_time"].sel(epsilon=list(epsilons)).values[:, 0]
    gap = float(np.abs(times / np.array(list(setting.TABLE.values())) - 1.0).max())
    return [close("times of `timescales` against the table, largest relative error",
                  "Theorem 1 (derived)", 0.0, gap, 1e-4)]  # fmt: skip
