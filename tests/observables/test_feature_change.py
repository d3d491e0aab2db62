"""Changes of hidden representations against plain forward passes, by invariance and in order."""

import numpy as np
import pytest

from netphase import _checks, activations, networks
from netphase.errors import ArgumentError
from netphase.networks import LayerParameters
from netphase.observables import feature_change
from netphase.scalings import layer_initialisation

X = np.random.default_rng(1).standard_normal((5, 3))


def case(name="tanh", depth=3, m=8, kind="antisymmetric", seeds=(0, 1)):
    """A network, a start, and a point near it."""
    scales = layer_initialisation("mup", depth, d=3).at_width(m)
    network = networks.MultiLayerNetwork(activations.get(name), scales, 3, kind=kind)
    start = networks.initial_layer_parameters(network, seeds)
    random = np.random.default_rng(2)
    moved = tuple(w + 0.3 * random.standard_normal(w.shape) for w in start.weights)
    return network, start, start._replace(weights=moved)


def hidden(network, parameters, e):
    """x^[1] … x^[L] of one network, copies stacked, by hand."""
    sigma, betas = network.activation, network.all_scales[0].betas
    layers = []
    for copy in range(network.copies):
        values = X.T
        for layer in range(network.depth):
            values = sigma.value(betas[layer] * parameters.weights[layer][e, copy] @ values)
            layers.append((layer, values))
    return [np.vstack([v for at, v in layers if at == layer]) for layer in range(network.depth)]


@pytest.mark.parametrize("name", ["tanh", "relu"])
@pytest.mark.parametrize("kind", ["antisymmetric", "centred"])
def test_changes_are_those_of_plain_passes(name, kind):
    network, start, moved = case(name, kind=kind)
    change = feature_change(network, start, moved, X)
    h = np.eye(5) - 1 / 5
    for e in range(2):
        pairs = zip(hidden(network, start, e), hidden(network, moved, e), strict=True)
        for layer, (before, after) in enumerate(pairs):
            value = np.linalg.norm(after - before) / np.linalg.norm(before)
            assert change.relative[e, layer] == pytest.approx(value, rel=1e-12)
            one, other = before.T @ before, after.T @ after
            value = np.linalg.norm(other - one) / np.linalg.norm(one)
            assert change.gram[e, layer] == pytest.approx(value, rel=1e-12)
            one, other = h @ one @ h, h @ other @ h
            cka = np.sum(one * other) / (np.linalg.norm(one) * np.linalg.norm(other))
            assert change.distance[e, layer] == pytest.approx(1 - cka, rel=1e-9)


def test_permuted_neurons_are_another_point_with_the_same_gram_matrices():
    network, start, _ = case(kind="plain")
    order = np.random.default_rng(3).permutation(8)
    first, second, *rest = start.weights
    permuted = LayerParameters((first[:, :, order], second[:, :, :, order], *rest))
    change = feature_change(network, start, permuted, X)
    assert np.all(change.relative[:, 0] > 0.1)
    assert np.all(change.relative[:, 1:] < 1e-14)
    assert np.all(change.gram < 1e-13)
    assert np.all(change.distance < 1e-13)


def test_a_small_step_moves_features_in_first_order_and_their_angle_in_second():
    network, start, moved = case()
    found = []
    for step in (1e-3, 5e-4):
        near = tuple(w + step * (v - w) for w, v in zip(start.weights, moved.weights, strict=True))
        found.append(feature_change(network, start, start._replace(weights=near), X))
    ratio = [np.log2(a / b) for a, b in zip(*found, strict=True)]
    np.testing.assert_allclose(ratio[0], 1.0, atol=0.01)
    np.testing.assert_allclose(ratio[1], 1.0, atol=0.01)
    np.testing.assert_allclose(ratio[2], 2.0, atol=0.02)


def test_single_precision_and_the_start_itself():
    network, start, _ = case()
    short = networks.initial_layer_parameters(network, (0, 1), dtype="float32")
    for change in feature_change(network, short, short, X):
        assert not change.any()
        assert change.dtype == np.float64
    for change in feature_change(network, start, short, X):
        assert np.all(change < 1e-6)


def test_silent_layers_and_what_is_not_finite_are_nan_and_the_others_are_not():
    network, start, moved = case("relu", kind="plain")
    silent = LayerParameters(tuple(each.copy() for each in start.weights))
    silent.weights[1][0] = -abs(silent.weights[1][0])
    change = feature_change(network, silent, moved, X)
    assert np.isfinite(change.relative[:, 0]).all()
    assert np.isnan(change.relative[0, 1:]).all()
    assert np.isfinite(change.relative[1]).all()
    moved.weights[0][1] = np.nan
    change = feature_change(network, start, moved, X)
    assert np.isfinite(change.gram[0]).all()
    assert np.isnan(change.gram[1]).all()
    one = feature_change(network, start, start, X[:1])
    assert not one.gram.any()
    assert np.isnan(one.distance).all()


def test_what_does_not_fit_is_refused():
    network, start, moved = case()
    with pytest.raises(ArgumentError, match="`network` must be a MultiLayerNetwork"):
        feature_change("network", start, moved, X)
    fewer = LayerParameters(tuple(each[:1] for each in start.weights))
    with pytest.raises(ArgumentError, match="equally many networks, but hold 2 and 1"):
        feature_change(network, start, fewer, X)
    with pytest.raises(ArgumentError, match="`x` must have 3 columns"):
        feature_change(network, start, moved, X[:, :2])
    start.weights[0][0] = np.inf
    with pytest.raises(ArgumentError, match="`initial` must be finite"):
        feature_change(network, start, moved, X)


def test_gram_matrices_beyond_memory_are_refused_in_a_sentence(monkeypatch):
    network, start, moved = case()
    monkeypatch.setattr(_checks, "machine_memory", lambda: 1000.0)
    with pytest.raises(ArgumentError, match="`x` must have fewer rows: 8 matrices of 5 × 5"):
        feature_change(network, start, moved, X)
