"""Kernels along a run, against kernels that are formed one by one and a run that stays lazy."""

import numpy as np
import pytest

from netphase import activations, datasets, dynamics, networks
from netphase.engine import Stop
from netphase.errors import ArgumentError
from netphase.kernels import tangent_kernel
from netphase.networks import LayerParameters
from netphase.observables import kernel_alignment, kernel_change, kernel_history
from netphase.scalings import layer_initialisation

DATA = datasets.four_points()


def trained(name, m, times=None):
    scales = layer_initialisation(name, depth=2, d=2).at_width(m)
    network = networks.MultiLayerNetwork(activations.get("tanh"), scales, 2, kind="centred")
    start = networks.initial_layer_parameters(network, seeds=(0, 1))
    task = dynamics.DeepGradientDynamics(network, DATA.x, DATA.y)
    stop = Stop(mean_square=1e-4)
    return network, dynamics.evolve(task, dynamics.Descent("stable"), start, stop=stop, times=times)


def test_its_rows_are_the_kernels_of_the_moments():
    network, run = trained("mup", 20, times=(0.5, 1.0))
    moments = (run.initial, *run.snapshots, run.final)
    history = kernel_history(network, moments, DATA.x, DATA.y)
    theta = [tangent_kernel(network, each, DATA.x).total for each in moments]
    for row, kernel in enumerate(theta):
        change = kernel_change(theta[0], kernel)
        np.testing.assert_allclose(history.relative[row], change.relative)
        np.testing.assert_allclose(history.distance[row], change.distance, atol=1e-15)
        np.testing.assert_allclose(history.alignment[row], kernel_alignment(kernel, DATA.y))
        np.testing.assert_allclose(history.eigenvalues[row].sum(-1), kernel.trace(0, 1, 2))
    expected = kernel_change(theta[1], theta[2]).relative
    np.testing.assert_allclose(history.step[2], expected)
    assert np.all(history.step[0] == 0)
    assert np.all(history.relative[0] == 0)


def test_a_lazy_kernel_stays_and_a_rich_one_turns():
    found = {}
    for name in ("ntk", "mup"):
        network, run = trained(name, 512)
        found[name] = kernel_history(network, (run.initial, run.final), DATA.x, DATA.y)
    assert np.all(found["ntk"].relative[1] < 0.1 * found["mup"].relative[1])
    assert np.all(found["ntk"].distance[1] < 0.1 * found["mup"].distance[1])
    turned = abs(np.diff(found["mup"].alignment, axis=0)[0])
    assert np.all(abs(np.diff(found["ntk"].alignment, axis=0)[0]) < 0.5 * turned)


def test_moments_that_are_not_finite_are_not_numbers():
    network, run = trained("ntk", 8)
    lost = LayerParameters(tuple(np.full_like(each, np.nan) for each in run.final.weights),
                           run.initial.centre)  # fmt: skip
    history = kernel_history(network, (run.initial, lost, run.final), DATA.x, DATA.y)
    for each in (history.relative, history.alignment, history.eigenvalues, history.step):
        assert np.isnan(each[1]).all()
    assert np.isfinite(history.relative[2]).all()
    assert np.isnan(history.step[2]).all()


def test_a_start_that_overflows_is_not_a_number_for_its_own_network_alone():
    network, run = trained("ntk", 8)
    start, final = (
        each._replace(weights=(*each.weights[:-1], each.weights[-1].copy()))
        for each in (run.initial, run.final)
    )
    start.weights[-1][0] *= 1e200
    history = kernel_history(network, (start, final), DATA.x, DATA.y)
    expected = kernel_history(network, (run.initial, run.final), DATA.x, DATA.y)
    for found, other in zip(history, expected, strict=True):
        assert np.isnan(found[0, 0]).all()
        np.testing.assert_array_equal(found[:, 1], other[:, 1])
    for each in (history.relative, history.distance, history.step):
        assert np.isnan(each[1, 0])
    np.testing.assert_array_equal(history.eigenvalues[1, 0], expected.eigenvalues[1, 0])


def test_no_moment_is_refused():
    network, _ = trained("ntk", 8)
    with pytest.raises(ArgumentError, match="`moments` must hold the start"):
        kernel_history(network, (), DATA.x, DATA.y)
