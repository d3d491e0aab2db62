"""The network as a map and its starting point."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netphase import activations
from netphase.errors import ArgumentError
from netphase.networks import (
    Parameters,
    TwoLayerNetwork,
    initial_parameters,
    student_parameters,
    two_layer,
)
from netphase.scalings import Scales, ScalingLaw


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 5), st.integers(-5, 5))
def test_draws_are_nested_in_the_width(small, extra, d, seed):
    one = initial_parameters(small, d, seed, antisymmetric=False)
    more = initial_parameters(small + extra, d, seed, antisymmetric=False)
    assert np.array_equal(one.a, more.a[:small])
    assert np.array_equal(one.w, more.w[:small])


@pytest.mark.parametrize("name", activations.NAMES)
@pytest.mark.parametrize("law", [ScalingLaw.ntk(), ScalingLaw.he(3)])
def test_the_antisymmetric_network_starts_at_zero(name, law):
    parameters = initial_parameters(50, 3, seed=4)
    assert parameters.a.shape == (100,)
    assert parameters.w.shape == (100, 3)
    assert np.array_equal(parameters.a[50:], -parameters.a[:50])
    assert np.array_equal(parameters.w[50:], parameters.w[:50])
    x = np.random.default_rng(0).standard_normal((7, 3))
    network = TwoLayerNetwork(activations.get(name), law.at_width(50))
    terms = network.scales.kappa * 100
    assert np.max(np.abs(network.output(parameters, x))) < 1e-14 * terms


def test_parameters_are_standard_normal():
    parameters = initial_parameters(40_000, 3, seed=5, antisymmetric=False)
    for draws in (parameters.a, parameters.w.ravel()):
        error = 1 / np.sqrt(draws.size)
        assert abs(draws.mean()) < 4 * error
        assert abs(draws.var() - 1) < 4 * np.sqrt(2) * error
    assert abs(np.mean(parameters.a * parameters.w[:, 0])) < 4 / np.sqrt(40_000)


def test_float32_rounds_the_same_draws():
    wide = initial_parameters(30, 2, seed=1)
    narrow = initial_parameters(30, 2, seed=1, dtype="float32")
    assert narrow.a.dtype == narrow.w.dtype == np.float32
    assert np.array_equal(wide.a.astype(np.float32), narrow.a)
    assert np.array_equal(wide.w.astype(np.float32), narrow.w)


def test_permuting_neurons_changes_nothing():
    parameters = initial_parameters(20, 2, seed=0, antisymmetric=False)
    order = np.random.default_rng(1).permutation(20)
    network = TwoLayerNetwork(activations.get("tanh"), Scales(4.0, 1.0, 0.5))
    x = np.array([[0.1, 1.0], [-0.7, 1.0]])
    mixed = Parameters(parameters.a[order], parameters.w[order])
    np.testing.assert_allclose(network.output(mixed, x), network.output(parameters, x), rtol=1e-13)


def test_smooth_units_approach_the_identity_at_small_scales():
    network = TwoLayerNetwork(activations.get("tanh"), Scales(1.0, 1.0, 1e-4))
    z = np.linspace(-2, 2, 5)
    np.testing.assert_allclose(network.unit(z), z, atol=1e-7)
    np.testing.assert_allclose(network.unit_derivative(z), 1, atol=1e-7)
    assert TwoLayerNetwork(activations.get("relu"), Scales(1.0, 1.0, 1e-4)).inner_scale == 1


def test_misfitting_shapes_are_refused_in_words():
    network = TwoLayerNetwork(activations.get("relu"), Scales(1.0, 1.0, 1.0))
    parameters = initial_parameters(5, 2)
    with pytest.raises(ArgumentError, match=r"but have \(10,\), \(10, 2\) and \(4, 3\)"):
        network.output(parameters, np.ones((4, 3)))
    with pytest.raises(ArgumentError, match="`width` must be a positive integer"):
        initial_parameters(0, 2)
    with pytest.raises(ArgumentError, match="`dtype` must be one of float64, float32"):
        initial_parameters(3, 2, dtype="float16")


def test_parts_of_another_type_are_refused():
    scales = ScalingLaw.ntk().at_width(3)
    with pytest.raises(ArgumentError, match="`activation` must be an Activation"):
        TwoLayerNetwork("tanh", scales)
    with pytest.raises(ArgumentError, match="`scales` must be the Scales of one width"):
        TwoLayerNetwork(activations.get("tanh"), ScalingLaw.ntk())


def test_wide_networks_are_evaluated_block_by_block(monkeypatch):
    network = TwoLayerNetwork(activations.get("tanh"), ScalingLaw.ntk().at_width(50))
    parameters, x = initial_parameters(50, 3, antisymmetric=False), np.eye(4, 3)
    whole = network.output(parameters, x)
    sizes = []
    monkeypatch.setattr(two_layer, "BLOCK", 4 * 7)
    inner = TwoLayerNetwork.unit
    monkeypatch.setattr(
        TwoLayerNetwork, "unit", lambda self, z: sizes.append(z.shape) or inner(self, z)
    )
    assert np.allclose(network.output(parameters, x), whole, rtol=1e-12)
    assert sizes == [(4, 7)] * 7 + [(4, 1)]


def test_a_student_starts_silent_with_input_weights_of_size_one() -> None:
    few, many = student_parameters(5, 7, seed=3), student_parameters(20, 7, seed=3)
    np.testing.assert_array_equal(few.w, many.w[:5])
    assert not few.a.any()
    np.testing.assert_allclose(np.linalg.norm(many.w, axis=1), 1.0, rtol=1e-15)


def test_a_student_may_start_with_gaussian_weights() -> None:
    start = student_parameters(4000, 10, seed=1, output_std=0.5, weights="gaussian")
    assert start.a.std() == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(8000))
    assert (start.w**2).sum(axis=1).mean() == pytest.approx(1.0, abs=4 * math.sqrt(0.2 / 4000))
    assert student_parameters(3, 2, dtype="float32").w.dtype == np.float32


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"output_std": -1.0}, "`output_std` must not be negative"),
        ({"weights": "cube"}, "`weights` must be one of"),
        ({"width": 0}, "`width` must be a positive integer"),
    ],
)
def test_a_wrong_student_is_refused_in_words(options: dict[str, object], words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        student_parameters(**({"width": 3, "d": 2} | options))
