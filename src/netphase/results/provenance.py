"""Where numbers come from: the version of the package and the commit it runs from."""

from __future__ import annotations

import functools
import subprocess
from importlib import metadata
from pathlib import Path


@functools.cache
def provenance() -> dict[str, str]:
    """Package version and, where the package runs from its repository, the git commit."""
    try:
        version = metadata.version("netphase")
    except metadata.PackageNotFoundError:
        version = "unknown"
    return {"netphase_version": version, "git_commit": _commit()}


def _commit() -> str:
    """Commit of the checkout the package runs from ("-dirty" if changed), or "unknown"."""
    root = Path(__file__).resolve().parents[3]
    if not (root / ".git").exists() or not (root / "src" / "netphase").is_dir():
        return "unknown"
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return answer.stdout.strip() or "unknown"
