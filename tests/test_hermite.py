"""Hermite coefficients and kernels against a table, closed forms, differences and sampling."""

import math

import numpy as np
import pytest

from netphase import activations, hermite
from netphase.errors import ArgumentError

# σ_0 … σ_5 and ‖σ‖², of split adaptive quadrature; None where the table has no norm
TABLE = {
    "relu": ((0.3989423, 0.5, 0.2820948, 0, -0.0814338, 0), 0.5),
    "gelu": ((0.2820948, 0.5, 0.2992067, 0, -0.0719779, 0), None),
    "softplus": ((0.8060592, 0.5, 0.1461031, 0, -0.0127366, 0), None),
    "sigmoid": ((0.5, 0.2066210, 0, -0.0254733, 0, 0.0058771), None),
    "tanh": ((0, 0.6057055, 0, -0.1484372, 0, 0.0625475), 0.3942945),
    "erf": ((0, 0.6514700, 0, -0.1773077, 0, 0.0792944), 2 / math.pi * math.asin(2 / 3)),
}
SHIFTED = (0.6977966, 0.6914625, 0.2489478, -0.0718650, -0.0538988, 0.0441912)
NARROW_ERF = (0, 0.5641896, 0, -0.1151647, 0, 0.0386274)

CLOSED = [hermite.relu(), hermite.relu(0.5), hermite.relu(-1.3), hermite.erf(), hermite.erf(0.7)]
CORRELATIONS = np.array([-0.999, -0.7, -0.1, 0.0, 0.3, 0.8, 0.97])


def ids(series):
    return series.name


def without_closed_form(series):
    return hermite.HermiteSeries(
        series.name, series.coefficients.copy(), series.square, series.function
    )


def pairs(r, count=400_000, seed=0):
    x, y = np.random.default_rng(seed).standard_normal((2, count))
    return x, r * x + math.sqrt(1 - r * r) * y


@pytest.mark.parametrize("name", TABLE)
def test_named_activations_have_the_coefficients_of_the_table(name):
    found = hermite.expand(name)
    assert hermite.expand(name, terms=6, name="σ").name == "σ"
    coefficients, square = TABLE[name]
    np.testing.assert_allclose(found.coefficients[:6], coefficients, atol=6e-8)
    if square is not None:
        assert found.square == pytest.approx(square, abs=6e-8)


def test_shifted_and_narrowed_functions_have_the_coefficients_of_the_table():
    np.testing.assert_allclose(hermite.relu(0.5).coefficients[:6], SHIFTED, atol=6e-8)
    assert hermite.relu(0.5).square == pytest.approx(1.0403607, abs=6e-8)
    narrow = hermite.erf(math.sqrt(0.5))
    np.testing.assert_allclose(narrow.coefficients[:6], NARROW_ERF, atol=6e-8)
    assert narrow.square == pytest.approx(1 / 3, rel=1e-14)


@pytest.mark.parametrize("series", CLOSED, ids=ids)
def test_quadrature_finds_the_closed_forms(series):
    kinks = [] if series.name.startswith("erf") else [0.0, -0.5, 1.3]
    found = hermite.expand(lambda z: series(z), kinks=kinks)
    count = min(len(found.coefficients), len(series.coefficients))
    difference = found.coefficients[:count] - series.coefficients[:count]
    assert np.abs(difference).max() < 1e-10
    assert found.square == pytest.approx(series.square, rel=1e-12)


def test_leaky_relu_is_in_closed_form():
    found = hermite.expand("leaky_relu")
    sampled = hermite.expand(activations.get("leaky_relu").value, kinks=[0.0])
    count = len(sampled.coefficients)
    np.testing.assert_allclose(found.coefficients[:count], sampled.coefficients, atol=1e-12)
    error = sampled.kernel_error(CORRELATIONS)[:, 0] + 1e-12
    assert np.all(np.abs(found.kernel(CORRELATIONS) - sampled.kernel(CORRELATIONS)) <= error)


