"""The compiled descent against its NumPy definition, closed forms and invariants."""

import dataclasses
import math

import numpy as np
import pytest

from netphase import activations
from netphase._types import Status
from netphase.engine import Problem, Stop, descend, descend_auto, reference
from netphase.engine.descent import bounds
from netphase.errors import ArgumentError
from netphase.networks import Parameters, initial_parameters

X = np.array([[-0.5, 1.0], [-1 / 6, 1.0], [1 / 6, 1.0], [0.5, 1.0]])
Y = X[:, 0] ** 2


def random_problem(name, n, d, m, dtype, seed=0):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((n, d)), rng.standard_normal(n)
    start = Parameters(
        rng.standard_normal(m).astype(dtype), rng.standard_normal((m, d)).astype(dtype)
    )
    problem = Problem(x.astype(dtype), y.astype(dtype), activations.get(name), 1.0 / m, 0.7, 1.6)
    return problem, start


def plane_problem(gamma, gamma_prime, width, seed=0, name="relu"):
    kappa, ratio = float(width) ** -gamma, float(width) ** -gamma_prime
    problem = Problem(X, Y, activations.get(name), kappa, 1.0 / ratio, ratio)
    return problem, initial_parameters(width, d=2, seed=seed)


def relative_error(found, wanted):
    return max(
        float(np.linalg.norm(f - w) / np.linalg.norm(w)) for f, w in zip(found, wanted, strict=True)
    )


def displacement_error(found, wanted, start):
    moved = [np.linalg.norm(w - s) for w, s in zip(wanted, start, strict=True)]
    return max(
        float(np.linalg.norm(f - w) / size) for f, w, size in zip(found, wanted, moved, strict=True)
    )


SHAPES = [(4, 2, 37), (4, 2, 1100), (7, 2, 33), (13, 2, 70), (4, 3, 50), (9, 5, 41), (1, 1, 3)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", activations.NAMES)
def test_literal_descent_equals_numpy_in_double(name, shape):
    problem, start = random_problem(name, *shape, np.float64)
    options = {"learning_rate": 0.3, "stop": Stop(0.0, max_steps=40), "tracked": shape[2]}
    found = descend(problem, start, **options)
    wanted = reference.descend(problem, start, **options)
    assert found.steps == wanted.steps == 40
    assert relative_error(found.parameters, wanted.parameters) < 1e-12
    assert found.mean_square == pytest.approx(wanted.mean_square, rel=1e-11)
    assert found.records.change_w[-1] == pytest.approx(wanted.records.change_w[-1], rel=1e-10)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", activations.NAMES)
def test_literal_descent_equals_numpy_in_single(name, shape):
    problem, start = random_problem(name, *shape, np.float32)
    options = {"learning_rate": 0.3, "stop": Stop(0.0, max_steps=10), "tracked": shape[2]}
    found = descend(problem, start, **options)
    assert found.parameters.a.dtype == found.parameters.w.dtype == np.float32
    wide = dataclasses.replace(
        problem, x=problem.x.astype(np.float64), y=problem.y.astype(np.float64)
    )
    wanted = reference.descend(
        wide, Parameters(start.a.astype(np.float64), start.w.astype(np.float64)), **options
    )
    assert relative_error(found.parameters, wanted.parameters) < 3e-6


@pytest.mark.parametrize("name", activations.NAMES)
@pytest.mark.parametrize("shape", [(4, 2, 37), (4, 2, 1100), (7, 2, 33), (9, 5, 41)])
def test_automatic_descent_equals_numpy(name, shape):
    problem, start = random_problem(name, *shape, np.float64)
    options = {"stop": Stop(0.0, max_steps=15), "tracked": shape[2]}
    limits = bounds(0.01)
    del limits["drift_limit"]
    found = descend_auto(problem, start, tolerance=0.01, **options)
    wanted = reference.descend_auto(problem, start, **limits, **options)
    assert (found.steps, found.rejected) == (wanted.steps, wanted.rejected)
    # the step's length feeds rounding back; kinks amplify it
    assert found.time == pytest.approx(wanted.time, rel=1e-6)
    assert relative_error(found.parameters, wanted.parameters) < 3e-6


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "tanh"])
def test_the_start_is_not_changed(name):
    problem, start = random_problem(name, 4, 2, 20, np.float64)
    copy = Parameters(start.a.copy(), start.w.copy())
    descend_auto(problem, start, tolerance=0.01, stop=Stop(max_steps=5), tracked=20)
    descend(problem, start, learning_rate=0.1, stop=Stop(max_steps=5), tracked=20)
    assert np.array_equal(start.a, copy.a)
    assert np.array_equal(start.w, copy.w)


