"""The mean-field overlap equations in NumPy: the readable definition of the compiled solver.

With f(s) = Σ_k σ_k ρ_k s^k and ρ_k = φ_k − σ_k Σ_i w_i a_i s_i^k,

    ε ȧ_i = f(s_i),   ṡ_i = a_i (1 − s_i²) f′(s_i).

The Jacobian is B − U Vᵀ: B has one 2×2 block an atom (ρ held fixed), and U, V have one column a
mode. So (cI − B + UVᵀ)⁻¹ costs m closed 2×2 inverses and one small system (Woodbury), O(mK²). When
all amplitudes are one number ā, ε ȧ_i = Σ_j w_j f(s_j), which puts all of ȧ into one more column.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netphase._types import Array
from netphase.engine.overlaps.problem import OverlapProblem
from netphase.engine.reference_flow import DENSE, GAMMA, A, C

RISK_FLOOR = 1e-6
"""Errors of the risk are measured against it, but at least this part of its scale."""


def residuals(problem: OverlapProblem, u: Array) -> Array:
    """ρ_k = φ_k − σ_k ⟨a s^k⟩.

    Args:
        problem: the problem.
        u: state (a, s), shape (m, 2).

    Returns:
        Shape (k,).
    """
    powers = np.vander(u[:, 1], len(problem.target), increasing=True)  # (m, k)
    return np.asarray(problem.target - problem.activation * ((problem.weights * u[:, 0]) @ powers))


def velocity(problem: OverlapProblem, u: Array) -> Array:
    """du/dt.

    Args:
        problem: the problem.
        u: state (a, s), shape (m, 2).

    Returns:
        Shape (m, 2).
    """
    a, s = u.T
    f, slope, _ = _forces(problem, s, residuals(problem, u))
    drive = np.full_like(f, problem.weights @ f) if problem.tied else f
    return np.column_stack([problem.speed * drive, a * (1.0 - s * s) * slope])


def _forces(problem: OverlapProblem, s: Array, rho: Array) -> tuple[Array, Array, Array]:
    """f, f′ and f″ at some overlaps, each of shape (m,)."""
    f = np.polynomial.Polynomial(problem.activation * rho)
    return np.asarray(f(s)), np.asarray(f.deriv()(s)), np.asarray(f.deriv(2)(s))


class Linearisation(NamedTuple):
    """The Jacobian B − U Vᵀ at a state.

    Attributes:
        blocks: B, shape (m, 2, 2).
        u: U, shape (r, m, 2) with r the number of modes, one more if tied.
        v: V, shape (r, m, 2).
    """

    blocks: Array
    u: Array
    v: Array

    def dense(self) -> Array:
        """The whole matrix, shape (2m, 2m), in the order a_1, s_1, a_2, s_2 and so on."""
        r, m = self.u.shape[:2]
        matrix = np.zeros((m, 2, m, 2))
        matrix[np.arange(m), :, np.arange(m), :] = self.blocks
        flat = self.u.reshape(r, -1).T @ self.v.reshape(r, -1)
        return np.asarray(matrix.reshape(2 * m, 2 * m) - flat)


def linearise(problem: OverlapProblem, u: Array) -> Linearisation:
    """The Jacobian in its structure.

    Args:
        problem: the problem.
        u: state (a, s), shape (m, 2).

    Returns:
        The pieces.
    """
    a, s = u.T
    sigma, w, speed = problem.activation, problem.weights, problem.speed
    _, slope, bend = _forces(problem, s, residuals(problem, u))
    free = 1.0 - s * s
    blocks = np.zeros((len(a), 2, 2))
    blocks[:, 0, 1] = 0.0 if problem.tied else speed * slope
    blocks[:, 1, 0] = free * slope
    blocks[:, 1, 1] = a * (free * bend - 2.0 * s * slope)
    degree = np.arange(len(sigma))[:, None]
    p = sigma[:, None] * s**degree  # (k, m)
    q = sigma[:, None] * degree * s ** np.maximum(degree - 1, 0)
    drive = np.broadcast_to((p @ w)[:, None], p.shape) if problem.tied else p
    left = np.stack([speed * drive, a * free * q], axis=-1)
    right = np.stack([w * p, w * a * q], axis=-1)
    if problem.tied:
        zero = np.zeros((1, len(a)))
        left = np.concatenate([left, np.stack([zero - speed, zero], axis=-1)])
        right = np.concatenate([right, np.stack([zero, zero + w * slope], axis=-1)])
    return Linearisation(blocks, left, right)


class Woodbury:
    """(cI − B + U Vᵀ)⁻¹.

    Args:
        at: the Jacobian.
        c: shift, > 0.
    """

    def __init__(self, at: Linearisation, c: float) -> None:
        self._inverse = np.linalg.inv(c * np.eye(2) - at.blocks)
        self._v = at.v
        self._wide = np.einsum("mpq,rmq->rmp", self._inverse, at.u)
        self._small = np.eye(len(at.u)) + np.einsum("imp,jmp->ij", at.v, self._wide)

    def solve(self, right: Array) -> Array:
        """The solution for one right-hand side, both of shape (m, 2)."""
        local = np.einsum("mpq,mq->mp", self._inverse, right)
        q = np.linalg.solve(self._small, np.einsum("imp,mp->i", self._v, local))
        return np.asarray(local - np.einsum("i,imp->mp", q, self._wide))


class Step(NamedTuple):
    """One step of Rodas4.

    Attributes:
        start: state at its start, shape (m, 2).
        end: state at its end, shape (m, 2).
        stages: shape (6, m, 2); the last one is the error estimate.
        rho: residuals at the end, shape (k,).
        embedded: residuals of the embedded solution, shape (k,).
    """

    start: Array
    end: Array
    stages: Array
    rho: Array
    embedded: Array

    def at(self, part: float) -> Array:
        """The state at a fraction of the step, third order, shape (m, 2)."""
        first, second = np.tensordot(DENSE, self.stages, axes=1)
        bend = first + part * second
        return np.asarray((1.0 - part) * self.start + part * (self.end + (1.0 - part) * bend))


def rodas4(problem: OverlapProblem, u: Array, h: float) -> Step:
    """One step from a state.

    Args:
        problem: the problem.
        u: state (a, s), shape (m, 2).
        h: length of the step.

    Returns:
        The step.

    References:
        Hairer, Wanner, Solving Ordinary Differential Equations II (1996), sections IV.7 and VI.4.
    """
    solver = Woodbury(linearise(problem, u), 1.0 / (GAMMA * h))
    stages = np.zeros((6, *u.shape))
    for i in range(6):
        argument = u + np.tensordot(A[i, :i], stages[:i], axes=1)
        right = velocity(problem, argument) + np.tensordot(C[i, :i] / h, stages[:i], axes=1)
        stages[i] = solver.solve(right)
    end = argument + stages[5]
    return Step(u, end, stages, residuals(problem, end), residuals(problem, argument))


def error_ratio(problem: OverlapProblem, step: Step, scale: float, rtol: float) -> float:
    """Error of a step in units of the tolerance: the worst of a, s and the risk.

    The errors of a and of s are root mean squares over the atoms, relative to the same norm of a
    and of s: an overlap of size √ε is followed as accurately as one of size one, and splitting an
    atom's weight changes nothing. Errors of residuals that are already learnt are damped by the
    next step, so that they count only as far as they change the risk.

    Args:
        problem: the problem.
        step: the step.
        scale: the larger of |φ|² and of |ρ|² at the start of the run.
        rtol: the tolerance.

    Returns:
        At most 1 for a step to accept; infinite where numbers overflowed.
    """
    w = problem.weights
    error, start, end = (np.sqrt(w @ x**2) for x in (step.stages[5], step.start, step.end))
    size = np.maximum(start, end)
    risk = float(step.rho @ step.rho)
    floor = 2.0 * max(risk, RISK_FLOOR * scale)
    parts = np.divide(error, size, out=np.where(error > 0.0, np.inf, error), where=size > 0.0)
    of_risk = abs(risk - float(step.embedded @ step.embedded)) / floor if floor > 0.0 else 0.0
    ratio = float(np.max([*parts, of_risk])) / rtol
    return ratio if np.isfinite(ratio) else np.inf


def first_step(problem: OverlapProblem, u: Array, end: float, rtol: float) -> float:
    """A cautious first step: a tenth of what the fastest rate of the start allows.

    Args:
        problem: the problem.
        u: the start, shape (m, 2).
        end: when the run ends.
        rtol: the tolerance.

    Returns:
        The step, at most ``end``; NaN where a rate overflows.
    """
    w, rho, s = problem.weights, residuals(problem, u), u[:, 1]
    flow, size = (np.sqrt(w @ x**2) for x in (velocity(problem, u), u))
    rates = list(np.divide(flow, size, out=np.zeros(2), where=size > 0.0))
    squares = w @ np.vander(s * s, len(rho), increasing=True)
    rates.append(problem.speed * (problem.activation**2 @ squares))
    if len(rho) > 1:
        rates.append(abs(problem.activation[1] * rho[1]) * max(1.0, np.sqrt(problem.speed)))
    fastest = float(np.max(rates))
    return end if fastest == 0.0 else float(min(end, 0.1 * rtol**0.25 / fastest))
