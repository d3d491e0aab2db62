"""A landscape in the span of its inputs, where all its maxima lie, and with values of size one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from netphase._types import Array
from netphase.directions.landscape import Landscape
from netphase.errors import ArgumentError

_RANK = 1e-12


@dataclass(frozen=True, eq=False)
class Span:
    """Coordinates within the span of the inputs.

    F does not change across the span, so a neuron's part across it stands still.

    Attributes:
        basis: orthonormal columns, shape (d, r) with r ≥ 2; the unit matrix where r = d.
        landscape: F in these coordinates over ``scale``, with Σ |q_i| ‖x_i‖ᵖ = 1.
        scale: the factor from its values to those of the data.
    """

    basis: Array
    landscape: Landscape
    scale: float

    @property
    def dimension(self) -> int:
        """r, at least 2: with one input direction a second one that changes nothing is added."""
        return int(self.basis.shape[1])

    @property
    def whole(self) -> bool:
        """Whether the inputs span the whole space."""
        return bool(self.basis.shape[0] == self.basis.shape[1])


def normalised(landscape: Landscape) -> tuple[Landscape, float]:
    """The landscape with values of size one, which neither overflow nor underflow.

    Args:
        landscape: any.

    Returns:
        F over a factor, with Σ |q_i| ‖x_i‖ᵖ = 1, and the factor; it is 0, and F stays zero, where
        all targets are zero.

    Raises:
        ArgumentError: a value in the units of the data leaves the range of a float.
    """
    length = float(np.abs(landscape.x).max())
    x, p = landscape.x / length, landscape.degree
    size = float(np.abs(landscape.weights) @ np.linalg.norm(x, axis=1) ** p)
    if size == 0:
        return replace(landscape, x=x), 0.0
    with np.errstate(over="ignore", under="ignore"):
        scale = float(size * np.float64(length) ** p)
    if not 1e-300 < scale < 1e300:
        raise ArgumentError(
            "The growth rates of these data leave the range of a float. Rescale the inputs and "
            "the targets to size one."
        )
    return replace(landscape, x=x, weights=landscape.weights / size), scale


def span_of(landscape: Landscape) -> Span:
    """The landscape in the span of its inputs, with values of size one.

    Args:
        landscape: in d ≥ 2 dimensions.

    Returns:
        The span.

    Raises:
        ArgumentError: as `normalised`.
    """
    unit, scale = normalised(landscape)
    basis = _basis(unit.x)
    return Span(basis, replace(unit, x=unit.x @ basis), scale)


def _basis(x: Array) -> Array:
    d = x.shape[1]
    _, singular, rows = np.linalg.svd(x, full_matrices=False)
    rank = int((singular > _RANK * singular[0]).sum())
    if max(rank, 2) == d:
        return np.eye(d)
    if rank == 1:
        return np.linalg.qr(np.column_stack([rows[0], np.eye(d)]))[0][:, :2]
    return np.ascontiguousarray(rows[:rank].T)
