"""The overlap solver: its field and Jacobian, its two implementations, order, invariants."""

import math

import numpy as np
import pytest

from netphase._types import Status
from netphase.engine import request_stop
from netphase.engine.overlaps import OverlapProblem, solve_overlaps
from netphase.engine.overlaps.reference import (
    Woodbury,
    linearise,
    residuals,
    velocity,
)
from netphase.engine.overlaps.reference_run import solve_reference

ATOMS = np.array([-1.5, -0.5, 0.4, 1.7])
EQUAL = np.full(4, 0.25)
SIGMA, PHI = np.ones(4), np.array([1.0, -1.0, 2 / 3, -1 / 3])


def drawn(m, modes, tied=False, speed=1e3, seed=0):
    draw = np.random.default_rng(seed)
    weights = draw.uniform(0.5, 1.5, m)
    problem = OverlapProblem(
        weights / weights.sum(), draw.normal(size=modes), draw.normal(size=modes), speed, tied
    )
    a = np.full(m, 0.7) if tied else draw.normal(size=m)
    return problem, np.column_stack([a, draw.uniform(-0.6, 0.6, m)])


def run(problem, a, s, end=1.0, rtol=1e-6, solver=solve_overlaps, times=None, max_steps=100_000):
    rows = np.array([0.0, end]) if times is None else times
    return solver(problem, a, s, times=rows, rtol=rtol, max_steps=max_steps)


