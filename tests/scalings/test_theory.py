"""Regimes, boundaries and exponents of the plane."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netphase.errors import ArgumentError
from netphase.scalings import Regime, gamma_c, predicted_exponents, regime_at

COORDINATE = st.floats(-3, 3)
BLOCKS = ("w", "a", "theta")


@given(COORDINATE, COORDINATE)
def test_exchanging_layers_mirrors_gamma_prime(gamma, gamma_prime):
    here, mirrored = (predicted_exponents(gamma, s * gamma_prime) for s in (1, -1))
    assert (here.w, here.a) == (mirrored.a, mirrored.w)
    assert here.theta == mirrored.theta == max(here.w, here.a)


@given(COORDINATE, st.sampled_from(BLOCKS))
def test_exponents_vanish_on_the_boundary_and_grow_through_it(gamma_prime, which):
    critical = gamma_c(gamma_prime, which)
    before, on, after = (
        getattr(predicted_exponents(critical + step, gamma_prime), which)
        for step in (-1e-3, 0.0, 1e-3)
    )
    assert before < 0 < after
    assert on == pytest.approx(0, abs=1e-12)


@given(COORDINATE, COORDINATE, st.sampled_from(BLOCKS))
def test_the_sign_of_the_exponent_is_the_regime(gamma, gamma_prime, which):
    regime = regime_at(gamma, gamma_prime, which)
    exponent = getattr(predicted_exponents(gamma, gamma_prime), which)
    if regime is Regime.CRITICAL:
        assert exponent == pytest.approx(0, abs=1e-8)
    else:
        assert (exponent > 0) == (regime is Regime.CONDENSED)


@given(st.floats(-1, 3), COORDINATE)
def test_exponents_are_continuous(gamma, gamma_prime):
    here = predicted_exponents(gamma, gamma_prime)
    for dg, dp in ((1e-9, 0), (-1e-9, 0), (0, 1e-9), (0, -1e-9)):
        there = predicted_exponents(gamma + dg, gamma_prime + dp)
        assert there == pytest.approx(here, abs=1e-8)


@pytest.mark.parametrize(
    ("gamma", "gamma_prime", "expected"),
    [
        (0.5, 0.0, (-0.5, -0.5)),
        (1.75, 0.0, (0.375, 0.375)),
        (0.6, 0.4, (-1.2, -0.4)),
        (1.2, 0.4, (-0.4, 0.2)),
        (1.4, 0.2, (0.1, 0.3)),
        (0.6, -0.4, (-0.4, -1.2)),
        (1.2, -0.4, (0.2, -0.4)),
        (1.4, -0.2, (0.3, 0.1)),
    ],
)
def test_exponents_in_every_sector(gamma, gamma_prime, expected):
    found = predicted_exponents(gamma, gamma_prime)
    assert found[:2] == pytest.approx(expected)


def test_regimes_of_the_paper():
    assert regime_at(0.99, -5) is Regime.LINEAR
    assert regime_at(1.5, 0.51) is Regime.LINEAR
    assert regime_at(1, -0.3) is Regime.CRITICAL
    assert regime_at(1.3, 0.3) is Regime.CRITICAL
    assert regime_at(1.01, 0) is Regime.CONDENSED


def test_both_vocabularies():
    assert [f"{r} ({r.alias})" for r in Regime] == [
        "linear (lazy, kernel)",
        "critical (mean-field, μP-like)",
        "condensed (rich, feature learning)",
    ]


def test_theory_refuses_what_is_no_point():
    with pytest.raises(ArgumentError, match="`gamma_prime` must be a finite number"):
        predicted_exponents(1.0, float("nan"))
    with pytest.raises(ArgumentError, match="`which` must be one of w, a, theta"):
        gamma_c(0.0, "b")
