"""Fig. 12: staircases of several directions, z1 + z1 z2 and z1 + z1 z2 + z1 z2 z3 (section 7.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netphase._types import Array
from netphase.analysis import fit_power_law
from netphase.dynamics import MultiIndexOverlaps, MultiIndexSolution
from netphase.reproductions.berthier2023 import setting
from netphase.reproductions.berthier2023.drawing import directions
from netphase.reproductions.check import Check, at_most, close, every
from netphase.reproductions.reproduction import Size, Stage
from netphase.reproductions.runs import in_parallel

EPSILONS: dict[Size, tuple[float, ...]] = {
    "smoke": (1e-9, 1e-10, 1e-11),
    "small": (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12),
    "paper": (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13),
}
ENOUGH = (-1.8, -1.3, -0.8, -0.3, 0.2, 0.7, 1.1, 1.6)
"""P_A: eight equal atoms, more than the monomials below the third step."""

END, RTOL = 2.0, 1e-6
ROWS = 1500
SECOND_FROM, THIRD_FROM = 1e-9, 1e-10
"""ε from which on the exponents of the second and third step are fitted."""

SECOND_MEASURED = (0.253, 0.004)
"""Exponent of the second step between ε = 1e-9 and 1e-10, middle and half of its range: derived."""

WITHIN, THIRD_WITHIN = 0.01, 0.03
WHERE = "several directions (derived)"
LEAPS = {"z1 + z2*z3": (1, 2), "z1 + z1*z2*z3": (1, 2)}
"""Targets with a leap of two → directions that cannot be reached from s = 0."""


@dataclass(frozen=True)
class Staircase:
    """Runs of one target and P_A.

    Attributes:
        label: for the figure.
        epsilons: ε, decreasing, shape (n,).
        solutions: one an ε.
        steps: exponents of the monomials, in their order.
    """

    label: str
    epsilons: Array
    solutions: list[MultiIndexSolution]
    steps: tuple[tuple[int, ...], ...]

    @property
    def times(self) -> Array:
        """Last times at which half of each monomial is left, shape (n, steps)."""
        return np.array(
            [[one.term_crossing_times[one.term(*alpha)] for alpha in self.steps]
             for one in self.solutions]
        )  # fmt: skip

    def exponent(self, step: int, largest: float, smallest: float = 0.0) -> float:
        """Exponent of the time of a step over a range of ε."""
        used = (self.epsilons <= 1.01 * largest) & (self.epsilons >= 0.99 * smallest)
        return fit_power_law(self.epsilons[used], self.times[used, step]).exponent


def run(stage: Stage) -> list[Check]:
    """Times of the monomials of two staircases, and what a leap of two hides.

    Inputs: σ_k = 1 for k ≤ 3, the four atoms of Fig. 1 and eight others; d = ∞.
    """
    epsilons = EPSILONS[stage.size]
    two = (1, 0), (1, 1)
    three = (1, 0, 0), (1, 1, 0), (1, 1, 1)
    second = _staircase("two steps, 4 atoms", "z1 + z1*z2", two, setting.ATOMS, epsilons)
    third = _staircase("three steps, 8 atoms", "z1 + z1*z2 + z1*z2*z3", three, ENOUGH, epsilons)
    few = _staircase("three steps, 4 atoms", "z1 + z1*z2 + z1*z2*z3", three, setting.ATOMS,
                     epsilons)  # fmt: skip
    stage.save(directions([second, third, few]), "figure12")
    return [*_second(second), *_third(third, few), *_leaps()]


def _staircase(
    label: str,
    target: str,
    steps: tuple[tuple[int, ...], ...],
    atoms: tuple[float, ...],
    epsilons: tuple[float, ...],
) -> Staircase:
    def solve(epsilon: float) -> MultiIndexSolution:
        model = MultiIndexOverlaps(epsilon, setting.SIGMA, target, atoms)
        return model.solve(times=np.geomspace(epsilon, END, ROWS), rtol=RTOL)

    return Staircase(label, np.array(epsilons), in_parallel(solve, epsilons), steps)


def _second(found: Staircase) -> list[Check]:
    middle, half = SECOND_MEASURED
    last = found.epsilons[-1]
    return [
        close("z1 + z1 z2: exponent of the second step, ε = 1e-9 to 1e-10", WHERE, middle,
              found.exponent(1, 1e-9, 1e-10), half),
        close(f"z1 + z1 z2: exponent of the second step, ε = 1e-9 to {last:.0e}", WHERE, 0.25,
              found.exponent(1, SECOND_FROM), WITHIN),
        at_most(f"z1 + z1 z2: risk at t = {END:g}", WHERE, 1e-4,
                float(np.max([one.risk[-1] for one in found.solutions]))),
    ]  # fmt: skip


def _third(found: Staircase, few: Staircase) -> list[Check]:
    """Total degree sets the exponent, where atoms are enough."""
    rising = sum(bool(np.all(np.diff(row) > 0.0)) for row in found.times)
    last = found.epsilons[-1]
    return [
        every("z1 + z1 z2 + z1 z2 z3: the steps come in their order", WHERE, rising,
              len(found.times)),
        close(f"8 atoms: exponent of the third step, ε = 1e-10 to {last:.0e}", WHERE, 1 / 6,
              found.exponent(2, THIRD_FROM), THIRD_WITHIN),
        close(f"4 atoms: exponent of the third step, ε = 1e-10 to {last:.0e}", WHERE, 0.0,
              few.exponent(2, THIRD_FROM), THIRD_WITHIN),
    ]  # fmt: skip


def _leaps() -> list[Check]:
    """A direction that no product with a learnt one holds keeps its overlaps of zero."""
    checks = []
    for target, hidden in LEAPS.items():
        model = MultiIndexOverlaps(1e-8, setting.SIGMA, target, ENOUGH)
        found = model.solve(end=10.0, rtol=RTOL)
        words = f"{target.replace('*', ' ')}: largest overlap with z2 and z3 up to t = 10"
        size = float(np.abs(found.s[..., hidden]).max())
        checks.append(at_most(words, WHERE, 0.0, size))
    return checks
