"""Figures of condensation and the film: what is drawn, what is written, what is refused."""

import os

import numpy as np
import pytest
from PIL import Image

import netphase as nph
from netphase import figures
from netphase.condensing import condense
from netphase.errors import ArgumentError, MissingDependencyError
from netphase.figures import film
from netphase.figures.animation import NEGATIVE, POSITIVE, reading, tick
from netphase.figures.condensation import DIRECTIONS, EFFECTIVE, chance_shares, clock_of
from netphase.figures.views import view_of
from netphase.kernels import stage_end
from netphase.observables import Features, features
from netphase.results import features_at


def cloud(w, a=None):
    w = np.asarray(w, dtype=float)
    return features(nph.Parameters(np.ones(len(w)) if a is None else np.asarray(a, float), w))


def random_cloud(m, d, seed=0):
    return features(nph.initial_parameters(m, d, seed, antisymmetric=False))


@pytest.fixture(scope="module")
def record():
    data = "sines?n=30&inputs=1&frequency=3"
    return condense(
        nph.Experiment(
            law=nph.ScalingLaw.plain(4.0, 0.0),
            width=40,
            activation="tanh",
            data=data,
            antisymmetric=False,
            method=nph.Flow(),
            mean_square=stage_end(nph.datasets.load(data), "tanh"),
        ),
        frames=6,
        chance_draws=9,
    )


@pytest.fixture(scope="module")
def made(record):
    """The film of the record; one for all tests that only look at it or save it."""
    animation = figures.condensation_animation(record)
    animation._draw_was_started = True  # or its end would warn that nobody watched it
    return animation


def test_two_opposite_groups_are_four_uniform_blocks():
    w = np.array([[1.0, 0], [-2, 0], [3, 0], [-1, 0], [5, 0]])
    image = figures.cosine_heat_map(cloud(w)).axes[0].images[0]
    sign = np.array([1, 1, 1, -1, -1])
    np.testing.assert_allclose(image.get_array(), np.outer(sign, sign))
    assert image.get_clim() == (-1, 1)
    assert image.get_cmap().name == "RdBu"


def test_inactive_neurons_and_those_without_a_direction_are_left_out_and_counted():
    w = np.array([[1.0, 0], [0, 2], [0.01, 0], [0, 0]])
    axes = figures.cosine_heat_map({"now": cloud(w)}).axes[0]
    assert axes.images[0].get_array().shape == (2, 2)
    assert axes.get_xlabel() == "2 of 4 neurons (2 inactive)"
    everyone = figures.cosine_heat_map(cloud(w), threshold=0.0).axes[0]
    assert everyone.get_xlabel() == "3 of 4 neurons (1 inactive)"


def test_a_panel_of_dead_neurons_says_so():
    dead = cloud([[1.0, 0.0]], a=[0.0])
    axes = figures.cosine_heat_map({"dead": dead, "alive": cloud([[1.0, 0.0]])}).axes[0]
    assert axes.texts[0].get_text() == "no active neuron"
    assert not axes.images


def test_wide_layers_are_drawn_by_means_of_blocks():
    wide = random_cloud(20_000, 4)
    image = figures.cosine_heat_map(wide, threshold=0.0, pixels=250).axes[0].images[0]
    assert image.get_array().shape == (250, 250)
    kept = np.concatenate([np.eye(2)] * 3)
    pairs = figures.cosine_heat_map(cloud(kept), pixels=3).axes[0].images[0].get_array()
    exact = kept[np.argsort(-kept[:, 0], kind="stable")].reshape(3, 2, 2).mean(axis=1)
    assert sorted(pairs.ravel()) == pytest.approx(sorted((exact @ exact.T).ravel()))


def test_the_colours_of_the_literature_are_an_option():
    image = figures.cosine_heat_map(cloud(np.eye(2)), literature=True).axes[0].images[0]
    assert image.get_cmap().name == "YlGnBu"


