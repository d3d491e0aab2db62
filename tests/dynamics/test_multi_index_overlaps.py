"""Multi-index targets: stages of staircases, symmetries, the single-index case, exact equations."""

import dataclasses
import math

import numpy as np
import pytest

from netphase import Status, hermite
from netphase.dynamics import ExactOverlaps, MeanFieldOverlaps, MultiIndexOverlaps, Overlaps
from netphase.engine.exact_overlaps import OverlapField, reference_rates
from netphase.engine.overlaps.reference import Woodbury, linearise, residuals, velocity
from netphase.errors import ArgumentError
from netphase.hermite import multi_index, staircase

ATOMS = [-1.5, -0.5, 0.4, 1.7]
EIGHT = [*ATOMS, 0.9, -1.1, 0.2, 2.1]
ONES = np.ones(4)
RICH = "0.3 - z1 + 0.5*z1**2*z2 + z2*z3"


def rotation(p, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((p, p)))[0]


def drawn(tied=False, seed=0):
    """A problem of three projections, and a state."""
    rng = np.random.default_rng(seed)
    a = np.full(5, 0.7) if tied else rng.normal(size=5)
    flow = MultiIndexOverlaps(1 / 30, [0.5, 1.0, -0.7, 0.4], RICH, a, rng.dirichlet([3] * 5))
    problem = dataclasses.replace(flow.problem(), tied=tied)
    return problem, np.column_stack([a, rng.uniform(-0.5, 0.5, (5, 3))])


# mean field


