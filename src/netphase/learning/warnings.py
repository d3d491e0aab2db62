"""What weakens a result on time-scales, in sentences."""

from __future__ import annotations

import math

import numpy as np

from netphase._types import Array
from netphase.hermite import HermiteSeries
from netphase.learning.problem import Problem
from netphase.results import StageRun

NEGLIGIBLE = 1e-6
"""Part of the mean square of a function that may be left out without a word."""

WIDE = 3.0
"""A width below so many times the least one that keeps the stages apart is said to be small."""

MANY = 10.0
"""Inputs below so many times 1/(ε Var a) are felt in t_1."""


def cautions(
    problem: Problem,
    epsilons: Array,
    runs: list[list[StageRun]],
    seeds: tuple[int, ...],
    width: int | None,
) -> list[str]:
    """What is to be said of a result.

    Args:
        problem: what is learnt.
        epsilons: ε, from the largest to the smallest.
        runs: those of each seed at each ε.
        seeds: of the runs.
        width: m; None in the mean field.

    Returns:
        Sentences.
    """
    said = list(problem.prediction.warnings)
    terms = len(problem.prediction.activation)
    for name, series in (("activation", problem.activation), ("target", problem.target)):
        if isinstance(series, HermiteSeries) and not series.finite:
            rest = series.rest(terms) / series.square
            if rest > NEGLIGIBLE and (width is None or name == "target"):
                said.append(
                    f"The Hermite series of the {name} is cut behind degree {terms - 1}: "
                    f"{rest:.2g} of its mean square is left out of the equations and the risk."
                )
    hidden = np.flatnonzero(problem.prediction.target[problem.degrees :])
    if len(hidden):
        said.append(f"Degrees from {problem.degrees} on are part of the run, but not recorded.")
    smallest = float(epsilons[-1])
    if width is not None:
        said += _narrow(problem, epsilons, width)
    if problem.inputs < MANY / (smallest * max(problem.outputs.variance, 1e-12)):
        said.append(
            f"d = {problem.inputs:g} is not large against 1/(ε Var a) at ε = {smallest:g}: random "
            "initial overlaps make t_1 earlier than in infinitely many dimensions."
        )
    for epsilon, row in zip(epsilons, runs, strict=True):
        for seed, run in zip(seeds, row, strict=True):
            if not run.status.succeeded:
                said.append(f"ε = {epsilon:g}, seed {seed}: {run.status}. {run.status.remedy}")
    return said


def least_width(problem: Problem, epsilon: float) -> float:
    """Widths m far above this keep the spread of output weights that the stages rest on.

    A neuron's output onto itself erases the spread at the rate ‖σ_(k≥1)‖²/(mε), so that m ≫
    ‖σ_(k≥1)‖² t_l/ε is needed, for the last degree that is learnt.
    """
    sigma = problem.activation
    square = sigma.square - float(sigma.coefficients[0] ** 2)
    degrees = np.flatnonzero(problem.learnable)
    last = int(degrees[-1]) if len(degrees) else 0
    if last == 0:
        return 0.0
    if last == 1:
        return square * math.log(1.0 / min(epsilon, 0.5)) / math.sqrt(epsilon)
    return float(square * epsilon ** (1.0 / (2 * last) - 1.0))


def _narrow(problem: Problem, epsilons: Array, width: int) -> list[str]:
    needed = {float(each): least_width(problem, float(each)) for each in epsilons}
    small = [epsilon for epsilon, least in needed.items() if width < WIDE * least]
    if not small:
        return []
    return [
        f"m = {width} is not large against {needed[small[0]]:.3g}, the width from which on the "
        f"stages are kept at ε = {small[0]:g}: expect plateaus to be delayed or wiped out there"
        f"{' and below' if len(small) > 1 else ''}."
    ]
