"""Predicted directions: counts and their bound, what stands behind it, stability, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import netphase as nph
from netphase import activations
from netphase.datasets import axes, four_points, from_arrays, gaussian, sines
from netphase.directions import Landscape, predicted_directions
from netphase.errors import ArgumentError

TARGET = np.linspace(-1, 1.5, 40)
ONE_INPUT = from_arrays(TARGET, np.sin(3 * TARGET) + np.sin(6 * TARGET) / 2)
MIXED = from_arrays(np.eye(6), [1.0, -1.1, 0.9, 1.0, -1.0, 1.2], bias=False)


def directions(data, p, **options):
    return predicted_directions(data, multiplicity=p, **{"neurons": 0, **options})


# --- how many ---


@pytest.mark.parametrize("activation", ["tanh", "erf", "centred_sigmoid", "gelu"])
@pytest.mark.parametrize("d", [2, 3, 9])
def test_the_first_order_has_the_line_of_the_mean_of_labels(activation, d):
    data = gaussian(n=12, inputs=d, seed=d, bias=False)
    found = predicted_directions(data, activation, neurons=0)
    z = data.y @ data.x / data.n
    np.testing.assert_allclose(found.directions, [z, -z] / np.linalg.norm(z), atol=1e-14)
    assert found.sign_of_a.tolist() == [1, -1]
    slope = float(activations.get(activation).derivative(np.zeros(1))[0])
    np.testing.assert_allclose(found.strength, slope * np.linalg.norm(z), rtol=1e-13)
    np.testing.assert_allclose(found.curvature, -found.strength, rtol=1e-12)
    assert (found.count, found.lines, found.bound, len(found.shrinking)) == (2, 1, 2, 0)
    assert (found.statement, found.complete, found.unseen) == ("theorem (p = 1)", True, 0)


@pytest.mark.parametrize("d", range(2, 10))
def test_the_second_order_never_has_more_than_four(d):
    for seed in range(8):
        data = gaussian(n=3 + 2 * d, inputs=d, seed=seed, bias=False)
        found = predicted_directions(data, "x_tanh", neurons=0)
        values = np.linalg.eigvalsh(np.einsum("n,ni,nj", data.y, data.x, data.x) / data.n)
        assert found.count == 2 * (values[-1] > 0) + 2 * (values[0] < 0) <= 4
        assert found.on_sphere == 4
        ends = [v for v in (values[-1], -values[0]) if v > 0]
        np.testing.assert_allclose(found.strength[::2], sorted(ends, reverse=True), rtol=1e-12)
        assert found.statement == "theorem (p = 2)"


def test_equal_eigenvalues_make_a_continuum():
    found = predicted_directions(axes(5), "x_tanh")
    assert (found.count, found.degenerate, found.lines) == (0, (1,), 0)
    assert not found.exceeds_bound
    assert found.basin.shape == (0,)


def test_one_input_saturates_the_bound():
    # on the sphere 2p; the fourth line of p = 4 is one towards which neurons shrink
    found = [directions(ONE_INPUT, p) for p in (1, 2, 3, 4)]
    assert [f.on_sphere for f in found] == [2, 4, 6, 8]
    assert [f.count for f in found] == [2, 4, 6, 6]
    assert [f.bound for f in found] == [2, 4, 6, 8]
    fourth = found[3]
    f = Landscape(ONE_INPUT.x, ONE_INPUT.y, 4)
    assert np.all(fourth.shrinking_sign_of_a * f.value(fourth.shrinking) < 0)
    assert fourth.line.tolist() == [0, 0, 1, 1, 2, 2]
    assert [f.statement for f in found][2:] == ["theorem (two input dimensions)"] * 2


@given(st.integers(1, 12), st.integers(2, 30), st.integers(0, 10_000), st.booleans())
def test_two_input_dimensions_never_exceed_the_bound(p, n, seed, bias):
    found = directions(gaussian(n=n, inputs=2 - bias, seed=seed, bias=bias), p)
    assert 1 <= found.count <= found.on_sphere <= 2 * p
    assert found.complete
    assert not found.exceeds_bound


def test_the_counterexample_has_twelve():
    for data in (axes(6), MIXED):
        found = directions(data, 3)
        assert (found.count, found.lines, found.bound) == (12, 6, 6)
        assert found.exceeds_bound
        assert found.statement == "conjecture"
        assert not found.complete
        np.testing.assert_allclose(np.abs(found.directions).max(axis=1), 1)
        own = np.argmax(np.abs(found.directions), axis=1)
        agreed = found.sign_of_a * found.directions[np.arange(12), own] * np.sign(data.y[own])
        assert np.all(agreed == 1)
        np.testing.assert_allclose(found.strength, np.abs(data.y[own]) / 6, rtol=1e-12)
        assert found.line.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


@pytest.mark.parametrize("seed", range(3))
def test_a_trained_network_occupies_all_twelve(seed):
    # equal sizes give all neurons near an axis about the same blow-up time
    random = np.random.default_rng(seed)
    w = random.standard_normal((4000, 6))
    w *= np.sqrt(3) / 2 / np.linalg.norm(w, axis=1, keepdims=True)
    a = random.choice([-0.5, 0.5], 4000)
    network = nph.TwoLayerNetwork(activations.get("x2_tanh"), nph.Scales(1.0, 0.1, 0.1))
    end = nph.evolve(nph.GradientDynamics(network, axes(6)), nph.Flow(), nph.Parameters(a, w))
    assert end.status.succeeded
    size = np.hypot(end.final.a, np.linalg.norm(end.final.w, axis=1))
    grown = end.final.w[size > 3]  # from 1
    unit = grown / np.linalg.norm(grown, axis=1, keepdims=True)
    cosine = unit @ directions(axes(6), 3).directions.T
    assert np.all(cosine.max(axis=1) > 0.95)
    assert len(np.unique(cosine.argmax(axis=1))) == 12


@pytest.mark.parametrize(("seed", "count"), [(2, 8), (13, 10)])
def test_gaussian_data_exceed_the_bound_of_the_third_order_too(seed, count):
    found = directions(gaussian(n=12, inputs=4, seed=seed, bias=False), 3)
    assert (found.count, found.bound, found.exceeds_bound) == (count, 6, True)
    again = directions(gaussian(n=12, inputs=4, seed=seed, bias=False), 3, seed=7, restarts=900)
    np.testing.assert_allclose(again.directions, found.directions, atol=1e-10)
    np.testing.assert_array_equal(again.sign_of_a, found.sign_of_a)


@pytest.mark.slow
def test_gaussian_data_exceed_the_bound_as_often_as_was_found_before():
    sets = 1500
    exceeding = sum(
        directions(gaussian(n=12, inputs=4, seed=1000 + s, bias=False), 3).exceeds_bound
        for s in range(sets)
    )
    share, before = exceeding / sets, 16 / 150
    error = np.sqrt(before * (1 - before) * (1 / 150 + 1 / sets))
    assert abs(share - before) < 3 * error


# --- how good ---


@pytest.mark.parametrize(("p", "inputs"), [(1, 4), (2, 3), (3, 1), (3, 3), (4, 2), (5, 4)])
def test_curvatures_are_those_of_great_circles(p, inputs):
    data = gaussian(n=11, inputs=inputs, seed=p)
    found = directions(data, p)
    f, h = Landscape(data.x, data.y / data.n, p), 1e-4
    for u, s, curvature in zip(found.directions, found.sign_of_a, found.curvature, strict=True):
        tangents = np.linalg.svd(u[None])[2][1:]

        def on_sphere(step, u=u, s=s):
            return s * f.value((u + step) / np.linalg.norm(u + step))

        k = len(tangents)
        bend = np.empty((k, k))
        for i in range(k):
            for j in range(k):
                e, g = h * tangents[i], h * tangents[j]
                bend[i, j] = (
                    on_sphere(e + g) - on_sphere(e - g) - on_sphere(g - e) + on_sphere(-e - g)
                ) / (4 * h * h)
        scale = s * f.value(u)
        assert curvature == pytest.approx(np.linalg.eigvalsh(bend)[-1], abs=2e-5 * p * p * scale)
        assert curvature < 0


def test_the_strongest_come_first_and_opposite_ones_beside_each_other():
    found = directions(sines(inputs=3), 4)
    assert np.all(np.diff(found.strength) <= 1e-9 * found.strength[0])
    np.testing.assert_allclose(found.directions[::2], -found.directions[1::2], atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(found.directions, axis=1), 1)
    value = Landscape.of(sines(inputs=3), found.order).value(found.directions)
    np.testing.assert_allclose(found.sign_of_a * value, found.strength, rtol=1e-10)


def test_directions_lie_in_the_span_of_the_data():
    basis = np.array([[1.0, 2.0, 0.0, 1.0, 0.0], [0.0, 1.0, 1.0, -1.0, 2.0]])
    x = np.random.default_rng(0).standard_normal((9, 2)) @ basis
    data = from_arrays(x, np.sin(3 * np.arange(9)), bias=False)
    found = directions(data, 5)
    assert found.statement == "theorem (two input dimensions)"
    across = np.linalg.svd(basis)[2][2:]
    np.testing.assert_allclose(found.directions @ across.T, 0, atol=1e-12)
    assert np.all(found.curvature >= -5 * found.strength * (1 + 1e-12))


@pytest.mark.parametrize("p", [1, 2, 3, 4])
def test_units_change_strengths_by_a_power_and_directions_not_at_all(p):
    data = gaussian(n=12, inputs=3, seed=3, bias=False)
    large = from_arrays(1e3 * data.x, 7 * data.y, bias=False)
    one, other = directions(data, p), directions(large, p)
    np.testing.assert_allclose(other.directions, one.directions, atol=1e-9)
    np.testing.assert_allclose(other.strength, 7e3 * 1e3 ** (p - 1) * one.strength, rtol=1e-9)
    np.testing.assert_allclose(other.curvature, 7e3 * 1e3 ** (p - 1) * one.curvature, rtol=1e-7)
    np.testing.assert_allclose(other.rates / other.strength, one.rates / one.strength)


def test_rates_are_those_of_neurons_on_the_directions():
    data = gaussian(n=12, inputs=3, seed=3)
    for p in (1, 2, 3):
        found = directions(data, p)
        f = Landscape(data.x, data.y / data.n, p)
        a = found.sign_of_a / np.sqrt(p + 1)
        w = np.sqrt(p / (p + 1)) * found.directions
        radial = a * f.value(w) + a * np.einsum("kd,kd->k", f.gradient(w), w)
        np.testing.assert_allclose(found.rates, radial, rtol=1e-12)


def test_kinked_activations_have_directions_without_a_bound():
    found = predicted_directions(four_points(), "relu", neurons=500)
    assert (found.multiplicity, found.bound, found.exceeds_bound) == (None, None, False)
    assert (found.statement, found.complete) == ("no bound known", True)
    assert found.lines <= found.count
    assert 0 < found.basin.sum() <= 1
    inputs = [[0.5, 0.5, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    corner = predicted_directions(from_arrays(inputs, [1.0, -1, -1], bias=False), "relu")
    assert corner.curvature[np.argmax(corner.directions[:, 2])] == -np.inf
    assert np.all(np.isfinite(found.curvature) | np.isneginf(found.curvature))


@pytest.mark.parametrize("y", [(1.0, 1.0), (-0.3, 2.1)])
def test_a_direction_without_data_changes_nothing_among_kinks(y):
    flat = predicted_directions(from_arrays(np.eye(2), y, bias=False), "relu", neurons=0)
    wide = from_arrays(np.eye(2, 3), y, bias=False)
    embedded = predicted_directions(wide, "relu", neurons=0)
    np.testing.assert_allclose(np.abs(embedded.directions[:, :2]), flat.directions, atol=1e-9)
    assert np.all(embedded.directions[:, 2] == 0)
    np.testing.assert_array_equal(embedded.sign_of_a, flat.sign_of_a)
    np.testing.assert_allclose(embedded.strength, flat.strength)
    np.testing.assert_allclose(flat.curvature, -flat.strength)


@pytest.mark.parametrize("d", [2, 3, 4])
def test_relu_rests_on_every_group_of_one_hot_inputs(d):
    found = predicted_directions(axes(d), "relu", neurons=300)
    assert found.count == 2**d - 1
    sizes = np.sum(found.directions > 1e-9, axis=1)
    np.testing.assert_allclose(found.strength, np.sqrt(sizes) / d)
    assert np.all(found.basin > 0)


def test_the_same_seed_gives_the_same_numbers():
    one, same, other = (predicted_directions(axes(4), "x2_tanh", seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(one.basin, same.basin)
    assert not np.array_equal(one.basin, other.basin)
    np.testing.assert_allclose(one.directions, other.directions, atol=1e-12)


@settings(max_examples=25)
@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 30), st.integers(0, 1000))
def test_any_data_give_strict_maxima_on_which_neurons_grow(p, inputs, n, seed):
    found = directions(gaussian(n=n, inputs=inputs, seed=seed), p, restarts=60)
    assert found.count >= 1
    assert found.count == np.sum(found.strength > 0)
    assert np.all(found.curvature < 0)
    assert 0 <= found.unseen <= 1


# --- refusals ---

BALANCED = from_arrays([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [1.0, 1.0, -1.0], bias=False)


@pytest.mark.parametrize(
    ("data", "arguments", "options", "words"),
    [
        (from_arrays([[1.0]], [1.0], bias=False), ("tanh",), {}, "one input and no bias.*Append"),
        (BALANCED, ("tanh",), {}, "z = .* is zero .balanced odd data."),
        (from_arrays([[1.0]], [0.0]), ("x_tanh",), {}, r"\(w·x_i\)\^2 of these data is zero"),
        (four_points(), ("sigmoid",), {}, "Take the activation centred_sigmoid"),
        (four_points(), ("softplus",), {}, r"σ\(0\) = 0.6931 and the mean is 0.1389"),
        (four_points(), ("tanh",), {"restarts": 0}, "`restarts` must be a positive integer"),
        (four_points(), ("tanh",), {"neurons": -1}, "`neurons` must be an integer ≥ 0"),
        (four_points(), ("tanh",), {"ratio": 0}, "`ratio` must be a positive finite number"),
        (four_points(), ("tanh",), {"seed": 0.5}, "seed"),
        (four_points(), ("tang",), {}, "Did you mean 'tanh'"),
        (four_points(), (), {}, "One of the arguments `activation` and `multiplicity` is needed"),
        (np.eye(2), ("tanh",), {}, "`data` must be a Dataset, but is of type ndarray"),
    ],
)
def test_what_cannot_be_predicted_is_refused_in_words(data, arguments, options, words):
    with pytest.raises(ArgumentError, match=words):
        predicted_directions(data, *arguments, **options)


def test_centring_either_side_is_the_way_out():
    data = gaussian(n=9, inputs=2, seed=1)
    for name in ("sigmoid", "softplus"):
        centred = predicted_directions(data.centred(), name, neurons=0)
        z = data.centred().y @ data.x
        np.testing.assert_allclose(centred.directions[0], z / np.linalg.norm(z), atol=1e-14)
        other = predicted_directions(data, activations.centred(name), neurons=0)
        z = data.y @ data.x
        np.testing.assert_allclose(other.directions[0], z / np.linalg.norm(z), atol=1e-14)


def test_a_growth_without_an_end_is_refused_for_the_first_order():
    found = predicted_directions(four_points(), "tanh", neurons=0)
    with pytest.raises(ArgumentError, match="must be finite for p = 1"):
        found.escape_times()
    with pytest.raises(ArgumentError, match="`scale` must be a positive"):
        found.escape_times(0.0, 2.0)
