"""What commands print: JSON documents, tables, numbers with errors, and paths of saved files."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netphase._files import replacing, write_whole

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import Console
    from rich.table import Table

SCHEMA = 1
"""Version of the JSON documents; grows when a field changes its meaning or goes away."""

LARGE = 2**31
"""Seeds from here on do not fit the whole numbers of a record, and are stored as float64."""

PIPE_WIDTH = 200
"""Columns a table may take where the output is no terminal."""


def document(command: str, content: Mapping[str, Any]) -> str:
    """The JSON document of a command.

    Every document starts with ``command``, ``schema`` and ``netphase_version``; numbers that are
    infinite or not a number become null.

    Args:
        command: name of the command.
        content: the rest of the document.

    Returns:
        Indented JSON text.
    """
    from netphase import __version__

    head = {"command": command, "schema": SCHEMA, "netphase_version": __version__}
    return json.dumps(plain({**head, **content}), indent=1, ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> Any:
    """A value as JSON knows it: arrays become lists, what is not finite becomes None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, bool) or value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)


def emit(command: str, content: Mapping[str, Any]) -> None:
    """Print the JSON document of a command on standard output, in ASCII if it takes no more."""
    text = document(command, content)
    encoding = str(getattr(sys.stdout, "encoding", None) or "utf-8")
    if not encoding.lower().startswith("utf"):
        text = json.dumps(json.loads(text), indent=1)
    click.echo(text)


def save_document(command: str, content: Mapping[str, Any], path: Path) -> None:
    """Write the JSON document of a command whole or not at all.

    Args:
        command: name of the command.
        content: the rest of the document.
        path: a file that ends in .json.
    """
    write_whole(path, document(command, content) + "\n")


def console() -> Console:
    """Standard output: the terminal's own width, or a wide page where it is piped."""
    from rich.console import Console

    wide = None if sys.stdout.isatty() else PIPE_WIDTH
    return Console(file=sys.stdout, width=wide, highlight=False)


def error_console() -> Console:
    """Standard error, for progress."""
    from rich.console import Console

    return Console(file=sys.stderr, highlight=False)


def warn(sentence: str) -> None:
    """Print a warning on standard error."""
    click.echo(f"Warning: {sentence}", err=True)


def new_table(*columns: str, title: str | None = None) -> Table:
    """A plain table; columns whose name starts with ">" are aligned to the right."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold")
    for name in columns:
        right = name.startswith(">")
        table.add_column(name.removeprefix(">"), justify="right" if right else "left")
    return table


def number(value: float, digits: int = 3) -> str:
    """A number to so many decimals with a true minus sign; "–" if it is not finite."""
    if not math.isfinite(value):
        return "–"
    return f"{value + 0.0:.{digits}f}".replace("-", "−")


def short(value: float, digits: int = 4) -> str:
    """A number to so many significant digits with a true minus sign; "–" if it is not finite."""
    return f"{value + 0.0:.{digits}g}".replace("-", "−") if math.isfinite(value) else "–"


def list_files(page: Console, paths: Iterable[Path]) -> None:
    """Say which files were written, one a line, so that a path can be copied."""
    for path in paths:
        page.print(f"wrote {path}", soft_wrap=True, markup=False)


def present(
    command: str,
    content: Any,
    print_tables: Callable[[Console], None],
    files: Iterable[Path],
    as_json: bool,
) -> None:
    """Show what a command found: its JSON document, or its tables and the files it wrote.

    Args:
        command: the subcommand.
        content: fields of the JSON document.
        print_tables: prints the content for a reader.
        files: what was written.
        as_json: whether --json is given.
    """
    if as_json:
        emit(command, content)
        return
    page = console()
    print_tables(page)
    list_files(page, files)


def make_folder(folder: Path) -> None:
    """Make a folder for the output, and find out before any work whether it takes files.

    Args:
        folder: the folder; those above it are made, too.

    Raises:
        OSError: it cannot be made or written.
    """
    import errno
    import os

    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, "this folder cannot be written", str(folder))


def clear_folder(record: Path, stems: Iterable[str], others: Iterable[str] = ()) -> None:
    """Remove what an earlier run left in its folder, since not every run makes all of it.

    Args:
        record: the JSON document of such a run; where there is none, nothing is removed.
        stems: names of figures without suffix.
        others: names of further files.
    """
    if not record.is_file():
        return
    drawn = (f"{stem}.{suffix}" for stem in stems for suffix in ("pdf", "png"))
    for name in (*others, *drawn):
        record.with_name(name).unlink(missing_ok=True)


def save_record(results: xr.Dataset, path: Path) -> Path:
    """Write a record whole or not at all.

    Args:
        results: labelled results.
        path: a file that ends in .nc.

    Returns:
        The path.
    """
    if "seed" in results and abs(results["seed"].values).max() >= LARGE:
        results = results.assign_coords(seed=results["seed"].astype("float64"))
    with replacing(path) as draft:
        results.to_netcdf(draft, engine="scipy", format="NETCDF3_64BIT")
    return path
