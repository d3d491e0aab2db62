"""Files written whole or not at all, and the rows of a table in a text file."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from netphase.errors import ArgumentError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A draft beside a file, which takes the file's place if the block ends well.

    Args:
        path: the file to write; its folder must exist.

    Yields:
        Path of the draft, which does not exist yet. Whatever goes wrong, nothing is left of it and
        the file stays as it was.

    Raises:
        OSError: the disk is full or the folder cannot be written; the error names the file.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield draft
        draft.replace(path)
    except BaseException as error:
        _remove(draft)
        if isinstance(error, OSError) and error.filename in (None, str(draft)):
            error.filename, error.filename2 = str(path), None
        raise


def write_whole(path: Path, content: bytes | str) -> None:
    """Replaces a file by new content.

    Args:
        path: the file to write; its folder must exist.
        content: bytes, or text to be encoded as UTF-8.

    Raises:
        OSError: as in `replacing`.
    """
    with replacing(path) as draft:
        draft.write_bytes(content.encode() if isinstance(content, str) else content)


def csv_rows(path: Path) -> list[tuple[int, list[str]]]:
    """The rows of comma-separated values that hold anything.

    Args:
        path: an existing file in UTF-8.

    Returns:
        Number of the line, from 1, and cells of each row.

    Raises:
        ArgumentError: it is not a readable text file.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, skipinitialspace=True)
            return [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except (UnicodeDecodeError, csv.Error, OSError):
        raise ArgumentError(f"{str(path)!r} is not a readable text file.") from None


def is_number(text: str) -> bool:
    """Whether a cell of a table holds a number, perhaps an infinite one or NaN."""
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def has_header(rows: list[tuple[int, list[str]]]) -> bool:
    """Whether the first row of a table names its columns: none of its cells is a number."""
    return bool(rows) and not any(is_number(cell) for cell in rows[0][1])


def _remove(draft: Path) -> None:
    """Removes a draft, whether it is a file or a folder, and whether or not it is there."""
    import shutil

    if draft.is_dir():
        shutil.rmtree(draft, ignore_errors=True)
    else:
        draft.unlink(missing_ok=True)
