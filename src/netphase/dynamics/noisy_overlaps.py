"""One-pass gradient descent in the overlaps: the flow, and the noise of steps of the order 1/d."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from netphase._checks import instance_of, non_negative_float, positive_int
from netphase._types import Array
from netphase.activations import Activation
from netphase.dynamics.exact_overlaps import ExactOverlaps, Overlaps, OverlapTrajectory
from netphase.dynamics.trajectory import check_times
from netphase.engine.exact_overlaps import OverlapField, solve_exact_overlaps
from netphase.engine.overlap_noise import NoiseMean, NoisyField, noise_mean, spread_normals
from netphase.errors import ArgumentError
from netphase.hermite import HermiteSeries, expand
from netphase.seeds import Stream, generator

POINTS = 8192
"""Points of a sample where no average is known in closed form and their number is not given."""

_FEWEST, _MOST = 16, 1 << 22
_WIDEST = 21_200  # variables of a Sobol sequence, less one


@dataclass(frozen=True, eq=False)
class NoisyTrajectory(OverlapTrajectory):
    """The solution of `NoisyOverlaps`: an `OverlapTrajectory` with the error of its averages.

    Attributes:
        risk_error: of the risk at the times, from two independent halves of the sample: half the
            difference of their risks; 0 for closed forms, NaN where a half did not get there.
    """

    risk_error: Array


@dataclass(frozen=True, init=False, eq=False)
class NoisyOverlaps(ExactOverlaps):
    """The overlaps under one-pass projected gradient descent with steps η = γ/d, for d → ∞.

    With Q_ij = a_i a_j E[(e² + τ²) σ′(u_i·x) σ′(u_j·x)], e = φ − f, `ExactOverlaps` gets

        ṡ_i += −(γ/2B) s_i Q_ii,    ṙ_ij += (γ/B) [Q_ij − ½ r_ij (Q_ii + Q_jj)],

    in the time t = kη of k steps of B fresh samples, B much less than d. Q is in closed form for
    two error functions and for two polynomials, at a cost of m⁴; else, or where ``points`` are
    given, it is a mean over a Sobol sample that stands still, at a cost of ``points`` × m². The
    risk is that against the target without noise. Where σ_1 φ_1 = 0, overlaps s = 0 stay zero:
    start at a finite d then.

    Attributes:
        activation: σ: a name, an `Activation`, Hermite coefficients, or a `HermiteSeries`.
        target: φ, likewise.
        epsilon: ε > 0; small for a fast second layer, infinite for one that stands still.
        gamma: γ ≥ 0, or a function of t for steps that change.
        batch: B.
        noise: τ ≥ 0, standard deviation of what is added to the labels.
        points: size of the sample, a power of two; None for closed forms, or `POINTS`.
        seed: of the sample.

    Raises:
        ArgumentError: an attribute cannot be what it should be.

    References:
        Berthier, Montanari & Zhou (2024), section on stochastic gradient descent, for the
        algorithm; Saad & Solla (1995) for the limit of steps of the order 1/d.

    Example:
        >>> dynamics = NoisyOverlaps("erf", "erf", gamma=1.0, noise=0.3)
        >>> start = dynamics.initial(4, 100, seed=1)
        >>> found, flow = (
        ...     each.solve(start, [4.0]) for each in (dynamics, ExactOverlaps("erf", "erf"))
        ... )
        >>> bool(found.risk[0] > 1.2 * flow.risk[0]), found.risk_error
        (True, array([0.]))
    """

    target: HermiteSeries
    gamma: float | Callable[[float], float] = 1.0
    batch: int = 1
    noise: float = 0.0
    points: int | None = None
    seed: int = 0

    def __init__(
        self,
        activation: str | Activation | Sequence[float] | HermiteSeries,
        target: str | Activation | Sequence[float] | HermiteSeries,
        epsilon: float = 1.0,
        gamma: float | Callable[[float], float] = 1.0,
        batch: int = 1,
        noise: float = 0.0,
        *,
        points: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(activation, expand(target), epsilon)
        if not callable(gamma):
            gamma = non_negative_float("gamma", gamma)
        object.__setattr__(self, "gamma", gamma)
        object.__setattr__(self, "batch", positive_int("batch", batch))
        object.__setattr__(self, "noise", non_negative_float("noise", noise))
        closed = noise_mean(self.activation, self.target, 0.0) is not None
        if points is None and not closed:
            points = POINTS
        object.__setattr__(self, "points", None if points is None else _checked_points(points))
        generator(seed, Stream.NOISE)
        object.__setattr__(self, "seed", seed)

    def rates(self, state: Overlaps) -> tuple[Array, Array, Array]:
        """ȧ (m,), ṡ (m,) and ṙ (m, m) at a state and time 0, from the formulas as they are written.

        Raises:
            ArgumentError: ``state`` is no `Overlaps`.
        """
        speed, along, turned = super().rates(state)
        strength = self._strength(0.0)
        q = np.outer(state.a, state.a) * self.noise_matrix(state)
        sizes = np.diagonal(q)
        along = along - strength / 2 * state.s * sizes
        turned = turned + strength * (q - state.r * (sizes + sizes[:, None]) / 2)
        return speed, along, turned

    def noise_matrix(self, state: Overlaps) -> Array:
        """E[(e² + τ²) σ′(u_i·x) σ′(u_j·x)] at a state, shape (m, m).

        Raises:
            ArgumentError: ``state`` is no `Overlaps` with one direction.
        """
        self._check_state(state)
        return self._mean(self._normals(state.width))(state.a, state.s, state.r)

    def solve(
        self,
        state: Overlaps,
        times: Sequence[float] | Array,
        *,
        rtol: float = 1e-6,
        atol: float | None = None,
        max_steps: int = 100_000,
    ) -> NoisyTrajectory:
        """Follow the equations from time 0; a sample is solved for thrice, whole and in halves.

        Args:
            state: where to start, see `initial` and `Overlaps.of_weights`.
            times: where states are wanted, increasing, ≥ 0; each is kept with all m² overlaps.
            rtol: relative tolerance of a step.
            atol: absolute tolerance; ``rtol``/1000 by default.
            max_steps: most steps.

        Returns:
            The trajectory; its ``status`` tells whether all times were reached.

        Raises:
            ArgumentError: an argument is out of its range, or ``gamma`` at one of the times.
        """
        instance_of("state", state, Overlaps, "an Overlaps")
        for each in (0.0, *check_times(times)):
            self._strength(float(each))
        whole = super().solve(state, times, rtol=rtol, atol=atol, max_steps=max_steps)
        error, normals = np.zeros(len(whole.times)), self._normals(state.width)
        if normals is not None:
            absolute = rtol * 1e-3 if atol is None else atol
            error[:] = math.nan
            runs = [
                solve_exact_overlaps(
                    self._noisy_field(state.width, half),
                    (state.a, state.s, state.r),
                    whole.times,
                    rtol,
                    absolute,
                    max_steps,
                )
                for half in np.split(normals, 2)
                if len(whole.times)
            ]
            for k, pair in enumerate(zip(*(run.snapshots for run in runs), strict=False)):
                error[k] = abs(pair[0].risk - pair[1].risk) / 2
        values = {each.name: getattr(whole, each.name) for each in fields(whole)}
        return NoisyTrajectory(**values, risk_error=error)

    def _strength(self, time: float) -> float:
        """γ/B at a time."""
        if not callable(self.gamma):
            return self.gamma / self.batch
        return non_negative_float("gamma", self.gamma(time)) / self.batch

    def _normals(self, width: int) -> Array | None:
        """The sample, two halves that are scrambled apart, shape (points, width + 1)."""
        if self.points is None:
            return None
        if width > _WIDEST:
            raise ArgumentError(
                f"Argument `state` must have at most {_WIDEST} neurons where averages are taken "
                f"over a sample, but has {width}."
            )
        rng = generator(self.seed, Stream.NOISE)
        return np.concatenate([spread_normals(self.points // 2, width + 1, rng) for _ in range(2)])

    def _field(self, width: int) -> OverlapField:
        return self._noisy_field(width, self._normals(width))

    def _noisy_field(self, width: int, normals: Array | None) -> OverlapField:
        mean = self._mean(normals)
        return NoisyField(width, self.activation, self.target, self.epsilon, self._strength, mean)

    def _mean(self, normals: Array | None) -> NoiseMean:
        variance = self.noise * self.noise  # a product can be infinite, a power cannot
        mean = noise_mean(self.activation, self.target, variance, normals)
        assert mean is not None  # points were given where there is no closed form
        return mean


def _checked_points(points: int) -> int:
    count = positive_int("points", points)
    if not _FEWEST <= count <= _MOST or count & (count - 1):
        raise ArgumentError(
            f"Argument `points` must be a power of two between {_FEWEST} and {_MOST}, but is "
            f"{count}."
        )
    return count
