"""Training on infinitely many inputs: orders of the integrators, invariants, known end states."""

import itertools
import math

import numpy as np
import pytest

from netphase import activations, targets
from netphase._types import Status
from netphase.dynamics import Adam, Descent, Flow, PopulationDynamics, evolve
from netphase.dynamics import population as module
from netphase.engine.population import open_field, population_problem
from netphase.engine.population.chebyshev import coefficients, stages_for
from netphase.engine.problem import Stop
from netphase.errors import ArgumentError
from netphase.networks import Parameters, TwoLayerNetwork, student_parameters
from netphase.observables import population_risk
from netphase.scalings import Scales

PLATEAUS = {3: 3.569e-4, 5: 4.470e-5, 6: 2.143e-5}


def dynamics(target, activation="relu", inputs="gaussian", alpha=1.0):
    network = TwoLayerNetwork(activations.get(activation), Scales(alpha, 1.0, 1.0))
    return PopulationDynamics(network, target, inputs)


def until(time):
    return Stop(mean_square=0.0, time=time)


def far(first, second):
    return float(np.linalg.norm(first.w - second.w) + np.linalg.norm(first.a - second.a))


def balance(parameters):
    return (parameters.w**2).sum(axis=1) - parameters.a**2


def contributions(parameters):
    return parameters.a * np.linalg.norm(parameters.w, axis=1)


@pytest.fixture(scope="module")
def single():
    """One neuron in ten dimensions, twenty students."""
    return dynamics(targets.single_neuron(10)), student_parameters(20, 10, seed=1)


def test_single_neuron_is_learned_to_rounding(single):
    task, start = single
    run = evolve(task, Flow(), start, stop=Stop(mean_square=1e-14))
    assert run.status is Status.CONVERGED
    assert 0 < run.mean_square[-1] <= 1e-14
    p = contributions(run.final)
    winner = int(np.argmax(p))
    assert p[winner] > 0.95
    assert run.final.a[winner] == pytest.approx(0.786, abs=0.01)
    assert np.linalg.norm(run.final.w[winner]) == pytest.approx(1.272, abs=0.01)
    assert run.mean_square[0] == pytest.approx(0.5, rel=1e-14)


def test_silent_weights_have_no_relative_change(single):
    task, start = single
    for method in (Flow(), Descent(0.05), Descent("stable"), Descent(1)):
        run = evolve(task, method, start, stop=until(3.0))
        assert np.all(np.isnan(run.relative_change_a))
        assert np.all(np.isfinite(run.relative_change_w))
        assert run.status is Status.TIME_REACHED
        assert run.time[-1] == 3.0


def test_flow_keeps_the_balance_to_its_tolerance(single):
    task, start = single
    drifts = []
    for rtol in (1e-3, 1e-5):
        run = evolve(task, Flow(rtol), start, stop=until(100.0))
        drifts.append(float(np.abs(balance(run.final) - 1.0).max()))
        assert run.notes["invariant_drift"] < 30 * rtol**0.5
    assert drifts[1] < 3e-4
    assert drifts[1] < drifts[0] / 5


def test_balance_drifts_with_the_step_of_gradient_descent(single):
    task, start = single
    drifts = [
        float(np.abs(balance(evolve(task, Descent(h), start, stop=until(100.0)).final) - 1).max())
        for h in (0.04, 0.02, 0.01)
    ]
    assert drifts[0] / drifts[1] == pytest.approx(2.0, abs=0.2)
    assert drifts[1] / drifts[2] == pytest.approx(2.0, abs=0.2)


def test_gradient_descent_is_of_first_order(single):
    task, start = single
    truth = evolve(task, Flow(1e-9), start, stop=until(20.0)).final
    errors = [
        far(evolve(task, Descent(h), start, stop=until(20.0)).final, truth)
        for h in (0.02, 0.01, 0.005)
    ]
    assert errors[0] / errors[1] == pytest.approx(2.0, abs=0.2)
    assert errors[1] / errors[2] == pytest.approx(2.0, abs=0.2)


