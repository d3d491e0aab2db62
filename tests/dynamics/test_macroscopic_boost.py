"""The boost and its integrator: closed forms, an independent integration, order and resolution."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from netphase import datasets
from netphase.datasets import Dataset
from netphase.dynamics import macroscopic_limit, macroscopic_plane
from netphase.dynamics.macroscopic.equation import Isotropic, Moments, mean_function, start
from netphase.dynamics.macroscopic.integration import attempt, reach
from netphase.dynamics.macroscopic.observe import Boost
from netphase.dynamics.macroscopic.task import LinearTask
from netphase.engine import Stop
from netphase.scalings import ScalingLaw

LINEAR = datasets.linear()
CURVED = datasets.teacher_student(n=15, inputs=3, units=3, activation="relu")


def matrix(equation, state, cell=0):
    """Φ − I of one cell, in the eigenbasis."""
    boost = Boost.of(equation, state)
    block = boost.block[cell] / boost.scale[cell] ** 2
    top = np.concatenate([[boost.corner[cell]], boost.row[cell]])
    return np.vstack([top, np.column_stack([boost.column[cell], block])])


def integrated(task, moments, clock, rtol=1e-12):
    """Φ − I at a time by another method from another form of the equation."""
    r = len(task.z)
    one = np.eye(r + 1)

    def field(_, entries):
        phi = one + entries.reshape(r + 1, r + 1)
        drive = task.z - task.spectrum * (phi @ moments @ phi.T)[1:, 0]
        generator = np.zeros_like(one)
        generator[0, 1:] = generator[1:, 0] = drive
        return (generator @ phi).ravel()

    options = {"method": "DOP853", "rtol": rtol, "atol": 1e-200, "first_step": 1e-4 * clock}
    run = solve_ivp(field, (0, clock), np.zeros((r + 1) ** 2), **options)
    return run.y[:, -1].reshape(r + 1, r + 1)


def advanced(equation, clock, steps):
    """The state after so many equal steps."""
    state = start(equation)
    for _ in range(steps):
        state, _ = attempt(equation, state, np.full(len(equation.scale), clock / steps))
    return state


def one_direction(task, strength, clock):
    """t = tanh η where z is an eigenvector of Σ: t′ = λ(1 − t² − 2pt) with p = Js/2λ."""
    p = strength * task.spectrum[0] / (2 * task.rate)
    high = 1 / (p + np.sqrt(1 + p * p))  # the roots are high and −1/high
    faded = -np.expm1(-2 * task.rate * np.sqrt(1 + p * p) * clock)
    return high * faded / (1 + high**2 * (1 - faded))


def some_moments(r, seed=0):
    """Second moments far from those of a Gaussian start, with cross moments."""
    neurons = np.random.default_rng(seed).standard_normal((r + 3, r + 1))
    return neurons.T @ neurons


@pytest.mark.parametrize("data", [LINEAR, CURVED], ids=lambda data: data.name)
@pytest.mark.parametrize("size", [1e-6, 0.1, 30.0])
def test_own_moments_follow_the_equation_of_the_whole_matrix(data, size):
    task = LinearTask.of(data)
    q = size * some_moments(len(task.z))
    equation = Moments.of(task, q[0, 0], q[0, 1:], q[1:, 1:])
    clock = 0.5 * np.arcsinh(2 / size) / task.rate
    found = matrix(equation, advanced(equation, clock, 200))
    np.testing.assert_allclose(found, integrated(task, q, clock), rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize(("width", "gamma", "gamma_prime"), [(1e4, 1.5, 0.2), (1e4, 0.7, -0.3)])
def test_gaussian_moments_follow_the_equation_of_the_whole_matrix(width, gamma, gamma_prime):
    """RD, ρ and the error from Φ as the formulas write them, with a matrix of Φ's own."""
    law = ScalingLaw.plain(gamma, gamma_prime)
    scales, d = law.at_width(int(width)), LINEAR.d
    found = macroscopic_limit(law, width, LINEAR, rtol=1e-12).final
    task, ratio = LinearTask.of(LINEAR), scales.kappa_prime
    q = 2 * width * scales.kappa * np.diag([ratio] + d * [1 / ratio])
    change = integrated(task, q, found["time"] * scales.kappa)
    phi, v = np.eye(d + 1) + change, task.z / task.rate
    w = np.hypot(np.linalg.norm(change[1:, 1:]), ratio * np.linalg.norm(change[1:, 0]))
    a = np.hypot(change[0, 0], np.linalg.norm(change[0, 1:]) / ratio)
    along = np.hypot(np.linalg.norm(v @ phi[1:, 1:]), ratio * (v @ phi[1:, 0]))
    size = np.hypot(np.linalg.norm(phi[1:, 1:]), ratio * np.linalg.norm(phi[1:, 0]))
    f = LINEAR.x @ task.basis @ (phi @ q @ phi.T)[1:, 0]
    assert found["relative_change_w"] == pytest.approx(w / np.sqrt(d), rel=1e-9)
    assert found["relative_change_a"] == pytest.approx(a, rel=1e-9)
    theta = np.hypot(a, w) / np.sqrt(1 + d)
    assert found["relative_change_theta"] == pytest.approx(theta, rel=1e-9)
    assert found["alignment_ratio"] == pytest.approx(along / size, rel=1e-9)
    assert found["mean_square"] == pytest.approx(np.mean((f - LINEAR.y) ** 2), rel=1e-9)
    assert found["output_rms"] == pytest.approx(np.sqrt(np.mean(f**2)), rel=1e-9)