def test_field_is_the_negative_gradient_of_the_risk():
    problem, u = drawn()

    def risk(state):
        return 0.5 * np.sum(residuals(problem, state) ** 2)

    gradient, h = np.zeros_like(u), 1e-5
    for place in np.ndindex(*u.shape):
        step = np.zeros_like(u)
        step[place] = h
        gradient[place] = (risk(u + step) - risk(u - step)) / (2 * h)
    gradient /= -problem.weights[:, None]
    s, along = u[:, 1:], gradient[:, 1:]
    expected = along - s * np.sum(s * along, axis=1, keepdims=True)
    found = velocity(problem, u)
    assert found[:, 0] == pytest.approx(problem.speed * gradient[:, 0], rel=1e-7, abs=1e-7)
    assert found[:, 1:] == pytest.approx(expected, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("tied", [False, True])
def test_jacobian_and_its_inverse(tied):
    problem, u = drawn(tied)
    at = linearise(problem, u)
    matrix = at.dense()
    for column in range(u.size):
        step = np.zeros(u.size)
        step[column] = 1e-5
        step = step.reshape(u.shape)
        difference = (velocity(problem, u + step) - velocity(problem, u - step)).ravel() / 2e-5
        assert matrix[:, column] == pytest.approx(difference, rel=1e-6, abs=1e-6)
    right = np.random.default_rng(1).normal(size=u.shape)
    dense = np.linalg.solve(300.0 * np.eye(u.size) - matrix, right.ravel())
    assert Woodbury(at, 300.0).solve(right).ravel() == pytest.approx(dense, rel=1e-9, abs=1e-13)


@pytest.fixture(scope="module")
def single():
    phi = [1.0, -1.0, 2 / 3, -1 / 3]
    return hermite.expand(phi), MeanFieldOverlaps(1e-8, ONES, phi, ATOMS).solve(end=1.0)


def test_one_projection_is_the_single_index_case(single):
    phi, truth = single
    found = MultiIndexOverlaps(1e-8, ONES, phi, ATOMS).solve(end=1.0)
    np.testing.assert_array_equal(found.crossing_times, truth.crossing_times)
    np.testing.assert_array_equal(found.s[:, :, 0], truth.s)


@pytest.mark.parametrize("angle", [0.0, 0.6])
def test_a_single_index_target_in_a_plane_is_learnt_as_on_its_line(single, angle):
    phi, truth = single
    target = multi_index({(k, 0): c for k, c in enumerate(phi.coefficients)})
    q = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    found = MultiIndexOverlaps(1e-8, ONES, target.rotated(q), ATOMS).solve(end=1.0)
    assert found.crossing_times == pytest.approx(truth.crossing_times, rel=1e-5)
    assert found.risk == pytest.approx(truth.risk, rel=1e-3, abs=1e-8)
    assert (found.s @ q.T)[:, :, 0] == pytest.approx(truth.s, rel=1e-3, abs=1e-7)


def test_agrees_with_a_general_stiff_solver():
    from scipy.integrate import solve_ivp

    flow, times = MultiIndexOverlaps(1e-4, ONES, staircase(3), ATOMS), np.geomspace(1e-4, 1.5, 8)
    found, problem = flow.solve(times=times, rtol=1e-9), flow.problem()
    peer = solve_ivp(
        lambda _, u: velocity(problem, u.reshape(4, 4)).ravel(),
        (0.0, 1.5),
        np.column_stack([ATOMS, np.zeros((4, 3))]).ravel(),
        method="Radau",
        t_eval=times,
        rtol=1e-9,
        atol=1e-14,
        jac=lambda _, u: linearise(problem, u.reshape(4, 4)).dense(),
    )
    states = peer.y.T.reshape(-1, 4, 4)
    assert found.a == pytest.approx(states[:, :, 0], rel=1e-5, abs=1e-9)
    assert found.s == pytest.approx(states[:, :, 1:], rel=1e-5, abs=1e-9)


def test_times_converge_with_the_tolerance():
    flow = MultiIndexOverlaps(1e-6, ONES, staircase(3), EIGHT)
    truth = flow.solve(end=1.0, rtol=1e-8).term_crossing_times
    learnt = np.isfinite(truth)
    assert learnt.sum() == 3
    for rtol in (1e-4, 1e-6):
        found = flow.solve(end=1.0, rtol=rtol).term_crossing_times
        assert found[learnt] == pytest.approx(truth[learnt], rel=10 * rtol)


def test_the_second_step_of_a_staircase_takes_the_fourth_root_of_epsilon():
    times = []
    for epsilon in (1e-9, 1e-10):
        found = MultiIndexOverlaps(epsilon, np.ones(3), "z1 + z1*z2", ATOMS).solve(end=1.0)
        times.append(found.term_crossing_times[[found.term(1, 0), found.term(1, 1)]])
    slopes = np.log10(np.divide(*times))
    assert 0.249 < slopes[1] < 0.255
    assert slopes[0] == pytest.approx(0.458, abs=2e-3)  # √ε log(1/ε)
    # the first step is that of a single index: σ_1 φ_1 = 1, no constant, ⟨a²⟩
    first = math.sqrt(1e-10) / 2 * math.log(4 / (1e-5 * np.mean(np.square(ATOMS))))
    assert times[1][0] == pytest.approx(first, rel=2e-3)


def test_the_third_step_of_a_staircase_comes_later():
    times = []
    for epsilon in (1e-10, 1e-11):
        found = MultiIndexOverlaps(epsilon, ONES, staircase(3), EIGHT).solve(end=1.0)
        places = [found.term(*each) for each in [(1, 0, 0), (1, 1, 0), (1, 1, 1)]]
        times.append(found.term_crossing_times[places])
    assert np.all(np.diff(times[0]) > 0)
    assert 0.04 < times[0][2] < 0.07
    slopes = np.log10(np.divide(*times))
    assert slopes[1] == pytest.approx(0.25, abs=0.01)
    assert slopes[2] == pytest.approx(1 / 6, abs=0.03)


def test_few_atoms_learn_the_third_step_at_a_time_without_epsilon():
    times = [
        MultiIndexOverlaps(e, ONES, staircase(3), ATOMS).solve(end=1.0).crossing_times[3]
        for e in (1e-9, 1e-10)
    ]
    assert abs(math.log10(times[0] / times[1])) < 0.03


@pytest.mark.parametrize("text", ["z1 + h2(z2)", "z1 + z1*z2*z3", "z1 + z1*z2 + z1*h2(z3)"])
def test_overlaps_beyond_a_leap_of_two_stay_at_zero(text):
    target = multi_index(text)
    found = MultiIndexOverlaps(1e-4, ONES, target, EIGHT).solve(end=20.0)
    reached = np.linalg.norm(target.reach(), axis=0) > 0
    assert np.all(found.s[:, :, ~reached] == 0.0)
    assert np.all(found.rms_overlaps[-1, reached] > 0.01)
    lost = sum(c * c for alpha, c in target.terms.items() if np.any(np.array(alpha)[~reached] > 0))
    assert found.risk[-1] >= 0.5 * lost * (1 - 1e-9)


@pytest.mark.parametrize("epsilon", [1e-2, 1e-6, 1e-12])
def test_the_risk_never_rises(epsilon):
    found = MultiIndexOverlaps(epsilon, ONES, staircase(3), EIGHT).solve(end=1.0)
    assert found.status is Status.TIME_REACHED
    assert found.largest_rise < 1e-12
    assert found.risk[0] == pytest.approx(1.5 + 0.5 * np.mean(EIGHT) ** 2)
    degrees = found.exponents.sum(axis=1)
    parts = [np.sum(found.term_residuals[:, degrees == k] ** 2, axis=1) for k in range(4)]
    assert found.residuals**2 == pytest.approx(np.stack(parts, axis=1))


def test_coordinates_of_the_target_do_not_matter():
    target, q = multi_index("0.5 + z1 + z1*z2 - 0.4*h3(z2)"), rotation(2)
    first, other = (
        MultiIndexOverlaps(1e-6, ONES, each, EIGHT).solve(end=0.5, rtol=1e-8)
        for each in (target, target.rotated(q))
    )
    assert other.risk == pytest.approx(first.risk, rel=1e-5, abs=1e-9)
    assert other.crossing_times == pytest.approx(first.crossing_times, rel=1e-5)
    assert other.s @ q.T == pytest.approx(first.s, abs=1e-5)


def test_overlaps_stay_within_the_sphere_and_a_run_can_go_on():
    flow = MultiIndexOverlaps(math.inf, ONES, "9*z1 + 8*z2 + 5*z1*z2**2", ATOMS)
    found = flow.solve(end=50.0)
    lengths = np.linalg.norm(found.s, axis=2)
    assert 1 - 1e-6 < lengths.max() < 1 + 1e-15
    further = dataclasses.replace(flow, overlaps=found.s[-1]).solve(end=1.0)
    np.testing.assert_allclose(further.s[-1], found.s[-1], atol=1e-5)


def test_split_weights_and_twins_change_nothing():
    whole = MultiIndexOverlaps(1e-6, ONES, staircase(3), EIGHT).solve(end=0.5)
    which = [0, 0, 1, 2, 3, 3, 4, 5, 6, 7]
    weights = np.array([0.05, 0.075, 0.125, 0.125, 0.1, 0.025, *[0.125] * 4])
    atoms = np.array(EIGHT)
    split = MultiIndexOverlaps(1e-6, ONES, staircase(3), atoms[which], weights).solve(end=0.5)
    twins = MultiIndexOverlaps(1e-6, ONES, staircase(3), np.repeat(atoms, 2)).solve(end=0.5)
    for other in (split, twins):
        assert other.crossing_times == pytest.approx(whole.crossing_times, rel=1e-5, nan_ok=True)
    assert split.a[-1] == pytest.approx(whole.a[-1][which], rel=1e-4, abs=1e-8)


def test_ties_and_frozen_layers():
    start = np.random.default_rng(3).uniform(-0.2, 0.2, (4, 2))
    target = staircase(2)
    tied = MultiIndexOverlaps(1e-2, ONES, target, [0.5] * 4, overlaps=start, tied=True)
    found = tied.solve(end=2.0)
    assert np.ptp(found.a, axis=1).max() < 1e-9
    assert np.all(np.diff(found.risk) <= 1e-9)
    frozen = MultiIndexOverlaps(math.inf, ONES, target, ATOMS).solve(end=5.0)
    assert np.abs(frozen.a - ATOMS).max() < 1e-14
    assert frozen.s[5, :, 0] == pytest.approx(np.array(ATOMS) * frozen.time[5], rel=1e-3)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"epsilon": 0.0}, "`epsilon` must be a positive finite number"),
        ({"tied": "no"}, "`tied` must be True or False"),
        ({"activation": [1.0, 1.0]}, "a coefficient for every degree of the target, up to 2"),
        ({"activation": hermite.relu(0.5)}, "at most 1000 monomials of 2 projections"),
        ({"target": "z1*sin(z2)"}, "functions are h0, h1"),
        ({"weights": [0.5, 0.5]}, "one entry for each of the 4 atoms"),
        ({"overlaps": np.zeros((3, 2))}, "one entry for each of the 4 atoms"),
        ({"overlaps": np.zeros((4, 3))}, "2 columns"),
        ({"overlaps": np.full((4, 2), 0.8)}, "rows of length at most 1"),
        ({"tied": True}, "`atoms` must be one number repeated"),
    ],
)
def test_bad_input_is_one_sentence(changed, sentence):
    arguments = {"epsilon": 0.1, "activation": ONES, "target": "z1 + z1*z2", "atoms": ATOMS}
    with pytest.raises(ArgumentError, match=sentence):
        MultiIndexOverlaps(**{**arguments, **changed})


