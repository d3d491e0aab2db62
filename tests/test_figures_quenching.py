"""Figures and the film of quenching: what is drawn, from the numbers of the record."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from PIL import Image

import netphase as nph
from netphase import figures
from netphase.errors import ArgumentError
from netphase.figures.neurons import QUENCHED, cast_of
from netphase.figures.quenching import NETWORK, PHASES, TWIN
from netphase.quenching import quench
from netphase.results import events_of, markers_of


@pytest.fixture(scope="module")
def single():
    return quench("single_neuron?d=10", 30, mean_square=1e-6, method=nph.Flow(), frames=12)


@pytest.fixture(scope="module")
def circle():
    return quench("circle?d=10", 40, method=nph.Flow(), time=3e3, frames=8)


@pytest.fixture(scope="module")
def lazy():
    return quench("single_neuron?d=5", 300, 20, mean_square=1e-2, method=nph.Descent("auto"))


def lines_of(axes, colour):
    return [line for line in axes.lines if to_hex(line.get_color()) == to_hex(colour)
            and len(line.get_xdata()) > 5]  # fmt: skip


def test_the_cast_are_the_activated_neurons_the_largest_first(circle):
    cast = cast_of(circle)
    p = np.abs(circle["p"].values[-1])
    assert set(np.flatnonzero(p > 0.1 * p.max())) <= set(cast.neurons)
    final = p[cast.neurons[cast.activated]]
    assert (np.diff(final) <= 0).all()
    assert len(cast.neurons) + len(cast.others) == 40
    assert not set(cast.neurons) & set(cast.others)


def test_others_are_called_quenched_only_where_they_are(circle, lazy):
    assert cast_of(circle, most=40).words == ("activated in the end", "quenched")
    assert cast_of(circle).words == ("activated in the end", "others")  # some were active before
    assert cast_of(lazy).words == ("largest in the end", "others")


def test_contributions_are_drawn_for_every_neuron(circle):
    axes = figures.contribution_curves(circle).axes[0]
    cast = cast_of(circle)
    assert len(lines_of(axes, QUENCHED)) == len(cast.others)
    for neuron, colour in zip(cast.neurons, cast.colours, strict=True):
        drawn = [line.get_ydata() for line in lines_of(axes, colour)]
        assert any(np.array_equal(each, circle["p"].values[1:, neuron]) for each in drawn)
    departure = markers_of(circle)["departure"].time
    shown = [e for e in events_of(circle) if e.time > departure and e.neuron in cast.neurons]
    marks = [line for line in axes.lines if line.get_marker() in ("^", "v")
             and len(line.get_xdata()) == 1]  # fmt: skip
    assert sorted(float(line.get_xdata()[0]) for line in marks) == sorted(e.time for e in shown)
    assert figures.contribution_curves(circle, logarithmic=False).axes[0].get_xscale() == "linear"


def test_the_target_does_not_press_small_contributions_flat(single, lazy):
    labels = figures.contribution_curves(single).axes[0].get_legend_handles_labels()[1]
    assert "neurons of the target" in labels
    axes = figures.contribution_curves(lazy).axes[0]
    assert "neurons of the target" not in axes.get_legend_handles_labels()[1]
    assert axes.get_ylim()[1] < 1.5 * np.abs(lazy["p"].values).max()


def test_a_phase_of_no_length_is_not_named(circle):
    markers = markers_of(circle)
    assert markers["activation"].time < markers["departure"].time
    labels = figures.loss_with_twin(circle).axes[0].get_legend_handles_labels()[1]
    assert [words for words in labels if words.startswith("phase")] == [
        "phase: random features", "phase: activation",
    ]  # fmt: skip


def test_the_phases_meet_at_their_markers(single):
    axes = figures.loss_with_twin(single).axes[0]
    markers = markers_of(single)
    edges = sorted(
        (patch.get_x(), patch.get_x() + patch.get_width())
        for patch in axes.patches
        if to_hex(patch.get_facecolor()) in {to_hex(colour) for colour, _ in PHASES}
    )
    inner = [markers["departure"].time, markers["activation"].time]
    np.testing.assert_allclose([left for left, _ in edges[1:]], inner)
    np.testing.assert_allclose([right for _, right in edges[:-1]], inner)
    for colour, name in ((NETWORK, "test_error"), (TWIN, "twin_test_error")):
        (line,) = lines_of(axes, colour)
        np.testing.assert_array_equal(line.get_ydata(), single[name].values[1:])


def test_a_lazy_network_has_one_phase_and_training_errors(lazy):
    axes = figures.loss_with_twin(lazy).axes[0]
    assert len(axes.patches) == 1
    (test, train) = lines_of(axes, TWIN)
    np.testing.assert_array_equal(test.get_ydata(), lazy["twin_test_error"].values[1:])
    np.testing.assert_array_equal(train.get_ydata(), lazy["twin_mean_square"].values[1:])


def test_stems_stand_for_both_networks(single):
    left, right = figures.contribution_stems(single).axes
    for axes, name in ((left, "p"), (right, "twin_p")):
        heights = [segment[1, 1] for segment in axes.collections[0].get_segments()]
        np.testing.assert_array_equal(heights, single[name].values[-1])
    assert left.get_ylim() == right.get_ylim()
    assert all(tick == int(tick) for tick in left.get_xticks())


def test_directions_are_unit_vectors_inside_the_circle(circle):
    figure = figures.direction_scatter(circle)
    for axes, index in zip(figure.axes[:2], (0, -1), strict=True):
        points = np.concatenate([dots.get_offsets() for dots in axes.collections])
        w = circle["w"].values[index]
        unit = w[:, :2] / np.linalg.norm(w, axis=1, keepdims=True)
        assert {tuple(row) for row in np.round(points, 9)} == {
            tuple(row) for row in np.round(unit, 9)
        }


def test_only_neurons_that_stay_activated_are_called_so(single):
    axes = figures.direction_scatter(single).axes[2]
    drawn = {dots.get_label(): len(dots.get_offsets()) for dots in axes.collections}
    cast = cast_of(single)
    assert drawn["activated in the end"] == cast.activated.sum()
    assert drawn["active on the way"] == (~cast.activated).sum() > 0


def test_marks_are_labelled_outside_the_transition(circle):
    words = {text.get_text(): text for text in figures.loss_with_twin(circle).axes[0].texts}
    left, right = r"$T_\mathrm{dep}$", r"$T_\mathrm{act}$"
    if words[right].xy[0] < words[left].xy[0]:
        left, right = right, left
    assert words[left].get_ha() == "right"
    assert words[right].get_ha() == "left"


def test_the_film_says_how_many_samples(lazy, monkeypatch):
    said, original = [], Axes.set_title

    def listen(axes, label, *rest, **words):
        said.append(label)
        return original(axes, label, *rest, **words)

    monkeypatch.setattr(Axes, "set_title", listen)
    figures.quenching_animation(lazy)._draw_was_started = True
    assert "300 neurons learn: one neuron, 20 samples" in said


def test_the_film_shows_the_records(circle, tmp_path):
    few = circle.isel(time=[0, 10, 25, 35])
    path = figures.save_animation(figures.quenching_animation(few), tmp_path / "film.gif", dpi=50)
    with Image.open(path) as film:
        assert film.n_frames == 3
    scene = figures.quenching_animation(circle)
    scene._func(20)
    texts = [text.get_text() for axes in scene._fig.axes for text in axes.texts]
    titles = [axes.get_title(loc) for axes in scene._fig.axes for loc in ("left", "right")]
    assert any(title.startswith("t = ") for title in titles), texts
    now, since = float(circle["time"][21]), markers_of(circle)["departure"].time
    up = sum(e.kind == "activation" and since < e.time <= now for e in events_of(circle))
    assert any(title.startswith(f"{up} activation") for title in titles)
    scene._draw_was_started = True


def test_the_film_of_a_single_neuron_shows_contributions(single):
    scene = figures.quenching_animation(single)
    scene._func(5)
    offsets = np.concatenate([dots.get_offsets() for dots in scene._fig.axes[0].collections])
    assert set(np.round(offsets[:, 1], 9)) == set(np.round(single["p"].values[6], 9))
    scene._draw_was_started = True


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda r: figures.contribution_curves(r.drop_vars("p")), "lacks p"),
        (lambda r: figures.loss_with_twin(r.isel(time=[0, 1])), "at least 3 records"),
        (lambda r: figures.quenching_animation(r, view="ring"), "`view` must be one of"),
        (lambda r: figures.quenching_animation(r, fps=0), "`fps`"),
    ],
)
def test_what_makes_no_sense_is_refused(single, call, words):
    with pytest.raises(ArgumentError, match=words):
        call(single)


def test_directions_need_two_inputs():
    line = quench("single_neuron?d=1", 4, method=nph.Flow(), mean_square=1e-3)
    with pytest.raises(ArgumentError, match="two inputs"):
        figures.direction_scatter(line)
    with pytest.raises(ArgumentError, match="`view` must be 'contribution'"):
        figures.quenching_animation(line, view="plane")
