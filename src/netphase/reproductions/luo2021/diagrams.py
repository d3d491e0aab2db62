"""Figs 4 and 10: the exponents S_w, S_θ and S_a over the plane, and where they vanish."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from netphase._types import Which
from netphase.analysis import PhaseBoundary, analyse_plane, boundary_of, whole_row_zero
from netphase.figures import phase_diagram
from netphase.reproductions.check import Check, close, every, untested
from netphase.reproductions.luo2021 import printed
from netphase.reproductions.luo2021.training import base_experiment
from netphase.reproductions.reproduction import Stage
from netphase.scalings import gamma_c, predicted_exponents
from netphase.sweep import Sweep

if TYPE_CHECKING:
    import xarray as xr

SEEDS = {"smoke": 1, "small": 1, "paper": 3}
SMOKE_GAMMA = (0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2, 1.3)
SMOKE_GAMMA_PRIME = (-0.2, 0.0, 0.2)
SMOKE_WIDTHS = (1000, 3000, 10000)

CELL, STAR, ZERO = 0.06, 0.05, 0.06
"""Tolerances: of an exponent, of the zero of a whole row, of the local zero."""

AWAY = 0.1
"""Cells at least so far in γ from a boundary must have the right sign."""

COVERED = 2.0
"""An error bar of so many standard errors should reach the exact boundary."""

NAMES: dict[Which, str] = {"w": "S_w", "a": "S_a", "theta": "S_θ"}


def run_figure4(stage: Stage) -> list[Check]:
    """Fig. 4: S_w.

    Inputs: 13 × 9 cells, five widths, antisymmetric, mean square error to 1e-6. A smoke run has
    8 × 3 cells and three widths; the printed numbers are then not compared.
    """
    plane = _plane(stage)
    local = boundary_of(plane)
    _draw(stage, plane, "w", local, printed.STARS, "figure4")
    row = plane.sel(block="w")["exponent"]
    return [
        _cells(row, stage),
        _signs(plane, "w", "Fig. 4"),
        _verdicts(plane),
        *_stars(row, stage, "w", printed.STARS, "Fig. 4"),
        *_zeros(local, row, "w", "Fig. 4"),
        _coverage(local, row, "w", "Fig. 4"),
    ]


def run_figure10(stage: Stage) -> list[Check]:
    """Fig. 10: (a) S_θ, and the S_a that (b) should show (printed there is Fig. 4 again).

    The runs are those of Fig. 4.
    """
    plane = _plane(stage)
    checks: list[Check] = []
    theta = plane.sel(block="theta")["exponent"]
    checks += _theta_cells(theta, stage)
    checks += _stars(theta, stage, "theta", printed.STARS_THETA, "Fig. 10a")
    blocks: tuple[tuple[Which, str], ...] = (
        ("theta", "Fig. 10a"),
        ("a", "App. D (Fig. 10b is misprinted)"),
    )
    for which, where in blocks:
        local = boundary_of(plane, which)
        row = plane.sel(block=which)["exponent"]
        checks.append(_signs(plane, which, where))
        checks += _zeros(local, row, which, where)
        stars = printed.STARS_THETA if which == "theta" else None
        _draw(stage, plane, which, local, stars, f"figure10-{which}")
    return checks


def plane_sweep(size: str) -> Sweep:
    """The sweep behind Figs 4 and 10 at a size."""
    smoke = size == "smoke"
    return Sweep(
        base=base_experiment(),
        gamma=SMOKE_GAMMA if smoke else printed.GAMMA,
        gamma_prime=SMOKE_GAMMA_PRIME if smoke else printed.GAMMA_PRIME,
        widths=SMOKE_WIDTHS if smoke else printed.WIDTHS,
        seeds=tuple(range(SEEDS[size])),
    )


def _plane(stage: Stage) -> xr.Dataset:
    return analyse_plane(stage.sweep("plane", plane_sweep(stage.size)))


def _cells(row: xr.DataArray, stage: Stage) -> Check:
    """Printed against measured exponents, where the printed colour is not saturated."""
    cells = {
        (gamma, gamma_prime): value
        for gamma_prime, values in printed.CELLS.items()
        for gamma, value in zip(printed.GAMMA, values, strict=True)
        if not math.isnan(value)
    }
    if stage.size == "smoke":
        claim = f"S_w within {CELL:g} of the printed cell"
        return untested(claim, "Fig. 4", f"{len(cells)} of {len(cells)}")
    return compare_cells(row, cells, "S_w", "Fig. 4")


def compare_cells(
    row: xr.DataArray, cells: dict[tuple[float, float], float], name: str, where: str
) -> Check:
    """How many measured exponents are within the tolerance of the printed ones.

    Args:
        row: exponents over gamma_prime and gamma.
        cells: (γ, γ') → printed exponent.
        name: what the exponent is called.
        where: place in the paper.

    Returns:
        One check; its claim names the cell that is farthest off.
    """
    distance = {
        (g, h): abs(float(row.sel(gamma=g, gamma_prime=h)) - value)
        for (g, h), value in cells.items()
    }
    worst = max(distance, key=lambda cell: distance[cell])
    holds = sum(value <= CELL for value in distance.values())
    claim = (
        f"{name} within {CELL:g} of the printed cell (largest distance {distance[worst]:.3f} at "
        f"γ = {worst[0]:g}, γ' = {worst[1]:g})"
    )
    return every(claim, where, holds, len(cells))


def _theta_cells(row: xr.DataArray, stage: Stage) -> list[Check]:
    checks = []
    for (gamma, gamma_prime), value in printed.CELLS_THETA.items():
        claim = f"S_θ at γ = {gamma:g}, γ' = {gamma_prime:g}"
        if stage.size == "smoke":
            checks.append(untested(claim, "Fig. 10a", value, CELL))
        else:
            found = float(row.sel(gamma=gamma, gamma_prime=gamma_prime))
            checks.append(close(claim, "Fig. 10a", value, found, CELL))
    return checks


def _signs(plane: xr.Dataset, which: Which, where: str) -> Check:
    """The sign of the exponent, away from its exact boundary."""
    exponents = plane.sel(block=which)["exponent"]
    holds = cases = 0
    for gamma in exponents["gamma"].values:
        for gamma_prime in exponents["gamma_prime"].values:
            if abs(gamma - gamma_c(gamma_prime, which)) < AWAY - 1e-9:
                continue
            law = getattr(predicted_exponents(gamma, gamma_prime), which)
            found = float(exponents.sel(gamma=gamma, gamma_prime=gamma_prime))
            cases += 1
            holds += found * law > 0
    claim = f"sign of {NAMES[which]} in cells at least {AWAY:g} from the boundary"
    return every(claim, where, holds, cases)


def _verdicts(plane: xr.Dataset) -> Check:
    """No cell is called linear on the condensed side, or the reverse."""
    wrong = {-1: "condensed", 1: "linear"}
    holds = cases = 0
    for gamma in plane["gamma"].values:
        for gamma_prime in plane["gamma_prime"].values:
            distance = gamma - gamma_c(gamma_prime)
            if abs(distance) < 1e-9:
                continue
            cases += 1
            word = str(plane["verdict"].sel(gamma=gamma, gamma_prime=gamma_prime).values)
            holds += word not in (wrong[int(np.sign(distance))], "not converged")
    return every("verdict on a cell off the line is not the opposite one", "Fig. 4", holds, cases)


def _stars(
    row: xr.DataArray, stage: Stage, which: Which, stars: dict[float, float], where: str
) -> list[Check]:
    """Zeros of straight lines through whole rows against the printed stars."""
    found = whole_row_zero(row["gamma"].values, row["gamma_prime"].values, row.values)
    zeros = dict(zip(found.gamma_prime.tolist(), found.gamma.tolist(), strict=True))
    errors = dict(zip(found.gamma_prime.tolist(), found.standard_error.tolist(), strict=True))
    checks = []
    for gamma_prime, star in stars.items():
        claim = f"γ' = {gamma_prime:g}: zero of a line through all {NAMES[which]} of the row"
        if stage.size == "smoke":
            checks.append(untested(claim, where, star, STAR))
        else:
            checks.append(close(claim, where, star, zeros[gamma_prime], STAR, errors[gamma_prime]))
    return checks


def _inside(row: xr.DataArray, gamma_prime: float, which: Which) -> bool:
    """Whether the exact boundary crosses a row within the grid, not at its edge."""
    gamma = row["gamma"].values
    return bool(gamma[0] < gamma_c(gamma_prime, which) < gamma[-1])


def _zeros(local: PhaseBoundary, row: xr.DataArray, which: Which, where: str) -> list[Check]:
    """Local zeros against the exact boundary, in the rows it crosses inside the grid."""
    return [
        close(
            f"γ' = {gamma_prime:g}: {NAMES[which]} vanishes on the exact boundary",
            where,
            gamma_c(gamma_prime, which),
            gamma,
            ZERO,
            error,
        )
        for gamma_prime, gamma, error in zip(
            local.gamma_prime.tolist(),
            local.gamma.tolist(),
            local.standard_error.tolist(),
            strict=True,
        )
        if _inside(row, gamma_prime, which)
    ]


def _coverage(local: PhaseBoundary, row: xr.DataArray, which: Which, where: str) -> Check:
    rows = [
        abs(gamma - gamma_c(gamma_prime, which)) <= COVERED * error
        for gamma_prime, gamma, error in zip(
            local.gamma_prime.tolist(),
            local.gamma.tolist(),
            local.standard_error.tolist(),
            strict=True,
        )
        if _inside(row, gamma_prime, which)
    ]
    claim = f"the boundary lies within {COVERED:g} standard errors of the local zero"
    return every(claim, where, sum(rows), len(rows))


def _draw(
    stage: Stage,
    plane: xr.Dataset,
    which: Which,
    local: PhaseBoundary,
    stars: dict[float, float] | None,
    name: str,
) -> None:
    """Heat map, exact and measured boundary, whole-row zeros, printed stars."""
    figure = phase_diagram(
        plane.sel(block=which)["exponent"],
        which=which,
        verdicts=plane["verdict"] if which == "w" else None,
        boundary=local,
        whole_row=boundary_of(plane, which, "whole row"),
        published=published_stars(stars) if stars and stage.size != "smoke" else None,
    )
    stage.save(figure, name)


def published_stars(stars: dict[float, float]) -> PhaseBoundary:
    """Printed stars as a boundary without errors."""
    rows = np.array(sorted(stars))
    nothing = np.full(len(rows), np.nan)
    return PhaseBoundary(
        gamma_prime=rows,
        gamma=np.array([stars[row] for row in rows.tolist()]),
        standard_error=nothing,
        statistical=nothing,
        systematic=nothing,
        notes=("",) * len(rows),
        criterion="printed",
    )