def test_a_boost_keeps_the_lorentz_form():
    """ΦᵀJΦ = J: every neuron conserves κ′²ā² − |w̄|² to 1e-10 of their sizes, past escape."""
    task = LinearTask.of(LINEAR)
    q = 1e-4 * some_moments(4)
    equation = Moments.of(task, q[0, 0], q[0, 1:], q[1:, 1:])
    level = [lambda u: np.log(0.1 * task.reducible / task.excess(u))]
    (there,) = reach(equation, level, 1e-10)
    phi, form = np.eye(5) + matrix(equation, there.state), np.diag([1.0] + 4 * [-1.0])
    assert np.abs(phi).max() > 30
    assert np.abs(phi.T @ form @ phi - form).max() < 1e-10 * np.abs(phi).max() ** 2
    assert Boost.of(equation, there.state).drift < 1e-10


@pytest.mark.parametrize("strength", [1e-30, 1e-3, 1.0, 1e3, 1e30])
def test_one_direction_has_a_closed_form_through_the_whole_stage(strength):
    data = datasets.axes(5)  # Σ = I/5
    task = LinearTask.of(data)
    equation = Isotropic.of(task, np.array([strength]))
    target = 0.3 * task.reducible
    (there,) = reach(equation, [lambda u: np.log(target / task.excess(u))], 1e-11)
    boost = Boost.of(equation, there.state)
    t = boost.size[0] / (1 + boost.corner[0])
    assert t == pytest.approx(one_direction(task, strength, there.clock[0]), rel=1e-10)
    assert task.excess(mean_function(equation, there.state))[0] == pytest.approx(target, rel=1e-11)
    assert np.linalg.norm(boost.turn[0]) < 1e-10  # nothing turns


@pytest.mark.parametrize("gamma_prime", [-0.6, 0.0, 0.4])
def test_before_the_break_down_the_drive_is_frozen(gamma_prime):
    """RD and ρ from cosh and sinh of λτ, where f is 1e-9 of the targets and less."""
    law, width, d = ScalingLaw.plain(2.5, gamma_prime), 10**16, LINEAR.d
    scales, rate = law.at_width(width), LinearTask.of(LINEAR).rate
    escapes = np.array([1e-3, 0.1, 1.0, 4.0])
    times = escapes / rate / scales.kappa
    stop = Stop(0.0, time=times[-1])
    run = macroscopic_limit(law, width, LINEAR, times=times, stop=stop)
    grow, both = 2 * np.sinh(escapes / 2) ** 2, np.sinh(escapes)
    cosh, ratio = np.cosh(escapes), scales.kappa_prime
    square = cosh**2 + (both * ratio) ** 2
    assert run.escapes[1:] == pytest.approx(escapes, rel=1e-14)
    assert run.relative_change_w[1:] == pytest.approx(
        np.hypot(grow, both * ratio) / np.sqrt(d), rel=1e-8
    )
    assert run.relative_change_a[1:] == pytest.approx(np.hypot(grow, both / ratio), rel=1e-8)
    assert run.alignment_ratio[1:] == pytest.approx(np.sqrt(square / (square + d - 1)), rel=1e-8)


