"""What each total degree of a multi-index target will do as ε → 0."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from netphase._types import Array
from netphase.dynamics.learning_order import (
    DegreePrediction,
    LearningPrediction,
    predict_learning,
)
from netphase.dynamics.output_law import OutputAtoms
from netphase.hermite import HermiteSeries, Monomials, MultiIndexTarget

NEGLIGIBLE = 1e-9
"""Part of a degree's norm below which a direction takes none of it."""


def predict_multi_index(
    activation: HermiteSeries, target: MultiIndexTarget, outputs: OutputAtoms
) -> LearningPrediction:
    """What each total degree of a target of several directions will do, from overlaps of zero.

    The total degree sets the exponent, as for one direction. Directions that only a leap of two or
    more leads to stay at zero. Signs decide nothing that is known, and constants from degree 2 on
    are not known either.

    Args:
        activation: σ.
        target: φ of several directions.
        outputs: P_A.

    Returns:
        The prediction of degrees 0 to that of the target; its ``target`` holds the norms ‖Φ_k‖.

    References:
        Berthier, Montanari & Zhou (2024); Abbe, Boix-Adserà & Misiakiewicz (2023) on leaps.

    Example:
        >>> from netphase.dynamics import output_atoms
        >>> from netphase.hermite import expand, multi_index
        >>> found = predict_multi_index(
        ...     expand([1, 1, 1]), multi_index("z1 + z1*z2"), output_atoms([-1, 0.2, 0.5, 1.3])
        ... )
        >>> found.learnable.tolist(), found.degrees[2].exponent
        ([False, True, True], 0.25)
    """
    count = target.degree + 1
    sigma = np.zeros(count)
    kept = activation.coefficients[:count]
    sigma[: len(kept)] = kept
    norms = np.asarray(target.degree_norms)[:count]
    alike = predict_learning(sigma, norms, outputs)
    hidden = _hidden(activation, target, count)
    degrees = tuple(
        _adapted(each, float(hidden[each.degree]), sigma, outputs, target.projections)
        for each in alike.degrees
    )
    return replace(alike, degrees=degrees)


def _adapted(
    each: DegreePrediction, hidden: float, sigma: Array, outputs: OutputAtoms, directions: int
) -> DegreePrediction:
    """The prediction of one degree of the same norm along one direction, for several."""
    degree = each.degree
    if degree == 0 or sigma[degree] == 0.0 or "nothing of degree" in each.reason:
        return each
    if hidden > NEGLIGIBLE:
        reason = (
            f"Some directions of degree {degree} are reached by leaps of two or more only, and "
            f"stay at zero: ½ · {hidden:.4g}² of the risk stays."
        )
        return replace(each, learnable=False, basis="never", exponent=math.nan, reason=reason)
    if degree == 1:
        return each
    lower = Monomials.up_to(directions, degree - 1)
    needed = 1 + int(np.count_nonzero(sigma[lower.degrees]))
    reason = f"Total degree {degree}, at a time ∝ ε^(1/{2 * degree})"
    if outputs.distinct < needed:
        reason += f", perhaps later: P_A has {outputs.distinct} different atoms and not {needed}"
    return DegreePrediction(
        degree, True, "exponent only", 1 / (2 * degree), each.previous, f"{reason}."
    )


def _hidden(activation: HermiteSeries, target: MultiIndexTarget, count: int) -> Array:
    """Norm of what each total degree has outside the directions that neurons reach, shape (k,)."""
    basis = target.reach(activation)
    p, q = target.projections, len(basis)
    if q == p:
        return np.zeros(count)
    frame = np.linalg.svd(np.vstack([basis, np.zeros((1, p))]))[2]
    rotation = np.vstack([basis, frame[q:]])
    outside = np.zeros(count)
    for alpha, coefficient in target.rotated(rotation.T).terms.items():
        if any(alpha[q:]):
            outside[sum(alpha)] += coefficient**2
    return np.sqrt(outside)
