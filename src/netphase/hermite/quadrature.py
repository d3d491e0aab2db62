"""Hermite coefficients of any function by quadrature between its kinks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from netphase._checks import finite_array
from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.hermite.polynomials import polynomials

_VANISHED = 1e-17  # of the mean square: a tail below changes no digit of a kernel
_NOISE = 1e-14  # of the norm: coefficients below are rounding
_ENDS = (14.0, 20.0, 28.0, 36.0)  # ends of the quadrature that are tried
_PANEL, _NODES = 0.5, 32  # width and Gauss-Legendre nodes of its panels
_AGREED = 1e-11  # of the mean square, between two numbers of panels


def integrated(
    name: str, function: Callable[[Array], Any], terms: int, kinks: Sequence[float]
) -> tuple[Array, float]:
    """Coefficients by quadrature, and the mean square, each on two sets of panels."""
    breaks = finite_array("kinks", kinks, 1) if len(kinks) else np.zeros(0)
    end = _end_of(name, function)
    first, square = _panels(function, terms, breaks, end, 1)
    second, finer = _panels(function, terms, breaks, end, 2)
    off = max(abs(finer - square) / finer, float(np.abs(second - first).max()) / math.sqrt(finer))
    if off > _AGREED:
        raise ArgumentError(
            "Argument `function` must be smooth between its `kinks` and square integrable, but "
            f"the coefficients of {name!r} change by {off:.1e} when the quadrature is refined. "
            "Give every kink or jump."
        )
    second[np.abs(second) < _NOISE * math.sqrt(finer)] = 0.0  # an odd function stays odd
    return trimmed(second, finer), finer


def _end_of(name: str, function: Callable[[Array], Any]) -> float:
    """Where the integrand of the mean square has vanished."""
    for end in _ENDS:
        z = np.concatenate([np.linspace(-end, end, 1001), [end * (1 - 1e-9), -end * (1 - 1e-9)]])
        z = z + 1e-7  # clear of poles and jumps at round numbers
        with np.errstate(all="ignore"):
            values = np.asarray(function(z), dtype=np.float64)
            if values.shape != z.shape:
                raise ArgumentError(
                    "Argument `function` must return numbers in the shape it was given, but for "
                    f"shape {z.shape} the result of {name!r} has shape {values.shape}."
                )
            mass = (values * np.exp(-z * z / 4)) ** 2
        largest = float(np.abs(mass).max())
        if not math.isfinite(largest):
            break
        if largest == 0:
            raise ArgumentError(f"Argument `function` must not vanish, but {name!r} does.")
        if mass[[0, 1000]].max() <= 1e-24 * largest:
            return end
    raise ArgumentError(
        "Argument `function` must be square integrable under the standard normal law, but "
        f"E f(G)² of {name!r} has not converged at |z| = {end:g}."
    )


def _panels(
    function: Callable[[Array], Any], terms: int, breaks: Array, end: float, finer: int
) -> tuple[Array, float]:
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    width = _PANEL / finer * min(1.0, 16 / math.sqrt(terms))  # h_k turns √k times a unit
    edges = np.linspace(-end, end, 2 * math.ceil(end / width) + 1)
    edges = np.union1d(edges, breaks[np.abs(breaks) < end])
    half = np.diff(edges)[:, None] / 2
    z = (half * nodes + (edges[:-1] + edges[1:])[:, None] / 2).ravel()
    root = np.exp(-z * z / 4) / (2 * math.pi) ** 0.25
    values = np.asarray(function(z), dtype=np.float64) * root
    mass = (half * weights).ravel()
    found = polynomials(z, terms, root) @ (values * mass)
    return found, float(values**2 @ mass)


def trimmed(found: Array, square: float) -> Array:
    """Without the last terms that no digit of a kernel feels."""
    tail = np.cumsum(found[::-1] ** 2)[::-1]
    return found[: max(1, int((tail > _VANISHED * square).sum()))].copy()
