"""Fig. 4: test error and path norm against the width at 200 samples, network and random features.

A network narrower than about n/(d + 1) finds the few neurons of its target; between that and n it
degenerates to its random-feature twin (claims C3 and C4).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from netphase._types import Array, Status
from netphase.reproductions.check import (
    Check,
    Verdict,
    at_least,
    at_most,
    close,
    every,
    untested,
)
from netphase.reproductions.ma2020 import printed
from netphase.reproductions.ma2020.interpolation import heavy_tail, random_features
from netphase.reproductions.ma2020.sample_figures import width_curves
from netphase.reproductions.ma2020.samples import (
    LONGEST,
    METHOD,
    STAGNATION,
    log_error,
    sparse,
    sweep_sizes,
)
from netphase.reproductions.reproduction import Size, Stage
from netphase.reproductions.runs import average
from netphase.results import STATUS_CODES
from netphase.sweep import SizeSweep

if TYPE_CHECKING:
    import xarray as xr

TARGETS = {"single neuron": "single_neuron", "circle": "circle"}
"""Name in figures → name of the target."""

LINE = printed.SAMPLES / (printed.SWEEP_INPUTS + 1)
"""n/(d + 1), the width at which there are as many parameters as samples."""

Grid = tuple[tuple[int, ...], int]
"""Widths, and the number of seeds of each."""

STEEP = tuple(width for width in printed.WIDTHS if width <= 110)
FLAT = tuple(width for width in printed.WIDTHS if width > 110)
"""Widths at which errors scatter over decades, and those at which they do not."""

GRIDS: dict[Size, tuple[Grid, ...]] = {
    "smoke": (((4, 9, 90), 2),),
    "small": ((STEEP, 20), (FLAT, 10)),
    "paper": ((STEEP, 50), (FLAT, 20)),
}
"""What is trained at each size."""

DEX, LAZY_DEX, LAZY_WIDTH, LATE = 0.2, 0.05, 1000, 90
"""Tolerances of log₁₀ errors: of the network from width 90 on, and of its difference from the
random features from width 1000 on."""

SPREAD = 1.75
"""Fig. 4, single neuron: standard deviation of the network's log₁₀ error up to width 25."""

NORM_PART = 0.1
"""Part by which a path norm may differ from the printed one."""

SPARSE_WIDTH, SPARSE_LOG = 25, -4.0
"""Up to this width the path norm of a single neuron is printed as 1.00; log₁₀ of an error that is
that of one neuron."""

PEAKS = {"single neuron": 2.5, "circle": 1.5}
"""Fig. 4, width of the largest path norm in units of n: digitised."""


@dataclass(frozen=True)
class Curve:
    """What one target gives along the widths.

    Attributes:
        grids: results of size sweeps at one number of samples, each at widths of its own.
    """

    grids: tuple[xr.Dataset, ...]

    @property
    def widths(self) -> tuple[int, ...]:
        """The widths, increasing."""
        return tuple(sorted(int(m) for grid in self.grids for m in grid["width"].values))

    def at(self, width: int) -> xr.Dataset:
        """The runs of a width, dims seed."""
        grid = next(grid for grid in self.grids if width in grid["width"].values)
        return grid.sel(width=width).isel(scaling=0, sample=0)

    def values(self, name: str, width: int) -> Array:
        """One number of the runs of a width, shape (seeds,).

        Args:
            name: a variable; errors come as their log₁₀.
            width: one of the widths.
        """
        runs = self.at(width)
        found = log_error(runs, name) if name.endswith("test_error") else runs[name]
        return np.asarray(found.values, dtype=np.float64)

    def middle(self, name: str, width: int) -> float:
        """Median over seeds of `values`."""
        return float(np.median(self.values(name, width)))


def run(stage: Stage) -> list[Check]:
    """Train the widths on both targets, draw the curves, compare them with the printed ones.

    Inputs: n = 200, d = 20, Gaussian inputs, a = 0, unit w; training error 1e-8, a plateau or
    t = 2·10⁴ along the gradient flow. Size small has all 33 widths, 20 seeds up to width 110 and 10
    beyond; a smoke run has 3 widths and 2 seeds.
    """
    curves = {name: sweep(stage, name) for name in TARGETS}
    stage.save(width_curves(curves), "figure4")
    checks = []
    tested = stage.size != "smoke"
    for name, curve in curves.items():
        checks += [_ended(name, curve), random_features(stage, name)]
        checks += _errors(name, curve) if tested else []
        checks += [*_norms(name, curve, tested), _norm_peak(name, curve, tested)]
    return [*checks, *_single(curves["single neuron"]), *heavy_tail(stage)]


