"""Zeros of an exponent along a row: the printed stars, known truths, honest error bars."""

import io
import math

import numpy as np
import pytest

from netphase.analysis import local_zero, phase_boundary, whole_row_zero
from netphase.errors import ArgumentError

GAMMA = np.array([0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0, 1.02, 1.05, 1.1, 1.2, 1.3, 1.4])
# Cells of Luo et al. (2021), Fig. 4, read off its colours; rows γ' = 0, −.1, −.2, −.4.
ROWS = np.array([0.0, -0.1, -0.2, -0.4])
PRINTED = np.loadtxt(
    io.StringIO(
        """
        -.410 -.320 -.202 -.100 -.045 -.025 .010 .018 .037 .084 .143 .178 .214
        -.402 -.316 -.225 -.100 -.018 .022 .069 .073 .096 .143 .178 .214 .265
        -.414 -.320 -.253 -.116 -.045 .022 .053 .076 .112 .147 .218 .280 .327
        -.425 -.331 -.276 -.147 -.069 -.010 .006 .025 .069 .124 .253 .371 .429
        """
    )
)
TRIALS = 250


def bent(gamma, below=1.0, above=0.5, zero=1.0):
    """An exponent that changes its slope where it changes sign."""
    return np.where(gamma < zero, below, above) * (gamma - zero)


def within(count, trials, probability, k=4.0):
    return abs(count - trials * probability) < k * math.sqrt(
        trials * probability * (1 - probability)
    )


def test_the_line_through_the_whole_row_gives_the_printed_stars():
    stars = whole_row_zero(GAMMA, ROWS, PRINTED)
    np.testing.assert_allclose(stars.gamma, [1.040, 1.000, 0.993, 0.999], atol=6e-4)
    assert np.all(stars.standard_error < 0.02)
    assert "straight line" in stars.criterion


def test_local_zeros_of_the_printed_cells_agree_with_interpolation_within_their_errors():
    found = phase_boundary(GAMMA, ROWS, PRINTED, np.full(PRINTED.shape, 0.01))
    between_two_cells = np.array([0.994, 0.964, 0.970, 0.987])
    assert np.all(np.abs(found.gamma - between_two_cells) < found.standard_error)
    assert np.all(found.standard_error < 0.02)


def test_the_local_zero_of_a_bent_line_is_right_where_that_of_the_whole_row_is_not():
    s = bent(GAMMA)
    zero = local_zero(GAMMA, s, np.full(13, 0.005))
    star = whole_row_zero(GAMMA, np.zeros(1), s[None])
    assert abs(zero.gamma - 1.0) < 0.01
    assert abs(zero.gamma - 1.0) < zero.standard_error
    assert star.gamma[0] > 1.03


@pytest.mark.parametrize(("below", "above", "true"), [(1, 0.5, 1.0), (2, 0.5, 1.2), (1, 1, 0.93)])
def test_the_error_bar_covers_the_truth_at_least_as_often_as_one_sigma_should(below, above, true):
    rng = np.random.default_rng(7)
    inside, misses, claimed = 0, [], []
    for _ in range(TRIALS):
        s = bent(GAMMA, below, above, true) + 0.02 * rng.standard_normal(13)
        zero = local_zero(GAMMA, s, np.full(13, 0.02))
        inside += abs(zero.gamma - true) < zero.standard_error
        misses.append(zero.gamma - true)
        claimed.append(zero.standard_error)
    assert inside > 0.683 * TRIALS - 4 * math.sqrt(TRIALS * 0.683 * 0.317)
    assert np.mean(claimed) < 4 * np.std(misses)


def test_errors_that_all_cells_of_a_seed_share_are_covered_as_often_as_one_sigma_should():
    rng = np.random.default_rng(8)
    seeds, inside = 8, 0
    for _ in range(TRIALS):
        shared = 0.03 * rng.standard_normal((seeds, 1))
        table = (GAMMA - 1.0) + shared + 0.001 * rng.standard_normal((seeds, 13))
        zero = local_zero(GAMMA, table.mean(0), np.full(13, 1e-9), None, table)
        inside += abs(zero.gamma - 1.0) < zero.statistical
    one_sigma_of_student = 0.649  # seven degrees of freedom
    assert within(inside, TRIALS, one_sigma_of_student)


