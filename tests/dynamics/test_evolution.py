"""`evolve`: every equation × method, against closed forms, the engine and each other."""

import math

import numpy as np
import pytest

from netphase import activations, datasets
from netphase._types import Status
from netphase.datasets import Dataset
from netphase.dynamics import Descent, Flow, GradientDynamics, LinearizedDynamics, evolve
from netphase.engine import Stop
from netphase.errors import ArgumentError
from netphase.networks import Parameters, TwoLayerNetwork, initial_parameters
from netphase.scalings import ScalingLaw

METHODS = [Descent(), Descent(learning_rate=1e-3), Flow()]


def network(name="tanh", gamma=0.6, gamma_prime=0.0, width=60, beta1=0.0):
    law = ScalingLaw.from_gamma(gamma, gamma_prime, beta1=beta1)
    return TwoLayerNetwork(activations.get(name), law.at_width(width))


def gradient(name="tanh", width=60, **law):
    return GradientDynamics(network(name, width=width, **law), datasets.four_points())


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("method", METHODS, ids=lambda m: repr(m))
@pytest.mark.parametrize("name", ["relu", "tanh", "gelu"])
def test_contract_of_every_method(name, method, dtype):
    start = initial_parameters(60, d=2, seed=1, dtype=dtype)
    stop = Stop(1e-3, max_steps=200)
    one = evolve(gradient(name), method, start, stop=stop, tracked=60)
    other = evolve(gradient(name), method, start, stop=stop, tracked=60)
    assert one.final.a.dtype == one.final.w.dtype == np.dtype(dtype)
    assert one.final.a.shape == start.a.shape
    assert one.final.w.shape == start.w.shape
    assert np.array_equal(one.final.w, other.final.w)
    assert isinstance(one.status, Status)
    assert one.time[0] == 0.0
    assert np.all(np.diff(one.time) > 0)
    assert len(one.time) == len(one.loss) == len(one.relative_change_theta)
    assert np.array_equal(one.loss, one.mean_square / 2)
    assert one.max_relative_change_w >= one.relative_change_w[-1]
    assert one.integrator


@pytest.mark.parametrize("name", ["tanh", "x_tanh", "sigmoid"])
def test_flow_and_automatic_descent_find_the_same_end(name):
    dynamics, start = gradient(name, gamma=1.0, width=100), initial_parameters(100, d=2)
    end = Stop(0.0, time=20.0)
    flow = evolve(dynamics, Flow(rtol=1e-7), start, stop=end, tracked=100)
    auto = evolve(dynamics, Descent(tolerance=1e-5), start, stop=end, tracked=100)
    assert flow.integrator == "structured Rosenbrock method"
    for which in ("relative_change_w", "relative_change_a", "mean_square"):
        assert getattr(auto, which)[-1] == pytest.approx(getattr(flow, which)[-1], rel=2e-4)


def test_flow_of_relu_falls_back_and_says_so():
    out = evolve(gradient("relu"), Flow(), initial_parameters(60, d=2), tracked=60)
    assert "kinks" in out.integrator
    assert out.status is Status.CONVERGED


def test_wide_inputs_use_the_explicit_pair():
    rng = np.random.default_rng(0)
    data = Dataset(rng.standard_normal((6, 40)), rng.standard_normal(6), "wide", None, False)
    dynamics = GradientDynamics(network(width=30), data)
    out = evolve(dynamics, Flow(), initial_parameters(30, d=40), stop=Stop(1e-4))
    assert out.integrator == "explicit Runge–Kutta pair"
    assert out.status is Status.CONVERGED


