"""What reproductions share: order of parallel results, seed averages."""

import math

import pytest

from netphase.reproductions.runs import average, in_parallel


def test_parallel_results_keep_the_order_of_their_cases():
    assert in_parallel(lambda x: x * x, range(20)) == [x * x for x in range(20)]


def test_an_error_in_one_case_is_raised():
    with pytest.raises(ZeroDivisionError):
        in_parallel(lambda x: 1 / x, [1, 0])


def test_average_has_a_standard_error_over_seeds():
    mean, error = average([1.0, 2.0, 3.0])
    assert (mean, error) == (2.0, pytest.approx(1 / math.sqrt(3)))
    assert math.isnan(average([1.0])[1])
