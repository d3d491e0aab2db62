"""The reproduction of Chen et al. (2023): its measures can fail, and its smoke size holds."""

import math

import numpy as np
import pytest

from netphase import Parameters, activations, reproductions
from netphase.datasets import four_points, linear, sines
from netphase.directions import escape_times, expansion, predicted_directions
from netphase.dynamics import GradientDynamics, MacroscopicDynamics
from netphase.networks import initial_parameters
from netphase.reproductions import Verdict
from netphase.reproductions.chen2023 import printed, residual
from netphase.reproductions.chen2023.bound import saturating, x3_tanh
from netphase.reproductions.chen2023.counts import counted, trained
from netphase.reproductions.chen2023.occupation import occupied
from netphase.reproductions.chen2023.polynomials import one_input, polynomial_distance
from netphase.reproductions.chen2023.training import (
    breakdown,
    rescaled,
    small_network,
    synchronised,
)

PAPER = reproductions.get("chen2023")


def test_smoke_size_of_the_residual_network_holds(tmp_path, failed, with_verdict):
    checks = PAPER.run("smoke", (9,), tmp_path)
    assert failed(checks) == []
    assert len(with_verdict(checks)) == 5
    assert (tmp_path / "figure9.png").exists()


@pytest.mark.slow
@pytest.mark.parametrize("figure", [1, 3, 4, 5, 6, 7, 8])
def test_smoke_size_of_a_figure_holds(figure, tmp_path, failed, with_verdict):
    checks = PAPER.run("smoke", (figure,), tmp_path)
    assert failed(checks) == []
    assert with_verdict(checks)
    assert (tmp_path / f"figure{figure}.png").exists()


def test_digits_are_left_to_larger_sizes(tmp_path, with_verdict):
    assert with_verdict(PAPER.run("smoke", (10,), tmp_path)) == []


def test_images_of_the_user_take_the_place_of_digits(tmp_path):
    random = np.random.default_rng(0)
    images = random.random((60, 6, 6))
    np.savez(tmp_path / "mine.npz", x=images, y=images[:, 2:4, 2:4].sum(axis=(1, 2)))
    (check,) = PAPER.run("smoke", (10,), tmp_path, images=str(tmp_path / "mine.npz"))
    assert check.verdict is Verdict.REPRODUCED  # a target that is positive has one line


def test_the_printed_tables_belong_together():
    layers = printed.RESIDUAL_ACTIVATIONS, printed.RESIDUAL_EPOCHS, printed.RESIDUAL_LINES
    assert {len(each) for each in layers} == {5}
    assert set(printed.LINES) | {"relu"} == set(printed.RATES)
    multiplicities = {name: activations.get(name).multiplicity for name in printed.LINES}
    assert multiplicities == printed.LINES  # p lines for multiplicity p


# --- the end of the initial stage ------------------------------------------------------------


@pytest.mark.parametrize("delta", [0.02, 0.1])
def test_breakdown_is_where_the_output_has_its_part_of_the_targets(delta):
    data, network = linear(), small_network("tanh", 1e-4)
    start = initial_parameters(200, data.d, 3, antisymmetric=False)
    found = breakdown(GradientDynamics(network, data), start, delta)
    reached = np.sqrt(np.mean(network.output(found.parameters, data.x) ** 2))
    assert reached == pytest.approx(delta * np.sqrt(np.mean(data.y**2)), rel=2e-4)


def test_breakdown_of_network_and_macroscopic_equation_agree():
    data, network = linear(), small_network("tanh", 1e-4)
    start = initial_parameters(200, data.d, 3, antisymmetric=False)
    ours = breakdown(GradientDynamics(network, data), start, 0.05)
    theirs = breakdown(MacroscopicDynamics(network, data), start, 0.05)
    assert theirs.escapes == pytest.approx(ours.escapes, rel=2e-3)
    assert (
        np.abs(theirs.parameters.w - ours.parameters.w).max()
        < 0.02 * np.abs(ours.parameters.w).max()
    )


def test_a_breakdown_far_from_where_it_is_expected_is_not_a_number():
    data, network = linear(), small_network("tanh", 1e-4)
    start = initial_parameters(200, data.d, 3, antisymmetric=False)
    large = Parameters(1e3 * start.a, 1e3 * start.w)
    assert math.isnan(breakdown(GradientDynamics(network, data), large, 0.1).escapes)


def test_synchronised_neurons_escape_together():
    data = sines(n=30, inputs=3)
    start = synchronised(data, "x2_tanh", 50, 1)
    times = escape_times(data, "x2_tanh", start.a, start.w)
    assert np.ptp(times) < 1e-6 * times.mean()
    before = escape_times(data, "x2_tanh", *initial_parameters(50, 4, 1, antisymmetric=False))
    assert np.median(before) == pytest.approx(times.mean(), rel=1e-6)
    assert np.ptp(before[np.isfinite(before)]) > times.mean()


def test_rescaled_targets_have_the_size_asked_for_and_the_same_shape():
    data = four_points()
    small = rescaled(data, 0.01)
    assert np.sqrt(np.mean(small.y**2)) == pytest.approx(0.01)
    assert small.y / data.y == pytest.approx(np.full(4, small.y[0] / data.y[0]))


