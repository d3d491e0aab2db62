"""The exact averages over random inputs in NumPy: the readable definition of the compiled pass."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from netphase._types import Array
from netphase.engine.population.problem import PopulationProblem, slope_of


class Pass(NamedTuple):
    """One look at a state.

    Attributes:
        mean_square: E e².
        gradient_a: ∂R/∂a with R = ½ E e², shape (m,).
        gradient_w: ∂R/∂w, shape (m, d).
    """

    mean_square: float
    gradient_a: Array
    gradient_w: Array


class Pull(NamedTuple):
    """What some neurons Σ_l e_l σ̄(c_l·x) do to the neurons w_j, for Gaussian inputs.

    Attributes:
        value: E σ(w_j·x) Σ_l e_l σ̄(c_l·x), shape (m,).
        slope: E σ′(w_j·x) x Σ_l e_l σ̄(c_l·x), shape (m, d).
    """

    value: Array
    slope: Array


def unit(w: Array) -> tuple[Array, Array]:
    """|w| and w/|w| (zero where |w| is), shapes (m,) and (m, d)."""
    size = np.linalg.norm(w, axis=1)
    return size, np.divide(w, size[:, None], out=np.zeros_like(w), where=size[:, None] > 0)


def pull_of_neurons(
    w: Array, e: Array, c: Array, slope: float, target_slope: float, same: bool = False
) -> Pull:
    """The pull of neurons σ̄ on neurons σ, both max(z, slope·z), with θ the angle of w_j and c_l.

    Of two ReLU neurons it is |w||c| (sin θ + (π − θ) cos θ)/2π, with the derivative
    (|c| sin θ w/|w| + (π − θ) c)/2π; max(z, λz) = λz + (1 − λ) relu(z) does the rest.

    Args:
        w: neurons, shape (m, d).
        e: output weights of the others, shape (M,).
        c: input weights of the others, shape (M, d).
        slope: λ of σ.
        target_slope: λ of σ̄.
        same: whether ``c`` is ``w`` itself; neurons then lie exactly at angle 0 to themselves.

    Returns:
        The pull.
    """
    size, u = unit(w)
    length, v = unit(c)
    z = np.clip(u @ v.T, -1.0, 1.0)
    if same:
        np.fill_diagonal(z, 1.0)
    sine = np.sqrt((1.0 - z) * (1.0 + z))
    opening = math.pi - np.arctan2(sine, z)
    weight = (1 - slope) * (1 - target_slope) * e * length / (2 * math.pi)
    linear = 0.5 * (slope + target_slope) * (e @ c)
    pulled = (sine @ weight)[:, None] * u + opening @ (weight[:, None] * v) + linear
    return Pull(size * np.einsum("md,md->m", u, pulled), pulled)


def pull_of_sphere(w: Array, k: int, weight: float, slope: float) -> Pull:
    """The pull of weight · E_c relu(c·x), c even on the unit sphere of the first k axes.

    E relu(w·x) E_c relu(c·x) = |w| F(−½, −½; k/2; ρ²)/2π with ρ = |P w|/|w|, and
    dF(−½, −½; k/2; q)/dq = F(½, ½; k/2 + 1; q)/2k.
    """
    from scipy.special import hyp2f1

    size, u = unit(w)
    share = np.minimum((u[:, :k] ** 2).sum(axis=1), 1.0)
    value = hyp2f1(-0.5, -0.5, k / 2, share) / (2 * math.pi)
    steep = hyp2f1(0.5, 0.5, k / 2 + 1, share) / (2 * math.pi * k)
    scale = (1 - slope) * weight
    pulled = (value - share * steep)[:, None] * u
    pulled[:, :k] += steep[:, None] * u[:, :k]
    return Pull(scale * size * value, scale * pulled)


def population_pass(problem: PopulationProblem, a: Array, w: Array) -> Pass:
    """Risk and gradient of a piecewise linear network on a target of such neurons, closed form.

    Args:
        problem: the problem, both activations piecewise linear.
        a: output weights, shape (m,).
        w: input weights, shape (m, d).

    Returns:
        E e² and the gradient of half of it.

    References:
        Ma, Wu & E (2020), population risk; Cho & Saul (2009), arc-cosine kernels.
    """
    slope, other = slope_of(problem.activation), slope_of(problem.target_activation)
    assert slope is not None
    assert other is not None
    s, c, target_a = problem.output_scale, problem.target_c, problem.target_a
    own = pull_of_neurons(w, s * a, w, slope, slope, same=True)
    target = pull_of_neurons(w, target_a, c, slope, other)
    value, steep = target.value, target.slope
    square = float(target_a @ pull_of_neurons(c, target_a, c, other, other, same=True).value)
    if problem.sphere:
        sphere = pull_of_sphere(w, problem.sphere, problem.sphere_weight, slope)
        value, steep = value + sphere.value, steep + sphere.slope
        overlap = pull_of_sphere(c, problem.sphere, problem.sphere_weight, other).value
        square += 2 * float(target_a @ overlap) + problem.sphere_square
    mean_square = float(s * a @ (own.value - 2 * value)) + square
    return Pass(
        problem.power * max(mean_square, 0.0),
        problem.power * s * (own.value - value),
        problem.power * s * a[:, None] * (own.slope - steep),
    )
