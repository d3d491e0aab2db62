"""Deep networks as maps: values, derivatives, starting points, against plain complex arithmetic."""

import math

import numpy as np
import pytest
from scipy.special import erf, log1p

from netphase import activations
from netphase.errors import ArgumentError
from netphase.networks import (
    LayerParameters,
    MultiLayerNetwork,
    TwoLayerNetwork,
    initial_layer_parameters,
    initial_parameters,
)
from netphase.scalings import LayerScales, LayerScaling, ScalingLaw, layer_initialisation

KINDS = ("antisymmetric", "centred", "plain")
COMPLEX = {
    "relu": lambda z: np.where(z.real > 0, z, 0),
    "leaky_relu": lambda z: np.where(z.real > 0, z, 0.01 * z),
    "tanh": np.tanh,
    "x_tanh": lambda z: z * np.tanh(z),
    "x2_tanh": lambda z: z**2 * np.tanh(z),
    "erf": erf,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "softplus": lambda z: log1p(np.exp(z)),
    "gelu": lambda z: z * (1 + erf(z / math.sqrt(2))) / 2,
    "centred_sigmoid": lambda z: np.tanh(z / 2) / 2,
    "centred_softplus": lambda z: log1p(np.exp(z)) - math.log(2),
}
"""Activations as analytic functions, so that derivatives need no differences."""


def by_hand(name, scales, weights, x):
    """f(x) of one network in raw weights, sample by sample, (n, k)."""
    rows = []
    for sample in x:
        h = sample
        for beta, matrix in zip(scales.betas[:-1], weights[:-1], strict=True):
            h = COMPLEX[name]((beta * matrix) @ h)
        rows.append(scales.betas[-1] * weights[-1] @ h / scales.alpha)
    return np.array(rows)


def networks_of(depth, name="tanh", **rest):
    """A network of two scalings and uneven widths, and inputs for it."""
    scales = tuple(
        layer_initialisation(each, depth, d=3).at_width(8) for each in ("he", "mean_field")
    )
    widths = (5, 8, 4, 7, 6, 5)[:depth]
    network = MultiLayerNetwork(activations.get(name), scales, 3, widths=widths, **rest)
    return network, np.random.default_rng(depth).standard_normal((4, 3))


def random_like(parameters, seed=0):
    random = np.random.default_rng(seed)
    return LayerParameters(tuple(random.standard_normal(w.shape) for w in parameters.weights))


@pytest.mark.parametrize("depth", range(1, 7))
@pytest.mark.parametrize("name", activations.NAMES)
def test_values_and_gradients_are_those_of_complex_arithmetic(name, depth):
    network, x = networks_of(depth, name, outputs=2, kind="plain")
    start = initial_layer_parameters(network, seeds=(depth,))
    values = network.output(start, x)
    pull = np.random.default_rng(1).standard_normal(values.shape)
    found = network.gradient(start, x, pull)
    step = random_like(start)
    for e, scales in enumerate(network.members(2)):
        weights = [each[e, 0] for each in start.weights]
        expected = by_hand(name, scales, weights, x)
        np.testing.assert_allclose(values[e], expected, rtol=0, atol=1e-13 * abs(expected).max())
        for layer, direction in enumerate(step.weights):
            moved = [w.astype(complex) for w in weights]
            moved[layer] += 1e-30j * direction[e, 0]
            slope = np.sum(pull[e] * by_hand(name, scales, moved, x).imag) / 1e-30
            ours = np.sum(found.weights[layer][e, 0] * direction[e, 0])
            size = np.linalg.norm(found.weights[layer][e]) * np.linalg.norm(direction[e])
            assert abs(ours - slope) <= 1e-12 * size


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("depth", [1, 3, 6])
def test_derivatives_forwards_and_backwards_are_adjoint(kind, outputs, depth):
    network, x = networks_of(depth, "gelu", outputs=outputs, kind=kind)
    start = initial_layer_parameters(network, seeds=(0, 5, -1))
    direction = random_like(start)
    forward = network.derivative(start, x, direction)
    assert forward.shape == ((6, 4) if outputs == 1 else (6, 4, outputs))
    pull = np.random.default_rng(2).standard_normal(forward.shape)
    backward = network.gradient(start, x, pull)
    left = np.sum((forward * pull).reshape(6, -1), axis=1)
    pairs = zip(backward.weights, direction.weights, strict=True)
    right = sum(np.sum((g * v).reshape(6, -1), axis=1) for g, v in pairs)
    np.testing.assert_allclose(left, right, rtol=0, atol=1e-12 * abs(left).max())


