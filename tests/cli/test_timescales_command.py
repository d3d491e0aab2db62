"""`netphase timescales`: times, exponents, the verdict, files, and what is refused."""

import importlib
import json

import pytest
import xarray as xr

import netphase as nph
from netphase.results import STATUS_CODES

BASE = ("timescales", "--epsilon", "1e-8:1e-12:3")


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_base_case_is_learnt_degree_by_degree(run_json, run, tmp_path):
    content = run_json(*BASE, "--target", "1,-1,2/3", "--activation", "1,1,1", "--no-figures")
    assert content["verdict"]["word"] == "canonical"
    assert content["verdict"]["level"] == 2
    assert content["succeeded"]
    assert content["warnings"] == []
    assert [row["epsilon"] for row in content["runs"]] == [1e-8, 1e-10, 1e-12]
    last = content["runs"][-1]["degrees"]
    for row in last[:2]:
        assert row["time"] == pytest.approx(row["predicted_time"], rel=1e-3)
    for row, expected in zip(content["degrees"], (1.0, 0.5, 0.25), strict=True):
        assert row["predicted_exponent"] == pytest.approx(expected)
        assert row["exponent"] == pytest.approx(expected, abs=0.02)
        assert row["learnable"]
    assert last[1]["plateau"] == pytest.approx(content["degrees"][1]["predicted_plateau"], rel=0.02)
    folder = tmp_path / "netphase-timescales"
    assert json.loads((folder / "timescales.json").read_text("utf-8")) == content
    with xr.open_dataset(folder / "timescales.nc") as record:
        assert record.sizes["record"] == content["records"]
        assert float(record["learning_time"][-1, 0, 1]) == last[1]["time"]
    found = run("plateaus", folder / "timescales.nc", "--no-figures", "--json")
    assert found.exit_code == 0, found.stderr
    heights = [each["height"] for each in json.loads(found.stdout)["plateaus"]]
    assert any(abs(height / last[1]["plateau"] - 1) < 0.01 for height in heights)


def test_figures_and_tables_are_made_and_old_ones_go(run, tmp_path, monkeypatch):
    save = nph.figures.save  # the tests of figures write PDF; here it would only take time
    monkeypatch.setattr(nph.figures, "save", lambda figure, stem: save(figure, stem, ("png",)))
    result = run(*BASE, "--output", "out")
    assert result.exit_code == 0, result.stderr
    stems = ("risk", "residuals", "times", "windows", "growth")
    names = {f"{stem}.png" for stem in stems} | {"timescales.nc", "timescales.json"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    for words in ("learns φ = 1,-1,2/3,-1/3", "ε = 1e−12", "1/4", "wrote out/timescales.nc"):
        assert words in result.stdout, words
    assert run(*BASE[:1], "--epsilon", "1e-4", "--no-figures", "--output", "out").exit_code == 0
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert left == {"timescales.nc", "timescales.json"}


def test_a_staircase_of_two_directions(run_json):
    content = run_json(*BASE, "--target", "z1 + z1*z2", "--no-figures")
    rows = {row["degree"]: row for row in content["degrees"]}
    assert rows[2]["exponent"] == pytest.approx(0.25, abs=0.01)
    assert rows[2]["predicted_plateau"] == pytest.approx(0.0, abs=1e-12)
    assert content["verdict"]["word"] == "canonical"


def test_what_is_never_learnt_is_said_with_its_reason(run):
    result = run(*BASE[:1], "--target", "1,0,1", "--epsilon", "1e-4", "--no-figures")
    assert result.exit_code == 0, result.stderr
    assert "Never learnt: degree 2. σ_1 φ_1 = 0" in result.stdout
    assert "stays at 0.5 for ever" in result.stdout


def test_a_target_of_nothing_has_no_tables(run):
    result = run(*BASE, "--target", "0,0", "--no-figures")
    assert result.exit_code == 0, result.stderr
    assert "there is nothing to learn" in result.stdout
    assert "learnt at" not in result.stdout


def test_too_few_atoms_are_warned_of(run):
    result = run(*BASE[:1], "--outputs", "rademacher", "--epsilon", "1e-6", "--no-figures")
    assert result.exit_code == 0, result.stderr
    assert "Warning: P_A has 2 different atoms where" in result.stderr


def test_runs_that_did_not_finish_are_said_and_exit_3(run, monkeypatch):
    package = importlib.import_module("netphase.learning")
    solve = package.timescales

    def cut(*arguments, **options):
        found = solve(*arguments, **options)
        found["status"][:] = STATUS_CODES[nph.Status.MAX_STEPS]
        return found

    monkeypatch.setattr(package, "timescales", cut)
    result = run(*BASE[:1], "--epsilon", "1e-4,1e-5", "--no-figures")
    assert result.exit_code == 3
    assert "Runs at ε = 0.0001, 1e−05: maximum steps. Allow more steps" in result.stdout


def test_named_functions_reach_the_run(run_json):
    content = run_json(
        *(*BASE[:1], "--activation", "tanh", "--target", "h1(z) - 0.5*h3(z)"),
        *("--epsilon", "1e-5", "--end", "0.5", "--no-figures"),
    )
    assert content["setting"]["activation"] == "tanh"
    assert content["setting"]["target_coefficients"][:4] == [0.0, 1.0, 0.0, -0.5]
    assert content["runs"][0]["end"] == 0.5
    assert content["runs"][0]["degrees"][3]["time"] is None  # not within the run


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--epsilon", "0"), "all must be larger than 0, but 0 is not"),
        (("--epsilon", "1e-4,-1e-5"), "all must be larger than 0, but -1e-05 is not"),
        (("--epsilon", "1e-4:1e-8"), "write from:to:count"),
        (("--epsilon", "1e-4:1e-8:1.5"), "write from:to:count"),
        (("--epsilon", "1e-4:0:4"), "its ends must be positive and different"),
        (("--epsilon", "small"), "'small' is not a finite number"),
        (("--target", "exp"), "Option --target must be an activation (relu, "),
        (("--target", "1,b"), "Option --target must be an activation"),
        (("--target", "1,2/0"), "Option --target must be numbers or fractions"),
        (("--activation", "z1 + z2"), "must be a function of one variable"),
        (("--activation", "rellu"), "Did you mean 'relu'?"),
        (("--activation", "relu?slope=1"), "has the unknown option 'slope'"),
        (("--outputs", "cauchy"), "Option --outputs must be one of gaussian"),
        (("--outputs", "1@0.5,2@0.6"), "Option --outputs is '1@0.5,2@0.6': argument `weights`"),
        (("--outputs", "1,b"), "must be a law (gaussian"),
        (("--accuracy", "1"), "between"),
        (("--end", "-1"), "must be larger than 0"),
        (("--solver", "euler"), "'mean_field', 'exact', 'sgd'"),
    ],
)
def test_wrong_input_is_one_sentence(run, arguments, words):
    result = run("timescales", "--no-figures", *arguments)
    assert result.exit_code == 2, result.stdout
    assert result.stdout == ""
    assert words in result.stderr, result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_inputs_of_the_mean_field_are_told(run):
    said = run("timescales", "--no-figures", "--epsilon", "1e-4", "--inputs", "1e6").stdout
    assert "mean field of infinitely many neurons, 1e+06 inputs" in said
    assert "infinitely many inputs" in run("timescales", "--no-figures", "--target", "1").stdout
