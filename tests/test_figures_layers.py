"""Figures of a layer sweep: what is drawn, where, and what is refused; nothing here trains."""

import numpy as np
import pytest

from netphase import figures, scalings
from netphase.analysis import frobenius_mislabels, layer_exponents
from netphase.errors import ArgumentError
from netphase.figures.layer_plane import LayerPlane
from netphase.figures.layers import LAZINESS_COLOURS
from netphase.scalings import LayerScaling

GRID = (0.25, 0.5, 0.75, 1.0, 1.25)
BASE = LayerScaling(g=(0.0, 0.5, 0.5))


@pytest.fixture(scope="module")
def sweep(layer_results):
    """The plane of g2 and g3, with a cell that did not converge: results and exponents."""
    results = layer_results(
        axes=("g2", "g3"),
        x=GRID,
        y=GRID,
        base=BASE,
        noise=0.002,
        spoilt={(0.25, 1.25, 512): "maximum steps"},
    )
    return results, layer_exponents(results)


def cells_of(axes):
    """The coloured cells of a map."""
    return next(each for each in axes.collections if each.get_array() is not None)


def titled(figure, words):
    """The panel whose left title ends with these words."""
    return next(axes for axes in figure.axes if axes.get_title(loc="left").endswith(words))


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_every_layer_has_a_map_of_its_exponents_with_zero_in_the_middle(sweep):
    _, exponents = sweep
    figure = figures.layer_maps(exponents, limit=1.0)
    for words, layer in (("inputs", 1), ("$W^{[2]}$", 2), ("output", 3)):
        mesh = cells_of(titled(figure, words))
        table = exponents["operator"].sel(layer=layer).transpose("g3", "g2").values
        np.testing.assert_array_equal(np.asarray(mesh.get_array()).reshape(table.shape), table)
        assert mesh.get_clim() == (-1.0, 1.0)
    largest = np.asarray(cells_of(titled(figure, "largest of all")).get_array()).reshape(5, 5)
    np.testing.assert_array_equal(largest, exponents["operator"].max("layer").values)


@pytest.mark.parametrize("draw", [figures.layer_maps, figures.norm_maps, figures.feature_maps])
def test_a_title_stands_above_all_panels(sweep, draw):
    assert draw(sweep[1], title="two layers").get_suptitle() == "two layers"
    assert draw(sweep[1]).get_suptitle() == ""


def test_verdicts_have_their_colours_and_the_legend_names_them_in_both_vocabularies(sweep):
    _, exponents = sweep
    figure = figures.layer_maps(exponents)
    codes = np.ma.asarray(cells_of(figure.axes[0]).get_array()).reshape(5, 5)
    words = exponents["verdict"].transpose("g3", "g2").values
    order = [verdict.value for verdict in LAZINESS_COLOURS]
    for place in np.ndindex(5, 5):
        if words[place] in order:
            assert codes[place] == order.index(words[place])
        else:
            assert codes.mask[place]
    assert words[4, 0] == "not converged"
    texts = legend(figure)
    assert "θ-lazy (linear: lazy, kernel)" in texts
    assert "below (condensed: rich, feature learning)" in texts
    assert "not converged" in texts
    assert "LeCun, He, PyTorch" in texts
    assert "μP, one rate" in texts


def test_exact_lines_are_where_the_predicted_exponents_vanish(sweep):
    _, exponents = sweep
    figure = figures.layer_maps(exponents)
    for axes, layer in ((figure.axes[0], None), (titled(figure, "$W^{[2]}$"), 2)):
        dashed = [line for line in axes.get_lines() if line.get_linestyle() == "--"]
        points = np.concatenate([line.get_xydata() for line in dashed])
        assert len(points) > 20
        for g2, g3 in points:
            law = LayerScaling(g=(0.0, g2, g3))
            layers = scalings.predicted_layers(law)
            value = law.log_m_kappa if layer is None else layers[layer - 1].operator
            assert value == pytest.approx(0.0, abs=1e-3)


def test_measured_boundaries_are_near_the_exact_ones_with_error_bars(sweep):
    _, exponents = sweep
    large = figures.layer_maps(exponents).axes[0]
    bars = [each for each in large.containers if type(each).__name__ == "ErrorbarContainer"]
    assert len(bars) == 2
    points = np.concatenate([bar.lines[0].get_xydata() for bar in bars])
    assert len(points) >= 6
    np.testing.assert_allclose(points.sum(axis=1), 1.5, atol=0.05)
    assert all(bar.lines[2] for bar in bars)


def test_the_frobenius_map_marks_exactly_the_mislabelled_cells(sweep):
    _, exponents = sweep
    figure = figures.norm_maps(exponents)
    wrong = frobenius_mislabels(exponents).sel(layer=2).transpose("g3", "g2")
    rows, columns = np.nonzero(wrong.values)
    # the layer moves with an exponent below 1/2 on and beyond the line g2 + g3 = 3/2
    assert 3 <= len(rows) < wrong.size / 2
    lines = titled(figure, "Frobenius norm").get_lines()
    dots = next(line for line in lines if line.get_linestyle() == "None").get_xydata()
    expected = np.column_stack([np.array(GRID)[columns], np.array(GRID)[rows]])
    np.testing.assert_array_equal(dots, expected)
    assert "the layer moves, and the Frobenius norm says that it stays" in legend(figure)


