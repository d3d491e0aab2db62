"""Adam: a plain loop over its algorithm, its first step, its clock, and the runs made with it."""

import math

import numpy as np
import pytest

from netphase import activations, datasets
from netphase._types import Status
from netphase.dynamics import Adam, Descent, GradientDynamics, LinearizedDynamics, evolve
from netphase.engine import Stop
from netphase.errors import ArgumentError
from netphase.experiment import Experiment, run
from netphase.networks import Parameters, TwoLayerNetwork, initial_parameters
from netphase.scalings import ScalingLaw

LAW = ScalingLaw(alpha=0.25, beta1=-0.5, beta2=-0.25)
WIDTH = 12


def equation(name="tanh", law=LAW):
    network = TwoLayerNetwork(activations.get(name), law.at_width(WIDTH))
    return GradientDynamics(network, datasets.four_points())


def raw_loss(flat, dynamics):
    """R of raw parameters (a, w), written out."""
    scales, data = dynamics.network.scales, dynamics.data
    a, w = flat[:WIDTH], flat[WIDTH:].reshape(WIDTH, data.d)
    hidden = dynamics.network.activation.value(data.x @ w.T)
    return float(np.mean((hidden @ a / scales.alpha - data.y) ** 2)) / 2


def raw_gradient(flat, dynamics):
    """Central differences of the loss."""
    found = np.empty_like(flat)
    for k in range(len(flat)):
        step = np.zeros_like(flat)
        step[k] = 1e-6
        above, below = raw_loss(flat + step, dynamics), raw_loss(flat - step, dynamics)
        found[k] = (above - below) / 2e-6
    return found


def to_raw(parameters, scales):
    return np.concatenate([scales.beta1 * parameters.a, scales.beta2 * parameters.w.ravel()])


def adam_by_hand(flat, dynamics, method, steps):
    m = v = np.zeros_like(flat)
    for t in range(1, steps + 1):
        g = raw_gradient(flat, dynamics)
        m = method.decay1 * m + (1 - method.decay1) * g
        v = method.decay2 * v + (1 - method.decay2) * g * g
        mean, square = m / (1 - method.decay1**t), v / (1 - method.decay2**t)
        flat = flat - method.learning_rate * mean / (np.sqrt(square) + method.epsilon)
    return flat


@pytest.mark.parametrize("name", ["tanh", "relu", "softplus"])
@pytest.mark.parametrize("method", [Adam(0.02), Adam(0.01, decay1=0.5, decay2=0.9, epsilon=1e-3)])
def test_a_run_is_the_algorithm_in_raw_variables(name, method):
    dynamics, start = equation(name), initial_parameters(WIDTH, 2, 3, antisymmetric=False)
    end = evolve(dynamics, method, start, stop=Stop(0.0, max_steps=25)).final
    scales = dynamics.network.scales
    expected = adam_by_hand(to_raw(start, scales), dynamics, method, 25)
    np.testing.assert_allclose(to_raw(end, scales), expected, rtol=0, atol=2e-6)


def test_the_first_step_is_the_learning_rate_against_the_sign_of_the_gradient():
    dynamics, start = equation(), initial_parameters(WIDTH, 2, 0, antisymmetric=False)
    end = evolve(dynamics, Adam(1e-3, epsilon=0.0), start, stop=Stop(0.0, max_steps=1)).final
    before = to_raw(start, dynamics.network.scales)
    step = to_raw(end, dynamics.network.scales) - before
    np.testing.assert_allclose(step, -1e-3 * np.sign(raw_gradient(before, dynamics)), rtol=1e-9)


def test_rates_of_the_layers_multiply_their_steps():
    law = LAW.with_learning_rates(0.0, 9.0)  # η_a = 9 η_w, of geometric mean 1e-3
    dynamics, start = equation(law=law), initial_parameters(WIDTH, 2, 0, antisymmetric=False)
    end = evolve(dynamics, Adam(1e-3, epsilon=0.0), start, stop=Stop(0.0, max_steps=1)).final
    scales = dynamics.network.scales
    assert np.abs(end.a - start.a) * scales.beta1 == pytest.approx(3e-3, rel=1e-4)
    assert np.abs(end.w - start.w) * scales.beta2 == pytest.approx(1e-3 / 3, rel=1e-4)


