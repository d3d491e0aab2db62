"""Targets f* made of ReLU neurons, finite or a whole sphere of them, known in closed form."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import numpy as np

from netphase._checks import finite_array, finite_float, non_negative_int, one_of, positive_int
from netphase._sources import builder_options, split_source
from netphase._types import Array, InputLaw
from netphase.datasets import Dataset
from netphase.errors import ArgumentError
from netphase.kernels import INPUT_LAWS, input_power, relu_kernel, sphere_kernel
from netphase.seeds import Stream, generator

_BLOCK = 2**22  # most numbers of an array of samples by neurons held at a time


@dataclass(frozen=True, eq=False)
class Target:
    """f*(x) = Σ_l a_l relu(c_l·x) + weight · E_c relu(c·x), c even on the unit sphere of k axes.

    Attributes:
        a: output weights of the neurons, shape (M,); M may be 0.
        c: input weights of the neurons, shape (M, d).
        sphere: dimension k of the sphere of neurons in the first k axes, 0 for none.
        sphere_weight: weight of that sphere.
        name: what to call it in titles.
        source: what `load` makes it again from; "" where it has none.

    Raises:
        ArgumentError: arrays do not fit or are not finite, or the sphere does not lie in the space.

    References:
        Ma, Wu & E (2020), the targets of their experiments.
    """

    a: Array
    c: Array
    sphere: int = 0
    sphere_weight: float = 0.0
    name: str = "target"
    source: str = ""

    def __post_init__(self) -> None:
        a, c = np.array(self.a, dtype=np.float64), np.array(self.c, dtype=np.float64)
        if c.ndim != 2 or a.shape != c.shape[:1] or c.shape[1] < 1:
            raise ArgumentError(
                "Arguments `a` and `c` must have the shapes (M,) and (M, d), but have "
                f"{a.shape} and {c.shape}."
            )
        for name, array in (("a", a), ("c", c)):
            if array.size:
                finite_array(name, array, array.ndim)
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        k, d = non_negative_int("sphere", self.sphere), c.shape[1]
        if k == 1 or k > d:
            raise ArgumentError(
                f"Argument `sphere` must be 0 or lie between 2 and the {d} inputs, but is {k}."
            )
        weight = finite_float("sphere_weight", self.sphere_weight)
        if (k > 0) != (weight != 0.0):
            raise ArgumentError(
                "Arguments `sphere` and `sphere_weight` must both be given or both be 0, but are "
                f"{k} and {weight}."
            )

    @property
    def d(self) -> int:
        """Number of inputs."""
        return int(self.c.shape[1])

    @property
    def units(self) -> int:
        """Number M of neurons, those of the sphere not counted."""
        return len(self.a)

    @property
    def variation_norm(self) -> float:
        """Σ |a_l||c_l| + |weight|: the path norm of this representation of f*."""
        sizes = np.abs(self.a) * np.linalg.norm(self.c, axis=1)
        return float(sizes.sum() + abs(self.sphere_weight))

    def __call__(self, x: Array) -> Array:
        """f* at some inputs.

        Args:
            x: inputs, shape (n, d).

        Returns:
            f*(x), shape (n,).

        Raises:
            ArgumentError: ``x`` is not finite or has another number of inputs.
        """
        points = finite_array("x", x, 2).astype(np.float64)
        self.check_inputs("x", points.shape[1])
        values = np.zeros(len(points))
        block = max(1, _BLOCK // max(1, self.units))
        for first in range(0, len(points), block):
            few = slice(first, first + block)
            values[few] = np.maximum(points[few] @ self.c.T, 0.0) @ self.a  # (n, M) @ (M,)
        if self.sphere:
            radius = np.linalg.norm(points[:, : self.sphere], axis=1)
            values += self.sphere_weight * mean_slope(self.sphere) * radius
        return values

    def check_inputs(self, name: str, d: int) -> None:
        """Refuses something whose number of inputs differs from the target's.

        Args:
            name: the argument's name, for the message.
            d: its number of inputs.

        Raises:
            ArgumentError: ``d`` is another number.
        """
        if d != self.d:
            raise ArgumentError(
                f"Argument `{name}` must have the {self.d} inputs of the target, but has {d}."
            )

    def square(self, inputs: InputLaw = "gaussian") -> float:
        """E f*(x)², in closed form.

        Args:
            inputs: law of x.

        Returns:
            The mean square, ≥ 0.

        Raises:
            ArgumentError: the law is unknown.
        """
        total = 0.0
        if self.units:
            total += float(self.a @ relu_kernel(self.c, self.c, inputs) @ self.a)
        if self.sphere:
            radial = self.sphere_weight * mean_slope(self.sphere)
            total += radial**2 * self.sphere * input_power(self.d, inputs)
        if self.units and self.sphere:
            cross = self.a @ sphere_kernel(self.c, self.sphere, inputs)
            total += 2 * self.sphere_weight * float(cross)
        return max(total, 0.0)

    def sample(self, n: int, seed: int = 0, inputs: InputLaw = "gaussian") -> Dataset:
        """Noiseless samples (x_i, f*(x_i)); those of a smaller n are the first of a larger one.

        Args:
            n: number of samples, ≥ 1.
            seed: any integer.
            inputs: law of x.

        Returns:
            The data set, without a bias.

        Raises:
            ArgumentError: ``n`` is not a positive integer or the law is unknown.
        """
        law, count = one_of("inputs", inputs, INPUT_LAWS), positive_int("n", n)
        x = generator(seed, Stream.DATA).standard_normal((count, self.d))
        if law == "sphere":
            x /= np.linalg.norm(x, axis=1, keepdims=True)
        return Dataset(x, self(x), f"{count} samples of {self.name}", "", bias=False)

    def minus(self, a: Array, c: Array, name: str = "residual target") -> Target:
        """f* − Σ_k a_k relu(c_k·x), what is left for others when these neurons stay as they are.

        Args:
            a: output weights, shape (m,).
            c: input weights, shape (m, d).
            name: what to call it.

        Returns:
            The target, which has no `source`.

        Raises:
            ArgumentError: the shapes do not fit or a number is not finite.
        """
        given, rows = np.asarray(a, dtype=np.float64), np.asarray(c, dtype=np.float64)
        if rows.ndim != 2 or given.shape != rows.shape[:1]:
            raise ArgumentError(
                "Arguments `a` and `c` must have the shapes (m,) and (m, d), but have "
                f"{given.shape} and {rows.shape}."
            )
        self.check_inputs("c", rows.shape[1])
        return replace(
            self,
            a=np.concatenate([self.a, -given]),
            c=np.concatenate([self.c, rows]),
            name=name,
            source="",
        )


def mean_slope(k: int) -> float:
    """E_c relu(c·x)/|x| for c even on the unit sphere of ℝ^k: Γ(k/2)/(2√π Γ((k+1)/2)).

    Args:
        k: dimension, ≥ 1.

    Returns:
        The slope: 1/2 for k = 1, 1/π for k = 2, 1/4 for k = 3.

    Raises:
        ArgumentError: ``k`` is not a positive integer.
    """
    dimension = positive_int("k", k)
    ratio = math.exp(math.lgamma(dimension / 2) - math.lgamma((dimension + 1) / 2))
    return ratio / (2 * math.sqrt(math.pi))


def single_neuron(d: int = 20) -> Target:
    """relu(x_1).

    Args:
        d: number of inputs, ≥ 1.

    Returns:
        The target, E f*² = 1/2 for Gaussian inputs.

    Raises:
        ArgumentError: ``d`` is not a positive integer.
    """
    c = np.eye(1, positive_int("d", d))
    return Target(np.ones(1), c, name="one neuron", source=_source("single_neuron", d=d))


def linear(d: int = 20) -> Target:
    """x_1 = relu(x_1) − relu(−x_1): in the reach of random features, of variation norm 2.

    Args:
        d: number of inputs, ≥ 1.

    Returns:
        The target, E f*² = 1 for Gaussian inputs.

    Raises:
        ArgumentError: ``d`` is not a positive integer.
    """
    c = np.eye(1, positive_int("d", d))
    return Target(
        np.array([1.0, -1.0]),
        np.concatenate([c, -c]),
        name="linear target",
        source=_source("linear", d=d),
    )


def finite_neurons(d: int = 20, units: int = 5, seed: int = 0, support: int = 0) -> Target:
    """(1/M) Σ_l relu(c_l·x) with random unit vectors c_l.

    Args:
        d: number of inputs, ≥ 1.
        units: M, ≥ 1.
        seed: of the vectors, any integer.
        support: the vectors lie in the first so many axes; 0 for all.

    Returns:
        The target, of variation norm 1.

    Raises:
        ArgumentError: a number is out of its range.
    """
    size, count = positive_int("d", d), positive_int("units", units)
    inside = non_negative_int("support", support) or size
    if inside > size:
        raise ArgumentError(f"Argument `support` must be at most d = {size}, but is {inside}.")
    c = np.zeros((count, size))
    c[:, :inside] = generator(seed, Stream.TEACHER).standard_normal((count, inside))
    c /= np.linalg.norm(c, axis=1, keepdims=True)
    source = _source("finite_neurons", d=size, units=count, seed=seed, support=support)
    return Target(np.full(count, 1.0 / count), c, name=f"{count} neurons", source=source)


def circle(d: int = 20) -> Target:
    """E_c relu(c·x) over the unit circle of the first two axes: √(x_1² + x_2²)/π.

    Args:
        d: number of inputs, ≥ 2.

    Returns:
        The target, E f*² = 2/π² for Gaussian inputs.

    Raises:
        ArgumentError: ``d`` is not an integer ≥ 2.
    """
    if (size := positive_int("d", d)) < 2:
        raise ArgumentError("Argument `d` must be at least 2 for a circle, but is 1.")
    return replace(sphere(size, 2), name="circle of neurons", source=_source("circle", d=size))


def sphere(d: int = 20, k: int = 3) -> Target:
    """E_c relu(c·x) over the unit sphere of the first k axes, a multiple of |P_k x|.

    Args:
        d: number of inputs.
        k: dimension of the sphere's space, 2 ≤ k ≤ d.

    Returns:
        The target, of variation norm 1.

    Raises:
        ArgumentError: a number is out of its range.
    """
    size, dimension = positive_int("d", d), positive_int("k", k)
    if not 2 <= dimension <= size:
        raise ArgumentError(
            f"Argument `k` must lie between 2 and the {size} inputs, but is {dimension}."
        )
    source = _source("sphere", d=size, k=dimension)
    name = f"sphere of neurons in {dimension} dimensions"
    return Target(np.empty(0), np.empty((0, size)), dimension, 1.0, name, source)


def neurons(a: Array, c: Array, name: str = "neurons of one's own") -> Target:
    """Σ_l a_l relu(c_l·x) with neurons of one's own.

    Args:
        a: output weights, shape (M,).
        c: input weights, shape (M, d).
        name: what to call it.

    Returns:
        The target.

    Raises:
        ArgumentError: arrays do not fit or are not finite.
    """
    return Target(finite_array("a", a, 1), finite_array("c", c, 2), name=name)


_BUILDERS: dict[str, Callable[..., Target]] = {
    "single_neuron": single_neuron,
    "finite_neurons": finite_neurons,
    "circle": circle,
    "sphere": sphere,
    "linear": linear,
}

BUILT_IN: tuple[str, ...] = tuple(_BUILDERS)
"""The names `load` knows."""


def load(source: str) -> Target:
    """The target of a source string.

    Args:
        source: a name of `BUILT_IN`, optionally followed by ``?option=value&option=value``, for
            example ``"finite_neurons?d=19&units=5"``. `Target.source` is such a string.

    Returns:
        The target.

    Raises:
        ArgumentError: the name, an option or a value is unknown.

    Example:
        >>> round(load("circle?d=30").square() * math.pi**2, 12)
        2.0
    """
    text, query = split_source("target", source)
    builder = _BUILDERS[one_of("target", text, BUILT_IN)]
    options = builder_options("target", builder, query, source)
    try:
        return builder(**options)
    except ArgumentError as error:  # of an option, which is no argument of the caller's
        said = str(error).removeprefix("Argument ")
        raise ArgumentError(f"Argument `target` is {source!r}, whose option {said}") from error


def _source(name: str, **options: object) -> str:
    return f"{name}?{urlencode(options)}"
