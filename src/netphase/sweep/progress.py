"""What a sweep tells the caller while it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far a sweep is; given to the callback after every run.

    Attributes:
        runs_done: runs finished, those found in the store included.
        runs_total: runs of the sweep.
        cells_done: cells of the plane all of whose runs are finished.
        cells_total: cells of the plane.
        resumed: runs that were found in the store.
        steps: steps of networks made by this call.
        neuron_steps: steps times trained neurons made by this call.
        elapsed: seconds since the call began.
        share: share of this call's expected work that is done, in [0, 1].
    """

    runs_done: int
    runs_total: int
    cells_done: int
    cells_total: int
    resumed: int
    steps: int
    neuron_steps: int
    elapsed: float
    share: float

    @property
    def seconds_left(self) -> float | None:
        """Estimate of the time left, None before there is anything to judge by."""
        return self.elapsed * (1.0 / self.share - 1.0) if self.share > 0 else None
