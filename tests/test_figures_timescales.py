"""Figures of learning time-scales: what is drawn is what is in the record."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from netphase import figures
from netphase.errors import ArgumentError
from netphase.figures.stages import MOST_CURVES, curves_of, median, power_of_ten, steps_of
from netphase.learning import timescales

ATOMS = [-1.5, -0.5, 0.4, 1.7]
ALL = ("risk_staircase", "degree_residuals", "learning_times", "rescaled_risk", "growth")


@pytest.fixture(scope="module")
def results():
    return timescales([1, 1, 1], [1, -1, 2 / 3], outputs=ATOMS, epsilons=[1e-6, 1e-8, 1e-10, 1e-12])


def of_colour(axes, colour):
    return [line for line in axes.lines if to_hex(line.get_color()) == to_hex(colour)]


def words(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_curves_go_from_dark_to_light_as_epsilon_falls(results):
    curves = curves_of(results)
    assert [each.epsilon for each in curves] == [1e-6, 1e-8, 1e-10, 1e-12]
    assert len({each.colour for each in curves}) == 4
    many = results.isel(epsilon=[0, 1, 2, 3] * 4)
    assert len(curves_of(many)) == MOST_CURVES


def test_the_staircase_has_every_curve_over_predicted_plateaus_and_times(results):
    figure = figures.risk_staircase(results)
    axes = figure.axes[0]
    for curve in curves_of(results):
        lines = of_colour(axes, curve.colour)
        drawn = [line for line in lines if len(line.get_xdata()) == len(curve.time)]
        np.testing.assert_array_equal(drawn[0].get_ydata(), curve.of(results["risk"].values)[0])
        rings = [line for line in lines if line.get_marker() == "o" and len(line.get_xdata()) == 1]
        expected = results["predicted_time"].values[curve.place]
        assert [float(ring.get_xdata()[0]) for ring in rings] == expected.tolist()
    flat = {float(line.get_ydata()[0]) for line in axes.lines if list(line.get_xdata()) == [0, 1]}
    assert flat == {step.after for step in steps_of(results)[:2]}  # the last one is zero
    low, high = axes.get_ylim()
    assert low < steps_of(results)[1].after < 1.253 < high
    assert len(words(figure)) == 4 + 3


def test_half_of_a_degree_is_left_where_the_ring_sits(results):
    smallest = results.isel(epsilon=[3])
    axes = figures.risk_staircase(smallest).axes[0]
    (curve,) = curves_of(smallest)
    rings = [line for line in of_colour(axes, curve.colour) if line.get_marker() == "o"]
    for ring in rings[:2]:  # closed forms; degree 2 is 4 % late still
        time, height = float(ring.get_xdata()[0]), float(ring.get_ydata()[0])
        risk = np.interp(np.log(time), np.log(curve.time), smallest["risk"].values[0, 0])
        assert risk == pytest.approx(height, rel=0.03)


def test_residuals_start_at_one_and_are_marked_at_a_half(results):
    figure = figures.degree_residuals(results)
    assert [axes.get_title() for axes in figure.axes] == [
        rf"$\varepsilon = 10^{{{power}}}$" for power in (-6, -10, -12)
    ]
    assert words(figure) == ["degree 0", "degree 1", "degree 2", "predicted times"]
    one = figures.degree_residuals(results, epsilon=3e-8)
    assert len(one.axes) == 1
    assert "10^{-8}" in one.axes[0].get_title()
    marks = [line for line in one.axes[0].lines if len(line.get_xdata()) == 1]
    learnt = results["learning_time"].values[1, 0].tolist()
    assert [float(line.get_xdata()[0]) for line in marks] == learnt


def test_times_are_drawn_with_fitted_and_predicted_exponents(results):
    figure = figures.learning_times(results)
    labels = words(figure)
    assert len(labels) == 4
    assert labels[0].startswith("degree 0: 1.000 ± <0.001 (1)")
    assert labels[1].endswith("(1/2)")
    assert labels[2].endswith("(1/4)")
    points = [line for line in figure.axes[0].lines if line.get_label() in labels[:3]]
    for degree, line in enumerate(points):
        expected = results["learning_time"].values[::-1, 0, degree]
        np.testing.assert_array_equal(line.get_ydata(), expected)


def test_rescaled_curves_of_small_epsilon_fall_on_the_logistic(results):
    figure = figures.rescaled_risk(results)
    assert [axes.get_xlabel() for axes in figure.axes] == [
        r"$t/\varepsilon$",
        r"$(t - t_1)/\sqrt{\varepsilon}$",
        r"$t/\varepsilon^{1/4}$",
    ]
    axes = figure.axes[1]
    (logistic,) = [line for line in axes.lines if line.get_linestyle() == ":"]
    curve = curves_of(results)[-1]
    (drawn,) = of_colour(axes, curve.colour)
    x = np.linspace(-3, 3, 25)
    np.testing.assert_allclose(
        np.interp(x, drawn.get_xdata(), drawn.get_ydata()),
        np.interp(x, logistic.get_xdata(), logistic.get_ydata()),
        atol=0.005,
    )


def test_growth_marks_where_degrees_are_learnt(results):
    figure = figures.growth(results)
    for axes, name in zip(figure.axes, ("rms_a", "rms_s"), strict=True):
        curve = curves_of(results)[-1]
        lines = [line for line in of_colour(axes, curve.colour) if len(line.get_xdata())]
        assert len(lines) == 1 + 3
        np.testing.assert_array_equal(lines[0].get_ydata(), results[name].values[-1, 0])


@pytest.mark.parametrize("name", ALL)
def test_nothing_fails_on_what_is_not_known(results, name):
    draw = getattr(figures, name)
    blank = results.copy(deep=True)
    for each in ("learning_time", "window_start", "window_end", "plateau", "exponent",
                 "exponent_error", "predicted_width"):  # fmt: skip
        blank[each][:] = np.nan
    blank["predicted_time"][:, 2] = np.inf
    draw(blank, width=3.5).savefig("/dev/null", format="png")
    draw(results.isel(epsilon=[1])).savefig("/dev/null", format="png")
    cut = results.copy(deep=True)
    cut["risk"][:, :, 200:] = np.nan
    draw(cut).savefig("/dev/null", format="png")


@pytest.mark.parametrize("name", ALL)
def test_several_seeds_are_drawn_as_median_and_band(results, name):
    import xarray as xr

    several = xr.concat([results] * 3, "seed", data_vars="minimal").transpose("epsilon", ...)
    several["risk"] = several["risk"] * xr.DataArray([0.5, 1.0, 3.0], dims="seed")
    several["t"] = results["t"]
    order = {key: results[key].dims for key in results.data_vars}
    several = several.assign({key: several[key].transpose(*dims) for key, dims in order.items()})
    figure = getattr(figures, name)(several)
    if name == "risk_staircase":
        curve = curves_of(results)[0]
        lines = of_colour(figure.axes[0], curve.colour)
        drawn = [line for line in lines if len(line.get_xdata()) == len(curve.time)]
        np.testing.assert_allclose(drawn[0].get_ydata(), results["risk"].values[0, 0])
        assert len(figure.axes[0].collections) == 4


def test_other_records_are_refused(results):
    for name in ALL:
        with pytest.raises(ArgumentError, match=r"must be a record of netphase\.timescales"):
            getattr(figures, name)(results.drop_vars("learning_time"))
    with pytest.raises(ArgumentError, match="two records of a run"):
        figures.growth(results.isel(record=[0]))


def test_helpers():
    assert power_of_ten(1e-4) == "10^{-4}"
    assert power_of_ten(3e-4) == r"3 \times 10^{-4}"
    assert power_of_ten(0.5) == "0.5"
    table = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]])
    np.testing.assert_array_equal(median(table), [2.0, np.nan])
