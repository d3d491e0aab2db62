"""Limiting kernels of deep networks: closed forms, quadrature, wide random networks, messages."""

import dataclasses

import numpy as np
import pytest
from scipy.linalg import expm

from netphase import activations
from netphase.errors import ArgumentError
from netphase.kernels import deep_kernels, gaussian_kernels
from netphase.scalings import LayerScales, LayerScaling, layer_initialisation, uniform_scaling

RNG = np.random.default_rng(3)
X = RNG.standard_normal((4, 3))
SCALES = LayerScaling(g=(0.0, 0.5, 0.5, 0.7), beta_prefactors=(0.8, 1.3, 0.9, 1.0)).at_width(100)


@pytest.mark.parametrize("name", ["relu", "erf", "tanh"])
def test_one_hidden_layer_has_the_two_kernels_of_the_plane(name):
    scales = LayerScales(50, (0.6, 0.2), (2.0, 3.0), alpha=1.7)
    deep, flat = deep_kernels(X, scales, name), gaussian_kernels(X, name, 0.6)
    np.testing.assert_allclose(deep.kernels[0], flat.w, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(deep.kernels[1], flat.a, rtol=1e-10, atol=1e-14)
    factor = 50 / 1.7**2
    expected = factor * (2.0 * 0.2**2 * flat.w + 3.0 * 0.6**2 * flat.a)
    np.testing.assert_allclose(deep.tangent, expected, rtol=1e-10)
    assert sum(deep.shares) == pytest.approx(1)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "erf"])
def test_quadrature_gives_the_closed_forms_through_all_layers(name):
    own = dataclasses.replace(activations.get(name), name="own", code=None)
    exact, found = deep_kernels(X, SCALES, name), deep_kernels(X, SCALES, own)
    for one, other in zip(exact.kernels, found.kernels, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-10 * np.abs(one).max())


def empirical(name, scales, seed):
    """Tangent kernel of one random network, by back-propagation written out."""
    sigma, rng, m = activations.get(name), np.random.default_rng(seed), scales.width
    h, features, slopes, weights = X.T, [X.T], [], []
    for beta in scales.betas[:-1]:
        w = beta * rng.standard_normal((m, len(h)))
        z = w @ h
        h = sigma.value(z)
        weights.append(w)
        slopes.append(sigma.derivative(z))
        features.append(h)
    back = scales.betas[-1] * rng.standard_normal((m, 1)) * np.ones(len(X)) / scales.alpha
    total = scales.rates[-1] / scales.alpha**2 * features[-1].T @ features[-1]
    for layer in range(scales.depth - 1, -1, -1):
        back = back * slopes[layer]
        total += scales.rates[layer] * (features[layer].T @ features[layer]) * (back.T @ back)
        back = weights[layer].T @ back
    return total


@pytest.mark.parametrize("name", ["relu", "erf", "tanh", "gelu"])
def test_wide_random_networks_have_the_limiting_tangent_kernel(name):
    scales = layer_initialisation("ntk", 2, 3).at_width(600)
    exact = deep_kernels(X, scales, name).tangent
    found = np.array([empirical(name, scales, seed) for seed in range(24)])
    error = found.std(axis=0, ddof=1) / np.sqrt(24)
    bias = np.abs(exact).max() / 600  # finite widths are off by O(1/m) in the mean
    assert np.all(np.abs(found.mean(axis=0) - exact) < 4.5 * error + 3 * bias)


def test_fluctuations_fall_with_the_root_of_the_width():
    sizes, law = np.array([50, 200, 800]), layer_initialisation("ntk", 2, 3)
    exact = deep_kernels(X, law.at_width(50)).tangent
    off = [
        np.sqrt(np.mean([(empirical("relu", law.at_width(m), s) - exact) ** 2 for s in range(30)]))
        for m in map(int, sizes)
    ]
    slope = np.polyfit(np.log(sizes), np.log(off), 1)[0]
    assert slope == pytest.approx(-0.5, abs=0.15)  # three points of relative error 1/√(2·30)


def test_nearly_equal_inputs_keep_their_angles():
    """For small angles ReLU's D is 1/2 − φ/2π, and φ′ = φ (1 − 2φ/3π…)^½ stays nearly φ."""
    x = np.array([[1.0, 0.0], [1.0, 1e-9]])
    found = deep_kernels(x, layer_initialisation("he", 3, 2).at_width(100))
    for slope in found.slopes:
        assert 0.5 - slope[0, 1] == pytest.approx(1e-9 / (2 * np.pi), rel=1e-6)


