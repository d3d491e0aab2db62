"""Wrong input: one sentence on standard error, nothing on standard output, exit code 2."""

import numpy as np
import pytest

TINY = ("--gamma", "0.9,1.1", "--gamma-prime", "0,0.1", "--widths", "100,200")

WRONG = {
    "unknown command": (("diagramm",), "no command 'diagramm'"),
    "unknown option": (("diagram", "--gama", "1"), "--gama"),
    "unknown option of the group": (("--colour",), "--colour"),
    "missing value": (("diagram", "--gamma"), "requires an argument"),
    "surplus argument": (("info", "now"), "unexpected extra argument"),
    "gamma is no number": (("diagram", "--gamma", "one"), "'one' is not a finite number"),
    "gamma is nan": (("diagram", "--gamma", "nan"), "'nan' is not a finite number"),
    "gamma is infinite": (("diagram", "--gamma", "1e999"), "not a finite number"),
    "gamma is empty": (("diagram", "--gamma", ""), "a number is missing"),
    "gamma ends in a comma": (("diagram", "--gamma", "0.6,"), "a number is missing"),
    "range of two parts": (("diagram", "--gamma", "0.6:1.4"), "start:stop:step"),
    "range with step zero": (("diagram", "--gamma", "0.6:1.4:0"), "positive steps"),
    "range that goes down": (("diagram", "--gamma-prime", "1:0:0.1"), "positive steps"),
    "range too long": (("diagram", "--gamma", "0:1:1e-9"), "more than 10000"),
    "width zero": (("diagram", "--widths", "0,100"), "at least 1"),
    "width negative": (("diagram", "--widths", "-5,100"), "at least 1"),
    "width fractional": (("diagram", "--widths", "100.5,200"), "not a whole number"),
    "one width": (("diagram", "--widths", "1000"), "no slope"),
    "the same width twice": (("diagram", "--widths", "1000,1000"), "no slope"),
    "seed fractional": (("diagram", "--seeds", "0.5"), "not a whole number"),
    "activation misspelt": (("diagram", *TINY, "--activation", "relo"), "relu"),
    "data unknown": (("diagram", *TINY, "--data", "five_points"), "four_points"),
    "data file missing": (("diagram", *TINY, "--data", "no/such.csv"), "no file"),
    "data file of another kind": (("diagram", *TINY, "--data", "here.txt"), "must be a .npz"),
    "method unknown": (("diagram", "--method", "sgd"), "'sgd'"),
    "adam on the plane": (("diagram", "--method", "adam"), "follow no clock"),
    "adam with an accuracy": (("train", "--method", "adam", "--accuracy", "0.1"), "no equation"),
    "adam with an automatic rate": (
        ("train", "--method", "adam", "--learning-rate", "auto"),
        "Adam needs a number",
    ),
    "learning rate zero": (("diagram", "--learning-rate", "0"), "larger than 0"),
    "learning rate a word": (
        ("diagram", "--learning-rate", "fast"),
        "'fast' is neither a number nor auto or stable",
    ),
    "learning rate for a flow": (
        ("diagram", "--method", "flow", "--learning-rate", "0.1"),
        "a flow has none",
    ),
    "accuracy with a fixed step": (
        ("diagram", "--learning-rate", "0.1", "--accuracy", "0.1"),
        "not both",
    ),
    "accuracy negative": (("diagram", "--accuracy", "-1"), "larger than 0"),
    "tolerance zero": (("diagram", "--tolerance", "0"), "larger than 0"),
    "tolerance nan": (("train", "--tolerance", "nan"), "not a finite number"),
    "dtype unknown": (("diagram", "--dtype", "float16"), "'float16'"),
    "workers zero": (("diagram", "--workers", "0"), "--workers"),
    "plane unknown": (("diagram", "--plane", "depth"), "'depth'"),
    "initialisation unknown": (("where", "--init", "hee"), "Did you mean 'he'"),
    "two initialisations": (("where", "--init", "he", "--gamma", "1"), "in one way"),
    "formulas and a point": (("train", "--alpha", "m", "--gamma", "1"), "in one way"),
    "gamma prime alone": (("where", "--gamma-prime", "1"), "needs --gamma"),
    "rate ratio alone": (("where", "--rate-ratio", "m"), "needs an initialisation"),
    "width without a place": (("where", "--width", "10"), "needs an initialisation"),
    "formula is none": (("where", "--beta1", "m^^2"), "is not a formula"),
    "formula is code": (("where", "--beta1", "__import__('os')"), "not allowed"),
    "formula with a stranger": (("where", "--alpha", "q^2"), "unknown name 'q'"),
    "formula is negative": (("where", "--alpha", "-m"), "must be positive"),
    "formula is no power": (("where", "--alpha", "exp(m)"), "Formula"),
    "inputs do not fit the data": (
        ("where", "--init", "he", "--inputs", "5", "--data", "four_points"),
        "does not fit the data",
    ),
    "inputs zero": (("where", "--init", "he", "--inputs", "0"), "--inputs"),
    "train width zero": (("train", "--width", "0"), "--width"),
    "train seed fractional": (("train", "--seed", "0.5"), "--seed"),
    "output without a kind": (("train", "--output", "run.txt"), ".nc or .zarr"),
    "store missing": (("show", "nowhere.zarr"), "does not exist"),
    "store is something else": (("show", "."), "is not a netphase store"),
    "store not named": (("show",), "Missing argument"),
    "paper unknown": (("reproduce", "luo2012"), "luo2021"),
    "paper not named": (("reproduce",), "Missing argument"),
    "size unknown": (("reproduce", "luo2021", "--size", "huge"), "'huge'"),
    "figure zero": (("reproduce", "luo2021", "--figure", "0"), "at least 1"),
}


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_gets_one_sentence_and_code_2(case, run, elsewhere, assert_one_sentence):
    (elsewhere / "here.txt").write_text("1,2\n")
    arguments, words = WRONG[case]
    assert_one_sentence(run(*arguments), words)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("command", ["diagram", "train"])
