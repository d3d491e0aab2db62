"""Figures: what is drawn, where, and what is refused; nothing here runs a network."""

import errno
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from netphase import figures, scalings
from netphase.errors import ArgumentError
from netphase.figures.cells import cell_edges
from netphase.figures.curves import with_error
from netphase.observables import Features

GAMMA = np.array([0.6, 0.8, 0.95, 1.0, 1.05, 1.2])
GAMMA_PRIME = np.array([-0.2, 0.0, 0.2])


def exponents():
    table = [[scalings.predicted_exponents(g, row).w for g in GAMMA] for row in GAMMA_PRIME]
    coords = {"gamma_prime": GAMMA_PRIME, "gamma": GAMMA}
    return xr.DataArray(table, coords=coords, dims=("gamma_prime", "gamma"))


def zeros(gamma, error=0.02):
    return SimpleNamespace(
        gamma_prime=GAMMA_PRIME,
        gamma=np.asarray(gamma, dtype=float),
        standard_error=np.full(len(GAMMA_PRIME), error),
    )


def planar(angle, amplitude):
    angle = np.asarray(angle, dtype=float)
    direction = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return Features(direction, np.asarray(amplitude, dtype=float), angle)


def legend_texts(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def line_of(axes, label):
    found = [line for line in axes.get_lines() if line.get_label() == label]
    assert len(found) == 1, f"{len(found)} lines labelled {label!r}"
    return found[0]


def test_phase_diagram_colours_are_symmetric_about_zero_and_follow_the_exponents():
    figure = figures.phase_diagram(exponents(), limit=0.5)
    mesh = figure.axes[0].collections[0]
    assert mesh.get_clim() == (-0.5, 0.5)
    assert mesh.get_cmap().name == "RdBu"
    np.testing.assert_array_equal(mesh.get_array(), exponents().values)


def test_phase_diagram_orders_a_shuffled_transposed_table():
    shuffled = exponents().isel(gamma=[3, 0, 5, 1, 4, 2]).transpose("gamma", "gamma_prime")
    mesh = figures.phase_diagram(shuffled).axes[0].collections[0]
    np.testing.assert_array_equal(mesh.get_array(), exponents().values)


def test_cells_reach_half_way_to_their_neighbours():
    np.testing.assert_allclose(cell_edges(np.array([0.0, 1.0, 3.0])), [-0.5, 0.5, 2.0, 4.0])


@pytest.mark.parametrize(
    ("which", "at_minus", "at_plus"), [("w", 1.0, 1.2), ("a", 1.2, 1.0), ("theta", 1.0, 1.0)]
)
def test_exact_boundary_is_dashed_and_where_theory_puts_it(which, at_minus, at_plus):
    figure = figures.phase_diagram(exponents(), which=which)
    line = line_of(figure.axes[0], "exact boundary, infinite width")
    gamma, rows = line.get_data()
    assert line.get_linestyle() == "--"
    assert np.interp(-0.2, rows, gamma) == pytest.approx(at_minus)
    assert np.interp(0.2, rows, gamma) == pytest.approx(at_plus)
    assert np.interp(0.0, rows, gamma) == pytest.approx(1.0)


def test_measured_boundary_is_drawn_with_its_band_and_gaps_where_there_is_no_zero():
    figure = figures.phase_diagram(exponents(), boundary=zeros([0.98, np.nan, 1.17]))
    axes = figure.axes[0]
    bands = [c for c in axes.collections if type(c).__name__ == "FillBetweenPolyCollection"]
    assert len(bands) == 1
    drawn = [line for line in axes.get_lines() if line.get_color() == "#006d2c"]
    assert any(np.array_equal(x.get_xdata(), [0.98, np.nan, 1.17], equal_nan=True) for x in drawn)


def test_whole_row_and_published_zeros_are_stars():
    figure = figures.phase_diagram(
        exponents(), whole_row=zeros([1.0, 1.04, 1.24]), published=zeros([1.0, 1.039, 1.238])
    )
    for label in ("zero of a straight line through the whole row", "published zero of such a line"):
        assert line_of(figure.axes[0], label).get_marker() == "*"


def test_only_initialisations_inside_the_axes_are_named():
    texts = " ".join(legend_texts(figures.phase_diagram(exponents())))
    assert "Xavier" in texts
    assert "mean field" in texts
    assert "NTK" not in texts
    assert "Xavier" not in " ".join(legend_texts(figures.phase_diagram(exponents(), names=False)))


def test_legend_tells_the_regimes_in_both_vocabularies():
    texts = " ".join(legend_texts(figures.phase_diagram(exponents())))
    for words in ("linear (lazy, kernel)", "critical (mean-field", "condensed (rich, feature"):
        assert words in texts


def test_legend_has_the_colours_of_the_map():
    figure = figures.phase_diagram(exponents())
    mesh, patches = figure.axes[0].collections[0], figure.legends[0].get_patches()[:3]
    drawn = mesh.get_cmap()([0.1, 0.5, 0.9])  # of S < 0, S ≈ 0 and S > 0
    for colour, patch in zip(drawn, patches, strict=True):
        np.testing.assert_allclose(colour, patch.get_facecolor(), atol=0.15)


def test_unusable_cells_are_hatched_and_explained():
    verdicts = xr.full_like(exponents(), "linear", dtype=object)
    verdicts[0, 0] = "undetermined"
    verdicts[1, 2] = "not converged"
    figure = figures.phase_diagram(exponents(), verdicts=verdicts)
    hatched = {patch.get_hatch(): patch.get_xy() for patch in figure.axes[0].patches}
    edges = cell_edges(GAMMA), cell_edges(GAMMA_PRIME)
    assert hatched["//////"] == pytest.approx((edges[0][0], edges[1][0]))
    assert hatched["xxxxxx"] == pytest.approx((edges[0][2], edges[1][1]))
    assert {"undetermined", "not converged"} <= set(legend_texts(figure))


def test_phase_diagram_survives_cells_without_an_exponent(tmp_path):
    table = exponents()
    table[0, :] = np.nan
    figures.save(figures.phase_diagram(table, boundary=zeros([np.nan] * 3)), tmp_path / "gaps")
    assert (tmp_path / "gaps.png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("values", "ends"), [(0.1, "neither"), (-0.9, "min"), (0.9, "max"), (None, "both")]
)
def test_colour_bar_shows_which_end_saturates(values, ends):
    table = xr.zeros_like(exponents())
    table[0, 0] = -0.9 if values is None else values
    table[0, 1] = 0.9 if values is None else 0.0
    bar = figures.phase_diagram(table).axes[1]._colorbar
    assert bar.extend == ends


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (xr.DataArray(np.zeros((2, 2)), dims=("x", "gamma")), "dimensions"),
        (exponents().isel(gamma=[0]), "at least two"),
        (exponents().isel(gamma=0, drop=True), "dimensions"),
    ],
)
def test_phase_diagram_refuses_what_is_no_plane(table, words):
    with pytest.raises(ArgumentError, match=words):
        figures.phase_diagram(table)


