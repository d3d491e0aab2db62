"""Papers whose figures and claims netphase tests: `get("luo2021").run("smoke")`."""

from __future__ import annotations

import importlib

from netphase._checks import one_of
from netphase.reproductions.check import Check, Verdict
from netphase.reproductions.reproduction import Part, Reproduction, Stage

NAMES = ("luo2021", "chen2023", "ma2020", "berthier2023", "li2024")
"""The papers there are."""

__all__ = ["NAMES", "Check", "Part", "Reproduction", "Stage", "Verdict", "get"]


def get(key: str) -> Reproduction:
    """The reproduction of a paper.

    Args:
        key: one of `NAMES`.

    Returns:
        The reproduction; its `run` makes the runs and returns the checks.

    Raises:
        ArgumentError: no such paper.

    Example:
        >>> get("luo2021").figures
        (1, 2, 3, 4, 5, 6, 7, 10)
    """
    name = one_of("key", key, NAMES)
    module = importlib.import_module(f"netphase.reproductions.{name}")
    found: Reproduction = module.REPRODUCTION
    return found
