"""Condensation of a wide layer: summaries against scikit-learn's cosine matrix, and counting."""

import time

import numpy as np
import pytest

from netphase.networks import Parameters, initial_parameters
from netphase.observables import condensed_directions, cosine_summary, features

M, D = 20_000, 10


def condensed():
    """Four directions with a little scatter."""
    w = np.vstack([np.eye(D)[:2], -np.eye(D)[:2]])[np.arange(M) % 4]
    noise = 0.02 * np.random.default_rng(0).standard_normal(w.shape)
    return features(Parameters(np.ones(M), w + noise))


def uncondensed(d=D):
    """Weights as they are drawn."""
    return features(initial_parameters(M, d, 0, antisymmetric=False))


def median_seconds(work, repeats):
    """Median wall time of a call, after one that does not count."""
    work()
    taken = []
    for _ in range(repeats):
        before = time.perf_counter()
        work()
        taken.append(time.perf_counter() - before)
    return float(np.median(taken))


@pytest.mark.benchmark(group="condensation")
@pytest.mark.usefixtures("one_core")
@pytest.mark.parametrize("weighted", [False, True])
def test_cosine_summaries_beat_the_matrix(weighted, benchmark, note, quick):
    pairwise = pytest.importorskip("sklearn.metrics.pairwise")
    cloud = uncondensed()
    some = cloud.direction[: 2000 if quick else M]
    matrix = median_seconds(lambda: pairwise.cosine_similarity(some), 1 if quick else 3)
    matrix *= (M / len(some)) ** 2
    benchmark(lambda: cosine_summary(cloud, weighted))
    ours = benchmark.stats.stats.median
    note(m=M, d=D, weighted=weighted, matrix_seconds=matrix, ratio=matrix / ours)
    small = features(Parameters(np.ones(500), cloud.direction[:500]))
    square = float(np.mean(pairwise.cosine_similarity(cloud.direction[:500]) ** 2))
    assert cosine_summary(small).mean_square_cosine == pytest.approx(square)
    assert quick or matrix / ours > 500


@pytest.mark.benchmark(group="condensation")
@pytest.mark.usefixtures("one_core")
@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize("cloud", ["condensed", "uncondensed"])
def test_directions_are_counted_fast(cloud, lines, benchmark, note, quick):
    neurons = {"condensed": condensed, "uncondensed": uncondensed}[cloud]()
    rounds = 1 if quick else 7
    found = benchmark.pedantic(
        lambda: condensed_directions(neurons, lines=lines), rounds=rounds, warmup_rounds=1
    )
    note(m=M, d=D, cloud=cloud, lines=lines, directions=found.count)
    assert cloud == "uncondensed" or found.count == (2 if lines else 4)
    assert quick or benchmark.stats.stats.median < 0.2
