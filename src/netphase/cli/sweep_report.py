"""What the reports on all sweeps share: how many runs were made, and how they ended."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import Console


class SweepReport(ABC):
    """The results of a sweep, analysed once for every way of showing them.

    Args:
        results: labelled results of the sweep, finished or not.
    """

    def __init__(self, results: xr.Dataset) -> None:
        self.results = results

    @property
    @abstractmethod
    def complete(self) -> bool:
        """Whether every run was made and ended as it should."""

    @property
    def remarks(self) -> list[str]:
        """Sentences on what is weak in the results, as only the results can tell."""
        return []

    @property
    def specification(self) -> Any:
        """The sweep as JSON-able objects."""
        return json.loads(str(self.results.attrs["sweep"]))

    @property
    def unfinished(self) -> int:
        """Runs that were not made."""
        return int((~self.results["done"].values).sum())

    def statuses(self) -> dict[str, int]:
        """How many runs ended with each status."""
        from netphase.results import status_words

        return dict(Counter(map(str, status_words(self.results["status"].values).ravel())))

    def runs(self) -> dict[str, Any]:
        """The field of the JSON documents on runs: total, done, statuses."""
        total = self.results["done"].size
        return {"total": total, "done": total - self.unfinished, "statuses": self.statuses()}

    def print_runs(self, page: Console) -> None:
        """Print how the runs ended, in a line."""
        counts = ", ".join(f"{count} {word}" for word, count in sorted(self.statuses().items()))
        page.print(f"runs: {counts}")

    @abstractmethod
    def content(self) -> dict[str, Any]:
        """The fields of the JSON document, without warnings, store and files."""

    @abstractmethod
    def print(self, page: Console) -> None:
        """Print the tables."""

    @abstractmethod
    def draw(self, folder: Path) -> list[Path]:
        """Draw the figures; return the files written."""
