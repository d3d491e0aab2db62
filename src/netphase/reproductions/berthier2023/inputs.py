"""Fig. 9: finitely many inputs, whose random overlaps give degree 1 a start."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from netphase._types import Array
from netphase.dynamics import MeanFieldOverlaps, degree_one_time
from netphase.reproductions.berthier2023 import setting
from netphase.reproductions.berthier2023.drawing import first_times
from netphase.reproductions.check import Check, at_most, close
from netphase.reproductions.reproduction import Size, Stage
from netphase.reproductions.runs import average, in_parallel
from netphase.seeds import Stream, generator

INPUTS = (100, 1000, 10_000, 100_000, 1_000_000)
EPSILONS: dict[Size, tuple[float, ...]] = {
    "smoke": (1e-6, 1e-8),
    "small": (1e-4, 1e-6, 1e-8, 1e-10),
    "paper": (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10),
}
NEURONS: dict[Size, int] = {"smoke": 1000, "small": 2000, "paper": 4000}
"""A multiple of the four atoms."""

SEEDS: dict[Size, int] = {"smoke": 8, "small": 20, "paper": 40}

VALID, ACCURACY = 0.01, 0.02
"""The formula holds while (√ε V + 1/(d√ε)) |σ_1/φ_1| is small: to 2 % where that is below 1 %."""

MEASURED, FORMULA = 2.95e-3, 2.93e-3
"""t_1 at ε = 1e-6 and d = 1e5: derived; the first is one run of unknown width, and runs of 1000
neurons scatter by 1 %."""

UNBOUND = 3.98e-3
"""The formula at ε = 1e-6 with infinitely many inputs: derived."""

OFF = 0.15
"""Part by which the formula was seen to be off at ε = 1e-6 and d = 1000: derived."""

WHERE = "degree 1 from random overlaps (derived)"


@dataclass(frozen=True)
class Inputs:
    """t_1 at one ε.

    Attributes:
        epsilon: ε.
        inputs: d, shape (n,).
        mean: mean of t_1 over seeds, shape (n,).
        error: its standard error, shape (n,).
    """

    epsilon: float
    inputs: Array
    mean: Array
    error: Array

    @property
    def smallness(self) -> Array:
        """(√ε V + 1/(d√ε)) |σ_1/φ_1|, shape (n,): the formula is for values far below one."""
        root = math.sqrt(self.epsilon)
        return root * float(np.var(setting.ATOMS)) + 1.0 / (self.inputs * root)

    def formula(self, d: float) -> float:
        """t_1 by the formula."""
        sigma, phi = setting.SIGMA[1], setting.PHI[1]
        return degree_one_time(self.epsilon, sigma, phi, float(np.var(setting.ATOMS)), d)

    @property
    def theory(self) -> Array:
        """The formula at each number of inputs, shape (n,); not > 0 far beyond its range."""
        return np.array([self.formula(d) for d in self.inputs])

    def at(self, d: float) -> int:
        """The place of a number of inputs."""
        return int(np.abs(np.log(self.inputs / d)).argmin())


def run(stage: Stage) -> list[Check]:
    """Degree 1 in mean field from overlaps N(0, 1/d), d from 1e2 to 1e6.

    Inputs: the base case, each atom taken by a quarter of 2000 neurons (smoke: 1000, paper:
    4000).
    """
    seeds, count = range(SEEDS[stage.size]), NEURONS[stage.size]
    rows = []
    for epsilon in EPSILONS[stage.size]:
        stage.progress(f"inputs: ε = {epsilon:.0e}")
        cases = [(epsilon, d, seed, count) for d in INPUTS for seed in seeds]
        table = np.array(in_parallel(first_time, cases)).reshape(len(INPUTS), len(seeds))
        mean, error = np.array([average(row) for row in table]).T
        rows.append(Inputs(epsilon, np.array(INPUTS, dtype=np.float64), mean, error))
    stage.save(first_times(rows), "figure9")
    return _checks(rows)


def first_time(case: tuple[float, int, int, int]) -> float:
    """t_1 of one start; arguments ε, d, seed, and the number of neurons."""
    epsilon, d, seed, count = case
    draw = generator(seed, Stream.INPUT_WEIGHTS).standard_normal(count)
    model = MeanFieldOverlaps(
        epsilon,
        np.array(setting.SIGMA),
        np.array(setting.PHI),
        np.repeat(setting.ATOMS, count // len(setting.ATOMS)),
        overlaps=np.clip(draw / math.sqrt(d), -1.0, 1.0),
    )
    end = 3.0 * degree_one_time(epsilon, 1.0, -1.0, float(np.var(setting.ATOMS)))
    return float(model.solve(times=[end], rtol=1e-6).crossing_times[1])


def _checks(rows: list[Inputs]) -> list[Check]:
    base = next(row for row in rows if row.epsilon == 1e-6)
    at = base.at(1e5)
    mean, error = float(base.mean[at]), float(base.error[at])
    return [
        close("ε = 1e-6, d = 1e5: mean of t_1, against the formula", WHERE, FORMULA, mean,
              ACCURACY * FORMULA, error),
        close("ε = 1e-6, d = 1e5: mean of t_1, against a run", WHERE, MEASURED, mean,
              ACCURACY * MEASURED, error),
        close("the formula there", WHERE, FORMULA, base.formula(1e5), 5e-6),
        close("the formula with infinitely many inputs", WHERE, UNBOUND, base.formula(math.inf),
              1e-5),
        _worst(rows),
        close("ε = 1e-6, d = 1000, out of its range: relative error of the formula", WHERE, OFF,
              abs(float(base.mean[base.at(1e3)] / base.formula(1e3)) - 1.0), 0.05),
    ]  # fmt: skip


def _worst(rows: list[Inputs]) -> Check:
    """The largest error of the formula where it should hold."""
    gaps, errors = [], []
    for row in rows:
        kept = row.smallness < VALID
        gaps += list(np.abs(row.mean / row.theory - 1.0)[kept])
        errors += list((row.error / row.theory)[kept])
    worst = int(np.argmax(gaps))
    return at_most(
        f"largest relative error of the formula where (√ε V + 1/(d√ε)) |σ_1/φ_1| < {VALID:g} "
        f"({len(gaps)} pairs of ε and d)",
        WHERE,
        ACCURACY,
        float(gaps[worst]),
        float(errors[worst]),
    )
