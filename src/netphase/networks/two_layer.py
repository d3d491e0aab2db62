"""The two-layer network as a map, its parameters as a point, and how that point is drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from netphase._checks import finite_float, instance_of, one_of, positive_int
from netphase._types import Array, DTypeName
from netphase.activations import Activation
from netphase.errors import ArgumentError
from netphase.scalings import Scales
from netphase.seeds import Stream, generator

BLOCK = 2**22
"""Most numbers of an array of samples by neurons that `TwoLayerNetwork.output` holds at a time."""


class Parameters(NamedTuple):
    """The trainable numbers of a two-layer network, in normalised variables.

    Attributes:
        a: output weights divided by β₁, shape (m,).
        w: input weights divided by β₂ (the last column belongs to the bias), shape (m, d).
    """

    a: Array
    w: Array


@dataclass(frozen=True)
class TwoLayerNetwork:
    """f(x) = κ Σ_k ā_k σ̄(w̄_k·x), with σ̄(z) = σ(β₂z)/β₂ and κ = β₁β₂/α.

    This is (1/α) Σ_k a_k σ(w_k·x) written in ā = a/β₁ and w̄ = w/β₂. For a homogeneous σ, σ̄ is σ.

    Attributes:
        activation: σ.
        scales: α, β₁, β₂ at this width.

    References:
        Luo et al. (JMLR 2021), the rescaled model that defines κ and κ′.

    Raises:
        ArgumentError: an attribute is of another type.
    """

    activation: Activation
    scales: Scales

    def __post_init__(self) -> None:
        instance_of("activation", self.activation, Activation, "an Activation")
        instance_of("scales", self.scales, Scales, "the Scales of one width")

    @property
    def inner_scale(self) -> float:
        """β₂ where it changes the function, 1 for a homogeneous activation."""
        return 1.0 if self.activation.homogeneous else self.scales.beta2

    def unit(self, z: Array) -> Array:
        """σ̄(z), same shape as ``z``."""
        s = self.inner_scale
        return self.activation.value(z) if s == 1.0 else self.activation.value(s * z) / s

    def unit_derivative(self, z: Array) -> Array:
        """σ̄′(z) = σ′(β₂z), same shape as ``z``."""
        s = self.inner_scale
        return self.activation.derivative(z if s == 1.0 else s * z)

    def output(self, parameters: Parameters, x: Array) -> Array:
        """The function at some inputs.

        Args:
            parameters: ``a`` of shape (m,), ``w`` of shape (m, d), normalised.
            x: inputs (with the column of ones, if the network has a bias), shape (n, d).

        Returns:
            f(x), shape (n,).

        Raises:
            ArgumentError: the shapes do not fit together.
        """
        a, w = parameters
        if x.ndim != 2 or w.ndim != 2 or x.shape[1] != w.shape[1] or a.shape != w.shape[:1]:
            raise ArgumentError(
                "Arguments `parameters` and `x` must have the shapes (m,), (m, d) and (n, d), "
                f"but have {a.shape}, {w.shape} and {x.shape}."
            )
        values = np.zeros(len(x), dtype=np.result_type(a, w, x))
        block = max(1, BLOCK // max(1, len(x)))
        for first in range(0, len(a), block):
            few = slice(first, first + block)
            values += self.unit(x @ w[few].T) @ a[few]  # (n, block) @ (block,)
        return np.asarray(self.scales.kappa * values)


def initial_parameters(
    width: int,
    d: int,
    seed: int = 0,
    antisymmetric: bool = True,
    dtype: DTypeName = "float64",
) -> Parameters:
    """Standard normal parameters, the starting point in normalised variables.

    The draws of a smaller width are the first draws of a larger one, and do not depend on dtype.

    Args:
        width: neurons of one copy, m ≥ 1.
        d: inputs of a neuron (the bias included), ≥ 1.
        seed: any integer.
        antisymmetric: add a second copy with the same w and the opposite a, so that the network
            starts at exactly zero; the arrays then hold 2m neurons, the first copy first.
        dtype: precision of the arrays.

    Returns:
        ``a`` of shape (m,) or (2m,) and ``w`` of shape (m, d) or (2m, d).

    Raises:
        ArgumentError: a size is not a positive integer, the seed not an integer, or the dtype
            unknown.

    References:
        Luo et al. (JMLR 2021), antisymmetric initialisation (asked for by Theorem 6).
    """
    m, d = positive_int("width", width), positive_int("d", d)
    kind = one_of("dtype", dtype, ("float64", "float32"))
    a = generator(seed, Stream.OUTPUT_WEIGHTS).standard_normal(m)
    w = generator(seed, Stream.INPUT_WEIGHTS).standard_normal((m, d))
    if antisymmetric:
        a, w = np.concatenate([a, -a]), np.concatenate([w, w])
    return Parameters(a.astype(kind), w.astype(kind))


def student_parameters(
    width: int,
    d: int,
    seed: int = 0,
    output_std: float = 0.0,
    weights: Literal["sphere", "gaussian"] = "sphere",
    dtype: DTypeName = "float64",
) -> Parameters:
    """A start with silent output weights and input weights of size one, as random features have.

    The draws of a smaller width are the first draws of a larger one, and those of
    `initial_parameters`.

    Args:
        width: neurons m, ≥ 1.
        d: inputs of a neuron, ≥ 1.
        seed: any integer.
        output_std: standard deviation of ``a``, ≥ 0; 0 starts at the zero function.
        weights: "sphere" for rows of ``w`` even on the unit sphere, "gaussian" for N(0, I/d).
        dtype: precision of the arrays.

    Returns:
        ``a`` of shape (m,) and ``w`` of shape (m, d).

    Raises:
        ArgumentError: a number is outside its domain, or a word unknown.

    References:
        Ma, Wu & E (2020), whose start has output weights zero and unit input weights.

    Example:
        >>> start = student_parameters(3, d=5)
        >>> start.a.tolist(), bool(np.allclose(np.linalg.norm(start.w, axis=1), 1.0))
        ([0.0, 0.0, 0.0], True)
    """
    law = one_of("weights", weights, ("sphere", "gaussian"))
    spread = finite_float("output_std", output_std)
    if spread < 0:
        raise ArgumentError(f"Argument `output_std` must not be negative, but is {spread!r}.")
    drawn = initial_parameters(width, d, seed, antisymmetric=False)
    size = np.linalg.norm(drawn.w, axis=1, keepdims=True) if law == "sphere" else math.sqrt(d)
    kind = one_of("dtype", dtype, ("float64", "float32"))
    return Parameters((spread * drawn.a + 0.0).astype(kind), (drawn.w / size).astype(kind))
