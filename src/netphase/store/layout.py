"""The Zarr group of a sweep: a journal of finished runs, and the labelled variables.

A store holds the same numbers twice, because the two uses pull apart:

* ``journal/runs``, with the axes of the sweep and then its quantities, **one run one chunk**.
  A chunk is replaced atomically, so a run is either wholly there or not at all, and the presence
  of its chunk is its "done" mark. All scalars of a run share the chunk, and chunks are encoded and
  renamed into place here, because through Zarr a chunk costs about 1.7 ms to write and 1 ms to
  read, whatever its size: some twenty arrays with a chunk a run would cost 20 s of processor time
  for a diagram of 585 runs, more than its training. Zarr itself reads the array all the same.
* one labelled array a variable in the root group (over the axes of the sweep, one chunk each),
  which is what ``xarray.open_zarr`` shows. They are published from the journal by the only writer:
  when a sweep ends or stops, and now and then in between; ``done`` goes last, so a reader never
  sees a run as done whose numbers are not there yet.

Resuming and `netphase.store.read` trust the journal only.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netphase._types import Array
from netphase.results import Schema
from netphase.store.identity import Plan

if TYPE_CHECKING:
    import zarr

RUNS = "journal/runs"
"""Path of the journal's array inside the group."""


def create_template(path: Path, plan: Plan) -> None:
    """Write the whole group without any result: attributes, coordinates, empty variables, journal.

    Args:
        path: an empty or missing folder.
        plan: what the store is for.

    Raises:
        OSError: the folder cannot be written.
    """
    import zarr

    group = zarr.open_group(path, mode="w", zarr_format=3, attributes=plan.root_attributes())
    schema = plan.schema
    for axis in schema.axes:
        values = schema.values(axis.name, plan.coordinates)
        array = _array(group, axis.name, values.dtype, values.shape, (axis.name,), axis.attributes)
        array[:] = values
    rows = schema.empty(plan.shape)
    for name, (values, attributes) in schema.variables(rows).items():
        _array(group, name, values.dtype, values.shape, schema.dims, attributes)
    _array(
        group,
        RUNS,
        np.dtype(np.float64),
        rows.shape,
        (*schema.dims, "quantity"),
        {"quantities": list(schema.column)},
        chunks=(1,) * len(schema.axes) + rows.shape[-1:],
        chunk_key_encoding={"name": "default", "separator": "."},
    )


def _array(
    group: zarr.Group,
    name: str,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    dims: tuple[str, ...],
    attributes: dict[str, Any] | dict[str, str],
    chunks: tuple[int, ...] | None = None,
    **options: Any,
) -> zarr.Array[Any]:
    """One array with checksummed chunks; the fill value stands for "not run"."""
    from zarr.codecs import ZstdCodec

    empty: dict[str, Any] = {"f": np.nan, "b": False, "i": -1}
    return group.create_array(
        name,
        shape=shape,
        chunks=chunks or shape,
        dtype=dtype,
        fill_value=empty[dtype.kind],
        compressors=[ZstdCodec(checksum=True)],
        dimension_names=dims,
        attributes=dict(attributes),
        **options,
    )


def publish(group: zarr.Group, schema: Schema, rows: Array) -> None:
    """Write the labelled variables from the rows of the journal, ``done`` last.

    Args:
        group: the store, open for writing.
        schema: its axes and quantities.
        rows: shape (*axes, quantities).

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    for name, (values, _) in schema.variables(rows).items():
        array: Any = group[name]  # an array, never a group
        array[...] = values


def consolidate(path: Path) -> None:
    """Gather the metadata in one place, once nothing will be written any more.

    ``xarray.open_zarr`` then opens the store at once and without a remark.

    Args:
        path: folder of the store.
    """
    import zarr

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part")
        zarr.consolidate_metadata(path, zarr_format=3)


def _codec() -> Any:
    """What Zarr compresses the chunks with, checksum included."""
    from numcodecs.zstd import Zstd

    return Zstd(level=0, checksum=True)


def write_row(path: Path, index: tuple[int, ...], row: Array) -> None:
    """Put one run into the journal, atomically.

    Args:
        path: folder of the store.
        index: place of the run on the axes.
        row: its numbers, shape (quantities,).

    Raises:
        OSError: the disk is full or the folder cannot be written; nothing is left behind.
    """
    chunk = path / RUNS / ".".join(["c", *map(str, index), "0"])
    draft = chunk.with_name(f"{chunk.name}.{os.getpid()}.partial")
    try:
        draft.write_bytes(_codec().encode(row.astype("<f8").tobytes()))
        draft.replace(chunk)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def read_rows(path: Path, schema: Schema, shape: tuple[int, ...]) -> tuple[Array, list[Path]]:
    """The journal, run by run.

    Zarr would read them too, but could not say which of them is damaged.

    Args:
        path: folder of the store.
        schema: its axes and quantities.
        shape: number of values of each axis.

    Returns:
        Rows of shape (*axes, quantities), NaN where there is none, and the
        files of the runs whose bytes are damaged (their rows are NaN).

    Raises:
        OSError: the folder cannot be read.
    """
    codec = _codec()
    rows = schema.empty(shape)
    damaged: list[Path] = []
    for file in (path / RUNS).glob("c.*.0"):
        index = tuple(int(part) for part in file.name.split(".")[1:-1])
        try:
            rows[index] = np.frombuffer(codec.decode(file.read_bytes()), dtype="<f8")
        except (RuntimeError, ValueError):
            damaged.append(file)
    return rows, damaged
