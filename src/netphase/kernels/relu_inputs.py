"""ReLU neurons averaged over random inputs: the kernel of two neurons and its gradient."""

from __future__ import annotations

import math

import numpy as np

from netphase._checks import finite_array, one_of, positive_int
from netphase._types import Array, InputLaw
from netphase.errors import ArgumentError
from netphase.kernels.feature_angles import sine_minus_arc

INPUT_LAWS: tuple[InputLaw, ...] = ("gaussian", "sphere")
"""Inputs with closed forms: x ~ N(0, I_d), or x even on the unit sphere of ℝ^d."""


def input_power(d: int, inputs: InputLaw = "gaussian") -> float:
    """E|x|²/d of an input law: 1 for Gaussian inputs, 1/d on the unit sphere.

    Averages of two ReLU neurons under a law that is symmetric under rotations are those of
    Gaussian inputs times this number.

    Args:
        d: number of inputs, ≥ 1.
        inputs: "gaussian" for N(0, I_d), "sphere" for the unit sphere.

    Returns:
        The factor, in (0, 1].

    Raises:
        ArgumentError: ``d`` is not a positive integer or the law is unknown.
    """
    law, count = one_of("inputs", inputs, INPUT_LAWS), positive_int("d", d)
    return 1.0 if law == "gaussian" else 1.0 / count


def relu_kernel(b: Array, c: Array, inputs: InputLaw = "gaussian") -> Array:
    """k(b, c) = E relu(b·x) relu(c·x) = |b||c| (sin θ + (π − θ) cos θ)/2π, θ the angle of b and c.

    Args:
        b: neurons, shape (m, d).
        c: neurons, shape (p, d).
        inputs: law of x; on the unit sphere the kernel is 1/d of the Gaussian one.

    Returns:
        The kernel, shape (m, p), accurate to rounding at every angle.

    Raises:
        ArgumentError: arrays are not finite or their numbers of inputs differ.

    References:
        Cho & Saul (2009), arc-cosine kernel of order 1.

    Example:
        >>> float(relu_kernel(np.array([[2.0, 0.0]]), np.array([[2.0, 0.0]]))[0, 0])
        2.0
    """
    rows, columns = _neurons(b, c)
    sizes, opening = _polar(rows, columns)
    power = input_power(rows.shape[1], inputs)
    return np.asarray(power * sizes * sine_minus_arc(opening) / (2 * math.pi))


def relu_kernel_gradient(b: Array, c: Array, inputs: InputLaw = "gaussian") -> Array:
    """∂k(b, c)/∂b = E relu(c·x) 1{b·x > 0} x = (|c| sin θ b/|b| + (π − θ) c)/2π.

    At c = b it is b/2, half of the derivative of k(b, b) = |b|²/2.

    Args:
        b: neurons, shape (m, d), none of them zero.
        c: neurons, shape (p, d).
        inputs: law of x.

    Returns:
        The gradient in b of every pair, shape (m, p, d).

    Raises:
        ArgumentError: arrays are not finite, their numbers of inputs differ, or a row of ``b`` is
            zero, where the kernel has a kink.

    References:
        Ma, Wu & E (2020), gradient of the population risk.
    """
    rows, columns = _neurons(b, c)
    size = np.linalg.norm(rows, axis=1)
    if not np.all(size > 0):
        raise ArgumentError("Argument `b` must have no zero row: the kernel has a kink there.")
    _, opening = _polar(rows, columns)
    across = np.linalg.norm(columns, axis=1) * np.sin(opening)  # (m, p)
    radial = across[:, :, None] * (rows / size[:, None])[:, None, :]
    along = opening[:, :, None] * columns[None, :, :]
    return np.asarray(input_power(rows.shape[1], inputs) * (radial + along) / (2 * math.pi))


def sphere_kernel(b: Array, k: int, inputs: InputLaw = "gaussian") -> Array:
    """E_c k(b, c) for c even on the unit sphere of the first k axes: |b| F(ρ²)/2π.

    Here F is the hypergeometric function ₂F₁(−½, −½; k/2; ·) and ρ = |P b|/|b|, with P the
    projection on these axes. The mean of the neurons relu(c·x) is a multiple of |P x|.

    Args:
        b: neurons, shape (m, d).
        k: dimension of the sphere's space, 2 ≤ k ≤ d.
        inputs: law of x.

    Returns:
        Shape (m,).

    Raises:
        ArgumentError: ``b`` is not finite or ``k`` out of its range.

    Example:
        >>> float(sphere_kernel(np.array([[0.0, 0.0, 3.0]]), 2)[0] * 2 * math.pi)
        3.0
    """
    from scipy.special import hyp2f1

    rows = finite_array("b", b, 2).astype(np.float64)
    d, dimension = rows.shape[1], positive_int("k", k)
    if not 2 <= dimension <= d:
        raise ArgumentError(f"Argument `k` must lie between 2 and d = {d}, but is {dimension}.")
    size, inside = np.linalg.norm(rows, axis=1), np.linalg.norm(rows[:, :dimension], axis=1)
    share = np.minimum(1.0, np.divide(inside, size, out=np.zeros_like(size), where=size > 0))
    shape = hyp2f1(-0.5, -0.5, dimension / 2, share**2)
    return np.asarray(input_power(d, inputs) * size * shape / (2 * math.pi))


def _neurons(b: Array, c: Array) -> tuple[Array, Array]:
    rows = finite_array("b", b, 2).astype(np.float64)
    columns = finite_array("c", c, 2).astype(np.float64)
    if rows.shape[1] != columns.shape[1]:
        raise ArgumentError(
            "Arguments `b` and `c` must have equal numbers of inputs, but have "
            f"{rows.shape[1]} and {columns.shape[1]}."
        )
    return rows, columns


def _polar(b: Array, c: Array) -> tuple[Array, Array]:
    """|b||c| and φ = π − θ of every pair, shape (m, p), accurate to rounding at both ends."""
    size, other = np.linalg.norm(b, axis=1), np.linalg.norm(c, axis=1)
    u = np.divide(b, size[:, None], out=np.zeros_like(b), where=size[:, None] > 0)
    v = np.divide(c, other[:, None], out=np.zeros_like(c), where=other[:, None] > 0)
    rows = [
        2 * np.arctan2(np.linalg.norm(each + v, axis=1), np.linalg.norm(each - v, axis=1))
        for each in u
    ]
    return np.outer(size, other), np.stack(rows)
