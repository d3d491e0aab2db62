"""The linearised twin of deep networks, against the two-layer one, its equation, and networks."""

import functools
import math

import numpy as np
import pytest

import netphase as nph
from netphase import activations, datasets, kernels, networks
from netphase.analysis import fit_power_law
from netphase.dynamics import Adam, DeepGradientDynamics, DeepLinearizedDynamics, Descent, Flow
from netphase.engine import Stop
from netphase.errors import ArgumentError
from netphase.networks import LayerParameters
from netphase.scalings import LayerScaling, ScalingLaw, layer_initialisation

DATA = datasets.four_points()
NEW = np.array([[0.3, 1.0], [-0.7, 1.0], [2.0, 1.0]])


@pytest.fixture(scope="module")
def case(deep_case):
    """The twin of networks on four points, and their start."""
    return functools.partial(deep_case, DeepLinearizedDynamics)


def test_with_one_hidden_layer_it_is_the_two_layer_one():
    law = ScalingLaw.from_gamma(0.8, 0.3)
    scales = LayerScaling.from_two_layer(law).with_learning_rates((0.0, 0.0)).at_width(30)
    network = networks.MultiLayerNetwork(activations.get("tanh"), scales, 2, kind="plain")
    start = networks.initial_layer_parameters(network, seeds=(3,))
    w, a = (each.reshape(30, -1) for each in start.weights)
    two = nph.TwoLayerNetwork(activations.get("tanh"), law.at_width(30))
    expected = kernels.LinearModel(two, (a[:, 0], w), DATA.x, DATA.y)
    model = DeepLinearizedDynamics(network, DATA.x, DATA.y).model(start)
    clock = two.scales.beta1 * two.scales.beta2
    for time in (0.0, 2.0, 50.0, math.inf):
        raw = time * clock
        np.testing.assert_allclose(model.output(raw, NEW)[0], expected.output(time, NEW), atol=1e-8)
        moved_a, moved_w = expected.parameters(time)
        found_w, found_a = model.parameters(raw).weights
        np.testing.assert_allclose(found_w.reshape(30, -1), moved_w, atol=1e-8)
        np.testing.assert_allclose(found_a.ravel(), moved_a, atol=1e-8)


@pytest.mark.parametrize("kind", ["antisymmetric", "centred", "plain"])
@pytest.mark.parametrize("outputs", [1, 3])
def test_its_residual_obeys_the_equation_of_the_frozen_kernel(kind, outputs, case):
    twin, start = case("gelu", 3, outputs=outputs, kind=kind)
    model = twin.model(start)
    theta = kernels.tangent_kernel(twin.network, start, DATA.x).total
    rate = theta.trace(axis1=1, axis2=2) / DATA.n
    time, h = 0.3 / rate, 1e-4 / rate
    ahead, behind = (model.residual(time + each).reshape(4, -1) for each in (h, -h))
    middle = model.residual(time).reshape(4, -1)
    expected = -np.einsum("enp,ep->en", theta, middle) / DATA.n
    slope = (ahead - behind) / (2 * h[:, None])
    np.testing.assert_allclose(slope, expected, rtol=1e-6, atol=1e-7 * abs(expected).max())
    fitted = model.output(time, DATA.x) - twin.y
    np.testing.assert_allclose(fitted, model.residual(time), atol=1e-11)


def test_it_leaves_the_start_in_the_direction_of_the_network(case):
    twin, start = case(depth=3, kind="plain")
    task = DeepGradientDynamics(twin.network, twin.x, twin.y)
    moved = nph.evolve(task, Descent(1e-8), start, stop=Stop(max_steps=1)).final
    for layer, mine in enumerate(twin.model(start).parameters(1e-8).weights):
        step = moved.weights[layer] - start.weights[layer]
        np.testing.assert_allclose(
            mine - start.weights[layer], step, rtol=1e-4, atol=1e-7 * abs(step).max()
        )


