"""The exact overlap equations against explicit weights, sampling, SciPy and known numbers."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from netphase import Status, engine, hermite
from netphase.dynamics import ExactOverlaps, Overlaps
from netphase.engine.exact_overlaps import OverlapField, reference_rates
from netphase.errors import ArgumentError

ONES, TARGET = [1.0, 1.0, 1.0, 1.0], [1.0, -1.0, 2 / 3, -1 / 3]
SIGMAS = [hermite.expand(ONES), hermite.relu(0.5), hermite.expand("relu"), hermite.expand("tanh")]


def ids(series):
    return series.name


def weights(m, d, seed=0):
    rng = np.random.default_rng(seed)
    w = rng.standard_normal((m, d))
    return rng.standard_normal(m), w / np.linalg.norm(w, axis=1)[:, None], np.eye(1, d)[0]


def gradients(sigma, phi, a, w, star):
    """∂R/∂a (m,) and the tangential part of ∂R/∂u (m, d), of explicit weights."""
    m = len(a)
    s, r = w @ star, np.clip(w @ w.T, -1, 1)
    steep = sigma.kernel_slope(r)
    np.fill_diagonal(steep, 0.0)  # along u_i itself
    value = sigma.kernel(r - np.diag(np.diag(r)) + np.eye(m))
    by_a = (value @ a / m - sigma.overlap(phi, s)) / m
    slope = (steep * a) @ w / m - np.outer(sigma.overlap_slope(phi, s), star)
    by_w = a[:, None] / m * slope
    return by_a, by_w - np.sum(by_w * w, axis=1)[:, None] * w


@pytest.mark.parametrize("sigma", SIGMAS, ids=ids)
def test_rates_are_the_chain_rule_of_the_flow_of_the_weights(sigma):
    (a, w, star), epsilon = weights(7, 5), 0.3
    dynamics = ExactOverlaps(sigma, TARGET, epsilon)
    by_a, by_w = gradients(sigma, dynamics.target, a, w, star)
    speed = -7 * by_w
    ds, turned = speed @ star, speed @ w.T
    found = dynamics.rates(Overlaps.of_weights(a, w, star))
    for ours, truth in zip(found, (-7 / epsilon * by_a, ds, turned + turned.T), strict=True):
        np.testing.assert_allclose(ours, truth, atol=1e-13)


@pytest.mark.parametrize("sigma", SIGMAS, ids=ids)
def test_rates_are_differences_of_the_risk(sigma):
    (a, w, star), h = weights(3, 4, seed=2), 1e-6
    dynamics = ExactOverlaps(sigma, TARGET)
    by_a, by_w = gradients(sigma, dynamics.target, a, w, star)

    def risk(a, w):
        return dynamics.risk(Overlaps.of_weights(a, w, star))

    for i in range(3):
        one = np.eye(3)[i]
        assert (risk(a + h * one, w) - risk(a - h * one, w)) / (2 * h) == pytest.approx(
            by_a[i], abs=1e-8
        )
        for k in range(4):  # `of_weights` takes the direction only: the tangential part
            push = h * np.outer(one, np.eye(4)[k])
            assert (risk(a, w + push) - risk(a, w - push)) / (2 * h) == pytest.approx(
                by_w[i, k], abs=1e-8
            )


@pytest.mark.parametrize("m", [1, 2, 63, 64, 65, 130])
@pytest.mark.parametrize("sigma", SIGMAS, ids=ids)
def test_the_fast_field_equals_its_definition(sigma, m):
    state = Overlaps.of_weights(*weights(m, m + 2))
    phi = hermite.expand(TARGET)
    field, flat = OverlapField(m, sigma, phi, 0.1), np.empty(m + m * m)
    field.look(state.s, state.r)
    speed = field.speed(state.a)
    field.turn(state.a, state.s, state.r, flat)
    truth = reference_rates(state.a, state.s, state.r, sigma, phi, 0.1)
    np.testing.assert_allclose(speed, truth.a, atol=1e-13)
    np.testing.assert_allclose(flat[:m], truth.s, atol=1e-13)
    np.testing.assert_allclose(flat[m:].reshape(m, m), truth.r, atol=1e-13)


@pytest.mark.parametrize("reach", [1e-4, 0.1, 1e4])
def test_the_implicit_solve_solves(reach):
    m = 40
    state = Overlaps.of_weights(*weights(m, 6))
    field = OverlapField(m, hermite.relu(), hermite.expand(TARGET), 1e-3)
    field.look(state.s, state.r)
    found = field.settle(state.a, reach, np.zeros(m))
    residual = found - reach * field.speed(found) - state.a
    assert np.abs(residual).max() < 1e-10 * (1 + reach / 1e-3)


@pytest.mark.parametrize("sigma", SIGMAS, ids=ids)
def test_the_risk_equals_sampling(sigma):
    a, w, star = weights(6, 5, seed=4)
    x = np.random.default_rng(5).standard_normal((300_000, 5))
    phi = hermite.expand(TARGET)
    losses = 0.5 * (phi(x @ star) - sigma(x @ w.T) @ a / 6) ** 2
    found = ExactOverlaps(sigma, phi).risk(Overlaps.of_weights(a, w, star))
    assert abs(found - losses.mean()) < 4.5 * losses.std() / math.sqrt(len(x))


def test_the_risk_falls_as_the_gradients_say():
    (a, w, star), epsilon = weights(8, 6), 0.2
    sigma, phi = hermite.relu(0.5), hermite.expand(TARGET)
    dynamics = ExactOverlaps(sigma, phi, epsilon)
    by_a, by_w = gradients(sigma, phi, a, w, star)
    truth = -8 * ((by_a**2).sum() / epsilon + (by_w**2).sum())
    state, h = Overlaps.of_weights(a, w, star), 1e-6
    later = dynamics.solve(state, [h, 2 * h], rtol=1e-10).risk
    slope = (4 * later[0] - later[1] - 3 * dynamics.risk(state)) / (2 * h)
    assert slope == pytest.approx(truth, rel=1e-6)


def by_scipy(dynamics, state, time):
    m = state.width

    def field(_, y):
        found = reference_rates(
            y[:m],
            y[m : 2 * m],
            y[2 * m :].reshape(m, m),
            dynamics.activation,
            dynamics.target,
            dynamics.epsilon,
        )
        return np.concatenate([found.a, found.s, found.r.ravel()])

    start = np.concatenate([state.a, state.s, state.r.ravel()])
    y = solve_ivp(field, (0, time), start, method="DOP853", rtol=1e-11, atol=1e-13).y[:, -1]
    return y[:m], y[m : 2 * m], y[2 * m :].reshape(m, m)


@pytest.mark.parametrize("epsilon", [0.01, 0.3, math.inf])
@pytest.mark.parametrize("sigma", [SIGMAS[0], SIGMAS[1]], ids=ids)
def test_solutions_converge_to_those_of_an_explicit_method(sigma, epsilon):
    dynamics = ExactOverlaps(sigma, TARGET, epsilon)
    state = dynamics.initial(12, 30, "uniform", seed=3)
    truth = by_scipy(dynamics, state, 1.0)
    errors = []
    for rtol in (1e-4, 1e-7):
        found = dynamics.solve(state, [1.0], rtol=rtol)
        assert found.status is Status.TIME_REACHED
        errors.append(
            max(
                np.abs(ours[-1] - theirs).max()
                for ours, theirs in zip((found.a, found.s, found.r), truth, strict=True)
            )
        )
    assert errors[0] < 2e-3
    assert errors[1] < 2e-6
    assert errors[1] < errors[0] / 20


def test_the_method_has_order_four():
    # with tolerances beyond reach, every step but some short first ones leads to the next time
    dynamics = ExactOverlaps(ONES, TARGET, 1.0)
    state = dynamics.initial(6, 20, "uniform", seed=1)
    truth = np.concatenate(by_scipy(dynamics, state, 1.0)[:2])
    errors = []
    for count in (8, 16, 32):
        found = dynamics.solve(state, np.arange(1, count + 1) / count, rtol=0.1, atol=10.0)
        assert count <= len(found.step_times) - 1 <= count + 12
        errors.append(np.abs(np.concatenate([found.a[-1], found.s[-1]]) - truth).max())
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert np.all(orders > 3.6)


def test_a_still_second_layer_stays_still():
    dynamics = ExactOverlaps("tanh", TARGET, math.inf)
    state = dynamics.initial(10, 50, [-1.0, 2.0], seed=2)
    found = dynamics.solve(state, [5.0])
    np.testing.assert_array_equal(found.a[-1], state.a)
    assert np.abs(found.s[-1] - state.s).max() > 0.1


def test_symmetries():
    m = 6
    dynamics = ExactOverlaps([0.3, 1.0, 0.5, -0.2], TARGET, 0.1)
    state = dynamics.initial(m, 12, "gaussian", seed=7)
    found = dynamics.solve(state, [0.5], rtol=1e-9)
    assert np.abs(found.s[0] - state.s).max() > 0.05

    minus = ExactOverlaps(-dynamics.activation.coefficients, TARGET, 0.1)
    other = minus.solve(Overlaps(-state.a, state.s, state.r), [0.5], rtol=1e-9)
    np.testing.assert_allclose(other.a, -found.a, atol=1e-12)

    mirrored = ExactOverlaps(dynamics.activation, np.array(TARGET) * [1, -1, 1, -1], 0.1)
    other = mirrored.solve(Overlaps(state.a, -state.s, state.r), [0.5], rtol=1e-9)
    np.testing.assert_allclose(other.s, -found.s, atol=1e-12)

    order = np.array([3, 1, 5, 0, 2, 4])
    turned = Overlaps(state.a[order], state.s[order], state.r[np.ix_(order, order)])
    np.testing.assert_allclose(
        dynamics.solve(turned, [0.5], rtol=1e-9).s[0], found.s[0][order], atol=1e-11
    )

    twice = np.repeat(np.arange(m), 2)  # every neuron beside its twin
    twins = Overlaps(state.a[twice], state.s[twice], state.r[np.ix_(twice, twice)])
    np.testing.assert_allclose(
        dynamics.solve(twins, [0.5], rtol=1e-9).s[0], found.s[0][twice], atol=1e-8
    )


@pytest.mark.parametrize(("sigma", "phi"), [(ONES, [1.0, 0.0, 1.0]), ([1.0, 0.0, 1.0], ONES)])
def test_nothing_turns_without_a_linear_part(sigma, phi):
    dynamics = ExactOverlaps(sigma, phi, 0.1)
    found = dynamics.solve(dynamics.initial(10), [1.0])
    assert not np.any(found.s)


@pytest.mark.parametrize("sigma", SIGMAS, ids=ids)
def test_solutions_stay_overlaps_of_unit_vectors(sigma):
    dynamics = ExactOverlaps(sigma, TARGET, 0.01)
    found = dynamics.solve(dynamics.initial(30, 10, seed=5), [0.1, 1.0, 3.0], rtol=1e-6)
    assert np.abs(found.s).max() <= 1
    assert found.gram_floor > -1e-6
    assert np.diff(found.step_risk).max() < 1e-12
    assert found.risk[-1] < found.risk[0]
    np.testing.assert_array_equal(found.r, found.r.transpose(0, 2, 1))


def test_a_small_epsilon_costs_few_steps():
    dynamics = ExactOverlaps(ONES, TARGET, 1e-8)
    found = dynamics.solve(dynamics.initial(4, 3, seed=1), [1.0])
    assert found.status is Status.TIME_REACHED
    assert found.evaluations < 20_000  # an explicit method: ‖σ‖²/ε and more


def mean_field_risk(m, epsilon, time):
    """R of the closure r_ij = s_i s_j, from its definition."""
    sigma, phi, k = np.array(ONES), np.array(TARGET), np.arange(4)
    a = math.sqrt(3) * (2 * (np.arange(m) + 0.5) / m - 1)

    def residuals(a, s):
        return phi - sigma * (a @ s[:, None] ** k) / m

    def field(_, y):
        a, s = y[:m], y[m:]
        pull = sigma * residuals(a, s)
        slope = s[:, None] ** np.arange(3) @ (k * pull)[1:]
        return np.concatenate([s[:, None] ** k @ pull / epsilon, a * (1 - s * s) * slope])

    start = np.concatenate([a, np.zeros(m)])
    y = solve_ivp(field, (0, time), start, method="DOP853", rtol=1e-9, atol=1e-13).y[:, -1]
    return 0.5 * (residuals(y[:m], y[m:]) ** 2).sum()


def risks_of_widths(widths):
    found = []
    for m in widths:
        dynamics = ExactOverlaps(ONES, TARGET, 1e-2)
        state = dynamics.initial(m, outputs="uniform", stratified=True)
        found.append(dynamics.solve(state, [0.1], rtol=1e-5).risk[0])
    return np.array(found)


def test_wide_networks_approach_the_mean_field_as_one_over_m():
    limit = mean_field_risk(800, 1e-2, 0.1)
    assert limit == pytest.approx(0.496, abs=1.5e-3)
    widths = np.array([50, 100])
    found = risks_of_widths(widths)
    np.testing.assert_allclose(found, [0.640, 0.581], atol=1e-3)
    gaps = (found - limit) * widths
    assert gaps[1] == pytest.approx(gaps[0], rel=0.2)


@pytest.mark.slow
def test_wider_networks_approach_it_as_one_over_m():
    limit = mean_field_risk(800, 1e-2, 0.1)
    widths = np.array([200, 400])
    found = risks_of_widths(widths)
    np.testing.assert_allclose(found, [0.542, 0.520], atol=1e-3)
    gaps = (found - limit) * widths
    assert gaps[1] == pytest.approx(gaps[0], rel=0.06)


def test_overlaps_of_neurons_factorise_as_one_over_m():
    off = []
    for m in (30, 60):
        dynamics = ExactOverlaps(ONES, TARGET, 0.1)
        found = dynamics.solve(dynamics.initial(m, outputs="uniform", stratified=True), [0.5])
        rest = found.r[0] - np.outer(found.s[0], found.s[0])
        np.fill_diagonal(rest, 0.0)
        off.append(np.abs(rest).max())
    assert off[1] == pytest.approx(off[0] / 2, rel=0.25)


def test_initial_states():
    dynamics = ExactOverlaps("tanh", TARGET)
    state = dynamics.initial(400, 900, "gaussian", seed=1)
    assert np.std(state.s) * 30 == pytest.approx(1, abs=0.12)
    assert np.std(state.r[np.triu_indices(400, 1)]) * 30 == pytest.approx(1, abs=0.02)
    assert np.std(state.a) == pytest.approx(1, abs=0.12)
    again = dynamics.initial(400, 900, "gaussian", seed=1)
    np.testing.assert_array_equal(again.r, state.r)
    assert np.any(dynamics.initial(400, 900, "gaussian", seed=2).s != state.s)
    even = dynamics.initial(6, outputs=[-1.0, 0.0, 2.0], stratified=True)
    np.testing.assert_array_equal(even.a, [-1, -1, 0, 0, 2, 2])
    np.testing.assert_array_equal(even.r, np.eye(6))
    assert set(dynamics.initial(50, outputs="rademacher").a) == {-1.0, 1.0}


def test_a_run_that_may_take_too_few_steps_says_so():
    dynamics = ExactOverlaps(ONES, TARGET, 1e-3)
    found = dynamics.solve(dynamics.initial(5), [1.0], max_steps=3)
    assert found.status is Status.MAX_STEPS
    assert len(found.times) == 0
    with pytest.raises(ArgumentError, match="ended early"):
        _ = found.final


def test_runs_can_be_continued():
    dynamics = ExactOverlaps(ONES, TARGET, 0.1)
    state = dynamics.initial(8, 20)
    half = dynamics.solve(state, [0.5], rtol=1e-8).final
    whole = dynamics.solve(state, [1.0], rtol=1e-8)
    assert dynamics.solve(half, [0.5], rtol=1e-8).risk[0] == pytest.approx(whole.risk[0], rel=1e-6)


def test_a_last_state_led_out_of_the_overlaps_is_taken_back():
    dynamics = ExactOverlaps(ONES, TARGET, 0.01)
    found = dynamics.solve(dynamics.initial(30, 5, seed=5), [1.0], rtol=1e-3)
    assert found.gram_floor < -1e-7
    back = found.final
    assert np.abs(back.r - found.r[-1]).max() < 100 * abs(found.gram_floor)
    assert dynamics.risk(back) == pytest.approx(found.risk[-1], abs=1e-4)


@pytest.mark.parametrize(
    ("a", "s", "r", "message"),
    [
        ([1.0, 1.0], [0.9, 0.9], [[1.0, -0.9], [-0.9, 1.0]], "no vectors have them"),
        ([1.0, 1.0], [0.0, 1.5], np.eye(2), "no vectors have them"),
        ([1.0, 1.0], [0.0, 0.0], [[1.0, 0.1], [0.2, 1.0]], "symmetric"),
        ([1.0, 1.0], [0.0, 0.0], 2 * np.eye(2), "ones on its diagonal"),
        ([1.0, 1.0], [0.0], np.eye(2), "shapes"),
        ([1.0, math.nan], [0.0, 0.0], np.eye(2), "finite"),
    ],
)
def test_overlaps_of_no_vectors_are_refused(a, s, r, message):
    with pytest.raises(ArgumentError, match=message):
        Overlaps(a, s, r)


def test_bad_arguments_are_refused():
    with pytest.raises(ArgumentError, match="epsilon"):
        ExactOverlaps(ONES, TARGET, 0.0)
    dynamics = ExactOverlaps(ONES, TARGET)
    with pytest.raises(ArgumentError, match="outputs"):
        dynamics.initial(5, outputs="cauchy")
    with pytest.raises(ArgumentError, match="`d`"):
        dynamics.initial(5, 2.5)
    with pytest.raises(ArgumentError, match="`stratified` must be True or False"):
        dynamics.initial(5, stratified="no")
    state = dynamics.initial(5)
    with pytest.raises(ArgumentError, match="times"):
        dynamics.solve(state, [1.0, 0.5])
    with pytest.raises(ArgumentError, match="times"):
        dynamics.solve(state, [])
    with pytest.raises(ArgumentError, match="rtol"):
        dynamics.solve(state, [1.0], rtol=1.0)
    with pytest.raises(ArgumentError, match="Overlaps"):
        dynamics.risk(np.eye(3))
    with pytest.raises(ArgumentError, match="zero row"):
        Overlaps.of_weights([1.0], [[0.0, 0.0]], [1.0, 0.0])


def test_a_neuron_whose_own_pull_is_strong_keeps_its_length():
    # one neuron on its own degree: ṡ = 4 s³ (1 − s²), while a length other than 1 grows as e^(8t)
    series, start = [0.0, 0.0, 0.0, 0.0, 1.0], 0.05
    state = Overlaps(np.ones(1), np.array([start]), np.eye(1))
    found = ExactOverlaps(series, series, math.inf).solve(state, [20.0], rtol=1e-8)
    s = found.s[0, 0]

    def elapsed(s):
        return (math.log(s * s / (1 - s * s)) - 1 / s**2) / 8

    assert elapsed(s) - elapsed(start) == pytest.approx(20.0, rel=1e-5)


def test_a_run_gives_up_when_asked():
    dynamics = ExactOverlaps([1, 1], [1, 1], 1e-2)
    start = dynamics.initial(8, outputs="gaussian", seed=0)
    engine.request_stop(True)
    try:
        with pytest.raises(KeyboardInterrupt):
            dynamics.solve(start, [1.0])
    finally:
        engine.request_stop(False)
    assert dynamics.solve(start, [1.0]).status.succeeded
