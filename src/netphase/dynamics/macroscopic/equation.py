"""The boost that all neurons share, the mean linear function it makes, and the drive on it.

All neurons q = (κ′ā, w̄) obey q′ = [[0, gᵀ], [g, 0]] q, so q(τ) = Φ(τ) q(0) with a Lorentz boost Φ.
Its state is written as a rapidity ρ and a turn D,

    Φ = [[cosh η, bᵀR], [b, (I + bbᵀ/(1 + cosh η))R]],  b = sinh(η) ρ/η,  η = |ρ|,  R = I + D,

    ρ′ = η coth(η) g + (1 − η coth η)(g·n) n,  D′ = tanh(η/2)(g nᵀ − n gᵀ)(I + D),  n = ρ/η,

which keeps every entry of Φ − I to full relative accuracy, from 1e-150 in the linear regime to
1e+150 in the condensed one, where an escape is merely a ρ that grows linearly in time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from netphase._types import Array
from netphase.dynamics.macroscopic.task import LinearTask

Rows: TypeAlias = slice | npt.NDArray[np.intp] | npt.NDArray[np.bool_]


class State(NamedTuple):
    """Boosts of several cells, in units in which they are of size one where J is large.

    Attributes:
        rapidity: s·ρ, shape (cells, r), with the equation's ``scale`` s.
        turn: s²·D, shape (cells, r, r).
    """

    rapidity: Array
    turn: Array

    def rows(self, which: Rows) -> State:
        """The state of some cells."""
        return State(self.rapidity[which], self.turn[which])


@dataclass(frozen=True)
class Frame:
    """A state's first column in pieces; arrays over cells have a last axis of length one.

    Attributes:
        direction: n, shape (cells, r); zero at the start.
        rapidity: η.
        sinh: sinh η.
        cosh: cosh η.
    """

    direction: Array
    rapidity: Array
    sinh: Array
    cosh: Array

    @classmethod
    def of(cls, state: State, scale: Array) -> Frame:
        """The frame of a state in units of 1/scale, shape (cells, 1)."""
        size = np.sqrt(np.einsum("cr,cr->c", state.rapidity, state.rapidity))[:, None]
        eta = size / scale
        direction = state.rapidity / np.where(size > 0, size, 1.0)
        return cls(direction, eta, np.sinh(eta), np.cosh(eta))


class Equation(Protocol):
    """A mean linear function u(Φ) for each of several cells."""

    @property
    def task(self) -> LinearTask:
        """The data."""
        ...

    @property
    def scale(self) -> Array:
        """Units of the state, shape (cells, 1)."""
        ...

    def rows(self, which: Rows) -> Self:
        """The equation of some cells."""
        ...

    def mean(self, frame: Frame, turn: Array) -> Array:
        """The function u of a frame and of s²D, shape (cells, r)."""
        ...

    def drive(self, frame: Frame, turn: Array, h: Array) -> Array:
        """The drive (I + hΣA)⁻¹(z − Σu) at the end of a step h, by u′ = Ag with A fixed."""
        ...


def start(equation: Equation) -> State:
    """No boost, in every cell."""
    cells, r = len(equation.scale), len(equation.task.z)
    return State(np.zeros((cells, r)), np.zeros((cells, r, r)))


def mean_function(equation: Equation, state: State) -> Array:
    """The function u of a state, shape (cells, r)."""
    return equation.mean(Frame.of(state, equation.scale), state.turn)


def euler(equation: Equation, state: State, h: Array) -> State:
    """One step of Euler's method with the drive taken implicitly: stable for every h.

    Args:
        equation: the cells.
        state: their boosts.
        h: steps in τ, shape (cells, 1).

    Returns:
        The boosts after the step.
    """
    scale = equation.scale
    frame = Frame.of(state, scale)
    g, n, eta = equation.drive(frame, state.turn, h), frame.direction, frame.rapidity
    spread = np.where(eta > 0, eta / np.tanh(np.where(eta > 0, eta, 1.0)), 1.0)  # η coth η
    along = np.einsum("cr,cr->c", g, n)[:, None]
    rapidity = state.rapidity + h * scale * (spread * g + (1 - spread) * along * n)
    whole = np.tanh(eta / 2) * scale * h * scale
    part = whole / scale / scale
    n_turned = whole * n + part * np.einsum("cr,crq->cq", n, state.turn)
    g_turned = whole * g + part * np.einsum("cr,crq->cq", g, state.turn)
    turn = state.turn + g[:, :, None] * n_turned[:, None, :] - n[:, :, None] * g_turned[:, None, :]
    return State(rapidity, turn)


@dataclass(frozen=True)
class Isotropic:
    """Neurons with the moments of a Gaussian start, where u = J cosh(η) b and the turn drops out.

    Attributes:
        task: the data.
        strength: J = cκN(κ′ + 1/κ′) for N neurons, all that the path depends on; shape (cells, 1).
        scale: units of the state, shape (cells, 1).
    """

    task: LinearTask
    strength: Array
    scale: Array

    @classmethod
    def of(cls, task: LinearTask, strength: Array) -> Isotropic:
        """The equation of cells with given J, shape (cells,)."""
        column = np.asarray(strength, dtype=np.float64)[:, None]
        return cls(task, column, _units(task, column))

    def rows(self, which: Rows) -> Isotropic:
        """The equation of some cells."""
        return Isotropic(self.task, self.strength[which], self.scale[which])

    def mean(self, frame: Frame, turn: Array) -> Array:  # noqa: ARG002
        """The function u, shape (cells, r)."""
        return np.asarray(self.strength * frame.cosh * frame.sinh * frame.direction)

    def drive(self, frame: Frame, turn: Array, h: Array) -> Array:
        """(I + hΣA)⁻¹g with A = J(cosh²(η) I + bbᵀ), by the formula for a rank-one change."""
        s, b = self.task.spectrum, frame.sinh * frame.direction
        g = self.task.z - s * self.mean(frame, turn)
        weight = h * self.strength
        damping = 1 / (1 + weight * frame.cosh**2 * s)
        plain, across = damping * g, damping * s * b
        part = weight * np.einsum("cr,cr->c", b, plain)[:, None]
        part /= 1 + weight * np.einsum("cr,cr->c", b, across)[:, None]
        return np.asarray(plain - across * part)


@dataclass(frozen=True)
class Moments:
    """Neurons with second moments of their own, Q = [[p, qᵀ],[q, W]]; then u = (ΦQΦᵀ)_wa.

    Attributes:
        task: the data.
        p: cκκ′ Σ ā², one number.
        q: cκ Σ āw̄, shape (r,).
        w: (cκ/κ′) Σ w̄w̄ᵀ, shape (r, r).
        scale: units of the state, shape (cells, 1).
    """

    task: LinearTask
    p: float
    q: Array
    w: Array
    scale: Array

    @classmethod
    def of(cls, task: LinearTask, p: float, q: Array, w: Array) -> Moments:
        """The equation of one cell with given moments."""
        strength = np.full((1, 1), p + float(np.linalg.norm(w, 2)))
        return cls(task, p, q, w, _units(task, strength))

    def rows(self, which: Rows) -> Moments:
        """The equation of some cells."""
        return Moments(self.task, self.p, self.q, self.w, self.scale[which])

    def mean(self, frame: Frame, turn: Array) -> Array:
        """The function u, shape (cells, r)."""
        b = frame.sinh * frame.direction
        turned, corner = self._turned(turn)
        return self._column(frame, b, *self._half(frame, b, turned, corner))

    def drive(self, frame: Frame, turn: Array, h: Array) -> Array:
        """(I + hΣA)⁻¹g with A = pI + W, the boosted moments."""
        s, b, one = self.task.spectrum, frame.sinh * frame.direction, np.eye(len(self.q))
        turned, corner = self._turned(turn)
        top, side = self._half(frame, b, turned, corner)
        p = frame.cosh * top + np.einsum("cr,cr->c", b, side)[:, None]
        stretch = one + b[:, :, None] * (b / (1 + frame.cosh))[:, None, :]
        cross = b[:, :, None] * np.einsum("crq,cq->cr", stretch, turned)[:, None, :]
        w = self.p * b[:, :, None] * b[:, None, :] + cross + np.swapaxes(cross, 1, 2)
        w += stretch @ corner @ stretch
        matrix = one + h[:, :, None] * s[:, None] * (p[:, :, None] * one + w)
        g = self.task.z - s * self._column(frame, b, top, side)
        return np.asarray(np.linalg.solve(matrix, g[:, :, None])[:, :, 0])

    def _turned(self, turn: Array) -> tuple[Array, Array]:
        """Rq and RWRᵀ, shapes (cells, r) and (cells, r, r)."""
        r = np.eye(len(self.q)) + turn / self.scale[:, :, None] / self.scale[:, :, None]
        return np.asarray(r @ self.q), np.asarray(r @ self.w @ np.swapaxes(r, 1, 2))

    def _half(self, frame: Frame, b: Array, turned: Array, corner: Array) -> tuple[Array, Array]:
        """The turned moments times (cosh η, b), top and side."""
        top = frame.cosh * self.p + np.einsum("cr,cr->c", turned, b)[:, None]
        side = frame.cosh * turned + np.einsum("crq,cq->cr", corner, b)
        return np.asarray(top), np.asarray(side)

    @staticmethod
    def _column(frame: Frame, b: Array, top: Array, side: Array) -> Array:
        """The side column of the boosted moments, from their half-way product."""
        inner = np.einsum("cr,cr->c", b, side)[:, None]
        return np.asarray(b * top + side + b * (inner / (1 + frame.cosh)))


def _units(task: LinearTask, strength: Array) -> Array:
    """1 while an escape comes first, and 1/(rapidity at rest) where J is large."""
    return np.asarray(np.maximum(1.0, strength * task.spectrum[0] / task.rate))
