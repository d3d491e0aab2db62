"""ReLU neurons that slide along kinks: the automatic step against small literal steps."""

import numpy as np
import pytest

from netphase import activations
from netphase._types import Status
from netphase.engine import Problem, Stop, descend, descend_auto
from netphase.engine.large_auto import descend_auto_large
from netphase.networks import initial_parameters


def sliding_problem(n, d, width, gamma, gamma_prime, seed, antisymmetric=True):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.0, 1.0, (n, d))
    x[:, -1] = 1.0
    ratio = float(width) ** -gamma_prime
    problem = Problem(
        x,
        rng.standard_normal(n),
        activations.get("relu"),
        float(width) ** -gamma,
        1.0 / ratio,
        ratio,
    )
    return problem, initial_parameters(width, d=d, seed=seed, antisymmetric=antisymmetric)


@pytest.mark.parametrize("tolerance", [1e-2, 1e-3])
@pytest.mark.parametrize(
    ("shape", "time"),
    [
        ((12, 3, 3, 1.0, 0.0, 698), 1500.0),
        ((16, 3, 1, 1.4, 0.0, 159), 60.0),
        ((8, 3, 3, 0.0, 0.0, 940), 335.0),
        ((17, 4, 3, 0.0, 0.4, 460), 149.0),
    ],
)
def test_neurons_sliding_along_several_kinks_keep_moving(shape, time, tolerance):
    problem, start = sliding_problem(*shape)
    options = {"stop": Stop(0.0, time=time), "tracked": shape[2]}
    found = descend_auto(problem, start, tolerance=tolerance, **options)
    literal = descend(problem, start, learning_rate=time / 300_000, **options)
    assert found.status is Status.TIME_REACHED
    assert found.rejected < 0.3 * found.steps
    assert found.mean_square == pytest.approx(literal.mean_square, rel=2e-3)
    for block in ("change_a", "change_w"):
        wanted = getattr(literal.records, block)[-1]
        assert getattr(found.records, block)[-1] == pytest.approx(wanted, rel=tolerance)


def test_a_run_with_sliding_neurons_converges():
    problem, start = sliding_problem(16, 3, 10, 0.5, 0.0, 367)
    found = descend_auto(problem, start, tolerance=0.01, stop=Stop(1e-4), tracked=10)
    assert found.status is Status.CONVERGED
    assert found.notes["invariant_drift"] < 1e-4


def test_matrix_products_keep_moving_where_neurons_slide_along_several_kinks():
    problem, start = sliding_problem(16, 2, 30, 0.5, 0.0, 634, antisymmetric=False)
    options = {"stop": Stop(0.0, time=2000.0), "tracked": 30}
    found = descend_auto_large(problem, start, tolerance=1e-3, **options)
    literal = descend(problem, start, learning_rate=0.01, **options)
    assert found.status is Status.TIME_REACHED
    assert found.mean_square == pytest.approx(literal.mean_square, rel=0.01)


@pytest.mark.parametrize("path", ["blas", "gram"])
def test_matrix_products_land_on_the_target(path):
    problem, start = sliding_problem(20, 15, 50, 0.5, 0.0, 0)
    found = descend_auto_large(
        problem, start, tolerance=0.01, stop=Stop(1e-4), tracked=50, path=path
    )
    assert found.status is Status.CONVERGED
    assert found.mean_square == pytest.approx(1e-4, rel=0.01)
