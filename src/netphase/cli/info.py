"""``netphase info``: versions, processor features in use, threads and how the core was built."""

from __future__ import annotations

import platform
import sys
from typing import Any

import click

from netphase.cli.options import json_option
from netphase.cli.output import console, emit, new_table

HELP = """Show versions, the processor features in use, threads and how the core was built.

\b
Examples:
  netphase info
  netphase info --json > environment.json

\b
JSON fields: python, platform, machine, executable (of Python), processors (usable by this
process), threads (runs at a time by default), packages {name: version}, engine {what the
compiled core says of itself: instruction set in use, available ones, compiler, flags}.
"""

PACKAGES = ("numpy", "scipy", "msgspec", "xarray", "zarr", "matplotlib", "click", "rich", "mlxtend")
"""Packages whose versions matter for a result; None where one is not installed."""


@click.command("info", help=HELP, short_help="Show versions, processor features, threads.")
@json_option
def command(as_json: bool) -> None:
    """Describe the installation and the machine."""
    content = describe()
    if as_json:
        emit("info", content)
        return
    table = new_table("", "")
    for key, value in content.items():
        if isinstance(value, dict):
            table.add_section()
            for name, entry in value.items():
                text = ", ".join(map(str, entry)) if isinstance(entry, (list, tuple)) else entry
                table.add_row(f"{key}: {name}", "not installed" if text is None else str(text))
        else:
            table.add_row(key, str(value))
    console().print(table)


def describe() -> dict[str, Any]:
    """Everything `command` shows.

    Returns:
        The fields of the JSON document.
    """
    from netphase import engine
    from netphase.engine.threads import cores

    processors = cores()
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "executable": sys.executable,
        "processors": processors,
        "threads": processors,
        "packages": {name: _version(name) for name in PACKAGES},
        "engine": dict(engine.build_info()),
    }


def _version(name: str) -> str | None:
    """Version of an installed package, or None."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return None
