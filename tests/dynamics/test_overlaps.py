"""Stages of learning in mean-field overlap equations: times, exponents, symmetries, messages."""

import dataclasses
import math

import numpy as np
import pytest

from netphase._types import Status
from netphase.dynamics import MeanFieldOverlaps, plateau_risks, stage_exponents
from netphase.engine.overlaps import solve_overlaps
from netphase.errors import ArgumentError

ATOMS = [-1.5, -0.5, 0.4, 1.7]
SIGMA, PHI = [1.0, 1.0, 1.0, 1.0], [1.0, -1.0, 2 / 3, -1 / 3]
# The first entry from an explicit solver at rtol 1e-12; see the test below.
TABLE = {
    1e-4: (6.67821e-5, 2.71454e-2, 8.53123e-2, 1.40933e-1),
    1e-8: (6.67826e-9, 5.13072e-4, 1.99864e-2, 1.32334e-1),
    1e-12: (6.67826e-13, 7.43700e-6, 2.04983e-3, 3.84074e-2),
}


def model(epsilon=1e-6, **changed):
    return dataclasses.replace(MeanFieldOverlaps(epsilon, SIGMA, PHI, ATOMS), **changed)


@pytest.fixture(scope="module")
def late():
    """Solutions at small ε, for the exponents."""
    return {e: model(e).solve(end=1.0, rtol=1e-7) for e in (1e-12, 1e-13)}


@pytest.mark.parametrize("epsilon", TABLE)
def test_times_of_the_four_degrees(epsilon):
    found = model(epsilon).solve(end=1.0, rtol=1e-8)
    assert found.status is Status.TIME_REACHED
    assert found.crossing_times == pytest.approx(TABLE[epsilon], rel=5e-5)


def test_first_time_equals_that_of_an_explicit_solver():
    from scipy.integrate import solve_ivp

    from netphase.engine.overlaps.reference import residuals, velocity

    problem = model(1e-4).problem()
    peer = solve_ivp(
        lambda _, u: velocity(problem, u.reshape(4, 2)).ravel(),
        (0.0, 2e-4),
        np.column_stack([ATOMS, np.zeros(4)]).ravel(),
        method="DOP853",
        rtol=1e-12,
        atol=1e-15,
        events=lambda _, u: residuals(problem, u.reshape(4, 2))[0] - 0.5,
    )
    found = model(1e-4).solve(end=2e-4, rtol=1e-8).crossing_times[0]
    assert found == pytest.approx(peer.t_events[0][0], rel=1e-7)


def test_degree_zero_is_learnt_in_closed_form():
    found = model(1e-8).solve(times=np.linspace(0, 1e-7, 21))
    rho = (1 - 0.025) * np.exp(-found.time / 1e-8)
    assert found.residuals[:, 0] == pytest.approx(rho, abs=1e-6)
    spread = found.a - found.a.mean(axis=1, keepdims=True)
    assert spread == pytest.approx(np.broadcast_to(spread[0], spread.shape), abs=1e-6)


def test_times_follow_the_powers_of_epsilon(late):
    times = np.array([late[e].crossing_times for e in (1e-12, 1e-13)])
    slopes = np.log10(times[0] / times[1])
    expected = [stage_exponents(degree).time for degree in range(4)]
    assert slopes[[0, 2, 3]] == pytest.approx(np.array(expected)[[0, 2, 3]], abs=0.01)
    assert slopes[1] == pytest.approx(0.468, abs=2e-3)


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_sizes_of_weights_and_overlaps_when_a_degree_is_learnt(degree):
    sizes = []
    for epsilon in (1e-12, 1e-13):
        at = model(epsilon).solve(end=1.0).crossing_times[degree]
        found = model(epsilon).solve(end=at)
        sizes.append((found.rms_a[-1], found.rms_s[-1]))
    slopes = np.log10(np.divide(*sizes))
    predicted = stage_exponents(degree)
    assert slopes == pytest.approx([predicted.amplitude, predicted.overlap], abs=0.02)


def test_plateaus_of_the_risk(late):
    found, targets = late[1e-13], plateau_risks(np.array(PHI))
    logs = np.log(found.time[1:])
    for degree in range(3):
        left, right = found.crossing_times[degree : degree + 2]
        middle = np.interp(0.5 * np.log(left * right), logs, found.risk[1:])
        assert middle == pytest.approx(targets[degree], rel=0.07)
    assert found.risk[0] == pytest.approx(0.5 * (0.975**2 + 1 + 4 / 9 + 1 / 9))
    assert found.risk[-1] < 1e-6


