"""How neurons of any number of inputs are laid out on an orientation axis."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from netphase._types import Array

_PARALLEL = 1.0 - 1e-9


@dataclass(frozen=True)
class View:
    """One coordinate for directions in d dimensions.

    Attributes:
        label: what the axis shows.
        place: directions of shape (…, d) to coordinates of shape (…).
        limits: ends of the axis.
        ticks: place → label.
        periodic: whether the two ends are one point.
    """

    label: str
    place: Callable[[Array], Array]
    limits: tuple[float, float]
    ticks: dict[float, str]
    periodic: bool


_WHOLE = (-math.pi, math.pi)
_HALF = (-0.15, math.pi + 0.15)
_WHOLE_TICKS = {
    -math.pi: r"$-\pi$",
    -math.pi / 2: r"$-\pi/2$",
    0.0: "0",
    math.pi / 2: r"$\pi/2$",
    math.pi: r"$\pi$",
}
_HALF_TICKS = {0.0: "0", math.pi / 2: r"$\pi/2$", math.pi: r"$\pi$"}


def view_of(directions: Array, amplitude: Array, predicted: Array) -> View:
    """The coordinate that shows best where neurons gather.

    In one dimension the sign; in two the angle. Beyond: the angle with the predicted direction
    where there is a single line of them, the angle in the plane of the two strongest lines where
    there are more, and in the plane of the two leading right singular vectors of the directions,
    weighted by amplitude, where none are predicted.

    Args:
        directions: unit vectors of the neurons in the end, shape (m, d).
        amplitude: their amplitudes, shape (m,).
        predicted: predicted directions, the strongest first, shape (K, d).

    Returns:
        The view.
    """
    d = directions.shape[1]
    if d == 1:
        signs = {-1.0: r"$w < 0$", 1.0: r"$w > 0$"}
        return View(r"sign of $w$", lambda u: u[..., 0], (-1.6, 1.6), signs, periodic=False)
    if d == 2:
        return View(
            r"angle of $w$, in radians", _plane_angle(np.eye(2)), _WHOLE, _WHOLE_TICKS, True
        )
    lines = _lines(predicted)
    if len(lines) == 1:
        first = lines[0]
        return View(
            "angle between $w$ and the predicted direction",
            lambda u: np.arccos(np.clip(u @ first, -1.0, 1.0)),
            _HALF,
            _HALF_TICKS,
            periodic=False,
        )
    if len(lines) > 1:
        across = lines[1] - (lines[1] @ lines[0]) * lines[0]
        basis = np.stack([lines[0], across / np.linalg.norm(across)])
        words = "angle of $w$ in the plane of the two strongest predicted lines"
    else:
        basis = _leading(directions, amplitude)
        words = "angle of $w$ in the plane of its two leading singular vectors in the end"
    return View(words, _plane_angle(basis), _WHOLE, _WHOLE_TICKS, periodic=True)


def _plane_angle(basis: Array) -> Callable[[Array], Array]:
    """The angle of a direction's part in a plane, given by two rows."""

    def angle(directions: Array) -> Array:
        part = directions @ basis.T
        return np.arctan2(part[..., 1], part[..., 0])

    return angle


def _lines(predicted: Array) -> list[Array]:
    """The predicted directions without those on a line with one before."""
    kept: list[Array] = []
    for u in predicted:
        if all(abs(float(u @ v)) < _PARALLEL for v in kept):
            kept.append(u)
    return kept


def _leading(directions: Array, amplitude: Array) -> Array:
    """Two leading right singular vectors of the weighted directions, their signs made definite."""
    largest = float(amplitude.max(initial=0.0)) or 1.0
    rows = directions * np.sqrt(amplitude / largest)[:, None]
    vectors = np.linalg.eigh(rows.T @ rows)[1][:, ::-1][:, :2].T
    largest_entry = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=1)[:, None], axis=1)
    return np.asarray(vectors * np.sign(largest_entry))
