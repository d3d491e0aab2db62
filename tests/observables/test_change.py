"""Relative changes: definition, invariances, refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netphase.errors import ArgumentError
from netphase.networks import Parameters, initial_parameters
from netphase.observables import relative_change


def test_a_change_by_hand():
    start = Parameters(np.array([3.0, 4.0]), np.array([[1.0, 2.0], [2.0, 0.0]]))
    end = Parameters(np.array([3.0, 5.0]), np.array([[1.0, 2.0], [2.0, 3.0]]))
    assert relative_change(start, end, "a") == pytest.approx(1 / 5)
    assert relative_change(start, end, "w") == pytest.approx(3 / 3)
    assert relative_change(start, end, "theta") == pytest.approx(np.sqrt(10 / 34))


@given(st.floats(0, 1e3), st.integers(1, 30))
def test_scaling_all_parameters_changes_by_the_factor(factor, width):
    start = initial_parameters(width, 3, seed=1)
    end = Parameters((1 + factor) * start.a, (1 + factor) * start.w)
    for which in ("w", "a", "theta"):
        assert relative_change(start, end, which) == pytest.approx(factor, rel=1e-9, abs=1e-15)


def test_the_common_scale_cancels_and_the_whole_lies_between_its_parts():
    start, end = (initial_parameters(40, 2, seed=seed) for seed in (0, 1))
    scaled = [Parameters(0.1 * p.a, 7 * p.w) for p in (start, end)]
    for which in ("w", "a"):
        assert relative_change(*scaled, which) == pytest.approx(relative_change(start, end, which))
    w, a, theta = (relative_change(start, end, which) for which in ("w", "a", "theta"))
    assert min(w, a) < theta < max(w, a)


def test_only_tracked_neurons_count():
    start, end = (initial_parameters(5, 2, seed=3) for _ in range(2))
    end.w[5:] += 1
    assert relative_change(start, end, "w", tracked=5) == 0
    assert relative_change(start, end, "w") > 0


def test_float32_differences_are_summed_in_float64():
    start = initial_parameters(100_000, 2, seed=0, antisymmetric=False, dtype="float32")
    end = Parameters(start.a, start.w + np.float32(1e-3))
    exact = end.w.astype(float) - start.w.astype(float)
    expected = np.linalg.norm(exact) / np.linalg.norm(start.w.astype(float))
    assert relative_change(start, end, "w") == pytest.approx(expected, rel=1e-12)


def test_diverged_parameters_give_a_value_not_an_error():
    start = initial_parameters(3, 2)
    assert np.isnan(relative_change(start, Parameters(start.a * np.nan, start.w), "a"))
    assert np.isinf(relative_change(start, Parameters(start.a, start.w * np.inf), "w"))


@pytest.mark.parametrize("k", [-1000, -900, -540, 540, 900, 1000])
@pytest.mark.parametrize("which", ["w", "a", "theta"])
def test_parameters_of_any_size_change_alike(k, which):
    start, end = (initial_parameters(40, 3, seed=seed) for seed in (0, 1))
    scaled = [Parameters(np.ldexp(p.a, k), np.ldexp(p.w, k)) for p in (start, end)]
    assert relative_change(*scaled, which) == relative_change(start, end, which)


@pytest.mark.parametrize("factor", [1e-250, 1e-170, 1e170, 1e250])
def test_changes_far_from_the_size_are_not_lost(factor):
    start = Parameters(np.array([3.0, 4.0]), np.zeros((2, 1)))
    end = Parameters(start.a, np.full((2, 1), factor))
    assert relative_change(start, end, "theta") == pytest.approx(np.sqrt(2) / 5 * factor)


def test_misuse_is_refused_in_words():
    start = initial_parameters(3, 2)
    with pytest.raises(ArgumentError, match="`current` must be the Parameters of a network"):
        relative_change(start, None)
    with pytest.raises(ArgumentError, match="must have equal shapes"):
        relative_change(start, initial_parameters(4, 2))
    with pytest.raises(ArgumentError, match="`which` must be one of w, a, theta"):
        relative_change(start, start, "b")
    zero = Parameters(np.zeros(3), np.zeros((3, 2)))
    with pytest.raises(ArgumentError, match="must not be zero in its block 'a'"):
        relative_change(zero, zero, "a")
