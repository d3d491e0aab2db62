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


def ensemble(activation, kind, dtype, outputs, samples, widths):
    """Networks of two scalings and two seeds at their start."""
    names = ("ntk", "lecun")
    scales = tuple(layer_initialisation(each, len(widths), 3).at_width(40) for each in names)
    network = MultiLayerNetwork(activation, scales, 3, widths, outputs, kind)
    start = initial_layer_parameters(network, seeds=range(2), dtype=dtype)
    random = np.random.default_rng(samples)
    x = 0.5 * random.standard_normal((3, samples)).astype(dtype)
    y = random.standard_normal((outputs, samples)).astype(dtype)
    stop = Stop(mean_square=0.0)
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
        step.step(np.zeros((4, 2)))