def test_flow_converges_with_its_tolerance(single):
    task, start = single
    truth = evolve(task, Flow(1e-9), start, stop=until(60.0)).final
    errors = [
        far(evolve(task, Flow(rtol), start, stop=until(60.0)).final, truth)
        for rtol in (1e-3, 1e-4, 1e-5, 1e-6)
    ]
    assert all(after < before / 2 for before, after in itertools.pairwise(errors))
    assert errors[0] / errors[-1] > 30  # rtol^(2/3) of a method of second order would be 100


@pytest.mark.parametrize("stages", [2, 5, 12])
def test_stabilised_step_is_of_second_order(single, stages):
    task, start = single
    field = open_field(task.problem())
    u = np.column_stack(start)
    _, flow = field.velocity(u)
    table, nothing = coefficients(stages), np.empty(0)

    def advance(time, count):
        now = u
        for _ in range(count):
            now, _ = field.chebyshev(now, field.velocity(now)[1], time / count, table, nothing)
        return now

    time = 0.02 * stages**2
    truth = advance(time, 256)
    errors = [float(np.linalg.norm(advance(time, count) - truth)) for count in (4, 8, 16)]
    assert math.log2(errors[1] / errors[2]) == pytest.approx(2.0, abs=0.4)
    # inner stages, the nodes of snapshots, are of second order too
    after, between = field.chebyshev(u, flow, 0.1, table, table[2:-1, 4].copy())
    half, _ = field.chebyshev(u, flow, 0.05, table, nothing)
    assert after.shape == half.shape == u.shape
    for fraction, state in zip(table[2:-1, 4], between, strict=True):
        truth = evolve(task, Flow(1e-9), start, stop=until(0.1 * fraction)).final
        moved = far(truth, start)
        assert far(Parameters(state[:, 0], state[:, 1:]), truth) < 0.02 * moved


def test_method_is_stable_up_to_its_curvature():
    for stages in (3, 7, 60, 400):
        table = coefficients(stages)
        longest = ((stages - 1) ** 2 - 1) / 1.54
        assert stages_for(longest, 1.0) <= stages
        for z in np.linspace(0.0, longest, 301):
            before, now = 1.0, 1.0 - table[1, 2] * z
            for mu, nu, mu_flow, gamma, _ in table[2:]:
                after = 1 - mu - nu + mu * now + nu * before - z * (mu_flow * now + gamma)
                before, now = now, after
            assert abs(now) <= 1.0 + 1e-12


def test_compiled_loops_equal_their_numpy_definition(single):
    from netphase.engine.population.field import PopulationField

    task, start = single
    fast, plain = open_field(task.problem()), PopulationField(task.problem())
    u = np.column_stack([start.a + 0.1, start.w])
    _, flow = fast.velocity(u)
    marches = [each.march(u, flow, 0.05, 7, (0.0, 1.0)) for each in (fast, plain)]
    np.testing.assert_allclose(marches[0].u, marches[1].u, atol=1e-14)
    np.testing.assert_allclose(marches[0].flow, marches[1].flow, atol=1e-14)
    assert marches[0].done == marches[1].done == 7
    parts = np.array([0.1, 0.5, 0.51, 0.99])
    steps = [each.chebyshev(u, flow, 1.0, coefficients(6), parts) for each in (fast, plain)]
    for one, other in zip(*steps, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-13)
    assert fast.march(u, flow, 0.05, 100, (1.0, 2.0)).done == 1  # outside its bounds


def test_snapshots_cost_no_steps(single):
    task, start = single
    times = np.linspace(0.0, 50.0, 2001)
    plain = evolve(task, Flow(), start, stop=until(50.0))
    dense = evolve(task, Flow(), start, stop=until(50.0), times=times)
    assert dense.steps == plain.steps
    assert len(dense.snapshots) == len(dense.time) == 2001
    np.testing.assert_array_equal(dense.time, times)
    for k in (1, 40, 700, 1999):
        there = evolve(task, Flow(1e-7), start, stop=until(times[k]))
        assert far(dense.snapshots[k], there.final) < 2e-3 * far(there.final, start)
        assert dense.mean_square[k] == pytest.approx(there.mean_square[-1], rel=2e-3)


