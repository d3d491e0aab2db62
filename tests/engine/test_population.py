"""Exact averages over random inputs against their NumPy definition, differences and sampling."""

import math
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from netphase import activations, targets
from netphase.engine import build_info, request_stop
from netphase.engine.population import open_field, population_problem, reduced
from netphase.engine.population.compiled import CompiledField
from netphase.engine.population.field import PopulationField
from netphase.engine.population.series import (
    SeriesField,
    coefficients,
    hermite,
    pull,
)
from netphase.engine.population.sphere import sphere_tables
from netphase.errors import ArgumentError
from netphase.hermite import relu_coefficients
from netphase.kernels import relu_kernel
from netphase.networks import TwoLayerNetwork
from netphase.scalings import Scales

CLOSED = ("relu", "leaky_relu")
SMOOTH = [name for name in activations.NAMES if name not in CLOSED]
SHAPES = [(1, 2), (3, 2), (7, 5), (48, 3), (49, 9), (100, 20), (203, 101), (5, 300)]


def network(activation="relu", alpha=1.0, beta2=1.0):
    return TwoLayerNetwork(activations.get(activation), Scales(alpha, 1.0, beta2))


def problem(target, activation="relu", inputs="gaussian", **scales):
    return population_problem(network(activation, **scales), target, inputs)


def draw(m, d, seed=0, size=1.0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(m), size * rng.standard_normal((m, d))


def mixed_target(d, k, units=50):
    a, c = draw(units, d, seed=7)
    return targets.sphere(d, k).minus(a, c)


def difference(field, a, w, step=1e-6):
    """∇ ½E e² by central differences, shape (m, d + 1)."""
    u, found = np.column_stack([a, w]), np.empty((len(a), w.shape[1] + 1))
    for place in np.ndindex(u.shape):
        up, down = u.copy(), u.copy()
        up[place] += step
        down[place] -= step
        ahead, behind = (field.look(v[:, 0], v[:, 1:]).mean_square for v in (up, down))
        found[place] = (ahead - behind) / (4 * step)
    return found


@pytest.mark.parametrize("activation", CLOSED)
@pytest.mark.parametrize(("m", "d"), SHAPES)
def test_compiled_pass_equals_its_numpy_definition(m, d, activation):
    a, w = draw(m, d, seed=m)
    if m > 2:  # neurons that coincide, and opposite ones
        w[1], w[2] = w[0], -2 * w[0]
    for target in (targets.linear(d), targets.finite_neurons(d, 60), mixed_target(d, min(d, 3))):
        for inputs in ("gaussian", "sphere"):
            task = problem(target, activation, inputs, alpha=3.0, beta2=2.0)
            found, truth = CompiledField(task).look(a, w), PopulationField(task).look(a, w)
            for one, other in zip(found, truth, strict=True):
                assert np.max(np.abs(one - other)) <= 3e-14 * np.max(np.abs(other))


def test_a_neuron_at_zero_has_the_average_slope():
    a, w = draw(5, 4)
    w[2] = 0.0
    task = problem(targets.circle(4))
    found, truth = CompiledField(task).look(a, w), PopulationField(task).look(a, w)
    assert found.gradient_a[2] == 0.0
    np.testing.assert_allclose(found.gradient_w, truth.gradient_w, atol=1e-15)


def test_loops_give_up_when_asked():
    a, w = draw(80, 20)
    field, u = CompiledField(problem(targets.circle(20))), np.column_stack([a, w])
    _, flow = field.velocity(u)
    request_stop()
    try:
        with pytest.raises(KeyboardInterrupt):
            field.march(u, flow, 1e-9, 10**9, (-1.0, math.inf))
    finally:
        request_stop(False)
    assert field.march(u, flow, 1e-9, 3, (-1.0, math.inf)).done == 3


def test_all_instruction_sets_agree():
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_population as t; import numpy;"
        "f = t.CompiledField(t.problem(t.mixed_target(11, 3)));"
        "p = f.look(*t.draw(61, 11)); print(repr(p.mean_square), repr(float(abs(p[2]).sum())))"
    )
    found = []
    for name in build_info()["available_instruction_sets"]:
        done = subprocess.run(
            [sys.executable, "-c", script, os.path.dirname(__file__)],
            env={**os.environ, "NETPHASE_ISA": name},
            capture_output=True,
            text=True,
            check=True,
        )
        found.append([float(each) for each in done.stdout.split()])
    np.testing.assert_allclose(found, [found[0]] * len(found), rtol=1e-13)


