"""The exact phase plane: the linear stage at every point, several widths, all cells at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netphase._checks import finite_array, instance_of, one_of
from netphase._types import Array
from netphase.activations import Activation, get
from netphase.datasets import Dataset
from netphase.dynamics.macroscopic.comparator import DEFAULT_RTOL, check_tolerance
from netphase.dynamics.macroscopic.equation import Isotropic
from netphase.dynamics.macroscopic.integration import reach
from netphase.dynamics.macroscopic.limit import (
    check_delta,
    check_first_output,
    check_range,
    check_strength,
    closed_form,
    output_level,
)
from netphase.dynamics.macroscopic.observe import Boost, gaussian_alignment, gaussian_changes
from netphase.dynamics.macroscopic.task import LinearTask, slope_at_zero
from netphase.errors import ArgumentError
from netphase.kernels import half_way


@dataclass(frozen=True)
class MacroscopicPlane:
    """The linear stage over the plane; other arrays have shape (widths, gamma_primes, gammas).

    Attributes:
        width: neurons of one copy, shape (widths,).
        gamma: γ, shape (gammas,).
        gamma_prime: γ′, shape (gamma_primes,).
        relative_change_w: RD of the input weights at the stop.
        relative_change_a: RD of the output weights.
        relative_change_theta: RD of both, in normalised variables.
        alignment_ratio: ρ, the share of the input weights' size along z.
        time: normalised time of the stop.
        escapes: λτ of the stop, in units of the escape.
        breakdown: λτ where |f|_rms = δ|y|_rms; NaN if the best linear fit is smaller, or
            larger by less than 1e-9 of it.
        breakdown_closed: the same from the closed form with the drive frozen.
        mean_square: at the stop, the same everywhere.
    """

    width: Array
    gamma: Array
    gamma_prime: Array
    relative_change_w: Array
    relative_change_a: Array
    relative_change_theta: Array
    alignment_ratio: Array
    time: Array
    escapes: Array
    breakdown: Array
    breakdown_closed: Array
    mean_square: float

    def exponents(self, which: str = "w") -> Array:
        """Exponents d log RD/d log m between the first and the last width.

        Args:
            which: ``"w"``, ``"a"`` or ``"theta"``.

        Returns:
            Shape (gamma_primes, gammas).

        Raises:
            ArgumentError: ``which`` is unknown, or there is one width only.
        """
        block = one_of("which", which, ("w", "a", "theta"))
        if len(self.width) < 2:
            raise ArgumentError("Exponents need two widths or more, but there is one.")
        change = getattr(self, f"relative_change_{block}")
        return np.asarray(
            (np.log(change[-1]) - np.log(change[0])) / math.log(self.width[-1] / self.width[0])
        )


def macroscopic_plane(
    gamma: Sequence[float] | Array,
    gamma_prime: Sequence[float] | Array,
    widths: Sequence[float] | Array,
    data: Dataset,
    activation: str | Activation = "tanh",
    *,
    antisymmetric: bool = True,
    part: float = 0.5,
    delta: float = 0.1,
    rtol: float = DEFAULT_RTOL,
) -> MacroscopicPlane:
    """`macroscopic_limit` at κ = m^−γ and κ′ = m^−γ′, over a grid and several widths at once.

    Only J = cκN(κ′ + 1/κ′) tells the paths of two cells apart, so each J is integrated once, all of
    them side by side; κ′ enters what is measured. The gauge does not matter.

    Args:
        gamma: γ of the columns.
        gamma_prime: γ′ of the rows.
        widths: neurons of one copy, each ≥ 1.
        data: inputs and targets.
        activation: σ of multiplicity one with σ(0) = 0.
        antisymmetric: whether there is a second, opposite copy; without one the random first
            output, ~ m^(1/2 − γ), is left out. It counts up to γ ~ 3/4 at finite width, and
            γ < 1/2 is refused.
        part: the stop, where this part of the error that a linear fit can take away is gone.
        delta: δ ≥ 1e-150 of the break-down time.
        rtol: tolerance of a step, from 1e-12 to 1e-2.

    Returns:
        The plane.

    Raises:
        ArgumentError: an argument is out of its range, the start is not antisymmetric at γ < 1/2,
            the activation is not c·u near zero, z vanishes, or a width is so large that
            something leaves the range of a float.

    References:
        Chen et al. (2023), the phase diagram of smooth activations.

    Example:
        >>> from netphase.datasets import linear
        >>> plane = macroscopic_plane([0.75, 1.75], [0.0], [1e12, 1e16], linear())
        >>> plane.exponents("w").round(3).tolist()
        [[-0.25, 0.375]]
    """
    instance_of("data", data, Dataset, "a Dataset")
    columns, rows = finite_array("gamma", gamma, 1), finite_array("gamma_prime", gamma_prime, 1)
    check_first_output(float(np.min(columns)), antisymmetric)
    sizes = finite_array("widths", widths, 1)
    if np.any(sizes < 1):
        raise ArgumentError(
            f"Argument `widths` must hold numbers ≥ 1, but holds {float(np.min(sizes))!r}."
        )
    task, slope = LinearTask.of(data), abs(slope_at_zero(get(activation)))
    share, size = check_delta(delta), np.log(sizes)[:, None, None]
    target, breaks = half_way(data, part), task.reaches(share)
    with np.errstate(all="ignore"):  # what leaves the range of a float is refused below
        ratio = np.exp(-size * rows[:, None]) * np.ones(len(columns))
        unit = slope * np.exp(-size * columns) * np.ones((len(rows), 1))
        both = np.logaddexp(size * rows[:, None], -size * rows[:, None])
        neurons = math.log((2 if antisymmetric else 1) * slope)
        strength = check_strength(np.exp(neurons + size * (1 - columns) + both))
        paths, cell = np.unique(strength, return_inverse=True)
        equation = Isotropic.of(task, paths)

        def half(u: Array) -> Array:
            return np.asarray(np.log((target - task.plateau) / task.excess(u)))

        levels = [half, output_level(task, share)] if breaks else [half]
        end, *broken = reach(equation, levels, check_tolerance(rtol))
        moment = broken[0].clock if breaks else np.full(len(paths), np.nan)
        cell, flat = cell.ravel(), ratio.ravel()
        boost = Boost.of(equation.rows(cell), end.state.rows(cell))
        change_w, change_a, change_theta = gaussian_changes(boost, flat, data.d)
        found = {
            "relative_change_w": change_w,
            "relative_change_a": change_a,
            "relative_change_theta": change_theta,
            "alignment_ratio": gaussian_alignment(boost, flat, task.z / task.rate, data.d),
            "time": end.clock[cell] / unit.ravel(),
            "escapes": end.clock[cell] * task.rate,
        }
        check_range(found)
        found["breakdown"] = moment[cell] * task.rate
        found["breakdown_closed"] = (closed_form(task, paths, share) + 0 * moment)[cell]
    shaped = {name: each.reshape(strength.shape) for name, each in found.items()}
    return MacroscopicPlane(sizes, columns, rows, **shaped, mean_square=target)