def test_snapshots_of_a_descent_leave_its_steps_alone(single):
    task, start = single
    plain = evolve(task, Descent(0.1), start, stop=Stop(mean_square=0.0, max_steps=100))
    times = np.array([0.05, 0.3, 0.33, *np.arange(7, 91) / 10])
    dense = evolve(
        task, Descent(0.1), start, stop=Stop(mean_square=0.0, max_steps=100), times=times
    )
    np.testing.assert_allclose(dense.final.w, plain.final.w, atol=1e-14)
    assert dense.steps == plain.steps == 100
    third = evolve(task, Descent(0.1), start, stop=Stop(mean_square=0.0, max_steps=3))
    np.testing.assert_allclose(dense.snapshots[1].w, third.final.w, atol=1e-14)
    assert len(dense.snapshots) == len(times)
    np.testing.assert_array_equal(dense.time[1:-1], times)


def test_stable_descent_follows_its_limit(single):
    task, start = single
    run = evolve(task, Descent("stable"), start, stop=Stop(mean_square=1e-6))
    assert run.status is Status.CONVERGED
    assert 0.49 < run.notes["largest_sharpness"] < 0.55
    # at silent output weights λ is that of the kernel of the random features
    rate = 0.9 * 2 / open_field(task.problem()).sharpness(np.column_stack(start))[0]
    literal = evolve(task, Descent(rate), start, stop=until(20 * rate))
    assert 0.88 < literal.notes["largest_sharpness"] < 1.0


def test_a_descent_that_blows_up_is_a_status(single):
    task, start = single
    run = evolve(task, Descent(50.0), start)
    assert run.status in (Status.DIVERGED, Status.NON_FINITE)


@pytest.mark.parametrize(("method", "close"), [(Flow(), 1e-7), (Descent(0.1), 1e-11)])
def test_fewer_coordinates_give_the_same_run(method, close, monkeypatch):
    task, start = dynamics(targets.circle(60)), student_parameters(9, 60, seed=2)
    small = evolve(task, method, start, stop=until(30.0), times=[10.0])
    monkeypatch.setattr(module, "reduced", lambda *_: None)
    full = evolve(task, method, start, stop=until(30.0), times=[10.0])
    assert far(small.final, full.final) < close
    assert far(small.snapshots[0], full.snapshots[0]) < close
    assert small.mean_square[-1] == pytest.approx(full.mean_square[-1], rel=close)
    found = population_risk(task.network, small.final, task.target)
    assert found == pytest.approx(small.mean_square[-1], rel=1e-11)


@pytest.mark.parametrize("count", sorted(PLATEAUS))
def test_equal_neurons_on_equally_spaced_lines_are_the_plateaus_of_the_circle(count):
    # R_K = Σ_l (2/(π (4K²l² − 1)))², with signs that leave no linear part
    degrees = {3: (0, 120, 240), 5: range(0, 360, 72), 6: (0, 120, 240, 90, 210, 330)}[count]
    angle = np.radians(np.array(degrees, dtype=float))
    w = np.column_stack([np.cos(angle), np.sin(angle), 0 * angle])
    start = Parameters(np.full(count, 1 / count), w)
    task = dynamics(targets.circle(3))
    risk = population_risk(task.network, start, task.target)
    term = np.arange(1, 200_000)
    truth = float(np.sum((2 / (math.pi * (4.0 * count**2 * term**2 - 1))) ** 2))
    assert risk == pytest.approx(truth, rel=1e-10)
    assert risk == pytest.approx(PLATEAUS[count], rel=1e-3)
    found = open_field(task.problem()).look(start.a, start.w)
    tangent = np.column_stack([-np.sin(angle), np.cos(angle), 0 * angle])
    assert np.max(np.abs((found.gradient_w * tangent).sum(axis=1))) < 1e-15
    assert np.ptp(found.gradient_a) < 1e-15


def test_regular_polygon_stays_and_settles_near_its_plateau():
    angle = 2 * math.pi * np.arange(5) / 5 + 0.3
    w = np.column_stack([np.cos(angle), np.sin(angle), 0 * angle])
    run = evolve(dynamics(targets.circle(3)), Flow(), Parameters(np.zeros(5), w), stop=until(3e3))
    assert run.mean_square[-1] == pytest.approx(PLATEAUS[5], rel=1e-3)
    assert np.ptp(contributions(run.final)) < 1e-9


