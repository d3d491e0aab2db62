"""Phase markers: exact times, and the words where there is none."""

import math

import numpy as np
import pytest

from netphase import observables as obs
from netphase.errors import ArgumentError

TIME = np.geomspace(1.0, 1000.0, 400)


def test_times_of_known_curves():
    found = obs.departure_time(TIME, 1e-4 * TIME**2, size=0.5, share=0.02)
    assert found.reached
    assert found.time == pytest.approx(10.0, rel=1e-4)
    found = obs.risk_departure_time(TIME, np.exp(-TIME / 100), np.ones(400), share=0.05)
    assert found.time == pytest.approx(-100 * math.log(0.95), rel=1e-3)
    p = np.column_stack([TIME / 500, -TIME / 100])
    assert obs.activation_time(TIME, p, 0.5).time == pytest.approx(50.0, rel=1e-4)
    twin = 1.0 + 10 * np.exp(-TIME / 20)
    exact = 20 * math.log(10 / 0.02)
    assert obs.relaxation_time(TIME, twin, floor=1.0).time == pytest.approx(exact, rel=1e-3)
    assert obs.relaxation_time(TIME, twin).time == pytest.approx(exact, rel=1e-3)
    spread = np.stack([TIME * np.exp(-TIME / 40)] * 3, axis=1)
    assert obs.spreading_peak(TIME, spread).time == pytest.approx(40, rel=0.02)


def test_never_and_undetermined_are_answers():
    assert obs.departure_time(TIME, np.zeros(400), 1.0) == obs.NEVER
    assert obs.activation_time(TIME, np.full((400, 2), 0.1), 0.5).word == "never"
    assert obs.relaxation_time(TIME, 1 / TIME, floor=0.0).word == "never"
    assert obs.relaxation_time(TIME, 1 / TIME).word == "undetermined"
    assert obs.spreading_peak(TIME, TIME[:, None]).word == "undetermined"
    assert math.isnan(obs.NEVER.time)
    hole = np.where(TIME > 5, np.nan, 0.0)
    assert obs.departure_time(TIME, hole, 1.0) == obs.UNDETERMINED
    late = np.where(TIME > 500, np.nan, TIME)
    assert obs.departure_time(TIME, late, 100.0, 0.1).time == pytest.approx(10.0)


def test_a_series_may_start_above_or_at_time_zero():
    assert obs.first_above(np.array([0.0, 1.0]), np.array([2.0, 3.0]), 1.0).time == 0.0
    assert obs.first_above(np.array([0.0, 2.0]), np.array([0.0, 4.0]), 1.0).time == 0.5
    found = obs.first_above(np.array([1.0, 2.0]), np.array([0.0, np.inf]), 1.0)
    assert found == (2.0, "reached")


def test_the_mean_rotation_is_the_angle_of_a_rotation():
    w = np.random.default_rng(0).standard_normal((6, 2))
    for angle in (1e-9, 0.3, 3.0):
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        assert obs.mean_rotation(w, 2.5 * w @ turn) == pytest.approx(angle, rel=1e-6)
    half = w.copy()
    half[:3] *= -1
    assert obs.mean_rotation(w, half) == pytest.approx(np.pi / 2)
    weights = np.array([1.0, 0, 0, 3.0, 0, 0])
    assert obs.mean_rotation(w, half, weights) == pytest.approx(np.pi / 4)
    assert math.isnan(obs.mean_rotation(w, half, np.zeros(6)))


def test_lazy_needs_both_the_risk_and_the_directions():
    assert obs.is_lazy(0.95, 1.0, math.radians(4))
    assert not obs.is_lazy(0.85, 1.0, math.radians(4))
    assert not obs.is_lazy(0.95, 1.0, math.radians(6))
    assert not obs.is_lazy(math.nan, 1.0, 0.0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: obs.first_above(np.array([1.0, 2.0]), np.ones(3), 1.0), "shapes"),
        (lambda: obs.first_above(np.array([2.0, 1.0]), np.ones(2), 1.0), "`time` must increase"),
        (lambda: obs.departure_time(TIME, TIME, 0.0), "`size`"),
        (lambda: obs.risk_departure_time(TIME, TIME, TIME, 1.0), "`share`"),
        (lambda: obs.activation_time(TIME, TIME[:, None], 0.0), "`level`"),
        (lambda: obs.relaxation_time(TIME, TIME, -1.0), "`floor`"),
        (lambda: obs.mean_rotation(np.ones((2, 2)), np.ones((3, 2))), "same shape"),
        (lambda: obs.mean_rotation(np.ones((2, 2)), np.ones((2, 2)), np.ones(3)), "`weights`"),
        (lambda: obs.mean_rotation(np.ones((1, 2)), np.ones((1, 2)), -np.ones(1)), "negative"),
    ],
)
def test_what_makes_no_sense_is_refused(call, words):
    with pytest.raises(ArgumentError, match=words):
        call()
