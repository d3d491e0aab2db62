"""Relative change of every layer of deep networks, in the operator and in the Frobenius norm."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netphase._checks import finite_array, instance_of, positive_float
from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.networks import LayerParameters

_DIRECT = 48
"""Matrices with fewer rows or columns have all their singular values computed."""


class LayerChange(NamedTuple):
    """Relative changes of the layers l = 1 … L+1 of e networks, each of shape (e, L+1).

    Attributes:
        operator: ‖W^[l](t) − W^[l](0)‖/‖W^[l](0)‖ in the operator norm.
        frobenius: the same in the Frobenius norm, in which feature learning of a hidden matrix
            hides: it changes by low rank, and the norm of its start is √m times larger.
    """

    operator: Array
    frobenius: Array


def layer_change(
    initial: LayerParameters, current: LayerParameters, rtol: float = 1e-6
) -> LayerChange:
    """How far every layer of weights has moved, relative to where it started.

    Scales cancel, so that normalised weights and raw ones give the same. Of an antisymmetric
    network the first copy counts, as in `relative_change`.

    Args:
        initial: W(0) of e networks.
        current: W(t), same shapes.
        rtol: relative error of the operator norms of large matrices; see `operator_norm`.

    Returns:
        The changes, float64; NaN or infinite where ``current`` is.

    Raises:
        ArgumentError: not `LayerParameters`, shapes differ, or a layer starts at zero.

    References:
        Li, Luo & Zhou (2024) and Zhou et al. (2022, three layers) for the change of every layer.

    Example:
        >>> start = LayerParameters((np.eye(2)[None, None],))
        >>> end = LayerParameters((np.diag([1.0, 2.0])[None, None],))
        >>> change = layer_change(start, end)
        >>> float(change.operator[0, 0]), round(float(change.frobenius[0, 0]), 4)
        (1.0, 0.7071)
    """
    for name, given in (("initial", initial), ("current", current)):
        instance_of(name, given, LayerParameters, "LayerParameters")
    shapes = [tuple(each.shape for each in given.weights) for given in (initial, current)]
    if shapes[0] != shapes[1]:
        raise ArgumentError(
            "Arguments `initial` and `current` must have equal shapes, but have "
            f"{shapes[0]} and {shapes[1]}."
        )
    operator, frobenius = [], []
    for layer, pair in enumerate(zip(initial.weights, current.weights, strict=True), 1):
        before, after = (each[:, 0].astype(np.float64) for each in pair)
        size = np.linalg.norm(before, axis=(1, 2))
        if not np.all(size > 0):
            raise ArgumentError(
                f"Argument `initial` must not be zero in layer {layer}: there is no size to "
                "compare the change with."
            )
        with np.errstate(all="ignore"):
            moved = after - before
            frobenius.append(np.linalg.norm(moved, axis=(1, 2)) / size)
        norms = [_norms(each, rtol) for each in (moved, before)]
        operator.append(norms[0] / norms[1])
    return LayerChange(np.stack(operator, axis=1), np.stack(frobenius, axis=1))


def operator_norm(matrix: Array, rtol: float = 1e-6) -> float:
    """The largest singular value, by power iteration that keeps its directions (Lanczos).

    A step takes two products with the matrix, as plain power iteration does, but it also converges
    fast where the spectrum has a dense edge, as that of random matrices has.

    Args:
        matrix: shape (r, c).
        rtol: relative error at which the iteration ends; small matrices are done exactly.

    Returns:
        ‖matrix‖ ≥ 0.

    Raises:
        ArgumentError: ``matrix`` is empty or not finite, or ``rtol`` is not positive.

    References:
        Golub & Van Loan, Matrix Computations, section 10.4.

    Example:
        >>> operator_norm(np.array([[3.0, 0.0], [0.0, -4.0]]))
        4.0
    """
    a = finite_array("matrix", matrix, 2).astype(np.float64)
    tolerance = positive_float("rtol", rtol)
    size = float(np.abs(a).max())
    if size == 0.0:
        return 0.0
    if min(a.shape) <= _DIRECT:
        return float(np.linalg.norm(a, 2))
    return size * _lanczos(a / size, tolerance)


def _norms(matrices: Array, rtol: float) -> Array:
    """Operator norms of a stack; those of matrices that are not finite are NaN."""
    return np.array(
        [operator_norm(each, rtol) if np.all(np.isfinite(each)) else np.nan for each in matrices]
    )


def _lanczos(a: Array, rtol: float) -> float:
    """Golub–Kahan bidiagonalisation with full reorthogonalisation; a lower bound that grows."""
    start = 1.0 + 0.5 * np.sin(1.0 + np.arange(a.shape[1]))
    right: list[Array] = [start / np.linalg.norm(start)]
    left: list[Array] = []
    upper: list[float] = []
    lower: list[float] = []
    value, still = 0.0, 0
    for _ in range(min(a.shape)):
        u = a @ right[-1]
        u -= _onto(left, u)
        upper.append(float(np.linalg.norm(u)))
        if upper[-1] <= 1e-14 * value:
            break
        left.append(u / upper[-1])
        v = left[-1] @ a
        v -= _onto(right, v)
        lower.append(float(np.linalg.norm(v)))
        bidiagonal = np.column_stack([np.diag(upper), np.zeros(len(upper))])
        bidiagonal[:, 1:] += np.diag(lower)
        before, value = value, float(np.linalg.norm(bidiagonal, 2))
        still = still + 1 if value - before < 0.1 * rtol * value else 0
        if still == 3 or lower[-1] <= 1e-14 * value:
            break
        right.append(v / lower[-1])
    return value


def _onto(basis: list[Array], vector: Array) -> Array:
    """What of a vector lies in the span of orthonormal ones, twice for the sake of rounding."""
    if not basis:
        return np.zeros_like(vector)
    rows = np.array(basis)
    part = (rows @ vector) @ rows
    return np.asarray(part + (rows @ (vector - part)) @ rows)
