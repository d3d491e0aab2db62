"""At which times to look at a run so that from one look to the next about equally much happens."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from netphase._types import Array
from netphase.dynamics import Trajectory
from netphase.networks import Parameters
from netphase.observables import Features, features


def progress_of_records(trajectory: Trajectory) -> Array:
    """How much has happened until each record of a run, from its loss and relative changes.

    The length of the path of (growth, turn, log loss), with the growth log (1 + RD_w)(1 + RD_a)
    and the turn arctan RD_w, each in units of its range; what `progress_of_states` measures more
    exactly from the parameters.

    Args:
        trajectory: a run, its records finite.

    Returns:
        Non-decreasing numbers from 0 on, shape (t,).
    """
    change_w, change_a = trajectory.relative_change_w, trajectory.relative_change_a
    growth = np.log1p(change_w) + np.log1p(change_a)
    loss = np.log(np.maximum(trajectory.mean_square, 1e-300))
    columns = (growth / _range(growth), np.arctan(change_w) / math.pi, loss / _range(loss))
    steps = np.sqrt(sum(np.diff(column) ** 2 for column in columns))
    return np.concatenate([[0.0], np.cumsum(steps)])


def _range(values: Array) -> float:
    """What counts as the whole way of a quantity: at least one unit of its logarithm."""
    return max(1.0, float(np.ptp(values)))


def progress_of_states(
    states: Iterable[tuple[float, float, Parameters]], tracked: int
) -> tuple[Array, Array]:
    """How much has happened until each of some states, from the neurons themselves.

    The length of the path in the picture of orientation and amplitude: root mean square over the
    neurons of the change of asinh(amplitude/initial amplitude) and of the direction, and the
    change of log loss, each in units of its range.

    Args:
        states: time, mean square error and parameters, in order; only two are held at a time.
        tracked: neurons that count, the first so many.

    Returns:
        Times, and non-decreasing numbers from 0 on, both of shape (t,).
    """
    times: list[float] = []
    sizes: list[float] = []
    losses: list[float] = []
    moved: list[tuple[float, float]] = []
    before: Features | None = None
    unit = 1.0
    for time, mean_square, parameters in states:
        now = features(parameters, tracked)
        if before is None:
            unit = float(np.sqrt(np.mean(now.amplitude**2))) or 1.0
        else:
            moved.append(_moved(before, now, unit))
        times.append(time)
        sizes.append(float(np.mean(np.arcsinh(now.amplitude / unit))))
        losses.append(math.log(max(mean_square, 1e-300)))
        before = now
    growth, turn = np.reshape(moved, (-1, 2)).T
    loss = np.array(losses)
    steps = np.sqrt(
        (growth / _range(np.array(sizes))) ** 2
        + (turn / math.pi) ** 2
        + (np.diff(loss) / _range(loss)) ** 2
    )
    return np.array(times), np.concatenate([[0.0], np.cumsum(steps)])


def _moved(before: Features, now: Features, unit: float) -> tuple[float, float]:
    """Root mean square growth and turn of the neurons between two states."""
    growth = np.arcsinh(now.amplitude / unit) - np.arcsinh(before.amplitude / unit)
    cosine = np.clip(np.einsum("kd,kd->k", before.direction, now.direction), -1.0, 1.0)
    there = before.direction.any(axis=1) & now.direction.any(axis=1)
    turn = np.where(there, np.arccos(cosine), 0.0)
    return float(np.sqrt(np.mean(growth**2))), float(np.sqrt(np.mean(turn**2)))


def even_times(time: Array, progress: Array, count: int, grain: float | None = None) -> Array:
    """Times between which the progress grows evenly.

    Args:
        time: increasing times from 0 on, shape (t,).
        progress: what has happened until then, non-decreasing, shape (t,).
        count: how many times, both ends included, ≥ 2.
        grain: multiples of this are wanted (steps of a fixed size); any time if None.

    Returns:
        Increasing times from the first to the last, shape (count,); fewer where they are multiples
        of ``grain``, and only the ends where nothing happens.

    Example:
        >>> even_times(np.array([0.0, 1.0, 3.0]), np.array([0.0, 2.0, 4.0]), 3).tolist()
        [0.0, 1.0, 3.0]
    """
    from scipy.interpolate import PchipInterpolator

    least = 1e-9 * float(progress[-1])
    kept = [0]
    for k in range(1, len(time)):
        if progress[k] > progress[kept[-1]] + least and time[k] > time[kept[-1]]:
            kept.append(k)
    if len(kept) < 2:
        return np.unique(time[[0, -1]])
    at = PchipInterpolator(progress[kept], time[kept])
    times = np.asarray(at(np.linspace(0.0, progress[kept[-1]], count)))
    if grain is not None:
        times = np.round(times / grain) * grain
    times[0], times[-1] = time[0], time[-1]
    inside = times[(times > time[0]) & (times < time[-1])]
    return np.unique(np.concatenate([time[:1], inside, time[-1:]]))
