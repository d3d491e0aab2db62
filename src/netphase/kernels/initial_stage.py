"""How far a network near the origin can fit its data: the best linear fit, and the way there."""

from __future__ import annotations

import numpy as np

from netphase._checks import finite_float
from netphase.errors import ArgumentError
from netphase.kernels.predictions import Data

_ROUNDING = 1e-24

_LEAST_PART = 1e-6
"""A part nearer to nothing or to all than this is lost in rounding."""

_LEAST_EXPLAINED, _NO_DIRECTION = 1e-12, 1e-13
"""Share of the targets that a linear fit must explain; z below this, relatively, is rounding."""


def linear_plateau(data: Data) -> float:
    """Mean square error of the best linear fit, on which the initial stage ends.

    Near the origin a network of multiplicity one is linear in its inputs, so it fits no better
    before it leaves the first plateau.

    Args:
        data: inputs (with the bias column) and targets.

    Returns:
        min over v of (1/n) Σ (y_i − v·x_i)², ≥ 0; 0 where rounding hides it.

    Example:
        >>> from netphase.datasets import four_points, linear
        >>> linear_plateau(linear()), round(linear_plateau(four_points()), 6)
        (0.0, 0.012346)
    """
    fit, *_ = np.linalg.lstsq(data.x, data.y, rcond=None)
    left = float(np.mean((data.y - data.x @ fit) ** 2))
    return left if left > _ROUNDING * float(np.mean(data.y**2)) else 0.0


def half_way(data: Data, part: float = 0.5) -> float:
    """Mean square error at which a part of what a linear fit can explain is gone.

    The stop of the initial stage: from zero output, a network of any width and scales gets there
    before σ's curvature matters if it is small enough.

    Args:
        data: inputs (with the bias column) and targets.
        part: share of the reducible part that is gone, between 1e-6 and 1 − 1e-6.

    Returns:
        The mean square, between that of the targets and `linear_plateau`.

    Raises:
        ArgumentError: ``part`` is not in that range, or a linear fit explains nothing or next to
            nothing (1e-12 of the mean square): then z = (1/n) Σ y_i x_i is zero up to rounding,
            or too small, and there is no such stage.

    Example:
        >>> from netphase.datasets import linear
        >>> round(half_way(linear()), 12)
        0.5
    """
    share = finite_float("part", part)
    if not 0 < share < 1:
        raise ArgumentError(f"Argument `part` must lie between 0 and 1, but is {share}.")
    if not _LEAST_PART <= share <= 1 - _LEAST_PART:
        raise ArgumentError(
            f"Argument `part` must lie between {_LEAST_PART:g} and 1 - {_LEAST_PART:g}, but is "
            f"{share}: what is gone, or left, would be lost in rounding."
        )
    _check_linear_part(data)
    return (1 - share) * float(np.mean(data.y**2)) + share * linear_plateau(data)


def _check_linear_part(data: Data) -> None:
    """Refuses targets of which a linear fit explains too little.

    Raises:
        ArgumentError: z is zero up to rounding, or what the fit explains is.
    """
    fit, *_ = np.linalg.lstsq(data.x, data.y, rcond=None)
    explained, whole = float(np.mean((data.x @ fit) ** 2)), float(np.mean(data.y**2))
    if explained > _LEAST_EXPLAINED * whole:
        return
    z = data.y @ data.x / len(data.y)
    size = float(np.mean(np.abs(data.y) * np.linalg.norm(data.x, axis=1)))
    if float(np.linalg.norm(z)) <= _NO_DIRECTION * size:
        raise ArgumentError(
            "A linear function explains nothing of these targets: z = (1/n) Σ y_i x_i is zero "
            "(balanced odd data), so the first stage of training has no direction. Shift or "
            "change the targets."
        )
    raise ArgumentError(
        f"A linear fit explains only a part {explained / whole:.2g} of these targets, too little "
        "for a first stage of training that rounding leaves visible. Shift or change the targets."
    )
