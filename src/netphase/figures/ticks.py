"""Labels of logarithmic axes that span about a decade, where powers of ten alone are too few."""

from __future__ import annotations

import math

from matplotlib.axis import Axis
from matplotlib.ticker import LogFormatterSciNotation

DECADES = (1.0, 0.4)
"""From so many decades on only powers of ten are labelled, and below the second every tick."""

PLAIN = (1e-3, 1e4)
"""Between these, the labels of axes of less than a decade are plain numbers."""


class NarrowLogFormatter(LogFormatterSciNotation):
    """All labels of a narrow axis as plain numbers, such as 60, 100, 200; else powers of ten."""

    def __init__(self) -> None:
        super().__init__(minor_thresholds=DECADES)

    def __call__(self, x: float, pos: int | None = None) -> str:
        """The label of a tick, empty for ticks that have none."""
        label = str(super().__call__(x, pos))
        narrow = self._decades() <= DECADES[0] and PLAIN[0] <= abs(x) < PLAIN[1]
        return f"{x:g}" if label and narrow else label

    def _decades(self) -> float:
        if self.axis is None:
            return math.inf
        low, high = sorted(self.axis.get_view_interval())
        return math.log10(high / low) if low > 0 else math.inf


def label_narrow_log(axis: Axis) -> None:
    """Give a logarithmic axis these labels, but for those it was given before."""
    if axis.get_scale() != "log":
        return
    axis.set_minor_formatter(NarrowLogFormatter())
    if isinstance(axis.get_major_formatter(), LogFormatterSciNotation):
        axis.set_major_formatter(NarrowLogFormatter())
