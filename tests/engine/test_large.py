"""The BLAS and Gram paths against textbook gradient descent, and the automatic step's tolerance."""

import numpy as np
import pytest

from netphase import activations
from netphase._types import Status
from netphase.engine import flow_explicit, request_stop
from netphase.engine.blocks import Blocks
from netphase.engine.descent import descend, descend_auto, fits_compiled_flow
from netphase.engine.kinks import active_shares, touched
from netphase.engine.large import descend_large
from netphase.engine.large_auto import descend_auto_large
from netphase.engine.large_run import choose_form
from netphase.engine.problem import Problem, Stop
from netphase.engine.tangent import TangentFlow, phi_1, phi_2
from netphase.errors import ArgumentError
from netphase.networks import Parameters

FOREVER = Stop(mean_square=0.0, max_steps=40)


def make(n, d, m, activation="tanh", dtype="float64", seed=0, scale=None, mobility=1.7):
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, d)) / np.sqrt(d)
    y = draw.normal(size=n)
    parameters = Parameters(
        draw.normal(size=m).astype(dtype), draw.normal(size=(m, d)).astype(dtype)
    )
    problem = Problem(
        x.astype(dtype),
        y.astype(dtype),
        activations.get(activation),
        1 / m if scale is None else scale,
        1 / mobility,
        mobility,
    )
    return problem, parameters


def textbook(problem, parameters, learning_rate, steps):
    """Gradient descent as one would write it on a blackboard, in float64."""
    x, y = problem.x.astype(float), problem.y.astype(float)
    a, w = parameters.a.astype(float), parameters.w.astype(float)
    n = len(y)
    for _ in range(steps):
        z = x @ w.T
        e = problem.output_scale * problem.activation.value(z) @ a - y
        grad_a = problem.output_scale / n * e @ problem.activation.value(z)
        back = e[:, None] * problem.activation.derivative(z) * a
        grad_w = problem.output_scale / n * back.T @ x
        a = a - learning_rate * problem.mobility_a * grad_a
        w = w - learning_rate * problem.mobility_w * grad_w
    e = problem.output_scale * problem.activation.value(x @ w.T) @ a - y
    return a, w, float(e @ e) / n


def four_points(width, gamma, gamma_prime, activation="relu", seed=0):
    draw = np.random.default_rng(seed)
    x = np.stack([np.linspace(-0.5, 0.5, 4), np.ones(4)], axis=1)
    a, w = draw.normal(size=width), draw.normal(size=(width, 2))
    kappa, kappa_prime = width**-gamma, width**-gamma_prime
    problem = Problem(
        x, x[:, 0] ** 2, activations.get(activation), kappa, 1 / kappa_prime, kappa_prime
    )
    return problem, Parameters(np.r_[a, -a], np.r_[w, w])


@pytest.mark.parametrize("path", ["gram", "blas"])
@pytest.mark.parametrize(
    ("n", "d", "m", "activation"),
    [
        (5, 3, 17, "relu"),
        (7, 11, 130, "tanh"),
        (33, 20, 701, "relu"),
        (12, 9, 65, "leaky_relu"),
        (9, 4, 31, "gelu"),
        (8, 5, 40, "x_tanh"),
        (6, 7, 19, "sigmoid"),
    ],
)
def test_both_forms_are_textbook_descent_in_float64(n, d, m, activation, path):
    problem, parameters = make(n, d, m, activation)
    out = descend_large(
        problem, parameters, learning_rate=0.5 * m, stop=FOREVER, tracked=m, path=path
    )
    a, w, mean_square = textbook(problem, parameters, 0.5 * m, 40)
    assert out.status is Status.MAX_STEPS
    assert out.steps == out.gradients == 40
    np.testing.assert_allclose(out.parameters.a, a, rtol=0, atol=1e-11)
    np.testing.assert_allclose(out.parameters.w, w, rtol=0, atol=1e-11)
    assert out.mean_square == pytest.approx(mean_square, rel=1e-9)
    assert np.abs(w - parameters.w).max() > 0.01


