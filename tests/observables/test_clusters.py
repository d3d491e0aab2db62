"""Condensed directions and covers: known clouds, independent searches, inactive neurons."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netphase.errors import ArgumentError
from netphase.networks import Parameters, initial_parameters
from netphase.observables import (
    condensed_directions,
    direction_clusters,
    effective_neurons,
    features,
    minimal_cover,
)


def _around(centres, counts, noise, seed=0):
    """Neurons scattered about some directions."""
    rng = np.random.default_rng(seed)
    w = np.repeat(np.asarray(centres, dtype=float), counts, axis=0)
    return features(Parameters(np.ones(len(w)), w + noise * rng.standard_normal(w.shape)))


def test_known_directions_are_found_with_their_shares():
    centres = np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [-1, 0, 0, 0], [0, 0, 0.6, 0.8]])
    counts = [400, 300, 200, 100]
    found = condensed_directions(_around(centres, counts, 0.01))
    assert found.count == 4
    assert found.counts.tolist() == counts
    np.testing.assert_array_equal(found.labels, np.repeat(np.arange(4), counts))
    np.testing.assert_allclose(found.shares, [0.4, 0.3, 0.2, 0.1], atol=0.005)
    assert np.all(np.sum(found.directions * centres, axis=1) > 0.99999)
    np.testing.assert_allclose(np.linalg.norm(found.directions, axis=1), 1)
    s = found.shares
    assert found.effective_number == pytest.approx(1 / np.sum(s**2))
    assert found.entropy_number == pytest.approx(np.prod(s**-s))


def test_opposite_directions_are_one_line():
    cloud = _around([[0, 3.0, 0], [0, -1, 0], [1, 0, 0]], [5, 4, 3], 1e-3)
    assert condensed_directions(cloud).count == 3
    lines = condensed_directions(cloud, lines=True)
    assert lines.counts.tolist() == [9, 3]
    assert abs(lines.directions[0, 1]) > 0.9999


def test_inactive_zero_and_faint_neurons_are_labelled():
    w = np.array([[1.0, 0], [0.9, 0.01], [0, 0.2], [1e-3, 1], [0, 0], [-0.04, 0]])
    cloud = features(Parameters(np.array([1.0, 1.0, 1.0, 0.0, 1.0, -1.0]), w))
    found = condensed_directions(cloud)
    assert found.labels.tolist() == [0, 0, 1, -1, -1, -1]
    assert (found.inactive, found.zero) == (3, 1)
    few = condensed_directions(cloud, least_share=0.2)
    assert few.labels.tolist() == [0, 0, -2, -1, -1, -1]
    assert few.shares.sum() < 1
    assert few.effective_number == few.entropy_number == 1


def _plain_lines(cloud, cosine):
    """Greedy lines by the definition."""
    order = np.argsort(-cloud.amplitude, kind="stable")
    centres = []
    for k in order:
        if all(abs(cloud.direction[k] @ cloud.direction[c]) <= cosine for c in centres):
            centres.append(k)
    return len(centres)


@given(st.integers(0, 1000), st.integers(1, 700), st.integers(1, 4), st.floats(0.1, 0.999))
def test_directions_are_a_greedy_cover(seed, m, d, cosine):
    cloud = features(initial_parameters(m, d, seed, False))
    found = condensed_directions(cloud, cosine, 0.0)
    assert found.count == direction_clusters(cloud, cosine, 0.0)
    assert found.counts.sum() == m
    for label in range(found.count):
        members = cloud.direction[found.labels == label]
        strongest = np.argmax(cloud.amplitude[found.labels == label])
        assert np.all(np.delete(members @ members[strongest], strongest) > cosine - 1e-12)
    assert condensed_directions(cloud, cosine, 0.0, lines=True).count == _plain_lines(cloud, cosine)


def test_one_input_has_two_directions():
    cloud = features(Parameters(np.ones(5), np.array([[1.0], [2], [-1], [-3], [4]])))
    assert condensed_directions(cloud).count == 2
    assert condensed_directions(cloud, lines=True).count == 1
    assert minimal_cover(cloud) == (2, 2)


def _smallest_by_caps(unit, cosine):
    """The fewest caps whose centres lie on a fine grid of the sphere in three dimensions."""
    k = np.arange(4000)
    z, phi = 1 - (2 * k + 1) / len(k), np.pi * (1 + 5**0.5) * k
    grid = np.column_stack([np.cos(phi), np.sin(phi), z])
    grid[:, :2] *= np.sqrt(1 - z * z)[:, None]
    covers = np.unique(grid @ unit.T > cosine, axis=0)
    for count in range(1, len(unit) + 1):
        for chosen in itertools.combinations(covers, count):
            if np.all(np.any(chosen, axis=0)):
                return count
    raise AssertionError


@settings(max_examples=40)
@given(st.integers(0, 200), st.floats(0.6, 0.95))
def test_bounds_enclose_the_smallest_cover(seed, cosine):
    cloud = features(initial_parameters(4, 3, seed, False))
    lower, upper = minimal_cover(cloud, cosine, 0.0)
    # every point of the sphere is within 0.05 of the grid: larger caps on it do as well
    assert lower <= _smallest_by_caps(cloud.direction, cosine)
    assert upper >= _smallest_by_caps(cloud.direction, np.cos(np.arccos(cosine) + 0.05))
    assert lower <= upper <= direction_clusters(cloud, cosine, 0.0)


def test_cover_is_exact_in_the_plane_and_on_well_separated_clouds():
    cloud = features(initial_parameters(1000, 2, 0, False))
    assert minimal_cover(cloud) == (10, 10) == (effective_neurons(cloud),) * 2
    assert minimal_cover(_around(np.vstack([np.eye(5), -np.eye(5)]), 30, 0.02)) == (10, 10)


def test_a_weaker_neuron_in_the_middle_covers_more():
    """Neurons at 0°, 25°, 50°: a cap of 25.8° covers all, but not one about an outer neuron."""
    angle = np.radians([0.0, 25.0, 50.0])
    w = np.column_stack([np.cos(angle), np.sin(angle), np.zeros(3)])
    cloud = features(Parameters(np.array([2.0, 1.0, 1.9]), w))
    assert direction_clusters(cloud, 0.9) == 2
    assert minimal_cover(cloud, 0.9) == (1, 1)
    assert minimal_cover(features(Parameters(np.ones(2), w[[0, 2]])), 0.9) == (1, 2)


def test_large_uncondensed_clouds_are_bounded_by_their_clusters():
    cloud = features(initial_parameters(4000, 10, 0, False))
    lower, upper = minimal_cover(cloud)
    assert 1000 < lower <= upper == direction_clusters(cloud)


PLANE = features(Parameters(np.ones(2), np.eye(2)))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda c: condensed_directions(c, cosine=1.0), r"`cosine` must lie in \(-1, 1\)"),
        (lambda c: condensed_directions(c, cosine=-0.5, lines=True), "`cosine` must lie in"),
        (lambda c: condensed_directions(c, threshold=-1), r"`threshold` must lie in \[0, 1\)"),
        (lambda c: condensed_directions(c, least_share=1.0), "`least_share` must lie in"),
        (lambda c: condensed_directions(c, least_share=0.6), "strongest of the 2 directions"),
        (lambda c: minimal_cover(c, cosine=0.0), r"`cosine` must lie in \(0, 1\)"),
        (lambda _: condensed_directions(np.ones(3)), "`feature` must be the Features of some"),
        (lambda c: condensed_directions(c._replace(amplitude=np.zeros(2))), "2 neurons are dead"),
        (lambda c: minimal_cover(c._replace(amplitude=np.zeros(2))), "2 neurons are dead"),
        (lambda c: condensed_directions(c._replace(direction=0 * c.direction)), "weights are zero"),
        (lambda c: minimal_cover(c._replace(amplitude=np.array([1, np.nan]))), "1 of its 2"),
        (lambda c: condensed_directions(c._replace(amplitude=np.ones(3))), r"\(2, 2\) and \(3,\)"),
    ],
)
def test_directions_refuse_in_words(call, words):
    with pytest.raises(ArgumentError, match=words):
        call(PLANE)


@pytest.mark.parametrize("k", [-1000, -900, -540, 520, 900, 1015])
@pytest.mark.parametrize("d", [1, 2, 5])
def test_directions_do_not_depend_on_the_size_of_the_weights(k, d):
    plain = initial_parameters(200, d, 0, False)
    expected, found = (features(p) for p in (plain, Parameters(plain.a, np.ldexp(plain.w, k))))
    np.testing.assert_array_equal(found.direction, expected.direction)
    np.testing.assert_allclose(np.linalg.norm(found.direction, axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(np.ldexp(found.amplitude, -k), expected.amplitude, rtol=1e-10)
    first, second = condensed_directions(expected), condensed_directions(found)
    assert (second.count, second.zero) == (first.count, first.zero)
    np.testing.assert_array_equal(second.labels, first.labels)
    assert effective_neurons(found) == effective_neurons(expected)


def test_neurons_of_very_different_size_keep_their_directions():
    w = np.array([[3e-200, 4e-200], [3e200, -4e200], [0, 0], [5e-320, 0]])
    found = features(Parameters(np.array([1e200, 1e-200, 1, 1]), w))
    np.testing.assert_allclose(found.direction, [[0.6, 0.8], [0.6, -0.8], [0, 0], [1, 0]])
    np.testing.assert_allclose(found.amplitude, [5, 5, 0, 5e-320])
    assert condensed_directions(found).count == 2
