"""What is predicted of each degree, held against solved equations."""

import math

import numpy as np
import pytest

from netphase.dynamics import (
    MeanFieldOverlaps,
    constrained_times,
    degree_two_constant,
    output_atoms,
    predict_learning,
    predict_multi_index,
)
from netphase.errors import ArgumentError
from netphase.hermite import expand, multi_index

TWO, THREE = [-1.0, 1.0], [-1.0, 0.2, 1.3]
SIX = [-2.29, 0.82, 1.15, -0.77, 0.99, 0.1]
FOUR, FIVE = [-1.5, -0.5, 0.4, 1.7], [-1.6, -0.7, 0.1, 0.5, 1.8]
ONES = np.ones(4)


def solved(sigma, phi, atoms, epsilon, end=1e3):
    return MeanFieldOverlaps(epsilon, sigma, phi, atoms).solve(end=end)


@pytest.mark.parametrize(
    ("sigma", "phi", "atoms"),
    [
        # two atoms, and degree 3 of either sign
        ([1, 1, 1, 1], [1, -1, 2 / 3, -1 / 3], TWO),
        ([1, 1, 1, 1], [1, -1, 2 / 3, 1 / 3], TWO),
        # more atoms, for which the sign does not matter
        ([1, 1, 1, 1], [1, -1, 2 / 3, 1 / 3], THREE),
        ([1, 1, 1, 1], [1, -1, 2 / 3, 1 / 3], FOUR),
        # three atoms, and degree 4 of either sign
        ([1, 1, 1, 1, 1], [1, -1, 0.6, 0.4, 0.4], THREE),
        ([1, 1, 1, 1, 1], [1, -1, 0.6, 0.4, -0.4], THREE),
        # degree 2 is missing, for each of the two reasons
        ([1, 1, 1, 1], [1, -1, 0, -1 / 3], FOUR),
        ([1, 1, 0, 1], [1, -1, 0.6, 1 / 3], FOUR),
        # degree 3 is missing, and degree 4 has either sign
        ([1, 1, 1, 0, 1], [1, -1, -0.5, 0, -0.5], FIVE),
        ([1, 1, 1, 0, 1], [1, -1, -0.5, 0, 0.5], FIVE),
        # odd functions of either sign
        ([0, 1, 0, 1, 0, 1], [0, 1, 0, 0.5, 0, 0.5], FIVE),
        ([0, 1, 0, 1, 0, 1], [0, 1, 0, 0.5, 0, -0.5], FIVE),
        ([0, 1, 0, 1, 0, 1], [0, 1, 0, -0.5, 0, 0.5], FIVE),
        # no mean of the output weights to hold degree 3
        ([0, 1, 1, 1], [0, -1, 0.6, 0.4], FOUR),
        ([0, 1, 1, 1], [0, -1, 0.6, -0.4], FOUR),
        ([0, 1, 1, 1, 1], [0, 1, -0.6, 0.4, 0.4], FIVE),
        ([0, 1, 1, 1, 1], [0, 1, -0.6, 0.4, -0.4], FIVE),
        ([0, 1, 1], [0, -1, 0.6], [1.0]),
        ([0, 1, 1], [0, -1, -0.6], [1.0]),
        # nor degree 2, whose sign is then that of output weights of one sign
        ([0, 1, 1], [0, 1, 0.5], [0.9, 0.5, 0.1, 1.7]),
        ([0, 1, 1], [0, 1, 0.5], [-0.9, -0.5, -0.1, -1.7]),
        ([0, 1, 1], [0, 1, -0.5], [-0.9, -0.5, -0.1, -1.7]),
        # nothing leaves s = 0; degree 0 alone cannot be learnt
        ([1, 1, 1, 1], [1, 0, 0.5, 0.5], FOUR),
        ([0, 1, 1, 1], [1, 1, 0.5, 0.5], FOUR),
    ],
)
def test_what_is_learnt(sigma, phi, atoms):
    sigma, phi = np.array(sigma, dtype=float), np.array(phi, dtype=float)
    found = predict_learning(sigma, phi, output_atoms(atoms))
    solution = solved(sigma, phi, atoms, 1e-9)
    assert np.isfinite(solution.crossing_times).tolist() == found.learnable.tolist()
    assert solution.risk[0] == pytest.approx(found.initial_risk, rel=1e-9)
    if len(atoms) > 3:  # a few neurons leave a part of what they learn; others as ε → 0
        assert found.floor * (1 - 1e-9) <= solution.risk[-1] <= 1.2 * found.floor + 1e-12