def test_its_trajectory_holds_the_changes_of_its_parameters(case):
    twin, start = case(kind="antisymmetric")
    times = [0.5, 3.0]
    stop = Stop(mean_square=1e-3)
    run = nph.evolve(twin, Flow(), start, stop=stop, times=times)
    assert {each.value for each in run.status} == {"converged"}
    np.testing.assert_allclose(run.mean_square[-1], 1e-3, rtol=1e-10)
    assert np.all(np.nanmax(np.diff(run.mean_square, axis=0), axis=0) <= 0)
    for layer, after in enumerate(run.final.weights):
        before = start.weights[layer]
        size = np.linalg.norm(before.reshape(4, -1), axis=1)
        change = np.linalg.norm((after - before).reshape(4, -1), axis=1) / size
        np.testing.assert_allclose(run.frobenius_change[-1, :, layer], change, rtol=1e-9)
    model = twin.model(start)
    for time, kept in zip(times, run.snapshots, strict=True):
        for member in range(4):
            reached = run.time[-1, member] >= time
            wanted = model.parameters(time).weights[1][member]
            if reached:
                np.testing.assert_allclose(kept.weights[1][member], wanted, rtol=1e-12)
            else:
                assert np.isnan(kept.weights[1][member]).all()


def test_ends_that_are_no_success_have_their_status(case):
    twin, start = case()
    early = nph.evolve(twin, Descent(), start, stop=Stop(mean_square=1e-9, time=0.1))
    assert {each.value for each in early.status} == {"time reached"}
    assert np.all(early.time[-1] == 0.1)
    x, y = np.array([[1.0, 1.0], [1.0, 1.0]]), np.array([0.0, 2.0])  # no function fits both
    never = nph.evolve(DeepLinearizedDynamics(twin.network, x, y), Flow(), start)
    assert {each.value for each in never.status} == {"stagnated"}
    np.testing.assert_allclose(never.mean_square[-1], 1.0, rtol=1e-10)


def test_a_start_that_overflows_does_not_move(case):
    twin, start = case("relu", kind="plain")
    huge = LayerParameters(tuple(each.copy() for each in start.weights))
    huge.weights[0][0] *= 1e200
    huge.weights[1][0] *= 1e200
    run = nph.evolve(twin, Flow(), huge, stop=Stop(mean_square=1e-3))
    assert [each.value for each in run.status] == ["non-finite", *["converged"] * 3]
    assert np.array_equal(run.final.weights[0][0], huge.weights[0][0])


@pytest.mark.parametrize("depth", [1, 2])
def test_networks_of_ntk_scaling_follow_it_ever_more_closely(depth):
    """The distance at the end falls faster than the bound m^(−1/2), towards m^(−1)."""
    widths, seeds, found = (32, 128, 512), range(6), []
    for m in widths:
        scales = layer_initialisation("ntk", depth, d=2).at_width(m)
        network = networks.MultiLayerNetwork(activations.get("tanh"), scales, 2, kind="centred")
        start = networks.initial_layer_parameters(network, seeds)
        task = DeepGradientDynamics(network, DATA.x, DATA.y)
        run = nph.evolve(task, Descent("stable"), start, stop=Stop(mean_square=1e-4))
        model = DeepLinearizedDynamics(network, DATA.x, DATA.y).model(start)
        found.append(model.distance(run.time[-1], run.final, NEW))
    fit = fit_power_law(np.array(widths, float), np.array(found).T)
    assert -1.0 - 3 * fit.standard_error < fit.exponent < -0.5 - 2 * fit.standard_error


def test_bad_arguments_are_refused_in_words(case):
    twin, start = case()
    with pytest.raises(ArgumentError, match="must be a Descent or a Flow"):
        nph.evolve(twin, Adam(), start)
    with pytest.raises(ArgumentError, match="`time` must be one number or have 4 columns"):
        twin.model(start).residual(np.ones(3))
    with pytest.raises(ArgumentError, match="`time` must be ≥ 0"):
        twin.model(start).residual(-1.0)
    with pytest.raises(ArgumentError, match="must have the shape"):
        DeepLinearizedDynamics(twin.network, DATA.x, DATA.y[:2])
