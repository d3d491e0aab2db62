"""Which neurons found the teacher: cosines, the best assignment, gaps of lines in a plane."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from netphase._checks import finite_array
from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.observables.features import rows_near_one


class TeacherMatch(NamedTuple):
    """An assignment of neurons to the neurons of a teacher, one to one.

    Attributes:
        neuron: index of the neuron assigned, shape (k,), k = min(neurons given, M).
        unit: index of the teacher's neuron it is assigned to, increasing, shape (k,).
        angle: angle between the two in radians, in [0, π], shape (k,).
        excess: p of the neuron minus that of the teacher's neuron, signed, shape (k,).
    """

    neuron: npt.NDArray[np.intp]
    unit: npt.NDArray[np.intp]
    angle: Array
    excess: Array


def unit_rows(rows: Array) -> Array:
    """Rows divided by their lengths; a row that is zero stays zero.

    Args:
        rows: shape (..., d), of any size.

    Returns:
        Unit vectors, same shape, in float64.
    """
    given = np.asarray(rows, dtype=np.float64)
    scaled, _ = rows_near_one(given.reshape(-1, given.shape[-1]))
    norm = np.linalg.norm(scaled, axis=1, keepdims=True)
    unit = np.divide(scaled, norm, out=np.zeros_like(scaled), where=norm > 0)
    return np.asarray(unit.reshape(given.shape))


def angles_between(first: Array, second: Array) -> Array:
    """The angle between the rows of two arrays, exact to rounding even where it is tiny.

    2 atan2(|û − v̂|, |û + v̂|); the arc cosine of a cosine would lose half the digits near 0 and π.

    Args:
        first: shape (..., d).
        second: shape (..., d), as ``first`` or broadcast with it.

    Returns:
        Angles in radians, in [0, π], shape (...); NaN where a row is zero.

    Example:
        >>> float(angles_between(np.array([1.0, 0.0]), np.array([2.0, 2e-9])))
        1e-09
    """
    u, v = unit_rows(first), unit_rows(second)
    apart, together = np.linalg.norm(u - v, axis=-1), np.linalg.norm(u + v, axis=-1)
    there = u.any(axis=-1) & v.any(axis=-1)
    return np.asarray(np.where(there, 2 * np.arctan2(apart, together), np.nan))


def teacher_cosine(w: Array, teacher: Array) -> Array:
    """The largest cosine of each neuron with a neuron of the teacher.

    Args:
        w: input weights, shape (..., m, d).
        teacher: input weights of the teacher, shape (M, d), M ≥ 1.

    Returns:
        Cosines in [−1, 1], shape (..., m); 0 for a neuron without a direction.

    Raises:
        ArgumentError: ``teacher`` is empty or has other inputs.
    """
    units = finite_array("teacher", teacher, 2)
    rows = np.asarray(w)
    if rows.shape[-1] != units.shape[1]:
        raise ArgumentError(
            f"Argument `teacher` must have the {rows.shape[-1]} inputs of the neurons, but has "
            f"{units.shape[1]}."
        )
    cosines = unit_rows(rows) @ unit_rows(units).T
    return np.asarray(np.clip(cosines, -1.0, 1.0).max(axis=-1))


def match_teacher(
    p: Array, w: Array, teacher_p: Array, teacher: Array, kept: npt.NDArray[np.bool_] | None = None
) -> TeacherMatch:
    """The assignment of neurons to a teacher's neurons with the largest sum of cosines.

    Args:
        p: contributions of the neurons, shape (m,).
        w: their input weights, shape (m, d).
        teacher_p: a*_k |c_k| of the teacher's neurons, shape (M,).
        teacher: their input weights c, shape (M, d).
        kept: neurons that may be assigned, the activated ones for example, shape (m,); all if
            None.

    Returns:
        The assignment; min(M, neurons kept) pairs, none where no neuron is kept.

    Raises:
        ArgumentError: the shapes do not fit or a number is not finite.

    References:
        Kuhn (1955), the Hungarian method.
    """
    from scipy.optimize import linear_sum_assignment

    weight, rows = finite_array("p", p, 1), finite_array("w", w, 2)
    wanted, units = finite_array("teacher_p", teacher_p, 1), finite_array("teacher", teacher, 2)
    if len(weight) != len(rows) or len(wanted) != len(units) or rows.shape[1] != units.shape[1]:
        raise ArgumentError(
            "Arguments `p`, `w`, `teacher_p` and `teacher` must have the shapes (m,), (m, d), "
            f"(M,) and (M, d), but have {weight.shape}, {rows.shape}, {wanted.shape} and "
            f"{units.shape}."
        )
    index = np.arange(len(weight)) if kept is None else np.flatnonzero(kept)
    cosines = unit_rows(rows[index]) @ unit_rows(units).T
    chosen, unit = linear_sum_assignment(cosines, maximize=True)
    order = np.argsort(unit)
    neuron, unit = index[chosen[order]], unit[order]
    return TeacherMatch(
        neuron=neuron,
        unit=unit,
        angle=angles_between(rows[neuron], units[unit]),
        excess=weight[neuron] - wanted[unit],
    )


def line_gaps(w: Array) -> Array:
    """The gaps between neighbouring lines ±w in the plane of the first two inputs.

    K lines that spread evenly, as the neurons of a circle target do, have K gaps of 180°/K.

    Args:
        w: input weights of the neurons, those activated for example, shape (K, d), d ≥ 2.

    Returns:
        Gaps in radians, in the order of the angles modulo π, with the sum π, shape (K,); empty for
        no neuron.

    Raises:
        ArgumentError: ``w`` has fewer than two inputs.

    Example:
        >>> third = np.array([[1.0, 0.0], [-0.5, 0.75**0.5], [-0.5, -(0.75**0.5)]])
        >>> np.degrees(line_gaps(third)).round(6).tolist()
        [60.0, 60.0, 60.0]
    """
    rows = np.asarray(w, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] < 2:
        raise ArgumentError(
            f"Argument `w` must have the shape (K, d) with d ≥ 2, but has {rows.shape}."
        )
    if not len(rows):
        return np.empty(0)
    angle = np.sort(np.arctan2(rows[:, 1], rows[:, 0]) % np.pi)
    return np.diff(angle, append=angle[0] + np.pi)
