"""The theorems and identities behind the diagram, on trained networks."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from netphase._types import Array
from netphase.analysis import PowerLawFit, fit_power_law
from netphase.datasets import Dataset, four_points, polynomial
from netphase.dynamics import Descent, GradientDynamics, evolve
from netphase.engine.problem import Stop
from netphase.figures import theory_tests
from netphase.kernels import LinearModel, condensed_lower_bound, linear_decay_rate, loss_bound
from netphase.networks import initial_parameters
from netphase.reproductions.check import Check, at_most, below, every, untested
from netphase.reproductions.luo2021.training import Trained, network_at, train
from netphase.reproductions.reproduction import Stage
from netphase.reproductions.runs import in_parallel
from netphase.scalings import ScalingLaw

DRIFT_CELLS = (
    (0.6, 0.0),
    (0.8, 0.4),
    (0.8, -0.4),
    (1.0, 0.0),
    (1.4, 0.0),
    (1.4, -0.4),
    (1.75, 0.0),
)
DRIFT_TOLERANCE = 0.001
"""Tolerance of the automatic step for the conserved quantity (its default is 0.01)."""

Lazy: TypeAlias = Literal["theta", "w", "a"]
"""Which layers hardly move."""

LINEAR_CELLS: tuple[tuple[float, float, Lazy], ...] = (
    (0.5, 0.0, "theta"),
    (0.6, 0.0, "theta"),
    (0.8, 0.0, "theta"),
    (0.6, 0.3, "theta"),
    (0.6, -0.3, "theta"),
    (1.2, 0.5, "w"),
)
CONDENSED = (1.5, 1.75, 2.0)
LAZY = (0.5, 0.6, 0.8)

WIDTHS = {"smoke": (1000, 4000), "small": (1000, 4000, 16000), "paper": (1000, 4000, 16000, 64000)}
SEEDS = {"smoke": 1, "small": 3, "paper": 5}


def run(stage: Stage) -> list[Check]:
    """Conservation law, Theorem 6(b), Theorem 8, and eq. (15), with one figure of all.

    Inputs: four points, except for Theorem 8, whose assumptions ask for x in [0, 1]^d and some
    target of at least 1/2: y = x² at 0, 1/3, 2/3, 1.
    """
    stage.progress("conservation law and Theorem 6")
    drifts = in_parallel(lambda cell: _drift(*cell), DRIFT_CELLS)
    widths = WIDTHS[stage.size]
    m = widths[-1]
    ratios = in_parallel(lambda cell: _loss_over_bound(*cell, m), LINEAR_CELLS)
    stage.progress("Theorem 8")
    bounds = _lower_bounds(widths)
    stage.progress("linearised network")
    errors = {gamma: _linear_errors(gamma, widths, SEEDS[stage.size]) for gamma in (*LAZY, 1.0)}
    fits = {gamma: fit_power_law(np.array(widths), table) for gamma, table in errors.items()}
    _draw(stage, m, bounds, widths, errors)
    return [
        at_most(
            "drift of κ'²(a² − a(0)²) − (|w|² − |w(0)|²), largest of 7 cells, m = 1000",
            "proof of Theorem 8",
            1e-3,
            max(drifts),
        ),
        at_most(
            f"loss over its exponential bound, largest of 6 linear cells, m = {m}",
            "Theorem 6(b) and its proof",
            1.0,
            max(ratios),
        ),
        every(
            "sup RD(θ_w) above its lower bound, condensed cells × widths",
            "Theorem 8 and its proof",
            sum(change >= bound for _, _, change, bound in bounds),
            len(bounds),
        ),
        *(_vanishing(gamma, fits[gamma], stage) for gamma in LAZY),
    ]


def _drift(gamma: float, gamma_prime: float) -> float:
    """Σ|κ'²Δa² − Δ|w|²| over Σ(κ'²|Δa²| + |Δ|w|²|), at the end of training."""
    trained = train(gamma, gamma_prime, 1000, tolerance=DRIFT_TOLERANCE)
    return conserved_drift(trained)


def conserved_drift(trained: Trained) -> float:
    """The relative drift of the conserved quantity over a run, from its first and last parameters.

    Args:
        trained: a run of a homogeneous activation.

    Returns:
        A number in [0, 1].
    """
    before, after = trained.trajectory.initial, trained.trajectory.final
    ratio = trained.network.scales.kappa_prime
    outer = ratio**2 * (after.a**2 - before.a**2)
    inner = np.sum(after.w**2 - before.w**2, axis=1)
    return float(np.abs(outer - inner).sum() / (np.abs(outer) + np.abs(inner)).sum())


def _loss_over_bound(gamma: float, gamma_prime: float, lazy: Lazy, width: int) -> float:
    """Largest loss over bound along a run, after the start (where they are equal)."""
    trained = train(gamma, gamma_prime, width)
    loss, bound = _loss_and_bound(trained, gamma, gamma_prime, lazy)
    return float(np.max(loss[1:] / bound[1:]))


def _loss_and_bound(
    trained: Trained, gamma: float, gamma_prime: float, lazy: Lazy
) -> tuple[Array, Array]:
    law = ScalingLaw.from_gamma(gamma, gamma_prime)
    rate = linear_decay_rate(law, trained.width, four_points(), lazy=lazy)
    loss = trained.trajectory.loss
    return loss, loss_bound(trained.trajectory.time, float(loss[0]), rate)


def _theorem8_data() -> Dataset:
    return polynomial((0.0, 0.0, 1.0), n=4, low=0.0, high=1.0)


def _lower_bounds(widths: tuple[int, ...]) -> list[tuple[float, int, float, float]]:
    """(γ, m, sup RD_w over all neurons, its lower bound) in the row γ' = 0."""
    data = _theorem8_data()
    cases = [(gamma, m) for gamma in CONDENSED for m in widths]

    def change(case: tuple[float, int]) -> float:
        gamma, m = case
        trained = train(gamma, 0.0, m, data=data, both_copies=True)
        return trained.trajectory.max_relative_change_w

    found = in_parallel(change, cases)
    return [
        (g, m, value, condensed_lower_bound(ScalingLaw.from_gamma(g, 0.0), m, data.d))
        for (g, m), value in zip(cases, found, strict=True)
    ]


