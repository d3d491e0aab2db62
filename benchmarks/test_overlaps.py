"""Mean-field overlaps: five ε, many atoms, and general stiff solvers at equal accuracy.

The peers are SciPy's LSODA and Radau with the exact Jacobian as a dense matrix. A run's error is
the largest over six times, from the first stage to the end, of the relative errors of a, of s and
of the square root of the risk, against this solver at its tightest tolerance. Each peer takes the
loosest tolerance at which it is at least as accurate as netphase at its default.
"""

import time

import numpy as np
import pytest

from netphase.dynamics import MeanFieldOverlaps

SIGMA, PHI = np.ones(4), np.array([1.0, -1.0, 2 / 3, -1 / 3])
FOUR = np.array([-1.5, -0.5, 0.4, 1.7])
TIMES = np.array([1e-8, 1e-5, 5e-4, 5e-3, 0.05, 1.0])
TOLERANCES = 10.0 ** -np.arange(4, 11)


def spread(m):
    """Atoms in the middle of m equal parts of [−1.5, 1.7]."""
    return -1.5 + 3.2 * (np.arange(m) + 0.5) / m


def timed(run):
    before = time.process_time()
    return run(), time.process_time() - before


def error(found, truth):
    """Largest relative error of a, s and √R over the rows; both are (a, s, risk)."""
    parts = [
        np.linalg.norm(found[i] - truth[i], axis=1) / np.linalg.norm(truth[i], axis=1)
        for i in (0, 1)
    ]
    floor = 1e-3 * np.sqrt(truth[2][0])
    roots = [np.sqrt(each[2]) for each in (found, truth)]
    parts.append(np.abs(roots[0] - roots[1]) / np.maximum(roots[1], floor))
    return float(np.max(parts))


def parts(solution):
    return solution.a, solution.s, solution.risk


def peer(model, method, rtol):
    from scipy.integrate import solve_ivp

    from netphase.engine.overlaps.reference import linearise, residuals, velocity

    problem, m = model.problem(), len(model.atoms)
    found = solve_ivp(
        lambda _, u: velocity(problem, u.reshape(m, 2)).ravel(),
        (0.0, TIMES[-1]),
        np.column_stack([model.atoms, np.zeros(m)]).ravel(),
        method=method,
        t_eval=TIMES,
        rtol=rtol,
        atol=1e-4 * rtol * np.sqrt(model.epsilon),
        jac=lambda _, u: linearise(problem, u.reshape(m, 2)).dense(),
    )
    states = found.y.T.reshape(-1, m, 2)
    risk = np.array([0.5 * np.sum(residuals(problem, u) ** 2) for u in states])
    return states[:, :, 0], states[:, :, 1], risk


@pytest.mark.benchmark(group="overlaps", timer=time.process_time)
@pytest.mark.usefixtures("one_core")
def test_five_epsilons(benchmark, note):
    models = [MeanFieldOverlaps(e, SIGMA, PHI, FOUR) for e in 10.0 ** -np.arange(4, 13, 2)]
    found = benchmark.pedantic(lambda: [each.solve(end=1.0) for each in models], rounds=5)
    truth = [each.solve(end=1.0, rtol=1e-10).crossing_times for each in models]
    gaps = [np.max(np.abs(f.crossing_times / t - 1)) for f, t in zip(found, truth, strict=True)]
    seconds = timed(lambda: [each.solve(end=1.0) for each in models])[1]
    note(
        what="4 atoms, five ε", seconds=seconds, steps=sum(f.steps for f in found), error=max(gaps)
    )
    assert max(gaps) < 1e-5
    assert seconds < 3.0


@pytest.mark.benchmark(group="overlaps", timer=time.process_time)
@pytest.mark.usefixtures("one_core")
def test_four_thousand_atoms(benchmark, note):
    model = MeanFieldOverlaps(1e-8, SIGMA, PHI, spread(4000))
    found, seconds = timed(lambda: model.solve(end=1.0))
    benchmark.pedantic(lambda: model.solve(end=1.0), rounds=1)
    truth = model.solve(end=1.0, rtol=1e-9).crossing_times
    gap = np.max(np.abs(found.crossing_times / truth - 1))
    note(what="4000 atoms, ε = 1e-8", seconds=seconds, steps=found.steps, error=gap)
    assert gap < 1e-4
    assert seconds < 10.0


@pytest.mark.benchmark(group="overlaps", timer=time.process_time)
@pytest.mark.usefixtures("one_core")
def test_cost_is_linear_in_the_atoms(benchmark, note, quick):
    cost, sizes = [], np.array([500, 2000, 8000, 32000])
    for m in sizes:
        model = MeanFieldOverlaps(1e-8, SIGMA, PHI, spread(m))
        runs = [
            timed(lambda model=model: model.solve(times=[1.0])) for _ in range(1 if quick else 3)
        ]
        cost.append(min(seconds / found.steps for found, seconds in runs))
    benchmark.pedantic(lambda: model.solve(times=[1.0], max_steps=20), rounds=1)
    slope = np.polyfit(np.log(sizes), np.log(cost), 1)[0]
    note(
        what="cost of a step against atoms",
        slope=slope,
        nanoseconds_an_atom=1e9 * cost[-1] / sizes[-1],
    )
    assert 0.8 < slope < 1.3


@pytest.mark.benchmark(group="overlaps", timer=time.process_time)
@pytest.mark.usefixtures("one_core")
@pytest.mark.parametrize("method", ["LSODA", "Radau"])
def test_general_stiff_solvers(method, benchmark, note):
    model = MeanFieldOverlaps(1e-8, SIGMA, PHI, spread(50))
    truth = parts(model.solve(times=TIMES, rtol=1e-10))
    found = benchmark.pedantic(lambda: model.solve(times=TIMES), rounds=5)
    seconds = min(timed(lambda: model.solve(times=TIMES))[1] for _ in range(5))
    ours = error(parts(found), truth)
    for rtol in TOLERANCES:
        states, theirs = timed(lambda rtol=rtol: peer(model, method, rtol))
        reached = error(states, truth) if len(states[0]) == len(TIMES) else np.inf
        if reached <= ours:
            break
    else:
        pytest.fail(f"{method} is nowhere as accurate as {ours}")
    note(
        what=f"50 atoms against {method}",
        seconds=seconds,
        peer_seconds=theirs,
        peer_rtol=rtol,
        times_faster=theirs / seconds,
        error=ours,
        peer_error=reached,
    )
    assert theirs / seconds > 10.0
