"""Arrays of all layers and samples of an ensemble of deep networks: parts, choices and norms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from netphase._types import Array
from netphase.networks.passes import Signals

Counts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def split_layers(flat: Array, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    """Views of (a, P) numbers as one array of shape (a, c, m_l, m_{l−1}) a layer."""
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    parts = np.split(flat, ends[:-1], axis=1)
    return [part.reshape(len(flat), *shape) for part, shape in zip(parts, shapes, strict=True)]


def select_signals(signals: Signals, keep: Flags | Counts) -> Signals:
    """The signals of some of the networks."""
    samples, *hidden = signals.inputs
    inputs = (samples, *(each[keep] for each in hidden))
    return Signals(inputs, tuple(each[keep] for each in signals.slopes), signals.output[keep])


def layer_norms(weights: Sequence[Array]) -> Array:
    """Frobenius norms over all copies, shape (a, layers)."""
    parts = [each.reshape(len(each), 1, -1) for each in weights]
    squares = [(each @ each.swapaxes(1, 2))[:, 0, 0] for each in parts]
    return np.sqrt(np.stack(squares, axis=1))


def mean_squares(residual: Array) -> Array:
    """(1/n) Σ |e|², float64, shape (a,)."""
    wide = residual.astype(np.float64)
    return np.asarray(np.einsum("akn,akn->a", wide, wide) / residual.shape[-1])
