"""Literal gradient steps of deep networks by the compiled engine; NumPy's are their twin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netphase._types import Array
from netphase.engine import _core
from netphase.engine.deep_arrays import Counts
from netphase.engine.threads import spare_cores
from netphase.networks.passes import Gains, Signals

LINE = 64
"""Bytes of a line of the cache: rows of signals are whole lines long."""


class CompiledSteps:
    """The signals of networks in step with their weights, each network a piece of work of its own.

    Args:
        weights: all weights, (a, P) and contiguous, layer after layer; changed by every step.
        sizes: m_0 … m_{L+1}.
        gains: see `netphase.networks.passes.Gains`.
        target: y, shape (k, n).
        centre: what is subtracted from the output, (a, k, n), or None.
        signals: those at the weights.
        residual: f − y there, (a, k, n).
        squares: mean squares of the residuals one step before and there, (a, 2).
        code: number of the activation's compiled version.

    Attributes:
        signals: those at the weights, which every step renews in place.
        residual: f − y there, likewise.
        squares: mean squares one step before and there, likewise.
    """

    def __init__(
        self,
        weights: Array,
        sizes: Sequence[int],
        gains: Gains,
        target: Array,
        centre: Array | None,
        signals: Signals,
        residual: Array,
        squares: Array,
        code: int,
    ) -> None:
        count, dtype, samples = len(weights), weights.dtype, target.shape[1]
        self._weights, self._sizes, self._code = weights, list(sizes), code
        self._target, self._centre = np.ascontiguousarray(target), centre
        line = LINE // dtype.itemsize
        self._padded = -(-samples // line) * line
        columns = [np.ones(count) if each is None else each.reshape(count) for each in gains]
        self._gains = np.stack(columns, axis=1).astype(dtype)
        self._x = self._rows(signals.inputs[0])
        self._values, values = self._stored(signals.inputs[1:])
        self._slopes, slopes = self._stored(signals.slopes)
        output, self.residual = signals.output.copy(), residual.copy()
        self.squares = squares
        self.signals = Signals((signals.inputs[0], *values), tuple(slopes), output)

    def run(
        self, factors: Array, most: Counts, floor: float, ceilings: Array, falling: bool
    ) -> Counts:
        """W^[l] ← W^[l] − factor_l n ∂R/∂W^[l], as often as may be, and the signals there.

        Args:
            factors: factor_l of every network, (a, L+1).
            most: steps that each network makes at most, and one at least, (a,).
            floor: a network stops where its mean square is not above this,
            ceilings: or not finite, or above this, (a,),
            falling: or, if True, where a step has raised it.

        Returns:
            The steps made, (a,).
        """
        made = most.copy()
        _core.deep_steps(
            self._weights,
            self._x,
            self._target,
            self._centre,
            self._gains,
            factors.astype(self._weights.dtype),
            self._values,
            self._slopes,
            self.signals.output,
            self.residual,
            made,
            self.squares,
            ceilings,
            sizes=self._sizes,
            copies=self.signals.inputs[1].shape[1],
            activation=self._code,
            floor=floor,
            falling=falling,
            threads=spare_cores(),
        )
        return made

    def _rows(self, signal: Array) -> Array:
        """A copy whose rows are whole lines long, with zeros behind the samples."""
        found = np.zeros((*signal.shape[:-1], self._padded), signal.dtype)
        found[..., : signal.shape[-1]] = signal
        return found

    def _stored(self, layers: Sequence[Array]) -> tuple[Array, list[Array]]:
        """Hidden signals one layer after another, (a, numbers), and every layer's view of them."""
        count, samples = len(layers[0]), layers[0].shape[-1]
        padded = [self._rows(each) for each in layers]
        flat = np.concatenate([each.reshape(count, -1) for each in padded], axis=1)
        ends = np.cumsum([each[0].size for each in padded])
        parts = np.split(flat, ends[:-1], axis=1)
        pairs = zip(parts, padded, strict=True)
        return flat, [part.reshape(each.shape)[..., :samples] for part, each in pairs]
