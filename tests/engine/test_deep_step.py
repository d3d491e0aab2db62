"""The compiled step of deep networks against its twin in NumPy, and its threads."""

import io
import os
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

from netphase import activations
from netphase.dynamics import DeepGradientDynamics, Descent, evolve
from netphase.engine import Stop, build_info, request_stop
from netphase.engine import deep_step as module
from netphase.engine.deep import DeepProblem, Ensemble
from netphase.engine.threads import cores, run_threads, spare_cores
from netphase.networks import MultiLayerNetwork, initial_layer_parameters
from netphase.scalings import layer_initialisation

SHAPES = [(1, 5, (7,)), (3, 17, (13, 9, 20)), (2, 70, (33, 100)), (1, 64, (300, 6))]
"""Outputs, samples and widths: parts of vectors, of tiles, of panels, and sums over many panels."""


def ensemble(activation, kind, dtype, outputs, samples, widths, goal=0.0):
    """Networks of two scalings and two seeds at their start."""
    names = ("ntk", "lecun")
    scales = tuple(layer_initialisation(each, len(widths), 3).at_width(40) for each in names)
    network = MultiLayerNetwork(activation, scales, 3, widths, outputs, kind)
    start = initial_layer_parameters(network, seeds=range(2), dtype=dtype)
    random = np.random.default_rng(samples)
    x = 0.5 * random.standard_normal((3, samples)).astype(dtype)
    y = random.standard_normal((outputs, samples)).astype(dtype)
    stop = Stop(mean_square=goal)
    return Ensemble(DeepProblem(network, x, y), start, stop, np.empty(0), np.dtype(dtype))


