"""Soft committees against literal online descent, gradients, plateaus, decay rates and floors."""

import math

import numpy as np
import pytest
from scipy.optimize import root
from scipy.special import erf

from netphase import Status, hermite
from netphase.dynamics import Committee, CommitteeOverlaps, NoisyOverlaps
from netphase.engine.committee import CommitteeField
from netphase.errors import ArgumentError


def weights(units, teachers, inputs, seed=0):
    rng = np.random.default_rng(seed)
    j = rng.standard_normal((units, inputs)) / math.sqrt(inputs)
    b = rng.standard_normal((teachers, inputs)) / math.sqrt(inputs)
    return j, b, rng.uniform(0.5, 1.5, units)


def g(x):
    return erf(x / math.sqrt(2))


def test_without_the_squared_term_it_is_gradient_flow():
    (j, b, v), h, rate, output_rate = weights(3, 2, 6), 1e-6, 0.7, 0.4
    dynamics = CommitteeOverlaps(
        b @ b.T, [1.0, -0.5], rate, output_rate=output_rate, quadratic=False
    )

    def risk(j, v):
        return dynamics.risk(Committee.of_weights(j, b, v))

    by_j, by_v = np.empty_like(j), np.empty_like(v)
    for place in np.ndindex(*j.shape):
        push = np.zeros_like(j)
        push[place] = h
        by_j[place] = (risk(j + push, v) - risk(j - push, v)) / (2 * h)
    for i in range(3):
        push = h * np.eye(3)[i]
        by_v[i] = (risk(j, v + push) - risk(j, v - push)) / (2 * h)
    q, r, speed = dynamics.rates(Committee.of_weights(j, b, v))
    np.testing.assert_allclose(speed, -output_rate * by_v, atol=1e-9)
    np.testing.assert_allclose(r, -rate * by_j @ b.T, atol=1e-9)
    turned = -rate * by_j @ j.T
    np.testing.assert_allclose(q, turned + turned.T, atol=1e-9)
    state = Committee.of_weights(j, b, v)
    start, later = dynamics.solve(state, [0.0, 1e-4]).risk
    fall = -rate * (by_j**2).sum() - output_rate * (by_v**2).sum()
    assert (later - start) / 1e-4 == pytest.approx(fall, rel=1e-3)


def descend(j, b, v, outputs, end, rates, noise, spherical, runs):
    """Online descent as it is written, many runs at once."""
    inputs, rng = j.shape[1], np.random.default_rng(3)
    j, v = np.repeat(j[None], runs, 0), np.repeat(v[None], runs, 0)
    lengths = np.linalg.norm(j, axis=2)[:, :, None]
    for _ in range(round(end * inputs)):
        x = rng.standard_normal((runs, inputs))
        fields = np.einsum("skn,sn->sk", j, x)
        error = g(x @ b.T) @ outputs + noise * rng.standard_normal(runs)
        error -= (v * g(fields)).sum(1)
        slope = math.sqrt(2 / math.pi) * np.exp(-(fields**2) / 2)
        push = v * slope * error[:, None]
        v = v + rates[1] / inputs * error[:, None] * g(fields)
        j = j + rates[0] / inputs * push[:, :, None] * x[:, None, :]
        if spherical:
            j *= lengths / np.linalg.norm(j, axis=2)[:, :, None]
    return j, v


@pytest.mark.parametrize(("spherical", "output_rate"), [(False, 0.0), (False, 0.5), (True, 0.5)])
def test_online_descent_follows_the_equations(spherical, output_rate):
    (j, b, v), outputs, rate, runs = weights(2, 2, 300), np.array([1.0, 0.7]), 1.5, 30
    dynamics = CommitteeOverlaps(
        b @ b.T, outputs, rate, output_rate=output_rate, noise=0.3, spherical=spherical
    )
    found = dynamics.solve(Committee.of_weights(j, b, v), [4.0])
    ends = descend(j, b, v, outputs, 4.0, (rate, output_rate), 0.3, spherical, runs)
    states = [Committee.of_weights(one, b, other) for one, other in zip(*ends, strict=True)]
    risks = np.array([dynamics.risk(state) for state in states])
    samples = (
        (risks, found.risk[0]),
        (
            np.array([state.q[np.triu_indices(2)] for state in states]),
            found.q[0][np.triu_indices(2)],
        ),
        (np.array([state.r.ravel() for state in states]), found.r[0].ravel()),
        (np.array([state.v for state in states]), found.v[0]),
    )
    for values, expected in samples:
        error = values.std(axis=0, ddof=1) / math.sqrt(runs)
        assert np.all(np.abs(values.mean(axis=0) - expected) < 3.5 * error + 1e-8)
    # the squared term is no small matter here
    flow = CommitteeOverlaps(
        b @ b.T, outputs, rate, output_rate=output_rate, spherical=spherical, quadratic=False
    )
    drift = flow.solve(Committee.of_weights(j, b, v), [4.0]).risk[0]
    assert abs(drift - found.risk[0]) > 10 * risks.std(ddof=1) / math.sqrt(runs)


