"""Fig. 3: exponential decay of the loss at the predicted rate where κ grows, failure elsewhere."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from netphase import activations
from netphase._types import Array, Status
from netphase.dynamics import DeepGradientDynamics, Descent, evolve
from netphase.engine.problem import Stop
from netphase.kernels import deep_kernels, tangent_kernel
from netphase.networks import MultiLayerNetwork, initial_layer_parameters
from netphase.observables import kernel_change
from netphase.reproductions.check import Check, at_least, at_most, close, untested
from netphase.reproductions.li2024 import setting
from netphase.reproductions.li2024.drawing import decay_figure
from netphase.reproductions.li2024.training import power_law
from netphase.reproductions.reproduction import Size, Stage
from netphase.reproductions.runs import average, in_parallel
from netphase.scalings import layer_initialisation

LAZY = (1.0, 0.5, 0.25, 0.1)
FAILING = (0.0, -0.25)
"""Lim log κ/log m."""

SLOW = 0.25
"""Below this exponent κ is about two at all widths here, and its corrections, which fall as κ^(−2),
are larger than 10 %: the rate is not tested."""

TOGETHER = 4
"""Seeds in one ensemble."""

WIDTHS: dict[Size, dict[int, tuple[int, ...]]] = {
    "smoke": {1: (64, 256, 1024)},
    "small": {1: (64, 256, 1024, 4096), 2: (64, 128, 256, 512), 3: (64, 128, 256, 512)},
    "paper": {
        1: (64, 256, 1024, 4096, 16384),
        2: (64, 128, 256, 512, 1024, 2048),
        3: (64, 128, 256, 512, 1024),
    },
}

SEEDS: dict[Size, int] = {"smoke": 8, "small": 12, "paper": 24}

STEP, SHORT = 0.2, 0.05
"""η in units of n/λ_max, and where κ shrinks, as λ_max then grows tenfold in training."""

WINDOW = (1e-5, 1e-10)
"""Parts of R(0) between which the rate is fitted: faster modes have died out, and λ_min rules."""

WITHIN = 0.1
"""Relative distance of a rate from 2 λ_min/n."""

STRAIGHT = 0.02
"""Largest distance of log R from its line, as a share of its fall over the window."""

FAR = 0.2
"""Least relative distance of a rate that is not 2 λ_min/n: many seeds make any bias significant."""

DRIFT = 0.15
"""Of the exponent of the kernel's change from theory, or from zero."""

WHERE = "reconstruction 5"


@dataclass(frozen=True)
class Decay:
    """Networks of one depth and exponent of κ, over widths and seeds.

    Attributes:
        depth: L.
        exponent: lim log κ/log m.
        widths: m, shape (w,).
        ratio: fitted over predicted rate, shape (s, w).
        bend: largest distance of log R from its line over its fall, shape (s, w).
        kernel: relative change of the tangent kernel in training, shape (s, w); all three are NaN
            where a run did not converge.
        time: of the first seed at the largest width, in units of n/2λ_min, shape (t,).
        loss: its R(t)/R(0), shape (t,).
    """

    depth: int
    exponent: float
    widths: Array
    ratio: Array
    bend: Array
    kernel: Array
    time: Array
    loss: Array


def run(stage: Stage) -> list[Check]:
    """Networks of tanh and NTK scaling whose output is divided by m^(1/2 − exponent)."""
    found = []
    for depth, widths in WIDTHS[stage.size].items():
        for exponent in (*LAZY, *FAILING):
            stage.progress(f"decay: L = {depth}, κ = m^{exponent:g}")
            found.append(_decay(depth, exponent, widths, SEEDS[stage.size]))
    stage.save(decay_figure(found), "figure3")
    return [check for each in found for check in _checks(each, stage.size)]


def _decay(depth: int, exponent: float, widths: tuple[int, ...], seeds: int) -> Decay:
    groups = [range(k, min(k + TOGETHER, seeds)) for k in range(0, seeds, TOGETHER)]
    jobs = [(width, group) for width in widths[::-1] for group in groups]
    runs = dict(zip(jobs, in_parallel(lambda job: _run(depth, exponent, *job), jobs), strict=True))
    table = np.concatenate(
        [np.stack([runs[width, group].numbers for width in widths], axis=1) for group in groups]
    )
    ratio, bend, kernel = np.moveaxis(table, 2, 0)
    last = runs[widths[-1], groups[0]]
    return Decay(depth, exponent, np.array(widths, float), ratio, bend, kernel, *last.curve)


