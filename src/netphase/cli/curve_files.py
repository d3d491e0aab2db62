"""Loss curves from files: a table of comma-separated values, or a record of netphase."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from netphase._files import csv_rows, has_header, is_number

if TYPE_CHECKING:
    import xarray as xr

    from netphase._types import Array

LOSSES = ("loss", "test_error", "mean_square", "risk")
"""Variables of a record that are taken as its loss, the first one that is there."""

FEWEST = 8
"""Rows without which no curve can be analysed."""


class LossCurve(NamedTuple):
    """A loss curve as it was read.

    Attributes:
        time: times, shape (t,).
        loss: losses, shape (t,).
        time_name: name of the column or variable.
        loss_name: name of the column or variable.
        skipped: rows whose cell of time or loss was empty.
    """

    time: Array
    loss: Array
    time_name: str
    loss_name: str
    skipped: int


def read_curve(path: Path, time: str | None = None, loss: str | None = None) -> LossCurve:
    """The loss curve of a file.

    Args:
        path: a .csv table with a header or without, or a .nc record that a command wrote.
        time: name or number, from 1, of the column of times; the first one if None. Of a record,
            the variable; ``time`` if None. Of time-scales over ε the smallest ε is read.
        loss: the same of the losses; the second column, or the first of `LOSSES`, if None.

    Returns:
        The curve.

    Raises:
        click.UsageError: the file is missing or of another kind, a column is missing, a cell is
            not a number, times do not increase, a loss is negative, or there are too few rows.
        ArgumentError: the file is not readable text.
    """
    if not path.exists():
        raise click.UsageError(f"There is no file {str(path)!r}. Check the path.")
    if path.is_dir() or path.suffix not in (".csv", ".nc"):
        raise click.UsageError(
            f"{str(path)!r} must be a .csv table, or a .nc record of netphase train, quench or "
            "timescales."
        )
    return _record(path, time, loss) if path.suffix == ".nc" else _table(path, time, loss)


def _table(path: Path, time: str | None, loss: str | None) -> LossCurve:
    """Two columns of a table."""
    import numpy as np

    rows = csv_rows(path)
    named = has_header(rows)
    names = [cell.strip() for cell in rows[0][1]] if named else []
    rows = rows[1:] if named else rows
    if not rows:
        raise click.UsageError(f"{str(path)!r} holds no rows of numbers.")
    width = len(names) if named else len(rows[0][1])
    if width < 2:
        raise click.UsageError(
            f"{str(path)!r} has one column; a time and a loss, separated by commas, are needed."
        )
    columns = (
        _column(path, "--time", time or "1", names, width),
        _column(path, "--loss", loss or "2", names, width),
    )
    found: list[tuple[int, float, float]] = []
    for line, cells in rows:
        pair = [cells[column].strip() if column < len(cells) else "" for column in columns]
        if all(pair):
            when, value = (_number(path, line, cell) for cell in pair)
            _refuse_disorder(path, line, when, value, found[-1][1] if found else None)
            found.append((line, when, value))
    if len(found) < FEWEST:
        raise click.UsageError(
            f"{str(path)!r} holds {len(found)} rows with a time and a loss; at least {FEWEST} are "
            "needed."
        )
    table = np.array([row[1:] for row in found])
    first, second = (names[column] if named else f"column {column + 1}" for column in columns)
    return LossCurve(table[:, 0], table[:, 1], first, second, len(rows) - len(found))


def _column(path: Path, option: str, wanted: str, names: list[str], width: int) -> int:
    """Index of a column that is named or numbered."""
    if wanted in names:
        return names.index(wanted)
    if wanted.isascii() and wanted.isdigit() and 1 <= int(wanted) <= width:
        return int(wanted) - 1
    there = ", ".join(names) if names else f"1 to {width}, by number, as there is no header"
    raise click.UsageError(
        f"Option {option}: {str(path)!r} has no column {wanted!r}; its columns are {there}."
    )


def _number(path: Path, line: int, cell: str) -> float:
    """The number in a cell."""
    if not is_number(cell) or not math.isfinite(float(cell)):
        what = "a finite number" if is_number(cell) else "a number"
        raise click.UsageError(f"Line {line} of {str(path)!r}: {cell!r} is not {what}.")
    return float(cell)


def _refuse_disorder(
    path: Path, line: int, when: float, value: float, before: float | None
) -> None:
    """Refuse times that do not increase from 0 on, and negative losses."""
    where = f"Line {line} of {str(path)!r}"
    if before is not None and when <= before:
        raise click.UsageError(
            f"{where}: the time {when:g} does not come after {before:g}; times must increase."
        )
    if when < 0.0:
        raise click.UsageError(f"{where}: the time {when:g} is negative.")
    if value < 0.0:
        raise click.UsageError(f"{where}: the loss {value:g} is negative; it has no logarithm.")


def _record(path: Path, time: str | None, loss: str | None) -> LossCurve:
    """Two variables of a NetCDF file."""
    import numpy as np
    import xarray as xr

    try:
        record = xr.load_dataset(path)
    except (ValueError, OSError, TypeError):
        raise click.UsageError(f"{str(path)!r} is not a readable NetCDF file.") from None
    if "epsilon" in record.dims:
        record = _smallest(record)
    usual = next((name for name in LOSSES if name in record.variables), LOSSES[0])
    names = time or "time", loss or usual
    for option, name in zip(("--time", "--loss"), names, strict=True):
        if name not in record.variables or record[name].ndim != 1:
            there = [str(each) for each in record.variables if record[each].dims == ("time",)]
            raise click.UsageError(
                f"Option {option}: {str(path)!r} has no series {name!r}; it has "
                f"{', '.join(there) or 'none'}."
            )
    first, second = (np.asarray(record[name].values, dtype=np.float64) for name in names)
    return LossCurve(first, second, *names, 0)


def _smallest(record: xr.Dataset) -> xr.Dataset:
    """Of learning time-scales, the run of the first seed at the smallest ε, over its times."""
    run = record.isel(epsilon=int(record["epsilon"].values.argmin()), seed=0)
    return (
        run.rename(record="time")
        .assign_coords(time=run["t"].values)
        .dropna("time", subset=["risk"])
    )
