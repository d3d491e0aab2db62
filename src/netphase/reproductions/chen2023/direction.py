"""Condensation of an activation of multiplicity one: on the line of z, and after which time.

The theory is that of a residual that stands still: all input weights turn to ±z with
z = (1/n) Σ y_i x_i. At the end of the stage, |f|_rms = δ|y|_rms, the residual has turned a little,
and so have the neurons; the macroscopic equation says how far.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from netphase.datasets import linear, sines
from netphase.dynamics import (
    GradientDynamics,
    MacroscopicDynamics,
    breakdown_time,
    macroscopic_limit,
)
from netphase.engine.problem import Stop
from netphase.figures import alignment_histograms
from netphase.networks import Parameters, initial_parameters
from netphase.observables import alignment_ratio, cosines_with, features, label_mean
from netphase.reproductions.check import Check, at_least, at_most, close, every
from netphase.reproductions.chen2023.printed import MEDIANS, STDS, WIDTH
from netphase.reproductions.chen2023.training import RTOL, breakdown, small_network
from netphase.reproductions.reproduction import Stage
from netphase.reproductions.runs import average, in_parallel
from netphase.scalings import ScalingLaw

SETS = {"smoke": 2, "small": 8, "paper": 20}
"""Data sets, each with a network of its own seed."""

DELTA, EARLIER = 0.1, 0.03
"""Where the stage is read; the earlier, the nearer to the theory."""

WIDE, WIDE_STD = {"smoke": 200, "small": 1000, "paper": 4000}, 5e-4
"""Networks in which |w·x| stays small, so that the macroscopic equation holds."""

DEEP = (1.75, 0.0)
"""A point of the condensed zone."""

WHERE = "condensed regime (Zhou's data)"


class Reading(NamedTuple):
    """A network at the end of its initial stage.

    Attributes:
        median: median |cos(w, z)|.
        ratio: ρ.
        escapes: λT.
        parameters: the network.
    """

    median: float
    ratio: float
    escapes: float
    parameters: Parameters


Case = tuple[int, float, float, int]
"""Width, standard deviation, δ, and the seed of data and network."""


def run(stage: Stage) -> list[Check]:
    """Train networks by gradient flow to T_δ for each standard deviation and data set.

    Inputs: y = Σ_k 3.5 sin(5 x_k + 1) of five inputs from [−4, 2] with a bias, n = 80, tanh,
    m = 50, standard deviations of all weights 5e-3 (Zhou Fig. 2), 5e-4 and 5e-5.
    """
    sets = range(SETS[stage.size])
    late = [(WIDTH, std, DELTA, k) for std in STDS for k in sets]
    early = [(WIDTH, STDS[-1], EARLIER, k) for k in sets]
    wide = [(WIDE[stage.size], WIDE_STD, DELTA, k) for k in sets[:3]]
    stage.progress("direction: networks")
    cases = [*late, *early, *wide]
    network = dict(zip(cases, in_parallel(read, cases), strict=True))
    stage.progress("direction: macroscopic equation")
    pairs = [*late, *wide]
    exact = dict(zip(pairs, in_parallel(read_equation, pairs), strict=True))
    _draw(stage, {std: network[WIDTH, std, DELTA, 0] for std in STDS})
    return [
        *_medians(network, early),
        *_against_equation(network, exact, late, early),
        *_times(network, late, early[0]),
        *_wide(network, exact, wide),
        *_limit(),
    ]


def read(case: Case) -> Reading:
    """A network trained to T_δ.

    Args:
        case: which one.

    Returns:
        Its measures.
    """
    width, std, delta, seed = case
    data = sines(seed=seed)
    return _measured(GradientDynamics(small_network("tanh", std), data), width, delta, seed)


def read_equation(case: Case) -> Reading:
    """The same with the macroscopic equation from the network's own start."""
    width, std, delta, seed = case
    data = sines(seed=seed)
    dynamics = MacroscopicDynamics(small_network("tanh", std), data, rtol=RTOL)
    return _measured(dynamics, width, delta, seed)


def _measured(
    dynamics: GradientDynamics | MacroscopicDynamics, width: int, delta: float, seed: int
) -> Reading:
    data = dynamics.data
    start = initial_parameters(width, data.d, seed, antisymmetric=False)
    z = label_mean(data.x, data.y)
    end = breakdown(dynamics, start, delta)
    cosines = np.abs(cosines_with(features(end.parameters), z))
    ratio = alignment_ratio(end.parameters, z)
    return Reading(float(np.median(cosines)), ratio, end.escapes, end.parameters)


Readings = dict[Case, Reading]


