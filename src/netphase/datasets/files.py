"""Data sets of the user's own: arrays, .npz files and .csv files."""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

import numpy as np

from netphase._checks import finite_array
from netphase._files import csv_rows, has_header, is_number
from netphase._types import Array
from netphase.datasets.dataset import Dataset
from netphase.errors import ArgumentError


def from_arrays(
    x: Array, y: Array, name: str = "data", *, bias: bool = True, source: str = ""
) -> Dataset:
    """A data set of the user's own arrays.

    Args:
        x: inputs without the bias column, shape (n, inputs); (n,) is one input.
        y: targets, shape (n,) or (n, 1).
        name: what to call it.
        bias: append a column of ones.
        source: where it came from, if `load` can make it again.

    Returns:
        The data set, d = inputs + bias.

    Raises:
        ArgumentError: the arrays are not usable (see `Dataset`).
    """
    try:
        inputs, targets = np.asarray(x), np.asarray(y)
    except ValueError:
        raise ArgumentError(
            "Arguments `x` and `y` must be arrays of numbers, but a row is longer than another."
        ) from None
    inputs = finite_array("x", inputs[:, None] if inputs.ndim == 1 else inputs, 2)
    targets = targets[:, 0] if targets.ndim == 2 and targets.shape[1] == 1 else targets
    if bias:
        inputs = np.column_stack([inputs, np.ones(len(inputs))])
    return Dataset(inputs, targets, name, source, bias)


def _existing(path: str | os.PathLike[str]) -> Path:
    place = Path(path)
    if not place.exists():
        raise ArgumentError(f"There is no file {str(place)!r}. Check the path.")
    if not place.is_file():
        raise ArgumentError(f"{str(place)!r} is not a file. Give a .npz or .csv file.")
    return place


def _from_file(place: Path, x: Array, y: Array, bias: bool, source: str) -> Dataset:
    """The data set of a file's arrays; what is wrong with them is said of the file."""
    try:
        return from_arrays(x, y, place.stem, bias=bias, source=source)
    except ArgumentError as error:
        said = str(error)
        raise ArgumentError(f"In {str(place)!r}, {said[0].lower()}{said[1:]}") from None


def _file_source(path: str | os.PathLike[str], bias: bool) -> str:
    text = os.fspath(path)
    return text if bias else f"{text}?{urlencode({'bias': bias})}"


def from_npz(path: str | os.PathLike[str], bias: bool = True) -> Dataset:
    """The arrays ``x`` and ``y`` of a NumPy .npz file.

    Args:
        path: the file; ``x`` of shape (n, inputs) without the bias column (higher axes, as of
            images, are flattened), ``y`` of shape (n,).
        bias: append a column of ones.

    Returns:
        The data set.

    Raises:
        ArgumentError: the file is missing, is not an .npz file, lacks x or y, or its arrays are
            not usable.
    """
    place = _existing(path)
    try:
        archive = np.load(place, allow_pickle=False)
        if isinstance(archive, np.ndarray):
            raise ArgumentError(f"{str(place)!r} holds one array. Save x and y with np.savez.")
        with archive:
            missing = [key for key in ("x", "y") if key not in archive]
            if missing:
                raise ArgumentError(
                    f"{str(place)!r} must hold arrays named 'x' and 'y', but lacks "
                    f"{' and '.join(map(repr, missing))} (it has {', '.join(archive) or 'none'})."
                )
            x, y = archive["x"], archive["y"]
    except ArgumentError:
        raise
    except (ValueError, OSError, EOFError, zipfile.BadZipFile):
        raise ArgumentError(
            f"{str(place)!r} is not a readable .npz file of plain numbers. "
            "Write it with np.savez(path, x=x, y=y)."
        ) from None
    if x.ndim > 2:
        x = x.reshape(len(x), -1)
    return _from_file(place, x, y, bias, _file_source(path, bias))


def _numbers(rows: Sequence[tuple[int, list[str]]], place: Path) -> Array:
    width = len(rows[0][1])
    if width < 2:
        raise ArgumentError(
            f"{str(place)!r} must have at least two columns (inputs, then the target), "
            f"separated by commas, but has {width}."
        )
    table = np.empty((len(rows), width))
    for k, (line, cells) in enumerate(rows):
        if len(cells) != width:
            raise ArgumentError(
                f"Line {line} of {str(place)!r} has {len(cells)} columns, but the first line has "
                f"{width}."
            )
        for j, cell in enumerate(cells):
            if not is_number(cell) or not math.isfinite(float(cell)):
                what = "a finite number" if is_number(cell) else "a number"
                raise ArgumentError(f"Line {line} of {str(place)!r}: {cell!r} is not {what}.")
            table[k, j] = float(cell)
    return table


def from_csv(path: str | os.PathLike[str], bias: bool = True) -> Dataset:
    """A table of comma-separated numbers whose last column is the target.

    Args:
        path: the file, with a header line or without.
        bias: append a column of ones to the inputs.

    Returns:
        The data set.

    Raises:
        ArgumentError: the file is missing, empty or ragged, a cell is not a number, or the
            numbers are not usable.
    """
    place = _existing(path)
    rows = csv_rows(place)
    rows = rows[1:] if has_header(rows) else rows
    if not rows:
        raise ArgumentError(f"{str(place)!r} holds no rows of numbers.")
    table = _numbers(rows, place)
    return _from_file(place, table[:, :-1], table[:, -1], bias, _file_source(path, bias))
