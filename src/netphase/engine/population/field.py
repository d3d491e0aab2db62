"""The flow of a population problem as integrators see it: NumPy here, compiled where it can be."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from netphase._types import Array
from netphase.engine.population.problem import PopulationProblem
from netphase.engine.population.reference import Pass, population_pass

DIFFERENCE = 1e-6
"""Size of the displacement of a finite difference of the flow, relative to the state."""

MOST_TURNS = 60
"""Power iterations at most: where the largest two eigenvalues are close, either will do."""


class Marched(NamedTuple):
    """Where some steps of gradient descent led.

    Attributes:
        u: state, shape (m, d + 1).
        flow: du/dt there, same shape.
        mean_square: E e² there.
        done: steps taken, fewer than asked for where the mean square left its bounds.
    """

    u: Array
    flow: Array
    mean_square: float
    done: int


class PopulationField:
    """u′ = −M ∇R(u) with u = (a, w) of shape (m, d + 1), in float64.

    Args:
        problem: the problem.

    Attributes:
        problem: the problem.
        mobility: mobility of each column of u, shape (d + 1,).
        evaluations: how often the gradient has been evaluated.
    """

    def __init__(self, problem: PopulationProblem) -> None:
        self.problem = problem
        self.mobility = np.array([problem.mobility_a] + problem.d * [problem.mobility_w])
        self.evaluations = 0

    def look(self, a: Array, w: Array) -> Pass:
        """Risk and gradient at some parameters, shapes (m,) and (m, d)."""
        return population_pass(self.problem, a, w)

    def velocity(self, u: Array) -> tuple[float, Array]:
        """E e² and du/dt at a state."""
        self.evaluations += 1
        found = self.look(u[:, 0], u[:, 1:])
        gradient = np.column_stack([found.gradient_a, found.gradient_w])
        return found.mean_square, -self.mobility * gradient

    def march(
        self, u: Array, flow: Array, step: float, count: int, bounds: tuple[float, float]
    ) -> Marched:
        """Up to ``count`` steps u ← u + step · u′ of one length.

        Args:
            u: state, shape (m, d + 1).
            flow: du/dt there.
            step: length of a step.
            count: how many, ≥ 1.
            bounds: mean squares at and above which, or at and below which, to end.

        Returns:
            The state afterwards.
        """
        low, high = bounds
        mean_square, done = math.nan, 0
        while done < count and (done == 0 or low < mean_square < high):
            u = u + step * flow
            mean_square, flow = self.velocity(u)
            done += 1
        return Marched(u, flow, mean_square, done)

    def chebyshev(
        self, u: Array, flow: Array, step: float, table: Array, fractions: Array
    ) -> tuple[Array, Array]:
        """One step of the stabilised method of `netphase.engine.population.chebyshev`.

        Args:
            u: state, shape (m, d + 1).
            flow: du/dt there.
            step: its length.
            table: the method's coefficients, shape (stages + 1, 5).
            fractions: increasing parts of the step, in (0, 1), at which the state is wanted,
                shape (t,).

        Returns:
            The state after the step, and those in between, shape (t, m, d + 1).
        """
        between, filled = np.empty((len(fractions), *u.shape)), 0
        before, now = u, u + table[1, 2] * step * flow
        nodes, states = [0.0, table[1, 4]], [before, now]
        for mu, nu, mu_flow, gamma, node in table[2:]:
            _, there = self.velocity(now)
            after = (1.0 - mu - nu) * u + mu * now + nu * before
            after += step * (mu_flow * there + gamma * flow)
            before, now = now, after
            nodes, states = [*nodes[-2:], node], [*states[-2:], now]
            while filled < len(fractions) and fractions[filled] <= node:
                weights = lagrange(nodes, float(fractions[filled]))
                between[filled] = sum(x * each for x, each in zip(weights, states, strict=True))
                filled += 1
        return now, between

    def on_itself(self, u: Array) -> PopulationField:
        """The field of the network with its own function at a state as the target."""
        return PopulationField(self.problem.on_itself(u))

    def sharpness(self, u: Array, direction: Array | None = None) -> tuple[float, Array]:
        """The largest eigenvalue of the tangent operator M E ∇f ∇fᵀ at a state.

        It is the Hessian of ½ E (f(v) − f(u))² at v = u, so the field of that problem gives it.

        Args:
            u: state, shape (m, d + 1).
            direction: a first guess of the eigenvector, same shape.

        Returns:
            The eigenvalue, to about 1e-3, and its eigenvector.
        """
        itself = self.on_itself(u)
        found = self._power(itself, u, np.zeros_like(u), direction, 1e-3)
        self.evaluations += itself.evaluations
        return found

    def stiffness(
        self, u: Array, flow: Array, direction: Array | None = None
    ) -> tuple[float, Array]:
        """The spectral radius of the flow's Jacobian at a state, to about 2 %, and a direction."""
        return self._power(self, u, flow, direction, 0.02)

    def _power(
        self, field: PopulationField, u: Array, flow: Array, direction: Array | None, rtol: float
    ) -> tuple[float, Array]:
        """Power iteration on differences of a field, in the inner product of 1/M."""
        weight = 1.0 / self.mobility
        v = direction
        if v is None:  # any direction that is orthogonal to nothing, the same in every run
            v = np.random.default_rng(0).standard_normal(u.shape)
        size = DIFFERENCE * math.sqrt(float(np.sum(u * u * weight)))
        value = 0.0
        for turn in range(MOST_TURNS):
            length = math.sqrt(float(np.sum(v * v * weight)))
            if not (length > 0.0 and math.isfinite(length)):
                return value, np.ones_like(u)
            v = v * (1.0 / length)
            _, there = field.velocity(u + size * v)
            image = (flow - there) / size
            before, value = value, math.sqrt(float(np.sum(image * image * weight)))
            v = image
            if turn > 0 and abs(value - before) <= rtol * value:
                break
        return value, v


def lagrange(nodes: list[float], x: float) -> tuple[float, float, float]:
    """Weights that give the parabola through three nodes at x."""
    p, q, r = nodes
    return (
        (x - q) * (x - r) / ((p - q) * (p - r)),
        (x - p) * (x - r) / ((q - p) * (q - r)),
        (x - p) * (x - q) / ((r - p) * (r - q)),
    )
