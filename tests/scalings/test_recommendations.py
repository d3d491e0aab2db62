"""Recommendations reach what they are for, by the verdicts on the scalings they lead to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netphase.errors import ArgumentError
from netphase.scalings import (
    LAYER_INITIALISATIONS,
    Goal,
    LayerScaling,
    Laziness,
    Regime,
    ScalingLaw,
    layer_initialisation,
    laziness,
    predicted_layers,
    recommendations,
)

VERDICTS = {
    Goal.LAZY: Laziness.THETA_LAZY,
    Goal.BOUNDARY: Laziness.BOUNDARY,
    Goal.RICH: Laziness.BELOW,
}
EXPONENT = st.floats(-2, 2)


def check(scaling):
    found = recommendations(scaling)
    for each in found:
        assert each.verdict is laziness(each.scaling)
        layers = predicted_layers(each.scaling)
        moving = tuple(p.layer for p in layers if p.regime is not Regime.LINEAR)
        assert each.moving == moving
        if each.goal is Goal.ALL_LAYERS:
            assert moving == tuple(range(1, scaling.depth + 2))
            assert max(each.scaling.log_m_kappa, 0) == pytest.approx(0, abs=1e-8)
        else:
            assert each.verdict is VERDICTS[each.goal]
    assert {each.goal for each in found} - {Goal.ALL_LAYERS} == {
        goal for goal, verdict in VERDICTS.items() if verdict is not laziness(scaling)
    }
    stays = any(p.regime is Regime.LINEAR for p in predicted_layers(scaling))
    assert stays == any(each.goal is Goal.ALL_LAYERS for each in found)
    return found


@pytest.mark.parametrize("depth", [1, 2, 3, 6])
@pytest.mark.parametrize("name", LAYER_INITIALISATIONS)
def test_named_initialisations_can_be_brought_anywhere(name, depth):
    check(layer_initialisation(name, depth, 10))


@given(st.lists(st.tuples(EXPONENT, EXPONENT), min_size=2, max_size=6), EXPONENT)
def test_any_scaling_can(layers, alpha):
    g, rates = zip(*layers, strict=True)
    law = LayerScaling(g=g, rates=rates, alpha=alpha)
    if abs(law.log_m_kappa) > 1e-6:
        check(law)


def test_one_rate_is_brought_to_the_rates_of_mup():
    law = layer_initialisation("mup_one_rate", 3, 10)
    last = check(law)[-1]
    mup = layer_initialisation("mup", 3, 10)
    assert last.scaling.g == mup.g
    differences = {a - b for a, b in zip(last.scaling.rates, mup.rates, strict=True)}
    assert differences == {1.0}  # the clock
    assert last.change == "raise the learning rates of layer 1 by m^2, of layers 2 and 3 by m"


def test_words_and_data_agree():
    found = {(each.goal, each.name): each for each in check(layer_initialisation("ntk", 2, 10))}
    words = {key: each.change for key, each in found.items()}
    assert words[Goal.BOUNDARY, "alpha"] == "multiply α by m^0.5"
    assert words[Goal.BOUNDARY, "g3"] == "set g_3 = 1, that is β_3 ~ m^-1"
    assert words[Goal.RICH, "g"] == "add 0.3333 to every g_l"
    assert words[Goal.ALL_LAYERS, "alpha"] == "multiply α by m^0.5"
    assert found[Goal.BOUNDARY, "alpha"].scaling.alpha == 0.5
    assert found[Goal.BOUNDARY, "g3"].scaling.g == (0.0, 0.5, 1.0)
    assert found[Goal.RICH, "g"].scaling.g == pytest.approx((1 / 3, 5 / 6, 5 / 6))
    lazy = {e.name: e for e in check(layer_initialisation("xavier", 2, 9)) if e.goal is Goal.LAZY}
    assert lazy["alpha"].change == "divide α by m^0.5"
    assert lazy["g"].change == "subtract 0.1667 from every g_l"
    assert lazy["g"].scaling.at_width(9).betas[1] == pytest.approx(9 ** (-1 / 3))


def test_a_law_of_the_plane_is_refused():
    with pytest.raises(ArgumentError, match="must be a LayerScaling"):
        recommendations(ScalingLaw.ntk())
