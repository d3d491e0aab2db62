"""Power-law fits: known slopes, honest error bars, and refusals."""

import math

import numpy as np
import pytest

from netphase.analysis import fit_power_law
from netphase.errors import ArgumentError, FitError

WIDTHS = np.array([1000.0, 5000.0, 10000.0, 20000.0, 40000.0])
TRIALS = 600


def within(count, trials, probability, k=4.0):
    """Whether a count of successes agrees with a probability within k standard errors."""
    return abs(count - trials * probability) < k * math.sqrt(
        trials * probability * (1 - probability)
    )


def nested_noise(rng, scale):
    """Noise of running means of one stream of draws, ``scale`` at the smallest width."""
    own = np.sqrt(1 / WIDTHS - np.append(1 / WIDTHS[1:], 0.0)) * rng.standard_normal(len(WIDTHS))
    return scale * math.sqrt(WIDTHS[0]) * np.cumsum(own[::-1])[::-1]


@pytest.mark.parametrize("exponent", [-1.25, -0.5, 0.0, 0.375])
def test_an_exact_power_law_is_recovered_with_no_error_and_no_drift(exponent):
    fit = fit_power_law(WIDTHS, 0.7 * WIDTHS**exponent)
    assert fit.exponent == pytest.approx(exponent, abs=1e-12)
    assert fit.prefactor == pytest.approx(0.7, rel=1e-10)
    assert fit.standard_error < 1e-7
    assert abs(fit.drift) < 1e-12
    assert fit.points == 5
    assert fit.degrees_of_freedom == 3
    assert fit.warnings == ()
    np.testing.assert_allclose(fit(WIDTHS), 0.7 * WIDTHS**exponent, rtol=1e-10)


def test_the_slope_is_the_one_numpy_polyfit_gives():
    values = np.array([0.0088, 0.0040, 0.0027, 0.0020, 0.0014])
    expected = np.polyfit(np.log(WIDTHS), np.log(values), 1)[0]
    assert fit_power_law(WIDTHS, values).exponent == pytest.approx(expected, rel=1e-10)


def test_the_interval_of_one_seed_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    covered = {0.68: 0, 0.95: 0}
    for _ in range(TRIALS):
        fit = fit_power_law(WIDTHS, WIDTHS**-0.3 * np.exp(nested_noise(rng, 0.1)))
        for confidence in covered:
            covered[confidence] += abs(fit.exponent + 0.3) < fit.half_width(confidence)
    assert 0.60 < covered[0.68] / TRIALS < 0.76
    assert 0.92 < covered[0.95] / TRIALS < 0.985


def test_the_error_of_one_seed_is_the_scatter_of_its_slopes():
    rng = np.random.default_rng(6)
    fits = [fit_power_law(WIDTHS, np.exp(nested_noise(rng, 0.1))) for _ in range(TRIALS)]
    scatter = np.std([fit.exponent for fit in fits])
    claimed = math.sqrt(np.mean([fit.standard_error**2 for fit in fits]))
    assert claimed == pytest.approx(scatter, rel=0.15)


def test_independent_widths_make_the_error_of_one_seed_too_large_and_not_too_small():
    rng = np.random.default_rng(9)
    covered = 0
    for _ in range(TRIALS):
        fit = fit_power_law(WIDTHS, WIDTHS**0.1 * np.exp(0.05 * rng.standard_normal(5)))
        covered += abs(fit.exponent - 0.1) < fit.half_width(0.95)
    assert covered / TRIALS > 0.95


def test_the_interval_of_several_seeds_covers_the_truth_though_a_seed_goes_its_own_way():
    rng = np.random.default_rng(2)
    x = np.log(WIDTHS / 8000)
    count = 0
    for _ in range(TRIALS):
        tilt = 0.03 * rng.standard_normal((6, 1))
        noise = 0.01 * rng.standard_normal((6, 5))
        fit = fit_power_law(WIDTHS, np.exp((0.2 + tilt) * x + noise))
        count += abs(fit.exponent - 0.2) < fit.half_width(0.95)
    assert fit.degrees_of_freedom == 5
    assert within(count, TRIALS, 0.95)


