"""The plane of trained networks: exponents of both layers, their four zones, and the alignment.

The antisymmetric start, whose output is zero, draws the map and is held against the macroscopic
equations at the same widths. The plain start has half as many neurons and so lies deeper in the
condensed regime at a given width; the law of infinite width is tested on it, from γ = 3/4 on,
where its first output is small.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from netphase._types import Array, Which
from netphase.analysis import analyse_plane, boundary_of
from netphase.datasets import linear
from netphase.experiment import Experiment
from netphase.figures import alignment_maps, zone_diagram
from netphase.kernels import half_way
from netphase.reproductions.check import Check, at_least, at_most, every
from netphase.reproductions.reproduction import Stage
from netphase.scalings import (
    ScalingLaw,
    Zone,
    distance_to_lines,
    gamma_c,
    predicted_exponents,
    zone_at,
)
from netphase.sweep import Sweep, exact_plane

if TYPE_CHECKING:
    import xarray as xr

WIDTHS = {"smoke": (1000, 4000, 16000), "small": (1000, 4000, 16000, 64000)}
WIDTHS["paper"] = WIDTHS["small"]
SEEDS = {"smoke": 1, "small": 1, "paper": 3}

GAMMA = tuple(np.arange(0.5, 2.01, 0.125).tolist())
GAMMA_PRIME = tuple(np.arange(-1.0, 1.01, 0.25).tolist())
SMOKE_GAMMA = (0.5, 0.75, 1.25, 1.5, 1.75, 2.0)
SMOKE_GAMMA_PRIME = (-0.75, -0.25, 0.0, 0.25, 0.75)
PLAIN_FROM = 0.75
"""Least γ of the plain start."""

LAW_FROM, EQUATIONS_FROM = 0.25, 0.5
"""Least γ − γ′ for the law and for the equations: β₂ = m^(−(γ − γ′)/2) must be small for the input
weights to start in the linear part of tanh."""

NEAR, FAR, CLOSE, LOOSE = 0.25, 0.375, 0.03, 0.07
"""Cells from `NEAR` off the lines are counted within `CLOSE` of the law; all from `FAR` off are
within `LOOSE`."""

SLOPES = {"smoke": 0.08, "small": 0.05, "paper": 0.05}
"""Scatter of a slope of one seed, from 1000 to 16 000 (smoke) and to 64 000 neurons."""

CELLS_A_ZONE = 4
Mask: TypeAlias = npt.NDArray[np.bool_]

PLACES = "phase diagram (slopes derived)"
ALIGNMENT = "condensed regime, ρ"


class Plane(NamedTuple):
    """Trained networks beside theory.

    Attributes:
        measured: their analysed plane.
        exact: the macroscopic equations at the same cells and widths.
        changes: the sweep itself.
    """

    measured: xr.Dataset
    exact: xr.Dataset
    changes: xr.Dataset

    def table(self, function: Callable[[float, float], Any]) -> Array:
        """A function of γ and γ′ over the plane, shape (rows, columns, …)."""
        columns, rows = self.measured["gamma"].values, self.measured["gamma_prime"].values
        return np.array([[function(float(g), float(p)) for g in columns] for p in rows])

    def starts_linear(self, least: float) -> Mask:
        """Cells with γ − γ′ of at least so much."""
        return self.table(lambda g, p: g - p >= least - 1e-9).astype(bool)


def run(stage: Stage) -> list[Check]:
    """Train tanh networks over the plane to half of what a linear fit can explain.

    Inputs: n = 6 unit vectors in d = 4 dimensions with a linear target, α = 1, widths 1000 to
    64 000 (smoke: 16 000), 13 × 9 cells (smoke: 6 × 5).
    """
    zero, plain = _plane(stage, "plane", True), _plane(stage, "plane-plain", False)
    stage.save(zone_diagram(zero.measured), "figure1")
    equations = zero.exact.isel(width=-1, drop=True)
    stage.save(zone_diagram(equations), "figure1-equations")
    width = int(zero.changes["width"].values[-1])
    maps = {
        f"networks, m = {width}": zero.measured["alignment_ratio"],
        "equations, same width": equations["alignment_ratio"],
        "equations, m = 1e64": exact_plane(GAMMA, GAMMA_PRIME)["alignment_ratio"][-1],
    }
    stage.save(alignment_maps(maps), "figure2")
    return [
        *_law(plain),
        *_equations(zero, stage.size),
        *_zones(zero),
        *(_zeros(zero, which) for which in ("w", "a", "theta") if stage.size != "smoke"),
        *_alignment(zero),
    ]


def sweep(size: str, antisymmetric: bool) -> Sweep:
    """The sweep at a size, from zero output or plainly."""
    data = linear()
    base = Experiment(
        law=ScalingLaw.mean_field(),
        width=1,
        activation="tanh",
        data=data,
        antisymmetric=antisymmetric,
        mean_square=half_way(data),
    )
    gamma, rows = (SMOKE_GAMMA, SMOKE_GAMMA_PRIME) if size == "smoke" else (GAMMA, GAMMA_PRIME)
    return Sweep(
        base=base,
        gamma=tuple(g for g in gamma if antisymmetric or g >= PLAIN_FROM),
        gamma_prime=rows,
        widths=WIDTHS[size],
        seeds=tuple(range(SEEDS[size])),
        gauge="alpha",
    )


def _plane(stage: Stage, name: str, antisymmetric: bool) -> Plane:
    cells = sweep(stage.size, antisymmetric)
    results = stage.sweep(name, cells)
    exact = exact_plane(
        cells.gamma, cells.gamma_prime, cells.widths, linear(), antisymmetric=antisymmetric
    )
    return Plane(analyse_plane(results), exact, results)


def _law(plane: Plane) -> list[Check]:
    """The slopes of both layers against the law of infinite width."""
    distance, zone = plane.table(distance_to_lines), plane.table(zone_at)
    law = np.moveaxis(plane.table(predicted_exponents), -1, 0)
    gap = np.abs(plane.measured["exponent"].values - law)[:2].max(axis=0)  # the worse layer
    linear_start = plane.starts_linear(LAW_FROM)
    off = linear_start & (distance >= NEAR - 1e-9)
    counts = {z: int(np.sum(off & (zone == z) & (gap <= CLOSE))) for z in Zone if z in zone[off]}
    listed = ", ".join(f"{z.value} {count}" for z, count in counts.items())
    far = linear_start & (distance >= FAR - 1e-9)
    return [
        at_least(
            f"cells of a zone with S_w and S_a within {CLOSE:g} of the law, fewest "
            f"({listed}; of {int(off.sum())} cells from {NEAR:g} off the lines)",
            PLACES,
            CELLS_A_ZONE if len(WIDTHS["small"]) == plane.changes.sizes["width"] else 1,
            min(counts.values()),
        ),
        every(
            f"S_w and S_a within {LOOSE:g} of the law from {FAR:g} off the lines",
            PLACES,
            int(np.sum(far & (gap <= LOOSE))),
            int(far.sum()),
        ),
    ]


def _equations(plane: Plane, size: str) -> list[Check]:
    """Slopes and changes against the macroscopic equations at the same widths."""
    logs = np.log(plane.changes["width"].values)
    weights = (logs - logs.mean()) / np.sum((logs - logs.mean()) ** 2)
    inside, checks = plane.starts_linear(EQUATIONS_FROM), []
    for block in ("w", "a"):
        name = f"relative_change_{block}"
        theory = plane.exact[name].values
        slopes = np.einsum("k,kij->ij", weights, np.log(theory))
        gap = np.abs(plane.measured["exponent"].sel(block=block).values - slopes)[inside]
        order = ("width", "gamma_prime", "gamma")
        trained = plane.changes[name].mean("seed").transpose(*order).values
        relative = np.abs(trained[-1] / theory[-1] - 1)[inside]
        checks += [
            at_most(
                f"S_{block}: largest difference from the macroscopic equations at the same widths "
                f"(median {np.median(gap):.3f})",
                "linear stage (derived)",
                SLOPES[size],
                float(gap.max()),
            ),
            at_most(
                f"RD(θ_{block}) at the largest width: median relative difference from them "
                f"(largest {relative.max():.3f})",
                "linear stage (derived)",
                0.02,
                float(np.median(relative)),
            ),
        ]
    return checks


def _zones(plane: Plane) -> list[Check]:
    """Measured zones, and none wrong where a verdict is given."""
    distance, zone = plane.table(distance_to_lines), plane.table(zone_at)
    words = plane.measured["zone"].values
    off = distance >= NEAR - 1e-9
    given = off & (words != "undetermined")
    return [
        every(
            f"zone of a cell from {NEAR:g} off the lines, where one is told",
            PLACES,
            int(np.sum(given & (words == zone))),
            int(given.sum()),
        ),
        at_most(
            "share of these cells that are undetermined",
            PLACES,
            0.2,
            float(np.sum(off & ~given) / off.sum()),
        ),
    ]


def _zeros(plane: Plane, which: Which) -> Check:
    """Local zeros of an exponent against the exact line, row by row."""
    found = boundary_of(plane.measured, which)
    exact = np.array([gamma_c(float(row), which) for row in found.gamma_prime])
    inside = exact < plane.measured["gamma"].values[-1] - 1e-9
    gap = np.abs(found.gamma - exact)[inside]
    name = {"w": "S_w", "a": "S_a", "theta": "S_θ"}[which]
    return every(
        f"zero of {name} within 0.06 or 2 s.e. of the exact line, rows of γ′ (largest distance "
        f"{np.nanmax(gap):.3f})",
        PLACES,
        int(np.sum(gap <= np.maximum(0.06, 2 * found.standard_error[inside]))),
        int(inside.sum()),
    )


def _alignment(plane: Plane) -> list[Check]:
    """ρ against the equations, at chance where input weights stay, near one where they move."""
    ratio, theory = plane.measured["alignment_ratio"].values, plane.exact["alignment_ratio"].values
    chance = 1 / np.sqrt(linear().d)
    zone, off = plane.table(zone_at), plane.table(distance_to_lines) >= NEAR - 1e-9
    stay = off & np.isin(zone, [Zone.THETA_LAZY, Zone.W_LAG])
    deep = plane.table(lambda g, p: predicted_exponents(g, p).w) >= 0.4 - 1e-9
    inside = plane.starts_linear(EQUATIONS_FROM)
    return [
        at_most(
            "largest |ρ − ρ of the macroscopic equations|",
            ALIGNMENT,
            0.01,
            float(np.abs(ratio - theory[-1])[inside].max()),
        ),
        at_most(
            "θ-lazy and w-lag, off the lines: largest |ρ − d^(−1/2)|",
            ALIGNMENT,
            0.02,
            float(np.abs(ratio - chance)[stay].max()),
        ),
        at_least(
            "where S_w ≥ 0.4 at infinite width: least ρ (at half the loss its limit is below one)",
            ALIGNMENT,
            0.98,
            float(ratio[deep].min()),
        ),
    ]
