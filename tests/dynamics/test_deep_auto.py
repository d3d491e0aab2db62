"""The automatic descent of deep networks, and the flow at kinks, against flows known otherwise."""

import functools
import itertools

import numpy as np
import pytest

import netphase as nph
from netphase import _checks, activations, datasets, networks
from netphase.dynamics import DeepGradientDynamics, Descent, Flow, GradientDynamics
from netphase.engine import Stop, tangent
from netphase.errors import ArgumentError
from netphase.networks import LayerParameters
from netphase.scalings import LayerScaling, ScalingLaw

DATA = datasets.four_points()
LINEAR = activations.Activation(
    "linear", np.copy, np.ones_like, np.zeros_like, multiplicity=1, homogeneous=True, smooth=True
)
KINKS = "automatic descent (the activation has kinks)"


@pytest.fixture(scope="module")
def case(deep_case):
    """Dynamics on four points, or other data, and a start."""
    return functools.partial(deep_case, DeepGradientDynamics, m=16, seeds=(0,))


def many_points(n=20):
    draw = np.random.default_rng(3)
    x = np.column_stack([draw.normal(size=(n, 2)), np.ones(n)])
    return datasets.Dataset(x, np.sin(2 * x[:, 0]) + 0.5 * x[:, 1])


def errors(mine, exact, start):
    """Errors of the layers' displacements relative to them, (e, L+1)."""
    found = []
    for a, b, s in zip(mine.weights, exact.weights, start.weights, strict=True):
        off, moved = ((each).reshape(len(a), -1) for each in (a - b, b - s))
        found.append(np.linalg.norm(off, axis=1) / np.linalg.norm(moved, axis=1))
    return np.stack(found, axis=1)


@pytest.mark.parametrize("outputs", [1, 3])
def test_the_automatic_descent_keeps_its_tolerance_in_first_order(outputs, case):
    task, start = case("tanh", scalings=("he", "mup", "ntk"), outputs=outputs)
    stop, times = Stop(time=4.0, mean_square=0.0), (0.1, 0.5, 1.5, 4.0)
    exact = nph.evolve(task, Flow(1e-9), start, stop=stop, times=times)
    worst = []
    for tolerance in (0.03, 0.003, 0.0003):
        run = nph.evolve(task, Descent("auto", tolerance), start, stop=stop, times=times)
        assert run.time[-1].tolist() == [4.0] * 3
        found = [errors(a, b, start) for a, b in zip(run.snapshots, exact.snapshots, strict=True)]
        assert np.max(found) < tolerance
        worst.append(np.max(found))
    orders = np.log10(np.divide(worst[:-1], worst[1:]))
    assert np.all((orders > 0.6) & (orders < 1.6))


def test_long_tails_cost_few_gradients(case):
    task, start = case("tanh", scalings=("ntk", "he"), m=40)
    stop = Stop(mean_square=1e-6)
    stable = nph.evolve(task, Descent("stable"), start, stop=stop)
    run = nph.evolve(task, Descent("auto"), start, stop=stop)
    assert set(run.status) == {nph.Status.CONVERGED}
    assert np.all(run.notes["gradients"] == 2 * (run.steps + run.rejected))
    assert np.all(run.notes["gradients"] < stable.steps / 5)
    assert np.all((run.mean_square[-1] > 0.9e-6) & (run.mean_square[-1] <= 1e-6))
    rises = np.diff(run.mean_square, axis=0)
    assert np.all(rises[~np.isnan(rises)] <= 0.0)


