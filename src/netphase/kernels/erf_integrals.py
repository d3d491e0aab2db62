"""Averages of g = erf(x/√2) over normal variables, which close the equations of soft committees.

The average of products that hold g′(x_i) g′(x_j) ∝ exp(−(x_i² + x_j²)/2) is a plain one under the
tilted covariance C̃ = C − C_·S (1 + C_SS)⁻¹ C_S·, S = {i, j}, times E g′(x_i) g′(x_j). So that of
two, of three and of four factors are all one arcsine or its slope.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from netphase._checks import finite_array
from netphase._types import Array
from netphase.errors import ArgumentError

_Index: TypeAlias = npt.NDArray[np.signedinteger[Any]]
_BLOCK = 1 << 17  # entries of the arrays over pairs of pairs


def erf_pair(c: Array) -> Array:
    """I₂ = E g(x_1) g(x_2) = (2/π) asin(C_12/√((1 + C_11)(1 + C_22))).

    Args:
        c: covariances, shape (…, 2, 2).

    Returns:
        I₂, shape (…).

    Raises:
        ArgumentError: the shape is another one.

    References:
        Saad & Solla (1995), appendix.

    Example:
        >>> round(float(erf_pair(np.ones((2, 2)))), 12)
        0.333333333333
    """
    c = _covariances(c, 2)
    sizes = (1 + c[..., 0, 0]) * (1 + c[..., 1, 1])
    return np.asarray(2 / math.pi * np.arcsin(c[..., 0, 1] / np.sqrt(sizes)))


def erf_slopes(c: Array) -> Array:
    """E g′(x_1) g′(x_2) = 2/(π √((1 + C_11)(1 + C_22) − C_12²)).

    Args:
        c: covariances, shape (…, 2, 2).

    Returns:
        Shape (…).

    Raises:
        ArgumentError: the shape is another one.
    """
    c = _covariances(c, 2)
    return np.asarray(_slope(c[..., 0, 0], c[..., 1, 1], c[..., 0, 1]))


def erf_force(c: Array) -> Array:
    """I₃ = E g′(x_1) x_2 g(x_3) = 2 (C_23 (1 + C_11) − C_12 C_13)/(π (1 + C_11) √Λ₃).

    Here Λ₃ = (1 + C_11)(1 + C_33) − C_13².

    Args:
        c: covariances, shape (…, 3, 3).

    Returns:
        I₃, shape (…).

    Raises:
        ArgumentError: the shape is another one.

    References:
        Saad & Solla (1995), appendix.
    """
    c = _covariances(c, 3)
    first, along, across = 1 + c[..., 0, 0], c[..., 0, 1], c[..., 0, 2]
    slope = _slope(c[..., 0, 0], c[..., 2, 2], across)
    return np.asarray(slope * (c[..., 1, 2] - along * across / first))


def erf_quartic(c: Array) -> Array:
    """I₄ = E g′(x_1) g′(x_2) g(x_3) g(x_4), the slopes' mean times I₂ of the tilted covariance.

    Args:
        c: covariances, shape (…, 4, 4).

    Returns:
        I₄, shape (…).

    Raises:
        ArgumentError: the shape is another one.

    References:
        Saad & Solla (1995), appendix: (4/π²√Λ₄) asin(Λ₀/√(Λ₁Λ₂)).
    """
    c = _covariances(c, 4)
    chosen, across = c[..., :2, :2], c[..., :2, 2:]
    tilted = c[..., 2:, 2:] - np.swapaxes(across, -1, -2) @ np.linalg.solve(
        np.eye(2) + chosen, across
    )
    return erf_slopes(chosen) * erf_pair(tilted)


def erf_gram(c: Array) -> Array:
    """I₂ of every pair of fields.

    Args:
        c: one covariance, shape (p, p).

    Returns:
        E g(x_i) g(x_j), shape (p, p).
    """
    size = 1 / np.sqrt(1 + np.diagonal(c))
    return np.asarray(2 / math.pi * np.arcsin(c * size * size[:, None]))


def erf_forces(c: Array, b: Array, units: int) -> Array:
    """E g′(x_i) x_k e of an error e = Σ_q b_q g(x_q), the sum of I₃ over q.

    Args:
        c: one covariance, shape (p, p).
        b: weights, shape (p,).
        units: K; i runs over the first K fields, k over all.

    Returns:
        Shape (K, p).
    """
    rows, size = c[:units], 1 + np.diagonal(c)
    weights = b * _slope(size[:units, None] - 1, size - 1, rows)
    along = np.einsum("iq,iq->i", weights, rows)
    return np.asarray(weights @ c - (along / size[:units])[:, None] * rows)


def erf_noise(c: Array, b: Array, units: int, variance: float = 0.0) -> Array:
    """E (e² + τ²) g′(x_i) g′(x_j) of an error e = Σ_q b_q g(x_q), the sum of I₄ over pairs.

    The cost is that of K²p²/4 arcsines.

    Args:
        c: one covariance, shape (p, p).
        b: weights, shape (p,).
        units: K; i and j run over the first K fields.
        variance: τ², of what adds to the error by itself.

    Returns:
        Shape (K, K), symmetric and positive semi-definite.
    """
    i, j = np.triu_indices(units)
    p, q = np.triu_indices(len(b))
    doubled = b[p] * b[q] * np.where(p == q, 1.0, 2.0)
    squares = np.empty(len(i))
    step = max(1, _BLOCK // len(p))
    for start in range(0, len(i), step):
        part = slice(start, start + step)
        squares[part] = _tilted(c, i[part], j[part], p, q) @ doubled
    found = np.empty((units, units))
    found[i, j] = _slope(c[i, i], c[j, j], c[i, j]) * (squares + variance)
    found[j, i] = found[i, j]
    return found


def _tilted(c: Array, i: _Index, j: _Index, p: _Index, q: _Index) -> Array:
    """I₂ of the fields p, q under the covariance that g′(x_i) g′(x_j) tilts, (pairs, pairs)."""
    first = 1 + c[i, i]
    one = c[i] / np.sqrt(first)[:, None]
    two = c[j] - (c[i, j] / first)[:, None] * c[i]
    two /= np.sqrt(1 + c[j, j] - c[i, j] ** 2 / first)[:, None]
    size = 1 / np.sqrt(1 + np.diagonal(c) - one * one - two * two)
    one, two = one * size, two * size
    ratio = c[p, q] * (size[:, p] * size[:, q])
    ratio -= one[:, p] * one[:, q]
    ratio -= two[:, p] * two[:, q]
    np.arcsin(ratio, out=ratio)
    ratio *= 2 / math.pi
    return np.asarray(ratio)


def _slope(first: Array, second: Array, cross: Array) -> Array:
    return np.asarray(2 / math.pi / np.sqrt((1 + first) * (1 + second) - cross * cross))


def _covariances(c: Array, fields: int) -> Array:
    found = finite_array("c", c, np.ndim(c)).astype(np.float64)
    if found.shape[-2:] != (fields, fields):
        raise ArgumentError(
            f"Argument `c` must have the shape (…, {fields}, {fields}), but has {found.shape}."
        )
    return found
