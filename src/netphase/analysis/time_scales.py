"""Power laws of learning times in ε, with an error that tells how far they are from their limit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netphase._checks import finite_array
from netphase._types import Array
from netphase.errors import ArgumentError

FEWEST = 3
"""Values of ε without which no exponent is given: two leave nothing to tell its error from."""


@dataclass(frozen=True)
class TimeScaleFit:
    """A power law t ≈ C ε^p, by least squares in log–log coordinates.

    Attributes:
        exponent: p; NaN with fewer than `FEWEST` values of ε.
        error: standard error, of the line or between seeds, joined with half of ``drift``.
        drift: local exponent between the two smallest ε minus that between the two largest.
        points: values of ε it rests on.
        local: exponents between neighbouring ε, from the largest ε to the smallest, means over
            seeds, shape (points − 1,).
    """

    exponent: float
    error: float
    drift: float
    points: int
    local: Array


def fit_time_scale(epsilons: Array, times: Array) -> TimeScaleFit:
    """Fit t ≈ C ε^p over ε, with one or several seeds.

    A solved equation has no noise: its points leave the line because they are not yet at their
    limit. Half of the drift of the local exponent stands for that.

    Args:
        epsilons: ε, positive and different, shape (epsilon,).
        times: t, shape (epsilon,) or (epsilon, seeds); only the values of ε at which every seed has
            a positive time count.

    Returns:
        The fit.

    Raises:
        ArgumentError: the shapes do not fit, or ε are not positive and different.

    Example:
        >>> fit = fit_time_scale(np.array([1e-4, 1e-6, 1e-8]), np.array([1e-1, 1e-2, 1e-3]) ** 0.5)
        >>> round(fit.exponent, 6), fit.points
        (0.25, 3)
    """
    rates = finite_array("epsilons", epsilons, 1).astype(np.float64)
    table = np.asarray(times, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or len(table) != len(rates):
        raise ArgumentError(
            f"Argument `times` must have the shape ({len(rates)},) or ({len(rates)}, seeds), but "
            f"has {np.shape(times)}."
        )
    if np.any(rates <= 0.0) or len(np.unique(rates)) < len(rates):
        raise ArgumentError("Argument `epsilons` must hold positive, different numbers.")
    order = np.argsort(-rates)
    usable = np.all(np.isfinite(table) & (table > 0.0), axis=1)[order]
    x, y = np.log(rates[order][usable]), np.log(table[order][usable])
    local = (np.diff(y, axis=0) / np.diff(x)[:, None]).mean(axis=1)
    if len(x) < FEWEST:
        return TimeScaleFit(np.nan, np.nan, np.nan, len(x), local)
    centred = x - x.mean()
    slopes = centred @ y / (centred @ centred)
    if y.shape[1] > 1:
        spread = slopes.std(ddof=1) / np.sqrt(len(slopes))
    else:
        rest = y[:, 0] - y[:, 0].mean() - slopes[0] * centred
        spread = np.sqrt(rest @ rest / (len(x) - 2) / (centred @ centred))
    drift = float(local[-1] - local[0])
    error = float(np.hypot(spread, drift / 2))
    return TimeScaleFit(float(slopes.mean()), error, drift, len(x), local)
