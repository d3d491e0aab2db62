"""E σ(u)σ(v) and E σ′(u)σ′(v) of normal pairs of any variances: closed forms, else quadrature."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from netphase import activations
from netphase._checks import finite_array
from netphase._types import Array
from netphase.activations import Activation
from netphase.errors import ArgumentError
from netphase.kernels.mehler import pair_coefficients, series
from netphase.kernels.panels import mean_square, pair

_GOOD = 1e-12  # of the geometric mean: an error of the series that is let pass
_LARGEST = 12.0  # sizes from which on no series is tried


class Moments(NamedTuple):
    """Moments of σ under normal pairs.

    Attributes:
        value: E σ(u_i)σ(v_j), shape (n, p).
        slope: E σ′(u_i)σ′(v_j), shape (n, p).
    """

    value: Array
    slope: Array


def slope_of(sigma: Activation) -> float | None:
    """The slope for z < 0 of a built-in piecewise linear activation, None for all others."""
    if sigma.code is None or sigma.name not in ("relu", "leaky_relu"):
        return None
    return 0.0 if sigma.name == "relu" else activations.LEAKY_SLOPE


def kinks_of(sigma: Activation, kinks: object) -> tuple[float, ...]:
    """Where the integrals are split: nowhere for a smooth activation.

    Raises:
        ArgumentError: ``kinks`` is no sequence of finite numbers.
    """
    found = np.asarray(kinks)
    if sigma.smooth or found.size == 0:
        return ()
    return tuple(float(each) for each in finite_array("kinks", found, 1))


def pair_moments(
    sigma: Activation,
    p: Array,
    q: Array,
    phi: Array,
    kinks: tuple[float, ...] = (),
    symmetric: bool = False,
) -> Moments:
    """Moments of u_i, v_j of standard deviations p_i, q_j whose correlation is cos φ_ij.

    Args:
        sigma: σ.
        p: shape (n,), > 0.
        q: shape (p,), > 0.
        phi: angles in [0, π], shape (n, p).
        kinks: where σ or σ′ jumps.
        symmetric: whether rows and columns are the same.

    Returns:
        The moments: closed forms of ReLU, leaky ReLU and erf to rounding; otherwise Mehler's
        series where it has converged to 1e-12, and panels in two dimensions elsewhere.
    """
    slope = slope_of(sigma)
    if slope is not None:
        return _piecewise_linear(phi, np.outer(p, q), slope)
    if sigma.name == "erf" and sigma.code is not None:
        return _erf(p, q, phi)
    missing = np.ones(phi.shape, dtype=bool)
    found = Moments(np.zeros(phi.shape), np.zeros(phi.shape))
    if not kinks and max(p.max(), q.max()) <= _LARGEST:
        found, missing = _by_series(sigma, p, q, np.cos(phi))
    if sigma.code is None:
        _check_resolved(sigma, max(p.max(), q.max()), kinks)
    for i, j in np.argwhere(np.triu(missing) if symmetric else missing):
        found.value[i, j], found.slope[i, j] = pair(sigma, p[i], q[j], phi[i, j], kinks)
        if symmetric:
            found.value[j, i], found.slope[j, i] = found.value[i, j], found.slope[i, j]
    return found


def second_moments(sigma: Activation, p: Array, kinks: tuple[float, ...] = ()) -> Array:
    """E σ(p_i G)² of a unit normal G, shape of ``p``."""
    slope = slope_of(sigma)
    if slope is not None:
        return np.asarray((1 + slope**2) / 2 * p**2)
    if sigma.name == "erf" and sigma.code is not None:
        return np.asarray(2 / math.pi * np.arcsin(2 * p**2 / (1 + 2 * p**2)))
    sizes, index = np.unique(p, return_inverse=True)
    found = [mean_square(sigma.value, float(each), kinks) for each in sizes]
    return np.asarray(found)[index]


def _piecewise_linear(phi: Array, norms: Array, slope: float) -> Moments:
    """Moments of σ(z) = max(z, slope·z)."""
    share = math.pi - phi
    share /= 2 * math.pi  # of the directions active for both inputs
    cosine = np.cos(phi)
    relu = np.sin(phi)  # in place from here: these matrices are large
    relu /= 2 * math.pi
    relu += share * cosine
    relu *= norms
    if slope == 0:
        return Moments(relu, share)
    rest = (1 - slope) ** 2
    return Moments(slope * norms * cosine + rest * relu, slope + rest * share)


def _erf(p: Array, q: Array, phi: Array) -> Moments:
    """Moments of σ = erf."""
    cross = 2 * np.outer(p, q) * np.cos(phi)
    sizes = np.outer(1 + 2 * p**2, 1 + 2 * q**2)
    value = 2 / math.pi * np.arcsin(cross / np.sqrt(sizes))
    sine = 2 * np.outer(p, q) * np.sin(phi)  # sizes − cross² without cancellation
    determinant = 1 + 2 * p[:, None] ** 2 + 2 * q[None, :] ** 2 + sine**2
    return Moments(value, 4 / math.pi / np.sqrt(determinant))


def _by_series(
    sigma: Activation, p: Array, q: Array, r: Array
) -> tuple[Moments, npt.NDArray[np.bool_]]:
    rows = pair_coefficients(sigma, p)
    columns = rows if q is p else pair_coefficients(sigma, q)
    value, off = series(rows[0], columns[0], r)
    slope, slope_off = series(rows[1], columns[1], r)
    return Moments(value, slope), (off > _GOOD) | (slope_off > _GOOD)


def _check_resolved(sigma: Activation, size: float, kinks: tuple[float, ...]) -> None:
    """Refuses an activation of one's own whose kinks are not where they are said to be."""
    for function in (sigma.value, sigma.derivative):
        rough = mean_square(function, size, kinks)
        fine = mean_square(function, size, (*kinks, 0.37, -0.61, 1.93, -2.3))
        if abs(rough - fine) > 1e-10 * fine:
            raise ArgumentError(
                f"Argument `kinks` must hold every kink or jump, but integrals of {sigma.name!r} "
                f"differ by {abs(rough - fine) / fine:.0e} between two sets of panels. Give the "
                "places, and `smooth=False` to the activation."
            )
