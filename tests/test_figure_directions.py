"""Figures of predicted directions: rays, arrows, tracks and bars are those of the prediction."""

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.quiver import Quiver

from netphase import figures
from netphase.datasets import axes, from_arrays, sines
from netphase.directions import Landscape, escape, predicted_directions
from netphase.errors import ArgumentError
from netphase.figures.directions import DECADES, MOST_ROWS, REACH
from netphase.networks import Parameters

X = np.linspace(-1, 1.5, 40)
DATA = from_arrays(X, np.sin(3 * X) + np.sin(6 * X) / 2)


def predicted(data, p, neurons=0):
    return predicted_directions(data, multiplicity=p, neurons=neurons)


def rays(panel, label):
    """Unit vectors of the rays of a label."""
    ends = [line.get_xydata()[1] for line in panel.get_lines() if line.get_label() == label]
    return np.reshape([end / np.linalg.norm(end) for end in ends], (-1, 2))


def same_rays(found, expected):
    assert len(found) == len(expected)
    assert all(np.isclose(found @ u, 1).sum() == 1 for u in expected)


@pytest.mark.parametrize("p", [1, 2, 3, 4])
def test_fields_show_stable_shrinking_and_unstable_rays(p):
    prediction = predicted(DATA, p)
    panels = figures.direction_field(prediction, DATA).axes[:2]
    for panel, sign in zip(panels, (1, -1), strict=True):
        own = prediction.sign_of_a == sign
        same_rays(rays(panel, "stable: neurons condense"), prediction.directions[own])
        fading = prediction.shrinking[prediction.shrinking_sign_of_a == sign]
        same_rays(rays(panel, "stable, but neurons shrink"), fading)
        # where the field points away from a ray on both sides it is unstable
        f = Landscape.of(DATA, prediction.order).turned(sign)
        for u in rays(panel, "unstable"):
            across = np.array([-u[1], u[0]])
            for side in (1e-3, -1e-3):
                w = u + side * across
                assert side * (f.gradient(w) @ across - f.gradient(w) @ u * side) > 0
        assert len(rays(panel, "unstable")) == prediction.on_sphere - own.sum() - len(fading)
        assert panel.get_aspect() == 1


def test_arrows_follow_the_gradient_and_tell_its_size():
    prediction = predicted(DATA, 3)
    figure = figures.direction_field(prediction, DATA)
    for panel, sign in zip(figure.axes[:2], (1, -1), strict=True):
        arrows = next(c for c in panel.collections if isinstance(c, Quiver))
        force = sign * Landscape.of(DATA, prediction.order).gradient(arrows.XY)
        size = np.linalg.norm(force, axis=1)
        np.testing.assert_allclose(
            np.column_stack([arrows.U, arrows.V]), force / size[:, None], atol=1e-12
        )
        colour = np.asarray(arrows.get_array())
        np.testing.assert_allclose(colour, np.log10(size / size.max()), atol=1e-12)
        assert colour.min() > -DECADES
    labels = {axes_.get_ylabel() for axes_ in figure.axes}
    assert any("log" in label for label in labels)


def test_a_field_of_one_size_has_no_colour_bar():
    assert len(figures.direction_field(predicted(DATA, 1), DATA).axes) == 2
    assert len(figures.direction_field(predicted(DATA, 2), DATA).axes) == 3


def test_tracks_end_on_the_neurons_of_their_sign():
    random = np.random.default_rng(0)
    start = Parameters(random.standard_normal(40), random.standard_normal((40, 2)))
    end = escape(DATA, None, start.a, start.w, 4.0, multiplicity=3)
    left = np.isfinite(end.time)
    tracks = (
        Parameters(start.a[left], start.w[left]),
        Parameters(end.a[left], end.w[left]),
    )
    figure = figures.direction_field(predicted(DATA, 3), DATA, tracks=tracks)
    largest = np.linalg.norm(end.w[left], axis=1).max()
    shown = 0
    for panel, sign in zip(figure.axes[:2], (1, -1), strict=True):
        own = np.sign(end.a) == sign
        dots = next(line for line in panel.get_lines() if line.get_label() == "neurons")
        np.testing.assert_allclose(dots.get_xydata(), end.w[left & own] / largest)
        shown += len(dots.get_xydata())
        assert not any(isinstance(c, LineCollection) for c in panel.collections)
        assert np.abs(dots.get_xydata()).max() < REACH
    assert shown == left.sum()


def test_bars_are_the_numbers_of_the_prediction():
    prediction = predicted(sines(inputs=2, n=30), 4, neurons=200)
    figure = figures.direction_strengths(prediction)
    rows = np.argsort(prediction.line, kind="stable")
    values = (
        prediction.strength,
        -prediction.curvature / prediction.strength,
        100 * prediction.basin,
    )
    for panel, value in zip(figure.axes, values, strict=True):
        bars = [bar.get_width() for bar in panel.patches]
        np.testing.assert_allclose(bars, value[rows])
    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert names == [f"line {k + 1}" for k in range(prediction.lines)]


def test_bars_without_shares_have_two_panels():
    assert len(figures.direction_strengths(predicted(axes(3), 3)).axes) == 2


def test_many_directions_are_cut_and_it_is_said():
    prediction = predicted(axes(14), 3)
    assert prediction.count == 28 > MOST_ROWS
    figure = figures.direction_strengths(prediction)
    assert len(figure.axes[0].patches) == MOST_ROWS
    assert figure.get_suptitle() == f"the strongest {MOST_ROWS} of {prediction.count} directions"


def test_corners_are_named():
    x = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    prediction = predicted_directions(
        from_arrays(x, [1.0, 1.0, -1.0], bias=False), "relu", neurons=0
    )
    assert np.isinf(prediction.curvature).any()
    figure = figures.direction_strengths(prediction)
    assert "corner" in {text.get_text().strip() for text in figure.axes[1].texts}


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ArgumentError, match=r"needs two input dimensions.*have 6"):
        figures.direction_field(predicted(axes(6), 3), axes(6))
    with pytest.raises(ArgumentError, match="no isolated direction to draw"):
        figures.direction_strengths(predicted(axes(4), 2))
    one = Parameters(np.ones(2), np.ones((2, 2)))
    other = Parameters(np.ones(3), np.ones((3, 2)))
    with pytest.raises(ArgumentError, match="`tracks` must hold the same neurons"):
        figures.direction_field(predicted(DATA, 3), DATA, tracks=(one, other))
