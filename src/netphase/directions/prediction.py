"""The directions that neurons will condense on, predicted from the data before any training."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netphase import activations
from netphase._checks import non_negative_int, positive_float, positive_int
from netphase._types import Array
from netphase.activations import Activation
from netphase.datasets import Dataset
from netphase.directions.basins import basin_shares
from netphase.directions.circle import on_circle
from netphase.directions.escape import log_growth
from netphase.directions.expansion import Expansion, expansion
from netphase.directions.kinked import by_linearising, falls_on_all_sides
from netphase.directions.landscape import Landscape
from netphase.directions.maxima import ROUNDING, Maxima, first_order, second_order
from netphase.directions.search import by_search
from netphase.directions.span import Span, span_of
from netphase.errors import ArgumentError
from netphase.seeds import Stream, generator

_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class DirectionPrediction:
    """The directions neurons condense on in the initial stage, the fastest-growing one first.

    Attributes:
        order: the leading order of the activation, with p and c.
        directions: unit vectors u in the space of the inputs, shape (K, d).
        sign_of_a: s = ±1, the sign of the output weights of the neurons there, shape (K,).
        strength: s F(u) > 0 with F(w) = (c/n) Σ y_i (w·x_i)ᵖ, in the units of the data; neurons
            there grow at `rates`, shape (K,).
        curvature: largest second derivative of s F along the sphere, negative. Of an activation
            with a kink: on the sides from which neurons come to rest; −∞ at a corner, where s F
            falls with a slope on all sides, shape (K,).
        basin: share of the neurons, from Gaussian a and w, that end there; they sum to less than
            one where neurons go elsewhere (see ``degenerate`` and ``unseen``); NaN if not
            measured, shape (K,).
        statement: what stands behind "at most 2p directions": "theorem (p = 1)",
            "theorem (p = 2)", "theorem (two input dimensions)", "conjecture", or "no bound known".
        complete: whether all directions are enumerated; otherwise they were searched for.
        unseen: share of starts that would end in a direction not yet found, as estimated from
            the directions found once (Good and Turing); 0 where ``complete``.
        degenerate: signs of a for which a continuum of directions is equally good, so that there
            is no isolated one.
        shrinking: further maxima of s F, with s F < 0: w turns towards them too, but shrinks to
            zero there and nothing condenses; none are given for activations with a kink,
            shape (L, d).
        shrinking_sign_of_a: s there, shape (L,).
    """

    order: Expansion
    directions: Array
    sign_of_a: npt.NDArray[np.intp]
    strength: Array
    curvature: Array
    basin: Array
    statement: str
    complete: bool
    unseen: float
    degenerate: tuple[int, ...]
    shrinking: Array
    shrinking_sign_of_a: npt.NDArray[np.intp]

    @property
    def multiplicity(self) -> int | None:
        """p, or None for an activation of degree one with a kink."""
        return None if self.order.slopes else self.order.multiplicity

    @property
    def count(self) -> int:
        """K, the number of directions, u and −u counted apart."""
        return len(self.strength)

    @property
    def line(self) -> npt.NDArray[np.intp]:
        """Number of the line that each direction is an end of, from 0, shape (K,)."""
        own = np.arange(self.count)
        opposite = self.directions @ self.directions.T < -1 + 1e-9
        partner = np.where(opposite, own, self.count).min(axis=1, initial=self.count)
        return np.unique(np.minimum(partner, own), return_inverse=True)[1].astype(np.intp)

    @property
    def lines(self) -> int:
        """The number of directions with u and −u counted as one."""
        return len(np.unique(self.line))

    @property
    def on_sphere(self) -> int:
        """All maxima of ±F, the shrinking ones too: what a count of directions alone sees."""
        return self.count + len(self.shrinking)

    @property
    def bound(self) -> int | None:
        """2p; None where no bound is known."""
        return None if self.multiplicity is None else 2 * self.multiplicity

    @property
    def exceeds_bound(self) -> bool:
        """Whether there are more than 2p directions."""
        return self.bound is not None and self.count > self.bound

    @property
    def rates(self) -> Array:
        """Rates d log R/dt of neurons on the directions at R = ‖(a, w)‖ = 1, shape (K,).

        √(p+1) (p/(p+1))^{p/2} s F(u): of R², a² is the part 1/(p + 1) in the end. At another R
        they are R^{p−1} times as large.
        """
        p = self.order.multiplicity
        return np.asarray(np.sqrt(p + 1) * (p / (p + 1)) ** (p / 2) * self.strength)

    def escape_times(self, scale: float = 1.0, growth: float = math.inf) -> Array:
        """How long neurons on the directions take to grow by a factor, the residual at rest.

        log(growth)/rate for p = 1; (1 − growth^{1−p})/((p − 1) rate scale^{p−1}) for p > 1, a
        blow-up in finite time, with the `rates`. `escape_times` does it for any neurons.

        Args:
            scale: ‖(a, w)‖ at the start, > 0.
            growth: factor, > 1; infinite for the blow-up.

        Returns:
            Times in units of the raw time of a network that is not divided by anything,
            shape (K,).

        Raises:
            ArgumentError: an argument is out of its range.
        """
        power = self.order.multiplicity - 1
        size, rise = positive_float("scale", scale), log_growth(growth, self.order.multiplicity)
        if power == 0:
            return np.asarray(rise / self.rates)
        return np.asarray(-np.expm1(-power * rise) / (power * self.rates * size**power))


def predicted_directions(
    data: Dataset,
    activation: str | Activation | None = None,
    *,
    multiplicity: int | None = None,
    coefficient: float | None = None,
    restarts: int = 400,
    neurons: int = 1000,
    ratio: float = 1.0,
    seed: int = 0,
) -> DirectionPrediction:
    """The directions of the initial condensation: maxima of ±F on the unit sphere.

    While the network is small, a neuron sees a′ = F(w), w′ = a ∇F(w) with
    F(w) = (c/n) Σ y_i (w·x_i)ᵖ. Neurons with a > 0 settle on maxima of F, those with a < 0 on
    maxima of −F, in both cases where the value is positive. For p = 1, p = 2 and inputs that span
    two dimensions or fewer all of them are enumerated; otherwise they are searched for from random
    starts. Directions lie in the span of the inputs.

    Of an activation with a kink the directions are those on which neurons come to rest: the maxima
    of ±F, and points of a kink towards which neurons turn from one side alone, as the input across
    it is off there (orthogonal inputs), though ±F may rise on the other side.

    Args:
        data: inputs and targets, d ≥ 2.
        activation: a name of `netphase.activations` or an `Activation`; None to give the
            multiplicity instead.
        multiplicity: p, see `expansion`.
        coefficient: c, see `expansion`.
        restarts: random starts of the search.
        neurons: Gaussian neurons that measure the basins; 0 to leave these out.
        ratio: standard deviation of the output weights over that of the input weights; the
            basins depend on it.
        seed: of the starts and the neurons.

    Returns:
        The prediction.

    Raises:
        ArgumentError: an argument is out of its range; d = 1; the constant σ(0) ȳ would drive the
            output weights first; or F vanishes, as for z = (1/n) Σ y_i x_i = 0 with p = 1.

    References:
        Zhou et al. (NeurIPS 2022), Sec. 5; Chen et al. (2023) for p = 1.

    Example:
        >>> from netphase.datasets import four_points
        >>> found = predicted_directions(four_points(), "x_tanh")
        >>> found.count, found.bound, found.statement
        (2, 4, 'theorem (p = 2)')
    """
    order = expansion(activation, multiplicity=multiplicity, coefficient=coefficient)
    landscape = Landscape.of(data, order)
    restarts, neurons = positive_int("restarts", restarts), non_negative_int("neurons", neurons)
    ratio = positive_float("ratio", ratio)
    _refuse_one_input(data)
    _refuse_constant(data, order, activation)
    span = span_of(landscape)
    random = generator(seed, Stream.DIRECTIONS)
    starts = random.standard_normal((restarts, data.d))
    maxima, statement, complete = _all_maxima(span, starts)
    if maxima.vanishes:
        raise _nothing_to_climb(order)
    maxima, shrinking = _split(span, maxima)
    shares = basin_shares(span, maxima, neurons, ratio, random)
    strength = maxima.signs * span.landscape.value(maxima.directions) * span.scale
    pairs = zip(maxima.directions, maxima.signs, strict=True)
    curvature = np.array([_curvature(span, u, int(s)) * span.scale for u, s in pairs])
    directions = maxima.directions @ span.basis.T
    first = _order_of(strength, maxima.signs, directions)
    return DirectionPrediction(
        order=order,
        directions=directions[first],
        sign_of_a=maxima.signs[first],
        strength=strength[first],
        curvature=curvature[first],
        basin=shares[first],
        statement=statement,
        complete=complete,
        unseen=float((maxima.hits == 1).sum() / max(1, maxima.hits.sum())),
        degenerate=maxima.degenerate,
        shrinking=shrinking.directions,
        shrinking_sign_of_a=shrinking.signs,
    )


def _refuse_one_input(data: Dataset) -> None:
    if data.d == 1:
        raise ArgumentError(
            "These data have one input and no bias, so a neuron has only the directions +1 and "
            "-1 and there is nothing to predict. Append a bias."
        )


def _refuse_constant(data: Dataset, order: Expansion, activation: str | Activation | None) -> None:
    mean = float(data.y.mean())
    centred = abs(mean) <= _ROUNDING * float(np.abs(data.y).mean())
    if activation is None or order.constant == 0 or centred:
        return
    sigma = activations.get(activation)
    raise ArgumentError(
        f"Argument `activation` must have σ(0) = 0 where the targets have a mean, but {sigma.name} "
        f"has σ(0) = {order.constant:.4g} and the mean is {mean:.4g}: the output weights fit it "
        "first, and the directions follow what is left. Take the activation "
        f"{activations.centred(sigma).name}, or centre the targets (?centred=true in the source "
        "of the data, or `Dataset.centred`)."
    )


def _nothing_to_climb(order: Expansion) -> ArgumentError:
    p = order.multiplicity
    if p == 1 and order.slopes is None:
        return ArgumentError(
            "The direction z = (1/n) Σ y_i x_i of these data is zero (balanced odd data), so "
            "p = 1 condensation has no direction and a later order of the activation decides. "
            "Shift or change the targets, or take an activation of higher multiplicity (x_tanh)."
        )
    return ArgumentError(
        f"The landscape (1/n) Σ y_i (w·x_i)^{p} of these data is zero, so neurons condense on no "
        "direction at this order. Shift or change the targets, or take an activation of another "
        "multiplicity."
    )


def _all_maxima(span: Span, starts: Array) -> tuple[Maxima, str, bool]:
    """The maxima in the span of the inputs, what bounds their number, whether all are there."""
    landscape, flat = span.landscape, span.dimension == 2
    if landscape.slopes is not None:
        found = on_circle(landscape) if flat else by_linearising(landscape, starts @ span.basis)
        return found, "no bound known", flat
    if landscape.degree == 1:
        return first_order(landscape), "theorem (p = 1)", True
    if landscape.degree == 2:
        return second_order(landscape), "theorem (p = 2)", True
    if flat:
        return on_circle(landscape), "theorem (two input dimensions)", True
    return by_search(landscape, starts @ span.basis), "conjecture", False


def _split(span: Span, maxima: Maxima) -> tuple[Maxima, Maxima]:
    """The maxima on which neurons grow, and those on which they shrink.

    Those below zero are maxima only if the inputs span the space: F is zero across the span.
    """
    heights = maxima.signs * span.landscape.value(maxima.directions)
    return maxima.only(heights > ROUNDING), maxima.only((heights < -ROUNDING) & span.whole)


def _curvature(span: Span, u: Array, sign: int) -> float:
    """Largest second derivative along the sphere, the directions across the span included."""
    own = span.landscape.turned(sign)
    fall = -own.degree * float(own.value(u))
    if own.slopes is not None:
        return -np.inf if span.whole and falls_on_all_sides(own, u) else fall
    within = own.tangent_curvature(u)
    return within if span.whole else max(within, fall)


def _order_of(
    strength: Array, signs: npt.NDArray[np.intp], directions: Array
) -> npt.NDArray[np.intp]:
    """Strongest first; among equals the ends of a line together, then a > 0 first."""
    rounded = np.round(strength / strength.max(initial=1e-300), 9)
    components = np.round(directions, 9)
    first = (components != 0).argmax(axis=1)
    upward = np.sign(components[np.arange(len(signs)), first])
    line = components * upward[:, None]
    return np.lexsort([-upward, -signs, *-line.T[::-1], -rounded])
