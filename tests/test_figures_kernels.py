"""Figures of kernels: what is drawn is what was measured."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from netphase import figures
from netphase.concentration import kernel_concentration, kernel_degeneracy
from netphase.dynamics import Descent
from netphase.errors import ArgumentError
from netphase.figures.style import INK, SERIES
from netphase.scalings import layer_initialisation

DATA = "sines?n=4&inputs=3&amplitude=0.2"
OF_KERNELS = ("kernel_errors", "kernel_spectra", "layer_shares", "loss_decay")


@pytest.fixture(scope="module")
def results():
    return kernel_concentration(
        DATA,
        layer_initialisation("ntk", 2, 4),
        activation="erf",
        widths=(16, 32, 64),
        seeds=(0, 1, 2),
        train_by=Descent("stable"),
    )


def labels(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def lines(axes, colour):
    return [line for line in axes.lines if to_hex(line.get_color()) == to_hex(colour)]


def test_errors_have_their_fitted_slopes_and_the_expected_one(results):
    left, right = figures.kernel_errors(results).axes
    assert len(labels(left)) == 5  # Θ, three layers, m^(−1/2)
    assert len(labels(right)) == 3
    slope = float(results["tangent_exponent"])
    assert f"{slope:.2f}".replace("-", "−") in labels(left)[0]
    three = [x for x in left.lines if len(x.get_xdata()) == 3]
    whole = next(x for x in three if x.get_ls() == "-" and x in lines(left, INK))
    drawn = np.polyfit(np.log(whole.get_xdata()), np.log(whole.get_ydata()), 1)[0]
    assert drawn == pytest.approx(slope)
    half = next(x for x in three if x.get_ls() == "--")
    assert half.get_ydata()[0] / half.get_ydata()[-1] == pytest.approx(2.0)
    means = [x.get_ydata() for x in lines(left, INK) if x.get_marker() == "o"]
    assert any(np.allclose(y, results["tangent_error"].mean("seed")) for y in means if len(y) == 3)


def bar_lengths(bar):
    low, high = np.array(bar.lines[2][0].get_segments())[:, :, 1].T
    return (high - low) / 2


def test_spectra_are_those_of_the_record(results):
    left, right = figures.kernel_spectra(results).axes
    limit = results["limit_eigenvalue"].values[-1, ::-1]
    assert any(np.allclose(x.get_ydata(), limit / limit[0]) for x in lines(left, INK))
    assert labels(left)[:2] == ["$m = 16$", "$m = 64$"]
    ratio = results["decay_rate"] / results["limit_decay_rate"]
    assert any(np.allclose(x.get_ydata(), ratio[:, 1]) for x in lines(right, SERIES[0]))
    np.testing.assert_allclose(bar_lengths(right.containers[0]), ratio.std("seed", ddof=1))


def test_shares_stand_beside_their_limits(results):
    axes = figures.layer_shares(results).axes[0]
    bars = [each for each in axes.containers if len(each.lines[2]) == 1]
    for bar, layer in zip(bars, (1, 2, 3), strict=True):
        expected = results["share"].sel(layer=layer).std("seed", ddof=1)
        np.testing.assert_allclose(bar_lengths(bar), expected)
    for layer, colour in zip((1, 2, 3), SERIES, strict=False):
        values = [x.get_ydata() for x in lines(axes, colour)]
        for wanted in (results["share"].mean("seed"), results["limit_share"]):
            wanted = wanted.sel(layer=layer).values
            assert any(len(y) == 3 and np.allclose(y, wanted) for y in values)


def test_losses_start_at_one_and_rates_are_relative(results):
    left, right = figures.loss_decay(results).axes
    for colour in SERIES[:2]:
        curves = [x for x in lines(left, colour) if len(x.get_xdata())]
        assert len(curves) == 3
        assert all(x.get_ydata()[0] == 1.0 for x in curves)
    ratio = (results["measured_decay"] / results["limit_decay"]).mean("seed")
    assert any(np.allclose(x.get_ydata(), ratio) for x in lines(right, SERIES[2]))


def test_one_width_and_one_seed_can_be_drawn(results):
    for name in OF_KERNELS:
        assert getattr(figures, name)(results.isel(width=[0], seed=[0])).axes


def test_the_slope_of_least_eigenvalues_stands_beside_the_predicted_one():
    scales = layer_initialisation("ntk", 1, 4).at_width(64)
    found = kernel_degeneracy(DATA.replace("n=4", "n=6"), scales, activation="tanh")
    axes = figures.least_eigenvalues(found).axes[0]
    assert labels(axes) == [f"slope {found.attrs['slope']:.2f} (predicted 4)"]
    points = lines(axes, SERIES[0])
    assert sum(len(x.get_xdata()) for x in points) == found.sizes["factor"]


def test_other_results_are_refused(results):
    for name in (*OF_KERNELS, "least_eigenvalues"):
        with pytest.raises(ArgumentError, match="must be a result of kernel_"):
            getattr(figures, name)(results[["share"]])
    with pytest.raises(ArgumentError, match="must be of trained networks"):
        figures.loss_decay(results.drop_vars("mean_square"))
