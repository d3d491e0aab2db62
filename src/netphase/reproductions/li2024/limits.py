"""Fig. 4: limiting kernels by quadrature, closed form and sampling; finite widths; degeneracy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from netphase import activations
from netphase._types import Array
from netphase.activations import Activation
from netphase.analysis import PowerLawFit, fit_power_law
from netphase.kernels import deep_kernels, tangent_kernel
from netphase.networks import MultiLayerNetwork, initial_layer_parameters
from netphase.reproductions.check import Check, at_most, close
from netphase.reproductions.li2024 import setting
from netphase.reproductions.li2024.drawing import kernel_figure
from netphase.reproductions.reproduction import Size, Stage
from netphase.reproductions.runs import in_parallel
from netphase.scalings import LayerScales, layer_initialisation
from netphase.seeds import Stream, generator

EXACT = 1e-10
"""Distance of quadrature from closed forms, relative to the largest entry of a kernel."""

DEEP = 3
"""L of the kernels by quadrature and by sampling."""

PAIRS = 1_000_000
"""Normal pairs of the Monte Carlo integrals, at every size."""

LIKELY = 4.0
"""Most standard errors between Monte Carlo and quadrature, of some sixty entries."""

WIDTHS: dict[Size, dict[int, tuple[int, ...]]] = {
    "smoke": {1: (100, 300, 1000, 3000), 2: (100, 200, 400, 800)},
    "small": {
        1: (100, 300, 1000, 3000, 10000),
        2: (100, 200, 400, 800, 1600),
        3: (100, 200, 400, 800, 1600),
    },
    "paper": {
        1: (100, 300, 1000, 3000, 10000),
        2: (100, 300, 1000, 3000, 10000),
        3: (100, 200, 400, 800, 1600, 4000),
    },
}

SEEDS: dict[Size, int] = {"smoke": 16, "small": 16, "paper": 32}

HALF = 0.1
"""Of the exponents from −1/2."""

POWER = 0.03
"""Relative distance of the power of λ_min from 2(q − 1)."""

SMALL = 1e-8
"""ε^(2(q−1)) at the smallest ε: below, λ_min drowns in the error of the kernel."""

KERNELS, POWERS = "reconstruction 4", "reconstruction 6"

RELU = activations.from_pair(
    "relu_by_quadrature",
    lambda z: np.maximum(z, 0.0),
    lambda z: np.asarray(z > 0, np.float64),
    homogeneous=True,
    smooth=False,
)
"""An activation that the closed forms do not know."""


def _erf() -> Activation:
    sigma = activations.get("erf")
    return activations.from_pair("erf_by_quadrature", sigma.value, sigma.derivative)


@dataclass(frozen=True)
class Approach:
    """Finite kernels against their limits.

    Attributes:
        depth: L.
        activation: σ.
        what: "tangent", or "Gram" of the last hidden layer.
        widths: m, shape (w,).
        error: relative Frobenius distance, shape (s, w).
    """

    depth: int
    activation: str
    what: str
    widths: Array
    error: Array

    @property
    def fit(self) -> PowerLawFit:
        """Power law of the error in the width."""
        return fit_power_law(self.widths, self.error)


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


def run(stage: Stage) -> list[Check]:
    """Kernels of networks of NTK scaling on four unit vectors; degeneracy on the circle."""
    found = []
    for depth, widths in WIDTHS[stage.size].items():
        stage.progress(f"kernels: L = {depth}")
        found += approaches(depth, widths, SEEDS[stage.size])
    stage.progress("kernels: small pre-activations")
    small = [degeneracy(*case) for case in CASES]
    stage.save(kernel_figure(found, small), "figure4")
    return [*_closed_forms(), _monte_carlo(), *map(_half, found), *map(_power, small)]


def closed_kernels(name: str, x: Array, scales: LayerScales) -> list[Array]:
    """K^[l] by the arc-cosine formulas for ReLU and the arcsine ones for erf.

    Args:
        name: "relu" or "erf".
        x: inputs, shape (n, d).
        scales: β_l.

    Returns:
        K^[1] … K^[L+1].
    """
    normalised: list[Array] = [x @ x.T]
    slopes: list[Array] = []
    covariance, gain = scales.betas[0] ** 2 * normalised[0], 1.0
    for alpha, following in zip(scales.alphas[:-1], scales.alphas[1:], strict=True):
        feature, slope = (_arc_cosine if name == "relu" else _arcsine)(covariance)
        slopes.append(slope)
        gain *= alpha**2
        normalised.append(scales.width / gain * feature)
        covariance = following**2 * feature
    behind = np.cumprod([np.ones_like(covariance), *slopes[::-1]], axis=0)[::-1]
    return [gram * factor for gram, factor in zip(normalised, behind, strict=True)]


def _arc_cosine(covariance: Array) -> tuple[Array, Array]:
    """E σ(u)σ(v) and E σ′(u)σ′(v) of ReLU (Cho & Saul 2009)."""
    size = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    cosine = np.clip(covariance / size, -1.0, 1.0)
    angle = np.arccos(cosine)
    value = size * (np.sqrt(1 - cosine**2) + (math.pi - angle) * cosine) / (2 * math.pi)
    return value, (math.pi - angle) / (2 * math.pi)


def _arcsine(covariance: Array) -> tuple[Array, Array]:
    """The same of erf (Williams 1997)."""
    one = 1 + 2 * np.diag(covariance)
    product, twice = np.outer(one, one), 2 * covariance
    value = 2 / math.pi * np.arcsin(twice / np.sqrt(product))
    return value, 4 / math.pi / np.sqrt(product - twice**2)


def _closed_forms() -> list[Check]:
    x, checks = setting.data().x, []
    scales = layer_initialisation("he", DEEP, setting.INPUTS).at_width(100)
    for name, sigma in (("relu", RELU), ("erf", _erf())):
        exact, found = closed_kernels(name, x, scales), deep_kernels(x, scales, sigma).kernels
        gap = max(
            float(np.abs(a - b).max() / np.abs(b).max()) for a, b in zip(found, exact, strict=True)
        )
        words = f"{name}: K^[1] to K^[{DEEP + 1}] by quadrature from closed forms, relative"
        checks.append(at_most(words, KERNELS, EXACT, gap))
    return checks


def _monte_carlo() -> Check:
    """S^[l] and D^[l] of tanh by sampling, layer by layer from the covariances of quadrature."""
    x, sigma = setting.data().x, activations.get("tanh")
    scales = layer_initialisation("he", DEEP, setting.INPUTS).at_width(100)
    limit, random = deep_kernels(x, scales, sigma), generator(0, Stream.DATA)
    covariance, scores = scales.betas[0] ** 2 * limit.gram, []
    for layer in range(DEEP):
        root = np.linalg.cholesky(covariance)
        z = root @ random.standard_normal((len(x), PAIRS))
        for values, exact in (
            (sigma.value(z), limit.features[layer]),
            (sigma.derivative(z), limit.slopes[layer]),
        ):
            mean, square = values @ values.T / PAIRS, (values**2) @ (values**2).T / PAIRS
            scores.append(np.abs(mean - exact) / np.sqrt((square - mean**2) / PAIRS))
        covariance = scales.alphas[layer + 1] ** 2 * limit.features[layer]
    return at_most(
        f"tanh: S^[l] and D^[l], l = 1 … {DEEP}, by quadrature against {PAIRS:.0e} samples: "
        "largest distance in standard errors", KERNELS, LIKELY, float(np.max(scores)),
    )  # fmt: skip


def approaches(depth: int, widths: tuple[int, ...], seeds: int) -> list[Approach]:
    """Errors of the tangent kernel, and for tanh of the last Gram matrix, over widths.

    Args:
        depth: L.
        widths: m.
        seeds: their number.

    Returns:
        One a kernel.
    """
    jobs = [(width, seed) for width in widths[::-1] for seed in range(seeds)]
    found = dict(zip(jobs, in_parallel(lambda job: _errors(depth, *job), jobs), strict=True))
    table = np.array([[found[width, seed] for width in widths] for seed in range(seeds)])
    names = (("tanh", "tangent"), ("tanh", "Gram"), ("relu", "tangent"))
    m = np.array(widths, dtype=np.float64)
    return [Approach(depth, *name, m, table[..., k]) for k, name in enumerate(names)]


def _errors(depth: int, width: int, seed: int) -> list[float]:
    """Relative distances of one network's kernels from their limits."""
    x, errors = setting.data().x, []
    scales = layer_initialisation("ntk", depth, setting.INPUTS).at_width(width)
    for name in ("tanh", "relu"):
        network = MultiLayerNetwork(activations.get(name), scales, setting.INPUTS, kind="plain")
        start, limit = initial_layer_parameters(network, (seed,)), deep_kernels(x, scales, name)
        errors.append(_distance(tangent_kernel(network, start, x).total[0], limit.tangent))
        if name == "tanh":
            last = network.signals(start, x, slopes=False).inputs[-1][0, 0]
            errors.append(_distance(last.T @ last / width, limit.features[-1]))
    return errors


def _distance(found: Array, limit: Array) -> float:
    return float(np.linalg.norm(found - limit) / np.linalg.norm(limit))


def _half(found: Approach) -> Check:
    fit, m = found.fit, found.widths.astype(int)
    claim = (
        f"L = {found.depth}, {found.activation}: {found.what} kernel of finite networks, exponent "
        f"of the error, m = {m[0]} to {m[-1]}"
    )
    return close(claim, KERNELS, -0.5, fit.exponent, HALF, fit.standard_error)


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


def _power(found: Degeneracy) -> Check:
    """The kernel whose power is farthest from 2(q − 1)."""
    expected = 2.0 * (found.degree - 1)
    slopes = np.diff(np.log(found.least)) / np.diff(np.log(found.epsilons))
    powers = 2 * slopes[:, 0] - slopes[:, 1]  # slopes are off by O(ε²), and ε² doubles
    worst = float(powers[np.abs(powers - expected).argmax()])
    return close(
        f"L = {found.depth}, {found.activation}, n = {found.samples} on the circle, "
        f"q = {found.degree}: power of ε → 0 in λ_min(K^[l]), the farthest",
        POWERS, expected, worst, POWER * expected,
    )  # fmt: skip