def test_the_error_falls_as_one_over_the_root_of_the_seeds():
    rng = np.random.default_rng(3)
    errors = []
    for seeds in (3, 27):
        tables = np.exp(0.1 * rng.standard_normal((150, seeds, 5)))
        squares = [fit_power_law(WIDTHS, table).standard_error ** 2 for table in tables]
        errors.append(math.sqrt(np.mean(squares)))
    assert errors[0] / errors[1] == pytest.approx(3.0, rel=0.25)


def test_drift_is_the_change_of_the_local_slope_between_the_ends():
    x = np.log(WIDTHS)
    curvature = 0.02
    fit = fit_power_law(WIDTHS, np.exp(0.3 * x + curvature * (x - 9.0) ** 2))
    assert fit.drift == pytest.approx(2 * curvature * (x[-1] - x[0]), rel=1e-9)


def test_the_error_of_the_drift_is_its_scatter():
    rng = np.random.default_rng(4)
    fits = [fit_power_law(WIDTHS, np.exp(nested_noise(rng, 0.1))) for _ in range(TRIALS)]
    scatter = np.std([fit.drift for fit in fits])
    claimed = math.sqrt(np.mean([fit.drift_error**2 for fit in fits]))
    assert claimed == pytest.approx(scatter, rel=0.15)


def test_several_seeds_give_a_drift_with_the_error_of_their_scatter():
    rng = np.random.default_rng(5)
    fits = [fit_power_law(WIDTHS, np.exp(0.02 * rng.standard_normal((8, 5)))) for _ in range(300)]
    scatter = np.std([fit.drift for fit in fits])
    claimed = math.sqrt(np.mean([fit.drift_error**2 for fit in fits]))
    assert claimed == pytest.approx(scatter, rel=0.2)


def test_one_width_has_no_slope():
    with pytest.raises(FitError, match="add widths"):
        fit_power_law(np.array([100.0]), np.array([1.0]))


def test_one_usable_width_has_no_slope():
    with pytest.raises(FitError, match="values at 1"):
        fit_power_law(WIDTHS, np.array([1.0, np.nan, 0.0, -1.0, np.inf]))


def test_two_widths_give_a_slope_without_an_error_and_a_warning():
    fit = fit_power_law(np.array([100.0, 1000.0]), np.array([1.0, 10.0]))
    assert fit.exponent == pytest.approx(1.0)
    assert math.isnan(fit.standard_error)
    assert fit.half_width() == math.inf
    assert math.isnan(fit.drift)
    assert "only 2 widths" in fit.warnings[0]


def test_widths_that_span_little_carry_a_warning():
    widths = np.array([1000.0, 2000.0, 3000.0])
    fit = fit_power_law(widths, widths)
    assert fit.warnings == ("the widths span less than a factor 4",)


def test_missing_values_are_left_out_seed_by_seed():
    table = np.stack([WIDTHS**0.5, 2 * WIDTHS**0.5, WIDTHS**0.5])
    table[0, 2] = np.nan
    table[1, 1:] = np.nan
    fit = fit_power_law(WIDTHS, table)
    assert fit.exponent == pytest.approx(0.5)
    assert fit.points == 4 + 1 + 5
    assert len(fit.seed_exponents) == 2


def test_values_of_another_shape_are_refused():
    with pytest.raises(ArgumentError, match=r"5 widths"):
        fit_power_law(WIDTHS, np.ones(4))


def test_widths_that_are_not_positive_are_refused():
    with pytest.raises(ArgumentError, match="positive"):
        fit_power_law(np.array([0.0, 1.0]), np.ones(2))


def test_a_confidence_outside_its_range_is_refused():
    with pytest.raises(ArgumentError, match="between 0 and 1"):
        fit_power_law(WIDTHS, WIDTHS).half_width(1.0)


def test_a_width_that_comes_twice_is_refused():
    with pytest.raises(ArgumentError, match="different"):
        fit_power_law(np.array([100, 100, 300]), np.array([1.0, 2.0, 3.0]))
