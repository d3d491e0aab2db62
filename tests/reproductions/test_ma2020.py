"""The reproduction of Ma et al. (2020): its measures can fail, and its smoke size holds."""

import math

import numpy as np
import pytest
import xarray as xr

from netphase import reproductions, targets
from netphase.kernels import relu_kernel
from netphase.reproductions import Verdict
from netphase.reproductions.ma2020 import circle, printed
from netphase.reproductions.ma2020.drawing import in_iterations
from netphase.reproductions.ma2020.even_lines import regular_lines
from netphase.reproductions.ma2020.finite import is_sparse
from netphase.reproductions.ma2020.single import has_two_phases, shape_of
from netphase.reproductions.ma2020.students import at, first_below, one_more, spaced, student

PAPER = reproductions.get("ma2020")


@pytest.fixture(scope="module")
def single():
    """A small student of a single neuron."""
    return student(targets.single_neuron(20), 40, 0, 5e-3, spaced(20_000), loss=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("figure", [1, 3, 7, 9, 10])
def test_smoke_size_of_a_figure_on_all_inputs_holds(figure, tmp_path, failed, with_verdict):
    checks = PAPER.run("smoke", (figure,), tmp_path)
    assert failed(checks) == []
    assert with_verdict(checks)
    assert list(tmp_path.glob(f"figure{figure}*.png"))


def test_the_printed_tables_belong_together():
    rows = [
        *(printed.SINGLE_ERROR, printed.SINGLE_FEATURES, printed.SINGLE_NORM),
        *(printed.CIRCLE_ERROR, printed.CIRCLE_FEATURES, printed.CIRCLE_NORM),
    ]
    assert {len(row) for row in rows} == {len(printed.TABLE_WIDTHS)}
    assert set(printed.TABLE_WIDTHS) <= set(printed.WIDTHS)
    assert {len(row) for row in printed.CONVENTIONAL_MAP} == {len(printed.CONVENTIONAL_WIDTHS)}
    assert {len(row) for row in printed.MEAN_FIELD_MAP} == {len(printed.MEAN_FIELD_WIDTHS)}
    assert len(printed.CONTRAST_WIDTHS) == len(printed.CONTRAST_MEAN_FIELD)
    assert len(printed.CONTRAST_WIDTHS) == len(printed.CONTRAST_CONVENTIONAL)
    losses = [*printed.NETWORK_LOSS.values()]
    assert losses == sorted(losses, reverse=True)


def test_the_winner_obeys_the_balance_law():
    assert pytest.approx(1.0, abs=1e-3) == printed.WINNER_W**2 - printed.WINNER_A**2
    assert pytest.approx(1.0, abs=1e-3) == printed.WINNER_A * printed.WINNER_W


@pytest.mark.parametrize("count", [3, 5])
def test_exact_plateaus_are_the_risks_of_even_polygons(count):
    angle = 2 * np.pi * np.arange(count) / count
    c = np.column_stack([np.cos(angle), np.sin(angle)])
    rest = targets.circle(2).minus(np.full(count, 1 / count), c)
    assert rest.square() == pytest.approx(printed.PLATEAUS[count], rel=1e-3)


def test_three_neurons_can_lower_their_plateau_by_their_amplitude():
    angle = 2 * np.pi * np.arange(3) / 3
    c = np.column_stack([np.cos(angle), np.sin(angle)])
    overlap = relu_kernel(c, c).sum()
    square = targets.circle(2).square()
    rest = targets.circle(2).minus(np.full(3, 1 / 3), c).square()
    with_target = (square + overlap / 9 - rest) / 2 * 3  # Σ_j ⟨f*, relu(c_j·x)⟩
    best = square - with_target**2 / overlap
    assert best / rest == pytest.approx(circle.AMPLITUDE, abs=1e-4)


# --- students ----------------------------------------------------------------------------------


def test_an_iteration_is_a_step_of_the_published_code(single):
    step = 4 * math.pi * 5e-3
    assert single["time"].values == pytest.approx(step * single["iteration"].values)
    assert float(single["test_error"][0]) * printed.CODE_LOSS == pytest.approx(math.pi)


def test_a_literal_step_descends_on_the_loss_of_the_published_code():
    target, rate = targets.single_neuron(6), 1e-2
    run = student(target, 8, 0, rate, np.array([1.0, 2.0, 3.0]), literal=True)
    w = run["w"].values[0]
    slope = -2 * relu_kernel(w, target.c)[:, 0] * printed.CODE_LOSS  # ∂(2πE e²)/∂a at a = 0
    assert run["a"].values[1] == pytest.approx(-rate * slope, rel=1e-9)


def test_flow_and_literal_descent_agree_at_small_rates():
    target, where = targets.single_neuron(10), np.array([200.0, 400.0])
    flow, literal = (
        student(target, 20, 0, 1e-3, where, literal=literal) for literal in (False, True)
    )
    assert at(literal, "test_error", where) == pytest.approx(
        at(flow, "test_error", where), rel=1e-2
    )


def test_spaced_iterations_increase_and_reach_both_ends():
    found = spaced(1e4, first=10)
    assert (found[0], found[-1]) == (10, 1e4)
    assert np.all(np.diff(found) >= 1)


def test_first_below_lies_between_records(single):
    level = 0.1
    found = first_below(single, level)
    assert printed.CODE_LOSS * at(single, "test_error", np.array([found]))[0] == pytest.approx(
        level
    )
    assert math.isnan(first_below(single, 1e-12))


def test_one_more_run_lies_in_the_range_as_often_as_said():
    random = np.random.default_rng(0)
    draws = random.standard_normal((4000, 7))
    inside = [one_more(row[:6]).holds(row[6]) for row in draws]
    assert np.mean(inside) == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 4000))