def test_terms_are_found_by_their_exponents():
    found = MultiIndexOverlaps(0.1, ONES, "z1 + z1*z2", ATOMS).solve(end=0.1)
    assert found.exponents[found.term(1, 1)].tolist() == [1, 1]
    with pytest.raises(ArgumentError, match="2 integers ≥ 0 whose sum is at most 3"):
        found.term(2, 2)


# any width


def weights(m, d, p, seed=0):
    rng = np.random.default_rng(seed)
    w = rng.standard_normal((m, d))
    return rng.standard_normal(m), w / np.linalg.norm(w, axis=1)[:, None], rotation(d, seed)[:p]


@pytest.mark.parametrize("name", ["relu", "tanh", "poly"])
def test_exact_rates_are_the_chain_rule_of_the_flow_of_the_weights(name):
    sigma = hermite.expand([0.5, 1.0, -0.7, 0.4] if name == "poly" else name)
    (a, w, stars), m, epsilon = weights(7, 6, 3), 7, 0.3
    dynamics = ExactOverlaps(sigma, multi_index(RICH), epsilon)
    s, r = w @ stars.T, np.clip(w @ w.T, -1, 1)
    cross, steep = dynamics.target.cross(sigma)(s), sigma.kernel_slope(r)
    np.fill_diagonal(steep, 0.0)
    value = sigma.kernel(r - np.diag(np.diag(r)) + np.eye(m))
    pull = cross.slope @ stars - (steep * a) @ w / m
    speed = a[:, None] * (pull - np.sum(pull * w, axis=1)[:, None] * w)
    turned = speed @ w.T
    truth = ((cross.value - value @ a / m) / epsilon, speed @ stars.T, turned + turned.T)
    for ours, theirs in zip(dynamics.rates(Overlaps.of_weights(a, w, stars)), truth, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-13)


