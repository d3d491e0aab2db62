"""The overlap equations with the noise of one-pass gradient descent, and what the noise averages.

Steps of size η = γ/d with B fresh samples each add, for many inputs, with Q_ij = a_i a_j N_ij and
N_ij = E[(e² + τ²) σ′(z_i) σ′(z_j)] over (z*, z_1, …, z_m) ~ N(0, [[1, sᵀ], [s, r]]),

    ṡ_i += −(γ/2B) s_i Q_ii,    ṙ_ij += (γ/B) [Q_ij − ½ r_ij (Q_ii + Q_jj)].

N is exact for two error functions and for two polynomials, and else a mean over a sample that
stands still, so that the equations stay smooth.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from netphase._types import Array
from netphase.engine.exact_overlaps import OverlapField
from netphase.hermite import HermiteSeries
from netphase.hermite.duals import ErfDual
from netphase.kernels import erf_noise

NoiseMean: TypeAlias = Callable[[Array, Array, Array], Array]
"""From a (m,), s (m,) and r (m, m) to N (m, m)."""

_BLOCK = 1024  # points of a sample that are worked on together
_ENTRIES = 1 << 20  # of the arrays over triples of neurons
_EDGE = 1e-12  # of a uniform variable: no infinite normal ones


class NoisyField(OverlapField):
    """`OverlapField` with the noise of the steps.

    Args:
        width: m.
        sigma: σ.
        phi: φ.
        epsilon: ε, infinite for an output layer that stands still.
        strength: γ/B at a time.
        mean: N.
    """

    def __init__(
        self,
        width: int,
        sigma: HermiteSeries,
        phi: HermiteSeries,
        epsilon: float,
        strength: Callable[[float], float],
        mean: NoiseMean,
    ) -> None:
        super().__init__(width, sigma, phi, epsilon)
        self._strength, self._mean = strength, mean

    def turn(self, a: Array, s: Array, r: Array, into: Array) -> None:
        """ṡ and ṙ, one after the other in a flat array (m + m²,); spoils U′."""
        super().turn(a, s, r, into)
        strength = self._strength(self.time)
        if strength == 0:
            return
        noise = self._mean(a, s, r)
        noise *= strength * np.outer(a, a)
        half = np.diagonal(noise) / 2
        m = self.width
        into[:m] -= half * s
        into[m:].reshape(m, m)[...] += noise - r * (half + half[:, None])


def noise_mean(
    sigma: HermiteSeries, phi: HermiteSeries, variance: float, normals: Array | None = None
) -> NoiseMean | None:
    """N over a sample, or exact where none is given; None where it would have to be given.

    Args:
        sigma: σ.
        phi: φ.
        variance: τ².
        normals: sample of standard normal variables, shape (n, m + 1).

    Returns:
        The mean.
    """
    if normals is not None:
        return SampledNoise(sigma, phi, variance, normals)
    if isinstance(sigma.closed, ErfDual) and isinstance(phi.closed, ErfDual):
        return ErfNoise(sigma.closed.q, phi.closed.q, variance)
    if sigma.finite and phi.finite:
        return PolynomialNoise(sigma, phi, variance)
    return None


class ErfNoise:
    """N of σ(z) = erf(c z), φ(z) = erf(c* z), the field g = erf(x/√2) of √2 c z; cost m⁴.

    Args:
        q: 2c²/(1 + 2c²).
        target: 2c*²/(1 + 2c*²).
        variance: τ².
    """

    def __init__(self, q: float, target: float, variance: float) -> None:
        self._square, self._target, self._variance = q / (1 - q), target / (1 - target), variance

    def __call__(self, a: Array, s: Array, r: Array) -> Array:
        """N, shape (m, m)."""
        m = len(a)
        c = np.empty((m + 1, m + 1))
        c[:m, :m] = self._square * r
        c[m, :m] = c[:m, m] = math.sqrt(self._square * self._target) * s
        c[m, m] = self._target
        b = np.append(a / -m, 1.0)
        return self._square * erf_noise(c, b, m, self._variance)


class PolynomialNoise:
    """N of polynomials: every way to pair the factors of the Hermite polynomials, summed.

    E Π_v h_{k_v}(z_v) is Π_v √k_v! times the sum of Π_{v<w} r_vw^{n_vw}/n_vw! over all numbers
    n_vw ≥ 0 of pairs whose sum at v is k_v. Here the four factors are two of e and the slopes at
    i and j; a sum over the two of e is a product of matrices, and the cost m⁴.

    Args:
        sigma: σ.
        phi: φ.
        variance: τ².
    """

    def __init__(self, sigma: HermiteSeries, phi: HermiteSeries, variance: float) -> None:
        c = sigma.coefficients
        self._terms = max(len(c), len(phi.coefficients))
        self._unit, self._target = _moments(c, self._terms), _moments(phi.coefficients, self._terms)
        self._slope = _moments(np.sqrt(np.arange(1, len(c))) * c[1:], max(1, len(c) - 1))
        self._variance = variance

    def __call__(self, a: Array, s: Array, r: Array) -> Array:
        """N, shape (m, m)."""
        m, slopes = len(a), len(self._slope)
        b = np.append(a / -m, 1.0)
        among = _powers(np.block([[r, s[:, None]], [s[None, :], np.ones((1, 1))]]), self._terms)
        to_slopes = among[:slopes, :, :m]  # (powers, p, m)
        found = self._variance * self._between(among, 0, 0, slice(None), m)
        height = max(1, _ENTRIES // (m * (m + 1)))
        for start in range(0, m, height):
            self._add_rows(found, among, to_slopes, b, slice(start, start + height))
        return np.asarray(found)

    def _add_rows(self, found: Array, among: Array, to: Array, b: Array, rows: slice) -> None:
        """What the error's own fluctuations add to some rows of N."""
        m, slopes = len(found), len(self._slope)
        for n in range(self._terms):
            ways = [(i, j) for i in range(slopes) for j in range(slopes) if n + i + j < self._terms]
            factors = [
                (b * self._factor(n + i + j, m))[:, None, None]
                * to[i][:, rows, None]
                * to[j][:, None, :]
                for i, j in ways
            ]
            for (i, j), factor in zip(ways, factors, strict=True):
                joined = (among[n] @ factor.reshape(m + 1, -1)).reshape(factor.shape)
                for (k, h), other in zip(ways, factors, strict=True):
                    if i + k < slopes and j + h < slopes:
                        pairs = np.einsum("pij,pij->ij", joined, other)
                        found[rows] += pairs * self._between(among, i + k, j + h, rows, m)

    def _factor(self, order: int, m: int) -> Array:
        """Moments of the factors of e: m neurons, then the target, shape (m + 1,)."""
        return np.append(np.full(m, self._unit[order]), self._target[order])

    def _between(self, among: Array, first: int, second: int, rows: slice, m: int) -> Array:
        """Sum over the pairs between the slopes, some of whose factors are paired already."""
        count = len(self._slope) - max(first, second)
        weights = self._slope[first : first + count] * self._slope[second : second + count]
        return np.asarray(np.tensordot(weights, among[:count, :m][:, rows, :m], 1))


