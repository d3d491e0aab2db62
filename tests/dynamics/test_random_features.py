"""The random-feature twin: against step-by-step descent, closed forms and the published widths."""

import math

import numpy as np
import pytest

from netphase import activations, targets
from netphase._types import Status
from netphase.dynamics import (
    Descent,
    Flow,
    RandomFeatureDynamics,
    RandomFeatureLimit,
    evolve,
)
from netphase.engine import Stop
from netphase.errors import ArgumentError
from netphase.networks import Parameters, TwoLayerNetwork, student_parameters
from netphase.observables import population_risk
from netphase.scalings import Scales

RELU = TwoLayerNetwork(activations.get("relu"), Scales(1.0, 1.0, 1.0))
SCALED = TwoLayerNetwork(activations.get("relu"), Scales(5.0, 0.8, 1.7))
TANH = TwoLayerNetwork(activations.get("tanh"), Scales(2.0, 0.8, 1.3))


def start_of(m, d, seed=0, output_std=0.3):
    return student_parameters(m, d, seed=seed, output_std=output_std)


def descend(network, state, gram, pull, steps, rate):
    """Gradient descent on ½ a′Ka − a′y, one step after the other."""
    a = state.a.copy()
    for _ in range(steps):
        a -= rate / network.scales.kappa_prime * (gram @ a - pull)
    return a


def empirical(network, data, state):
    features = network.scales.kappa * network.unit(data.x @ state.w.T)
    return features.T @ features / data.n, features.T @ data.y / data.n


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 1.2])
@pytest.mark.parametrize("network", [SCALED, TANH], ids=["relu", "tanh"])
@pytest.mark.parametrize("m", [7, 40])
def test_descent_at_any_step_equals_step_by_step(network, m, share):
    data, state = targets.single_neuron(4).sample(15, seed=1), start_of(m, 4)
    model = RandomFeatureDynamics(network, data).model(state)
    rate = share * model.stability_limit  # beyond 1 the descent diverges, as it should
    for steps in (0, 1, 2, 37):
        found = model.descent(steps, rate)
        wanted = descend(network, state, *empirical(network, data, state), steps, rate)
        assert np.allclose(found.a, wanted, rtol=1e-9, atol=1e-11 * np.abs(wanted).max())
        assert np.array_equal(found.w, state.w)
        error = network.output(found, data.x) - data.y
        assert model.descent_mean_square(steps, rate) == pytest.approx(np.mean(error**2), rel=1e-9)


def test_the_population_twin_is_the_limit_of_many_samples_and_has_the_exact_risk():
    for target in (targets.finite_neurons(4, 3), targets.circle(4)):
        for inputs in ("gaussian", "sphere"):
            state = start_of(30, 4)
            model = RandomFeatureDynamics(SCALED, target, inputs).model(state)
            for time in (0.0, 2.0, math.inf):
                found = model.parameters(time)
                exact = population_risk(SCALED, found, target, inputs)
                assert model.mean_square(time) == pytest.approx(exact, rel=1e-9, abs=1e-14)
            many = target.sample(40_000, seed=3, inputs=inputs)
            sampled = RandomFeatureDynamics(SCALED, many).model(state).parameters(2.0)
            assert np.linalg.norm(sampled.a - model.parameters(2.0).a) < 0.05 * np.linalg.norm(
                sampled.a - state.a
            )


def test_steps_by_the_billion_stay_accurate():
    data, state = targets.single_neuron(6).sample(40, seed=0), start_of(35, 6, output_std=0.0)
    model = RandomFeatureDynamics(RELU, data).model(state)
    slow = float(model.rates[-1])
    rate = 0.5 * model.stability_limit
    for steps in (10**6, 10**9, 10**12):
        flow, found = model.parameters(steps * rate), model.descent(steps, rate)
        # gradient descent lags the flow by hλ²t/2 in each mode: below, every mode has arrived
        done = math.exp(-slow * rate * steps) < 1e-12
        assert np.allclose(found.a, flow.a, rtol=1e-9 if done else 0.3)
    tiny = model.descent(10**12, 1e-13)  # time 0.1 in steps far below rounding
    assert np.allclose(tiny.a, model.parameters(0.1).a, rtol=1e-9)
    assert model.descent(10**12, 2.2 / float(model.rates[0])).a.dtype == np.float64
    assert not np.all(np.isfinite(model.descent(10**12, 2.2 / float(model.rates[0])).a))


