"""Labels of logarithmic axes: numbers on narrow ones, powers of ten on the others."""

import pytest

from netphase.figures.style import new_figure, plain_ticks, style


def labels(low, high, **axis):
    figure = new_figure(3.5, 3.0)
    axes = figure.add_subplot()
    axes.set(xscale="log", xlim=(low, high))
    if axis:
        axes.set_xticks(**axis)
    plain_ticks(axes)
    figure.draw_without_rendering()
    ticks = axes.get_xticklabels() + axes.get_xticklabels(minor=True)
    return {each.get_text() for each in ticks if low <= each.get_position()[0] <= high} - {""}


@pytest.mark.parametrize(
    ("low", "high", "some", "power"),
    [
        (50.0, 320.0, {"100", "200", "60"}, False),
        (0.09, 0.5, {"0.1", "0.2", "0.4"}, False),
        (2e-5, 1e-4, {r"$\mathdefault{10^{-4}}$"}, True),
        (1.0, 1e4, {r"$\mathdefault{10^{2}}$"}, True),
    ],
)
def test_an_axis_has_numbers_or_powers_of_ten(low, high, some, power):
    found = labels(low, high)
    assert some <= found
    assert all(("10^" in each) == power for each in found)


def test_labels_of_ones_own_stay():
    assert "many" in labels(50.0, 320.0, ticks=[100.0], labels=["many"])


def test_labels_of_a_narrow_axis_stand_in_one_line():
    with style():
        figure = new_figure(3.5, 3.0)
        axes = figure.add_subplot()
        axes.set(xscale="log", xlim=(50.0, 320.0))
        plain_ticks(axes)
        figure.draw_without_rendering()
    shown = [*axes.get_xticklabels(), *axes.get_xticklabels(minor=True)]
    tops = [each.get_window_extent().y1 for each in shown if each.get_text() in ("60", "100")]
    assert len(tops) == 2
    assert tops[0] == pytest.approx(tops[1], abs=0.01)
