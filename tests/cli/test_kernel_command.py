"""`netphase kernel`: numbers, files, exit codes, and what is refused."""

import json
import re

import pytest
import xarray as xr

import netphase as nph
from netphase import concentration
from netphase.cli.kernel_report import FIELDS

BASE = ("kernel", "--activation", "erf", "--widths", "16,32,64", "--seeds", "0:2")


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_numbers_are_those_of_the_record(run_json, tmp_path):
    content = run_json(*BASE, "--no-figures", "--depth", "3", "--init", "lecun")
    assert content["name"] == "lecun"
    assert content["setting"]["depth"] == 3
    assert [row["width"] for row in content["widths"]] == [16, 32, 64]
    assert len(content["layers"]) == 4
    assert content["layers"][3]["feature_exponent"] is None
    assert content["succeeded"]
    assert content["degeneracy"] is None
    assert content["widths"][0]["training"] is None
    folder = tmp_path / "netphase-kernel"
    assert json.loads((folder / "kernel.json").read_text("utf-8")) == content
    with xr.open_dataset(folder / "kernel.nc") as record:
        assert float(record["tangent_exponent"]) == content["exponent"]
        last = content["widths"][-1]
        assert float(record["limit_decay_rate"][-1]) == last["limit"]["decay_rate"]
        mean = float(record["decay_rate"][-1].mean())
        assert mean == pytest.approx(last["empirical"]["decay_rate"]["mean"])
    for name in content.keys() - {"command", "schema", "netphase_version"}:
        assert re.search(rf"\b{name}\b", FIELDS), name


def test_spreads_of_kernels_whose_squares_are_no_floats_are_known(run):
    arguments = ("--widths", "16,32", "--seeds", "0:1", "--g=-60,0,0", "--no-figures", "--json")
    result = run("kernel", *arguments)
    assert "Warning" not in result.stderr
    for row in json.loads(result.stdout)["widths"]:
        for name in ("least", "largest", "decay_rate", "stable_rate"):
            spread = row["empirical"][name]
            assert 1e-4 < spread["std"] / spread["mean"] < 2


def test_figures_and_tables_are_made_and_old_ones_go(run, tmp_path, monkeypatch):
    save = nph.figures.save  # the tests of figures write PDF; here it would only take time
    monkeypatch.setattr(nph.figures, "save", lambda figure, stem: save(figure, stem, ("png",)))
    arguments = ("--data", "sines?n=4&inputs=3&amplitude=0.2", "--output", "out")
    result = run(*BASE, *arguments, "--train", "--scale-range", "1e-3:1:5")
    assert result.exit_code == 0, result.stderr
    stems = ("errors", "spectra", "shares", "decay", "degeneracy")
    names = {*(f"{stem}.png" for stem in stems), "kernel.nc", "degeneracy.nc", "kernel.json"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    for words in ("Trained networks", "over own kernel at start", "λ_min goes as ε^", "wrote out/"):
        assert words in result.stdout, words
    assert run(*BASE, *arguments, "--no-figures").exit_code == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"kernel.nc", "kernel.json"}


def test_a_small_first_layer_is_held_against_its_prediction(run_json):
    content = run_json(*BASE, "--no-figures", "--scale-range", "1e-3:1:7")
    found = content["degeneracy"]
    assert found["slope"] == pytest.approx(found["predicted_slope"], abs=0.05)
    assert len(found["least"]) == 7


def test_one_width_has_no_exponent_and_that_is_no_error(run_json, run):
    arguments = (*BASE, "--widths", "16", "--no-figures")
    content = run_json(*arguments)
    assert content["exponent"] is None
    assert content["verdict"]["word"] == "undetermined"
    assert "One width gives an error but no exponent" in run(*arguments).stdout


def test_runs_that_did_not_finish_are_said_and_exit_3(run):
    result = run(*BASE, "--no-figures", "--train", "--max-steps", "2")
    assert result.exit_code == 3, result.stderr
    assert "Runs at m = 16: maximum steps. Allow more steps" in result.stdout


@pytest.mark.parametrize("name", ["relu", "tanh"])
def test_kinks_are_told_of_where_there_are_some(run, name):
    arguments = ("--activation", name, "--train", "--max-steps", "2", "--no-figures")
    said = run(*BASE, *arguments).stdout
    assert ("rest on the kink of a sample" in said) == (name == "relu")


def test_ctrl_c_saves_nothing(run, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(concentration, "kernel_concentration", interrupted)
    result = run(*BASE)
    assert result.exit_code == 130
    assert "nothing was saved" in result.stderr
    assert not list((tmp_path / "netphase-kernel").iterdir())


def test_opposite_inputs_of_an_odd_activation_are_named(run, tmp_path):
    (tmp_path / "opposite.csv").write_text("1,0,1\n0.5,1,0\n-1,0,2\n", encoding="utf-8")
    result = run(*BASE, "--no-figures", "--data", "opposite.csv?bias=False")
    assert result.exit_code == 2
    assert "its rows 0 and 2 are opposite or proportional" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--depth", "0"), "Option --depth must be a positive integer, but is 0"),
        (("--g", "0,0.5"), "--g needs 3 exponents"),
        (("--g", "0,200,0"), "The signal in layer 2 must have a size"),
        (("--init", "xaver"), "Did you mean 'xavier'?"),
        (("--outputs", "0"), "Option --outputs must be a positive integer"),
        (("--outputs", "100000"), "Option --data must have fewer samples, or fewer outputs"),
        (("--widths", "10000000"), "Option --widths must be smaller"),
        (("--tolerance", "1e-3"), "--tolerance is for --train"),
        (("--max-steps", "5"), "--max-steps is for --train"),
        (("--scale-range", "0"), "all must be larger than 0"),
        (("--scale-range", "1e-300"), "With β_1 times ε = 1e-300"),
        (("--kind", "odd"), "'antisymmetric', 'centred', 'plain'"),
    ],
)
def test_wrong_input_is_one_sentence(run, arguments, words):
    result = run(*BASE, "--no-figures", *arguments)
    assert result.exit_code == 2, result.stdout
    assert result.stdout == ""
    assert words in result.stderr, result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
