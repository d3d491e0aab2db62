"""The macroscopic equations of the linear stage: against trained networks, and against the law."""

from __future__ import annotations

import numpy as np

from netphase._types import Which
from netphase.datasets import linear
from netphase.dynamics import macroscopic_limit
from netphase.experiment import Experiment, measure
from netphase.figures import change_against_width
from netphase.kernels import half_way
from netphase.reproductions.check import Check, at_most
from netphase.reproductions.reproduction import Stage
from netphase.reproductions.runs import in_parallel
from netphase.scalings import ScalingLaw
from netphase.sweep import EXACT_WIDTHS, exact_plane

CELLS = ((1.5, 0.0), (1.5, 0.25), (1.5, -0.25), (1.75, 0.0), (1.25, -0.75), (1.75, 1.0))
"""Three cells of the condensed zone, where the window is short; one deep in it, a-lag, w-lag."""

WIDTH = {"smoke": 4000, "small": 64000, "paper": 64000}
NARROWER = {"smoke": (1000,), "small": (1000, 4000, 16000), "paper": (1000, 4000, 16000)}
"""Further widths, for the figure."""

SEEDS = {"smoke": 2, "small": 4, "paper": 8}
WITHIN = {"smoke": 0.05, "small": 0.015, "paper": 0.015}

FINITE_WIDTHS = (1e12, 1e16)
PLANE = {"smoke": (13, 9), "small": (41, 41), "paper": (61, 81)}
"""Values of γ in [1/2, 2] and of γ′ in [−1, 1]."""

FAR, NEAR, SLOPE = 0.25, 0.02, 0.005
"""Distances from the lines of the law, and the error of a slope allowed from there on."""

MEASURES = {
    "relative_change_w": "RD(θ_w)",
    "relative_change_a": "RD(θ_a)",
    "alignment_ratio": "ρ",
}
WHERE = "linear stage (derived)"


def run(stage: Stage) -> list[Check]:
    """Networks of 64 000 neurons (smoke: 4000) against the equations; these against the law.

    Inputs: as for the plane; antisymmetric start, to half of what a linear fit can explain.
    """
    stage.progress("macroscopic: networks")
    width, seeds = WIDTH[stage.size], range(SEEDS[stage.size])
    widths = (*NARROWER[stage.size], width)
    cases = [(cell, m, seed) for cell in CELLS for m in widths for seed in seeds]
    found = in_parallel(lambda case: train(*case[0], *case[1:]), cases)
    table = dict(zip(cases, found, strict=True))
    _draw(stage, table, widths)
    stage.progress("macroscopic: plane")
    runs = {(cell, seed): run for (cell, m, seed), run in table.items() if m == width}
    return [*_networks(runs, stage.size), *_slopes(stage.size)]


def train(gamma: float, gamma_prime: float, width: int, seed: int) -> dict[str, float]:
    """RD_w, RD_a and ρ of a tanh network at half of the loss.

    Args:
        gamma: γ.
        gamma_prime: γ′.
        width: neurons m of one copy.
        seed: of the start.

    Returns:
        Values by the names of `MEASURES`.
    """
    data = linear()
    scalars = measure(
        Experiment(
            law=ScalingLaw.plain(gamma, gamma_prime),
            width=width,
            activation="tanh",
            data=data,
            seed=seed,
            mean_square=half_way(data),
        )
    )
    return {name: float(scalars[name]) for name in MEASURES}


def _networks(
    runs: dict[tuple[tuple[float, float], int], dict[str, float]], size: str
) -> list[Check]:
    """The mean over seeds against the equations, the worst of the cells."""
    width, checks = WIDTH[size], []
    ends = {cell: _final(ScalingLaw.plain(*cell), width) for cell in CELLS}
    for name, words in MEASURES.items():
        gaps = {}
        for cell in CELLS:
            mean = np.mean([found[name] for (place, _), found in runs.items() if place == cell])
            gaps[cell] = abs(float(mean) / ends[cell][name] - 1)
        worst = max(gaps, key=lambda cell: gaps[cell])
        checks.append(
            at_most(
                f"{words} at m = {width}: largest relative difference between networks and "
                f"equations over {len(CELLS)} cells (at γ, γ′ = {worst[0]:g}, {worst[1]:g})",
                WHERE,
                WITHIN[size],
                gaps[worst],
            )
        )
    return checks


def _slopes(size: str) -> list[Check]:
    """Exponents of the equations against the law, for both layers."""
    columns, rows = PLANE[size]
    gamma, gamma_prime = np.linspace(0.5, 2.0, columns), np.linspace(-1.0, 1.0, rows)
    checks = []
    for widths, distance in ((FINITE_WIDTHS, FAR), (EXACT_WIDTHS, NEAR)):
        plane = exact_plane(gamma, gamma_prime, widths)
        off = plane["distance"] >= distance
        gap = abs(plane["exponent"] - plane["law"]).where(off)
        checks.append(
            at_most(
                f"slopes between m = {widths[0]:.0e} and {widths[1]:.0e}, {columns} × {rows} cells "
                f"(those from {distance:g} off the lines): largest error of the law",
                WHERE,
                SLOPE,
                float(gap.max()),
            )
        )
    return checks


def _draw(
    stage: Stage,
    table: dict[tuple[tuple[float, float], int, int], dict[str, float]],
    widths: tuple[int, ...],
) -> None:
    """Both changes against the width: networks as markers, equations dashed."""
    import xarray as xr

    fine = np.geomspace(widths[0], widths[-1], 8).round()
    theory = {cell: [_final(ScalingLaw.plain(*cell), m) for m in fine] for cell in CELLS}
    seeds = sorted({seed for _, _, seed in table})
    blocks: tuple[Which, ...] = ("w", "a")
    for block in blocks:
        name = f"relative_change_{block}"
        trained, exact = {}, {}
        for cell in CELLS:
            label = rf"$\gamma$ = {cell[0]:g}, $\gamma^{{\prime}}$ = {cell[1]:g}"
            values = [[table[cell, m, seed][name] for m in widths] for seed in seeds]
            coords = {"seed": seeds, "width": list(widths)}
            trained[label] = xr.DataArray(values, coords, ("seed", "width"))
            exact[label] = fine, np.array([each[name] for each in theory[cell]])
        figure = change_against_width(trained, which=block, predicted=exact, width=4.5)
        stage.save(figure, "figure3" if block == "w" else "figure3-a")


def _final(law: ScalingLaw, width: float) -> dict[str, float]:
    return macroscopic_limit(law, width, linear()).final
