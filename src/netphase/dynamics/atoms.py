"""What mean-field equations of weighted atoms share: checks of their arguments, and their rows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from netphase._checks import instance_of, positive_float
from netphase._types import Array
from netphase.dynamics.trajectory import check_times
from netphase.errors import ArgumentError

DEFAULT_RTOL, LEAST_RTOL, MOST_RTOL = 1e-6, 1e-10, 1e-2

DEFAULT_ROWS = 240
"""Log-spaced rows of a solution when no times are asked for."""


def check_length(name: str, value: Array, atoms: Array) -> None:
    """Refuses an array that has not one row for each atom.

    Raises:
        ArgumentError: lengths differ.
    """
    if len(value) != len(atoms):
        raise ArgumentError(
            f"Argument `{name}` must have one entry for each of the {len(atoms)} atoms, "
            f"but has {len(value)}."
        )


def check_tied(tied: bool, atoms: Array, epsilon: float) -> None:
    """Refuses ties of atoms that differ, or that do not move.

    Raises:
        ArgumentError: ``tied`` is no truth value; or it is True where ε is infinite or the atoms
            are not one number.
    """
    instance_of("tied", tied, bool, "True or False")
    if not tied:
        return
    if epsilon == math.inf:
        raise ArgumentError(
            "Argument `tied` must be False where `epsilon` is infinite, but is True: a frozen "
            "second layer of equal atoms is tied by itself."
        )
    if np.ptp(atoms) > 0.0:
        raise ArgumentError(
            "Argument `atoms` must be one number repeated where `tied` is True, but goes from "
            f"{float(atoms.min())!r} to {float(atoms.max())!r}."
        )


def check_tolerance(rtol: float) -> float:
    """A tolerance that the stiff solver keeps.

    Raises:
        ArgumentError: it is out of its range.
    """
    tolerance = positive_float("rtol", rtol)
    if not LEAST_RTOL <= tolerance <= MOST_RTOL:
        raise ArgumentError(
            f"Argument `rtol` must be between {LEAST_RTOL} and {MOST_RTOL}, but is {rtol!r}."
        )
    return tolerance


def solution_rows(
    end: float | None, times: Sequence[float] | Array | None, epsilon: float
) -> Array:
    """When to keep the state: some times and the end, or 0 and log-spaced ones.

    Args:
        end: when to stop, > 0; None for the last of ``times``.
        times: increasing, shape (t,), or None.
        epsilon: ε; log-spaced times start at the lesser of ε/1000 and 10⁻⁶ of the end.

    Returns:
        Increasing times, the last one the end.

    Raises:
        ArgumentError: neither is given, or they contradict each other.
    """
    kept = check_times(times)
    if end is None and not len(kept):
        raise ArgumentError("Argument `end` must be given where `times` is not.")
    last = positive_float("end", kept[-1] if end is None else end)
    if not len(kept):
        first = min(1e-3 * epsilon, 1e-6 * last)
        return np.concatenate([[0.0], np.geomspace(first, last, DEFAULT_ROWS)])
    if kept[-1] > last:
        raise ArgumentError(
            f"Argument `times` must not go beyond `end`, {last!r}, but goes to {kept[-1]!r}."
        )
    return kept if kept[-1] == last else np.append(kept, last)
