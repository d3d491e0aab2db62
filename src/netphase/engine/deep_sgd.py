"""Mini-batch gradient descent of ensembles of deep networks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from netphase._checks import positive_float, positive_int
from netphase._types import Array
from netphase.engine.deep import DeepProblem, DeepTrajectory, Ensemble
from netphase.engine.deep_arrays import Counts
from netphase.engine.problem import Stop
from netphase.errors import ArgumentError
from netphase.networks import LayerParameters


def descend_batches(
    problem: DeepProblem,
    parameters: LayerParameters,
    *,
    learning_rate: float,
    batch: int,
    random: np.random.Generator,
    stop: Stop,
    times: Array,
) -> DeepTrajectory:
    """W^[l] ← W^[l] − h η_l ∂R_B/∂W^[l], with R_B the loss on a batch B, the same for all networks.

    An epoch is one permutation of the samples cut into ⌊n/b⌋ batches; the n mod b samples left over
    sit this epoch out. So every batch is a uniform one, and its gradient has the mean of the full
    one. The loss on all data is looked up where the history has its rows, at the end of every
    epoch, and where a run ends; only there can it end a run.

    Args:
        problem: data, networks and precision.
        parameters: the start; not changed.
        learning_rate: h > 0, which is also what a step adds to the clock.
        batch: b, at most the number of samples.
        random: where the permutations come from.
        stop: when a run ends.
        times: when to keep parameters, shape (t,); steps are shortened to end there.

    Returns:
        The trajectories, with ``notes["epochs"]``, the passes through the data so far.

    Raises:
        ArgumentError: ``learning_rate`` or ``batch`` is out of its range.
    """
    rate, samples = positive_float("learning_rate", learning_rate), problem.x.shape[1]
    if positive_int("batch", batch) > samples:
        raise ArgumentError(
            f"Argument `batch` must be at most the number of samples, {samples}, but is {batch}."
        )
    with np.errstate(all="ignore"):  # a number that overflows ends its run
        run = Ensemble(problem, parameters, stop, times, parameters.weights[0].dtype)
        run.notes["epochs"] = np.zeros(len(run.ids))
        run.settle()
        for chosen, last in batches(random, samples, batch):
            if not run.running:
                break
            step, clock = run.shortened(np.full(len(run.ids), rate))
            run.descend_batch(step, chosen)
            run.notes["epochs"][run.ids] += batch / samples
            taken = int(run.steps[run.ids[0]]) + 1  # all networks are at the same step and time
            ends = bool(np.any(clock >= stop.time)) or taken >= stop.max_steps
            looks = run.due or last or ends
            if looks:
                run.look()
            run.advance(clock)
            if looks:
                run.settle()
    return run.trajectory("mini-batch gradient descent")


def batches(random: np.random.Generator, samples: int, batch: int) -> Iterator[tuple[Counts, bool]]:
    """Batches of one epoch after another, without end, in ascending order of their samples.

    Yields:
        The numbers of the samples, shape (b,), and whether this batch is the last of its epoch.
    """
    whole = samples - samples % batch
    while True:
        order = random.permutation(samples)
        for first in range(0, whole, batch):
            yield np.sort(order[first : first + batch]), first + batch == whole
