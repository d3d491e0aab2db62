"""`netphase diagram --plane layers` and `netphase show` of its stores: options, tables, files."""

import json

import numpy as np
import pytest

from netphase import scalings, sweep
from netphase.cli.layer_options import KINDS
from netphase.cli.layer_report import LayerReport
from netphase.networks.multi_layer import OUTPUT_KINDS

LAYERS = ("diagram", "--plane", "layers")


@pytest.fixture
def plane():
    return "layers"


def test_kinds_are_those_of_the_networks():
    assert KINDS == OUTPUT_KINDS


@pytest.mark.usefixtures("theory", "no_figures")
def test_json_holds_exponents_verdicts_boundaries_and_the_agreement_with_theory(run_json, small):
    content = run_json(*small())
    assert (content["command"], content["depth"]) == ("diagram", 2)
    assert content["plane"] == {"x": "g2", "y": "g3"}
    assert content["axes"]["x"] == [0.25, 0.5, 0.75, 1.0, 1.25]
    assert content["runs"] == {"total": 300, "done": 300, "statuses": {"converged": 300}}
    assert len(content["cells"]) == 25
    for cell in content["cells"]:
        law = scalings.LayerScaling(g=(0.0, cell["x"], cell["y"]))
        assert cell["predicted_verdict"] == scalings.laziness(law).value
        if scalings.laziness(law) is not scalings.Laziness.BOUNDARY:
            assert cell["verdict"] == scalings.laziness(law).value
            assert cell["alias"] == scalings.laziness(law).alias
        for layer, expected in zip(cell["layers"], scalings.predicted_layers(law), strict=True):
            assert layer["layer"] == expected.layer
            assert layer["predicted"] == pytest.approx(expected.operator)
            assert layer["operator"] == pytest.approx(expected.operator, abs=0.02)
            assert layer["frobenius"] == pytest.approx(expected.frobenius, abs=0.02)
            assert layer["trend"] == pytest.approx(expected.operator, abs=0.05)
        assert [each["layer"] for each in cell["features"]] == [1, 2]
        largest = max(each.operator for each in scalings.predicted_layers(law))
        assert cell["kernel"]["exponent"] == pytest.approx(largest, abs=1e-9)
    network, *layers = content["boundaries"]
    assert network["layer"] is None
    assert [each["layer"] for each in layers] == [1, 2, 3]
    for row in network["rows"]:
        assert row["exact"] == pytest.approx(1.5 - row["y"])
        assert row["x"] == pytest.approx(row["exact"], abs=0.05)
        assert row["standard_error"] > 0
    operator, frobenius = content["agreement"]
    assert (operator["norm"], operator["compared"], operator["near"]) == ("operator", 75, 75)
    assert (frobenius["norm"], frobenius["compared"], frobenius["near"]) == ("frobenius", 75, 75)
    assert operator["median"] <= operator["worst"] < 0.03
    assert 0 < content["mislabels"]["count"] < content["mislabels"]["of"]
    labelled = [c for c in content["cells"] if c["layers"][1]["mislabelled"]]
    assert len(labelled) == content["mislabels"]["count"]
    assert content["sweep"]["widths"] == [64, 128, 256, 512]


@pytest.mark.usefixtures("theory")
def test_it_prints_tables_and_writes_every_file_it_names(run, named_files, small, tmp_path):
    result = run(*small())
    assert result.exit_code == 0, result.stderr
    for words in (
        "exponents S of the changes of the layers, W1 to W3",
        "g3 \\ g2",
        "θ-lazy (linear: lazy, kernel)",
        "boundary: where the largest S, and that of each layer, vanishes along g2",
        "W2 (exact)",
        "of 25 cells",
        "operator exponents: 75 of 75 within 0.15 of theory",
        "Frobenius exponents: 75 of 75",
        "hidden layers that move: ",
        "runs: 300 converged",
    ):
        assert words in result.stdout, words
    stems = ("layers", "features", "norms", "widths")
    assert set(named_files(result)) == {
        "results.zarr",
        "diagram.json",
        *(f"{stem}.{ending}" for stem in stems for ending in ("pdf", "png")),
    }
    assert json.loads((tmp_path / "out" / "diagram.json").read_text())["cells"]


@pytest.mark.usefixtures("no_figures")
def test_the_quick_plane_is_trained_for_real_in_seconds(run_json, tmp_path):
    content = run_json(
        *LAYERS,
        "--widths",
        "32,64",
        "--seeds",
        "0",
        "--x",
        "1.0,2.0",
        "--y",
        "0.5",
        "--output",
        tmp_path / "out",
    )
    assert content["runs"]["statuses"] == {"converged": 4}
    lazy, rich = content["cells"]
    assert lazy["layers"][0]["operator"] < rich["layers"][0]["operator"]
    assert lazy["layers"][0]["operator"] == pytest.approx(-0.5, abs=0.4)