def test_monomials_are_exact():
    cube = hermite.polynomial([0.0, 0.0, 0.0, 1.0])
    np.testing.assert_allclose(cube.coefficients, [0, 3, 0, math.sqrt(6)], rtol=1e-15)
    assert cube.square == pytest.approx(15, rel=1e-14)  # E G⁶
    z = np.linspace(-3, 3, 7)
    np.testing.assert_allclose(cube(z), z**3, atol=1e-13)
    assert cube.rest() == 0
    assert cube.rest(2) == pytest.approx(6, rel=1e-14)
    sampled = hermite.expand(lambda z: z**3)
    np.testing.assert_allclose(cube.coefficients, sampled.coefficients, atol=1e-11)


def test_functions_near_the_edge_of_square_integrability_have_their_norm():
    found = hermite.expand(lambda z: np.exp(z * z / 5))
    assert found.square == pytest.approx(math.sqrt(5), rel=1e-11)


def test_odd_and_even_functions_stay_so():
    assert not np.any(hermite.expand("tanh").coefficients[::2])
    assert not np.any(hermite.expand("x_tanh").coefficients[1::2])


@pytest.mark.parametrize(
    "series", [*CLOSED, hermite.expand("tanh"), hermite.expand("gelu")], ids=ids
)
@pytest.mark.parametrize("r", [-0.6, 0.4, 0.9])
def test_kernels_equal_sampling(series, r):
    x, y = pairs(r)
    products = series(x) * series(y)
    error = products.std() / math.sqrt(len(x))
    assert abs(series.kernel(r) - products.mean()) < 4.5 * error


@pytest.mark.parametrize("series", CLOSED, ids=ids)
def test_closed_kernels_equal_their_series_within_the_stated_error(series):
    other = without_closed_form(series)
    bound = other.kernel_error(CORRELATIONS) + 1e-13
    off = np.abs(
        np.stack(
            [
                series.kernel(CORRELATIONS) - other.kernel(CORRELATIONS),
                series.kernel_slope(CORRELATIONS) - other.kernel_slope(CORRELATIONS),
            ],
            axis=-1,
        )
    )
    assert np.all(off <= bound)
    assert bound[3, 0] < 2e-13  # at r = 0 nothing is left out


@pytest.mark.parametrize("series", [*CLOSED, hermite.expand("leaky_relu")], ids=ids)
def test_slopes_are_derivatives(series):
    r, h = np.array([-0.8, -0.2, 0.1, 0.6, 0.9]), 1e-5
    difference = (series.kernel(r + h) - series.kernel(r - h)) / (2 * h)
    np.testing.assert_allclose(series.kernel_slope(r), difference, atol=1e-9)


@pytest.mark.parametrize("shift", [-3.0, -0.41, 0.05, 0.5, 2.0])
def test_many_correlations_are_looked_up_to_rounding(shift):
    r = np.sin(np.linspace(-math.pi / 2, math.pi / 2, 10_001))
    series = hermite.relu(shift)
    few = [series.dual(part) for part in np.array_split(r, 9)]
    many = series.dual(r)
    for name in ("value", "slope"):
        direct = np.concatenate([getattr(part, name) for part in few])
        np.testing.assert_allclose(getattr(many, name), direct, rtol=0, atol=3e-14)


@pytest.mark.parametrize("series", CLOSED, ids=ids)
def test_kernels_are_exact_at_both_ends(series):
    x = np.linspace(-12, 12, 240_001)
    weight = np.exp(-x * x / 2)
    weight /= weight.sum()
    assert series.kernel(1.0) == series.square
    assert series.dual(np.array([1.0])).value[0] == pytest.approx(series.square, rel=1e-14)
    assert series.kernel(-1.0) == pytest.approx(weight @ (series(x) * series(-x)), abs=1e-8)


def test_the_truncated_diagonal_is_exact():
    short = without_closed_form(hermite.relu(0.5, terms=8))
    assert short.kernel(np.array([[1.0, 0.2], [0.2, 1.0]]))[0, 0] == hermite.relu(0.5).square


def test_overlaps_of_two_functions_equal_sampling():
    sigma, phi = hermite.relu(0.5), hermite.expand("tanh")
    x, y = pairs(0.7)
    products = phi(x) * sigma(y)
    bound = 4.5 * products.std() / math.sqrt(len(x))
    assert abs(sigma.overlap(phi, 0.7) - products.mean()) < bound
    assert sigma.overlap_error(phi, 0.7)[0] < 1e-12
    difference = (sigma.overlap(phi, 0.7 + 1e-5) - sigma.overlap(phi, 0.7 - 1e-5)) / 2e-5
    assert sigma.overlap_slope(phi, 0.7) == pytest.approx(float(difference), abs=1e-9)


