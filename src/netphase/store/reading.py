"""Reading a store, whether its sweep is finished or not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from netphase.errors import StoreError
from netphase.store.identity import schema_of, store_attributes
from netphase.store.layout import read_rows

if TYPE_CHECKING:
    import xarray as xr


def specification(path: str | Path) -> str:
    """The sweep a store was made for, as JSON.

    Args:
        path: folder of the store.

    Raises:
        StoreMismatchError: there is no netphase store.
    """
    return str(store_attributes(Path(path))["sweep"])


def read(path: str | Path) -> xr.Dataset:
    """All finished runs of a store, labelled.

    The journal is read, so the result is up to date even while a sweep is writing, or after one
    was killed.

    Args:
        path: folder of the store.

    Returns:
        Dataset whose dimensions are the axes of the sweep; NaN (status −1, ``done`` false) where a
        run has not been made.

    Raises:
        StoreMismatchError: there is no netphase store.
        StoreError: some of it is damaged or cannot be read.
    """
    folder = Path(path)
    attributes = store_attributes(folder)
    schema, coordinates = schema_of(attributes), json.loads(attributes["axes"])
    try:
        rows, damaged = read_rows(folder, schema, schema.shape(coordinates))
    except OSError as error:
        raise StoreError(
            f"The store {folder} cannot be read ({error.strerror or error})."
        ) from error
    if damaged:
        raise StoreError(
            f"{len(damaged)} of the runs in {folder} are damaged on disk: run the sweep again "
            "with the same store, and they are made anew."
        )
    return schema.dataset(coordinates, rows, attributes)
