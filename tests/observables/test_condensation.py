"""Condensation: the reference values of a structureless cloud, of one direction, and in between."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netphase import observables
from netphase.errors import ArgumentError
from netphase.networks import Parameters, initial_parameters
from netphase.observables import (
    direction_clusters,
    effective_neurons,
    effective_rank,
    entropy_number,
    features,
    participation_ratio,
)

MEASURES = (entropy_number, participation_ratio, effective_rank)


def _cloud(angles, amplitudes=1.0):
    angles = np.asarray(angles, dtype=float)
    w = np.column_stack([np.cos(angles), np.sin(angles)])
    return features(Parameters(np.broadcast_to(amplitudes, angles.shape), w))


def test_features_by_hand():
    found = features(Parameters(np.array([-2.0, 1.0, 5.0]), np.array([[3, 4], [-1, 0], [0, 0]])))
    np.testing.assert_allclose(found.direction, [[0.6, 0.8], [-1, 0], [0, 0]])
    np.testing.assert_allclose(found.amplitude, [10, 1, 0])
    np.testing.assert_allclose(found.angle, [math.atan2(4, 3), -math.pi, 0])
    assert features(initial_parameters(4, 3)).angle is None


def test_only_tracked_neurons_have_features():
    parameters = initial_parameters(30, 2, seed=1)
    assert len(features(parameters, tracked=30).amplitude) == 30
    assert np.array_equal(
        features(parameters, 30).angle, features(initial_parameters(30, 2, 1, False)).angle
    )


def test_reference_values_at_initialisation():
    """At m = 1000, d = 2: clusters 16, exp-entropy 114, participation 104, effective rank 2.00."""
    clouds = [features(initial_parameters(1000, 2, seed, False)) for seed in range(16)]
    clusters = np.array([direction_clusters(cloud) for cloud in clouds])
    assert abs(clusters.mean() - 15.5) < 1
    assert clusters.max() - clusters.min() <= 5
    for measure, expected, tolerance in zip(MEASURES, (114, 104, 2.0), (2, 3, 0.01), strict=True):
        values = np.array([measure(cloud) for cloud in clouds])
        error = values.std() / 4
        assert abs(values.mean() - expected) < 4 * error + tolerance / 2
    assert {effective_neurons(cloud) for cloud in clouds} == {10}


def test_two_condensed_directions_give_two():
    """The spikes of the paper's Fig. 2(f), at −2.977 and −0.165."""
    angles = np.concatenate([np.full(44, -2.977), np.full(34, -0.165)])
    cloud = _cloud(angles)
    assert direction_clusters(cloud) == effective_neurons(cloud) == 2
    share = np.array([44, 34]) / 78
    assert entropy_number(cloud) == pytest.approx(np.exp(-np.sum(share * np.log(share))))
    assert participation_ratio(cloud) == pytest.approx(1 / np.sum(share**2))
    assert 1 < effective_rank(cloud) < 1.2


def test_inactive_neurons_do_not_count():
    rng = np.random.default_rng(0)
    angles = np.concatenate([[0.3, 2.0], rng.uniform(-np.pi, np.pi, 500)])
    amplitudes = np.concatenate([[1.0, 0.8], np.full(500, 0.049)])
    assert direction_clusters(_cloud(angles, amplitudes)) == 2
    assert effective_neurons(_cloud(angles, amplitudes)) == 2
    assert direction_clusters(_cloud(angles, amplitudes), threshold=0.04) > 10


def test_clusters_are_counted_in_any_dimension():
    for d in (1, 2, 3, 20):
        w = np.repeat(np.vstack([np.eye(d), -np.eye(d)]), 7, axis=0)
        cloud = features(Parameters(np.ones(len(w)), w))
        assert direction_clusters(cloud) == effective_neurons(cloud) == 2 * d
        assert effective_rank(cloud) == pytest.approx(d)


def _plain_greedy(cloud, cosine, threshold):
    kept = cloud.amplitude > threshold * cloud.amplitude.max()
    order = np.argsort(-cloud.amplitude, kind="stable")
    centres = []
    for k in order[kept[order]]:
        if all(cloud.direction[k] @ cloud.direction[c] <= cosine for c in centres):
            centres.append(k)
    return len(centres)


@given(st.integers(0, 1000), st.integers(1, 400), st.integers(2, 4), st.floats(-0.5, 0.99))
def test_blocks_do_not_change_the_greedy_count(seed, m, d, cosine):
    cloud = features(initial_parameters(m, d, seed, False))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(observables.greedy, "_BLOCK", 5)
        patch.setattr(observables.greedy, "_CHUNK", 7)
        found = direction_clusters(cloud, cosine, 0.1)
    assert found == _plain_greedy(cloud, cosine, 0.1)


