"""When each degree of a target is learnt, and whether in the canonical order."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from netphase.timescales.running import EPSILONS, EPSILONS_FINITE, timescales
from netphase.timescales.solvers import Solver
from netphase.timescales.verdict import CRITERION, OrderVerdict, judge_order

__all__ = [
    "CRITERION",
    "EPSILONS",
    "EPSILONS_FINITE",
    "OrderVerdict",
    "Solver",
    "judge_order",
    "timescales",
]


class _Callable(ModuleType):
    """The package itself, callable: it has the name of the function that it is for.

    Importing it puts it where `netphase.timescales`, the function, is looked for.
    """

    def __call__(self, *args: Any, **options: Any) -> Any:
        return timescales(*args, **options)


sys.modules[__name__].__class__ = _Callable
