"""F10 at η = γ/d: SGD beside the flow that has the noise of its steps, and the one that has not."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from netphase import hermite
from netphase._types import Array
from netphase.dynamics import ExactOverlaps, NoisyOverlaps, Overlaps, ProjectedSGD
from netphase.reproductions.berthier2023.sgd_figures import Noise, noises
from netphase.reproductions.check import Check, at_least, at_most, close
from netphase.reproductions.reproduction import Size, Stage
from netphase.reproductions.runs import average, in_parallel

SCALE = math.sqrt(0.5)
"""σ = φ = erf(z/√2): the averages of the noise are in closed form."""

WIDTH, EPSILON, GAMMA, NOISE = 10, 1.0, 1.0, 0.3
"""m, ε, γ, and the standard deviation τ of the label noise."""

INPUTS = (100, 400)
SEEDS: dict[Size, int] = {"smoke": 16, "small": 200, "paper": 1000}
TIMES = np.linspace(0.2, 4.0, 20)

FACTOR, FACTOR_WITHIN = 2.0, 0.5
"""By what the risk of the flow without noise is too low at the last time."""


def run(stage: Stage) -> list[Check]:
    """Runs of SGD and both flows, each from the same starts."""
    stage.progress("SGD with steps of the order 1/d")
    panels = {inputs: _panel(inputs, SEEDS[stage.size]) for inputs in INPUTS}
    means = {
        d: Noise(TIMES, each.runs, each.noisy.mean(axis=0), each.flow.mean(axis=0))
        for d, each in panels.items()
    }
    stage.save(noises(means, GAMMA), "figure10_noise")
    return [check for inputs, panel in panels.items() for check in _checks(inputs, panel)]


def _panel(inputs: int, seeds: int) -> Noise:
    """Risks of all seeds, of SGD and of both flows."""
    sigma = hermite.erf(SCALE)
    sgd = ProjectedSGD(sigma, sigma, EPSILON, rate=GAMMA / inputs, inputs=inputs, noise=NOISE).run(
        WIDTH, TIMES, seeds=range(seeds)
    )
    noisy = NoisyOverlaps(sigma, sigma, EPSILON, GAMMA, noise=NOISE)
    flow = ExactOverlaps(sigma, sigma, EPSILON)
    starts = [flow.initial(WIDTH, inputs, seed=seed) for seed in range(seeds)]
    both = [np.array(in_parallel(partial(_risk, each), starts)) for each in (noisy, flow)]
    return Noise(TIMES, sgd.risk, *both)


def _risk(dynamics: ExactOverlaps, start: Overlaps) -> Array:
    return dynamics.solve(start, TIMES).risk


def _checks(inputs: int, panel: Noise) -> list[Check]:
    """The last time, where the flows differ most, and all times."""
    apart = panel.runs - panel.noisy
    error = apart.std(axis=0, ddof=1) / math.sqrt(len(apart))
    sizes = np.abs(apart.mean(axis=0)) / error
    where = f"η = {GAMMA:g}/d, d = {inputs}"
    last, last_error = average(panel.runs[:, -1])
    noisy, flow = float(panel.noisy[:, -1].mean()), float(panel.flow[:, -1].mean())
    return [
        at_most(
            f"|R_SGD − R_noisy| at t = 4, {where}, R = {last:.5f} ± {last_error:.5f} and "
            f"{noisy:.5f}, paired, in s.e.",
            "section 4",
            2.0,
            float(sizes[-1]),
        ),
        at_most(
            f"the same, mean over t = 0.2 to 4, {where}", "section 4", 2.0, float(sizes.mean())
        ),
        close(
            f"R_SGD over R_flow at t = 4, {where}",
            "section 4",
            FACTOR,
            last / flow,
            FACTOR_WITHIN,
            last_error / flow,
        ),
        at_least(
            f"R_SGD − R_flow at t = 4, {where}, in s.e.",
            "section 4",
            10.0,
            (last - flow) / average(panel.runs[:, -1] - panel.flow[:, -1])[1],
        ),
    ]
