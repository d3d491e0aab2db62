"""Figures of several panels draw what they are given."""

import numpy as np
import pytest
import xarray as xr

from netphase import ArgumentError, Parameters, figures
from netphase.observables import features


def cloud(seed):
    rng = np.random.default_rng(seed)
    return features(Parameters(rng.standard_normal(20), rng.standard_normal((20, 2))))


def test_functions_over_clouds_has_one_column_a_network():
    x = np.linspace(-0.5, 0.5, 5)
    curve = xr.DataArray(x**2, dims="x", coords={"x": x})
    column = (curve, cloud(0), cloud(1))
    figure = figures.functions_over_clouds({"one": column, "two": column}, (x, x**2))
    assert len(figure.axes) == 4
    assert figure.axes[1].get_title() == "two"
    assert np.allclose(figure.axes[0].lines[0].get_ydata(), x**2)


def test_measure_against_width_averages_seeds():
    table = xr.DataArray(
        [[1.0, 3.0], [2.0, 6.0]], dims=("width", "seed"), coords={"width": [10, 20]}
    )
    figure = figures.measure_against_width({"a": table}, "N")
    assert figure.axes[0].lines[0].get_ydata().tolist() == [2.0, 4.0]
    assert figure.axes[0].get_ylabel() == "N"


def test_theory_tests_hides_a_bound_that_says_nothing():
    t = np.array([0.0, 1.0, 2.0])
    m = np.array([10.0, 20.0])
    figure = figures.theory_tests(
        {"l": (t, np.exp(-t), np.exp(-t / 2))},
        {"r": (m, m, np.array([0.0, 1.0]))},
        {"d": (m, np.ones((3, 2)))},
    )
    assert len(figure.axes) == 3
    bound = figure.axes[1].lines[1].get_ydata()
    assert np.isnan(bound[0])
    assert bound[1] == 1.0


@pytest.mark.parametrize(
    "draw",
    [
        lambda: figures.functions_over_clouds({}, (np.zeros(1), np.zeros(1))),
        lambda: figures.measure_against_width({}, "N"),
    ],
)
def test_panels_refuse_nothing_to_draw(draw):
    with pytest.raises(ArgumentError, match="empty"):
        draw()


def test_change_against_width_draws_the_prediction_dashed():
    table = xr.DataArray([1.0, 2.0], dims="width", coords={"width": [10, 20]})
    widths = np.array([10.0, 20.0])
    figure = figures.change_against_width({"a": table}, predicted={"a": (widths, 3 * widths)})
    dashed = [line for line in figure.axes[0].lines if line.is_dashed() and len(line.get_xdata())]
    assert dashed[0].get_ydata().tolist() == [30.0, 60.0]