def after_steps(run, factor=1.0):
    for _ in range(3):
        run.descend(factor * np.linspace(0.002, 0.005, len(run.ids)))
    return run


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["antisymmetric", "centred", "plain"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_step_is_that_of_numpy_to_rounding(shape, kind, dtype):
    for name in activations.NAMES:
        sigma, factor = activations.get(name), 1e-2 if name == "x2_tanh" else 1.0  # a steep one
        ours = after_steps(ensemble(sigma, kind, dtype, *shape), factor)
        twin = after_steps(ensemble(replace(sigma, code=None), kind, dtype, *shape), factor)
        pairs = [(ours.flat, twin.flat), (ours.residual, twin.residual)]
        pairs += zip(ours.signals.inputs, twin.signals.inputs, strict=True)
        pairs += zip(ours.signals.slopes, twin.signals.slopes, strict=True)
        for found, expected in pairs:
            assert found.shape == expected.shape
            assert found.dtype == dtype
            size = np.abs(expected).max()
            assert np.abs(found - expected).max() < 1000 * np.finfo(dtype).eps * size, name
        assert np.abs(twin.flat - twin.start).max() > 1e-6, name
        np.testing.assert_array_equal(ours.signals.output.shape, twin.signals.output.shape)


def test_small_changes_keep_their_digits_in_single_precision():
    """Sums of small changes must not be rounded to the digits of the weights term by term."""
    shape, sigma = (1, 64, (60, 60)), activations.get("tanh")
    ours = ensemble(sigma, "plain", "float32", *shape)
    twin = ensemble(replace(sigma, code=None), "plain", "float32", *shape)
    stop, wide = Stop(mean_square=0.0), np.dtype("float64")
    exact = Ensemble(ours.problem, ours._parameters, stop, np.empty(0), wide)
    for run in (ours, twin, exact):
        for _ in range(100):
            run.descend(np.full(4, 1e-3))
    moved = exact.flat - exact.start
    errors = [np.linalg.norm(run.flat - run.start - moved) for run in (ours, twin)]
    assert errors[1] < 1e-3 * np.linalg.norm(moved)
    assert errors[0] < 1.5 * errors[1]


def test_steps_in_one_go_are_those_one_by_one():
    lengths, most = np.linspace(0.02, 0.05, 4), np.array([1, 3, 5, 2])
    ours, twin = (ensemble(activations.get("erf"), "centred", "float64", *SHAPES[1]) for _ in "ab")
    np.testing.assert_array_equal(ours.descend(lengths, most), most)
    for k in range(5):
        twin.descend(lengths)
        last = most == k + 1
        np.testing.assert_array_equal(ours.flat[last], twin.flat[last])
        np.testing.assert_array_equal(ours.residual[last], twin.residual[last])
        np.testing.assert_array_equal(ours.square[last], twin.square[last])
        np.testing.assert_array_equal(ours.before[last], twin.before[last])
    exact = np.square(ours.residual).sum(axis=(1, 2)) / ours.residual.shape[2]
    np.testing.assert_allclose(ours.square, exact, rtol=1e-14)


def test_steps_in_one_go_end_where_the_mean_square_ends_the_run_or_rises():
    most = np.full(4, 50)
    falling = ensemble(activations.get("tanh"), "plain", "float64", *SHAPES[0])
    made = falling.descend(np.array([0.1, 10.0, 0.1, 10.0]), most, falling=True)
    assert made.min() < 50 == made.max()
    np.testing.assert_array_equal(made < 50, falling.square > falling.before)
    goal = 0.875  # which two of the four networks come to
    down = ensemble(activations.get("tanh"), "plain", "float64", *SHAPES[0], goal)
    made = down.descend(np.full(4, 0.1), most)
    assert made.min() < 50 == made.max()
    np.testing.assert_array_equal(made < 50, down.square <= goal)
    assert (down.before > goal).all()
    up = ensemble(activations.get("relu"), "plain", "float64", *SHAPES[0])
    start = up.square
    made = up.descend(np.full(4, 100.0), most)
    assert made.max() < 50
    assert (up.before <= 1e8 * start).all()
    assert not (up.square <= 1e8 * start).any()


def test_steps_that_end_a_run_are_made_once():
    run = ensemble(activations.get("tanh"), "plain", "float64", *SHAPES[0])
    run.advance(np.ones(4), made=200)  # the next row is after 210
    with np.errstate(all="ignore"):
        assert run.unseen(np.array([0.0, 1.0, np.inf, 1e-300])).tolist() == [1, 10, 1, 10]


def with_twin(activation, names, rate, stop, times):
    """Runs of some scalings and three seeds, by the compiled engine and by NumPy."""
    x = np.random.default_rng(2).standard_normal((12, 3))
    scales = tuple(layer_initialisation(each, 2, 3).at_width(20) for each in names)
    sigma, runs = activations.get(activation), []
    for each in (sigma, replace(sigma, code=None)):
        network = MultiLayerNetwork(each, scales, 3, kind="plain")
        start = initial_layer_parameters(network, seeds=range(3))
        task = DeepGradientDynamics(network, x, 3 * np.sin(2 * x[:, 0]))
        runs.append(evolve(task, Descent(rate), start, stop=stop, times=times))
    return runs


@pytest.mark.parametrize(
    ("rate", "stagnation", "endings"),
    [
        (0.04, 0.0, {"maximum steps", "converged"}),
        (0.04, 1e-6, {"maximum steps", "converged"}),
        (0.04, 0.5, {"stagnated", "converged"}),
        (0.05, 0.0, {"time reached", "converged"}),
        (2.0, 0.0, {"time reached", "diverged"}),
        ("stable", 0.5, {"time reached", "converged"}),
    ],
)
def test_a_run_is_that_of_its_twin_in_numpy_row_by_row(rate, stagnation, endings, monkeypatch):
    """Which makes every step by itself, and is tested, noted and kept after each."""
    monkeypatch.setattr(Ensemble.__init__, "__defaults__", (100,))  # steps until it may stagnate
    stop = Stop(mean_square=2e-2, time=17.7, max_steps=390, stagnation=stagnation)
    ours, twin = with_twin("tanh", ("ntk", "lecun"), rate, stop, [0.1, 1.0, 7.0])
    assert {each.value for each in ours.status} == endings
    assert ours.status == twin.status
    np.testing.assert_array_equal(ours.steps, twin.steps)
    np.testing.assert_array_equal(ours.record_steps, twin.record_steps)
    for name in ("time", "mean_square", "frobenius_change"):
        np.testing.assert_allclose(getattr(ours, name), getattr(twin, name), rtol=1e-8)
    for mine, other in zip(ours.snapshots, twin.snapshots, strict=True):
        for found, expected in zip(mine.weights, other.weights, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


def test_stable_steps_are_chosen_anew_as_soon_as_the_loss_has_risen():
    """As it does for the first of these networks between two looks at its stability."""
    ours, twin = with_twin("relu", ("mean_field",), "stable", Stop(mean_square=2e-2), None)
    np.testing.assert_array_equal(ours.steps, twin.steps)
    np.testing.assert_allclose(ours.time, twin.time, rtol=1e-8)


def test_a_network_steps_the_same_with_any_threads_and_any_company(monkeypatch):
    sigma, shape = activations.get("gelu"), (1, 64, (150, 150))  # enough work for every thread
    found = []
    for threads in (1, 2, 5):
        monkeypatch.setattr(module, "spare_cores", lambda count=threads: count)
        found.append(after_steps(ensemble(sigma, "antisymmetric", "float32", *shape)))
    for other in found[1:]:
        np.testing.assert_array_equal(other.flat, found[0].flat)
        np.testing.assert_array_equal(other.residual, found[0].residual)
    some = ensemble(sigma, "antisymmetric", "float32", *shape)
    some.descend(np.linspace(0.002, 0.005, 4))
    keep = np.array([False, True, False, True])
    some._select(keep)  # in the middle of a run
    for _ in range(2):
        some.descend(np.linspace(0.002, 0.005, 4)[keep])
    np.testing.assert_array_equal(some.flat, found[0].flat[keep])


def test_one_of_many_runs_in_threads_keeps_to_one_core():
    assert spare_cores() == cores()
    with run_threads(1) as pool:
        assert pool.submit(spare_cores).result() == 1


def test_other_instruction_sets_make_the_same_step():
    sigma = activations.get("tanh")
    ours = after_steps(ensemble(sigma, "antisymmetric", "float64", *SHAPES[1])).flat
    script = (
        "import sys, numpy as np; sys.path.insert(0, sys.argv[1]); import test_deep_step as t\n"
        "run = t.ensemble(t.activations.get('tanh'), 'antisymmetric', 'float64', *t.SHAPES[1])\n"
        "np.save(sys.stdout.buffer, t.after_steps(run).flat)"
    )
    for name in build_info()["available_instruction_sets"]:
        found = subprocess.run(
            [sys.executable, "-c", script, os.path.dirname(__file__)],
            env={**os.environ, "NETPHASE_ISA": name},
            check=True,
            stdout=subprocess.PIPE,
        ).stdout
        np.testing.assert_allclose(np.load(io.BytesIO(found)), ours, rtol=1e-11, atol=1e-13)


def test_runs_give_up_when_they_are_asked_to():
    scales = layer_initialisation("ntk", 2, 3).at_width(50)
    network = MultiLayerNetwork(activations.get("tanh"), scales, 3)
    x = np.random.default_rng(0).standard_normal((20, 3))
    task = DeepGradientDynamics(network, x, np.sin(x[:, 0]))
    start = initial_layer_parameters(network, seeds=range(3))
    timer = threading.Timer(0.3, request_stop)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            evolve(task, Descent(1e-9), start, stop=Stop(mean_square=0.0, max_steps=10**9))
    finally:
        timer.join()
        request_stop(False)


def test_arrays_that_do_not_fit_are_refused():
    run = ensemble(activations.get("tanh"), "plain", "float64", 1, 5, (7,))
    run.descend(np.zeros(4))
    step = run._compiled
    assert step is not None
    step._sizes[1] = 8
    with pytest.raises(ValueError, match="do not fit the sizes"):
        step.run(np.zeros((4, 2)), np.ones(4, np.int64), 0.0, np.full(4, np.inf), False)