def test_phase_diagram_refuses_a_limit_of_zero():
    with pytest.raises(ArgumentError, match="limit"):
        figures.phase_diagram(exponents(), limit=0.0)


def test_initialisation_plane_marks_every_known_one_at_its_place():
    figure = figures.initialisation_plane()
    marks = {
        (float(line.get_xdata()[0]), float(line.get_ydata()[0]))
        for line in figure.axes[0].get_lines()
        if line.get_marker() == "D"
    }
    assert marks == {(0.5, 0.5), (0.5, 0.0), (1.0, 0.0)}
    texts = " ".join(text.get_text() for text in figure.axes[0].texts)
    for name in scalings.known_initialisations():
        assert name in texts


def test_initialisation_plane_grows_to_hold_the_callers_points():
    axes = figures.initialisation_plane([("far", 4.0, -3.0)]).axes[0]
    assert axes.get_xlim()[1] > 4.0
    assert axes.get_ylim()[0] < -3.0
    assert "far" in [text.get_text() for text in axes.texts]


def test_initialisation_plane_refuses_an_empty_range():
    with pytest.raises(ArgumentError, match="gamma_range"):
        figures.initialisation_plane(gamma_range=(1.0, 1.0))


def power_law(prefactor, exponent, error):
    return SimpleNamespace(prefactor=prefactor, exponent=exponent, standard_error=error)


def test_change_against_width_draws_the_fit_and_quotes_its_slope():
    widths = np.array([100, 1000, 10000])
    change = xr.DataArray(
        np.outer([1.0, 1.1], widths**-0.5), dims=("seed", "width"), coords={"width": widths}
    )
    figure = figures.change_against_width({"A": change}, {"A": power_law(1.05, -0.5, 0.011)})
    assert legend_texts(figure) == ["A: slope −0.500 ± 0.011"]
    axes = figure.axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    drawn = [line.get_ydata() for line in axes.get_lines() if len(line.get_ydata()) == 3]
    np.testing.assert_allclose(sorted(map(tuple, drawn)), sorted(map(tuple, change.values)))
    fitted = next(line for line in axes.get_lines() if len(line.get_xdata()) == 50)
    np.testing.assert_allclose(fitted.get_ydata(), 1.05 * fitted.get_xdata() ** -0.5)


