"""Predicted times of the stages against solutions and closed forms."""

import dataclasses
import math

import numpy as np
import pytest

from netphase._types import Status
from netphase.dynamics import (
    MeanFieldOverlaps,
    blow_up_time,
    constrained_velocity,
    degree_one_residual,
    degree_one_time,
    degree_two_constant,
    degree_zero_time,
    plateau_risks,
    stage_exponents,
    time_exponent,
)
from netphase.errors import ArgumentError

ATOMS = np.array([-1.5, -0.5, 0.4, 1.7])
SIGMA, PHI = np.ones(4), np.array([1.0, -1.0, 2 / 3, -1 / 3])
BASE = MeanFieldOverlaps(1e-12, SIGMA, PHI, ATOMS)


def test_degree_zero():
    found = BASE.solve(end=1e-10, rtol=1e-9).crossing_times[0]
    assert degree_zero_time(1e-12, 1.0, 1.0, 0.025) == pytest.approx(found, rel=1e-6)
    assert degree_zero_time(1e-12, 1.0, 1.0, 0.9) == 0.0
    assert degree_zero_time(1e-12, 0.0, 1.0, 0.9) == math.inf
    assert math.isnan(degree_zero_time(1e-12, 1.0, 0.0, 0.9))


@pytest.mark.parametrize("sigma", [0.5, -2.0])
def test_degree_one(sigma):
    activation = np.array([0.7, sigma, 1.0, 1.0])
    model = dataclasses.replace(BASE, activation=activation)
    predicted = degree_one_time(1e-12, sigma, -1.0, ATOMS.var())
    found = model.solve(times=predicted * np.linspace(0.9, 1.1, 41), end=1e-3)
    assert found.crossing_times[1] == pytest.approx(predicted, rel=2e-3)
    curve = degree_one_residual(found.time[:-1], 1e-12, sigma, -1.0, ATOMS.var())
    assert found.residuals[:-1, 1] == pytest.approx(curve, abs=5e-3)


def test_degree_one_without_degree_zero_has_the_mean_square():
    model = dataclasses.replace(BASE, activation=np.array([0.0, 1.0, 1.0, 1.0]))
    found = model.solve(end=1e-3).crossing_times[1]
    assert degree_one_time(1e-12, 1.0, -1.0, np.mean(ATOMS**2)) == pytest.approx(found, rel=2e-3)


def test_degree_one_from_random_overlaps():
    """A random start of variance 1/d on Gauss–Hermite nodes, independent of the atoms."""
    d, epsilon = 1e5, 1e-6
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    model = MeanFieldOverlaps(
        epsilon,
        SIGMA,
        PHI,
        np.repeat(ATOMS, 20),
        weights=np.tile(weights / weights.sum(), 4) / 4,
        overlaps=np.tile(nodes / math.sqrt(d), 4),
    )
    found = model.solve(end=1.0).crossing_times[1]
    assert degree_one_time(epsilon, 1.0, -1.0, ATOMS.var(), d) == pytest.approx(found, rel=0.02)


@pytest.mark.parametrize(
    ("atoms", "constant"), [(ATOMS, 2.131), (np.array([-1.0, 0.2, 1.3]), 2.500)]
)
def test_degree_two_constant(atoms, constant):
    predicted = degree_two_constant(SIGMA, PHI, atoms)
    assert predicted == pytest.approx(constant, abs=6e-4)
    scaled = []
    for epsilon in (1e-13, 1e-14):
        model = MeanFieldOverlaps(epsilon, SIGMA, PHI, atoms)
        found = model.solve(end=0.1, rtol=1e-8).crossing_times[2]
        scaled.append(found / epsilon**0.25)
    # the distance from the limit is of order ε^(1/12)
    assert scaled[1] < predicted
    factor = 10 ** (1 / 12)
    limit = (factor * scaled[1] - scaled[0]) / (factor - 1)
    assert limit == pytest.approx(predicted, rel=5e-3)


def test_two_atoms_never_learn_degree_two_on_its_scale():
    assert degree_two_constant(SIGMA, PHI, np.array([-1.0, 1.0])) == math.inf