def test_wrong_input_with_json_prints_no_document(command, run, assert_one_sentence):
    assert_one_sentence(run(command, "--tolerance", "-1", "--json"), "larger than 0")


BAD_FILES = {
    "csv with a word": ("bad.csv", "1,2\n3,four\n", "'four' is not a number"),
    "csv with nan": ("bad.csv", "1,2\n3,nan\n", "'nan' is not a finite number"),
    "csv ragged": ("bad.csv", "1,2\n3\n", "columns"),
    "csv empty": ("bad.csv", "", "no rows"),
    "csv of one column": ("bad.csv", "1\n2\n", "two columns"),
    "csv with equal inputs": ("bad.csv", "1,2\n1,3\n", "singular"),
    "npz that is none": ("bad.npz", "text", "not a readable .npz"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_data_files_get_one_sentence_and_code_2(case, run, elsewhere, assert_one_sentence):
    name, content, words = BAD_FILES[case]
    (elsewhere / name).write_text(content)
    assert_one_sentence(run("diagram", *TINY, "--data", name), words)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x": np.ones((3, 1))}, "lacks 'y'"),
        ({"x": np.eye(3), "y": np.ones(2)}, "one row a sample"),
        ({"x": np.array([[0.0], [np.inf]]), "y": np.ones(2)}, "must be finite"),
    ],
)
def test_bad_arrays_get_one_sentence_and_code_2(arrays, words, run, elsewhere, assert_one_sentence):
    np.savez(elsewhere / "bad.npz", **arrays)
    assert_one_sentence(run("train", "--data", "bad.npz"), words)


def test_a_folder_of_something_else_is_neither_used_nor_deleted(run, elsewhere):
    (elsewhere / "out" / "results.zarr").mkdir(parents=True)
    (elsewhere / "out" / "results.zarr" / "diary.txt").write_text("mine")
    for flag in ("--resume", "--fresh"):
        result = run("diagram", *TINY, "--output", "out", flag)
        assert result.exit_code == 2
        assert "not a netphase store" in result.stderr
    assert (elsewhere / "out" / "results.zarr" / "diary.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["run.nc", "run.zarr"])
def test_train_leaves_an_existing_output_alone(name, run, elsewhere, assert_one_sentence):
    if name == "run.zarr":
        (elsewhere / name).mkdir()
        assert_one_sentence(run("train", "--output", name, "--overwrite"), "no saved run")
    else:
        (elsewhere / name).write_text("mine")
        assert_one_sentence(run("train", "--output", name), "give --overwrite")