@pytest.mark.parametrize("kind", KINDS[:2])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", activations.NAMES)
def test_both_ways_to_start_at_zero_start_at_exactly_zero(kind, dtype, name):
    network, x = networks_of(3, name, outputs=2, kind=kind)
    start = initial_layer_parameters(network, seeds=(0, 1), dtype=dtype)
    values = network.output(start, x.astype(dtype))
    assert values.dtype == dtype
    assert not values.any()
    moved = LayerParameters(tuple(w + 0.1 for w in start.weights), start.centre)
    assert network.output(moved, x.astype(dtype)).all()


def test_a_centred_output_is_the_plain_one_minus_that_of_its_centre():
    centred, x = networks_of(2, kind="centred")
    plain, _ = networks_of(2, kind="plain")
    start = initial_layer_parameters(centred)
    moved = random_like(start)
    difference = plain.output(moved, x) - plain.output(LayerParameters(start.weights), x)
    found = centred.output(LayerParameters(moved.weights, start.centre), x)
    np.testing.assert_array_equal(found, difference)


@pytest.mark.parametrize("name", activations.NAMES)
@pytest.mark.parametrize("antisymmetric", [True, False])
def test_one_hidden_layer_is_the_two_layer_network(name, antisymmetric):
    law, x = ScalingLaw.from_gamma(1.3, 0.2), np.random.default_rng(0).standard_normal((6, 3))
    kind = "antisymmetric" if antisymmetric else "plain"
    scales = LayerScaling.from_two_layer(law).at_width(30)
    deep = MultiLayerNetwork(activations.get(name), scales, 3, kind=kind)
    start = initial_layer_parameters(deep, seeds=(4,))
    two = TwoLayerNetwork(activations.get(name), law.at_width(30))
    state = initial_parameters(30, 3, seed=4, antisymmetric=antisymmetric)
    np.testing.assert_array_equal(start.weights[0][0].reshape(-1, 3), state.w)
    np.testing.assert_array_equal(start.weights[1][0].ravel(), state.a)
    moved = LayerParameters((start.weights[0] + 0.3, start.weights[1] + 0.2))
    expected = two.output(state._replace(a=state.a + 0.2, w=state.w + 0.3), x)
    np.testing.assert_allclose(deep.output(moved, x)[0], expected, rtol=1e-12, atol=1e-15)


def test_draws_are_nested_in_widths_depths_and_seeds():
    def drawn(depth, widths, seeds, outputs=1):
        scales = layer_initialisation("ntk", depth, d=2).at_width(9)
        network = MultiLayerNetwork(
            activations.get("tanh"), scales, 2, widths=widths, outputs=outputs, kind="plain"
        )
        return initial_layer_parameters(network, seeds).weights

    small, large = drawn(2, (3, 5), (7,)), drawn(3, (6, 9, 4), (1, 7))
    np.testing.assert_array_equal(small[0][0, 0], large[0][1, 0][:3])
    np.testing.assert_array_equal(small[1][0, 0], large[1][1, 0][:5, :3])
    few, many = drawn(3, (6, 9, 2), (7,)), drawn(3, (6, 9, 4), (7,))
    np.testing.assert_array_equal(few[2][0, 0], many[2][0, 0][:2])
    np.testing.assert_array_equal(few[3][0, 0], many[3][0, 0][:, :2])


def test_every_weight_is_standard_normal_and_every_layer_independent():
    scales = layer_initialisation("ntk", 3, d=2).at_width(120)
    network = MultiLayerNetwork(activations.get("tanh"), scales, 2, kind="plain")
    first, second = (each[0, 0] for each in initial_layer_parameters(network).weights[1:3])
    count = first.size
    for draws in (first, second):
        assert abs(draws.mean()) < 4 / math.sqrt(count)
        assert abs(draws.var() - 1) < 4 * math.sqrt(2 / count)
    assert abs(np.mean(first * second)) < 4 / math.sqrt(count)
    assert abs(np.mean(first * first.T)) - 1 / 120 < 4 * math.sqrt(2 / count)


def test_scalings_come_with_the_same_draws_and_members_in_order():
    network, _ = networks_of(2)
    start = initial_layer_parameters(network, seeds=(0, 1, 2))
    assert network.members(6) == tuple(s for s in network.all_scales for _ in range(3))
    for each in start.weights:
        np.testing.assert_array_equal(each[:3], each[3:])
    np.testing.assert_array_equal(
        network.mobilities(6)[3:],
        [np.divide(s.rates, np.square(s.betas)) for s in network.members(6)[3:]],
    )


def test_float32_rounds_the_same_draws_and_works_at_scales_it_cannot_hold():
    tiny = LayerScales(10, (1e-30, 1e-20, 1e35), (1.0, 1.0, 1.0))
    network = MultiLayerNetwork(activations.get("relu"), tiny, 3, kind="plain")
    wide = initial_layer_parameters(network)
    narrow = initial_layer_parameters(network, dtype="float32")
    x = np.random.default_rng(0).standard_normal((4, 3))
    np.testing.assert_array_equal(narrow.weights[1], wide.weights[1].astype(np.float32))
    np.testing.assert_allclose(network.output(narrow, x), network.output(wide, x), rtol=1e-5)