@pytest.mark.parametrize(
    ("gamma", "gamma_prime", "smallest"), [(0.5, 0.5, 1e-24), (1.1, 1.25, 1e-38), (0.5, 0.0, 1e-9)]
)
def test_changes_of_1e_38_keep_their_relative_accuracy(gamma, gamma_prime, smallest):
    """The lazy regime in closed form: b to first and Φ_ww − I to second order in 1/J."""
    law, width = ScalingLaw.plain(gamma, gamma_prime), 1e16
    scales, task = law.at_width(int(width)), LinearTask.of(LINEAR)
    found = macroscopic_limit(law, width, LINEAR).final
    ratio = scales.kappa_prime
    decay = 2 * width * scales.kappa * (ratio + 1 / ratio) * task.spectrum
    clock = found["time"] * scales.kappa
    b = -np.expm1(-decay * clock) * task.z / decay
    both = decay[:, None] + decay
    inner = -np.expm1(-decay * clock) / decay
    block = np.outer(task.z, task.z / decay) * (inner[:, None] + np.expm1(-both * clock) / both)
    w = np.hypot(np.linalg.norm(block), ratio * np.linalg.norm(b)) / np.sqrt(LINEAR.d)
    a = np.hypot(b @ b / 2, np.linalg.norm(b) / ratio)
    assert found["relative_change_w"] == pytest.approx(w, rel=1e-9)
    assert found["relative_change_a"] == pytest.approx(a, rel=1e-9)
    assert found["relative_change_w"] < 10 * smallest


def test_the_order_of_a_step_is_seven():
    task = LinearTask.of(datasets.axes(5))
    equation, clock = Isotropic.of(task, np.ones(1)), 1 / task.rate
    steps, errors = np.array([8, 12]), []
    for count in steps:
        boost = Boost.of(equation, advanced(equation, clock, count))
        exact = one_direction(task, 1.0, clock)
        errors.append(abs(boost.size[0] / (1 + boost.corner[0]) / exact - 1))
    slope = np.log(errors[0] / errors[1]) / np.log(steps[1] / steps[0])
    assert errors[0] < 1e-9
    assert slope == pytest.approx(7, abs=0.4)


@pytest.mark.parametrize("gamma", [0.6, 1.0, 1.8])
def test_errors_stay_below_the_tolerance_and_follow_it(gamma):
    tolerances = np.array([1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10])
    ends = [
        macroscopic_plane(
            [gamma], [0.1], [1e8], CURVED, part=0.9999, rtol=rtol
        ).relative_change_w.item()
        for rtol in (*tolerances, 1e-12)
    ]
    errors = np.abs(np.array(ends[:-1]) / ends[-1] - 1)
    assert np.all(errors < tolerances)
    slope = np.polyfit(np.log(tolerances), np.log(errors), 1)[0]
    assert 0.6 < slope < 1.1


def test_stiff_data_relax_in_few_steps():
    """A spectrum over six decades: an explicit method would take more than 1e5 steps."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((30, 4)) * np.array([1.0, 0.1, 1e-2, 1e-3])
    data = Dataset(x, x @ np.array([1.0, -2, 20, 300]), "stiff", bias=False)
    run = macroscopic_limit(ScalingLaw.plain(0.5, 0.0), 1e12, data, stop=Stop(1e-9))
    task = LinearTask.of(data)
    decay = 2 * np.sqrt(1e12) * 2 * task.spectrum
    clock = run.time * ScalingLaw.plain(0.5, 0.0).at_width(10**12).kappa
    exact = np.sum(task.z**2 / task.spectrum * np.exp(-2 * np.outer(clock, decay)), axis=1)
    assert run.mean_square[-1] == pytest.approx(1e-9, rel=1e-9)
    assert run.mean_square == pytest.approx(exact, rel=1e-6)
    assert len(run.time) < 400