@pytest.mark.parametrize(
    ("gamma", "gamma_prime"), [(0.6, 0.0), (0.6, 0.4), (1.0, 0.2), (1.2, 0.0), (1.75, 0.0)]
)
def test_tolerance_bounds_the_error_of_the_relative_change(gamma, gamma_prime):
    problem, start = plane_problem(gamma, gamma_prime, 500)
    options = {"stop": Stop(), "tracked": 500}
    fine = descend_auto(problem, start, tolerance=1e-4, **options)
    coarse = descend_auto(problem, start, tolerance=0.01, **options)
    assert coarse.status is fine.status is Status.CONVERGED
    assert coarse.steps < fine.steps
    for block in ("change_a", "change_w"):
        exact = getattr(fine.records, block)[-1]
        assert getattr(coarse.records, block)[-1] == pytest.approx(exact, rel=0.01)


def test_automatic_descent_agrees_with_literal_descent_of_small_steps():
    problem, start = plane_problem(1.0, 0.0, 200)
    auto = descend_auto(problem, start, tolerance=1e-4, stop=Stop(), tracked=200)
    literal = descend(problem, start, learning_rate=auto.time / 60_000, stop=Stop(), tracked=200)
    assert literal.time == pytest.approx(auto.time, rel=0.01)
    assert literal.records.change_w[-1] == pytest.approx(auto.records.change_w[-1], rel=0.003)
    assert literal.records.change_a[-1] == pytest.approx(auto.records.change_a[-1], rel=0.003)


def test_error_of_a_smooth_run_falls_with_the_tolerance():
    problem, start = plane_problem(1.0, 0.0, 100, name="tanh")
    end = Stop(0.0, time=40.0)

    def run(tolerance):
        return descend_auto(problem, start, tolerance=tolerance, stop=end, tracked=100)

    exact = run(1e-7).parameters
    tolerances = (3e-2, 3e-3, 3e-4)
    errors = [displacement_error(run(t).parameters, exact, start) for t in tolerances]
    assert all(error < t for error, t in zip(errors, tolerances, strict=True))
    assert errors[0] > errors[1] > errors[2]
    assert errors[0] > 5 * errors[2]


def test_step_error_of_a_smooth_run_is_of_second_order():
    problem, start = plane_problem(1.0, 0.0, 60, name="x_tanh")
    exact, errors = None, []
    steps = (1e-4, 0.02, 0.04, 0.08)
    for h in steps:
        limits = {"accuracy": 1e-12, "stability": h, "rotation": 1e9}
        out = reference.descend_auto(
            problem, start, **limits, stop=Stop(0.0, time=3.0, max_steps=10**6), tracked=60
        )
        if exact is None:
            exact = out.parameters
        else:
            errors.append(displacement_error(out.parameters, exact, start))
    slopes = np.diff(np.log(errors)) / math.log(2.0)
    assert slopes == pytest.approx([2.0, 2.0], abs=0.35)


def test_loss_never_rises():
    for gamma, gamma_prime in [(1.75, 0.0), (1.4, -0.4), (0.8, 0.3)]:
        problem, start = plane_problem(gamma, gamma_prime, 300, seed=3)
        out = descend_auto(problem, start, tolerance=0.04, stop=Stop(), tracked=300)
        assert out.status is Status.CONVERGED
        assert np.all(np.diff(out.records.mean_square) <= 1e-12)


@pytest.mark.parametrize("name", ["relu", "leaky_relu"])
def test_invariant_of_every_neuron_is_kept(name):
    problem, start = plane_problem(1.4, 0.2, 300, seed=1, name=name)
    out = descend_auto(problem, start, tolerance=0.01, stop=Stop(), tracked=300)
    a, w = out.parameters
    from_a = (a**2 - start.a**2) / problem.mobility_a
    from_w = (np.sum(w**2, 1) - np.sum(start.w**2, 1)) / problem.mobility_w
    drift = np.abs(from_a - from_w)[:300].sum()
    share = drift / (np.abs(from_a) + np.abs(from_w))[:300].sum()
    assert out.notes["invariant_drift"] == pytest.approx(share, rel=1e-6)
    assert share < 0.01


def test_permuting_neurons_changes_nothing():
    problem, start = plane_problem(1.1, 0.1, 129)
    order = np.random.default_rng(0).permutation(258)
    one = descend_auto(problem, start, tolerance=0.01, stop=Stop(max_steps=20), tracked=258)
    other = descend_auto(
        problem,
        Parameters(start.a[order], np.ascontiguousarray(start.w[order])),
        tolerance=0.01,
        stop=Stop(max_steps=20),
        tracked=258,
    )
    assert np.allclose(one.parameters.w[order], other.parameters.w, rtol=1e-9, atol=1e-12)


