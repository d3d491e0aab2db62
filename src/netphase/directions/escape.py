"""When neurons leave the origin: exponential growth for p = 1, blow-up in finite time for p > 1."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from netphase._checks import finite_array, positive_float
from netphase._types import Array
from netphase.activations import Activation
from netphase.datasets import Dataset
from netphase.directions.expansion import expansion
from netphase.directions.flow import Neurons
from netphase.directions.landscape import Landscape
from netphase.directions.maxima import ROUNDING
from netphase.directions.span import normalised
from netphase.errors import ArgumentError

_TOLERANCE = 1e-10
_REST = 1e-6  # speed at which a neuron stays where it is; the growth rate is off by its square
_MAX_STEPS = 20_000
_LARGEST_GROWTH = 1e100


class Escape(NamedTuple):
    """Neurons at the time at which they have grown by a factor.

    Attributes:
        time: in units of the raw time of a network that is not divided by anything; infinite
            for neurons that never grow so far, shape (m,).
        a: output weights at that time, shape (m,).
        w: input weights at that time, shape (m, d).
    """

    time: Array
    a: Array
    w: Array


def escape(
    data: Dataset,
    activation: str | Activation | None,
    a: Array,
    w: Array,
    growth: float = math.inf,
    *,
    multiplicity: int | None = None,
    coefficient: float | None = None,
) -> Escape:
    """Follows neurons near the origin until each has grown by a factor, the residual at rest.

    While the network is small, a′ = F(w) and w′ = a ∇F(w) with F(w) = (c/n) Σ y_i (w·x_i)ᵖ.
    p a² − |w|² stays as it is. For p = 1 neurons grow exponentially. For p > 1 they blow up in a
    finite time, which goes as the power −(p − 1) of their size; until then a network of such small
    weights stays where it is, and then its largest neurons leave first. It ends, of course, when
    (w·x)ᵖ stands no longer for σ(w·x), or when the network fits anything.

    Args:
        data: inputs and targets.
        activation: a name of `netphase.activations` or an `Activation`, a smooth one; None to
            give the multiplicity instead.
        a: output weights at the start, shape (m,).
        w: input weights at the start, shape (m, d).
        growth: factor by which ‖(a, w)‖ grows, > 1; infinite for the blow-up, which takes p > 1.
        multiplicity: p, see `expansion`.
        coefficient: c, see `expansion`.

    Returns:
        The times, and the neurons then. Those that never grow so far are returned as they were
        given, and those that blow up with ‖(a, w)‖ = 1, which tells their direction. A network
        divided by α takes α times as long.

    Raises:
        ArgumentError: an argument is out of its range, or the activation has a kink.

    Example:
        >>> from netphase.datasets import axes
        >>> one = np.array([0.01]), np.array([[0.0, 0.01 * np.sqrt(2)]])
        >>> round(float(escape(axes(2), "x_tanh", *one).time[0]), 9)  # 1/(2 a F) with F = 1/2
        100.0
    """
    order = expansion(activation, multiplicity=multiplicity, coefficient=coefficient)
    landscape, scale = normalised(Landscape.of(data, order))
    a, w = _neurons(a, w, data.d)
    limit = log_growth(growth, order.multiplicity)
    if order.slopes is not None:
        raise ArgumentError(
            "Escape times are those of smooth activations, but this one has a kink. The strengths "
            "of `predicted_directions` are the growth rates on its directions."
        )
    size = np.hypot(a, np.linalg.norm(w, axis=1))
    unit = np.where(size > 0, size, 1.0)
    way = _exponential if order.multiplicity == 1 else _blowing_up
    time, a_then, w_then = way(landscape, a / unit, w / unit[:, None], limit)
    with np.errstate(divide="ignore", over="ignore"):
        time = time / scale * unit ** (1.0 - order.multiplicity)
    leaves = np.isfinite(time)
    larger = np.where(leaves, 1.0 if math.isinf(limit) else unit * growth, unit)
    return Escape(time, a_then * larger, w_then * larger[:, None])


def escape_times(
    data: Dataset,
    activation: str | Activation | None,
    a: Array,
    w: Array,
    growth: float = math.inf,
    *,
    multiplicity: int | None = None,
    coefficient: float | None = None,
) -> Array:
    """The times of `escape`: when each neuron has grown by a factor, or blows up.

    Args:
        data: as in `escape`, like all others.
        activation: σ.
        a: output weights at the start, shape (m,).
        w: input weights at the start, shape (m, d).
        growth: factor by which ‖(a, w)‖ grows, > 1; infinite for the blow-up.
        multiplicity: p.
        coefficient: c.

    Returns:
        Times in units of the raw time, infinite for neurons that never grow so far, shape (m,).

    Raises:
        ArgumentError: as in `escape`.

    Example:
        >>> from netphase.datasets import axes
        >>> a, w = np.full(1, 0.1), np.array([[0.1, 0.2]])
        >>> slow, fast = (escape_times(axes(2), "x2_tanh", s * a, s * w)[0] for s in (0.1, 1.0))
        >>> round(float(slow / fast))  # scale^-(p-1)
        100
    """
    return escape(
        data, activation, a, w, growth, multiplicity=multiplicity, coefficient=coefficient
    ).time


def _neurons(a: Array, w: Array, d: int) -> tuple[Array, Array]:
    a, w = finite_array("a", a, 1).astype(float), finite_array("w", w, 2).astype(float)
    if w.shape != (len(a), d):
        raise ArgumentError(
            f"Argument `w` must have one row of {d} weights for each of the {len(a)} output "
            f"weights `a`, but has shape {w.shape}."
        )
    return a, w


def log_growth(growth: float, p: int) -> float:
    """The logarithm of a factor > 1, which may be infinite for p > 1.

    Args:
        growth: the factor.
        p: multiplicity.

    Returns:
        Its logarithm.

    Raises:
        ArgumentError: the factor is out of its range.
    """
    number = positive_float("growth", growth) if growth != math.inf else math.inf
    if p == 1 and number == math.inf:
        raise ArgumentError(
            "Argument `growth` must be finite for p = 1: neurons grow exponentially, and none "
            "blows up."
        )
    if not (1 < number <= _LARGEST_GROWTH or number == math.inf):
        raise ArgumentError(
            f"Argument `growth` must be larger than 1 and at most {_LARGEST_GROWTH:g}, or "
            f"infinite, but is {number:g}."
        )
    return math.log(number)


def _exponential(landscape: Landscape, a: Array, w: Array, limit: float) -> Escape:
    """The case p = 1 for neurons of size one: a ± w·v grows and decays, the rest stands still."""
    z = landscape.weights @ landscape.x
    rate = float(np.linalg.norm(z))
    v = z / (rate or 1.0)
    s = w @ v
    growing, decaying = (a + s) ** 2 / 2, (a - s) ** 2 / 2
    total = math.expm1(2 * limit) + growing + decaying
    product = np.abs(a * a - s * s)
    with np.errstate(divide="ignore"):
        factor = (total + np.sqrt((total - product) * (total + product))) / (2 * growing)
        time = np.log(factor) / (2 * rate) if rate > ROUNDING else np.full(len(a), np.inf)
    there = np.isfinite(time)
    root = np.sqrt(np.where(there, factor, 1.0))
    size = np.where(there, math.exp(limit), 1.0)
    a_then = ((a + s) * root + (a - s) / root) / 2
    s_then = ((a + s) * root - (a - s) / root) / 2
    return Escape(time, a_then / size, (w + np.outer(s_then - s, v)) / size[:, None])


def _blowing_up(landscape: Landscape, a: Array, w: Array, limit: float) -> Escape:
    """The case p > 1 for neurons of size one: once a direction is at rest, R obeys a power law."""
    power = landscape.degree - 1
    neurons, time = Neurons(landscape, a, w), np.full(len(a), np.inf)
    going = np.arange(len(a))
    for _ in range(_MAX_STEPS):
        landed, rest = neurons.landed(going, limit), neurons.at_rest(going, _REST)
        arrived = going[landed | (rest & (neurons.gain(going) > 0))]
        log_size, passed = neurons.state[arrived, -2], neurons.state[arrived, -1]
        left = np.exp(-power * log_size) - math.exp(-power * limit)
        time[arrived] = passed + left / (power * neurons.gain(arrived))
        going = going[~(landed | rest | neurons.lost(going))]
        if not len(going):
            break
        neurons.advance(going, _TOLERANCE, limit)
    leaves = np.isfinite(time)
    then = np.where(leaves[:, None], neurons.state[:, :-2], np.column_stack([a, w]))
    return Escape(time, then[:, 0], then[:, 1:])
