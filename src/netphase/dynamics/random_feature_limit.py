"""Infinitely many random features: the interpolant of their kernel, and its exact test error."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from netphase._checks import instance_of
from netphase._types import Array, InputLaw
from netphase.datasets import Dataset
from netphase.errors import ArgumentError
from netphase.kernels import input_power, relu_kernel
from netphase.targets import Target

_DEGREES = 400  # terms kept of the series in Gegenbauer polynomials, at most
_SMALLEST = 1e-19  # a term below this part of the first changes no digit


class RandomFeatureLimit:
    """Where `RandomFeatureModel` ends as the width grows: the kernel's interpolant of least norm.

    f(x) = Σ_i c_i k(x, x_i) with K c = y and k(x, x′) = E_w relu(w·x) relu(w·x′), w even on the
    unit sphere; the scale of k does not matter. Networks of more neurons than samples come close
    to it as m^(−1/2), with or without frozen input weights where the width is large enough.

    Attributes:
        data: inputs (n, d) and targets (n,), d ≥ 2.
        coefficients: c, shape (n,).

    References:
        Ma, Wu & E (2020), random features of infinite width; Bach (JMLR 2017), the expansion of
        relu in Gegenbauer polynomials.

    Example:
        >>> from netphase import targets
        >>> limit = RandomFeatureLimit(targets.linear(5).sample(100))
        >>> limit.population_risk(targets.linear(5)) < 0.01
        True
    """

    def __init__(self, data: Dataset) -> None:
        """Interpolate.

        Args:
            data: what to interpolate.

        Raises:
            ArgumentError: ``data`` is no `Dataset` or has one input only.
        """
        from scipy.linalg import solve

        instance_of("data", data, Dataset, "a Dataset")
        if data.d < 2:
            raise ArgumentError(
                "Argument `data` must have at least 2 inputs, but has 1: there are only two "
                "directions in one dimension."
            )
        self.data = data
        gram = relu_kernel(data.x, data.x, "sphere")
        self.coefficients: Array = solve(gram, data.y, assume_a="pos")

    def output(self, x: Array) -> Array:
        """The interpolant at any inputs.

        Args:
            x: inputs, shape (p, d).

        Returns:
            f(x), shape (p,).
        """
        return np.asarray(relu_kernel(x, self.data.x, "sphere") @ self.coefficients)

    def population_risk(self, target: Target, inputs: InputLaw = "gaussian") -> float:
        """E (f(x) − f*(x))², exact: the kernel and relu are series of orthogonal polynomials.

        With relu(t) = Σ_l ρ_l P_l(t) on the sphere and N_l harmonics of degree l, averages over x
        of k(x, x_i) k(x, x_j) and of relu(c·x) k(x, x_i) are Σ_l ρ_l⁴/N_l³ P_l and
        Σ_l ρ_l³/N_l² P_l of the cosine, times the sizes and E|x|².

        Args:
            target: f*.
            inputs: law of x.

        Returns:
            The risk, ≥ 0, to some 1e-14 of E f*².

        Raises:
            ArgumentError: the target has another number of inputs.
        """
        instance_of("target", target, Target, "a Target")
        target.check_inputs("data", self.data.d)
        d, square = self.data.d, self.data.d * input_power(self.data.d, inputs)
        size = np.linalg.norm(self.data.x, axis=1)
        unit = self.data.x / size[:, None]
        own, cross = np.zeros((len(unit), len(unit))), np.zeros(len(unit))
        weights, cosines = _neurons_of(target, unit)
        # one pass a degree over both arrays of cosines
        polynomials = zip(_gegenbauer(unit @ unit.T, d), _gegenbauer(cosines, d), strict=True)
        for (rho, count), (pairs, others) in zip(_relu_series(d), polynomials, strict=False):
            own += rho**4 / count**3 * pairs
            cross += rho**3 / count**2 * (others @ weights)
        c = self.coefficients * size
        found = square * float(c @ own @ c - 2.0 * c @ cross) + target.square(inputs)
        return max(found, 0.0)


def _neurons_of(target: Target, unit: Array) -> tuple[Array, Array]:
    """Weights (M,) and cosines (n, M) of neurons whose polynomials average like the target's.

    A sphere of neurons becomes the nodes of a quadrature that is exact for every degree kept.
    """
    from scipy.special import roots_jacobi

    sizes = np.linalg.norm(target.c, axis=1)
    there = sizes > 0
    cosines = [unit @ (target.c[there] / sizes[there, None]).T]
    weights = [target.a[there] * sizes[there]]
    if target.sphere:
        power = (target.sphere - 3) / 2
        nodes, mass = roots_jacobi(_DEGREES // 2 + 1, power, power)
        inside = np.linalg.norm(unit[:, : target.sphere], axis=1)
        cosines.append(np.outer(inside, nodes))
        weights.append(target.sphere_weight * mass / mass.sum())
    return np.concatenate(weights), np.concatenate(cosines, axis=1)


def _gegenbauer(t: Array, d: int) -> Iterator[Array]:
    """P_0(t), P_1(t), … of d dimensions, with P_l(1) = 1, without end."""
    before, now = np.ones_like(t), t
    yield before
    degree = 1
    while True:
        yield now
        after = ((2 * degree + d - 2) * t * now - degree * before) / (degree + d - 2)
        before, now = now, after
        degree += 1


def _relu_series(d: int) -> list[tuple[float, float]]:
    """ρ_l and N_l of relu on the unit sphere of ℝ^d, up to where nothing changes any more."""
    from scipy.special import roots_jacobi

    power = (d - 3) / 2
    nodes, mass = roots_jacobi(_DEGREES + 1, power, 0.0)  # of (1 − t)^power on [0, 1]
    t = (1.0 + nodes) / 2
    mass = mass * (1.0 + t) ** power
    # the whole sphere has the mass of both signs of t
    mass /= 2.0 * mass.sum()
    found: list[tuple[float, float]] = []
    for degree, polynomial in zip(range(_DEGREES), _gegenbauer(t, d), strict=False):
        count = float(_harmonics(d, degree))
        rho = count * float(mass @ (t * polynomial))
        if degree > 1 and degree % 2:
            rho = 0.0  # relu is a linear and an even function
        found.append((rho, count))
        if degree > 1 and degree % 2 == 0 and abs(rho) ** 3 / count**2 < _SMALLEST * found[0][0]:
            break
    return found


def _harmonics(d: int, degree: int) -> int:
    """Number of spherical harmonics of one degree in d dimensions."""
    fewer = math.comb(degree + d - 3, degree - 2) if degree >= 2 else 0
    return math.comb(degree + d - 1, degree) - fewer