def _smallest_cover(angles, length):
    """The fewest open arcs that cover, by trying all sets of arcs that begin at a neuron."""
    covers = [((angles - start) % (2 * np.pi)) < length for start in angles]
    for count in range(1, len(angles) + 1):
        for chosen in itertools.combinations(covers, count):
            if np.all(np.any(chosen, axis=0)):
                return count
    raise AssertionError


@given(
    st.lists(st.floats(-3.1, 3.1).map(lambda z: round(z, 3)), min_size=1, max_size=7),
    st.floats(0.05, 0.98),
)
def test_the_cover_of_the_circle_is_the_smallest(angles, cosine):
    angles = np.array(angles)
    found = effective_neurons(_cloud(angles), cosine, 0.0)
    assert found == _smallest_cover(angles, 2 * np.arccos(cosine))
    assert found <= direction_clusters(_cloud(angles), cosine, 0.0)


@given(st.floats(-3, 3), st.integers(0, 50))
def test_turning_and_permuting_the_cloud_changes_no_count(turn, seed):
    rng = np.random.default_rng(seed)
    angles, amplitudes = rng.uniform(-np.pi, np.pi, 60), rng.random(60)
    one = _cloud(angles, amplitudes)
    order = rng.permutation(60)
    other = _cloud(angles[order] + turn, amplitudes[order])
    assert direction_clusters(one) == direction_clusters(other)
    assert effective_neurons(one) == effective_neurons(other)
    assert effective_rank(one) == pytest.approx(effective_rank(other))


def test_a_common_factor_changes_nothing():
    parameters = initial_parameters(200, 3, seed=2)
    scaled = features(Parameters(1e-6 * parameters.a, 1e3 * parameters.w))
    plain = features(parameters)
    assert direction_clusters(scaled) == direction_clusters(plain)
    for measure in MEASURES:
        assert measure(scaled) == pytest.approx(measure(plain), rel=1e-9)


def test_projections_stand_in_for_the_angle_in_higher_dimension():
    d = 4
    w = np.vstack([np.ones((5, d)), -np.ones((5, d))])
    cloud = features(Parameters(np.ones(10), w))
    assert entropy_number(cloud) == pytest.approx(2)
    assert participation_ratio(cloud) == pytest.approx(2)


def test_effective_rank_is_the_same_from_both_sides():
    cloud = features(initial_parameters(6, 6, seed=0, antisymmetric=False))
    padded = cloud._replace(direction=np.hstack([cloud.direction, np.zeros((6, 9))]))
    assert effective_rank(padded) == pytest.approx(effective_rank(cloud))


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf, 1e308])
def test_dead_and_diverged_networks_give_values_not_errors(bad):
    w = np.array([[1.0, 2.0], [bad, bad]])
    cloud = features(Parameters(np.array([0.0, bad]), w))
    assert direction_clusters(cloud) == effective_neurons(cloud) == 0
    assert all(np.isnan(measure(cloud)) for measure in MEASURES)


def test_a_million_neurons_take_seconds():
    cloud = features(initial_parameters(1_000_000, 2, antisymmetric=False))
    assert 12 <= direction_clusters(cloud) <= 18
    assert effective_neurons(cloud) == 10
    assert participation_ratio(cloud) == pytest.approx(128, rel=0.01)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda c: direction_clusters(c, cosine=1.0), r"`cosine` must lie in \(-1, 1\)"),
        (lambda c: effective_neurons(c, cosine=-0.1), r"`cosine` must lie in \(0, 1\)"),
        (lambda c: direction_clusters(c, threshold=1.0), r"`threshold` must lie in \[0, 1\)"),
        (lambda c: entropy_number(c, bins=0), "`bins` must be a positive integer"),
    ],
)
def test_measures_refuse_bad_arguments_in_words(call, words):
    with pytest.raises(ArgumentError, match=words):
        call(_cloud([0.0, 1.0]))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: features(None), "`parameters` must be the Parameters of a network"),
        (lambda: features(initial_parameters(4, 2), 9), "the number of neurons, 8, but is 9"),
        (lambda: features(Parameters(np.ones(2), np.ones(2))), r"have \(2,\) and \(2,\)"),
        (lambda: effective_neurons(None), "`feature` must be the Features of some neurons"),
        (lambda: direction_clusters(None), "`feature` must be the Features of some neurons"),
        (lambda: entropy_number(None), "`feature` must be the Features of some neurons"),
        (lambda: participation_ratio(None), "`feature` must be the Features of some neurons"),
        (lambda: effective_rank(None), "`feature` must be the Features of some neurons"),
    ],
)
def test_what_is_no_network_is_refused_in_words(call, words):
    with pytest.raises(ArgumentError, match=words):
        call()