def test_one_seed_shifts_the_whole_row_by_its_errors():
    zero = local_zero(GAMMA, GAMMA - 1.0, np.full(13, 0.02))
    assert zero.statistical == pytest.approx(0.02, rel=0.15)
    assert local_zero(GAMMA, GAMMA - 1.0, np.full(13, 1e-9)).statistical < 1e-8


def test_a_drift_of_the_exponent_with_the_width_widens_the_error_bar():
    shift = 0.03
    still = local_zero(GAMMA, GAMMA - 1.0 + shift, np.full(13, 1e-4))
    drifting = local_zero(GAMMA, GAMMA - 1.0 + shift, np.full(13, 1e-4), np.full(13, -shift))
    assert abs(still.gamma - 1.0) > still.standard_error
    assert abs(drifting.gamma - 1.0) <= drifting.standard_error
    assert drifting.finite_width == pytest.approx(shift, rel=1e-6)


def test_a_row_without_a_sign_change_has_no_zero_and_says_why():
    low = local_zero(GAMMA, GAMMA - 3.0, np.full(13, 0.01))
    high = local_zero(GAMMA, GAMMA + 3.0, np.full(13, 0.01))
    assert math.isnan(low.gamma)
    assert "negative up to γ = 1.4" in low.note
    assert math.isnan(high.gamma)
    assert "positive from γ = 0.6" in high.note


def test_a_zero_just_outside_the_grid_is_extrapolated_and_marked():
    zero = local_zero(GAMMA, GAMMA - 1.41, np.full(13, 0.02))
    assert zero.gamma == pytest.approx(1.41, abs=1e-6)
    assert "extrapolated" in zero.note


def test_a_zero_far_outside_the_grid_is_not_extrapolated_however_large_the_errors():
    zero = local_zero(GAMMA, 0.1 * (GAMMA - 1.6), np.full(13, 0.1))
    assert math.isnan(zero.gamma)


def test_an_exponent_that_falls_has_no_zero():
    assert math.isnan(local_zero(GAMMA, 1.0 - GAMMA, np.full(13, 0.01)).gamma)


def test_a_noisy_double_sign_change_gives_one_zero_in_between():
    s = GAMMA - 1.0
    s[5], s[7] = 0.01, -0.01
    assert local_zero(GAMMA, s, np.full(13, 0.02)).gamma == pytest.approx(1.0, abs=0.03)


def test_the_order_of_the_cells_and_cells_without_a_value_do_not_matter():
    mixed = np.random.default_rng(0).permutation(13)
    errors = np.full(13, 0.01)
    straight = local_zero(GAMMA, PRINTED[2], errors)
    shuffled = local_zero(GAMMA[mixed], PRINTED[2][mixed], errors)
    assert shuffled.gamma == pytest.approx(straight.gamma, abs=1e-12)
    holes = np.where(GAMMA < 0.85, np.nan, PRINTED[2])
    assert local_zero(GAMMA, holes, errors).gamma == pytest.approx(straight.gamma, abs=1e-12)


def test_fewer_than_two_cells_are_not_enough():
    s = np.full(13, np.nan)
    s[3] = 0.1
    assert "fewer than two cells" in local_zero(GAMMA, s, np.full(13, 0.01)).note


def test_two_cells_are_interpolated():
    zero = local_zero(np.array([0.9, 1.1]), np.array([-0.1, 0.3]), np.array([0.01, 0.01]))
    assert zero.gamma == pytest.approx(0.95)
    assert zero.standard_error == pytest.approx(0.01 / 2.0, rel=0.2)


def test_a_plane_of_another_shape_is_refused():
    with pytest.raises(ArgumentError, match="rows of γ'"):
        whole_row_zero(GAMMA, ROWS, PRINTED.T)
    with pytest.raises(ArgumentError, match="`exponents`"):
        local_zero(GAMMA, np.ones(3), np.ones(13))


def test_rows_too_short_for_a_line_have_no_whole_row_zero():
    found = whole_row_zero(GAMMA[:2], np.zeros(1), np.array([[-0.1, 0.1]]))
    assert math.isnan(found.gamma[0])
    assert found.notes[0]
