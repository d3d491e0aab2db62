"""Formulas in the width: their values, their power laws, and what they refuse."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netphase.errors import ArgumentError
from netphase.scalings import evaluate, leading_power


@pytest.mark.parametrize(
    ("text", "exponent", "prefactor"),
    [
        ("1", 0, 1),
        ("m^-0.5", -0.5, 1),
        ("m**-0.5", -0.5, 1),
        ("2/m", -1, 2),
        ("sqrt(2/(m+d))", -0.5, math.sqrt(2)),
        ("1/sqrt(3*d)", 0, 1 / math.sqrt(21)),
        ("sqrt(m+1) - sqrt(m)", -0.5, 0.5),
        ("m^(1/3)", 1 / 3, 1),
        ("(m^2 + 5*m)/(3*m - 1)", 1, 1 / 3),
        ("-(-m)", 1, 1),
        ("pi*m^+2", 2, math.pi),
        ("exp(2*log(m))", 2, 1),
        ("exp(1/m)", 0, 1),
        ("2^-3", 0, 0.125),
        ("-2^2 + m", 1, 1),
    ],
)
def test_the_leading_power_of_a_formula(text, exponent, prefactor):
    law = leading_power(text, 7)
    assert law.exponent == pytest.approx(exponent, abs=1e-15)
    assert law.prefactor == pytest.approx(prefactor, rel=1e-15)


@given(st.floats(-3, 3), st.floats(1e-3, 1e3), st.integers(1, 10**6))
def test_a_pure_power_is_read_back(exponent, prefactor, m):
    text = f"({prefactor!r})*m^({exponent!r})"
    law = leading_power(text)
    assert law.exponent == pytest.approx(exponent, abs=1e-14)
    assert law.prefactor == pytest.approx(prefactor, rel=1e-12)
    assert evaluate(text, m) == pytest.approx(prefactor * float(m) ** exponent, rel=1e-12)


def test_values_are_exact_at_finite_width():
    assert evaluate("sqrt(2/(m+1))", 1000) == math.sqrt(2 / 1001)
    assert evaluate("m/d", 30, 3) == 10


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not a formula"),
        ("1/(m+", "is not a formula"),
        ("m^^2", "is not a formula"),
        ("m+" * 150 + "m", "longer than 200"),
        ("k*m", "unknown name 'k'"),
        ("d*m", "unknown name 'd'"),
        ("-m", "must be positive"),
        ("m-m", "must be positive"),
        ("0", "must be positive"),
        ("log(m)", "does not become a power of m"),
        ("2^m", "no finite value"),
        ("10^10^10^10", "no finite value"),
        ("1/(m-m)", "no finite value"),
        ("sqrt(-m)", "no finite value"),
        ("exp(-m)", "must be positive"),
        ("1e999", "must be positive|no finite value"),
        ("__import__('os')", "not allowed"),
        ("m.real", "not allowed"),
        ("[m]", "not allowed"),
        ("True", "not allowed"),
        ("1j", "not allowed"),
        ("'a'", "not allowed"),
        ("m if m else 1", "not allowed"),
        ("m // 2", "not allowed"),
        ("sqrt(m, 2)", "not allowed"),
        ("lambda: 1", "not allowed"),
        ("m\x00", "is not a formula"),
    ],
)
def test_what_is_no_power_law_is_refused_in_one_sentence(text, words):
    with pytest.raises(ArgumentError, match=words) as caught:
        leading_power(text)
    assert "\n" not in str(caught.value).replace(text, "")


def test_deep_brackets_are_a_formula():
    assert leading_power("(" * 90 + "m" + ")" * 90).exponent == 1


def test_a_value_outside_floats_is_refused():
    with pytest.raises(ArgumentError, match="out of the range of a float"):
        evaluate("m^-200", 10**6)
