"""Sphinx directives of this documentation: command help, stored checks; and docstring escapes.

``command-help`` prints the ``--help`` of every command; ``stored-checks`` turns each
``reproductions/*.json`` into a table of claims.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

WIDTH = 88
COLUMNS = {
    "claim": "Claim",
    "where": "In the paper",
    "expected": "Expected",
    "measured": "Measured",
    "verdict": "Verdict",
}


class CommandHelp(SphinxDirective):
    """The help text of the command line and of each of its commands."""

    def run(self) -> list[nodes.Node]:
        """Return one section a command."""
        from netphase.cli import main

        context = click.Context(main, info_name="netphase", terminal_width=WIDTH)
        found: list[nodes.Node] = [_listing(main.get_help(context))]
        for name in main.list_commands(context):
            command = main.get_command(context, name)
            inner = click.Context(
                command,
                info_name=name,
                parent=context,
                terminal_width=WIDTH,
                max_content_width=WIDTH,
            )
            section = nodes.section(ids=[f"netphase-{name}"], names=[f"netphase {name}"])
            section += nodes.title(text=f"netphase {name}")
            section += _listing(command.get_help(inner))
            found.append(section)
        return found


class StoredChecks(SphinxDirective):
    """Tables of the claims that were checked, one for each stored reproduction."""

    def run(self) -> list[nodes.Node]:
        """Return one section a file, or one sentence where there is none."""
        folder = Path(self.env.srcdir) / "reproductions"
        files = sorted(folder.glob("*.json"))
        self.env.note_dependency(str(folder))
        if not files:
            return [nodes.paragraph(text="No results are stored with this version.")]
        for file in files:
            self.env.note_dependency(str(file))
        return [_section(file.stem, json.loads(file.read_text("utf-8"))) for file in files]


def _listing(text: str) -> nodes.literal_block:
    """A block of plain text."""
    return nodes.literal_block(text, text, language="none")


def _number(value: Any) -> str:
    """A value of a check as text; numbers with four digits."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(_number(item) for item in value)
    return str(value)


def _cells(check: dict[str, Any]) -> list[str]:
    """One row of the table: expected with its tolerance, measured with its error."""
    row = {name: _number(check.get(name)) for name in COLUMNS}
    for name, spread in (("expected", "tolerance"), ("measured", "standard_error")):
        if check.get(spread) is not None and row[name]:
            row[name] += f" ± {_number(check[spread])}"
    return list(row.values())


def _section(key: str, document: dict[str, Any]) -> nodes.section:
    """The stored checks of one reproduction, under its name."""
    size = document.get("size", "")
    section = nodes.section(ids=[key], names=[key])
    section += nodes.title(text=key if not size else f"{key}, size “{size}”")
    about = [f"{word} {document[word]}" for word in ("version", "machine") if word in document]
    if about:
        section += nodes.paragraph(text="Made with " + ", ".join(about) + ".")
    if "reference" in document:
        section += nodes.paragraph(text=f"{document['reference']}.")
    section += _table([_cells(check) for check in document["checks"]])
    if document.get("departures"):
        section += nodes.paragraph(text="Where this differs from the paper:")
        section += _bullets(document["departures"])
    return section


def _bullets(sentences: list[str]) -> nodes.bullet_list:
    """A list of sentences."""
    found = nodes.bullet_list()
    for sentence in sentences:
        item = nodes.list_item()
        item += nodes.paragraph(text=sentence)
        found += item
    return found


def _table(rows: list[list[str]]) -> nodes.table:
    """A table with the heads of `COLUMNS`."""
    group = nodes.tgroup(cols=len(COLUMNS))
    group += [nodes.colspec(colwidth=width) for width in (36, 16, 16, 16, 16)]
    head, body = nodes.thead(), nodes.tbody()
    head += _row(list(COLUMNS.values()))
    body += [_row(row) for row in rows]
    group += [head, body]
    table = nodes.table()
    table += group
    return table


def _row(cells: list[str]) -> nodes.row:
    """One row of text cells."""
    row = nodes.row()
    for cell in cells:
        entry = nodes.entry()
        entry += nodes.paragraph(text=cell)
        row += entry
    return row


def escape_formulas(*event: Any) -> None:
    """Keep |w|² in docstrings from being read as markup; the event ends with their lines."""
    lines: list[str] = event[-1]
    for i, line in enumerate(lines):
        if line.lstrip().startswith((">>>", "...")):
            continue
        parts = re.split(r"(``.*?``|`[^`]*`)", line)
        parts[::2] = [re.sub(r"(?<!\\)\|", r"\\|", part) for part in parts[::2]]
        lines[i] = "".join(parts)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives and the escapes."""
    app.add_directive("command-help", CommandHelp)
    app.add_directive("stored-checks", StoredChecks)
    app.connect("autodoc-process-docstring", escape_formulas, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
