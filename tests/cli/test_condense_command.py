"""`netphase condense`: small networks, their predicted directions, counts and files."""

import json
import math

import numpy as np
import pytest
import xarray as xr
from PIL import Image

import netphase as nph
from netphase.cli import condense, condensed, moments, progress
from netphase.results import Moment

QUICK = ("--width", "60", "--frames", "8", "--draws", "39", "--no-figures")


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_small_network_condenses_on_the_label_mean(run_json, tmp_path):
    content = run_json("condense", *QUICK, "--gamma", "4", "--draws", "99")
    data = nph.datasets.load(condense.DATA)
    z = data.y @ data.x / data.n
    first, second = content["prediction"]["directions"]
    np.testing.assert_allclose(first["direction"], z / np.linalg.norm(z), rtol=1e-9)
    np.testing.assert_allclose(second["direction"], -z / np.linalg.norm(z), rtol=1e-9)
    assert (first["sign_of_a"], second["sign_of_a"]) == (1, -1)
    assert first["rate"] == pytest.approx(np.linalg.norm(z))
    assert content["prediction"]["statement"] == "theorem (p = 1)"
    assert content["prediction"]["occupied"] == 2
    assert content["prediction"]["share"] > 0.99
    assert content["neurons"]["directions"] == 2
    assert content["neurons"]["lines"] == 1
    assert content["verdict"]["label"] == "condensed"
    assert content["end"]["alignment_ratio"] > 0.99
    assert content["merged"]["size"] == 2
    assert content["merged"]["error"] < 0.01
    assert content["status"] == "converged"
    law = content["experiment"]["law"]
    assert (law["alpha"], law["beta1"], law["beta2"]) == (0, -2, -2)
    with xr.open_dataset(tmp_path / "netphase-condense" / "condense.nc") as record:
        assert record.sizes["time"] == content["moments"] == 8
        assert record["w"].dims == ("time", "neuron", "input")
        assert record.attrs["key"] == content["key"]
        assert float(record["time"][-1]) == content["end"]["time"]
    names = {path.name for path in (tmp_path / "netphase-condense").iterdir()}
    assert names == {"condense.nc", "condense.json"}
    saved = json.loads((tmp_path / "netphase-condense" / "condense.json").read_text("utf-8"))
    assert saved == content


def test_figures_film_and_record_are_written(run, tmp_path, monkeypatch):
    save = nph.figures.save  # the tests of figures write PDF; here it would only take time
    monkeypatch.setattr(nph.figures, "save", lambda figure, stem: save(figure, stem, ("png",)))
    short = ("--width", "40", "--frames", "3", "--draws", "9")
    result = run("condense", *short, "--animation", "films/talk.apng", "--output", "deep/out")
    assert result.exit_code == 0, result.stderr
    names = {f"{stem}.png" for stem in ("cosines", "alignment", "counts", "field")}
    names |= {"condense.nc", "condense.json"}
    assert {path.name for path in (tmp_path / "deep" / "out").iterdir()} == names
    with Image.open(tmp_path / "films" / "talk.apng") as film:
        assert film.n_frames == 3
    for name in names:
        assert f"wrote deep/out/{name}" in result.stdout
    for words in (
        "both standard deviations m^-1.5",
        "predicted directions: 2, on 1 line, at most 2 by a theorem (p = 1)",
        "115.7°",
        "of 2 predicted directions are occupied",
        "ρ = ",
        "Merged, 40 neurons become",
    ):
        assert words in result.stdout, words


def test_a_linear_network_is_not_condensed(run_json):
    content = run_json("condense", *QUICK, "--gamma", "0.5", "--until", "half")
    assert content["verdict"]["label"] == "not condensed"
    assert content["regime"] == "linear"
    chance = content["prediction"]["chance_share"]
    assert content["prediction"]["share"] == pytest.approx(chance, abs=0.2)


def test_the_run_ends_where_it_was_asked_to(run_json):
    data = nph.datasets.load(condense.DATA)
    for until, part in (("initial", 0.1), ("half", 0.5)):
        content = run_json("condense", *QUICK, "--until", until)
        target = nph.kernels.half_way(data, part)
        assert content["experiment"]["mean_square"] == pytest.approx(target)
        assert content["end"]["mean_square"] <= target
    content = run_json("condense", *QUICK, "--tolerance", "6.3")
    assert content["experiment"]["mean_square"] == 6.3
    assert content["initial_stage_end"] < content["end"]["time"]


