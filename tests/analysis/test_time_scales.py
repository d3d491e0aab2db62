"""Power laws of learning times: exact ones, their errors, and refusals."""

import math

import numpy as np
import pytest

from netphase.analysis import fit_time_scale
from netphase.errors import ArgumentError

EPSILON = np.geomspace(1e-4, 1e-12, 5)


def test_a_power_law_is_found_without_error():
    fit = fit_time_scale(EPSILON, 3.0 * EPSILON**0.25)
    assert fit.exponent == pytest.approx(0.25)
    assert fit.error == pytest.approx(0.0, abs=1e-12)
    assert fit.local == pytest.approx([0.25] * 4)


def test_the_order_of_the_values_does_not_matter():
    times = EPSILON**0.25 * (1 + EPSILON**0.1)
    there, back = fit_time_scale(EPSILON, times), fit_time_scale(EPSILON[::-1], times[::-1])
    assert (there.exponent, there.error, there.drift) == (back.exponent, back.error, back.drift)


def test_the_error_covers_a_slow_approach():
    """√ε log(1/ε) is ε^½ in the limit only; its local exponent is ½ − 1/log(1/ε)."""
    fit = fit_time_scale(EPSILON, np.sqrt(EPSILON) * np.log(1 / EPSILON))
    assert fit.local[-1] == pytest.approx(0.5 - 1 / math.log(1e11), abs=2e-3)
    assert fit.drift > 0.0
    assert abs(fit.exponent - 0.5) < 4 * fit.error


def test_the_scatter_of_seeds_gives_the_error():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        fit = fit_time_scale(
            EPSILON, EPSILON[:, None] ** 0.25 * np.exp(0.3 * rng.normal(size=(5, 6)))
        )
        hits += abs(fit.exponent - 0.25) < 2 * fit.error
    assert hits > 160  # two errors of six seeds cover 90 %, and the drift adds to them


def test_missing_times_are_left_out():
    times = EPSILON**0.25
    times[[0, 3]] = np.nan, 0.0
    fit = fit_time_scale(EPSILON, times)
    assert (fit.points, fit.exponent) == (3, pytest.approx(0.25))
    seeds = np.column_stack([EPSILON**0.25, times])
    assert fit_time_scale(EPSILON, seeds).points == 3


def test_two_values_give_no_exponent():
    fit = fit_time_scale(EPSILON[:2], EPSILON[:2] ** 0.25)
    assert math.isnan(fit.exponent)
    assert fit.local == pytest.approx([0.25])
    assert fit_time_scale(EPSILON[:1], EPSILON[:1]).points == 1
    assert fit_time_scale(EPSILON, np.full(5, np.nan)).points == 0


@pytest.mark.parametrize(
    ("epsilons", "times", "sentence"),
    [
        ([1e-4, 1e-4, 1e-5], [1.0, 2.0, 3.0], "positive, different"),
        ([1e-4, -1e-4, 1e-5], [1.0, 2.0, 3.0], "positive, different"),
        ([1e-4, 1e-5], [1.0, 2.0, 3.0], "`times` must have the shape"),
    ],
)
def test_bad_input_is_one_sentence(epsilons, times, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        fit_time_scale(np.array(epsilons), np.array(times))
