"""Mean-field overlap equations of a two-layer network, stiff in the rate of the second layer."""

from netphase.engine.overlaps.compiled import solve_overlaps
from netphase.engine.overlaps.problem import OverlapOutcome, OverlapProblem

__all__ = ["OverlapOutcome", "OverlapProblem", "solve_overlaps"]
