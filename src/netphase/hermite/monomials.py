"""Monomials of several variables: exponents in order, values, and derivatives of their sums."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product

import numpy as np

from netphase._types import Array


@dataclass(frozen=True, eq=False)
class Monomials:
    """Monomials s^α = Π_j s_j^α_j, which hold with α all that divide it.

    Made by `up_to` and `dividing`; sorted by total degree, in each of them as z1, z2, ….

    Attributes:
        exponents: α, integers ≥ 0, shape (n, p).
    """

    exponents: Array

    @staticmethod
    def up_to(variables: int, degree: int) -> Monomials:
        """All monomials of p variables up to a total degree K, C(K+p, p) of them."""
        found: list[tuple[int, ...]] = [(k,) for k in range(degree + 1)]
        for _ in range(variables - 1):
            found = [(*each, k) for each in found for k in range(degree - sum(each) + 1)]
        return Monomials(_sorted(found))

    @staticmethod
    def dividing(exponents: Array) -> Monomials:
        """All that divide one of some monomials, of exponents of shape (n, p)."""
        rows = ([range(int(k) + 1) for k in alpha] for alpha in exponents)
        return Monomials(_sorted({each for row in rows for each in product(*row)}))

    @property
    def variables(self) -> int:
        """Number of variables p."""
        return int(self.exponents.shape[1])

    @cached_property
    def degrees(self) -> Array:
        """Total degrees |α|, shape (n,)."""
        return np.asarray(self.exponents.sum(axis=1))

    @cached_property
    def places(self) -> dict[tuple[int, ...], int]:
        """Where each α is."""
        return {tuple(map(int, alpha)): i for i, alpha in enumerate(self.exponents)}

    def values(self, s: Array) -> Array:
        """s^α, each one product of a lower one and a variable.

        Args:
            s: points, shape (m, p).

        Returns:
            Shape (n, m).
        """
        out = np.ones((len(self.exponents), len(s)))
        variable, lower = self._parents
        columns = s.T
        for start, stop in self._blocks:
            np.multiply(out[lower[start:stop]], columns[variable[start:stop]], out=out[start:stop])
        return out

    def slopes(self, values: Array) -> Array:
        """∂_j s^α = α_j s^(α − e_j) from the values, shape (p, n, m)."""
        return np.asarray(self.exponents.T[:, :, None] * values[self._lower])

    def gradient(self, coefficients: Array) -> Array:
        """Coefficients of the derivatives of Σ_α c_α s^α.

        Args:
            coefficients: c, shape (…, n).

        Returns:
            Shape (…, p, n): the coefficient of s^β in the derivative j is (β_j + 1) c_(β + e_j).
        """
        padded = np.concatenate([coefficients, np.zeros((*coefficients.shape[:-1], 1))], axis=-1)
        return np.asarray(padded[..., self._upper] * (self.exponents.T + 1))

    @cached_property
    def _blocks(self) -> list[tuple[int, int]]:
        edges = np.searchsorted(self.degrees, np.arange(1, self.degrees[-1] + 2)).tolist()
        return list(pairwise(edges))

    @cached_property
    def _lower(self) -> Array:
        """Place of α − e_j, shape (p, n); 0 where there is none."""
        return self._neighbours(-1, 0)

    @cached_property
    def _upper(self) -> Array:
        """Place of α + e_j, shape (p, n); n where there is none."""
        return self._neighbours(1, len(self.exponents))

    def _neighbours(self, step: int, without: int) -> Array:
        def place(alpha: tuple[int, ...], j: int) -> int:
            return self.places.get((*alpha[:j], alpha[j] + step, *alpha[j + 1 :]), without)

        return np.array([[place(alpha, j) for alpha in self.places] for j in range(self.variables)])

    @cached_property
    def _parents(self) -> tuple[Array, Array]:
        """A variable of each monomial, and the place of the monomial without it."""
        variable = np.argmax(self.exponents > 0, axis=1)
        return variable, self._lower[variable, np.arange(len(self.exponents))]


def multiplicity_roots(exponents: Array) -> Array:
    """√(k!/Π_j α_j!) with k = |α|; times s^α it is E[h_k(u·x) Π_j h_(α_j)(z_j)], s_j = E[u·x z_j].

    Args:
        exponents: α, shape (n, p).

    Returns:
        Shape (n,).
    """
    counts = [
        math.factorial(sum(alpha)) // math.prod(map(math.factorial, alpha))
        for alpha in exponents.tolist()
    ]
    return np.array([math.sqrt(count) for count in counts])


def _sorted(exponents: Iterable[tuple[int, ...]]) -> Array:
    return np.array(sorted(exponents, key=order), dtype=int)


def order(exponent: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    """What monomials are sorted by: total degree, then z1 before z2."""
    return sum(exponent), tuple(-each for each in exponent)
