"""Plateaus and escapes of staircases with known heights and times; none where there are none."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from netphase import observables as obs
from netphase.errors import ArgumentError
from netphase.observables.smoothing import noise_of

HEIGHTS, TIMES, WIDTH = (1.253, 0.778, 0.278, 0.0556), (1e-7, 5e-5, 2e-2), 0.1
TIME = np.geomspace(1e-9, 1.0, 400)


def staircase(time):
    """Logistic steps: half of each is done at its time, 90 % to 10 % takes 2 ln 9 · WIDTH of it."""
    drops = -np.diff(HEIGHTS)
    steps = [
        drop / (1 + np.exp(np.minimum((time / when - 1) / WIDTH, 600.0)))
        for drop, when in zip(drops, TIMES, strict=True)
    ]
    return HEIGHTS[-1] + sum(steps)


def power_steps(time, floor=0.002):
    """Plateaus 1 (to 50), 0.05 (to 5000) and the floor."""
    return 1 / (1 + (time / 50) ** 3) + 0.05 / (1 + (time / 5000) ** 4) + floor


def noisy(loss, size, seed=0):
    return loss * np.exp(size * np.random.default_rng(seed).standard_normal(len(loss)))


def column(rows, name):
    return np.array([getattr(row, name) for row in rows])


@pytest.mark.parametrize("noise", [None, 0.0])
def test_a_staircase_has_its_heights_times_and_widths(noise):
    found = obs.find_plateaus(TIME, staircase(TIME), noise=noise)
    assert found.word == "several"
    assert column(found.plateaus, "height") == pytest.approx(HEIGHTS, rel=2e-3)
    assert column(found.escapes, "time") == pytest.approx(TIMES, rel=2e-3)
    expected = 2 * math.log(9) * WIDTH * np.array(TIMES)
    assert column(found.escapes, "width") == pytest.approx(expected, rel=0.02)
    assert [each.from_start for each in found.plateaus] == [True, False, False, False]
    assert [each.to_end for each in found.plateaus] == [False, False, False, True]
    assert (found.plateaus[0].start, found.plateaus[-1].end) == (TIME[0], TIME[-1])
    for escape, before, after in zip(
        found.escapes, found.plateaus[:-1], found.plateaus[1:], strict=True
    ):
        assert before.start < before.middle < before.end < escape.time < after.start
        assert (escape.before, escape.after) == pytest.approx((before.height, after.height))


def test_the_ends_are_where_the_slope_passes_its_limit():
    time = np.geomspace(1.0, 1e5, 2000)
    found = obs.find_plateaus(time, np.exp(-time / 100) + 1e-4, slope=0.2)
    first, floor = found.plateaus
    assert first.end == pytest.approx(20.0, rel=0.02)  # the slope of exp(-t/τ) is t/τ
    slope = lambda u: u * np.exp(-u) / (np.exp(-u) + 1e-4) - 0.2  # noqa: E731
    assert floor.start == pytest.approx(100 * brentq(slope, 5, 50), rel=0.03)


@pytest.mark.parametrize("size", [0.02, 0.1])
def test_errors_cover_heights_and_times_of_noisy_staircases(size):
    heights, times = [], []
    for seed in range(12):
        found = obs.find_plateaus(TIME, noisy(staircase(TIME), size, seed))
        assert len(found.plateaus) == 4
        assert found.noise == pytest.approx(size, rel=0.3)
        off = column(found.plateaus, "height") - HEIGHTS
        heights.append(off / column(found.plateaus, "error"))
        times.append((column(found.escapes, "time") - TIMES) / column(found.escapes, "error"))
        assert column(found.plateaus, "spread") == pytest.approx(np.full(4, size), rel=0.4)
    for scores in (np.array(heights), np.array(times)):
        assert 0.5 < np.sqrt(np.mean(scores**2)) < 1.6
        assert np.abs(scores).max() < 5


@pytest.mark.parametrize("size", [0.05, 0.3])
def test_records_of_every_step_of_noisy_descent(size):
    time = np.arange(0.0, 1e5)
    found = obs.find_plateaus(time, noisy(power_steps(time), size))
    assert column(found.plateaus, "height")[-2:] == pytest.approx([0.052, 0.002], rel=0.02)
    assert found.escapes[-1].time == pytest.approx(5000, rel=0.02)
    if size == 0.05:
        first = found.plateaus[0]
        assert first.height == pytest.approx(1.05, abs=3 * first.error)
        assert found.escapes[0].time == pytest.approx(50, rel=0.05)
    else:  # thirty records do not tell the slope before the first step
        assert len(found.plateaus) == 2
        assert found.untold > 0.5


def test_errors_cover_creeping_plateaus_of_many_records():
    time = np.arange(0.0, 1e5)
    exact = obs.find_plateaus(time, power_steps(time), noise=0.0)
    for seed in range(5):
        found = obs.find_plateaus(time, noisy(power_steps(time), 0.05, seed))
        for rows, truth, name in (
            (found.plateaus, exact.plateaus, "height"),
            (found.escapes, exact.escapes, "time"),
        ):
            off = column(rows, name) - column(truth, name)
            assert (np.abs(off) < 4 * column(rows, "error")).all()


@settings(max_examples=15, deadline=None)
@given(clock=st.floats(1e-6, 1e6), scale=st.floats(1e-6, 1e6), size=st.sampled_from([0.0, 0.05]))
def test_units_do_not_matter(clock, scale, size):
    loss = noisy(staircase(TIME), size)
    first = obs.find_plateaus(TIME, loss)
    other = obs.find_plateaus(clock * TIME, scale * loss)
    assert column(other.plateaus, "height") == pytest.approx(
        scale * column(first.plateaus, "height"), rel=1e-6
    )
    for name in ("start", "end"):
        expected = clock * column(first.plateaus, name)
        assert column(other.plateaus, name) == pytest.approx(expected, rel=1e-6)
    assert column(other.escapes, "time") == pytest.approx(
        clock * column(first.escapes, "time"), rel=1e-6
    )


@pytest.mark.parametrize("step", [2, 4])
def test_thinner_records_tell_the_same(step):
    whole = obs.find_plateaus(TIME, staircase(TIME))
    thin = obs.find_plateaus(TIME[::step], staircase(TIME[::step]))
    assert column(thin.plateaus, "height") == pytest.approx(
        column(whole.plateaus, "height"), rel=2e-3
    )
    assert column(thin.escapes, "time") == pytest.approx(column(whole.escapes, "time"), rel=0.02)
    assert column(thin.plateaus, "length") == pytest.approx(
        column(whole.plateaus, "length"), abs=0.15
    )


def test_uneven_and_even_records_tell_the_same():
    uneven = np.sort(10.0 ** np.random.default_rng(0).uniform(0, 5, 300))
    first = obs.find_plateaus(uneven, power_steps(uneven))
    steps = np.arange(0.0, 1e5)
    second = obs.find_plateaus(steps, power_steps(steps))
    assert column(first.plateaus, "height") == pytest.approx(
        column(second.plateaus, "height"), rel=0.01
    )
    assert column(first.escapes, "time") == pytest.approx(column(second.escapes, "time"), rel=0.02)


def test_an_exponential_has_its_start_and_its_floor_only():
    time = np.geomspace(1.0, 1e6, 241)
    for size in (0.0, 0.1):
        alone = obs.find_plateaus(time, noisy(np.exp(-time / 1000), size))
        assert alone.word == "one"
        assert alone.plateaus[0].from_start
        assert not alone.plateaus[0].to_end
        assert alone.escapes[0].after == 0.0
        assert alone.escapes[0].time == pytest.approx(1000 * math.log(2), rel=0.02 + 2 * size)
        both = obs.find_plateaus(time, noisy(np.exp(-time / 1000) + 1e-4, size))
        assert [(each.from_start, each.to_end) for each in both.plateaus] == [
            (True, False),
            (False, True),
        ]
        assert both.plateaus[1].height == pytest.approx(1e-4, rel=0.01 + size / 2)


@pytest.mark.parametrize("power", [0.15, 0.3, 0.5, 2.0])
def test_a_power_law_has_none(power):
    time = np.geomspace(1.0, 1e6, 300)
    assert obs.find_plateaus(time, time**-power).word == "none"
    for seed in range(5):
        found = obs.find_plateaus(time, noisy(time**-power, 0.05, seed))
        assert (found.word, found.plateaus, found.escapes) == ("none", (), ())


def test_a_power_law_slower_than_the_limit_is_one_and_the_limit_can_be_set():
    time = np.geomspace(1.0, 1e6, 300)
    assert obs.find_plateaus(time, time**-0.05).word == "one"
    assert obs.find_plateaus(time, time**-0.05, slope=0.04).word == "none"


def test_a_bump_does_not_split_a_plateau():
    time = np.geomspace(1.0, 1e6, 400)
    bump = 1 + 3 * np.exp(-((np.log(time / 800) / 0.1) ** 2))
    smooth = obs.find_plateaus(time, power_steps(time))
    bumpy = obs.find_plateaus(time, power_steps(time) * bump)
    assert len(bumpy.plateaus) == 3
    assert column(bumpy.plateaus, "height") == pytest.approx(
        column(smooth.plateaus, "height"), rel=0.02
    )
    assert bumpy.plateaus[1].spread > 10 * smooth.plateaus[1].spread
    spiked = power_steps(time)
    spiked[[150, 151, 200, 330]] *= 30
    assert len(obs.find_plateaus(time, spiked).plateaus) == 3


def test_a_loss_that_rises_to_a_plateau_escapes_upwards():
    time = np.geomspace(1.0, 1e6, 241)
    found = obs.find_plateaus(time, 0.1 + 0.9 / (1 + (1e3 / time) ** 6))
    assert column(found.plateaus, "height") == pytest.approx([0.1, 1.0], rel=1e-3)
    assert found.escapes[0].time == pytest.approx(1e3, rel=1e-3)


def test_half_of_the_way_in_the_loss_or_in_its_logarithm():
    time = np.geomspace(1.0, 1e6, 1000)
    loss = np.where(time < 1e2, 1.0, np.where(time > 1e4, 1e-4, (time / 1e2) ** -2.0))
    linear = obs.find_plateaus(time, loss).escapes
    log = obs.find_plateaus(time, loss, halfway="log").escapes
    assert linear[0].time == pytest.approx(1e2 * 2**0.5, rel=0.01)
    assert log[0].time == pytest.approx(1e3, rel=0.01)
    assert log[0].decades == pytest.approx(1.6, rel=0.02)


def test_least_length_and_least_drop_are_used():
    time = np.geomspace(1.0, 1e6, 600)
    loss = power_steps(time)
    second = obs.find_plateaus(time, loss).plateaus[1]
    kept = obs.find_plateaus(time, loss, length=0.95 * second.length)
    assert len(kept.plateaus) == 3
    without = obs.find_plateaus(time, loss, length=1.1 * second.length)
    assert column(without.plateaus, "height") == pytest.approx([1.05, 0.002], rel=0.01)
    close = 1.0 + 0.15 / (1 + (time / 1e3) ** 6)
    assert len(obs.find_plateaus(time, close).plateaus) == 2
    assert len(obs.find_plateaus(time, close, drop=1.3).plateaus) == 1


def test_a_loss_that_reaches_zero_or_rounding_has_no_plateau_there():
    time = np.geomspace(1.0, 1e6, 400)
    loss = np.where(time > 1e5, 0.0, power_steps(time, 0.0))
    found = obs.find_plateaus(time, loss)
    assert column(found.plateaus, "height") == pytest.approx([1.05, 0.05], rel=0.01)
    assert found.zero == pytest.approx(1e5, rel=0.05)
    assert found.escapes[-1].after == 0.0
    rounding = noisy(np.full(400, 1e-31), 1.0)
    sinking = np.exp(-np.minimum(time / 100, 600)) + rounding
    found = obs.find_plateaus(time, sinking)
    assert len(found.plateaus) == 1
    assert found.zero == pytest.approx(6.7e3, rel=0.05)
    raised = obs.find_plateaus(time, power_steps(time), floor=0.01)
    assert len(raised.plateaus) == 2
    assert raised.zero == pytest.approx(7000, rel=0.1)


def test_a_start_at_time_zero_is_left_out():
    with_zero = obs.find_plateaus(np.append(0.0, TIME), np.append(99.0, staircase(TIME)))
    assert with_zero == obs.find_plateaus(TIME, staircase(TIME))


def test_given_noise_is_used():
    loss = noisy(staircase(TIME), 0.05)
    told = obs.find_plateaus(TIME, loss, noise=0.05)
    assert len(told.plateaus) == 4
    assert told.noise == pytest.approx(0.05)
    assert obs.find_plateaus(TIME, loss, noise=1.0).word == "undetermined"


def test_what_the_records_cannot_tell_is_undetermined():
    few = obs.find_plateaus(TIME[:7], staircase(TIME[:7]))
    assert few.word == "undetermined"
    assert few.reason.startswith("7 records")
    time = np.geomspace(1.0, 2.0, 50)
    short = obs.find_plateaus(time, np.ones(50))
    assert (short.word, short.plateaus) == ("undetermined", ())
    assert "span 0.3 powers" in short.reason
    loud = obs.find_plateaus(TIME, noisy(np.ones(400), 1.0))
    assert loud.word == "undetermined"
    assert "noise" in loud.reason
    sparse = obs.find_plateaus(10.0 ** np.arange(0, 18, 2), np.ones(9))
    assert "want of records" in sparse.reason
    assert sparse.untold == pytest.approx(16)


def test_a_loss_that_never_moves_is_one_plateau():
    found = obs.find_plateaus(TIME, np.full(400, 3.0))
    assert found.word == "one"
    assert (found.plateaus[0].from_start, found.plateaus[0].to_end) == (True, True)
    assert found.plateaus[0].height == pytest.approx(3.0)
    assert found.escapes == ()


def test_the_noise_of_a_curve_leaves_out_its_trend_and_its_spikes():
    x = np.sort(np.random.default_rng(1).uniform(0, 4, 2000))
    y = np.sin(x) - 2 * x + 0.03 * np.random.default_rng(2).standard_normal(2000)
    y[::100] += 5
    assert np.median(noise_of(x, y)) == pytest.approx(0.03, rel=0.1)
    assert noise_of(x, 3 - 2 * x).max() < 1e-12


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"time": -TIME}, "must increase"),
        ({"time": TIME[::-1]}, "must increase"),
        ({"time": TIME[:-1]}, "equally many"),
        ({"loss": -staircase(TIME)}, "must not be negative"),
        ({"loss": np.where(TIME > 0.1, np.nan, 1.0)}, "must be finite"),
        ({"length": 0.0}, "`length` must be a positive"),
        ({"slope": -1.0}, "`slope` must be a positive"),
        ({"drop": 1.0}, "`drop` must be larger than 1"),
        ({"noise": -0.1}, "`noise` must not be negative"),
        ({"floor": -0.1}, "`floor` must not be negative"),
        ({"halfway": "middle"}, "`halfway` must be one of linear, log"),
    ],
)
def test_wrong_arguments_get_a_sentence(change, words):
    arguments = {"time": TIME, "loss": staircase(TIME)} | change
    with pytest.raises(ArgumentError, match=words):
        obs.find_plateaus(**arguments)


def test_the_last_crossing_of_a_level():
    time = np.geomspace(1.0, 1e4, 4001)
    learnt = np.where(time < 10, -0.7 * time / 10, 0.0) + 1 / (1 + (100 / time) ** 2)
    assert obs.last_crossing(time, learnt, 0.5).time == pytest.approx(100, rel=1e-3)
    assert obs.last_crossing(time, learnt, -0.1).time == pytest.approx(10, rel=1e-2)
    assert obs.last_crossing(time, learnt, 2.0) == obs.NEVER
    hole = np.where(time > 1e3, np.nan, learnt)
    assert obs.last_crossing(time, hole, 0.5) == obs.UNDETERMINED
    assert obs.last_crossing(np.array([0.0, 2.0]), np.array([0.0, 4.0]), 1.0).time == 0.5
