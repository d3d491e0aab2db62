"""Functions of p projections of a Gaussian vector, as sums of products of Hermite polynomials."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from netphase._checks import finite_array, finite_float, instance_of, positive_int
from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.hermite.duals import Dual, DualMap
from netphase.hermite.formulas import MOST_DEGREE, MOST_VARIABLES, Exponent, parse
from netphase.hermite.monomials import Monomials, multiplicity_roots, order
from netphase.hermite.polynomials import polynomials
from netphase.hermite.series import HermiteSeries

_SAME = 1e-9
"""A direction is no new one where less than this of it is new."""

_ROUNDING = 1e-14
"""Terms below this part of the largest are what a rotation has left of zeros."""


@dataclass(frozen=True, eq=False)
class MultiIndexTarget:
    """φ(z) = Σ_α c_α Π_j h_(α_j)(z_j) of p independent standard normal projections z_j = u*_j·x.

    The u*_j are orthonormal and h_k are the normalised Hermite polynomials, so that
    ‖φ‖² = Σ c_α². With a neuron u of overlaps s_j = u·u*_j, and k = |α| = Σ_j α_j,

        E[h_k(u·x) Π_j h_(α_j)(z_j)] = √(k!/Π_j α_j!) Π_j s_j^(α_j),

    so that the coefficients of degree k are the entries of the symmetric Hermite tensor Φ_k, each
    counted as often as it occurs: ‖Φ_k‖² = Σ_(|α|=k) c_α². Made by `multi_index` and `staircase`.

    Attributes:
        exponents: α, one row a term, integers ≥ 0, shape (n, p); sorted by total degree.
        coefficients: c_α ≠ 0, shape (n,).
        name: what the function is called.

    References:
        Berthier, Montanari & Zhou (2024), section on multi-index models; Abbe, Boix-Adserà &
        Misiakiewicz (2023), staircases and the leap.

    Example:
        >>> target = multi_index("z1 + z1*z2")
        >>> target.square, target.leap(), target.degree_norms.tolist()
        (2.0, 1, [0.0, 1.0, 1.0])
    """

    exponents: Array
    coefficients: Array
    name: str = "target"

    def __post_init__(self) -> None:
        self.exponents.setflags(write=False)
        self.coefficients.setflags(write=False)

    @property
    def projections(self) -> int:
        """Number of projections p."""
        return int(self.exponents.shape[1])

    @property
    def degree(self) -> int:
        """Largest total degree of a term."""
        return int(self.exponents.sum(axis=1).max())

    @property
    def square(self) -> float:
        """‖φ‖² = E φ²."""
        return math.fsum(self.coefficients**2)

    @property
    def degree_norms(self) -> Array:
        """‖Φ_k‖ = (Σ_(|α|=k) c_α²)^½ for k = 0 … degree; no rotation changes them."""
        squares = np.bincount(self.exponents.sum(axis=1), weights=self.coefficients**2)
        return np.asarray(np.sqrt(squares))

    @property
    def terms(self) -> dict[Exponent, float]:
        """The coefficients by their exponents."""
        pairs = zip(self.exponents.tolist(), self.coefficients.tolist(), strict=True)
        return {tuple(alpha): c for alpha, c in pairs}

    def __call__(self, z: Array) -> Array:
        """φ(z).

        Args:
            z: projections in the last axis, shape (…, p).

        Returns:
            Shape (…).

        Raises:
            ArgumentError: the last axis has another length than p.
        """
        points = np.asarray(z, dtype=np.float64)
        if points.ndim == 0 or points.shape[-1] != self.projections:
            raise ArgumentError(
                f"Argument `z` must have {self.projections} projections in its last axis, but has "
                f"the shape {points.shape}."
            )
        table = polynomials(points, int(self.exponents.max()) + 1)
        found = np.zeros(points.shape[:-1])
        for alpha, c in self.terms.items():
            found += c * math.prod(table[k, ..., j] for j, k in enumerate(alpha) if k)
        return found

    def cross(self, activation: HermiteSeries) -> DualMap:
        """The map s ↦ V(s) = E φ σ(u·x) = Σ_α σ_(|α|) c_α √(|α|!/Π α_j!) s^α and its gradient.

        Args:
            activation: σ.

        Returns:
            A map from overlaps of shape (m, p) to values (m,) and gradients (m, p).

        Raises:
            ArgumentError: ``activation`` is no `HermiteSeries`.
        """
        monomials, coefficients = self._polynomial
        scaled = coefficients * _first(activation, self.degree + 1)[monomials.degrees]
        rows = np.vstack([scaled, monomials.gradient(scaled)])

        def value_and_slope(s: Array) -> Dual:
            found = rows @ monomials.values(s)
            return Dual(found[0], found[1:].T)

        return value_and_slope

    @cached_property
    def _polynomial(self) -> tuple[Monomials, Array]:
        """All monomials needed, and Σ_α c_α √(|α|!/Π α_j!) s^α in them, V with σ_k = 1."""
        monomials = Monomials.dividing(self.exponents)
        found = np.zeros(len(monomials.exponents))
        places = [monomials.places[alpha] for alpha in self.terms]
        found[places] = self.coefficients * multiplicity_roots(self.exponents)
        return monomials, found

    def rotated(self, rotation: Array) -> MultiIndexTarget:
        """The function z ↦ φ(Qz), of the same space of projections in other coordinates.

        Args:
            rotation: Q, orthogonal, shape (p, p).

        Returns:
            The function; terms below rounding are left out.

        Raises:
            ArgumentError: Q is not orthogonal or not of shape (p, p).

        Example:
            >>> turned = multi_index("z1*z2").rotated(np.array([[1, 1], [1, -1]]) / 2**0.5)
            >>> [(each, round(c, 6)) for each, c in turned.terms.items()]
            [((2, 0), 0.707107), ((0, 2), -0.707107)]
        """
        q = finite_array("rotation", rotation, 2).astype(np.float64)
        p = self.projections
        if q.shape != (p, p) or np.abs(q @ q.T - np.eye(p)).max() > 1e-9:
            raise ArgumentError(
                f"Argument `rotation` must be an orthogonal matrix of shape ({p}, {p}), but has "
                f"the shape {q.shape}" + ("." if q.shape != (p, p) else " and is not orthogonal.")
            )
        return _made(_turned(self, q), f"{self.name}, rotated")

    def leap(self) -> int:
        """How many new coordinates, with their powers, must be found at once, in these coordinates.

        The terms are taken in the best order; the leap of one is Σ α_j over the coordinates that
        no earlier term holds, and that of φ is the largest of them: 1 for z1 + z1 z2, the
        information exponent for p = 1, 0 for a constant. It depends on the coordinates: the
        *isoleap* is the largest leap over all rotations of them. For z1 + z2 + z1 z2 the leap is
        1, the isoleap 2, for in rotated coordinates it is √2 z1 + (z1² − z2²)/2.

        Returns:
            The leap, ≥ 0.
        """
        known: set[int] = set()
        largest = 0
        while True:
            new = [
                {j: k for j, k in enumerate(alpha) if k and j not in known} for alpha in self.terms
            ]
            waiting = [each for each in new if each]
            if not waiting:
                return largest
            nearest = min(waiting, key=lambda each: sum(each.values()))
            largest = max(largest, sum(nearest.values()))
            known |= set(nearest)

    def reach(self, activation: HermiteSeries | None = None) -> Array:
        """The directions in which neurons move at all from s = 0, as d = ∞ has it.

        They are found one leap of 1 after another: from neurons in the space known so far, the
        gradient of V leads into new directions, first Φ_1. All else stays at zero for ever. No
        rotation of the coordinates changes the space, so that it may be smaller than what the
        terms suggest: z1 + z2 + z1 z2 moves along z1 = z2 only.

        Args:
            activation: σ, whose missing degrees are not felt; None for one that misses none.

        Returns:
            An orthonormal basis, one direction a row, shape (q, p) with 0 ≤ q ≤ p.

        Raises:
            ArgumentError: ``activation`` is no `HermiteSeries`.

        Example:
            >>> np.abs(multi_index("z1 + z1*z2 + h2(z3)").reach()).tolist()
            [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
        """
        monomials, coefficients = self._polynomial
        count = self.degree + 1
        sigma = np.ones(count) if activation is None else _first(activation, count)
        parts = [
            monomials.gradient(np.where(monomials.degrees == k, coefficients, 0.0))
            for k in range(1, self.degree + 1)
            if sigma[k] != 0.0
        ]
        basis: Array = np.zeros((0, self.projections))
        while True:
            values = monomials.values(_generic(self.projections, len(basis)) @ basis)
            pulls = [(part @ values).T / np.abs(part).max() for part in parts if part.any()]
            grown = _joined(basis, pulls)
            if len(grown) == len(basis):
                return basis
            basis = grown


MultiIndexLike: TypeAlias = MultiIndexTarget | HermiteSeries | str | Mapping[Exponent, float]


def multi_index(target: MultiIndexLike, name: str | None = None) -> MultiIndexTarget:
    """A function of p projections from coefficients, a line of text or a series of one variable.

    Args:
        target: ``{(1, 0): 1.0, (1, 1): 0.5}``, coefficients c_α of products of normalised Hermite
            polynomials by their exponents; a polynomial such as ``"z1 + z1*z2 + 0.5*h2(z3)"``; or
            a `HermiteSeries`, for p = 1. A `MultiIndexTarget` comes back as it is.
        name: what to call it.

    Returns:
        The function.

    Raises:
        ArgumentError: ``target`` is none of it, or zero, or an exponent is no integer ≥ 0.

    Example:
        >>> multi_index({(1, 0): 1.0, (1, 1): 0.5}).square
        1.25
    """
    if isinstance(target, MultiIndexTarget):
        return target if name is None else replace(target, name=name)
    if isinstance(target, str):
        return _made(parse(target), name or target)
    if isinstance(target, HermiteSeries):
        series = enumerate(target.coefficients.tolist())
        return _made({(k,): c for k, c in series}, name or target.name)
    if isinstance(target, Mapping) and target:
        return _made(_checked(target), name or "series")
    raise ArgumentError(
        "Argument `target` must be a text such as 'z1 + z1*z2', a dictionary such as "
        "{(1, 0): 1.0, (1, 1): 0.5}, a HermiteSeries or a MultiIndexTarget, but is "
        f"{type(target).__name__ if not isinstance(target, Mapping) else 'an empty dictionary'}."
    )


def staircase(projections: int) -> MultiIndexTarget:
    """z1 + z1 z2 + … + z1 z2 ⋯ zp, each term a leap of 1 from the one before.

    Args:
        projections: p, 1 to 64.

    Returns:
        The function.

    Raises:
        ArgumentError: ``projections`` is no integer in the range.

    Example:
        >>> staircase(3).name
        'z1 + z1*z2 + z1*z2*z3'
    """
    p = positive_int("projections", projections)
    if p > MOST_VARIABLES:
        raise ArgumentError(f"Argument `projections` must be at most {MOST_VARIABLES}, but is {p}.")
    terms = {tuple(int(j <= k) for j in range(p)): 1.0 for k in range(p)}
    name = " + ".join("*".join(f"z{j + 1}" for j in range(k + 1)) for k in range(p))
    return _made(terms, name)


def _checked(target: Mapping[Any, Any]) -> dict[Exponent, float]:
    found: dict[Exponent, float] = {}
    for key, value in target.items():
        alpha = tuple(key) if isinstance(key, (tuple, list)) else (key,)
        if not alpha or not all(_is_degree(k) for k in alpha):
            raise ArgumentError(
                "Argument `target` must have tuples of integers ≥ 0 as its keys, the degrees in "
                f"z1, z2, …, but has {key!r}."
            )
        degrees = tuple(map(int, alpha))
        if degrees in found:
            raise ArgumentError(
                f"Argument `target` must name each term once, but has {degrees} twice."
            )
        found[degrees] = finite_float(f"target[{key!r}]", value)
    lengths = {len(alpha) for alpha in found}
    if len(lengths) > 1:
        raise ArgumentError(
            "Argument `target` must have keys of one length, the number of projections, but has "
            f"some of length {min(lengths)} and {max(lengths)}. Fill the shorter with zeros."
        )
    if lengths.pop() > MOST_VARIABLES or max(map(sum, found)) > MOST_DEGREE:
        raise ArgumentError(
            f"Argument `target` must have at most {MOST_VARIABLES} projections and total degree "
            f"{MOST_DEGREE}, but has more."
        )
    return found


def _is_degree(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and int(value) >= 0


def _made(terms: Mapping[Exponent, float], name: str) -> MultiIndexTarget:
    kept = sorted((alpha for alpha, c in terms.items() if c != 0.0), key=order)
    if not kept:
        raise ArgumentError("Argument `target` must not be zero: there is nothing to learn.")
    exponents = np.array(kept, dtype=int)
    return MultiIndexTarget(exponents, np.array([float(terms[alpha]) for alpha in kept]), name)


def _turned(target: MultiIndexTarget, q: Array) -> dict[Exponent, float]:
    """Coefficients of φ(Qz): V turns with it, and Σ_α c_α √(|α|!/Π α_j!) s^α is taken at Qs."""
    found: dict[Exponent, float] = {}
    for alpha, c in target.terms.items():
        forms = [q[j] for j, power in enumerate(alpha) for _ in range(power)]
        polynomial = {(0,) * target.projections: c * _root(alpha)}
        for form in forms:
            polynomial = _times_linear(polynomial, form)
        for beta, each in polynomial.items():
            found[beta] = found.get(beta, 0.0) + each / _root(beta)
    least = _ROUNDING * max(map(abs, found.values()))
    return {beta: c for beta, c in found.items() if abs(c) > least}


def _root(alpha: Exponent) -> float:
    return float(multiplicity_roots(np.array([alpha]))[0])


def _times_linear(polynomial: dict[Exponent, float], form: Array) -> dict[Exponent, float]:
    found: dict[Exponent, float] = {}
    for (alpha, c), (j, weight) in product(polynomial.items(), enumerate(form.tolist())):
        up = (*alpha[:j], alpha[j] + 1, *alpha[j + 1 :])
        found[up] = found.get(up, 0.0) + c * weight
    return found


def _first(activation: HermiteSeries, count: int) -> Array:
    """σ_0, σ_1, …, as many as asked for."""
    instance_of("activation", activation, HermiteSeries, "a HermiteSeries")
    known = activation.coefficients[:count]
    return np.asarray(np.pad(known, (0, count - len(known))))


def _generic(count: int, variables: int) -> Array:
    """Points on which no polynomial that is not zero vanishes, but by bad luck; fixed ones."""
    waves = np.outer(np.arange(1, 2 * count + 1), np.sqrt(np.arange(2, variables + 2)))
    return np.asarray(np.cos(waves))


def _joined(basis: Array, pulls: Sequence[Array]) -> Array:
    """The basis, and what some more vectors of the order one, shape (points, p), add to it."""
    for rows in pulls:
        for _ in range(rows.shape[1]):
            rest = rows - (rows @ basis.T) @ basis
            norms = np.linalg.norm(rest, axis=1)
            if not norms.max(initial=0.0) > _SAME:
                break
            new = rest[int(np.argmax(norms))]
            basis = np.vstack([basis, new / np.linalg.norm(new)])
    return basis
