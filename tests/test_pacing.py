"""Times at even distances of progress."""

import numpy as np
import pytest

import netphase as nph
from netphase.results.pacing import even_times, progress_of_states


def test_even_times_invert_the_progress():
    time = np.linspace(0, 5, 400)
    times = even_times(time, np.expm1(time), 9)
    np.testing.assert_allclose(times, np.log1p(np.linspace(0, np.expm1(5), 9)), rtol=1e-4)


def test_ends_are_kept_and_times_increase():
    rng = np.random.default_rng(0)
    time = np.cumsum(rng.exponential(size=50)) - 0.0
    time -= time[0]
    progress = np.cumsum(rng.exponential(size=50) * rng.integers(0, 2, 50))
    times = even_times(time, progress - progress[0], 33)
    assert (times[0], times[-1]) == (time[0], time[-1])
    assert np.all(np.diff(times) > 0)


def test_steps_of_a_fixed_size_are_multiples_and_none_is_given_twice():
    times = even_times(np.arange(11.0), np.arange(11.0), 50, grain=1.0)
    assert times.tolist() == list(range(11))
    rough = even_times(np.array([0.0, 7.0]), np.array([0.0, 1.0]), 4, grain=2.0)
    assert rough.tolist() == [0.0, 2.0, 4.0, 7.0]


def test_where_nothing_happens_only_the_ends_are_left():
    assert even_times(np.array([0.0, 1.0, 4.0]), np.zeros(3), 10).tolist() == [0.0, 4.0]
    assert even_times(np.array([0.0]), np.zeros(1), 10).tolist() == [0.0]


def test_a_turn_counts_by_its_angle_and_a_growth_by_its_logarithm():
    def state(angle, size):
        w = size * np.array([[np.cos(angle), np.sin(angle)]])
        return nph.Parameters(np.ones(1), w)

    turning = [(t, 1.0, state(t, 1.0)) for t in (0.0, 0.3, 1.2)]
    time, progress = progress_of_states(turning, 1)
    assert time.tolist() == [0.0, 0.3, 1.2]
    np.testing.assert_allclose(progress, np.array([0.0, 0.3, 1.2]) / np.pi, rtol=1e-12)
    growing = [(t, 1.0, state(0.0, np.sinh(t))) for t in (np.arcsinh(1.0), 2.0, 4.0)]
    _, progress = progress_of_states(growing, 1)
    whole = 4.0 - np.arcsinh(1.0)
    assert progress[-1] == pytest.approx(1.0)
    assert progress[1] == pytest.approx((2.0 - np.arcsinh(1.0)) / whole)


def test_a_fall_of_the_loss_counts_by_its_logarithm():
    still = nph.Parameters(np.ones(2), np.eye(2))
    _, progress = progress_of_states([(0.0, 1.0, still), (1.0, 0.1, still), (2.0, 0.01, still)], 2)
    np.testing.assert_allclose(progress, [0.0, 0.5, 1.0])
