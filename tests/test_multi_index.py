"""Functions of several projections: text, values, overlaps, rotations, leap and reach, messages."""

import math
from itertools import permutations

import numpy as np
import pytest

from netphase import hermite
from netphase.errors import ArgumentError
from netphase.hermite import Monomials, multi_index, multiplicity_roots, staircase

RICH = "0.3 - z1 + 0.5*z1**2*z2 - h3(z3)*z1/2 + z2*z3"


def rotation(p, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((p, p)))[0]


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("z1 + z1*z2 + z1*z2*z3", lambda x, y, z: x + x * y + x * y * z),
        ("(z1 - z2)^2/2 + z3/3", lambda x, y, z: (x - y) ** 2 / 2 + z / 3),
        ("-z + 2*h2(z2)*z3", lambda x, y, z: -x + math.sqrt(2) * (y * y - 1) * z),
        (RICH, lambda x, y, z: 0.3 - x + x * x * y / 2 - (z**3 - 3 * z) / 24**0.5 * x + y * z),
    ],
)
def test_a_line_of_text_is_the_function_it_says(text, truth):
    points = np.random.default_rng(0).standard_normal((50, 3))
    found = multi_index(text)
    np.testing.assert_allclose(found(points[:, : found.projections]), truth(*points.T), atol=1e-12)


def test_hermite_polynomials_leave_no_rounding_behind():
    assert multi_index("z1**2 - 1").terms == {(2,): math.sqrt(2)}
    assert multi_index("h2(z2)*z1").terms == pytest.approx({(1, 2): 1.0}, rel=1e-15)


def test_ways_to_write_a_function():
    assert multi_index({(1, 1): 0.5, (1, 0): 1.0}).terms == {(1, 0): 1.0, (1, 1): 0.5}
    assert multi_index(hermite.expand([0.0, 2.0, 1.0])).terms == {(1,): 2.0, (2,): 1.0}
    assert staircase(3).terms == multi_index("z1 + z1*z2 + z1*z2*z3").terms
    found = staircase(2)
    assert multi_index(found) is found


def test_norms_of_the_degrees_add_up():
    found = multi_index(RICH)
    assert found.square == pytest.approx(np.sum(found.degree_norms**2))
    draws = np.random.default_rng(1).standard_normal((400_000, 3))
    squares = found(draws) ** 2
    assert abs(squares.mean() - found.square) < 4.5 * squares.std() / math.sqrt(len(draws))


def test_overlaps_equal_sampling():
    sigma, phi = hermite.expand([0.2, 1.0, -0.5, 0.3, 0.7]), multi_index(RICH)
    s = np.array([[0.5, -0.3, 0.6], [-0.2, 0.4, 0.1]])
    z = np.random.default_rng(2).standard_normal((400_000, 4))
    values = phi.cross(sigma)(s).value
    for row, value in zip(s, values, strict=True):
        x = z[:, :3] @ row + math.sqrt(1 - row @ row) * z[:, 3]
        products = phi(z[:, :3]) * sigma(x)
        assert abs(products.mean() - value) < 4.5 * products.std() / math.sqrt(len(z))


def test_slopes_of_overlaps_are_derivatives():
    cross = multi_index(RICH).cross(hermite.expand("relu"))
    s, h = np.array([[0.5, -0.3, 0.6], [0.0, 0.4, 0.0]]), 1e-6
    for j in range(3):
        step = h * np.eye(3)[j]
        difference = (cross(s + step).value - cross(s - step).value) / (2 * h)
        np.testing.assert_allclose(cross(s).slope[:, j], difference, atol=1e-9)


def test_one_projection_has_the_overlap_of_its_series():
    sigma, phi = hermite.expand("tanh"), hermite.expand([0.5, 1.0, -0.4, 0.2])
    s = np.linspace(-0.9, 0.9, 7)
    found, truth = multi_index(phi).cross(sigma)(s[:, None]), sigma.cross(phi)(s)
    np.testing.assert_allclose(found.value, truth.value, atol=1e-15)
    np.testing.assert_allclose(found.slope[:, 0], truth.slope, atol=1e-15)


def test_a_rotation_turns_the_function_and_keeps_its_norms():
    found, q = multi_index(RICH), rotation(3)
    turned = found.rotated(q)
    z = np.random.default_rng(3).standard_normal((20, 3))
    np.testing.assert_allclose(turned(z), found(z @ q.T), atol=1e-12)
    np.testing.assert_allclose(turned.degree_norms, found.degree_norms, atol=1e-13)
    back = turned.rotated(q.T)
    assert back.terms == pytest.approx(found.terms, abs=1e-13)


def test_kernel_of_all_monomials_is_a_power_of_the_product():
    modes = Monomials.up_to(3, 5)
    s = np.random.default_rng(4).uniform(-0.5, 0.5, (6, 3))
    weighted = multiplicity_roots(modes.exponents)[:, None] * modes.values(s)
    for k in range(6):
        part = weighted[modes.degrees == k]
        np.testing.assert_allclose(part.T @ part, (s @ s.T) ** k, atol=1e-15)


