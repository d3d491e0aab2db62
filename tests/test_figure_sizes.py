"""The map of test error over width and sample size: what is drawn, where, and what is refused."""

import sys
from pathlib import Path

import numpy as np
import pytest

from netphase import figures
from netphase.analysis import measured_front
from netphase.errors import ArgumentError

sys.path.insert(0, str(Path(__file__).parent / "analysis"))
from test_front import SAMPLES, WIDTHS, quarter, step, synthetic


def drawn(**changes):
    results = synthetic(step(quarter), scalings=(0.0, 1.0), **changes)
    fronts = [measured_front(results, 0.0)]
    return results, fronts, figures.size_maps(results, fronts)


def legend_texts(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def panels(figure):
    return [axes for axes in figure.axes if axes.get_xlabel() == "width $m$"]


def test_every_panel_has_the_same_colours_and_the_medians():
    results, _, figure = drawn()
    conventional, mean_field, twins = panels(figure)
    titles = [axes.get_title(loc="left") for axes in panels(figure)]
    assert titles == ["(a) conventional", "(b) mean-field", "(c) random features"]
    limits = {axes.collections[0].get_clim() for axes in panels(figure)}
    assert len(limits) == 1
    assert conventional.collections[0].get_cmap().name == "viridis"
    shape = len(SAMPLES), len(WIDTHS)
    for axes, name, i in ((conventional, "test_error", 0), (twins, "rf_test_error", 0)):
        expected = np.log10(results[name].isel(scaling=i).median("seed").values)
        array = np.asarray(axes.collections[0].get_array()).reshape(shape)
        np.testing.assert_allclose(array, expected, atol=1e-9)
    assert mean_field.get_xscale() == mean_field.get_yscale() == "log"


def test_many_scalings_are_drawn_in_rows_and_none_is_left_out():
    scalings = tuple(np.arange(9) / 8)
    figure = figures.size_maps(synthetic(step(quarter), scalings=scalings))
    titles = [axes.get_title(loc="left") for axes in panels(figure)]
    assert len(titles) == 10
    assert titles[-1] == "(j) random features"
    assert len({axes.get_subplotspec().rowspan.start for axes in panels(figure)}) == 3


def test_the_lines_are_where_weights_and_neurons_equal_samples():
    _, _, figure = drawn()
    for axes in panels(figure):
        lines = {line.get_label(): line for line in axes.get_lines()}
        for label, divisor in (("$m = n/(d+1)$", 21), ("$m = n$", 1)):
            x, y = lines[label].get_data()
            np.testing.assert_allclose(y / x, divisor)


def test_the_front_is_drawn_in_its_own_panel_with_its_error():
    _, fronts, figure = drawn()
    with_front = [len(axes.containers) for axes in panels(figure)]
    assert with_front == [1, 0, 0]
    line, _, (bars,) = panels(figure)[0].containers[0]
    np.testing.assert_allclose(line.get_xdata(), fronts[0].width)
    np.testing.assert_allclose(line.get_ydata(), fronts[0].samples)
    low, high = fronts[0].bounds
    ends = np.array([segment[:, 0] for segment in bars.get_segments()])
    np.testing.assert_allclose(ends, np.stack([low, high], axis=1))


def test_cells_without_an_end_are_crossed_and_plateaus_dotted():
    def ended(n, m):
        if n == 50:
            return "maximum steps"
        return "stagnated" if m < 4 else "converged"

    _, _, figure = drawn(status=ended)
    first = panels(figure)[0]
    crossed = next(line for line in first.get_lines() if line.get_marker() == "x")
    assert set(crossed.get_ydata()) == {50}
    assert len(crossed.get_xdata()) == len(WIDTHS)
    dotted = next(line for line in first.get_lines() if line.get_label().startswith("most runs"))
    assert set(dotted.get_xdata()) == {m for m in WIDTHS if m < 4}
    assert not [line for line in panels(figure)[2].get_lines() if line.get_marker() == "x"]
    texts = legend_texts(figure)
    assert "too few runs ended" in texts
    assert len(texts) == len(set(texts)) == 5


def test_other_scalings_are_named_by_their_formula():
    assert figures.scaling_name(0.0) == "conventional"
    assert figures.scaling_name(1.0) == "mean-field"
    assert figures.scaling_name(0.5) == r"$\kappa = m^{-0.5}$"


def test_what_is_no_map_is_refused():
    results = synthetic(step(quarter))
    with pytest.raises(ArgumentError, match="two sample sizes and two widths"):
        figures.size_maps(results.isel(sample=[0]))
    with pytest.raises(ArgumentError, match="lacks the dimension width"):
        figures.size_maps(results.isel(width=0))
    nothing = results.copy()
    nothing["test_error"] = nothing["test_error"] * np.nan
    nothing["rf_test_error"] = nothing["rf_test_error"] * np.nan
    with pytest.raises(ArgumentError, match="must hold runs that count"):
        figures.size_maps(nothing)
