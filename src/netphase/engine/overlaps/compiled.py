"""The overlap solver: compiled for one projection, in NumPy for more."""

from __future__ import annotations

import numpy as np

from netphase._types import Array
from netphase.engine.flow import STATUSES
from netphase.engine.overlaps.problem import OverlapOutcome, OverlapProblem
from netphase.engine.overlaps.reference_run import solve_reference


def solve_overlaps(
    problem: OverlapProblem,
    a: Array,
    s: Array,
    *,
    times: Array,
    rtol: float,
    max_steps: int,
) -> OverlapOutcome:
    """Follows the overlaps by Rodas4 with the structured linear solve.

    Rodas4 has six stages, order 4 with an embedded solution of order 3, and is L-stable. A step
    costs O(mK²) with K modes, and its length does not depend on ε where a solution is slow.
    Problems of several projections have few modes and few atoms, and no compiled solver.

    Args:
        problem: the equations.
        a: amplitudes at time 0, shape (m,); all equal if tied.
        s: overlaps at time 0, shape (m,), or (m, p) for p > 1 projections.
        times: when to keep the state, increasing, ≥ 0; the last one is the end; shape (t,).
        rtol: tolerance of a step; see `netphase.engine.overlaps.reference.error_ratio`.
        max_steps: accepted steps after which to give up.

    Returns:
        The outcome: one row for each time that was reached; where the run ended early, one more for
        its last state.

    References:
        Berthier, Montanari & Zhou (2024), the mean-field equations of the overlaps.
    """
    if problem.projections > 1:
        return solve_reference(problem, a, s, times=times, rtol=rtol, max_steps=max_steps)
    from netphase.engine import _core

    arrays = (a, s, problem.weights, problem.activation, problem.target, times)
    found = _core.overlaps(
        *(np.ascontiguousarray(each, dtype=np.float64) for each in arrays),
        speed=problem.speed,
        tied=problem.tied,
        rtol=rtol,
        max_steps=max_steps,
    )
    status, crossings = STATUSES[found["status"]], found["crossings"]
    return OverlapOutcome(**{**found, "status": status, "degree_crossings": crossings})
