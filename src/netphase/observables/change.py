"""The relative change of the parameters, the order parameter of the phase diagram."""

from __future__ import annotations

import math

import numpy as np

from netphase._checks import instance_of, one_of, positive_int
from netphase._types import Array, Which
from netphase.errors import ArgumentError
from netphase.networks import Parameters
from netphase.observables.features import exponent_of


def _flat(parameters: Parameters, names: tuple[str, ...], count: int) -> Array:
    blocks = (np.asarray(getattr(parameters, name)[:count], dtype=np.float64) for name in names)
    return np.concatenate([block.ravel() for block in blocks])


def relative_change(
    initial: Parameters, current: Parameters, which: Which = "w", tracked: int | None = None
) -> float:
    """RD = ‖θ(t) − θ(0)‖ / ‖θ(0)‖ over one block of the parameters.

    In the linear regime it vanishes as the width grows, in the condensed one it diverges. Both
    norms are Euclidean, over the parameters as given: for ``"theta"`` that means normalised
    variables, where a and w start at the same size. Dead neurons count; the bias is part of w.
    Parameters of any size are compared rightly, however small or large.

    Args:
        initial: θ(0): ``a`` of shape (m,), ``w`` of shape (m, d).
        current: θ(t), same shapes.
        which: ``"w"`` (input weights), ``"a"`` (output weights) or ``"theta"`` (both).
        tracked: count only the first so many neurons (the first copy of an antisymmetric
            network); all by default.

    Returns:
        RD ≥ 0; NaN or infinite if ``current`` is.

    Raises:
        ArgumentError: not `Parameters`, the shapes differ, ``which`` is unknown, or θ(0) is zero.

    References:
        Luo et al. (JMLR 2021), order parameter of the phase diagram.

    Example:
        >>> start = Parameters(np.array([1.0]), np.array([[3.0, 4.0]]))
        >>> end = Parameters(np.array([1.0]), np.array([[3.0, 5.0]]))
        >>> relative_change(start, end)
        0.2
    """
    block = one_of("which", which, ("w", "a", "theta"))
    for name, given in (("initial", initial), ("current", current)):
        instance_of(name, given, Parameters, "the Parameters of a network")
    if initial.a.shape != current.a.shape or initial.w.shape != current.w.shape:
        raise ArgumentError(
            "Arguments `initial` and `current` must have equal shapes, but have "
            f"{initial.a.shape}, {initial.w.shape} and {current.a.shape}, {current.w.shape}."
        )
    count = len(initial.a) if tracked is None else positive_int("tracked", tracked)
    names = ("a", "w") if block == "theta" else (block,)
    before = _flat(initial, names, count)
    unit = exponent_of(before)
    with np.errstate(all="ignore"):
        before = np.ldexp(before, -unit)
        step = np.ldexp(_flat(current, names, count), -unit) - before
        own = exponent_of(step)
        step = np.ldexp(step, -own)
    size = float(before @ before)
    if size == 0:
        raise ArgumentError(
            f"Argument `initial` must not be zero in its block {block!r}: "
            "there is no size to compare the change with."
        )
    with np.errstate(all="ignore"):
        return float(np.ldexp(math.sqrt(float(step @ step) / size), own))