def test_one_hidden_layer_has_no_hidden_matrix_to_compare(layer_results):
    exponents = layer_exponents(layer_results(depth=1, axes=("g1", "g2")))
    with pytest.raises(ArgumentError, match="two hidden layers or more"):
        figures.norm_maps(exponents)
    assert len(figures.layer_maps(exponents).axes) == 1 + 3 + 1


def test_features_and_kernel_have_a_map_each(sweep):
    _, exponents = sweep
    figure = figures.feature_maps(exponents)
    np.testing.assert_array_equal(
        np.asarray(cells_of(titled(figure, "$x^{[2]}$")).get_array()).reshape(5, 5),
        exponents["feature"].sel(hidden=2).values,
    )
    np.testing.assert_array_equal(
        np.asarray(cells_of(titled(figure, "tangent kernel")).get_array()).reshape(5, 5),
        exponents["kernel"].values,
    )


def test_changes_of_a_cell_show_every_seed_with_measured_and_predicted_slopes(sweep):
    results, exponents = sweep
    figure = figures.layer_changes(results, exponents, [(0.5, 0.5), (1.0, 1.0)])
    texts = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert [text.rpartition(" ")[2] for text in texts] == ["(−1.5)", "(−0.5)", "(−0.5)"]
    for text, value in zip(texts, exponents["operator"].sel(g2=0.5, g3=0.5).values, strict=True):
        number = text.split(": ")[1].split(" ")[0].replace("−", "-")
        assert float(number) == pytest.approx(value, abs=0.006)
    drawn = {tuple(line.get_ydata()) for line in figure.axes[0].get_lines()}
    for seed in range(3):
        for name in ("operator_change_1", "operator_change_3", "frobenius_change_2"):
            run = results[name].sel(g2=0.5, g3=0.5, seed=seed)
            assert tuple(run.values) in drawn
    assert "θ-lazy" in figure.axes[0].get_title(loc="left")
    assert "below" in figure.axes[1].get_title(loc="left")


def test_runs_that_did_not_converge_are_not_drawn(sweep):
    results, exponents = sweep
    figure = figures.layer_changes(results, exponents, [(0.25, 1.25)])
    drawn = np.concatenate([line.get_ydata() for line in figure.axes[0].get_lines()])
    last = results["operator_change_2"].sel(g2=0.25, g3=1.25, width=512).values
    assert not np.isin(last, drawn).any()


def test_named_places_know_rates_up_to_the_clock(layer_results):
    def named(base):
        exponents = layer_exponents(layer_results(axes=("gamma", "g3"), base=base))
        return LayerPlane(exponents).named()

    ntk = scalings.layer_initialisation("ntk", 2, 3)
    assert named(ntk) == {(1.0, 0.5): "NTK", (1.5, 0.5): "mean field"}
    mup = scalings.layer_initialisation("mup", 2, 3)
    faster = mup.with_learning_rates(tuple(rate + 0.7 for rate in mup.rates))
    assert named(faster)[1.5, 1.0] == "μP"
    assert "μP" not in named(mup.with_learning_rates((0.0, 0.0, 0.5))).values()


@pytest.mark.parametrize("axes", [("alpha", "rate1"), ("rate3", "g1"), ("gamma", "rate2")])
def test_every_kind_of_axis_has_a_label(layer_results, axes):
    results = layer_results(axes=axes, x=(0.0, 0.5, 1.0), y=(0.0, 0.5, 1.0))
    figure = figures.layer_maps(layer_exponents(results))
    large = figure.axes[0]
    starts = {
        "alpha": r"$\log_m\,\alpha$  (",
        "gamma": r"$\gamma$  (from $\beta_{1}\cdots\beta_{3}/\alpha",
        "g1": r"$g_{1}$  (from $\beta_{1} = m^{-g_{1}}$)",
        **{f"rate{k}": rf"$\log_m\,\eta_{{{k}}}$  (learning rate of layer {k})" for k in (1, 2, 3)},
    }
    for label, name in zip((large.get_xlabel(), large.get_ylabel()), axes, strict=True):
        assert label.startswith(starts[name])


def test_bad_input_is_refused_in_a_sentence(sweep):
    results, exponents = sweep
    with pytest.raises(ArgumentError, match="at least two values of g2 and of g3"):
        figures.layer_maps(exponents.isel(g3=[0]))
    with pytest.raises(ArgumentError, match="must come from a layer sweep"):
        figures.layer_maps(exponents.drop_attrs())
    with pytest.raises(ArgumentError, match="`limit`"):
        figures.feature_maps(exponents, limit=0.0)
    with pytest.raises(ArgumentError, match=r"has g3 = 0\.3; there are 0\.25, 0\.5"):
        figures.layer_changes(results, exponents, [(0.5, 0.3)])
    with pytest.raises(ArgumentError, match="one to 4 cells, but holds 0"):
        figures.layer_changes(results, exponents, [])