@pytest.mark.parametrize("m", [1, 63, 65])
def test_the_fast_exact_field_equals_its_definition(m):
    state = Overlaps.of_weights(*weights(m, m + 4, 3))
    sigma, phi = hermite.relu(0.5), multi_index(RICH)
    field, flat = OverlapField(m, sigma, phi, 0.1), np.empty(3 * m + m * m)
    field.look(state.s, state.r)
    speed = field.speed(state.a)
    field.turn(state.a, state.s, state.r, flat)
    truth = reference_rates(state.a, state.s, state.r, sigma, phi, 0.1)
    np.testing.assert_allclose(speed, truth.a, atol=1e-13)
    np.testing.assert_allclose(flat[: 3 * m].reshape(m, 3), truth.s, atol=1e-13)
    np.testing.assert_allclose(flat[3 * m :].reshape(m, m), truth.r, atol=1e-13)


def test_the_exact_risk_equals_sampling():
    a, w, stars = weights(6, 5, 3, seed=4)
    sigma, phi = hermite.expand("relu"), multi_index(RICH)
    x = np.random.default_rng(5).standard_normal((300_000, 5))
    losses = 0.5 * (phi(x @ stars.T) - sigma(x @ w.T) @ a / 6) ** 2
    found = ExactOverlaps(sigma, phi).risk(Overlaps.of_weights(a, w, stars))
    assert abs(found - losses.mean()) < 4.5 * losses.std() / math.sqrt(len(x))


