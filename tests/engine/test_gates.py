"""Literal descent of ReLU through tables of gates: the same steps as the textbook's."""

import dataclasses

import numpy as np
import pytest

from netphase import activations
from netphase.engine import Problem, Stop, descend, reference
from netphase.networks import Parameters

SHAPES = [
    (16, 3, 1),
    (17, 5, 20),
    (40, 8, 21),
    (61, 20, 43),
    (23, 33, 37),
    (20, 64, 5),
    (19, 70, 9),
]


def make(n, d, m, dtype="float64", seed=0):
    draw = np.random.default_rng(seed)
    x, y = draw.standard_normal((n, d)), draw.standard_normal(n)
    start = Parameters(
        draw.standard_normal(m).astype(dtype), draw.standard_normal((m, d)).astype(dtype)
    )
    relu = activations.get("relu")
    return Problem(x.astype(dtype), y.astype(dtype), relu, 1.0 / m, 0.7, 1.6), start


def error(found, wanted):
    return max(float(np.abs(f - w).max()) for f, w in zip(found, wanted, strict=True))


@pytest.mark.parametrize("shape", SHAPES)
def test_equal_to_numpy_in_double(shape):
    problem, start = make(*shape)
    # large steps: many gates change on the way
    options = {"learning_rate": 0.3 * shape[2] / shape[1], "tracked": shape[2]}
    for steps in (1, 150):
        found = descend(problem, start, stop=Stop(0.0, max_steps=steps), **options)
        wanted = reference.descend(problem, start, stop=Stop(0.0, max_steps=steps), **options)
        assert found.steps == wanted.steps == steps
        assert error(found.parameters, wanted.parameters) < 1e-10
        assert found.mean_square == pytest.approx(wanted.mean_square, rel=1e-9)
        assert found.records.change_w[-1] == pytest.approx(wanted.records.change_w[-1], rel=1e-9)
    if shape[2] > 1:
        gates = [problem.x @ w.T > 0 for w in (start.w, wanted.parameters.w)]
        assert np.any(gates[0] != gates[1])


@pytest.mark.parametrize("shape", SHAPES[1:5])
def test_equal_to_numpy_in_single(shape):
    problem, start = make(*shape, dtype="float32")
    options = {"learning_rate": 0.1 * shape[2] / shape[1], "tracked": shape[2]}
    stop = Stop(0.0, max_steps=20)
    found = descend(problem, start, stop=stop, **options)
    wide = dataclasses.replace(problem, x=problem.x.astype(float), y=problem.y.astype(float))
    begin = Parameters(start.a.astype(float), start.w.astype(float))
    wanted = reference.descend(wide, begin, stop=stop, **options)
    assert found.parameters.w.dtype == np.float32
    assert error(found.parameters, wanted.parameters) < 2e-5


def test_a_neuron_that_starts_on_its_kinks_is_watched_at_every_step():
    problem, start = make(30, 4, 12)
    w = start.w.copy()
    w[0] = 0.0  # every gate closed, and on the verge
    w[1] -= problem.x[0] * (problem.x[0] @ w[1]) / (problem.x[0] @ problem.x[0])
    options = {"learning_rate": 0.5, "stop": Stop(0.0, max_steps=40), "tracked": 12}
    found = descend(problem, Parameters(start.a, w), **options)
    wanted = reference.descend(problem, Parameters(start.a, w), **options)
    assert np.all(found.parameters.w[0] == 0.0)
    assert error(found.parameters, wanted.parameters) < 1e-10


def test_a_descent_that_blows_up_ends():
    problem, start = make(20, 6, 10)
    run = descend(problem, start, learning_rate=1e4, stop=Stop(1e-9), tracked=10)
    assert not run.status.succeeded
    assert run.steps < 1000