TANH = activations.get("tanh")
SCALES = layer_initialisation("ntk", 2, d=3).at_width(4)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("tanh", SCALES, 3), "`activation` must be an Activation"),
        ((TANH, ScalingLaw.ntk(), 3), "`scales` must be LayerScales, or a tuple of them"),
        ((TANH, (), 3), "`scales` must not be empty"),
        ((TANH, (SCALES, layer_initialisation("ntk", 3, d=3).at_width(4)), 3), "one depth and"),
        ((TANH, SCALES, 0), "`inputs` must be a positive integer"),
        ((TANH, SCALES, 3, (4,)), "`widths` must have one entry a hidden layer, 2, but has 1"),
        ((TANH, SCALES, 3, (4, 0)), r"`widths\[1\]` must be a positive integer"),
        ((TANH, SCALES, 3, (), 0), "`outputs` must be a positive integer"),
        ((TANH, SCALES, 3, (), 1, "symmetric"), "Did you mean 'antisymmetric'"),
    ],
)
def test_a_wrong_network_is_refused_in_a_sentence(arguments, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        MultiLayerNetwork(*arguments)


def test_what_does_not_fit_is_refused_in_a_sentence():
    network, x = networks_of(2)
    start = initial_layer_parameters(network)
    with pytest.raises(ArgumentError, match="must have 3 columns, the inputs of the network"):
        network.output(start, x[:, :2])
    with pytest.raises(ArgumentError, match=r"must hold weights of the shapes \(e, 2, 5, 3\)"):
        network.output(LayerParameters(start.weights[:2]), x)
    with pytest.raises(ArgumentError, match="a multiple of 2 networks"):
        network.output(LayerParameters(tuple(each[:1] for each in start.weights)), x)
    with pytest.raises(ArgumentError, match=r"`cotangent` must have the shape \(2, 4\)"):
        network.gradient(start, x, np.ones(4))
    with pytest.raises(ArgumentError, match="`parameters` must be LayerParameters"):
        network.output(start.weights, x)
    with pytest.raises(ArgumentError, match="no centre where the output is antisymmetric"):
        network.output(LayerParameters(start.weights, start.weights), x)
    mixed = (start.weights[0].astype(np.float32), *start.weights[1:])
    with pytest.raises(ArgumentError, match="all in float64 or all in float32"):
        network.output(LayerParameters(mixed), x)
    with pytest.raises(ArgumentError, match="`seeds` must be a sequence of integers"):
        initial_layer_parameters(network, 3)
    with pytest.raises(ArgumentError, match="at least one seed"):
        initial_layer_parameters(network, seeds=())
    with pytest.raises(ArgumentError, match="`x` must be finite"):
        network.output(start, x * math.nan)


def test_scales_and_sizes_beyond_the_machine_are_refused_with_the_layer_named():
    tiny = LayerScales(10, (1.0, 1e-60, 1e50), (1.0, 1.0, 1.0))
    network = MultiLayerNetwork(TANH, tiny, 3)
    start = initial_layer_parameters(network, dtype="float32")
    with pytest.raises(ArgumentError, match="scale 1e-60 of layer 2 is out of the range of float"):
        network.output(start, np.ones((2, 3)))
    huge = MultiLayerNetwork(TANH, SCALES, 3, widths=(10**7, 10**7))
    with pytest.raises(ArgumentError, match="must fit into memory"):
        initial_layer_parameters(huge)


@pytest.mark.parametrize(
    ("name", "depth", "m"), [("relu", 30, 64), ("relu", 70, 32), ("leaky_relu", 70, 8)]
)
def test_signals_of_very_deep_homogeneous_networks_stay_in_the_range_of_float32(name, depth, m):
    scales = layer_initialisation("he", depth, d=3).at_width(m)
    network = MultiLayerNetwork(activations.get(name), scales, 3, kind="plain")
    start = initial_layer_parameters(network, dtype="float32")
    x = np.random.default_rng(4).standard_normal((5, 3))
    expected = by_hand(name, scales, [each[0, 0].astype(complex) for each in start.weights], x)
    np.testing.assert_allclose(network.output(start, x)[0], expected[:, 0].real, rtol=1e-3)
    hidden = network.signals(start, x).inputs[1:]
    assert all(0 < np.sum(each * each) < np.inf for each in hidden)  # which kernels are made of
    slopes = network.gradient(start, x, np.ones((1, 5)))
    assert all(np.isfinite(each).all() and each.any() for each in slopes.weights)
    assert all(np.isfinite(each @ each) for each in (part.ravel() for part in slopes.weights))
