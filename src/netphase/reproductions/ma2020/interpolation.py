"""Random features over many seeds: at all widths, and at m = n, where the error has a heavy tail.

The mean of the error at m = n is infinite; the mean of its logarithm is not.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from netphase import targets
from netphase._types import Array
from netphase.reproductions.check import Check, at_most, close
from netphase.reproductions.ma2020 import printed
from netphase.reproductions.ma2020.sample_figures import distributions
from netphase.reproductions.ma2020.samples import toleranced, twin_error
from netphase.reproductions.reproduction import Stage
from netphase.reproductions.runs import average, in_parallel

MAKERS = {"single neuron": targets.single_neuron, "circle": targets.circle}
FEATURES = {"smoke": (220, 10), "small": (4000, 20), "paper": (4000, 40)}
"""Largest width and number of seeds of the random features alone."""

DEX = 0.1
"""Distance from a printed mean of log₁₀ errors that is reading and scatter."""

SEEDS = {"smoke": 200, "small": 400, "paper": 1000}
TAIL = 0.2
"""Part of the seeds, those with the largest errors, that count as the tail."""

TAIL_EXPONENT, TAIL_TOLERANCE = 0.5, 0.15
"""P(E > x) ∝ x^−½: the least singular value s of a square random matrix has P(s < ε) ∝ ε
(Edelman 1988), and E ∝ 1/s² (derived)."""


def random_features(stage: Stage, name: str) -> Check:
    """The random features of one target at the printed widths.

    Args:
        stage: size and progress.
        name: a key of `MAKERS`.

    Returns:
        The check of the largest distance from a printed mean, m = n left out.
    """
    target = MAKERS[name](printed.SWEEP_INPUTS)
    most, seeds = FEATURES[stage.size]
    rows = {"single neuron": printed.SINGLE_FEATURES, "circle": printed.CIRCLE_FEATURES}
    table = dict(zip(printed.TABLE_WIDTHS, rows[name], strict=True))
    widths = [width for width in table if width <= most and width != printed.PEAK_WIDTH]
    stage.progress(f"figure4: {name}, random features")
    found = []
    for width in widths:
        one = partial(twin_error, target, printed.SAMPLES, width)
        mean, error = average(in_parallel(one, range(seeds)))
        found.append((mean - table[width], error, width))
    gap, error, width = max(found, key=lambda each: abs(each[0]))
    claim = (
        f"{name}: random features, log₁₀ error, largest distance from the printed one at "
        f"{len(found)} widths but m = n, {seeds} seeds (m = {width})"
    )
    return at_most(claim, "Fig. 4", DEX, abs(gap), error)


def heavy_tail(stage: Stage) -> list[Check]:
    """The error at m = n over many seeds: its mean logarithm, its tail, its distribution drawn.

    Inputs: n = m = 200, d = 20, the least-squares fit of both targets.
    """
    seeds, size = range(SEEDS[stage.size]), printed.PEAK_WIDTH
    expected = {"single neuron": printed.SINGLE_PEAK, "circle": printed.CIRCLE_PEAK}
    found, checks = {}, []
    for name, maker in MAKERS.items():
        stage.progress(f"figure4: {name}, random features at m = n")
        target = maker(printed.SWEEP_INPUTS)
        errors = np.array(in_parallel(partial(twin_error, target, size, size), seeds))
        found[name] = errors
        low, middle, high = np.quantile(errors, [0.1, 0.5, 0.9])
        checks.append(
            close(
                f"{name}: random features, m = n, {len(errors)} seeds: mean log₁₀ error "
                f"(median {middle:.2f}, 10 % {low:.2f}, 90 % {high:.2f})",
                "Fig. 4, second check",
                expected[name],
                *toleranced(errors, printed.PEAK_TOLERANCE),
            )
        )
        exponent = tail_exponent(errors)
        checks.append(
            close(
                f"{name}: random features, m = n: exponent of the tail P(error > x)",
                "Fig. 4 (derived)",
                TAIL_EXPONENT,
                exponent,
                TAIL_TOLERANCE,
                exponent / math.sqrt(TAIL * len(errors)),
            )
        )
    stage.save(distributions(found, TAIL_EXPONENT), "figure4-peak")
    return checks


def tail_exponent(log_errors: Array, part: float = TAIL) -> float:
    """Hill's estimate of the exponent α of a tail P(E > x) ∝ x^−α.

    Args:
        log_errors: log₁₀ E, shape (s,).
        part: the part of them, the largest ones, that count, in (0, 1).

    Returns:
        α, with a relative standard error of one over the root of the number that count.

    References:
        Hill (1975), Annals of Statistics 3.
    """
    ordered = np.sort(log_errors)
    count = round(part * len(ordered))
    excess = ordered[-count:] - ordered[-count - 1]
    return 1.0 / (math.log(10) * float(excess.mean()))