def test_same_run_gives_the_same_bits():
    problem, start = plane_problem(1.2, 0.0, 777)
    runs = [descend_auto(problem, start, tolerance=0.01, stop=Stop(), tracked=777) for _ in "ab"]
    assert np.array_equal(runs[0].parameters.w, runs[1].parameters.w)
    assert runs[0].time == runs[1].time


def test_gauge_only_changes_the_clock():
    problem, start = plane_problem(1.1, 0.2, 200)
    ratio = problem.mobility_w
    beta1, beta2 = 3.0, 3.0 / ratio  # κ' = β1/β2
    raw = Problem(X, Y, problem.activation, problem.output_scale / (beta1 * beta2))
    moved = Parameters(beta1 * start.a, beta2 * start.w)
    stop = Stop()
    one = descend_auto(problem, start, tolerance=1e-3, stop=stop, tracked=200)
    other = descend_auto(raw, moved, tolerance=1e-3, stop=stop, tracked=200)
    assert other.time == pytest.approx(beta1 * beta2 * one.time, rel=1e-8)
    assert np.allclose(other.parameters.a / beta1, one.parameters.a, rtol=1e-7, atol=1e-9)
    assert np.allclose(other.parameters.w / beta2, one.parameters.w, rtol=1e-7, atol=1e-9)


def test_output_and_input_weights_mirror_each_other():
    """With one sample x = 1 and active neurons f = s Σ a w: swapping a ↔ w and the mobilities."""
    rng = np.random.default_rng(4)
    a, w = rng.uniform(0.5, 1.5, 40), rng.uniform(0.5, 1.5, 40)
    x, y, relu = np.ones((1, 1)), np.array([2.0]), activations.get("relu")
    stop = Stop(1e-8)
    one = descend_auto(
        Problem(x, y, relu, 0.03, 0.5, 2.0),
        Parameters(a, w[:, None]),
        tolerance=1e-4,
        stop=stop,
        tracked=40,
    )
    other = descend_auto(
        Problem(x, y, relu, 0.03, 2.0, 0.5),
        Parameters(w, a[:, None]),
        tolerance=1e-4,
        stop=stop,
        tracked=40,
    )
    assert np.allclose(one.parameters.a, other.parameters.w[:, 0], rtol=1e-10)
    assert np.allclose(one.parameters.w[:, 0], other.parameters.a, rtol=1e-10)


def test_many_samples_use_the_two_step_average():
    """Beyond 16 samples the step is bounded by λ_max; the run still follows the flow."""
    x = np.column_stack([np.linspace(-1, 1, 40), np.ones(40)])
    y = np.cos(3 * x[:, 0])
    problem = Problem(x, y, activations.get("tanh"), 1 / 200, 1.0, 1.0)
    start = initial_parameters(200, d=2, seed=0)
    end = Stop(0.0, time=60.0)
    fine = descend_auto(problem, start, tolerance=1e-5, stop=end, tracked=200)
    coarse = descend_auto(problem, start, tolerance=0.01, stop=end, tracked=200)
    assert displacement_error(coarse.parameters, fine.parameters, start) < 0.01


def test_every_status_is_reached():
    problem, start = plane_problem(0.6, 0.0, 50)
    auto = {"tolerance": 0.01, "tracked": 50}
    assert descend_auto(problem, start, stop=Stop(), **auto).status is Status.CONVERGED
    assert descend_auto(problem, start, stop=Stop(0.0, max_steps=3), **auto).status is (
        Status.MAX_STEPS
    )
    timed = descend_auto(problem, start, stop=Stop(0.0, time=0.5), **auto)
    assert (timed.status, timed.time) == (Status.TIME_REACHED, 0.5)
    tenths = descend(problem, start, learning_rate=0.1, stop=Stop(0.0, time=1.0), tracked=50)
    assert (tenths.status, tenths.time, tenths.steps) == (Status.TIME_REACHED, 1.0, 10)
    steep = dataclasses.replace(problem, activation=activations.get("x2_tanh"))
    wild = descend(steep, start, learning_rate=1e3, stop=Stop(max_steps=10**4), tracked=50)
    assert wild.status in (Status.DIVERGED, Status.NON_FINITE)
    contradictory = dataclasses.replace(problem, x=np.repeat(X[:1], 4, 0))
    stuck = descend_auto(
        contradictory, start, stop=Stop(0.0, max_steps=10**6, stagnation=0.01), **auto
    )
    assert stuck.status is Status.STAGNATED


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_bad_learning_rate_is_refused(value):
    problem, start = plane_problem(1.0, 0.0, 10)
    with pytest.raises(ArgumentError, match="learning_rate"):
        descend(problem, start, learning_rate=value, stop=Stop(), tracked=10)
