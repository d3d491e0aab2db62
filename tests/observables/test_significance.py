"""The chance level: closed forms, exactly uniform p-values, and clouds that are condensed."""

import numpy as np
import pytest

from netphase.errors import ArgumentError
from netphase.networks import Parameters, initial_parameters
from netphase.observables import against_chance, features

STATISTICS = [
    "mean_square_cosine",
    "effective_rank",
    "entropy_number",
    "participation_ratio",
    "effective_number",
    "clusters",
    "lines",
    "cover",
]


def _spherical(seed, m=40, d=3):
    """Random directions with heavy-tailed amplitudes, from another generator than the null's."""
    rng = np.random.default_rng([seed, 77])
    w = rng.standard_normal((m, d))
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    return features(Parameters(np.random.default_rng(5).exponential(size=m) ** 2, w))


@pytest.mark.parametrize("d", [2, 3, 8])
def test_null_of_the_weighted_mean_square_cosine_has_its_closed_form(d):
    cloud = _spherical(0, d=d)
    draws = 4000
    found = against_chance(cloud, draws=draws, threshold=0.0)
    p = cloud.amplitude / cloud.amplitude.sum()
    squares, fourth = np.sum(p**2), np.sum(p**4)
    mean = squares + (1 - squares) / d
    variance = 2 * (squares**2 - fourth) * 2 * (d - 1) / (d**2 * (d + 2))
    assert abs(found.null_mean - mean) < 4 * np.sqrt(variance / draws)
    assert found.null_std == pytest.approx(np.sqrt(variance), rel=0.12)
    observed = p @ (cloud.direction @ cloud.direction.T) ** 2 @ p
    assert found.observed == pytest.approx(observed)
    assert found.z == pytest.approx((observed - found.null_mean) / found.null_std)


@pytest.mark.slow
@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("statistic", STATISTICS)
def test_p_is_uniform_without_condensation(statistic, d):
    from scipy.stats import kstest

    values = [against_chance(_spherical(k, d=d), statistic, 19, k).p for k in range(300)]
    assert kstest(values, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("statistic", ["mean_square_cosine", "lines"])
def test_p_is_uniform_for_gaussian_networks(statistic):
    """Weights as networks start with them, amplitudes different every time."""
    from scipy.stats import kstest

    values = [
        against_chance(features(initial_parameters(30, 4, k, False)), statistic, 19, 1000 + k).p
        for k in range(200)
    ]
    assert kstest(values, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize("d", [2, 5])
def test_condensed_clouds_are_far_from_chance(statistic, d):
    rng = np.random.default_rng(1)
    w = np.vstack([np.eye(d)[0], -np.eye(d)[0]])[rng.integers(0, 2, 300)]
    w = w + 0.01 * rng.standard_normal(w.shape)
    found = against_chance(features(Parameters(np.ones(300), w)), statistic, 99)
    assert found.p < 0.01
    assert found.z > 5 or (statistic == "cover" and found.null_std == 0)  # always 10 in d = 2
    assert found.draws == 99


def test_spread_out_clouds_are_on_the_other_side():
    angles = 2 * np.pi * np.arange(100) / 100
    cloud = features(Parameters(np.ones(100), np.column_stack([np.cos(angles), np.sin(angles)])))
    found = against_chance(cloud, "participation_ratio")
    assert found.p > 0.99
    assert found.z < -5


def test_inactive_neurons_change_nothing():
    cloud = _spherical(3)
    w = np.vstack([cloud.direction, np.tile(cloud.direction[:1], (500, 1))])
    padded = features(Parameters(np.concatenate([cloud.amplitude, np.full(500, 1e-9)]), w))
    for statistic in STATISTICS:
        assert against_chance(padded, statistic, 9) == against_chance(cloud, statistic, 9)


def test_seeds_repeat_and_differ():
    cloud = _spherical(4)
    assert against_chance(cloud, seed=1) == against_chance(cloud, seed=1)
    assert against_chance(cloud, seed=1).null_mean != against_chance(cloud, seed=2).null_mean


def test_one_dimension_and_one_neuron_cannot_be_told_from_chance():
    line = features(Parameters(np.ones(6), np.ones((6, 1))))
    one = features(Parameters(np.ones(1), np.ones((1, 3))))
    for cloud in (line, one):
        found = against_chance(cloud, draws=19)
        assert np.isnan(found.z)
        assert found.null_std == 0
        assert 0 < found.p <= 1
    assert against_chance(line, "clusters").null_mean > 1.9


DEAD = features(Parameters(np.zeros(3), np.eye(3)))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: against_chance(DEAD), "all 3 neurons are dead"),
        (lambda: against_chance(_spherical(0), "rank"), "`statistic` must be one of"),
        (lambda: against_chance(_spherical(0), draws=0), "`draws` must be a positive integer"),
        (lambda: against_chance(_spherical(0), seed=1.5), "`seed` must be an integer"),
        (lambda: against_chance(_spherical(0), threshold=1), r"`threshold` must lie in \[0, 1\)"),
    ],
)
def test_chance_refuses_in_words(call, words):
    with pytest.raises(ArgumentError, match=words):
        call()
