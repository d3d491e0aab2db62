"""Fig. 6: test error over width and samples, conventional, mean-field and random features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from netphase.analysis import endings, error_slopes, log_errors, measured_front, twin_ridge
from netphase.figures import size_maps
from netphase.reproductions.check import Check, at_least, at_most, close, every, untested
from netphase.reproductions.ma2020 import printed
from netphase.reproductions.ma2020.samples import METHOD, STAGNATION, sweep_sizes
from netphase.reproductions.reproduction import Size, Stage
from netphase.reproductions.runs import average, typical
from netphase.sweep import SizeSweep

if TYPE_CHECKING:
    import xarray as xr

    from netphase._types import Array
    from netphase.analysis import Front

Grid = tuple[tuple[int, ...], tuple[int, ...], int]
"""Widths, samples, and the number of seeds."""

GRIDS: dict[Size, Grid] = {
    "smoke": ((8, 50), (60, 100), 2),
    "small": ((3, 8, 20, 35, 50, 80, 120, 200, 300, 600), (60, 100, 200, 300), 3),
    "paper": (
        (3, 8, 12, 20, 35, 50, 80, 120, 200, 300, 350, 480, 600, 1200, 2400),
        (60, 100, 140, 200, 300, 480),
        10,
    ),
}
"""What is trained at each size."""

TOLERANCE = 0.4
"""Of log₁₀ of an error: colours were read to ±0.15, and a colour is one run or few."""

SETTLED = 1.5
"""Steepest change of log₁₀ of the printed error over a factor e of the width beside a cell whose
number means something: elsewhere the front passes, and an error scatters over decades."""

MANY = 8
"""From this width on a mean-field network does not find the neuron alone; with 3 neurons it does,
to the training error, which the printed map does not show."""

EARLY: dict[Size, Grid] = {
    "small": ((3, 8, 20), (200, 300), 5),
    "paper": ((3, 8, 12, 20), (200, 300, 480), 20),
}
EARLY_LOSS = 1e-5
"""Sparse cells trained to the error of the notebooks: the printed floor is the one of that, ten
times the training error at n = 200, not that of 1e-7, which is stated at second hand."""

WHERE = "Fig. 6"


def run(stage: Stage) -> list[Check]:
    """Sweep width and samples in both scalings, draw the maps, measure front and contours.

    Inputs: single neuron, d = 20, training error 1e-7 or a plateau along the gradient flow. Size
    small has 10 widths up to 600, 4 numbers of samples up to 300 and 3 seeds; a smoke run has 2 × 2
    cells, which hold no front.
    """
    widths, samples, seeds = GRIDS[stage.size]
    sweep = SizeSweep(
        widths=widths,
        samples=samples,
        seeds=tuple(range(seeds)),
        scalings=(0.0, 1.0),
        target=f"single_neuron?d={printed.SWEEP_INPUTS}",
        method=METHOD,
        mean_square=printed.MAP_LOSS,
        stagnation=STAGNATION,
    )
    results = sweep_sizes(stage, "figure6", sweep)
    front = measured_front(results, 0.0)
    stage.save(size_maps(results, [front]), "figure6")
    checks = [_ended(results), *_cells(results)]
    if stage.size == "smoke":
        claims = ("the front lies between m = n/(d + 1) and m = n", "the front m*(n): exponent")
        return [*checks, *(untested(f"conventional: {claim}", WHERE, "–") for claim in claims)]
    return [
        *checks,
        _floor(stage),
        *_front(front),
        *_contours(results),
        *_ridge(results),
    ]


def _floor(stage: Stage) -> Check:
    """The floor of the conventional map, where networks are one neuron."""
    widths, samples, seeds = EARLY[stage.size]
    sweep = SizeSweep(
        widths=widths,
        samples=samples,
        seeds=tuple(range(seeds)),
        scalings=(0.0,),
        target=f"single_neuron?d={printed.SWEEP_INPUTS}",
        method=METHOD,
        mean_square=EARLY_LOSS,
        stagnation=STAGNATION,
    )
    errors = log_errors(sweep_sizes(stage, "figure6-early", sweep)).isel(scaling=0)
    table = np.array(printed.CONVENTIONAL_MAP)
    rows = [printed.MAP_SAMPLES.index(n) for n in samples]
    columns = [printed.CONVENTIONAL_WIDTHS.index(m) for m in widths]
    expected = table[np.ix_(rows, columns)]
    found = errors.transpose("seed", "sample", "width").values
    mean, error = average(np.nanmean(found, axis=(1, 2)))
    return close(
        f"conventional, training error 1e-5: mean log₁₀ error of {expected.size} sparse cells",
        f"{WHERE} (derived)",
        float(expected.mean()),
        mean,
        0.3,
        error,
    )


def _ended(results: xr.Dataset) -> Check:
    """Runs count that reached their loss or a plateau."""
    shares = endings(results)
    runs = results["status"].sel(scaling=0.0).size
    words = "; ".join(
        f"γ = {g:g}: " + ", ".join(f"{word} {share:.0%}" for word, share in each.items())
        for g, each in shares.items()
    )
    kept = sum(
        each.get(word, 0.0) for each in shares.values() for word in ("converged", "stagnated")
    )
    claim = f"runs that ended at training error 1e-7 or on a plateau ({words})"
    return every(claim, WHERE, round(kept * runs), runs * len(shares))


def _cells(results: xr.Dataset) -> list[Check]:
    """Medians of the cells that were read off, away from the front and at it."""
    tables = (
        ("conventional", 0.0, printed.CONVENTIONAL_WIDTHS, printed.CONVENTIONAL_MAP),
        ("mean field", 1.0, printed.MEAN_FIELD_WIDTHS, printed.MEAN_FIELD_MAP),
    )
    errors, checks = log_errors(results), []
    for name, scaling, widths, rows in tables:
        table = np.array(rows)
        steep = np.abs(np.gradient(table, np.log(widths), axis=1)) > SETTLED
        gaps: list[tuple[float, float, str]] = []
        for i, j in np.argwhere(~steep):
            n, m = printed.MAP_SAMPLES[i], widths[j]
            if n not in results["sample"].values or m not in results["width"].values:
                continue
            found = errors.sel(scaling=scaling, sample=n, width=m).values
            middle, error = typical(found[np.isfinite(found)])
            gaps.append((middle - table[i, j], error, f"n = {n}, m = {m}"))
        sizes = np.abs([gap for gap, _, _ in gaps])
        middle, error = typical(sizes)
        worst, worst_error, at = max(gaps, key=lambda each: abs(each[0]))
        cells = f"{len(gaps)} settled cells"
        checks.append(
            at_most(
                f"{name}: distance of log₁₀ of the test error from the printed one, median of "
                f"{cells} (largest {worst:+.2f} ± {worst_error:.2f} at {at})",
                WHERE,
                TOLERANCE,
                middle,
                error,
            )
        )
    return checks


def _front(front: Front) -> list[Check]:
    """Where sparse recovery gives way, row by row, and how it moves with n."""
    places = ", ".join(
        f"{n:g}: {m:.0f}" if np.isfinite(m) else f"{n:g}: none"
        for n, m in zip(front.samples, front.width, strict=True)
    )
    claim = f"conventional: rows whose front lies between m = n/(d + 1) and m = n (n: m* {places})"
    checks = [every(claim, f"{WHERE}, C4", front.between, len(front.samples))]
    claim = "conventional: front m* ∝ n^e grows faster than n/(d + 1): e"
    if front.fit is None:
        return [*checks, untested(claim, WHERE, "≥ 1")]
    return [*checks, at_least(claim, WHERE, 1.0, front.fit.exponent, front.fit.standard_error)]


def _contours(results: xr.Dataset) -> list[Check]:
    """How much the width matters beside the number of samples."""
    many = results.sel(width=results["width"] >= MANY)
    flat, steep, whole = (
        error_slopes(many, 1.0),
        error_slopes(many, 0.0),
        error_slopes(results, 1.0),
    )
    return [
        at_most(
            f"mean field, m ≥ {MANY}: |slope in log m| over |slope in log n| of log₁₀ of the error "
            f"({flat.width:+.2f} ± {flat.width_error:.2f} and {flat.sample:+.2f} ± "
            f"{flat.sample_error:.2f}; with m = 3 the ratio is {whole.ratio:.2f})",
            f"{WHERE}, C6",
            0.1,
            flat.ratio,
            flat.width_error / abs(flat.sample),
        ),
        at_least(
            f"conventional, m ≥ {MANY}: the same ratio",
            f"{WHERE}, C6",
            0.3,
            steep.ratio,
            steep.width_error / abs(steep.sample),
        ),
        close(
            f"mean field, m ≥ {MANY}: slope of log₁₀ of the test error in log m",
            f"{WHERE} (digitised table)",
            _printed_slope(),
            flat.width,
            0.1,
            flat.width_error,
        ),
    ]


def _printed_slope() -> float:
    """The slope in log m of the printed mean-field map, averaged over its rows."""
    log_m = np.log10(printed.MEAN_FIELD_WIDTHS)
    kept = log_m >= np.log10(MANY)
    rows = np.array(printed.MEAN_FIELD_MAP)[:, kept]
    return float(np.mean([np.polyfit(log_m[kept], row, 1)[0] for row in rows]))


def _ridge(results: xr.Dataset) -> list[Check]:
    """The random features are worst at m = n."""
    ridge: Array = twin_ridge(results)
    widths, samples = results["width"].values, results["sample"].values
    nearest = [widths[np.argmin(np.abs(np.log(widths / n)))] for n in samples]
    hits = int(sum(a == b for a, b in zip(ridge, nearest, strict=True)))
    claim = "random features: rows whose largest error is at the width nearest to n"
    return [every(claim, f"{WHERE} (derived)", hits, len(samples))]
