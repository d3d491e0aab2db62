"""Simulations in the reproduction of Berthier et al. (2023): their measures, and smoke sizes."""

import math

import numpy as np
import pytest

from netphase.dynamics import (
    Committee,
    CommitteeOverlaps,
    ExactOverlaps,
    SGDEnsemble,
    degree_one_time,
)
from netphase.reproductions import Verdict, get
from netphase.reproductions.berthier2023 import (
    committee,
    finite_width,
    invariants,
    leaps,
    noise,
    setting,
    sgd,
)
from netphase.reproductions.berthier2023.finite_figures import Delay
from netphase.reproductions.berthier2023.sgd_figures import Noise
from netphase.reproductions.reproduction import Stage

PAPER = get("berthier2023")


def verdicts(checks):
    return {check.verdict for check in checks}


@pytest.fixture
def stage(tmp_path):
    return Stage("smoke", tmp_path, lambda _: None)


def test_invariants_hold(stage):
    assert verdicts(invariants.run(stage)) == {Verdict.REPRODUCED}


@pytest.mark.slow
@pytest.mark.parametrize("part", [finite_width.run_approach, finite_width.run_delays, sgd.run,
                                  noise.run, leaps.run, committee.run])  # fmt: skip
def test_smoke_size_of_a_part_holds(part, stage):
    checks = part(stage)
    assert Verdict.NOT_REPRODUCED not in verdicts(checks)
    assert Verdict.REPRODUCED in verdicts(checks)
    assert list(stage.folder.glob("*.png"))


# --- finite widths -----------------------------------------------------------------------------


def test_the_time_at_a_width_tends_to_that_of_the_mean_field():
    epsilon = 1e-6
    limit = degree_one_time(epsilon, setting.SIGMA[1], setting.PHI[1], 1.0)
    assert finite_width.degree_one_time_of(math.inf, epsilon) == pytest.approx(limit)
    late = [finite_width.degree_one_time_of(m, epsilon) / limit - 1 for m in (1e6, 1e7)]
    assert late[0] / late[1] == pytest.approx(10.0, rel=0.02)


def test_the_time_at_a_width_is_that_of_its_linear_equations():
    from scipy.integrate import solve_ivp

    width, epsilon = 500, 1e-6
    root = math.sqrt(epsilon)
    q = 3 / (2 * width * root)
    end = finite_width.degree_one_time_of(width, epsilon) / root
    found = solve_ivp(
        lambda _, y: [-2 * q * y[0] + y[1], y[0]], (0, end), [root, 0.0], rtol=1e-10, atol=1e-14
    ).y[:, -1]
    # without saturation ⟨as⟩ is at |φ_1/σ_1| where the logistic is at half of it
    assert found[0] * found[1] / root == pytest.approx(1.0, rel=1e-3)


def test_times_that_fall_with_epsilon_refute_the_loss_of_scales():
    found = {
        (epsilon, width): Delay(math.sqrt(epsilon), math.sqrt(epsilon), 1.0, 1.0)
        for epsilon in (1e-3, 1e-4)
        for width in (10, 40)
    }
    checks = finite_width._wiped_out(found)
    assert checks[0].verdict is Verdict.NOT_REPRODUCED
    assert checks[1].verdict is Verdict.REPRODUCED


# --- explicit weights --------------------------------------------------------------------------


def test_explicit_velocities_keep_the_lengths():
    dynamics = ExactOverlaps("relu", setting.PHI, 0.3)
    weights = invariants._weights(3)
    _, turned = invariants.velocity(dynamics, weights)
    assert np.abs(np.sum(turned * weights.w, axis=1)).max() < 1e-14
    assert np.abs(turned).max() > 0.01


# --- one-pass SGD ------------------------------------------------------------------------------


def test_samples_are_counted_at_the_last_half_level():
    times = np.array([1.0, 2.0, 3.0, 4.0])
    part = np.array([1.0, 0.2, 0.8, 0.2])  # of what is left of a degree
    one, s = 1 - part, np.ones((1, 4, 1))
    a = np.where(True, setting.PHI[1] * one, 0.0)[None, :, None]
    run = SGDEnsemble(times, times.astype(int), np.ones((1, 4)), a, s, np.ones((1, 1, 1)), (0,),
                      (), "explicit", True, ())  # fmt: skip
    counted = sgd._samples(run, 50)
    between = 3.0 * (4 / 3) ** 0.5  # half way from 0.8 to 0.2, in log time
    assert counted[0, 0] == pytest.approx(between * 50 / sgd.GAMMA)
    assert math.isnan(counted[0, 1])  # degree 2 has the other sign


def test_a_flow_without_noise_is_refused_as_the_noisy_one():
    runs = 2.0 + 0.1 * np.repeat([[1.0], [-1.0]], 25, axis=0) * np.ones(20)
    flow = np.ones((50, 20))
    right = noise._checks(100, Noise(noise.TIMES, runs, 0 * runs + 2.0, flow))
    wrong = noise._checks(100, Noise(noise.TIMES, runs, flow, flow))
    assert verdicts(right) == {Verdict.REPRODUCED}
    assert wrong[0].verdict is Verdict.NOT_REPRODUCED


# --- one neuron, and committees ----------------------------------------------------------------


def test_escape_times_have_their_closed_forms():
    s = 0.01
    assert leaps.predicted_time(2, False, s) == pytest.approx(math.log(1 / s**2 - 1) / 4)
    half = math.sqrt(0.5)
    cubic = (1 / s - 1 / half + math.atanh(half) - math.atanh(s)) / 3
    assert leaps.predicted_time(3, False, s) == pytest.approx(cubic)
    assert leaps.predicted_time(2, True, 1e-4) / leaps.predicted_time(
        2, True, 1e-3
    ) == pytest.approx(100, rel=1e-3)


def test_escape_of_a_run_is_the_integral():
    found = leaps.escape(leaps.Case(3, False, 500, 1))
    assert found.time == pytest.approx(found.predicted, rel=1e-4)


def test_literal_committees_start_where_the_equations_do():
    dynamics = CommitteeOverlaps(2, rate=0.5)
    start = dynamics.initial(2, 40, committee.LENGTH, seed=3)
    weights = committee._start(40, 3)
    state = Committee.of_weights(weights, np.eye(2, 40))
    np.testing.assert_allclose(state.q, start.q, atol=1e-14)
    np.testing.assert_allclose(state.r, start.r, atol=1e-14)


def test_a_literal_step_is_a_step_along_the_gradient_of_its_sample():
    # small steps: the mean change of the risk is that of the equations, within standard errors
    rate, inputs, seeds = 0.5, 30, 400
    times = np.array([1.0])
    found = committee.descend(rate, inputs, seeds, times)[:, 0]
    dynamics = CommitteeOverlaps(2, rate=rate)
    truth = np.array([
        dynamics.solve(dynamics.initial(2, inputs, committee.LENGTH, seed=seed), times).risk[0]
        for seed in range(0, seeds, 10)
    ])  # fmt: skip
    apart = found[::10] - truth
    start = dynamics.risk(dynamics.initial(2, inputs, committee.LENGTH))
    assert start - truth.mean() > 10 * abs(apart.mean())
    assert abs(apart.mean()) < 4 * apart.std(ddof=1) / math.sqrt(len(apart))