@pytest.mark.usefixtures("theory", "no_figures")
def test_options_reach_the_sweep(run_json, tmp_path):
    arguments = (
        *(*LAYERS, "--depth", "3", "--axes", "rate1, gamma", "--x", "0,1", "--y", "1,3"),
        *("--g", "0,0.5,0.5,1", "--rates", "1,0,0,-1", "--activation", "tanh"),
        *("--data", "four_points", "--kind", "centred", "--widths", "32,64", "--seeds", "4"),
        *("--tolerance", "1e-3", "--time", "50", "--method", "flow", "--dtype", "float32"),
        *("--output", tmp_path / "out"),
    )
    spec = run_json(*arguments)["sweep"]
    assert spec["axes"] == ["rate1", "gamma"]
    assert spec["base"]["g"] == [0.0, 0.5, 0.5, 1.0]
    assert spec["base"]["rates"] == [1.0, 0.0, 0.0, -1.0]
    assert (spec["x"], spec["y"], spec["seeds"]) == ([0.0, 1.0], [1.0, 3.0], [4])
    assert (spec["activation"], spec["data"], spec["kind"]) == ("tanh", "four_points", "centred")
    assert (spec["mean_square"], spec["time"], spec["dtype"]) == (1e-3, 50.0, "float32")
    assert spec["method"]["type"] == "flow"


@pytest.mark.usefixtures("theory", "no_figures")
def test_defaults_are_those_of_the_library_and_plain_is_a_kind(run_json, tmp_path):
    full = run_json(*LAYERS, "--output", tmp_path / "full")
    usual = sweep.default_layer_sweep(2)
    assert full["sweep"].pop("data") == usual.dataset.source
    assert {"data": "linear", **full["sweep"]} == {"data": "linear", **json.loads(usual.to_json())}
    named = run_json(*LAYERS, "--method", "descent", "--output", tmp_path / "named")
    assert named["sweep"].get("method") == full["sweep"].get("method")
    quick = run_json(*LAYERS, "--quick", "--depth", "1", "--plain", "--output", tmp_path / "quick")
    assert quick["runs"]["total"] < full["runs"]["total"] / 3
    assert quick["kind"] == "plain"
    assert quick["plane"] == {"x": "gamma", "y": "g2"}


@pytest.mark.usefixtures("theory", "no_figures")
def test_what_makes_exponents_weak_is_told(run, tmp_path):
    result = run(
        *(*LAYERS, "--quick", "--activation", "tanh", "--plain", "--x", "0.5,2", "--widths"),
        *("50,100", "--output", tmp_path / "out"),
    )
    assert result.exit_code == 0, result.stderr
    for words in (
        "Two widths give a slope without an error",
        "span less than a factor 4",
        "Width 50 is so small",
        "saturate tanh",
        "Without a start at zero output",
    ):
        assert words in result.stderr, words


@pytest.mark.usefixtures("no_figures")
def test_runs_that_did_not_converge_give_exit_code_3(run, theory, small, tmp_path):
    def stuck(task):
        scalars = theory.measure(task)
        far = scalings.laziness(task.scaling) is scalings.Laziness.BELOW and task.width == 512
        return {**scalars, "status": "maximum steps"} if far else scalars

    theory(stuck)
    result = run(*small())
    assert result.exit_code == 3
    assert "! not converged" in result.stdout
    assert "maximum steps" in result.stdout
    content = json.loads((tmp_path / "out" / "diagram.json").read_text())
    verdicts = {cell["predicted_verdict"]: cell["verdict"] for cell in content["cells"]}
    assert verdicts["below"] == "not converged"
    # what did not converge is no evidence about theory
    assert content["agreement"][0]["compared"] == 3 * sum(
        cell["converged"] for cell in content["cells"]
    )


@pytest.mark.usefixtures("theory")
def test_show_reprints_a_store_and_draws_it(run, run_json, monkeypatch, small, tmp_path):
    monkeypatch.setattr(LayerReport, "draw", lambda _, folder: [folder / "layers.png"])
    made = run_json(*small())
    again = run_json("show", tmp_path / "out", "--output", tmp_path / "again")
    for name in ("cells", "boundaries", "agreement", "mislabels", "sweep"):
        assert again[name] == made[name]
    assert again["files"] == [str(tmp_path / "again" / "layers.png")]
    assert again["provenance"]["plane_x"] == "g2"
    assert "W2 (exact)" in run("show", tmp_path / "out").stdout
    refused = run("show", tmp_path / "out", "--whole-row")
    assert refused.exit_code == 2
    assert "this one is of the plane of layers" in refused.stderr


