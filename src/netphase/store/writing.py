"""Writing a store: make or resume it, add runs one by one, publish the labelled variables."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from netphase._types import Array
from netphase.errors import StoreError, StoreMismatchError
from netphase.results import provenance
from netphase.store.identity import (
    Plan,
    check_same,
    is_store,
    read_attributes,
    store_attributes,
)
from netphase.store.layout import consolidate, create_template, publish, read_rows, write_row

if TYPE_CHECKING:
    import xarray as xr

STALE_SECONDS = 600.0
"""Age at which a half-made store is taken for the leftover of a killed process."""


class Store:
    """One sweep on disk, open for writing by this process alone.

    Killing the process at any moment loses the runs in flight and nothing else. Use it in a
    ``with`` block, which publishes what is there and releases the store.

    Args:
        path: folder of the store; made if missing, resumed if it holds the same sweep.
        plan: what the store is for.
        fresh: replace a netphase store that is already there (nothing else is ever deleted).

    Attributes:
        path: folder of the store.
        plan: what the store is for.
        rows: what has been measured, shape (axes…, quantities), NaN where not run.

    Raises:
        StoreMismatchError: the folder holds another sweep, or something that is no netphase store.
        StoreError: the folder cannot be written, or another process is writing to it.
    """

    def __init__(self, path: str | Path, plan: Plan, *, fresh: bool = False) -> None:
        self.path = Path(path)
        self.plan = plan
        self._lock: int | None = None
        self._unpublished = False
        with self._explained("opened"):
            _refuse_foreign(self.path)
            if fresh and is_store(self.path):
                _remove(self.path)
            if not is_store(self.path):
                _create(self.path, plan)
            self._lock = _lock(self.path)
            try:
                self._resume()
            except BaseException:
                self.close()
                raise

    def _resume(self) -> None:
        """Read the journal, sweep what a killed process left, and open the group."""
        import zarr

        check_same(self.path, store_attributes(self.path), self.plan)
        for orphan in self.path.rglob("*.partial"):
            orphan.unlink(missing_ok=True)
        self.rows, damaged = read_rows(self.path, self.plan.schema, self.plan.shape)
        for file in damaged:
            file.unlink()
        if damaged:
            warnings.warn(
                f"{len(damaged)} of the runs in {self.path} were damaged on disk and will be made "
                "again.",
                stacklevel=4,
            )
        self._group = zarr.open_group(self.path, mode="r+", zarr_format=3, use_consolidated=False)
        _note_commit(self._group)
        self._unpublished = True

    @property
    def done(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which runs are stored, over the axes."""
        return self.plan.schema.is_done(self.rows)

    def write(self, index: tuple[int, ...], row: Array) -> None:
        """Store one finished run, atomically.

        Args:
            index: its place on the axes.
            row: its numbers as `netphase.results.Schema.pack` makes them, shape (quantities,).

        Raises:
            StoreError: the disk is full or the folder cannot be written; what was stored before is
                kept.
        """
        with self._explained("written"):
            write_row(self.path, index, row)
        self.rows[index] = row
        self._unpublished = True

    def publish(self) -> None:
        """Bring the labelled variables up to date with the journal.

        Raises:
            StoreError: the disk is full or the folder cannot be written.
        """
        if not self._unpublished:
            return
        with self._explained("written"):
            publish(self._group, self.plan.schema, self.rows)
            if self.done.all():
                consolidate(self.path)
        self._unpublished = False

    def dataset(self) -> xr.Dataset:
        """Everything measured so far, labelled; as `netphase.store.read`, without reading."""
        attributes = read_attributes(self.path) or {}
        return self.plan.schema.dataset(self.plan.coordinates, self.rows.copy(), attributes)

    def close(self) -> None:
        """Release the store for other processes."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            with contextlib.suppress(StoreError) if kind else contextlib.nullcontext():
                self.publish()
        finally:
            self.close()

    @contextlib.contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """Turn an error of the operating system into one sentence with a remedy."""
        try:
            yield
        except OSError as error:
            raise _explain(self.path, what, error) from error


def _explain(path: Path, what: str, error: OSError) -> StoreError:
    """The sentence for an error of the operating system."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StoreError(
            f"The disk that holds {path} is full; every finished run is kept. Free some space and "
            "run the same command again."
        )
    reason = error.strerror or str(error)
    return StoreError(
        f"The store {path} cannot be {what} ({reason}): choose a folder you may write to."
    )


def _refuse_foreign(path: Path) -> None:
    """Refuse a path that holds something other than a netphase store.

    Raises:
        StoreMismatchError: it is a file, or a folder with other content.
    """
    if is_store(path):
        return
    if path.is_dir() and not any(path.iterdir()):
        return
    if path.exists():
        what = "folder is not a netphase store" if path.is_dir() else "path is a file"
        raise StoreMismatchError(
            f"The {what}, and is left as it is: {path}. Choose another output."
        )


def _create(path: Path, plan: Plan) -> None:
    """Make a store beside its place and move it there, so that no half-made one is ever seen."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for orphan in path.parent.glob(f".{path.name}.*.partial"):
        if time.time() - orphan.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(orphan, ignore_errors=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    try:
        create_template(draft, plan)
        draft.rename(path)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _note_commit(group: Any) -> None:
    """Add the present commit to those that have written into the store."""
    here, known = provenance()["git_commit"], str(group.attrs["git_commit"])
    if here not in known.split(", "):
        group.attrs["git_commit"] = f"{known}, {here}"


def _remove(path: Path) -> None:
    """Delete a netphase store that no process is writing to."""
    lock = _lock(path)
    try:
        grave = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
        path.rename(grave)
        shutil.rmtree(grave)
    finally:
        if lock is not None:
            os.close(lock)


def _lock(path: Path) -> int | None:
    """Claim a store for this process; the claim ends with the process, however it ends.

    Returns:
        A file descriptor to close, or None where the system has no such locks.

    Raises:
        StoreError: another process holds it.
    """
    try:
        import fcntl
    except ImportError:
        return None
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EAGAIN):
            raise StoreError(
                f"Another process is writing to the store {path}: wait for it, or choose another "
                "output."
            ) from error
        if error.errno in (errno.ENOTSUP, errno.ENOLCK, errno.EBADF, errno.EINVAL):
            return None  # a file system without locks
        raise
    return descriptor