@pytest.mark.parametrize("units", [2, 3])
def test_the_symmetric_plateau_is_a_fixed_point_that_is_left(units):
    flow = CommitteeOverlaps(units, rate=1.0, quadratic=False)
    eye, ones = np.eye(units), np.ones((units, units))
    field = CommitteeField(eye, np.ones(units), 1.0, 0.0, 0.0, 1, False, False)

    def still(x):
        q, r, _ = field.rates(x[0] * eye + x[1] * (ones - eye), x[2] * ones, np.ones(units))
        return q[0, 0], q[0, 1], r[0, 0]

    guess = np.array([1.1, 0.9, 1.05]) * (0.3, 0.3, 0.5 / math.sqrt(units) + 0.05)
    length, across, along = root(still, guess, tol=1e-10).x
    # Saad and Solla's closed form: all units alike
    assert length == pytest.approx(1 / (2 * units - 1), abs=1e-8)
    assert across == pytest.approx(length, abs=1e-6)
    assert along == pytest.approx(1 / math.sqrt(units * (2 * units - 1)), abs=1e-8)
    height = units / math.pi * (math.pi / 6 - units * math.asin(1 / (2 * units)))
    state = Committee.of_weights(along * ones + 1e-4 * eye, eye)
    found = flow.solve(state, [0.0, 30.0, 3000.0])
    assert found.risk[:2] == pytest.approx(2 * [height], rel=1e-5)
    assert found.risk[2] < 1e-10
    np.testing.assert_allclose(found.r[2], eye, atol=1e-5)


def test_noiseless_learning_ends_at_the_rates_of_the_hessian():
    nodes, masses = np.polynomial.hermite_e.hermegauss(80)
    masses = masses / masses.sum()
    x = np.array(np.meshgrid(nodes, nodes, indexing="ij")).reshape(2, -1)
    slopes = math.sqrt(2 / math.pi) * np.exp(-(x**2) / 2)
    jacobian = (slopes[:, None] * x[None, :]).reshape(4, -1)
    hessian = (jacobian * np.outer(masses, masses).ravel()) @ jacobian.T
    inside, modes = np.linalg.eigh(hessian)
    outside = 2 / math.pi * (1 / math.sqrt(3) - 1 / 2)  # off the teacher's plane
    ways = [(inside[0], np.eye(2, 3).T[:, :2] @ modes[:, 0].reshape(2, 2).T)]
    ways.append((outside, np.array([[0.0, 0.0], [0.0, 0.0], [1.0, -1.0]]) / math.sqrt(2)))
    flow, b = CommitteeOverlaps(2, rate=0.5, quadratic=False), np.eye(2, 3)
    for slowest, way in ways:
        state = Committee.of_weights(b + 1e-3 * way.T, b)
        risk = flow.solve(state, [0.0, 20.0, 40.0], rtol=1e-11, atol=1e-15).risk
        assert risk[0] == pytest.approx(0.5e-6 * slowest, rel=0.01)
        assert math.log(risk[1] / risk[2]) / 20 == pytest.approx(2 * 0.5 * slowest, rel=5e-3)


def test_noise_leaves_a_floor_that_falls_with_the_rate():
    noise, units, off = 0.4, 2, []
    for rate in (0.1, 0.05):
        dynamics = CommitteeOverlaps(units, rate=rate, noise=noise)
        start = Committee(np.eye(2), np.eye(2), np.ones(2))
        floor = dynamics.solve(start, [400 / rate]).risk[0]
        off.append(floor / (rate * noise**2 * units / (2 * math.sqrt(3) * math.pi)) - 1)
    assert 0 < off[1] < off[0] < 0.2
    assert off[0] / off[1] == pytest.approx(2, rel=0.1)  # what is left is of order η


def test_units_can_be_exchanged_and_signs_turned():
    j, b, v = weights(4, 3, 9)
    dynamics = CommitteeOverlaps(b @ b.T, [1.0, 0.5, -0.2], 0.8, output_rate=0.3, noise=0.2)
    order, signs = [2, 0, 3, 1], np.array([1, -1, 1, -1])
    truth = dynamics.solve(Committee.of_weights(j, b, v), [2.0])
    state = Committee.of_weights((signs[:, None] * j)[order], b, (signs * v)[order])
    found = dynamics.solve(state, [2.0])
    assert found.risk[0] == pytest.approx(truth.risk[0], rel=1e-10)
    turned = (signs[:, None] * truth.q[0] * signs)[np.ix_(order, order)]
    np.testing.assert_allclose(found.q[0], turned, atol=1e-10)
    np.testing.assert_allclose(found.v[0], (signs * truth.v[0])[order], atol=1e-10)


