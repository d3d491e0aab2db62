"""The four zones of the plane: against the exponents, the mirror, and the published lines."""

import itertools

import numpy as np
import pytest

from netphase.errors import ArgumentError
from netphase.scalings import (
    Regime,
    ScalingLaw,
    Zone,
    distance_to_lines,
    predicted_exponents,
    regime_at,
    zone_at,
    zone_of,
)

GRID = list(itertools.product(np.arange(0.05, 2.5, 0.1), np.arange(-1.33, 1.33, 0.1)))


@pytest.mark.parametrize(
    ("gamma", "gamma_prime", "zone"),
    [
        (0.5, 0.0, Zone.THETA_LAZY),
        (0.99, 3.0, Zone.THETA_LAZY),
        (0.99, -3.0, Zone.THETA_LAZY),
        (1.3, 0.9, Zone.W_LAG),
        (1.3, -0.9, Zone.A_LAG),
        (1.3, 0.2, Zone.CONDENSED),
        (1.3, -0.2, Zone.CONDENSED),
        (1.0, 0.0, Zone.CRITICAL),
        (1.0, 0.7, Zone.CRITICAL),
        (1.0, -0.7, Zone.CRITICAL),
        (1.3, 0.3, Zone.CRITICAL),
        (1.3, -0.3, Zone.CRITICAL),
    ],
)
def test_known_places(gamma, gamma_prime, zone):
    assert zone_at(gamma, gamma_prime) is zone
    assert ScalingLaw.plain(gamma, gamma_prime).zone is zone


def test_zones_are_the_signs_of_the_exponents():
    signs = {(-1, -1): Zone.THETA_LAZY, (-1, 1): Zone.W_LAG, (1, -1): Zone.A_LAG}
    for gamma, gamma_prime in GRID:
        law = predicted_exponents(gamma, gamma_prime)
        sides = int(np.sign(law.w)), int(np.sign(law.a))
        assert zone_at(gamma, gamma_prime) is signs.get(sides, Zone.CONDENSED)


def test_the_law_is_linear_as_far_as_the_distance_to_its_lines():
    for gamma, gamma_prime in GRID:
        reach = 0.99 * distance_to_lines(gamma, gamma_prime) / 2
        for step in ((reach, 0), (0, reach), (reach, reach), (reach, -reach)):
            sides = [
                predicted_exponents(gamma + s * step[0], gamma_prime + s * step[1])[:2]
                for s in (-1, 0, 1)
            ]
            for before, here, after in zip(*sides, strict=True):
                assert before + after == pytest.approx(2 * here, abs=1e-9)


@pytest.mark.parametrize(
    "place", [(1.0, 0.3), (1.0, -2.0), (1.4, 0.4), (1.4, -0.4), (0.7, 0.0), (1.0, 0.0)]
)
def test_on_a_line_the_distance_is_zero(place):
    assert distance_to_lines(*place) == pytest.approx(0, abs=1e-12)


def test_the_layers_mirror_each_other():
    mirror = {Zone.W_LAG: Zone.A_LAG, Zone.A_LAG: Zone.W_LAG}
    for gamma, gamma_prime in GRID:
        zone = zone_at(gamma, gamma_prime)
        assert zone_at(gamma, -gamma_prime) is mirror.get(zone, zone)


def test_the_condensed_regime_of_the_input_weights_is_two_zones():
    for gamma, gamma_prime in GRID:
        condensed = regime_at(gamma, gamma_prime) is Regime.CONDENSED
        assert condensed == (zone_at(gamma, gamma_prime) in (Zone.A_LAG, Zone.CONDENSED))


def test_a_layer_on_the_verge_makes_the_zone_critical():
    for other in Regime:
        assert zone_of(Regime.CRITICAL, other) is Zone.CRITICAL
        assert zone_of(other, Regime.CRITICAL) is Zone.CRITICAL
    assert all(zone.alias for zone in Zone)


def test_without_a_zero_start_lazy_exponents_stop_at_those_of_one_half():
    # the slopes that are known for networks with a random first output
    for gamma_prime in (-0.7, 0.0, 0.4):
        law = predicted_exponents(0.2, gamma_prime, antisymmetric=False)
        assert law.w == pytest.approx(-0.5 - 2 * max(gamma_prime, 0))
        assert law.a == pytest.approx(-0.5 + 2 * min(gamma_prime, 0))
        for gamma in (0.5, 0.8, 1.4):
            same = predicted_exponents(gamma, gamma_prime, antisymmetric=False)
            assert same == predicted_exponents(gamma, gamma_prime)


def test_the_plain_law_has_its_point_and_divides_by_nothing():
    for gamma, gamma_prime in GRID[::7]:
        law = ScalingLaw.plain(gamma, gamma_prime)
        assert law.alpha == 0
        assert (law.gamma, law.gamma_prime) == pytest.approx((gamma, gamma_prime))
        assert law.at_width(1000).kappa == pytest.approx(1000**-gamma)
        assert law.at_width(1000).kappa_prime == pytest.approx(1000**-gamma_prime)


def test_a_place_must_be_finite():
    with pytest.raises(ArgumentError, match="`gamma` must be a finite number"):
        zone_at(float("nan"), 0.0)
    with pytest.raises(ArgumentError, match="`gamma_prime` must be a finite number"):
        ScalingLaw.plain(1.0, float("inf"))