def sweep(stage: Stage, name: str) -> Curve:
    """The runs of one target.

    Args:
        stage: size, folder and progress.
        name: a key of `TARGETS`.
    """
    grids = []
    for widths, seeds in GRIDS[stage.size]:
        grid = SizeSweep(
            widths=widths,
            samples=(printed.SAMPLES,),
            seeds=tuple(range(seeds)),
            scalings=(0.0,),
            target=f"{TARGETS[name]}?d={printed.SWEEP_INPUTS}",
            method=METHOD,
            mean_square=printed.SWEEP_LOSS,
            stagnation=STAGNATION,
        )
        grids.append(sweep_sizes(stage, f"figure4-{TARGETS[name]}", grid, LONGEST))
    return Curve(tuple(grids))


def _ended(name: str, curve: Curve) -> Check:
    codes = np.concatenate([curve.at(width)["status"].values for width in curve.widths])
    met = int(np.sum(codes == STATUS_CODES[Status.CONVERGED]))
    ended = met + int(np.sum(codes == STATUS_CODES[Status.STAGNATED]))
    ended += int(np.sum(codes == STATUS_CODES[Status.TIME_REACHED]))
    claim = f"{name}: runs that ended at training error 1e-8 ({met}), a plateau, or t = {LONGEST:g}"
    return every(claim, "Fig. 4", ended, len(codes))


def _errors(name: str, curve: Curve) -> list[Check]:
    """The network's error: all widths from 90 on at once, the others one by one."""
    table = _column(name, "error")
    both = [width for width in curve.widths if width in table]
    late = _largest(
        f"{name}: network, log₁₀ error, largest distance from the printed one, m ≥ {LATE}",
        [width for width in both if width >= LATE],
        lambda width: curve.values("test_error", width) - table[width],
        DEX,
    )
    early = []
    for width in (each for each in both if each < LATE):
        found = curve.values("test_error", width)
        scatter = printed.SINGLE_SCATTER.get(width, SPREAD) if name == "single neuron" else DEX
        claim = f"{name}: network, m = {width}: log₁₀ error (sd {found.std(ddof=1):.2f})"
        mean, error = average(found)
        early.append(close(claim, "Fig. 4", table[width], mean, scatter, error))
    return [*early, late]


def _norms(name: str, curve: Curve, tested: bool) -> list[Check]:
    """Path norm at every printed width."""
    claim = f"{name}: path norm, largest relative distance from the printed one"
    if not tested:
        return [untested(claim, "Fig. 4", f"≤ {NORM_PART:g}")]
    table = _column(name, "norm")

    def part(width: int) -> Array:
        return curve.values("path_norm", width) / table[width] - 1.0

    return [_largest(claim, [w for w in curve.widths if w in table], part, NORM_PART)]


def _norm_peak(name: str, curve: Curve, tested: bool) -> Check:
    """Where the path norm is largest."""
    claim = f"{name}: width of the largest path norm, in units of n (± one width of the sweep)"
    expected = PEAKS[name]
    if not tested:
        return untested(claim, "Fig. 4", expected)
    norms = [float(curve.values("path_norm", width).mean()) for width in curve.widths]
    widths, peak = np.array(curve.widths) / printed.SAMPLES, int(np.argmax(norms))
    step = round(float(np.abs(widths[max(peak - 1, 0) : peak + 2] - widths[peak]).max()), 3)
    return close(claim, "Fig. 4", expected, float(widths[peak]), step)


