"""`netphase diagram --plane size` and `netphase show` of its stores: options, tables, files."""

import json

import pytest


@pytest.fixture
def plane():
    return "size"


@pytest.mark.usefixtures("theory", "no_figures")
def test_json_holds_the_map_the_front_and_how_the_runs_ended(run_json, small):
    content = run_json(*small())
    assert content["command"] == "diagram"
    assert content["axes"]["scaling"] == [0.0, 1.0]
    assert content["axes"]["sample"] == [50, 100, 200]
    assert (content["d"], content["inputs"]) == (20, "gaussian")
    assert content["runs"] == {
        "total": 144,
        "done": 144,
        "statuses": {"converged": 126, "stagnated": 18},
    }
    cell = next(
        c for c in content["cells"] if (c["scaling"], c["sample"], c["width"]) == (0.0, 100, 400)
    )
    assert cell["log10_test_error"] == pytest.approx(-0.99, abs=1e-3)
    assert cell["usable"] == 3
    assert cell["effective_number"] == 400
    conventional, mean_field = content["fronts"]
    for row in conventional["rows"]:
        assert row["width"] == pytest.approx(row["sample"] / 4, rel=0.2)
        assert row["error"] > 0
    assert (conventional["between"], conventional["found"]) == (3, 3)
    assert conventional["exponent"] == pytest.approx(1.0, abs=0.15)
    assert mean_field["found"] == 0
    assert mean_field["exponent"] is None
    slopes = {(each["scaling"], each["least"]): each for each in content["slopes"]}
    assert slopes[1.0, 0.0]["ratio"] == pytest.approx(0.0, abs=1e-6)
    assert slopes[1.0, 1.0]["sample"] == pytest.approx(-2.0, abs=1e-6)
    assert slopes[0.0, 0.0]["ratio"] > 0.3
    assert [row["width"] for row in content["ridge"]] == [50, 100, 200]
    assert content["endings"][0]["shares"]["stagnated"] == pytest.approx(1 / 8)
    assert content["target"] == "single_neuron?d=20"
    assert content["sweep"]["samples"] == [50, 100, 200]


@pytest.mark.usefixtures("theory")
def test_it_prints_tables_and_writes_every_file_it_names(run, named_files, small, tmp_path):
    result = run(*small())
    assert result.exit_code == 0, result.stderr
    for words in (
        "log10 test error, conventional scaling",
        "log10 test error, random features",
        "front, mean-field scaling",
        "lies between m = n/(d+1) and m = n in 3 of the 3 rows",
        "worst at the width next to m = n in 3 of 3 rows",
        "12 % stagnated",
    ):
        assert words in result.stdout
    assert set(named_files(result)) == {
        "results.zarr",
        "diagram.json",
        "sizes.pdf",
        "sizes.png",
    }
    assert json.loads((tmp_path / "out" / "diagram.json").read_text())["fronts"]


@pytest.mark.usefixtures("theory", "no_figures")
def test_options_reach_the_sweep(run_json, small):
    content = run_json(
        *small("--scaling", "mean_field,0.5", "--target", "circle?d=7"),
        *("--inputs", "sphere", "--tolerance", "1e-5", "--method", "flow", "--dtype", "float32"),
        *("--time", "2e4"),
    )
    spec = content["sweep"]
    assert spec["scalings"] == [0.5, 1.0]
    assert spec["target"] == "circle?d=7"
    assert spec["inputs"] == "sphere"
    assert spec["mean_square"] == 1e-5
    assert spec["method"]["type"] == "flow"
    assert spec["dtype"] == "float32"
    assert spec["time"] == 2e4
    assert content["d"] == 7


@pytest.mark.usefixtures("theory", "no_figures")
def test_defaults_are_those_of_the_paper_and_quick_is_smaller(run_json, tmp_path):
    full = run_json("diagram", "--plane", "size", "--output", tmp_path / "full")
    quick = run_json("diagram", "--plane", "size", "--quick", "--output", tmp_path / "quick")
    axes = full["axes"]
    assert (axes["sample"][0], axes["sample"][-1]) == (50, 500)
    assert (axes["width"][0], axes["width"][-1]) == (3, 2400)
    assert set(axes["sample"]) <= set(axes["width"])  # so that the ridge is on the grid
    assert len(axes["seed"]) >= 3
    assert quick["runs"]["total"] < full["runs"]["total"] / 3


@pytest.mark.usefixtures("no_figures")
def test_runs_without_an_end_give_exit_code_3_and_plateaus_do_not(run, theory, small):
    def unfinished(student):
        scalars = theory.measure(student)
        if student.samples == 50:
            scalars["status"] = "maximum steps"
        return scalars

    theory(unfinished)
    result = run(*small())
    assert result.exit_code == 3
    assert "33 % maximum steps" in result.stdout
    assert "no width has runs that count" in result.stdout


