"""Windows of learning: levels of known curves, bumps, ends, and refusals."""

import math

import numpy as np
import pytest

from netphase.errors import ArgumentError
from netphase.observables import learning_windows

TIME = np.geomspace(1e-3, 1e3, 2001)


def test_levels_of_a_power_law():
    """ρ = 1/(1 + t²) is at 9/10, 1/2 and 1/10 at t = 1/3, 1 and 3."""
    found = learning_windows(TIME, -2.0 / (1 + TIME[:, None] ** 2), np.array([2.0]))
    assert [float(each[0]) for each in found] == pytest.approx([1 / 3, 1.0, 3.0], rel=1e-4)
    assert found.width[0] == pytest.approx(8 / 3, rel=1e-4)


def test_interpolation_is_of_second_order():
    off = []
    for count in (40, 400):
        time = np.geomspace(0.01, 101.0, count)
        found = learning_windows(time, 1.0 / (1 + time[:, None] ** 2), np.array([1.0]))
        levels = np.concatenate([found.start, found.time, found.end])
        off.append(np.abs(levels / [1 / 3, 1.0, 3.0] - 1).max())
    assert off[1] < off[0] / 20


def test_the_last_crossing_counts():
    bump = 0.2 / (1 + TIME**4) + np.exp(-((np.log(TIME) - 2.0) ** 2) * 50)
    found = learning_windows(TIME, bump[:, None], np.array([1.0]))
    assert found.time[0] > math.exp(2.0)
    assert found.start[0] < found.time[0] < found.end[0]


def test_what_is_learnt_from_the_start_never_or_not_at_all():
    columns = np.column_stack([np.full(len(TIME), 0.05), np.ones(len(TIME)), np.zeros(len(TIME))])
    found = learning_windows(TIME, columns, np.array([1.0, 1.0, 0.0]))
    assert found.time[0] == found.end[0] == 0.0
    assert np.isnan(found.time[1:]).all()


def test_leading_axes_are_kept_and_a_broken_run_breaks_itself_only():
    curve = 1.0 / (1 + TIME[:, None] ** 2)
    runs = np.stack([[curve, 2 * curve], [np.nan * curve, curve]])
    found = learning_windows(TIME, runs, np.array([1.0]))
    assert found.time.shape == (2, 2, 1)
    assert found.time[0, 0, 0] == found.time[1, 1, 0]
    assert found.time[0, 1, 0] == pytest.approx(math.sqrt(3.0), rel=1e-4)
    assert np.isnan(found.time[1, 0, 0])


@pytest.mark.parametrize(
    ("time", "shape", "sentence"),
    [
        (np.array([1.0, 1.0]), (2, 1), "`time` must increase"),
        (np.array([1.0, 2.0]), (3, 1), "`residuals` must have the shape"),
        (np.array([1.0, 2.0]), (2,), "`residuals` must have the shape"),
    ],
)
def test_bad_input_is_one_sentence(time, shape, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        learning_windows(time, np.ones(shape), np.array([1.0]))
