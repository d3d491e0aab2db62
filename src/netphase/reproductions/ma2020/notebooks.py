"""Figs 9 to 11 on infinitely many inputs: the linear target, and a single neuron by descent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from netphase import targets
from netphase.observables import activated
from netphase.reproductions.check import Check, at_least, close, every, untested
from netphase.reproductions.ma2020 import drawing, printed
from netphase.reproductions.ma2020.students import (
    first_below,
    first_cosine,
    one_more,
    spaced,
    student,
)
from netphase.reproductions.reproduction import Stage
from netphase.reproductions.runs import average, in_parallel

if TYPE_CHECKING:
    import xarray as xr

SEEDS = {"smoke": 3, "small": 10, "paper": 20}
FILM_SEEDS = {"smoke": 1, "small": 4, "paper": 8}

LAST = 400_000
"""Iterations at most; runs end at the loss of the notebook."""

FILM_LAST, FILM_LOSS = 1_000_000, 1e-8
"""Iterations at most, and the loss, at which the film of the linear target ends."""

EARLY = 100
"""Iteration of the film at which contributions are still linear in the direction."""

ALONG, TURNED = 0.5, 0.95
"""Cosine with ±e₁ of a neuron that lies along it, and of one that has found it."""

PAIR = 0.1
"""How far p of the two neurons may be from the printed ones, which are still moving."""

THRESHOLD = 0.3
"""A neuron of the film counts above this share of the largest contribution."""

FILM, LINEAR, OPTIMISER = "Fig. 9 (film, linear)", "Fig. 10 (notebook)", "Fig. 11 (notebook)"


def run_film(stage: Stage) -> list[Check]:
    """The film of the linear target.

    Inputs: f* = x₁, m = 200, d = 100, at half the limit of stability, the rate 1/(2m) of the code,
    until nothing moves: the rate of the film is not documented.
    """
    target = targets.linear(printed.INPUTS)
    last = EARLY if stage.size == "smoke" else FILM_LAST
    clock = np.union1d(spaced(last), [EARLY])

    def train(seed: int) -> xr.Dataset:
        return student(target, printed.WIDTH, seed, 1 / (2 * printed.WIDTH), clock, loss=FILM_LOSS)

    runs = in_parallel(train, range(FILM_SEEDS[stage.size]))
    early = min(_early_correlation(run) for run in runs)
    words = f"linear target: correlation of p_j and cosine at iteration {EARLY}, least"
    checks = [at_least(words, FILM, 0.95, early)]
    claims = (
        "linear target: runs whose activated neurons all lie along e₁ (p > 0) or −e₁ (p < 0) in "
        "the end",
        "linear target: runs that end with one neuron each at e₁ and −e₁, as the printed one; at "
        f"least one of {len(runs)}",
    )
    if stage.size == "smoke":
        return [*checks, *(untested(claim, FILM, "all") for claim in claims)]
    stage.save(drawing.neurons(runs[0]), "figure9-linear")
    turned = sum(_along(run, THRESHOLD, TURNED) for run in runs)
    pairs = sum(_ends_with_two(run) for run in runs)
    found = "; ".join(_listed(run) for run in runs)
    return [
        *checks,
        every(claims[0], FILM, turned, len(runs)),
        at_least(f"{claims[1]} (p: {found})", FILM, 1.0, float(pairs)),
    ]


def _early_correlation(run: xr.Dataset) -> float:
    """Correlation of contributions and first components of the directions at `EARLY`."""
    index = int(np.flatnonzero(np.isclose(run["iteration"], EARLY))[0])
    return float(np.corrcoef(run["p"].values[index], first_cosine(run, index))[0, 1])


def _listed(run: xr.Dataset) -> str:
    """Contributions above the threshold, the largest first."""
    p = run["p"].values[-1]
    kept = np.sort(p[activated(p, THRESHOLD)])[::-1]
    return ", ".join(f"{value:.2f}" for value in kept[:6]) + (", …" if len(kept) > 6 else "")


def _along(run: xr.Dataset, threshold: float, least: float) -> bool:
    """Whether all activated neurons have such a cosine, at least, with ±e₁, of the sign of p."""
    p, cosine = run["p"].values[-1], first_cosine(run, -1)
    kept = activated(p, threshold)
    return bool(np.all(np.sign(p[kept]) * cosine[kept] >= least))


def _ends_with_two(run: xr.Dataset) -> bool:
    """Whether one neuron each has found e₁ and −e₁, with the printed contributions."""
    p = run["p"].values[-1]
    pair = np.sort(p[activated(p)])
    expected = np.array([-printed.FILM_LINEAR, printed.FILM_LINEAR])
    return len(pair) == 2 and bool(np.abs(pair - expected).max() <= PAIR)


def run_notebooks(stage: Stage) -> list[Check]:
    """The linear target with m = 20, and a single neuron with m = 30.

    Inputs: d = 19, rate 1e-2, to the loss 5e-6.
    """
    rate, loss = printed.NOTEBOOK_RATE, printed.NOTEBOOK_LOSS
    linear, single = (
        maker(printed.NOTEBOOK_INPUTS) for maker in (targets.linear, targets.single_neuron)
    )
    cases = [
        (target, width, seed)
        for target, width in ((linear, printed.NOTEBOOK_WIDTH), (single, printed.OPTIMISER_WIDTH))
        for seed in range(SEEDS[stage.size])
    ]
    runs = in_parallel(lambda case: student(*case, rate, spaced(LAST), loss=loss), cases)
    half = len(runs) // 2
    shown = {"linear, m = 20": runs[0], "one neuron, m = 30": runs[half]}
    stage.save(drawing.staircases(shown), "figure10")
    return [*_linear(runs[:half], stage.size), *_descent(runs[half:], stage.size)]


def _linear(runs: list[xr.Dataset], size: str) -> list[Check]:
    """Few neurons, those with p > 0 along e₁, those with p < 0 along −e₁."""
    along = sum(_along(run, 0.1, ALONG) for run in runs)
    counts = [float(run["activated_neurons"][-1]) for run in runs]
    count = average(counts)
    return [
        every(
            f"linear: seeds with all activated neurons along e₁ (p > 0) or −e₁ (p < 0), cosines "
            f"above {ALONG:g}",
            LINEAR,
            along,
            len(runs),
        ),
        close(
            'linear: activated neurons ("about 6")',
            LINEAR,
            printed.LINEAR_ACTIVE,
            count[0],
            2.0,
            count[1],
        ),
        _iterations(
            "linear: log₁₀ of the iteration at loss 5e-6", LINEAR, printed.LINEAR_END, runs, size
        ),
    ]


def _descent(runs: list[xr.Dataset], size: str) -> list[Check]:
    """Only the target's direction is left, on one neuron or more."""
    sparse = [
        bool(np.all(first_cosine(run, -1)[activated(run["p"].values[-1])] > 0.99)) for run in runs
    ]
    counts = [int(activated(run["p"].values[-1]).sum()) for run in runs]
    return [
        every(
            "one neuron, descent: seeds whose activated neurons all lie on the target's "
            f"({min(counts)} … {max(counts)} of them)",
            OPTIMISER,
            sum(sparse),
            len(runs),
        ),
        _iterations(
            "one neuron, descent: log₁₀ of the iteration at loss 5e-6",
            OPTIMISER,
            printed.DESCENT_END,
            runs,
            size,
        ),
    ]


def _iterations(claim: str, where: str, end: int, runs: list[xr.Dataset], size: str) -> Check:
    """When the notebook's loss is reached, against the range of one more run."""
    words, expected = f"{claim} (± 95 % range of one more run)", float(np.log10(end))
    if size == "smoke":
        return untested(words, where, expected)
    found = one_more(np.log10([first_below(run, printed.NOTEBOOK_LOSS) for run in runs]))
    return close(words, where, expected, found.mean, found.half, found.error)
