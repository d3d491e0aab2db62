"""Mini-batch descent of deep networks: its batches, mean, ends, and the loss it records."""

import numpy as np
import pytest

import netphase as nph
from netphase import activations, datasets, networks
from netphase.dynamics import (
    DeepGradientDynamics,
    Descent,
    GradientDynamics,
    LinearizedDynamics,
    StochasticDescent,
)
from netphase.engine import Stop
from netphase.engine.deep_sgd import batches
from netphase.errors import ArgumentError
from netphase.networks import LayerParameters
from netphase.scalings import ScalingLaw, layer_initialisation

N = 10


def case(scalings=("he", "ntk"), seeds=(0, 1), kind="antisymmetric", dtype="float64"):
    """Dynamics on ten random points, and a start."""
    draw = np.random.default_rng(0)
    x = np.column_stack([draw.normal(size=N), np.ones(N)])
    scales = tuple(layer_initialisation(each, 2, d=2).at_width(12) for each in scalings)
    network = networks.MultiLayerNetwork(activations.get("tanh"), scales, 2, kind=kind)
    start = networks.initial_layer_parameters(network, seeds, dtype=dtype)
    return DeepGradientDynamics(network, x, np.sin(2 * x[:, 0])), start


@pytest.mark.parametrize("kind", ["antisymmetric", "centred", "plain"])
def test_one_batch_of_all_samples_is_full_descent(kind):
    task, start = case(kind=kind)
    stop = Stop(max_steps=60, mean_square=0.0)
    exact = nph.evolve(task, Descent(0.1), start, stop=stop)
    run = nph.evolve(task, StochasticDescent(0.1, N), start, stop=stop)
    assert run.steps.tolist() == [60] * 4
    np.testing.assert_array_equal(run.time[-1], exact.time[-1])
    np.testing.assert_allclose(run.mean_square[-1], exact.mean_square[-1], rtol=1e-12)
    for mine, theirs in zip(run.final.weights, exact.final.weights, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-13)


def test_an_epoch_takes_samples_once_and_leaves_out_what_fits_no_batch():
    stream = batches(np.random.default_rng(1), N, 3)
    left = np.zeros(N, int)
    for _ in range(600):
        epoch = [next(stream) for _ in range(3)]
        assert [last for _, last in epoch] == [False, False, True]
        samples = np.concatenate([chosen for chosen, _ in epoch])
        assert len(set(samples.tolist())) == 9
        left[np.setdiff1d(np.arange(N), samples)] += 1
    spread = np.sqrt(600 * 0.1 * 0.9)
    assert np.all(abs(left - 60) < 4.5 * spread)


@pytest.mark.parametrize("kind", ["plain", "centred"])
def test_the_mean_of_a_step_is_the_step_of_the_full_gradient(kind):
    task, start = case(("mup",), (0,), kind)
    stop = Stop(max_steps=4, mean_square=0.0)  # the fourth step is of the second epoch
    exact = nph.evolve(task, Descent(1e-6), start, stop=stop).final
    draw = np.random.default_rng(2)
    probes = [draw.normal(size=(5, each.size)) for each in start.weights]
    found = []
    for seed in range(150):
        run = nph.evolve(task, StochasticDescent(1e-6, 3, seed), start, stop=stop).final
        off = [a - b for a, b in zip(run.weights, exact.weights, strict=True)]
        found.append([p @ each.ravel() for p, each in zip(probes, off, strict=True)])
    values = np.array(found).reshape(150, -1)
    error = values.std(axis=0) / np.sqrt(150)
    assert np.all(error > 0)
    assert np.all(abs(values.mean(axis=0)) < 4 * error)


