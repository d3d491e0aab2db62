"""Exact test errors and distances of functions against sampling, closed forms and each other."""

import math
import resource

import numpy as np
import pytest

from netphase import activations, targets
from netphase.errors import ArgumentError
from netphase.networks import Parameters, TwoLayerNetwork, student_parameters
from netphase.observables import function_distance, population_risk
from netphase.scalings import Scales


def network(activation="relu", alpha=1.0, beta2=1.0):
    return TwoLayerNetwork(activations.get(activation), Scales(alpha, 1.0, beta2))


def draw(m, d, seed=0):
    rng = np.random.default_rng(seed)
    return Parameters(rng.standard_normal(m), 0.6 * rng.standard_normal((m, d)))


@pytest.mark.parametrize("inputs", ["gaussian", "sphere"])
def test_risk_equals_the_error_of_samples(inputs):
    net, target = network(alpha=3.0), targets.finite_neurons(7, 3)
    student = draw(11, 7)
    data = target.sample(300_000, seed=1, inputs=inputs)
    squares = (net.output(student, data.x) - data.y) ** 2
    found = population_risk(net, student, target, inputs)
    assert abs(squares.mean() - found) < 4 * squares.std() / math.sqrt(len(squares))


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "gelu"])
def test_distance_of_two_widths_equals_that_of_samples(activation):
    net, one, other = network(activation, 2.0, 1.3), draw(5, 4), draw(9, 4, seed=1)
    x = np.random.default_rng(2).standard_normal((300_000, 4))
    squares = (net.output(one, x) - net.output(other, x)) ** 2
    found = function_distance(net, one, other)
    assert abs(squares.mean() - found) < 4 * squares.std() / math.sqrt(len(squares))
    assert function_distance(net, other, one) == pytest.approx(found, rel=1e-12)


def test_distance_to_a_target_of_neurons_is_the_risk():
    net, student, teacher = network(), draw(8, 5), draw(3, 5, seed=1)
    found = function_distance(net, student, teacher)
    assert found == pytest.approx(
        population_risk(net, student, targets.neurons(*teacher)), rel=1e-13
    )


def test_distance_of_a_network_to_itself_split_in_two_is_zero():
    net, one = network(), draw(8, 5)
    halves = Parameters(np.concatenate([one.a, one.a]) / 2, np.concatenate([one.w, one.w]))
    assert function_distance(net, one, halves) < 1e-14 * float(np.sum(np.abs(one.a))) ** 2


def test_small_distances_are_resolved():
    # two neurons at a small angle φ: E (relu(b·x) − relu(c·x))² = φ²/2 + O(φ³)
    for phi in (1e-2, 1e-4, 1e-6):
        one = Parameters(np.ones(1), np.array([[1.0, 0.0]]))
        other = Parameters(np.ones(1), np.array([[math.cos(phi), math.sin(phi)]]))
        found = function_distance(network(), one, other)
        assert found == pytest.approx(phi**2 / 2, rel=phi, abs=5e-16)


def test_wide_networks_cost_no_square_of_memory():
    student = student_parameters(6000, 20, output_std=0.01)
    population_risk(network(), draw(4, 20), targets.circle(20))  # loads what has to be loaded
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert population_risk(network(), student, targets.circle(20)) > 0
    assert function_distance(network(), student, draw(5, 20)) > 0
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < 6000**2 * 8 / 4  # bytes; one array over all pairs would be four times this


def test_bad_input_is_one_sentence():
    net = network()
    with pytest.raises(ArgumentError, match="must have the 5 inputs of the target"):
        population_risk(net, draw(3, 4), targets.circle(5))
    with pytest.raises(ArgumentError, match="equal numbers of inputs, but have 4 and 5"):
        function_distance(net, draw(3, 4), draw(3, 5))
    with pytest.raises(ArgumentError, match="must hold a of shape"):
        population_risk(net, Parameters(np.ones(2), np.ones((3, 4))), targets.circle(4))
    with pytest.raises(ArgumentError, match="no closed form"):
        population_risk(network("tanh"), draw(3, 4), targets.circle(4), "sphere")
    with pytest.raises(ArgumentError, match="`inputs` must be one of"):
        function_distance(net, draw(3, 4), draw(3, 4), "cube")
