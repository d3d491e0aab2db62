"""Fig. 2: learned functions and feature clouds at γ' = 0, m = 1000, γ = 0.5, 1 and 1.75."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from netphase._types import Array
from netphase.datasets import four_points
from netphase.figures import functions_over_clouds
from netphase.observables import Features, direction_clusters
from netphase.reproductions.check import Check, at_most, close
from netphase.reproductions.luo2021.printed import LAZY_CHANGE, MIDDLE, SPIKES, THIRD
from netphase.reproductions.luo2021.training import Trained, train
from netphase.reproductions.reproduction import Stage
from netphase.reproductions.runs import average, in_parallel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 1000
GAMMAS = (0.5, 1.0, 1.75)
"""Fig. 2: the width and the three columns."""

SEEDS = {"smoke": 2, "small": 10, "paper": 10}
ACTIVE = 0.05


def run(stage: Stage) -> list[Check]:
    """Train the three networks from several seeds, draw the first, check the mean.

    Inputs: the four points, γ' = 0, β₁ = β₂ = 1 (Fig. 2 and its caption). A smoke run has two
    seeds, the others ten.
    """
    seeds = range(SEEDS[stage.size])
    cases = [(gamma, seed) for gamma in GAMMAS for seed in seeds]
    runs = in_parallel(lambda case: train(case[0], 0.0, WIDTH, case[1]), cases)
    table = {g: [r for (h, _), r in zip(cases, runs, strict=True) if h == g] for g in GAMMAS}
    stage.save(_figure({g: found[0] for g, found in table.items()}), "figure2")
    return [*_linear(table[0.5]), *_critical(table[1.0]), *_condensed(table[1.75])]


def _linear(runs: list[Trained]) -> list[Check]:
    change, error = average([r.trajectory.relative_change_w[-1] for r in runs])
    shift, scatter = average([_turn(r) for r in runs])
    return [
        close(
            "γ = 0.5: RD(θ_w), m = 1000 (± 10 %)",
            "Figs 2a, 3a",
            LAZY_CHANGE,
            change,
            0.1 * LAZY_CHANGE,
            error,
        ),
        at_most("γ = 0.5: mean turn of the features, rad", "Fig. 2d", 0.02, shift, scatter),
    ]


def _critical(runs: list[Trained]) -> list[Check]:
    middle, error = average([float(r.output(np.zeros(1))[0]) for r in runs])
    return [close("γ = 1: f(0) in [−0.04, −0.01]", "Fig. 2b", -0.025, middle, 0.015, error)]


def _condensed(runs: list[Trained]) -> list[Check]:
    points = np.array([-1 / 3, 0.0, 1 / 3])
    outputs = np.array([r.output(points) for r in runs])  # (seeds, 3)
    clusters = average([direction_clusters(r.final) for r in runs])
    checks = [
        close("γ = 1.75: f(0)", "Fig. 2c", MIDDLE, *_within(outputs[:, 1], 0.003)),
        close("γ = 1.75: f(−1/3)", "Fig. 2c", THIRD, *_within(outputs[:, 0], 0.003)),
        close("γ = 1.75: f(1/3)", "Fig. 2c", THIRD, *_within(outputs[:, 2], 0.003)),
        close("γ = 1.75: directions of active neurons", "Fig. 2f", 2, clusters[0], 0, clusters[1]),
    ]
    angles = np.array([spike_angles(r.final) for r in runs])  # (seeds, 2)
    for spike, column in zip(SPIKES, angles.T, strict=True):
        checks.append(close("γ = 1.75: angle of a spike", "Fig. 2f", spike, *_within(column, 0.03)))
    shares = [r.initial.amplitude.max() / r.final.amplitude.max() for r in runs]
    checks.append(
        at_most(
            "γ = 1.75: largest initial / final amplitude (± scatter of one run, as printed)",
            "Fig. 2f",
            1e-3,
            float(np.mean(shares)),
            float(np.std(shares, ddof=1)),
        )
    )
    return checks


def _within(values: Array, tolerance: float) -> tuple[float, float, float]:
    """Mean over seeds, tolerance, standard error: the last arguments of `close`."""
    mean, error = average(values)
    return mean, tolerance, error


def spike_angles(cloud: Features) -> list[float]:
    """Amplitude-weighted mean angle of the active neurons nearer to each of the printed spikes.

    Args:
        cloud: directions and amplitudes, d = 2.

    Returns:
        Two angles in radians, NaN where a spike has no neuron.
    """
    active = cloud.amplitude > ACTIVE * cloud.amplitude.max()
    direction, weight = cloud.direction[active], cloud.amplitude[active]
    towards = np.array([[math.cos(angle), math.sin(angle)] for angle in SPIKES])
    nearest = np.argmax(direction @ towards.T, axis=1)
    found = []
    for spike in range(len(SPIKES)):
        x, y = (weight[nearest == spike, None] * direction[nearest == spike]).sum(axis=0)
        found.append(math.atan2(y, x) if np.any(nearest == spike) else math.nan)
    return found


def _turn(trained: Trained) -> float:
    """Amplitude-weighted mean angle between a neuron's directions before and after training."""
    cosine = np.sum(trained.initial.direction * trained.final.direction, axis=1)
    angle = np.arccos(np.clip(cosine, -1.0, 1.0))
    return float(np.average(angle, weights=trained.final.amplitude))


def _figure(runs: dict[float, Trained]) -> Figure:
    import xarray as xr

    line = np.linspace(-0.5, 0.5, 401)
    data = four_points()
    columns = {
        f"$\\gamma$ = {gamma:g}": (
            xr.DataArray(trained.output(line), dims="x", coords={"x": line}),
            trained.initial,
            trained.final,
        )
        for gamma, trained in runs.items()
    }
    return functions_over_clouds(columns, (data.x[:, 0], data.y))
