"""The command line: ``netphase`` and its commands, one module each."""

from netphase.cli.application import main

__all__ = ["main"]