@pytest.mark.parametrize("m", [10, 80])
def test_the_limit_is_least_squares_or_the_nearest_interpolant(m):
    data, state = targets.single_neuron(5).sample(30, seed=4), start_of(m, 5)
    model = RandomFeatureDynamics(SCALED, data).model(state)
    end = model.parameters(math.inf)
    gram, pull = empirical(SCALED, data, state)
    assert np.allclose(gram @ end.a, pull, atol=1e-10)
    features = SCALED.scales.kappa * SCALED.unit(data.x @ state.w.T)
    wanted = state.a + np.linalg.pinv(features) @ (data.y - features @ state.a)
    assert np.allclose(end.a, wanted, atol=1e-9)
    error = float(np.mean((SCALED.output(end, data.x) - data.y) ** 2))
    assert model.mean_square(math.inf) == pytest.approx(error, rel=1e-8, abs=1e-25)
    assert (error < 1e-20) == (m > 30)


def test_neurons_that_are_equal_or_silent_leave_their_share_alone():
    data = targets.single_neuron(3).sample(20, seed=0)
    one = start_of(4, 3)
    w = np.concatenate([one.w, one.w, np.zeros((1, 3))])
    model = RandomFeatureDynamics(RELU, data).model(Parameters(np.zeros(9), w))
    end = model.parameters(math.inf)
    assert len(model.rates) == 4
    assert np.allclose(end.a[:4], end.a[4:8], rtol=1e-9)
    assert end.a[8] == 0.0
    dead = RandomFeatureDynamics(RELU, data).model(Parameters(np.zeros(2), np.zeros((2, 3))))
    assert dead.stability_limit == math.inf
    assert dead.mean_square(math.inf) == pytest.approx(float(np.mean(data.y**2)))


def test_evolve_solves_it():
    target, state = targets.single_neuron(5), student_parameters(60, 5)
    for data in (target.sample(30), target):
        dynamics = RandomFeatureDynamics(RELU, data)
        run = evolve(dynamics, Descent("stable"), state, stop=Stop(0.0, time=7.0), times=[1.0, 5.0])
        assert run.status is Status.TIME_REACHED
        assert len(run.snapshots) == 2
        model = dynamics.model(state)
        assert np.allclose(run.snapshots[1].a, model.parameters(5.0).a)
        assert run.mean_square[-1] == pytest.approx(model.mean_square(7.0))
        assert np.all(run.relative_change_w == 0.0)
        assert np.all(np.isnan(run.relative_change_a))
    found = evolve(RandomFeatureDynamics(RELU, target.sample(30)), Flow(), state, stop=Stop(1e-4))
    assert found.status is Status.CONVERGED
    assert found.mean_square[-1] == pytest.approx(1e-4, rel=1e-6)
    short = evolve(RandomFeatureDynamics(RELU, target), Flow(), state, stop=Stop(1e-9))
    assert short.status is Status.STAGNATED


@pytest.mark.parametrize("inputs", ["gaussian", "sphere"])
@pytest.mark.parametrize("target", [targets.finite_neurons(6, 3), targets.sphere(6, 3)])
def test_infinitely_many_features(target, inputs):
    data = target.sample(50, seed=2, inputs=inputs)
    limit = RandomFeatureLimit(data)
    exact = limit.population_risk(target, inputs)
    assert np.allclose(limit.output(data.x), data.y, atol=1e-9)
    # wide networks come to it, with errors of order 1/m
    wide = student_parameters(12_000, 6, seed=1)
    end = RandomFeatureDynamics(RELU, data).model(wide).parameters(math.inf)
    draw = np.random.default_rng(0).standard_normal((4000, 6))
    if inputs == "sphere":
        draw /= np.linalg.norm(draw, axis=1, keepdims=True)
    square = (limit.output(draw) - target(draw)) ** 2
    assert abs(square.mean() - exact) < 4.0 * square.std() / math.sqrt(len(square))
    assert population_risk(RELU, end, target, inputs) == pytest.approx(exact, rel=0.05)