def test_smooth_activation_keeps_its_inner_scale():
    """One gradient step in normalised variables equals one in the raw ones."""
    law = ScalingLaw.from_gamma(0.7, 0.2, beta1=-0.3)
    scales, width = law.at_width(40), 40
    dynamics = GradientDynamics(
        TwoLayerNetwork(activations.get("tanh"), scales), datasets.four_points()
    )
    data, start = dynamics.data, initial_parameters(width, d=2, antisymmetric=False)
    rate = 1e-3
    out = evolve(dynamics, Descent(learning_rate=rate), start, stop=Stop(0.0, max_steps=1))
    a, w = scales.beta1 * start.a, scales.beta2 * start.w
    z = data.x @ w.T
    e = np.tanh(z) @ a / scales.alpha - data.y
    grad_a = np.tanh(z).T @ e / (4 * scales.alpha)
    grad_w = ((1 - np.tanh(z) ** 2) * e[:, None] * a).T @ data.x / (4 * scales.alpha)
    eta = rate * scales.clock
    assert np.allclose(out.final.a, (a - eta * grad_a) / scales.beta1, rtol=1e-12)
    assert np.allclose(out.final.w, (w - eta * grad_w) / scales.beta2, rtol=1e-12)


def test_linearised_dynamics_meets_the_target_exactly():
    dynamics = LinearizedDynamics(network(), datasets.four_points())
    start = initial_parameters(60, d=2)
    out = evolve(dynamics, Flow(), start, stop=Stop(1e-3), tracked=60)
    assert out.status is Status.CONVERGED
    assert out.mean_square[-1] == pytest.approx(1e-3, rel=1e-6)
    assert np.all(np.diff(out.mean_square) < 0)


def test_wide_networks_approach_their_linearisation():
    gaps = []
    for width in (250, 1000, 4000):
        net = network("relu", gamma=0.5, width=width)
        start, data = initial_parameters(width, d=2), datasets.four_points()
        trained = evolve(GradientDynamics(net, data), Descent(), start, tracked=width)
        linear = evolve(LinearizedDynamics(net, data), Flow(), start, tracked=width)
        x = np.column_stack([np.linspace(-0.5, 0.5, 21), np.ones(21)])
        model = net.output(linear.final, x) - net.output(start, x)
        assert np.isfinite(model).all()
        gaps.append(abs(trained.relative_change_w[-1] / linear.relative_change_w[-1] - 1))
    assert gaps[2] < gaps[0]
    assert gaps[2] < 0.03


@pytest.mark.parametrize("method", [Descent(tolerance=1e-4), Flow()], ids=lambda m: repr(m))
def test_snapshots_at_given_times_lie_on_the_run(method):
    dynamics, start = gradient(width=50), initial_parameters(50, d=2)
    times = [0.5, 1.0, 4.0]
    out = evolve(dynamics, method, start, stop=Stop(0.0, time=8.0), times=times, tracked=50)
    assert out.time.tolist() == pytest.approx([0.0, 0.5, 1.0, 4.0, 8.0])
    assert len(out.snapshots) == 3
    direct = evolve(dynamics, method, start, stop=Stop(0.0, time=4.0), tracked=50)
    moved = np.linalg.norm(direct.final.w - start.w)
    assert np.linalg.norm(out.snapshots[2].w - direct.final.w) < 1e-3 * moved
    assert out.relative_change_w[3] == pytest.approx(direct.relative_change_w[-1], rel=1e-3)
    assert out.status is Status.TIME_REACHED


def test_users_activation_runs_in_numpy():
    sine = activations.from_pair("sin", np.sin, np.cos, lambda z: -np.sin(z))
    scales = ScalingLaw.from_gamma(0.6, 0.0).at_width(50)
    dynamics = GradientDynamics(TwoLayerNetwork(sine, scales), datasets.four_points())
    start = initial_parameters(50, d=2)
    ends = [
        evolve(dynamics, method, start, stop=Stop(0.0, time=5.0), tracked=50).relative_change_w[-1]
        for method in (Flow(rtol=1e-6), Descent(tolerance=1e-4))
    ]
    assert ends[0] == pytest.approx(ends[1], rel=1e-3)