@pytest.mark.parametrize("degree", [2, 3, 4])
def test_the_constrained_flow_holds_what_is_learnt(degree):
    draw = np.random.default_rng(degree)
    a, s = draw.normal(size=(2, 8))
    w = np.full(8, 1 / 8)
    flow_a, flow_s = constrained_velocity(degree, 0.7, a, s, w)
    h = 1e-6
    for j in range(degree + 1):
        after, before = (w @ ((a + x * flow_a) * (s + x * flow_s) ** j) for x in (h, -h))
        rate = (after - before) / (2 * h)
        if j < degree:
            assert rate == pytest.approx(0.0, abs=1e-7)
        else:
            assert rate * 0.7 == pytest.approx(w @ (flow_a**2 + flow_s**2), rel=1e-6)


def test_blow_up_scales_with_the_start():
    g = (ATOMS - ATOMS.mean()) / ATOMS.std()
    first = blow_up_time(2, 1.0, g, g)
    assert blow_up_time(2, 1.0, 2 * g, 2 * g) == pytest.approx(first / 2, rel=1e-6)
    assert blow_up_time(2, 0.5, g, g) == pytest.approx(2 * first, rel=1e-6)


@pytest.mark.parametrize(("missing", "degree", "exponent"), [((2,), 3, 0.0), ((2, 3), 4, -0.25)])
def test_times_after_missing_degrees(missing, degree, exponent):
    assert time_exponent(degree, previous=1) == exponent
    sigma, phi = np.ones(5), np.array([1.0, -1.0, 0.5, -0.5, 0.5])
    sigma[list(missing)], phi[list(missing)] = 0.0, 0.0
    times = []
    for epsilon in (1e-8, 1e-10):
        model = MeanFieldOverlaps(epsilon, sigma, phi, ATOMS)
        times.append(model.solve(end=1e3).crossing_times[degree])
    assert math.log10(times[0] / times[1]) / 2 == pytest.approx(exponent, abs=0.03)


@pytest.mark.parametrize("epsilon", [1e-8, 1e-10])
def test_modes_without_target_hold_a_late_degree_back_but_not_the_solver(epsilon):
    phi = np.array([1.0, -1.0, 0.0, 0.0, -0.5])
    found = MeanFieldOverlaps(epsilon, np.ones(5), phi, ATOMS).solve(end=1e5)
    assert found.status is Status.TIME_REACHED
    assert 50.0 < found.crossing_times[4] < 500.0
    assert found.risk[-1] < 1e-20


def test_exponents_and_plateaus():
    assert [stage_exponents(degree).time for degree in (1, 2, 3)] == [1 / 2, 1 / 4, 1 / 6]
    for degree in range(1, 6):
        each = stage_exponents(degree)
        assert each.amplitude + degree * each.overlap == pytest.approx(0.0)
        assert time_exponent(degree + 1, degree) == pytest.approx(stage_exponents(degree + 1).time)
    assert plateau_risks(PHI) == pytest.approx([7 / 9, 5 / 18, 1 / 18, 0.0])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: degree_zero_time(0.0, 1.0, 1.0, 0.0), "`epsilon` must be a positive"),
        (lambda: degree_one_time(1e-3, 0.0, 1.0, 1.0), "must not be zero"),
        (lambda: degree_one_time(1e-3, 1.0, 1.0, 0.0), "`variance` must be a positive"),
        (lambda: degree_one_time(1e-3, 1.0, 1.0, 1.0, d=0), "`d` must be a positive"),
        (lambda: degree_two_constant([1, 1], [1, 1], ATOMS), "up to degree 2"),
        (lambda: degree_two_constant(SIGMA, [1, 0, 1], ATOMS), "`target` must have coefficients"),
        (lambda: degree_two_constant(SIGMA, PHI, [1.0, 1.0]), "`atoms` must not be all equal"),
        (
            lambda: degree_two_constant(SIGMA, PHI, ATOMS, [1.0]),
            "`weights` must have one entry for each of the 4",
        ),
        (lambda: blow_up_time(1, 1.0, ATOMS, ATOMS), "`degree` must be at least 2"),
        (lambda: blow_up_time(2, 0.0, ATOMS, ATOMS), "`kappa` must not be 0"),
        (lambda: blow_up_time(2, 1.0, ATOMS, ATOMS[:3]), "the same length, but have 4 and 3"),
        (lambda: blow_up_time(2, 1.0, ATOMS, np.zeros(4)), "`s` must not be all zero"),
        (lambda: time_exponent(2, 2), "`previous` must be from 1"),
        (lambda: stage_exponents(-1), "`degree` must be an integer ≥ 0"),
    ],
)
def test_bad_input_is_one_sentence(call, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        call()
