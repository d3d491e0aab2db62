"""Shares of neurons by direction, against independent integrations and exact probabilities."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from netphase.datasets import axes, from_arrays, gaussian
from netphase.directions import Landscape, expansion, predicted_directions
from netphase.directions.basins import basin_shares
from netphase.directions.maxima import Maxima
from netphase.directions.span import span_of

COUNT = 40


def drawn(neurons, d, ratio, seed):
    random = np.random.default_rng(seed)
    return ratio * random.standard_normal(neurons), random.standard_normal((neurons, d))


def followed(f, a, w, time):
    """Where (a, w)/R of one neuron is after so long on the clock dτ = R^(p−1) dt, by SciPy."""
    start = np.append(a, w) / np.hypot(a, np.linalg.norm(w))

    def rates(_, state):
        climb = np.append(f.value(state[1:]), state[0] * f.gradient(state[1:]))
        return climb - (climb @ state) * state

    return solve_ivp(rates, (0, time), start, "LSODA", rtol=1e-8, atol=1e-10).y[:, -1]


@pytest.mark.parametrize(("p", "ratio"), [(1, 1.0), (2, 0.3), (3, 1.0), (4, 2.0)])
def test_shares_are_those_of_an_independent_integration(p, ratio):
    data = gaussian(n=10, inputs=2, seed=p)
    f = Landscape.of(data, expansion(multiplicity=p))
    found = predicted_directions(data, multiplicity=p, neurons=0)
    maxima = Maxima(found.directions, found.sign_of_a, np.zeros(found.count, dtype=np.intp))
    shares = basin_shares(span_of(f), maxima, COUNT, ratio, np.random.default_rng(p))
    counted = np.zeros(found.count)
    for a, w in zip(*drawn(COUNT, 3, ratio, p), strict=True):
        end = followed(f, a, w, 1e3 / found.strength.min())
        if end[0] ** 2 < 0.99:  # otherwise w shrinks beside a
            np.testing.assert_allclose(end[0] ** 2, 1 / (p + 1), rtol=1e-4)
            u = end[1:] / np.linalg.norm(end[1:])
            cosine = found.directions @ u * (found.sign_of_a == np.sign(end[0]))
            assert cosine.max() > 0.9999
            counted[cosine.argmax()] += 1
    np.testing.assert_allclose(shares * COUNT, counted, atol=1e-9)


def euler_ends(f, a, w, step, time):
    """Where neurons among kinks end, by short steps."""
    state = np.column_stack([a, w])
    for _ in range(int(time / step)):
        a, w = state[:, :1], state[:, 1:]
        active = np.where(w @ f.x.T > 0, f.slopes[0], f.slopes[1]) * f.weights
        force = active @ f.x
        state = state + step * np.column_stack([np.sum(force * w, axis=1), a * force])
        state /= np.linalg.norm(state, axis=1, keepdims=True)
    return state


@pytest.mark.parametrize(
    "data",
    [
        gaussian(n=8, inputs=2, seed=2),
        gaussian(n=8, inputs=2, seed=25),
        axes(3),  # neurons rest on the dead side of kinks, and others pass by on the other side
        from_arrays(np.eye(3), [-0.3, 2.1, 1.0], bias=False),
    ],
    ids=["gaussian", "gaussian, other", "one-hot", "one-hot, mixed signs"],
)
def test_shares_among_kinks_are_those_of_steps_a_fifth_as_long(data):
    neurons = 300
    f = Landscape.of(data, expansion("relu"))
    found = predicted_directions(data, "relu", neurons=0)
    maxima = Maxima(found.directions, found.sign_of_a, np.zeros(found.count, dtype=np.intp))
    shares = basin_shares(span_of(f), maxima, neurons, 1.0, np.random.default_rng(1))
    fastest, slowest = found.strength.max(), found.strength.min()
    end = euler_ends(f, *drawn(neurons, 3, 1.0, 1), 0.004 / fastest, 30 / slowest)
    unit = end[:, 1:] / np.linalg.norm(end[:, 1:], axis=1, keepdims=True)
    near = (unit @ found.directions.T > 0.98) & (np.sign(end[:, :1]) == found.sign_of_a)
    assert np.all(near.sum(axis=1) <= 1)
    # only neurons within a step of a border end elsewhere
    assert np.abs(shares - near.mean(axis=0)).sum() < 0.03


def test_neurons_of_relu_grow_as_often_as_the_conserved_charge_says():
    # y > 0: w₊, the part of w on active inputs, turns a positive where |a| < |w₊|, else it dies
    neurons = 4000
    found = predicted_directions(axes(2), "relu", neurons=neurons, seed=2)
    one, two = 1 / 2, 1 / 4  # probabilities of active inputs
    grows = (one + two) / 2 + (one * 1 / 2 + two * np.sqrt(1 / 2)) / 2
    error = np.sqrt(grows * (1 - grows) / neurons)
    assert abs(found.basin.sum() - grows) < 4 * error
    pairs = np.bincount(np.sum(found.directions > 1e-9, axis=1), found.basin)
    # both stay active for a > 0, or where a turns first: a² < 2 w₁ w₂, of probability 2 − √2
    together = two / 2 + two / 2 * (2 - np.sqrt(2))
    assert abs(pairs[2] - together) < 4 * np.sqrt(together * (1 - together) / neurons)


def test_neurons_of_the_first_order_part_in_halves():
    shares = predicted_directions(gaussian(n=9, inputs=3), "tanh", neurons=4000, seed=1).basin
    assert shares.sum() == 1
    assert abs(shares[0] - 0.5) < 4 * 0.5 / np.sqrt(4000)


def test_the_counterexample_is_shared_evenly():
    neurons = 4000
    shares = predicted_directions(axes(6), "x2_tanh", neurons=neurons, seed=3).basin
    error = np.sqrt(shares[0] * (1 - shares[0]) / neurons)
    assert np.all(np.abs(shares - shares.mean()) < 4 * error)
    assert 0.98 < shares.sum() <= 1


@pytest.mark.parametrize("ratio", [0.5, 1.0, 3.0])
def test_neurons_shrink_as_often_as_the_conserved_charge_says(ratio):
    # F = w₁²: a neuron grows if a > 0, or if a turns positive before w₁ is gone: 2a² < w₁²
    data = from_arrays([[1.0, 0.0, 0.0]], [1.0], bias=False)
    found = predicted_directions(data, "x_tanh", neurons=4000, ratio=ratio)
    grows = 0.5 + np.arctan(1 / (np.sqrt(2) * ratio)) / np.pi
    error = np.sqrt(grows * (1 - grows) / 4000)
    assert abs(found.basin.sum() - grows) < 4 * error


def test_the_ratio_of_the_layers_decides_who_shrinks():
    data = from_arrays(np.eye(2), [1.0, 2.0], bias=False)
    small, large = (
        predicted_directions(data, "x_tanh", ratio=ratio).basin.sum() for ratio in (0.1, 10.0)
    )
    assert small > 0.95
    assert large == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(1000) + 0.01)
