"""Fig. 4: limiting kernels by quadrature, closed form and sampling; finite widths; degeneracy."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from netphase import activations
from netphase._types import Array
from netphase.activations import Activation
from netphase.analysis import PowerLawFit, fit_power_law
from netphase.concentration.limits import Limit, measure
from netphase.kernels import deep_kernels
from netphase.networks import MultiLayerNetwork, initial_layer_parameters
from netphase.reproductions.check import Check, at_most, close
from netphase.reproductions.li2024 import setting
from netphase.reproductions.li2024.degeneracy import CASES, degeneracy, power
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

WHERE = "reconstruction 4"

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


def run(stage: Stage) -> list[Check]:
    """Kernels of networks of NTK scaling on four unit vectors; degeneracy on the circle."""
    found = []
    for depth, widths in WIDTHS[stage.size].items():
        stage.progress(f"kernels: L = {depth}")
        found += approaches(depth, widths, SEEDS[stage.size])
    stage.progress("kernels: small pre-activations")
    small = [degeneracy(*case) for case in CASES]
    stage.save(kernel_figure(found, small), "figure4")
    return [*_closed_forms(), _monte_carlo(), *map(_half, found), *map(power, small)]


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
        checks.append(at_most(words, WHERE, EXACT, gap))
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
        "largest distance in standard errors", WHERE, LIKELY, float(np.max(scores)),
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
        limit = Limit(deep_kernels(x, scales, name), network.outputs, network.copies)
        found = measure(network, initial_layer_parameters(network, (seed,)), x, limit)
        errors.append(found.tangent_error)
        if name == "tanh":
            errors.append(float(found.feature_error[-1]))
    return errors


def _half(found: Approach) -> Check:
    fit, m = found.fit, found.widths.astype(int)
    claim = (
        f"L = {found.depth}, {found.activation}: {found.what} kernel of finite networks, exponent "
        f"of the error, m = {m[0]} to {m[-1]}"
    )
    return close(claim, WHERE, -0.5, fit.exponent, HALF, fit.standard_error)
