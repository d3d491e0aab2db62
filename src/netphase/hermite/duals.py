"""Kernels U(r) = E σ(X) σ(Y) of unit normal variables of correlation r, with their slopes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np

from netphase._types import Array
from netphase.hermite.polynomials import normal

_MANY = 4096  # correlations from which on a table is faster
_INTERVALS = 4096
_RESOLVED = 0.4  # nearly opposite neurons feel a shift b within an angle of |b|


class Dual(NamedTuple):
    """U(r) = E σ(X) σ(Y) of unit normal variables of correlation r, and U′(r), any shape."""

    value: Array
    slope: Array


DualMap: TypeAlias = Callable[[Array], Dual]


@dataclass(frozen=True)
class PowerSeries:
    """r ↦ Σ_k c_k r^k and its slope, by Horner's rule, in r² where the powers are all odd or even.

    Attributes:
        value: coefficients of the value, lowest first.
        slope: coefficients of the slope.
    """

    value: tuple[float, ...]
    slope: tuple[float, ...]

    @staticmethod
    def of(coefficients: Array) -> PowerSeries:
        """The series of some coefficients, without the zeros at their end."""
        last = int(np.flatnonzero(coefficients).max(initial=0))
        c = [float(each) for each in coefficients[: last + 1]]
        return PowerSeries(tuple(c), tuple(k * each for k, each in enumerate(c))[1:] or (0.0,))

    def __call__(self, r: Array) -> Dual:
        """Value and slope at some r, any shape."""
        r = np.asarray(r, dtype=np.float64)
        return Dual(_horner(self.value, r), _horner(self.slope, r))


def _horner(c: tuple[float, ...], r: Array) -> Array:
    if len(c) > 2 and not any(c[1::2]):
        return _horner(c[::2], np.square(r))
    if len(c) > 2 and not any(c[::2]):
        return np.asarray(r * _horner(c[1::2], np.square(r)))
    out = np.full(np.shape(r), c[-1])
    for each in c[-2::-1]:
        out *= r
        out += each
    return out


@dataclass(frozen=True)
class ReluDual:
    """Kernel of slope · z + (1 − slope) relu(z + shift); only one of the two differs from zero."""

    shift: float
    slope: float

    def __call__(self, r: Array) -> Dual:
        """Kernel and slope at some correlations, any shape."""
        r = np.clip(np.asarray(r, dtype=np.float64), -1.0, 1.0)
        root = np.sqrt((1.0 - r) * (1.0 + r))
        if self.shift:
            return self._shifted(r, root)
        share = 0.5 - np.arccos(r) / (2 * math.pi)
        value = root / (2 * math.pi) + r * share
        if not self.slope:
            return Dual(value, share)
        keep, rest = self.slope, (1 - self.slope) ** 2
        return Dual(keep * r + rest * value, keep + rest * share)

    def _shifted(self, r: Array, root: Array) -> Dual:
        if r.size > _MANY and abs(self.shift) >= _RESOLVED:
            return _tabulated(self, r)
        return self.direct(r, root)

    def direct(self, r: Array, root: Array) -> Dual:
        """From the functions of Owen and Gauss, with root = √(1 − r²)."""
        from scipy.special import ndtr, owens_t

        b = self.shift
        density, below = normal(b)
        with np.errstate(divide="ignore", invalid="ignore"):
            tau = np.where(r > -1.0, root / (1.0 + r), math.inf)
            near = np.where(r > -1.0, root * np.exp(-b * b / (1.0 + r)), 0.0)
        share = below - 2 * owens_t(b, tau)
        value = (r + b * b) * share + 2 * b * density * ndtr(b * tau) + near / (2 * math.pi)
        return Dual(value, share)


@lru_cache(maxsize=16)
def _table(dual: ReluDual) -> Array:
    """Cubics in the angle θ = acos r, a column an interval: 4 for U, then 4 for U′.

    They meet the values and the slopes, dU/dθ = −U′ sin θ and dU′/dθ = −exp(−b²/(1+r))/2π, at the
    ends of `_INTERVALS` intervals; between them they are off by some 1e-14.
    """
    theta = np.linspace(0.0, math.pi, _INTERVALS + 1)
    r, root = np.cos(theta), np.sin(theta)
    root[-1], r[-1] = 0.0, -1.0
    value, slope = dual.direct(r, root)
    with np.errstate(divide="ignore"):
        bend = -np.exp(-(dual.shift**2) / (1.0 + r)) / (2 * math.pi)
    h, rows = math.pi / _INTERVALS, []
    for f, df in ((value, -slope * root * h), (slope, bend * h)):
        rise = np.diff(f)
        rows += [
            f[:-1],
            df[:-1],
            3 * rise - 2 * df[:-1] - df[1:],
            df[:-1] + df[1:] - 2 * rise,
        ]
    return np.ascontiguousarray(np.array(rows))


def _tabulated(dual: ReluDual, r: Array) -> Dual:
    place = np.arccos(r)
    place *= _INTERVALS / math.pi
    index = np.minimum(place.astype(np.intp), _INTERVALS - 1)
    place -= index
    found = []
    table = _table(dual)
    for rows in (table[:4], table[4:]):
        out = rows[3].take(index)
        for row in rows[2::-1]:
            out *= place
            out += row.take(index)
        found.append(out)
    return Dual(*found)


@dataclass(frozen=True)
class ErfDual:
    """(2/π) asin(qr)."""

    q: float

    def __call__(self, r: Array) -> Dual:
        """Kernel and slope at some correlations, any shape."""
        z = self.q * np.asarray(r, dtype=np.float64)
        return Dual(2 / math.pi * np.arcsin(z), 2 / math.pi * self.q / np.sqrt((1 - z) * (1 + z)))
