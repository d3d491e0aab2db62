"""The tangent kernel of deep networks against Jacobians, the two-layer one, and its limit."""

import numpy as np
import pytest

from netphase import _checks, activations, kernels
from netphase.errors import ArgumentError
from netphase.kernels import tangent_gram, tangent_kernel
from netphase.networks import (
    MultiLayerNetwork,
    TwoLayerNetwork,
    initial_layer_parameters,
    initial_parameters,
)
from netphase.scalings import LayerScaling, ScalingLaw, layer_initialisation

X = np.random.default_rng(0).standard_normal((5, 3))
OTHER = np.random.default_rng(1).standard_normal((2, 3))


def jacobians(network, parameters, x):
    """∂f/∂W̄ of every layer by single cotangents, each of shape (e, nk, numbers)."""
    shape = network.output(parameters, x).shape
    rows = []
    for place in np.ndindex(shape[1:]):
        pull = np.zeros(shape)
        pull[(slice(None), *place)] = 1.0
        found = network.gradient(parameters, x, pull).weights
        rows.append([each.reshape(shape[0], -1) for each in found])
    return [np.stack(layer, axis=1) for layer in zip(*rows, strict=True)]


@pytest.mark.parametrize("kind", ["antisymmetric", "plain"])
@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("depth", [1, 2, 4])
def test_it_is_the_product_of_jacobians(kind, outputs, depth):
    scales = tuple(layer_initialisation(n, depth, d=3).at_width(9) for n in ("mup", "he"))
    widths = (6, 9, 4, 7)[:depth]
    network = MultiLayerNetwork(
        activations.get("tanh"), scales, 3, widths=widths, outputs=outputs, kind=kind
    )
    start = initial_layer_parameters(network, seeds=(0, 1))
    rows, columns = (jacobians(network, start, x) for x in (X, OTHER))
    mobility = network.mobilities(4)
    for other, right in ((None, rows), (OTHER, columns)):
        found = tangent_kernel(network, start, X, other)
        for layer, (left, behind) in enumerate(zip(rows, right, strict=True)):
            expected = mobility[:, layer, None, None] * (left @ behind.swapaxes(1, 2))
            np.testing.assert_allclose(
                found.layers[layer], expected, rtol=0, atol=1e-13 * abs(expected).max()
            )
    square = tangent_kernel(network, start, X)
    np.testing.assert_allclose(square.total, square.layers.sum(axis=0))
    np.testing.assert_allclose(square.shares.sum(axis=1), 1.0)
    assert np.linalg.eigvalsh(square.total).min() > -1e-12 * square.total.max()


@pytest.mark.parametrize("name", activations.NAMES)
def test_one_hidden_layer_has_the_kernel_of_the_two_layer_network(name):
    law = ScalingLaw.from_gamma(1.3, 0.2)
    two = law.at_width(40)
    scales = LayerScaling.from_two_layer(law).with_learning_rates((0.0, 0.0)).at_width(40)
    network = MultiLayerNetwork(activations.get(name), scales, 3)
    start = initial_layer_parameters(network, seeds=(5,))
    state = initial_parameters(40, 3, seed=5)
    expected = tangent_gram(TwoLayerNetwork(activations.get(name), two), state, X)
    found = tangent_kernel(network, start, X).total[0] * two.beta1 * two.beta2
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("name", ["relu", "tanh", "erf"])
def test_every_layer_tends_to_its_limit_as_one_over_the_root_of_the_width(name):
    widths, seeds, errors = (32, 512), range(6), []
    for m in widths:
        scales = layer_initialisation("ntk", 2, d=3).at_width(m)
        network = MultiLayerNetwork(activations.get(name), scales, 3, kind="plain")
        start = initial_layer_parameters(network, seeds)
        found = tangent_kernel(network, start, X).layers
        limit = kernels.deep_kernels(X, scales, name)
        parts = zip(limit.weights, limit.kernels, strict=True)
        exact = np.array([weight * kernel for weight, kernel in parts])
        sizes = np.linalg.norm(exact, axis=(1, 2))
        gaps = np.linalg.norm(found - exact[:, None], axis=(2, 3)) / sizes[:, None]
        errors.append(np.sqrt(np.mean(gaps**2, axis=1)))
    slopes = np.log(errors[1] / errors[0]) / np.log(widths[1] / widths[0])
    # each error is a mean of 6 seeds, known to some 1/√12, so a slope to some .15
    assert np.all(abs(slopes + 0.5) < 0.45)
    assert abs(np.mean(slopes) + 0.5) < 0.25
    assert np.all(errors[1] < 4 / np.sqrt(widths[1]))


def test_float32_weights_give_a_float64_kernel():
    scales = layer_initialisation("ntk", 2, d=3).at_width(20)
    network = MultiLayerNetwork(activations.get("tanh"), scales, 3)
    narrow = tangent_kernel(network, initial_layer_parameters(network, dtype="float32"), X)
    wide = tangent_kernel(network, initial_layer_parameters(network), X)
    assert narrow.layers.dtype == np.float64
    np.testing.assert_allclose(narrow.total, wide.total, rtol=1e-5, atol=1e-5)


def test_traces_of_different_inputs_and_too_many_of_them_are_refused(monkeypatch):
    scales = layer_initialisation("ntk", 2, d=3).at_width(20)
    network = MultiLayerNetwork(activations.get("tanh"), scales, 3)
    start = initial_layer_parameters(network)
    with pytest.raises(ArgumentError, match="`other` must be left out where traces"):
        _ = tangent_kernel(network, start, X, OTHER).shares
    with pytest.raises(ArgumentError, match="must have 3 columns"):
        tangent_kernel(network, start, X[:, :2])
    with pytest.raises(ArgumentError, match="`parameters` must be LayerParameters"):
        tangent_kernel(network, start.weights, X)
    monkeypatch.setattr(_checks, "machine_memory", lambda: 100.0)
    with pytest.raises(ArgumentError, match="3 kernels of 5 × 5 samples and outputs need"):
        tangent_kernel(network, start, X)