def test_many_heat_maps_make_rows_of_equal_length():
    few = {name: cloud(np.eye(2)) for name in "abcde"}
    figure = figures.cosine_heat_map(few)
    maps = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in maps] == list("abcde")
    assert {axes.get_subplotspec().get_gridspec().get_geometry() for axes in maps} == {(2, 3)}
    assert len(figure.axes) == 6  # five maps and the colour bar


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"features": {}}, "1 to 8 panels, but holds 0"),
        ({"features": dict.fromkeys("abcdefghi", random_cloud(3, 2))}, "but holds 9"),
        ({"features": random_cloud(3, 2), "threshold": 1.0}, "`threshold`"),
        ({"features": random_cloud(3, 2), "pixels": 0}, "`pixels`"),
        ({"features": Features(np.full((2, 2), np.nan), np.ones(2), None)}, "must be finite"),
    ],
)
def test_wrong_heat_maps_are_refused(arguments, words):
    with pytest.raises(ArgumentError, match=words):
        figures.cosine_heat_map(**arguments)


def test_chance_shares_are_known_in_two_and_three_dimensions():
    edges = np.linspace(-1, 1, 11)
    arcs = np.diff(-np.arccos(edges)) / np.pi
    np.testing.assert_allclose(chance_shares(edges, 2), arcs, rtol=1e-12)
    np.testing.assert_allclose(chance_shares(edges, 3), 0.1, rtol=1e-12)  # Archimedes
    assert chance_shares(edges, 1) is None


@pytest.mark.parametrize("d", [2, 5, 12])
def test_chance_shares_are_those_of_random_directions(d):
    edges = np.linspace(-1, 1, 21)
    unit = random_cloud(40_000, d, seed=d).direction
    counts, _ = np.histogram(unit[:, 0], edges)
    exact = chance_shares(edges, d)
    assert exact.sum() == pytest.approx(1)
    score = (counts / 40_000 - exact) / np.sqrt(np.maximum(exact, 1e-9) / 40_000)
    likely = exact > 1e-3
    assert np.sum(score[likely] ** 2) < likely.sum() + 4 * np.sqrt(2 * likely.sum())


def test_histograms_show_shares_chance_and_the_median():
    w = np.array([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, 0, 1]])
    figure = figures.alignment_histograms({"now": cloud(w)}, np.array([2.0, 0, 0]), bins=5)
    axes = figure.axes[0]
    neurons, chance = axes.patches
    np.testing.assert_allclose(neurons.get_data().values, [0.25, 1e-4, 0.5, 1e-4, 0.25])
    np.testing.assert_allclose(chance.get_data().values, 0.2)
    assert axes.texts[0].get_text() == "median |cos| = 0.500"
    assert axes.get_yscale() == "log"


def test_histograms_weighted_by_amplitude_count_amplitude():
    few = cloud([[1.0, 0.0], [-1.0, 0.0]], a=[3.0, 1.0])
    figure = figures.alignment_histograms(few, np.array([1.0, 0]), bins=2, weighted=True)
    np.testing.assert_allclose(figure.axes[0].patches[0].get_data().values, [0.25, 0.75])
    assert "amplitude" in figure.axes[0].get_ylabel()


def test_a_histogram_says_what_its_direction_is(record):
    ends = features_at(record, -1)
    told = figures.alignment_histograms(ends, np.array([1.0, 0]), name="u_1", about="the first")
    assert told.legends[0].get_title().get_text() == "the first"
    assert "u_1" in told.axes[0].get_xlabel()


def test_counts_are_drawn_against_growth_times_with_chance_bands(record):
    counts, aligned, loss = figures.condensation_counts(record).axes
    lines = {line.get_label(): line for line in counts.get_lines()}
    time = record["growth_rate"].values * record["raw_time"].values
    np.testing.assert_allclose(lines["directions"].get_xdata(), time)
    np.testing.assert_array_equal(
        lines["directions"].get_ydata(), record["direction_clusters"].values
    )
    assert lines["directions"].get_color() == DIRECTIONS
    assert lines["effective number"].get_color() == EFFECTIVE
    assert "end of the initial stage" in lines
    bands = {band.get_label() for band in counts.collections}
    assert bands == {"directions, random neurons", "effective number, random neurons"}
    assert len(aligned.get_lines()) == 4  # three measures and the end of the stage
    np.testing.assert_allclose(loss.get_lines()[0].get_ydata(), record["mean_square"] / 2)
    plain = record.drop_vars([n for n in record if "chance" in n])
    assert not figures.condensation_counts(plain).axes[0].collections


