"""The checks of arguments: what they accept, what they refuse, and in which words."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netphase import _checks
from netphase.errors import ArgumentError


def test_the_sentence_of_a_refused_integer():
    with pytest.raises(ArgumentError) as caught:
        _checks.positive_int("width", -3)
    assert str(caught.value) == "Argument `width` must be a positive integer, but is -3."


@given(st.integers())
def test_integers_are_split_at_zero(value):
    if value >= 1:
        assert _checks.positive_int("k", value) == value
    else:
        with pytest.raises(ArgumentError):
            _checks.positive_int("k", value)
    if value >= 0:
        assert _checks.non_negative_int("k", value) == value
    else:
        with pytest.raises(ArgumentError):
            _checks.non_negative_int("k", value)


@pytest.mark.parametrize("value", [True, 1.0, "3", None, np.bool_(True), [1]])
def test_what_is_no_integer_is_refused(value):
    with pytest.raises(ArgumentError, match="`k` must be"):
        _checks.positive_int("k", value)


@pytest.mark.parametrize("value", [-1e-300, -math.inf, math.nan, True, "1", None])
def test_numbers_below_zero_and_none_at_all_are_refused(value):
    with pytest.raises(ArgumentError, match="`noise` must be"):
        _checks.non_negative_float("noise", value)
    assert _checks.non_negative_float("noise", 0) == 0.0


def test_numpy_integers_become_python_integers():
    assert type(_checks.positive_int("k", np.int32(4))) is int


@given(st.floats())
def test_floats_are_split_by_sign_and_finiteness(value):
    if math.isfinite(value):
        assert _checks.finite_float("z", value) == value
    else:
        with pytest.raises(ArgumentError):
            _checks.finite_float("z", value)
    if math.isfinite(value) and value > 0:
        assert _checks.positive_float("z", value) == value
    else:
        with pytest.raises(ArgumentError):
            _checks.positive_float("z", value)


@pytest.mark.parametrize("value", [True, "1.5", None, 1j, [1.0], 10**400])
def test_what_is_no_real_number_is_refused(value):
    with pytest.raises(ArgumentError, match="`z` must be"):
        _checks.finite_float("z", value)


def test_arrays_keep_float32_and_widen_the_rest():
    assert _checks.finite_array("x", np.ones(2, np.float32), 1).dtype == np.float32
    assert _checks.finite_array("x", [1, 2], 1).dtype == np.float64
    assert _checks.finite_array("x", np.ones(2, np.float16), 1).dtype == np.float64


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([[1.0]], "1 axis, but has shape"),
        ([], "must not be empty"),
        ([1.0, np.nan, np.inf], r"2 of its 3 entries are not \(the first at \[1\]\)"),
        (["a"], "array of real numbers"),
        ([1j], "array of real numbers"),
        ([[1.0], [1.0, 2.0]], "array of real numbers"),
    ],
)
def test_unusable_arrays_are_refused_in_words(value, words):
    with pytest.raises(ArgumentError, match=words):
        _checks.finite_array("x", value, 1)


def test_the_nearest_word_is_suggested():
    assert _checks.one_of("which", "a", ("w", "a")) == "a"
    with pytest.raises(ArgumentError, match="Did you mean 'tanh'"):
        _checks.one_of("activation", "tahn", ("relu", "tanh"))
    with pytest.raises(ArgumentError, match=r"but is 3\.$"):
        _checks.one_of("activation", 3, ("relu", "tanh"))


@pytest.mark.parametrize(
    ("value", "words"),
    [("ntk", "be an integer, but is of type str"), (int, "be an integer, but is the type int")],
)
def test_a_value_of_another_type_is_refused_in_words(value, words):
    _checks.instance_of("k", 3, int, "an integer")
    with pytest.raises(ArgumentError, match=f"`k` must {words}."):
        _checks.instance_of("k", value, int, "an integer")


def test_memory_is_refused_beyond_that_of_the_machine(monkeypatch):
    monkeypatch.setattr(_checks, "machine_memory", lambda: 2.0**31)
    _checks.check_memory(2.0**31, "Argument `x` must have fewer rows: kernels")
    with pytest.raises(ArgumentError, match=r"rows: kernels need 3 GiB, more than this machine"):
        _checks.check_memory(3 * 2.0**30, "Argument `x` must have fewer rows: kernels")