def test_times_are_steps_and_do_not_disturb_the_run():
    dynamics, start = equation(), initial_parameters(WIDTH, 2, 1)
    stop = Stop(0.0, max_steps=40)
    whole = evolve(dynamics, Adam(0.01), start, stop=stop, tracked=WIDTH)
    parts = evolve(dynamics, Adam(0.01), start, stop=stop, tracked=WIDTH, times=[0, 7, 20, 99])
    seven = evolve(dynamics, Adam(0.01), start, stop=Stop(0.0, time=7.0), tracked=WIDTH)
    assert parts.in_steps
    assert parts.time.tolist() == [0, 7, 20, 40]
    assert whole.steps == 40
    assert len(parts.snapshots) == 3
    assert np.array_equal(parts.final.w, whole.final.w)
    assert seven.status is Status.TIME_REACHED
    assert np.array_equal(parts.snapshots[1].w, seven.final.w)
    assert parts.relative_change_w[1] == pytest.approx(seven.relative_change_w[-1], rel=1e-12)


def test_a_run_reaches_its_target_and_an_absurd_rate_is_a_status():
    dynamics, start = equation("relu"), initial_parameters(WIDTH, 2, 1)
    good = evolve(dynamics, Adam(0.02), start, stop=Stop(1e-3), tracked=WIDTH)
    assert good.status is Status.CONVERGED
    assert good.mean_square[-1] <= 1e-3 < good.mean_square[-2]
    bad = evolve(dynamics, Adam(1e200), start, stop=Stop(1e-3), tracked=WIDTH)
    assert bad.status in (Status.DIVERGED, Status.NON_FINITE)


def test_a_float32_start_stays_float32():
    start = initial_parameters(WIDTH, 2, 1, dtype="float32")
    end = evolve(equation(), Adam(), start, stop=Stop(0.0, max_steps=3)).final
    assert end.a.dtype == end.w.dtype == np.float32


def test_an_experiment_with_adam_has_a_key_of_its_own_and_a_clock_of_steps():
    plain = Experiment(law=LAW, width=WIDTH, max_steps=20, method=Adam())
    assert Experiment.from_json(plain.to_json()) == plain
    keys = {Experiment(law=LAW, width=WIDTH, method=m).key for m in (Adam(), Adam(2e-3), Descent())}
    assert len(keys) == 3
    result = run(plain)
    assert result["time"].attrs["long_name"] == "steps taken"
    assert result["time"].values[-1] == 20
    assert "raw_time" not in result


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"learning_rate": 0.0}, "`learning_rate` must be"),
        ({"decay1": 1.0}, r"`decay1` must lie in \[0, 1\), but is 1.0"),
        ({"decay2": -0.1}, r"`decay2` must lie in \[0, 1\)"),
        ({"decay2": math.nan}, "`decay2` must be"),
        ({"epsilon": -1e-8}, "`epsilon` must not be negative"),
    ],
)
def test_numbers_outside_their_range_are_refused(arguments, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        Adam(**arguments)


def test_what_adam_cannot_do_is_refused():
    dynamics, start = equation(), initial_parameters(WIDTH, 2, 1)
    with pytest.raises(ArgumentError, match="`times` must hold whole numbers of steps"):
        evolve(dynamics, Adam(), start, times=[0.5])
    linear = LinearizedDynamics(dynamics.network, dynamics.data)
    with pytest.raises(ArgumentError, match="`method` must be a Descent or a Flow here"):
        evolve(linear, Adam(), start)
    with pytest.raises(
        ArgumentError, match="`method` must be a Descent, a StochasticDescent, a Flow or an Adam"
    ):
        evolve(dynamics, "adam", Parameters(start.a, start.w))
