"""Figs 1, 2 and 5: the staircase of the risk, its residuals, and how the neurons grow."""

from __future__ import annotations

import math

import numpy as np

from netphase._types import Array
from netphase.dynamics import stage_exponents
from netphase.figures import degree_residuals, growth, risk_staircase
from netphase.observables import Plateau, find_plateaus
from netphase.reproductions.berthier2023 import setting
from netphase.reproductions.berthier2023.flows import Flow, base_study, flow
from netphase.reproductions.check import Check, close, every
from netphase.reproductions.reproduction import Stage
from netphase.reproductions.runs import in_parallel

END = 3.0

APART = {1: 1e-4, 2: 1e-8, 3: 1e-9}
"""Degree → ε from which on a plateau before it was seen: derived."""

HEIGHT_WITHIN = 0.06
"""Relative error of the height of a plateau, which the next stage tilts."""

START = 0.5 * (1.0 - 0.025) ** 2 + setting.PLATEAUS[0]
"""Risk at the start, where ⟨a⟩ = 0.025: exact."""

SMALLEST = (1e-12, 1e-13)
"""ε between which the exponents of sizes are taken."""

EXPONENT_WITHIN, LEVEL_WITHIN = 0.02, 0.03

WHERE = "canonical learning order"


def run(stage: Stage) -> list[Check]:
    """The base case from ε = 1e-4 to 1e-13.

    Inputs: σ_k = 1 for k ≤ 3, φ = (1, −1, 2/3, −1/3), four equal atoms; mean field, d = ∞.
    """
    epsilons = setting.STAIRCASE[stage.size]
    flows = in_parallel(lambda epsilon: flow(epsilon, END), epsilons)
    study = base_study(epsilons, END)
    stage.save(risk_staircase(study), "figure1")
    stage.save(degree_residuals(study), "figure2")
    stage.save(growth(study), "figure5")
    smallest = in_parallel(lambda epsilon: flow(epsilon, END), SMALLEST)
    return [*_heights(flows), *_order(flows), *_growth(smallest)]


def steps(each: Flow) -> dict[int, Plateau]:
    """The plateaus of the risk that are seen, by the number of degrees that are learnt there."""
    solution, heights = each.solution, (START, *setting.PLATEAUS)
    found = find_plateaus(solution.time, solution.risk, noise=0.0).plateaus
    nearest = [int(np.abs(np.log(np.array(heights) / one.height)).argmin()) for one in found]
    return {
        count: one
        for count, one in zip(nearest, found, strict=True)
        if abs(one.height / heights[count] - 1.0) <= HEIGHT_WITHIN
    }


def _heights(flows: list[Flow]) -> list[Check]:
    """How high plateaus are at the smallest ε, and from which ε on they are seen."""
    seen = [steps(each) for each in flows]
    last = flows[-1].model.epsilon
    checks = [close("risk at the start", WHERE, START, float(flows[0].solution.risk[0]), 1e-9)]
    for count, height in enumerate(setting.PLATEAUS, start=1):
        found = seen[-1].get(count)
        checks.append(
            close(
                f"plateau behind degree {count - 1} at ε = {last:.0e}: ½ Σ φ_k² over k ≥ {count}",
                WHERE,
                height,
                math.nan if found is None else found.height,
                HEIGHT_WITHIN * height,
            )
        )
    for degree, limit in APART.items():
        cases = [each for each in flows if each.model.epsilon <= limit]
        apart = sum(bool(each.start[degree] > each.end[degree - 1]) for each in cases)
        held = [each.model.epsilon for one, each in zip(seen, flows, strict=True) if degree in one]
        where = f"from {max(held):.0e} on" if held else "at no ε"
        checks.append(
            every(
                f"the windows of degrees {degree - 1} and {degree} are apart for ε ≤ {limit:.0e} "
                f"(a plateau of a quarter of a decade between them is found {where})",
                f"{WHERE} (derived)",
                apart,
                len(cases),
            )
        )
    return checks


def _order(flows: list[Flow]) -> list[Check]:
    """F2: degrees in their order, by the last crossing of half of the coefficient."""
    held = sum(bool(np.all(np.diff(each.times) > 0.0)) for each in flows)
    learnt = sum(bool(np.all(np.abs(each.solution.residuals[-1]) < 0.1)) for each in flows)
    falls = sum(each.solution.largest_rise < 1e-12 for each in flows)
    return [
        every("degrees 0 to 3 are learnt in their order", WHERE, held, len(flows)),
        every(f"all of them by t = {END:g}", WHERE, learnt, len(flows)),
        every("the risk never rises", "gradient flow", falls, len(flows)),
    ]


def _growth(flows: list[Flow]) -> list[Check]:
    """F5: sizes of a and s when a degree is learnt, and on the plateau behind degree 1."""
    step = math.log(SMALLEST[1] / SMALLEST[0])
    a = np.array([_at_times(each, each.solution.rms_a) for each in flows])
    s = np.array([_at_times(each, each.solution.rms_s) for each in flows])
    checks = []
    for degree in setting.DEGREES[1:]:
        theory = stage_exponents(degree)
        for name, values, expected in (("a", a, theory.amplitude), ("s", s, theory.overlap)):
            checks.append(
                close(
                    f"rms {name} at t_{degree}: exponent from ε = {SMALLEST[0]:.0e} on",
                    "Theorem 1, section 6.5",
                    expected,
                    float(np.log(values[1, degree] / values[0, degree]) / step),
                    EXPONENT_WITHIN,
                )
            )
    last, middle = flows[-1], math.sqrt(flows[-1].times[1] * flows[-1].times[2])
    for name, values, sign in (("a", last.solution.rms_a, 1), ("s", last.solution.rms_s, -1)):
        level = last.at(middle, values) * last.model.epsilon ** (sign / 4)
        checks.append(
            close(
                f"plateau behind degree 1: rms {name} over ε^{-sign}/4 |φ_1/σ_1|^½",
                "degree 1 (derived)",
                1.0,
                level,
                LEVEL_WITHIN,
            )
        )
    return checks


def _at_times(each: Flow, values: Array) -> list[float]:
    return [each.at(time, values) for time in each.times]
