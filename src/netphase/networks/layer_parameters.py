"""`LayerParameters`: the weights of ensembles of deep networks."""

from __future__ import annotations

from typing import NamedTuple

import numpy.typing as npt

from netphase._types import Array


class LayerParameters(NamedTuple):
    """The trainable numbers of an ensemble of deep networks, in normalised variables.

    Attributes:
        weights: W^[l]/β_l, l = 1 … L+1, each of shape (e, c, m_l, m_{l−1}): e networks of c copies
            (2 where the output is antisymmetric, 1 elsewhere), with m_0 inputs and m_{L+1} outputs.
        centre: the weights whose output is subtracted from a centred one, not trained; else empty.
    """

    weights: tuple[Array, ...]
    centre: tuple[Array, ...] = ()

    def astype(self, dtype: npt.DTypeLike) -> LayerParameters:
        """The same numbers in one precision; arrays that have it already are not copied.

        Args:
            dtype: float64 or float32.
        """
        parts = (tuple(each.astype(dtype, copy=False) for each in part) for part in self)
        return LayerParameters(*parts)
