"""What standard error shows while something runs: a bar for a sweep, a line for one network."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from netphase.cli.output import error_console

if TYPE_CHECKING:
    from netphase.sweep import Progress

PLAIN_SECONDS = 10.0
"""How often a line is printed where standard error is no terminal."""


class LiveLine:
    """One line that says where a run is; off a terminal, a line now and then.

    Args:
        first: what it says before the first call of `say`.
    """

    def __init__(self, first: str) -> None:
        self._console = error_console()
        self._status = self._console.status(first)
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

    def say(self, line: str) -> None:
        """Show a line in place of the last one.

        Args:
            line: where the run is, in words.
        """
        if self._console.is_terminal:
            self._status.update(line)
        now = time.monotonic()
        if not self._console.is_terminal and now - self._last_line > PLAIN_SECONDS:
            self._console.print(line, soft_wrap=True)
            self._last_line = now


class SweepBar:
    """Shows the progress of a sweep; hand its `update` to `netphase.run_sweep`.

    Attributes:
        runs_done: runs finished so far, 0 before the first update.
        runs_total: runs of the sweep, 0 before the first update.
    """

    def __init__(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn

        self._console = error_console()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[detail]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("starting", total=1.0, detail="")
        self._last_line = time.monotonic()
        self.runs_done = 0
        self.runs_total = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def update(self, progress: Progress) -> None:
        """Show how far the sweep is.

        Args:
            progress: what `run_sweep` hands over.
        """
        self.runs_done, self.runs_total = progress.runs_done, progress.runs_total
        cells = f"cells {progress.cells_done}/{progress.cells_total}"
        detail = describe(progress)
        self._bar.update(
            self._task,
            description=cells,
            completed=progress.runs_done / progress.runs_total,
            detail=detail,
        )
        now, finished = time.monotonic(), progress.runs_done == progress.runs_total
        if not self._console.is_terminal and (finished or now - self._last_line > PLAIN_SECONDS):
            self._console.print(f"{cells}, {detail}", soft_wrap=True)
            self._last_line = now


def describe(progress: Progress) -> str:
    """Runs, speed and time left, in words.

    Args:
        progress: what `run_sweep` hands over.

    Returns:
        For example "runs 120/585, 12.3 k steps/s, 41 s left".
    """
    parts = [f"runs {progress.runs_done}/{progress.runs_total}"]
    if progress.resumed:
        parts.append(f"{progress.resumed} from the store")
    if progress.elapsed > 0 and progress.steps:
        parts.append(f"{scaled(progress.steps / progress.elapsed)} steps/s")
        parts.append(f"{scaled(progress.neuron_steps / progress.elapsed)} neuron-steps/s")
    left = progress.seconds_left
    if progress.runs_done == progress.runs_total:
        parts.append(f"{duration(progress.elapsed)} in all")
    elif left is not None:
        parts.append(f"{duration(left)} left")
    return ", ".join(parts)


def scaled(value: float) -> str:
    """A number with a metric prefix: "12.3 k"."""
    for factor, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:.3g} {prefix}"
    return f"{value:.3g} "


def duration(seconds: float) -> str:
    """Seconds in words: "41 s", "3 min 20 s", "2 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def interrupted_sentence(bar: SweepBar, store: Path, name: str) -> str:
    """What Ctrl-C left behind, and how to go on."""
    if not bar.runs_total:
        return "Interrupted before the first run was started."
    return (
        f"Interrupted; {bar.runs_done} of {bar.runs_total} runs are kept in {store}: give the same "
        f"`{name}` command again (without --fresh) to go on."
    )
