"""Fig. 6: laws P_A of the output weights for which the order of learning is not canonical."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from netphase._types import Array
from netphase.analysis import fit_power_law
from netphase.dynamics import output_atoms
from netphase.reproductions.berthier2023 import setting
from netphase.reproductions.berthier2023.drawing import law_times
from netphase.reproductions.berthier2023.flows import COARSE, Flow, flow
from netphase.reproductions.check import Check, at_least, close, every
from netphase.reproductions.reproduction import Size, Stage
from netphase.reproductions.runs import in_parallel

PARTICLES: dict[Size, int] = {"smoke": 1000, "small": 4000, "paper": 4000}
"""Quantiles that stand for a density; the reference numbers are of 4000."""

EPSILONS = (1e-4, 1e-6, 1e-8)
ATOMIC = (1e-4, 1e-6, 1e-8, 1e-10, 1e-12)
GAUSSIAN = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
"""ε of densities, of laws with few atoms, and of the normal law."""

END = 5.0

OPPOSITE = (*setting.PHI[:3], -setting.PHI[3])
"""φ with the sign of degree 3 turned, so that σ_3φ_3 and σ_1φ_1 have opposite signs."""

RATIOS = {1e-4: 1.22, 1e-6: 1.06, 1e-8: 1.03}
"""ε → t_3/t_2, uniform P_A: derived, with 4000 particles."""

OPPOSITE_RATIO, OPPOSITE_WITHIN = 5.5, 1.05
"""t_3/t_2 with the sign turned, from 4.5 to 6.5, rounded to one digit: derived."""

EDGE, CARRIED, EDGE_SHARE = 1e-6, 0.8, 0.017
"""At this ε, 80 % of ⟨a s²⟩ were seen to be carried by 1.7 % of the neurons: derived."""

LARGEST_OVERLAP = 0.4
"""There max |s| was seen to be about that: derived."""

RADEMACHER = (0.1435, 0.264)
"""t_2 and t_3 of two atoms as ε → 0: derived."""

GAUSSIAN_SLOPE = 0.30
"""Exponent of t_2 for N(0, 1), ε from 1e-3 to 1e-7: derived."""

CONSTANT = 0.34
"""t_1 of a constant P_A: derived."""

FLAT, QUARTER_WITHIN = 0.02, 0.02
WHERE = "P_A without enough atoms (derived)"
DENSE = "P_A with a density (derived)"


@dataclass(frozen=True)
class Law:
    """Runs of one P_A.

    Attributes:
        name: for the legend.
        flows: one an ε, from the largest.
    """

    name: str
    flows: list[Flow]

    @property
    def epsilons(self) -> Array:
        """ε, shape (n,)."""
        return np.array([each.model.epsilon for each in self.flows])

    @property
    def times(self) -> Array:
        """t_l, shape (n, k)."""
        return np.array([each.times for each in self.flows])

    def exponent(self, degree: int, largest: float = 1.0) -> float:
        """Exponent of t_l over ε up to ``largest``."""
        used = self.epsilons <= largest * 1.01
        return fit_power_law(self.epsilons[used], self.times[used, degree]).exponent


def run(stage: Stage) -> list[Check]:
    """The base case from other P_A: two and three atoms, one number, densities as quantiles.

    Inputs: uniform of variance 1 and N(0, 1) as 4000 quantiles of equal weight (smoke: 1000).
    """
    count = PARTICLES[stage.size]
    uniform = output_atoms(f"uniform:{count}").atoms
    gaussian = output_atoms(f"gaussian:{count}").atoms
    laws = {
        "four": _law("4 atoms", setting.ATOMS, ATOMIC),
        "three": _law("3 atoms", setting.THREE_ATOMS, ATOMIC),
        "two": _law("±1", (-1.0, 1.0), ATOMIC),
        "turned two": _law(r"±1, $\varphi_3$ turned", (-1.0, 1.0), ATOMIC, OPPOSITE),
        "turned four": _law(r"4 atoms, $\varphi_3$ turned", setting.ATOMS, ATOMIC, OPPOSITE),
        "one": _law("constant 1", (1.0,), EPSILONS),
    }
    stage.progress("P_A with a density")
    laws["uniform"] = _law("uniform", uniform, EPSILONS)
    laws["turned uniform"] = _law(r"uniform, $\varphi_3$ turned", uniform, EPSILONS, OPPOSITE)
    laws["gaussian"] = _law("normal", gaussian, GAUSSIAN)
    stage.save(law_times(laws), "figure6")
    return [
        *_two(laws["two"], laws["turned two"]),
        *_three(laws["three"]),
        *_one(laws["one"]),
        *_turned_four(laws["turned four"]),
        *_uniform(laws["uniform"], laws["turned uniform"]),
        *_edge(laws["uniform"]),
        close("N(0, 1): exponent of t_2, ε = 1e-3 to 1e-7", DENSE, GAUSSIAN_SLOPE,
              laws["gaussian"].exponent(2), 0.03),
    ]  # fmt: skip


def _law(
    name: str,
    atoms: Array | tuple[float, ...],
    epsilons: tuple[float, ...],
    target: tuple[float, ...] = setting.PHI,
) -> Law:
    near = COARSE if len(atoms) > 100 else None

    def solve(epsilon: float) -> Flow:
        return flow(epsilon, END, atoms=atoms, target=target, near=near)

    return Law(name, in_parallel(solve, epsilons))


def groups_floor(target: Array, groups: int = 2) -> float:
    """The least risk of neurons in one or two groups, infimum over their places and weights.

    With two groups it is approached as they meet, with opposite output weights without end.

    Args:
        target: φ_k; σ_k = 1.
        groups: 1 or 2.

    Returns:
        The infimum.
    """
    from scipy.optimize import minimize

    power = np.arange(len(target))

    def rest(s: Array) -> float:
        columns = [s[0] ** power]
        if groups == 2:
            # divided difference: the span of both groups, also where they meet
            columns.append(
                np.array([sum(s[0] ** i * s[1] ** (k - 1 - i) for i in range(k)) for k in power])
            )
        basis = np.linalg.qr(np.array(columns, dtype=np.float64).T)[0]
        return 0.5 * float(np.sum((target - basis @ (basis.T @ target)) ** 2))

    grid = np.linspace(-0.95, 0.95, 39)
    starts = np.array(np.meshgrid(*[grid] * groups)).reshape(groups, -1).T
    best = starts[int(np.argmin([rest(each) for each in starts]))]
    bounds = [(-1.0, 1.0)] * groups
    options = {"xatol": 1e-10, "fatol": 1e-16}
    found = minimize(rest, best, method="Nelder-Mead", bounds=bounds, options=options)
    return float(found.fun)


def _two(law: Law, turned: Law) -> list[Check]:
    """Two atoms: degrees 2 and 3 at times of order one, and a rest that two groups cannot learn."""
    small = law.times[law.epsilons <= 1.01e-6]
    floor = groups_floor(np.array(setting.PHI))
    above = np.array([each.solution.risk[-1] for each in law.flows]) - floor
    never = sum(bool(np.isnan(each.times[3])) for each in turned.flows)
    return [
        *(
            close(f"±1: t_{degree} at ε = 1e-6 and below, the farthest", WHERE, expected,
                  float(small[np.abs(small[:, degree] - expected).argmax(), degree]), 1e-3)
            for degree, expected in zip((2, 3), RADEMACHER, strict=True)
        ),
        *(
            close(f"±1: exponent of t_{degree}", WHERE, 0.0, law.exponent(degree, 1e-6), FLAT)
            for degree in (2, 3)
        ),
        close(f"±1: risk at t = {END:g}, ε = {law.epsilons[-1]:.0e}: the infimum of two groups",
              WHERE, floor, float(law.flows[-1].solution.risk[-1]), 1e-3 * floor),
        close("±1: exponent of the risk over that infimum", WHERE, 0.5,
              fit_power_law(law.epsilons, above).exponent, FLAT),
        every(f"±1, sign of φ_3 turned: degree 3 is not learnt by t = {END:g}", WHERE, never,
              len(turned.flows)),
    ]  # fmt: skip


def _three(law: Law) -> list[Check]:
    """Three atoms: degree 2 as ever, degree 3 at a time of order one."""
    span = "ε = 1e-8 to 1e-12"
    return [
        close(f"three atoms: exponent of t_2, {span}", WHERE, 0.25, law.exponent(2, 1e-8),
              QUARTER_WITHIN),
        close(f"three atoms: exponent of t_3, {span}", WHERE, 0.0, law.exponent(3, 1e-8), FLAT),
    ]  # fmt: skip


def _one(law: Law) -> list[Check]:
    """A constant P_A: all neurons stay one."""
    floor = groups_floor(np.array(setting.PHI), 1)
    rest = law.flows[-1].solution.risk[-1]
    return [
        close(f"constant P_A (1): t_1 at ε = {law.epsilons[-1]:.0e}", WHERE, CONSTANT,
              float(law.times[-1, 1]), 0.01),
        close("constant P_A: exponents of t_1 and t_2, the larger", WHERE, 0.0,
              max(law.exponent(1), law.exponent(2), key=abs), FLAT),
        close(f"constant P_A: risk at t = {END:g}: the least of one neuron", WHERE, floor,
              float(rest), 1e-6 * floor),
    ]  # fmt: skip


def _turned_four(law: Law) -> list[Check]:
    """A turned sign does not block degree 3 where degree 2 is there; it first grows, though."""
    part = [np.abs(each.solution.residuals[:, 3] / OPPOSITE[3]).max() for each in law.flows]
    learnt = sum(bool(np.isfinite(each.times[3])) for each in law.flows)
    return [
        every(f"4 atoms, sign of φ_3 turned: degree 3 is learnt by t = {END:g}",
              "sign rule (derived)", learnt, len(law.flows)),
        at_least("and moves against the target before: |ρ_3|/|φ_3|, the least of the largest",
                 "F2 (derived)", 1.0 + 1e-3, float(min(part))),
    ]  # fmt: skip


def _uniform(law: Law, turned: Law) -> list[Check]:
    """A density: degree 3 comes right after degree 2, unless signs hold it back."""
    ratio, other = law.times[:, 3] / law.times[:, 2], turned.times[:, 3] / turned.times[:, 2]
    checks = [
        close(f"uniform: t_3/t_2 at ε = {epsilon:.0e}", DENSE, RATIOS[epsilon], float(found), 0.03)
        for epsilon, found in zip(law.epsilons, ratio, strict=True)
    ]
    checks += [
        close(f"uniform: exponent of t_{degree}, ε = 1e-6 to 1e-8", DENSE, 0.25,
              law.exponent(degree, 1e-6), 0.03)
        for degree in (2, 3)
    ]  # fmt: skip
    checks += [
        close(f"uniform, sign of φ_3 turned: t_3/t_2 at ε = {epsilon:.0e}", DENSE, OPPOSITE_RATIO,
              float(found), OPPOSITE_WITHIN)
        for epsilon, found in zip(turned.epsilons, other, strict=True) if epsilon < 1e-5
    ]  # fmt: skip
    return checks


def carriers(contribution: Array, part: float = CARRIED) -> float:
    """The smallest share of neurons that carry a part of a sum.

    Args:
        contribution: one a neuron, of a positive sum, shape (m,).
        part: of the sum.

    Returns:
        The share, in (0, 1].
    """
    ordered = np.sort(contribution)[::-1]
    enough = np.cumsum(ordered) >= part * contribution.sum()
    return float((1 + np.argmax(enough)) / len(ordered))


def shares(each: Flow) -> tuple[float, float]:
    """Share of the neurons that carry 80 % of ⟨a s²⟩, and max |s|, when degree 2 is half learnt."""
    solution = each.solution
    row = int(np.abs(solution.time - each.times[2]).argmin())
    return carriers(solution.a[row] * solution.s[row] ** 2), float(np.abs(solution.s[row]).max())


def _edge(law: Law) -> list[Check]:
    """Few neurons, those at the edge of P_A, learn degree 2."""
    where = "Gerbelot & Mourrat (2026); derived"
    found = [shares(each) for each in law.flows]
    share, overlap = found[int(np.abs(np.log(law.epsilons / EDGE)).argmin())]
    falls = sum(b[0] < a[0] for a, b in pairwise(found))
    last = law.flows[-1]
    rms = last.at(last.times[2], last.solution.rms_s)
    return [
        close(f"uniform, ε = {EDGE:.0e}: share of the neurons that carry 80 % of ⟨a s²⟩ at t_2",
              where, EDGE_SHARE, share, 2e-3),
        every("this share falls with ε", where, falls, len(found) - 1),
        close(f"uniform, ε = {EDGE:.0e}: max |s| there", DENSE, LARGEST_OVERLAP, overlap, 0.05),
        at_least(f"uniform, ε = {law.epsilons[-1]:.0e}: max |s| over rms s there", where, 5.0,
                 found[-1][1] / rms),
    ]  # fmt: skip
