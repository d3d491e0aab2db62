"""The overlaps under noisy steps against literal descent, sampling, and the flow without noise."""

import math

import numpy as np
import pytest

from netphase import Status, hermite
from netphase.dynamics import ExactOverlaps, NoisyOverlaps, Overlaps, ProjectedSGD
from netphase.engine import overlap_noise
from netphase.engine.overlap_noise import NoisyField, noise_mean
from netphase.errors import ArgumentError

ERFS = (hermite.erf(0.8), hermite.erf(1.3))
RELUS = (hermite.relu(0.5), hermite.expand([1.0, -1.0, 2 / 3]))
CASES = {"error functions": ERFS, "relu": RELUS}


def weights(m, d, seed=0):
    rng = np.random.default_rng(seed)
    w = rng.standard_normal((m, d))
    return rng.standard_normal(m), w / np.linalg.norm(w, axis=1)[:, None], np.eye(1, d)[0]


@pytest.mark.parametrize("case", CASES)
def test_the_noise_equals_sampling(case):
    sigma, phi = CASES[case]
    (a, w, star), tau = weights(3, 4), 0.3
    x = np.random.default_rng(1).standard_normal((200_000, 4))
    slopes = sigma.derivative(x @ w.T)
    squares = (phi(x @ star) - sigma(x @ w.T) @ a / 3) ** 2 + tau**2
    terms = squares[:, None, None] * slopes[:, :, None] * slopes[:, None, :]
    dynamics = NoisyOverlaps(sigma, phi, noise=tau, points=1 << 14 if case == "relu" else None)
    found = dynamics.noise_matrix(Overlaps.of_weights(a, w, star))
    error = terms.std(axis=0) / math.sqrt(len(x))
    # a Sobol sample is no worse than as many independent points
    error = error * math.hypot(1, math.sqrt(len(x) / 2**14)) if case == "relu" else error
    assert np.all(np.abs(found - terms.mean(axis=0)) < 4.5 * error)


@pytest.mark.parametrize("powers", [(2, 2), (4, 3), (4, 5), (3, 2)])
def test_the_noise_of_polynomials_equals_quadrature(powers):
    rng, tau = np.random.default_rng(7), 0.4
    sigma, phi = (hermite.expand(rng.standard_normal(count)) for count in powers)
    a, w, star = weights(2, 3, seed=3)
    nodes, masses = np.polynomial.hermite_e.hermegauss(10)  # exact up to degree 19
    x = np.array(np.meshgrid(nodes, nodes, nodes, indexing="ij")).reshape(3, -1).T
    mass = np.prod(np.meshgrid(masses, masses, masses, indexing="ij"), axis=0).ravel()
    slopes = sigma.derivative(x @ w.T)
    squares = (phi(x @ star) - sigma(x @ w.T) @ a / 2) ** 2 + tau**2
    truth = (slopes * (squares * mass / mass.sum())[:, None]).T @ slopes
    found = NoisyOverlaps(sigma, phi, noise=tau).noise_matrix(Overlaps.of_weights(a, w, star))
    np.testing.assert_allclose(found, truth, rtol=1e-11, atol=1e-11 * np.abs(truth).max())


def test_wide_networks_are_averaged_by_rows(monkeypatch):
    sigma, phi = hermite.expand([0.3, 1.0, 0.5, 0.2]), hermite.expand([0.5, -1.0, 0.5])
    state = Overlaps.of_weights(*weights(11, 13))
    whole = NoisyOverlaps(sigma, phi, noise=0.2).noise_matrix(state)
    monkeypatch.setattr(overlap_noise, "_ENTRIES", 11 * 12 * 4)  # four rows, and three at the end
    parts = NoisyOverlaps(sigma, phi, noise=0.2).noise_matrix(state)
    np.testing.assert_allclose(parts, whole, rtol=1e-13)


