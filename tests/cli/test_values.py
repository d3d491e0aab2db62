"""Option values: lists, ranges, whole numbers, bounds."""

import click
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netphase.cli.values import LOG_NUMBERS, NUMBERS, SEEDS, WIDTHS, Real, StepSize


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("0.6:1.4:0.2", (0.6, 0.8, 1.0, 1.2, 1.4)),
        ("-0.2:0.2:0.1", (-0.2, -0.1, 0.0, 0.1, 0.2)),
        ("−0.2", (-0.2,)),
        ("1,0.5, 2", (0.5, 1.0, 2.0)),
        ("0:1:0.5,0.75,1", (0.0, 0.5, 0.75, 1.0)),
        ("1:1:5", (1.0,)),
        ("0:1:0.3", (0.0, 0.3, 0.6, 0.9)),
        ("1e-3", (0.001,)),
    ],
)
def test_lists_and_ranges(text, numbers):
    assert NUMBERS.convert(text, None, None) == numbers


@given(start=st.integers(-300, 300), count=st.integers(0, 200), step=st.sampled_from([1, 2, 5, 10]))
def test_ranges_are_exact_decimals_with_both_ends(start, count, step):
    text = f"{start / 100}:{(start + count * step) / 100}:{step / 100}"
    numbers = NUMBERS.convert(text, None, None)
    assert numbers == tuple((start + k * step) / 100 for k in range(count + 1))


@pytest.mark.parametrize(
    ("kind", "text", "numbers"),
    [
        (WIDTHS, "1000,500", (500, 1000)),
        (WIDTHS, "1e4", (10000,)),
        (WIDTHS, "100:300:100", (100, 200, 300)),
        (SEEDS, "0:4", (0, 1, 2, 3, 4)),
        (SEEDS, "-3,7", (-3, 7)),
    ],
)
def test_whole_numbers(kind, text, numbers):
    found = kind.convert(text, None, None)
    assert found == numbers
    assert all(type(number) is int for number in found)


def test_a_converted_value_passes_unchanged():
    assert NUMBERS.convert((1.0, 0.5), None, None) == (1.0, 0.5)
    assert WIDTHS.convert((5, 3), None, None) == (5, 3)


def test_bounds_of_a_number():
    assert Real(above=0.0, below=1.0).convert("0.5", None, None) == 0.5
    for text in ("0", "1", "x", "inf"):
        with pytest.raises(click.BadParameter):
            Real(above=0.0, below=1.0).convert(text, None, None)


def test_a_step_is_a_number_or_auto():
    assert StepSize(above=0.0).convert("auto", None, None) == "auto"
    assert np.isclose(StepSize(above=0.0).convert("1e-2", None, None), 0.01)


def test_even_ratios_end_on_round_numbers():
    convert = LOG_NUMBERS.convert
    assert convert("1e-4:1e-12:5", None, None) == (1e-12, 1e-10, 1e-8, 1e-6, 1e-4)
    assert convert("1e-8:1e-4:3,0.5", None, None) == (1e-8, 1e-6, 1e-4, 0.5)
    assert convert("3e-4", None, None) == (3e-4,)
