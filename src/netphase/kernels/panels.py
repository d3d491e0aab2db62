"""Moments of functions of one or two normal variables, on panels that end at the kinks."""

from __future__ import annotations

import math

import numpy as np

from netphase._types import Array
from netphase.activations import Activation, Pointwise

_END = 9.5  # the normal density beyond is below 1e-19 of its peak
_WIDE = 1.5  # width of the panels that resolve the normal density
_CORE = 2.0  # width, in units of the argument of σ, of the panels beside 0 and every kink
_STEEPEST = 1e17  # slopes from which on what lies in these panels is below rounding
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)
_DENSITY = 1 / math.sqrt(2 * math.pi)


def graded(end: float, wide: float, centres: tuple[float, ...], size: float) -> Array:
    """Edges of panels on [−end, end] for E g(size·u): even, and ever finer towards the centres.

    A function with poles beside c, such as tanh(size·u) with c = 0, is resolved by panels that
    double their width with their distance from c/size.

    Args:
        end: where the line is cut.
        wide: widest panel.
        centres: c, in units of the argument of g: 0 and the kinks.
        size: how fast g is run through, ≥ 0.

    Returns:
        The edges, sorted, shape (e,).
    """
    edges: list[Array] = [np.linspace(-end, end, math.ceil(2 * end / wide) + 1)]
    if size > 0:
        steps = _steps(_CORE / size, wide)
        edges += [c / size + steps for c in centres if abs(c) / size < end]
    return np.unique(np.clip(np.concatenate(edges), -end, end))


def _steps(core: float, wide: float) -> Array:
    """0 and ±core·2^j up to the widest panel."""
    count = max(1, math.ceil(math.log2(wide / core))) if core < wide else 0
    up = core * 2.0 ** np.arange(count)
    return np.concatenate([-up[::-1], [0.0], up])


def nodes(edges: Array) -> tuple[Array, Array]:
    """Gauss–Legendre nodes and weights on panels.

    Args:
        edges: sorted along the last axis, shape (…, e).

    Returns:
        Nodes and weights, each of shape (…, 20 (e−1)).
    """
    half = np.diff(edges) / 2
    middle = (edges[..., 1:] + edges[..., :-1]) / 2
    z = middle[..., None] + half[..., None] * _NODES
    w = half[..., None] * _WEIGHTS
    shape = (*edges.shape[:-1], -1)
    return z.reshape(shape), w.reshape(shape)


def mean_square(function: Pointwise, size: float, kinks: tuple[float, ...]) -> float:
    """E g(size·u)², u ~ N(0, 1)."""
    z, weights = nodes(graded(_END, _WIDE, (0.0, *kinks), size))
    with np.errstate(over="ignore"):
        return float(weights * np.exp(-z * z / 2) * _DENSITY @ function(size * z) ** 2)


def pair(
    sigma: Activation, p: float, q: float, phi: float, kinks: tuple[float, ...]
) -> tuple[float, float]:
    """E σ(u)σ(v) and E σ′(u)σ′(v) of normal u, v of standard deviations p, q at angle φ.

    With independent unit g, h: u = p·g and v = q(cos φ·g + sin φ·h). The inner integral over h is
    split where v meets a kink, and is smooth in g but for a layer of width tan φ.
    """
    along, across = q * math.cos(phi), q * math.sin(phi)
    centres = (0.0, *kinks)
    slopes = min(p, _STEEPEST), min(abs(along), _STEEPEST)
    edges = [graded(_END, _WIDE, (0.0,), max(slopes))]  # which is fine enough for both
    edges += [graded(_END, _WIDE, kinks, each) for each in slopes]
    if 0 < across < abs(along):  # the layer in which the inner integral rounds a kink of v
        layer = _steps(across / abs(along), _WIDE)
        edges += [c / along + layer for c in centres if abs(c) < _END * abs(along)]
    g, outer = nodes(np.unique(np.clip(np.concatenate(edges), -_END, _END)))
    h, inner = _inner(g, along, across, centres)
    v = along * g[:, None] + across * h
    inner = inner * np.exp(-h * h / 2) * _DENSITY
    outer = outer * np.exp(-g * g / 2) * _DENSITY
    found = []
    for function in (sigma.value, sigma.derivative):
        means = np.einsum("ij,ij->i", function(v), inner)
        found.append(float((outer * function(p * g)) @ means))
    return found[0], found[1]


def _inner(
    g: Array, along: float, across: float, centres: tuple[float, ...]
) -> tuple[Array, Array]:
    """Nodes and weights in h for every g, shape (|g|, nodes)."""
    even = np.linspace(-_END, _END, math.ceil(2 * _END / _WIDE) + 1)
    edges = [np.broadcast_to(even, (len(g), len(even)))]
    if across > 0:
        steps = _steps(_CORE / min(across, _STEEPEST), _WIDE)
        with np.errstate(over="ignore"):
            edges += [((c - along * g) / across)[:, None] + steps for c in centres]
    together = np.clip(np.concatenate(edges, axis=1), -_END, _END)
    return nodes(np.sort(together, axis=1))
