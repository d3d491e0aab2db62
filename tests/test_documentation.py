"""Every program and every command in the README and the documentation runs."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
FENCE = re.compile(r"^```(\{code-cell\}|python|console|sh)[^\n]*\n(.*?)^```$", re.M | re.S)
SKIPPED = ("make ", "git clone ")


def blocks(page: Path) -> list[tuple[str, str]]:
    """Kind and text of each code block of a page, in order."""
    return FENCE.findall(page.read_text("utf-8"))


def commands(text: str) -> list[list[str]]:
    """The commands of a console block; what follows no prompt is output."""
    joined = text.replace("\\\n", " ")
    prompted = [line.removeprefix("$ ") for line in joined.splitlines() if line.startswith("$ ")]
    lines = prompted or joined.splitlines()
    return [shlex.split(line, comments=True) for line in lines if not line.startswith(SKIPPED)]


def pages() -> list[Path]:
    """The README and every page of the documentation that holds a code block."""
    found = [CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md"]
    found += [p for p in sorted((CHECKOUT / "docs").rglob("*.md")) if "_build" not in p.parts]
    return [page for page in found if page.exists() and blocks(page)]


@pytest.mark.checkout
@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_code_blocks_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    monkeypatch.setenv("PATH", path)
    names: dict[str, object] = {"__name__": "__main__"}
    for kind, text in blocks(page):
        if kind in ("console", "sh"):
            for command in commands(text):
                run(command)
        else:
            exec(compile(text, str(page), "exec"), names)


def run(command: list[str]) -> None:
    """Run one command; it must succeed."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}\n{done.stderr}"


@pytest.mark.checkout
def test_every_kind_of_code_block_is_one_that_runs():
    known = {"python", "console", "sh", "{code-cell}", "text", "{include}", "{toctree}"}
    known |= {"{command-help}", "{stored-checks}", "{eval-rst}", "bibtex"}
    for page in (CHECKOUT / "README.md", *(CHECKOUT / "docs").glob("*.md")):
        fences = re.findall(r"^```(\S*)", page.read_text("utf-8"), re.M)
        assert set(fences[::2]) <= known, page
        assert set(fences[1::2]) <= {""}, page
