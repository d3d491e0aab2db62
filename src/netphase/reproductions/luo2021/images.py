"""Figs 5 and 7: the plane and the clouds on 45 real images, at widths that two cores can do."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from netphase._types import Array
from netphase.analysis import analyse_plane, boundary_of, whole_row_zero
from netphase.datasets import Dataset, mnist
from netphase.errors import MissingDependencyError
from netphase.figures import cloud_grid, phase_diagram
from netphase.networks import initial_parameters
from netphase.observables import Features, effective_rank, features
from netphase.reproductions.check import Check, close, every, untested
from netphase.reproductions.luo2021 import printed
from netphase.reproductions.luo2021.condensation import judged
from netphase.reproductions.luo2021.diagrams import STAR, compare_cells, published_stars
from netphase.reproductions.luo2021.training import (
    IMAGE_MEAN_SQUARE,
    base_experiment,
    train,
)
from netphase.reproductions.reproduction import Stage
from netphase.scalings import gamma_c, predicted_exponents
from netphase.sweep import Sweep

if TYPE_CHECKING:
    import xarray as xr

GAMMA = {"small": (0.7, 0.9, 1.0, 1.1, 1.3), "paper": printed.IMAGE_GAMMA}
GAMMA_PRIME = {"small": (-0.2, 0.0, 0.2), "paper": printed.IMAGE_GAMMA_PRIME}
WIDTHS = {"small": (250, 1000, 4000), "paper": (250, 500, 1000, 2000, 4000)}
CLOUD_WIDTHS = {"small": (250, 1000), "paper": (250, 1000, 4000)}
CLOUD_GAMMA, CLOUD_GAMMA_PRIME = (0.7, 1.0, 1.3), (-0.2, 0.0, 0.2)

SIGNS = "sign of S_w in cells at least 0.1 from the boundary"
NARROWS = "spread of the projections right of the line (narrow at m = 250 000)"


def run_figure5(stage: Stage) -> list[Check]:
    """Fig. 5: S_w on images.

    Inputs: 45 images, 784 pixels and a bias, digit as scalar target, no antisymmetric copy, mean
    square error to 1e-4 (section 4.1, authors' script). Widths 250 to 4000 in place of 1000 to
    250 000. A smoke run does not test it.
    """
    data = _images(stage)
    if stage.size == "smoke" or data is None:
        rows = printed.IMAGE_STARS.items()
        stars = [untested(_star(row), "Fig. 5", star, STAR) for row, star in rows]
        return [untested(SIGNS, "Fig. 5", "all cells"), *stars]
    plane = analyse_plane(stage.sweep("figure5", _sweep(stage.size, data)))
    own = stage.images is not None
    figure = phase_diagram(
        plane.sel(block="w")["exponent"],
        boundary=boundary_of(plane),
        whole_row=boundary_of(plane, "w", "whole row"),
        published=None if own else published_stars(printed.IMAGE_STARS),
    )
    stage.save(figure, "figure5")
    row = plane.sel(block="w")["exponent"]
    return [_signs(row), *([] if own else [_cells(row), *_stars(row)])]


def _sweep(size: str, data: Dataset) -> Sweep:
    """The runs behind Figs 5 and 7."""
    return Sweep(
        base=base_experiment(data),
        gamma=GAMMA[size],
        gamma_prime=GAMMA_PRIME[size],
        widths=WIDTHS[size],
    )


def run_figure7(stage: Stage) -> list[Check]:
    """Fig. 7: projections of the directions on (1, …, 1)/√d against the amplitude, and a number.

    Inputs as in Fig. 5; nine boxes in place of 49, widths as far as two cores go. The number is
    the effective rank of Σ p_k ŵ_k ŵ_kᵀ, with p_k the share of a neuron in the amplitude, relative
    to that before training: how many directions of the 785 there are. It tells condensation at
    widths at which projections do not narrow yet.
    """
    data = _images(stage)
    if stage.size == "smoke" or data is None:
        return [untested(NARROWS, "Fig. 7", "narrower")]
    sweep = _sweep(stage.size, data)
    relative = relative_rank(stage.sweep("figure5", sweep), data.d)
    return [*judged(relative, "Fig. 7", "dimensions"), _draw_clouds(stage, data)]


def relative_rank(results: xr.Dataset, d: int) -> xr.DataArray:
    """Effective rank after training over that before, with the dimensions of the sweep."""
    import xarray as xr

    widths, seeds = results["width"].values.tolist(), results["seed"].values.tolist()
    before = [
        [effective_rank(features(initial_parameters(m, d, seed, False))) for seed in seeds]
        for m in widths
    ]
    start = xr.DataArray(before, dims=("width", "seed"), coords={"width": widths, "seed": seeds})
    return results["effective_rank"] / start


def _draw_clouds(stage: Stage, data: Dataset) -> Check:
    """The boxes, and how the spread of the projections compares with the start's in the last."""
    places = [(g, h) for g in CLOUD_GAMMA for h in CLOUD_GAMMA_PRIME]
    clouds: dict[tuple[float, float], dict[int, Features]] = {place: {} for place in places}
    ratio = math.nan
    for width in CLOUD_WIDTHS[stage.size]:
        for place in places:
            stage.progress(f"figure7: γ = {place[0]:g}, γ' = {place[1]:g}, m = {width}")
            trained = train(
                *place, width, data=data, antisymmetric=False, mean_square=IMAGE_MEAN_SQUARE
            )
            clouds[place][width] = trained.final
            if place == (CLOUD_GAMMA[-1], CLOUD_GAMMA_PRIME[0]):
                ratio = width_of(trained.final) / width_of(trained.initial)
    shown = [cloud for box in clouds.values() for cloud in box.values()]
    reach = max(float(np.abs(_projection(cloud)).max()) for cloud in shown)
    stage.save(cloud_grid(clouds, window=(-reach, reach)), "figure7")
    return untested(NARROWS, "Fig. 7", "narrower", measured=f"{ratio:.2f} of the start's")


def width_of(cloud: Features) -> float:
    """Amplitude-weighted standard deviation of the projections on (1, …, 1)/√d."""
    projection = _projection(cloud)
    mean = np.average(projection, weights=cloud.amplitude)
    return math.sqrt(float(np.average((projection - mean) ** 2, weights=cloud.amplitude)))


def _projection(cloud: Features) -> Array:
    return np.asarray(cloud.direction.sum(axis=1) / math.sqrt(cloud.direction.shape[1]))


def _images(stage: Stage) -> Dataset | None:
    """The user's images, or the built-in ones, or None where those are not installed."""
    if stage.images is not None or stage.size == "smoke":
        return stage.images
    try:
        return mnist(45)
    except MissingDependencyError as error:
        stage.progress(str(error))
        return None


def _star(gamma_prime: float) -> str:
    return f"γ' = {gamma_prime:g}: zero of a line through all S_w of the row"


def _signs(row: xr.DataArray) -> Check:
    holds = cases = 0
    for gamma in row["gamma"].values.tolist():
        for gamma_prime in row["gamma_prime"].values.tolist():
            if abs(gamma - gamma_c(gamma_prime)) < 0.1 - 1e-9:
                continue
            cases += 1
            law = predicted_exponents(gamma, gamma_prime).w
            holds += float(row.sel(gamma=gamma, gamma_prime=gamma_prime)) * law > 0
    return every(SIGNS, "Fig. 5", holds, cases)


def _cells(row: xr.DataArray) -> Check:
    """The printed cells belong to widths of 1000 to 250 000: shown beside ours, not judged."""
    cells = {
        (gamma, gamma_prime): value
        for gamma_prime, values in printed.IMAGE_CELLS.items()
        for gamma, value in zip(printed.IMAGE_GAMMA, values, strict=True)
        if not math.isnan(value)
        and gamma in row["gamma"].values
        and gamma_prime in row["gamma_prime"].values
    }
    found = compare_cells(row, cells, "S_w", "Fig. 5")
    claim = f"{found.claim}, at the paper's widths"
    return untested(claim, "Fig. 5", found.expected, measured=found.measured)


def _stars(row: xr.DataArray) -> list[Check]:
    found = whole_row_zero(row["gamma"].values, row["gamma_prime"].values, row.values)
    checks = []
    for gamma_prime, star in printed.IMAGE_STARS.items():
        at = np.flatnonzero(found.gamma_prime == gamma_prime)
        if len(at):
            zero, error = float(found.gamma[at[0]]), float(found.standard_error[at[0]])
            checks.append(close(_star(gamma_prime), "Fig. 5", star, zero, STAR, error))
        else:
            checks.append(untested(_star(gamma_prime), "Fig. 5", star, STAR))
    return checks