def test_the_clock_of_a_record_is_what_it_can_be(record):
    assert clock_of(record)[1].startswith(r"time $\lambda t$")
    raw = record.drop_vars("growth_rate")
    assert clock_of(raw)[1] == r"time $t$"
    np.testing.assert_array_equal(clock_of(raw)[0], record["raw_time"].values)
    steps = raw.drop_vars("raw_time")
    assert clock_of(steps)[1] == "steps"
    assert reading(steps, 50.0) == "step 50"
    assert reading(record, 3.1) == "λt = 3.10"
    late = record.assign(initial_stage_end=record["time"][-1] / 100)
    assert not clock_of(record)[2]
    assert clock_of(late)[2]


@pytest.mark.parametrize("draw", [figures.condensation_counts, figures.condensation_animation])
def test_other_records_are_refused(record, draw):
    with pytest.raises(ArgumentError, match="but holds one"):
        draw(record.isel(time=[0]))
    with pytest.raises(ArgumentError, match="but lacks direction_clusters"):
        draw(record.drop_vars("direction_clusters"))


def test_two_inputs_are_seen_by_their_angle():
    view = view_of(np.eye(2), np.ones(2), np.empty((0, 2)))
    np.testing.assert_allclose(view.place(np.array([[0.0, 1.0], [-1.0, 0.0]])), [np.pi / 2, np.pi])
    assert view.periodic


def test_one_input_is_seen_by_its_sign():
    view = view_of(np.array([[1.0]]), np.ones(1), np.empty((0, 1)))
    assert view.place(np.array([[1.0], [-1.0]])).tolist() == [1.0, -1.0]


def test_one_predicted_line_is_seen_by_the_angle_with_it():
    u = np.array([0.6, 0.0, 0.8])
    view = view_of(np.eye(3), np.ones(3), np.stack([u, -u]))
    across = np.array([0.0, 1.0, 0.0])
    np.testing.assert_allclose(
        view.place(np.stack([u, -u, across])), [0, np.pi, np.pi / 2], atol=1e-7
    )


def test_several_lines_are_seen_in_the_plane_of_the_first_two():
    u, v = np.array([1.0, 0, 0, 0]), np.array([0.6, 0.8, 0, 0])
    view = view_of(np.eye(4), np.ones(4), np.stack([u, -u, v, -v, np.eye(4)[3]]))
    np.testing.assert_allclose(view.place(np.stack([u, v])), [0.0, np.arccos(0.6)])
    assert view.place(np.array([0.6, 0.8, 5.0, 0])) == pytest.approx(np.arccos(0.6))


def test_without_prediction_the_strongest_neurons_make_the_plane():
    directions = np.concatenate([np.tile(np.eye(3)[2], (5, 1)), np.eye(3)[:1]])
    view = view_of(directions, np.ones(6), np.empty((0, 3)))
    assert view.place(np.eye(3)[2]) == pytest.approx(0.0)
    assert abs(view.place(np.eye(3)[0])) == pytest.approx(np.pi / 2)


@pytest.mark.parametrize("index", [0, 3, 5])
def test_a_frame_shows_the_neurons_of_its_moment(record, made, index):
    made._func(index)
    now = record.isel(time=index)
    a, w = now["a"].values, now["w"].values
    start = record["a"].values[0], record["w"].values[0]
    unit = np.sqrt(np.mean((start[0] * np.linalg.norm(start[1], axis=1)) ** 2))
    left, loss, numbers, function = made._fig.axes
    dots = [line for line in left.get_lines() if line.get_marker() == "o"]
    floor = left.get_ylim()[0]
    for line, mine, colour in zip(dots, (a > 0, a <= 0), (POSITIVE, NEGATIVE), strict=True):
        assert line.get_color() == colour
        size = np.abs(a[mine]) * np.linalg.norm(w[mine], axis=1) / unit
        shown = sorted(zip(*line.get_data(), strict=True))
        exact = zip(np.arctan2(w[mine, 1], w[mine, 0]), np.maximum(size, floor), strict=True)
        np.testing.assert_allclose(shown, sorted(exact))
    assert loss.get_lines()[0].get_ydata()[0] == pytest.approx(float(now["mean_square"]) / 2)
    assert len(numbers.get_lines()[0].get_xdata()) == index + 1
    count = int(now["direction_clusters"])
    assert numbers.get_title("left").startswith(f"{count} direction")
    np.testing.assert_array_equal(function.get_lines()[0].get_ydata(), now["function"].values)


