"""Hermite series of named activations, of any function, and of what has closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from netphase import activations
from netphase._checks import finite_array, finite_float, positive_float, positive_int
from netphase._types import Array
from netphase.activations import Activation
from netphase.errors import ArgumentError
from netphase.hermite.duals import ErfDual, ReluDual
from netphase.hermite.multi_index import MultiIndexTarget
from netphase.hermite.polynomials import normal, polynomials, relu_coefficients
from netphase.hermite.quadrature import integrated, trimmed
from netphase.hermite.series import HermiteSeries

TERMS = 256
"""Coefficients of a function that is no polynomial, where they do not vanish earlier."""


def expand(
    function: str | Activation | HermiteSeries | Callable[[Array], Array] | Sequence[float] | Array,
    terms: int = TERMS,
    kinks: Sequence[float] = (),
    name: str | None = None,
) -> HermiteSeries:
    """Hermite coefficients of a named activation, of any function, or a list of them as it is.

    ReLU, leaky ReLU and erf are in closed form. Everything else is integrated by Gauss–Legendre
    panels that end at the kinks, twice, to tell how well; coefficients are good to some 1e-12.

    Args:
        function: one of `activations.NAMES`, an `Activation`, a function of float64 arrays, or
            the coefficients σ_0, σ_1, … of Σ σ_k h_k; a `HermiteSeries` comes back as it is.
        terms: most coefficients of a function, 1 to 1000; those that no digit of a kernel feels
            are left out.
        kinks: where a function, or a slope of it, jumps.
        name: what to call it.

    Returns:
        The series.

    Raises:
        ArgumentError: the name is not known, the coefficients are not finite, or the function is
            not square integrable under the normal law or has kinks that are not given.

    References:
        Berthier, Montanari & Zhou (2024), Hermite expansions of σ and φ.

    Example:
        >>> found = expand("relu")
        >>> [round(float(each), 7) for each in found.coefficients[:5]]
        [0.3989423, 0.5, 0.2820948, 0.0, -0.0814338]
        >>> expand([1.0, -1.0, 2 / 3]).square
        2.4444...
    """
    if isinstance(function, HermiteSeries):
        return function
    if isinstance(function, MultiIndexTarget):
        raise ArgumentError(
            f"Argument `function` must be of one variable here, but {function.name!r} is of "
            f"{function.projections} projections."
        )
    count = positive_int("terms", terms)
    if count > 1000:
        raise ArgumentError(f"Argument `terms` must be at most 1000, but is {count}.")
    if isinstance(function, (str, Activation)):
        known = _of_activation(activations.get(function), count, kinks)
        return known if name is None else replace(known, name=name)
    if callable(function):
        label = name or str(getattr(function, "__name__", "function"))
        return _by_quadrature(label, function, count, kinks)
    found = finite_array("function", function, 1).astype(np.float64)
    found = found[: max(1, int(np.flatnonzero(found).max(initial=0)) + 1)].copy()
    return HermiteSeries(
        name or "series", found, math.fsum(found**2), _PartialSum(tuple(found)), finite=True
    )


def polynomial(powers: Sequence[float], name: str = "polynomial") -> HermiteSeries:
    """The polynomial c_0 + c_1 z + c_2 z² + …, exact: zⁿ = Σ_j n!/(2^j j! √(n−2j)!) h_{n−2j}.

    Args:
        powers: c_0, c_1, ….
        name: what to call it.

    Returns:
        The series.

    Raises:
        ArgumentError: ``powers`` are not finite numbers.

    Example:
        >>> polynomial([0.0, 0.0, 1.0]).coefficients
        array([1.        , 0.        , 1.41421356])
    """
    given = finite_array("powers", powers, 1).astype(np.float64)
    found = np.zeros(len(given))
    for n, factor in enumerate(given):
        for j in range(n // 2 + 1):
            exact = math.factorial(n) // (2**j * math.factorial(j))
            found[n - 2 * j] += factor * exact / math.sqrt(math.factorial(n - 2 * j))
    return expand(found, name=name)


def relu(shift: float = 0.0, terms: int = TERMS) -> HermiteSeries:
    """ReLU(z + shift), in closed form with its kernel.

    U(r) = (r + b²) P + 2b g(b) Φ(bτ) + √(1−r²) exp(−b²/(1+r))/2π, U′(r) = P = Φ(b) − 2T(b, τ) with
    τ² = (1−r)/(1+r), T of Owen, and g, Φ the normal density and its integral.

    Args:
        shift: b.
        terms: coefficients that are kept, two at least.

    Returns:
        The series.

    Raises:
        ArgumentError: ``shift`` is not finite or ``terms`` not a positive integer.

    Example:
        >>> round(relu(0.5).square, 7)
        1.0403607
    """
    b, count = finite_float("shift", shift), max(2, positive_int("terms", terms))
    density, below = normal(b)
    square = (1 + b * b) * below + b * density
    name = "relu" if b == 0 else f"relu(z{b:+g})"
    return HermiteSeries(
        name,
        relu_coefficients(count, b),
        square,
        Ramp(b),
        closed=ReluDual(b, 0.0),
        slope=_Step(b),
    )


def erf(scale: float = 1.0, terms: int = TERMS) -> HermiteSeries:
    """The error function of c z, in closed form: U(r) = (2/π) asin(qr) with q = 2c²/(1 + 2c²).

    Args:
        scale: c, > 0; 1/√2 for the activation of Saad and Solla.
        terms: most coefficients that are kept.

    Returns:
        The series.

    Raises:
        ArgumentError: ``scale`` is not positive or ``terms`` not a positive integer.

    Example:
        >>> round(erf(0.5**0.5).square, 12)
        0.333333333333
    """
    c, count = positive_float("scale", scale), positive_int("terms", terms)
    q = 2 * c * c / (1 + 2 * c * c)
    found, square = np.zeros(count), 2 / math.pi * q
    for k in range(1, count, 2):
        found[k] = (-1.0) ** ((k - 1) // 2) * math.sqrt(square)
        square *= q * q * k / (k + 1) * k / (k + 2)
    name = "erf" if c == 1.0 else f"erf({c:g}z)"
    total = 2 / math.pi * math.asin(q)
    return HermiteSeries(
        name, trimmed(found, total), total, ScaledErf(c), closed=ErfDual(q), slope=_Bell(c)
    )


@dataclass(frozen=True)
class Ramp:
    """z ↦ max(z + shift, 0)."""

    shift: float

    def __call__(self, z: Array) -> Array:
        """Its value, any shape."""
        return np.asarray(np.maximum(z + self.shift, 0.0))


@dataclass(frozen=True)
class _Step:
    shift: float

    def __call__(self, z: Array) -> Array:
        return (z + self.shift > 0).astype(np.float64)


@dataclass(frozen=True)
class ScaledErf:
    """z ↦ erf(scale·z)."""

    scale: float

    def __call__(self, z: Array) -> Array:
        """Its value, any shape."""
        from scipy.special import erf as error_function

        return np.asarray(error_function(self.scale * z))


@dataclass(frozen=True)
class _Bell:
    scale: float

    def __call__(self, z: Array) -> Array:
        return np.asarray(2 * self.scale / math.sqrt(math.pi) * np.exp(-((self.scale * z) ** 2)))


@dataclass(frozen=True)
class _PartialSum:
    coefficients: tuple[float, ...]

    def __call__(self, z: Array) -> Array:
        return np.asarray(
            np.tensordot(self.coefficients, polynomials(z, len(self.coefficients)), 1)
        )


def _of_activation(sigma: Activation, terms: int, kinks: Sequence[float]) -> HermiteSeries:
    if sigma.code is not None and sigma.name == "relu":
        return relu(terms=terms)
    if sigma.code is not None and sigma.name == "erf":
        return erf(terms=terms)
    if sigma.code is not None and sigma.name == "leaky_relu":
        slope = activations.LEAKY_SLOPE
        found = (1 - slope) * relu_coefficients(max(2, terms))
        found[1] += slope
        square = (1 + slope**2) / 2
        dual = ReluDual(0.0, slope)
        return HermiteSeries(
            sigma.name, found, square, sigma.value, closed=dual, slope=sigma.derivative
        )
    return replace(_by_quadrature(sigma.name, sigma.value, terms, kinks), slope=sigma.derivative)


def _by_quadrature(
    name: str, function: Callable[[Array], Array], terms: int, kinks: Sequence[float]
) -> HermiteSeries:
    found, square = integrated(name, function, terms, kinks)
    return HermiteSeries(name, found, square, function)
