"""The reproduction of Luo et al. (2021): its measures can fail, and its smoke size holds."""

import math

import numpy as np
import pytest
import xarray as xr

from netphase import Parameters, reproductions
from netphase.errors import ArgumentError
from netphase.observables import features
from netphase.reproductions import Verdict
from netphase.reproductions.luo2021 import printed
from netphase.reproductions.luo2021.condensation import judged, relative_number, visible
from netphase.reproductions.luo2021.diagrams import compare_cells, plane_sweep
from netphase.reproductions.luo2021.images import width_of
from netphase.reproductions.luo2021.spikes import spike_angles
from netphase.reproductions.luo2021.theorems import conserved_drift, linear_error
from netphase.reproductions.luo2021.training import train
from netphase.reproductions.luo2021.widths import raw_change

PAPER = reproductions.get("luo2021")


@pytest.mark.parametrize("figure", [1, 2, 3, 5, 7])
def test_smoke_size_of_a_figure_holds(figure, tmp_path, failed, with_verdict):
    said = []
    checks = PAPER.run("smoke", (figure,), tmp_path, said.append)
    assert failed(checks) == []
    assert said
    drawn = {path.suffix for path in tmp_path.iterdir() if path.is_file()}
    assert drawn == ({".png", ".pdf"} if figure < 5 else set())
    assert bool(with_verdict(checks)) == (figure < 5)


@pytest.mark.slow
@pytest.mark.parametrize("figure", [4, 6, 10])
def test_smoke_size_of_a_slower_figure_holds(figure, tmp_path, failed, with_verdict):
    checks = PAPER.run("smoke", (figure,), tmp_path)
    assert with_verdict(checks)
    assert failed(checks) == []


@pytest.mark.slow
def test_smoke_size_of_the_whole_paper_holds(tmp_path, failed, with_verdict):
    checks = PAPER.run("smoke", None, tmp_path)
    assert failed(checks) == []
    assert {c.where for c in with_verdict(checks)} >= {"Theorem 6(b) and its proof", "Table 1"}


@pytest.mark.slow
def test_images_of_the_user_take_the_place_of_the_built_in_ones(tmp_path, with_verdict):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "mine.npz", x=rng.random((6, 3, 3)), y=np.arange(6.0))
    checks = PAPER.run("small", (5, 7), tmp_path, images=str(tmp_path / "mine.npz"))
    assert {check.where for check in checks} == {"Fig. 5", "Fig. 7"}
    assert not any("printed" in check.claim for check in checks)
    assert any("dimensions" in check.claim for check in with_verdict(checks))
    assert (tmp_path / "figure7.png").exists()


def test_the_printed_tables_have_the_shape_of_their_grid():
    assert {len(row) for row in printed.CELLS.values()} == {len(printed.GAMMA)}
    assert {len(row) for row in printed.IMAGE_CELLS.values()} == {len(printed.IMAGE_GAMMA)}
    assert {len(row) for row in printed.ROW_EXPONENTS} == {len(printed.ROW_GAMMA)}
    assert set(printed.CELLS) <= set(printed.GAMMA_PRIME)


def test_a_row_of_printed_cells_gives_its_printed_star():
    for gamma_prime in (0.0, -0.1, -0.2, -0.4):
        slope, start = np.polyfit(printed.GAMMA, printed.CELLS[gamma_prime], 1)
        assert -start / slope == pytest.approx(printed.STARS[gamma_prime], abs=0.0015)


def test_paper_size_of_the_plane_is_the_printed_grid():
    sweep = plane_sweep("paper")
    assert sweep.shape[:3] == (13, 9, 5)
    assert plane_sweep("small").coordinates["width"] == printed.WIDTHS


def test_raw_variables_give_the_relative_change_of_normalised_ones():
    ours = train(1.2, 0.0, 200).trajectory.relative_change_w[-1]
    assert raw_change(1.2, -0.5, 200) == pytest.approx(ours, rel=1e-4)
    assert raw_change(1.3, -0.5, 200) != pytest.approx(ours, rel=0.02)