def test_change_against_width_refuses_fits_of_something_else():
    table = xr.DataArray([1.0, 2.0], dims="width", coords={"width": [1, 2]})
    with pytest.raises(ArgumentError, match="'B'"):
        figures.change_against_width({"A": table}, {"B": power_law(1.0, 0.0, 0.0)})
    with pytest.raises(ArgumentError, match="empty"):
        figures.change_against_width({})
    with pytest.raises(ArgumentError, match="dimension `width`"):
        figures.change_against_width({"A": table.rename(width="m")})


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (-0.5061, 0.0123, "−0.506 ± 0.012"),
        (1.0, 0.3, "1.00 ± 0.30"),
        (0.25, float("nan"), "0.250"),
        (12.0, 34.0, "12 ± 34"),
    ],
)
def test_errors_are_given_to_two_digits(value, error, text):
    assert with_error(value, error) == text


def test_exponents_against_gamma_draws_errors_theory_and_boundary():
    row = exponents().sel(gamma_prime=0.0, drop=True)
    figure = figures.exponents_against_gamma(
        {"row": row},
        {"row": xr.full_like(row, 0.02)},
        predicted={"row": (GAMMA, row.values)},
        boundary=1.0,
    )
    axes = figure.axes[0]
    assert len(axes.containers) == 1
    np.testing.assert_array_equal(axes.containers[0].lines[0].get_ydata(), row.values)
    assert line_of(axes, "exact boundary").get_xdata()[0] == 1.0
    assert "infinite width" in legend_texts(figure)


def test_exponents_against_gamma_refuses_a_plane():
    with pytest.raises(ArgumentError, match="single dimension gamma"):
        figures.exponents_against_gamma({"plane": exponents()})


def run_result(times):
    times = np.asarray(times, dtype=float)
    names = ["loss", "relative_change_w", "relative_change_a", "relative_change_theta"]
    return xr.Dataset(
        {name: ("time", 10.0**-k * (1.0 + times)) for k, name in enumerate(names)},
        coords={"time": times},
    )


def test_training_curves_leave_out_the_start_and_share_the_clock():
    above, below = figures.training_curves(run_result([0.0, 1.0, 10.0])).axes
    np.testing.assert_array_equal(above.get_lines()[0].get_data(), [[1.0, 10.0], [2.0, 11.0]])
    assert above.get_xlim() == below.get_xlim()
    assert "normalised time" in below.get_xlabel()


def test_training_curves_refuse_what_holds_no_curve():
    with pytest.raises(ArgumentError, match="after the start"):
        figures.training_curves(run_result([0.0]))
    with pytest.raises(ArgumentError, match="lacks loss"):
        figures.training_curves(run_result([0.0, 1.0]).drop_vars("loss"))


def test_network_output_goes_with_its_data_points():
    x = np.linspace(-1.0, 1.0, 5)
    curve = xr.DataArray(x**2, dims="x", coords={"x": x})
    figure = figures.network_output(
        curve, (np.array([-1.0, 1.0]), np.array([1.0, 1.0])), initial=xr.zeros_like(curve)
    )
    assert legend_texts(figure) == ["initial", "trained", "data"]
    np.testing.assert_array_equal(line_of(figure.axes[0], "trained").get_ydata(), x**2)
    with pytest.raises(ArgumentError, match="single dimension x"):
        figures.network_output(curve.rename(x="t"), (x, x))


def test_feature_cloud_divides_both_clouds_by_the_largest_final_amplitude():
    figure = figures.feature_cloud(
        planar([0.0, 1.0, 2.0], [1.0, 2.0, 1.0]), planar([0.1, 1.1, 2.1], [1.0, 8.0, 0.0])
    )
    axes = figure.axes[0]
    np.testing.assert_allclose(line_of(axes, "trained").get_ydata(), [0.125, 1.0, 0.0])
    np.testing.assert_allclose(line_of(axes, "initial").get_ydata(), [0.125, 0.25, 0.125])
    np.testing.assert_allclose(line_of(axes, "trained").get_xdata(), [0.1, 1.1, 2.1])
    assert axes.get_xlim() == pytest.approx((-np.pi, np.pi))


