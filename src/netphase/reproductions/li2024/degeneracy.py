"""The least eigenvalue of limiting kernels as the pre-activations shrink."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from netphase._types import Array
from netphase.kernels import deep_kernels
from netphase.reproductions.check import Check, close
from netphase.scalings import LayerScales

POWER = 0.03
"""Relative distance of the power of λ_min from 2(q − 1)."""

SMALL = 1e-8
"""ε^(2(q−1)) at the smallest ε: below, λ_min drowns in the error of the kernel."""


class Degeneracy(NamedTuple):
    """λ_min of a kernel against the size of the pre-activations.

    Attributes:
        activation: σ.
        samples: n, unit vectors in the plane.
        degree: q, at which monomials span all functions on the inputs.
        depth: L.
        epsilons: ε, shape (k,).
        least: λ_min(K^[l]), shape (L+1, k).
    """

    activation: str
    samples: int
    degree: int
    depth: int
    epsilons: Array
    least: Array


CASES = (
    ("tanh", 4, 1), ("tanh", 4, 2), ("tanh", 6, 1), ("tanh", 6, 2), ("centred_softplus", 3, 1),
    ("centred_softplus", 3, 2), ("gelu", 6, 1), ("gelu", 6, 2), ("x_tanh", 5, 1),
)  # fmt: skip
"""Activations, numbers of inputs, and L. An activation without a linear term makes pre-activations
smaller from layer to layer, so 2(q − 1) is for its first."""


TAYLOR = {
    "tanh": (1.0, 0.0, -1 / 3, 0.0, 2 / 15, 0.0),
    "centred_softplus": (1 / 2, 1 / 8, 0.0, -1 / 192, 0.0, 1 / 2880),
    "gelu": (1 / 2, 1 / math.sqrt(2 * math.pi), 0.0, -1 / (6 * math.sqrt(2 * math.pi)), 0.0, 0.01),
    "x_tanh": (0.0, 1.0, 0.0, -1 / 3, 0.0, 2 / 15),
}
"""σ_1 … σ_6, of which only those that vanish matter; all have σ(0) = 0."""


def monomials(activation: str, depth: int) -> list[int]:
    """Degrees r of the powers (x·x′)^r that the kernel of small pre-activations consists of.

    Such networks see σ(z) = Σ_r σ_r z^r term by term, so the kernel of a layer is Σ_r σ_r² r! Λ^r
    of that before it, to leading order for every power of x·x′.

    Args:
        activation: σ.
        depth: L.

    Returns:
        Degrees up to six, ascending.
    """
    squares = np.array([0.0, *np.square(TAYLOR[activation])])
    series = np.eye(len(squares))[1]
    for _ in range(depth):
        powers = [np.eye(len(squares))[0]]
        for _ in squares[1:]:
            powers.append(np.convolve(powers[-1], series)[: len(squares)])
        series = squares @ powers
    return [int(each) for each in np.flatnonzero(series)]


def spanning_degree(x: Array, degrees: list[int]) -> int:
    """q: the degree of the last power of x·x′ that makes the kernel regular.

    Degree r comes with the weight ε^(2(r−1)), so that λ_min is as small as that of degree q.

    Args:
        x: inputs of unit norm, shape (n, d); on these the constants that even activations bring
            lie in what degree 2 spans.
        degrees: ascending.

    Returns:
        q.

    Raises:
        ValueError: so many degrees do not span.
    """
    total = np.zeros((len(x), len(x)))
    for degree in degrees:
        total += (x @ x.T) ** degree
        if np.linalg.matrix_rank(total, tol=1e-9, hermitian=True) == len(x):
            return degree
    raise ValueError("more degrees are needed")


def circle(n: int) -> Array:
    """Unit vectors in the plane at uneven angles, no two of them opposite, shape (n, 2)."""
    angles = math.pi * (np.arange(n) + 0.2 * np.sin(3.0 * np.arange(n))) / n
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def degeneracy(activation: str, samples: int, depth: int) -> Degeneracy:
    """λ_min(K^[l]) over a factor two of ε, the smallest at which it is resolved and above.

    Args:
        activation: σ.
        samples: n.
        depth: L.

    Returns:
        The table.
    """
    x = circle(samples)
    degree = spanning_degree(x, monomials(activation, depth))
    epsilons = SMALL ** (0.5 / (degree - 1)) * np.array([1.0, math.sqrt(2.0), 2.0])
    rows = [
        [
            float(np.linalg.eigvalsh(each)[0])
            for each in deep_kernels(
                x, LayerScales(1, (epsilon, *(1.0,) * depth), (1.0,) * (depth + 1)), activation
            ).kernels
        ]
        for epsilon in epsilons
    ]
    return Degeneracy(activation, samples, degree, depth, epsilons, np.array(rows).T)


def power(found: Degeneracy) -> Check:
    """The kernel whose power is farthest from 2(q − 1)."""
    expected = 2.0 * (found.degree - 1)
    slopes = np.diff(np.log(found.least)) / np.diff(np.log(found.epsilons))
    powers = 2 * slopes[:, 0] - slopes[:, 1]  # slopes are off by O(ε²), and ε² doubles
    worst = float(powers[np.abs(powers - expected).argmax()])
    return close(
        f"L = {found.depth}, {found.activation}, n = {found.samples} on the circle, "
        f"q = {found.degree}: power of ε → 0 in λ_min(K^[l]), the farthest",
        "reconstruction 6", expected, worst, POWER * expected,
    )  # fmt: skip