@pytest.mark.parametrize(
    ("sigma", "phi", "atoms", "degree"),
    [
        ([1, 1, 1], [1, -1, 2 / 3], TWO, 2),
        ([1, 1, 1], [1, -1, 2 / 3], THREE, 2),
        ([0, 1, 1], [0, -1, 2 / 3], TWO, 2),  # degree 0 holds nothing here: two atoms are enough
        ([0, 1, 1], [0, -1, 2 / 3], [1.0], 2),
        ([1, 1, 1, 1], [1, -1, 2 / 3, -1 / 3], FOUR, 3),
        ([1, 1, 1, 1], [1, -1, 2 / 3, -1 / 3], THREE, 3),
    ],
)
def test_the_number_of_atoms_sets_the_exponent(sigma, phi, atoms, degree):
    each = predict_learning(sigma, phi, output_atoms(atoms)).degrees[degree]
    times = [
        solved(np.array(sigma, float), np.array(phi, float), atoms, epsilon).crossing_times[degree]
        for epsilon in (1e-12, 1e-14)
    ]
    assert math.log10(times[0] / times[1]) / 2 == pytest.approx(each.exponent, abs=0.02)


@pytest.mark.parametrize(("sign", "exponent"), [(-1, 0.25), (1, 1 / 6)])
def test_a_density_learns_degree_three_with_degree_two_or_on_its_own(sign, exponent):
    law = output_atoms("uniform", 1000)
    phi = np.array([1.0, -1.0, 2 / 3, sign / 3])
    each = predict_learning(ONES, phi, law).degrees[3]
    assert each.exponent == pytest.approx(exponent)
    times = [
        MeanFieldOverlaps(e, ONES, phi, law.atoms).solve(end=1.0, rtol=1e-5).crossing_times
        for e in (1e-7, 1e-8)
    ]
    local = math.log10(times[0][3] / times[1][3])
    assert local == pytest.approx(0.25 if sign < 0 else 0.21, abs=0.02)
    assert bool(times[1][3] / times[1][2] < 1.1) is (sign < 0)


def test_times_of_the_base_case():
    """How far the formulas of degrees 0 and 1 and the constrained flows are off the solution."""
    phi = np.array([1.0, -1.0, 2 / 3, -1 / 3])
    found = predict_learning(ONES, phi, output_atoms(FOUR))
    assert [each.basis for each in found.degrees] == ["closed form"] * 2 + ["constrained flow"] * 2
    assert found.plateaus == pytest.approx([7 / 9, 5 / 18, 1 / 18, 0.0])
    for epsilon, slack in ((1e-8, (1e-5, 1e-3, 0.1, 0.2)), (1e-12, (1e-5, 1e-4, 0.02, 0.1))):
        times = solved(ONES, phi, FOUR, epsilon).crossing_times
        off = np.abs(found.times(epsilon) / times - 1.0)
        assert np.all(off < slack), off


def test_constrained_times_have_the_constant_of_degree_two():
    phi = np.array([1.0, -1.0, 2 / 3])
    constant = degree_two_constant(ONES[:3], phi, FOUR)
    off = [
        constrained_times(epsilon, ONES[:3], phi, FOUR)[2] / epsilon**0.25 / constant - 1.0
        for epsilon in (1e-20, 1e-26)
    ]
    assert abs(off[1]) < 0.01
    # the end of the flow is cut off by its size there, which falls as a power of ε
    assert abs(off[1]) < 0.5 * abs(off[0])


