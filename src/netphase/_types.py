"""The types every module shares: array aliases and the status of a finished run."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.floating[Any]]
"""A floating-point array; the docstring beside each use gives its shape."""

DTypeName: TypeAlias = Literal["float64", "float32"]
"""The precisions the engine works in."""

InputLaw: TypeAlias = Literal["gaussian", "sphere"]
"""Laws of random inputs: standard normal, or even on the unit sphere."""

Which: TypeAlias = Literal["w", "a", "theta"]
"""A block of the parameters: input weights, output weights, or both together."""


class Status(StrEnum):
    """Why a run ended.

    Only `CONVERGED` and `TIME_REACHED` are successes; every other status has a `remedy`.
    """

    CONVERGED = "converged"
    TIME_REACHED = "time reached"
    MAX_STEPS = "maximum steps"
    STAGNATED = "stagnated"
    DIVERGED = "diverged"
    NON_FINITE = "non-finite"

    @property
    def succeeded(self) -> bool:
        """Whether the run got where it was asked to go."""
        return self in (Status.CONVERGED, Status.TIME_REACHED)

    @property
    def remedy(self) -> str:
        """What to change, in one sentence (empty for a success)."""
        return _REMEDIES[self]


_REMEDIES: dict[Status, str] = {
    Status.CONVERGED: "",
    Status.TIME_REACHED: "",
    Status.MAX_STEPS: "Allow more steps, loosen the target of the loss, or use an adaptive method.",
    Status.STAGNATED: (
        "The loss sits on a plateau: allow more time, or check that this width and activation "
        "can fit the data."
    ),
    Status.DIVERGED: "Lower the learning rate, or use the automatic step.",
    Status.NON_FINITE: (
        "A number overflowed: lower the learning rate, use float64, or bring the scales and the "
        "data nearer to one."
    ),
}
