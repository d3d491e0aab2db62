"""The exact overlap equations at a fast second layer against SciPy's DOP853 with NumPy formulas."""

import time

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from netphase.dynamics import ExactOverlaps
from netphase.engine.exact_overlaps import OverlapField, reference_rates

TIMES = (0.1, 1.0)
RTOL, ATOL = 1e-4, 1e-7


def by_scipy(dynamics, state):
    """States at `TIMES`, flat, with the formulas as they are written."""
    m = state.width

    def field(_, y):
        found = reference_rates(
            y[:m],
            y[m : 2 * m],
            y[2 * m :].reshape(m, m),
            dynamics.activation,
            dynamics.target,
            dynamics.epsilon,
        )
        return np.concatenate([found.a, found.s, found.r.ravel()])

    start = np.concatenate([state.a, state.s, state.r.ravel()])
    span = (0, TIMES[-1])
    return solve_ivp(field, span, start, method="DOP853", t_eval=TIMES, rtol=RTOL, atol=ATOL).y.T


@pytest.mark.benchmark(group="exact overlaps")
@pytest.mark.usefixtures("one_core")
def test_exact_overlaps_beat_an_explicit_method(benchmark, note, quick):
    m = 60 if quick else 400
    dynamics = ExactOverlaps([1.0, 1.0, 1.0, 1.0], [1.0, -1.0, 2 / 3, -1 / 3], epsilon=1e-3)
    state = dynamics.initial(m, outputs="uniform", stratified=True)

    def run(rtol=RTOL, atol=ATOL):
        return dynamics.solve(state, TIMES, rtol=rtol, atol=atol)

    ours = benchmark.pedantic(run, rounds=1 if quick else 3)
    began = time.perf_counter()
    theirs = by_scipy(dynamics, state)
    seconds = time.perf_counter() - began
    exact = run(1e-7, 1e-10)
    field, peer_risks = OverlapField(m, dynamics.activation, dynamics.target, 1e-3), []
    for y in theirs:
        field.look(y[m : 2 * m], y[2 * m :].reshape(m, m))
        peer_risks.append(field.risk(y[:m]))
    ratio = seconds / benchmark.stats.stats.median
    note(
        width=m,
        peer_seconds=seconds,
        ratio=ratio,
        error=float(np.abs(ours.risk - exact.risk).max()),
        peer_error=float(np.abs(peer_risks - exact.risk).max()),
    )
    assert np.abs(ours.risk - exact.risk).max() < 1e-4
    assert np.abs(peer_risks - exact.risk).max() < 1e-3
    assert quick or ratio > 5
