"""P_A as atoms: moments of the laws, texts, and refusals."""

import math

import numpy as np
import pytest

from netphase.dynamics import ExactOverlaps, output_atoms
from netphase.errors import ArgumentError


@pytest.mark.parametrize(("law", "fourth"), [("gaussian", 3.0), ("uniform", 9 / 5)])
def test_gauss_rules_have_the_moments_of_the_law(law, fourth):
    found = output_atoms(law, 12, "quadrature")
    moments = [found.weights @ found.atoms**k for k in range(5)]
    assert moments == pytest.approx([1.0, 0.0, 1.0, 0.0, fourth], abs=1e-12)
    assert found.density
    assert found.name == f"{law}:12:quadrature"


def test_quantiles_approach_the_variance():
    off = [1.0 - output_atoms("uniform", count).variance for count in (100, 200)]
    assert off[1] == pytest.approx(off[0] / 4, rel=1e-3)


@pytest.mark.parametrize("count", [5, 400])
def test_outermost_nodes_of_no_weight_are_left_out(count):
    found = output_atoms(f"gaussian:{count}:quadrature")
    assert np.all(found.weights > 0.0)
    assert math.fsum(found.weights) == pytest.approx(1.0)
    assert found.variance == pytest.approx(1.0)


def test_texts():
    assert output_atoms("-1.5,-0.5,0.4,1.7").atoms.tolist() == [-1.5, -0.5, 0.4, 1.7]
    assert output_atoms("2").atoms.tolist() == [2.0]
    weighted = output_atoms("-1@0.25,1@0.75")
    assert weighted.mean == 0.5
    assert not weighted.density
    assert output_atoms("rademacher").distinct == 2
    assert len(output_atoms("uniform:50").atoms) == 50
    assert output_atoms(weighted) is weighted


def test_any_quantile_function():
    found = output_atoms(lambda levels: -np.log1p(-levels), 400, "quadrature")
    assert found.mean == pytest.approx(1.0, abs=1e-3)
    assert found.density


def test_equal_atoms_are_one():
    assert output_atoms([1.0, 1.0, 1.0 + 1e-15]).distinct == 1
    assert output_atoms([1.0, 1.0, 1.0 + 1e-15]).variance == 0.0


def test_networks_are_drawn_with_the_weights():
    law = output_atoms("-1@0.25,1@0.75")
    a = ExactOverlaps([1, 1], [1, 1]).initial(400, outputs=law, seed=3).a
    assert abs(np.mean(a == 1.0) - 0.75) < 4 * math.sqrt(0.75 * 0.25 / 400)
    even = ExactOverlaps([1, 1], [1, 1]).initial(8, outputs=law, stratified=True).a
    assert sorted(even) == [-1.0] * 2 + [1.0] * 6


def test_networks_are_drawn_from_the_density_and_not_from_its_atoms():
    dynamics = ExactOverlaps([1, 1], [1, 1])
    a = dynamics.initial(50, outputs=output_atoms("gaussian:3"), seed=1).a
    assert a.tolist() == dynamics.initial(50, outputs="gaussian", seed=1).a.tolist()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: output_atoms("gauss"), "Did you mean 'gaussian'"),
        (lambda: output_atoms("uniform:x"), "must be a law"),
        (lambda: output_atoms("uniform:0"), "`count` must be a positive integer"),
        (lambda: output_atoms("uniform:5:nodes"), "`rule` must be one of"),
        (lambda: output_atoms("1,2@3"), "must be a law"),
        (lambda: output_atoms("1@0.5,2@0.6"), "must be positive and sum to one"),
        (lambda: output_atoms("rademacher", 5), "`count` must be left out"),
        (lambda: output_atoms([1.0, 2.0], 5), "`count` must be left out"),
        (lambda: output_atoms("uniform", weights=np.ones(2) / 2), "`weights` goes with atoms"),
        (lambda: output_atoms([1.0, 2.0], weights=[1.0]), "one entry for each of the 2 atoms"),
        (lambda: output_atoms([1.0, math.nan]), "`atoms` must be finite"),
        (lambda: output_atoms([1e200, -1.0]), "largest is 0 or from 1e-100 to 1e\\+100"),
        (lambda: output_atoms("1e-200"), "largest is 0 or from"),
    ],
)
def test_bad_input_is_one_sentence(call, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        call()