def test_the_risk_of_the_limit_in_two_dimensions_is_an_integral_over_angles():
    target = targets.single_neuron(2)
    data = target.sample(12, seed=0)
    limit = RandomFeatureLimit(data)
    angle = 2.0 * math.pi * (np.arange(40_000) + 0.5) / 40_000
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    wanted = 2.0 * float(np.mean((limit.output(x) - target(x)) ** 2))  # E|x|² = 2
    assert limit.population_risk(target) == pytest.approx(wanted, abs=1e-9)


def test_messages():
    data = targets.single_neuron(3).sample(10)
    with pytest.raises(ArgumentError, match="activation relu where"):
        RandomFeatureDynamics(TANH, targets.single_neuron(3))
    with pytest.raises(ArgumentError, match="`inputs` must be left out where `data` is a Dataset"):
        RandomFeatureDynamics(RELU, data, "sphere")
    model = RandomFeatureDynamics(RELU, data).model(start_of(5, 3))
    with pytest.raises(ArgumentError, match="`steps`"):
        model.descent(-1, 0.1)
    with pytest.raises(ArgumentError, match="`learning_rate`"):
        model.descent(1, 0.0)
    with pytest.raises(ArgumentError, match="`time` must be ≥ 0"):
        model.parameters(-1.0)
    with pytest.raises(ArgumentError, match="w of shape"):
        RandomFeatureDynamics(RELU, data).model(start_of(5, 4))
    with pytest.raises(ArgumentError, match="at least 2 inputs"):
        RandomFeatureLimit(targets.single_neuron(1).sample(1))
    with pytest.raises(ArgumentError, match="inputs of the target"):
        RandomFeatureLimit(data).population_risk(targets.single_neuron(4))


PUBLISHED = {
    "single": {9: -0.54, 51: -0.83, 90: -0.83, 500: -1.14, 1236: -1.30},
    "circle": {9: -1.17, 51: -1.31, 90: -1.24, 500: -1.56, 1236: -1.72},
}
"""log10 test error of random features over the width; n = 200, d = 20."""


def log_errors(name, width, seeds):
    target = targets.single_neuron(20) if name == "single" else targets.circle(20)
    found = []
    for seed in range(seeds):
        dynamics = RandomFeatureDynamics(RELU, target.sample(200, seed=seed))
        end = dynamics.model(student_parameters(width, 20, seed=seed)).parameters(math.inf)
        found.append(math.log10(population_risk(RELU, end, target)))
    return np.array(found)


@pytest.mark.parametrize(
    "width", [9, 51, 90, *(pytest.param(wide, marks=pytest.mark.slow) for wide in (500, 1236))]
)
@pytest.mark.parametrize("name", ["single", "circle"])
def test_widths_of_the_figure(name, width):
    """Ma, Wu & E (2020), the sweep over the width: every mean within 0.1 dex."""
    assert abs(log_errors(name, width, 10).mean() - PUBLISHED[name][width]) < 0.1


@pytest.mark.slow
@pytest.mark.parametrize(("name", "wanted"), [("single", 1.445), ("circle", 1.06)])
def test_as_many_features_as_samples(name, wanted):
    """The mean over 400 seeds that an independent calculation found, with its error 0.05."""
    errors = log_errors(name, 200, 200)
    spread = math.hypot(errors.std(ddof=1) / math.sqrt(len(errors)), 0.05)
    assert abs(errors.mean() - wanted) < 3.0 * spread
