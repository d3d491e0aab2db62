"""Kernels of a layer of Gaussian weights: closed forms for ReLU and erf, else quadrature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from netphase import activations
from netphase._checks import positive_float
from netphase._types import Array
from netphase.activations import Activation
from netphase.kernels.feature_angles import input_angles
from netphase.kernels.inputs import rows_and_columns
from netphase.kernels.moments import kinks_of, pair_moments


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
    kinks: Sequence[float] = (0.0,),
) -> GaussianKernels:
    """Kernels for w ~ N(0, I), a ~ N(0, 1) and σ̄(z) = σ(scale·z)/scale.

    ReLU and leaky ReLU (where the scale cancels) and erf are in closed form. Any other activation
    is integrated to some 1e-11 of the kernel: smooth ones by their Hermite series, and pairs for
    which that has not converged, or activations with kinks, on panels in two dimensions.

    Args:
        x: inputs, shape (n, d).
        activation: name or `Activation`.
        scale: β₂, > 0.
        other: inputs of the columns, shape (p, d); ``x`` by default.
        kinks: where σ or σ′ jumps, of an activation of one's own that is not smooth.

    Returns:
        K_a and K_w, each of shape (n, p).

    Raises:
        ArgumentError: an input is zero, not finite or too large, shapes differ, the activation is
            unknown, or its square leaves the range of a float.

    References:
        Luo et al. (JMLR 2021), Theorem 6 (definitions); Cho & Saul (2009), arc-cosine kernels of
        order 0 and 1; Williams (1997), erf.
    """
    rows, columns = rows_and_columns(x, other)
    sigma, s = activations.get(activation), positive_float("scale", scale)
    s = 1.0 if sigma.homogeneous else s
    size, other_size = np.linalg.norm(rows, axis=1), np.linalg.norm(columns, axis=1)
    phi = input_angles(rows, None if other is None else columns)
    norms = np.outer(size, other_size)
    p = s * size
    q = p if other is None else s * other_size
    value, derivative = pair_moments(sigma, p, q, phi, kinks_of(sigma, kinks), other is None)
    return GaussianKernels(value / s**2, derivative * norms * np.cos(phi))
