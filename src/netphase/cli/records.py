"""A live line on standard error for one network that is trained beside its twin."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from netphase.cli.output import error_console, short
from netphase.cli.progress import PLAIN_SECONDS

if TYPE_CHECKING:
    from netphase.results import Record


class RecordLine:
    """Shows the records of a run as they are reached; hand its `show` to `netphase.quench`."""

    def __init__(self) -> None:
        self._console = error_console()
        self._status = self._console.status("starting")
        self._last_line = time.monotonic()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._status.stop()

    def show(self, record: Record) -> None:
        """Show one record.

        Args:
            record: what `netphase.quench` hands over.
        """
        line = f"t = {short(record.time, 3)}, mean square error {short(record.mean_square)}"
        if self._console.is_terminal:
            self._status.update(line)
        now = time.monotonic()
        if not self._console.is_terminal and now - self._last_line > PLAIN_SECONDS:
            self._console.print(line, soft_wrap=True)
            self._last_line = now
