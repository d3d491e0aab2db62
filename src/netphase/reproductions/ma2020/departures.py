"""Claim C5 and the theorems: when a network leaves its random features, and how near it stays.

Near m = n the network follows its random-feature twin until its test error is decided, and so has
its largest error there; the twin goes on to blow up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from netphase import targets
from netphase._types import Array
from netphase.dynamics import RandomFeatureDynamics
from netphase.engine.problem import Stop
from netphase.observables import departure_time, function_distance, neuron_contributions, path_norm
from netphase.reproductions.check import Check, at_least, at_most, close, every, untested
from netphase.reproductions.ma2020 import printed
from netphase.reproductions.ma2020.neuron_figures import departures
from netphase.reproductions.ma2020.samples import LONGEST, STAGNATION, train
from netphase.reproductions.reproduction import Size, Stage
from netphase.reproductions.runs import average, in_parallel

if TYPE_CHECKING:
    from netphase.analysis import PowerLawFit

WIDTHS: dict[Size, tuple[int, ...]] = {
    "smoke": (9, 200),
    "small": (9, 51, 200, 500),
    "paper": (9, 25, 51, 90, 200, 500, 1236),
}
SEEDS = {"smoke": 2, "small": 5, "paper": 10}

LAZY_WIDTHS: dict[Size, tuple[int, ...]] = {
    "smoke": (1000, 2000),
    "small": (2000, 4000, 8000),
    "paper": (1000, 2000, 4000, 8000),
}
LAZY_SEEDS = {"smoke": 2, "small": 2, "paper": 5}

LAZY_POWER, LAZY_WITHIN = -2.0, 0.3
"""In times t ~ 1/m a ~ 1/m grows, and moves w by a t ~ m^−2 and f by m a |Δw| ~ m^−2 (derived)."""

DEPARTURE = 0.05
"""A network has left its twin where E(f − f_twin)² is this part of E f*²."""

NARROW, EQUAL = 9, 200
"""Widths on the sparse side, and m = n."""

RECORDS, FEW_RECORDS = 60, 12
"""Times at which networks are held against their twins, and wide ones."""

BLOWN = 1e12
"""Time by which the twin at m = n has gone all the way."""


@dataclass(frozen=True)
class Departure:
    """One network beside its twin.

    Attributes:
        time: records, shape (t,), increasing, > 0.
        test: log₁₀ of the test error of the network, shape (t,).
        twin_test: that of the twin at the same times, shape (t,).
        distance: E(f − f_twin)² over E f*², shape (t,).
        path: path norm of the network, shape (t,).
        left: time at which the network has left its twin, infinite if never.
        limit: log₁₀ of the test error of the twin at the end of its training.
    """

    time: Array
    test: Array
    twin_test: Array
    distance: Array
    path: Array
    left: float
    limit: float

    @property
    def undecided(self) -> float:
        """By how many decades the test error falls after the departure; 0 if there is none."""
        if self.left == math.inf:
            return 0.0
        then = float(np.interp(math.log(self.left), np.log(self.time), self.test))
        return then - float(self.test[-1])


def run(stage: Stage) -> list[Check]:
    """Follow networks and twins at several widths, and the distance of the two at large ones.

    Inputs: single neuron, n = 200, d = 20, training error 1e-8; the twin's flow in closed form at
    the same times.
    """
    stage.progress("departures from the random features")
    widths, seeds = WIDTHS[stage.size], range(SEEDS[stage.size])
    cases = [(width, seed) for width in widths for seed in seeds]
    found = in_parallel(_followed, cases)
    table: dict[int, list[Departure]] = {width: [] for width in widths}
    for (width, _), each in zip(cases, found, strict=True):
        table[width].append(each)
    stage.save(departures({f"m = {width}": rows[0] for width, rows in table.items()}), "departures")
    return [*_undecided(table), *_slopes(stage)]


def _followed(case: tuple[int, int]) -> Departure:
    """A network and its twin along the way."""
    width, seed = case
    target = targets.single_neuron(printed.SWEEP_INPUTS)
    stop = Stop(mean_square=printed.SWEEP_LOSS, stagnation=STAGNATION, time=LONGEST)
    times = np.geomspace(1.0 / width, LONGEST, RECORDS)
    trained = train(target, printed.SAMPLES, width, seed, stop=stop, times=times)
    run, network = trained.trajectory, trained.network
    twin = RandomFeatureDynamics(network, trained.data).model(run.initial)
    states, clock = list(run.snapshots), list(run.time[1 : len(run.snapshots) + 1])
    if run.time[-1] > clock[-1]:
        states, clock = [*states, run.final], [*clock, run.time[-1]]
    others = [twin.parameters(float(time)) for time in clock]
    size = target.square()
    pairs = zip(states, others, strict=True)
    apart = np.array([function_distance(network, a, b, "gaussian") for a, b in pairs]) / size
    mark = departure_time(np.array(clock), apart, 1.0, DEPARTURE)
    return Departure(
        time=np.array(clock),
        test=np.log10([trained.test_error(each) for each in states]),
        twin_test=np.log10([trained.test_error(each) for each in others]),
        distance=apart,
        path=path_norm(np.array([neuron_contributions(*each) for each in states])),
        left=mark.time if mark.word == "reached" else math.inf,
        limit=math.log10(trained.test_error(twin.parameters(BLOWN))),
    )


def _undecided(table: dict[int, list[Departure]]) -> list[Check]:
    """C5: what is left to gain when the network leaves its twin."""
    gain = {width: average([each.undecided for each in rows]) for width, rows in table.items()}
    words = ", ".join(f"m = {width}: {value:.2f}" for width, (value, _) in gain.items())
    equal = table[EQUAL]
    blow = average([each.limit - float(each.test[-1]) for each in equal])
    early = sum(float(each.twin_test.min()) < each.limit - 1.0 for each in equal)
    return [
        at_most(
            f"m = n: decades by which the test error falls after D > 5 % E f*² ({words})",
            "C5 (derived)",
            1.0,
            *gain[EQUAL],
        ),
        at_least(f"m = {NARROW}: the same", "C5 (derived)", 2.0, *gain[NARROW]),
        at_least(
            "m = n: log₁₀ of the test error of the random features in the end over the network's",
            "C5, Fig. 4",
            1.0,
            *blow,
        ),
        every(
            "m = n: the features' test error passes a minimum a tenth of their last one",
            "C5 (derived)",
            early,
            len(equal),
        ),
    ]


def _slopes(stage: Stage) -> list[Check]:
    """Powers of the width at which a wide network's distance from its twin falls."""
    widths, seeds = LAZY_WIDTHS[stage.size], range(LAZY_SEEDS[stage.size])
    stage.progress("departures: wide networks")
    cases = [(width, seed) for seed in seeds for width in widths]
    found = np.array(in_parallel(_lazy, cases)).reshape(len(seeds), len(widths), 2)
    checks = []
    names = "largest ‖f − f_twin‖ in time", "largest |w_j − w_j(0)|"
    for name, bound, values in zip(names, (-0.5, -1.0), np.moveaxis(found, 2, 0), strict=True):
        fit = _fit(widths, values)
        claim = f"{name}, m = {widths[0]} to {widths[-1]}: exponent"
        bounded = f"{claim}; the theorem has O(m^{bound:g})"
        error = fit.standard_error
        checks.append(at_most(bounded, "section 5.6", bound, fit.exponent, error))
        if stage.size == "smoke":
            checks.append(untested(claim, "section 5.6 (derived)", LAZY_POWER, LAZY_WITHIN))
            continue
        derived = "section 5.6 (derived)"
        checks.append(close(claim, derived, LAZY_POWER, fit.exponent, LAZY_WITHIN, error))
    return checks


def _lazy(case: tuple[int, int]) -> tuple[float, float]:
    """Largest distance of a wide network from its twin, and of its neurons from their start."""
    width, seed = case
    target = targets.single_neuron(printed.SWEEP_INPUTS)
    stop = Stop(mean_square=printed.SWEEP_LOSS, stagnation=STAGNATION)
    times = np.geomspace(3.0 / width, 2e5 / width, FEW_RECORDS)
    trained = train(target, printed.SAMPLES, width, seed, stop=stop, times=times)
    run = trained.trajectory
    twin = RandomFeatureDynamics(trained.network, trained.data).model(run.initial)
    pairs = zip(run.snapshots, run.time[1:], strict=False)
    apart = [
        function_distance(trained.network, state, twin.parameters(float(time)), "gaussian")
        for state, time in pairs
    ]
    moved = np.linalg.norm(run.final.w - run.initial.w, axis=1).max()
    return math.sqrt(max(apart)), float(moved)


def _fit(widths: tuple[int, ...], values: Array) -> PowerLawFit:
    from netphase.analysis import fit_power_law

    return fit_power_law(np.array(widths, dtype=np.float64), values)