def test_spike_angles_are_weighted_means_of_active_neurons():
    angles = np.array([-2.9, -3.0, -0.2, 1.5])
    w = np.column_stack([np.cos(angles), np.sin(angles)])
    cloud = features(Parameters(np.array([1.0, 1.0, 2.0, 0.05]), w))
    assert spike_angles(cloud) == pytest.approx([-2.95, -0.2])


def test_a_missing_spike_is_not_a_number():
    cloud = features(Parameters(np.ones(1), np.array([[1.0, -0.1]])))
    assert math.isnan(spike_angles(cloud)[0])


def test_conserved_drift_is_small_in_a_run_and_large_after_a_push():
    trained = train(1.2, 0.0, 200, tolerance=0.001)
    assert conserved_drift(trained) < 1e-3
    trained.trajectory.final.a[:] *= 1.5
    assert conserved_drift(trained) > 0.1


def test_network_follows_its_linearisation_when_lazy_only():
    assert linear_error(0.5, 4000, 0) < 0.4 * linear_error(1.0, 4000, 0)


def test_compare_cells_counts_the_cells_within_tolerance():
    row = xr.DataArray(
        [[0.0, 0.1, 0.2]],
        dims=("gamma_prime", "gamma"),
        coords={"gamma_prime": [0.0], "gamma": [0.9, 1.0, 1.1]},
    )
    cells = {(0.9, 0.0): 0.05, (1.0, 0.0): 0.2, (1.1, 0.0): 0.2}
    found = compare_cells(row, cells, "S_w", "Fig. 4")
    assert found.measured == "2 of 3"
    assert "γ = 1, γ' = 0" in found.claim


def cloud_table(slopes):
    """Relative entropy numbers m^slope at (γ, 0), the same for every seed but for a little."""
    widths = np.array([1000, 4000, 16000])
    table = [
        [[(1 + 0.001 * seed) * (m / 1000) ** slope for seed in range(3)] for m in widths]
        for slope in slopes.values()
    ]
    return xr.DataArray(
        np.array(table)[:, None],
        dims=("gamma", "gamma_prime", "width", "seed"),
        coords={"gamma": list(slopes), "gamma_prime": [0.0], "width": widths, "seed": [0, 1, 2]},
    )


def test_condensation_is_judged_on_each_side_of_the_line():
    for check in judged(cloud_table({0.7: 0.0, 1.0: 0.0, 1.3: -0.8}), "Fig. 6", "directions"):
        assert check.verdict is Verdict.REPRODUCED
    for check in judged(cloud_table({0.7: -0.3, 1.0: -0.2, 1.3: 0.0}), "Fig. 6", "directions"):
        assert check.verdict is Verdict.NOT_REPRODUCED


def test_entropy_number_is_taken_relative_to_the_start():
    results = xr.Dataset(
        {"entropy_number": (("width", "seed"), np.array([[114.0], [126.0]]))},
        coords={"width": [1000, 10000], "seed": [0]},
    )
    relative = relative_number(results)
    assert np.all(np.abs(relative.values - 1.0) < 0.05)


def test_visible_keeps_the_window_and_the_strongest_neuron():
    angles = np.array([0.1, 0.4, 0.6, 3.0])
    w = np.column_stack([np.cos(angles), np.sin(angles)])
    shown = visible(features(Parameters(np.array([1.0, 2.0, 3.0, 9.0]), w)), (-0.5, 0.5))
    assert shown.angle == pytest.approx([0.1, 0.4, 3.0])


def test_width_of_a_cloud_ignores_neurons_without_amplitude():
    w = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [-1.0, -1.0, -1.0]])
    even = width_of(features(Parameters(np.array([1.0, 1.0, 0.0]), w)))
    assert even == pytest.approx(0.0, abs=1e-12)
    assert width_of(features(Parameters(np.ones(3), w))) > 0.5


def test_images_for_figures_that_show_none_are_refused(tmp_path):
    with pytest.raises(ArgumentError, match=r"`images` needs a figure .* beside it: 5 or 7"):
        PAPER.run("smoke", (2, 3), tmp_path, images="mnist")
    with pytest.raises(ArgumentError, match="`images` must be a Dataset, a name or a path"):
        PAPER.run("smoke", (5,), tmp_path, images=np.ones((3, 3)))