def test_agrees_with_general_stiff_solvers():
    from scipy.integrate import solve_ivp

    from netphase.engine.overlaps.reference import linearise, velocity

    overlaps, epsilon = model(1e-4), 1e-4
    times = np.geomspace(1e-5, 0.5, 12)
    found = overlaps.solve(times=times, rtol=1e-9)
    problem, start = overlaps.problem(), np.column_stack([ATOMS, np.zeros(4)])
    for method in ("Radau", "LSODA"):
        peer = solve_ivp(
            lambda _, u: velocity(problem, u.reshape(4, 2)).ravel(),
            (0.0, 0.5),
            start.ravel(),
            method=method,
            t_eval=times,
            rtol=1e-9,
            atol=1e-13,
            jac=lambda _, u: linearise(problem, u.reshape(4, 2)).dense(),
        )
        states = peer.y.T.reshape(-1, 4, 2)
        assert found.a == pytest.approx(states[:, :, 0], rel=1e-5)
        assert found.s == pytest.approx(states[:, :, 1], rel=1e-5)
    assert np.abs(found.s[0]).max() < 10 * epsilon


def test_sign_of_activation_and_weights():
    first = model().solve(end=0.5)
    other = model(activation=[-x for x in SIGMA], atoms=[-x for x in ATOMS]).solve(end=0.5)
    assert other.a.tolist() == (-first.a).tolist()
    assert other.s.tolist() == first.s.tolist()


def test_mirror_of_the_target():
    first = model().solve(end=0.5)
    mirrored = model(target=[1.0, 1.0, 2 / 3, 1 / 3]).solve(end=0.5)
    assert mirrored.s == pytest.approx(-first.s, rel=1e-9)
    assert mirrored.a == pytest.approx(first.a, rel=1e-9)


def test_order_of_the_atoms_does_not_matter():
    first, other = model().solve(end=0.5), model(atoms=ATOMS[::-1]).solve(end=0.5)
    assert other.crossing_times == pytest.approx(first.crossing_times, rel=1e-6)


@pytest.mark.parametrize(
    "changed", [{"target": [1.0, 0.0, 0.7, -0.3]}, {"activation": [1.0, 0.0, 1.0, 1.0]}]
)
def test_nothing_is_learnt_without_degree_one(changed):
    found = model(**changed).solve(end=100.0)
    assert np.all(found.s == 0.0)
    assert found.risk[-1] == pytest.approx(plateau_risks(model(**changed).target)[0], rel=1e-12)


def test_without_degrees_zero_and_one_to_learn_the_start_is_a_fixed_point():
    mean = float(np.mean(ATOMS))
    found = model(target=[SIGMA[0] * mean, 0.0, 2 / 3, -1 / 3]).solve(end=100.0)
    np.testing.assert_allclose(found.a, np.broadcast_to(ATOMS, found.a.shape), rtol=1e-13)
    assert not found.s.any()
    moved = model(target=[SIGMA[0] * mean, 0.01, 2 / 3, -1 / 3]).solve(end=100.0)
    assert np.abs(moved.s).max() > 0.01


@pytest.mark.parametrize("epsilon", [1e-12, 1e-2, math.inf])
def test_overlaps_stay_within_the_sphere(epsilon):
    near = np.array([1.0, -1.0, 1 - 1e-9, -0.999])
    for overlaps in (None, near):
        flow = model(epsilon, target=[0.0, 3.0, 2.0, 5.0], overlaps=overlaps)
        found = flow.solve(end=50.0)
        assert found.status is Status.TIME_REACHED
        assert np.abs(found.s).max() <= 1.0
        start = np.zeros(len(ATOMS)) if overlaps is None else overlaps
        engine = solve_overlaps(
            flow.problem(), flow.atoms, start, times=found.time, rtol=1e-6, max_steps=10**5
        )
        assert np.abs(engine.s).max() < 1.0 + 1e-6  # before what is beyond is cut off


def test_two_atoms_learn_degree_two_late():
    times = [model(e, atoms=[-1.0, 1.0]).solve(end=1.0).crossing_times[2] for e in (1e-6, 1e-10)]
    assert times == pytest.approx([0.1435, 0.1435], abs=2e-3)


def test_a_frozen_second_layer_keeps_its_weights_and_knows_no_epsilon():
    found = model(math.inf).solve(end=50.0)
    assert np.all(found.a == ATOMS)
    assert found.largest_rise < 1e-12
    assert np.all(np.diff(found.risk) <= 1e-12)
    # at first s = a σ_1 ρ_1 t, with no ε in it
    assert found.s[5] == pytest.approx(-np.array(ATOMS) * found.time[5], rel=1e-3)


