"""Power laws in the width, with standard errors and a measure of how straight they are."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from netphase._checks import finite_array
from netphase._types import Array
from netphase.errors import ArgumentError, FitError

FEW_WIDTHS = 3
"""Fewer widths than this and a fit carries a warning."""

SHORT_RANGE = 4.0
"""A largest-to-smallest ratio of the widths below this makes a fit carry a warning."""


@dataclass(frozen=True)
class PowerLawFit:
    """A power law value ≈ C m^S, fitted by least squares in log–log coordinates.

    Attributes:
        exponent: S.
        standard_error: standard error of S; NaN where nothing is left to estimate it from.
        degrees_of_freedom: of the standard error (0 where it is NaN).
        prefactor: C.
        points: number of values used.
        drift: local exponent at the largest width minus that at the smallest, from a parabola; 0
            for a pure power law, NaN with fewer than three widths.
        drift_error: standard error of the drift, NaN where nothing is left to estimate it from.
        seed_exponents: S of each seed alone, shape (seeds,).
        warnings: sentences on what makes the fit weak.
    """

    exponent: float
    standard_error: float
    degrees_of_freedom: float
    prefactor: float
    points: int
    drift: float
    drift_error: float
    seed_exponents: Array
    warnings: tuple[str, ...] = field(default=())

    def half_width(self, confidence: float = 0.95) -> float:
        """Half of the confidence interval of the exponent (Student's t).

        Args:
            confidence: probability that the interval covers the truth, in (0, 1).

        Returns:
            Half-width, infinite where there is no standard error.
        """
        return half_width(self.standard_error, self.degrees_of_freedom, confidence)

    def __call__(self, widths: Array) -> Array:
        """C m^S at some widths, same shape."""
        return np.asarray(self.prefactor * np.asarray(widths, dtype=np.float64) ** self.exponent)


def half_width(standard_error: float, degrees_of_freedom: float, confidence: float = 0.95) -> float:
    """Half of a Student-t confidence interval.

    Args:
        standard_error: standard error of the estimate.
        degrees_of_freedom: of the standard error.
        confidence: probability of covering the truth, in (0, 1).

    Returns:
        Half-width, infinite without degrees of freedom.

    Raises:
        ArgumentError: ``confidence`` is not between 0 and 1.
    """
    if not 0.0 < confidence < 1.0:
        raise ArgumentError(
            f"Argument `confidence` must lie between 0 and 1, but is {confidence!r}."
        )
    if degrees_of_freedom <= 0 or not math.isfinite(standard_error):
        return math.inf
    from scipy.special import stdtrit

    return float(stdtrit(degrees_of_freedom, 0.5 + 0.5 * confidence)) * standard_error


def fit_power_law(widths: Array, values: Array) -> PowerLawFit:
    """Fit value ≈ C m^S over widths, with one or several seeds.

    The line is fitted by unweighted least squares to log value against log m, as in the paper.
    With several seeds S is the mean of their own slopes and its error comes from their scatter.

    With one seed the error comes from the residuals around the line. The widths of a seed share
    their draws (a narrow network's neurons are the first of a wide one's), so the noise is that of
    running means, with the covariance c²/max(m, m'); c is estimated from the residuals. The points
    then lie closer to a line than the line lies to the truth: the usual formula, which takes them
    as independent, gives errors 2 to 2.6 times too small.

    Args:
        widths: m, shape (widths,), positive.
        values: shape (widths,) or (seeds, widths); values that are not positive and finite (not
            run, or an exact zero) are left out.

    Returns:
        The fit.

    Raises:
        ArgumentError: the shapes do not fit together or widths are not positive or not different.
        FitError: there are values at fewer than two widths, so there is no slope.

    References:
        Luo et al. (JMLR 2021), Fig. 3.

    Example:
        >>> fit = fit_power_law(np.array([100, 1000, 10000]), np.array([1.0, 10.0, 100.0]))
        >>> round(fit.exponent, 6), abs(fit.drift) < 1e-9
        (1.0, True)
    """
    m = finite_array("widths", widths, 1).astype(np.float64)
    table = np.atleast_2d(np.asarray(values, dtype=np.float64))
    if table.ndim != 2 or table.shape[1] != len(m):
        raise ArgumentError(
            "Argument `values` must have shape (widths,) or (seeds, widths) with "
            f"{len(m)} widths, but has shape {np.shape(values)}."
        )
    if np.any(m <= 0) or len(np.unique(m)) < len(m):
        raise ArgumentError("Argument `widths` must hold positive, different numbers.")
    usable = np.isfinite(table) & (table > 0)
    used = np.sort(m[usable.any(axis=0)])
    if len(used) < 2:
        raise FitError(
            "A power law in the width needs values at two widths at least, but there are values at "
            f"{len(used)}: add widths."
        )
    x = np.log(m)
    y = np.log(np.where(usable, table, 1.0))
    seeds = [(x[row], y[s, row]) for s, row in enumerate(usable) if len(np.unique(m[row])) >= 2]
    if len(seeds) > 1:
        exponent, error, freedom = _across_seeds([_slope(*seed) for seed in seeds])
        drift, drift_error, _ = _across_seeds([_drift(*seed) for seed in seeds])
    else:
        every = np.broadcast_to(x, y.shape)[usable], y[usable]
        exponent, error, freedom = _one_seed(*every, _slope_weights(every[0]), order=1)
        drift, drift_error, _ = _one_seed(*every, _drift_weights(every[0]), order=2)
    centre = np.broadcast_to(x, y.shape)[usable].mean(), y[usable].mean()
    return PowerLawFit(
        exponent=exponent,
        standard_error=error,
        degrees_of_freedom=freedom,
        prefactor=float(np.exp(centre[1] - exponent * centre[0])),
        points=int(usable.sum()),
        drift=drift,
        drift_error=drift_error,
        seed_exponents=np.array([_slope(*seed)[0] for seed in seeds]),
        warnings=_warnings(used),
    )


def _warnings(widths: Array) -> tuple[str, ...]:
    """What is weak about a set of widths."""
    found = []
    if len(widths) < FEW_WIDTHS:
        found.append(f"only {len(widths)} widths: nothing tells a power law from a curve")
    if widths[-1] / widths[0] < SHORT_RANGE:
        found.append(f"the widths span less than a factor {SHORT_RANGE:g}")
    return tuple(found)


def _slope_weights(x: Array) -> Array:
    """The vector whose product with values is the slope of their least-squares line."""
    centred = x - x.mean()
    return np.asarray(centred / (centred @ centred))


def _drift_weights(x: Array) -> Array:
    """The vector that gives the change of a parabola's slope from end to end (NaN: no parabola)."""
    if len(set(x.tolist())) < 3:
        return np.full_like(x, np.nan)
    centred = x - x.mean()
    square = centred**2
    bend = square - square.mean() - (square @ centred) / (centred @ centred) * centred
    return np.asarray(2.0 * np.ptp(x) * bend / (bend @ bend))


def _slope(x: Array, y: Array) -> tuple[float, float]:
    """Slope of a straight line and the weight Σ(x − x̄)² it deserves."""
    centred = x - x.mean()
    return float(_slope_weights(x) @ y), float(centred @ centred)


def _drift(x: Array, y: Array) -> tuple[float, float]:
    """Change of the slope of a parabola from end to end, and 1 as its weight (0: no parabola)."""
    drift = float(_drift_weights(x) @ y)
    return drift, float(math.isfinite(drift))


def _across_seeds(estimates: list[tuple[float, float]]) -> tuple[float, float, float]:
    """Weighted mean of (estimate, weight) pairs, its error from their scatter, and its freedom."""
    usable = [(value, weight) for value, weight in estimates if weight > 0]
    if not usable:
        return math.nan, math.nan, 0.0
    values, weights = (np.array(column) for column in zip(*usable, strict=True))
    share = weights / weights.sum()
    mean = float(share @ values)
    freedom = len(values) - 1
    if freedom == 0:
        return mean, math.nan, 0.0
    scatter = float(share**2 @ (values - mean) ** 2) * len(values) / freedom
    return mean, math.sqrt(scatter), float(freedom)


def _one_seed(x: Array, y: Array, weights: Array, order: int) -> tuple[float, float, float]:
    """An estimate that is linear in the values of one seed, its error, and its freedom.

    Args:
        x: log m, shape (points,).
        y: log values, shape (points,).
        weights: the estimate is ``weights @ y``.
        order: degree of the polynomial that the residuals are taken from.

    Returns:
        The estimate, its standard error, and the degrees of freedom of the residuals, with which
        Student's interval covers the truth as often as it says, or slightly more often.
    """
    estimate = float(weights @ y)
    if len(x) < order + 2 or not math.isfinite(estimate):
        return estimate, math.nan, 0.0
    noise = np.exp(x.min() - np.maximum.outer(x, x))  # covariance in units of that at the first
    design = np.vander(x - x.mean(), order + 1)
    out = np.eye(len(x)) - design @ np.linalg.pinv(design)
    scale = float(y @ out @ y) / float(np.trace(out @ noise))
    variance = scale * float(weights @ noise @ weights)
    return estimate, math.sqrt(max(variance, 0.0)), float(len(x) - order - 1)
