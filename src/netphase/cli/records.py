"""A live line on standard error for one network that is trained beside its twin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netphase.cli.output import short
from netphase.cli.progress import LiveLine

if TYPE_CHECKING:
    from netphase.results import Record


class RecordLine(LiveLine):
    """Shows the records of a run as they are reached; hand its `show` to `netphase.quench`."""

    def __init__(self) -> None:
        super().__init__("starting")

    def show(self, record: Record) -> None:
        """Show one record.

        Args:
            record: what `netphase.quench` hands over.
        """
        self.say(f"t = {short(record.time, 3)}, mean square error {short(record.mean_square)}")