def test_feature_cloud_of_many_inputs_shows_the_projection_on_the_ones():
    direction = np.eye(4)[:2]
    cloud = Features(direction, np.array([1.0, 2.0]), None)
    axes = figures.feature_cloud(cloud, cloud).axes[0]
    np.testing.assert_allclose(line_of(axes, "trained").get_xdata(), [0.5, 0.5])
    assert "projection" in axes.get_xlabel()
    assert axes.get_xlim() == (-1.0, 1.0)


@pytest.mark.parametrize("amplitude", [0.0, np.nan, np.inf])
def test_feature_cloud_refuses_a_cloud_without_a_size(amplitude):
    with pytest.raises(ArgumentError, match="amplitudes"):
        figures.feature_cloud(planar([0.0], [1.0]), planar([0.0], [amplitude]))


def test_feature_cloud_refuses_clouds_of_different_inputs():
    wide = Features(np.eye(4)[:1], np.array([1.0]), None)
    with pytest.raises(ArgumentError, match="4 and 2"):
        figures.feature_cloud(wide, planar([0.0], [1.0]))


def test_cloud_grid_frames_the_critical_line_and_draws_the_widest_on_top():
    small, large = planar([0.0], [1.0]), planar([0.1, 0.2], [1.0, 2.0])
    cells = {(g, row): {10: small, 20: large} for g in (0.9, 1.0, 1.1) for row in (-0.1, 0.0, 0.1)}
    figure = figures.cloud_grid(cells)
    assert len(figure.axes) == 9
    framed = [axes.spines["left"].get_linewidth() > 1.0 for axes in figure.axes]
    # rows γ' = 0.1, 0, -0.1 from above; columns γ = 0.9, 1, 1.1
    assert framed == [False, False, True, False, True, False, False, True, False]
    lines = figure.axes[0].get_lines()
    assert [len(line.get_xdata()) for line in lines] == [1, 2]
    assert len(legend_texts(figure)) == 3


def test_cloud_grid_leaves_missing_cells_empty_and_refuses_nothing_at_all():
    cells = {(0.9, 0.0): {10: planar([0.0], [1.0])}, (1.0, 0.1): {10: planar([0.0], [1.0])}}
    drawn = [len(axes.get_lines()) for axes in figures.cloud_grid(cells).axes]
    assert drawn == [0, 1, 1, 0]
    with pytest.raises(ArgumentError, match="empty"):
        figures.cloud_grid({})


def test_panel_labels_stand_above_the_left_corner():
    axes = figures.new_figure(1.0, 1.0).add_subplot()
    figures.panel_label(axes, "(a)")
    assert axes.get_title(loc="left") == "(a)"


def test_save_writes_the_formats_asked_for_and_makes_folders(tmp_path):
    figure = figures.initialisation_plane()
    paths = figures.save(figure, tmp_path / "new" / "plane.v2", ("pdf", "svg", "png"))
    assert [path.name for path in paths] == ["plane.v2.pdf", "plane.v2.svg", "plane.v2.png"]
    assert paths[0].read_bytes()[:5] == b"%PDF-"
    assert b"<svg" in paths[1].read_bytes()[:1000]
    width = int.from_bytes(paths[2].read_bytes()[16:20], "big")
    assert width == round(figures.style.COLUMN * 200)
    with pytest.raises(ArgumentError, match="'gif'"):
        figures.save(figure, tmp_path / "plane", ("gif",))


def test_saved_figures_are_the_same_bytes_each_time(tmp_path):
    first = figures.save(figures.initialisation_plane(), tmp_path / "a", ("pdf", "svg"))
    again = figures.save(figures.initialisation_plane(), tmp_path / "b", ("pdf", "svg"))
    for one, two in zip(first, again, strict=True):
        assert one.read_bytes() == two.read_bytes()


def test_figures_leave_the_users_settings_and_pyplot_alone():
    import matplotlib

    before = dict(matplotlib.rcParams)
    figures.phase_diagram(exponents())
    assert dict(matplotlib.rcParams) == before


def test_a_figure_that_does_not_fit_on_the_disk_leaves_no_half_written_file(tmp_path, monkeypatch):
    def full(path, content):
        path.touch()
        assert content
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        figures.save(figures.initialisation_plane([]), tmp_path / "plane")
    assert list(tmp_path.iterdir()) == []
