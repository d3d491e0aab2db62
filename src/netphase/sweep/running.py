"""Running a sweep over the (γ, γ′) plane: its runs are experiments."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING

from netphase._checks import instance_of
from netphase.experiment import Experiment, measure
from netphase.sweep.grid import Sweep, with_loaded_data
from netphase.sweep.progress import Progress
from netphase.sweep.work import Scalars, run_grid

if TYPE_CHECKING:
    import xarray as xr


def run_sweep(
    sweep: Sweep,
    store: str | Path | None = None,
    executor: Executor | None = None,
    *,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    fresh: bool = False,
    measure: Callable[[Experiment], Scalars] = measure,
) -> xr.Dataset:
    """Make every run of a sweep that is not in the store yet, the longest first.

    Each run is stored the moment it is finished. A run that diverges, stagnates or overflows is a
    result like any other, with its status. A run that raises an error (out of memory, a bug) is
    not stored: the others are finished first, then the error is raised, and calling again makes
    the missing runs only. After a keyboard interrupt nothing new is started, the runs that were
    finished are kept, and the interrupt is raised.

    Args:
        sweep: the grid.
        store: folder to write to, resumed if it holds this sweep; None keeps results in memory.
        executor: where runs are made; by default a pool of threads, since the compiled engine
            leaves Python's lock alone. It is not shut down.
        workers: threads of the default pool, by default one a core.
        progress: called in the calling thread at the start and after every run.
        fresh: replace a netphase store that is already there.
        measure: what a run is; for a pool of processes it must be importable.

    Returns:
        The labelled results: dims gamma, gamma_prime, width, seed.

    Raises:
        ArgumentError: ``workers`` is given together with an executor, or is not positive.
        StoreMismatchError: the folder holds another sweep or something that is no store.
        StoreError: the folder cannot be written or the disk is full; finished runs are kept.
        EvolutionError: some runs raised an unexpected error.
    """
    instance_of("sweep", sweep, Sweep, "a Sweep")
    return run_grid(
        with_loaded_data(sweep),
        measure,
        store,
        executor,
        workers=workers,
        progress=progress,
        fresh=fresh,
    )
