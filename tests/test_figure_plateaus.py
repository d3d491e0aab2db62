"""The figure of plateaus: what is drawn is what was found."""

import numpy as np
from matplotlib.colors import to_hex

from netphase import figures
from netphase.figures.plateaus import ESCAPE, NOISY, PLATEAU
from netphase.observables import find_plateaus

TIME = np.geomspace(1.0, 1e6, 241)
LOSS = 1 / (1 + (TIME / 50) ** 4) + 0.01 / (1 + (TIME / 2e4) ** 4) + 1e-4


def drawn(figure, colour):
    return [line for line in figure.axes[0].lines if to_hex(line.get_color()) == to_hex(colour)]


def words(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_heights_and_escapes_are_drawn_where_they_are():
    found = find_plateaus(TIME, LOSS)
    figure = figures.loss_plateaus(TIME, LOSS, found, time_label="step", loss_label="error")
    levels = [(*line.get_xdata(), line.get_ydata()[0]) for line in drawn(figure, PLATEAU)]
    assert levels == [(each.start, each.end, each.height) for each in found.plateaus]
    lines = drawn(figure, ESCAPE)
    assert [line.get_xdata()[0] for line in lines[::2]] == [each.time for each in found.escapes]
    bars = [tuple(line.get_xdata()) for line in lines[1::2]]
    assert bars == [(each.start, each.end) for each in found.escapes]
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "error")
    assert len(words(figure)) == 3


def test_noisy_curves_are_grey_and_many_records_are_an_image():
    time = np.arange(1.0, 7001.0)
    loss = np.exp(0.2 * np.random.default_rng(0).standard_normal(7000))
    figure = figures.loss_plateaus(time, loss, find_plateaus(time, loss))
    (curve,) = drawn(figure, NOISY)
    assert curve.get_rasterized()


def test_a_deep_fall_is_cut_and_no_plateau_is_said():
    loss = np.exp(-TIME / 1000)
    figure = figures.loss_plateaus(TIME, loss, find_plateaus(TIME, loss))
    low, high = figure.axes[0].get_ylim()
    assert 0.01 < low < 0.1
    assert 1.0 < high < 5.0
    power = TIME**-0.5
    assert words(figures.loss_plateaus(TIME, power, find_plateaus(TIME, power))) == ["no plateau"]
    few = find_plateaus(TIME[:5], LOSS[:5])
    figure = figures.loss_plateaus(TIME[:5], LOSS[:5], few)
    assert words(figure) == ["plateaus undetermined"]
