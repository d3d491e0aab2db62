"""Mean-field runs of one case: solutions with rows where degrees are learnt, and their windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from netphase._types import Array
from netphase.dynamics import MeanFieldOverlaps, OverlapSolution
from netphase.learning import timescales
from netphase.observables import learning_windows
from netphase.reproductions.berthier2023 import setting

if TYPE_CHECKING:
    import xarray as xr

RTOL = 1e-9
ROWS, NEAR, REACH = 800, 801, 0.6
"""Rows evenly spaced in log time, and around each t_l, from 1 − 0.6 to 1 + 0.6 of it."""

COARSE = 61
"""Rows in log time and around each t_l for thousands of neurons, whose states fill the memory."""


@dataclass(frozen=True)
class Flow:
    """A solution with its windows.

    Attributes:
        model: the equations.
        solution: its solution, rows dense around every t_l.
        start: last time at which |ρ_l| is 90 % of |φ_l|, shape (k,); NaN where more is left
            at the end, 0 where less is from the start on.
        end: the same for 10 %.
    """

    model: MeanFieldOverlaps
    solution: OverlapSolution
    start: Array
    end: Array

    @property
    def times(self) -> Array:
        """t_l, last times at which |ρ_l| is half of |φ_l|, shape (k,)."""
        return self.solution.crossing_times

    @property
    def width(self) -> Array:
        """Lengths of the windows, shape (k,)."""
        return self.end - self.start

    def at(self, time: float, values: Array) -> float:
        """A quantity of the solution at a time, by interpolation in log time."""
        clock = self.solution.time[1:]
        return float(np.interp(np.log(time), np.log(clock), values[1:]))


def flow(
    epsilon: float,
    end: float,
    *,
    activation: tuple[float, ...] = setting.SIGMA,
    target: tuple[float, ...] = setting.PHI,
    atoms: Array | tuple[float, ...] = setting.ATOMS,
    weights: Array | None = None,
    overlaps: Array | None = None,
    near: int | None = None,
) -> Flow:
    """Solve one case to an end.

    Args:
        epsilon: ε.
        end: last time.
        activation: σ_k.
        target: φ_k, as many.
        atoms: a_i(0), shape (m,).
        weights: their probabilities; None for equal ones.
        overlaps: s_i(0), shape (m,); None for zeros.
        near: rows in log time, and around each t_l; None for 800 and 801.

    Returns:
        The solution and its windows.
    """
    model = MeanFieldOverlaps(
        epsilon, np.array(activation), np.array(target), np.array(atoms), weights, overlaps
    )
    times = model.solve(end=end, rtol=RTOL).crossing_times
    rows = _rows(epsilon, end, times, near)
    solution = model.solve(times=rows, rtol=RTOL)
    windows = learning_windows(solution.time, solution.residuals, model.target)
    return Flow(model, solution, windows.start, windows.end)


def base_study(epsilons: tuple[float, ...], end: float) -> xr.Dataset:
    """The base case as `netphase.timescales` tells it, for its figures."""
    return timescales(setting.SIGMA, setting.PHI, outputs=setting.ATOMS, epsilons=epsilons, end=end)


def _rows(epsilon: float, end: float, times: Array, near: int | None) -> Array:
    """0, the end, rows evenly spaced in log time, and rows around each t_l."""
    spaced = np.linspace(1 - REACH, 1 + REACH, near or NEAR)
    windows = [time * spaced for time in times if time > 0.0]
    rows = np.concatenate([[0.0, end], np.geomspace(1e-3 * epsilon, end, near or ROWS), *windows])
    return np.unique(rows[rows <= end])