def test_a_tied_second_layer_stays_tied_and_the_risk_falls():
    overlaps = [0.1, -0.05, 0.2, 0.15]
    found = model(1e-3, atoms=[0.5] * 4, overlaps=overlaps, tied=True).solve(end=5.0)
    free = model(1e-3, atoms=[0.5] * 4, overlaps=overlaps).solve(end=5.0)
    assert np.max(np.ptp(found.a, axis=1)) < 1e-9
    assert np.max(np.ptp(free.a, axis=1)) > 0.1
    assert np.all(np.diff(found.risk) <= 1e-9)
    assert free.risk[-1] < found.risk[-1]


def test_ties_change_nothing_where_neurons_are_alike():
    alike = model(1e-4, atoms=[0.5] * 3)
    tied = dataclasses.replace(alike, tied=True)
    first, second = (each.solve(end=2.0, rtol=1e-8) for each in (alike, tied))
    assert second.a == pytest.approx(first.a, rel=1e-5)
    assert second.s == pytest.approx(first.s, rel=1e-5, abs=1e-12)


def test_rows_are_the_times_asked_for():
    found = model().solve(times=[0.0, 1e-3, 0.2], end=0.3)
    assert found.time.tolist() == [0.0, 1e-3, 0.2, 0.3]
    assert found.a.shape == found.s.shape == (4, 4)
    assert found.risk == pytest.approx(0.5 * (found.residuals**2).sum(axis=1))
    log = model().solve(end=0.3)
    assert log.time[1] == pytest.approx(1e-9)
    assert log.time[-1] == 0.3


def test_a_degree_that_is_not_learnt_has_no_time():
    found = model(target=[1.0, -1.0, 0.0, -1 / 3]).solve(end=1e-5)
    assert np.isfinite(found.crossing_times[0])
    assert np.isnan(found.crossing_times[1:]).all()
    learnt = model(atoms=[1.0, 1.2, 0.9, 0.9]).solve(end=1e-5)
    assert learnt.crossing_times[0] == 0.0


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"epsilon": 0.0}, "`epsilon` must be a positive finite number, but is 0.0"),
        ({"epsilon": -1.0}, "`epsilon` must be a positive finite number"),
        ({"epsilon": math.nan}, "`epsilon` must be a positive finite number"),
        ({"activation": [1.0, math.nan]}, "`activation` must be finite"),
        ({"target": [1.0, math.inf, 0.0, 0.0]}, "`target` must be finite"),
        ({"target": [1.0, -1.0]}, "`target` must have as many coefficients as `activation`, 4"),
        ({"atoms": []}, "`atoms` must not be empty"),
        ({"weights": [0.5, 0.5]}, "`weights` must have one entry for each of the 4 atoms"),
        ({"weights": [0.25, 0.25, 0.25, 0.26]}, "`weights` must be positive and sum to one"),
        ({"weights": [0.5, 0.5, 0.5, -0.5]}, "`weights` must be positive and sum to one"),
        ({"overlaps": [0.0] * 3}, "`overlaps` must have one entry for each"),
        ({"overlaps": [0.0, 0.0, 0.0, 1.5]}, "`overlaps` must be between -1 and 1"),
        ({"tied": "no"}, "`tied` must be True or False"),
        ({"tied": True}, "`atoms` must be one number repeated"),
        ({"tied": True, "epsilon": math.inf}, "`tied` must be False where `epsilon` is infinite"),
    ],
)
def test_bad_input_is_one_sentence(changed, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        model(**changed)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "`end` must be given"),
        ({"end": 0.0}, "`end` must be a positive"),
        ({"times": [0.2, 0.1]}, "`times` must be an increasing list"),
        ({"times": [0.2, 0.4], "end": 0.3}, "`times` must not go beyond `end`"),
        ({"end": 1.0, "rtol": 1e-12}, "`rtol` must be between"),
        ({"end": 1.0, "rtol": 0.5}, "`rtol` must be between"),
        ({"end": 1.0, "max_steps": 0}, "`max_steps` must be a positive integer"),
    ],
)
def test_bad_questions_are_one_sentence(arguments, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        model().solve(**arguments)


def test_too_few_steps_are_a_status():
    found = model().solve(end=1.0, max_steps=20)
    assert found.status is Status.MAX_STEPS
    assert found.steps == 20