def test_field_is_the_negative_gradient_of_the_risk():
    problem, u = drawn(5, 4)

    def risk(state):
        return 0.5 * np.sum(residuals(problem, state) ** 2)

    gradient = np.zeros_like(u)
    for i, j in np.ndindex(*u.shape):
        step = np.zeros_like(u)
        step[i, j] = 1e-5
        gradient[i, j] = (risk(u + step) - risk(u - step)) / 2e-5
    mobility = np.column_stack([np.full(5, problem.speed), 1 - u[:, 1] ** 2])
    expected = -mobility * gradient / problem.weights[:, None]
    assert velocity(problem, u) == pytest.approx(expected, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("tied", [False, True])
def test_jacobian_equals_finite_differences(tied):
    problem, u = drawn(5, 6, tied, speed=30.0)
    matrix = linearise(problem, u).dense()
    for column in range(u.size):
        step = np.zeros(u.size)
        step[column] = 1e-5
        step = step.reshape(u.shape)
        difference = (velocity(problem, u + step) - velocity(problem, u - step)).ravel() / 2e-5
        assert matrix[:, column] == pytest.approx(difference, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("tied", [False, True])
def test_structured_solve_equals_the_dense_one(tied):
    problem, u = drawn(7, 5, tied)
    at = linearise(problem, u)
    right = np.random.default_rng(1).normal(size=u.shape)
    dense = np.linalg.solve(300.0 * np.eye(u.size) - at.dense(), right.ravel())
    assert Woodbury(at, 300.0).solve(right).ravel() == pytest.approx(dense, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize(("m", "modes"), [(1, 1), (1, 2), (3, 4), (8, 2), (13, 7), (33, 5)])
def test_compiled_equals_numpy(m, modes, tied):
    problem, u = drawn(m, modes, tied)
    times = np.array([0.0, 1e-4, 3e-3, 0.1, 0.5])
    found = [run(problem, *u.T, times=times, solver=f) for f in (solve_overlaps, solve_reference)]
    compiled, plain = found
    assert compiled.status is plain.status is Status.TIME_REACHED
    assert (compiled.steps, compiled.rejected) == (plain.steps, plain.rejected)
    for name in ("time", "a", "s", "residuals", "crossings"):
        pair = [getattr(each, name) for each in found]
        assert pair[0] == pytest.approx(pair[1], rel=1e-7, abs=1e-9, nan_ok=True), name


@pytest.mark.parametrize("epsilon", [1e-4, 1e-8])
def test_compiled_equals_numpy_through_the_stages(epsilon):
    problem = OverlapProblem(EQUAL, SIGMA, PHI, 1 / epsilon)
    compiled, plain = (
        run(problem, ATOMS, np.zeros(4), rtol=1e-4, solver=f)
        for f in (solve_overlaps, solve_reference)
    )
    assert abs(compiled.steps - plain.steps) <= 0.02 * plain.steps
    assert compiled.crossings == pytest.approx(plain.crossings, rel=1e-3)


def test_error_falls_with_the_tolerance():
    problem = OverlapProblem(EQUAL, SIGMA, PHI, 1e6)
    truth = run(problem, ATOMS, np.zeros(4), rtol=1e-10).crossings
    rtol = np.array([1e-4, 1e-5, 1e-6, 1e-7, 1e-8])
    errors, steps = [], []
    for each in rtol:
        found = run(problem, ATOMS, np.zeros(4), rtol=each)
        errors.append(np.max(np.abs(found.crossings / truth - 1)))
        steps.append(found.steps)
    slope = np.polyfit(np.log(rtol), np.log(errors), 1)[0]
    assert 0.8 < slope < 1.3
    assert np.all(np.array(errors) < 10 * rtol)
    order = -np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert order > 2.5


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_a_single_mode_conserves_an_invariant_of_every_atom(degree):
    sigma = np.zeros(degree + 1)
    sigma[degree] = 0.8
    epsilon = 1e-3
    problem = OverlapProblem(EQUAL, sigma, sigma, 1 / epsilon)
    s = np.array([0.02, -0.03, 0.05, 0.04])
    found = run(problem, ATOMS, s, end=20.0, rtol=1e-9, times=np.geomspace(1e-4, 20.0, 30))
    invariant = degree * epsilon * found.a**2 + np.log1p(-(found.s**2))
    start = degree * epsilon * ATOMS**2 + np.log1p(-(s**2))
    assert np.max(np.abs(found.s)) > 0.1
    assert invariant == pytest.approx(np.broadcast_to(start, invariant.shape), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("epsilon", [1e-2, 1e-6, 1e-10, 1e-13])
def test_the_risk_never_rises(epsilon):
    problem = OverlapProblem(EQUAL, SIGMA, PHI, 1 / epsilon)
    found = run(problem, ATOMS, np.zeros(4))
    assert found.status is Status.TIME_REACHED
    assert found.largest_rise < 1e-12


def test_split_weights_change_nothing():
    problem = OverlapProblem(EQUAL, SIGMA, PHI, 1e6)
    whole = run(problem, ATOMS, np.zeros(4))
    weights = np.array([0.1, 0.15, 0.25, 0.25, 0.2, 0.05])
    which = [0, 0, 1, 2, 3, 3]
    split = OverlapProblem(weights, SIGMA, PHI, 1e6)
    parts = run(split, ATOMS[which], np.zeros(6))
    assert parts.crossings == pytest.approx(whole.crossings, rel=1e-5)
    assert parts.a[-1] == pytest.approx(whole.a[-1][which], rel=1e-5)


def test_a_stop_on_request_raises():
    problem, u = drawn(2000, 5)
    request_stop()
    try:
        with pytest.raises(KeyboardInterrupt):
            run(problem, *u.T, end=1e6, rtol=1e-10, max_steps=10**7)
    finally:
        request_stop(False)


def test_an_overflow_is_a_status():
    problem = OverlapProblem(EQUAL, np.full(3, 1e200), np.full(3, 1e200), 1e6)
    for solver in (solve_overlaps, solve_reference):
        found = run(problem, ATOMS, np.zeros(4), solver=solver)
        assert found.status is Status.NON_FINITE
        assert found.time.tolist() == [0.0]


def test_the_last_state_is_kept_where_steps_run_out():
    problem = OverlapProblem(EQUAL, SIGMA, PHI, 1e6)
    for solver in (solve_overlaps, solve_reference):
        found = run(problem, ATOMS, np.zeros(4), solver=solver, max_steps=30)
        assert found.status is Status.MAX_STEPS
        assert len(found.time) == len(found.a) == 2
        assert 0 < found.time[-1] < 1
        assert math.isnan(found.crossings[3])
