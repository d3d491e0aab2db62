"""The errors netphase raises; every one of them is a `NetphaseError`."""

from __future__ import annotations

from typing import Any


class NetphaseError(Exception):
    """Root of every error that netphase raises on purpose."""


class ArgumentError(NetphaseError, ValueError):
    """An argument, option or data file is not usable; the message is one sentence and a remedy."""


class StoreError(NetphaseError):
    """A store cannot be read or written: disk full, no permission, in use, damaged."""


class StoreMismatchError(StoreError):
    """A store on disk belongs to another sweep, or is not a netphase store."""


class EvolutionError(NetphaseError):
    """A run that had to succeed did not.

    Attributes:
        trajectory: what was computed until then, or None.
    """

    def __init__(self, message: str, trajectory: Any = None) -> None:
        super().__init__(message)
        self.trajectory = trajectory


class FitError(NetphaseError):
    """A fit has too little or unusable data."""


class MissingDependencyError(NetphaseError, ImportError):
    """An optional package is needed and not installed; the message names it and the remedy."""
