"""E σ(u)σ(v) and E σ′(u)σ′(v) of normal pairs of any variances: closed forms, else quadrature."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from netphase import activations
from netphase._checks import finite_array
from netphase._types import Array
from netphase.activations import Activation
from netphase.errors import ArgumentError
from netphase.kernels.pair_series import pair_series
from netphase.kernels.panels import mean_square, pair


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
        series where it converges to 1e-12, and panels in two dimensions elsewhere.
    """
    slope = slope_of(sigma)
    if slope is not None:
        return _piecewise_linear(phi, np.outer(p, q), slope)
    if sigma.name == "erf" and sigma.code is not None:
        return _erf(p, q, phi)
    if sigma.code is None:
        _check_resolved(sigma, max(p.max(), q.max()), kinks)
    if kinks:
        both, missing = np.zeros((2, *phi.shape)), np.ones(phi.shape, dtype=bool)
    else:
        both, missing = pair_series(sigma, p, q, phi, symmetric)
    for i, j in np.argwhere(np.triu(missing) if symmetric else missing):
        both[:, i, j] = pair(sigma, p[i], q[j], phi[i, j], kinks)
    return Moments(*(_mirrored(each) if symmetric else each for each in both))


def second_moments(sigma: Activation, p: Array, kinks: tuple[float, ...] = ()) -> Array:
    """E σ(p_i G)² of a unit normal G, shape of ``p``."""
    slope = slope_of(sigma)
    if slope is not None:
        return np.asarray((1 + slope**2) / 2 * p**2)
    if sigma.name == "erf" and sigma.code is not None:
        return np.asarray(2 / math.pi * np.arctan2(2 * p**2, np.hypot(1.0, 2 * p)))
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
    a, b = np.maximum(p, 1.0), np.maximum(q, 1.0)  # by which all is divided, lest it overflow
    norms = 2 * np.outer(p / a, q / b)
    square = np.outer(a**-2, b**-2 + 2 * (q / b) ** 2) + np.outer(2 * (p / a) ** 2, b**-2)
    square += (norms * np.sin(phi)) ** 2  # (1 + 2p²)(1 + 2q²) − (2pq cos φ)², nothing cancels
    root = np.sqrt(square, out=square)
    value = 2 / math.pi * np.arctan(norms * np.cos(phi) / root)
    return Moments(value, 4 / math.pi * np.outer(1 / a, 1 / b) / root)


def _mirrored(upper: Array) -> Array:
    """The symmetric matrix of which one half is given."""
    upper = np.triu(upper)
    return np.asarray(upper + np.triu(upper, 1).T)


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
