"""Ensembles of projected SGD: their start, their way to the flow, laws, and what they refuse."""

import math
import os
import signal
import threading

import numpy as np
import pytest

from netphase import Status, activations, hermite
from netphase.dynamics import ExactOverlaps
from netphase.dynamics.projected_sgd import ProjectedSGD
from netphase.errors import ArgumentError

SIGMA, TARGET = hermite.relu(0.5), [1.0, -1.0, 2 / 3, -1 / 3]


def sgd(rate=1e-3, inputs=40, epsilon=0.2, **more):
    return ProjectedSGD(SIGMA, TARGET, epsilon, rate=rate, inputs=inputs, **more)


def flows(width, inputs, times, seeds, epsilon=0.2):
    exact = ExactOverlaps(SIGMA, TARGET, epsilon)
    starts = [exact.initial(width, inputs, seed=seed) for seed in seeds]
    return np.array([exact.solve(each, times, rtol=1e-5).risk for each in starts])


@pytest.mark.parametrize("method", ["explicit", "reduced"])
def test_runs_start_where_the_flow_does(method):
    exact = ExactOverlaps(SIGMA, TARGET, 0.2)
    found = sgd(inputs=60).run(12, [0.0], seeds=(3, -4), method=method, outputs=[1.0, -0.5])
    for row, seed in enumerate((3, -4)):
        truth = exact.initial(12, 60, [1.0, -0.5], seed)
        np.testing.assert_array_equal(found.a[row, 0], truth.a)
        np.testing.assert_allclose(found.s[row, 0], truth.s, atol=1e-15)
        np.testing.assert_allclose(found.overlaps(seed).r, truth.r, atol=1e-14)
        assert found.risk[row, 0] == pytest.approx(exact.risk(truth), rel=1e-13)


def test_the_way_to_the_flow_is_the_root_of_the_rate():
    times, seeds = np.linspace(0, 2, 21), range(10)
    flow, rates = flows(30, 40, times, seeds), 4e-3 / 4.0 ** np.arange(4)
    gaps = [np.abs(sgd(rate).run(30, times, seeds=seeds).risk - flow).max(axis=1) for rate in rates]
    slope = np.polyfit(np.log(rates), np.log(np.mean(gaps, axis=1)), 1)[0]
    assert abs(slope - 0.5) < 0.1
    assert 0.01 < np.mean(gaps[-1]) < 0.04  # .032 in one run of another program


@pytest.mark.slow
def test_runs_of_the_same_samples_an_input_fall_together():
    """Excess over the flow at fixed ηd: a function of n/d as d grows."""
    times, seeds, excess = [1.0, 2.0], range(300), []
    for d in (60, 240, 960):
        found = sgd(0.2 / d, d).run(10, times, seeds=seeds, stratified=True, outputs="uniform")
        exact = ExactOverlaps(SIGMA, TARGET, 0.2)
        starts = [exact.initial(10, d, "uniform", seed, stratified=True) for seed in seeds]
        flow = np.array([exact.solve(each, times, rtol=1e-5).risk for each in starts])
        excess.append(found.risk - flow)
    means = np.array([each.mean(axis=0) for each in excess])
    errors = np.array([each.std(axis=0, ddof=1) for each in excess]) / math.sqrt(len(seeds))
    assert np.all(means[-1] > 10 * errors[-1])  # the noise of the samples counts
    assert np.all(np.abs(means[1] - means[2]) < 4 * np.hypot(errors[1], errors[2]) + 0.1 * means[2])


def test_larger_batches_come_nearer_to_the_flow():
    times, seeds = np.linspace(0.1, 1, 10), range(12)
    flow = flows(8, 30, times, seeds)
    gaps = [
        np.abs(sgd(4e-3, 30, batch=batch).run(8, times, seeds=seeds).risk - flow).max(axis=1).mean()
        for batch in (1, 16, 256)
    ]
    # 1/√B until the error of the steps themselves is left
    assert 2.5 < gaps[0] / gaps[1] < 6
    assert gaps[1] / gaps[2] > 2


@pytest.mark.parametrize("batch", [1, 12])
def test_the_reduced_law_is_the_explicit_one(batch):
    """Means and spreads of the risk, at steps large enough for the noise to count."""
    times, seeds, model = [0.5, 1.0], range(150), sgd(0.02, 60, batch=batch, noise=0.3)
    one = model.run(6, times, seeds=seeds, method="explicit")
    other = model.run(6, times, seeds=seeds, method="reduced")
    assert (one.method, other.method) == ("explicit", "reduced")
    # the same starts, but other samples: the difference has mean zero
    gap = one.risk - other.risk
    assert np.all(np.abs(gap.mean(axis=0)) < 4 * gap.std(axis=0, ddof=1) / math.sqrt(len(seeds)))
    squares = one.risk**2 - other.risk**2
    error = squares.std(axis=0, ddof=1) / math.sqrt(len(seeds))
    assert np.all(np.abs(squares.mean(axis=0)) < 4 * error)


@pytest.mark.parametrize("method", ["explicit", "reduced"])
def test_a_seed_is_a_seed(method):
    model = sgd(5e-3, 70, noise=0.1)
    alone = model.run(9, [1.0], seeds=(7,), method=method)
    many = model.run(9, [0.1, 0.3, 1.0], seeds=range(5, 10), method=method, jobs=4)
    again = model.run(9, [0.1, 0.3, 1.0], seeds=range(5, 10), method=method, jobs=1)
    np.testing.assert_array_equal(many.risk, again.risk)
    np.testing.assert_array_equal(many.a, again.a)
    np.testing.assert_allclose(alone.a[0, 0], many.a[2, 2], atol=1e-12)
    np.testing.assert_allclose(alone.r[0], many.r[2], atol=1e-12)
    assert len({float(each) for each in many.risk[:, -1]}) == 5