def test_options_reach_the_experiment(run_json):
    content = run_json(
        *("condense", *QUICK, "--beta1", "m^-1", "--beta2", "m^-2", "--rate-ratio", "m^2"),
        *("--antisymmetric", "--dtype", "float32", "--seed", "-3", "--activation", "erf"),
        *("--method", "descent", "--learning-rate", "1000", "--steps", "7", "--max-steps", "50"),
        "--data", "four_points",
    )  # fmt: skip
    experiment = content["experiment"]
    assert experiment["law"]["rate_ratio"] == 2
    assert content["gamma_prime"] == 0  # 2 - 1 in the weights, and the rates make up for it
    assert experiment["dtype"] == "float32"
    assert (experiment["seed"], experiment["activation"]) == (-3, "erf")
    assert experiment["method"]["learning_rate"] == 1000
    assert experiment["time"] == content["end"]["time"] == 7000
    assert content["status"] == "time reached"
    assert content["moments"] <= 8
    assert "antisymmetric" not in experiment  # the default of experiments


def test_a_point_of_the_plane_is_taken_at_alpha_one_with_its_rates(run_json):
    content = run_json("condense", *QUICK, "--gamma", "2.5", "--gamma-prime", "0.5",
                       "--rate-ratio", "m")  # fmt: skip
    law = content["experiment"]["law"]
    assert (law["alpha"], law["beta1"], law["beta2"], law["rate_ratio"]) == (0, -1.5, -1, 1)


def test_adam_takes_so_many_steps(run_json):
    content = run_json("condense", *QUICK, "--method", "adam", "--steps", "30",
                       "--data", "sines?n=20&inputs=3")  # fmt: skip
    assert content["experiment"]["time"] == content["end"]["time"] == 30
    assert content["end"]["growth_times"] is None
    assert content["prediction"]["multiplicity"] == 1


def test_a_run_that_gives_up_says_so_and_exits_3(run):
    result = run("condense", *QUICK, "--max-steps", "2")
    assert result.exit_code == 3
    assert "maximum steps. Allow more steps" in result.stdout


def test_without_a_prediction_the_run_goes_on_and_says_why(run, tmp_path):
    x = np.array([-1.0, -0.5, 0.5, 1.0])  # its z is zero
    np.savez("even.npz", x=x[:, None], y=x**2 - np.mean(x**2))
    short = ("--width", "30", "--frames", "4", "--draws", "9", "--animation", "none")
    result = run("condense", *short, "--data", "even.npz")
    assert result.exit_code == 0, result.stderr
    assert "No directions are predicted. The direction z" in result.stdout
    assert "Here it ends when 10 % of the whole error is gone." in result.stderr
    names = {path.name for path in (tmp_path / "netphase-condense").iterdir()}
    assert "counts.png" in names
    assert "alignment.png" not in names


def test_an_activation_that_is_not_centred_is_explained_with_a_remedy(run_json):
    content = run_json("condense", *QUICK, "--activation", "sigmoid", "--data", "four_points")
    assert content["prediction"] is None
    assert "centred_sigmoid" in content["reason"]
    assert content["merged"]["error"] is None
    assert 0 <= content["merged"]["refitted_error"] < 0.1


def test_one_neuron_and_one_input_are_no_defects(run_json):
    alone = run_json("condense", "--width", "1", *QUICK[2:])
    assert alone["verdict"]["label"] == "undetermined"
    assert alone["neurons"]["active"] == 1
    np.savez("one.npz", x=np.array([[1.0]]), y=np.array([2.0]))
    content = run_json("condense", *QUICK, "--data", "one.npz?bias=false")
    assert content["verdict"]["label"] == "undetermined"
    assert "one input and no bias" in content["reason"]


def test_few_active_neurons_of_a_higher_multiplicity_are_explained(run):
    result = run("condense", *QUICK, "--activation", "x2_tanh", "--gamma", "2")
    assert "At multiplicity 3 neurons escape in finite time" in result.stdout
    assert "may have left the direction they escaped on" in result.stdout


def test_neurons_of_the_wrong_sign_are_told_and_do_not_occupy(run, tmp_path):
    late = ("--width", "40", "--frames", "3", "--draws", "9", "--no-figures", "--tolerance", "5")
    result = run("condense", *late)
    content = json.loads((tmp_path / "netphase-condense" / "condense.json").read_text("utf-8"))
    found = content["prediction"]
    assert found["occupied"] == 0
    assert found["wrong_sign"] == sum(row["wrong_sign"] for row in found["directions"]) > 20
    assert f"{found['wrong_sign']} more lie on one with the other sign of a" in result.stdout
    assert content["end"]["median_cosine"] < -0.9
    merged = content["merged"]
    assert merged["refitted_error"] < merged["error"]
    assert "it does not represent the network" in result.stdout
    assert "only 1 direction." in result.stdout  # of the single active neuron, without p-values
    assert "1 ± 0   –   –" in result.stdout