@pytest.mark.usefixtures("theory")
def test_one_row_is_measured_and_drawn_against_the_width_only(run, tmp_path):
    result = run(*LAYERS, "--quick", "--y", "0.5", "--output", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    assert {path.name for path in (tmp_path / "out").glob("*.png")} == {"widths.png"}


@pytest.mark.usefixtures("theory", "no_figures")
def test_no_number_of_the_json_is_lost_where_nothing_is_known(run_json, theory, tmp_path):
    theory(lambda task: {"status": "diverged", "kappa": task.scaling.at_width(64).kappa})
    content = run_json(*LAYERS, "--quick", "--output", tmp_path / "out", code=3)
    assert content["cells"][0]["layers"][0]["operator"] is None
    assert content["agreement"][0]["compared"] == 0
    assert content["agreement"][0]["worst_at"] is None
    assert content["mislabels"] == {"count": 0, "of": 0}
    assert np.all([row["x"] is None for row in content["boundaries"][0]["rows"]])


AXES = (*LAYERS, "--axes", "g2,g3")
WRONG = {
    "depth zero": ((*LAYERS, "--depth", "0"), "--depth must be a positive integer, but is 0"),
    "depth negative": ((*LAYERS, "--depth", "-2"), "--depth must be"),
    "depth no number": ((*LAYERS, "--depth", "deep"), "'deep' is not a valid integer"),
    "unknown axis": (
        (*LAYERS, "--axes", "g2,beta3", "--x", "0,1", "--y", "0,1"),
        "two different names out of g1, g2, g3, rate1",
    ),
    "axis beyond the depth": (
        (*LAYERS, "--axes", "g2,g5", "--x", "0,1", "--y", "0,1"),
        "two different names out of g1, g2, g3, rate1",
    ),
    "the same axis twice": ((*LAYERS, "--axes", "g2,g2", "--x", "0", "--y", "1"), "two different"),
    "alpha and gamma": (
        (*LAYERS, "--axes", "alpha,gamma", "--x", "0,1", "--y", "0,1"),
        "both alpha and gamma",
    ),
    "one axis": ((*LAYERS, "--axes", "g2"), "needs two exponents with a comma"),
    "axes without x": ((*AXES, "--y", "0,1"), "needs --x beside it"),
    "axes without y": ((*AXES, "--x", "0,1"), "needs --y beside it"),
    "x empty": ((*AXES, "--x", "", "--y", "1"), "a number is missing"),
    "one width": ((*LAYERS, "--widths", "64"), "One width (64) gives no slope"),
    "width beyond memory": ((*LAYERS, "--widths", "64,10000000"), "fit into memory"),
    "overflow": ((*AXES, "--x", "0,200", "--y", "0,1"), "of layer 2"),
    "overflow of a rate": (
        (*LAYERS, "--axes", "rate3,g1", "--x", "0,500", "--y", "0,1"),
        "of layer 3",
    ),
    "base of another depth": ((*LAYERS, "--g", "0,0.5"), "--g needs 3 exponents"),
    "two bases": ((*LAYERS, "--g", "0,0.5,1", "--init", "he"), "in one way"),
    "unknown base": ((*LAYERS, "--init", "lazy"), "lecun"),
    "kinds that contradict": ((*LAYERS, "--kind", "centred", "--plain"), "contradicts --plain"),
    "unknown kind": ((*LAYERS, "--kind", "odd"), "'odd'"),
    "unknown activation": ((*LAYERS, "--activation", "step"), "step"),
    "unknown data": ((*LAYERS, "--data", "nothing.csv"), "nothing.csv"),
    "adam": ((*LAYERS, "--method", "adam"), "follow no clock"),
    "gamma of the scales": ((*LAYERS, "--gamma", "1"), "--gamma is for --plane scaling"),
    "exact": ((*LAYERS, "--exact"), "--exact is for --plane scaling"),
    "whole row": ((*LAYERS, "--whole-row"), "--whole-row is for --plane scaling"),
    "samples of the sizes": ((*LAYERS, "--samples", "50"), "--samples is for --plane size"),
    "depth of the scales": (("diagram", "--depth", "2"), "--depth is for --plane layers"),
    "axes of the scales": (("diagram", "--axes", "g1,g2"), "--axes is for --plane layers"),
    "x of the scales": (("diagram", "--x", "1"), "--x is for --plane layers"),
    "base of the scales": (("diagram", "--init", "he"), "--init is for --plane layers"),
    "rates of the sizes": (
        ("diagram", "--plane", "size", "--rates", "0,0,0"),
        "--rates is for --plane layers",
    ),
}


@pytest.mark.parametrize(("arguments", "words"), WRONG.values(), ids=list(WRONG))
@pytest.mark.usefixtures("theory")
def test_wrong_input_is_one_sentence(assert_nothing_measured, arguments, words):
    assert_nothing_measured(arguments, words)