def _medians(network: Readings, early: list[Case]) -> list[Check]:
    """Median |cos(w, z)| on one data set, as documented, and on all, where the theory is."""
    found = [network[case].median for case in early]
    return [
        *(
            at_least(
                f"std {std:g}: median |cos(w, z)| at T_δ, δ = {DELTA:g}, first data set",
                WHERE,
                MEDIANS[std],
                network[WIDTH, std, DELTA, 0].median,
            )
            for std in STDS
        ),
        every(
            f"std {STDS[-1]:g}, δ = {EARLIER:g}: median |cos(w, z)| ≥ {MEDIANS[STDS[-1]]:g} on "
            f"every data set (least: {min(found):.4f})",
            WHERE,
            sum(median >= MEDIANS[STDS[-1]] for median in found),
            len(found),
        ),
    ]


def _against_equation(
    network: Readings, exact: Readings, late: list[Case], early: list[Case]
) -> list[Check]:
    """ρ falls short of one by what the macroscopic equation says, and less so at smaller δ."""
    apart = [abs(network[case].ratio - exact[case].ratio) for case in late]
    small = [case for case in late if case[1] == STDS[-1]]
    least = min(network[case].ratio for case in small)
    short = [[1 - network[case].ratio for case in cases] for cases in (early, small)]
    return [
        at_most(
            f"m = {WIDTH}: largest |ρ − ρ of the macroscopic equation| (at std {STDS[-1]:g} ρ is "
            f"down to {least:.3f}: the drive has turned)",
            "linear stage (derived)",
            0.02,
            max(apart),
        ),
        every(
            f"std {STDS[-1]:g}: 1 − ρ at δ = {EARLIER:g} below a fifth of that at δ = {DELTA:g}",
            WHERE,
            sum(soon < 0.2 * later for soon, later in zip(*short, strict=True)),
            len(early),
        ),
    ]


def _times(network: Readings, late: list[Case], early: Case) -> list[Check]:
    """λT_δ: log 10 more a decade of the standard deviation; the closed form at small δ."""
    found = {case: network[case].escapes for case in late}
    growth, error = average(
        [
            found[m, std / 10, delta, k] - t
            for (m, std, delta, k), t in found.items()
            if std == STDS[1]
        ]
    )
    width, std, delta, seed = early
    scales, data = small_network("tanh", std).scales, sines(seed=seed)
    closed = breakdown_time(scales, width, data, delta=delta, antisymmetric=False).closed
    return [
        close(
            f"λT grows by log 10 when std falls from {STDS[1]:g} to {STDS[2]:g}",
            "break-down time (derived)",
            math.log(10),
            growth,
            0.01,
            error,
        ),
        close(
            f"std {std:g}, δ = {delta:g}, first data set: λT in closed form (6 % + 0.06)",
            "break-down time (derived)",
            closed,
            network[early].escapes,
            0.06 * closed + 0.06,
        ),
    ]


def _wide(network: Readings, exact: Readings, wide: list[Case]) -> list[Check]:
    """Where |w·x| stays small the macroscopic equation has the time and ρ of the network."""
    pairs = [(network[case], exact[case]) for case in wide]
    where = f"m = {wide[0][0]}, std {WIDE_STD:g}, δ = {DELTA:g}"
    return [
        at_most(
            f"{where}: largest relative error of the macroscopic λT",
            "break-down time (derived)",
            0.03,
            max(abs(theirs.escapes / ours.escapes - 1) for ours, theirs in pairs),
        ),
        at_most(
            f"{where}: largest |ρ − ρ of the macroscopic equation|",
            "linear stage (derived)",
            0.005,
            max(abs(theirs.ratio - ours.ratio) for ours, theirs in pairs),
        ),
    ]


def _limit() -> list[Check]:
    """ρ → 1 as m → ∞ and then δ → 0, by the macroscopic equations in the condensed zone."""
    law, data = ScalingLaw.plain(*DEEP), linear()

    def shortfall(width: float, delta: float) -> float:
        """1 − ρ at T_δ."""
        time = breakdown_time(law, width, data, delta=delta).time
        stop = Stop(mean_square=0.0, time=time)
        return 1 - macroscopic_limit(law, width, data, stop=stop).final["alignment_ratio"]

    narrow, wide = (shortfall(width, 0.01) for width in (1e4, 1e16))
    slope = math.log(shortfall(1e16, 0.03) / shortfall(1e16, 0.003)) / math.log(10)
    place = "γ, γ′ = {:g}, {:g}, equations".format(*DEEP)
    return [
        at_most(
            f"{place}, δ = 0.01: 1 − ρ at m = 1e16 (at m = 1e4 it is {narrow:.2g})",
            "condensed regime, ρ",
            1e-5,
            wide,
        ),
        close(
            f"{place}, m = 1e16: 1 − ρ ∝ δ^s, s between δ = 0.03 and 0.003",
            "linear stage (derived)",
            2.0,
            slope,
            0.05,
        ),
    ]


def _draw(stage: Stage, readings: dict[float, Reading]) -> None:
    """Cosines with z at T_δ, one panel a standard deviation, against chance."""
    data = sines(seed=0)
    figure = alignment_histograms(
        {f"std {std:g}": features(reading.parameters) for std, reading in readings.items()},
        label_mean(data.x, data.y),
        name="z",
    )
    stage.save(figure, "figure5")