def test_runs_are_reproducible_and_do_not_depend_on_their_neighbours():
    task, start = case(("he", "xavier"))
    method, stop = StochasticDescent(0.2, 4, seed=5), Stop(mean_square=0.02, max_steps=300)
    times = (0.0, 1.0, 3.5)
    together = nph.evolve(task, method, start, stop=stop, times=times)
    again = nph.evolve(task, method, start, stop=stop, times=times)
    other = nph.evolve(task, StochasticDescent(0.2, 4, seed=6), start, stop=stop)
    np.testing.assert_array_equal(together.final.weights[1], again.final.weights[1])
    assert not np.array_equal(together.final.weights[1], other.final.weights[1])
    for e, scales in enumerate(task.network.members(4)):
        network = networks.MultiLayerNetwork(task.network.activation, scales, 2)
        one = LayerParameters(tuple(each[e : e + 1] for each in start.weights))
        dynamics = DeepGradientDynamics(network, task.x, task.y)
        alone = nph.evolve(dynamics, method, one, stop=stop, times=times)
        assert (alone.status[0], alone.steps[0]) == (together.status[e], together.steps[e])
        np.testing.assert_array_equal(alone.final.weights[1][0], together.final.weights[1][e])
        for mine, theirs in zip(alone.snapshots, together.snapshots, strict=True):
            np.testing.assert_array_equal(mine.weights[1][0], theirs.weights[1][e])


def test_the_recorded_loss_is_that_of_all_data_and_ends_runs():
    task, start = case()
    run = nph.evolve(task, StochasticDescent(0.2, 2), start, stop=Stop(mean_square=0.02))
    assert set(run.status) == {nph.Status.CONVERGED}
    assert np.all(run.mean_square[-1] <= 0.02)
    np.testing.assert_allclose(run.loss[-1], task.loss(run.final), rtol=1e-12)
    np.testing.assert_allclose(run.time[-1], 0.2 * run.steps, rtol=1e-12)
    np.testing.assert_allclose(run.notes["epochs"], run.steps * 2 / N, rtol=1e-12)
    before = nph.evolve(task, StochasticDescent(0.2, 2), start, stop=Stop(0.0, max_steps=7))
    assert before.steps.tolist() == [7] * 4
    np.testing.assert_allclose(before.loss[-1], task.loss(before.final), rtol=1e-12)
    timed = nph.evolve(task, StochasticDescent(0.2, 2), start, stop=Stop(0.0, time=0.5))
    assert timed.time[-1].tolist() == [0.5] * 4
    assert timed.steps.tolist() == [3] * 4
    assert set(timed.status) == {nph.Status.TIME_REACHED}


def test_steps_that_are_too_long_end_as_diverged_or_not_finite():
    task, start = case(kind="plain")
    growing = networks.MultiLayerNetwork(
        activations.get("x_tanh"), task.network.scales, 2, kind="plain"
    )
    dynamics = DeepGradientDynamics(growing, task.x, task.y)
    run = nph.evolve(dynamics, StochasticDescent(100.0, 2), start)
    assert set(run.status) <= {nph.Status.DIVERGED, nph.Status.NON_FINITE}


def test_float32_stays_float32():
    task, start = case(dtype="float32")
    run = nph.evolve(task, StochasticDescent(0.1, 5), start, stop=Stop(max_steps=20))
    assert run.final.weights[0].dtype == np.float32


def test_wrong_arguments_are_refused_in_a_sentence():
    task, start = case()
    with pytest.raises(ArgumentError, match="`batch` must be at most the number of samples, 10"):
        nph.evolve(task, StochasticDescent(0.1, 11), start)
    for wrong in ({"learning_rate": 0.0, "batch": 1}, {"learning_rate": 1.0, "batch": 0}):
        with pytest.raises(ArgumentError, match="must be a positive"):
            StochasticDescent(**wrong)
    with pytest.raises(ArgumentError, match="`seed` must be an integer"):
        StochasticDescent(0.1, 1, seed=0.5)
    law, data = ScalingLaw.ntk().at_width(10), datasets.four_points()
    network = nph.TwoLayerNetwork(activations.get("tanh"), law)
    state = nph.initial_parameters(10, 2)
    for dynamics in (GradientDynamics(network, data), LinearizedDynamics(network, data)):
        with pytest.raises(ArgumentError, match="MultiLayerNetwork with scales of depth 1"):
            nph.evolve(dynamics, StochasticDescent(0.1, 2), state)
