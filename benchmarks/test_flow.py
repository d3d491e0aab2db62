"""Gradient flow against fixed steps at equal accuracy: gradients and solves that each needs.

Eight tanh cells of the plane, four points with hard targets, 1000 neurons, until the loss has
fallen a millionfold; (2, 0) ends on its plateau, at 0.36 of the first loss. Fixed steps are c/λ_max
with the larger λ_max of the two ends. A run is accurate where the
loss is within 1e-3 of the reference at all times and the final changes of a and of w are too.
"""

import numpy as np
import pytest

from netphase import activations
from netphase.engine.problem import Problem, Stop
from netphase.networks import Parameters

CELLS = [(gamma, prime) for prime in (0.0, 1.0) for gamma in (0.5, 1.0, 1.5, 2.0)]
ACCURACY = 1e-3
WIDTH = 1000
FACTORS = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
MOST_GD_STEPS = 4_000_000
PLATEAU = 1.5e10


def cell(gamma, prime):
    x = np.array([[-1.0], [-0.4], [0.3], [1.0]])
    y = np.array([0.5, -0.4, 0.3, 0.8])
    x = np.hstack([x, np.ones_like(x)])
    draw = np.random.default_rng(0)
    kappa, kappa_prime = WIDTH**-gamma, WIDTH**-prime
    problem = Problem(x, y, activations.get("tanh"), kappa, 1 / kappa_prime, kappa_prime)
    return problem, Parameters(draw.normal(size=WIDTH), draw.normal(size=(WIDTH, 2)))


def stiffness(problem, parameters):
    """λ_max of the tangent Gram matrix."""
    from netphase.engine.blocks import Blocks

    return float(np.linalg.eigvalsh(Blocks(problem, parameters, "blas").tangent_gram())[-1])


def errors(found, problem, start):
    """Relative errors of the loss at the run's own record times, and of its final changes."""
    from netphase.engine import flow_rosenbrock

    times = found.records.time[1:]
    until = Stop(mean_square=0.0, time=times[-1])
    truth = flow_rosenbrock(
        problem, start, rtol=1e-7, stop=until, tracked=WIDTH, times=times
    ).records
    assert truth.time[1:] == pytest.approx(times, rel=1e-12)
    records = found.records
    of_loss = np.abs(records.mean_square / truth.mean_square - 1).max()
    of_a = abs(records.change_a[-1] / truth.change_a[-1] - 1)
    of_w = abs(records.change_w[-1] / truth.change_w[-1] - 1)
    return float(of_loss), float(max(of_a, of_w))


@pytest.mark.benchmark(group="flow")
@pytest.mark.parametrize(("gamma", "prime"), CELLS)
def test_flow_needs_fewer_evaluations_than_fixed_steps(gamma, prime, benchmark, note, quick):
    from netphase.engine import descend, flow_rosenbrock

    problem, start = cell(gamma, prime)
    values = problem.activation.value(problem.x @ start.w.T) @ start.a
    square = np.mean((problem.output_scale * values - problem.y) ** 2)
    end = Stop(
        mean_square=1e-6 * float(square), time=PLATEAU if (gamma, prime) == (2, 0) else np.inf
    )
    exact = flow_rosenbrock(problem, start, rtol=1e-7, stop=end, tracked=WIDTH)
    largest = max(stiffness(problem, each) for each in (start, exact.parameters))
    until = Stop(mean_square=0.0, time=exact.time)
    flow = benchmark.pedantic(
        lambda: flow_rosenbrock(problem, start, stop=until, tracked=WIDTH),
        rounds=1 if quick else 5,
    )
    of_loss, of_change = errors(flow, problem, start)
    finest, gd_steps, gd_errors = None, None, (float("nan"),) * 2
    for factor in (1.0,) if quick else FACTORS:
        rate = factor / largest
        if exact.time / rate > MOST_GD_STEPS:
            break
        out = descend(problem, start, learning_rate=rate, stop=until, tracked=WIDTH)
        finest, gd_errors = factor, errors(out, problem, start)
        if max(gd_errors) < ACCURACY:
            gd_steps = out.gradients
            break
    note(
        gamma=gamma,
        gamma_prime=prime,
        flow_gradients=flow.gradients,
        flow_solves=flow.solves,
        flow_loss_error=of_loss,
        flow_change_error=of_change,
        gd_steps=gd_steps,
        gd_smallest_factor=finest,
        gd_loss_error=gd_errors[0],
        gd_change_error=gd_errors[1],
    )
    assert max(of_loss, of_change) < ACCURACY
    if gd_steps is not None:
        assert gd_steps >= 40 * (flow.gradients + flow.solves)
