"""Verdicts on synthetic cells whose truth is known."""

import math

import numpy as np
import pytest

from netphase.analysis import RegimeVerdict, fit_power_law, judge, judge_zone
from netphase.analysis.verdict import uncertainty

WIDTHS = np.array([1000.0, 5000.0, 10000.0, 20000.0, 40000.0])
TRIALS = 300


def cell(rng, exponent, noise, seeds=1):
    values = WIDTHS**exponent * np.exp(noise * rng.standard_normal((seeds, len(WIDTHS))))
    return fit_power_law(WIDTHS, values)


@pytest.mark.parametrize(
    ("exponent", "expected"),
    [(-0.3, RegimeVerdict.LINEAR), (0.0, RegimeVerdict.CRITICAL), (0.3, RegimeVerdict.CONDENSED)],
)
@pytest.mark.parametrize(("seeds", "noise"), [(1, 0.003), (5, 0.02)])
def test_well_measured_cells_get_the_verdict_of_their_exponent(exponent, expected, seeds, noise):
    rng = np.random.default_rng(11)
    verdicts = [judge(cell(rng, exponent, noise, seeds), True) for _ in range(TRIALS)]
    assert np.mean([verdict == expected for verdict in verdicts]) > 0.85


def test_a_critical_cell_is_given_a_sign_no_more_often_than_the_confidence_allows():
    rng = np.random.default_rng(12)
    verdicts = [judge(cell(rng, 0.0, 0.02, 3), True) for _ in range(1000)]
    signed = np.mean([v in (RegimeVerdict.LINEAR, RegimeVerdict.CONDENSED) for v in verdicts])
    assert signed < 0.05 + 4 * math.sqrt(0.05 * 0.95 / 1000)


def test_a_badly_measured_cell_is_undetermined_and_never_critical():
    rng = np.random.default_rng(13)
    verdicts = {judge(cell(rng, 0.0, 1.0), True) for _ in range(50)}
    assert RegimeVerdict.CRITICAL not in verdicts
    assert RegimeVerdict.UNDETERMINED in verdicts


def test_two_widths_decide_nothing():
    fit = fit_power_law(WIDTHS[:2], np.array([1.0, 3.0]))
    assert judge(fit, True) is RegimeVerdict.UNDETERMINED


def test_a_cell_without_a_fit_is_undetermined():
    assert judge(None, True) is RegimeVerdict.UNDETERMINED


def test_a_cell_with_an_unfinished_run_is_not_converged_whatever_its_exponent():
    fit = fit_power_law(WIDTHS, WIDTHS**0.5)
    assert judge(fit, False) is RegimeVerdict.NOT_CONVERGED


def test_zones_join_the_verdicts_on_both_layers():
    verdict = RegimeVerdict
    expected = {
        (verdict.LINEAR, verdict.LINEAR): "θ-lazy",
        (verdict.LINEAR, verdict.CONDENSED): "w-lag",
        (verdict.CONDENSED, verdict.LINEAR): "a-lag",
        (verdict.CONDENSED, verdict.CONDENSED): "condensed",
        (verdict.CONDENSED, verdict.CRITICAL): "critical",
        (verdict.UNDETERMINED, verdict.CRITICAL): "undetermined",
        (verdict.LINEAR, verdict.UNDETERMINED): "undetermined",
        (verdict.UNDETERMINED, verdict.NOT_CONVERGED): "not converged",
    }
    assert {pair: judge_zone(*pair) for pair in expected} == expected


def test_a_significant_drift_keeps_a_small_exponent_from_being_given_a_sign():
    x = np.log(WIDTHS / 8000)
    values = np.exp(0.005 * x - 0.01 * x**2)[None] * np.ones((3, 1))
    values *= np.exp(1e-4 * np.random.default_rng(14).standard_normal(values.shape))
    fit = fit_power_law(WIDTHS, values)
    assert abs(fit.exponent) > fit.half_width()
    assert uncertainty(fit) == pytest.approx(0.5 * abs(fit.drift), rel=0.05)
    assert judge(fit, True) is RegimeVerdict.CRITICAL
