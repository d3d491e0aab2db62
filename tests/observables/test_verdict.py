"""The verdict on trained networks whose state is known, and where nothing can be said."""

import math

import numpy as np
import pytest

from netphase import activations, datasets
from netphase.dynamics import Descent, GradientDynamics, evolve
from netphase.engine.problem import Stop
from netphase.errors import ArgumentError
from netphase.networks import Parameters, TwoLayerNetwork, initial_parameters
from netphase.observables import condensation_verdict, features
from netphase.scalings import ScalingLaw


def _trained(activation, law, m, data, seed, stop):
    network = TwoLayerNetwork(activations.get(activation), law.at_width(m))
    start = initial_parameters(m, data.d, seed)
    run = evolve(GradientDynamics(network, data), Descent(), start, stop=stop, tracked=m)
    return features(run.final, m)


@pytest.mark.parametrize("m", [1000, 4000])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_one_input_relu_networks_are_judged_right(m, seed):
    """γ′ = 0, ReLU, four points: γ = 1 is critical, everything beyond 1.25 condensed."""
    expected = dict.fromkeys((1.25, 1.5, 1.75, 2.5), "condensed")
    expected |= {0.5: "not condensed", 1.0: "undetermined"}
    for gamma, label in expected.items():
        law = ScalingLaw.from_gamma(gamma, 0.0)
        cloud = _trained("relu", law, m, datasets.four_points(), seed, Stop())
        found = condensation_verdict(cloud, seed=seed)
        assert found.label == label, (gamma, found)
    start = features(initial_parameters(m, 2, seed, False))
    assert condensation_verdict(start, seed=seed).label == "not condensed"


@pytest.mark.parametrize("d", [4, 6])
def test_smooth_networks_in_higher_dimension_are_judged_right(d):
    rng = np.random.default_rng(d)
    x = rng.normal(size=(30, d))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    y = x @ rng.normal(size=d) / math.sqrt(d)
    data = datasets.from_arrays(x, y, bias=False)
    half = Stop(mean_square=0.5 * float(np.mean(y**2)))
    for gamma, label in ((0.5, "not condensed"), (2.0, "condensed")):
        law = ScalingLaw.from_gamma(gamma, 0.0, beta1=-gamma / 2)
        found = condensation_verdict(_trained("tanh", law, 1000, data, 0, half))
        assert found.label == label, found
    assert 1.9 < found.significance.observed < 2.5  # ±z


@pytest.mark.parametrize("d", [2, 3, 10])
def test_effect_runs_from_chance_to_one_direction(d):
    rng = np.random.default_rng(0)
    loose = features(Parameters(np.ones(500), rng.standard_normal((500, d))))
    tight = features(Parameters(np.ones(500), np.tile(np.arange(1.0, d + 1), (500, 1))))
    assert abs(condensation_verdict(loose).effect) < 0.03
    assert condensation_verdict(tight).effect == pytest.approx(1)


def test_several_condensed_directions_in_the_plane_are_condensed():
    angles = np.pi * np.arange(8) / 4 + 0.1
    w = np.tile(np.column_stack([np.cos(angles), np.sin(angles)]), (60, 1))
    assert condensation_verdict(features(Parameters(np.ones(480), w))).label == "condensed"


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_few_neurons_about_a_line_are_not_called_uncondensed(seed):
    """Angles within 40 degrees of a line: 30 neurons fill about as many bins as anywhere."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(-0.7, 0.7, 30) + np.pi * rng.integers(0, 2, 30)
    w = np.column_stack([np.cos(angle), np.sin(angle)])
    found = condensation_verdict(features(Parameters(rng.uniform(0.3, 1, 30), w)), seed=seed)
    assert found.label == "undetermined", found
    assert found.effect < 0.1
    assert "a participation ratio of the orientations of" in found.reason
    assert "hardly fewer; but their mean squared cosine is 0." in found.reason
    hasty = condensation_verdict(
        features(Parameters(np.ones(30), w)), draws=9, seed=seed, level=0.1
    )
    assert hasty.label == "undetermined"
    few = features(Parameters(np.ones(30), rng.standard_normal((30, 2))))
    assert condensation_verdict(few, seed=seed).label == "not condensed"


def test_nothing_is_said_in_one_dimension_or_of_few_neurons():
    line = condensation_verdict(features(Parameters(np.ones(50), np.ones((50, 1)))))
    assert line.label == "undetermined"
    assert "one input dimension" in line.reason
    for m in (1, 3):
        few = condensation_verdict(features(Parameters(np.ones(m), np.ones((m, 4)))))
        assert few.label == "undetermined"
        assert "few neurons are active" in few.reason
        assert math.isnan(few.effect)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_strict_level_leaves_it_open(seed):
    """Three of five neurons in one cap of area 1/40: chance does it with 10/40² = 0.6%."""
    w = np.vstack([np.eye(3), [[1.0, 0, 0]] * 2])
    cloud = features(Parameters(np.ones(5), w))
    assert condensation_verdict(cloud, draws=199, seed=seed, level=0.05).label == "condensed"
    found = condensation_verdict(cloud, draws=999, seed=seed, level=0.001)
    assert found.label == "undetermined"
    assert "chance could do it" in found.reason
    p = 10 / 40**2
    assert abs(found.significance.p - p) < 4 * np.sqrt(p / 1000) + 1 / 1000


def test_enough_draws_always_call_one_direction_condensed():
    cloud = features(Parameters(np.ones(100), np.ones((100, 3))))
    for level, least in ((0.01, 99), (0.1, 9), (1 / 49, 48)):
        labels = {
            condensation_verdict(cloud, draws=least, seed=seed, level=level).label
            for seed in range(10)
        }
        assert labels == {"condensed"}
        with pytest.raises(ArgumentError, match=f"= {least} for a `level`"):
            condensation_verdict(cloud, draws=least - 1, level=level)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda c: condensation_verdict(c, level=0), r"`level` must lie in \(0, 1\)"),
        (lambda c: condensation_verdict(c, draws=19), "= 99 for a `level` of 0.01, but is 19"),
        (lambda c: condensation_verdict(c, level=1e-9), "999999999 for a `level` of 1e-09"),
        (lambda c: condensation_verdict(c, draws=0), "`draws` must be a positive integer"),
        (lambda c: condensation_verdict(c._replace(amplitude=np.zeros(3))), "3 neurons are dead"),
        (lambda c: condensation_verdict(c._replace(amplitude=np.full(3, np.nan))), "3 of its 3"),
        (lambda _: condensation_verdict("cloud"), "must be the Features"),
    ],
)
def test_verdict_refuses_in_words(call, words):
    with pytest.raises(ArgumentError, match=words):
        call(features(Parameters(np.ones(3), np.eye(3))))