@pytest.mark.parametrize(
    ("method", "bound"), [(Descent("auto", 1e-3), 1e-3), (Flow(1e-7), 1e-6)], ids=["auto", "flow"]
)
def test_a_linear_chain_leaves_its_saddle_as_the_logistic_curve(method, bound):
    """f = w₂w₁ from w₁ = w₂ = √u₀: u′ = 2u(s − u), whose plateau lasts ln(s/u₀)/(2s)."""
    scales = LayerScaling(g=(0.0, 0.0)).at_width(1)
    network = networks.MultiLayerNetwork(LINEAR, scales, 1, kind="plain")
    task = DeepGradientDynamics(network, np.array([[1.0]]), np.array([1.5]))
    small, s = 1e-6, 1.5
    start = LayerParameters((np.full((1, 1, 1, 1), small**0.5),) * 2)
    times = np.array([1.0, 3.0, 4.0, 4.5, 5.0, 6.0, 7.0])
    run = nph.evolve(task, method, start, stop=Stop(time=7.0, mean_square=0.0), times=times)
    found = np.array([float(each.weights[0].squeeze()) for each in run.snapshots])
    exact = np.sqrt(s / (1 + (s / small - 1) * np.exp(-2 * s * times)))
    # on the way up an error is a shift in time, by which e-folds are multiplied
    np.testing.assert_allclose(found, exact, rtol=20 * bound)
    assert found[-1] == pytest.approx(exact[-1], rel=bound)


def test_linear_layers_stay_balanced_to_the_tolerance():
    """W_{l+1}ᵀW_{l+1} − W_l W_lᵀ is constant under the flow of layers of equal rates."""
    scales = LayerScaling(g=(0.6, 0.6, 0.6)).at_width(8)
    network = networks.MultiLayerNetwork(LINEAR, scales, 2, kind="plain")
    start = networks.initial_layer_parameters(network, seeds=(1,))
    task = DeepGradientDynamics(network, DATA.x, DATA.y)

    def balance(parameters):
        raw = [b * w[0, 0] for b, w in zip(scales.betas, parameters.weights, strict=True)]
        return [over.T @ over - under @ under.T for under, over in itertools.pairwise(raw)]

    stop, drifts = Stop(time=60.0, mean_square=0.0), []
    for tolerance in (0.01, 0.001):
        run = nph.evolve(task, Descent("auto", tolerance), start, stop=stop)
        pairs = zip(balance(start), balance(run.final), strict=True)
        drifts.append(max(np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in pairs))
        assert run.frobenius_change[-1].min() > 0.02
        assert 0.0 < drifts[-1] < tolerance
    assert drifts[1] < drifts[0] / 4


@pytest.mark.parametrize("method", [Descent("auto", 1e-3), Flow(1e-6)], ids=["auto", "flow"])
def test_one_hidden_layer_follows_the_two_layer_flow(method):
    law = ScalingLaw.from_gamma(1.3, 0.2)
    two = law.at_width(30)
    scales = LayerScaling.from_two_layer(law).with_learning_rates((0.0, 0.0)).at_width(30)
    deep = networks.MultiLayerNetwork(activations.get("tanh"), scales, 2)
    state = nph.initial_parameters(30, 2, seed=3, antisymmetric=True)
    start = networks.initial_layer_parameters(deep, seeds=(3,))
    plane = GradientDynamics(nph.TwoLayerNetwork(activations.get("tanh"), two), DATA)
    clock = 20.0
    exact = nph.evolve(plane, Flow(1e-9), state, stop=Stop(time=clock, mean_square=0.0)).final
    stop = Stop(time=clock * two.beta1 * two.beta2, mean_square=0.0)
    run = nph.evolve(DeepGradientDynamics(deep, DATA.x, DATA.y), method, start, stop=stop)
    w, a = (each[0].reshape(60, -1) for each in run.final.weights)
    for mine, theirs, begin in ((w, exact.w, state.w), (a[:, 0], exact.a, state.a)):
        assert np.linalg.norm(mine - theirs) < 1e-3 * np.linalg.norm(theirs - begin)


