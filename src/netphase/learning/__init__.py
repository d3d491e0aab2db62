"""When each degree of a target is learnt, and whether in the canonical order."""

from netphase.learning.running import EPSILONS, EPSILONS_FINITE, timescales
from netphase.learning.solvers import Solver
from netphase.learning.verdict import CRITERION, OrderVerdict, judge_order

__all__ = [
    "CRITERION",
    "EPSILONS",
    "EPSILONS_FINITE",
    "OrderVerdict",
    "Solver",
    "judge_order",
    "timescales",
]
