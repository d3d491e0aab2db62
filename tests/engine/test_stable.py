"""Descent at half the limit of stability, and the note of literal descents on that limit."""

import dataclasses
import math

import numpy as np
import pytest

from netphase import activations
from netphase._types import Status
from netphase.engine import Problem, Stop, descend, descend_stable
from netphase.engine.blocks import Blocks
from netphase.engine.large import descend_large, descend_stable_large, largest_growth
from netphase.networks import Parameters


def random_features(m, n=60, d=8, seed=0, name="relu", dtype="float64", scale=1.0):
    """A start with silent output weights, on data of one neuron."""
    draw = np.random.default_rng(seed)
    x, w = draw.normal(size=(n, d)), draw.normal(size=(m, d))
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    y = np.maximum(x[:, 0], 0.0)
    problem = Problem(x.astype(dtype), y.astype(dtype), activations.get(name), scale)
    return problem, Parameters(np.zeros(m, dtype), w.astype(dtype))


def largest_eigenvalue(problem, parameters):
    return float(np.linalg.eigvalsh(Blocks(problem, parameters, "blas").tangent_gram())[-1])


@pytest.mark.parametrize("form", ["blas", "gram"])
@pytest.mark.parametrize("name", ["relu", "leaky_relu", "tanh"])
def test_the_gram_matrix_is_applied_without_being_formed(name, form):
    problem, start = random_features(70, name=name)
    draw = np.random.default_rng(1)
    problem = dataclasses.replace(problem, mobility_a=0.6, mobility_w=1.7, output_scale=0.3)
    start = Parameters(draw.normal(size=70), start.w)
    blocks = Blocks(problem, start, form, block_bytes=32 * 60 * 8)
    vector = draw.normal(size=60)
    assert np.allclose(blocks.tangent_apply(vector), blocks.tangent_gram() @ vector, rtol=1e-12)


@pytest.mark.parametrize("name", ["relu", "tanh"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_compiled_equals_numpy(name, dtype):
    problem, start = random_features(37, name=name, dtype=dtype)
    stop = Stop(0.0, max_steps=300)
    found = descend_stable(problem, start, stop=stop, tracked=37)
    wanted = descend_stable_large(problem, start, stop=stop, tracked=37)
    exact = 1e-9 if dtype == "float64" else 1e-3
    assert found.steps == wanted.steps == 300
    assert found.time == pytest.approx(wanted.time, rel=exact)
    assert found.mean_square == pytest.approx(wanted.mean_square, rel=exact)
    assert found.notes["largest_sharpness"] == pytest.approx(
        wanted.notes["largest_sharpness"], rel=exact
    )
    assert np.allclose(found.parameters.w, wanted.parameters.w, atol=exact)


def test_every_step_is_one_over_the_largest_eigenvalue():
    problem, start = random_features(50)
    first = descend_stable(problem, start, stop=Stop(0.0, max_steps=1), tracked=50)
    # power iteration stops within 1 % of the eigenvalue, from below
    assert 1.0 <= first.time * largest_eigenvalue(problem, start) < 1.02
    long = descend_stable(problem, start, stop=Stop(0.0, max_steps=2000), tracked=50)
    more = descend_stable(problem, start, stop=Stop(0.0, max_steps=2001), tracked=50)
    now = largest_eigenvalue(problem, long.parameters)
    assert (more.time - long.time) * now == pytest.approx(1.0, rel=0.03)
    assert 0.5 <= long.notes["largest_sharpness"] < 0.6


def test_a_small_start_is_not_thrown_out_of_the_escape():
    problem, start = random_features(30, name="tanh")
    draw = np.random.default_rng(3)
    small = Parameters(1e-4 * draw.normal(size=30), 1e-4 * start.w)
    one = descend_stable(problem, small, stop=Stop(0.0, max_steps=1), tracked=30)
    size = math.sqrt(float(one.records.mean_square[0]))
    # 1/λ_max alone would be about a million times longer
    assert one.time == pytest.approx(1.0 / (size * largest_growth(problem)), rel=1e-9)
    assert one.time * largest_eigenvalue(problem, small) < 1e-3
    assert max(np.abs(one.parameters.a).max(), np.abs(one.parameters.w).max()) < 1e-3
    run = descend_stable(problem, small, stop=Stop(1e-3, max_steps=200_000), tracked=30)
    assert run.status is Status.CONVERGED
    assert np.all(np.diff(run.records.mean_square) <= 0.0)


@pytest.mark.parametrize("engine", [descend, descend_large])
def test_beyond_the_edge_of_stability_is_reported(engine):
    problem, start = random_features(40)
    limit = 2.0 / largest_eigenvalue(problem, start)
    stop = Stop(0.0, max_steps=60)
    calm = engine(problem, start, learning_rate=0.5 * limit, stop=stop, tracked=40)
    wild = engine(problem, start, learning_rate=1.5 * limit, stop=stop, tracked=40)
    assert calm.notes["largest_sharpness"] == pytest.approx(0.5, rel=0.05)
    assert wild.notes["largest_sharpness"] >= 1.49
    assert np.all(np.diff(calm.records.mean_square) < 0.0)
    assert np.any(np.diff(wild.records.mean_square) > 0.0)


@pytest.mark.parametrize("engine", [descend_stable, descend_stable_large])
def test_a_network_that_cannot_move_has_stagnated(engine):
    problem, _ = random_features(5)
    dead = Parameters(np.zeros(5), np.zeros((5, 8)))
    run = engine(problem, dead, stop=Stop(1e-6), tracked=5)
    assert run.status is Status.STAGNATED
    assert run.steps == 0


@pytest.mark.parametrize("engine", [descend_stable, descend_stable_large])
def test_it_ends_at_the_time_asked_for(engine):
    problem, start = random_features(20)
    run = engine(problem, start, stop=Stop(0.0, time=3.21), tracked=20)
    assert run.status is Status.TIME_REACHED
    assert run.time == 3.21


@pytest.mark.parametrize("rate", [None, 0.1])
def test_literal_steps_of_many_samples_need_no_gram_matrix(rate, monkeypatch):
    problem, start = random_features(10, n=300)

    def gram(_):
        raise MemoryError

    monkeypatch.setattr(Blocks, "gram", property(gram))
    stop = Stop(1e-30, max_steps=5)
    if rate is None:
        out = descend_stable_large(problem, start, stop=stop, tracked=10)
    else:
        out = descend_large(problem, start, learning_rate=rate, stop=stop, tracked=10)
    assert (out.steps, out.status) == (5, Status.MAX_STEPS)
