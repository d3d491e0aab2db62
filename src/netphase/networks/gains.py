"""Scales of layers as the passes of deep networks multiply signals with them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.scalings import LayerScales

_ROOM = 24  # powers of two for sums of squares of signals, and for weights that grow


def layer_gains(
    members: Sequence[LayerScales],
    sizes: Sequence[int],
    homogeneous: bool,
    dtype: np.dtype[np.floating],
) -> tuple[Array | None, ...]:
    """What `MultiLayerNetwork.gains` gives, for its members and m_0 … m_{L+1}.

    All β_l of a homogeneous activation are moved into the last. Where the normalised signals of
    that many layers would leave the range of the precision, powers of two hold them near one.
    """
    betas = np.array([each.betas for each in members])
    alphas = np.array([each.alpha for each in members])
    if homogeneous:
        powers = _powers(sizes, dtype)
        rest = np.log(betas).sum(axis=1) - np.log(alphas) - powers.sum() * math.log(2)
        with np.errstate(all="ignore"):
            inner = [np.full(len(members), 2.0**power) for power in powers]
            gains = (*inner, np.exp(rest))
        return tuple(_gain(layer, each, dtype) for layer, each in enumerate(gains, 1))
    with np.errstate(all="ignore"):
        betas[:, -1] /= alphas
    return tuple(_gain(layer, each, dtype) for layer, each in enumerate(betas.T, 1))


def _powers(sizes: Sequence[int], dtype: np.dtype[np.floating]) -> Array:
    """Exponents of 2 that hold normalised signals near one, shape (L,); 0 where in range."""
    # signals grow by the root of half the fan-in, as those of ReLU
    logs = np.rint(np.cumsum(np.log2(np.array(sizes[:-2]) / 2) / 2))
    if 2 * np.abs(logs).max() + _ROOM < np.finfo(dtype).maxexp:
        return np.zeros(len(logs))
    return -np.diff(logs, prepend=0.0)


def _gain(layer: int, values: Array, dtype: np.dtype[np.floating]) -> Array | None:
    """One factor a network in the working precision, None where all are 1."""
    with np.errstate(all="ignore"):
        found = values.astype(dtype)
    tiny = np.finfo(dtype).tiny
    if not (np.all(np.isfinite(found)) and np.all(found >= tiny)):
        wrong = values[~(np.isfinite(found) & (found >= tiny))][0]
        raise ArgumentError(
            f"The scale {wrong:.3g} of layer {layer} is out of the range of {dtype}. Use float64, "
            "or exponents nearer to zero."
        )
    return None if np.all(found == 1) else found.reshape(-1, 1, 1, 1)