def test_the_flow_at_kinks_is_an_automatic_descent_that_says_so_and_ends(case):
    task, start = case("relu", scalings=("ntk", "mup"), m=8)
    stop = Stop(mean_square=0.01, stagnation=0.01)
    run = nph.evolve(task, Flow(5e-3), start, stop=stop)
    same = nph.evolve(task, Descent("auto", 0.1), start, stop=stop)
    assert run.integrator == KINKS
    assert same.integrator == "automatic descent"
    assert set(run.status) <= {nph.Status.CONVERGED, nph.Status.STAGNATED}
    for mine, theirs in zip(run.final.weights, same.final.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    smooth, begin = case("tanh")
    flow = nph.evolve(smooth, Flow(), begin, stop=Stop(max_steps=2))
    assert flow.integrator == "explicit Runge–Kutta pair"
    assert Flow(0.3).tolerance_at_kinks == 0.5  # tolerances of descents are below one


def test_relu_follows_short_literal_steps(case):
    task, start = case("relu", scalings=("he", "mup"), depth=3, data=many_points())
    stop = Stop(time=0.5, mean_square=0.0)
    exact = nph.evolve(task, Descent(2e-4), start, stop=stop).final
    run = nph.evolve(task, Descent("auto", 0.02), start, stop=stop)
    assert np.max(errors(run.final, exact, start)) < 0.02


def test_many_samples_are_followed_by_their_leading_modes(monkeypatch, case):
    task, start = case("tanh", scalings=("mup",), data=many_points())
    stop = Stop(time=5.0, mean_square=0.0)
    exact = nph.evolve(task, Flow(1e-9), start, stop=stop).final
    monkeypatch.setattr(tangent, "FULL_RANK", 10)
    monkeypatch.setattr(tangent, "LEADING", 6)
    run = nph.evolve(task, Descent("auto"), start, stop=stop)
    assert 0.0 < np.max(errors(run.final, exact, start)) < 0.01


def test_plateaus_and_failures_have_a_status(case):
    task, start = case("relu", scalings=("he",), kind="plain")
    dead = LayerParameters((start.weights[0], -abs(start.weights[1]), start.weights[2]))
    assert nph.evolve(task, Descent("auto"), dead).status == (nph.Status.STAGNATED,)
    floor = DeepGradientDynamics(  # one input with two targets: no loss below their variance
        case("tanh", scalings=("ntk",), kind="plain")[0].network,
        DATA.x[[0, 0]],
        np.array([0.0, 1.0]),
    )
    begin = networks.initial_layer_parameters(floor.network)
    run = nph.evolve(floor, Descent("auto"), begin)
    assert run.status == (nph.Status.STAGNATED,)
    assert run.mean_square[-1, 0] == pytest.approx(0.25, abs=1e-6)
    huge = LayerParameters(tuple(1e80 * each for each in start.weights))
    status = nph.evolve(task, Descent("auto"), huge, stop=Stop(max_steps=200)).status[0]
    assert status in (nph.Status.NON_FINITE, nph.Status.STAGNATED)


def test_kernels_that_do_not_fit_are_refused_in_a_sentence(monkeypatch, case):
    task, start = case("tanh", data=many_points())
    monkeypatch.setattr(_checks, "machine_memory", lambda: 1e4)
    with pytest.raises(ArgumentError, match=r"must be Descent\('stable'\) or .* 20 samples times"):
        nph.evolve(task, Descent("auto"), start)
    with pytest.raises(ArgumentError, match=r"need .* GiB, more than this machine has"):
        nph.evolve(case("relu", data=many_points())[0], Flow(), start)


def test_float32_starts_are_followed_in_float64(case):
    task, start = case("tanh")
    narrow = networks.initial_layer_parameters(task.network, (0,), dtype="float32")
    runs = [nph.evolve(task, Descent("auto"), s, stop=Stop(time=1.0)) for s in (start, narrow)]
    assert runs[1].final.weights[0].dtype == np.float32
    np.testing.assert_allclose(runs[1].final.weights[1], runs[0].final.weights[1], atol=1e-5)