@pytest.mark.parametrize("path", ["gram", "blas"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_both_forms_are_textbook_descent_in_float32(activation, path):
    problem, parameters = make(23, 14, 257, activation, "float32", seed=4)
    out = descend_large(
        problem, parameters, learning_rate=100.0, stop=FOREVER, tracked=257, path=path
    )
    a, w, _ = textbook(problem, parameters, 100.0, 40)
    assert out.parameters.a.dtype == out.parameters.w.dtype == np.float32
    np.testing.assert_allclose(out.parameters.a, a, rtol=0, atol=2e-5)
    np.testing.assert_allclose(out.parameters.w, w, rtol=0, atol=2e-5)


@pytest.mark.parametrize("form", ["gram", "blas"])
def test_blocks_of_any_size_give_the_same_step(form):
    problem, parameters = make(20, 15, 333, "relu")
    results = []
    for block_bytes in (1, 40_000, 10**8):
        blocks = Blocks(problem, parameters, form, block_bytes=block_bytes)
        for _ in range(5):
            blocks.step(blocks.residual(), 100.0)
        results.append((len(blocks.list), blocks.parameters().w, blocks.changes(333)))
    assert [count for count, *_ in results] == [6, 2, 1]
    for _, w, changes in results[1:]:
        np.testing.assert_allclose(w, results[0][1], atol=1e-13)
        np.testing.assert_allclose(changes, results[0][2], rtol=1e-12)


@pytest.mark.parametrize("path", ["gram", "blas"])
@pytest.mark.parametrize("tracked", [200, 77, 1])
def test_recorded_changes_are_those_of_the_tracked_neurons(path, tracked):
    problem, parameters = make(10, 8, 200, "relu", seed=2)
    out = descend_large(
        problem, parameters, learning_rate=100.0, stop=FOREVER, tracked=tracked, path=path
    )
    shift_a = (out.parameters.a - parameters.a)[:tracked]
    shift_w = (out.parameters.w - parameters.w)[:tracked]
    assert out.records.change_a[-1] == pytest.approx(np.linalg.norm(shift_a), rel=1e-9)
    assert out.records.change_w[-1] == pytest.approx(np.linalg.norm(shift_w), rel=1e-9)
    assert out.records.change_w[0] == out.records.change_a[0] == 0.0


def test_float32_keeps_the_precision_of_a_tiny_displacement():
    problem, parameters = make(10, 12, 300, "relu", "float32", scale=1e-5)
    stop = Stop(mean_square=0.0, max_steps=300)
    out = descend_large(problem, parameters, learning_rate=1.0, stop=stop, tracked=300)
    wide = Problem(
        problem.x.astype(float),
        problem.y.astype(float),
        problem.activation,
        problem.output_scale,
        problem.mobility_a,
        problem.mobility_w,
    )
    _, w, _ = textbook(wide, parameters, 1.0, 300)
    expected = np.linalg.norm(w - parameters.w.astype(float))
    assert expected < 0.05
    assert out.records.change_w[-1] == pytest.approx(expected, rel=1e-5)


def test_records_are_few_and_at_growing_distance():
    problem, parameters = make(4, 2, 10, "relu")
    stop = Stop(mean_square=0.0, max_steps=5000)
    out = descend_large(problem, parameters, learning_rate=0.01, stop=stop, tracked=10)
    steps = out.records.steps
    assert steps[0] == 0
    assert steps[-1] == out.steps == 5000
    assert len(steps) <= 160
    assert np.all(np.diff(steps) > 0)
    assert np.all(steps[1:] <= np.maximum(steps[:-1] + 1, np.ceil(1.05 * steps[:-1])))
    np.testing.assert_allclose(out.records.time, 0.01 * steps, rtol=1e-12)


def test_inputs_of_a_large_descent_are_not_changed():
    problem, parameters = make(6, 5, 40)
    kept = Parameters(parameters.a.copy(), parameters.w.copy())
    descend_large(problem, parameters, learning_rate=10.0, stop=FOREVER, tracked=40)
    descend_auto_large(problem, parameters, tolerance=0.01, stop=FOREVER, tracked=40)
    np.testing.assert_array_equal(parameters.a, kept.a)
    np.testing.assert_array_equal(parameters.w, kept.w)


def test_large_descent_ends_exactly_at_the_end_time():
    problem, parameters = make(6, 5, 40)
    stop = Stop(mean_square=0.0, time=0.75)
    fixed = descend_large(problem, parameters, learning_rate=0.2, stop=stop, tracked=40)
    auto = descend_auto_large(problem, parameters, tolerance=0.01, stop=stop, tracked=40)
    assert fixed.status is auto.status is Status.TIME_REACHED
    assert fixed.time == auto.time == 0.75
    assert fixed.steps == 4


def test_large_descent_reports_convergence_divergence_and_stagnation():
    problem, parameters = make(6, 9, 200, "relu")

    def end(learning_rate, stop):
        return descend_large(
            problem, parameters, learning_rate=learning_rate, stop=stop, tracked=200
        )

    good = end(100.0, Stop(mean_square=1e-6))
    assert good.status is Status.CONVERGED
    assert good.mean_square <= 1e-6
    assert end(1e5, Stop()).status is Status.DIVERGED
    assert end(1e300, Stop()).status is Status.NON_FINITE
    slow = end(1e-9, Stop(stagnation=0.01))
    assert slow.status is Status.STAGNATED
    assert slow.steps == 10_000


def test_a_start_within_the_target_takes_no_step():
    problem, parameters = make(6, 9, 20)
    stop = Stop(mean_square=1e6)
    for out in (
        descend_large(problem, parameters, learning_rate=1.0, stop=stop, tracked=20),
        descend_auto_large(problem, parameters, tolerance=0.01, stop=stop, tracked=20),
    ):
        assert out.status is Status.CONVERGED
        assert out.steps == 0
        assert len(out.records.time) == 1


def test_dead_network_stagnates_at_once():
    problem, parameters = make(4, 2, 10, "relu")
    x = np.abs(problem.x)
    dead = Parameters(parameters.a, -np.abs(parameters.w))
    problem = Problem(x, problem.y, problem.activation, 0.1)
    out = descend_auto_large(problem, dead, tolerance=0.01, stop=Stop(), tracked=10)
    assert out.status is Status.STAGNATED
    assert out.steps == 0


@pytest.mark.parametrize(("n", "d", "form"), [(45, 785, "gram"), (100, 2, "blas"), (4, 2, "blas")])
def test_auto_path_takes_the_cheaper_form(n, d, form):
    problem, _ = make(n, d, 2)
    assert choose_form(problem, "auto") == form


def test_large_descent_refuses_nonsense():
    problem, parameters = make(4, 2, 10)
    with pytest.raises(ArgumentError, match="learning_rate"):
        descend_large(problem, parameters, learning_rate=0.0, stop=Stop(), tracked=10)
    with pytest.raises(ArgumentError, match="tolerance"):
        descend_auto_large(problem, parameters, tolerance=-1.0, stop=Stop(), tracked=10)
    with pytest.raises(ArgumentError, match="path"):
        descend_large(problem, parameters, learning_rate=1.0, stop=Stop(), tracked=1, path="fast")


@pytest.mark.parametrize("form", ["gram", "blas"])
def test_tangent_gram_is_the_decay_rate_of_the_residual(form):
    problem, parameters = make(7, 6, 50, "tanh")
    blocks = Blocks(problem, parameters, form)
    before = blocks.residual()
    decay = blocks.tangent_gram() @ before
    blocks.step(before, 1e-5)
    np.testing.assert_allclose((before - blocks.residual()) / 1e-5, decay, rtol=2e-5)


def test_phi_functions_are_the_averages_of_the_exponential():
    u = np.array([0.0, 1e-9, 5e-4, 2e-3, 0.3, 4.0, 900.0])
    s = (np.arange(20_000) + 0.5) / 20_000
    mean = np.exp(-u[:, None] * s).mean(axis=1)
    np.testing.assert_allclose(phi_1(u), mean, rtol=1e-4)
    np.testing.assert_allclose(phi_2(u), [np.mean(s * phi_1(v * s)) for v in u], rtol=1e-4)
    assert np.all(phi_2(u) <= 0.5 + 1e-12)


@pytest.mark.parametrize("n", [6, 600])
def test_tangent_flow_solves_its_linear_equation(n):
    draw = np.random.default_rng(1)
    rank = draw.normal(size=(n, 5))
    gram = rank @ rank.T / n
    e, d = draw.normal(size=n), draw.normal(size=n)
    flow = TangentFlow(gram)
    exact = e.copy()
    total = np.zeros(n)
    for _ in range(4000):
        middle = exact + 0.5 * (0.7 / 4000) * (d - gram @ exact)
        total += middle * (0.7 / 4000)
        exact = exact + (0.7 / 4000) * (d - gram @ middle)
    np.testing.assert_allclose(flow.end(e, d, 0.7), exact, atol=1e-6)
    np.testing.assert_allclose(flow.mean(e, d, 0.7), total / 0.7, atol=1e-6)
    assert flow.largest == pytest.approx(np.linalg.eigvalsh(gram)[-1], rel=1e-3)


CELLS = [("relu", 0.7, 0.0), ("relu", 1.4, 0.0), ("relu", 1.2, -0.3), ("relu", 0.9, 0.3)]
CELLS += [("tanh", 0.7, -0.3), ("tanh", 1.4, 0.0)]


@pytest.mark.parametrize(("activation", "gamma", "gamma_prime"), CELLS)
def test_tolerance_of_the_automatic_step_bounds_the_error_of_the_change(
    activation, gamma, gamma_prime
):
    problem, parameters = four_points(400, gamma, gamma_prime, activation)
    changes, steps = {}, {}
    for tolerance in (1e-3, 1e-2, 3e-2):
        out = descend_auto_large(problem, parameters, tolerance=tolerance, stop=Stop(), tracked=400)
        assert out.status is Status.CONVERGED
        assert np.all(np.diff(out.records.mean_square) <= 0)
        last = out.records
        changes[tolerance] = np.array([last.change_a[-1], last.change_w[-1]])
        steps[tolerance] = out.steps
    errors = {key: np.abs(value / changes[1e-3] - 1).max() for key, value in changes.items()}
    assert errors[1e-2] < 0.01
    assert errors[3e-2] < 0.03
    assert steps[1e-3] > 2 * steps[1e-2]
    assert steps[1e-2] < 150


def test_automatic_step_and_small_fixed_steps_end_at_the_same_place():
    problem, parameters = four_points(200, 1.0, 0.0)
    stop = Stop(mean_square=0.0, time=300.0)
    fixed = descend_large(problem, parameters, learning_rate=0.01, stop=stop, tracked=200)
    auto = descend_auto_large(problem, parameters, tolerance=1e-4, stop=stop, tracked=200)
    assert auto.steps < fixed.steps / 50
    assert auto.records.change_w[-1] == pytest.approx(fixed.records.change_w[-1], rel=1e-3)
    assert auto.mean_square == pytest.approx(fixed.mean_square, rel=1e-2)


def test_automatic_step_keeps_the_invariant_of_a_homogeneous_network():
    problem, parameters = four_points(300, 1.2, 0.2)
    drifts = {}
    for tolerance in (1e-3, 1e-2, 1e-1):
        out = descend_auto_large(problem, parameters, tolerance=tolerance, stop=Stop(), tracked=300)
        of_a = (out.parameters.a**2 - parameters.a**2) / problem.mobility_a
        of_w = (out.parameters.w**2 - parameters.w**2).sum(axis=1) / problem.mobility_w
        drift = np.abs(of_a - of_w).sum() / np.sum(np.abs(of_a) + np.abs(of_w))
        assert out.notes["invariant_drift"] == pytest.approx(drift, rel=1e-6)
        drifts[tolerance] = drift
    assert drifts[1e-3] < drifts[1e-2] < drifts[1e-1]
    assert drifts[1e-2] < 0.01


def test_automatic_step_on_images_in_both_forms_and_precisions():
    draw = np.random.default_rng(5)
    x = np.abs(draw.normal(size=(20, 60))) * np.exp(-np.arange(60) / 20)
    y = draw.integers(0, 10, 20).astype(float)
    start = Parameters(draw.normal(size=150), draw.normal(size=(150, 60)))
    ends = []
    for dtype in ("float64", "float32"):
        for path in ("gram", "blas"):
            problem = Problem(x.astype(dtype), y.astype(dtype), activations.get("relu"), 1 / 150)
            out = descend_auto_large(
                problem, start, tolerance=0.01, stop=Stop(1e-4), tracked=150, path=path
            )
            assert out.status is Status.CONVERGED
            ends.append(out.records.change_w[-1])
    np.testing.assert_allclose(ends, ends[0], rtol=5e-3)


def test_neuron_that_crosses_a_kink_stops_being_pushed_there():
    gram = np.array([[2.0]])
    start, push = np.array([[0.3]]), np.array([[0.5]])
    shares = active_shares(start, start - gram * push, push, gram)
    assert shares[0, 0] == pytest.approx(0.3 / 1.0)  # the linear crossing time of −1·t
    shares = active_shares(-start, -start + 0.4, push, gram)  # pushed over by other samples
    assert 0.0 < shares[0, 0] < 1.0


def test_neuron_between_two_pushes_slides_on_the_kink():
    gram = np.array([[1.0, -0.8], [-0.8, 1.0]])
    start = np.array([[1e-3], [5.0]])
    push = np.array([[0.5], [0.2]])  # its own sample pushes it below, the other one above
    end = start - gram @ push
    shares = active_shares(start, end, push, gram)
    final = start - gram @ (push * shares)
    assert end[0, 0] < 0 < start[0, 0] - gram[0, 1] * push[1, 0]
    assert final[0, 0] == pytest.approx(0.0, abs=1e-12)
    assert 0.0 < shares[0, 0] < 1.0
    assert shares[1, 0] == 1.0


def test_only_neurons_that_change_side_are_touched():
    start = np.array([[1.0, -1.0, 2.0], [1.0, 1.0, 0.0]])
    end = np.array([[0.5, -2.0, -0.1], [1.0, 1.0, 0.0]])
    np.testing.assert_array_equal(touched(start, end), [2])


def test_automatic_step_gets_through_sliding_neurons():
    draw = np.random.default_rng(109)
    x = np.stack([np.array([-0.9, -0.2, 0.1, 0.25, 0.8]), np.ones(5)], axis=1)
    y = np.array([0.3, -0.4, 0.5, -0.3, 0.4])
    width = 200
    start = Parameters(draw.normal(size=width), draw.normal(size=(width, 2)))
    problem = Problem(x, y, activations.get("relu"), width**-1.2, width**-0.2, width**0.2)
    out = descend_auto_large(
        problem, start, tolerance=0.01, stop=Stop(1e-4, max_steps=5000), tracked=width
    )
    assert out.status is Status.CONVERGED
    z = x @ out.parameters.w.T
    on_a_kink = np.abs(z) < 1e-6 * np.abs(z).max(axis=0)
    assert on_a_kink.sum() > 3


def test_a_plateau_is_called_one_after_some_hundred_long_steps():
    draw = np.random.default_rng(5)
    x = draw.normal(size=(60, 5))
    w = draw.normal(size=(3, 5))
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    problem = Problem(x, np.hypot(x[:, 0], x[:, 1]), activations.get("relu"), 1.0)
    stop = Stop(1e-10, max_steps=20_000, stagnation=0.01)
    run = descend_auto(problem, Parameters(np.zeros(3), w), tolerance=0.01, stop=stop, tracked=3)
    assert run.status is Status.STAGNATED
    assert run.steps < 5000
    stop = Stop(0.0, max_steps=100_000)
    later = descend(problem, run.parameters, learning_rate=0.1, stop=stop, tracked=3)
    assert later.mean_square > 0.98 * run.mean_square


def test_an_escape_from_a_tiny_start_is_no_plateau():
    problem, start = make(40, 5, 50, "relu", scale=1.0, mobility=1.0)
    tiny = Parameters(1e-12 * start.a, 1e-12 * start.w)
    stop = Stop(0.5 * float(np.mean(problem.y**2)), stagnation=0.5)
    run = descend_auto(problem, tiny, tolerance=0.01, stop=stop, tracked=50)
    assert run.status is Status.CONVERGED
    assert run.steps > 100


@pytest.mark.parametrize("activation", ["tanh", "x_tanh"])
@pytest.mark.parametrize("size", [0.01, 0.3])
def test_smooth_neurons_follow_the_flow_to_second_order(activation, size):
    problem, start = make(20, 5, 10, activation, scale=1.0, mobility=1.0)
    start = Parameters(size * start.a, size * start.w)
    stop = Stop(0.0, time=40.0)
    truth = flow_explicit(problem, start, rtol=1e-7, stop=stop, tracked=10).parameters
    errors = []
    for tolerance in (0.01, 0.0006):
        run = descend_auto_large(problem, start, tolerance=tolerance, stop=stop, tracked=10)
        errors.append(distance(run.parameters, truth) / distance(truth, start))
    assert errors[0] < 0.01
    assert errors[1] < 0.2 * errors[0]  # a fourth of the step: of first order 0.25, of second 0.06


def distance(first, second):
    """Euclidean distance of two sets of parameters."""
    return np.hypot(np.linalg.norm(first.a - second.a), np.linalg.norm(first.w - second.w))


@pytest.mark.parametrize("form", ["blas", "gram"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_the_fastest_neuron_counts_wherever_it_stands(activation, form):
    problem, start = make(100, 5, 40, activation)
    small = Parameters(0.01 * start.a, 0.01 * start.w)
    blocks = Blocks(problem, small, form, block_bytes=1)
    many = Parameters(np.tile(small.a, 5), np.tile(small.w, (5, 1)))
    many.a[:-40], many.w[:-40] = 0.0, 0.0
    behind = Blocks(problem, many, form, block_bytes=1)
    assert len(behind.list) > 2
    residual = blocks.residual()
    assert behind.growth_rate(residual) == pytest.approx(blocks.growth_rate(residual), rel=1e-9)


def test_a_run_gives_up_when_asked():
    problem, start = make(40, 5, 50, "relu", scale=1.0, mobility=1.0)
    request_stop()
    try:
        with pytest.raises(KeyboardInterrupt):
            descend_auto(problem, start, tolerance=0.01, stop=FOREVER, tracked=50)
    finally:
        request_stop(False)
    run = descend_auto(problem, start, tolerance=0.01, stop=FOREVER, tracked=50)
    assert run.status is Status.MAX_STEPS


@pytest.mark.parametrize(
    ("n", "d", "name", "m", "compiled"),
    [
        (16, 3, "relu", 100, True),
        (17, 3, "relu", 100, False),
        (17, 2, "relu", 100, True),
        (17, 2, "tanh", 100, False),
        (512, 3, "relu", 100, False),
        (513, 3, "relu", 100, True),
        (100, 3, "relu", 10**6, True),
    ],
)
def test_who_follows_the_flow(n, d, name, m, compiled):
    problem = Problem(np.ones((n, d)), np.ones(n), activations.get(name), 1.0)
    assert fits_compiled_flow(problem, m) is compiled
