"""`MacroscopicDynamics` in `evolve`: against few neurons one by one; its ends and refusals."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from netphase import activations, datasets
from netphase._types import Status
from netphase.datasets import Dataset
from netphase.dynamics import (
    Adam,
    Descent,
    Flow,
    GradientDynamics,
    MacroscopicDynamics,
    evolve,
)
from netphase.engine import Stop
from netphase.errors import ArgumentError
from netphase.kernels import half_way, linear_plateau
from netphase.networks import Parameters, TwoLayerNetwork, initial_parameters
from netphase.scalings import ScalingLaw

LINEAR = datasets.linear()
CURVED = datasets.teacher_student(n=15, inputs=3, units=3, activation="relu")
IDENTITY = activations.from_pair(
    "identity", lambda z: 1.0 * z, np.ones_like, np.zeros_like, multiplicity=1
)
MIRRORED = activations.from_pair(
    "mirrored tanh", lambda z: -np.tanh(z), lambda z: np.tanh(z) ** 2 - 1
)


def model(sigma="tanh", gamma=1.5, gamma_prime=0.2, width=12, data=CURVED, rates=1.0, rtol=1e-10):
    """The dynamics in a gauge with α ≠ 1."""
    law = ScalingLaw.from_gamma(gamma, gamma_prime, beta1=-0.7).with_learning_rates(0.0, rates)
    network = TwoLayerNetwork(activations.get(sigma), law.at_width(width))
    return MacroscopicDynamics(network, data, rtol)


def neuron_by_neuron(dynamics, slope, start, time):
    """Changes of ā and w̄ by SciPy, in raw variables with σ(u) = cu and R = (1/2n) Σ e²."""
    scales, data, m = dynamics.network.scales, dynamics.data, len(start.a)
    a0, w0 = start.a * scales.beta1, start.w * scales.beta2
    rate_a, rate_w = np.sqrt(scales.rate_ratio), 1 / np.sqrt(scales.rate_ratio)

    def field(_, moved):
        a, w = a0 + moved[:m], w0 + moved[m:].reshape(w0.shape)
        error = slope / scales.alpha * (data.x @ w.T) @ a - data.y
        pull = -(slope / scales.alpha) * error @ data.x / len(data.y)
        return np.concatenate([rate_a * w @ pull, rate_w * np.outer(a, pull).ravel()])

    end = time * scales.clock
    options = {"method": "DOP853", "rtol": 1e-13, "atol": 1e-200, "first_step": 1e-5 * end}
    moved = solve_ivp(field, (0, end), np.zeros(m + w0.size), **options).y[:, -1]
    return moved[:m] / scales.beta1, moved[m:].reshape(w0.shape) / scales.beta2


@pytest.mark.parametrize("data", [LINEAR, CURVED], ids=lambda data: data.name)
@pytest.mark.parametrize(
    ("sigma", "slope", "gamma", "gamma_prime", "antisymmetric", "rates"),
    [
        ("tanh", 1.0, 1.5, 0.2, True, 1.0),
        ("gelu", 0.5, 0.6, -0.3, True, 0.01),
        ("erf", 2 / np.sqrt(np.pi), 1.3, 0.0, False, 5.0),
        (MIRRORED, -1.0, 1.6, -0.4, False, 1.0),
    ],
)
def test_every_neuron_follows_its_raw_equation(
    sigma, slope, gamma, gamma_prime, antisymmetric, rates, data
):
    dynamics = model(sigma, gamma, gamma_prime, 12, data, rates, rtol=1e-11)
    start = initial_parameters(12, data.d, 3, antisymmetric)
    run = evolve(dynamics, Flow(), start, stop=Stop(half_way(data, 0.9)), tracked=12)
    a, w = neuron_by_neuron(dynamics, slope, start, run.time[-1])
    assert run.status is Status.CONVERGED
    np.testing.assert_allclose(run.final.a - start.a, a, atol=1e-9 * np.abs(a).max())
    np.testing.assert_allclose(run.final.w - start.w, w, atol=1e-9 * np.abs(w).max())
    moved_a, moved_w = np.linalg.norm(a[:12]), np.linalg.norm(w[:12])
    size_a, size_w = np.linalg.norm(start.a[:12]), np.linalg.norm(start.w[:12])
    assert run.relative_change_a[-1] == pytest.approx(moved_a / size_a, rel=1e-9)
    assert run.relative_change_w[-1] == pytest.approx(moved_w / size_w, rel=1e-9)
    theta = np.hypot(moved_a, moved_w) / np.hypot(size_a, size_w)
    assert run.relative_change_theta[-1] == pytest.approx(theta, rel=1e-9)
    assert run.mean_square[-1] == pytest.approx(half_way(data, 0.9), rel=1e-11)
    ratio = dynamics.network.scales.kappa_prime
    for now in (start, run.final):  # κ′²ā² − |w̄|² of every neuron
        kept = (ratio * now.a) ** 2 - np.sum(now.w**2, axis=1)
        sizes = (ratio * now.a) ** 2 + np.sum(now.w**2, axis=1)
        first = (ratio * start.a) ** 2 - np.sum(start.w**2, axis=1)
        assert np.all(np.abs(kept - first) < 1e-10 * sizes.max())


@pytest.mark.parametrize("data", [LINEAR, CURVED], ids=lambda data: data.name)
@pytest.mark.parametrize(("gamma", "gamma_prime"), [(0.5, 0.5), (1.0, 0.0), (1.8, -0.3)])
def test_a_linear_network_is_its_own_macroscopic_limit(gamma, gamma_prime, data):
    """With σ(u) = u the comparator is exact at any size of w·x, and the engine agrees."""
    width, start = 40, initial_parameters(40, data.d, 1)
    dynamics = model(IDENTITY, gamma, gamma_prime, width, data)
    stop = Stop(half_way(data, 0.8))
    exact = evolve(dynamics, Flow(), start, stop=stop, tracked=width)
    trained = GradientDynamics(dynamics.network, data)
    stop = Stop(0.0, time=exact.time[-1])
    run = evolve(trained, Flow(rtol=1e-9), start, stop=stop, tracked=width)
    for name in ("mean_square", "relative_change_w", "relative_change_a", "relative_change_theta"):
        assert getattr(run, name)[-1] == pytest.approx(getattr(exact, name)[-1], rel=2e-6)


def test_rows_lie_on_the_path_at_the_times_asked_for():
    dynamics, start = model(), initial_parameters(12, CURVED.d, 0)
    whole = evolve(dynamics, Flow(), start, stop=Stop(half_way(CURVED)), tracked=12)
    times = [0.0, *np.linspace(0.15, 1.15, 6) * whole.time[-1]]
    run = evolve(dynamics, Descent(), start, stop=Stop(half_way(CURVED)), times=times, tracked=12)
    assert run.time == pytest.approx([*times[:-1], whole.time[-1]])
    assert len(run.snapshots) == 6
    assert np.array_equal(run.snapshots[0].w, start.w)
    for k, now in enumerate(run.snapshots):
        moved = np.linalg.norm((now.w - start.w)[:12]) / np.linalg.norm(start.w[:12])
        assert moved == pytest.approx(run.relative_change_w[k], rel=1e-9, abs=1e-15)
    short = evolve(dynamics, Flow(), start, stop=Stop(0.0, time=times[3]), tracked=12)
    assert short.status is Status.TIME_REACHED
    assert short.time[-1] == times[3]
    assert short.relative_change_w[-1] == pytest.approx(run.relative_change_w[3], rel=1e-9)
    assert np.all(np.diff(whole.mean_square) < 0)


@pytest.mark.parametrize("gamma", [0.6, 1.7])
def test_it_ends_at_the_best_linear_fit_and_never_below(gamma):
    start, plateau = initial_parameters(12, CURVED.d, 0), linear_plateau(CURVED)
    rest = evolve(model(gamma=gamma), Flow(), start, stop=Stop(0.9 * plateau))
    assert rest.status is Status.STAGNATED
    assert rest.mean_square[-1] == pytest.approx(plateau, rel=1e-12)
    assert np.all(rest.mean_square >= plateau)
    assert rest.notes["plateau"] == plateau
    assert rest.notes["orthogonality drift"] < 1e-9
    early = evolve(model(gamma=gamma), Flow(), start, stop=Stop(0.0, stagnation=0.05))
    assert early.status is Status.STAGNATED
    assert plateau < early.mean_square[-1] <= plateau / 0.95
    late = evolve(model(gamma=gamma), Flow(), start, stop=Stop(0.0, time=1e9 * rest.time[-1]))
    assert late.status is Status.TIME_REACHED
    assert late.relative_change_w[-1] == pytest.approx(rest.relative_change_w[-1], rel=1e-6)


def test_other_ends():
    start = initial_parameters(12, CURVED.d, 0)
    few = evolve(model(), Flow(), start, stop=Stop(0.0, max_steps=5))
    assert few.status is Status.MAX_STEPS
    assert few.steps + few.rejected == 5
    at_once = evolve(model(), Flow(), start, stop=Stop(10 * np.mean(CURVED.y**2)))
    assert at_once.status is Status.CONVERGED
    assert at_once.time.tolist() == [0.0]
    assert at_once.relative_change_w.tolist() == [0.0]


def test_one_neuron_that_moves_is_enough_and_none_is_refused():
    """a = 0 and w across z is a saddle: the drive would stay z for ever."""
    data = Dataset(np.eye(2), np.array([1.0, 0.0]), "two axes", bias=False)
    across = np.array([[0.0, 1.0], [0.0, -2.0], [1.0, 0.0]])
    pair = Parameters(np.array([0.0, 0.0, 1.0]), across)
    run = evolve(model(data=data), Flow(), pair, stop=Stop(0.1))
    assert run.status is Status.CONVERGED
    assert np.array_equal(run.final.w[:2], across[:2])
    faint = Parameters(np.full(2, 1e-14), across[:2])
    with pytest.raises(ArgumentError, match="must hold a neuron that the data can move"):
        evolve(model(data=data), Flow(), faint)


def test_float32_stays_float32_and_the_order_of_neurons_does_not_matter():
    start = initial_parameters(30, CURVED.d, 0, antisymmetric=False, dtype="float32")
    run = evolve(model(), Flow(), start, stop=Stop(half_way(CURVED)))
    assert run.final.a.dtype == run.final.w.dtype == np.float32
    order = np.random.default_rng(0).permutation(30)
    shuffled = Parameters(start.a[order], start.w[order])
    other = evolve(model(), Flow(), shuffled, stop=Stop(half_way(CURVED)))
    assert other.relative_change_w[-1] == pytest.approx(run.relative_change_w[-1], rel=1e-9)


def test_directions_without_data_do_not_move():
    """Four inputs of which the data span three: the fourth counts in sizes only."""
    rng = np.random.default_rng(2)
    mix, x = np.linalg.qr(rng.standard_normal((4, 4)))[0][:3], rng.standard_normal((9, 3))
    flat = Dataset(x, rng.standard_normal(9), "flat", bias=False)
    wide = Dataset(x @ mix, flat.y, "wide", bias=False)
    start = initial_parameters(20, 4, 0, antisymmetric=False)
    stop = Stop(half_way(wide))
    run = evolve(model(data=wide), Flow(), start, stop=stop)
    same = evolve(model(data=flat), Flow(), Parameters(start.a, start.w @ mix.T), stop=stop)
    assert run.time[-1] == pytest.approx(same.time[-1], rel=1e-9)
    shrink = np.linalg.norm(start.w @ mix.T) / np.linalg.norm(start.w)
    assert run.relative_change_w == pytest.approx(shrink * same.relative_change_w, rel=1e-8)
    across = np.linalg.svd(mix)[2][3]
    assert run.final.w @ across == pytest.approx(start.w @ across, rel=1e-12)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"sigma": "relu"}, "must be smooth at zero, but 'relu' has a kink there"),
        ({"sigma": "x_tanh"}, "'x_tanh' vanishes.*blow-up in finite time"),
        ({"sigma": "x2_tanh"}, "'x2_tanh' vanishes.*blow-up in finite time"),
        ({"sigma": "sigmoid"}, r"'sigmoid' is 0.5 there.*activations.centred\('sigmoid'\)"),
        ({"sigma": "softplus"}, "must vanish at zero"),
        ({"data": "four_points"}, "`data` must be a Dataset"),
        ({"data": Dataset(np.eye(2), np.zeros(2), "nothing", bias=False)}, "z = .* is zero"),
        ({"rtol": 0.0}, "`rtol` must be a positive"),
        ({"rtol": 1e-14}, "`rtol` must lie between 1e-12 and 0.01"),
    ],
)
def test_what_has_no_linear_stage_is_refused(arguments, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        model(**arguments)


def test_a_users_activation_of_multiplicity_two_is_refused():
    square = activations.from_pair("square", lambda z: z * z, lambda z: 2 * z)
    with pytest.raises(ArgumentError, match="'square' vanishes"):
        model(square)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"method": Adam()}, "an Adam: a MacroscopicDynamics is solved as a gradient flow"),
        ({"times": [2.0, 1.0]}, "`times` must be an increasing list"),
        ({"tracked": 999}, "`tracked` must be at most"),
        ({"state": Parameters(np.zeros(3), np.ones((3, 4)))}, "zero in its block 'a'"),
        ({"state": Parameters(np.ones(3), np.zeros((3, 4)))}, "zero in its block 'w'"),
        ({"state": Parameters(np.ones(3), np.ones((3, 5)))}, "shape"),
        ({"state": Parameters(np.ones(3), np.full((3, 4), np.nan))}, "finite"),
    ],
)
def test_bad_arguments_of_evolve_get_a_sentence(arguments, sentence):
    usual = {"dynamics": model(), "method": Flow(), "state": initial_parameters(5, CURVED.d)}
    with pytest.raises(ArgumentError, match=sentence):
        evolve(**(usual | arguments))
