"""Training of deep networks: steps, flow, stops, ensembles, against what must hold exactly."""

import functools
import math

import numpy as np
import pytest

import netphase as nph
from netphase import activations, datasets, kernels, networks
from netphase.dynamics import Adam, DeepGradientDynamics, Descent, Flow, GradientDynamics
from netphase.engine import Stop, deep_descent
from netphase.errors import ArgumentError
from netphase.networks import LayerParameters
from netphase.scalings import LayerScaling, ScalingLaw, layer_initialisation

DATA = datasets.four_points()
METHODS = {
    "literal": Descent(0.02),
    "stable": Descent("stable"),
    "auto": Descent("auto"),
    "flow": Flow(),
}


@pytest.fixture(scope="module")
def case(deep_case):
    """Dynamics on four points, or on as many vectors, and a start."""
    return functools.partial(deep_case, DeepGradientDynamics, scalings=("he", "ntk"))


@pytest.mark.parametrize("name", activations.NAMES)
@pytest.mark.parametrize("antisymmetric", [True, False])
def test_one_hidden_layer_descends_as_the_two_layer_network(name, antisymmetric):
    law = ScalingLaw.from_gamma(1.3, 0.2)
    two, scales = law.at_width(30), LayerScaling.from_two_layer(law).with_learning_rates((0.0, 0.0))
    kind = "antisymmetric" if antisymmetric else "plain"
    deep = networks.MultiLayerNetwork(activations.get(name), scales.at_width(30), 2, kind=kind)
    state = nph.initial_parameters(30, 2, seed=3, antisymmetric=antisymmetric)
    start = networks.initial_layer_parameters(deep, seeds=(3,))
    stop = Stop(max_steps=40, mean_square=0.0)
    plane = GradientDynamics(nph.TwoLayerNetwork(activations.get(name), two), DATA)
    expected = nph.evolve(plane, Descent(0.1), state, stop=stop)
    rate = 0.1 * two.beta1 * two.beta2
    run = nph.evolve(DeepGradientDynamics(deep, DATA.x, DATA.y), Descent(rate), start, stop=stop)
    assert run.steps.tolist() == [40]
    w, a = run.final.weights
    np.testing.assert_allclose(w[0].reshape(-1, 2), expected.final.w, rtol=0, atol=1e-13)
    np.testing.assert_allclose(a[0].ravel(), expected.final.a, rtol=0, atol=1e-13)
    np.testing.assert_allclose(run.mean_square[-1], expected.mean_square[-1], rtol=1e-12)


@pytest.mark.parametrize("kind", ["antisymmetric", "centred", "plain"])
@pytest.mark.parametrize("outputs", [1, 3])
def test_a_short_step_moves_the_residual_by_the_tangent_kernel(kind, outputs, case):
    task, start = case("gelu", 3, outputs=outputs, kind=kind)
    before = task.residual(start)
    moved = nph.evolve(task, Descent(1e-7), start, stop=Stop(max_steps=1)).final
    change = (task.residual(moved) - before).reshape(4, -1) / 1e-7
    theta = kernels.tangent_kernel(task.network, start, DATA.x).total
    expected = -np.einsum("enp,ep->en", theta, before.reshape(4, -1)) / DATA.n
    np.testing.assert_allclose(change, expected, rtol=0, atol=2e-6 * abs(expected).max())


