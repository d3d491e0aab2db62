"""The cosine matrix without the matrix: equal to the full one, in every form."""

import itertools

import numpy as np
import pytest

from netphase.errors import ArgumentError
from netphase.networks import Parameters, initial_parameters
from netphase.observables import (
    cosine_blocks,
    cosine_image,
    cosine_order,
    cosine_summary,
    effective_rank,
    features,
)


def _full(cloud):
    unit = cloud.direction[np.any(cloud.direction != 0, axis=1)]
    return unit @ unit.T


@pytest.mark.parametrize(("m", "d"), [(80, 3), (5, 9), (1, 4), (6, 1)])
def test_summaries_are_those_of_the_full_matrix(m, d):
    cloud = features(initial_parameters(m, d, 3, False))
    for weighted in (False, True):
        found = cosine_summary(cloud, weighted)
        p = cloud.amplitude / cloud.amplitude.sum() if weighted else np.full(m, 1 / m)
        cosines = cloud.direction @ cloud.direction.T
        values = np.linalg.eigvalsh(np.sqrt(np.outer(p, p)) * cosines)
        values = values[values > 1e-14]
        expected = (
            p @ cosines @ p,
            p @ cosines**2 @ p,
            np.exp(-np.sum(values * np.log(values))),
            values[-1],
        )
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-14)
    assert effective_rank(cloud) == pytest.approx(cosine_summary(cloud, True).effective_rank)


def test_neurons_without_a_direction_have_no_cosines():
    w = initial_parameters(20, 3, 0, False).w
    plain = features(Parameters(np.ones(20), w))
    padded = features(Parameters(np.ones(25), np.vstack([w[:7], np.zeros((5, 3)), w[7:]])))
    np.testing.assert_allclose(cosine_summary(padded), cosine_summary(plain))
    order = cosine_order(padded)
    np.testing.assert_array_equal(np.where(order < 12, order, order - 5), cosine_order(plain))
    assert len(order) == 20


def test_the_order_is_that_of_the_leading_eigenvector():
    cloud = features(initial_parameters(60, 3, 1, False))
    leading = np.linalg.eigh(_full(cloud))[1][:, -1]
    leading *= np.sign(leading.sum())
    np.testing.assert_array_equal(cosine_order(cloud), np.argsort(-leading))


def test_the_order_gathers_opposite_directions():
    w = np.array([[1.0, 0.01], [-1, 0.02], [2, 0.0], [-3, 0.01], [1, -0.01]])
    order = cosine_order(features(Parameters(np.ones(5), w)))
    assert set(order[:3]) == {0, 2, 4}


def test_blocks_make_up_the_ordered_matrix():
    cloud = features(initial_parameters(50, 4, 2, False))
    order = cosine_order(cloud)
    found = np.full((50, 50), np.nan)
    for rows, block in cosine_blocks(cloud, rows=16):
        found[rows] = block
    np.testing.assert_allclose(found, _full(cloud)[np.ix_(order, order)], atol=1e-14)
    picked = [block for _, block in cosine_blocks(cloud, order=np.array([7, 3]))]
    assert picked[0][0, 1] == pytest.approx(_full(cloud)[7, 3])


@pytest.mark.parametrize("pixels", [1, 7, 50, 400])
def test_pixels_are_averages_of_the_matrix(pixels):
    cloud = features(initial_parameters(50, 4, 2, False))
    order = cosine_order(cloud)
    full = _full(cloud)[np.ix_(order, order)]
    image = cosine_image(cloud, pixels)
    side = min(pixels, 50)
    edges = [i * 50 // side for i in range(side + 1)]
    expected = [
        [full[a:b, c:d].mean() for c, d in itertools.pairwise(edges)]
        for a, b in itertools.pairwise(edges)
    ]
    np.testing.assert_allclose(image, expected, atol=1e-14)


def test_a_wide_layer_fits_in_memory():
    import tracemalloc

    cloud = features(initial_parameters(20_000, 10, 0, False))
    tracemalloc.start()
    cosine_image(cloud)
    _rows, block = next(cosine_blocks(cloud, rows=100))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert block.shape == (100, 20_000)
    assert peak < 1e8  # the full matrix takes 3.2e9 bytes


CLOUD = features(Parameters(np.array([0.0, 0.0]), np.array([[1.0, 2.0], [0.0, 0.0]])))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda c: cosine_summary(c, weighted=True), "all 2 neurons are dead"),
        (lambda c: cosine_summary(c._replace(amplitude=np.array([np.inf, 1]))), "1 of its 2"),
        (lambda c: cosine_order(c._replace(direction=0 * c.direction)), "weights are zero"),
        (lambda c: cosine_image(c, pixels=0), "`pixels` must be a positive integer"),
        (lambda c: cosine_image(c, order=np.array([0, 1])), "1 neurons with w = 0"),
        (lambda c: cosine_image(c, order=np.array([0, 2])), "from 0 to 1"),
        (lambda c: cosine_image(c, order=np.array([0.5])), "must be a list of indices"),
        (lambda c: next(cosine_blocks(c, rows=-1)), "`rows` must be a positive integer"),
    ],
)
def test_cosines_refuse_in_words(call, words):
    with pytest.raises(ArgumentError, match=words):
        call(CLOUD)


def test_one_line_of_neurons_stays_within_the_bounds():
    """Rounding may not carry what is 1 beyond it."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        m, d = rng.integers(1, 50), rng.integers(1, 8)
        w = np.outer(rng.uniform(0.1, 3, m), rng.standard_normal(d))
        cloud = features(Parameters(rng.standard_normal(m), w))
        for weighted in (False, True):
            found = cosine_summary(cloud, weighted)
            at_most = (found.mean_cosine, found.mean_square_cosine, found.leading_share)
            assert all(1 - 1e-12 < each <= 1 for each in at_most)
            assert 1 <= found.effective_rank < 1 + 1e-12
        assert 1 <= effective_rank(cloud) < 1 + 1e-12