def test_the_overlap_of_two_kinked_functions_is_within_its_stated_error():
    s = np.array([0.5, 0.99, 1.0])
    rough, fine = hermite.relu(0.5, terms=16), hermite.relu(0.5, terms=1000)
    off = rough.overlap(hermite.relu(terms=16), s) - fine.overlap(hermite.relu(terms=1000), s)
    bound = rough.overlap_error(hermite.relu(terms=16), s)[:, 0]
    finer = fine.overlap_error(hermite.relu(terms=1000), s)[:, 0]
    assert np.all(np.abs(off) <= bound + finer + 1e-15)
    assert abs(off[2]) > 1e-6
    assert bound[0] < 1e-7


def test_a_function_on_itself_is_its_kernel():
    sigma = hermite.relu(0.5)
    np.testing.assert_array_equal(
        sigma.overlap(hermite.relu(0.5), CORRELATIONS), sigma.kernel(CORRELATIONS)
    )


def test_partial_sums_approach_the_function():
    z = np.linspace(-2, 2, 9)
    np.testing.assert_allclose(
        hermite.expand("sigmoid").partial_sum(z), 1 / (1 + np.exp(-z)), atol=1e-6
    )
    short, long = hermite.relu(0.5, terms=20), hermite.relu(0.5, terms=900)
    assert (
        np.abs(long.partial_sum(z) - long(z)).max() < np.abs(short.partial_sum(z) - short(z)).max()
    )


@pytest.mark.parametrize(
    ("function", "kinks", "message"),
    [
        (lambda z: np.exp(z * z / 4), (), "square integrable under the standard normal law"),
        (lambda z: np.maximum(z + 0.3, 0), (), "Give every kink"),
        (lambda z: 1 / z, (), "square integrable"),
        (lambda z: z[0], (), "shape"),
        (lambda z: 0 * z, (), "vanish"),
        ([1.0, math.nan], (), "finite"),
        ("rellu", (), "'relu'"),
    ],
)
def test_what_has_no_expansion_is_refused(function, kinks, message):
    with pytest.raises(ArgumentError, match=message):
        hermite.expand(function, kinks=kinks)


def test_other_bad_arguments_are_refused():
    with pytest.raises(ArgumentError, match=r"1\.2"):
        hermite.relu().kernel([0.3, 1.2])
    with pytest.raises(ArgumentError, match="1000"):
        hermite.expand("tanh", terms=5000)
    with pytest.raises(ArgumentError, match="scale"):
        hermite.erf(-1.0)
    with pytest.raises(ArgumentError, match="HermiteSeries"):
        hermite.relu().overlap([1.0], 0.0)


SLOPES = [
    hermite.expand([0.3, -1.0, 0.5, 0.2]),
    hermite.expand([2.0]),
    hermite.relu(0.5),
    hermite.erf(0.7),
    hermite.expand("leaky_relu"),
    hermite.expand("tanh"),
    hermite.expand(np.sin, name="sine"),
]


@pytest.mark.parametrize("series", SLOPES, ids=ids)
def test_derivatives_are_slopes(series):
    z, h = np.array([[-2.3, -0.7], [0.4, 1.9]]), 1e-4
    wide = (series(z + 2 * h) - series(z - 2 * h)) / (4 * h)
    near = (series(z + h) - series(z - h)) / (2 * h)
    found = series.derivative(z)
    assert found.shape == z.shape
    np.testing.assert_allclose(found, (4 * near - wide) / 3, atol=1e-9)


def test_derivatives_have_the_slope_of_the_kernel_as_mean_product():
    x, y = pairs(0.4)
    for series in SLOPES:
        products = series.derivative(x) * series.derivative(y)
        error = products.std() / math.sqrt(len(x))
        assert abs(products.mean() - series.kernel_slope(np.array(0.4))) <= 4.5 * error + 1e-12
