"""Limits and measures of one network against closed forms, raw weights and literal descent."""

import numpy as np
import pytest

from netphase import activations, kernels
from netphase.concentration.limits import Limit, eigenvalues, feature_grams, measure
from netphase.networks import MultiLayerNetwork, initial_layer_parameters
from netphase.scalings import layer_initialisation

X = np.random.default_rng(3).standard_normal((5, 3))


def relu_two_layer_limit(x):
    """m κ² [K^a/κ′ + κ′ K^w] of NTK scaling with one hidden layer: arc-cosine kernels."""
    size = np.linalg.norm(x, axis=1)
    angle = np.arccos(np.clip(x @ x.T / np.outer(size, size), -1.0, 1.0))
    outer = np.outer(size, size) * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi)
    return outer + (x @ x.T) * (np.pi - angle) / (2 * np.pi)


@pytest.mark.parametrize("kind", ["antisymmetric", "plain"])
def test_the_limit_of_one_hidden_layer_is_the_arc_cosine_kernel(kind):
    scales = layer_initialisation("ntk", 1, 3).at_width(70)
    network = MultiLayerNetwork(activations.get("relu"), scales, 3, kind=kind)
    limit = Limit(kernels.deep_kernels(X, scales, "relu"), 1, network.copies)
    expected = network.copies * relu_two_layer_limit(X)
    np.testing.assert_allclose(limit.tangent, expected, rtol=0, atol=1e-7)


def test_several_outputs_have_the_limit_each():
    limit = kernels.deep_kernels(X, layer_initialisation("he", 2, 3).at_width(50), "tanh")
    both = Limit(limit, 2, 1).tangent.reshape(5, 2, 5, 2)
    np.testing.assert_allclose(both[:, 0, :, 0], limit.tangent)
    np.testing.assert_allclose(both[:, 1, :, 1], limit.tangent)
    assert not both[:, 0, :, 1].any()


@pytest.mark.parametrize(("name", "depth"), [("relu", 3), ("tanh", 3), ("relu", 500)])
def test_features_are_those_of_the_raw_weights(name, depth):
    scales = layer_initialisation("he", depth, 3).at_width(12)
    sigma = activations.get(name)
    network = MultiLayerNetwork(sigma, scales, 3)
    start = initial_layer_parameters(network, (4,))
    h = X.T
    for layer, found in enumerate(feature_grams(network, start, X)):
        h = sigma.value(scales.betas[layer] * start.weights[layer][0, 0] @ h)
        np.testing.assert_allclose(found, h.T @ h / 12, rtol=4e-13 * max(depth, 3))


def test_errors_are_relative_frobenius_norms():
    scales = layer_initialisation("lecun", 2, 3).at_width(40)
    network = MultiLayerNetwork(activations.get("erf"), scales, 3, kind="plain")
    start = initial_layer_parameters(network, (0,))
    limit = Limit(kernels.deep_kernels(X, scales, "erf"), 1, 1)
    found = measure(network, start, X, limit)
    own = kernels.tangent_kernel(network, start, X)
    np.testing.assert_allclose(found.tangent, own.total[0])
    error = np.linalg.norm(own.total[0] - limit.tangent) / np.linalg.norm(limit.tangent)
    assert found.tangent_error == pytest.approx(error)
    assert found.share.sum() == pytest.approx(1.0)
    assert found.layer_error.shape == (3,)
    assert found.feature_error[1] == pytest.approx(found.layer_error[2])  # W^[3] sees S^[2]


def test_eigenvalues_of_what_is_not_finite_are_not_numbers():
    assert np.isnan(eigenvalues(np.full((2, 2), np.inf))).all()
    assert eigenvalues(np.ones((3, 3)))[0] == 0.0
