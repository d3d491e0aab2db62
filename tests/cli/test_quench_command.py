"""`netphase quench`: phases, events, winners, ablations, files, and what is refused."""

import json
import math

import pytest
import xarray as xr
from PIL import Image

import netphase as nph

QUICK = ("--width", "20", "--inputs", "6", "--tolerance", "1e-4", "--learning-rate", "auto")


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_single_neuron_is_found(run_json, tmp_path):
    content = run_json("quench", *QUICK, "--no-figures")
    assert content["status"] == "converged"
    assert content["succeeded"]
    end = content["end"]
    assert end["test_error"] <= 1e-4
    for name in ("activated_neurons", "activated_by_gap"):
        assert isinstance(end[name], int), name
    assert end["test_error"] < 0.1 * end["twin_test_error"]
    assert end["twin_test_error"] >= end["twin_limit"] * (1 - 1e-9)
    assert content["target"]["source"] == "single_neuron?d=6"
    assert content["setting"]["width"] == 20
    assert content["setting"]["samples"] is None
    assert content["largest_sharpness"] is None  # a flow has no step to be too long
    phases = {row["name"]: row for row in content["phases"]}
    assert phases["departure"]["word"] == "reached"
    assert 0 < phases["departure"]["time"] < phases["activation"]["time"] < end["time"]
    assert content["winners"]
    assert content["matched"][0]["unit"] == 0
    assert content["ablation"] is None
    assert not content["lazy"]
    with xr.open_dataset(tmp_path / "netphase-quench" / "quench.nc") as record:
        assert record.sizes["time"] == content["records"]
        assert float(record["time"][-1]) == end["time"]
    saved = json.loads((tmp_path / "netphase-quench" / "quench.json").read_text("utf-8"))
    assert saved == content


def test_figures_film_and_tables_are_made(run, tmp_path, monkeypatch):
    save = nph.figures.save  # the tests of figures write PDF; here it would only take time
    monkeypatch.setattr(nph.figures, "save", lambda figure, stem: save(figure, stem, ("png",)))
    result = run("quench", *QUICK, "--frames", "3", "--animation", "films/talk.apng",
                 "--output", "deep/out")  # fmt: skip
    assert result.exit_code == 0, result.stderr
    names = {f"{stem}.png" for stem in ("contributions", "errors", "stems", "directions")}
    names |= {"quench.nc", "quench.json"}
    assert {path.name for path in (tmp_path / "deep" / "out").iterdir()} == names
    with Image.open(tmp_path / "films" / "talk.apng") as film:
        assert film.n_frames > 5
    for words in (
        "20 neurons learn: one neuron on infinitely many inputs",
        "T_dep (1 %)",
        "path norm PN",
        "random features",
        "cosine above 0.95",
        "wrote deep/out/quench.nc",
    ):
        assert words in result.stdout, words


def test_options_reach_the_run(run_json):
    content = run_json(
        *("quench", "--target", "finite_neurons?units=2", "--inputs", "3", "--width", "7"),
        *("--samples", "30", "--scaling", "mean_field", "--seed", "-2", "--input-law", "sphere"),
        *("--learning-rate", "0.5", "--time", "20", "--frames", "5", "--no-figures"),
    )
    setting = content["setting"]
    assert setting["gamma"] == 1.0
    assert (setting["width"], setting["samples"], setting["seed"]) == (7, 30, -2)
    assert setting["inputs"] == "sphere"
    assert setting["method"]["learning_rate"] == 0.5
    assert content["end"]["time"] == 20.0
    assert content["status"] == "time reached"
    assert 0 < content["largest_sharpness"] < 1
    assert len(content["matched"]) <= 2
    assert run_json("quench", *QUICK, "--scaling", "0.5", "--time", "1",
                    "--no-figures")["setting"]["gamma"] == 0.5  # fmt: skip


