"""Gaussian kernels: the paper's eigenvalues, closed forms against quadrature and sampling."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netphase import activations
from netphase.datasets import four_points
from netphase.errors import ArgumentError
from netphase.kernels import gaussian_kernels

RNG = np.random.default_rng(7)
X = RNG.standard_normal((5, 3))


def test_relu_eigenvalues_of_the_four_points():
    kernels = gaussian_kernels(four_points().x)
    for matrix, expected in (
        (kernels.a, [0.00101, 0.00899, 0.226, 2.04]),
        (kernels.w, [0.0324, 0.0618, 0.407, 1.78]),
        (kernels.a + kernels.w, [0.0334, 0.0715, 0.634, 3.82]),
    ):
        np.testing.assert_allclose(np.linalg.eigvalsh(matrix), expected, rtol=3e-3)


def test_relu_kernels_of_equal_orthogonal_and_opposite_inputs():
    kernels = gaussian_kernels(np.array([[2.0, 0.0], [0.0, 3.0], [-2.0, 0.0], [2.0, 1e-12]]))
    assert kernels.a[0, 0] == pytest.approx(4 / 2, rel=1e-14)
    assert kernels.w[0, 0] == pytest.approx(4 / 2, rel=1e-14)
    assert kernels.a[0, 1] == pytest.approx(6 / (2 * np.pi), rel=1e-14)
    assert kernels.w[0, 1] == pytest.approx(0, abs=1e-15)
    assert kernels.a[0, 2] == pytest.approx(0, abs=1e-15)
    assert kernels.w[0, 2] == pytest.approx(0, abs=1e-15)
    assert kernels.w[0, 3] == pytest.approx(2 - 1e-12 / np.pi, rel=1e-15)


@pytest.mark.parametrize("name", activations.NAMES)
@pytest.mark.parametrize("scale", [0.3, 2.0])
def test_kernels_are_the_means_over_random_weights(name, scale):
    sigma = activations.get(name)
    size = 200_000
    z = np.random.default_rng(0).standard_normal((size, 3)) @ X.T
    value, slope = sigma.value(scale * z) / scale, sigma.derivative(scale * z)
    kernels = gaussian_kernels(X, name, scale)
    for features, matrix, factor in ((value, kernels.a, 1.0), (slope, kernels.w, X @ X.T)):
        products = features[:, :, None] * features[:, None, :]
        error = products.std(axis=0) / np.sqrt(size) * np.abs(factor)
        assert np.all(np.abs(products.mean(axis=0) * factor - matrix) < 5 * error + 1e-12)


@settings(max_examples=20)
@given(st.floats(0.05, 8), st.integers(0, 100))
def test_quadrature_agrees_with_the_closed_form_of_erf(scale, seed):
    x = np.random.default_rng(seed).standard_normal((2, 2))
    x = np.vstack([x, x[0] * (1 + 1e-5), -x[1]])
    erf = activations.get("erf")
    numeric = activations.from_pair("my_erf", erf.value, erf.derivative, erf.second_derivative)
    for exact, found in zip(
        gaussian_kernels(x, "erf", scale), gaussian_kernels(x, numeric, scale), strict=True
    ):
        assert np.max(np.abs(exact - found)) < 1e-11 * np.max(np.abs(exact))


def test_leaky_relu_closed_form_is_a_mixture_of_relu_and_the_identity():
    relu, leaky = gaussian_kernels(X), gaussian_kernels(X, "leaky_relu")
    s, gram = activations.LEAKY_SLOPE, X @ X.T
    np.testing.assert_allclose(leaky.a, s * gram + (1 - s) ** 2 * relu.a, atol=1e-14)
    np.testing.assert_allclose(leaky.w, s * gram + (1 - s) ** 2 * relu.w, atol=1e-14)


def test_small_scales_make_tanh_linear():
    kernels = gaussian_kernels(X, "tanh", 1e-5)
    np.testing.assert_allclose(kernels.a, X @ X.T, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(kernels.w, X @ X.T, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", ["relu", "erf", "tanh"])
def test_cross_kernels_are_blocks_of_the_whole(name):
    whole = gaussian_kernels(X, name, 1.3)
    block = gaussian_kernels(X[:2], name, 1.3, other=X[2:])
    np.testing.assert_allclose(block.a, whole.a[:2, 2:], rtol=1e-12)
    np.testing.assert_allclose(block.w, whole.w[:2, 2:], rtol=1e-12)


@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 5))
def test_kernels_are_positive_semi_definite(seed, n, d):
    x = np.random.default_rng(seed).standard_normal((n, d))
    for name in ("relu", "erf"):
        for matrix in gaussian_kernels(x, name):
            np.testing.assert_allclose(matrix, matrix.T, atol=1e-14)
            values = np.linalg.eigvalsh(matrix)
            assert values[0] > -1e-12 * values[-1]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: gaussian_kernels(np.zeros((2, 2))), "`x` must have no zero row"),
        (lambda: gaussian_kernels(X, "tahn"), "Did you mean 'tanh'"),
        (lambda: gaussian_kernels(X, "tanh", 0.0), "`scale` must be a positive"),
        (lambda: gaussian_kernels(X, other=X[:, :2]), "equal numbers of columns"),
        (lambda: gaussian_kernels(X, other=1e200 * X), "`other` must lie within ±1e.150"),
        (lambda: gaussian_kernels(X[0]), "`x` must have 2 axes"),
    ],
)
def test_kernels_refuse_bad_arguments_in_words(call, words):
    with pytest.raises(ArgumentError, match=words):
        call()