def test_cross_kernels_are_blocks_of_the_whole():
    whole = deep_kernels(X, SCALES, "tanh")
    block = deep_kernels(X[:1], SCALES, "tanh", other=X[1:])
    np.testing.assert_allclose(block.tangent, whole.tangent[:1, 1:], rtol=1e-11)
    with pytest.raises(ArgumentError, match="`other` must be left out"):
        _ = block.eigenvalues


@pytest.mark.parametrize("antisymmetric", [False, True])
def test_the_rate_is_that_of_the_loss_at_late_times(antisymmetric):
    found = deep_kernels(X, SCALES)
    whole = (1 + antisymmetric) * found.tangent / len(X)  # of both copies
    rate = found.decay_rate(antisymmetric)
    gap = np.diff(np.linalg.eigvalsh(whole)[:2])[0]
    late = 20.0 / gap
    ends = [expm(-whole * t) @ np.arange(1.0, 5.0) for t in (late, late + 1 / rate)]
    assert np.log(np.sum(ends[0] ** 2) / np.sum(ends[1] ** 2)) == pytest.approx(1.0, rel=1e-6)


def test_the_least_eigenvalue_shrinks_with_the_fourth_power_of_tanh_inputs():
    """n = 6 inputs in 3 dimensions need degree q = 3 of tanh: λ_min ~ scale^(2(q−1))."""
    x = np.random.default_rng(1).standard_normal((6, 3))
    sizes = np.array([0.1, 0.05, 0.025])
    least = [
        np.linalg.eigvalsh(
            deep_kernels(x, LayerScales(9, (s, 1 / 3, 1 / 3), (1,) * 3), "tanh").kernels[-1]
        )[0]
        for s in sizes
    ]
    assert np.polyfit(np.log(sizes), np.log(least), 1)[0] == pytest.approx(4, abs=0.1)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: deep_kernels(np.vstack([X, X[1]]), SCALES).decay_rate(), "rows 1 and 4 are equal"),
        (lambda: deep_kernels(np.vstack([X, -X[1]]), SCALES, "erf").decay_rate(), "are opposite"),
        (lambda: deep_kernels(np.zeros((2, 2)), SCALES), "no zero row, but row 0"),
        (lambda: deep_kernels(X, SCALES, other=X[:, :2]), "equal numbers of columns"),
        (lambda: deep_kernels(X, LayerScaling), "must be LayerScales"),
        (
            lambda: deep_kernels(1e200 * X[:, :1], uniform_scaling(1, 0).at_width(9)),
            "squares are floats",
        ),
        (lambda: deep_kernels(np.ones((10**7, 1)), SCALES), "fewer rows"),
        (
            lambda: deep_kernels(X, LayerScales(9, (1e90, 1), (1, 1)), "x2_tanh"),
            "features in a float's range, but in layer 1",
        ),
    ],
)
def test_bad_arguments_are_refused_in_words(call, words):
    with pytest.raises(ArgumentError, match=words):
        call()


@pytest.mark.parametrize("size", [1.0, 30.0])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_equal_rows_are_singular_in_spite_of_the_errors_of_quadrature(size, sign):
    x = np.vstack([X, sign * X[0]])  # the same to an even activation
    scales = LayerScales(100, (size, 0.11, 0.07, 0.2), (1.0,) * 4)
    found = deep_kernels(x, scales, "x_tanh")
    assert found.least_eigenvalue == 0
    with pytest.raises(ArgumentError, match="rows 0 and 4 are equal"):
        found.decay_rate()


@pytest.mark.parametrize("size", [100.0, 1000.0])
@pytest.mark.parametrize("name", ["x_tanh", "gelu", "tanh", "softplus"])
def test_equal_rows_stay_equal_through_many_layers_of_large_pre_activations(name, size):
    x = np.vstack([X, X[0]])
    scales = layer_initialisation("ntk", 5, X.shape[1]).at_width(100)
    scales = LayerScales(100, (size, *scales.betas[1:]), scales.rates)
    assert deep_kernels(x, scales, name).least_eigenvalue == 0
