"""Merged networks: the same function with fewer neurons, and an error that is the true one."""

import math

import numpy as np
import pytest

from netphase import activations, datasets
from netphase.dynamics import Descent, GradientDynamics, evolve
from netphase.errors import ArgumentError
from netphase.networks import Parameters, TwoLayerNetwork, initial_parameters
from netphase.observables import merge
from netphase.scalings import Scales, ScalingLaw


def _network(name, beta2=1.0):
    return TwoLayerNetwork(activations.get(name), Scales(2.0, 0.5, beta2))


def _split(name, lengths, seed=0):
    """A network of three neurons, each split into many; the few and the many."""
    rng = np.random.default_rng(seed)
    few = Parameters(np.array([1.0, -2.0, 0.5]), rng.standard_normal((3, 4)))
    place = np.repeat(np.arange(3), 50)
    part = rng.dirichlet(np.ones(50), 3).ravel() if lengths else np.full(150, 0.02)
    stretch = rng.uniform(0.5, 2, 150) if lengths else np.ones(150)
    many = Parameters(few.a[place] * part / stretch, few.w[place] * stretch[:, None])
    return _network(name), few, many, rng.standard_normal((20, 4))


@pytest.mark.parametrize("name", ["relu", "leaky_relu"])
def test_homogeneous_merging_is_exact_whatever_the_lengths(name):
    network, few, many, x = _split(name, lengths=True)
    merged = merge(network, many, x)
    assert (merged.size, merged.neurons_before, merged.inactive) == (3, 150, 0)
    assert merged.error < 1e-13
    fresh = np.random.default_rng(9).standard_normal((40, 4))
    np.testing.assert_allclose(
        network.output(merged.parameters, fresh), network.output(few, fresh), rtol=1e-11
    )


@pytest.mark.parametrize("name", ["tanh", "x_tanh", "centred_sigmoid"])
def test_smooth_merging_is_exact_for_equal_lengths(name):
    network, few, many, x = _split(name, lengths=False)
    merged = merge(network, many, x)
    assert merged.error < 1e-13
    order = np.argsort(-merged.parameters.a)
    np.testing.assert_allclose(merged.parameters.a[order], few.a[[0, 2, 1]])
    np.testing.assert_allclose(merged.parameters.w[order], few.w[[0, 2, 1]])


@pytest.mark.parametrize(("name", "p"), [("tanh", 1), ("x_tanh", 2), ("x2_tanh", 3)])
def test_smooth_merging_keeps_the_leading_order(name, p):
    """The error falls as the square of the input weights' size, β₂²: the next order of σ."""
    _, _, many, x = _split(name, lengths=True)
    assert activations.get(name).multiplicity == p
    errors = [merge(_network(name, b), many, x).error for b in (1e-2, 1e-3)]
    assert errors[0] < 1e-2
    assert errors[0] / errors[1] == pytest.approx(100, rel=0.1)


def test_refitting_never_makes_it_worse():
    network, _, many, x = _split("tanh", lengths=True)
    plain, refitted = merge(network, many, x), merge(network, many, x, refit=True)
    assert refitted.error < 0.9 * plain.error
    columns = np.tanh(x @ plain.parameters.w.T)
    target = network.output(many, x)
    rest = target - columns @ np.linalg.lstsq(columns, target, rcond=None)[0]
    assert refitted.error == pytest.approx(np.linalg.norm(rest) / np.linalg.norm(target))


@pytest.mark.parametrize("name", ["sigmoid", "softplus"])
def test_a_constant_of_the_activation_is_kept_by_refitting_alone(name):
    network, _, many, x = _split(name, lengths=True)
    for given in (network, _network(name, 1e-3)):
        with pytest.raises(ArgumentError, match=r"Take refit=True, or train with the centred"):
            merge(given, many, x)
    alike = _split(name, lengths=False)[2]
    assert merge(network, alike, x, refit=True).error < 1e-13
    refitted = merge(network, many, x, refit=True)
    columns = network.activation.value(x @ refitted.parameters.w.T)
    target = network.output(many, x)
    rest = target - columns @ np.linalg.lstsq(columns, target, rcond=None)[0]
    assert refitted.error == pytest.approx(np.linalg.norm(rest) / np.linalg.norm(target))


@pytest.mark.parametrize("k", [-900, -540, 540, 900])
def test_networks_of_any_size_merge_alike(k):
    network, _, many, x = _split("relu", lengths=True)
    noisy = Parameters(many.a, many.w + 0.01 * np.random.default_rng(1).normal(size=many.w.shape))
    few = merge(network, noisy, x)
    for scaled in (
        Parameters(np.ldexp(noisy.a, k), noisy.w),
        Parameters(noisy.a, np.ldexp(noisy.w, k)),
    ):
        found = merge(network, scaled, x)
        assert found.size == few.size == 3
        assert found.error == pytest.approx(few.error, rel=1e-9)