def test_learning_rates_of_the_layers_move_gamma_prime():
    """η_a/η_w = r gives the same run as κ′/√r (up to the clock)."""
    law = ScalingLaw.from_gamma(0.8, 0.1)
    fast = law.with_learning_rates(0.3)
    start, stop = initial_parameters(64, d=2), Stop()
    same = ScalingLaw.from_gamma(fast.gamma, fast.gamma_prime)
    changes = []
    for each in (fast, same):
        net = TwoLayerNetwork(activations.get("relu"), each.at_width(64))
        out = evolve(GradientDynamics(net, datasets.four_points()), Descent(), start, stop=stop)
        changes.append(out.relative_change_w[-1])
    assert fast.gamma_prime == pytest.approx(0.1 + 0.15)
    assert changes[0] == pytest.approx(changes[1], rel=1e-6)


@pytest.mark.parametrize("rate", [0.1, "stable"])
def test_times_do_not_add_to_the_most_steps(rate):
    dynamics, start = gradient(width=20), initial_parameters(20, d=2)
    times = 1e-3 * np.arange(1, 51)
    stop = Stop(0.0, max_steps=5)
    out = evolve(dynamics, Descent(rate), start, stop=stop, times=times)
    assert (out.steps, out.status, len(out.snapshots)) == (5, Status.MAX_STEPS, 5)
    whole = evolve(dynamics, Descent(rate), start, stop=Stop(0.0, 5e-3, max_steps=5), times=times)
    assert (whole.steps, whole.status, len(whole.snapshots)) == (5, Status.TIME_REACHED, 5)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"state": Parameters(np.ones(3), np.ones((3, 5)))}, "shape"),
        ({"state": Parameters(np.ones(3), np.full((3, 2), np.nan))}, "finite"),
        ({"tracked": 0}, "tracked"),
        ({"tracked": 999}, "tracked"),
        ({"times": [2.0, 1.0]}, "increasing"),
        ({"times": []}, "empty"),
        ({"times": [math.inf]}, "finite"),
        ({"state": None}, "`state` must be Parameters"),
        ({"stop": 1e-6}, "`stop` must be a Stop"),
        ({"method": "flow"}, "`method` must be a Descent, a StochasticDescent, a Flow or an Adam"),
        ({"dynamics": None}, "`dynamics` must be a GradientDynamics"),
    ],
)
def test_bad_arguments_get_a_sentence(arguments, sentence):
    usual = {"dynamics": gradient(width=5), "method": Descent(), "state": initial_parameters(5, 2)}
    with pytest.raises(ArgumentError, match=sentence):
        evolve(**(usual | arguments))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"mean_square": math.nan}, "`mean_square` must be a finite number"),
        ({"mean_square": -1.0}, "`mean_square` must not be negative"),
        ({"time": -1.0}, "`time` must not be negative"),
        ({"time": math.nan}, "`time` must be a finite number"),
        ({"max_steps": 1e6}, "`max_steps` must be a positive integer"),
        ({"max_steps": 2**60}, "`max_steps` must be at most"),
        ({"stagnation": 1.0}, "`stagnation` must lie in"),
    ],
)
def test_conditions_to_stop_have_their_domain(fields, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        Stop(**fields)


def test_dynamics_refuse_parts_of_another_type():
    with pytest.raises(ArgumentError, match="`data` must be a Dataset"):
        GradientDynamics(network(), "four_points")
    with pytest.raises(ArgumentError, match="`network` must be a TwoLayerNetwork"):
        GradientDynamics("tanh", datasets.four_points())


def test_the_start_is_among_the_snapshots_if_asked_for():
    start = initial_parameters(20, d=2)
    out = evolve(gradient(width=20), Flow(), start, stop=Stop(0.0, time=2.0), times=[0.0, 1.0])
    assert len(out.snapshots) == 2
    assert np.array_equal(out.snapshots[0].w, start.w)
    assert not np.array_equal(out.snapshots[1].w, start.w)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Descent(learning_rate="fast"), "learning_rate"),
        (lambda: Descent(learning_rate=-1.0), "learning_rate"),
        (lambda: Descent(tolerance=2.0), "tolerance"),
        (lambda: Descent("stable", tolerance=0.1), "`tolerance` must be left out .* 'stable'"),
        (lambda: Flow(rtol=0.0), "rtol"),
        (lambda: Flow(rtol=1.0), "rtol"),
    ],
)
def test_bad_methods_get_a_sentence(make, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        make()