def test_a_growing_sample_converges_to_the_closed_form():
    state = Overlaps.of_weights(*weights(4, 6, seed=3))
    truth = NoisyOverlaps(*ERFS, noise=0.2).noise_matrix(state)
    errors = [
        np.abs(NoisyOverlaps(*ERFS, noise=0.2, points=points).noise_matrix(state) - truth).max()
        for points in (1 << 10, 1 << 16)
    ]
    assert errors[1] < errors[0] / 8  # what independent points do
    assert errors[1] < 0.002 * np.abs(truth).max()


@pytest.mark.parametrize("m", [1, 5, 70])
def test_the_fast_field_equals_its_definition(m):
    state = Overlaps.of_weights(*weights(m, m + 2))
    dynamics = NoisyOverlaps(*ERFS, epsilon=0.2, gamma=0.7, batch=2, noise=0.3)
    mean = noise_mean(*ERFS, 0.09)
    field, flat = NoisyField(m, *ERFS, 0.2, lambda _: 0.35, mean), np.empty(m + m * m)
    field.look(state.s, state.r)
    field.turn(state.a, state.s, state.r, flat)
    _, along, turned = dynamics.rates(state)
    np.testing.assert_allclose(flat[:m], along, atol=1e-13)
    np.testing.assert_allclose(flat[m:].reshape(m, m), turned, atol=1e-13)
    assert np.abs(np.diagonal(turned)).max() < 1e-13


def test_without_noise_the_flow_comes_back():
    times, errors = [0.5, 2.0], []
    flow = ExactOverlaps(*ERFS, epsilon=0.1)
    state = flow.initial(5, 50, seed=2)
    truth = flow.solve(state, times)
    still = NoisyOverlaps(*ERFS, epsilon=0.1, gamma=0.0, noise=0.5).solve(state, times)
    np.testing.assert_array_equal(still.risk, truth.risk)
    for gamma in (0.02, 0.01):
        noisy = NoisyOverlaps(*ERFS, epsilon=0.1, gamma=gamma, noise=0.5)
        errors.append(np.abs(noisy.solve(state, times, rtol=1e-8).risk - truth.risk).max())
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.05)  # of first order in γ


def test_a_schedule_is_followed_step_by_step():
    state = NoisyOverlaps(*ERFS).initial(4, 60, seed=1)
    constant = NoisyOverlaps(*ERFS, gamma=0.8, noise=0.3).solve(state, [1.0, 2.0], rtol=1e-8)
    falling = NoisyOverlaps(*ERFS, gamma=lambda t: 0.8 if t < 1 else 0.0, noise=0.3)
    found = falling.solve(state, [1.0, 2.0], rtol=1e-8)
    assert found.risk[0] == pytest.approx(constant.risk[0], rel=1e-6)
    rest = ExactOverlaps(*ERFS).solve(constant_state(constant), [1.0], rtol=1e-8)
    assert found.risk[1] == pytest.approx(rest.risk[0], rel=1e-6)
    assert found.risk[1] < 0.9 * constant.risk[1]
    # a batch divides the noise as a smaller step does
    halved = NoisyOverlaps(*ERFS, gamma=1.6, batch=2, noise=0.3).solve(state, [2.0], rtol=1e-8)
    assert halved.risk[0] == pytest.approx(constant.risk[1], rel=1e-6)


def constant_state(found):
    return Overlaps(found.a[0], found.s[0], found.r[0])


CURVES = {
    "error functions": (hermite.erf(), hermite.erf(), [1.0, 1.0, -0.5, 0.5]),
    "polynomials": (
        hermite.expand([0.3, 1.0, 0.5]),
        hermite.expand([0.5, -1.0, 0.5]),
        [1, -0.5, 0.5],
    ),
}


def descent_and_equations(case, d, seeds, epsilon=1.0, batch=1, tau=0.3, time=4.0):
    """Risks of descent, of the noisy equations and of the flow at γ = 1, from the same starts."""
    sigma, phi, outputs = CURVES[case]
    sgd = ProjectedSGD(sigma, phi, epsilon, rate=1 / d, inputs=d, batch=batch, noise=tau)
    known = {"outputs": outputs, "stratified": True}
    found = sgd.run(len(outputs), [time], seeds=range(seeds), **known)
    noisy = NoisyOverlaps(sigma, phi, epsilon, gamma=1.0, batch=batch, noise=tau)
    flow = ExactOverlaps(sigma, phi, epsilon)
    starts = [flow.initial(len(outputs), d, seed=seed, **known) for seed in range(seeds)]
    pair = [
        np.array([each.solve(start, [time], rtol=1e-4).risk[0] for start in starts])
        for each in (noisy, flow)
    ]
    return found.risk[:, 0], *pair


