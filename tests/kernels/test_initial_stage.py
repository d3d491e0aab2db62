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


@pytest.mark.parametrize("part", [0.0, 1.0, -0.5])
def test_the_part_lies_between_nothing_and_all(part):
    with pytest.raises(ArgumentError, match="`part` must lie between 0 and 1"):
        half_way(datasets.linear(), part)
