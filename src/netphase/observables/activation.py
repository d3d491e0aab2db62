"""What each neuron contributes to the function, over how many it is spread, which are activated."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from netphase._checks import finite_float, positive_float
from netphase._types import Array
from netphase.errors import ArgumentError

ORDERS = (2, 4)
"""Moments that `effective_number` knows."""


def neuron_contributions(a: Array, w: Array, scale: float = 1.0) -> Array:
    """p_j = κ a_j |w_j|, the weight of a neuron's unit direction in the function.

    f(x) = κ Σ a_j relu(w_j·x) = Σ p_j relu(ŵ_j·x) with ŵ = w/|w|, for every homogeneous activation.

    Args:
        a: output weights, shape (..., m).
        w: input weights, shape (..., m, d).
        scale: κ = β₁β₂/α, which multiplies the sum; 1 in the conventional scaling, 1/m in the
            mean-field one.

    Returns:
        p, signed, shape (..., m); not finite where a weight is not.

    Raises:
        ArgumentError: the shapes do not fit, or ``scale`` is not finite.

    References:
        Ma, Wu & E (2020), whose code plots a_j |b_j|.

    Example:
        >>> neuron_contributions(np.array([2.0, -1.0]), np.array([[3.0, 4.0], [0.0, 1.0]])).tolist()
        [10.0, -1.0]
    """
    output, rows = np.asarray(a, dtype=np.float64), np.asarray(w, dtype=np.float64)
    if rows.ndim < 2 or output.shape != rows.shape[:-1]:
        raise ArgumentError(
            "Arguments `a` and `w` must have the shapes (..., m) and (..., m, d), but have "
            f"{output.shape} and {rows.shape}."
        )
    return np.asarray(finite_float("scale", scale) * output * np.linalg.norm(rows, axis=-1))


def path_norm(p: Array) -> Array:
    """PN = Σ_j |p_j|, the path norm of a two-layer network.

    Args:
        p: contributions of the neurons, shape (..., m).

    Returns:
        PN ≥ 0, shape (...).

    References:
        Ma, Wu & E (2020), Fig. 4; at least the variation (Barron) norm of the function.
    """
    return np.asarray(np.abs(_contributions(p)).sum(axis=-1))


def over_cost(p: Array, variation_norm: float) -> Array:
    """ω = PN/‖f*‖, by how much the network spends more than its target needs.

    Args:
        p: contributions of the neurons, shape (..., m).
        variation_norm: the smallest path norm that represents the target, > 0.

    Returns:
        ω, shape (...); 1 for a network as sparse as its target, below 1 while it is still growing.

    Raises:
        ArgumentError: ``variation_norm`` is not positive.
    """
    return path_norm(p) / positive_float("variation_norm", variation_norm)


def effective_number(p: Array, order: int = 2) -> Array:
    """Over how many neurons the function is spread: M if M of them contribute equally.

    N₂ = (Σ|p|)²/Σp², and N₄ = (Σp²)²/Σp⁴, which counts the large ones only.

    Args:
        p: contributions of the neurons, shape (..., m).
        order: 2 or 4.

    Returns:
        A number in [1, m], shape (...); NaN where every neuron is silent or a number is not finite.

    Raises:
        ArgumentError: ``order`` is neither 2 nor 4, or ``p`` has no neuron.

    Example:
        >>> float(effective_number(np.array([0.2, 0.2, -0.2, 0.0])))
        3.0
    """
    if order not in ORDERS:
        raise ArgumentError(f"Argument `order` must be 2 or 4, but is {order!r}.")
    size = np.abs(_contributions(p))
    largest = size.max(axis=-1, keepdims=True)
    with np.errstate(all="ignore"):
        part = (size / largest) ** (order // 2)  # of order one, so that no square underflows
        number = part.sum(axis=-1) ** 2 / (part * part).sum(axis=-1)
    return np.where(np.isfinite(number), number, np.nan)


def activated(p: Array, threshold: float = 0.1) -> npt.NDArray[np.bool_]:
    """The activated neurons: those with |p_j| > τ max|p|. All others are quenched.

    Args:
        p: contributions of the neurons, shape (..., m).
        threshold: τ in [0, 1); 0.3 is a conservative choice.

    Returns:
        Which are activated, shape (..., m); none where all are silent or a number is not finite.

    Raises:
        ArgumentError: ``threshold`` is outside its range, or ``p`` has no neuron.
    """
    share = finite_float("threshold", threshold)
    if not 0.0 <= share < 1.0:
        raise ArgumentError(f"Argument `threshold` must lie in [0, 1), but is {share}.")
    size = np.abs(_contributions(p))
    largest = size.max(axis=-1, keepdims=True)  # NaN where any is, and then nothing is larger
    return np.asarray((size > share * largest) & np.isfinite(largest))


def activated_by_gap(p: Array, floor: float = 1e-4) -> npt.NDArray[np.bool_]:
    """The activated neurons: those above the largest gap in the sorted log|p|.

    Needs no threshold where contributions fall into two groups; where they do not, the gap is that
    of chance, and `activated` says more. Contributions below ``floor`` of the largest count as the
    floor: gaps among what is quenched decide nothing.

    Args:
        p: contributions of the neurons at one moment, shape (m,).
        floor: in units of the largest contribution, in (0, 1).

    Returns:
        Which are activated, shape (m,); all where all are equal, none where all are silent or a
        number is not finite.

    Raises:
        ArgumentError: ``floor`` is outside its range, or ``p`` is not one row of neurons.

    Example:
        >>> activated_by_gap(np.array([0.2, 1e-3, 0.19, 0.0])).tolist()
        [True, False, True, False]
    """
    least = positive_float("floor", floor)
    if least >= 1.0:
        raise ArgumentError(f"Argument `floor` must be smaller than 1, but is {least}.")
    size = np.abs(_contributions(p))
    if size.ndim != 1:
        raise ArgumentError(f"Argument `p` must have 1 axis here, but has shape {size.shape}.")
    largest = float(size.max())
    if not np.isfinite(largest) or largest == 0.0:
        return np.zeros(len(size), dtype=np.bool_)
    height = np.log(np.maximum(size / largest, least))
    ordered = np.sort(height)
    gaps = np.diff(ordered)
    if not len(gaps) or gaps.max() == 0.0:
        return np.ones(len(size), dtype=np.bool_)
    return np.asarray(height > ordered[int(gaps.argmax())])


def _contributions(p: Array) -> Array:
    """Contributions in float64, refused where there is no neuron."""
    rows = np.asarray(p, dtype=np.float64)
    if rows.ndim < 1 or rows.shape[-1] == 0:
        raise ArgumentError(
            "Argument `p` must hold one number a neuron in its last axis, but has shape "
            f"{rows.shape}."
        )
    return rows
