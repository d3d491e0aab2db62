"""Training of wide networks: the late decay of their loss against the kernels' eigenvalues."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from netphase._types import Array, Status
from netphase.concentration.limits import Limit, eigenvalues
from netphase.datasets import Dataset
from netphase.dynamics import DeepGradientDynamics, Descent, Flow, evolve
from netphase.engine import Stop
from netphase.engine.deep import DeepTrajectory
from netphase.kernels import tangent_kernel
from netphase.kernels.modes import LinearModes
from netphase.networks import LayerParameters, MultiLayerNetwork, initial_layer_parameters
from netphase.observables import kernel_change

Flags = npt.NDArray[np.bool_]

LATE = 100.0
"""The late part of a run is where the loss is at most so many times the last one."""

FEWEST = 3
"""Records that a decay is fitted to at least."""


class TrainedRun(NamedTuple):
    """One trained network, and what its kernels at the start say of it.

    Attributes:
        time: t, shape (t,).
        mean_square: (1/n) Σ e², shape (t,).
        limit_mean_square: the same with the limiting kernel for good, from the network's e(0). Of
            a literal descent the mean step between two records is used: the late decay is that
            with every single step to 1e-5 also where steps vary twofold (four inputs, features
            that move).
        start_mean_square: the same with the network's own kernel at the start.
        decay: rates of the loss late in the run: measured, of the limit and of the own kernel.
        kernel_change: ‖Θ(t) − Θ(0)‖_F/‖Θ(0)‖_F in the end.
        kernel_turn: 1 − cosine of Θ(t) and Θ(0) in the end.
        end_least: λ_min(Θ) in the end.
        steps: accepted steps.
        status: why it ended.
    """

    time: Array
    mean_square: Array
    limit_mean_square: Array
    start_mean_square: Array
    decay: tuple[float, float, float]
    kernel_change: float
    kernel_turn: float
    end_least: float
    steps: int
    status: Status


def train(
    network: MultiLayerNetwork,
    data: Dataset,
    seeds: tuple[int, ...],
    limit: Limit,
    method: Descent | Flow,
    stop: Stop,
) -> list[TrainedRun]:
    """Trains networks of one width from every seed; every output learns the same targets.

    Args:
        network: the map.
        data: inputs and targets.
        seeds: one network each.
        limit: of their kernels.
        method: how they are trained.
        stop: when a run ends.

    Returns:
        One run a seed.
    """
    y = targets(data, network.outputs)
    task = DeepGradientDynamics(network, data.x, y)
    start = initial_layer_parameters(network, seeds)
    run = evolve(task, method, start, stop=stop)
    residual = task.residual(start).reshape(len(seeds), -1)
    literal = isinstance(method, Descent) and not method.automatic
    return [
        _finished(network, data.x, run, seed, residual[seed], limit, literal)
        for seed in range(len(seeds))
    ]


def targets(data: Dataset, outputs: int) -> Array:
    """The targets for every output, shape (n,) for one and (n, k) for more."""
    return data.y if outputs == 1 else np.repeat(data.y[:, None], outputs, axis=1)


def late_decay(time: Array, mean_square: Array, window: Flags) -> float:
    """Rate of an exponential decay, by least squares to the logarithm in a window of records.

    Args:
        time: t, shape (t,).
        mean_square: shape (t,).
        window: which records count, bools, shape (t,).

    Returns:
        r of mean square ∝ exp(−r t); NaN with fewer than three records that are positive.
    """
    used = window & (mean_square > 0.0)
    if np.count_nonzero(used) < FEWEST or np.ptp(time[used]) == 0.0:
        return np.nan
    t = time[used] - time[used].mean()
    return float(-(t @ np.log(mean_square[used])) / (t @ t))


def _finished(
    network: MultiLayerNetwork,
    x: Array,
    run: DeepTrajectory,
    seed: int,
    residual: Array,
    limit: Limit,
    literal: bool,
) -> TrainedRun:
    """What one network of an ensemble leaves."""
    kept = np.isfinite(run.time[:, seed])
    time, square = run.time[kept, seed], run.mean_square[kept, seed]
    before, after = (_kernel(network, each, seed, x) for each in (run.initial, run.final))
    taken = run.record_steps[kept, seed] if literal else None
    told = [_frozen(each, residual, len(x), time, taken) for each in (limit.tangent, before)]
    risen = run.status[seed] in (Status.DIVERGED, Status.NON_FINITE)  # and has no decay
    window = (square <= LATE * square[-1]) & (not risen)
    change = kernel_change(before, after)
    return TrainedRun(
        time=time,
        mean_square=square,
        limit_mean_square=told[0],
        start_mean_square=told[1],
        decay=(
            late_decay(time, square, window),
            late_decay(time, told[0], window),
            late_decay(time, told[1], window),
        ),
        kernel_change=float(change.relative),
        kernel_turn=float(change.distance),
        end_least=float(eigenvalues(after)[0]),
        steps=int(run.steps[seed]),
        status=run.status[seed],
    )


def _frozen(kernel: Array, residual: Array, n: int, time: Array, steps: Array | None) -> Array:
    """The mean square error if the kernel stayed, of the flow or after steps, shape (t,)."""
    if not np.all(np.isfinite(kernel)):
        return np.full(len(time), np.nan)
    modes = LinearModes(kernel, residual, n)
    return modes.mean_square(time) if steps is None else modes.descended_mean_square(time, steps)


def _kernel(network: MultiLayerNetwork, parameters: LayerParameters, seed: int, x: Array) -> Array:
    """Θ of one network of an ensemble, shape (nk, nk)."""
    parts = (tuple(each[seed : seed + 1] for each in part) for part in parameters)
    with np.errstate(all="ignore"):  # the weights of a run that has failed may overflow
        return np.asarray(tangent_kernel(network, LayerParameters(*parts), x).total[0])
