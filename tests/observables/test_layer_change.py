"""Relative changes of layers against full singular value decompositions."""

import numpy as np
import pytest

from netphase.errors import ArgumentError
from netphase.networks import LayerParameters
from netphase.observables import layer_change, operator_norm

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (30, 40), (150, 150), (60, 400), (400, 60)])
def test_the_operator_norm_is_the_largest_singular_value(shape):
    matrix = RANDOM.standard_normal(shape)
    exact = np.linalg.svd(matrix, compute_uv=False)[0]
    assert operator_norm(matrix) == pytest.approx(exact, rel=1e-6)
    assert operator_norm(1e-200 * matrix) == pytest.approx(1e-200 * exact, rel=1e-6)


def test_low_rank_and_zero_matrices_are_no_trouble():
    rank_one = np.outer(RANDOM.standard_normal(200), RANDOM.standard_normal(100))
    assert operator_norm(rank_one) == pytest.approx(np.linalg.norm(rank_one), rel=1e-12)
    assert operator_norm(np.zeros((100, 100))) == 0.0
    assert operator_norm(np.eye(100)) == pytest.approx(1.0, rel=1e-12)


def test_a_change_of_low_rank_hides_from_the_frobenius_norm():
    before = RANDOM.standard_normal((2, 1, 300, 300))
    bump = np.outer(np.ones(300), np.ones(300)) / 10
    change = layer_change(LayerParameters((before,)), LayerParameters((before + bump,)))
    for e in range(2):
        exact = 30.0 / np.linalg.norm(before[e, 0], 2)
        assert change.operator[e, 0] == pytest.approx(exact, rel=1e-5)
        assert change.frobenius[e, 0] == pytest.approx(30 / np.linalg.norm(before[e, 0]), rel=1e-12)
    assert np.all(change.operator > 7 * change.frobenius)


def test_the_first_copy_counts_and_precision_does_not():
    before = RANDOM.standard_normal((1, 2, 4, 3)).astype(np.float32)
    after = before.copy()
    after[:, 1] += 1.0
    change = layer_change(LayerParameters((before,)), LayerParameters((after,)))
    assert change.operator.tolist() == change.frobenius.tolist() == [[0.0]]


def test_what_is_not_finite_is_told_and_what_does_not_fit_refused():
    before = RANDOM.standard_normal((2, 1, 4, 3))
    after = before.copy()
    after[1, 0, 0, 0] = np.nan
    change = layer_change(LayerParameters((before,)), LayerParameters((after,)))
    assert change.operator[0, 0] == 0.0
    assert np.isnan(change.operator[1, 0])
    assert np.isnan(change.frobenius[1, 0])
    with pytest.raises(ArgumentError, match="`current` must be LayerParameters"):
        layer_change(LayerParameters((before,)), (after,))
    with pytest.raises(ArgumentError, match="must have equal shapes"):
        layer_change(LayerParameters((before,)), LayerParameters((after[:, :, :2],)))
    with pytest.raises(ArgumentError, match="must not be zero in layer 1"):
        layer_change(LayerParameters((0 * before,)), LayerParameters((after,)))
    with pytest.raises(ArgumentError, match="`matrix` must be finite"):
        operator_norm(after[1, 0])
