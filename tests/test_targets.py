"""Targets: closed forms against Monte Carlo, sources, and refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from netphase import targets
from netphase.errors import ArgumentError
from netphase.networks import student_parameters
from netphase.targets import Target

SOURCES = [
    "single_neuron?d=7",
    "linear?d=4",
    "circle?d=9",
    "sphere?d=9&k=4",
    "finite_neurons?d=6&units=3&seed=2&support=4",
]


def within(values: np.ndarray, expected: float, errors: float = 4.5) -> bool:
    """Whether a sample mean is within so many standard errors of a number."""
    return abs(values.mean() - expected) < errors * values.std() / math.sqrt(len(values))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("inputs", ["gaussian", "sphere"])
def test_the_mean_square_is_that_of_samples(source: str, inputs: str) -> None:
    target = targets.load(source)
    data = target.sample(200_000, seed=1, inputs=inputs)
    assert within(data.y**2, target.square(inputs))


def test_known_squares() -> None:
    assert targets.single_neuron(5).square() == pytest.approx(0.5, rel=1e-15)
    assert targets.circle(5).square() == pytest.approx(2 / math.pi**2, rel=1e-14)
    assert targets.linear(5).square() == pytest.approx(1.0, rel=1e-14)
    assert targets.single_neuron(5).square("sphere") == pytest.approx(0.1, rel=1e-15)


def test_the_circle_is_the_mean_of_neurons_on_it() -> None:
    angle = 2 * math.pi * np.arange(4000) / 4000
    ring = np.column_stack([np.cos(angle), np.sin(angle), np.zeros((4000, 2))])
    many = targets.neurons(np.full(4000, 1 / 4000), ring)
    x = np.random.default_rng(0).standard_normal((50, 4))
    np.testing.assert_allclose(many(x), targets.circle(4)(x), rtol=1e-6)
    assert many.square() == pytest.approx(targets.circle(4).square(), rel=1e-6)


def test_neurons_taken_away_leave_the_difference() -> None:
    whole = targets.circle(6)
    a, w = np.array([0.3, -0.2]), student_parameters(2, 6, seed=3).w
    rest = whole.minus(a, w)
    data = rest.sample(200_000, seed=2)
    np.testing.assert_allclose(rest(data.x), whole(data.x) - np.maximum(data.x @ w.T, 0) @ a)
    assert within(data.y**2, rest.square())
    assert whole.variation_norm == 1.0
    for taken in (w[0], w[:1]):
        with pytest.raises(ArgumentError, match=r"must have the shapes \(m,\) and \(m, d\)"):
            whole.minus(a, taken)


@pytest.mark.parametrize("source", SOURCES)
def test_the_source_makes_the_same_target(source: str) -> None:
    target = targets.load(source)
    again = targets.load(target.source)
    assert again.source == target.source
    np.testing.assert_array_equal(again.c, target.c)


def test_samples_are_nested() -> None:
    target = targets.single_neuron(5)
    few, many = target.sample(10, seed=4), target.sample(30, seed=4)
    np.testing.assert_array_equal(few.x, many.x[:10])


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("circle?d=1", "`d` must be at least 2"),
        ("sphere?d=4&k=5", "`k` must lie between 2 and the 4 inputs"),
        ("ring", "`target` must be one of"),
        ("circle?size=3", "unknown option 'size'"),
        ("circle?d=3&d=4", "must give the option 'd' once only"),
        ("circle?d=three", "must be an integer"),
        ("", "`target` must be a name"),
        ("finite_neurons?d=3&support=4", "`support` must be at most"),
    ],
)
def test_wrong_sources_are_refused_in_words(source: str, words: str) -> None:
    with pytest.raises(ArgumentError, match=words.replace("?", r"\?")):
        targets.load(source)


def test_an_option_outside_its_domain_is_said_of_the_target():
    with pytest.raises(ArgumentError, match=r"`target` is 'circle\?d=1', whose option `d` must"):
        targets.load("circle?d=1")


def test_wrong_arrays_are_refused_in_words() -> None:
    with pytest.raises(ArgumentError, match="the shapes"):
        Target(np.ones(2), np.ones((3, 4)))
    with pytest.raises(ArgumentError, match="both be given or both be 0"):
        Target(np.ones(1), np.ones((1, 4)), sphere=2)
    with pytest.raises(ArgumentError, match="the 4 inputs of the target, but has 3"):
        targets.circle(4)(np.ones((2, 3)))
    with pytest.raises(ArgumentError, match="`n` must be a positive integer"):
        targets.circle(4).sample(0)
    with pytest.raises(ArgumentError, match="`inputs` must be one of"):
        targets.circle(4).square("cube")