@pytest.mark.parametrize("m", [1, 4])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "tanh", "gelu", "softplus"])
def test_gradient_equals_differences(activation, m):
    a, w = draw(m, 3, size=0.4)
    for target in (targets.single_neuron(3), targets.circle(3), mixed_target(3, 3, units=3)):
        field = open_field(problem(target, activation, alpha=2.0, beta2=1.3))
        found = field.look(a, w)
        gradient = np.column_stack(found[1:])
        assert np.max(np.abs(gradient - difference(field, a, w))) < 1e-8


@pytest.mark.parametrize(
    ("activation", "inputs"),
    [
        *((activation, "gaussian") for activation in activations.NAMES),
        *((activation, "sphere") for activation in CLOSED),  # others have no closed form
    ],
)
def test_risk_equals_sampling_within_its_error(activation, inputs):
    d, n = 4, 400_000
    a, w = draw(5, d, seed=3, size=0.6)
    x = np.random.default_rng(1).standard_normal((n, d))
    if inputs == "sphere":
        x /= np.linalg.norm(x, axis=1, keepdims=True)
    net = network(activation, alpha=2.0, beta2=1.3)
    for target in (targets.finite_neurons(d, 3), mixed_target(d, 2, units=2)):
        found = open_field(population_problem(net, target, inputs)).look(a, w).mean_square
        squares = (net.output((a, w), x) - target(x)) ** 2
        assert abs(squares.mean() - found) < 4.5 * squares.std() / math.sqrt(n)


def test_risk_at_silent_output_weights_is_the_square_of_the_target():
    for target, square in ((targets.single_neuron(9), 0.5), (targets.circle(9), 2 / math.pi**2)):
        _, w = draw(6, 9)
        for field in (CompiledField, PopulationField):
            found = field(problem(target)).look(np.zeros(6), w).mean_square
            assert found == pytest.approx(square, rel=1e-14)


def test_risk_does_not_depend_on_the_order_of_neurons():
    a, w = draw(97, 13)
    order = np.random.default_rng(2).permutation(97)
    field = CompiledField(problem(targets.circle(13)))
    here, there = field.look(a, w), field.look(a[order], w[order])
    assert here.mean_square == pytest.approx(there.mean_square, rel=1e-13)
    np.testing.assert_allclose(here.gradient_w[order], there.gradient_w, atol=1e-13)


def test_single_pair_equals_the_kernel_at_every_angle():
    for angle in (0.0, 1e-9, 1e-5, 0.3, 1.0, math.pi / 2, 2.0, math.pi - 1e-6, math.pi):
        w = 2.0 * np.array([[math.cos(angle), math.sin(angle)]])
        found = CompiledField(problem(targets.single_neuron(2))).look(np.zeros(1), w)
        truth = relu_kernel(w, np.array([[1.0, 0.0]]))[0, 0]
        assert -found.gradient_a[0] == pytest.approx(truth, rel=1e-15, abs=3e-16)


def test_gradient_stays_exact_where_neurons_nearly_coincide():
    # two neurons at angle δ: E relu(c·x) x 1{b·x > 0} by its expansion, c/2 + O(δ³)
    for delta in (1e-8, 1e-6, 1e-4):
        w = np.array([[math.cos(delta), math.sin(delta), 0.0]])
        found = CompiledField(problem(targets.single_neuron(3))).look(np.ones(1), w)
        truth = w[0] / 2 - np.array([0.5, 0.0, 0.0])
        np.testing.assert_allclose(found.gradient_w[0], truth, atol=2e-16 + delta**2)