@pytest.mark.usefixtures("theory")
def test_show_reprints_a_store_and_draws_it(run, run_json, small, tmp_path):
    made = run_json(*small())
    again = run_json("show", tmp_path / "out", "--output", tmp_path / "again")
    for name in ("cells", "fronts", "slopes", "ridge", "endings", "sweep"):
        assert again[name] == made[name]
    assert {path.name for path in (tmp_path / "again").iterdir()} == {"sizes.pdf", "sizes.png"}
    assert again["provenance"]["target"] == "single_neuron?d=20"
    assert "front, conventional scaling" in run("show", tmp_path / "out").stdout
    refused = run("show", tmp_path / "out", "--whole-row")
    assert refused.exit_code == 2
    assert "--whole-row is for stores of the plane of the scales" in refused.stderr


@pytest.mark.usefixtures("theory")
def test_one_row_is_measured_but_not_drawn(run, tmp_path):
    arguments = ("diagram", "--plane", "size", "--samples", "100", "--widths", "10,100")
    result = run(*arguments, "--seeds", "0", "--output", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    assert "no figure is drawn" in result.stderr
    assert "Fewer than three seeds" in result.stderr
    assert not list((tmp_path / "out").glob("sizes.*"))


@pytest.mark.usefixtures("theory", "no_figures")
def test_a_target_below_rounding_is_told(run, small):
    result = run(*small("--dtype", "float32", "--tolerance", "1e-13"))
    assert "near the rounding of float32" in result.stderr


SIZE = ("diagram", "--plane", "size")
WRONG = {
    "gamma": ((*SIZE, "--gamma", "1"), "--gamma is for --plane scaling"),
    "gamma prime": ((*SIZE, "--gamma-prime", "1"), "--gamma-prime is for --plane scaling"),
    "stage": ((*SIZE, "--stage", "final"), "--stage is for --plane scaling"),
    "part": ((*SIZE, "--part", "0.5"), "--part is for --plane scaling"),
    "gauge": ((*SIZE, "--gauge", "alpha"), "--gauge is for --plane scaling"),
    "exact": ((*SIZE, "--exact"), "--exact is for --plane scaling"),
    "activation": ((*SIZE, "--activation", "relu"), "--activation is for --plane scaling"),
    "data": ((*SIZE, "--data", "linear"), "--data is for --plane scaling"),
    "plain": ((*SIZE, "--plain"), "--antisymmetric/--plain is for --plane scaling"),
    "whole row": ((*SIZE, "--whole-row"), "--whole-row is for --plane scaling"),
    "samples of the other": (("diagram", "--samples", "50"), "--samples is for --plane size"),
    "target of the other": (("diagram", "--target", "circle"), "--target is for --plane size"),
    "scaling of the other": (("diagram", "--scaling", "0"), "--scaling is for --plane size"),
    "inputs of the other": (("diagram", "--inputs", "sphere"), "--inputs is for --plane size"),
    "time of the other": (("diagram", "--time", "5"), "--time is for --plane size"),
    "time zero": ((*SIZE, "--time", "0"), "larger than 0"),
    "inputs of the exact one": (
        ("diagram", "--exact", "--inputs", "sphere"),
        "--inputs is for --plane size",
    ),
    "no samples": ((*SIZE, "--samples", "0,50"), "0 is not a whole number of at least 1"),
    "samples no number": ((*SIZE, "--samples", "many"), "'many' is not a finite number"),
    "no width": ((*SIZE, "--widths", "0"), "at least 1"),
    "width beyond memory": ((*SIZE, "--widths", "3,10000000000000"), "fit into memory"),
    "scaling unknown": ((*SIZE, "--scaling", "lazy"), "'lazy' is no scaling"),
    "scaling empty": ((*SIZE, "--scaling", ""), "a number is missing"),
    "scaling too large": ((*SIZE, "--scaling", "500"), "leaves the range of a float"),
    "target unknown": ((*SIZE, "--target", "one_neuron"), "single_neuron"),
    "target empty": ((*SIZE, "--target", ""), "--target"),
    "target of one input": ((*SIZE, "--target", "circle?d=1"), "at least 2"),
    "inputs unknown": ((*SIZE, "--inputs", "cauchy"), "'cauchy'"),
    "adam": ((*SIZE, "--method", "adam"), "follow no clock"),
    "rate of a flow": ((*SIZE, "--method", "flow", "--learning-rate", "1"), "a flow has none"),
}


@pytest.mark.parametrize(("arguments", "words"), WRONG.values(), ids=list(WRONG))
@pytest.mark.usefixtures("theory")
def test_wrong_input_is_one_sentence(assert_nothing_measured, arguments, words):
    assert_nothing_measured(arguments, words)
