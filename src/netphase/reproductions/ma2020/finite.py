"""Fig. 3: targets of finitely many neurons, of which each activates one neuron of the student."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from netphase import targets
from netphase.reproductions.check import Check, at_least, at_most, close, untested
from netphase.reproductions.ma2020 import drawing, printed
from netphase.reproductions.ma2020.students import first_below, one_more, spaced, student
from netphase.reproductions.reproduction import Stage
from netphase.reproductions.runs import average, in_parallel

if TYPE_CHECKING:
    import xarray as xr

SEEDS = {"smoke": 4, "small": 20, "paper": 40}
WIDE_SEEDS = {"smoke": 1, "small": 10, "paper": 20}
MANY_SEEDS = {"smoke": 0, "small": 3, "paper": 8}
"""Seeds of the notebook's size, of m = 50, and of 40 neurons."""

INPUTS = 50
"""Fig. 3 states neither d nor the rate; at this d the rate of the notebooks brings the left panel
near the printed iteration."""

LAST, END = 2_000_000, 1e-8
"""Iterations at most, and the loss at which runs end: at that of the notebook, 5e-6, some rivals
are still dying."""

NEAR, QUIET = 0.01, 0.01
"""How far p may be from 1/M, and the largest |p| of a quenched neuron."""

SHARE = 0.9
"""Seeds with exactly M neurons, at least."""

DEGREES = 1.0
"""Largest angle between an activated neuron and the target's."""

WHERE = "Fig. 3 (slide 27)"
NOTEBOOK = "m = 20, d = 19"


def run(stage: Stage) -> list[Check]:
    """Five neurons learnt by 20 and by 50, and 40 neurons by 50.

    Inputs: f* = (1/M) Σ relu(c_k·x), c_k random unit vectors; m = 20, d = 19 at the notebook's
    rate; m = 50, d = 50. Target and student have the same seed.
    """
    small, wide = SEEDS[stage.size], WIDE_SEEDS[stage.size]
    cases = [(printed.NOTEBOOK_WIDTH, seed) for seed in range(small)]
    cases += [(printed.FINITE_WIDTH, seed) for seed in range(wide)]
    runs = in_parallel(lambda case: _five(*case), cases)
    table = {NOTEBOOK: runs[:small], f"m = 50, d = {INPUTS}": runs[small:]}
    shown = {f"M = 5, {title}": found[0] for title, found in table.items()}
    checks = [check for title, found in table.items() for check in _sparse(title, found)]
    checks += _times(table[NOTEBOOK], stage.size)
    many = in_parallel(_many, range(MANY_SEEDS[stage.size]))
    checks += _forty(many)
    if many:
        shown["M = 40, m = 50"] = many[0]
    stage.save(drawing.staircases(shown), "figure3")
    return checks


def _five(width: int, seed: int) -> xr.Dataset:
    """A run until nothing moves any more."""
    narrow = width == printed.NOTEBOOK_WIDTH
    inputs = printed.NOTEBOOK_INPUTS if narrow else INPUTS
    target = targets.finite_neurons(inputs, printed.FINITE_UNITS, seed)
    return student(target, width, seed, printed.NOTEBOOK_RATE, spaced(LAST), loss=END)


def _many(seed: int) -> xr.Dataset:
    """Forty neurons, as long as the figure."""
    target = targets.finite_neurons(INPUTS, printed.MANY_UNITS, seed)
    rate = printed.NOTEBOOK_RATE
    return student(target, printed.FINITE_WIDTH, seed, rate, spaced(printed.MANY_END))


def _forty(runs: list[xr.Dataset]) -> list[Check]:
    """Most neurons at 1/M, some quenched, and a pair that cancels itself."""
    level, end = 1 / printed.MANY_UNITS, f"M = 40, m = 50, iteration {printed.MANY_END:.0e}"
    low, high = printed.MANY_QUENCHED
    claims = (
        f'{end}: neurons at p = 1/M ± 20 % ("most")',
        f'{end}: quenched neurons, |p| < 0.1/M ("10 to 12")',
    )
    if not runs:
        return [untested(claims[0], WHERE, "≥ 35"), untested(claims[1], WHERE, f"{low} to {high}")]
    p = np.array([run["p"].values[-1] for run in runs])  # (seeds, m)
    at_level = average((np.abs(p - level) <= 0.2 * level).sum(axis=1))
    quiet = average((np.abs(p) < 0.1 * level).sum(axis=1))
    pairs = sum(row.min() < -level for row in p)
    return [
        at_least(claims[0], WHERE, 35.0, *at_level),
        close(
            f"{claims[1]}; {pairs} of {len(p)} seeds keep a pair of opposite signs beside",
            WHERE,
            (low + high) / 2,
            quiet[0],
            3.0,
            quiet[1],
        ),
    ]


def is_sparse(run: xr.Dataset, index: int = -1) -> bool:
    """Whether exactly M neurons are activated, each with 1/M, and all others are quenched.

    Args:
        run: what `netphase.reproductions.ma2020.students.student` returned.
        index: at which record.

    Returns:
        Whether it is so.
    """
    p, level = run["p"].values[index], float(run["target_a"][0])
    on = np.abs(p - level) <= NEAR
    return bool(on.sum() == run.sizes["unit"] and np.all(np.abs(p[~on]) <= QUIET))


def _sparse(title: str, runs: list[xr.Dataset]) -> list[Check]:
    """How many seeds end with M neurons, and where these are."""
    sparse = [run for run in runs if is_sparse(run)]
    odd = [seed for seed, run in enumerate(runs) if not is_sparse(run)]
    words = f"; not seeds {', '.join(map(str, odd))}" if odd else ""
    early = sum(is_sparse(run, _at_notebook(run)) for run in runs)
    part = len(sparse) / len(runs)
    angles = [float(np.degrees(run["matched_angle"].values.max())) for run in sparse]
    return [
        at_least(
            f"M = 5, {title}: share of {len(runs)} seeds with exactly five neurons of p = 0.2 ± "
            f"{NEAR:g}, all others below {QUIET:g} (already at loss 5e-6: {early}){words}",
            WHERE,
            SHARE,
            part,
            math.sqrt(part * (1 - part) / len(runs)),
        ),
        at_most(
            f"M = 5, {title}: largest angle to the target's neuron, degrees (those seeds)",
            WHERE,
            DEGREES,
            max(angles, default=np.nan),
        ),
    ]


def _at_notebook(run: xr.Dataset) -> int:
    """The first record at which the loss is that of the notebook, the last one if it never is."""
    below = printed.CODE_LOSS * run["test_error"].values <= printed.NOTEBOOK_LOSS
    return int(below.argmax()) if below.any() else -1


def _times(runs: list[xr.Dataset], size: str) -> list[Check]:
    """When the notebook's loss is reached."""
    claim = "M = 5, m = 20: log₁₀ of the iteration at loss 5e-6 (± 95 % range of one more run)"
    expected = float(np.log10(printed.NOTEBOOK_END))
    if size == "smoke":
        return [untested(claim, "notebook", expected)]
    found = one_more(np.log10([first_below(run, printed.NOTEBOOK_LOSS) for run in runs]))
    return [close(claim, "notebook", expected, found.mean, found.half, found.error)]
