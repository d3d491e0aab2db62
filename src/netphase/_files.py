"""Files written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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


def _remove(draft: Path) -> None:
    """Removes a draft, whether it is a file or a folder, and whether or not it is there."""
    import shutil

    if draft.is_dir():
        shutil.rmtree(draft, ignore_errors=True)
    else:
        draft.unlink(missing_ok=True)
