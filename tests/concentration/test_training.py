"""Trainings: what a kernel that stays would give after the steps that were made."""

import numpy as np
import pytest

from netphase import activations, datasets
from netphase._types import Status
from netphase.concentration.limits import Limit
from netphase.concentration.training import late_decay, train
from netphase.dynamics import Descent
from netphase.engine import Stop
from netphase.engine.deep import Ensemble
from netphase.kernels import deep_kernels
from netphase.networks import MultiLayerNetwork
from netphase.scalings import layer_initialisation


def test_the_limit_decays_by_the_steps_that_were_made(monkeypatch):
    """Few inputs in many dimensions, features that move: steps vary, and matter."""
    lengths, descend = [], Ensemble.descend

    def noted(self, h, *rest, **more):
        made = descend(self, h, *rest, **more)  # so many steps of one length
        lengths.extend([float(h[0])] * int(made[0]))
        return made

    monkeypatch.setattr(Ensemble, "descend", noted)
    data = datasets.load("gaussian?n=4&inputs=16")
    scales = layer_initialisation("mean_field", 1, data.d).at_width(64)
    network = MultiLayerNetwork(activations.get("tanh"), scales, data.d, kind="antisymmetric")
    limit = Limit(deep_kernels(data.x, scales, "tanh"), 1, network.copies)
    stop = Stop(mean_square=1e-9, max_steps=1000)
    run = train(network, data, (2,), limit, Descent("stable"), stop)[0]
    h = np.array(lengths)
    assert len(h) == run.steps
    assert h.max() > 1.5 * h.min()
    values, modes = np.linalg.eigh(limit.tangent)
    factors = np.cumprod(1 - h[:, None] * values / data.n, axis=0)
    residual = np.vstack([data.y, data.y @ modes * factors @ modes.T])
    squares = np.mean(residual**2, axis=1)
    clock = np.append(0.0, np.cumsum(h))
    rows = np.searchsorted(clock, run.time * (1 - 1e-12))
    np.testing.assert_allclose(run.limit_mean_square, squares[rows], rtol=1e-3)
    window = run.mean_square <= 100 * run.mean_square[-1]
    assert run.decay[1] == pytest.approx(late_decay(run.time, squares[rows], window), rel=1e-4)


def test_a_loss_that_has_risen_beyond_measure_has_no_decay():
    data = datasets.load("linear")
    scales = layer_initialisation("ntk", 2, data.d).at_width(16)
    network = MultiLayerNetwork(activations.get("relu"), scales, data.d)
    limit = Limit(deep_kernels(data.x, scales, "relu"), 1, network.copies)
    run = train(network, data, (0,), limit, Descent(1e6), Stop(max_steps=1000))[0]
    assert run.status is Status.DIVERGED
    assert np.isnan(run.decay).all()
