"""Alignment with a direction: by hand, at random, and where there is no direction."""

import numpy as np
import pytest

from netphase.errors import ArgumentError
from netphase.networks import Parameters, initial_parameters
from netphase.observables import (
    alignment_histogram,
    alignment_ratio,
    cosines_with,
    features,
    label_mean,
)


@pytest.mark.parametrize("size", [1e-200, 1.0, 1e200])
def test_alignment_ratio_by_hand_at_any_size(size):
    w = size * np.array([[3.0, 4.0], [0.0, 12.0], [1e3, 1e3]])
    found = alignment_ratio(Parameters(np.ones(3), w), np.array([0.0, 7.0]), tracked=2)
    assert found == pytest.approx(np.sqrt((16 + 144) / 169), rel=1e-12)


def test_random_weights_have_one_over_d():
    d, m = 7, 20_000
    squares = [
        alignment_ratio(initial_parameters(m, d, seed, False), np.arange(1.0, d + 1)) ** 2
        for seed in range(8)
    ]
    error = np.sqrt(2 * (d - 1) / (d**2 * (d + 2)) / m)  # std of the mean of cos² (weights differ)
    assert abs(np.mean(squares) - 1 / d) < 4 * error
    assert np.std(squares) < 3 * error * np.sqrt(1 + 2 / d)


def test_alignment_is_one_on_a_line_and_nan_after_overflow():
    w = np.outer([1.0, -2.0, 0.0], [0.3, -0.4, 1.0])
    assert alignment_ratio(Parameters(np.ones(3), w), w[0]) == pytest.approx(1, abs=1e-15)
    w[1, 1] = np.inf
    assert np.isnan(alignment_ratio(Parameters(np.ones(3), w), w[0]))


def test_cosines_with_a_direction():
    cloud = features(Parameters(np.ones(4), np.array([[2.0, 0], [0, 1], [-1, -1], [0, 0]])))
    expected = [1 / np.sqrt(2), 1 / np.sqrt(2), -1, np.nan]
    np.testing.assert_allclose(cosines_with(cloud, np.array([1e-3, 1e-3])), expected)


def test_histogram_leaves_out_neurons_without_a_direction():
    w = np.array([[1.0, 0], [-1, 0], [0, 1], [0, 0]])
    cloud = features(Parameters(np.array([1.0, 1.0, 2.0, 9.0]), w))
    shares, edges = alignment_histogram(cloud, np.array([1.0, 0.0]), bins=5)
    np.testing.assert_allclose(shares, [1 / 3, 0, 1 / 3, 0, 1 / 3])
    np.testing.assert_allclose(edges, [-1, -0.6, -0.2, 0.2, 0.6, 1])
    shares, _ = alignment_histogram(cloud, np.array([1.0, 0.0]), bins=5, weighted=True)
    np.testing.assert_allclose(shares, [0.25, 0, 0.5, 0, 0.25])


def test_label_mean_is_the_gradient_at_the_origin():
    rng = np.random.default_rng(0)
    x, y, v = rng.normal(size=(9, 4)), rng.normal(size=9), rng.normal(size=4)

    def correlation(w):  # −R up to a constant, for one linear neuron with a = 1, to first order
        return np.mean(y * (x @ w))

    slope = (correlation(1e-6 * v) - correlation(-1e-6 * v)) / 2e-6
    assert label_mean(x, y) @ v == pytest.approx(slope)


@pytest.mark.parametrize("k", [-510, -350, 350, 500])
def test_label_mean_of_data_of_any_size(k):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(9, 4)), rng.normal(size=9)
    expected = label_mean(x, y)
    np.testing.assert_array_equal(label_mean(np.ldexp(x, k), np.ldexp(y, -2 * k)), expected / 2**k)
    both = label_mean(np.ldexp(x, k), np.ldexp(y, k))
    np.testing.assert_array_equal(both, np.ldexp(expected, 2 * k))
    with pytest.raises(ArgumentError, match="balanced odd data"):
        label_mean(np.ldexp(ODD, k), np.ldexp([0.3, 0.3, 0.1, 0.1], k))


@pytest.mark.parametrize("k", [-700, 700])
def test_a_label_mean_beyond_doubles_is_refused(k):
    with pytest.raises(ArgumentError, match=rf"about 2\^{2 * k + 2} in size, outside"):
        label_mean(np.ldexp(np.ones((2, 2)), k), np.ldexp(np.ones(2), k))


ODD = np.array([[1.0, 0.1], [-1.0, -0.1], [0.7, 2.0], [-0.7, -2.0]])
PLAIN = Parameters(np.ones(2), np.eye(2))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: label_mean(ODD, np.array([0.3, 0.3, 0.1, 0.1])), "p = 1 condensation has no"),
        (lambda: label_mean(ODD, np.zeros(4)), "p = 1 condensation has no direction"),
        (lambda: label_mean(ODD, np.ones(3)), "equally many samples, but hold 4 and 3"),
        (lambda: label_mean(ODD, np.array([1, 1, 1, np.nan])), "`y` must be finite"),
        (lambda: alignment_ratio(None, np.ones(2)), "must be the Parameters of a network"),
        (lambda: alignment_ratio(PLAIN, np.ones(2), 3), "the number of neurons, 2, but is 3"),
        (
            lambda: alignment_ratio(Parameters(np.ones(3), np.eye(2)), np.ones(2)),
            r"shape \(m,\) and w of shape \(m, d\), but they have \(3,\) and \(2, 2\)",
        ),
        (lambda: alignment_ratio(PLAIN, np.zeros(2)), "`direction` must not be zero"),
        (lambda: alignment_ratio(PLAIN, np.ones(3)), "one entry per input of a neuron, 2, but"),
        (lambda: alignment_ratio(PLAIN, np.array([np.nan, 1])), "`direction` must be finite"),
        (
            lambda: alignment_ratio(Parameters(np.ones(2), np.zeros((2, 2))), np.ones(2)),
            "input weight that is not zero",
        ),
        (
            lambda: cosines_with(features(Parameters(np.ones(1), np.zeros((1, 2)))), np.ones(2)),
            "all its input weights are zero",
        ),
        (
            lambda: cosines_with(
                features(Parameters(np.array([np.nan, 1]), np.eye(2))), np.ones(2)
            ),
            "1 of its 2 neurons are not",
        ),
        (
            lambda: alignment_histogram(
                features(Parameters(np.zeros(2), np.eye(2))), np.ones(2), weighted=True
            ),
            "all 2 neurons are dead",
        ),
        (lambda: alignment_histogram(features(PLAIN), np.ones(2), bins=0), "`bins` must be"),
    ],
)
def test_alignment_refuses_in_words(call, words):
    with pytest.raises(ArgumentError, match=words):
        call()
