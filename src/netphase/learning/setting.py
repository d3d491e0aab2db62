"""The solver of time-scales and its own arguments, checked against each other."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

from netphase._checks import one_of, positive_float, positive_int
from netphase.errors import ArgumentError
from netphase.learning.solvers import Solver


@dataclass(frozen=True)
class Setting:
    """The solver and its own arguments.

    Attributes:
        solver: "mean_field", "exact" or "sgd".
        width: m; None in the mean field.
        inputs: d, perhaps infinite.
        rate: η of SGD; None for one by default.
        batch: samples of a step of SGD.
        noise: standard deviation of the noise on its targets.
        rtol: relative tolerance; None for that of the solver.
        seeds: of the runs.

    Raises:
        ArgumentError: an argument is out of its range, missing, or does not go with the solver.
    """

    solver: str
    width: int | None
    inputs: float
    rate: float | None
    batch: int
    noise: float
    rtol: float | None
    seeds: tuple[int, ...]

    def __post_init__(self) -> None:
        one_of("solver", self.solver, get_args(Solver))
        if self.inputs != math.inf:
            object.__setattr__(self, "inputs", positive_int("inputs", _whole(self.inputs)))
        object.__setattr__(self, "seeds", _seeds(self.seeds))
        self._refuse_unused()
        if self.solver == "mean_field":
            return
        if self.width is None:
            raise ArgumentError(
                f"Argument `width` must be given for the solver {self.solver!r}, which follows "
                "finitely many neurons."
            )
        positive_int("width", self.width)
        if self.solver == "sgd" and self.inputs == math.inf:
            raise ArgumentError(
                "Argument `inputs` must be finite for the solver 'sgd', which draws samples."
            )
        if self.rate is not None:
            positive_float("rate", self.rate)
        positive_int("batch", self.batch)

    def _refuse_unused(self) -> None:
        """Every argument that is given is used, or refused."""
        finite, sgd = ("exact", "sgd"), ("sgd",)
        for name, given, solvers in (
            ("width", self.width is not None, finite),
            ("seeds", self.seeds != (0,), finite),
            ("rate", self.rate is not None, sgd),
            ("batch", self.batch != 1, sgd),
            ("noise", self.noise != 0.0, sgd),
            ("rtol", self.rtol is not None, ("mean_field", "exact")),
        ):
            if given and self.solver not in solvers:
                words = " or ".join(repr(each) for each in solvers)
                raise ArgumentError(
                    f"Argument `{name}` must be left out for the solver {self.solver!r}: it goes "
                    f"with {words}."
                )


def _whole(number: Any) -> Any:
    """A whole number written as a float, as an integer."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _seeds(seeds: Sequence[Any]) -> tuple[int, ...]:
    try:
        found = tuple(operator.index(seed) for seed in seeds)
    except TypeError:
        found = ()
    if not found or len(set(found)) < len(found):
        raise ArgumentError(f"Argument `seeds` must be different integers, but is {seeds!r}.")
    return found
