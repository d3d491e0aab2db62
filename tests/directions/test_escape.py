"""Escape times: closed forms, an independent integration, invariants, and a trained network."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import netphase as nph
from netphase import activations
from netphase.datasets import axes, from_arrays, gaussian
from netphase.directions import Landscape, escape, escape_times, expansion, predicted_directions
from netphase.errors import ArgumentError

DATA = gaussian(n=9, inputs=3, seed=2)


def neurons(m, d, scale=0.3, seed=0):
    random = np.random.default_rng(seed)
    return scale * random.standard_normal(m), scale * random.standard_normal((m, d))


def grown(data, activation, a, w, growth):
    """(time, a, w) at which a neuron has grown, by SciPy; an infinite time if it does not."""
    f = Landscape.of(data, expansion(activation))
    start = np.append(a, w)

    def rates(_, state):
        return np.append(f.value(state[1:]), state[0] * f.gradient(state[1:]))

    def reached(_, state):
        return np.linalg.norm(state) - growth * np.linalg.norm(start)

    reached.terminal = True
    span = (0, 200.0 * np.linalg.norm(start) ** (1 - f.degree))
    end = solve_ivp(rates, span, start, "DOP853", rtol=1e-11, atol=1e-14, events=reached)
    if not len(end.t_events[0]):
        return math.inf, a, w
    return end.t_events[0][0], end.y_events[0][0][0], end.y_events[0][0][1:]


@pytest.mark.parametrize(
    ("activation", "growth", "scale"),
    [
        ("tanh", 1.2, 1.0),
        ("softplus", 40.0, 0.1),
        ("x_tanh", 1.2, 0.1),
        ("x_tanh", 40.0, 3.0),
        ("x2_tanh", 1.2, 3.0),
        ("x2_tanh", 40.0, 0.1),
    ],
)
def test_times_and_neurons_are_those_of_an_independent_integration(activation, growth, scale):
    a, w = neurons(12, 4, scale)
    data = DATA.centred()
    found = escape(data, activation, a, w, growth)
    for k in range(12):
        time, a_then, w_then = grown(data, activation, a[k], w[k], growth)
        assert found.time[k] == pytest.approx(time, rel=1e-8)
        size = growth * np.hypot(a[k], np.linalg.norm(w[k]))
        np.testing.assert_allclose(found.a[k], a_then, atol=1e-7 * size)
        np.testing.assert_allclose(found.w[k], w_then, atol=1e-7 * size)


@pytest.mark.parametrize("p", [1, 2, 3, 4])
def test_what_is_conserved_stays_as_it_is(p):
    a, w = neurons(50, 4)
    for growth in (1.5, 30.0):
        found = escape(DATA, None, a, w, growth, multiplicity=p)
        size = np.hypot(found.a, np.linalg.norm(found.w, axis=1))
        grew = np.isfinite(found.time)
        assert grew.sum() > 25
        np.testing.assert_allclose(
            size[grew], growth * np.hypot(a, np.linalg.norm(w, axis=1))[grew], rtol=1e-12
        )
        charge = p * found.a**2 - np.sum(found.w**2, axis=1)
        np.testing.assert_allclose(
            charge, p * a**2 - np.sum(w**2, axis=1), atol=1e-9 * np.max(size**2)
        )


def test_blow_up_on_a_direction_of_the_second_order_is_in_closed_form():
    # with F = λ|w|² on an eigenvector and C = 2a² − |w|² kept, a′ = λ (2a² − C)
    data = gaussian(n=9, inputs=3, seed=4, bias=False)
    matrix = np.einsum("n,ni,nj->ij", data.y, data.x, data.x) / data.n
    values, vectors = np.linalg.eigh(matrix)
    rate, u = values[-1], vectors[:, -1]
    a = np.array([0.4, 0.0, -0.2, 0.1, 0.1])
    size = np.array([0.4 * math.sqrt(2), 0.3, 0.5, 1e-3, 0.1])
    kept = 2 * a**2 - size**2
    times = escape_times(data, "x_tanh", a, np.outer(size, u))
    assert times[0] == pytest.approx(1 / (2 * rate * a[0]), rel=1e-9)
    root = np.sqrt(2 * np.abs(kept))
    for k in (1, 2):
        exact = (np.pi / 2 - np.arctan(2 * a[k] / root[k])) / (rate * root[k])
        assert times[k] == pytest.approx(exact, rel=1e-8)
    for k in (3, 4):
        exact = np.arctanh(root[k] / (2 * a[k])) / (rate * root[k])
        assert times[k] == pytest.approx(exact, rel=1e-7)


@pytest.mark.parametrize("p", [1, 2, 3, 5])
def test_neurons_on_the_predicted_directions_follow_the_law_of_the_prediction(p):
    data = gaussian(n=12, inputs=3, seed=0)
    found = predicted_directions(data, multiplicity=p, neurons=0)
    for scale, growth in ((0.01, 3.0), (2.0, math.inf)):
        if p == 1 and math.isinf(growth):
            continue
        a = scale * found.sign_of_a / np.sqrt(p + 1)
        w = scale * np.sqrt(p / (p + 1)) * found.directions
        times = escape_times(data, None, a, w, growth, multiplicity=p)
        np.testing.assert_allclose(times, found.escape_times(scale, growth), rtol=1e-8)


def test_the_blow_up_time_is_the_limit_of_growth_times():
    a, w = neurons(20, 4)
    blow_up = escape_times(DATA, "x2_tanh", a, w)
    late = escape_times(DATA, "x2_tanh", a, w, 1e4)
    np.testing.assert_allclose(late, blow_up, rtol=1e-6)
    assert np.all(late[np.isfinite(late)] < blow_up[np.isfinite(late)])


@pytest.mark.parametrize("p", [2, 3, 4])
def test_networks_of_smaller_weights_wait_longer_by_a_power(p):
    times = []
    for scale in (1e-3, 1e-2):
        a, w = neurons(40, 4, scale)
        times.append([grown_by_two(p, a[k], w[k]) for k in range(6)])
        found = escape_times(DATA, None, a[:6], w[:6], 2.0, multiplicity=p)
        np.testing.assert_allclose(found, times[-1], rtol=1e-7)
    finite = np.isfinite(times[0])
    assert finite.sum() >= 3
    ratio = np.array(times[0])[finite] / np.array(times[1])[finite]
    np.testing.assert_allclose(ratio, 10.0 ** (p - 1), rtol=1e-6)


def grown_by_two(p, a, w):
    """The time to double of the raw equations, without any rescaling."""
    f = Landscape.of(DATA, expansion(multiplicity=p))
    start = np.append(a, w)
    size = np.linalg.norm(start)

    def rates(_, state):
        return np.append(f.value(state[1:]), state[0] * f.gradient(state[1:]))

    def doubled(_, state):
        return np.linalg.norm(state) / size - 2

    doubled.terminal = True
    span = (0, 300 * size ** (1 - p))
    end = solve_ivp(rates, span, start, "DOP853", rtol=1e-11, atol=1e-15, events=doubled)
    return end.t_events[0][0] if len(end.t_events[0]) else math.inf


def largest_growth(activation, growth, scale):
    """How much a neuron of a trained network has grown when the first should have by a factor."""
    a, w = neurons(30, 4, scale, seed=3)
    first = escape_times(DATA, activation, a, w, growth).min()
    scales = nph.Scales(alpha=1.0, beta1=scale, beta2=scale)
    network = nph.TwoLayerNetwork(activations.get(activation), scales)
    end = nph.evolve(
        nph.GradientDynamics(network, DATA),
        nph.Flow(rtol=1e-8),
        nph.Parameters(a / scale, w / scale),
        times=[first / scale**2],  # the normalised clock reads t/(β₁β₂)
    ).snapshots[-1]
    size = scale * np.hypot(end.a, np.linalg.norm(end.w, axis=1))
    return np.max(size / np.hypot(a, np.linalg.norm(w, axis=1)))


@pytest.mark.parametrize(
    ("activation", "growth"), [("tanh", 4.0), ("x_tanh", 3.0), ("x2_tanh", 2.0)]
)
def test_a_network_leaves_the_origin_when_its_first_neuron_does(activation, growth):
    # what is left out, the next order of σ and the output, is of second order in the scale
    wide, narrow = (
        abs(largest_growth(activation, growth, scale) / growth - 1) for scale in (1e-2, 1e-3)
    )
    assert narrow < 1e-2
    assert wide / narrow == pytest.approx(100, rel=0.5)


def test_neurons_that_never_grow_take_for_ever():
    sinking = from_arrays(np.eye(3), [-1.0, -2.0, -3.0], bias=False)  # F < 0 for p = 2
    w = np.array([[0.1, 0.2, 0.1], [0.0, 0.0, 0.0], [0.3, 0.1, -0.2]])
    found = escape(sinking, "x_tanh", np.array([0.5, 0.5, -0.2]), w)
    assert np.isinf(found.time).tolist() == [True, True, False]
    np.testing.assert_allclose(found.w[0], w[0])
    lonely = from_arrays([[1.0, 0.0]], [1.0], bias=False)
    across = escape_times(lonely, "x2_tanh", np.array([0.3]), np.array([[0.0, 0.4]]))
    assert np.isinf(across[0])
    nowhere = escape_times(lonely, "tanh", np.array([0.0, 1.0]), np.array([[0.0, 1.0], [-1, 0]]), 9)
    assert np.isinf(nowhere).all()


def test_a_neuron_may_have_to_shrink_first():
    data = axes(2)
    a, w = np.array([-0.1]), np.array([[1.0, 0.0]])
    time, _, _ = grown(data, "x_tanh", -0.1, w[0], 2.0)
    assert escape_times(data, "x_tanh", a, w, 2.0)[0] == pytest.approx(time, rel=1e-8)
    assert time > escape_times(data, "x_tanh", -a, w, 2.0)[0]


def test_the_part_across_the_data_stands_still():
    data = from_arrays([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]], [1.0, -1.0], bias=False)
    a, w = np.full(1, 0.2), np.array([[0.1, -0.1, 0.35]])
    for activation in ("tanh", "x_tanh", "x2_tanh"):
        assert escape(data, activation, a, w, 5.0).w[0, 2] == pytest.approx(0.35, rel=1e-8)


def test_400_neurons_blow_up_on_all_twelve_directions_of_the_counterexample():
    for y in (np.ones(6), np.array([1.0, -1.1, 0.9, 1.0, -1.0, 1.2])):
        a, w = neurons(400, 6, 0.01)
        found = escape(from_arrays(np.eye(6), y, bias=False), "x2_tanh", a, w)
        left = np.isfinite(found.time)
        assert left.mean() > 0.95
        unit = found.w[left] / np.linalg.norm(found.w[left], axis=1, keepdims=True)
        assert np.abs(unit).max(axis=1).min() > 1 - 1e-9
        occupied = np.unique(np.round(unit).astype(int), axis=0)
        assert len(occupied) == 12 > 2 * 3
        np.testing.assert_allclose(np.abs(found.a[left]), 0.5, rtol=1e-6)  # 1/√(p + 1)


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (("relu", [0.1], [[0.1] * 4], 2.0), {}, "this one has a kink"),
        (("tanh", [0.1], [[0.1] * 4]), {}, "`growth` must be finite for p = 1"),
        (("x_tanh", [0.1], [[0.1] * 4], 1.0), {}, "larger than 1 and at most 1e\\+100, or inf"),
        (("x_tanh", [0.1], [[0.1] * 4], -2.0), {}, "`growth` must be a positive finite number"),
        (("x_tanh", [0.1], [[0.1] * 4], math.nan), {}, "`growth` must be a positive finite"),
        (("x_tanh", [0.1, 0.2], [[0.1] * 4]), {}, "one row of 4 weights for each of the 2 output"),
        (("x_tanh", [0.1], [[0.1] * 3]), {}, "but has shape \\(1, 3\\)"),
        (("x_tanh", [math.nan], [[0.1] * 4]), {}, "`a` must be finite"),
        ((None, [0.1], [[0.1] * 4]), {}, "One of the arguments `activation` and"),
        (("x_tanh", [0.1], [[0.1] * 4]), {"multiplicity": 3}, "must be left out"),
    ],
)
def test_wrong_arguments_are_refused_in_words(arguments, options, words):
    with pytest.raises(ArgumentError, match=words):
        escape(DATA, *arguments, **options)
