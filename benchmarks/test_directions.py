"""Prediction of condensed directions against SciPy called start by start and neuron by neuron."""

import time

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import minimize

from netphase import datasets
from netphase.directions import Landscape, escape_times, predicted_directions

DATA = datasets.sines()
RESTARTS, NEURONS = 400, 1000


def maximum(f, start):
    """A maximum of F on the sphere, by BFGS with the length of w held near one."""

    def fall(w):
        size = np.linalg.norm(w)
        u, value = w / size, f.value(w / size)
        slope = -(f.gradient(u) - f.degree * value * u) / size
        return -value + (size - 1) ** 2, slope + 2 * (size - 1) * u

    w = minimize(fall, start, jac=True, method="BFGS").x
    return w / np.linalg.norm(w)


@pytest.mark.benchmark(group="directions")
@pytest.mark.usefixtures("one_core")
@pytest.mark.parametrize("p", [1, 2, 3, 4])
def test_directions_are_predicted_fast(p, benchmark, note, quick):
    found = benchmark.pedantic(
        lambda: predicted_directions(
            DATA, multiplicity=p, restarts=RESTARTS, neurons=100 if quick else NEURONS
        ),
        rounds=1 if quick else 5,
        warmup_rounds=1,
    )
    f, some = Landscape(DATA.x, DATA.y / DATA.n, p), 3 if quick else 40
    starts = np.random.default_rng(0).standard_normal((some, DATA.d))
    size = np.abs(f.weights) @ np.linalg.norm(f.x, axis=1) ** p
    scaled = Landscape(f.x, f.weights / size, p)
    before = time.perf_counter()
    ends = [maximum(scaled, start) for start in starts]
    search = (time.perf_counter() - before) * RESTARTS / some
    note(n=DATA.n, d=DATA.d, p=p, directions=found.count, scipy_search_seconds=search)
    if p > 1:
        every = np.concatenate([found.directions[found.sign_of_a > 0], found.shrinking])
        assert all((every @ u).max() > 1 - 1e-4 for u in ends if f.value(u) > 0)
    assert quick or benchmark.stats.stats.median < 2


@pytest.mark.benchmark(group="directions")
@pytest.mark.usefixtures("one_core")
@pytest.mark.parametrize("p", [2, 3])
def test_escape_times_are_integrated_together(p, benchmark, note, quick):
    growth, some = 30.0, 3 if quick else 30
    random = np.random.default_rng(1)
    a, w = random.standard_normal(NEURONS), random.standard_normal((NEURONS, DATA.d))
    times = benchmark.pedantic(
        lambda: escape_times(DATA, None, a, w, growth, multiplicity=p),
        rounds=1 if quick else 3,
        warmup_rounds=1,
    )
    f = Landscape(DATA.x, DATA.y / DATA.n, p)

    def by_scipy(k):
        start = np.append(a[k], w[k])
        size = np.linalg.norm(start)

        def rates(_, state):
            return np.append(f.value(state[1:]), state[0] * f.gradient(state[1:]))

        def grown(_, state):
            return np.linalg.norm(state) / size - growth

        grown.terminal = True
        span = (0, 2 * times[k] if np.isfinite(times[k]) else 1.0)
        end = solve_ivp(rates, span, start, "DOP853", rtol=1e-10, atol=1e-12, events=grown)
        return end.t_events[0][0] if len(end.t_events[0]) else np.inf

    before = time.perf_counter()
    expected = np.array([by_scipy(k) for k in range(some)])
    peer = (time.perf_counter() - before) * NEURONS / some
    note(n=DATA.n, d=DATA.d, p=p, m=NEURONS, scipy_seconds=peer)
    np.testing.assert_allclose(times[:some], expected, rtol=1e-7)
