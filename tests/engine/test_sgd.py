"""Projected SGD in the engine: its random numbers, its twin in NumPy, its law, a step's moments."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from netphase import hermite
from netphase.dynamics import ExactOverlaps, Overlaps
from netphase.engine import _core, build_info, request_stop
from netphase.engine.sgd import CompiledRun, ReferenceRun, SgdProblem, compiled_curve
from netphase.engine.sgd.compiled import normal_words
from netphase.seeds import Stream

PHI = hermite.expand([1.0, -1.0, 2 / 3, -1 / 3])
SIGMAS = [
    hermite.relu(0.5),
    hermite.erf(0.7),
    hermite.expand([0.1, 1.0, 0.5, 0.2]),
    hermite.expand([0.7]),
    *(hermite.expand(name) for name in ("relu", "leaky_relu", "tanh", "erf", "gelu", "softplus")),
]


def normals(seed=1):
    return _core.Normals(normal_words(seed, Stream.DATA))


def start(m, d, seed=0):
    rng = np.random.default_rng(seed)
    u = rng.standard_normal((m, d))
    return rng.standard_normal(m), u / np.linalg.norm(u, axis=1)[:, None]


def coordinates(u):
    return np.column_stack([u[:, 0], np.linalg.qr(u[:, 1:].T).R.T])


def problem(sigma=SIGMAS[0], d=20, batch=1, room=0, rate=0.01, noise=0.0, phi=PHI):
    return SgdProblem(sigma, phi, d, 5 * rate, rate, batch, noise, room)


def begin(kind, p, m, seed=5):
    a, u = start(m, p.inputs)
    return kind(p, a, coordinates(u) if p.room else u, seed)


def test_normal_numbers_have_the_moments_and_the_tails_of_their_law():
    x = normals().pairs(150_000).ravel()
    for k in range(1, 9):
        mean = 0.0 if k % 2 else float(math.prod(range(1, k, 2)))
        spread = math.sqrt((math.prod(range(1, 2 * k, 2)) - mean**2) / len(x))
        assert abs((x**k).mean() - mean) < 4 * spread, k
    for z in (0.5, 2.0, 3.0, 4.0, 4.7):
        for tail in (x > z, x < -z):
            p = stats.norm.sf(z)
            assert abs(tail.sum() - p * len(x)) < 4.5 * math.sqrt(p * len(x)), z
    assert stats.kstest(x[::3], "norm").pvalue > 1e-3


def test_normal_numbers_are_independent_of_each_other():
    x = normals(2).pairs(50_000)  # (100 000, 8)
    for each in (x, x**2 - 1, np.sign(x), np.abs(x) > 2.5):
        each = (each - each.mean(axis=0)) / each.std(axis=0)
        for lag in range(6):
            ahead = each[lag:].T @ each[: len(each) - lag] / (len(each) - lag)
            ahead -= np.eye(8) if lag == 0 else 0.0
            assert np.abs(ahead).max() < 5 / math.sqrt(len(each)), lag
    # radius and angle of a pair are independent, and the angle is even
    angle = np.arctan2(x[1::2], x[::2]).ravel()
    radius = np.hypot(x[1::2], x[::2]).ravel()
    assert stats.kstest(angle, "uniform", args=(-math.pi, 2 * math.pi)).pvalue > 1e-3
    assert abs(np.corrcoef(radius, np.cos(angle))[0, 1]) < 4 / math.sqrt(len(angle))


def test_chi_variables_are_lengths_of_normal_vectors():
    degrees = np.array([2.0, 3.0, 4.0, 5.0, 17.0, 18.0, 300.0, 1e6])
    source = normals(3)
    x = np.array([source.chi(degrees) for _ in range(4000)])
    for k, degree in enumerate(degrees):
        assert stats.kstest(x[:, k] ** 2, "chi2", args=(degree,)).pvalue > 1e-3, degree
    apart = np.corrcoef(x.T) - np.eye(8)
    assert np.abs(apart).max() < 4.5 / math.sqrt(len(x))


@pytest.mark.parametrize(
    ("m", "d", "batch", "room"),
    [
        (1, 1, 1, 0),
        (1, 3, 1, 0),
        (5, 9, 1, 0),
        (30, 40, 3, 0),
        (17, 23, 8, 0),
        (7, 50, 13, 0),
        (5, 40, 1, 16),
        (1, 12, 1, 8),
        (30, 100, 1, 32),
        (17, 70, 5, 16),
        (9, 80, 24, 8),
        (3, 60, 20, 40),
    ],
)
def test_the_engine_takes_the_steps_of_its_definition(m, d, batch, room):
    for sigma in SIGMAS:
        p = problem(sigma, d, batch, room, noise=0.3)
        runs = [begin(kind, p, m) for kind in (CompiledRun, ReferenceRun)]
        for count in (0, 3, 40, 1, 29):
            assert [run.advance(count) for run in runs] == [count, count]
        (a, u), (a_truth, u_truth) = (run.state() for run in runs)
        np.testing.assert_allclose(a, a_truth, atol=2e-13)
        np.testing.assert_allclose(u, u_truth, atol=2e-13)
        np.testing.assert_allclose((u**2).sum(axis=1), 1.0, atol=1e-14)


@pytest.mark.parametrize("room", [0, 8, 16])
@pytest.mark.parametrize("batch", [1, 3, 11])
def test_steps_do_not_depend_on_where_one_stops(batch, room):
    p = problem(d=40, batch=batch, room=room)
    whole, parts = begin(CompiledRun, p, 6), begin(CompiledRun, p, 6)
    whole.advance(100)
    for count in (1, 7, 2, 50, 40):
        parts.advance(count)
        parts.state()
    for one, other in zip(whole.state(), parts.state(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-13)


@pytest.mark.parametrize("room", [0, 16])
def test_lengths_do_not_drift_in_a_long_run(room):
    """The state comes with unit rows; that the steps had them shows in the output weights."""
    p = problem(d=50, rate=0.002, room=room)
    runs = [begin(kind, p, 9) for kind in (CompiledRun, ReferenceRun)]
    assert [run.advance(5003) for run in runs] == [5003, 5003]
    (a, u), (a_truth, u_truth) = (run.state() for run in runs)
    np.testing.assert_allclose(a, a_truth, atol=1e-11)
    np.testing.assert_allclose(u[:, 0], u_truth[:, 0], atol=1e-11)


def test_all_instruction_sets_agree():
    script = (
        "import numpy as np\n"
        "from netphase import hermite\n"
        "from netphase.engine.sgd import CompiledRun, SgdProblem\n"
        "sigma, u = hermite.expand('tanh'), np.eye(11, 60)\n"
        "for room, width in ((0, 60), (16, 12)):\n"
        "    p = SgdProblem(sigma, hermite.expand([1.0, -1.0]), 60, 0.05, 0.01, 1, 0.1, room)\n"
        "    run = CompiledRun(p, np.ones(11), u[:, :width].copy(), 5)\n"
        "    run.advance(101); print(*run.state()[0])"
    )
    found = []
    for name in build_info()["available_instruction_sets"]:
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "NETPHASE_ISA": name},
            check=True,
            capture_output=True,
            text=True,
        )
        found.append(np.array(done.stdout.split(), dtype=float))
    for each in found:
        np.testing.assert_allclose(each, found[0], atol=1e-12)


@pytest.mark.parametrize(("batch", "room"), [(1, 0), (1, 8), (4, 0), (12, 16)])
def test_a_step_is_the_flow_on_average(batch, room):
    m, d, rate = 4, 40, 1e-7
    sigma = hermite.relu(0.5)
    p = problem(sigma, d, batch, room, rate, noise=0.2)
    a, u = start(m, d)
    changes = []
    for seed in range(4000 // min(batch, 4)):
        run = CompiledRun(p, a, coordinates(u) if room else u, seed)
        run.advance(1)
        after, w = run.state()
        turned = (w @ w.T - u @ u.T)[np.triu_indices(m, 1)]
        changes.append(np.concatenate([after - a, w[:, 0] - u[:, 0], turned]) / rate)
    rates = ExactOverlaps(sigma, PHI, 0.2).rates(Overlaps.of_weights(a, u, np.eye(1, d)[0]))
    truth = np.concatenate([*rates[:2], rates[2][np.triu_indices(m, 1)]])
    error = np.std(changes, axis=0, ddof=1) / math.sqrt(len(changes))
    assert np.abs((np.mean(changes, axis=0) - truth) / error).max() < 4


@pytest.mark.parametrize("room", [0, 8])
def test_label_noise_moves_the_output_weights_by_its_size(room):
    sigma, m, d, noise = hermite.relu(0.5), 3, 30, 0.7
    p = problem(sigma, d, 1, room, 0.1, noise, hermite.expand([0.0]))
    u = start(m, d)[1]
    moved = []
    for seed in range(3000):
        run = CompiledRun(p, np.zeros(m), coordinates(u) if room else u, seed)
        run.advance(1)
        moved.append(run.state()[0] ** 2)
    error = np.std(moved, axis=0, ddof=1) / math.sqrt(len(moved))
    truth = (0.5 * noise) ** 2 * sigma.square
    assert np.abs((np.mean(moved, axis=0) - truth) / error).max() < 4


@pytest.mark.parametrize(("batch", "room"), [(1, 8), (3, 8), (20, 16)])
def test_reduced_coordinates_have_the_law_of_the_weights(batch, room):
    """Means and second moments of a, s and r after steps that are far from small."""
    m, d, count, seeds = 3, 45, 60, 1000
    a, u = start(m, d)
    found = []
    for kept in (0, room):
        p = problem(hermite.relu(0.5), d, batch, kept, 0.02, noise=0.3)
        rows = []
        for seed in range(seeds):
            # other samples for each of the two
            run = CompiledRun(p, a, coordinates(u) if kept else u, seed + 10_000 * kept)
            run.advance(count)
            after, w = run.state()
            state = np.concatenate([after, w[:, 0], (w @ w.T)[np.triu_indices(m, 1)]])
            rows.append(np.concatenate([state, (state[:, None] * state).ravel()]))
        found.append(np.array(rows))
    gap = found[0].mean(axis=0) - found[1].mean(axis=0)
    error = np.sqrt(sum(each.var(axis=0, ddof=1) / seeds for each in found))
    assert np.abs(gap / error).max() < 4.5


def test_a_run_gives_up_when_asked_to():
    for kind in (CompiledRun, ReferenceRun):
        run = begin(kind, problem(d=400), 30)
        request_stop(True)
        try:
            with pytest.raises(KeyboardInterrupt):
                run.advance(10**12)
        finally:
            request_stop(False)
        fresh = begin(kind, problem(), 3)
        assert fresh.advance(5) == 5


@pytest.mark.parametrize("batch", [1, 30])
def test_a_run_that_grows_without_bound_ends(batch):
    for kind in (CompiledRun, ReferenceRun):
        run = begin(kind, problem(batch=batch, rate=10.0), 5)
        assert run.advance(10_000) < 10_000


def test_functions_that_only_python_knows_have_no_compiled_curve():
    assert compiled_curve(hermite.expand(lambda z: np.cos(z))) is None
    for sigma in SIGMAS:
        assert compiled_curve(sigma) is not None


def test_the_core_refuses_what_does_not_fit():
    p = problem(d=20)
    a, u = start(3, 20)
    with pytest.raises(ValueError, match="do not fit"):
        CompiledRun(p, a, u[:, :19], 0)
    with pytest.raises(ValueError, match="2 at least"):
        normals().chi(np.ones(8))
