"""The population field of a smooth activation by Hermite series, in NumPy.

For x ~ N(0, I) and normalised Hermite polynomials H_k,

    E σ(b·x) τ(c·x) = Σ_k h_k(|b|) g_k(|c|) cos^k θ,   h_k(r) = E σ(ru) H_k(u),   u ~ N(0, 1),

with θ the angle of b and c. The coefficients are integrated by the trapezoidal rule, geometrically
convergent here; as many terms are kept as a bound on the rest asks for.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from netphase._types import Array
from netphase.activations import Activation
from netphase.engine.population.compiled import CompiledField
from netphase.engine.population.field import PopulationField
from netphase.engine.population.problem import PopulationProblem, slope_of
from netphase.engine.population.reference import Pass, Pull, unit
from netphase.errors import ArgumentError
from netphase.hermite import polynomials, relu_coefficients

TERMS, MOST_TERMS = 64, 2048
"""Terms of the series at first, and at most."""

REST, MOST_REST = 1e-12, 1e-7
"""Parts of a mean square that the rest of its series may be: where no terms are added, and ever."""

EDGE, SPACING, RESOLVED = 13.0, 2.0, 0.3
"""Lattice of u: its end, the spacing times √terms that resolves the last H_k, and the spacing
times |b| that resolves poles of σ."""


class Coefficients(NamedTuple):
    """Hermite coefficients of some neurons.

    Attributes:
        value: h_k(r), shape (m, terms).
        slope: dh_k/dr, shape (m, terms).
        rest: what is left out of E σ² and E σ(ru) relu(v), relative to E σ²; from the last terms.
    """

    value: Array
    slope: Array
    rest: float


def hermite(u: Array, terms: int) -> Array:
    """H_k(u) times the weight of a trapezoidal rule of the normal law, shape (terms, nodes)."""
    weights = np.exp(-u * u / 2)
    return polynomials(u, terms, weights / weights.sum())


def coefficients(activation: Activation, sizes: Array, terms: int) -> Coefficients:
    """Hermite coefficients of σ(r ·), for some r.

    Args:
        activation: σ.
        sizes: r, shape (m,).
        terms: how many, ≥ 16.

    Returns:
        The coefficients.
    """
    largest = float(sizes.max(initial=0.0))
    spacing = min(SPACING / math.sqrt(terms), RESOLVED / largest if largest > 0 else math.inf)
    count = math.ceil(EDGE / spacing)
    u = np.linspace(-EDGE, EDGE, 2 * count + 1)
    table = hermite(u, terms).T
    z = sizes[:, None] * u
    values = activation.value(z)
    value = values @ table
    slope = (activation.derivative(z) * u) @ table
    power = np.sqrt((values**2) @ table[:, 0])
    last = np.abs(value[:, -16:]).max(axis=1, initial=0.0)
    left = terms * last * (last + terms**-1.25)  # the coefficients of ReLU fall as k^(-5/4)
    rest = np.divide(left, power**2, out=np.zeros_like(power), where=power > 0)
    return Coefficients(value, slope, float(rest.max(initial=0.0)))


def pull(b: Array, rows: Coefficients, e: Array, c: Array, columns: Array) -> Pull:
    """The pull of Σ_l e_l τ(c_l·x) on neurons σ(b_j·x), see `netphase.engine.population.reference`.

    Args:
        b: neurons, shape (m, d).
        rows: coefficients of σ at their sizes.
        e: output weights of the others, shape (M,).
        c: input weights of the others, shape (M, d).
        columns: g_k(|c_l|), shape (M, terms).

    Returns:
        The pull.
    """
    (size, u), (_, v) = unit(b), unit(c)
    z = np.clip(u @ v.T, -1.0, 1.0)
    power, turn = np.ones_like(z), np.zeros_like(z)
    value, radial = np.zeros(len(b)), np.zeros(len(b))
    weight = e[:, None] * columns
    for k in range(weight.shape[1]):
        if k > 0:
            turn += np.outer(k * rows.value[:, k], weight[:, k]) * power
            power *= z
        along = power @ weight[:, k]
        value += rows.value[:, k] * along
        radial += rows.slope[:, k] * along
    across = turn @ v - np.einsum("ml,ml->m", turn, z)[:, None] * u
    return Pull(value, radial[:, None] * u + _over(across, size))


def pull_of_sphere(b: Array, rows: Coefficients, k: int, weight: float) -> Pull:
    """The pull of weight · E_c relu(c·x), c even on the unit sphere of the first k axes.

    E_c (u·c)^{2n} = ρ^{2n} (½)_n / (k/2)_n with ρ the length of u in these axes.
    """
    size, u = unit(b)
    share = (u[:, :k] ** 2).sum(axis=1)
    relu = relu_coefficients(rows.value.shape[1])
    value, radial, turn = (np.zeros(len(b)) for _ in range(3))
    moment, power, before = 1.0, np.ones(len(b)), np.zeros(len(b))
    for n in range(0, len(relu), 2):
        factor = weight * moment * relu[n]
        value += factor * rows.value[:, n] * power
        radial += factor * rows.slope[:, n] * power
        turn += n * factor * rows.value[:, n] * before
        before, power = power, power * share
        moment *= (0.5 + n / 2) / (k / 2 + n / 2)
    across = -(share * turn)[:, None] * u
    across[:, :k] += turn[:, None] * u[:, :k]
    return Pull(value, radial[:, None] * u + _over(across, size))


def _over(across: Array, size: Array) -> Array:
    return np.divide(across, size[:, None], out=np.zeros_like(across), where=size[:, None] > 0)


class SeriesField(PopulationField):
    """`PopulationField` of any activation with a convergent Hermite series, Gaussian inputs only.

    Args:
        problem: the problem; its target has ReLU neurons, or neurons of the network's activation.

    Raises:
        ArgumentError: the inputs lie on the sphere.
    """

    def __init__(self, problem: PopulationProblem) -> None:
        super().__init__(problem)
        if problem.power != 1.0:
            raise ArgumentError(
                "Argument `inputs` must be 'gaussian' for the activation "
                f"{problem.activation.name!r}, but is 'sphere': its averages over the sphere have "
                "no closed form."
            )
        self._terms = TERMS
        self._square: float | None = None

    def look(self, a: Array, w: Array) -> Pass:
        """Risk and gradient at some parameters, shapes (m,) and (m, d).

        Raises:
            ArgumentError: the series of a neuron does not converge in `MOST_TERMS` terms.
        """
        problem, s = self.problem, self.problem.output_scale
        b = problem.inner_scale * w
        rows = self._expand(np.linalg.norm(b, axis=1))
        own = pull(b, rows, s * a, b, rows.value)
        value, steep = self._pull_of_target(b, rows)
        mean_square = float(s * a @ (own.value - 2 * value)) + self._target_square()
        gradient = s * problem.inner_scale * a[:, None] * (own.slope - steep)
        return Pass(max(mean_square, 0.0), s * (own.value - value), gradient)

    def velocity(self, u: Array) -> tuple[float, Array]:
        """E e² and du/dt at a state; not a number where the series has ceased to converge.

        Raises:
            ArgumentError: it does not converge at the first state either.
        """
        try:
            return super().velocity(u)
        except ArgumentError:
            if self.evaluations == 1:
                raise
            return math.nan, np.full_like(u, math.nan)

    def on_itself(self, u: Array) -> PopulationField:
        """The field of the network with its own function at a state as the target."""
        return SeriesField(self.problem.on_itself(u))

    def _expand(self, sizes: Array) -> Coefficients:
        """Coefficients of as many terms as are needed; they are kept for the next call."""
        found = coefficients(self.problem.activation, sizes, self._terms)
        while found.rest > REST and self._terms < MOST_TERMS:
            self._terms *= 2
            found = coefficients(self.problem.activation, sizes, self._terms)
        if found.rest > MOST_REST:
            raise ArgumentError(
                f"Argument `network` must have an activation whose Hermite series converges in "
                f"{MOST_TERMS} terms, but is {self.problem.activation.name!r} with input weights "
                f"as large as {float(sizes.max()):.4g} (β₂ included)."
            )
        return found

    def _pull_of_target(self, b: Array, rows: Coefficients) -> Pull:
        problem = self.problem
        c, terms = problem.target_c, rows.value.shape[1]
        found = pull(b, rows, problem.target_a, c, self._target_coefficients(terms))
        if problem.sphere:
            sphere = pull_of_sphere(b, rows, problem.sphere, problem.sphere_weight)
            return Pull(found.value + sphere.value, found.slope + sphere.slope)
        return found

    def _target_coefficients(self, terms: int) -> Array:
        problem = self.problem
        sizes = np.linalg.norm(problem.target_c, axis=1)
        if slope_of(problem.target_activation) == 0.0:
            return np.outer(sizes, relu_coefficients(terms))
        return coefficients(problem.target_activation, sizes, terms).value

    def _target_square(self) -> float:
        """E f*²."""
        if self._square is None:
            self._square = self._find_square()
        return self._square

    def _find_square(self) -> float:
        problem = self.problem
        a, c = problem.target_a, problem.target_c
        if len(a) == 0:
            return problem.sphere_square
        if slope_of(problem.target_activation) is not None:
            return CompiledField(problem.neurons_on_sphere(), problem.sphere_square).look(a, c)[0]
        rows = self._expand(np.linalg.norm(c, axis=1))
        return float(a @ pull(c, rows, a, c, rows.value).value)
