"""How a loss leaves one plateau for the next: when it is half-way, and how long it takes."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from netphase._types import Array
from netphase.observables.events import crossings

Halfway: TypeAlias = Literal["linear", "log"]
"""Whether parts of the way between two heights are parts of the loss or of its logarithm."""

FIRST, HALF, LAST = 0.9, 0.5, 0.1
"""Parts of the way between two heights that remain at the start, the time and the end."""

LN10 = math.log(10.0)


class Escape(NamedTuple):
    """The way of a loss from one plateau to the next.

    Where a loss crosses a level several times, for noise or because it comes back, what counts is
    how much log time it spends on the near side: the first crossing, less the second, plus the
    third, and so on.

    Attributes:
        time: when half of the way is done.
        error: its standard error, from the noise, from the errors of the two heights, and from how
            far crossings lie apart.
        start: when 10 % of the way are done; NaN where the records do not show it.
        end: when 90 % are done; NaN where the records do not show it.
        before: height of the plateau that is left.
        after: height of the next one; 0 where the loss falls below a tenth of the last height
            without another plateau.
    """

    time: float
    error: float
    start: float
    end: float
    before: float
    after: float

    @property
    def width(self) -> float:
        """Time from 90 % to 10 % of the way."""
        return self.end - self.start

    @property
    def decades(self) -> float:
        """The same in powers of ten of time."""
        return math.log10(self.end / self.start)


class Curve(NamedTuple):
    """A stretch of a loss curve.

    Attributes:
        time: increasing times > 0, shape (k,).
        y: log10 of the loss, shape (k,).
        error: standard error of ``y``, shape (k,).
    """

    time: Array
    y: Array
    error: Array


class Height(NamedTuple):
    """The height of a plateau, as a logarithm.

    Attributes:
        y: log10 of the loss; −∞ for 0.
        error: its standard error.
    """

    y: float
    error: float


NOTHING = Height(-math.inf, 0.0)
"""The height of no loss."""


def escape_of(curve: Curve, before: Height, after: Height, halfway: Halfway) -> Escape:
    """The escape that a curve from one plateau to the next shows.

    Args:
        curve: the curve from where it leaves the first height to where it reaches the second.
        before: the first height.
        after: the second height.
        halfway: in what the parts of the way are measured.

    Returns:
        The escape.
    """
    start, _ = _passage(curve, _level(before, after, FIRST, halfway))
    time, error = _passage(curve, _level(before, after, HALF, halfway))
    end, _ = _passage(curve, _level(before, after, LAST, halfway))
    return Escape(time, error, start, end, 10.0**before.y, 10.0**after.y)


def _level(before: Height, after: Height, part: float, halfway: Halfway) -> Height:
    """The loss where a part of the way remains."""
    if halfway == "log":
        y, weight = after.y + part * (before.y - after.y), part
    else:
        y = before.y + math.log10(part + (1 - part) * 10.0 ** (after.y - before.y))
        weight = part * 10.0 ** (before.y - y)
    return Height(y, math.hypot(weight * before.error, (1 - weight) * after.error))


def _passage(curve: Curve, level: Height) -> tuple[float, float]:
    """When a curve passes a level, and the standard error; NaN where it ends on the same side."""
    times = np.log(crossings(curve.time, curve.y, level.y))
    if len(times) % 2 == 0:
        return math.nan, math.nan
    signs = 1.0 - 2.0 * (np.arange(len(times)) % 2)
    time = math.exp(float(signs @ times))
    index = int(np.searchsorted(curve.time, math.exp(times[-1]), side="right"))
    index = min(max(index, 1), len(curve.time) - 1)
    rise = float(curve.y[index] - curve.y[index - 1])
    run = math.log(float(curve.time[index] / curve.time[index - 1]))
    blur = math.hypot(float(curve.error[index]), level.error) * run / abs(rise) if rise else 0.0
    apart = float(times[-1] - times[0]) / 2
    return time, time * math.hypot(blur, apart / math.sqrt(len(times)))
