"""The compiled activations against references in extended precision, in both precisions.

Bounds are in units of the precision's eps (a unit in the last place is between eps/2 and eps of the
number): ``relative`` times the exact result, plus ``floor(z)`` where the formula itself cancels
(1 - tanh², for instance, is known to about 2 eps but not to a relative accuracy).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from netphase import activations
from netphase.engine import _core

Array = npt.NDArray[Any]
Wide = np.longdouble

DTYPES = (np.float32, np.float64)
needs_extended_precision = pytest.mark.skipif(
    np.finfo(Wide).eps > 2e-19, reason="long double is no wider than double on this platform"
)


def native(name: str, order: int, z: Array) -> Array:
    code = activations.get(name).code
    assert code is not None
    return np.asarray(_core.activation(code, order, z))


def points(dtype: type) -> Array:
    """Dense, logarithmic down to the subnormal numbers, and far out; both signs and zero."""
    smallest = float(np.finfo(dtype).smallest_subnormal)
    positive = np.concatenate(
        [
            np.linspace(0, 1.5, 4001),
            np.linspace(1.5, 6, 4001),
            np.linspace(6, 40, 4001),
            np.linspace(40, 800, 1001),
            np.geomspace(smallest, 1, 4001),
            np.geomspace(1, 1e12, 301),
        ]
    ).astype(dtype)
    return np.concatenate([positive, -positive])


# --- references: every function of a longdouble array ---


def gauss(z: Array, factor: float) -> Array:
    """exp(-factor z²) with z² in two parts, the first exact."""
    head = np.clip(z, -200, 200).astype(np.float32).astype(Wide)
    z = np.clip(z, -200, 200)
    return np.exp(-factor * head * head) * np.exp(-factor * (z - head) * (z + head))


def scaled_erfc_tail(x: Array) -> Array:
    """exp(x²) erfc(x) for x >= 2, by its continued fraction."""
    fraction = np.zeros_like(x)
    for k in range(160, 0, -1):
        fraction = Wide(k) / 2 / (x + fraction)
    return 1 / ((x + fraction) * np.sqrt(4 * np.arctan(Wide(1))))


def erf_series(x: Array) -> Array:
    """erf(x) for |x| <= 2.5, by a series of positive terms."""
    x = np.clip(x, -2.5, 2.5)
    term = x.copy()
    total = x.copy()
    for n in range(1, 80):
        term = term * (2 * x * x / (2 * n + 1))
        total = total + term
    return 2 / np.sqrt(4 * np.arctan(Wide(1))) * gauss(x, 1.0) * total


def exact_erf(z: Array) -> Array:
    y = np.abs(z)
    far = 1 - gauss(y, 1.0) * scaled_erfc_tail(np.maximum(y, Wide(2)))
    return np.where(y < 2, erf_series(z), np.sign(z) * far)


def exact_erf_1(z: Array) -> Array:
    return 2 / np.sqrt(4 * np.arctan(Wide(1))) * gauss(z, 1.0)


def density(z: Array) -> Array:
    return gauss(z, 0.5) / np.sqrt(8 * np.arctan(Wide(1)))


def distribution(z: Array) -> Array:
    x = np.abs(z) / np.sqrt(Wide(2))
    far = gauss(z, 0.5) * scaled_erfc_tail(np.maximum(x, Wide(2))) / 2
    tail = np.where(x < 2, (1 - erf_series(x)) / 2, far)
    return np.where(z > 0, 1 - tail, tail)


def sech2(z: Array) -> Array:
    u = np.exp(-2 * np.abs(z))
    return 4 * u / (1 + u) ** 2


def sigmoid(z: Array) -> Array:
    u = np.exp(-np.abs(z))
    return np.where(z >= 0, Wide(1), u) / (1 + u)


def sigmoid_1(z: Array) -> Array:
    return sigmoid(z) * sigmoid(-z)


def softplus(z: Array) -> Array:
    return np.maximum(z, Wide(0)) + np.log1p(np.exp(-np.abs(z)))


def sigmoid_2(z: Array) -> Array:
    return -sigmoid_1(z) * np.tanh(z / 2)


def centred_softplus(z: Array) -> Array:
    return np.maximum(z, Wide(0)) + np.log1p(np.expm1(-np.abs(z)) / 2)


def no_floor(z: Array) -> Array:
    return np.zeros_like(z)


def right_half(z: Array) -> Array:
    return (z > 0).astype(Wide)


class Case(NamedTuple):
    """One function, its exact value and the bound on its error."""

    name: str
    order: int
    exact: Callable[[Array], Array]
    relative: float
    floor: Callable[[Array], Array] = no_floor


CASES = (
    Case("relu", 0, lambda z: np.maximum(z, Wide(0)), 0),
    Case("relu", 1, right_half, 0),
    Case("relu", 2, np.zeros_like, 0),
    Case("leaky_relu", 0, lambda z: np.where(z > 0, z, z / 100), 1),
    Case("leaky_relu", 1, lambda z: np.where(z > 0, Wide(1), 1 / Wide(100)), 1),
    Case("leaky_relu", 2, np.zeros_like, 0),
    Case("tanh", 0, np.tanh, 2),
    Case("tanh", 1, sech2, 1, lambda z: 3 * np.minimum(z * z, Wide(1))),
    Case("tanh", 2, lambda z: -2 * np.tanh(z) * sech2(z), 3, lambda z: 6 * np.abs(np.tanh(z))),
    Case("x_tanh", 0, lambda z: z * np.tanh(z), 2.5),
    Case("x_tanh", 1, lambda z: np.tanh(z) + z * sech2(z), 2, lambda z: 3 * np.minimum(abs(z), 20)),
    Case(
        "x_tanh",
        2,
        lambda z: 2 * sech2(z) * (1 - z * np.tanh(z)),
        2,
        lambda z: 6 * np.minimum(abs(z), 20),
    ),
    Case("x2_tanh", 0, lambda z: z * z * np.tanh(z), 3),
    Case(
        "x2_tanh",
        1,
        lambda z: z * (2 * np.tanh(z) + z * sech2(z)),
        3,
        lambda z: 3 * np.minimum(z * z, 400),
    ),
    Case(
        "x2_tanh",
        2,
        lambda z: 2 * np.tanh(z) + z * sech2(z) * (4 - 2 * z * np.tanh(z)),
        3,
        lambda z: 6 * np.minimum(z * z, 400),
    ),
    Case("erf", 0, exact_erf, 1.5),
    Case("erf", 1, exact_erf_1, 2),
    Case("erf", 2, lambda z: -2 * z * exact_erf_1(z), 2.5),
    Case("sigmoid", 0, sigmoid, 2),
    Case("sigmoid", 1, sigmoid_1, 3, right_half),
    Case(
        "sigmoid",
        2,
        sigmoid_2,
        3,
        lambda z: 1.5 * np.where(z > 0, Wide(1), sigmoid(z)),
    ),
    Case("softplus", 0, softplus, 2),
    Case("softplus", 1, sigmoid, 2),
    Case("softplus", 2, sigmoid_1, 3, right_half),
    Case("centred_sigmoid", 0, lambda z: np.tanh(z / 2) / 2, 3),
    Case("centred_sigmoid", 1, sigmoid_1, 3),
    Case("centred_sigmoid", 2, sigmoid_2, 5),
    Case("centred_softplus", 0, centred_softplus, 3),
    Case("centred_softplus", 1, sigmoid, 2),
    Case("centred_softplus", 2, sigmoid_1, 3, right_half),
    Case("gelu", 0, lambda z: z * distribution(z), 4),
    Case(
        "gelu",
        1,
        lambda z: distribution(z) + z * density(z),
        0,
        lambda z: 4 * (distribution(z) + abs(z) * density(z)),
    ),
    Case("gelu", 2, lambda z: (2 - z * z) * density(z), 0, lambda z: 4 * (2 + z * z) * density(z)),
)


@needs_extended_precision
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.order}")
def test_native_activation_is_within_its_bound(case: Case, dtype: type) -> None:
    z = points(dtype)
    info = np.finfo(dtype)
    computed = native(case.name, case.order, z)
    assert computed.dtype == dtype
    wide = z.astype(Wide)
    with np.errstate(under="ignore"):
        exact = case.exact(wide)
        bound = float(info.eps) * (case.relative * np.abs(exact) + case.floor(wide))
        # a factor of a product can be subnormal where the product need not be
        bound += (2000 if case.name == "gelu" else 64) * Wide(info.smallest_subnormal)
    error = np.abs(computed.astype(Wide) - exact)
    worst = int(np.argmax(error - bound))
    assert error[worst] <= bound[worst], (
        f"{computed[worst]!r} at {z[worst]!r}: not {exact[worst]!r}"
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["tanh", "x_tanh", "x2_tanh", "erf", "centred_sigmoid"])
def test_native_small_arguments_keep_relative_accuracy(name: str, dtype: type) -> None:
    """The leading term alone is exact to a few eps for |z| < sqrt(eps)/10."""
    info = np.finfo(dtype)
    z = np.geomspace(float(info.tiny) ** 0.3, float(info.eps) ** 0.5 / 10, 999)
    z = np.concatenate([z, -z]).astype(dtype)
    wide = z.astype(np.float64)
    two_over_root_pi = 1.1283791670955126
    leading = {
        "tanh": (wide, np.ones_like(wide), -2 * wide),
        "x_tanh": (wide**2, 2 * wide, 2 * np.ones_like(wide)),
        "x2_tanh": (wide**3, 3 * wide**2, 6 * wide),
        "erf": (two_over_root_pi * wide, two_over_root_pi + 0 * wide, -2 * two_over_root_pi * wide),
        "centred_sigmoid": (wide / 4, 0.25 + 0 * wide, -wide / 8),
    }[name]
    for order, exact in enumerate(leading):
        error = np.abs(native(name, order, z).astype(np.float64) / exact - 1)
        assert error.max() <= 3 * info.eps


LIMITS = {  # at -infinity and +infinity, orders 0, 1, 2
    "relu": ((0, np.inf), (0, 1), (0, 0)),
    "leaky_relu": ((-np.inf, np.inf), (0.01, 1), (0, 0)),
    "tanh": ((-1, 1), (0, 0), (0, 0)),
    "x_tanh": ((np.inf, np.inf), (-1, 1), (0, 0)),
    "x2_tanh": ((-np.inf, np.inf), (np.inf, np.inf), (-2, 2)),
    "erf": ((-1, 1), (0, 0), (0, 0)),
    "sigmoid": ((0, 1), (0, 0), (0, 0)),
    "softplus": ((0, np.inf), (0, 1), (0, 0)),
    "gelu": ((0, np.inf), (0, 1), (0, 0)),
    "centred_sigmoid": ((-0.5, 0.5), (0, 0), (0, 0)),
    "centred_softplus": ((-np.log(2), np.inf), (0, 1), (0, 0)),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", activations.NAMES)
def test_native_activation_at_infinite_and_missing_arguments(name: str, dtype: type) -> None:
    z = np.array([-np.inf, np.inf, np.nan], dtype=dtype)
    for order in range(3):
        computed = native(name, order, z)
        np.testing.assert_array_equal(computed[:2], np.array(LIMITS[name][order], dtype=dtype))
        if order == 0 or name not in ("relu", "leaky_relu"):
            assert np.isnan(computed[2])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["tanh", "erf"])
def test_native_saturating_functions_are_odd_and_within_one(name: str, dtype: type) -> None:
    z = np.linspace(0, 30, 20_001).astype(dtype)
    value = native(name, 0, z)
    np.testing.assert_array_equal(native(name, 0, -z), -value)
    assert value.max() == 1
    assert np.all(native(name, 1, z) >= 0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", activations.NAMES)
def test_native_activation_does_not_depend_on_length_or_alignment(name: str, dtype: type) -> None:
    z = np.linspace(-3, 3, 70).astype(dtype)
    for order in range(3):
        whole = native(name, order, z)
        for start, stop in ((0, 1), (1, 2), (3, 20), (5, 38), (7, 70)):
            np.testing.assert_array_equal(native(name, order, z[start:stop]), whole[start:stop])


def test_native_derivatives_at_the_kink_are_those_from_the_left() -> None:
    zero = np.array([0.0, -0.0])
    np.testing.assert_array_equal(native("relu", 1, zero), [0, 0])
    np.testing.assert_array_equal(native("leaky_relu", 1, zero), [0.01, 0.01])


@pytest.mark.parametrize(("code", "order"), [(-1, 0), (11, 0), (0, -1), (2, 3)])
def test_native_activation_refuses_unknown_codes_and_orders(code: int, order: int) -> None:
    with pytest.raises(ValueError, match=r"activation code|derivative order"):
        _core.activation(code, order, np.zeros(3))


def test_measured_peaks_are_plausible() -> None:
    single, double = _core.fma_gflops(0.02, True), _core.fma_gflops(0.02, False)
    assert 0.1 < double < single < 1e4
    assert 0.01 < _core.triad_gbytes(100_000, 0.02) < 1e5
