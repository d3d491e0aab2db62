"""Limiting kernels of deep networks: Gram matrices layer by layer, tangent kernel, decay rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from netphase import activations
from netphase._checks import check_memory, instance_of
from netphase._types import Array
from netphase.activations import Activation
from netphase.errors import ArgumentError
from netphase.kernels.feature_angles import input_angles, next_angles
from netphase.kernels.inputs import LARGEST, rows_and_columns
from netphase.kernels.modes import above_rounding
from netphase.kernels.moments import kinks_of, pair_moments, second_moments
from netphase.scalings import LayerScales

_WORKSPACE = 12  # matrices in use beside those that are kept

INTEGRATED = 64.0
"""Error of limiting kernels, in roundings.

Singular ones by quadrature are off by up to 30 at pre-activations of size 30, by hundreds at 100.
"""


@dataclass(frozen=True, eq=False)
class DeepKernels:
    """Kernels to which those of a network of L hidden layers tend as its width grows.

    Attributes:
        scales: β_l, η_l, α and the width whose variances are used.
        activation: name of σ.
        inputs: number of inputs d.
        gram: x·x′, shape (n, p).
        features: S^[l] = E σ(u)σ(v), l = 1 … L, each of shape (n, p); (u, v) is the normal pair
            of pre-activations in layer l.
        slopes: D^[l] = E σ′(u)σ′(v), l = 1 … L.
        kernels: K^[l] = S̄^[l−1] ∘ D^[l] ∘ … ∘ D^[L], l = 1 … L+1, with S̄^[0] = x·x′ and
            S̄^[l] = m S^[l]/(α_1² ⋯ α_l²): what the weights W^[l] add to the tangent kernel, in
            units of η_l κ²/α_l².
        square: whether rows and columns are the same inputs.
    """

    scales: LayerScales
    activation: str
    inputs: int
    gram: Array = field(repr=False)
    features: tuple[Array, ...] = field(repr=False)
    slopes: tuple[Array, ...] = field(repr=False)
    kernels: tuple[Array, ...] = field(repr=False)
    square: bool

    @property
    def weights(self) -> tuple[float, ...]:
        """η_l κ²/α_l², l = 1 … L+1.

        Raises:
            ArgumentError: one leaves the range of a float.
        """
        kappa = math.log(self.scales.kappa)
        layers = zip(self.scales.rates, self.scales.alphas, strict=True)
        found = [math.log(rate) + 2 * (kappa - math.log(alpha)) for rate, alpha in layers]
        for layer, each in enumerate(found, 1):
            if abs(each) > 700:
                raise ArgumentError(
                    f"The tangent kernel of layer {layer} has the weight 10^{each / 2.302585:.0f}, "
                    "out of the range of a float. Use exponents nearer to zero."
                )
        return tuple(math.exp(each) for each in found)

    @cached_property
    def tangent(self) -> Array:
        """Limiting tangent kernel Θ = Σ_l η_l κ²/α_l² K^[l], shape (n, p)."""
        total = np.zeros_like(self.kernels[0])
        for weight, kernel in zip(self.weights, self.kernels, strict=True):
            total += weight * kernel
        return total

    @property
    def shares(self) -> tuple[float, ...]:
        """Exact shares of the layers in the trace of Θ; they sum to one.

        `LayerScales.shares` leaves out the traces of K^[l].

        Raises:
            ArgumentError: rows and columns are different inputs.
        """
        self._check_square()
        layers = zip(self.weights, self.kernels, strict=True)
        traces = [weight * float(np.trace(kernel)) for weight, kernel in layers]
        return tuple(each / math.fsum(traces) for each in traces)

    @cached_property
    def eigenvalues(self) -> Array:
        """Eigenvalues of Θ, ascending, shape (n,); those of the size of rounding are 0.

        Raises:
            ArgumentError: rows and columns are different inputs.
        """
        self._check_square()
        return above_rounding(np.linalg.eigvalsh(self.tangent), INTEGRATED)

    @property
    def least_eigenvalue(self) -> float:
        """λ_min(Θ) ≥ 0; 0 where Θ is singular up to rounding.

        Raises:
            ArgumentError: rows and columns are different inputs.
        """
        return float(self.eigenvalues[0])

    def check_regular(self) -> None:
        """Refuses a singular Θ.

        Raises:
            ArgumentError: Θ is singular up to rounding; the message says why.
        """
        if self.least_eigenvalue == 0:
            raise ArgumentError(
                f"The tangent kernel of these inputs is singular: {self._why_singular()}, so some "
                "targets are never fitted and there is no rate. Drop or move inputs, add a bias, "
                "or bring the pre-activations nearer to one."
            )

    def decay_rate(self, antisymmetric: bool = False) -> float:
        """Rate at which the loss of a θ-lazy network decays in the end: R(t) ~ exp(−2 λ_min t/n).

        It belongs to R = (1/2n) Σ e² and gradient flow dW^[l]/dt = −η_l ∂R/∂W^[l], where
        de/dt = −(1/n) Θ e.

        Args:
            antisymmetric: whether the network has a second, opposite copy, which doubles Θ.

        Returns:
            2 λ_min(Θ)/n, > 0.

        Raises:
            ArgumentError: Θ is singular, so that some targets are never fitted, or rows and
                columns are different inputs.

        References:
            Li, Luo & Zhou (2024) state a decay governed by Σ_l (κ²/α_l²) λ_min (abstract and
            summaries); the constant is derived here.
        """
        self.check_regular()
        return (2 if antisymmetric else 1) * 2 * self.least_eigenvalue / len(self.tangent)

    def _why_singular(self) -> str:
        size = np.sqrt(np.diag(self.tangent))
        cosine = self.tangent / np.outer(size, size)
        np.fill_diagonal(cosine, 0.0)
        i, j = np.unravel_index(int(np.abs(cosine).argmax()), cosine.shape)
        if abs(cosine[i, j]) > 1 - 1e-13:
            kind = "equal" if cosine[i, j] > 0 else "opposite"
            return f"its rows {min(i, j)} and {max(i, j)} are {kind} or proportional"
        rank = int(np.count_nonzero(self.eigenvalues))
        return f"its rank is {rank} of {len(size)} up to rounding"

    def _check_square(self) -> None:
        if not self.square:
            raise ArgumentError(
                "Argument `other` must be left out where eigenvalues or traces are asked for."
            )


def deep_kernels(
    x: Array,
    scales: LayerScales,
    activation: str | Activation = "relu",
    other: Array | None = None,
    kinks: Sequence[float] = (0.0,),
) -> DeepKernels:
    """Limiting kernels of a network of any depth, at the variances its scales have at one width.

    (u, v) ~ N(0, Λ^[l]) with Λ^[1] = β_1² x·x′, Λ^[l+1] = α_{l+1}² S^[l]. ReLU, leaky ReLU and erf
    are in closed form at any variances, and angles between features are kept to rounding for ReLU;
    other activations are integrated to some 1e-12 of the kernel, as in `gaussian_kernels`. The
    empirical kernels of a network of m neurons a layer differ from these by O(m^(−1/2)).

    Args:
        x: inputs, shape (n, d).
        scales: the scales, for example ``layer_initialisation("lecun", 3, d).at_width(m)``.
        activation: name or `Activation`.
        other: inputs of the columns, shape (p, d); ``x`` by default.
        kinks: where σ or σ′ jumps, of an activation of one's own that is not smooth.

    Returns:
        The kernels of every layer and what follows from them.

    Raises:
        ArgumentError: an input is zero or not finite, shapes differ, the activation is unknown,
            the matrices do not fit into memory, or the pre-activations or features of a layer
            leave the range of a float.

    References:
        Reconstructed: Li, Luo & Zhou (2024) define normalised Gram matrices K^[l] and their decay
        rate; the recursion here is derived, agrees with both, and for one hidden layer is that of
        Luo et al. (JMLR 2021), Theorem 6. Cho & Saul (2009), ReLU; Williams (1997), erf.

    Example:
        >>> from netphase.scalings import layer_initialisation
        >>> scales = layer_initialisation("he", depth=3, d=2).at_width(1000)
        >>> found = deep_kernels(np.array([[1.0, 1.0], [1.0, -1.0]]), scales)
        >>> [round(float(each[0, 0]), 3) for each in found.features]
        [1.0, 1.0, 1.0]
        >>> round(found.least_eigenvalue, 3)
        1941.612
    """
    instance_of("scales", scales, LayerScales, "LayerScales")
    sigma = activations.get(activation)
    splits = kinks_of(sigma, kinks)
    rows, columns = rows_and_columns(x, other)
    _check_memory(len(rows), len(columns), scales.depth)
    phi = input_angles(rows, None if other is None else columns)
    p = np.linalg.norm(rows, axis=1)
    q = p if other is None else np.linalg.norm(columns, axis=1)
    normalised = [np.outer(p, q) * np.cos(phi)]
    features, slopes = [], []
    gain, scale = 1.0, scales.betas[0]
    for layer, alpha in enumerate(scales.alphas[:-1], 1):
        p, same = scale * p, q is p
        q = p if same else scale * q
        _check_sizes(p, q, layer, "pre-activations")
        row_squares = second_moments(sigma, p, splits)
        column_squares = row_squares if same else second_moments(sigma, q, splits)
        row_sizes = np.sqrt(row_squares)
        column_sizes = row_sizes if same else np.sqrt(column_squares)
        _check_sizes(row_sizes, column_sizes, layer, "features")
        found = pair_moments(sigma, p, q, phi, splits, other is None)
        phi = next_angles(sigma, phi, found.value, row_squares, column_squares)
        p, q = row_sizes, column_sizes
        gain *= alpha
        features.append(found.value)
        slopes.append(found.slope)
        normalised.append(found.value * (math.sqrt(scales.width) / gain) ** 2)
        scale = scales.alphas[layer]
    return DeepKernels(
        scales,
        sigma.name,
        rows.shape[1],
        normalised[0],
        tuple(features),
        tuple(slopes),
        _with_slopes(normalised, slopes),
        other is None,
    )


def _with_slopes(normalised: list[Array], slopes: list[Array]) -> tuple[Array, ...]:
    """K^[l] = S̄^[l−1] ∘ D^[l] ∘ … ∘ D^[L], from the last layer down."""
    found = [normalised[-1]]
    behind = np.ones_like(normalised[-1])
    for gram, slope in zip(normalised[-2::-1], slopes[::-1], strict=True):
        behind *= slope
        found.append(gram * behind)
    return tuple(found[::-1])


def _check_memory(n: int, p: int, depth: int) -> None:
    check_memory(
        8.0 * n * p * (3 * depth + 2 + _WORKSPACE),
        f"Argument `x` must have fewer rows: kernels of {n} × {p} inputs in {depth} layers",
    )


def _check_sizes(p: Array, q: Array, layer: int, what: str) -> None:
    """Refuses pre-activations or features whose squares are no floats, or that vanish."""
    least, most = min(p.min(), q.min()), max(p.max(), q.max())
    if not 1 / LARGEST < least <= most < LARGEST:
        wrong = most if most >= LARGEST else least
        raise ArgumentError(
            f"Argument `scales` must keep the {what} in a float's range, but in layer {layer} "
            f"their size is {wrong:.1e}. Use exponents nearer to zero."
        )