# --- directions ------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [1, 2, 3, 4])
def test_targets_made_for_it_saturate_the_bound_with_equal_strengths(p):
    data = saturating(p)
    found = predicted_directions(data, multiplicity=p, neurons=0)
    assert found.count == 2 * p
    assert found.strength == pytest.approx(np.full(2 * p, found.strength[0]), rel=1e-9)
    angle = np.linspace(0, 2 * math.pi, 7)
    w = np.column_stack([np.cos(angle), np.sin(angle)])
    value = np.mean(data.y * (w @ data.x.T) ** p, axis=1)
    assert value / found.strength[0] == pytest.approx(np.cos(p * angle), abs=1e-9)


def test_the_fourth_activation_begins_with_the_fourth_power():
    assert expansion(x3_tanh(), coefficient=1.0).multiplicity == 4
    z = np.array([1e-3, -1e-3])
    assert x3_tanh().value(z) == pytest.approx(z**4, rel=1e-5)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_network_from_small_weights_occupies_what_was_predicted(seed):
    found = occupied(saturating(3), "x2_tanh", seed)
    assert (found.directions, found.predicted, found.hits) == (6, 6, 6)
    assert found.nearest > 0.999


def test_a_network_that_grows_little_is_not_condensed():
    found = occupied(saturating(1), "tanh", 0, growth=2.0)
    assert found.directions > 2
    assert found.nearest < 0.95


def test_lines_are_weighted_by_amplitude():
    w = np.array([[1.0, 0.0], [-2.0, 0.01], [0.0, 1.0], [0.0, 0.05]])
    network = counted(Parameters(np.ones(4), w))
    assert network.lines == 2  # the last neuron is below a tenth
    assert network.weighted == pytest.approx(16 / (9 + 1), rel=1e-3)


def test_adam_condenses_tanh_on_fewer_lines_than_its_start():
    start = counted(initial_parameters(printed.WIDTH, 6, 0, antisymmetric=False))
    assert counted(trained("tanh", 0)).weighted < 0.2 * start.weighted


# --- polynomials -----------------------------------------------------------------------------


def test_polynomials_have_no_distance_from_their_degree():
    x = np.linspace(-1.0, 1.5, 101)
    cubic = 1 - 2 * x + x**3
    assert polynomial_distance(cubic, 3) < 1e-12
    assert polynomial_distance(cubic, 2) > 0.1
    even = np.linspace(-1.0, 1.0, 101) ** 2
    assert polynomial_distance(even, 1) == pytest.approx(1.0)  # the nearest line is its mean


def test_inputs_of_one_variable_lie_in_their_range():
    data = one_input(5)
    x = data.x[:, 0]
    assert (data.n, data.d, x.min() >= -1.0, x.max() <= 1.5) == (40, 2, True, True)
    assert data.y == pytest.approx(np.sin(3 * x) + np.sin(6 * x) / 2)


# --- residual network ------------------------------------------------------------------------

SIGMAS = [activations.get(name) for name in printed.RESIDUAL_ACTIVATIONS]


def task(n=7, d=3, width=4, size=60.0):
    random = np.random.default_rng(0)
    weights = [size * each for each in residual.initial_weights(d, width, len(SIGMAS), 0)]
    return weights, random.standard_normal((n, d)), random.standard_normal(n)


def loss(weights, x, y):
    return np.mean((residual.output(weights, SIGMAS, x) - y) ** 2) / 2


def test_gradient_of_the_residual_network_is_that_of_its_loss():
    weights, x, y = task()
    found = residual.gradient(weights, SIGMAS, x, y)
    for layer, matrix in enumerate(weights):
        for place in np.ndindex(matrix.shape):
            high, low = ([each.copy() for each in weights] for _ in range(2))
            high[layer][place] += 1e-5
            low[layer][place] -= 1e-5
            slope = (loss(high, x, y) - loss(low, x, y)) / 2e-5
            assert found[layer][place] == pytest.approx(slope, rel=1e-6, abs=1e-9)


def test_layers_without_weights_pass_their_inputs_on():
    weights, x, _ = task()
    first, last = weights[0], weights[-1]
    still = [first, *(np.zeros_like(each) for each in weights[1:-1]), last]
    h = SIGMAS[0].value(x @ first[:, :-1].T + first[:, -1])
    constants = sum(float(sigma.value(np.zeros(1))[0]) for sigma in SIGMAS[1:])
    expected = (h + constants) @ last[0, :-1] + last[0, -1]
    assert residual.output(still, SIGMAS, x) == pytest.approx(expected)


def test_the_first_step_of_adam_moves_every_weight_by_the_rate():
    weights, x, y = task()
    after = residual.train(weights, SIGMAS, x, y, 1e-3, (1,))[1]
    slopes = residual.gradient(weights, SIGMAS, x, y)
    for before, now, slope in zip(weights, after, slopes, strict=True):
        assert now - before == pytest.approx(-1e-3 * np.sign(slope), rel=1e-3)


def test_training_lowers_the_loss_and_keeps_the_start():
    weights, x, y = task(size=10.0)
    copies = [each.copy() for each in weights]
    seen = residual.train(weights, SIGMAS, x, y, 1e-2, (10, 300))
    assert all(np.array_equal(a, b) for a, b in zip(weights, copies, strict=True))
    assert loss(seen[300], x, y) < 0.5 * loss(seen[10], x, y)
