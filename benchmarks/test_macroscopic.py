"""The exact phase plane against SciPy's integrators called cell by cell, at equal accuracy."""

import time
import warnings

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from netphase import datasets
from netphase.dynamics import macroscopic_plane

DATA = datasets.linear()
GAMMA, GAMMA_PRIME, WIDTHS = np.linspace(0.5, 2, 41), np.linspace(-1, 1, 41), (1e12, 1e16)
CELLS = len(GAMMA) * len(GAMMA_PRIME) * len(WIDTHS)
TOLERANCES = {"DOP853": 1e-8, "LSODA": 1e-9}
"""Those at which the peers' relative changes are good to some 1e-10 (ours to some 1e-12)."""


def cell_by_scipy(gamma, gamma_prime, width, method):
    """RD_w at half of the reducible loss, from (Φ − I)′ = G(g)Φ as one would write it down."""
    n, d = DATA.x.shape
    z, sigma, one = DATA.x.T @ DATA.y / n, DATA.x.T @ DATA.x / n, np.eye(d + 1)
    ratio, capacity = width**-gamma_prime, 2 * width ** (1 - gamma)

    def mean(phi):
        return capacity * (ratio * phi[0, 0] * phi[1:, 0] + phi[1:, 1:] @ phi[0, 1:] / ratio)

    rate = np.linalg.norm(z)
    unit = 1 / (rate + capacity * (ratio + 1 / ratio))  # SciPy finds events to 1e-15 of time one

    def field(_, flat):
        phi = one + flat.reshape(d + 1, d + 1)
        drive = unit * (z - sigma @ mean(phi))
        return np.vstack([drive @ phi[1:], np.outer(drive, phi[0])]).ravel()

    def half(_, flat):
        return np.mean((DATA.y - DATA.x @ mean(one + flat.reshape(d + 1, d + 1))) ** 2) - 0.5

    half.terminal = True
    run = solve_ivp(
        field,
        (0, 100 / rate / unit),
        np.zeros((d + 1) ** 2),
        method=method,
        events=half,
        rtol=TOLERANCES[method],
        atol=1e-200,
        first_step=1e-3,
    )
    change = run.y_events[0][0].reshape(d + 1, d + 1)[1:]
    return np.hypot(np.linalg.norm(change[:, 1:]), ratio * np.linalg.norm(change[:, 0])) / d**0.5


@pytest.mark.benchmark(group="macroscopic plane")
@pytest.mark.usefixtures("one_core")
@pytest.mark.parametrize("method", TOLERANCES)
def test_the_plane_beats_a_loop_over_its_cells(method, benchmark, note, quick):
    def plane(rtol=1e-10):
        return macroscopic_plane(GAMMA, GAMMA_PRIME, WIDTHS, DATA, rtol=rtol)

    ours = benchmark.pedantic(plane, rounds=1 if quick else 3, warmup_rounds=0 if quick else 1)
    exact = plane(1e-12).relative_change_w
    some = np.random.default_rng(0).choice(CELLS, 6 if quick else 60, replace=False)
    places = np.array(np.unravel_index(some, exact.shape)).T
    errors, began = [], time.perf_counter()
    for i, j, k in places:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = cell_by_scipy(GAMMA[k], GAMMA_PRIME[j], WIDTHS[i], method)
        errors.append(abs(found / exact[i, j, k] - 1))
    theirs = (time.perf_counter() - began) * CELLS / len(places)
    error = float(np.abs(ours.relative_change_w / exact - 1).max())
    seconds = benchmark.stats.stats.median
    note(
        cells=CELLS,
        peer=method,
        peer_seconds=theirs,
        ratio=theirs / seconds,
        error=error,
        peer_error=float(np.max(errors)),
    )
    assert error < 1e-10
    assert np.max(errors) < 1e-8
    assert quick or seconds < 5
    assert quick or theirs / seconds > 3