def test_derivatives_of_monomials():
    modes = Monomials.up_to(2, 4)
    s, h = np.random.default_rng(5).uniform(-1, 1, (4, 2)), 1e-6
    c = np.random.default_rng(6).standard_normal(len(modes.exponents))
    for j in range(2):
        step = h * np.eye(2)[j]
        difference = (modes.values(s + step) - modes.values(s - step)) / (2 * h)
        np.testing.assert_allclose(modes.slopes(modes.values(s))[j], difference, atol=1e-8)
        np.testing.assert_allclose(
            modes.gradient(c)[j] @ modes.values(s), c @ difference, atol=1e-8
        )


@pytest.mark.parametrize(
    ("text", "leap", "reached"),
    [
        ("z1 + z1*z2 + z1*z2*z3", 1, 3),
        ("z1 + h2(z2)", 2, 1),
        ("z1 + z1*z2*z3", 2, 1),
        ("z1 + z2*z3", 2, 1),
        ("h3(z1)", 3, 0),
        ("z1*z2", 2, 0),
        ("z1 + h2(z1) + z1*z2", 1, 2),
        ("3 + 0*z1", 0, 0),
        ("z1 + z2 + z1*z2", 1, 1),  # along z1 = z2 only: its isoleap is 2
        ("z1 + z2 + z1*z2 + z1*z1*z2", 1, 2),
    ],
)
def test_leap_and_reach(text, leap, reached):
    found = multi_index(text)
    assert found.leap() == leap
    basis = found.reach()
    assert len(basis) == reached
    np.testing.assert_allclose(basis @ basis.T, np.eye(reached), atol=1e-12)
    if found.projections > 1:
        q = rotation(found.projections, seed=7)
        turned = found.rotated(q).reach() @ q.T  # s of φ(Qz) is Qᵀ s
        np.testing.assert_allclose(turned.T @ turned, basis.T @ basis, atol=1e-7)


def test_the_leap_is_the_least_over_all_orders_of_the_terms():
    rng = np.random.default_rng(4)
    for _ in range(100):
        p, count = rng.integers(1, 5), rng.integers(1, 6)
        found = multi_index(
            {tuple(rng.integers(0, 4, p) * (rng.random(p) < 0.5)): 1.0 for _ in range(count)}
        )
        assert found.leap() == min(map(leap_in_order, permutations(found.terms)))


def leap_in_order(terms):
    known, largest = set(), 0
    for alpha in terms:
        largest = max(largest, sum(k for j, k in enumerate(alpha) if j not in known))
        known |= {j for j, k in enumerate(alpha) if k}
    return largest


@pytest.mark.parametrize("p", [1, 3, 6])
def test_parities_leap_all_their_coordinates(p):
    assert multi_index({(1,) * p: 1.0}).leap() == p
    assert staircase(p).leap() == 1


def test_letters_of_other_alphabets_and_comments_change_nothing():
    assert multi_index("ｚ3").terms == {(0, 0, 1): 1.0}
    assert multi_index("z1 # z9").projections == 1


def test_missing_degrees_of_the_activation_shorten_the_reach():
    target = staircase(3)
    assert len(target.reach(hermite.expand([1.0, 1.0, 1.0, 1.0]))) == 3
    assert len(target.reach(hermite.expand([1.0, 1.0, 1.0]))) == 2
    assert len(target.reach(hermite.expand("tanh"))) == 1


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("", "it cannot be read"),
        ("z0 + z1", "'z0' is none of z1, z2"),
        ("__import__('os')", "functions are h0, h1"),
        ("sin(z1)", "functions are h0, h1"),
        ("z1.real", "is no part of a polynomial"),
        ("z1/z2", "is no part of a polynomial"),
        ("z1**z2", "is no part of a polynomial"),
        ("z1**100", "is no part of a polynomial"),
        ("h2(z1*z2)", "functions are h0, h1"),
        ("(z1+z2+z3+z4)**60", "too many terms|degrees go up to"),
        ("1e308*1e308*z1", "a coefficient is not finite"),
        ("(" * 900 + "z1" + ")" * 900, "it cannot be read"),
        ("z1 + " * 1000 + "z1", "it may have 2000 letters"),
        ("z99", "variables z1 to z64"),
        ("ｚ99", "variables z1 to z64"),
        ("z1 - z1", "must not be zero"),
        ({}, "an empty dictionary"),
        ({(1, 0): 1.0, (1,): 1.0}, "keys of one length"),
        ({(1, -1): 1.0}, "tuples of integers ≥ 0"),
        ({(1, 0): math.nan}, "must be a finite number"),
        ({(True, 0): 1.0}, "tuples of integers ≥ 0"),
        ({1: 1.0, (1,): 2.0}, "name each term once"),
        ({(100,): 1.0}, "total degree 64"),
        (3.0, "but is float"),
    ],
)
def test_bad_functions_are_one_sentence(target, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        multi_index(target)


def test_bad_arguments_are_one_sentence():
    found = staircase(2)
    with pytest.raises(ArgumentError, match="2 projections in its last axis"):
        found(np.zeros((4, 3)))
    with pytest.raises(ArgumentError, match="orthogonal matrix"):
        found.rotated(np.ones((2, 2)))
    with pytest.raises(ArgumentError, match="HermiteSeries"):
        found.cross("relu")
    with pytest.raises(ArgumentError, match="of one variable here"):
        hermite.expand(found)
    with pytest.raises(ArgumentError, match="at most 64"):
        staircase(65)
