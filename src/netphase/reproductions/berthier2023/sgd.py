"""F10: projected one-pass SGD beside the gradient flow from the same start.

As the rate η falls at fixed d, the risk comes nearer to the flow's as √η; at a fixed ηd all numbers
of inputs share one curve against n/d, so that n ∝ d samples learn what the flow learns.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from netphase import hermite
from netphase._types import Array
from netphase.analysis import fit_power_law
from netphase.dynamics import ExactOverlaps, ProjectedSGD, SGDEnsemble
from netphase.observables import last_crossing
from netphase.reproductions.berthier2023 import setting
from netphase.reproductions.berthier2023.sgd_figures import Collapse, Convergence, descents
from netphase.reproductions.check import Check, close, every
from netphase.reproductions.reproduction import Size, Stage
from netphase.reproductions.runs import average, in_parallel

SHIFT, WIDTH, EPSILON, END = 0.5, 30, 0.2, 2.0
"""Shift of the ReLU, m, ε, and the last time; rates are compared for σ = ReLU(z + ½), numbers of
inputs for the base case, since that ReLU is stuck at half of degree 2, in the flow too."""

INPUTS = 40
PRINTED = {4e-3: 0.171, 1e-3: 0.096, 2.5e-4: 0.062, 6.25e-5: 0.032}
"""η → largest |R_SGD − R_flow| of one run, d = 40: derived, three digits."""

FINER = 1.5625e-5
SMALL_STEP = 0.05
"""From ηd = 0.05 down the distance follows √η; above, the drift of the noise adds to it."""

SLOPE, SLOPE_WITHIN = 0.5, 0.1

MANY_INPUTS: dict[Size, tuple[int, ...]] = {
    "smoke": (40, 100, 200),
    "small": (40, 100, 200, 400),
    "paper": (40, 100, 200, 400, 800),
}
GAMMA, BRIEF = 0.01, 1.0
"""ηd, the same for all numbers of inputs, and the last time there. At ηd = 0.04 single samples of a
cubic σ already throw a learnt degree back."""

SEEDS: dict[Size, int] = {"smoke": 16, "small": 64, "paper": 256}
ROWS: dict[Size, int] = {"smoke": 50, "small": 200, "paper": 200}

DEGREES = (1, 2)
"""Degrees whose samples are counted."""


class Runs(NamedTuple):
    """Runs of SGD beside the flow from the same starts.

    Attributes:
        ensemble: the runs.
        flow: risk of the flow at the same times, shape (seed, k).
    """

    ensemble: SGDEnsemble
    flow: Array

    @property
    def distance(self) -> Array:
        """Largest |R_SGD − R_flow| of each seed, shape (seed,)."""
        return np.asarray(np.abs(self.ensemble.risk - self.flow).max(axis=1))


def run(stage: Stage) -> list[Check]:
    """SGD at falling rates, and at a fixed ηd for several d."""
    stage.progress("SGD at several rates")
    ramp = ExactOverlaps(hermite.relu(SHIFT), setting.PHI, EPSILON)
    flow = _flow(ramp, stage.size, INPUTS, END)
    rates = [*PRINTED, FINER]
    runs = {rate: Runs(_descend(ramp, stage.size, INPUTS, rate, END), flow) for rate in rates}
    stage.progress("SGD at several numbers of inputs")
    base = ExactOverlaps(setting.SIGMA, setting.PHI, EPSILON)
    many = {
        d: Runs(_descend(base, stage.size, d, GAMMA / d, BRIEF), _flow(base, stage.size, d, BRIEF))
        for d in MANY_INPUTS[stage.size]
    }
    counts = {d: _samples(each.ensemble, d) for d, each in many.items()}
    stage.save(descents(_convergence(runs), _collapse(many, counts)), "figure10")
    return [*_convergence_checks(runs), *_collapse_checks(many, counts)]


def _flow(dynamics: ExactOverlaps, size: Size, inputs: int, end: float) -> Array:
    times = np.linspace(0.0, end, ROWS[size] + 1)[1:]

    def risk(seed: int) -> Array:
        start = dynamics.initial(WIDTH, inputs, seed=seed)
        return dynamics.solve(start, times, rtol=1e-5).risk

    return np.array(in_parallel(risk, range(SEEDS[size])))


def _descend(
    dynamics: ExactOverlaps, size: Size, inputs: int, rate: float, end: float
) -> SGDEnsemble:
    sgd = ProjectedSGD(
        dynamics.activation, hermite.expand(setting.PHI), EPSILON, rate=rate, inputs=inputs
    )
    times = np.linspace(0.0, end, ROWS[size] + 1)[1:]
    return sgd.run(WIDTH, times, seeds=range(SEEDS[size]))


def _samples(ensemble: SGDEnsemble, inputs: int) -> Array:
    """Samples where |ρ_k| is half of |φ_k| for the last time, shape (seed, degree); NaN: never."""
    table = []
    for a, s in zip(ensemble.a, ensemble.s, strict=True):
        row = []
        for k in DEGREES:
            residual = setting.PHI[k] - setting.SIGMA[k] * np.mean(a * s**k, axis=1)
            part = np.abs(residual / setting.PHI[k])
            time = last_crossing(ensemble.times, part, 0.5).time if part[-1] < 0.5 else np.nan
            row.append(time * inputs / GAMMA)
        table.append(row)
    return np.array(table)


def _convergence(runs: dict[float, Runs]) -> Convergence:
    return Convergence(
        rates=np.array(list(runs)),
        distances=np.array([each.distance for each in runs.values()]),
        printed=PRINTED,
        runs=[(each.ensemble.times, each.ensemble.risk) for each in runs.values()],
        flow=next(iter(runs.values())).flow,
        inputs=INPUTS,
    )


def _collapse(many: dict[int, Runs], counts: dict[int, Array]) -> Collapse:
    return Collapse(
        curves={d: (each.ensemble.times / GAMMA, each.ensemble.risk) for d, each in many.items()},
        samples=counts,
        degrees=DEGREES,
    )


def _convergence_checks(runs: dict[float, Runs]) -> list[Check]:
    """√η, and the four printed numbers, each of which is one run."""
    from scipy.stats import t

    checks = []
    for rate, value in PRINTED.items():
        found = runs[rate].distance
        count, (mean, error) = len(found), average(found)
        half = t.ppf(0.975, count - 1) * float(np.std(found, ddof=1)) * math.sqrt(1 + 1 / count)
        claim = f"largest |R_SGD − R_flow|, η = {rate:g}: one run, where 95 % of ours lie"
        checks.append(close(claim, "section 4", value, mean, half, error))
    rates = np.array([rate for rate in runs if rate * INPUTS < SMALL_STEP])
    table = np.array([runs[rate].distance for rate in rates]).T
    fit = fit_power_law(rates, table)
    claim = f"power of η in it, η = {rates.max():g} to {rates.min():g}, d = {INPUTS}"
    checks.append(close(claim, "F10", SLOPE, fit.exponent, SLOPE_WITHIN, fit.standard_error))
    return checks


def _collapse_checks(many: dict[int, Runs], counts: dict[int, Array]) -> list[Check]:
    inputs = np.array(list(many), dtype=np.float64)
    where = f"ηd = {GAMMA:g}, d = {inputs[0]:.0f} to {inputs[-1]:.0f}"
    checks = []
    for column, degree in enumerate(DEGREES):
        table = np.array([counts[d][:, column] for d in many]).T
        fit = fit_power_law(inputs, table)
        claim = f"power of d in the samples that learn degree {degree}, {where}"
        checks.append(close(claim, "F10, section 4", 1.0, fit.exponent, 0.1, fit.standard_error))
    learnt = [bool(np.isfinite(row).all()) for rows in counts.values() for row in rows]
    checks.append(
        every(f"degrees 1 and 2 learnt with n = {BRIEF / GAMMA:.0f} d samples", "section 4",
              sum(learnt), len(learnt))
    )  # fmt: skip
    row = int(np.argmin(np.abs(next(iter(many.values())).ensemble.times - BRIEF / 2)))
    fit = fit_power_law(inputs, np.array([each.ensemble.risk[:, row] for each in many.values()]).T)
    claim = f"power of d in the risk after n = {BRIEF / GAMMA / 2:.0f} d samples, {where}"
    checks.append(close(claim, "F10", 0.0, fit.exponent, 0.05, fit.standard_error))
    return checks
