"""Kernels of a layer of Gaussian weights: closed forms for ReLU and erf, else quadrature."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from netphase import activations
from netphase._checks import finite_array, positive_float
from netphase._types import Array
from netphase.activations import Activation
from netphase.errors import ArgumentError

_TAIL = 8.5  # the normal density beyond is below 1e-16 of its peak
_WIDEST = 0.4  # spacing of the lattice that resolves the normal density itself
_RESOLVED = 0.34  # spacing × input size that resolves poles of σ at distance π/2


class GaussianKernels(NamedTuple):
    """The two kernels of a wide two-layer network at its start, in normalised variables.

    Attributes:
        a: K_a[i, j] = E σ̄(w·x_i) σ̄(w·x_j), of the output weights, shape (n, p).
        w: K_w[i, j] = E[a² σ̄′(w·x_i) σ̄′(w·x_j)] x_i·x_j, of the input weights, shape (n, p).
    """

    a: Array
    w: Array


def gaussian_kernels(
    x: Array,
    activation: str | Activation = "relu",
    scale: float = 1.0,
    other: Array | None = None,
) -> GaussianKernels:
    """Kernels for w ~ N(0, I), a ~ N(0, 1) and σ̄(z) = σ(scale·z)/scale.

    ReLU and leaky ReLU (where the scale cancels) and erf are in closed form. Any other activation
    is integrated by the trapezoidal rule on a lattice that the size of the inputs refines; the
    error is below 1e-8 of the kernel for the built-in smooth ones. An activation of one's own
    with kinks is integrated to some 1e-3 only.

    Args:
        x: inputs, shape (n, d).
        activation: name or `Activation`.
        scale: β₂, > 0.
        other: inputs of the columns, shape (p, d); ``x`` by default.

    Returns:
        K_a and K_w, each of shape (n, p).

    Raises:
        ArgumentError: an input is zero or not finite, shapes differ, or the activation is unknown.

    References:
        Luo et al. (JMLR 2021), Theorem 6 (definitions); Cho & Saul (2009), arc-cosine kernels of
        order 0 and 1; Williams (1997), erf.
    """
    rows = _inputs("x", x)
    columns = rows if other is None else _inputs("other", other)
    if rows.shape[1] != columns.shape[1]:
        raise ArgumentError(
            "Arguments `x` and `other` must have equal numbers of columns, but have "
            f"{rows.shape[1]} and {columns.shape[1]}."
        )
    sigma, s = activations.get(activation), positive_float("scale", scale)
    size, other_size = np.linalg.norm(rows, axis=1), np.linalg.norm(columns, axis=1)
    phi = _angles(rows / size[:, None], columns / other_size[:, None])
    norms = np.outer(size, other_size)
    if sigma.name in ("relu", "leaky_relu") and sigma.code is not None:
        slope = 0.0 if sigma.name == "relu" else activations.LEAKY_SLOPE
        value, derivative = _piecewise_linear(phi, norms, slope)
    elif sigma.name == "erf" and sigma.code is not None:
        value, derivative = _erf(s * size, s * other_size, phi)
        value = value / s**2
    else:
        value, derivative = _quadrature(sigma, s * size, s * other_size, phi, other is None)
        value = value / s**2
    return GaussianKernels(value, derivative * norms * np.cos(phi))


def _inputs(name: str, x: Array) -> Array:
    array = finite_array(name, x, 2).astype(np.float64)
    if not np.all(np.any(array != 0, axis=1)):
        raise ArgumentError(f"Argument `{name}` must have no zero row: its kernel vanishes.")
    return array


def _angles(u: Array, v: Array) -> Array:
    """Angles between unit vectors, accurate also for nearly parallel ones, shape (n, p)."""
    rows = [
        2 * np.arctan2(np.linalg.norm(each - v, axis=1), np.linalg.norm(each + v, axis=1))
        for each in u
    ]
    return np.stack(rows)


def _piecewise_linear(phi: Array, norms: Array, slope: float) -> tuple[Array, Array]:
    """E σσ and E σ′σ′ of σ(z) = max(z, slope·z)."""
    share = (math.pi - phi) / (2 * math.pi)  # of the directions active for both inputs
    relu = norms * (np.sin(phi) / (2 * math.pi) + share * np.cos(phi))
    rest = (1 - slope) ** 2
    return slope * norms * np.cos(phi) + rest * relu, slope + rest * share


def _erf(p: Array, q: Array, phi: Array) -> tuple[Array, Array]:
    """E σσ and E σ′σ′ of σ = erf for inputs of sizes p and q at angle φ."""
    cross = 2 * np.outer(p, q) * np.cos(phi)
    sizes = np.outer(1 + 2 * p**2, 1 + 2 * q**2)
    value = 2 / math.pi * np.arcsin(cross / np.sqrt(sizes))
    sine = 2 * np.outer(p, q) * np.sin(phi)  # sizes − cross² without cancellation
    determinant = 1 + 2 * p[:, None] ** 2 + 2 * q[None, :] ** 2 + sine**2
    return value, 4 / math.pi / np.sqrt(determinant)


def _lattice(size: float) -> tuple[Array, Array]:
    """Nodes and weights of E g(size·u), u ~ N(0, 1)."""
    h = min(_WIDEST, _RESOLVED / size) if size > 0 else _WIDEST
    count = math.ceil(_TAIL / h)
    u = h * np.arange(-count, count + 1)
    weights = np.exp(-u * u / 2)
    return u, weights / weights.sum()


def _quadrature(
    sigma: Activation, p: Array, q: Array, phi: Array, symmetric: bool
) -> tuple[Array, Array]:
    """E σσ and E σ′σ′ by a two-dimensional trapezoidal rule, one pair of inputs at a time."""
    value, derivative = np.empty_like(phi), np.empty_like(phi)
    for i in range(phi.shape[0]):
        for j in range(i if symmetric else 0, phi.shape[1]):
            value[i, j], derivative[i, j] = _pair(sigma, p[i], q[j], phi[i, j])
            if symmetric:
                value[j, i], derivative[j, i] = value[i, j], derivative[i, j]
    return value, derivative


def _pair(sigma: Activation, p: float, q: float, phi: float) -> tuple[float, float]:
    along, across = q * math.cos(phi), q * math.sin(phi)
    u, u_weights = _lattice(max(p, abs(along)))
    v, v_weights = _lattice(across)
    first = p * u
    second = along * u[:, None] + across * v[None, :]
    values = u_weights * sigma.value(first) @ (sigma.value(second) @ v_weights)
    slopes = u_weights * sigma.derivative(first) @ (sigma.derivative(second) @ v_weights)
    return float(values), float(slopes)
