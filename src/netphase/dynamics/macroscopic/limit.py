"""Infinitely many Gaussian neurons at the scales of any width: history and break-down time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from netphase._checks import finite_float, instance_of, positive_float
from netphase._types import Array, Status
from netphase.activations import Activation, get
from netphase.datasets import Dataset
from netphase.dynamics.macroscopic.comparator import DEFAULT_RTOL, check_tolerance
from netphase.dynamics.macroscopic.equation import Isotropic, mean_function
from netphase.dynamics.macroscopic.integration import Level, reach
from netphase.dynamics.macroscopic.observe import Boost, gaussian_alignment, gaussian_changes
from netphase.dynamics.macroscopic.path import follow
from netphase.dynamics.macroscopic.task import LinearTask, slope_at_zero
from netphase.dynamics.trajectory import check_times
from netphase.engine.problem import Stop
from netphase.errors import ArgumentError
from netphase.kernels import half_way
from netphase.scalings import Scales, ScalingLaw

SMALLEST, LARGEST = 1e-250, 1e152
"""Between these J the squares of a boost and of its change stay in the range of a float."""

LEAST_DELTA = 1e-150
"""The smallest δ, whose square is in the range of a float."""

_ROUNDING = 1e-12
"""A γ is 1/2 to within this."""


@dataclass(frozen=True)
class MacroscopicLimit:
    """The linear stage of infinitely many neurons; arrays over time have shape (t,).

    Attributes:
        time: normalised clock t̄ = t/(β₁β₂).
        raw_time: t, for learning rates with √(η_a η_w) = 1.
        escapes: λτ = λct/α, the clock in units of the escape.
        mean_square: (1/n) Σ e².
        relative_change_w: RD of the input weights.
        relative_change_a: RD of the output weights.
        relative_change_theta: RD of both, in normalised variables.
        alignment_ratio: ρ, the share of the input weights' size along z.
        output_rms: root mean square of f over the data.
        plateau: mean square error of the best linear fit.
        status: why the run ended.
    """

    time: Array
    raw_time: Array
    escapes: Array
    mean_square: Array
    relative_change_w: Array
    relative_change_a: Array
    relative_change_theta: Array
    alignment_ratio: Array
    output_rms: Array
    plateau: float
    status: Status

    @property
    def final(self) -> dict[str, float]:
        """The last row of every array by its name."""
        names = (name for name in self.__dataclass_fields__ if name not in ("plateau", "status"))
        return {name: float(getattr(self, name)[-1]) for name in names}


class BreakdownTime(NamedTuple):
    """When the residual is no longer that of the start, |f|_rms = δ|y|_rms.

    Attributes:
        closed: λτ from the frozen drive, ½ asinh(2δ|y|_rms/(J X_v)); too early by O(δ).
        escapes: λτ = λct/α from the equation itself.
        time: the latter on the normalised clock t̄ = t/(β₁β₂).
        raw_time: the latter as t.
    """

    closed: float
    escapes: float
    time: float
    raw_time: float


class WindowLaw(NamedTuple):
    """How the break-down time depends on the width.

    Attributes:
        logarithmic: whether λτ grows as slope · log m; otherwise it is a power, m^slope.
        slope: the slope or the exponent; 0 on the line between.
    """

    logarithmic: bool
    slope: float


class Setting(NamedTuple):
    """One network at infinitely many neurons: what its path and its clocks depend on."""

    task: LinearTask
    equation: Isotropic
    ratio: float
    unit: float
    raw: float

    @classmethod
    def of(
        cls,
        law: ScalingLaw | Scales,
        width: float,
        data: Dataset,
        activation: str | Activation,
        antisymmetric: bool,
    ) -> Setting:
        """Checks the arguments of `macroscopic_limit`.

        Returns:
            The data, the equation of one cell, κ′, and τ per normalised and per raw time.
        """
        instance_of("data", data, Dataset, "a Dataset")
        instance_of("law", law, (ScalingLaw, Scales), "a ScalingLaw, or the Scales of one width")
        if isinstance(law, ScalingLaw):
            check_first_output(law.gamma, antisymmetric)
        instance_of("antisymmetric", antisymmetric, bool, "True or False")
        m = finite_float("width", width)
        if m < 1 or m != math.floor(m):
            raise ArgumentError(f"Argument `width` must be a whole number ≥ 1, but is {width!r}.")
        task, slope = LinearTask.of(data), abs(slope_at_zero(get(activation)))
        scales = law.at_width(int(m)) if isinstance(law, ScalingLaw) else law
        neurons = (2 if antisymmetric else 1) * m
        ratio, unit = scales.kappa_prime, slope * scales.kappa
        strength = check_strength(np.array([neurons * unit * (ratio + 1 / ratio)]))
        return cls(task, Isotropic.of(task, strength), ratio, unit, slope / scales.alpha)


def check_first_output(gamma: float, antisymmetric: bool) -> None:
    """Refuses a start whose random first output, ~ m^(1/2 − γ), cannot be left out.

    Args:
        gamma: the least γ.
        antisymmetric: whether the second copy takes the first output away.

    Raises:
        ArgumentError: γ < 1/2 without a second copy.
    """
    if not antisymmetric and gamma < 0.5 - _ROUNDING:
        raise ArgumentError(
            f"Without the antisymmetric start γ must be ≥ 1/2, but is {gamma:.4g}: the first "
            "output grows with the width there, and the limit leaves it out; use the "
            "antisymmetric start, or MacroscopicDynamics with the network's own moments."
        )


def check_strength(strength: Array) -> Array:
    """J where it can be computed with.

    Raises:
        ArgumentError: one is out of range.
    """
    bad = ~((strength > SMALLEST) & (strength < LARGEST))
    if np.any(bad):
        raise ArgumentError(
            "The scales of this width are too extreme for the macroscopic equation: "
            f"J = cκN(κ′ + 1/κ′) must lie between {SMALLEST:g} and {LARGEST:g}, but is "
            f"{float(strength[bad][0]):.3g}. Use a smaller width."
        )
    return strength


def check_range(found: dict[str, Array]) -> None:
    """Refuses what overflowed.

    Raises:
        ArgumentError: a number is not finite.
    """
    for name, each in found.items():
        if not np.all(np.isfinite(each)):
            raise ArgumentError(
                f"At these scales `{name}` leaves the range of a float. Use a smaller width."
            )


def check_delta(delta: float) -> float:
    """A part of the targets' size that is not lost in the squares of a float.

    Raises:
        ArgumentError: it is not positive, or too small.
    """
    part = positive_float("delta", delta)
    if part < LEAST_DELTA:
        raise ArgumentError(
            f"Argument `delta` must be ≥ {LEAST_DELTA:g}, but is {part!r}: its square leaves the "
            "range of a float."
        )
    return part


def check_reached(task: LinearTask, delta: float) -> None:
    """Refuses a δ that the output does not reach in the linear stage.

    Raises:
        ArgumentError: the best linear fit is smaller, or larger by less than 1e-9 of it.
    """
    if not task.reaches(delta):
        raise ArgumentError(
            f"Argument `delta` must be below {task.largest_output:.3g}, the size of the best "
            f"linear fit in units of that of the targets, by 1e-9 of it, but is {delta!r}: the "
            "linear stage never gets there, or when is lost in rounding."
        )


def output_level(task: LinearTask, delta: float) -> Level:
    """Zero where |f|_rms = δ|y|_rms."""

    def level(u: Array) -> Array:
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(task.output_rms(u) / (delta * task.target_rms)))

    return level


def closed_form(task: LinearTask, strength: Array, delta: float) -> Array:
    """λτ at the break-down with the drive frozen at z, same shape as J = ``strength``."""
    return np.asarray(np.arcsinh(2 * delta * task.target_rms / task.spread / strength) / 2)


def macroscopic_limit(
    law: ScalingLaw | Scales,
    width: float,
    data: Dataset,
    activation: str | Activation = "tanh",
    *,
    antisymmetric: bool = True,
    part: float = 0.5,
    stop: Stop | None = None,
    times: Sequence[float] | Array | None = None,
    rtol: float = DEFAULT_RTOL,
) -> MacroscopicLimit:
    """The linear stage with the moments of infinitely many Gaussian neurons, at any width.

    The boost of `MacroscopicDynamics` then depends on one number only,
    J = cκN(κ′ + 1/κ′) with N = 2m or m neurons: J cosh(η) b is the mean linear function, and κ′
    enters what is measured. A run takes milliseconds at m = 10 as at m = 1e100.

    Args:
        law: the scaling law, or the scales at this width (learning rates of the layers included).
        width: neurons of one copy, m ≥ 1; a whole number, which may be a float such as 1e16.
        data: inputs and targets.
        activation: σ of multiplicity one with σ(0) = 0.
        antisymmetric: whether there is a second, opposite copy; without one the random first
            output, ~ m^(1/2 − γ), is left out. It counts up to γ ~ 3/4 at finite width; a law of
            γ < 1/2 is refused, but `Scales` hold no γ and are taken as they are.
        part: the run ends when this part of the error that a linear fit can take away is gone.
        stop: another condition to stop, in place of ``part``; a target below the plateau ends as
            stagnated on it.
        times: increasing normalised times at which to keep rows, instead of all along.
        rtol: tolerance of a step, from 1e-12 to 1e-2.

    Returns:
        The history.

    Raises:
        ArgumentError: an argument is out of its range, the start is not antisymmetric at γ < 1/2,
            the activation is not c·u near zero, z vanishes, or the scales leave the
            range of a float.

    References:
        Chen et al. (2023), whose initial stage is its beginning.

    Example:
        >>> from netphase.datasets import linear
        >>> condensed = macroscopic_limit(ScalingLaw.plain(1.5, 0.0), 1e16, linear())
        >>> f"{condensed.final['relative_change_w']:.3g}"
        '3.01e+03'
    """
    setting = Setting.of(law, width, data, activation, antisymmetric)
    instance_of("stop", stop, (Stop, type(None)), "a Stop")
    end = Stop(half_way(data, part)) if stop is None else stop
    path = follow(setting.equation, end, setting.unit, check_times(times), check_tolerance(rtol))
    every = setting.equation.rows(np.zeros(len(path.clock), dtype=np.intp))
    boost, ratio, task = Boost.of(every, path.state), np.array(setting.ratio), setting.task
    with np.errstate(over="ignore"):
        change_w, change_a, change_theta = gaussian_changes(boost, ratio, data.d)
        history = {
            "time": path.clock / setting.unit,
            "raw_time": path.clock / setting.raw,
            "escapes": path.clock * task.rate,
            "mean_square": path.mean_square,
            "relative_change_w": change_w,
            "relative_change_a": change_a,
            "relative_change_theta": change_theta,
            "alignment_ratio": gaussian_alignment(boost, ratio, task.z / task.rate, data.d),
            "output_rms": task.output_rms(mean_function(every, path.state)),
        }
    check_range(history)
    return MacroscopicLimit(**history, plateau=task.plateau, status=path.status)


def breakdown_time(
    law: ScalingLaw | Scales,
    width: float,
    data: Dataset,
    activation: str | Activation = "tanh",
    *,
    delta: float = 0.1,
    antisymmetric: bool = True,
    rtol: float = DEFAULT_RTOL,
) -> BreakdownTime:
    """The end of the initial stage, |f|_rms = δ|y|_rms, in closed form and from the equation.

    With the drive frozen at z, f = (J/2) sinh(2λτ) v·x and λτ = ½ asinh(2δ|y|_rms/(J X_v)), where
    X_v is the root mean square of v·x over the data. For α = c = 1 and equal learning rates
    J = N(β₁² + β₂²).

    Args:
        law: the scaling law, or the scales at this width.
        width: neurons of one copy, m ≥ 1; a whole number, which may be a float.
        data: inputs and targets.
        activation: σ of multiplicity one with σ(0) = 0.
        delta: δ ≥ 1e-150, below the size of the best linear fit by 1e-9 of it.
        antisymmetric: whether there is a second, opposite copy; as in `macroscopic_limit`, without
            one the random first output is left out, and a law of γ < 1/2 is refused.
        rtol: tolerance of a step.

    Returns:
        The break-down time.

    Raises:
        ArgumentError: as `macroscopic_limit`, or ``delta`` is out of its range.

    Example:
        >>> from netphase.datasets import linear
        >>> found = breakdown_time(ScalingLaw.plain(2.0, 0.0), 1e16, linear())
        >>> f"{found.closed:.4f} {found.escapes:.4f}"
        '17.6418 17.7072'
    """
    setting = Setting.of(law, width, data, activation, antisymmetric)
    task = setting.task
    part = check_delta(delta)
    check_reached(task, part)
    (there,) = reach(setting.equation, [output_level(task, part)], check_tolerance(rtol))
    clock = float(there.clock[0])
    return BreakdownTime(
        closed=float(closed_form(task, setting.equation.strength, part)[0, 0]),
        escapes=clock * task.rate,
        time=clock / setting.unit,
        raw_time=clock / setting.raw,
    )


def window_law(gamma: float, gamma_prime: float) -> WindowLaw:
    """How the break-down time λT depends on the width at a point of the plane.

    From λT = ½ asinh(2δ|y|_rms/(J X_v)) and J ~ m^(1 − γ + |γ′|): logarithmic,
    λT ~ ½(γ − |γ′| − 1) log m, where γ − |γ′| > 1; otherwise a power, λT ~ m^(γ − |γ′| − 1), so
    that the stage has no logarithmic window. At γ′ < 0 the exponent is γ + γ′ − 1.

    Args:
        gamma: γ = lim −log κ/log m.
        gamma_prime: γ′ = lim −log κ′/log m.

    Returns:
        The law.

    Raises:
        ArgumentError: a coordinate is not finite.

    References:
        Chen et al. (2023) show that a window of order log m exists in the condensed regime.

    Example:
        >>> window_law(2.0, 0.0)
        WindowLaw(logarithmic=True, slope=0.5)
    """
    excess = finite_float("gamma", gamma) - abs(finite_float("gamma_prime", gamma_prime)) - 1
    return WindowLaw(True, excess / 2) if excess > 0 else WindowLaw(False, excess)
