"""The end of the initial stage: the best linear fit, and the way to it."""

import numpy as np
import pytest

from netphase import datasets
from netphase.errors import ArgumentError
from netphase.kernels import half_way, linear_plateau


def test_what_a_line_leaves_is_the_textbook_variance():
    x = np.linspace(-1, 2, 9)
    y = np.sin(3 * x)
    data = datasets.from_arrays(x[:, None], y)
    unexplained = np.var(y) * (1 - np.corrcoef(x, y)[0, 1] ** 2)
    assert linear_plateau(data) == pytest.approx(unexplained, rel=1e-12)


def test_the_plateau_is_zero_where_a_linear_function_fits():
    assert linear_plateau(datasets.linear(50, 7)) == 0
    assert linear_plateau(datasets.gaussian(5, 6)) == 0  # fewer samples than inputs


def test_the_way_is_measured_between_start_and_plateau():
    data = datasets.sines(30, 2)
    start, end = np.mean(data.y**2), linear_plateau(data)
    assert half_way(data) == pytest.approx((start + end) / 2)
    assert half_way(data, 0.1) == pytest.approx(0.9 * start + 0.1 * end)


def test_targets_without_a_linear_part_are_refused():
    x = np.array([-1.0, -0.5, 0.5, 1.0])
    even = datasets.from_arrays(x[:, None], x**2 - np.mean(x**2))
    with pytest.raises(ArgumentError, match=r"z = \(1/n\) Σ y_i x_i is zero"):
        half_way(even)
    with pytest.raises(ArgumentError, match=r"z = \(1/n\) Σ y_i x_i is zero"):
        half_way(datasets.from_arrays(x[:, None], 0 * x))


@pytest.mark.parametrize("slope", [1e-7, 1e-9, 1e-12])
def test_a_linear_part_too_small_is_not_called_zero(slope):
    """z is slope · mean(x²), and a linear fit explains slope² mean(x²)/mean(y²), all known."""
    x = np.array([-1.0, -0.5, 0.5, 1.0])
    even = x**2 - np.mean(x**2)
    data = datasets.from_arrays(x[:, None], even + slope * x)
    explained = slope**2 * np.mean(x**2) / np.mean(even**2)
    with pytest.raises(ArgumentError, match="explains only a part") as refusal:
        half_way(data)
    number = float(str(refusal.value).split(" part ")[1].split(" of ")[0])
    assert number == pytest.approx(explained, rel=0.05, abs=0)
    visible = datasets.from_arrays(x[:, None], even + 1e-5 * x)
    assert half_way(visible) < np.mean(visible.y**2)


@pytest.mark.parametrize("part", [1e-17, 1e-12, 9.9e-7, 1 - 9.9e-7, 1 - 1e-15])
def test_a_part_that_rounding_would_hide_is_refused(part):
    with pytest.raises(ArgumentError, match=r"`part` must lie between 1e-06 and 1 - 1e-06, but is"):
        half_way(datasets.linear(), part)
    for least in (1e-6, 1 - 1e-6):
        assert half_way(datasets.linear(), least) == pytest.approx(1 - least, rel=1e-9)


@pytest.mark.parametrize("part", [0.0, 1.0, -0.5])
def test_the_part_lies_between_nothing_and_all(part):
    with pytest.raises(ArgumentError, match="`part` must lie between 0 and 1"):
        half_way(datasets.linear(), part)
