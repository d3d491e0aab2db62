"""Section 7.2: how long one neuron takes to find a direction, against the inputs and the leap.

For σ = φ = h_k, k the information exponent, one neuron with output weight a has

    ṡ = k a s^(k−1) (1 − s²),  s(0) ~ d^(−1/2),

so that it escapes at t = log d/(4a) for k = 2 and at a time ∝ d^(k/2−1) for k ≥ 3. A fast second
layer, ε → 0, holds a at its best value s^k, and squares what there is to climb: t ∝ d^(k−1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from netphase._types import Array
from netphase.dynamics import ExactOverlaps, Overlaps
from netphase.figures import new_figure
from netphase.figures.style import COLUMN, INK, MARKERS, SERIES, style, tidy
from netphase.observables import last_crossing
from netphase.reproductions.check import Check, at_most, close
from netphase.reproductions.reproduction import Size, Stage
from netphase.reproductions.runs import average, in_parallel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WHERE = "section 7.2 (derived)"
INPUTS: dict[Size, tuple[int, ...]] = {
    "smoke": (100, 1_000, 10_000),
    "small": (100, 1_000, 10_000),
    "paper": (100, 1_000, 10_000, 100_000),
}
SEEDS: dict[Size, int] = {"smoke": 4, "small": 12, "paper": 40}
"""d, and random starts at each."""

FROZEN, FAST = (2, 3, 4), (2,)
"""Information exponents with a still second layer, a = 1, and with a fast one."""

FAST_EPSILON = 1e-3
HALF, REACH, ROWS = 0.5, 0.02, 9
"""Escape is s² = ½; times looked at reach 2 % to both sides of the prediction."""


class Case(NamedTuple):
    """One random start.

    Attributes:
        degree: k.
        fast: whether the second layer is fast.
        inputs: d.
        seed: of the start.
    """

    degree: int
    fast: bool
    inputs: int
    seed: int


class Escape(NamedTuple):
    """When one start escapes, and when it should."""

    time: float
    predicted: float


def run(stage: Stage) -> list[Check]:
    """Escape times of one neuron from random starts on the right side of the equator."""
    stage.progress("escape times of one neuron")
    kinds = [(k, False) for k in FROZEN] + [(k, True) for k in FAST]
    table: dict[tuple[int, bool], list[list[Escape]]] = {}
    for degree, fast in kinds:
        cases = [
            [Case(degree, fast, d, seed) for d in INPUTS[stage.size]]
            for seed in range(SEEDS[stage.size])
        ]
        table[degree, fast] = [in_parallel(escape, row) for row in cases]
    stage.save(_figure(table, INPUTS[stage.size]), "leaps")
    return [_worst(table), *_laws(table, INPUTS[stage.size])]


def escape(case: Case) -> Escape:
    """When s² reaches ½ from a start that chance gives, its sign turned to the target's side."""
    epsilon = FAST_EPSILON if case.fast else math.inf
    series = [0.0] * case.degree + [1.0]
    dynamics = ExactOverlaps(series, series, epsilon)
    drawn = dynamics.initial(1, case.inputs, [1.0], case.seed)
    start = abs(float(drawn.s[0]))
    a = start**case.degree if case.fast else 1.0
    predicted = predicted_time(case.degree, case.fast, start)
    times = predicted * np.linspace(1 - REACH, 1 + REACH, ROWS)
    state = Overlaps(np.array([a]), np.array([start]), np.eye(1))
    found = dynamics.solve(state, times, rtol=1e-6, atol=1e-9 * a)
    return Escape(last_crossing(found.times, found.s[:, 0] ** 2, HALF).time, predicted)


def predicted_time(degree: int, fast: bool, start: float) -> float:
    """∫ ds/(k a s^(k−1) (1 − s²)) from a start to √½, with a = 1, or a = s^k for a fast layer.

    Args:
        degree: k ≥ 2.
        fast: whether a follows s.
        start: s(0) in (0, √½).

    Returns:
        The time.
    """
    from scipy.integrate import quad

    power = 2 * degree - 1 if fast else degree - 1

    def slope(height: float) -> float:  # in log s, where the integrand is smooth
        s = math.exp(height)
        return s ** (1 - power) / (1 - s * s)

    ends = math.log(start), 0.5 * math.log(HALF)
    return float(quad(slope, *ends, epsrel=1e-10, limit=200)[0]) / degree


def _worst(table: dict[tuple[int, bool], list[list[Escape]]]) -> Check:
    """Runs against the integral; times of a fast layer are off by O(ε)."""
    every = [each for rows in table.values() for row in rows for each in row]
    off = float(np.max([abs(each.time / each.predicted - 1.0) for each in every]))  # NaN: not there
    return at_most("escape times against the integral over s, relative, worst", WHERE, 1e-2, off)


def _laws(table: dict[tuple[int, bool], list[list[Escape]]], inputs: Sequence[int]) -> list[Check]:
    """Growth with d, start by start, and its mean over starts."""
    span = math.log(inputs[-1] / inputs[0])
    checks = []
    for (degree, fast), rows in table.items():
        layer = "fast second layer" if fast else "still second layer"
        where = f"d = {inputs[0]:,} to {inputs[-1]:,}"
        if degree == 2 and not fast:
            slopes = [(row[-1].time - row[0].time) / span for row in rows]
            claim = f"k = 2, {layer}, {where}: t over log d"
            checks.append(close(claim, WHERE, 0.25, *_first(slopes, 0.005)))
            continue
        power = float(degree - 1) if fast else degree / 2 - 1
        slopes = [math.log(row[-1].time / row[0].time) / span for row in rows]
        claim = f"k = {degree}, {layer}, {where}: power of d in t"
        checks.append(close(claim, WHERE, power, *_first(slopes, 0.03)))
    return checks


def _first(slopes: Sequence[float], tolerance: float) -> tuple[float, float, float]:
    """Mean, tolerance, standard error, in the order of `close`."""
    mean, error = average(slopes)
    return mean, tolerance, error


def _figure(table: dict[tuple[int, bool], list[list[Escape]]], inputs: Sequence[int]) -> Figure:
    """Median escape times against d, with their quartiles and the predicted powers."""
    d = np.array(inputs, dtype=np.float64)
    with style():
        figure = new_figure(COLUMN, 3.1)
        axes = figure.add_subplot()
        for index, ((degree, fast), rows) in enumerate(table.items()):
            times = np.array([[each.time for each in row] for row in rows])
            low, middle, high = np.quantile(times, [0.25, 0.5, 0.75], axis=0)
            layer = r"$\varepsilon \to 0$" if fast else r"$\varepsilon = \infty$"
            axes.errorbar(d, middle, yerr=[middle - low, high - middle], color=SERIES[index],
                          marker=MARKERS[index], ls="none", elinewidth=0.8, capsize=1.5,
                          label=f"$k$ = {degree}, {layer}")  # fmt: skip
            axes.plot(d, _law(degree, fast, d, middle), color=SERIES[index], lw=0.8)
        axes.plot([], [], color=INK, lw=0.8, label=r"$\log d/4$, $d^{\,k/2-1}$, $d^{\,k-1}$")
        axes.set(xscale="log", yscale="log", xlabel="inputs $d$", ylabel="escape time $t$")
        tidy(axes)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def _law(degree: int, fast: bool, d: Array, times: Array) -> Array:
    """The predicted growth through the last point."""
    if degree == 2 and not fast:
        return np.asarray(times[-1] + np.log(d / d[-1]) / 4)
    return np.asarray(times[-1] * (d / d[-1]) ** (degree - 1 if fast else degree / 2 - 1))