def test_constrained_times_say_nothing_where_epsilon_is_large():
    phi = np.array([1.0, -1.0, 2 / 3, -1 / 3])
    assert np.isnan(constrained_times(0.1, ONES, phi, FOUR)[2:]).all()
    assert np.isnan(constrained_times(1e-12, ONES, phi, THREE)[3])  # too few atoms


def test_widths_are_those_of_the_exponential_and_the_logistic_fall():
    phi = np.array([1.0, -1.0, 2 / 3, -1 / 3])
    found = predict_learning(ONES, phi, output_atoms(FOUR)).widths(1e-6)
    assert found[:2] == pytest.approx([1e-6 * math.log(9), 1e-3 * math.log(9)])
    assert np.isnan(found[2:]).all()


def test_finite_inputs_take_predictions_away_where_they_do_not_hold():
    found = predict_learning(ONES, [1, -1, 2 / 3, -1 / 3], output_atoms(FOUR), 1e5)
    assert np.isfinite(found.times(1e-8)).tolist() == [True, True, False, False]
    assert np.isfinite(found.times(1e-13)).tolist() == [True, False, False, False]
    assert np.isfinite(found.times(1e-3)).tolist() == [True, True, True, False]  # ε too large


def test_no_power_is_left_after_a_time_of_order_one():
    for sigma, phi in (([0.5, 1, 0, 1, -1], [1, -1, 0, -1, 1]), ([1] * 5, [1, -1, 0, -0.5, 0.5])):
        found = predict_learning(sigma, phi, output_atoms(SIX))
        assert [found.degrees[3].exponent, found.degrees[4].exponent] == [0.0, 0.0]
        assert "order one" in found.degrees[4].reason
        ends = [
            solved(found.activation, found.target, SIX, epsilon).crossing_times
            for epsilon in (1e-9, 1e-11)
        ]
        assert abs(math.log(ends[1][4] / ends[0][4]) / math.log(1e-2)) < 0.03


def test_no_time_is_predicted_where_epsilon_is_far_too_large():
    found = predict_learning(ONES, [1, -1, 2 / 3, -1 / 3], output_atoms(FOUR)).times(10.0)
    assert np.isnan(found[1:]).all()  # the formula of degree 1 turns negative there


def test_total_degrees_of_several_directions():
    law = output_atoms(FOUR)
    stairs = predict_multi_index(expand([1, 1, 1]), multi_index("z1 + z1*z2"), law)
    assert stairs.degrees[2].exponent == 0.25
    hidden = predict_multi_index(expand([1, 1, 1]), multi_index("z1 + z1*z2 + h2(z3)"), law)
    assert not hidden.degrees[2].learnable
    assert "leaps of two or more" in hidden.degrees[2].reason
    turned = multi_index("z1 + z2 + z1*z2")  # moves along z1 = z2 only
    assert not predict_multi_index(expand([1, 1, 1]), turned, law).degrees[2].learnable


def test_warnings():
    assert predict_learning(ONES, [1, 1, 1, 1], output_atoms(FOUR)).warnings == ()
    few = predict_learning(ONES, [1, 1, 1, 1], output_atoms(TWO)).warnings
    assert few[0].startswith("P_A has 2 different atoms where ε^(1/4) needs 3")
    assert "density" in predict_learning(ONES, [1, 1, 1, 1], output_atoms("uniform")).warnings[0]


def test_bad_input_is_one_sentence():
    with pytest.raises(ArgumentError, match="as many coefficients as `activation`"):
        predict_learning([1, 1], [1, 1, 1], output_atoms(FOUR))
    with pytest.raises(ArgumentError, match="`epsilon` must be a positive"):
        predict_learning([1, 1], [1, 1], output_atoms(FOUR)).times(0.0)
