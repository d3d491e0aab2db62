"""Kernels of ReLU neurons over inputs: Monte Carlo, finite differences, limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad

from netphase.errors import ArgumentError
from netphase.kernels import (
    gaussian_kernels,
    relu_kernel,
    relu_kernel_gradient,
    sphere_kernel,
)

RNG = np.random.default_rng(0)
B, C = RNG.standard_normal((4, 5)), RNG.standard_normal((3, 5))


@pytest.mark.parametrize("inputs", ["gaussian", "sphere"])
def test_the_kernel_and_its_gradient_are_means_over_inputs(inputs: str) -> None:
    x = np.random.default_rng(1).standard_normal((400_000, 5))
    if inputs == "sphere":
        x /= np.linalg.norm(x, axis=1, keepdims=True)
    kernel, slope = relu_kernel(B, C, inputs), relu_kernel_gradient(B, C, inputs)
    for j in range(4):
        for unit in range(3):
            value = np.maximum(x @ C[unit], 0)
            product = np.maximum(x @ B[j], 0) * value
            error = product.std() / math.sqrt(len(x))
            assert abs(product.mean() - kernel[j, unit]) < 4.5 * error
            gated = (value * (x @ B[j] > 0))[:, None] * x
            errors = gated.std(axis=0) / math.sqrt(len(x))
            assert np.all(np.abs(gated.mean(axis=0) - slope[j, unit]) < 4.5 * errors)


def test_the_kernel_is_that_of_gaussian_weights() -> None:
    np.testing.assert_allclose(relu_kernel(B, C), gaussian_kernels(B, other=C).a, rtol=1e-13)


def test_the_gradient_is_a_finite_difference() -> None:
    step, slope = 1e-6, relu_kernel_gradient(B, C)
    for i in range(5):
        shift = np.zeros(5)
        shift[i] = step
        difference = (relu_kernel(B + shift, C) - relu_kernel(B - shift, C)) / (2 * step)
        np.testing.assert_allclose(slope[:, :, i], difference, atol=1e-9)


def test_parallel_and_opposite_neurons() -> None:
    b = RNG.standard_normal((1, 6))
    assert relu_kernel(b, 3 * b)[0, 0] == pytest.approx(1.5 * float((b**2).sum()), rel=1e-15)
    assert abs(relu_kernel(b, -b)[0, 0]) < 1e-30
    assert np.abs(relu_kernel_gradient(b, -b)).max() < 1e-15
    np.testing.assert_allclose(relu_kernel_gradient(b, b)[0], b / 2, rtol=1e-15)


@pytest.mark.parametrize("angle", [0.3, 0.049, 1e-3, 1e-6, 1e-9])
def test_nearly_opposite_neurons_keep_their_digits(angle: float) -> None:
    b, c = np.array([[1.0, 0.0]]), np.array([[-math.cos(angle), math.sin(angle)]])
    exact = quad(lambda t: t * math.sin(t), 0.0, angle, epsabs=0.0, epsrel=1e-13)[0]
    assert relu_kernel(b, c)[0, 0] * 2 * math.pi == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 1.0])
def test_the_kernel_of_a_sphere_is_a_mean_of_kernels(k: int, share: float) -> None:
    d = 6
    b = np.zeros((1, d))
    b[0, 0], b[0, d - 1] = share, math.sqrt(1 - share**2)

    def kernel(u: float) -> float:
        c = np.zeros((1, d))
        c[0, 0], c[0, 1] = u, math.sqrt(1 - u * u)
        return float(relu_kernel(b, c)[0, 0])

    def over_angle(weight: bool) -> float:  # u = cos φ takes the edges' singularity away
        def integrand(phi: float) -> float:
            u = math.cos(phi)
            jacobian = math.sin(phi) ** (k - 2)
            return jacobian * (kernel(u) if weight else 1.0)

        return float(quad(integrand, 0, math.pi, epsabs=1e-12, epsrel=1e-12)[0])

    mean = over_angle(True) / over_angle(False)
    assert sphere_kernel(b, k)[0] == pytest.approx(mean, rel=1e-9)


def test_wrong_input_is_refused_in_words() -> None:
    with pytest.raises(ArgumentError, match="equal numbers of inputs, but have 5 and 4"):
        relu_kernel(B, C[:, :4])
    with pytest.raises(ArgumentError, match="no zero row"):
        relu_kernel_gradient(np.zeros((1, 5)), C)
    with pytest.raises(ArgumentError, match="`k` must lie between 2 and d = 5"):
        sphere_kernel(B, 6)
    with pytest.raises(ArgumentError, match="`inputs` must be one of"):
        relu_kernel(B, C, "cube")
