"""The exact order-parameter dynamics of two-layer networks of any width and few-index targets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netphase._checks import finite_array, instance_of, positive_float, positive_int
from netphase._types import Array, Status
from netphase.activations import Activation
from netphase.dynamics.output_law import OutputAtoms, law_quantiles
from netphase.dynamics.trajectory import check_times
from netphase.engine.exact_overlaps import (
    OverlapField,
    Target,
    overlap_shape,
    reference_rates,
    solve_exact_overlaps,
)
from netphase.errors import ArgumentError
from netphase.hermite import HermiteSeries, MultiIndexTarget, expand
from netphase.seeds import Stream, generator

_ORTHONORMAL = 1e-9
"""How far from orthonormal directions may be."""

_GRAM_FLOOR = -1e-9
"""Times m + 1: an eigenvalue below is no rounding."""


@dataclass(frozen=True, eq=False)
class Overlaps:
    """Where a network f(x) = (1/m) Σ a_i σ(u_i·x), |u_i| = 1, stands towards directions u*_j.

    Attributes:
        a: output weights a_i, shape (m,).
        s: u_i·u*, in [−1, 1], shape (m,); or u_i·u*_j for p orthonormal directions, shape (m, p).
        r: r_ij = u_i·u_j, in [−1, 1] with r_ii = 1, shape (m, m).

    Raises:
        ArgumentError: shapes do not fit, or no unit vectors have these overlaps.

    Example:
        >>> Overlaps(np.ones(2), np.zeros(2), np.eye(2)).width
        2
    """

    a: Array
    s: Array
    r: Array

    def __post_init__(self) -> None:
        a = finite_array("a", self.a, 1).astype(np.float64)
        s = finite_array("s", self.s, min(2, max(1, np.ndim(self.s)))).astype(np.float64)
        r = finite_array("r", self.r, 2).astype(np.float64)
        m = len(a)
        if len(s) != m or r.shape != (m, m):
            raise ArgumentError(
                f"Arguments `s` and `r` must have the shapes ({m},), or ({m}, p) for p directions, "
                f"and ({m}, {m}) for {m} output weights, but have {s.shape} and {r.shape}."
            )
        off = float(np.abs(np.diagonal(r) - 1.0).max())
        if off > 1e-9:
            raise ArgumentError(
                "Argument `r` must have ones on its diagonal, for input weights of unit length, "
                f"but one of them is off by {off:.3g}."
            )
        askew = float(np.abs(r - r.T).max())
        if askew > 1e-9:
            raise ArgumentError(f"Argument `r` must be symmetric, but is off by {askew:.3g}.")
        r = (r + r.T) / 2
        np.fill_diagonal(r, 1.0)
        least = gram_floor(s, r)
        if least < _GRAM_FLOOR * (m + 1):
            raise ArgumentError(
                "Arguments `s` and `r` must be overlaps of unit vectors, but the matrix of all "
                f"overlaps has the eigenvalue {least:.3g} < 0: no vectors have them."
            )
        for name, array in (("a", a), ("s", s), ("r", r)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @property
    def width(self) -> int:
        """Number of neurons m."""
        return len(self.a)

    @classmethod
    def of_weights(cls, a: Array, w: Array, direction: Array) -> Overlaps:
        """Overlaps of given weights.

        Args:
            a: output weights, shape (m,).
            w: input weights, shape (m, d), rows of any length but zero; only directions count.
            direction: u*, shape (d,), of any length but zero; or orthonormal u*_j, shape (p, d).

        Returns:
            The overlaps.

        Raises:
            ArgumentError: shapes do not fit, a row or the direction is zero, or several directions
                are not orthonormal.
        """
        rows = finite_array("w", w, 2).astype(np.float64)
        axes = 2 if np.ndim(direction) == 2 else 1
        star = finite_array("direction", direction, axes).astype(np.float64)
        if star.shape[-1] != rows.shape[1]:
            raise ArgumentError(
                "Arguments `w` and `direction` must have equal numbers of inputs, but have "
                f"{rows.shape[1]} and {star.shape[-1]}."
            )
        if axes == 2 and np.abs(star @ star.T - np.eye(len(star))).max() > _ORTHONORMAL:
            raise ArgumentError(
                "Argument `direction` must have orthonormal rows where it has several, but has not."
            )
        sizes, size = np.linalg.norm(rows, axis=1), float(np.linalg.norm(star, axis=-1).min())
        if size == 0 or not np.all(sizes > 0):
            raise ArgumentError(
                "Arguments `w` and `direction` must have no zero row: it has no direction."
            )
        u = rows / sizes[:, None]
        r = u @ u.T
        np.fill_diagonal(r, 1.0)
        unit = star / np.linalg.norm(star, axis=-1, keepdims=True)
        return cls(a, u @ unit.T, np.clip(r, -1.0, 1.0))


def gram_floor(s: Array, r: Array) -> float:
    """The least eigenvalue of [[1, sᵀ], [s, r]], the overlaps of u*, u_1, …, u_m; ≥ 0 in truth.

    Args:
        s: shape (m,) or (m, p).
        r: shape (m, m).

    Returns:
        The eigenvalue.
    """
    return float(np.linalg.eigvalsh(_bordered(s, r))[0])


def _bordered(s: Array, r: Array) -> Array:
    rows = s.reshape(len(s), -1)
    return np.block([[np.eye(rows.shape[1]), rows.T], [rows, r]])


def _nearest(s: Array, r: Array) -> tuple[Array, Array]:
    """Overlaps of unit vectors near s and r: negative eigenvalues to zero, then unit lengths."""
    values, vectors = np.linalg.eigh(_bordered(s, r))
    if values[0] >= 0:
        return s, r
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    stars, rows = np.split(root, [len(root) - len(s)])
    left, _, right = np.linalg.svd(stars, full_matrices=False)
    rows /= np.linalg.norm(rows, axis=1)[:, None]
    gram = rows @ rows.T
    np.fill_diagonal(gram, 1.0)
    return (rows @ (left @ right).T).reshape(s.shape), gram


@dataclass(frozen=True, eq=False)
class OverlapTrajectory:
    """The solution of `ExactOverlaps`, with k times.

    Attributes:
        times: those that were reached, shape (k,).
        risk: R at these times, shape (k,).
        a: output weights, shape (k, m).
        s: overlaps with the target's direction, shape (k, m), or its directions, (k, m, p).
        r: overlaps of the neurons, shape (k, m, m).
        step_times: times of all steps of the solver, from 0.
        step_risk: R at these times.
        status: why it ended.
        gram_floor: least eigenvalue of all overlaps at the times; ≥ 0 in truth.
        evaluations: evaluations of the right-hand side.
    """

    times: Array
    risk: Array
    a: Array
    s: Array
    r: Array
    step_times: Array
    step_risk: Array
    status: Status
    gram_floor: float
    evaluations: int

    @property
    def final(self) -> Overlaps:
        """The last state, taken to overlaps of unit vectors where errors have led out of them.

        Raises:
            ArgumentError: no time was reached.
        """
        if len(self.times) == 0:
            raise ArgumentError(f"There is no final state: the run ended early. {self.remedy}")
        return Overlaps(self.a[-1], *_nearest(self.s[-1], self.r[-1]))

    @property
    def remedy(self) -> str:
        """What to change where the times were not reached."""
        return self.status.remedy


@dataclass(frozen=True, init=False, eq=False)
class ExactOverlaps:
    """ε ȧ_i = −m ∂R/∂a_i, u̇_i = −m (1 − u_i u_iᵀ) ∂R/∂u_i, exact in (a, s, r) for any m and d.

    The network is f(x) = (1/m) Σ a_i σ(u_i·x) with |u_i| = 1, the target φ(u*·x), the inputs
    x ~ N(0, I_d), and R = ½ E (φ − f)². The overlaps s_i = u_i·u* and r_ij = u_i·u_j close, and d
    is in the initial ones only. So they do for a target of p directions, with p overlaps a neuron.
    Steps are not bound by ε. Where σ has no closed kernel its series is cut, and U is off by
    ``activation.rest()`` at most: rounding unless σ has kinks.

    Attributes:
        activation: σ: a name, an `Activation`, Hermite coefficients, or a `HermiteSeries`.
        target: φ, likewise; or a `hermite.MultiIndexTarget` of p directions.
        epsilon: ε > 0; small for a fast second layer, infinite for one that stands still.

    Raises:
        ArgumentError: an attribute cannot be what it should be.

    References:
        Berthier, Montanari & Zhou (2024), gradient flow in the overlaps.

    Example:
        >>> dynamics = ExactOverlaps("relu", [1.0, -1.0, 2 / 3], epsilon=0.1)
        >>> found = dynamics.solve(dynamics.initial(20, 100, seed=1), times=[1.0])
        >>> bool(found.risk[0] < 0.5 * dynamics.target.square), found.status.value
        (True, 'time reached')
    """

    activation: HermiteSeries
    target: Target
    epsilon: float = 1.0

    def __init__(
        self,
        activation: str | Activation | Sequence[float] | HermiteSeries,
        target: str | Activation | Sequence[float] | HermiteSeries | MultiIndexTarget,
        epsilon: float = 1.0,
    ) -> None:
        number = math.inf if epsilon == math.inf else positive_float("epsilon", epsilon)
        object.__setattr__(self, "activation", expand(activation))
        phi = target if isinstance(target, MultiIndexTarget) else expand(target)
        object.__setattr__(self, "target", phi)
        object.__setattr__(self, "epsilon", number)

    def initial(
        self,
        width: int,
        d: float = math.inf,
        outputs: str | Sequence[float] | Array | OutputAtoms = "gaussian",
        seed: int = 0,
        stratified: bool = False,
    ) -> Overlaps:
        """Directions even on the unit sphere of ℝ^d, output weights drawn from P_A.

        Args:
            width: m.
            d: number of inputs, at least p; at infinity all overlaps are 0 but r_ii = 1.
            outputs: P_A: one of `OUTPUT_LAWS`, atoms of equal weight, or an `OutputAtoms`.
            seed: of the directions, and of the output weights where they are random.
            stratified: take the quantiles (i + ½)/m of P_A for a_i instead of drawing.

        Returns:
            The overlaps.

        Raises:
            ArgumentError: ``width`` or ``d`` is no positive integer (or infinity), P_A is unknown,
                or ``d`` less than the number of directions.
        """
        m = positive_int("width", width)
        instance_of("stratified", stratified, bool, "True or False")
        if stratified:
            levels = (np.arange(m) + 0.5) / m
        else:
            levels = generator(seed, Stream.OUTPUT_WEIGHTS).random(m)
        a = _quantiles(outputs, levels)
        if d == math.inf:
            return Overlaps(a, np.zeros(overlap_shape(m, self.target)), np.eye(m))
        count, several = positive_int("d", d), overlap_shape(m, self.target)[1:]
        if several and count < several[0]:
            raise ArgumentError(
                f"Argument `d` must be at least {several[0]}, the number of directions of the "
                f"target, but is {count}."
            )
        w = generator(seed, Stream.INPUT_WEIGHTS).standard_normal((m, count))
        stars = np.eye(several[0], count) if several else np.eye(1, count)[0]
        return Overlaps.of_weights(a, w, stars)

    def rates(self, state: Overlaps) -> tuple[Array, Array, Array]:
        """ȧ (m,), ṡ (as s) and ṙ (m, m) at a state, from the formulas as they are written.

        Raises:
            ArgumentError: ``state`` is no `Overlaps` with the target's directions.
        """
        self._check_state(state)
        found = reference_rates(
            state.a, state.s, state.r, self.activation, self.target, self.epsilon
        )
        return found.a, found.s, found.r

    def risk(self, state: Overlaps) -> float:
        """R = ½‖φ‖² − (1/m) Σ a_i V(s_i) + (1/2m²) Σ a_i a_j U(r_ij) at a state.

        Raises:
            ArgumentError: ``state`` is no `Overlaps`.
        """
        self._check_state(state)
        field = self._field(state.width)
        field.look(state.s, state.r)
        return field.risk(state.a)

    def solve(
        self,
        state: Overlaps,
        times: Sequence[float] | Array,
        *,
        rtol: float = 1e-6,
        atol: float | None = None,
        max_steps: int = 100_000,
    ) -> OverlapTrajectory:
        """Follow the flow from time 0.

        At the default tolerance the risk is good to some 1e-5 of its start, late in a run too.

        Args:
            state: where to start, see `initial` and `Overlaps.of_weights`.
            times: where states are wanted, increasing, ≥ 0; each is kept with all m² overlaps.
            rtol: relative tolerance of a step.
            atol: absolute tolerance; ``rtol``/1000 by default.
            max_steps: most steps.

        Returns:
            The trajectory; its ``status`` tells whether all times were reached.

        Raises:
            ArgumentError: an argument is out of its range.
        """
        self._check_state(state)
        wanted = check_times(finite_array("times", times, 1)).astype(np.float64)
        relative = positive_float("rtol", rtol)
        if relative > 0.1 or relative < 1e-12:
            raise ArgumentError(
                f"Argument `rtol` must lie between 1e-12 and 0.1, but is {relative:g}."
            )
        absolute = relative * 1e-3 if atol is None else positive_float("atol", atol)
        run = solve_exact_overlaps(
            self._field(state.width),
            (state.a, state.s, state.r),
            wanted,
            relative,
            absolute,
            positive_int("max_steps", max_steps),
        )
        m, found = state.width, run.snapshots
        r = np.array([each.r for each in found]).reshape(-1, m, m)
        return OverlapTrajectory(
            times=np.array([each.time for each in found]),
            risk=np.array([each.risk for each in found]),
            a=np.array([each.a for each in found]).reshape(-1, m),
            s=np.array([each.s for each in found]).reshape(-1, *state.s.shape),
            r=r,
            step_times=np.array(run.times),
            step_risk=np.array(run.risks),
            status=run.status,
            gram_floor=min((gram_floor(each.s, each.r) for each in found), default=math.nan),
            evaluations=run.evaluations,
        )

    def _check_state(self, state: Overlaps) -> None:
        instance_of("state", state, Overlaps, "an Overlaps")
        shape = overlap_shape(state.width, self.target)
        if state.s.shape != shape:
            raise ArgumentError(
                f"Argument `state` must have overlaps `s` of the shape {shape} with the directions "
                f"of the target, but has {state.s.shape}."
            )

    def _field(self, width: int) -> OverlapField:
        return OverlapField(width, self.activation, self.target, self.epsilon)


def _quantiles(outputs: Any, levels: Array) -> Array:
    """Quantiles of P_A at some levels in (0, 1)."""
    if isinstance(outputs, OutputAtoms):
        return outputs.quantiles(levels)
    if not isinstance(outputs, str):
        atoms = finite_array("outputs", outputs, 1).astype(np.float64)
        return np.asarray(atoms[np.minimum((levels * len(atoms)).astype(int), len(atoms) - 1)])
    return law_quantiles(outputs, levels)
