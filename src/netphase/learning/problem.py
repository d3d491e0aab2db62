"""What is learnt from what, and the records and measures that all solvers share."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netphase._types import Array, Status
from netphase.dynamics import (
    LearningPrediction,
    MeanFieldOverlaps,
    MultiIndexOverlaps,
    OutputAtoms,
)
from netphase.hermite import HermiteSeries, MultiIndexTarget
from netphase.observables import find_plateaus, learning_windows
from netphase.results import StageRun

LONGEST = 1000.0
"""End of a run in which a degree that can be learnt is not learnt earlier."""

SHORTEST = 1.0
"""Least end where a degree is never learnt, so that it is seen to stay."""

FIRST = 1e-3
"""First record, in units of ε."""

NODES = 20
"""Initial overlaps N(0, 1/d) of each atom, in the mean field of finitely many inputs."""


@dataclass(frozen=True, eq=False)
class Problem:
    """A target, an activation and a start.

    Attributes:
        activation: σ.
        target: φ.
        outputs: P_A.
        prediction: what is predicted of them, of every degree that enters.
        degrees: how many degrees are recorded, from 0 on.
        inputs: d.
    """

    activation: HermiteSeries
    target: HermiteSeries | MultiIndexTarget
    outputs: OutputAtoms
    prediction: LearningPrediction
    degrees: int
    inputs: float = math.inf

    @property
    def learnable(self) -> npt.NDArray[np.bool_]:
        """Which of the recorded degrees are learnt in the end, shape (l,)."""
        return self.prediction.learnable[: self.degrees]

    @property
    def sizes(self) -> Array:
        """|φ_l| of the recorded degrees, shape (l,)."""
        return np.abs(self.prediction.target[: self.degrees])

    def mean_field(self, epsilon: float) -> MeanFieldOverlaps | MultiIndexOverlaps:
        """The equations of infinitely many neurons at one ε."""
        sigma, law = self.prediction.activation, self.outputs
        if isinstance(self.target, MultiIndexTarget):
            return MultiIndexOverlaps(epsilon, sigma, self.target, law.atoms, law.weights)
        phi = self.prediction.target
        if self.inputs == math.inf:
            return MeanFieldOverlaps(epsilon, sigma, phi, law.atoms, law.weights)
        from scipy.special import roots_hermitenorm

        nodes, shares = roots_hermitenorm(NODES)
        s = np.clip(nodes / math.sqrt(self.inputs), -1.0, 1.0)
        return MeanFieldOverlaps(
            epsilon,
            sigma,
            phi,
            np.repeat(law.atoms, NODES),
            np.outer(law.weights, shares / shares.sum()).ravel(),
            np.tile(s, len(law.atoms)),
        )

    def residuals(self, a: Array, s: Array) -> Array:
        """ρ_l of networks of equally weighted neurons.

        Args:
            a: output weights, shape (t, m).
            s: overlaps, shape (t, m), or (t, m, p) of a target of p directions.

        Returns:
            φ_l − σ_l ⟨a s^l⟩, the norm over all monomials of degree l where p is given: (t, l).
        """
        sigma = self.prediction.activation
        if not isinstance(self.target, MultiIndexTarget):
            powers = s[..., None] ** np.arange(self.degrees)
            moments = np.mean(a[..., None] * powers, axis=1)
            phi = self.prediction.target
            return np.asarray(phi[: self.degrees] - sigma[: self.degrees] * moments)
        law = self.outputs
        equations = MultiIndexOverlaps(1.0, sigma, self.target, law.atoms, law.weights).problem()
        modes = equations.modes
        powers = np.prod(s[:, :, None, :] ** modes.exponents, axis=-1)
        left = equations.target - equations.activation * np.mean(a[..., None] * powers, axis=1)
        return np.asarray(np.sqrt(left**2 @ (modes.degrees[:, None] == np.arange(self.degrees))))

    def end(self, times: Array, beyond: float) -> float:
        """When to stop after everything that can be learnt is learnt.

        Args:
            times: t_l, shape (l,), NaN where degree l is not learnt.
            beyond: so many times the last learning time.

        Returns:
            The end, at most `LONGEST`.
        """
        asked = times[self.learnable]
        if np.isnan(asked).any():
            return LONGEST
        never = np.any(self.sizes[~self.learnable] != 0.0)
        last = beyond * float(asked.max(initial=0.0))
        return min(LONGEST, max(last, SHORTEST if never or last == 0.0 else 0.0))


def staged(
    problem: Problem,
    planned: Array,
    risk: Array,
    residuals: Array,
    sizes: tuple[Array, Array],
    status: Status,
    learning_time: Array | None = None,
    noise: float | None = 0.0,
) -> StageRun:
    """A run with what is measured on its records; rows that it did not reach become NaN.

    Args:
        problem: what is learnt.
        planned: times of all records, shape (t,).
        risk: of those that were reached, the first n of them, shape (n,).
        residuals: shape (n, l).
        sizes: root mean squares of a and of s, both of shape (n,).
        status: why it ended.
        learning_time: t_l where the solver tells them better than the records, shape (l,).
        noise: of the risk, as in `observables.find_plateaus`.

    Returns:
        The run.
    """
    sound = np.isfinite(risk) & np.isfinite(residuals).all(axis=1)
    reached = len(risk) if sound.all() else int(np.argmin(sound))
    start, time, end, plateau = (np.full(problem.degrees, np.nan) for _ in range(4))
    if reached:
        clock = planned[:reached]
        windows = learning_windows(clock, residuals[:reached], problem.sizes)
        start, end = windows.start, windows.end
        time = windows.time if learning_time is None else learning_time
        plateau = _plateaus(problem, clock, risk[:reached], start, end, noise)

    def filled(values: Array) -> Array:
        rows = np.full((len(planned), *values.shape[1:]), np.nan)
        rows[:reached] = values[:reached]
        return rows

    return StageRun(
        time=planned,
        risk=filled(risk),
        residuals=filled(residuals),
        rms_a=filled(sizes[0]),
        rms_s=filled(sizes[1]),
        learning_time=np.where(problem.sizes == 0.0, np.nan, time),
        window_start=start,
        window_end=end,
        plateau=plateau,
        status=status,
    )


def _plateaus(
    problem: Problem, time: Array, risk: Array, start: Array, end: Array, noise: float | None
) -> Array:
    """The risk of the longest plateau between the window of each degree and the next one."""
    found = np.full(problem.degrees, np.nan)
    plateaus = find_plateaus(time, np.maximum(risk, 0.0), noise=noise).plateaus
    learnt = [int(k) for k in np.flatnonzero(problem.learnable) if np.isfinite(end[k])]
    for k in learnt:
        later = [start[j] for j in range(k + 1, problem.degrees) if problem.learnable[j]]
        until = min((each for each in later if np.isfinite(each)), default=math.inf)
        between = [each for each in plateaus if end[k] <= each.middle <= until]
        if between:
            found[k] = max(between, key=lambda each: each.length).height
        elif k == learnt[-1] and len(learnt) == problem.learnable.sum():
            found[k] = risk[-1]
    return found
