"""The problems that are timed, and the plain NumPy descent that says what is right."""

import functools
from dataclasses import dataclass

import numpy as np

from netphase import activations
from netphase.engine.problem import Problem
from netphase.networks import Parameters


@dataclass(frozen=True)
class Case:
    """One shape, activation and precision.

    Attributes:
        n: samples.
        d: inputs, the bias among them.
        m: neurons.
        activation: its name.
        dtype: precision.
        runs: how many networks a peer that can batch trains at once.
    """

    n: int
    d: int
    m: int
    activation: str
    dtype: str = "float32"
    runs: int = 16

    @property
    def name(self) -> str:
        """A short name for tables."""
        return f"n{self.n}-d{self.d}-m{self.m}-{self.activation}-{self.dtype}"

    @functools.cache  # noqa: B019
    def problem(self) -> Problem:
        """Data that such networks can fit, in the mean-field scaling f = (1/m) Σ a σ(w·x)."""
        draw = np.random.default_rng(7)
        if self.d == 2:
            points = np.linspace(-0.5, 0.5, self.n)
            x = np.stack([points, np.ones(self.n)], axis=1)
            y = points**2
        else:
            x = np.abs(draw.normal(size=(self.n, self.d))) / np.sqrt(self.d)
            y = draw.normal(size=self.n)
        dtype = np.dtype(self.dtype)
        return Problem(
            np.ascontiguousarray(x, dtype),
            y.astype(dtype),
            activations.get(self.activation),
            1 / self.m,
        )

    @functools.cache  # noqa: B019
    def start(self, seed: int = 0) -> Parameters:
        """Standard normal parameters."""
        draw = np.random.default_rng(seed)
        a, w = draw.normal(size=self.m), draw.normal(size=(self.m, self.d))
        return Parameters(a.astype(self.dtype), w.astype(self.dtype))

    @functools.cached_property
    def learning_rate(self) -> float:
        """A step well inside the stable ones: a fifth of m over the mean of |x|²."""
        x = self.problem().x
        return 0.2 * self.m / (1.0 + float(np.sum(x.astype(float) ** 2)) / self.n)


def reference(case: Case, steps: int) -> Parameters:
    """Gradient descent in float64 and plain NumPy, from ``case.start()``."""
    problem, (a, w) = case.problem(), case.start()
    x, y = problem.x.astype(float), problem.y.astype(float)
    a, w = a.astype(float), w.astype(float)
    factor = case.learning_rate * problem.output_scale / case.n
    for _ in range(steps):
        z = x @ w.T
        value, slope = problem.activation.value(z), problem.activation.derivative(z)
        e = problem.output_scale * value @ a - y
        a, w = a - factor * (e @ value), w - factor * (e[:, None] * slope * a).T @ x
    return Parameters(a, w)


def deviation(found: Parameters, expected: Parameters) -> float:
    """Largest absolute difference of any parameter."""
    return float(max(np.abs(found.a - expected.a).max(), np.abs(found.w - expected.w).max()))
