"""The initial stage of any activation: what its leading order can fit, and where the stage ends."""

from __future__ import annotations

import numpy as np

from netphase._checks import finite_float, positive_int
from netphase._types import Array
from netphase.activations import Activation, get
from netphase.errors import ArgumentError
from netphase.kernels.initial_stage import linear_plateau
from netphase.kernels.predictions import Data

_RANK = 1e-13  # eigenvalues of a Gram matrix below this share of the largest are rounding
_NOTHING = 1e-9


def leading_plateau(data: Data, multiplicity: int, constant: bool = False) -> float:
    """Mean square error of the best fit by homogeneous polynomials of one degree in the inputs.

    Near the origin Σ a_k σ(w_k·x) with σ(z) ≈ c zᵖ is such a polynomial of degree p, and any of
    them can be had from enough neurons; so this is the plateau on which the initial stage of an
    activation of multiplicity p ends. With a bias among the inputs these are all polynomials of
    degree up to p. `linear_plateau` is the case p = 1.

    Args:
        data: inputs (with the bias column) and targets.
        multiplicity: p ≥ 1.
        constant: fit a constant, too, as activations with σ(0) ≠ 0 can.

    Returns:
        The mean square error that is left, ≥ 0.

    Raises:
        ArgumentError: ``multiplicity`` is not a positive integer.

    References:
        Zhou et al. (NeurIPS 2022), Fig. 5: outputs of the initial stage are polynomials of
        degree p.

    Example:
        >>> from netphase.datasets import polynomial
        >>> cubic = polynomial((0.0, 0.0, 0.0, 1.0), n=9)
        >>> [round(leading_plateau(cubic, p), 3) for p in (1, 2, 3)]
        [0.039, 0.039, 0.0]
    """
    p = positive_int("multiplicity", multiplicity)
    if p == 1 and not constant:
        return linear_plateau(data)
    largest = np.abs(data.x).max(axis=0)
    x = data.x / np.where(largest > 0, largest, 1.0)
    gram = (x @ x.T) ** p + (1.0 if constant else 0.0)
    return _left_over(gram, data.y)


def _left_over(gram: Array, y: Array) -> float:
    """Mean square of the targets' part outside the range of a Gram matrix."""
    values, vectors = np.linalg.eigh(gram)
    basis = vectors[:, values > _RANK * values[-1]]
    return float(np.mean((y - basis @ (basis.T @ y)) ** 2))


def stage_end(data: Data, activation: str | Activation, part: float = 0.1) -> float:
    """Mean square error at which a part of what the leading order can explain is gone.

    A stop for runs from small weights: at a small part the network is where its initial stage
    breaks down, that is its output no longer negligible beside the targets. For an activation of
    multiplicity one `half_way` is the same. Homogeneous activations with a kink fit anything, so
    the whole error counts as theirs to explain; where σ(0) ≠ 0, what is left by a constant.

    Args:
        data: inputs (with the bias column) and targets.
        activation: a name of `netphase.activations` or an `Activation`.
        part: share of the reducible part that is gone, in (0, 1).

    Returns:
        The mean square error.

    Raises:
        ArgumentError: ``part`` is not in (0, 1), or the leading order explains nothing of the
            targets.

    Example:
        >>> from netphase.datasets import linear
        >>> round(stage_end(linear(), "tanh"), 12)
        0.9
    """
    share = finite_float("part", part)
    if not 0 < share < 1:
        raise ArgumentError(f"Argument `part` must lie between 0 and 1, but is {share}.")
    sigma = get(activation)
    constant = bool(sigma.value(np.zeros(1))[0] != 0)
    start = float(np.var(data.y) if constant else np.mean(data.y**2))
    p = sigma.multiplicity
    end = 0.0 if p is None or sigma.homogeneous else leading_plateau(data, p, constant)
    if not end < (1 - _NOTHING) * start:
        raise ArgumentError(
            f"The leading order of {sigma.name} explains nothing of these targets, so the initial "
            "stage has no end. Shift or change the targets, or stop at a mean square error of "
            "your own."
        )
    return (1 - share) * start + share * end
