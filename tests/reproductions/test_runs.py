"""What reproductions share: order of parallel results, seed averages."""

import math

import numpy as np
import pytest

from netphase.reproductions.runs import average, in_parallel, typical


def test_parallel_results_keep_the_order_of_their_cases():
    assert in_parallel(lambda x: x * x, range(20)) == [x * x for x in range(20)]


def test_an_error_in_one_case_is_raised():
    with pytest.raises(ZeroDivisionError):
        in_parallel(lambda x: 1 / x, [1, 0])


def test_average_has_a_standard_error_over_seeds():
    mean, error = average([1.0, 2.0, 3.0])
    assert (mean, error) == (2.0, pytest.approx(1 / math.sqrt(3)))
    assert math.isnan(average([1.0])[1])


def test_the_error_of_a_median_is_its_scatter_over_samples():
    samples = np.random.default_rng(0).exponential(size=(2000, 64))
    found = np.array([typical(sample) for sample in samples])
    scatter = found[:, 0].std(ddof=1)
    assert found[:, 1].mean() == pytest.approx(scatter, rel=0.1)
    assert scatter == pytest.approx(1 / math.sqrt(64), rel=0.1)  # 1/(2 f √n) with f = 1/2


def test_a_median_is_not_moved_by_one_far_value():
    middle, error = typical([1.0, 1.1, 1.2, 90.0])
    assert middle == pytest.approx(1.15)
    assert error < 25
    assert math.isnan(typical([1.0])[1])