def test_what_adam_does_not_do_is_said(run):
    adam = ("--method", "adam", "--steps", "100", "--data", "sines?n=80&inputs=5")
    result = run("condense", *QUICK, *adam, "--width", "50", "--activation", "x_tanh")
    assert "0 of 4 predicted directions are occupied" in result.stdout
    assert "follow the signs of the gradient's components" in result.stdout


def test_a_plateau_that_is_a_saddle_is_passed(run_json):
    content = run_json("condense", *QUICK, "--activation", "sigmoid", "--width", "100")
    assert content["status"] == "converged"


def test_few_condensing_neurons_are_not_called_uncondensed(run_json):
    content = run_json("condense", *QUICK, "--width", "40", "--antisymmetric")
    assert content["verdict"]["label"] == "undetermined"
    assert "but their mean squared cosine is 0.83" in content["verdict"]["reason"]


def test_rounding_is_not_a_cosine():
    assert condensed._clean(-1.009e-16) == 0.0
    assert condensed._clean(-1e-3) == -1e-3
    assert math.isnan(condensed._clean(math.nan))


def test_an_unwritable_folder_is_found_before_the_training(run, monkeypatch):
    def never(*_, **__):
        raise AssertionError

    monkeypatch.setattr("os.access", lambda *_: False)
    monkeypatch.setattr("netphase.condensing.condense", never)
    result = run("condense", "--output", "sub/out", "--animation", "none")
    assert result.exit_code == 1
    assert result.stderr == "Error: sub/out: this folder cannot be written.\n"


WRONG = {
    "film of another kind": (("--animation", "talk.avi"), "Option --animation must end in .gif"),
    "film without a name": (("--animation", ""), "--animation needs the name of a file, or none"),
    "film of another kind, not drawn": (("--animation", "foo.bar", "--no-figures"), "must end in"),
    "two ends": (("--until", "half", "--tolerance", "1"), "both say when to end"),
    "steps of a flow": (("--steps", "5"), "steps of a fixed size"),
    "one frame": (("--frames", "1"), "--frames"),
    "target above the start": (("--tolerance", "100"), "already at or below the target 100"),
    "activation misspelt": (("--activation", "tanhh"), "Did you mean 'tanh'?"),
    "data with nan": (("--data", "nan.npz"), "must be finite"),
    "targets of zero": (("--data", "zero.npz"), "nothing to learn"),
    "a dead neuron": (("--activation", "relu", "--data", "four_points", "--width", "1",
                       "--seed", "1"), "is dead"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_gets_one_sentence_and_code_2(case, run):
    x = np.array([[-1.0], [0.0], [1.0]])
    np.savez("nan.npz", x=x, y=np.array([1.0, np.nan, 0.0]))
    np.savez("zero.npz", x=x, y=np.zeros(3))
    arguments, words = WRONG[case]
    result = run("condense", *arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert words in lines[0]


def test_a_film_in_mp4_without_ffmpeg_is_refused_before_the_training(run, monkeypatch):
    from matplotlib.animation import FFMpegWriter

    monkeypatch.setattr(FFMpegWriter, "isAvailable", classmethod(lambda _: False))
    result = run("condense", "--animation", "talk.mp4")
    assert result.exit_code == 2
    assert "needs the program ffmpeg, which is not installed" in result.stderr


def seen(**counts):
    standard = {"direction_clusters": 1.0, "effective_number": 1.0, "median_cosine": math.nan}
    return Moment(2.0, 6.4, nph.Parameters(np.ones(1), np.ones((1, 2))), {**standard, **counts})


def test_a_moment_is_told_in_one_line():
    moment = seen(direction_clusters=7.0, effective_number=2.13, median_cosine=0.972)
    assert moments.describe(moment, ("λt", 1.5)) == (
        "λt = 3, mean square 6.4, 7 directions (effective 2.13), cosine 0.972"
    )
    assert moments.describe(seen(), ("step", 1.0)) == (
        "step = 2, mean square 6.4, 1 direction (effective 1)"
    )


def test_the_live_line_is_printed_now_and_then_where_there_is_no_terminal(capsys, monkeypatch):
    monkeypatch.setattr(progress, "PLAIN_SECONDS", 0.0)
    with moments.MomentLine(3, ("t", 1.0)) as line:
        line.show(seen())
        line.show(seen())
    assert capsys.readouterr().err.splitlines() == [
        "1/3: t = 2, mean square 6.4, 1 direction (effective 1)",
        "2/3: t = 2, mean square 6.4, 1 direction (effective 1)",
    ]


def test_directions_are_told_by_angle_or_components():
    assert condensed._direction([0.0, -1.0], angle=True) == "−90.0°"
    many = [1.0, -1e-9, *[0.0] * 6]
    assert condensed._direction(many, angle=False) == "(1.00, 0.00, 0.00, 0.00, 0.00, 0.00, …)"
