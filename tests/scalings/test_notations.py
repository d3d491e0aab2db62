"""The translation table: each symbol is put back into its own paper's network."""

import math

import numpy as np
import pytest

from netphase import activations
from netphase.errors import ArgumentError
from netphase.networks import TwoLayerNetwork, initial_parameters
from netphase.scalings import ScalingLaw, initialisation, notations

M, D = 64, 3
LAWS = [ScalingLaw.ntk(), ScalingLaw.mean_field(), ScalingLaw.from_gamma(1.4, 0.0, 0.2)]
X = np.array([[0.3, -0.2, 1.0], [-1.0, 0.4, 1.0]])


def _entry(law, name, symbol, m=M, d=D):
    found = [n for n in notations(law, m, d) if name in n.name and n.symbol == symbol]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("law", LAWS)
def test_each_notation_gives_the_same_function_back(law):
    parameters = initial_parameters(M, D, seed=3, antisymmetric=False)
    ours = TwoLayerNetwork(activations.get("relu"), law.at_width(M)).output(parameters, X)
    z = X @ parameters.w.T
    plain = np.maximum(z, 0) @ parameters.a
    scaled = np.maximum(z / math.sqrt(D), 0) @ parameters.a

    def value(name, symbol):
        return _entry(law, name, symbol).value

    raw_z = X @ (value("this", "β₂") * parameters.w).T
    raw = np.maximum(raw_z, 0) @ (value("this", "β₁") * parameters.a)
    for theirs in (
        raw / value("this", "α"),
        raw * value("code", "alpha"),
        plain * value("this", "κ"),
        plain * value("Chizat", "α(m)"),
        np.mean(np.maximum(z, 0) * parameters.a, axis=1) * value("Chizat", "m·α(m)"),
        scaled * value("Geiger", "α") / math.sqrt(M),
        scaled / M * value("Geiger", "√h·α"),
        scaled / (value("Bordelon", "γ₀") * M),
    ):
        np.testing.assert_allclose(theirs, ours, rtol=1e-12)


@pytest.mark.parametrize("law", [*LAWS, ScalingLaw.mup(), ScalingLaw.lecun(2)])
def test_exponents_are_those_of_the_values(law):
    for near, far in zip(notations(law, 10**3, 2), notations(law, 10**6, 2), strict=True):
        slope = math.log(far.value / near.value) / math.log(10**3)
        assert slope == pytest.approx(near.exponent, abs=1e-12)
        assert near.exponent == far.exponent


def test_exponents_of_xavier_are_those_of_large_width():
    law = initialisation("xavier", 2)
    for near, far in zip(notations(law, 10**8, 2), notations(law, 10**10, 2), strict=True):
        slope = math.log(far.value / near.value) / math.log(100)
        assert slope == pytest.approx(near.exponent, abs=1e-7)


def test_lazy_limits_point_to_the_linear_regime():
    for law, lazy in ((ScalingLaw.ntk(), True), (ScalingLaw.from_gamma(1.5, 0), False)):
        for entry in notations(law, M, D):
            if entry.lazy_limit:
                grows = entry.exponent > 0
                assert (grows == (entry.lazy_limit == "large")) == lazy


def test_landmarks_of_the_literature():
    assert _entry(ScalingLaw.mean_field(), "Bordelon", "γ₀", d=1).value == pytest.approx(1)
    assert _entry(ScalingLaw.ntk(), "Geiger", "α", d=1).value == pytest.approx(1)
    assert _entry(ScalingLaw.ntk(), "Chizat", "α(m)").value == pytest.approx(1 / math.sqrt(M))
    assert _entry(ScalingLaw.mup(), "this", "κ′").exponent == 0


def test_every_symbol_is_defined_in_words():
    for entry in notations(ScalingLaw.ntk(), M, D):
        assert len(entry.definition.split()) > 4
    with pytest.raises(ArgumentError, match="`width`"):
        notations(ScalingLaw.ntk(), 0, D)