def test_without_its_quenched_neurons_the_circle_activates_no_more(run_json, tmp_path):
    content = run_json(
        *("quench", "--target", "circle", "--inputs", "30", "--width", "60", "--time", "6e4"),
        *("--learning-rate", "auto", "--ablate", "delete", "--at", "9000", "--no-figures"),
    )
    found = content["ablation"]
    assert found["later_activations"] <= found["intact_later_activations"]
    assert found["test_error"] > found["intact_test_error"]
    assert math.degrees(sum(content["gaps"])) == pytest.approx(180)
    with xr.open_dataset(tmp_path / "netphase-quench" / "ablation.nc") as record:
        assert record.attrs["action"] == "delete"
        assert record.sizes["neuron"] + found["quenched_neurons"] == 60


def test_a_run_that_gives_up_says_so_and_exits_3(run):
    result = run("quench", *QUICK, "--max-steps", "3", "--no-figures")
    assert result.exit_code == 3
    assert "maximum steps. Allow more steps" in result.stdout


def test_a_step_that_is_too_many_is_not_taken(run_json):
    content = run_json("quench", "--width", "8", "--inputs", "6", "--max-steps", "3",
                       "--no-figures", code=3)  # fmt: skip
    assert content["steps"] == 3
    assert content["status"] == "maximum steps"


def test_a_run_whose_ablation_is_refused_is_kept_whole(run, tmp_path):
    result = run("quench", *QUICK, "--no-figures", "--ablate", "delete", "--at", "1e9")
    assert result.exit_code == 2
    saved = json.loads((tmp_path / "netphase-quench" / "quench.json").read_text("utf-8"))
    assert saved["ablation"] is None
    with xr.open_dataset(tmp_path / "netphase-quench" / "quench.nc") as record:
        assert float(record["time"][-1]) == saved["end"]["time"]


def test_nothing_of_an_earlier_run_is_left_in_its_folder(run, tmp_path):
    folder = tmp_path / "netphase-quench"
    ran = ("quench", *QUICK, "--no-figures")
    folder.mkdir()
    stale = [folder / name for name in ("ablation.nc", "neurons.gif", "stems.pdf", "errors.png")]
    for path in (*stale, folder / "notes.txt"):
        path.write_text("mine")
    assert run(*ran).exit_code == 0
    assert all(path.exists() for path in stale)  # no run has been here: whose files are these?
    assert run(*ran).exit_code == 0
    assert {path.name for path in folder.iterdir()} == {"quench.nc", "quench.json", "notes.txt"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--samples", "0"), "Option --samples must be a positive integer, but is 0."),
        (("--target", "hexagon"), "must be one of single_neuron, finite_neurons, circle"),
        (
            ("--target", "circle?d=5", "--inputs", "6"),
            "The target has d = 5 inputs and the student",
        ),
        (("--target", "circle", "--inputs", "1"), "must be at least 2 for a circle"),
        (
            ("--target", "sphere?k=9", "--inputs", "4"),
            "whose option `k` must lie between 2 and the 4",
        ),
        (("--target", "linear?d=3&d=4"), "must give the option 'd' once only"),
        (("--width", "1000000000"), "Option --width must leave room in memory"),
        (("--ablate", "delete"), "give both or none"),
        (("--at", "3"), "give both or none"),
        (("--scaling", "ntk"), "'ntk' is neither a number nor conventional or mean_field"),
        (("--learning-rate", "-1"), "must be larger than 0"),
        (("--animation", "film.mov"), "must end in"),
        (("--animation", "film.gif"), "--animation asks for a film and --no-figures for none"),
        (("--ablate", "delete", "--at", "3", "--time", "2"), "--at must be before --time"),
        (
            ("--ablate", "delete", "--at", "1e9", "--width", "4", "--tolerance", "0.4"),
            "--at must lie",
        ),
    ],
)
def test_wrong_input_is_one_sentence(run, arguments, words):
    result = run("quench", "--no-figures", *arguments)
    assert result.exit_code == 2, result.stdout
    assert result.stdout == ""
    assert words in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