@pytest.mark.parametrize("k", [2, 3, 4, 7, 40])
def test_sphere_tables_equal_an_integral(k):
    # E κ(ρu) over one component u of a unit vector in k dimensions: cos φ, density sin^(k−2) φ
    from scipy.integrate import quad

    value, slope = sphere_tables(k)
    norm = quad(lambda f: math.sin(f) ** (k - 2), 0, math.pi)[0]

    def kernel(z):
        return (math.sqrt(1 - z * z) + z * math.asin(z)) / (2 * math.pi)  # its even part

    for rho in (0.0, 0.3, 0.7, 0.9, 0.99, 0.9999):
        y = 1 - rho**2
        row = 0 if y > 0.5 else math.ceil(-math.log2(y)) - 1
        t = 2 * y * 2.0 ** (row + 1) - 3

        def average(function, rho=rho):
            weighted = quad(
                lambda f: function(rho * math.cos(f), math.cos(f)) * math.sin(f) ** (k - 2),
                0,
                math.pi,
                epsabs=0,
                epsrel=1e-12,
                limit=400,
            )
            return weighted[0] / norm

        found = np.polynomial.chebyshev.chebval(t, value[row])
        assert found == pytest.approx(average(lambda z, _: kernel(z)), rel=1e-11)
        if rho > 0:
            steep = average(lambda z, u: u * math.asin(z) / (2 * math.pi)) / rho
            assert np.polynomial.chebyshev.chebval(t, slope[row]) == pytest.approx(steep, rel=1e-11)


@pytest.mark.parametrize("k", [2, 3, 5, 20])
def test_sphere_tables_equal_the_hypergeometric_functions(k):
    from scipy.special import hyp2f1

    value, slope = sphere_tables(k)
    y = 2.0 ** -np.random.default_rng(0).uniform(0, 45, 400)
    row = np.minimum(np.floor(-np.log2(y)).astype(int), len(value) - 2)
    t = 2 * y * 2.0 ** (row + 1) - 3
    for table, a, factor in ((value, -0.5, 1.0), (slope, 0.5, k)):
        c = k / 2 + (0 if a < 0 else 1)
        truth = hyp2f1(a, a, c, 1 - y) / (2 * math.pi * factor)
        found = [np.polynomial.chebyshev.chebval(x, table[i]) for x, i in zip(t, row, strict=True)]
        np.testing.assert_allclose(found, truth, rtol=2e-13)  # the truth's own accuracy


def test_circle_of_many_neurons_is_the_circle():
    phi = 2 * math.pi * (np.arange(4000) + 0.5) / 4000
    ring = targets.neurons(
        np.full(4000, 1 / 4000), np.column_stack([np.cos(phi), np.sin(phi), 0 * phi])
    )
    a, w = draw(6, 3)
    one, other = (CompiledField(problem(each)).look(a, w) for each in (ring, targets.circle(3)))
    np.testing.assert_allclose(one.gradient_w, other.gradient_w, atol=1e-6)
    assert one.mean_square == pytest.approx(other.mean_square, rel=1e-6)


@pytest.mark.parametrize("target", [targets.linear(60), targets.circle(60), mixed_target(60, 3, 8)])
def test_reduction_changes_nothing(target):
    a, w = draw(9, 60)
    task = problem(target)
    smaller, basis = reduced(task, w)
    assert smaller.d == basis.shape[1] == 9 + target.units + target.sphere
    np.testing.assert_allclose(basis.T @ basis, np.eye(smaller.d), atol=1e-14)
    full, small = CompiledField(task).look(a, w), CompiledField(smaller).look(a, w @ basis)
    assert small.mean_square == pytest.approx(full.mean_square, rel=1e-13)
    np.testing.assert_allclose(small.gradient_a, full.gradient_a, atol=1e-13)
    np.testing.assert_allclose(small.gradient_w @ basis.T, full.gradient_w, atol=1e-13)


