"""A live line on standard error for one network that condenses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netphase.cli.output import short
from netphase.cli.progress import LiveLine

if TYPE_CHECKING:
    from netphase.results import Moment


class MomentLine(LiveLine):
    """Shows the moments of a run as they are reached; hand its `show` to `netphase.condense`.

    Args:
        frames: how many moments there will be, at most.
        clock: name of the clock and what it shows for one unit of a moment's time.
    """

    def __init__(self, frames: int, clock: tuple[str, float]) -> None:
        super().__init__("finding the clock")
        self._frames, self._clock = frames, clock
        self._seen = 0

    def show(self, moment: Moment) -> None:
        """Show one moment.

        Args:
            moment: what `netphase.condense` hands over.
        """
        self._seen += 1
        self.say(f"{self._seen}/{self._frames}: {describe(moment, self._clock)}")


def describe(moment: Moment, clock: tuple[str, float]) -> str:
    """A moment in words.

    Args:
        moment: the moment.
        clock: name of the clock and what it shows for one unit of the moment's time.

    Returns:
        For example "λt = 3.1, mean square 6.473, 7 directions (effective 2.1), cosine 0.97", the
        median over the neurons of the cosine with the nearest predicted direction.
    """
    name, unit = clock
    counts = moment.counts
    directions = int(counts["direction_clusters"])
    parts = [
        f"{name} = {short(unit * moment.time, 3)}",
        f"mean square {short(moment.mean_square)}",
        f"{directions} direction{'s' if directions != 1 else ''} "
        f"(effective {short(counts['effective_number'], 3)})",
    ]
    if counts["median_cosine"] == counts["median_cosine"]:  # not NaN: something is predicted
        parts.append(f"cosine {short(counts['median_cosine'], 3)}")
    return ", ".join(parts)
