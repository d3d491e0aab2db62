"""Limiting kernels of deep networks against plain recursions in NumPy, with their errors.

The peers write the recursion down as a reader would: arc cosines and arc sines where there is a
closed form, and elsewhere a double loop over the nodes of a Gauss–Hermite rule of 25 points a side.
The error of either is that of the tangent kernel of a few inputs, relative to its largest entry,
against the same recursion with 160 points a side, or in long doubles for ReLU and erf.
"""

import numpy as np
import pytest

from netphase import activations
from netphase.kernels import deep_kernels
from netphase.scalings import layer_initialisation
from timing import ROUNDS, fastest

DEPTH, INPUTS, SAMPLES, COMMON = 6, 10, 1000, 200
FEW = 5


def setting(name):
    x = np.random.default_rng(0).standard_normal((SAMPLES, INPUTS))
    x /= np.linalg.norm(x, axis=1, keepdims=True) / np.sqrt(INPUTS)
    scheme = "he" if name == "relu" else "lecun"
    return x, layer_initialisation(scheme, DEPTH, INPUTS).at_width(512)


def closed(name, square, cross):
    """E σ(u)σ(v), E σ′(u)σ′(v) and E σ(u)² by the printed closed forms."""
    p = np.sqrt(square)
    if name == "relu":
        cosine = np.clip(cross / np.outer(p, p), -1, 1)
        np.fill_diagonal(cosine, 1)  # an angle feels the root of an error of its cosine
        angle = np.arccos(cosine)
        value = np.outer(p, p) * (np.sqrt(1 - cosine**2) + (np.pi - angle) * cosine)
        return value / (2 * np.pi), (np.pi - angle) / (2 * np.pi), square / 2
    sizes = np.outer(1 + 2 * square, 1 + 2 * square)
    value = 2 / np.pi * np.arcsin(2 * cross / np.sqrt(sizes))
    slope = 4 / np.pi / np.sqrt(sizes - 4 * cross**2)
    return value, slope, 2 / np.pi * np.arcsin(2 * square / (1 + 2 * square))


def looped(name, square, cross, points):
    """The same by a double loop over Gauss–Hermite nodes."""
    sigma = activations.get(name)
    nodes, weights = np.polynomial.hermite_e.hermegauss(points)
    weights /= weights.sum()
    p = np.sqrt(square)
    cosine = np.clip(cross / np.outer(p, p), -1, 1)
    sine = np.sqrt(1 - cosine**2)
    value, slope = np.zeros(cross.shape), np.zeros(cross.shape)
    for node, weight in zip(nodes, weights, strict=True):
        u = (p * node)[:, None]
        left, left_slope = sigma.value(u), sigma.derivative(u)
        for other, share in zip(nodes, weights, strict=True):
            v = p * (cosine * node + sine * other)
            value += weight * share * left * sigma.value(v)
            slope += weight * share * left_slope * sigma.derivative(v)
    return value, slope, np.diag(value).copy()


def plain(name, x, scales, moments):
    """Limiting tangent kernel, layer by layer."""
    cross = scales.betas[0] ** 2 * x @ x.T
    tangent = scales.rates[0] * x @ x.T
    for rate, alpha in zip(scales.rates[1:], scales.alphas[1:], strict=True):
        value, slope, square = moments(name, np.diag(cross), cross)
        np.fill_diagonal(value, square)
        gain = alpha**2
        tangent = gain * slope * tangent + rate * scales.width * value
        cross = gain * value
    return tangent / scales.alpha**2


def exact(name, x, scales):
    """The reference at a few inputs."""
    if name not in ("relu", "erf"):
        return plain(name, x, scales, lambda *given: looped(*given, 160))
    return plain(name, x.astype(np.longdouble), scales, closed).astype(np.float64)


@pytest.mark.parametrize("name", ["relu", "erf", "tanh", "gelu"])
@pytest.mark.benchmark(group="deep networks: limiting kernels")
@pytest.mark.usefixtures("one_core")
def test_limiting_kernels(benchmark, note, quick, name):
    x, scales = setting(name)
    many = x[:100] if quick else x
    closed_form = name in ("relu", "erf")
    common = many if closed_form else many[: 20 if quick else COMMON]
    moments = closed if closed_form else lambda *given: looped(*given, 25)
    found = benchmark.pedantic(lambda: deep_kernels(many, scales, name).tangent, rounds=ROUNDS)
    own, _ = fastest(lambda: deep_kernels(common, scales, name).tangent)
    seconds, peer = fastest(lambda: plain(name, common, scales, moments))
    reference = exact(name, x[:FEW], scales)
    size = np.abs(reference).max()
    error = np.abs(found[:FEW, :FEW] - reference).max() / size
    note(n=len(many), L=DEPTH, d=INPUTS, error=error)
    note(numpy_error=np.abs(peer[:FEW, :FEW] - reference).max() / size)
    note(n_of_both=len(common), own_seconds_there=own, numpy_seconds_there=seconds)
    assert error < 1e-10