def test_a_line_is_a_space_of_one_direction():
    sigma, phi = hermite.expand("tanh"), hermite.expand([1.0, -1.0, 2 / 3])
    lines, spaces = ExactOverlaps(sigma, phi, 0.1), ExactOverlaps(sigma, multi_index(phi), 0.1)
    first = lines.solve(lines.initial(12, 30, seed=1), [1.0])
    other = spaces.solve(spaces.initial(12, 30, seed=1), [1.0])
    assert other.s.shape == (1, 12, 1)
    np.testing.assert_allclose(other.s[0, :, 0], first.s[0], atol=1e-12)
    np.testing.assert_allclose(other.risk, first.risk, rtol=1e-12)


def test_exact_solutions_stay_overlaps_and_know_no_coordinates():
    target, q = multi_index(RICH), rotation(3)
    found = []
    for phi, turn in ((target, np.eye(3)), (target.rotated(q), q)):
        dynamics = ExactOverlaps(hermite.expand("relu"), phi, 0.05)
        start = dynamics.initial(20, 12, seed=2)
        found.append(
            dynamics.solve(Overlaps(start.a, start.s @ turn, start.r), [0.5, 2.0], rtol=1e-7)
        )
    first, other = found
    assert first.status is Status.TIME_REACHED
    assert first.gram_floor > -1e-6
    assert np.diff(first.step_risk).max() < 1e-12
    np.testing.assert_allclose(other.risk, first.risk, rtol=1e-6)
    np.testing.assert_allclose(other.s @ q.T, first.s, atol=1e-5)
    assert first.final.s.shape == (20, 3)


def test_wide_networks_approach_the_mean_field_as_one_over_m():
    gaps = []
    for m in (40, 80):
        atoms = math.sqrt(3) * (2 * (np.arange(m) + 0.5) / m - 1)
        limit = MultiIndexOverlaps(0.05, ONES, staircase(2), atoms).solve(times=[0.4], rtol=1e-5)
        dynamics = ExactOverlaps(ONES, staircase(2), 0.05)
        start = dynamics.initial(m, outputs="uniform", stratified=True)
        gaps.append((dynamics.solve(start, [0.4], rtol=1e-5).risk[0] - limit.risk[-1]) * m)
    assert gaps[0] > 0.1
    assert gaps[1] == pytest.approx(gaps[0], rel=0.2)


def test_exact_equations_refuse_what_does_not_fit():
    dynamics = ExactOverlaps("relu", staircase(3))
    with pytest.raises(ArgumentError, match="`d` must be at least 3"):
        dynamics.initial(5, 2)
    with pytest.raises(ArgumentError, match="overlaps `s` of the shape"):
        dynamics.risk(Overlaps(np.ones(2), np.zeros(2), np.eye(2)))
    with pytest.raises(ArgumentError, match="no vectors have them"):
        Overlaps(np.ones(1), np.full((1, 3), 0.8), np.eye(1))
    with pytest.raises(ArgumentError, match="orthonormal rows"):
        Overlaps.of_weights(np.ones(1), np.eye(1, 3), np.ones((2, 3)))
