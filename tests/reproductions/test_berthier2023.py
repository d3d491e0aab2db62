"""Reproduction of Berthier, Montanari & Zhou (2023): its measures can fail; smoke size holds."""

import dataclasses
import itertools
import math

import numpy as np
import pytest

from netphase import reproductions
from netphase.dynamics import MeanFieldOverlaps, StageExponents, plateau_risks
from netphase.reproductions import Verdict
from netphase.reproductions.berthier2023 import collapse, failures, inputs, setting, staircase
from netphase.reproductions.berthier2023.flows import flow
from netphase.reproductions.berthier2023.missing import CASES

PAPER = reproductions.get("berthier2023")


@pytest.fixture(scope="module")
def flows():
    return [flow(epsilon, 3.0) for epsilon in (1e-11, 1e-12, 1e-13)]


def test_smoke_size_of_the_times_holds(tmp_path, failed):
    checks = PAPER.run("smoke", (3,), tmp_path)
    assert failed(checks) == []
    assert len(checks) > 25
    assert (tmp_path / "figure3.png").exists()


@pytest.mark.slow
@pytest.mark.parametrize("figure", [1, 4, 6, 7, 9, 12])
def test_smoke_size_of_a_figure_holds(figure, tmp_path, failed):
    checks = PAPER.run("smoke", (figure,), tmp_path)
    assert failed(checks) == []
    assert list(tmp_path.glob(f"figure{figure}*.png"))


def test_the_reference_numbers_belong_together():
    assert plateau_risks(np.array(setting.PHI))[:3] == pytest.approx(setting.PLATEAUS)
    for row in setting.TABLE.values():
        assert list(row) == sorted(row)
    exact = math.log(0.975 / 0.5)
    for epsilon in (1e-8, 1e-12):
        assert setting.TABLE[epsilon][0] / epsilon == pytest.approx(exact, rel=1e-6)


# --- windows and plateaus ----------------------------------------------------------------------


def test_windows_lie_around_the_times(flows):
    for each in flows:
        assert np.all(each.start < each.times)
        assert np.all(each.times < each.end)


def test_the_window_of_degree_one_is_that_of_a_logistic_fall(flows):
    # 1/(1 + e^(2x)) falls from 0.9 to 0.1 over ln 9, x in units of √ε
    assert flows[-1].width[1] / math.sqrt(1e-13) == pytest.approx(math.log(9.0), rel=1e-3)


def test_rows_are_dense_enough_for_the_windows(flows):
    each = flows[-1]
    for degree in setting.DEGREES:
        inside = (each.solution.time > each.start[degree]) & (each.solution.time < each.end[degree])
        assert inside.sum() >= 20


def test_plateaus_are_told_by_their_heights(flows):
    assert set(staircase.steps(flows[-1])) == {0, 1, 2, 3}
    assert 3 not in staircase.steps(flow(1e-8, 3.0))


def test_a_target_out_of_order_is_noticed(flows):
    swapped = dataclasses.replace(flows[-1].solution, crossing_times=flows[-1].times[::-1])
    (order, *_) = staircase._order([dataclasses.replace(flows[-1], solution=swapped)])
    assert order.verdict is Verdict.NOT_REPRODUCED


# --- collapse ----------------------------------------------------------------------------------


def test_curves_at_another_power_do_not_come_together(flows, monkeypatch):
    right = collapse.spread(flows, 1).distance
    monkeypatch.setattr(
        collapse, "stage_exponents", lambda _: StageExponents(1, 0.5, 0.4, -0.25, 0.25)
    )
    assert collapse.spread(flows, 1).distance.min() > 100 * right.max()


def test_the_logistic_curve_is_told_from_others(flows):
    slow = flow(1e-4, 3.0)
    assert collapse.logistic_error(flows[-1]) < 2e-4 < 0.05 < collapse.logistic_error(slow)


# --- failures of P_A ---------------------------------------------------------------------------


def test_the_floor_of_groups_is_an_infimum():
    phi = np.array(setting.PHI)
    floor, one = failures.groups_floor(phi), failures.groups_floor(phi, 1)
    assert floor < one
    draw = np.random.default_rng(0)
    for s in draw.uniform(-1, 1, (300, 2)):
        basis = s[:, None] ** np.arange(4)
        rest = phi - np.linalg.lstsq(basis.T, phi, rcond=None)[0] @ basis
        assert 0.5 * rest @ rest >= floor - 1e-12


def test_two_groups_learn_what_two_groups_can_express():
    s = np.array([0.3, -0.7])
    phi = np.array([1.5, -0.5]) @ (s[:, None] ** np.arange(4))
    assert failures.groups_floor(phi) == pytest.approx(0.0, abs=1e-10)
    assert failures.groups_floor(phi, 1) > 1e-3


def test_carriers_are_counted_from_the_largest():
    assert failures.carriers(np.array([1.0, 1.0, 8.0, 0.0])) == 0.25
    assert failures.carriers(np.ones(10)) == pytest.approx(0.8)
    assert failures.carriers(np.array([12.0, -1.0, -1.0, 0.0])) == 0.25


# --- finitely many inputs ----------------------------------------------------------------------


def test_random_overlaps_hasten_degree_one():
    times = [inputs.first_time((1e-6, d, 0, 400)) for d in (10**5, 10**6, 10**9)]
    assert times == sorted(times)
    limit = MeanFieldOverlaps(
        1e-6, np.array(setting.SIGMA), np.array(setting.PHI), np.array(setting.ATOMS)
    ).solve(end=0.02)
    assert times[-1] == pytest.approx(limit.crossing_times[1], rel=1e-3)


# --- missing degrees ---------------------------------------------------------------------------


def test_cases_lack_the_degrees_between():
    for case in CASES:
        both = np.array(case.activation) * np.array(case.target)
        assert both[case.last] != 0.0
        assert both[case.degree] != 0.0
        assert np.all(np.abs(both[case.last + 1 : case.degree]) < 1e-12)


def test_every_power_of_theory_is_tested():
    assert {case.exponent for case in CASES} == {0.0, -0.25}
    for one, other in itertools.combinations(CASES, 2):
        assert one.name != other.name