def test_a_record_in_iterations_keeps_its_events(single):
    shown = in_iterations(single)
    factor = single["iteration"].values[-1] / single["time"].values[-1]
    assert shown["time"].values == pytest.approx(single["iteration"].values)
    assert shown["event_time"].values == pytest.approx(factor * single["event_time"].values)


# --- measures ----------------------------------------------------------------------------------


def test_the_shape_of_a_loss_has_its_three_rates():
    clock = np.arange(0.0, 3001.0, 10.0)
    rate = np.select([clock < 100, clock < 1000, clock < 1500], [1e-2, 1e-3, 5e-3], 5e-4)
    loss = 0.5 * np.exp(-np.cumsum(rate * 10))
    run = xr.Dataset({"test_error": ("time", loss)}, coords={"iteration": ("time", clock)})
    found = shape_of(run)
    assert found == pytest.approx((1e-3, 5e-3, 5e-4), rel=1e-9)


def test_a_student_of_many_inputs_has_two_phases_and_its_beginning_has_not():
    wide = student(targets.single_neuron(100), 200, 3, 2e-3, spaced(10_000, frames=8))
    assert has_two_phases(wide)
    assert not has_two_phases(wide.isel(time=slice(0, 12)))


def test_five_neurons_are_counted_only_if_they_are_five():
    target = targets.finite_neurons(19, 5, 1)
    run = student(target, 20, 1, 1e-2, spaced(400_000), loss=1e-8)
    assert is_sparse(run)
    assert not is_sparse(run, 10)


@pytest.mark.parametrize("count", [3, 4, 5, 6])
def test_even_lines_are_counted_and_uneven_ones_are_not(count):
    angle = np.pi * np.arange(count) / count
    w = np.column_stack([np.cos(angle), np.sin(angle), np.zeros(count)])
    p = np.full(count, 1 / count)
    assert regular_lines(p, w) == count
    both = np.concatenate([w, -w[:1]])
    assert regular_lines(np.append(p, 0.1), both) == count  # opposite neurons share a line
    turned = w.copy()
    turned[1, :2] = turned[0, :2] @ np.array([[0.94, 0.342], [-0.342, 0.94]])  # 20° from the first
    assert regular_lines(p, turned) == 0


def test_lines_do_not_count_while_the_function_is_spread():
    angle = np.pi * np.arange(3) / 3
    w = np.concatenate([np.column_stack([np.cos(angle), np.sin(angle)]), np.ones((50, 2))])
    assert regular_lines(np.concatenate([np.full(3, 0.3), np.full(50, 0.05)]), w) == 0


def test_without_quenched_neurons_the_staircase_ends(tmp_path, with_verdict):
    checks = circle._support(
        reproductions.reproduction.Stage("smoke", tmp_path, lambda _: None),
        student(targets.circle(30), 60, 0, 1 / 120, spaced(4e5)),
    )
    assert [check.verdict for check in with_verdict(checks)] == [Verdict.REPRODUCED] * 4