def test_on_the_sphere_it_is_the_noisy_overlaps_in_another_clock():
    c, other, gamma, epsilon, noise, m = 0.8, 1.3, 0.9, 0.4, 0.3, 3
    noisy = NoisyOverlaps(hermite.erf(c), hermite.erf(other), epsilon, gamma, noise=noise)
    start = noisy.initial(m, 20, seed=1)
    square, scale = 2 * c * c, 2 * c * other
    committee = CommitteeOverlaps(
        [[2 * other**2]],
        rate=square * m * gamma,
        output_rate=gamma / (epsilon * m),
        noise=noise,
        spherical=True,
    )
    state = Committee(square * start.r, scale * start.s[:, None], start.a / m)
    q, r, v = committee.rates(state)
    a, s, turned = noisy.rates(start)
    np.testing.assert_allclose(q, gamma * square * turned, atol=1e-12)
    np.testing.assert_allclose(r[:, 0], gamma * scale * s, atol=1e-12)
    np.testing.assert_allclose(v, gamma * a / m, atol=1e-12)
    ends = noisy.solve(start, [3.0], rtol=1e-8), committee.solve(state, [3.0 / gamma])
    assert ends[0].risk[0] == pytest.approx(ends[1].risk[0], rel=1e-6)
    np.testing.assert_allclose(np.diagonal(ends[1].q[0]), square, rtol=1e-7)


def test_a_run_that_is_cut_short_says_so():
    dynamics = CommitteeOverlaps(2)
    found = dynamics.solve(dynamics.initial(2, 50), [0.0, 1e6], max_steps=5)
    assert found.status is Status.MAX_STEPS
    assert found.remedy
    assert len(found.times) == len(found.q) == found.steps - 4 == 1


@pytest.mark.parametrize(
    ("settings", "steps", "status"),
    [
        ({}, 3, Status.MAX_STEPS),
        ({"rate": 1e200}, 100, Status.NON_FINITE),
        ({"noise": 1e200}, 100, Status.NON_FINITE),
    ],
)
def test_a_run_that_reaches_no_time_is_empty_and_not_an_error(settings, steps, status):
    dynamics = CommitteeOverlaps(3, **settings)
    found = dynamics.solve(dynamics.initial(2, 50), [1e6], max_steps=steps)
    assert found.status is status
    assert (found.q.shape, found.r.shape, found.v.shape) == ((0, 2, 2), (0, 2, 3), (0, 2))
    with pytest.raises(ArgumentError, match="no final state"):
        _ = found.final


@pytest.mark.parametrize(("units", "teachers"), [(2, 3), (1, 1), (4, 1)])
def test_the_risk_equals_sampling(units, teachers):
    j, b, v = weights(units, teachers, 5, seed=6)
    star = np.linspace(-1.0, 1.5, teachers)
    x = np.random.default_rng(7).standard_normal((200_000, 5))
    squares = (g(x @ b.T) @ star - g(x @ j.T) @ v) ** 2 / 2
    found = CommitteeOverlaps(b @ b.T, star).risk(Committee.of_weights(j, b, v))
    assert abs(found - squares.mean()) < 4 * squares.std() / math.sqrt(len(x))


def test_a_teacher_of_zero_is_learnt_as_zero():
    dynamics = CommitteeOverlaps([[0.0]])
    found = dynamics.solve(dynamics.initial(2, 100), [0.0, 50.0])
    assert found.status is Status.TIME_REACHED
    assert found.risk[1] < 1e-5 < found.risk[0]
    assert not found.r.any()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CommitteeOverlaps(0), r"`teacher` must be a positive integer"),
        (lambda: CommitteeOverlaps([[1.0, 2.0], [2.0, 1.0]]), r"the eigenvalue -1 < 0"),
        (lambda: CommitteeOverlaps(2, [1.0]), r"`outputs` must be one number or 2"),
        (lambda: CommitteeOverlaps(2, rate=0.0), r"`rate` must be a positive"),
        (lambda: CommitteeOverlaps(2, noise=-1.0), r"`noise` must be ≥ 0"),
        (lambda: CommitteeOverlaps(2, spherical=1), r"`spherical` must be True or False"),
        (lambda: CommitteeOverlaps(3).initial(2, 2), r"`inputs` must be at least 3"),
        (lambda: Committee(np.eye(2), np.zeros((3, 1)), np.ones(2)), r"must have the shapes"),
        (
            lambda: CommitteeOverlaps(1).risk(Committee([[1.0]], [[2.0]], [1.0])),
            r"`state` must hold overlaps of vectors",
        ),
        (
            lambda: CommitteeOverlaps(2).risk(Committee([[1.0]], [[0.0]], [1.0])),
            r"overlaps with 2 teacher units, but has them with 1",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()
