"""Contributions of neurons, effective numbers, activated sets, recovery of a teacher."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netphase import observables as obs
from netphase.errors import ArgumentError


def test_contributions_are_the_weights_of_unit_directions():
    rng = np.random.default_rng(0)
    a, w, x = rng.standard_normal(7), rng.standard_normal((7, 3)), rng.standard_normal((50, 3))
    p = obs.neuron_contributions(a, w, scale=0.3)
    unit = w / np.linalg.norm(w, axis=1, keepdims=True)
    plain = 0.3 * np.maximum(x @ w.T, 0) @ a
    np.testing.assert_allclose(np.maximum(x @ unit.T, 0) @ p, plain, rtol=1e-12, atol=1e-14)


def test_contributions_of_a_trajectory_are_those_of_its_moments():
    rng = np.random.default_rng(1)
    a, w = rng.standard_normal((4, 5)), rng.standard_normal((4, 5, 2))
    p = obs.neuron_contributions(a, w)
    assert p.shape == (4, 5)
    np.testing.assert_array_equal(p[2], obs.neuron_contributions(a[2], w[2]))
    np.testing.assert_allclose(obs.path_norm(p)[3], sum(abs(x) for x in p[3]))
    np.testing.assert_allclose(obs.over_cost(p, 2.0), obs.path_norm(p) / 2)


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("size", [1e-200, 1.0, 1e150])
def test_the_effective_number_of_equal_neurons_is_their_number(order, size):
    p = np.zeros(30)
    p[:7] = size * np.array([1, -1, 1, 1, -1, -1, 1])
    assert float(obs.effective_number(p, order)) == pytest.approx(7, rel=1e-12)


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=12))
def test_effective_numbers_are_the_quotients_of_moments_and_ordered(values):
    p = np.array(values)
    if np.abs(p).max() < 1e-6:
        return
    second, fourth = (float(obs.effective_number(p, order)) for order in (2, 4))
    assert second == pytest.approx(np.abs(p).sum() ** 2 / (p**2).sum())
    assert fourth == pytest.approx((p**2).sum() ** 2 / (p**4).sum())
    assert 1 - 1e-9 <= fourth <= second * (1 + 1e-9) <= len(p) * (1 + 2e-9)


def test_the_effective_number_of_silent_neurons_is_not_a_number():
    found = obs.effective_number(np.array([[0.0, 0.0], [1.0, np.nan], [1.0, 1.0]]))
    assert np.isnan(found[:2]).all()
    assert found[2] == 2


def test_activated_neurons_are_above_the_threshold():
    p = np.array([0.5, -0.051, 0.049, 0.0])
    assert obs.activated(p).tolist() == [True, True, False, False]
    assert obs.activated(p, 0.3).tolist() == [True, False, False, False]
    both = obs.activated(np.stack([p, np.zeros(4), np.array([1.0, np.nan, 1.0, 1.0])]))
    assert both[0].tolist() == [True, True, False, False]
    assert not both[1:].any()


def test_the_largest_gap_is_found_among_all_cuts():
    rng = np.random.default_rng(2)
    for _ in range(50):
        p = np.exp(rng.uniform(-6, 0, 9))
        heights = np.sort(np.log(p / p.max()))
        best = max(range(8), key=lambda cut: heights[cut + 1] - heights[cut])
        assert obs.activated_by_gap(p).sum() == 8 - best


def test_gaps_below_the_floor_decide_nothing():
    p = np.array([1.0, 0.9, 0.005, 1e-9, 1e-30])
    assert obs.activated_by_gap(p, 1e-4).tolist() == [True, True, False, False, False]
    assert obs.activated_by_gap(p, 1e-12).tolist() == [True, True, True, False, False]
    assert obs.activated_by_gap(np.ones(3)).all()
    assert obs.activated_by_gap(np.ones(1)).all()
    assert not obs.activated_by_gap(np.zeros(3)).any()


def test_small_angles_keep_their_digits():
    for angle in (1e-12, 1e-5, 1.0, np.pi - 1e-12):
        second = np.array([np.cos(angle), np.sin(angle)])
        found = float(obs.angles_between(np.array([3.0, 0.0]), second))
        assert found == pytest.approx(angle, rel=1e-12, abs=1e-16 if angle > 3 else 0)
    assert np.isnan(obs.angles_between(np.zeros(2), np.ones(2)))


def test_the_assignment_is_the_best_of_all():
    rng = np.random.default_rng(3)
    for _ in range(20):
        w, teacher = rng.standard_normal((5, 3)), rng.standard_normal((4, 3))
        p, wanted = rng.standard_normal(5), rng.standard_normal(4)
        found = obs.match_teacher(p, w, wanted, teacher)
        units = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (w, teacher))
        cosines = np.matmul(*(u if i == 0 else u.T for i, u in enumerate(units)))
        best = max(
            itertools.permutations(range(5), 4),
            key=lambda chosen: sum(cosines[j, k] for k, j in enumerate(chosen)),
        )
        assert found.neuron.tolist() == list(best)
        assert found.unit.tolist() == [0, 1, 2, 3]
        exact = [np.arccos(cosines[j, k]) for k, j in enumerate(best)]
        np.testing.assert_allclose(found.angle, exact, rtol=1e-7)
        np.testing.assert_allclose(found.excess, p[list(best)] - wanted)


def test_only_kept_neurons_are_assigned():
    w = np.eye(4)
    kept = np.array([False, True, False, True])
    found = obs.match_teacher(np.ones(4), w, np.full(3, 0.25), np.eye(4)[:3], kept)
    assert found.neuron.tolist() in ([3, 1], [1, 3])
    assert 1 in found.unit
    assert (
        len(obs.match_teacher(np.ones(4), w, np.ones(3), np.eye(4)[:3], ~np.ones(4, bool))[0]) == 0
    )


def test_the_teacher_cosine_is_the_largest():
    w = np.array([[[2.0, 0.0], [1.0, 1.0]], [[0.0, 0.0], [-1.0, 0.0]]])
    found = obs.teacher_cosine(w, np.array([[1.0, 0.0], [0.0, 5.0]]))
    np.testing.assert_allclose(found, [[1.0, np.sqrt(0.5)], [0.0, 0.0]], atol=1e-15)


@pytest.mark.parametrize(("count", "lines"), [(3, 3), (5, 5), (6, 3)])
def test_a_regular_polygon_has_its_lines(count, lines):
    angles = 0.3 + 2 * np.pi * np.arange(count) / count
    w = np.column_stack([np.cos(angles), np.sin(angles), np.full(count, 0.1)])
    gaps = obs.line_gaps(w)
    assert gaps.sum() == pytest.approx(np.pi)
    wide = gaps[gaps > 1e-9]
    np.testing.assert_allclose(wide, np.pi / lines)
    assert len(wide) == lines
    assert len(obs.line_gaps(np.empty((0, 2)))) == 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: obs.neuron_contributions(np.ones(2), np.ones((3, 2))), "`a` and `w`"),
        (lambda: obs.neuron_contributions(np.ones(2), np.ones((2, 2)), np.inf), "`scale`"),
        (lambda: obs.effective_number(np.ones(2), 3), "`order` must be 2 or 4"),
        (lambda: obs.effective_number(np.empty(0)), "one number a neuron"),
        (lambda: obs.activated(np.ones(2), 1.0), r"`threshold` must lie in \[0, 1\)"),
        (lambda: obs.activated_by_gap(np.ones(2), 1.0), "`floor` must be smaller than 1"),
        (lambda: obs.activated_by_gap(np.ones((2, 2))), "1 axis here"),
        (lambda: obs.over_cost(np.ones(2), 0.0), "`variation_norm`"),
        (lambda: obs.line_gaps(np.ones((3, 1))), "d ≥ 2"),
        (lambda: obs.teacher_cosine(np.ones((3, 2)), np.ones((1, 3))), "the 2 inputs"),
        (
            lambda: obs.match_teacher(np.ones(3), np.ones((3, 2)), np.ones(1), np.ones((1, 3))),
            "must have the shapes",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(call, words):
    with pytest.raises(ArgumentError, match=words):
        call()