def test_signs_add_up_and_opposite_directions_stay_apart():
    w = np.array([[1.0, 2.0], [2.0, 4.0], [-1.0, -2.0], [3.0, -1.0], [1e-3, 0.0]])
    parameters = Parameters(np.array([1.0, -0.25, 3.0, 1.0, 1.0]), w)
    x = np.random.default_rng(0).standard_normal((30, 2))
    merged = merge(_network("relu"), parameters, x)
    assert merged.labels.tolist()[:2] == [merged.labels[0]] * 2
    assert merged.labels[4] == -1
    assert merge(_network("relu"), parameters, x, least_share=0.0).error < 1e-14
    assert (merged.size, merged.inactive) == (3, 1)
    lost = np.maximum(x @ w[4], 0)
    before = np.maximum(x @ w.T, 0) @ parameters.a
    assert merged.error == pytest.approx(np.linalg.norm(lost) / np.linalg.norm(before))


def test_a_condensed_network_is_two_neurons_and_a_constant():
    """γ = 2, four points: two kinks at ±1/6, and a weak third direction for the constant 1/36."""
    data = datasets.four_points()
    m = 1000
    scales = ScalingLaw.from_gamma(2.0, 0.0).at_width(m)
    network = TwoLayerNetwork(activations.get("relu"), scales)
    run = evolve(GradientDynamics(network, data), Descent(), initial_parameters(m, 2, 0), tracked=m)
    grid = np.column_stack([np.linspace(-0.5, 0.5, 2001), np.ones(2001)])
    spikes = merge(network, run.final, grid, least_share=0.05)
    assert (spikes.size, spikes.neurons_before) == (2, 2 * m)
    kinks = -spikes.parameters.w[:, 1] / spikes.parameters.w[:, 0]
    np.testing.assert_allclose(np.sort(kinks), [-1 / 6, 1 / 6], atol=0.003)
    function = 1 / 36 + 2 / 3 * np.maximum(np.abs(grid[:, 0]) - 1 / 6, 0)
    missing = 1 / 36 / np.sqrt(np.mean(function**2))
    assert spikes.error == pytest.approx(missing, rel=0.05)
    whole = merge(network, run.final, grid, refit=True)
    assert whole.size == 3
    assert whole.error < 0.01
    np.testing.assert_allclose(network.output(whole.parameters, grid), function, atol=0.004)


def test_the_error_of_a_zero_output_is_not_a_number():
    start = initial_parameters(5, 2, 0)
    assert math.isnan(merge(_network("relu"), start, np.zeros((3, 2))).error)


@pytest.mark.parametrize("name", ["relu", "tanh", "centred_sigmoid"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("m", "d"), [(7, 2), (333, 3), (20_000, 2)])
def test_the_error_of_an_output_of_rounding_is_not_a_number(name, dtype, m, d):
    """An antisymmetric start; and beyond rounding by a factor of a hundred there is an error."""
    network = _network(name)
    start = initial_parameters(m, d, 1, dtype=dtype)
    x = np.random.default_rng(2).standard_normal((30, d)).astype(dtype)
    assert math.isnan(merge(network, start, x).error)
    a = start.a.copy()
    side = np.sign(start.a[:m] * start.w[:m, 0])
    a[:m] *= 1 + 1000 * np.finfo(dtype).eps * (math.sqrt(m) + d) * side
    assert not math.isnan(merge(network, Parameters(a, start.w), x).error)


PLAIN = Parameters(np.ones(2), np.eye(2))
X = np.ones((3, 2))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda n: merge(n, Parameters(np.zeros(2), np.eye(2)), X), "2 neurons are dead"),
        (lambda n: merge(n, Parameters(np.ones(2), np.zeros((2, 2))), X), "weights are zero"),
        (lambda n: merge(n, PLAIN, np.ones((3, 4))), "must have the shapes"),
        (lambda n: merge(n, PLAIN, np.full((3, 2), np.nan)), "`x` must be finite"),
        (lambda n: merge(n, Parameters(np.array([1, np.nan]), np.eye(2)), X), "1 of its 2"),
        (lambda n: merge(n, PLAIN, X, least_share=0.7), "strongest of the 2 directions"),
        (lambda n: merge(n, PLAIN, X, cosine=2), r"`cosine` must lie in \(-1, 1\)"),
        (lambda _: merge("relu", PLAIN, X), "`network` must be a TwoLayerNetwork"),
    ],
)
def test_merging_refuses_in_words(call, words):
    with pytest.raises(ArgumentError, match=words):
        call(_network("relu"))
