"""The tangent Gram matrix and the linearised model: gradients, another integrator, limits."""

import numpy as np
import pytest

from netphase import activations
from netphase.datasets import four_points
from netphase.errors import ArgumentError
from netphase.kernels import LinearModel, gaussian_kernels, tangent_gram
from netphase.networks import Parameters, TwoLayerNetwork, initial_parameters
from netphase.scalings import Scales, ScalingLaw

DATA = four_points()
NEW = np.array([[0.0, 1.0], [0.4, 1.0], [-0.31, 1.0]])


def _network(name="tanh", scales=None):
    return TwoLayerNetwork(activations.get(name), scales or Scales(2.0, 0.8, 1.7))


def _jacobians(network, parameters, x):
    """∂f/∂a and ∂f/∂w by central differences, shapes (n, m) and (n, m·d)."""
    sizes = [each.size for each in parameters]
    flat = np.concatenate([each.ravel() for each in parameters])
    h = 1e-6

    def output(theta):
        a, w = np.split(theta, [sizes[0]])
        return network.output(Parameters(a, w.reshape(parameters.w.shape)), x)

    columns = [
        (output(flat + h * unit) - output(flat - h * unit)) / (2 * h) for unit in np.eye(len(flat))
    ]
    return np.split(np.stack(columns, axis=1), [sizes[0]], axis=1)


@pytest.mark.parametrize("name", ["relu", "tanh", "softplus"])
def test_the_gram_matrix_is_that_of_the_gradients(name):
    network, parameters = _network(name), initial_parameters(5, 2, 1, antisymmetric=False)
    jacobian_a, jacobian_w = _jacobians(network, parameters, DATA.x)
    ratio = network.scales.kappa_prime
    expected = jacobian_a @ jacobian_a.T / ratio + ratio * jacobian_w @ jacobian_w.T
    np.testing.assert_allclose(tangent_gram(network, parameters, DATA.x), expected, rtol=1e-7)


def test_chunks_and_columns_do_not_change_the_gram_matrix(monkeypatch):
    network, parameters = _network(), initial_parameters(50, 2, 1)
    whole = tangent_gram(network, parameters, np.vstack([DATA.x, NEW]))
    monkeypatch.setattr("netphase.kernels.tangent._CHUNK", 60)
    block = tangent_gram(network, parameters, DATA.x, NEW)
    np.testing.assert_allclose(block, whole[:4, 4:], rtol=1e-12)


def test_the_gram_matrix_approaches_its_mean():
    m, scales = 200_000, Scales(3.0, 1.2, 0.5)
    network = _network("tanh", scales)
    found = tangent_gram(network, initial_parameters(m, 2, 0, antisymmetric=False), DATA.x)
    kernels = gaussian_kernels(DATA.x, "tanh", scales.beta2)
    ratio = scales.kappa_prime
    expected = m * scales.kappa**2 * (kernels.a / ratio + ratio * kernels.w)
    np.testing.assert_allclose(found, expected, rtol=5 * 3 / np.sqrt(m))


def test_the_linear_model_solves_its_own_equation():
    """Its residual and parameters against a fourth-order integration of the linear flow."""
    network, start = _network(), initial_parameters(4, 2, 2, antisymmetric=False)
    model = LinearModel(network, start, DATA.x, DATA.y)
    jacobian_a, jacobian_w = _jacobians(network, start, DATA.x)
    ratio, n, end, steps = network.scales.kappa_prime, DATA.n, 3.0, 300
    initial = network.output(start, DATA.x) - DATA.y

    def flow(change):
        e = initial + jacobian_a @ change[:4] + jacobian_w @ change[4:]
        return -np.concatenate([jacobian_a.T @ e / ratio, ratio * jacobian_w.T @ e]) / n

    change, h = np.zeros(12), end / steps
    for _ in range(steps):
        k1 = flow(change)
        k2 = flow(change + h / 2 * k1)
        k3 = flow(change + h / 2 * k2)
        k4 = flow(change + h * k3)
        change = change + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    a, w = model.parameters(end)
    np.testing.assert_allclose(a - start.a, change[:4], rtol=1e-6)
    np.testing.assert_allclose((w - start.w).ravel(), change[4:], rtol=1e-6)
    e = initial + jacobian_a @ change[:4] + jacobian_w @ change[4:]
    np.testing.assert_allclose(model.residual(end), e, rtol=1e-6)
    new_a, new_w = _jacobians(network, start, NEW)
    expected = network.output(start, NEW) + new_a @ change[:4] + new_w @ change[4:]
    np.testing.assert_allclose(model.output(end, NEW), expected, rtol=1e-6)


def test_it_starts_at_the_network_and_ends_at_the_data():
    network, start = _network("relu"), initial_parameters(100, 2, 3, antisymmetric=False)
    model = LinearModel(network, start, DATA.x, DATA.y)
    np.testing.assert_allclose(model.output(0, NEW), network.output(start, NEW), rtol=1e-13)
    assert np.array_equal(model.parameters(0.0)[0], start.a)
    assert model.mean_square(np.inf) == 0
    np.testing.assert_allclose(model.output(np.inf, DATA.x), DATA.y, atol=1e-12)
    assert model.mean_square(1.0) < model.mean_square(0.5)
    assert model.mean_square(0.0) == pytest.approx(np.mean(model.residual(0.0) ** 2))


def test_modes_that_no_parameter_moves_keep_their_error():
    x = np.array([[1.0, 1.0], [1.0, 1.0], [-1.0, 1.0]])
    y = np.array([0.0, 1.0, 2.0])
    model = LinearModel(_network(), initial_parameters(20, 2, 0), x, y)
    assert model.eigenvalues[0] == 0
    np.testing.assert_allclose(model.residual(np.inf), [0.5, -0.5, 0], atol=1e-12)
    assert np.all(np.isfinite(model.parameters(np.inf)[1]))


def test_a_wide_linear_network_follows_it():
    """At γ = 1/2 one exact step of the network and of the linear model agree as 1/√m or better."""
    errors = []
    for m in (100, 10_000):
        network = _network("tanh", ScalingLaw.ntk().at_width(m))
        start = initial_parameters(m, 2, 0)
        model = LinearModel(network, start, DATA.x, DATA.y)
        moved = Parameters(*model.parameters(np.inf))
        errors.append(np.max(np.abs(network.output(moved, DATA.x) - DATA.y)))
    assert errors[1] < errors[0] / 5


def test_the_linear_model_refuses_bad_arguments_in_words():
    start = initial_parameters(4, 2)
    with pytest.raises(ArgumentError, match=r"must have shape \(4, 2\) here"):
        LinearModel(_network(), start, np.ones((4, 3)), DATA.y)
    model = LinearModel(_network(), start, DATA.x, DATA.y)
    for time in (-1.0, np.nan):
        with pytest.raises(ArgumentError, match="`time` must be ≥ 0"):
            model.residual(time)
