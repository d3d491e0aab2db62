"""Least-squares training on infinitely many inputs: the problem, and its smallest coordinates."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from netphase._types import Array, InputLaw
from netphase.activations import LEAKY_SLOPE, Activation, get
from netphase.kernels import input_power
from netphase.networks import Parameters, TwoLayerNetwork
from netphase.targets import Target, mean_slope


@dataclass(frozen=True)
class PopulationProblem:
    """R = ½ E e², e = s Σ_k a_k σ(β w_k·x) − f*(x), averaged over random inputs x.

    f*(x) = Σ_l ā_l σ̄(c_l·x) + weight · E_c relu(c·x), c even on the unit sphere of the first axes;
    da/dt = −mobility_a ∂R/∂a and dw/dt = −mobility_w ∂R/∂w.

    Attributes:
        activation: σ.
        output_scale: s.
        inner_scale: β, 1 for a homogeneous activation.
        target_a: ā, shape (M,); M may be 0.
        target_c: c, shape (M, d).
        target_activation: σ̄.
        sphere: number of the sphere's axes, 0 for none.
        sphere_weight: its weight.
        power: E|x|²/d; every average is that of Gaussian inputs times it.
        mobility_a: mobility of the output weights.
        mobility_w: mobility of the input weights.
    """

    activation: Activation
    output_scale: float
    inner_scale: float
    target_a: Array
    target_c: Array
    target_activation: Activation
    sphere: int = 0
    sphere_weight: float = 0.0
    power: float = 1.0
    mobility_a: float = 1.0
    mobility_w: float = 1.0

    @property
    def d(self) -> int:
        """Number of inputs."""
        return int(self.target_c.shape[1])

    @property
    def sphere_square(self) -> float:
        """Mean square of the target's sphere alone, for Gaussian inputs."""
        if self.sphere == 0:
            return 0.0
        return (self.sphere_weight * mean_slope(self.sphere)) ** 2 * self.sphere

    def on_itself(self, u: Array) -> PopulationProblem:
        """The same network with its own function, at a state (a, w), as the target.

        Args:
            u: shape (m, d + 1).

        Returns:
            The problem, whose residual is f(θ) − f(u).
        """
        return replace(
            self,
            target_a=self.output_scale * u[:, 0],
            target_c=self.inner_scale * u[:, 1:],
            target_activation=self.activation,
            sphere=0,
            sphere_weight=0.0,
        )

    def neurons_on_sphere(self) -> PopulationProblem:
        """The target's neurons as a network, whose risk at ā, c is E f*² for Gaussian inputs."""
        return replace(
            self,
            activation=self.target_activation,
            output_scale=1.0,
            inner_scale=1.0,
            target_a=np.empty(0),
            target_c=np.empty((0, self.d)),
            sphere_weight=-self.sphere_weight,
            power=1.0,
        )


def slope_of(activation: Activation) -> float | None:
    """The slope at negative arguments of a piecewise linear σ, None for any other."""
    if activation.code is None or not activation.homogeneous:
        return None
    return LEAKY_SLOPE if activation.name == "leaky_relu" else 0.0


def population_problem(
    network: TwoLayerNetwork, target: Target, inputs: InputLaw = "gaussian"
) -> PopulationProblem:
    """The problem of a network and a target made of ReLU neurons.

    Args:
        network: the map, with its scales.
        target: f*.
        inputs: law of x.

    Returns:
        The problem, in the normalised variables of `netphase.dynamics.GradientDynamics`.

    Raises:
        ArgumentError: the law is unknown.
    """
    scales = network.scales
    return PopulationProblem(
        activation=network.activation,
        output_scale=scales.kappa / network.inner_scale,
        inner_scale=network.inner_scale,
        target_a=target.a,
        target_c=target.c,
        target_activation=get("relu"),
        sphere=target.sphere,
        sphere_weight=target.sphere_weight,
        power=input_power(target.d, inputs),
        mobility_a=1.0 / scales.kappa_prime,
        mobility_w=scales.kappa_prime,
    )


def reduced(problem: PopulationProblem, w: Array) -> tuple[PopulationProblem, Array] | None:
    """The same problem in coordinates of the space that its neurons span, where that is smaller.

    Gradients stay in the span of the first input weights, the target's neurons and the sphere's
    axes, and averages over x do not change under rotations: the equation is the same, exactly.

    Args:
        problem: the problem.
        w: input weights at the start, shape (m, d).

    Returns:
        The problem in fewer inputs, and the orthonormal basis, shape (d, d′), that leads back:
        w = w′ basisᵀ; None where it would save nothing.
    """
    k, count = problem.sphere, problem.sphere + len(problem.target_c) + len(w)
    if count >= problem.d:
        return None
    span = np.concatenate([problem.target_c.T, np.asarray(w, dtype=np.float64).T], axis=1)
    basis = np.eye(problem.d, count)
    basis[k:, k:] = np.linalg.qr(span[k:])[0]  # the axes stay as they are
    return replace(problem, target_c=np.ascontiguousarray(problem.target_c @ basis)), basis


def invariant_drift(problem: PopulationProblem, start: Parameters, end: Parameters) -> float:
    """Σ|Δa²/μ_a − Δ|w|²/μ_w| over Σ(|Δa²|/μ_a + |Δ|w|²|/μ_w): zero for a flow, 0 at rest."""
    change_a = (end.a**2 - start.a**2) / problem.mobility_a
    change_w = ((end.w**2).sum(axis=1) - (start.w**2).sum(axis=1)) / problem.mobility_w
    size = float(np.abs(change_a).sum() + np.abs(change_w).sum())
    drift = float(np.abs(change_a - change_w).sum())
    return drift / size if size > 0.0 and math.isfinite(size) else 0.0
