"""Moving the exponents of deep scalings by name: what moves, what stays, what is refused."""

import pytest

from netphase.errors import ArgumentError
from netphase.scalings import (
    LayerScaling,
    layer_axes,
    layer_initialisation,
    predicted_layers,
    with_exponents,
)

BASE = LayerScaling(g=(0.0, 0.5, 0.5), rates=(0.0, -1.0, -1.0), beta_prefactors=(2.0, 1.0, 3.0))


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_every_layer_has_a_scale_and_a_rate(depth):
    names = layer_axes(depth)
    assert len(names) == 2 * (depth + 1) + 2
    assert {"g1", f"g{depth + 1}", "rate1", f"rate{depth + 1}", "alpha", "gamma"} <= set(names)
    assert f"g{depth + 2}" not in names


def test_only_what_is_named_moves():
    law = with_exponents(BASE, {"g2": 0.75, "rate3": -2.0})
    assert law.g == (0.0, 0.75, 0.5)
    assert law.rates == (0.0, -1.0, -2.0)
    assert (law.alpha, law.beta_prefactors) == (BASE.alpha, BASE.beta_prefactors)
    assert with_exponents(BASE, {}) == BASE


def test_gamma_is_set_through_alpha_whatever_else_moves():
    for g3 in (-0.5, 0.0, 1.25):
        law = with_exponents(BASE, {"gamma": 1.75, "g3": g3})
        assert law.gamma == pytest.approx(1.75, abs=1e-14)
        assert law.g[2] == pytest.approx(g3, abs=1e-14)
        assert law.alpha == pytest.approx(1.75 - 0.5 - g3, abs=1e-14)


def test_formulas_are_moved_by_powers_of_the_width():
    base = layer_initialisation("xavier", depth=2, d=3)
    moved = with_exponents(base, {"gamma": base.gamma + 0.25, "g2": 0.75})
    before, after = base.at_width(64), moved.at_width(64)
    assert after.betas[0] == pytest.approx(before.betas[0], rel=1e-14)
    assert after.betas[1] == pytest.approx(before.betas[1] * 64**-0.25, rel=1e-14)
    assert after.kappa == pytest.approx(before.kappa * 64**-0.25, rel=1e-13)


def test_the_output_scale_and_the_output_rate_are_one_axis_at_a_given_gamma():
    for g3 in (0.2, 0.9):
        by_scale = predicted_layers(with_exponents(BASE, {"gamma": 1.8, "g3": g3}))
        by_rate = predicted_layers(with_exponents(BASE, {"gamma": 1.8, "rate3": 2 * g3 - 2}))
        for one, other in zip(by_scale, by_rate, strict=True):
            assert one.operator == pytest.approx(other.operator, abs=1e-12)


@pytest.mark.parametrize(
    ("exponents", "words"),
    [
        ({"g4": 1.0}, "`axes` must be one of g1, g2, g3, rate1"),
        ({"gamma": 1.0, "alpha": 0.0}, "both alpha and gamma"),
        ({"g1": float("nan")}, "`g1` must be a finite number"),
    ],
)
def test_wrong_exponents_are_refused(exponents, words):
    with pytest.raises(ArgumentError, match=words):
        with_exponents(BASE, exponents)


def test_only_scalings_have_exponents():
    with pytest.raises(ArgumentError, match="`base` must be a LayerScaling"):
        with_exponents("ntk", {})