def _linear_errors(gamma: float, widths: tuple[int, ...], seeds: int) -> Array:
    """Sup over time and x of |f − f_lin| on [−1/2, 1/2], shape (seeds, widths)."""
    cases = [(seed, m) for seed in range(seeds) for m in widths]
    found = in_parallel(lambda case: linear_error(gamma, case[1], case[0]), cases)
    return np.array(found).reshape(seeds, len(widths))


def linear_error(gamma: float, width: int, seed: int) -> float:
    """How far a network strays from its linearisation at the start, γ' = 0.

    Args:
        gamma: γ.
        width: neurons m of one copy.
        seed: any integer.

    Returns:
        The largest |f(x, t) − f_lin(x, t)| over 101 points of [−1/2, 1/2] and 12 times.

    References:
        Luo et al. (JMLR 2021), equation (15).
    """
    data = four_points()
    network = network_at(gamma, 0.0, width)
    start = initial_parameters(width, data.d, seed)
    model = LinearModel(network, start, data.x, data.y)
    rates = model.eigenvalues / data.n
    times = np.geomspace(0.3 / rates[-1], 5.0 / rates[0], 12)
    trajectory = evolve(
        GradientDynamics(network, data),
        Descent(),
        start,
        stop=Stop(mean_square=1e-12, time=float(times[-1])),
        times=times,
        tracked=width,
    )
    line = np.linspace(-0.5, 0.5, 101)
    x = np.column_stack([line, np.ones_like(line)])
    return max(
        float(np.max(np.abs(network.output(snapshot, x) - model.output(float(t), x))))
        for t, snapshot in zip(times, trajectory.snapshots, strict=False)
    )


def _vanishing(gamma: float, fit: PowerLawFit, stage: Stage) -> Check:
    """The error against the linear model vanishes with the width: its exponent is negative."""
    claim = f"γ = {gamma:g}: exponent of sup |f − f_lin| in the width"
    if stage.size == "smoke":
        return untested(claim, "eq. (15), Theorem 6", "< 0 by 2 s.e.")
    return below(claim, "eq. (15), Theorem 6", 0.0, fit.exponent, fit.standard_error)


def _draw(
    stage: Stage,
    width: int,
    bounds: list[tuple[float, int, float, float]],
    widths: tuple[int, ...],
    errors: dict[float, Array],
) -> None:
    """Loss and bound; RD and bound; distance from the linear model."""
    losses = {}
    for gamma, gamma_prime, lazy in LINEAR_CELLS[:3]:
        trained = train(gamma, gamma_prime, width)
        loss, bound = _loss_and_bound(trained, gamma, gamma_prime, lazy)
        losses[f"$\\gamma$ = {gamma:g}"] = trained.trajectory.time, loss, bound
    changes = {}
    for gamma in CONDENSED:
        row = [(m, change, bound) for g, m, change, bound in bounds if g == gamma]
        m, change, bound = (np.array(column, dtype=np.float64) for column in zip(*row, strict=True))
        changes[f"$\\gamma$ = {gamma:g}"] = m, change, bound
    distance = {f"$\\gamma$ = {g:g}": (np.array(widths), table) for g, table in errors.items()}
    stage.save(theory_tests(losses, changes, distance), "theorems")