def test_the_faster_valid_method_is_taken():
    assert sgd(inputs=40).run(10, [0.0]).method == "explicit"
    assert sgd(inputs=400).run(10, [0.0]).method == "reduced"
    assert sgd(inputs=400, batch=400).run(10, [0.0]).method == "explicit"
    assert sgd(inputs=1).run(3, [0.01]).method == "explicit"
    assert sgd(inputs=22).run(8, [0.05], method="reduced").method == "reduced"


def test_times_go_to_the_nearest_step():
    found = sgd(0.1, 5, epsilon=5.0).run(2, [0.0, 0.26, 0.34, 1.0])
    np.testing.assert_array_equal(found.steps, [0, 3, 3, 10])
    np.testing.assert_allclose(found.times, [0.0, 0.3, 0.3, 1.0])
    assert found.status == (Status.TIME_REACHED,)


def test_a_second_layer_of_infinite_epsilon_stands_still():
    found = sgd(epsilon=math.inf).run(5, [0.0, 0.5])
    np.testing.assert_array_equal(found.a[0, 0], found.a[0, 1])
    assert np.abs(found.s[0, 1] - found.s[0, 0]).max() > 1e-3


def test_a_function_of_the_users_own_runs_in_numpy():
    sigma = activations.from_pair("mine", np.tanh, lambda z: 1 - np.tanh(z) ** 2)
    settings = {"epsilon": 0.5, "rate": 0.01, "inputs": 9}
    mine = ProjectedSGD(sigma, TARGET, **settings).run(4, [1.0], seeds=(1, 2))
    built_in = ProjectedSGD("tanh", TARGET, **settings).run(4, [1.0], seeds=(1, 2))
    assert (mine.compiled, built_in.compiled) == (False, True)
    assert "NumPy" in mine.notes[0]
    np.testing.assert_allclose(mine.a, built_in.a, atol=1e-12)
    np.testing.assert_allclose(mine.risk, built_in.risk, atol=1e-10)


def test_divergence_is_a_status():
    found = sgd(1.0, epsilon=0.1).run(6, [0.0, 5.0, 500.0], seeds=(0, 1))
    assert found.status == (Status.DIVERGED, Status.DIVERGED)
    assert np.isfinite(found.risk[:, 0]).all()
    assert np.isnan(found.risk[:, -1]).all()
    assert np.isnan(found.a[:, -1]).all()
    assert np.isnan(found.r).all()
    with pytest.raises(ArgumentError, match="diverged"):
        found.overlaps(1)


@pytest.mark.parametrize("method", ["explicit", "reduced"])
def test_an_interrupt_ends_all_runs(method):
    """Wherever they are: what a run holds in memory must survive that."""
    interrupted = threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT])
    interrupted.start()
    with pytest.raises(KeyboardInterrupt):
        sgd(1e-9, 200).run(30, [1e3], seeds=range(6), method=method, jobs=3)
    assert sgd().run(3, [0.1]).status == (Status.TIME_REACHED,)


def test_steps_that_are_too_large_are_noted():
    assert sgd(1e-3).run(10, [0.0]).notes == ()
    first = sgd(0.05, epsilon=math.inf).run(10, [0.0], outputs="rademacher").notes
    assert len(first) == 1
    assert "ηd⟨a²⟩E σ′²/B" in first[0]
    second = sgd(0.02, 1, epsilon=0.1).run(10, [0.0]).notes
    assert len(second) == 1
    assert "(η/ε)‖σ‖²" in second[0]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"epsilon": 0.0}, "`epsilon` must be a positive finite number"),
        ({"epsilon": -1.0}, "`epsilon` must be a positive finite number"),
        ({"rate": 0.0}, "`rate` must be a positive finite number"),
        ({"rate": math.nan}, "`rate` must be a positive finite number"),
        ({"inputs": 0}, "`inputs` must be a positive integer"),
        ({"inputs": math.inf}, "`inputs` must be a positive integer"),
        ({"batch": 0}, "`batch` must be a positive integer"),
        ({"noise": -0.1}, "`noise` must be ≥ 0"),
    ],
)
def test_bad_settings_are_refused(settings, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        sgd(**settings)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"width": 0}, "`width` must be a positive integer"),
        ({"times": [1.0, 0.5]}, "`times` must be an increasing list"),
        ({"times": [1e20]}, "`rate` must not be so small"),
        ({"seeds": ()}, "`seeds` must be a list of different integers"),
        ({"seeds": (1, 1)}, "`seeds` must be a list of different integers"),
        ({"seeds": 3}, "`seeds` must be a list of integers"),
        ({"seeds": (0.5,)}, "`seed` must be an integer"),
        ({"method": "fast"}, "`method` must be one of auto, explicit, reduced"),
        ({"width": 30, "method": "reduced"}, 'can be "reduced" from d = 64 on'),
        ({"jobs": 0}, "`jobs` must be a positive integer"),
        ({"outputs": "cauchy"}, "`outputs` must be one of"),
        ({"width": 10**6, "times": np.arange(10**5)}, "room in memory"),
    ],
)
def test_bad_runs_are_refused(settings, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        sgd().run(**{"width": 5, "times": [0.1], **settings})


def test_an_unknown_seed_is_refused():
    with pytest.raises(ArgumentError, match="`seed` must be one of 0, but is 4"):
        sgd().run(3, [0.0]).overlaps(4)
