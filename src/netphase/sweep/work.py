"""How a grid of runs is made: in any executor, the longest first, each kept once finished."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, as_completed
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias, TypedDict

import numpy as np

from netphase._checks import instance_of, positive_int
from netphase._types import Array
from netphase.engine.threads import run_threads
from netphase.errors import ArgumentError, EvolutionError, NetphaseError
from netphase.store import Plan, Store
from netphase.sweep.progress import Progress

if TYPE_CHECKING:
    import xarray as xr

Index: TypeAlias = tuple[int, ...]
"""A place on the axes of a grid."""

Scalars: TypeAlias = Mapping[str, float | int | str]
"""What a run leaves: name → number, and the status as a word."""

PUBLISH_SECONDS = 30.0
"""How often the labelled variables of a store are brought up to date while a sweep runs."""

GIVE_UP = 5
"""A sweep whose first so many runs all raise an unexpected error is stopped."""


class Grid(Protocol):
    """What a sweep is to the machinery that runs it."""

    def plan(self) -> Plan:
        """What a store of the sweep holds; its schema names the axes and quantities."""

    def cost(self, index: Index) -> float:
        """What the run at a place is expected to cost, in arbitrary units."""

    def task(self, index: Index) -> Any:
        """The specification of the run at a place: what it is measured by is called with it."""

    def place(self, index: Index) -> str:
        """A place in words, as in "m = 10, seed 0"."""

    def neurons(self, index: Index) -> int:
        """Neurons that the run at a place trains."""


class _Memory:
    """Stands in for a store when nothing is to be written to disk."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.rows: Array = plan.schema.empty(plan.shape)

    @property
    def done(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        return self._plan.schema.is_done(self.rows)

    def write(self, index: Index, row: Array) -> None:
        self.rows[index] = row

    def publish(self) -> None:
        """Nothing to bring up to date."""

    def dataset(self) -> xr.Dataset:
        plan = self._plan
        return plan.schema.dataset(plan.coordinates, self.rows, plan.root_attributes())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to release."""


class RunOptions(TypedDict, total=False):
    """How any grid is run; what each means is said at `run_sweep`."""

    workers: int | None
    progress: Callable[[Progress], None] | None
    fresh: bool


def run_grid(
    grid: Grid,
    measure: Callable[[Any], Scalars],
    store: str | Path | None,
    executor: Executor | None,
    *,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    fresh: bool = False,
) -> xr.Dataset:
    """Make every run of a grid that is not in the store yet, the longest first.

    Each run is stored the moment it is finished. A run that diverges, stagnates or overflows is a
    result like any other, with its status. A run that raises an error (out of memory, a bug) is
    not stored: the others are finished first, then the error is raised, and calling again makes
    the missing runs only. After a keyboard interrupt nothing new is started, the runs that were
    finished are kept, and the interrupt is raised.

    Args:
        grid: what is to be run.
        measure: from the task of a place to its scalars; for a pool of processes it must be
            importable.
        store: folder to write to, resumed if it holds this grid; None keeps results in memory.
        executor: where runs are made; by default a pool of threads, since the compiled engine
            leaves Python's lock alone. It is not shut down.
        workers: threads of the default pool, by default one a core.
        progress: called in the calling thread at the start and after every run.
        fresh: replace a netphase store that is already there.

    Returns:
        The labelled results over the axes of the grid.

    Raises:
        ArgumentError: ``workers`` is given together with an executor, or is not positive.
        StoreMismatchError: the folder holds another sweep or something that is no store.
        StoreError: the folder cannot be written or the disk is full; finished runs are kept.
        EvolutionError: some runs raised an unexpected error.
    """
    instance_of("store", store, (str, Path, type(None)), "a path or None")
    instance_of("executor", executor, (Executor, type(None)), "an Executor or None")
    if executor is not None and workers is not None:
        raise ArgumentError(
            "Arguments `workers` and `executor` exclude each other; give the executor its workers."
        )
    plan = grid.plan()
    with Store(store, plan, fresh=fresh) if store is not None else _Memory(plan) as target:
        with _pool(executor, workers) as pool:
            _Work(grid, plan, target, progress).run(pool, measure)
        target.publish()
        return target.dataset()


@contextmanager
def _pool(executor: Executor | None, workers: int | None) -> Iterator[Executor]:
    """The caller's executor, or threads whose runs give up when something goes wrong."""
    if executor is not None:
        yield executor
        return
    with run_threads(None if workers is None else positive_int("workers", workers)) as threads:
        yield threads


def _timed(measure: Callable[[Any], Scalars], task: Any) -> dict[str, float | int | str]:
    """One run with its wall-clock time; runs in a worker."""
    start = time.perf_counter()
    scalars = dict(measure(task))
    return scalars | {"wall_seconds": time.perf_counter() - start}


class _Work:
    """The bookkeeping of one call: what is to do, what is done, what went wrong."""

    def __init__(
        self,
        grid: Grid,
        plan: Plan,
        target: Store | _Memory,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self.grid = grid
        self.schema = plan.schema
        self.target = target
        self.progress = progress
        self.todo = _longest_first(grid, target.done)
        self.resumed = int(target.done.sum())
        self.failures: list[tuple[Index, BaseException]] = []
        self.finished = self.steps = self.neuron_steps = 0
        self.cost_done = 0.0
        self.cost_total = sum(map(grid.cost, self.todo))
        self.start = time.monotonic()
        self.published = self.start

    def run(self, pool: Executor, measure: Callable[[Any], Scalars]) -> None:
        """Submit everything, store what comes back, and raise what went wrong at the end."""
        self.report()
        futures: dict[Future[dict[str, float | int | str]], Index] = {
            pool.submit(_timed, measure, self.grid.task(index)): index for index in self.todo
        }
        pending = set(futures)
        try:
            for future in as_completed(futures):
                pending.discard(future)
                self.take(futures[future], future)
        except BaseException:
            self.stop(futures, pending)
            raise
        self.raise_failures()

    def take(self, index: Index, future: Future[dict[str, float | int | str]]) -> None:
        """Store one finished run, or note its error."""
        error = future.exception()
        if error is not None:
            self.failures.append((index, error))
            if self.finished == 0 and len(self.failures) >= GIVE_UP:
                self.raise_failures()
            return
        row = self.schema.pack(future.result())
        self.target.write(index, row)
        steps = int(np.nan_to_num(row[self.schema.column["steps"]]))
        self.finished += 1
        self.steps += steps
        self.neuron_steps += steps * self.grid.neurons(index)
        self.cost_done += self.grid.cost(index)
        if time.monotonic() - self.published > PUBLISH_SECONDS:
            self.target.publish()
            self.published = time.monotonic()
        self.report()

    def stop(
        self,
        futures: Mapping[Future[dict[str, float | int | str]], Index],
        pending: set[Future[dict[str, float | int | str]]],
    ) -> None:
        """Start nothing new, and keep what has finished in the meantime."""
        for future in pending:
            future.cancel()
        with suppress(NetphaseError):
            for future in pending:
                if future.done() and not future.cancelled() and future.exception() is None:
                    self.target.write(futures[future], self.schema.pack(future.result()))

    def report(self) -> None:
        """Call the progress callback."""
        if self.progress is None:
            return
        done = self.target.done
        cells = done.all(axis=self.schema.inside)
        self.progress(
            Progress(
                runs_done=self.resumed + self.finished,
                runs_total=done.size,
                cells_done=int(cells.sum()),
                cells_total=cells.size,
                resumed=self.resumed,
                steps=self.steps,
                neuron_steps=self.neuron_steps,
                elapsed=time.monotonic() - self.start,
                share=min(self.cost_done / self.cost_total, 1.0) if self.todo else 1.0,
            )
        )

    def raise_failures(self) -> None:
        """Raise one error for all runs that raised one.

        Raises:
            EvolutionError: it names the first run and its error.
        """
        if not self.failures:
            return
        index, error = min(self.failures, key=lambda failure: failure[0])
        raise EvolutionError(
            f"{len(self.failures)} of {len(self.todo)} runs raised an error, the first at "
            f"{self.grid.place(index)} ({type(error).__name__}: {error}). The finished runs are "
            "kept; running again makes the missing ones only."
        ) from error


def _longest_first(grid: Grid, done: np.ndarray[Any, np.dtype[np.bool_]]) -> list[Index]:
    """Places without a result, in the order in which they should be started."""
    places = (tuple(int(i) for i in place) for place in np.argwhere(~done))
    return sorted(places, key=lambda index: (-grid.cost(index), index))
