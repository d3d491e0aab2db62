"""Fig. 6: clouds of trained networks over the plane, and the number of directions they use.

The paper shows it by pictures. Here it is a number too: the entropy number N, the bins (of 128)
that an even cloud of the same entropy would fill, relative to that of the cloud before training at
the same width and seed (which removes the noise of few neurons in many bins).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from netphase._types import Array
from netphase.figures import cloud_grid, measure_against_width
from netphase.networks import initial_parameters
from netphase.observables import Features, entropy_number, features
from netphase.reproductions.check import Check, at_least, every
from netphase.reproductions.luo2021 import printed
from netphase.reproductions.luo2021.training import base_experiment, train
from netphase.reproductions.reproduction import Stage
from netphase.reproductions.runs import in_parallel
from netphase.scalings import gamma_c
from netphase.sweep import Sweep

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

GAMMA, GAMMA_PRIME = printed.IMAGE_GAMMA, printed.IMAGE_GAMMA_PRIME
"""Fig. 6: the 7 × 7 boxes."""

SMOKE_GAMMA, SMOKE_GAMMA_PRIME = (0.7, 1.0, 1.3), (-0.2, 0.0)

WIDTHS = {
    "smoke": (1000, 4000),
    "small": (1000, 4000, 16000),
    "paper": (1000, 5000, 10000, 20000, 40000),
}
SEEDS = {"smoke": 2, "small": 3, "paper": 5}
CLOUD_WIDTHS = {"smoke": (1000, 4000), "small": (1000, 10000), "paper": (1000, 10000, 1000000)}

WINDOW = (-0.5, 0.5)
"""Angles shown, around the spike at −0.165."""

SHOWN = 100_000
"""Most neurons of a cloud that are drawn, the strongest first."""

AWAY = 0.1
FLAT = 0.1
"""On the line |d log N / d log m| is at most this: N changes by 7 % where m doubles."""

ABSENT = 0.9
"""Left of the line, N stays above this share of that of a structureless cloud."""


def run(stage: Stage) -> list[Check]:
    """Measure the condensation of every box over widths and seeds, and draw the clouds.

    Inputs: γ and γ' of the boxes, four points, antisymmetric to 1e-6.
    """
    smoke = stage.size == "smoke"
    sweep = Sweep(
        base=base_experiment(),
        gamma=SMOKE_GAMMA if smoke else GAMMA,
        gamma_prime=SMOKE_GAMMA_PRIME if smoke else GAMMA_PRIME,
        widths=WIDTHS[stage.size],
        seeds=tuple(range(SEEDS[stage.size])),
    )
    relative = relative_number(stage.sweep("figure6", sweep))
    stage.save(_curves(relative), "figure6-numbers")
    stage.save(_clouds(stage, sweep), "figure6")
    return [*judged(relative, "Fig. 6", "directions"), _contrast(relative)]


def relative_number(results: xr.Dataset) -> xr.DataArray:
    """Entropy number after training over that before, with the dimensions of the sweep."""
    import xarray as xr

    widths, seeds = results["width"].values.tolist(), results["seed"].values.tolist()
    before = [
        [entropy_number(features(initial_parameters(m, 2, seed, False))) for seed in seeds]
        for m in widths
    ]
    start = xr.DataArray(before, dims=("width", "seed"), coords={"width": widths, "seed": seeds})
    return results["entropy_number"] / start


def judged(relative: xr.DataArray, where: str, name: str) -> list[Check]:
    """The three statements of the text, counted over the boxes.

    Args:
        relative: N, a measure of how many directions there are, relative to the cloud before
            training, over gamma, gamma_prime, width, seed.
        where: place in the paper.
        name: what the measure counts.

    Returns:
        Narrowing with the width right of the line, the same width on it, no structure left of it.
    """
    right, on, left = [], [], []
    for gamma in relative["gamma"].values.tolist():
        for gamma_prime in relative["gamma_prime"].values.tolist():
            cell = relative.sel(gamma=gamma, gamma_prime=gamma_prime)
            slope, error = slope_of(cell)
            distance = gamma - gamma_c(gamma_prime)
            if distance > AWAY - 1e-9:
                right.append(slope < -2 * error)
            elif abs(distance) < 1e-9:
                on.append(slope)
            elif distance < -AWAY + 1e-9:
                left.append(float(cell.isel(width=-1).mean()) >= ABSENT or slope > 2 * error)
    return [
        every(
            f"right of the line (by {AWAY:g}): fewer {name}, the wider the network",
            where,
            sum(right),
            len(right),
        ),
        every(
            f"on the line: number N of {name} flat, |d log N/d log m| ≤ {FLAT:g}",
            where,
            int(np.sum(np.abs(on) <= FLAT)),
            len(on),
        ),
        every(
            f"left of the line (by {AWAY:g}): N at least {ABSENT:g} of an even cloud's, or rising",
            where,
            sum(left),
            len(left),
        ),
    ]


def _contrast(relative: xr.DataArray) -> Check:
    """Both sides of the line at the largest width."""
    linear, condensed = (
        float(relative.sel(gamma=gamma, gamma_prime=0.0).isel(width=-1).mean())
        for gamma in (0.7, 1.3)
    )
    claim = "N at (0.7, 0) over N at (1.3, 0), largest width"
    return at_least(claim, "Fig. 6", 5.0, linear / condensed)


def slope_of(cell: xr.DataArray) -> tuple[float, float]:
    """D log N / d log m of a cell, mean over seeds with its standard error."""
    table = np.log(cell.transpose("seed", "width").values)
    x = np.log(cell["width"].values.astype(np.float64))
    centred = x - x.mean()
    slopes = table @ centred / (centred @ centred)
    if len(slopes) < 2:
        return float(slopes[0]), 0.0
    return float(slopes.mean()), float(slopes.std(ddof=1) / math.sqrt(len(slopes)))


def _curves(relative: xr.DataArray) -> Figure:
    """N against the width in the row γ' = 0."""
    row = relative.sel(gamma_prime=0.0)
    return measure_against_width(
        {f"$\\gamma$ = {g:g}": row.sel(gamma=g) for g in row["gamma"].values.tolist()},
        "entropy number, trained / initial",
    )


def _clouds(stage: Stage, sweep: Sweep) -> Figure:
    """The boxes, seed 0."""
    places = [(g, h) for g in sweep.gamma for h in sweep.gamma_prime]
    clouds: dict[tuple[float, float], dict[int, Features]] = {place: {} for place in places}
    for width in CLOUD_WIDTHS[stage.size]:
        stage.progress(f"figure6: clouds at m = {width}")

        def cloud(place: tuple[float, float], m: int = width) -> Features:
            return visible(train(*place, m).final, WINDOW)

        for place, found in zip(places, in_parallel(cloud, places), strict=True):
            clouds[place][width] = found
    return cloud_grid(clouds, window=WINDOW)


def visible(cloud: Features, window: tuple[float, float]) -> Features:
    """The neurons of a cloud that a window shows, at most `SHOWN`, the strongest of all included.

    Args:
        cloud: directions and amplitudes, d = 2.
        window: limits of the angle.

    Returns:
        The cloud of those neurons; amplitudes unchanged.
    """
    angle: Array = np.arctan2(cloud.direction[:, 1], cloud.direction[:, 0])
    inside = np.flatnonzero((angle > window[0]) & (angle < window[1]))
    kept = inside[np.argsort(-cloud.amplitude[inside])[:SHOWN]]
    kept = np.union1d(kept, [int(np.argmax(cloud.amplitude))])
    return Features(cloud.direction[kept], cloud.amplitude[kept], angle[kept])
