"""The canonical order and its failures, each by its reason."""

import json

import numpy as np
import pytest

from netphase.hermite import relu
from netphase.learning import timescales

SIGMA, PHI, ATOMS = [1, 1, 1, 1], [1, -1, 2 / 3, -1 / 3], [-1.5, -0.5, 0.4, 1.7]
EARLY = [1e-4, 1e-5, 1e-6, 1e-7, 1e-8]


def verdict(activation, target, outputs, epsilons=None):
    found = timescales(activation, target, outputs=outputs, epsilons=epsilons)
    return found.attrs["verdict"], found.attrs["level"], found.attrs["reason"]


def test_canonical_orders():
    assert verdict(SIGMA, PHI, ATOMS)[:2] == ("canonical", 3)
    assert verdict(SIGMA, [1, -1, 2 / 3, 1 / 3], ATOMS)[:2] == ("canonical", 3)
    assert verdict(relu(0.5), PHI, ATOMS)[:2] == ("canonical", 3)
    assert verdict("tanh", [0, 1], ATOMS)[:2] == ("canonical", 1)


@pytest.mark.parametrize(
    ("activation", "target", "outputs", "epsilons", "level", "reason"),
    [
        (SIGMA, PHI, "rademacher", None, 1, "P_A has 2 different atoms"),
        (SIGMA, PHI, [-1, 0.2, 1.3], None, 2, "P_A has 3 different atoms"),
        ("relu", PHI, ATOMS, None, 2, "σ_3 = 0"),
        ("relu", [1, 1, 1, 0, -0.5], ATOMS, None, 2, "t_4 ∝"),
        ("tanh", [0, 1, 0, -0.5], ATOMS, None, 1, "at a time of order one"),
        ("tanh", [0, 1, 0, 0.5], ATOMS, None, 1, "has not the sign of σ_1 φ_1"),
        (SIGMA, [1, 0, 0.5], ATOMS, None, 0, "σ_1 φ_1 = 0"),
        (SIGMA, [1, -1, 0, -1 / 3], ATOMS, None, 1, "with nothing learnt between"),
        ([0, 1, 1], [1, 1, 1], ATOMS, None, -1, "σ_0 = 0"),
        # one neuron: half of degree 1 is learnt, at a time of order one, and a part never
        (SIGMA, PHI, [0.3], [1e-9, 1e-10, 1e-11, 1e-12, 1e-13], 0, "P_A has one atom"),
        # too few atoms for the degree before the last, which is not learnt at all
        (SIGMA, [-1, -1, -0.7, 1], [-0.61, 0.82], None, 1, "Degree 2 is not learnt by t = 1e+03"),
        # degree 1 comes back above 10 % when degree 3 is learnt
        ([-1, 0.5, 0.5, 1], [-1, 1, 0, 1], [0.71, -1.01, -0.61], None, 0, "t_3 ∝"),
        (SIGMA, PHI, "uniform:400", EARLY, 2, "P_A has a density"),
        (SIGMA, PHI, "gaussian:400", [1e-5, 1e-6, 1e-7, 1e-8, 1e-9], 2, "P_A has a density"),
    ],
)
def test_orders_that_are_not_canonical(activation, target, outputs, epsilons, level, reason):
    word, found, why = verdict(activation, target, outputs, epsilons)
    assert (word, found) == ("not canonical", level), why
    assert reason in why


@pytest.mark.parametrize(
    ("epsilons", "level", "reason"),
    [
        ([1e-3, 1e-4, 1e-5], 1, "Smaller ε would tell"),
        (EARLY, 2, "with ε ≤ 1e-09, and there are 0"),
        ([1e-4, 1e-6, 1e-8, 1e-10, 1e-12], 2, "with ε ≤ 1e-09, and there are 2"),
        ([1e-9, 1e-10], -1, "three values of ε at least, and there are 2"),
        ([1e-6, 1e-7, 1e-8, 1e-9, 1e-10], 2, "with ε ≤ 1e-09, and there are 2"),
        ([0.1, 0.03, 0.01], 0, "t_1"),
    ],
)
def test_too_short_a_range_is_undetermined(epsilons, level, reason):
    word, found, why = verdict(SIGMA, PHI, ATOMS, epsilons)
    assert (word, found) == ("undetermined", level), why
    assert reason in why


def test_few_neurons_are_not_taken_for_a_failure_of_the_order():
    found = timescales(
        SIGMA, PHI, outputs=ATOMS, solver="exact", width=30, epsilons=[0.1, 0.03, 0.01]
    )
    assert found.attrs["verdict"] == "undetermined"


def test_what_is_learnt_from_the_start_is_passed_over():
    assert verdict(SIGMA, PHI, [-0.9, 0.4, 1.1, 3.4])[:2] == ("canonical", 3)  # ⟨a⟩ = φ_0/σ_0


def test_a_truncated_series_is_said():
    found = timescales("relu", [1, 1, 1], outputs=ATOMS, epsilons=[1e-6])
    assert any("cut behind degree 31" in each for each in json.loads(found.attrs["warnings"]))
    assert np.isfinite(found.learning_time.values).all()


def test_the_exponent_of_degree_two_rests_on_small_epsilon():
    # 1e-3 alone would draw it away from 1/4 by more than its error
    found = timescales([1, 1, 1], [1, -1, 1], outputs=ATOMS, epsilons=[1e-3, 1e-6, 1e-9, 1e-12])
    assert found.exponent_points.values.tolist() == [4, 4, 3]
    assert found.exponent.values[2] == pytest.approx(0.25, abs=0.01)
    assert found.attrs["verdict"] == "canonical"


def test_a_target_of_zero_has_no_order():
    word, level, reason = verdict(SIGMA, [0], ATOMS)
    assert (word, level) == ("undetermined", -1)
    assert "nothing to learn" in reason
