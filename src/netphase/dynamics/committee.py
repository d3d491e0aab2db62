"""Soft committees that learn from a teacher by online descent, in their order parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netphase._checks import (
    finite_array,
    finite_float,
    instance_of,
    non_negative_float,
    positive_float,
    positive_int,
)
from netphase._types import Array, Status
from netphase.dynamics.trajectory import check_times
from netphase.engine.committee import CommitteeField, solve_committee, split
from netphase.errors import ArgumentError
from netphase.seeds import Stream, generator

_GRAM_FLOOR = -1e-9
"""Times the number of units and the largest overlap: an eigenvalue below is no rounding."""


@dataclass(frozen=True, eq=False)
class Committee:
    """Order parameters of a student Σ v_k g(J_k·x) and a teacher with the vectors B_n.

    Attributes:
        q: Q_ij = J_i·J_j, shape (K, K), symmetric.
        r: R_in = J_i·B_n, shape (K, M).
        v: output weights v_i, shape (K,).

    Raises:
        ArgumentError: shapes do not fit, ``q`` is not symmetric, or a vector has no length.
    """

    q: Array
    r: Array
    v: Array

    def __post_init__(self) -> None:
        q = finite_array("q", self.q, 2).astype(np.float64)
        r = finite_array("r", self.r, 2).astype(np.float64)
        v = finite_array("v", self.v, 1).astype(np.float64)
        units = len(v)
        if q.shape != (units, units) or len(r) != units:
            raise ArgumentError(
                f"Arguments `q` and `r` must have the shapes ({units}, {units}) and ({units}, M) "
                f"for {units} output weights, but have {q.shape} and {r.shape}."
            )
        askew = float(np.abs(q - q.T).max())
        if askew > 1e-9 * float(np.abs(q).max()):
            raise ArgumentError(f"Argument `q` must be symmetric, but is off by {askew:.3g}.")
        if not np.all(np.diagonal(q) > 0):
            raise ArgumentError("Argument `q` must have squared lengths > 0 on its diagonal.")
        for name, array in (("q", (q + q.T) / 2), ("r", r), ("v", v)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @property
    def units(self) -> int:
        """Number of student units K."""
        return len(self.v)

    @classmethod
    def of_weights(cls, j: Array, b: Array, v: Array | None = None) -> Committee:
        """Order parameters of given weights.

        Args:
            j: of the student, shape (K, N).
            b: of the teacher, shape (M, N).
            v: output weights, shape (K,); ones by default.

        Returns:
            The order parameters; the teacher's own overlaps are ``b @ b.T``.

        Raises:
            ArgumentError: shapes do not fit.

        Example:
            >>> Committee.of_weights(np.eye(2, 5), np.eye(3, 5)).r.shape
            (2, 3)
        """
        student = finite_array("j", j, 2).astype(np.float64)
        teacher = finite_array("b", b, 2).astype(np.float64)
        if student.shape[1] != teacher.shape[1]:
            raise ArgumentError(
                "Arguments `j` and `b` must have equal numbers of inputs, but have "
                f"{student.shape[1]} and {teacher.shape[1]}."
            )
        outputs = np.ones(len(student)) if v is None else v
        return cls(student @ student.T, student @ teacher.T, outputs)


@dataclass(frozen=True, eq=False)
class CommitteeTrajectory:
    """The solution of `CommitteeOverlaps`, with k times.

    Attributes:
        times: those that were reached, α = steps/N, shape (k,).
        risk: ε_g = ½ E e² at these times, shape (k,); below some 1e-15 it is rounding.
        q: overlaps of the student, shape (k, K, K).
        r: overlaps of student and teacher, shape (k, K, M).
        v: output weights, shape (k, K).
        status: why it ended.
        steps: of the solver.
        evaluations: of the right-hand side.
    """

    times: Array
    risk: Array
    q: Array
    r: Array
    v: Array
    status: Status
    steps: int
    evaluations: int

    @property
    def final(self) -> Committee:
        """The last state.

        Raises:
            ArgumentError: no time was reached.
        """
        if len(self.times) == 0:
            raise ArgumentError(f"There is no final state: the run ended early. {self.remedy}")
        return Committee(self.q[-1], self.r[-1], self.v[-1])

    @property
    def remedy(self) -> str:
        """What to change where the times were not reached."""
        return self.status.remedy


@dataclass(frozen=True, init=False, eq=False)
class CommitteeOverlaps:
    """Online descent of a student Σ v_k g(J_k·x) on a teacher Σ v*_n g(B_n·x), for N → ∞.

    Here g = erf(x/√2) and x ~ N(0, I_N). Each step takes B fresh samples, labelled y with noise of
    variance τ², and e = y − Σ v_k g(J_k·x): J_i += (η/N) v_i g′ e x and v_i += (η_v/N) g e, means
    over the batch, B much less than N. In the time α = steps/N the overlaps Q, R and the weights v
    obey closed equations; Q̇ has a term of η², which holds the noise. The cost of a right-hand side
    is that of K²(K + M)²/4 arcsines.

    Attributes:
        teacher: T_nm = B_n·B_m, shape (M, M).
        outputs: v*, shape (M,).
        rate: η > 0.
        output_rate: η_v ≥ 0; 0 for a second layer that stands still.
        noise: τ ≥ 0.
        batch: B.
        spherical: whether every step ends with J_i at its former length.
        quadratic: whether the term of η² counts; without, this is gradient flow in the time ηα.

    Raises:
        ArgumentError: an attribute is out of its range, or no vectors have the overlaps T.

    References:
        Saad & Solla (1995), on-line learning in soft committee machines; Goldt, Advani, Saxe,
        Krzakala & Zdeborová (2019), for the trained second layer.

    Example:
        >>> dynamics = CommitteeOverlaps(2, rate=0.5)
        >>> start = dynamics.initial(2, inputs=1000, size=0.5, seed=0)
        >>> found = dynamics.solve(start, [0.0, 50.0, 2000.0])
        >>> [float(f"{each:.1g}") for each in found.risk[:2]], bool(found.risk[2] < 1e-12)
        ([0.4, 0.01], True)
    """

    teacher: Array
    outputs: Array
    rate: float
    output_rate: float
    noise: float
    batch: int
    spherical: bool
    quadratic: bool

    def __init__(
        self,
        teacher: int | Sequence[Sequence[float]] | Array,
        outputs: float | Sequence[float] | Array = 1.0,
        rate: float = 1.0,
        *,
        output_rate: float = 0.0,
        noise: float = 0.0,
        batch: int = 1,
        spherical: bool = False,
        quadratic: bool = True,
    ) -> None:
        """Makes the equations.

        Args:
            teacher: T, or M for orthonormal vectors.
            outputs: v*, or one number for all.
            rate: η.
            output_rate: η_v.
            noise: τ.
            batch: B.
            spherical: keep the lengths of the J_i.
            quadratic: keep the term of η².
        """
        overlaps = _teacher(teacher)
        object.__setattr__(self, "teacher", overlaps)
        object.__setattr__(self, "outputs", _outputs("outputs", outputs, len(overlaps)))
        object.__setattr__(self, "rate", positive_float("rate", rate))
        object.__setattr__(self, "output_rate", non_negative_float("output_rate", output_rate))
        object.__setattr__(self, "noise", non_negative_float("noise", noise))
        object.__setattr__(self, "batch", positive_int("batch", batch))
        for name, value in (("spherical", spherical), ("quadratic", quadratic)):
            instance_of(name, value, bool, "True or False")
            object.__setattr__(self, name, value)

    def initial(
        self,
        units: int,
        inputs: float = math.inf,
        size: float = 1.0,
        outputs: float | Sequence[float] | Array = 1.0,
        seed: int = 0,
    ) -> Committee:
        """Vectors J_i of one length in random directions.

        Args:
            units: K.
            inputs: N ≥ M; at infinity all J_i are orthogonal to one another and to the teacher.
            size: |J_i|.
            outputs: v_i, or one number for all.
            seed: of the directions.

        Returns:
            The order parameters.

        Raises:
            ArgumentError: an argument is out of its range.
        """
        count, length = positive_int("units", units), positive_float("size", size)
        v, learnt = _outputs("outputs", outputs, count), len(self.teacher)
        if inputs == math.inf:
            return Committee(length**2 * np.eye(count), np.zeros((count, learnt)), v)
        if positive_int("inputs", inputs) < learnt:
            raise ArgumentError(
                f"Argument `inputs` must be at least {learnt}, the teacher's units, but is "
                f"{inputs}."
            )
        j = generator(seed, Stream.INPUT_WEIGHTS).standard_normal((count, int(inputs)))
        j *= length / np.linalg.norm(j, axis=1)[:, None]
        values, vectors = np.linalg.eigh(self.teacher)
        b = np.zeros((learnt, int(inputs)))
        b[:, :learnt] = vectors * np.sqrt(np.maximum(values, 0.0))
        return Committee.of_weights(j, b, v)

    def rates(self, state: Committee) -> tuple[Array, Array, Array]:
        """Q̇ (K, K), Ṙ (K, M) and v̇ (K,) at a state.

        Raises:
            ArgumentError: ``state`` is no `Committee` that fits the teacher.
        """
        self._check(state)
        found = self._field().rates(state.q, state.r, state.v)
        return found.q, found.r, found.v

    def risk(self, state: Committee) -> float:
        """ε_g = ½ E e² at a state, against the teacher without noise.

        Raises:
            ArgumentError: ``state`` is no `Committee` that fits the teacher.
        """
        self._check(state)
        return self._field().risk(state.q, state.r, state.v)

    def solve(
        self,
        state: Committee,
        times: Sequence[float] | Array,
        *,
        rtol: float = 1e-8,
        atol: float = 1e-12,
        max_steps: int = 1_000_000,
    ) -> CommitteeTrajectory:
        """Follow the order parameters from α = 0.

        Units that start alike stay alike in truth; a plateau is left when their differences have
        grown from what they were at the start, or from ``atol`` where they were less.

        Args:
            state: where to start, see `initial` and `Committee.of_weights`.
            times: α at which states are wanted, increasing, ≥ 0.
            rtol: relative tolerance of a step.
            atol: absolute tolerance.
            max_steps: most steps.

        Returns:
            The trajectory; its ``status`` tells whether all times were reached.

        Raises:
            ArgumentError: an argument is out of its range.
        """
        self._check(state)
        wanted = check_times(finite_array("times", times, 1)).astype(np.float64)
        relative = positive_float("rtol", rtol)
        if not 1e-12 <= relative <= 0.1:
            raise ArgumentError(
                f"Argument `rtol` must lie between 1e-12 and 0.1, but is {relative:g}."
            )
        field = self._field()
        run = solve_committee(
            field,
            (state.q, state.r, state.v),
            wanted,
            relative,
            positive_float("atol", atol),
            positive_int("max_steps", max_steps),
        )
        q, r, v = split(run.states, state.units)
        risk = [field.risk(*each) for each in zip(q, r, v, strict=True)]
        return CommitteeTrajectory(
            wanted[: len(v)], np.array(risk), q, r, v, run.status, run.steps, run.evaluations
        )

    def _field(self) -> CommitteeField:
        return CommitteeField(
            self.teacher,
            self.outputs,
            self.rate,
            self.output_rate,
            self.noise * self.noise,
            self.batch,
            self.spherical,
            self.quadratic,
        )

    def _check(self, state: Any) -> None:
        """Refuses what is no state beside this teacher."""
        instance_of("state", state, Committee, "a Committee")
        if state.r.shape[1] != len(self.teacher):
            raise ArgumentError(
                f"Argument `state` must have overlaps with {len(self.teacher)} teacher units, but "
                f"has them with {state.r.shape[1]}."
            )
        whole = np.block([[state.q, state.r], [state.r.T, self.teacher]])
        _vectors("state", whole)


def _teacher(teacher: Any) -> Array:
    if np.ndim(teacher) == 0:
        return np.eye(positive_int("teacher", teacher))
    t = finite_array("teacher", teacher, 2).astype(np.float64)
    if t.shape[0] != t.shape[1] or np.abs(t - t.T).max() > 1e-9 * np.abs(t).max():
        raise ArgumentError(
            "Argument `teacher` must be a number of units or the symmetric matrix of their "
            f"overlaps, but has the shape {t.shape} or is not symmetric."
        )
    _vectors("teacher", t)
    return np.asarray((t + t.T) / 2)


def _vectors(name: str, gram: Array) -> None:
    """Refuses overlaps that no vectors have."""
    least = float(np.linalg.eigvalsh(gram)[0])
    if least < _GRAM_FLOOR * len(gram) * float(np.abs(gram).max()):
        raise ArgumentError(
            f"Argument `{name}` must hold overlaps of vectors, but the matrix of all overlaps has "
            f"the eigenvalue {least:.3g} < 0: no vectors have them."
        )


def _outputs(name: str, outputs: Any, units: int) -> Array:
    if np.ndim(outputs) == 0:
        return np.full(units, finite_float(name, outputs))
    found = finite_array(name, outputs, 1).astype(np.float64)
    if len(found) != units:
        raise ArgumentError(
            f"Argument `{name}` must be one number or {units}, one a unit, but has {len(found)}."
        )
    return found
