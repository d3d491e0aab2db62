"""What is measured on a boost: relative changes, alignment, and the neurons it carries."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from netphase._types import Array
from netphase.dynamics.macroscopic.equation import Equation, Frame, State
from netphase.networks import Parameters


@dataclass(frozen=True)
class Boost:
    """Φ − I in blocks, for every cell or time.

    Attributes:
        corner: Φ_aa − 1 = cosh η − 1, shape (cells,).
        direction: n, shape (cells, r).
        size: sinh η, the length of Φ_wa = b = sinh(η) n, shape (cells,).
        row: Φ_aw = bᵀR, shape (cells, r).
        scale: s of the next, shape (cells,).
        block: s²(Φ_ww − I), shape (cells, r, r).
        turn: s²(R − I), shape (cells, r, r).
    """

    corner: Array
    direction: Array
    size: Array
    row: Array
    scale: Array
    block: Array
    turn: Array

    @classmethod
    def of(cls, equation: Equation, state: State) -> Boost:
        """The boost of every state of an equation's cells."""
        scale = equation.scale
        frame = Frame.of(state, scale)
        n, half = frame.direction, np.sinh(frame.rapidity / 2)
        turned = n[:, None, :] @ state.turn  # (cells, 1, r)
        stretched = state.turn + n[:, :, None] * (frame.cosh - 1)[:, :, None] * turned
        return cls(
            corner=2 * half[:, 0] ** 2,
            direction=n,
            size=frame.sinh[:, 0],
            row=frame.sinh * (n + turned[:, 0, :] / scale / scale),
            scale=scale[:, 0],
            block=stretched + n[:, :, None] * n[:, None, :] * (2 * (scale * half) ** 2)[:, :, None],
            turn=state.turn,
        )

    @property
    def column(self) -> Array:
        """b, shape (cells, r)."""
        return np.asarray(self.size[:, None] * self.direction)

    @property
    def drift(self) -> float:
        """Largest entry of RᵀR − I, which vanishes for an exact turn."""
        turn = self.turn / (self.scale * self.scale)[:, None, None]
        return float(np.abs(turn + np.swapaxes(turn, 1, 2) + np.swapaxes(turn, 1, 2) @ turn).max())


def gaussian_changes(boost: Boost, ratio: Array, d: int) -> tuple[Array, Array, Array]:
    """RD_w, RD_a and RD_θ of infinitely many Gaussian neurons.

    RD_w² = (|Φ_ww − I|² + κ′²|Φ_wa|²)/d and RD_a² = (Φ_aa − 1)² + |Φ_aw|²/κ′².

    Args:
        boost: the boosts.
        ratio: κ′ > 0, shape (cells,).
        d: inputs of a neuron.

    Returns:
        Three arrays of shape (cells,).
    """
    block = np.linalg.norm(boost.block, axis=(1, 2)) / boost.scale / boost.scale
    w = np.hypot(block, ratio * boost.size) / math.sqrt(d)
    a = np.hypot(boost.corner, boost.size / ratio)
    return w, a, np.hypot(a, math.sqrt(d) * w) / math.sqrt(1 + d)


def gaussian_alignment(boost: Boost, ratio: Array, direction: Array, d: int) -> Array:
    """ρ of infinitely many Gaussian neurons: ρ² = (1 + h²(v·b)²)/(d + h²|b|²), h² = 1 + κ′².

    Args:
        boost: the boosts.
        ratio: κ′ > 0, shape (cells,).
        direction: v, a unit vector, shape (r,).
        d: inputs of a neuron.

    Returns:
        Shape (cells,), between 1/√d and 1.
    """
    h = np.hypot(1.0, ratio)
    along = np.hypot(1.0, h * boost.size * (boost.direction @ direction))
    return np.asarray(along / np.hypot(math.sqrt(d), h * boost.size))


@dataclass(frozen=True)
class Neurons:
    """The neurons of one network, and how a boost carries them.

    Attributes:
        start: their parameters, normalised, shapes (m,) and (m, d).
        basis: orthonormal directions that can move, as columns, shape (d, r).
        ratio: κ′, negative where σ′(0) is.
        tracked: how many count in relative changes.
    """

    start: Parameters
    basis: Array
    ratio: float
    tracked: int

    def changes(self, boost: Boost) -> tuple[Array, Array, Array]:
        """RD_w, RD_a and RD_θ of the tracked neurons, from their own second moments.

        Args:
            boost: one for every time.

        Returns:
            Three arrays of shape (t,), to full relative accuracy however small they are.
        """
        a, w = (np.asarray(each[: self.tracked], dtype=np.float64) for each in self.start)
        triangle = np.linalg.qr(np.column_stack([a, w @ self.basis])).R
        size_a, size_w = float(np.linalg.norm(a)), float(np.linalg.norm(w))
        top = np.column_stack([boost.corner, boost.row / self.ratio])
        moved_a = np.linalg.norm(top @ triangle.T, axis=1)
        square = (boost.scale * boost.scale)[:, None, None]
        side = np.concatenate([square * self.ratio * boost.column[:, :, None], boost.block], axis=2)
        moved_w = np.linalg.norm(side @ triangle.T, axis=(1, 2)) / boost.scale / boost.scale
        theta = np.hypot(moved_a, moved_w) / math.hypot(size_a, size_w)
        return moved_w / size_w, moved_a / size_a, theta

    def carried(self, boost: Boost, which: int) -> Parameters:
        """The parameters under one of the boosts, in the dtype of the start."""
        a, w = (np.asarray(each, dtype=np.float64) for each in self.start)
        inner = w @ self.basis  # (m, r)
        block = boost.block[which] / boost.scale[which] / boost.scale[which]
        moved = np.outer(a, self.ratio * boost.column[which]) + inner @ block.T
        return Parameters(
            (a + boost.corner[which] * a + inner @ boost.row[which] / self.ratio).astype(
                self.start.a.dtype
            ),
            (w + moved @ self.basis.T).astype(self.start.w.dtype),
        )
