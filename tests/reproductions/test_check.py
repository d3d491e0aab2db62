"""Checks: what each verdict asks for."""

import json
import math

import msgspec
import pytest

from netphase import ArgumentError, reproductions
from netphase.reproductions import Check, Verdict
from netphase.reproductions.check import at_least, at_most, below, close, every, same, untested


@pytest.mark.parametrize(
    ("measured", "error", "verdict"),
    [
        (1.09, None, "reproduced"),
        (0.89, None, "not reproduced"),
        (1.11, 0.001, "not reproduced"),
        (1.11, 0.02, "partly"),
        (1.11, math.nan, "not reproduced"),
        (math.nan, 0.02, "not reproduced"),
    ],
)
def test_close_judges_by_tolerance_then_error(measured, error, verdict):
    assert close("x", "Fig. 1", 1.0, measured, 0.1, error).verdict == verdict


@pytest.mark.parametrize(
    ("builder", "measured", "error", "verdict"),
    [
        (at_most, 0.9, None, "reproduced"),
        (at_most, 1.1, None, "not reproduced"),
        (at_most, 1.1, 0.06, "partly"),
        (at_least, 1.1, None, "reproduced"),
        (at_least, 0.9, None, "not reproduced"),
        (at_least, 0.9, 0.06, "partly"),
        (at_most, math.inf, 1.0, "not reproduced"),
    ],
)
def test_limits_judge_on_the_right_side(builder, measured, error, verdict):
    assert builder("x", "Fig. 1", 1.0, measured, error).verdict == verdict


@pytest.mark.parametrize(
    ("holds", "verdict"), [(20, "reproduced"), (11, "partly"), (10, "not reproduced")]
)
def test_a_claim_about_many_cases_counts_them(holds, verdict):
    found = every("x", "Fig. 4", holds, 20)
    assert (found.expected, found.measured) == ("20 of 20", f"{holds} of 20")
    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("measured", "verdict"), [(-0.3, "reproduced"), (-0.1, "partly"), (0.3, "not reproduced")]
)
def test_below_asks_for_two_standard_errors(measured, verdict):
    assert below("x", "eq. (15)", 0.0, measured, 0.1).verdict == verdict


def test_words_must_be_the_same():
    assert same("x", "Fig. 1", "linear", "linear").verdict is Verdict.REPRODUCED
    assert same("x", "Fig. 1", "linear", "condensed").verdict is Verdict.NOT_REPRODUCED


def test_an_untested_claim_keeps_its_expectation():
    found = untested("x", "Fig. 1", 0.5, 0.1)
    assert (found.expected, found.measured, found.tolerance) == (0.5, None, 0.1)
    assert found.verdict is Verdict.NOT_TESTED


def test_checks_go_through_json():
    found = close("x", "Fig. 1", 1.0, math.nan, 0.1, math.nan)
    text = json.dumps(msgspec.to_builtins(found), allow_nan=False)
    assert msgspec.json.decode(text, type=Check) == found


def test_an_unknown_paper_is_refused():
    with pytest.raises(ArgumentError, match="luo2021"):
        reproductions.get("luo2012")


def test_a_figure_without_results_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match="holds 8"):
        reproductions.get("luo2021").run("smoke", (2, 8), tmp_path)


def test_an_unknown_size_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match="size"):
        reproductions.get("luo2021").run("large", None, tmp_path)
