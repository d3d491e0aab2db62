"""The mean-field overlap equations in NumPy: the readable definition of the compiled solver.

With f(s) = Σ_k σ_k ρ_k s^k and ρ_k = φ_k − σ_k Σ_i w_i a_i s_i^k,

    ε ȧ_i = f(s_i),   ṡ_i = a_i (1 − s_i s_iᵀ) ∇f(s_i),

where s_i is a number, with 1 − s_i² for the bracket, or a vector of p overlaps and k an exponent
α of p entries. The Jacobian is B − U Vᵀ: B has one block of size 1 + p an atom (ρ held fixed), and
U, V have one column a mode. So (cI − B + UVᵀ)⁻¹ costs m inverses of blocks and one small system
(Woodbury), O(mK²). When all amplitudes are one number ā, ε ȧ_i = Σ_j w_j f(s_j), which puts all of
ȧ into one more column.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from netphase._types import Array
from netphase.engine.overlaps.problem import OverlapProblem
from netphase.engine.reference_flow import DENSE, GAMMA, A, C

RISK_FLOOR = 1e-6
"""Errors of the risk are measured against it, but at least this part of its scale."""


COORDINATE_ROUNDING = 1e-14
"""No overlap is followed to less than this part of the largest one, by its mean square."""


def residuals(problem: OverlapProblem, u: Array) -> Array:
    """ρ_k = φ_k − σ_k ⟨a s^k⟩.

    Args:
        problem: the problem.
        u: state (a, s), shape (m, 1 + p).

    Returns:
        Shape (k,).
    """
    return _residuals(problem, u, problem.modes.values(u[:, 1:]))


def _residuals(problem: OverlapProblem, u: Array, values: Array) -> Array:
    return np.asarray(problem.target - problem.activation * (values @ (problem.weights * u[:, 0])))


def velocity(problem: OverlapProblem, u: Array) -> Array:
    """du/dt.

    Args:
        problem: the problem.
        u: state (a, s), shape (m, 1 + p).

    Returns:
        Shape (m, 1 + p).
    """
    values = problem.modes.values(u[:, 1:])
    force = problem.activation * _residuals(problem, u, values)
    f, slope = force @ values, (problem.modes.gradient(force) @ values).T
    out = np.empty_like(u)
    out[:, 0] = problem.speed * (problem.weights @ f if problem.tied else f)
    out[:, 1:] = u[:, :1] * tangential(u[:, 1:], slope)
    return out


def tangential(s: Array, slope: Array) -> Array:
    """(1 − s sᵀ) g for overlaps and gradients of shapes (m, p)."""
    return np.asarray(slope - s * np.sum(s * slope, axis=1, keepdims=True))


class Linearisation(NamedTuple):
    """The Jacobian B − U Vᵀ at a state.

    Attributes:
        blocks: B, shape (m, 1 + p, 1 + p).
        u: U, shape (r, m, 1 + p) with r the number of modes, one more if tied.
        v: V, shape (r, m, 1 + p).
    """

    blocks: Array
    u: Array
    v: Array

    def dense(self) -> Array:
        """The whole matrix in the order a_1, s_1, a_2, s_2 and so on."""
        r, m, size = self.u.shape
        matrix = np.zeros((m, size, m, size))
        matrix[np.arange(m), :, np.arange(m), :] = self.blocks
        flat = self.u.reshape(r, -1).T @ self.v.reshape(r, -1)
        return np.asarray(matrix.reshape(size * m, size * m) - flat)


def linearise(problem: OverlapProblem, u: Array) -> Linearisation:
    """The Jacobian in its structure.

    Args:
        problem: the problem.
        u: state (a, s), shape (m, 1 + p).

    Returns:
        The pieces.
    """
    a, s, sigma, w = u[:, 0], u[:, 1:], problem.activation, problem.weights
    modes, speed = problem.modes, problem.speed
    values = modes.values(s)
    first = modes.gradient(sigma * _residuals(problem, u, values))
    slope, bend = (first @ values).T, (modes.gradient(first) @ values).transpose(2, 0, 1)
    p = sigma[:, None] * values  # (k, m)
    q = (sigma[:, None] * modes.slopes(values)).transpose(1, 2, 0)  # (k, m, p)
    free = q - s * np.sum(s * q, axis=2, keepdims=True)
    drive = np.broadcast_to((p @ w)[:, None], p.shape) if problem.tied else p
    left = np.concatenate([speed * drive[:, :, None], a[:, None] * free], axis=2)
    right = np.concatenate([(w * p)[:, :, None], (w * a)[:, None] * q], axis=2)
    if problem.tied:
        left = np.concatenate([left, np.zeros((1, *u.shape))])
        right = np.concatenate([right, np.zeros((1, *u.shape))])
        left[-1, :, 0], right[-1, :, 1:] = -speed, w[:, None] * slope
    return Linearisation(_blocks(problem, u, slope, bend), left, right)


def _blocks(problem: OverlapProblem, u: Array, slope: Array, bend: Array) -> Array:
    """B from ∇f and its derivatives, shapes (m, p) and (m, p, p)."""
    a, s = u[:, 0], u[:, 1:]
    blocks = np.zeros((*u.shape, u.shape[1]))
    blocks[:, 0, 1:] = 0.0 if problem.tied else problem.speed * slope
    blocks[:, 1:, 0] = tangential(s, slope)
    turned = bend - s[:, :, None] * (np.einsum("mi,mij->mj", s, bend) + slope)[:, None, :]
    along = np.sum(s * slope, axis=1)[:, None, None] * np.eye(s.shape[1])
    blocks[:, 1:, 1:] = a[:, None, None] * (turned - along)
    return blocks


class Woodbury:
    """(cI − B + U Vᵀ)⁻¹.

    Args:
        at: the Jacobian.
        c: shift, > 0.
    """

    def __init__(self, at: Linearisation, c: float) -> None:
        from scipy.linalg.lapack import dgetrf, dgetrs

        r = len(at.u)
        self._inverse = np.linalg.inv(c * np.eye(at.blocks.shape[1]) - at.blocks)
        self._v = at.v.reshape(r, -1)
        wide = np.matmul(self._inverse, at.u[..., None])
        self._wide = wide.reshape(r, -1)
        factors, pivots, fault = dgetrf(np.eye(r) + self._v @ self._wide.T)
        if fault:
            raise np.linalg.LinAlgError("Singular matrix")
        self._small = partial(dgetrs, factors, pivots)

    def solve(self, right: Array) -> Array:
        """The solution for one right-hand side, both of shape (m, 1 + p)."""
        local = np.matmul(self._inverse, right[..., None]).ravel()
        q, _ = self._small(self._v @ local)
        return np.asarray(local - q @ self._wide).reshape(right.shape)


class Step(NamedTuple):
    """One step of Rodas4.

    Attributes:
        start: state at its start, shape (m, 1 + p).
        end: state at its end, shape (m, 1 + p).
        stages: shape (6, m, 1 + p); the last one is the error estimate.
        rho: residuals at the end, shape (k,).
        embedded: residuals of the embedded solution, shape (k,).
    """

    start: Array
    end: Array
    stages: Array
    rho: Array
    embedded: Array

    def at(self, part: float) -> Array:
        """The state at a fraction of the step, third order, shape (m, 1 + p)."""
        first, second = np.tensordot(DENSE, self.stages, axes=1)
        bend = first + part * second
        return np.asarray((1.0 - part) * self.start + part * (self.end + (1.0 - part) * bend))


def rodas4(problem: OverlapProblem, u: Array, h: float) -> Step:
    """One step from a state.

    Args:
        problem: the problem.
        u: state (a, s), shape (m, 1 + p).
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
    atom's weight changes nothing. Each of several overlaps is judged by itself, but those that are
    nothing beside the largest, as all but some are at first. Errors of residuals that are already
    learnt are damped by the next step, so that they count only as far as they change the risk.

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
    size[1:] = np.maximum(size[1:], COORDINATE_ROUNDING / rtol * size[1:].max())
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
        u: the start, shape (m, 1 + p).
        end: when the run ends.
        rtol: the tolerance.

    Returns:
        The step, at most ``end``; NaN where a rate overflows.
    """
    w, rho, sigma = problem.weights, residuals(problem, u), problem.activation
    flow, size = (np.sqrt(w @ x**2) for x in (velocity(problem, u), u))
    rates = list(np.divide(flow, size, out=np.zeros(u.shape[1]), where=size > 0.0))
    rates.append(problem.speed * (sigma**2 @ (problem.modes.values(u[:, 1:]) ** 2 @ w)))
    linear = np.abs(sigma * rho)[problem.modes.degrees == 1]
    rates.append(float(linear.max(initial=0.0)) * max(1.0, np.sqrt(problem.speed)))
    fastest = float(np.max(rates))
    return end if fastest == 0.0 else float(min(end, 0.1 * rtol**0.25 / fastest))