def test_a_step_is_that_of_the_gradient_with_a_rate_for_every_layer():
    scales = layer_initialisation("mup", 3, d=2).at_width(10)
    network = networks.MultiLayerNetwork(activations.get("tanh"), scales, 2)
    task = DeepGradientDynamics(network, DATA.x, DATA.y)
    start = networks.initial_layer_parameters(network)
    run = nph.evolve(task, Descent(0.01), start, stop=Stop(max_steps=1))
    slopes = task.gradient(start)
    for layer, rate in enumerate(scales.rates):  # in raw weights, W = β W̄
        beta = scales.betas[layer]
        step = beta * (run.final.weights[layer] - start.weights[layer])
        expected = -0.01 * rate * slopes.weights[layer] / beta
        np.testing.assert_allclose(step, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_an_ensemble_is_its_networks_one_by_one(method, case):
    task, start = case("tanh", 3, scalings=("he", "xavier", "mup"))
    stop = Stop(mean_square=1e-3, max_steps=120)
    times = (0.0, 0.5, 2.0)
    together = nph.evolve(task, method, start, stop=stop, times=times)
    for e, scales in enumerate(task.network.members(6)):
        network = networks.MultiLayerNetwork(task.network.activation, scales, 2)
        one = LayerParameters(tuple(each[e : e + 1] for each in start.weights))
        alone = nph.evolve(
            DeepGradientDynamics(network, DATA.x, DATA.y), method, one, stop=stop, times=times
        )
        assert alone.status[0] is together.status[e]
        assert alone.steps[0] == together.steps[e]
        assert alone.time[-1, 0] == together.time[-1, e]
        for mine, theirs in zip(alone.final.weights, together.final.weights, strict=True):
            np.testing.assert_array_equal(mine[0], theirs[e])
        for mine, theirs in zip(alone.snapshots, together.snapshots, strict=True):
            np.testing.assert_array_equal(mine.weights[0][0], theirs.weights[0][e])


def test_relu_keeps_the_balance_of_neighbouring_layers_under_the_flow():
    scales = layer_initialisation("mup", 3, d=2).at_width(10)
    network = networks.MultiLayerNetwork(activations.get("relu"), scales, 2, kind="plain")
    start = networks.initial_layer_parameters(network, seeds=(2,))
    task = DeepGradientDynamics(network, DATA.x, DATA.y)
    run = nph.evolve(task, Flow(5e-6), start, stop=Stop(time=3.0, max_steps=600))

    def balance(parameters):
        raw = [b * w[0, 0] for b, w in zip(scales.betas, parameters.weights, strict=True)]
        sizes = [each**2 / rate for each, rate in zip(raw, scales.rates, strict=True)]
        return [
            sizes[layer].sum(axis=1) - sizes[layer + 1].sum(axis=0) for layer in range(len(raw) - 1)
        ]

    for before, after in zip(balance(start), balance(run.final), strict=True):
        np.testing.assert_allclose(after, before, rtol=0, atol=1e-4 * abs(before).max())
    assert run.frobenius_change[-1].min() > 0.01


def test_descent_approaches_the_flow_in_first_order(case):
    task, start = case("tanh", 2, seeds=(0,))
    stop = Stop(time=2.0, mean_square=0.0)
    exact = nph.evolve(task, Flow(1e-8), start, stop=stop)
    assert all(status is nph.Status.TIME_REACHED for status in exact.status)
    errors = []
    for rate in (0.02, 0.01, 0.005):
        run = nph.evolve(task, Descent(rate), start, stop=stop)
        assert run.time[-1].tolist() == [2.0, 2.0]
        errors.append(np.linalg.norm(run.final.weights[1] - exact.final.weights[1]))
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert np.all(abs(orders - 1) < 0.05)


def test_the_flow_follows_its_tolerance_and_ends_on_its_marks(case):
    task, start = case("tanh", 2)
    exact, run = (
        nph.evolve(task, Flow(tol), start, stop=Stop(time=3.0, mean_square=0.0), times=(1.0, 2.0))
        for tol in (1e-9, 5e-5)
    )
    assert run.time[-1].tolist() == [3.0] * 4
    for mine, theirs in zip(run.snapshots, exact.snapshots, strict=True):
        moved = [theirs.weights[layer] - start.weights[layer] for layer in range(3)]
        for layer, change in enumerate(moved):
            error = np.linalg.norm(mine.weights[layer] - theirs.weights[layer])
            assert 0 < error < 1e-3 * np.linalg.norm(change)
    ended = nph.evolve(task, Flow(), start, stop=Stop(mean_square=1e-3))
    assert np.all(ended.mean_square[-1] <= 1e-3)
    assert np.all(ended.mean_square[-1] >= 0.998e-3)


def test_snapshots_and_history_are_those_of_the_run(case):
    task, start = case("tanh", 2)
    stop = Stop(time=1.0, mean_square=0.0)
    run = nph.evolve(task, Descent(0.03), start, stop=stop, times=(0.0, 0.5, 1.0, 9.0))
    for kept, whole in ((0, start), (2, run.final)):
        for mine, theirs in zip(run.snapshots[kept].weights, whole.weights, strict=True):
            np.testing.assert_array_equal(mine, theirs)
    assert np.isnan(run.snapshots[3].weights[0]).all()
    np.testing.assert_allclose(run.loss[-1], task.loss(run.final), rtol=1e-12)
    np.testing.assert_allclose(run.loss[0], task.loss(start), rtol=1e-12)
    norms = [np.linalg.norm(w[1]) for w in start.weights]
    moved = [
        np.linalg.norm(v[1] - w[1]) for v, w in zip(run.final.weights, start.weights, strict=True)
    ]
    np.testing.assert_allclose(run.frobenius_change[-1, 1], np.divide(moved, norms), rtol=1e-12)
    assert not run.frobenius_change[0].any()


def test_records_know_their_steps(case):
    task, start = case("tanh", 2)
    run = nph.evolve(task, Descent(0.03), start, stop=Stop(max_steps=50, mean_square=0.0))
    np.testing.assert_allclose(run.time, 0.03 * run.record_steps, rtol=1e-12)
    np.testing.assert_array_equal(run.record_steps[-1], run.steps)


def test_the_stable_descent_keeps_half_the_limit_where_features_stay(case):
    task, start = case("relu", 3, m=200, scalings=("ntk",))
    run = nph.evolve(task, Descent("stable"), start, stop=Stop(mean_square=1e-3))
    assert all(status is nph.Status.CONVERGED for status in run.status)
    np.testing.assert_allclose(run.notes["largest_sharpness"], 0.5, atol=0.08)
    largest = np.linalg.eigvalsh(kernels.tangent_kernel(task.network, start, DATA.x).total)[:, -1]
    rate = 1.0 / largest.max()
    fixed = nph.evolve(task, Descent(rate), start, stop=Stop(max_steps=1))
    expected = rate * largest / (2 * DATA.n)
    np.testing.assert_allclose(fixed.notes["largest_sharpness"], expected, rtol=0.02)


@pytest.mark.parametrize("outputs", [1, 3])
def test_the_largest_eigenvalue_is_the_same_with_and_without_the_kernel(monkeypatch, outputs, case):
    task, start = case("tanh", 3, outputs=outputs)
    exact = nph.evolve(task, Descent(0.01), start, stop=Stop(max_steps=1))
    monkeypatch.setattr(deep_descent, "FULL", 0)
    power = nph.evolve(task, Descent(0.01), start, stop=Stop(max_steps=1))
    largest = np.linalg.eigvalsh(kernels.tangent_kernel(task.network, start, DATA.x).total)[:, -1]
    sharpness = "largest_sharpness"
    np.testing.assert_allclose(exact.notes[sharpness], 0.005 * largest / DATA.n, rtol=1e-12)
    ratio = power.notes[sharpness] / exact.notes[sharpness]
    assert np.all((ratio > 0.99) & (ratio < 1 + 1e-12))


def test_stable_steps_on_many_samples_are_as_long_as_the_kernel_says():
    x = np.random.default_rng(1000).standard_normal((1000, 5))  # more than its kernel is formed for
    scales = layer_initialisation("ntk", 2, 5).at_width(64)
    network = networks.MultiLayerNetwork(activations.get("tanh"), scales, 5, kind="centred")
    start = networks.initial_layer_parameters(network, seeds=range(3))
    task = DeepGradientDynamics(network, x, np.sin(x[:, 0]))
    first = nph.evolve(task, Descent("stable"), start, stop=Stop(max_steps=1))
    largest = np.linalg.eigvalsh(kernels.tangent_kernel(network, start, x).total)[:, -1]
    np.testing.assert_allclose(first.time[-1], 1000 / largest, rtol=0.01)


def test_from_a_tiny_start_the_stable_descent_escapes_within_the_limit_of_stability():
    scales = LayerScaling(g=(1.2, 1.2, 1.2)).at_width(50)
    network = networks.MultiLayerNetwork(activations.get("tanh"), scales, 2)
    start = networks.initial_layer_parameters(network, seeds=(0, 1))
    task = DeepGradientDynamics(network, DATA.x, DATA.y)
    stop = Stop(mean_square=0.02, max_steps=1000)
    run = nph.evolve(task, Descent("stable"), start, stop=stop)
    assert np.all(run.mean_square[0] > 0.03)
    assert all(status is nph.Status.CONVERGED for status in run.status)
    assert np.all(run.notes["largest_sharpness"] < 1.0)


@pytest.mark.parametrize(
    ("method", "stop", "status"),
    [
        (Descent(50.0), Stop(), {nph.Status.DIVERGED, nph.Status.NON_FINITE}),
        (Descent(1e-3), Stop(max_steps=7), {nph.Status.MAX_STEPS}),
        (Flow(), Stop(max_steps=3), {nph.Status.MAX_STEPS}),
        (Flow(), Stop(mean_square=10.0), {nph.Status.CONVERGED}),
    ],
)
def test_every_run_says_why_it_ended(method, stop, status, case):
    task, start = case("x_tanh", 3, scalings=("he",))
    run = nph.evolve(task, method, start, stop=stop)
    assert set(run.status) <= status
    assert len(run.status) == len(run.steps) == 2


@pytest.mark.parametrize("method", [Descent("stable"), Flow()], ids=["descent", "flow"])
def test_a_network_that_nothing_moves_has_stagnated(method, case):
    task, start = case("relu", 2, scalings=("he",), kind="plain")
    dead = LayerParameters((start.weights[0], -abs(start.weights[1]), start.weights[2]))
    run = nph.evolve(task, method, dead)
    assert set(run.status) == {nph.Status.STAGNATED}
    for mine, theirs in zip(run.final.weights, dead.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_float32_descends_as_float64_to_its_rounding(case):
    task, start = case("tanh", 3)
    narrow = networks.initial_layer_parameters(task.network, (0, 1), dtype="float32")
    runs = [nph.evolve(task, Descent(0.02), s, stop=Stop(max_steps=50)) for s in (start, narrow)]
    assert runs[1].final.weights[0].dtype == np.float32
    for wide, short in zip(runs[0].final.weights, runs[1].final.weights, strict=True):
        np.testing.assert_allclose(short, wide, rtol=0, atol=1e-5)


def test_wrong_arguments_are_refused_in_a_sentence(case):
    task, start = case()
    with pytest.raises(ArgumentError, match="`y` must have the shape"):
        DeepGradientDynamics(task.network, DATA.x, DATA.y[:-1])
    with pytest.raises(ArgumentError, match="`network` must be a MultiLayerNetwork"):
        DeepGradientDynamics("network", DATA.x, DATA.y)
    with pytest.raises(ArgumentError, match="a StochasticDescent or a Flow for a DeepGrad"):
        nph.evolve(task, Adam(), start)
    with pytest.raises(ArgumentError, match="`state` must be LayerParameters"):
        nph.evolve(task, Flow(), nph.initial_parameters(5, 2))
    with pytest.raises(ArgumentError, match="`tracked` must be left out"):
        nph.evolve(task, Flow(), start, tracked=3)
    broken = LayerParameters((start.weights[0] * math.nan, *start.weights[1:]))
    with pytest.raises(ArgumentError, match="`state` must be finite"):
        nph.evolve(task, Flow(), broken)
    with pytest.raises(ArgumentError, match="`times` must be an increasing list"):
        nph.evolve(task, Flow(), start, times=(2.0, 1.0))


def test_a_kernel_that_overflows_ends_its_own_run_as_not_finite(case):
    task, start = case("relu", 2, scalings=("ntk",), kind="plain")
    w = [each.copy() for each in start.weights]
    w[0][1] *= 1e155  # the output stays, for W^[2] is as much smaller; W^[1] feeds the kernel
    w[1][1] *= 1e-155
    run = nph.evolve(task, Descent("stable"), LayerParameters(tuple(w)), stop=Stop(max_steps=5))
    assert run.status == (nph.Status.MAX_STEPS, nph.Status.NON_FINITE)
