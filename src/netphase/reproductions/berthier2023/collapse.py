"""Fig. 4: near the window of each degree the curves of all ε are one, in its own time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from netphase._types import Array
from netphase.dynamics import degree_one_residual, stage_exponents
from netphase.figures import rescaled_risk
from netphase.reproductions.berthier2023 import setting
from netphase.reproductions.berthier2023.drawing import distances
from netphase.reproductions.berthier2023.flows import Flow, base_study, flow
from netphase.reproductions.check import Check, at_most, every
from netphase.reproductions.reproduction import Size, Stage
from netphase.reproductions.runs import in_parallel

END = 3.0

EPSILONS: dict[Size, tuple[float, ...]] = {
    "smoke": tuple(10.0**-k for k in range(6, 14)),
    "small": tuple(10.0**-k for k in range(6, 15)),
    "paper": tuple(10.0**-k for k in range(6, 17)),
}

FROM = {1: 1e-6, 2: 1e-6, 3: 1e-10}
"""Degree → ε from which on the curves come together; degree 3 passes a crossover before."""

REACH = {0: 4.0, 1: 6.0, 2: 1.5, 3: 1.5}
"""Degree → how far from t_l curves are compared, in its width of ε to a power."""

POINTS = 1201
LOGISTIC, SPREAD = 1e-3, {0: 1e-3, 1: 1e-3, 2: 0.02, 3: 0.05}
"""Errors allowed at ε = 1e-12: of the logistic curve, and between that ε and the next decade."""

WHERE = "sections 3 to 6, in rescaled times"


@dataclass(frozen=True)
class Spread:
    """How far residuals of neighbouring ε lie apart in rescaled time.

    Attributes:
        degree: l.
        epsilons: the smaller ε of each pair, shape (n,).
        distance: largest distance of ρ_l/φ_l around t_l, shape (n,).
    """

    degree: int
    epsilons: Array
    distance: Array


def run(stage: Stage) -> list[Check]:
    """Rescaled residuals of neighbouring decades of ε.

    Inputs: as for Fig. 1, ε = 1e-6 to 1e-14 (smoke: 1e-13, paper: 1e-16).
    """
    epsilons = EPSILONS[stage.size]
    flows = in_parallel(lambda epsilon: flow(epsilon, END), epsilons)
    spreads = [spread(flows, degree) for degree in setting.DEGREES]
    errors = np.array([logistic_error(each) for each in flows])
    stage.save(rescaled_risk(base_study(epsilons, END)), "figure4")
    stage.save(distances(flows, spreads, errors), "figure4-distances")
    return [*_logistic(flows, errors), *_spreads(spreads)]


def rescaled(each: Flow, degree: int) -> tuple[Array, Array]:
    """(t − t_l)/ε^w, w the exponent of the window, and ρ_l/φ_l."""
    scale = each.model.epsilon ** stage_exponents(degree).width
    values = each.solution.residuals[:, degree] / each.model.target[degree]
    return (each.solution.time - each.times[degree]) / scale, values


def spread(flows: list[Flow], degree: int) -> Spread:
    """The distances of curves of neighbouring ε."""
    reach = REACH[degree]
    low = -reach if degree else 0.0  # degree 0 has no time before its window
    where = np.linspace(low, reach, POINTS)
    curves = [np.interp(where, *rescaled(each, degree)) for each in flows]
    distance = [float(np.abs(a - b).max()) for a, b in pairwise(curves)]
    epsilons = np.array([each.model.epsilon for each in flows[1:]])
    return Spread(degree, epsilons, np.array(distance))


def logistic_error(each: Flow) -> float:
    """Largest distance of ρ_1/φ_1 from the logistic curve around t_1."""
    epsilon, time = each.model.epsilon, each.solution.time
    near = np.abs(time - each.times[1]) < REACH[1] * math.sqrt(epsilon)
    curve = degree_one_residual(time[near], epsilon, 1.0, -1.0, float(each.model.atoms.var()))
    return float(np.abs(each.solution.residuals[near, 1] - curve).max())


def _logistic(flows: list[Flow], errors: Array) -> list[Check]:
    epsilons = np.array([each.model.epsilon for each in flows])
    at = int(np.abs(np.log(epsilons / 1e-12)).argmin())
    return [
        at_most(
            "ρ_1 is logistic around t_1: largest error over φ_1 at ε = 1e-12",
            "degree 1 (derived)",
            LOGISTIC,
            float(errors[at]),
        ),
        every(
            "this error falls with every decade of ε",
            "degree 1 (derived)",
            int((np.diff(errors) < 0.0).sum()),
            len(errors) - 1,
        ),
    ]


def _spreads(spreads: list[Spread]) -> list[Check]:
    """Whether distances fall with ε, and how small they are."""
    checks = []
    for each in spreads:
        at = int(np.abs(np.log(each.epsilons / 1e-12)).argmin())
        power = stage_exponents(each.degree).width
        checks.append(
            at_most(
                f"ρ_{each.degree}/φ_{each.degree} against (t − t_{each.degree})/ε^{power:.3g}: "
                "largest distance of ε = 1e-11 and 1e-12",
                WHERE,
                SPREAD[each.degree],
                float(each.distance[at]),
            )
        )
        if each.degree in FROM:
            used = each.distance[each.epsilons < FROM[each.degree] * 1.01]
            checks.append(
                every(
                    f"degree {each.degree}: the distance falls with every decade of ε from "
                    f"{FROM[each.degree]:.0e} on",
                    WHERE,
                    int((np.diff(used) < 0.0).sum()),
                    len(used) - 1,
                )
            )
    return checks