class _Runs(NamedTuple):
    """Rate over prediction, bend and change of the kernel, (s, 3), and the first one's curve."""

    numbers: Array
    curve: tuple[Array, Array]


def _run(depth: int, exponent: float, width: int, seeds: range) -> _Runs:
    data, sigma = setting.data(), activations.get("tanh")
    law = layer_initialisation("ntk", depth, setting.INPUTS).rescaled(alpha=0.5 - exponent)
    network = MultiLayerNetwork(sigma, law.at_width(width), setting.INPUTS, kind="centred")
    limit = deep_kernels(data.x, network.all_scales[0], sigma)
    n, step = len(data.y), STEP if exponent >= 0 else SHORT
    rate = step * n / float(limit.eigenvalues[-1])
    stop = Stop(mean_square=WINDOW[1] * data.square, max_steps=20_000)
    start = initial_layer_parameters(network, seeds)
    found = evolve(DeepGradientDynamics(network, data.x, data.y), Descent(rate), start, stop=stop)
    # what a literal step makes of exp(−2 λ_min t/n)
    predicted = -2 * math.log1p(-rate * limit.least_eigenvalue / n) / rate
    curves = list(zip((found.time * predicted).T, found.mean_square.T / data.square, strict=True))
    before, after = (
        tangent_kernel(network, each, data.x).total for each in (found.initial, found.final)
    )
    changes = kernel_change(before, after).relative
    rows = [(*line(*curve), change) for curve, change in zip(curves, changes, strict=True)]
    fitted = np.array([status is Status.CONVERGED for status in found.status])
    return _Runs(np.where(fitted[:, None], rows, math.nan), curves[0])


def line(time: Array, loss: Array) -> tuple[float, float]:
    """The rate of R in the window, and how far log R is from its line as a share of its fall.

    Args:
        time: t, ascending, shape (t,).
        loss: R(t)/R(0).

    Returns:
        −d log R/dt and the distance; NaN where the loss did not fall through the window.
    """
    inside = loss < WINDOW[0]  # NaN behind the end of a run is not
    if inside.sum() < 3 or loss[inside].min() > 2 * WINDOW[1]:
        return math.nan, math.nan
    logs = np.log(loss[inside])
    slope, level = np.polyfit(time[inside], logs, 1)
    away = np.abs(logs - slope * time[inside] - level).max()
    return -float(slope), float(away / np.ptp(logs))


def _checks(found: Decay, size: Size) -> list[Check]:
    """Rate, straightness, and the change of the kernel with the width."""
    m, name = int(found.widths[-1]), f"L = {found.depth}, κ = m^{found.exponent:g}"
    rate, error = average(found.ratio[:, -1])
    means = ", ".join(f"{each:.2f}" for each in found.ratio.mean(axis=0))
    fit = power_law(found.widths, found.kernel, bool(np.isfinite(found.kernel).all()))
    claim = f"{name}: exponent of the kernel's change, {found.kernel[:, -1].mean():.2g} at m = {m}"
    kernel = "reconstructions 4 and 5"
    if found.exponent <= 0:
        return [
            at_least(f"{claim}: it stays", kernel, -DRIFT, fit.exponent, fit.standard_error),
            at_least(
                f"{name}: rate over 2 λ_min/n at all widths {means}; its distance from 1 at "
                f"m = {m} in standard errors",
                WHERE, 2.0, abs(rate - 1) / error,
            ),
            at_least(
                f"{name}: distance of the rate over 2 λ_min/n from 1, m = {m}",
                WHERE, FAR, abs(rate - 1), error,
            ),
        ]  # fmt: skip
    words = f"{name}: rate over 2 λ_min/n at all widths {means}; at m = {m}"
    straight = f"{name}: largest distance of log R from a line over its fall, m = {m}"
    checks = [
        untested(words, WHERE, 1.0, WITHIN, rate)
        if found.exponent < SLOW and math.isfinite(rate)
        else close(words, WHERE, 1.0, rate, WITHIN, error),
        at_most(straight, WHERE, STRAIGHT, float(found.bend[:, -1].max())),
    ]
    # a second-order term κ^(−2), and one of first order whose sign is random, κ^(−1) m^(−1/2)
    theory = -min(2 * found.exponent, found.exponent + 0.5)
    if size == "smoke" and math.isfinite(fit.exponent):
        return [*checks, untested(claim, kernel, theory, DRIFT, fit.exponent)]
    return [*checks, close(claim, kernel, theory, fit.exponent, DRIFT, fit.standard_error)]
