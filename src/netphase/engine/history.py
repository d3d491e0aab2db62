"""What a run notes down on its way, and the tests that end it, for the methods written in NumPy."""

from __future__ import annotations

import math
import threading

from netphase._types import Status
from netphase.engine.problem import Records, Stop, record_array

RECORD_RATIO = 1.05
"""Steps between two records grow by this factor: about 300 rows in ten million steps."""

DIVERGED_FACTOR = 1e8
"""A mean square that has grown this many times over its start has diverged."""

STAGNATION_STEPS = 10_000
"""A run is called stagnated after so many steps at least."""

GIVE_UP = threading.Event()
"""Set while every run of this process is asked to give up; see `netphase.engine.request_stop`."""


def next_row(steps: int) -> int:
    """Steps at the row that follows the one after so many."""
    return max(steps + 1, math.ceil(steps * RECORD_RATIO))


class History:
    """The records of one run, about one row every 5 % more steps."""

    def __init__(self) -> None:
        self._rows: list[tuple[float, int, float, float, float]] = []
        self._due = 0

    def due(self, steps: int) -> bool:
        """Whether a row should be noted after this many steps."""
        return steps >= self._due

    def note(
        self, time: float, steps: int, mean_square: float, change_a: float, change_w: float
    ) -> None:
        """Adds one row, unless the last one is of the same step."""
        if self._rows and self._rows[-1][1] == steps:
            return
        self._rows.append((time, steps, mean_square, change_a, change_w))
        self._due = next_row(steps)

    def records(self) -> Records:
        """The rows so far, as arrays of shape (t,)."""
        columns = (record_array(list(map(float, each))) for each in zip(*self._rows, strict=True))
        return Records(*columns)


class Judge:
    """Applies a `Stop` to a run as it goes.

    Args:
        stop: the conditions.
        mean_square: mean square error at the start.
        patience: least number of steps before a run can be called stagnated.
    """

    def __init__(self, stop: Stop, mean_square: float, patience: int = STAGNATION_STEPS) -> None:
        self._stop, self._patience = stop, patience
        self._limit = DIVERGED_FACTOR * max(mean_square, stop.mean_square)
        self._anchor = (0, mean_square)

    @property
    def limit(self) -> float:
        """The mean square above which the run has diverged."""
        return self._limit

    def untested(self, steps: int) -> int:
        """Steps until the number of them may end the run; before, its other conditions may."""
        tests = self._next_test() if self._stop.stagnation > 0.0 else self._stop.max_steps
        return min(tests, self._stop.max_steps) - steps

    def verdict(self, time: float, steps: int, mean_square: float) -> Status | None:
        """Why the run ends here, or None while it goes on.

        Raises:
            KeyboardInterrupt: another thread asked all runs to give up.
        """
        if GIVE_UP.is_set():
            raise KeyboardInterrupt
        stop = self._stop
        if not math.isfinite(mean_square):
            return Status.NON_FINITE
        if mean_square <= stop.mean_square:
            return Status.CONVERGED
        if mean_square > self._limit:
            return Status.DIVERGED
        if time >= stop.time:
            return Status.TIME_REACHED
        if self._stagnates(steps, mean_square):
            return Status.STAGNATED
        return Status.MAX_STEPS if steps >= stop.max_steps else None

    def _next_test(self) -> int:
        start = self._anchor[0]
        return max(2 * start, start + self._patience)

    def _stagnates(self, steps: int, mean_square: float) -> bool:
        if self._stop.stagnation <= 0.0 or steps < self._next_test():
            return False
        before, self._anchor = self._anchor[1], (steps, mean_square)
        return mean_square > (1.0 - self._stop.stagnation) * before


def last_step(step: float, time: float, stop: Stop) -> tuple[float, float]:
    """The step, shortened to end at ``stop.time``, and the clock after it."""
    left = stop.time - time
    if step >= left * (1.0 - 1e-12):
        return left, stop.time
    return step, time + step
