"""What the leading order of an activation can fit, against polynomial regression."""

import numpy as np
import pytest

from netphase import datasets
from netphase.errors import ArgumentError
from netphase.kernels import half_way, leading_plateau, linear_plateau, stage_end


@pytest.mark.parametrize("p", [1, 2, 3, 5])
def test_with_a_bias_the_leading_order_is_a_polynomial_of_degree_p(p):
    x = np.linspace(-4, 2, 30)
    y = np.sin(3 * x) + 0.2 * x**2
    fit = np.polynomial.Polynomial.fit(x, y, p)
    left = leading_plateau(datasets.from_arrays(x[:, None], y), p)
    assert left == pytest.approx(np.mean((y - fit(x)) ** 2), rel=1e-9)


def test_without_a_bias_only_one_degree_counts():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    quadratic = np.einsum("ni,ij,nj->n", x, rng.normal(size=(3, 3)), x)
    data = datasets.from_arrays(x, quadratic, bias=False)
    assert leading_plateau(data, 2) < 1e-24 * np.mean(quadratic**2)
    assert leading_plateau(data, 1) > 0.5 * np.mean(quadratic**2)
    shifted = datasets.from_arrays(x, quadratic + 3, bias=False)
    assert leading_plateau(shifted, 2) > 1e-3
    assert leading_plateau(shifted, 2, constant=True) < 1e-22


def test_units_of_the_inputs_do_not_matter():
    data = datasets.gaussian(40, 3)
    stretched = data.x * np.array([1e3, 1.0, 1e-3, 1.0])
    other = datasets.from_arrays(stretched[:, :3], data.y)
    assert leading_plateau(other, 2) == pytest.approx(leading_plateau(data, 2), rel=1e-9)


def test_multiplicity_one_is_the_linear_plateau_and_its_way():
    data = datasets.sines(30, 2)
    assert leading_plateau(data, 1) == linear_plateau(data)
    assert stage_end(data, "tanh", 0.3) == pytest.approx(half_way(data, 0.3), rel=1e-12)


def test_kinked_activations_may_explain_everything():
    data = datasets.four_points()
    assert stage_end(data, "relu", 0.25) == pytest.approx(0.75 * np.mean(data.y**2))


def test_a_constant_is_fitted_first_where_the_activation_has_one():
    data = datasets.polynomial((5.0, 1.0), n=9)
    x = data.x[:, 0]
    assert stage_end(data, "sigmoid", 0.5) == pytest.approx(np.var(x) / 2, rel=1e-9)
    assert stage_end(data, "centred_sigmoid", 0.5) == pytest.approx(np.mean((5 + x) ** 2) / 2)


def test_targets_that_the_leading_order_cannot_see_are_refused():
    x = np.array([-1.0, -0.5, 0.5, 1.0])
    even = datasets.from_arrays(x[:, None], x**2 - np.mean(x**2))
    with pytest.raises(ArgumentError, match="leading order of tanh explains nothing"):
        stage_end(even, "tanh")
    assert 0 < stage_end(even, "x_tanh") < np.mean(even.y**2)
    constant = datasets.from_arrays(x[:, None], np.full(4, 2.0))
    with pytest.raises(ArgumentError, match="leading order of sigmoid explains nothing"):
        stage_end(constant, "sigmoid")


@pytest.mark.parametrize("part", [0.0, 1.0, -0.5])
def test_the_part_lies_between_nothing_and_all(part):
    with pytest.raises(ArgumentError, match="`part` must lie between 0 and 1"):
        stage_end(datasets.linear(), "tanh", part)
