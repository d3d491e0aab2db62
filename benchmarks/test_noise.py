"""Right-hand sides with the noise of one-pass descent against literal loops over the integrals."""

import time

import numpy as np
import pytest

from netphase.dynamics import CommitteeOverlaps
from netphase.kernels import erf_force, erf_quartic


def literal(c, b, units, rate):
    """Q̇ and Ṙ as they are written, every sum of I₃ and I₄ as one array of covariances."""
    p = len(b)
    i, k, q = np.meshgrid(np.arange(units), np.arange(p), np.arange(p), indexing="ij")
    three = np.stack([i, k, q], axis=-1)
    forces = erf_force(c[three[..., :, None], three[..., None, :]]) @ b
    i, j, k, q = np.meshgrid(
        np.arange(units), np.arange(units), np.arange(p), np.arange(p), indexing="ij"
    )
    four = np.stack([i, j, k, q], axis=-1)
    noise = erf_quartic(c[four[..., :, None], four[..., None, :]]) @ b @ b
    turned = rate * (forces[:, :units] + forces[:, :units].T) + rate**2 * noise
    return turned, rate * forces[:, units:]


@pytest.mark.benchmark(group="noise of one-pass descent")
@pytest.mark.parametrize("units", [4, 10])
@pytest.mark.usefixtures("one_core")
def test_the_right_hand_side_beats_literal_sums(benchmark, note, units, quick):
    dynamics = CommitteeOverlaps(4, rate=0.8)
    state = dynamics.initial(units, 50)
    field = dynamics._field()
    found = benchmark.pedantic(
        field.rates,
        (state.q, state.r, state.v),
        rounds=2 if quick else 20,
        iterations=1 if quick else 50,
        warmup_rounds=1,
    )
    c = np.block([[state.q, state.r], [state.r.T, dynamics.teacher]])
    b = np.concatenate([-state.v, dynamics.outputs])
    began = time.perf_counter()
    turned, along = literal(c, b, units, 0.8)
    seconds = time.perf_counter() - began
    error = max(np.abs(found.q - turned).max(), np.abs(found.r - along).max())
    ratio = seconds / benchmark.stats.stats.median
    note(units=units, peer_seconds=seconds, ratio=ratio, error=float(error))
    assert error < 1e-12
    assert quick or ratio > (2 if units == 4 else 20)