@pytest.mark.parametrize("seed", range(5))
def test_five_neurons_are_found(seed):
    task = dynamics(targets.finite_neurons(19, 5, seed=seed))
    start = student_parameters(20, 19, seed=seed)
    run = evolve(task, Flow(), start, stop=Stop(mean_square=1e-9))
    assert run.status is Status.CONVERGED
    p = contributions(run.final)
    assert np.sum((p > 0.19) & (p < 0.201)) == 5
    assert np.sum(np.abs(p) > 0.02) == 5


def test_staircase_of_the_circle_costs_a_tenth_of_gradient_descent():
    task, start = dynamics(targets.circle(30)), student_parameters(60, 30, seed=0)
    field = open_field(population_problem(task.network, task.target))
    curvature, _ = field.sharpness(np.column_stack(start))
    time = 1e5
    runs = [evolve(task, Flow(rtol), start, stop=until(time)) for rtol in (5e-5, 5e-6)]
    assert runs[0].mean_square[-1] == pytest.approx(runs[1].mean_square[-1], rel=3e-3)
    assert runs[0].mean_square[-1] == pytest.approx(PLATEAUS[5], rel=0.01)
    assert 10 * runs[0].gradients < time * curvature / 2  # steps of 2/λ, the limit of stability


@pytest.mark.slow
def test_descent_and_flow_climb_the_same_staircase():
    task, start = dynamics(targets.circle(30)), student_parameters(60, 30, seed=0)
    time = 1e5
    descent = evolve(task, Descent("stable"), start, stop=until(time))
    flow = evolve(task, Flow(), start, stop=until(time))
    assert descent.steps > 10 * flow.gradients
    assert flow.mean_square[-1] == pytest.approx(descent.mean_square[-1], rel=0.02)
    assert np.sum(contributions(flow.final) > 0.1) == 5


def test_sphere_inputs_are_gaussian_ones_d_times_slower():
    start, target = student_parameters(8, 5, seed=3), targets.single_neuron(5)
    gaussian = evolve(dynamics(target), Flow(), start, stop=until(4.0))
    sphere = evolve(dynamics(target, inputs="sphere"), Flow(), start, stop=until(20.0))
    assert far(gaussian.final, sphere.final) < 1e-9
    assert sphere.mean_square[-1] == pytest.approx(gaussian.mean_square[-1] / 5, rel=1e-9)


def test_smooth_student_learns():
    start = student_parameters(6, 3, seed=1)
    run = evolve(dynamics(targets.single_neuron(3), "softplus"), Flow(1e-3), start, stop=until(3.0))
    assert run.status is Status.TIME_REACHED
    assert run.mean_square[-1] < 0.2 * run.mean_square[0]
    assert np.all(np.diff(run.mean_square) < 0)


def test_single_precision_comes_back():
    start = student_parameters(8, 5, seed=3, dtype="float32")
    run = evolve(dynamics(targets.single_neuron(5)), Flow(), start, stop=until(1.0), times=[0.5])
    assert run.final.a.dtype == run.final.w.dtype == np.float32
    assert run.snapshots[0].w.dtype == np.float32


def test_run_stops_on_a_plateau():
    start = Parameters(np.zeros(1), np.array([[1.0, 0.2, 0.0]]))
    stop = Stop(mean_square=1e-9, stagnation=0.01)
    for method in (Flow(), Descent(0.5)):
        run = evolve(dynamics(targets.circle(3)), method, start, stop=stop)
        assert run.status is Status.STAGNATED


def test_bad_input_is_one_sentence(single):
    task, _ = single
    with pytest.raises(ArgumentError, match=r"`state.w` must have the 10 inputs of the target"):
        evolve(task, Flow(), student_parameters(4, 9))
    with pytest.raises(ArgumentError, match="PopulationDynamics is solved as a gradient flow"):
        evolve(task, Adam(), student_parameters(4, 10))
    with pytest.raises(ArgumentError, match="averages over the sphere have no closed form"):
        dynamics(targets.circle(4), "tanh", "sphere")
    with pytest.raises(ArgumentError, match="`inputs` must be one of gaussian, sphere"):
        dynamics(targets.circle(4), inputs="cube")
    with pytest.raises(ArgumentError, match="`target` must be a Target"):
        dynamics(np.zeros(3))
