"""Changes and alignment of kernels against their definitions and invariances."""

import numpy as np
import pytest

from netphase import activations, networks
from netphase.errors import ArgumentError
from netphase.kernels import tangent_kernel
from netphase.observables import kernel_alignment, kernel_change
from netphase.scalings import layer_initialisation

RANDOM = np.random.default_rng(0)


def kernels(*shape):
    """Positive kernels of rank n, shape (…, n, n)."""
    roots = RANDOM.standard_normal(shape)
    return roots @ roots.swapaxes(-1, -2)


def test_changes_are_those_of_the_definition_for_one_kernel_and_for_stacks():
    before, after = kernels(3, 2, 5, 5), kernels(3, 2, 5, 5)
    change = kernel_change(before, after)
    assert change.relative.shape == change.distance.shape == (3, 2)
    one, other = before[2, 1], after[2, 1]
    size, end = np.linalg.norm(one), np.linalg.norm(other)
    cosine = np.trace(one @ other) / (size * end)
    for found in (change.relative[2, 1], kernel_change(one, other).relative):
        assert found == pytest.approx(np.linalg.norm(other - one) / size, rel=1e-13)
    for found in (change.distance[2, 1], kernel_change(one, other).distance):
        assert found == pytest.approx(1 - cosine, rel=1e-12)


def test_small_turns_keep_their_digits_and_sizes_do_not_matter():
    angle = 1e-7  # 1 − cos would be lost below 1e-14 by subtraction
    one, other = np.diag([1.0, 0.0]), np.diag([np.cos(angle), np.sin(angle)])
    expected = 2 * np.sin(angle / 2) ** 2
    for size in (1.0, 1e-200, 1e200):
        change = kernel_change(size * one, 3 * size * other)
        assert change.distance == pytest.approx(expected, rel=1e-7)
        assert change.relative == pytest.approx(2.0, rel=1e-6)
    grown = kernel_change(one, 7 * one)
    assert grown.distance == 0.0
    assert grown.relative == pytest.approx(6.0, rel=1e-14)


def test_what_cannot_be_compared_is_nan_in_its_own_place():
    before = kernels(4, 4, 4)
    after = before.copy()
    after[1, 0, 0], after[3, 0, 0] = np.nan, np.inf
    before[2] = 0.0
    change = kernel_change(before, after)
    assert change.relative[0] == change.distance[0] == 0.0
    assert np.isnan(change.relative[1:]).all()
    assert np.isnan(change.distance[1:]).all()


@pytest.mark.parametrize("centred", [False, True])
def test_alignment_is_one_with_the_labels_own_kernel_and_turns_with_the_data(centred):
    y = RANDOM.standard_normal(6)
    assert kernel_alignment(np.outer(y, y), y, centred) == pytest.approx(1.0, rel=1e-13)
    theta = kernels(4, 6, 6)
    order = RANDOM.permutation(6)
    expected = kernel_alignment(theta, y, centred)
    moved = kernel_alignment(3e180 * theta[:, order][:, :, order], -1e-180 * y[order], centred)
    np.testing.assert_allclose(moved, expected, rtol=1e-12)
    assert np.all((expected > 0) & (expected < 1))


def test_alignment_is_that_of_the_definition():
    theta, y = kernels(6, 6), RANDOM.standard_normal(6)
    value = y @ theta @ y / (np.linalg.norm(theta) * (y @ y))
    assert kernel_alignment(theta, y) == pytest.approx(value, rel=1e-13)
    h = np.eye(6) - 1 / 6
    flat, mean_free = h @ theta @ h, h @ y
    value = mean_free @ flat @ mean_free / (np.linalg.norm(flat) * (mean_free @ mean_free))
    assert kernel_alignment(theta, y, centred=True) == pytest.approx(value, rel=1e-12)
    shifted = kernel_alignment(theta, y + 5.0, centred=True)
    assert shifted == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("centred", [False, True])
def test_several_outputs_with_a_kernel_of_samples_and_one_of_both(centred):
    theta, y = kernels(5, 5), RANDOM.standard_normal((5, 3))
    h = np.eye(5) - centred / 5
    flat, labels = h @ theta @ h, (h @ y) @ (h @ y).T
    value = np.sum(flat * labels) / (np.linalg.norm(flat) * np.linalg.norm(labels))
    assert kernel_alignment(theta, y, centred) == pytest.approx(value, rel=1e-12)
    both = kernels(15, 15)
    wide = np.kron(h, np.eye(3))
    flat, labels = wide @ both @ wide, (h @ y).ravel()
    value = labels @ flat @ labels / (np.linalg.norm(flat) * (labels @ labels))
    assert kernel_alignment(both, y, centred) == pytest.approx(value, rel=1e-12)


def test_tangent_kernels_are_taken_as_their_total():
    scales = layer_initialisation("ntk", 2, d=2).at_width(10)
    network = networks.MultiLayerNetwork(activations.get("tanh"), scales, 2, outputs=2)
    x, y = RANDOM.standard_normal((3, 2)), RANDOM.standard_normal((3, 2))
    first, last = (
        tangent_kernel(network, networks.initial_layer_parameters(network, (s, s + 1)), x)
        for s in (0, 2)
    )
    pair = kernel_change(first, last), kernel_change(first.total, last.total)
    for found, expected in zip(*pair, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert kernel_change(first, last).relative.shape == (2,)
    np.testing.assert_array_equal(kernel_alignment(first, y), kernel_alignment(first.total, y))


def test_what_does_not_fit_is_refused():
    theta, y = kernels(4, 4), np.ones(4)
    with pytest.raises(ArgumentError, match="must have equal shapes"):
        kernel_change(theta, kernels(3, 3))
    with pytest.raises(ArgumentError, match="`before` must be TangentKernels or an array"):
        kernel_change("theta", theta)
    with pytest.raises(ArgumentError, match="`before` must be finite"):
        kernel_change(np.nan * theta, theta)
    with pytest.raises(ArgumentError, match=r"`after` must have the shape \(…, n, n\)"):
        kernel_change(theta, y)
    with pytest.raises(ArgumentError, match="`kernel` must be 3 × 3"):
        kernel_alignment(theta, np.ones(3))
    with pytest.raises(ArgumentError, match="`y` must not be zero"):
        kernel_alignment(theta, 0 * y)
    with pytest.raises(ArgumentError, match="the same for all samples"):
        kernel_alignment(theta, y, centred=True)
    with pytest.raises(ArgumentError, match="`y` must have 1 axis"):
        kernel_alignment(theta, 1.0)