def _single(curve: Curve) -> list[Check]:
    """Ordering, the sparse side and the lazy side of the single neuron."""
    near = min(curve.widths, key=lambda width: abs(math.log(width / printed.SAMPLES)))
    middle = {width: curve.middle("test_error", width) for width in (9, LATE, near)}
    rising = middle[9] < SPARSE_LOG < middle[LATE] and (near == LATE or middle[LATE] < middle[near])
    widths = [width for width in curve.widths if width <= SPARSE_WIDTH]
    norms = {width: curve.middle("path_norm", width) for width in widths}
    widest = max(norms, key=lambda width: norms[width])
    return [
        Check(
            "single neuron: median log₁₀ error below −4 at m = 9, larger at 90, largest near n",
            "Fig. 4, C3 and C5",
            "rising",
            ", ".join(f"m = {width}: {value:.2f}" for width, value in middle.items()),
            None,
            None,
            Verdict.REPRODUCED if rising else Verdict.NOT_REPRODUCED,
        ),
        at_most(
            f"single neuron: largest median path norm where m ≤ {SPARSE_WIDTH} (at m = {widest})",
            "Fig. 4, C3",
            1.05,
            norms[widest],
        ),
        _lazy(curve),
        *degeneration(curve),
    ]


def _lazy(curve: Curve) -> Check:
    """A wide network has the error of its twin."""
    claim = f"single neuron, m ≥ {LAZY_WIDTH}: |log₁₀| of the error over that of the twin"
    wide = [width for width in curve.widths if width >= LAZY_WIDTH]
    if not wide:
        return untested(claim, "Fig. 4, C4", f"≤ {LAZY_DEX:g}")

    def gap(width: int) -> Array:
        return curve.values("test_error", width) - curve.values("rf_test_error", width)

    return _largest(claim, wide, gap, LAZY_DEX, "Fig. 4, C4")


def degeneration(curve: Curve) -> list[Check]:
    """C4: one neuron below n/(d + 1), random features at n, and the change between the two lines.

    Args:
        curve: the runs on a single neuron.
    """
    share = np.array([float(sparse(curve.at(width)).mean()) for width in curve.widths])
    widths = np.array(curve.widths, dtype=np.float64)
    narrow, wide = widths <= LINE, widths >= printed.SAMPLES
    checks = [
        at_least(
            f"share of sparse networks, m ≤ n/(d + 1) = {LINE:.1f}: least over the widths",
            "C4 (derived)",
            0.5,
            float(share[narrow].min()),
        )
    ]
    claim = "share of sparse networks, m ≥ n: largest over the widths"
    if not wide.any():
        return [*checks, untested(claim, "C4 (derived)", "≤ 0")]
    checks.append(at_most(claim, "C4 (derived)", 0.0, float(share[wide].max())))
    claim = (
        "width m* at which half of the networks are sparse: log(m*/m₁)/log(n/m₁), m₁ = n/(d + 1)"
    )
    crossing = half_sparse(widths, share)
    part = math.log(crossing / LINE) / math.log(printed.SAMPLES / LINE)
    found = f"{claim}; m* = {crossing:.0f}"
    return [*checks, close(found, "C4 (derived)", 0.5, part, 0.5)]


def half_sparse(widths: Array, share: Array) -> float:
    """The width at which a share first falls through ½, interpolated in log m.

    Args:
        widths: increasing, shape (k,).
        share: shape (k,), in [0, 1].

    Returns:
        The width; NaN where the share starts below ½ or never falls below.
    """
    after = np.flatnonzero(share < 0.5)
    if not len(after) or after[0] == 0:
        return math.nan
    i = int(after[0])
    part = (share[i - 1] - 0.5) / (share[i - 1] - share[i])
    return float(widths[i - 1] * (widths[i] / widths[i - 1]) ** part)


def _largest(
    claim: str,
    widths: list[int],
    distances: Callable[[int], Array],
    limit: float,
    where: str = "Fig. 4",
) -> Check:
    """The largest distance of a mean over some widths, with its standard error."""
    found = [(*average(distances(width)), width) for width in widths]
    mean, error, width = max(found, key=lambda each: abs(each[0]))
    return at_most(f"{claim} (m = {width}, of {len(found)})", where, limit, abs(mean), error)


def _column(name: str, kind: str) -> dict[int, float]:
    """A printed row of a target: width → mean."""
    tables = {
        ("single neuron", "error"): printed.SINGLE_ERROR,
        ("single neuron", "norm"): printed.SINGLE_NORM,
        ("circle", "error"): printed.CIRCLE_ERROR,
        ("circle", "norm"): printed.CIRCLE_NORM,
    }
    return dict(zip(printed.TABLE_WIDTHS, tables[name, kind], strict=True))