def test_reduction_only_where_it_saves():
    assert reduced(problem(targets.circle(12)), draw(10, 12)[1]) is None


def test_sharpness_is_the_largest_eigenvalue_of_the_output_kernel_at_silent_weights():
    _, w = draw(30, 8)
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    field = CompiledField(problem(targets.single_neuron(8), alpha=2.0))
    found, _ = field.sharpness(np.column_stack([np.zeros(30), w]))
    truth = np.linalg.eigvalsh(relu_kernel(w, w))[-1] / 4
    assert found == pytest.approx(truth, rel=2e-3)


def test_sharpness_is_that_of_sampled_gradients():
    m, d, n = 6, 4, 400_000
    a, w = draw(m, d)
    field = CompiledField(problem(targets.single_neuron(d)))
    found, _ = field.sharpness(np.column_stack([a, w]))
    x = np.random.default_rng(3).standard_normal((n, d))
    gates = (x @ w.T > 0) * a
    jacobian = np.hstack([np.maximum(x @ w.T, 0), (gates[:, :, None] * x[:, None]).reshape(n, -1)])
    truth = np.linalg.eigvalsh(jacobian.T @ jacobian / n)[-1]
    assert found == pytest.approx(truth, rel=0.02)


# --- Hermite series ---------------------------------------------------------------------------


def test_hermite_polynomials_are_orthonormal():
    u = np.linspace(-13, 13, 1001)
    table = hermite(u, 16)
    np.testing.assert_allclose((table / table[0]) @ table.T, np.eye(16), atol=1e-12)


def test_relu_coefficients_add_up_to_its_mean_square():
    found = relu_coefficients(4000)
    assert found @ found == pytest.approx(0.5, abs=1e-5)
    u = np.linspace(-13, 13, 200_001)
    direct = hermite(u, 12) @ np.maximum(u, 0)
    np.testing.assert_allclose(found[:12], direct, atol=1e-8)


def test_erf_series_equals_its_closed_form():
    _, b = draw(7, 5, seed=4)
    e = np.random.default_rng(5).standard_normal(7)
    rows = coefficients(activations.get("erf"), np.linalg.norm(b, axis=1), 1024)
    cross, square = b @ b.T, (b**2).sum(axis=1)
    scale = np.sqrt(np.outer(1 + 2 * square, 1 + 2 * square))
    truth = 2 / math.pi * np.arcsin(2 * cross / scale)  # Williams (1997)
    found = pull(b, rows, e, b, rows.value)
    np.testing.assert_allclose(found.value, truth @ e, rtol=0, atol=1e-12)


def test_series_and_closed_form_agree_on_one_target():
    target = targets.finite_neurons(6, 4)
    field = SeriesField(problem(target, "tanh"))
    found = field.look(np.zeros(2), draw(2, 6)[1])
    assert found.mean_square == pytest.approx(target.square(), rel=1e-13)


def test_series_refuses_what_it_cannot_do():
    with pytest.raises(ArgumentError, match="must be 'gaussian' for the activation 'tanh'"):
        open_field(problem(targets.circle(4), "tanh", "sphere"))
    field = open_field(problem(targets.circle(4), "tanh"))
    with pytest.raises(ArgumentError, match="converges in 2048 terms"):
        field.look(np.ones(1), np.full((1, 4), 20.0))


def test_a_series_that_ceases_to_converge_is_not_finite():
    field = open_field(problem(targets.circle(4), "tanh"))
    u = np.full((1, 5), 0.3)
    assert math.isfinite(field.velocity(u)[0])
    assert math.isnan(field.velocity(100 * u)[0])


def test_own_neurons_as_the_target_have_no_risk():
    for name in ("relu", "leaky_relu", "tanh"):
        a, w = draw(5, 4, size=0.5)
        task = problem(targets.circle(4), name, alpha=2.0, beta2=1.5)
        u = np.column_stack([a, w])
        found = open_field(replace(task.on_itself(u))).look(a, w)
        assert found.mean_square < 1e-13
        assert np.max(np.abs(found.gradient_w)) < 1e-13