def off(found, truth):
    """The mean difference in standard errors of it."""
    gap = found - truth
    return abs(gap.mean()) / (gap.std(ddof=1) / math.sqrt(len(gap)))


@pytest.mark.parametrize("d", [100, 400])
@pytest.mark.parametrize("case", CURVES)
def test_descent_follows_the_noisy_equations_and_not_the_flow(case, d):
    found, noisy, flow = descent_and_equations(case, d, seeds=40)
    assert off(found, noisy) < 2
    assert found.mean() > 2 * flow.mean()


@pytest.mark.parametrize("settings", [{"batch": 4}, {"epsilon": math.inf}, {"tau": 0.0}])
def test_batches_frozen_layers_and_clean_labels_follow_the_noisy_equations_too(settings):
    found, noisy, flow = descent_and_equations("error functions", 400, seeds=40, **settings)
    assert off(found, noisy) < 2
    assert off(found, flow) > 10


def test_a_state_of_two_directions_is_refused():
    state = Overlaps(np.ones(2), np.zeros((2, 2)), np.eye(2))
    for ask in ("noise_matrix", "rates", "risk"):
        with pytest.raises(ArgumentError, match=r"overlaps `s` of the shape \(2,\)"):
            getattr(NoisyOverlaps(*ERFS), ask)(state)


@pytest.mark.parametrize("size", [{"gamma": 1e200}, {"noise": 1e200}])
def test_noise_beyond_all_numbers_is_a_status(size):
    dynamics = NoisyOverlaps(*ERFS, **size)
    found = dynamics.solve(dynamics.initial(2, 9), [1.0])
    assert found.status is Status.NON_FINITE
    assert len(found.risk) == 0


def test_a_sample_tells_its_error():
    state = NoisyOverlaps(*ERFS).initial(4, 50, seed=4)
    times = np.linspace(0.5, 4.0, 8)
    truth = NoisyOverlaps(*ERFS, noise=0.3).solve(state, times)
    assert not truth.risk_error.any()
    sampled = NoisyOverlaps(*ERFS, noise=0.3, points=1024).solve(state, times)
    off = np.abs(sampled.risk - truth.risk)
    assert 0 < off.max() < 4 * sampled.risk_error.max() < 0.02
    other = NoisyOverlaps(*ERFS, noise=0.3, points=1024, seed=1).solve(state, times)
    assert np.any(other.risk != sampled.risk)


def test_any_activation_is_solved_for_and_stays_on_the_sphere():
    dynamics = NoisyOverlaps("tanh", [0.5, -1.0, 0.5], gamma=1.0, points=512)
    found = dynamics.solve(dynamics.initial(6, 40), [1.0, 3.0])
    assert found.status is Status.TIME_REACHED
    assert found.gram_floor > -1e-9
    assert np.all(found.risk_error > 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gamma": -1.0}, r"`gamma` must be ≥ 0, but is -1"),
        ({"gamma": math.nan}, r"`gamma` must be a finite number"),
        ({"batch": 0}, r"`batch` must be a positive integer, but is 0"),
        ({"noise": -0.1}, r"`noise` must be ≥ 0"),
        ({"points": 1000}, r"`points` must be a power of two between 16 and"),
        ({"seed": 0.5}, r"`seed` must be an integer"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(changes, message):
    with pytest.raises(ArgumentError, match=message):
        NoisyOverlaps(*ERFS, **changes)


def test_a_schedule_below_zero_is_refused():
    dynamics = NoisyOverlaps(*ERFS, gamma=lambda t: 1 - t)
    with pytest.raises(ArgumentError, match=r"`gamma` must be ≥ 0, but is -1"):
        dynamics.solve(dynamics.initial(2, 9), [2.0])
