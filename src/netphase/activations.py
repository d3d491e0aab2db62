"""The activations by name, each with two derivatives, and a way to bring one's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from netphase._checks import one_of
from netphase._types import Array
from netphase.errors import ArgumentError

Pointwise: TypeAlias = Callable[[Array], Array]

LEAKY_SLOPE = 0.01
_INV_SQRT_2PI = 0.3989422804014327
_TWO_OVER_SQRT_PI = 1.1283791670955126


@dataclass(frozen=True)
class Activation:
    """A scalar function σ applied to every pre-activation.

    Every function takes and returns arrays of one shape and dtype.

    Attributes:
        name: what it is called.
        value: z ↦ σ(z).
        derivative: z ↦ σ′(z); at a kink the value from the left.
        second_derivative: z ↦ σ″(z), zero beside a kink.
        multiplicity: the p of initial condensation: σ⁽ᵏ⁾(0) = 0 for 1 ≤ k < p and σ⁽ᵖ⁾(0) ≠ 0;
            None where σ has no such expansion at 0.
        homogeneous: whether σ(cz) = cσ(z) for every c > 0.
        smooth: whether σ has two continuous derivatives.
        code: number of the compiled version, or None where there is only this one.
        pair: z ↦ (σ(z), σ′(z)) where both together cost less; it may write over z.
    """

    name: str
    value: Pointwise
    derivative: Pointwise
    second_derivative: Pointwise
    multiplicity: int | None
    homogeneous: bool
    smooth: bool
    code: int | None = None
    pair: Callable[[Array], tuple[Array, Array]] | None = None

    def value_and_slope(self, z: Array) -> tuple[Array, Array]:
        """σ(z) and σ′(z), to rounding of the size of σ(z); z may be written over."""
        return (self.value(z), self.derivative(z)) if self.pair is None else self.pair(z)


def _zero(z: Array) -> Array:
    return np.zeros_like(z)


def _relu(z: Array) -> Array:
    return np.maximum(z, 0.0)


def _relu_1(z: Array) -> Array:
    return (z > 0).astype(z.dtype)


def _leaky_relu(z: Array) -> Array:
    return np.where(z > 0, z, LEAKY_SLOPE * z)


def _leaky_relu_1(z: Array) -> Array:
    return np.where(z > 0, np.ones_like(z), z.dtype.type(LEAKY_SLOPE))


def _tanh(z: Array) -> Array:
    return np.tanh(z)


def _sech2(z: Array) -> Array:
    u = np.exp(-2 * np.abs(z))
    return np.asarray(4 * u / (1 + u) ** 2)


def _tanh_pair(z: Array) -> tuple[Array, Array]:
    t = np.tanh(z, out=z)
    slope = t * t
    return t, np.subtract(1, slope, out=slope)


def _tanh_2(z: Array) -> Array:
    return -2 * np.tanh(z) * _sech2(z)


def _x_tanh(z: Array) -> Array:
    return z * np.tanh(z)


def _x_tanh_1(z: Array) -> Array:
    return np.tanh(z) + z * _sech2(z)


def _x_tanh_2(z: Array) -> Array:
    return 2 * _sech2(z) * (1 - z * np.tanh(z))


def _x2_tanh(z: Array) -> Array:
    return z * z * np.tanh(z)


def _x2_tanh_1(z: Array) -> Array:
    return z * (2 * np.tanh(z) + z * _sech2(z))


def _x2_tanh_2(z: Array) -> Array:
    t, s = np.tanh(z), _sech2(z)
    return 2 * t + z * s * (4 - 2 * z * t)


def _erf(z: Array) -> Array:
    from scipy.special import erf

    return np.asarray(erf(z))


def _erf_1(z: Array) -> Array:
    return np.asarray(_TWO_OVER_SQRT_PI * np.exp(-z * z))


def _erf_2(z: Array) -> Array:
    return np.asarray(-2 * z * _erf_1(z))


def _sigmoid(z: Array) -> Array:
    u = np.exp(-np.abs(z))
    return np.asarray(np.where(z >= 0, np.ones_like(u), u) / (1 + u))


def _sigmoid_1(z: Array) -> Array:
    u = np.exp(-np.abs(z))
    return np.asarray(u / (1 + u) ** 2)


def _sigmoid_2(z: Array) -> Array:
    return -_sigmoid_1(z) * np.tanh(z / 2)


def _softplus(z: Array) -> Array:
    return np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z)))


def _centred_sigmoid(z: Array) -> Array:
    return np.asarray(0.5 * np.tanh(0.5 * z))


def _centred_softplus(z: Array) -> Array:
    return np.maximum(z, 0.0) - np.log1p(np.tanh(0.5 * np.abs(z)))


def _normal_cdf(z: Array) -> Array:
    from scipy.special import ndtr

    return np.asarray(ndtr(z))


def _gelu(z: Array) -> Array:
    return z * _normal_cdf(z)


def _gelu_1(z: Array) -> Array:
    return _normal_cdf(z) + z * _INV_SQRT_2PI * np.exp(-0.5 * z * z)


def _gelu_2(z: Array) -> Array:
    return (2 - z * z) * _INV_SQRT_2PI * np.exp(-0.5 * z * z)


_TABLE: dict[str, Activation] = {
    each.name: each
    for each in (
        Activation("relu", _relu, _relu_1, _zero, None, True, False, 0),
        Activation("leaky_relu", _leaky_relu, _leaky_relu_1, _zero, None, True, False, 1),
        Activation("tanh", _tanh, _sech2, _tanh_2, 1, False, True, 2, _tanh_pair),
        Activation("x_tanh", _x_tanh, _x_tanh_1, _x_tanh_2, 2, False, True, 3),
        Activation("x2_tanh", _x2_tanh, _x2_tanh_1, _x2_tanh_2, 3, False, True, 4),
        Activation("erf", _erf, _erf_1, _erf_2, 1, False, True, 5),
        Activation("sigmoid", _sigmoid, _sigmoid_1, _sigmoid_2, 1, False, True, 6),
        Activation("softplus", _softplus, _sigmoid, _sigmoid_1, 1, False, True, 7),
        Activation("gelu", _gelu, _gelu_1, _gelu_2, 1, False, True, 8),
        Activation("centred_sigmoid", _centred_sigmoid, _sigmoid_1, _sigmoid_2, 1, False, True, 9),
        Activation("centred_softplus", _centred_softplus, _sigmoid, _sigmoid_1, 1, False, True, 10),
    )
}

NAMES: tuple[str, ...] = tuple(_TABLE)
"""The names `get` knows, in the order of their codes."""


def get(activation: str | Activation) -> Activation:
    """The activation of a name; an `Activation` comes back as it is.

    Args:
        activation: one of `NAMES`, or an `Activation`.

    Returns:
        The activation.

    Raises:
        ArgumentError: the name is not known.

    Example:
        >>> get("x_tanh").multiplicity
        2
    """
    if isinstance(activation, Activation):
        return activation
    return _TABLE[one_of("activation", activation, NAMES)]


@dataclass(frozen=True)
class _Shifted:
    """``function`` minus a constant."""

    function: Pointwise
    constant: float

    def __call__(self, z: Array) -> Array:
        return np.asarray(self.function(z) - np.asarray(z).dtype.type(self.constant))


def centred(activation: str | Activation) -> Activation:
    """The activation minus its value at 0, z ↦ σ(z) − σ(0), with the same derivatives.

    A neuron of small input weights then adds nothing constant to the output, so that the output
    weights do not fit the mean of the targets before anything condenses.

    Args:
        activation: one of `NAMES`, or an `Activation`.

    Returns:
        The activation itself where σ(0) = 0; the built-in ``centred_sigmoid`` and
        ``centred_softplus``, which keep their relative accuracy near 0, for theirs; otherwise one
        that subtracts the constant, in NumPy.

    Raises:
        ArgumentError: the name is not known.

    Example:
        >>> centred("sigmoid").name, centred("tanh").name
        ('centred_sigmoid', 'tanh')
    """
    sigma = get(activation)
    constant = float(sigma.value(np.zeros(1))[0])
    if constant == 0:
        return sigma
    name = f"centred_{sigma.name}"
    if sigma.code is not None:
        return _TABLE[name]
    return replace(sigma, name=name, value=_Shifted(sigma.value, constant), pair=None)


@dataclass(frozen=True)
class _CentralDifference:
    """The derivative of ``function`` by central differences, relative error about 1e-10."""

    function: Pointwise

    def __call__(self, z: Array) -> Array:
        wide = np.asarray(z, dtype=np.float64)
        h = 6e-6 * np.maximum(1.0, np.abs(wide))
        slope = (self.function(wide + h) - self.function(wide - h)) / (2 * h)
        return np.asarray(slope, dtype=np.asarray(z).dtype)


def from_pair(
    name: str,
    value: Pointwise,
    derivative: Pointwise,
    second_derivative: Pointwise | None = None,
    *,
    multiplicity: int | None = None,
    homogeneous: bool = False,
    smooth: bool = True,
) -> Activation:
    """An activation of the user's own; it runs in NumPy, not in the compiled engine.

    Args:
        name: a name that is not one of `NAMES`.
        value: z ↦ σ(z), elementwise on float64 arrays of any shape.
        derivative: z ↦ σ′(z).
        second_derivative: z ↦ σ″(z); by default central differences of ``derivative``.
        multiplicity: the p of initial condensation, where known.
        homogeneous: declare that σ(cz) = cσ(z) for every c > 0 (checked).
        smooth: whether σ has two continuous derivatives.

    Returns:
        The activation, with ``code`` None.

    Raises:
        ArgumentError: the name is taken, a function does not keep the shape or is not finite on
            [−3, 3], or a derivative disagrees with differences of the function.

    Example:
        >>> square = from_pair("square", lambda z: z * z, lambda z: 2 * z)
        >>> float(square.value(np.array(3.0)))
        9.0
    """
    if name in _TABLE:
        raise ArgumentError(f"Argument `name` must not be a built-in one, but is {name!r}.")
    z = np.linspace(-2.97, 2.93, 41)
    values = _checked("value", value, z)
    slopes = _checked("derivative", derivative, z)
    _must_agree("derivative", "value", slopes, _CentralDifference(value)(z), z)
    if second_derivative is not None:
        curvatures = _checked("second_derivative", second_derivative, z)
        differences = _CentralDifference(derivative)(z)
        _must_agree("second_derivative", "derivative", curvatures, differences, z)
    if homogeneous and not np.allclose(value(3.0 * z), 3.0 * values, rtol=1e-9, atol=1e-12):
        raise ArgumentError("Argument `homogeneous` must be False here: σ(3z) is not 3σ(z).")
    second = _CentralDifference(derivative) if second_derivative is None else second_derivative
    return Activation(name, value, derivative, second, multiplicity, homogeneous, smooth)


def _checked(name: str, function: Pointwise, z: Array) -> Array:
    if not callable(function):
        raise ArgumentError(f"Argument `{name}` must be a function, but is {function!r}.")
    result = np.asarray(function(z))
    if result.shape != z.shape or not np.all(np.isfinite(result)):
        raise ArgumentError(
            f"Argument `{name}` must return finite numbers in the shape it was given, "
            f"but for an array of shape {z.shape} in [-3, 3] it did not."
        )
    return result


def _must_agree(name: str, of: str, given: Array, differences: Array, z: Array) -> None:
    wrong = np.abs(given - differences) > 1e-4 * (1 + np.abs(differences))
    if np.any(wrong):
        k = int(np.argmax(wrong))
        raise ArgumentError(
            f"Argument `{name}` must be the derivative of `{of}`, but at z = {z[k]:.4g} it gives "
            f"{given[k]:.6g} where differences of `{of}` give {differences[k]:.6g}."
        )
