"""How the cost grows with neurons, samples and runs, and what a second thread is worth."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cases import Case
from netphase.engine.problem import Stop


def train(case, steps, seed=0):
    from netphase.engine import descend

    out = descend(
        case.problem(),
        case.start(seed),
        learning_rate=case.learning_rate,
        stop=Stop(mean_square=0.0, max_steps=steps),
        tracked=case.m,
    )
    assert out.steps == steps


def exponent(sizes, seconds):
    """Slope of log seconds against log size."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def seconds_of(work, repeats):
    """Median process time of a call."""
    taken = []
    for _ in range(repeats):
        before = time.process_time()
        work()
        taken.append(time.process_time() - before)
    return float(np.median(taken))


SWEEPS = {
    "m": [Case(4, 2, m, "relu", "float64") for m in (1000, 4000, 16_000, 64_000)],
    "n": [Case(n, 2, 1000, "relu", "float64") for n in (8, 32, 128, 512)],
}


@pytest.mark.benchmark(group="scaling")
@pytest.mark.usefixtures("one_core")
@pytest.mark.parametrize("axis", ["m", "n"])
def test_cost_is_linear_in_size(axis, benchmark, note, quick):
    cases = SWEEPS[axis]
    budget = 3 * 10**6 if quick else 2 * 10**8
    sizes = [getattr(case, axis) for case in cases]
    per_step = []
    for case in cases:
        steps = max(10, budget // (case.n * case.m))
        per_step.append(seconds_of(lambda c=case, s=steps: train(c, s), 1 if quick else 5) / steps)
    slope = exponent(sizes, per_step)
    note(axis=axis, sizes=sizes, seconds=per_step, exponent=slope)
    benchmark.pedantic(lambda: train(cases[0], 10), rounds=1)
    assert quick or 0.8 < slope < 1.2


@pytest.mark.benchmark(group="scaling")
@pytest.mark.usefixtures("one_core")
def test_cost_is_linear_in_runs(benchmark, note, quick):
    case = Case(4, 2, 1000, "relu", "float64")
    steps = 200 if quick else 10_000
    sizes = [1, 4, 16]
    seconds = [
        seconds_of(lambda r=r: [train(case, steps, seed) for seed in range(r)], 1 if quick else 5)
        for r in sizes
    ]
    slope = exponent(sizes, seconds)
    note(axis="runs", sizes=sizes, seconds=seconds, exponent=slope)
    benchmark.pedantic(lambda: train(case, 10), rounds=1)
    assert quick or 0.95 < slope < 1.05


@pytest.mark.benchmark(group="threads")
@pytest.mark.parametrize("m", [1000, 10_000])
def test_two_threads_beat_one(m, benchmark, note, quick):
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one core only")
    case = Case(4, 2, m, "relu", "float64")
    steps = 200 if quick else 4 * 10**7 // m
    runs = 8

    def wall(threads):
        with ThreadPoolExecutor(threads) as pool:
            before = time.perf_counter()
            list(pool.map(lambda seed: train(case, steps, seed), range(runs)))
            return time.perf_counter() - before

    ratios = [wall(1) / wall(2) for _ in range(1 if quick else 7)]
    speedup = float(np.median(ratios))
    note(m=m, speedup=speedup, all_ratios=ratios)
    benchmark.pedantic(lambda: wall(2), rounds=1)
    assert speedup > 0.5
