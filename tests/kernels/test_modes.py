"""Residuals under a tangent kernel that stays: flow and literal descent, and what is refused."""

import numpy as np
import pytest
from scipy.linalg import expm

from netphase.errors import ArgumentError
from netphase.kernels.modes import LinearModes

X = np.random.default_rng(3).standard_normal((5, 3))
KERNEL = X @ X.T + np.eye(5)
RESIDUAL = np.arange(1.0, 6.0)


def test_decay_is_that_of_the_flow():
    modes = LinearModes(KERNEL, RESIDUAL, 5)
    time = np.linspace(0.0, 2.0, 4)
    flow = [expm(-KERNEL * t / 5) @ RESIDUAL for t in time]
    np.testing.assert_allclose(modes.residual(time), flow, rtol=1e-10)
    np.testing.assert_allclose(modes.mean_square(time), np.mean(np.square(flow), 1), rtol=1e-10)


def test_decay_of_literal_descent_is_that_of_its_steps():
    modes = LinearModes(KERNEL, RESIDUAL, 5)
    lengths = np.repeat([4.5, 3.0, 1.0], (5, 10, 7)) / modes.eigenvalues[-1]
    e, squares = RESIDUAL.copy(), [np.mean(RESIDUAL**2)]
    for h in lengths:
        e = e - h / 5 * KERNEL @ e
        squares.append(np.mean(e**2))
    time, rows = np.append(0.0, np.cumsum(lengths)), np.array([0, 2, 5, 15, 15, 16, 22])
    found = modes.descended_mean_square(time[rows], rows)  # equally long between two rows
    np.testing.assert_allclose(found, np.array(squares)[rows], rtol=1e-10)


def test_a_step_that_ends_a_mode_leaves_its_start():
    modes = LinearModes(np.diag([1.0, 2.0]), np.ones(2), 2)
    found = modes.descended_mean_square(np.arange(2.0), np.arange(2))  # 1 − h λ/n = 0 for λ = 2
    np.testing.assert_allclose(found, [1.0, 0.125])


def test_of_many_times_the_first_wrong_one_is_told():
    modes = LinearModes(KERNEL, RESIDUAL, 5)
    with pytest.raises(ArgumentError, match="`time` must be ≥ 0, but -2 is in it"):
        modes.mean_square(np.append(np.arange(1000.0), [-2.0, np.nan]))
    with pytest.raises(ArgumentError, match="`time` must be ≥ 0, but nan is in it"):
        modes.mean_square(np.nan)
