"""The analysis of a whole plane, on synthetic sweeps whose exponents are known."""

import numpy as np
import pytest

from netphase.analysis import RegimeVerdict, analyse_plane, boundary_of
from netphase.errors import ArgumentError, FitError
from netphase.results import PLANE

GAMMA = (0.8, 0.9, 1.0, 1.1, 1.2)
ROWS = (-0.2, 0.0, 0.2)
WIDTHS = (1000, 4000, 16000, 64000)


def exponent(gamma, gamma_prime):
    return gamma - 1.0 - max(gamma_prime, 0.0)


def synthetic(widths=WIDTHS, seeds=(0, 1, 2), noise=0.01, spoil=None):
    """A sweep with RD_w ∝ m^S_w, RD_a ∝ m^(2 S_w), and a largest RD_w of twice the final one."""
    rng = np.random.default_rng(5)
    rows = np.full((len(GAMMA), len(ROWS), len(widths), len(seeds), len(PLANE.quantities)), np.nan)
    for i, j, k, s in np.ndindex(*rows.shape[:4]):
        slope = exponent(GAMMA[i], ROWS[j])
        change = widths[k] ** slope * np.exp(noise * rng.standard_normal())
        scalars = {
            "status": "converged",
            "relative_change_w": change,
            "relative_change_a": change**2,
            "relative_change_theta": change,
            "max_relative_change_w": 2 * change,
            "max_relative_change_a": change,
            "max_relative_change_theta": change,
            "alignment_ratio": widths[k] / widths[-1] * (0.5 + 0.1 * s),
        }
        if spoil == (i, j, k, s):
            scalars |= {"status": "diverged", "relative_change_w": 1e30}
        rows[i, j, k, s] = PLANE.pack(scalars)
    axes = {"gamma": GAMMA, "gamma_prime": ROWS, "width": widths, "seed": seeds}
    return PLANE.dataset(axes, rows, {"title": "synthetic"})


def test_exponents_of_all_blocks_come_out_with_errors():
    plane = analyse_plane(synthetic())
    truth = np.array([[exponent(g, p) for g in GAMMA] for p in ROWS])
    for block, factor in (("w", 1), ("a", 2)):
        found = plane.sel(block=block)
        pulls = (found.exponent.values - factor * truth) / found.standard_error.values
        assert np.median(np.abs(pulls)) < 2.0
        assert np.all(np.abs(found.exponent.values - factor * truth) < 0.03)
    assert plane.exponent.dims == ("block", "gamma_prime", "gamma")
    assert np.all(plane.points.values == 12)


def test_zones_come_from_both_layers():
    plane = analyse_plane(synthetic())  # S_a = 2 S_w: both layers change sides together
    words = {-1: "θ-lazy", 0: "critical", 1: "condensed"}
    for row in ROWS:
        for gamma in GAMMA:
            found = plane.zone.sel(gamma=gamma, gamma_prime=row).item()
            sign = int(np.sign(np.round(exponent(gamma, row), 9)))
            assert found in (words[sign], "undetermined")
    assert np.mean(plane.zone.values == "undetermined") < 0.3
    assert np.all(analyse_plane(synthetic(widths=WIDTHS[:2], seeds=(0,))).zone == "undetermined")


def test_the_alignment_is_that_of_the_widest_networks_with_its_scatter():
    plane = analyse_plane(synthetic())
    np.testing.assert_allclose(plane.alignment_ratio, 0.6)
    np.testing.assert_allclose(plane.alignment_error, 0.1 / np.sqrt(3))
    spoilt = analyse_plane(synthetic(spoil=(0, 0, 3, 2)))
    assert spoilt.alignment_ratio.values[0, 0] == pytest.approx(0.55)
    assert spoilt.zone.values[0, 0] == "not converged"
    assert np.all(np.isnan(analyse_plane(synthetic(seeds=(0,))).alignment_error))


def test_cells_lend_each_other_certainty():
    plane = analyse_plane(synthetic()).sel(block="w")
    assert np.all(plane.degrees_of_freedom.values == 4.0)  # two of their own, two lent
    errors = plane.standard_error.values
    assert errors.max() / errors.min() < 4.0


def test_a_single_cell_has_nothing_lent_to_it():
    one = analyse_plane(synthetic().isel(gamma=[0], gamma_prime=[0])).sel(block="w")
    assert one.degrees_of_freedom.item() == 2.0


def test_verdicts_follow_the_truth():
    words = analyse_plane(synthetic()).verdict
    assert str(words.sel(gamma=0.8, gamma_prime=0.0).item()) == RegimeVerdict.LINEAR
    assert str(words.sel(gamma=1.2, gamma_prime=0.0).item()) == RegimeVerdict.CONDENSED
    assert str(words.sel(gamma=1.2, gamma_prime=-0.2).item()) == RegimeVerdict.CONDENSED
    assert str(words.sel(gamma=1.0, gamma_prime=0.2).item()) == RegimeVerdict.LINEAR


def test_a_run_that_ended_badly_marks_its_cell_and_stays_out_of_the_fit():
    plane = analyse_plane(synthetic(spoil=(2, 1, 3, 0)))
    cell = plane.sel(gamma=1.0, gamma_prime=0.0, block="w")
    assert str(cell.verdict.item()) == RegimeVerdict.NOT_CONVERGED
    assert abs(cell.exponent.item()) < 0.03
    assert cell.points.item() == 11
    assert int((~plane.converged).sum()) == 1


def test_largest_changes_can_be_analysed_in_place_of_final_ones():
    results = synthetic()
    final, largest = analyse_plane(results), analyse_plane(results, change="max")
    np.testing.assert_allclose(
        largest.prefactor.sel(block="w"), 2 * final.prefactor.sel(block="w"), rtol=1e-9
    )


def test_exponents_of_the_seeds_average_to_that_of_the_cell():
    plane = analyse_plane(synthetic())
    np.testing.assert_allclose(plane.seed_exponent.mean("seed"), plane.exponent, atol=1e-12)


def test_the_boundary_of_each_block_is_found_in_every_row():
    plane = analyse_plane(synthetic())
    found = boundary_of(plane)
    np.testing.assert_allclose(found.gamma_prime, ROWS)
    truth = np.array([1.0, 1.0, 1.2])
    assert np.all(np.abs(found.gamma - truth) < 3 * found.standard_error)
    assert np.all(found.standard_error < 0.03)
    stars = boundary_of(plane, method="whole row")
    np.testing.assert_allclose(stars.gamma, truth, atol=0.02)
    np.testing.assert_allclose(boundary_of(plane, block="a").gamma, truth, atol=0.02)


def test_one_width_has_no_exponent_anywhere():
    with pytest.raises(FitError, match="one width only"):
        analyse_plane(synthetic(widths=(1000,)))


def test_few_widths_are_remarked_upon():
    plane = analyse_plane(synthetic(widths=(1000, 2000)))
    assert "only 2 widths" in str(plane.remark.values[0, 0])


def test_cells_without_runs_are_undetermined():
    results = synthetic()
    empty = results.copy(deep=True)
    empty["status"][0, 0] = -1
    cell = analyse_plane(empty).isel(gamma=0, gamma_prime=0)
    assert str(cell.verdict.item()) == RegimeVerdict.UNDETERMINED
    assert np.isnan(cell.exponent.sel(block="w").item())


def test_unknown_words_are_refused():
    results = synthetic()
    with pytest.raises(ArgumentError, match="`change`"):
        analyse_plane(results, change="mean")
    with pytest.raises(ArgumentError, match="`method`"):
        boundary_of(analyse_plane(results), method="global")