def _moments(coefficients: Array, terms: int) -> Array:
    """√k! times the coefficients, shape (terms,)."""
    found = np.zeros(terms)
    for k, each in enumerate(coefficients):
        found[k] = math.sqrt(math.factorial(k)) * each
    return found


def _powers(r: Array, terms: int) -> Array:
    """r^k/k!, shape (terms, …)."""
    found = np.ones((terms, *r.shape))
    for k in range(1, terms):
        np.multiply(found[k - 1], r / k, out=found[k])
    return found


class SampledNoise:
    """N as a mean over a sample that stands still.

    Args:
        sigma: σ.
        phi: φ.
        variance: τ².
        normals: sample of standard normal variables, that of the target first, (n, m + 1).
    """

    def __init__(
        self, sigma: HermiteSeries, phi: HermiteSeries, variance: float, normals: Array
    ) -> None:
        self._sigma, self._phi, self._variance, self._normals = sigma, phi, variance, normals

    def __call__(self, a: Array, s: Array, r: Array) -> Array:
        """N, shape (m, m)."""
        m = len(a)
        root = _square_root(r - np.outer(s, s))
        found = np.zeros((m, m))
        for start in range(0, len(self._normals), _BLOCK):
            part = self._normals[start : start + _BLOCK]
            z = part[:, :1] * s + part[:, 1:] @ root
            error = self._phi(part[:, 0]) - self._sigma(z) @ (a / m)
            slopes = self._sigma.derivative(z)
            found += (slopes * (error**2 + self._variance)[:, None]).T @ slopes
        return found / len(self._normals)


def _square_root(gram: Array) -> Array:
    values, vectors = np.linalg.eigh(gram)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)


def spread_normals(points: int, count: int, rng: np.random.Generator) -> Array:
    """Standard normal variables of a scrambled Sobol sequence.

    Args:
        points: n, a power of two.
        count: variables of a point, at most 21 201.
        rng: scrambles.

    Returns:
        Shape (n, count).
    """
    from scipy.special import ndtri
    from scipy.stats import qmc

    levels = qmc.Sobol(count, scramble=True, seed=rng).random(points)
    return np.asarray(ndtri(np.clip(levels, _EDGE, 1 - _EDGE)))
