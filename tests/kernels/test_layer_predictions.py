"""Predicted changes of layers: one hidden layer, explicit matrices, trained networks."""

import numpy as np
import pytest

from netphase import activations, networks, observables
from netphase.datasets import Dataset
from netphase.dynamics import DeepGradientDynamics, Descent, evolve
from netphase.engine import Stop
from netphase.errors import ArgumentError
from netphase.kernels import deep_kernels, linear_predictions, predicted_layer_changes
from netphase.kernels.layer_predictions import random_operator_norm
from netphase.scalings import LayerScales, LayerScaling, ScalingLaw, layer_initialisation

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((4, 4)), RNG.standard_normal(4)
SCALES = LayerScales(50, (0.5, 0.2, 0.15, 0.3), (1.0, 3.0, 0.5, 2.0), alpha=0.7)


@pytest.mark.parametrize("antisymmetric", [True, False])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_one_hidden_layer_is_the_linear_prediction_of_the_plane(activation, antisymmetric):
    law = ScalingLaw(0.2, -0.3, -0.1, 0.25, 1.3, 0.8, 0.9, 2.0)
    data = Dataset(X, Y, bias=False)
    flat = linear_predictions(law, 500, data, antisymmetric, activation)
    kernels = deep_kernels(X, LayerScaling.from_two_layer(law).at_width(500), activation)
    found = predicted_layer_changes(kernels, Y, antisymmetric)
    assert found.frobenius == pytest.approx([flat.w, flat.a], rel=1e-9)
    assert found.operator[1] == pytest.approx(flat.a, rel=1e-9)  # a vector has one norm


@pytest.mark.parametrize("y", [Y, np.column_stack([Y, Y[::-1], Y**2])])
def test_changes_are_those_of_explicit_matrices(y):
    """Features and δ with the limiting Gram matrices exactly, and the sum of δ hᵀ written out."""
    kernels, m = deep_kernels(X, SCALES, "tanh"), SCALES.width
    targets = y.reshape(len(X), -1)
    c = np.linalg.solve(2 * kernels.tangent, targets)
    found = predicted_layer_changes(kernels, y)
    h = [X, *(np.linalg.cholesky(m * each) for each in kernels.features)]
    total = 0.0
    for layer, (values, beta, rate) in enumerate(zip(h, SCALES.betas, SCALES.rates, strict=True)):
        back = kernels.kernels[layer] * kernels.weights[layer] / (rate * values @ values.T)
        delta = np.linalg.cholesky(back + 1e-15 * np.trace(back) * np.eye(len(X)))
        change = rate * np.concatenate([delta.T @ (each[:, None] * values) for each in c.T])
        ends = (4, m, m, m, targets.shape[1])[layer : layer + 2]
        size = np.sqrt(ends[0] * ends[1])
        assert found.frobenius[layer] == pytest.approx(
            np.linalg.norm(change) / (beta * size), rel=1e-7
        )
        start = beta * random_operator_norm(*ends)
        assert found.operator[layer] == pytest.approx(np.linalg.norm(change, 2) / start, rel=1e-7)
        total += (found.frobenius[layer] * beta * size) ** 2 / rate
    inverse = np.linalg.inv(2 * kernels.tangent)
    assert total == pytest.approx(np.trace(targets.T @ inverse @ targets) / 2)  # yᵀΘ⁻¹y/F²


@pytest.mark.parametrize(("rows", "columns"), [(64, 64), (300, 2), (100, 30), (400, 1), (1, 50)])
def test_the_norm_of_random_matrices(rows, columns):
    random = np.random.default_rng(1)
    norms = [np.linalg.norm(random.standard_normal((rows, columns)), 2) for _ in range(60)]
    error = np.std(norms) / np.sqrt(60)
    expected = random_operator_norm(rows, columns)
    assert np.mean(norms) == pytest.approx(expected, abs=4 * error + 0.02 * expected)


def measured(name, depth, m, seeds, activation="tanh"):
    """Changes of trained networks over the prediction, shapes (seeds, L+1)."""
    scales = layer_initialisation(name, depth, 4).at_width(m)
    network = networks.MultiLayerNetwork(activations.get(activation), scales, 4)
    start = networks.initial_layer_parameters(network, range(seeds))
    task = DeepGradientDynamics(network, X, Y)
    run = evolve(task, Descent("stable"), start, stop=Stop(mean_square=1e-8))
    change = observables.layer_change(start, run.final)
    expected = predicted_layer_changes(deep_kernels(X, scales, activation), Y)
    return change.operator / expected.operator, change.frobenius / expected.frobenius


@pytest.mark.parametrize(("name", "depth"), [("ntk", 1), ("he", 2), ("ntk", 3)])
def test_trained_networks_move_as_predicted(name, depth):
    for ratios in measured(name, depth, 128, seeds=8):
        error = ratios.std(axis=0, ddof=1) / np.sqrt(8)
        bias = 0.1  # of order 1/√m = 0.088 in a norm, which is convex in the kernel
        assert np.all(np.abs(ratios.mean(axis=0) - 1) < 4 * error + bias)


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("name", ["ntk", "lecun", "he"])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_agreement_improves_with_the_width(name, depth, activation):
    off = []
    for m, seeds in ((64, 8), (256, 4), (1024, 2)):
        ratios = np.concatenate(measured(name, depth, m, seeds, activation))
        off.append(np.sqrt(np.mean((ratios - 1) ** 2)))
    assert off[2] < min(off[1], 0.08)
    assert off[2] < 0.6 * off[0]


KERNELS = deep_kernels(X, SCALES)


@pytest.mark.parametrize(
    ("kernels", "y", "words"),
    [
        (X, Y, "must be DeepKernels"),
        (KERNELS, Y[:2], "`y` must have 4 rows"),
        (KERNELS, np.full(4, np.nan), "`y`"),
        (deep_kernels(X[[0, 0, 1, 2]], SCALES), Y, "rows 0 and 1 are equal"),
        (deep_kernels(X, SCALES, other=X), Y, "`other` must be left out"),
    ],
)
def test_bad_arguments_are_refused_in_words(kernels, y, words):
    with pytest.raises(ArgumentError, match=words):
        predicted_layer_changes(kernels, y)


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_changes_are_proportional_to_targets_of_any_size(size):
    x, y = np.random.default_rng(4).standard_normal((2, 5, 5))
    kernels = deep_kernels(x, layer_initialisation("ntk", 2, 5).at_width(64), "tanh")
    usual = predicted_layer_changes(kernels, y[0])
    found = predicted_layer_changes(kernels, size * y[0])
    for one, other in zip(usual, found, strict=True):
        np.testing.assert_allclose(other, size * one, rtol=1e-12)