@pytest.mark.parametrize(("suffix", "kind"), [(".gif", "GIF"), (".apng", "PNG"), (".png", "PNG")])
def test_a_film_is_an_animated_picture(made, tmp_path, suffix, kind):
    path = figures.save_animation(made, tmp_path / "deep" / f"film{suffix}")
    with Image.open(path) as picture:
        assert picture.format == kind
        assert picture.n_frames == 6
        assert picture.size == (960, 540)
        durations = []
        for frame in range(6):
            picture.seek(frame)
            durations.append(picture.info["duration"])
            assert picture.convert("RGB").getpixel((2, 2)) == (255, 255, 255)
    assert durations[:5] == [50] * 5
    assert durations[5] == 1550
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_the_same_film_has_the_same_bytes(record, made, tmp_path):
    figures.save_animation(made, tmp_path / "one.gif", dpi=50)
    figures.save_animation(figures.condensation_animation(record), tmp_path / "two.gif", dpi=50)
    assert (tmp_path / "one.gif").read_bytes() == (tmp_path / "two.gif").read_bytes()


def test_frames_of_a_film_differ_and_keep_its_still_part(made, tmp_path):
    path = figures.save_animation(made, tmp_path / "film.gif")
    with Image.open(path) as picture:
        frames = []
        for frame in (0, 5):
            picture.seek(frame)
            frames.append(np.asarray(picture.convert("L")).astype(int))
    axis = frames[0][:, :70]  # labels of the amplitude
    assert axis.min() < 100
    np.testing.assert_array_equal(axis, frames[1][:, :70])
    assert (np.abs(frames[0] - frames[1]) > 50).mean() > 0.002


@pytest.mark.parametrize("name", ["film", "film.avi", "film.jpg"])
def test_other_kinds_of_film_are_refused(name):
    with pytest.raises(ArgumentError, match=r"must end in .gif, .apng, .png or .mp4"):
        figures.animation_writer(name)


def test_a_film_in_mp4_needs_ffmpeg_and_says_so(monkeypatch):
    from matplotlib.animation import FFMpegWriter

    monkeypatch.setattr(FFMpegWriter, "isAvailable", classmethod(lambda _: False))
    with pytest.raises(MissingDependencyError, match=r"install it, or save the film as .gif"):
        figures.animation_writer("talk.mp4")
    monkeypatch.setattr(FFMpegWriter, "isAvailable", classmethod(lambda _: True))
    assert isinstance(figures.animation_writer("talk.mp4", 25), FFMpegWriter)


def test_a_film_that_cannot_be_written_leaves_nothing(made, tmp_path, monkeypatch):
    def full(path, _):
        raise OSError(28, os.strerror(28), str(path))

    monkeypatch.setattr(film, "write_whole", full)
    with pytest.raises(OSError, match="space"):
        figures.save_animation(made, tmp_path / "film.gif", dpi=50)
    assert list(tmp_path.iterdir()) == []


def test_the_amplitude_axis_is_logarithmic_or_linear(record, tmp_path):
    straight = figures.condensation_animation(record, amplitude="linear")
    assert straight._fig.axes[0].get_yscale() == "linear"
    assert [tick(each) for each in (-2.5e4, 0.0, 5e5)] == ["−2.5·10⁴", "0", "5·10⁵"]
    figures.save_animation(straight, tmp_path / "film.gif", dpi=50)
    with Image.open(tmp_path / "film.gif") as picture:
        assert picture.size == (320, 180)
    with pytest.raises(ArgumentError, match="`amplitude` must be one of log, linear"):
        figures.condensation_animation(record, amplitude="cubic")
    with pytest.raises(ArgumentError, match="`fps`"):
        figures.condensation_animation(record, fps=0)
