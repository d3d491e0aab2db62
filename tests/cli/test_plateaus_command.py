"""`netphase plateaus`: tables, records, options, and what is refused."""

import json
import re

import numpy as np
import pytest
import xarray as xr

TIME = np.geomspace(1.0, 1e6, 241)
LOSS = 1 / (1 + (TIME / 50) ** 4) + 0.01 / (1 + (TIME / 2e4) ** 4) + 1e-4


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder to work in, with a log of two columns and a header."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "log.csv", np.column_stack([TIME, LOSS]), "step,loss")
    return tmp_path


def write(path, table, header=""):
    np.savetxt(path, table, delimiter=",", header=header, comments="")


def test_a_table_is_analysed_and_everything_is_written(run_json, folder):
    content = run_json("plateaus", "log.csv")
    assert (content["time"], content["loss"], content["records"]) == ("step", "loss", 241)
    assert content["word"] == "several"
    heights = [each["height"] for each in content["plateaus"]]
    assert heights == pytest.approx([1.0101, 0.0101, 1e-4], rel=0.01)
    assert [each["time"] for each in content["escapes"]] == pytest.approx([50, 2e4], rel=0.01)
    assert content["plateaus"][0]["from_start"] is True
    assert content["zero"] is None
    names = {"plateaus.json", "plateaus.pdf", "plateaus.png"}
    assert {path.name for path in (folder / "netphase-plateaus").iterdir()} == names
    saved = json.loads((folder / "netphase-plateaus" / "plateaus.json").read_text("utf-8"))
    assert saved == content


def test_the_help_names_every_field(run, run_json):
    text = run("plateaus", "--help").stdout
    content = run_json("plateaus", "log.csv", "--no-figures")
    fields = {*content, *content["plateaus"][0], *content["escapes"][0], *content["settings"]}
    fields -= {"command", "schema", "netphase_version"}
    assert {name for name in fields if not re.search(rf"\b{name}\b", text)} == set()


def test_the_text_says_what_the_ends_of_the_record_cut(run):
    result = run("plateaus", "log.csv", "--no-figures", "--output", "there")
    assert result.exit_code == 0, result.stderr
    assert "log.csv: 3 plateaus" in result.stdout
    assert "≤ 1 " in result.stdout
    assert "≥ 1e+06" in result.stdout
    assert "wrote there/plateaus.json" in result.stdout
    assert "1.01 → 0.0101" in result.stdout


def test_columns_are_named_or_numbered_with_or_without_a_header(run_json, folder):
    table = np.column_stack([LOSS, np.ones(241), TIME])
    write(folder / "wide.csv", table, "train, epoch ,t")
    write(folder / "bare.csv", table)
    expected = run_json("plateaus", "log.csv", "--no-figures")["plateaus"]
    for arguments in (
        ("wide.csv", "--time", "t", "--loss", "train"),
        ("wide.csv", "--time", "3", "--loss", "1"),
        ("bare.csv", "--time", "3", "--loss", "1"),
    ):
        assert run_json("plateaus", *arguments, "--no-figures")["plateaus"] == expected
    flat = run_json("plateaus", "wide.csv", "--time", "t", "--loss", "epoch", "--no-figures")
    assert flat["word"] == "one"


def test_rows_with_an_empty_cell_are_left_out_with_a_warning(run, folder):
    lines = (folder / "log.csv").read_text().splitlines()
    mixed = [line for pair in zip(lines[1:], ["7,"] * 240, strict=False) for line in pair]
    (folder / "mixed.csv").write_text("\n".join([lines[0], *mixed]) + "\n")
    result = run("plateaus", "mixed.csv", "--no-figures")
    assert result.exit_code == 0, result.stderr
    assert result.stderr == "Warning: 240 rows have an empty cell and were left out.\n"
    assert "3 plateaus" in result.stdout


def test_every_setting_reaches_the_analysis(run_json):
    quiet = ("plateaus", "log.csv", "--no-figures")
    usual = run_json(*quiet)
    assert len(run_json(*quiet, "--length", "1")["plateaus"]) == 2
    assert len(run_json(*quiet, "--drop", "50")["plateaus"]) == 3
    assert len(run_json(*quiet, "--drop", "2e4")["plateaus"]) == 1
    assert run_json(*quiet, "--noise", "2")["word"] == "undetermined"
    assert run_json(*quiet, "--noise", "0")["noise"] == 0.0
    assert run_json(*quiet, "--floor", "0.001")["zero"] > 2e4
    wider = run_json(*quiet, "--slope", "0.5")
    assert wider["plateaus"][0]["end"] > 1.2 * usual["plateaus"][0]["end"]
    later = run_json(*quiet, "--halfway", "log")
    assert later["escapes"][0]["time"] > 1.2 * usual["escapes"][0]["time"]
    assert later["settings"]["halfway"] == "log"


def test_records_of_netphase_are_read(run, run_json, folder):
    record = xr.Dataset({"loss": ("time", LOSS), "test_error": ("time", 2 * LOSS)}, {"time": TIME})
    record.to_netcdf(folder / "run.nc", engine="scipy", format="NETCDF3_64BIT")
    first = run_json("plateaus", "run.nc", "--no-figures")
    assert (first["time"], first["loss"]) == ("time", "loss")
    second = run_json("plateaus", "run.nc", "--loss", "test_error", "--no-figures")
    heights = [each["height"] for each in second["plateaus"]]
    assert heights == pytest.approx([2 * each["height"] for each in first["plateaus"]])
    assert run(
        "train", "--width", "20", "--output", "trained.nc", "--tolerance", "0.01"
    ).exit_code in (0, 3)
    assert run_json("plateaus", "trained.nc")["loss"] == "loss"


def test_none_and_undetermined_are_answers(run, run_json, folder):
    write(folder / "power.csv", np.column_stack([TIME, TIME**-0.5]))
    assert run_json("plateaus", "power.csv")["word"] == "none"
    assert "no plateau" in run("plateaus", "power.csv", "--no-figures").stdout
    write(folder / "short.csv", np.column_stack([TIME, LOSS])[:9])
    result = run("plateaus", "short.csv")
    assert result.exit_code == 0
    assert "short.csv: undetermined" in result.stdout
    assert "records span 0.2 powers of ten" in result.stdout


ROWS = "".join(f"{k},{1 / k}\n" for k in range(1, 10))
WRONG = {
    "missing file": ("no.csv", None, (), "There is no file 'no.csv'"),
    "another kind": ("a.txt", ROWS, (), "must be a .csv table"),
    "a folder": (".", None, (), "must be a .csv table"),
    "no such column": ("a.csv", "t,l\n" + ROWS, ("--loss", "los"), "its columns are t, l"),
    "no such number": ("a.csv", ROWS, ("--time", "3"), "no column '3'; its columns are 1 to 2"),
    "a word": ("a.csv", ROWS + "10,oops\n", (), "Line 10 of 'a.csv': 'oops' is not a number"),
    "not a number": ("a.csv", ROWS + "10,nan\n", (), "'nan' is not a finite number"),
    "times go back": ("a.csv", "t,l\n" + ROWS + "3,1\n", (), "Line 11 of 'a.csv': the time 3 does"),
    "time negative": ("a.csv", "-1,1\n" + ROWS, (), "the time -1 is negative"),
    "loss negative": ("a.csv", ROWS + "10,-2\n", (), "Line 10 of 'a.csv': the loss -2 is negative"),
    "too few rows": ("a.csv", "1,2\n2,1\n", (), "holds 2 rows with a time and a loss; at least 8"),
    "one column": ("a.csv", "1\n2\n", (), "one column"),
    "empty": ("a.csv", "", (), "no rows of numbers"),
    "binary": ("a.csv", b"\xff\xfe\x00\x81", (), "not a readable text file"),
    "no record": ("a.nc", "text", (), "not a readable NetCDF file"),
    "drop": ("a.csv", ROWS, ("--drop", "1"), "Option --drop must be larger than 1"),
    "noise": ("a.csv", ROWS, ("--noise", "-1"), "Option --noise must not be negative"),
    "floor": ("a.csv", ROWS, ("--floor", "-1"), "Option --floor must not be negative"),
    "length": ("a.csv", ROWS, ("--length", "0"), "larger than 0"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_gets_one_sentence_and_leaves_no_folder(case, run, folder):
    name, text, options, words = WRONG[case]
    if text is not None:
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    result = run("plateaus", name, *options)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 1
    assert words in result.stderr
    assert not (folder / "netphase-plateaus").exists()


def test_a_record_without_such_a_series_lists_those_it_has(run, folder):
    record = xr.Dataset({"norm": ("time", LOSS), "w": ("unit", LOSS)}, {"time": TIME})
    record.to_netcdf(folder / "run.nc", engine="scipy", format="NETCDF3_64BIT")
    result = run("plateaus", "run.nc")
    assert result.exit_code == 2
    assert "has no series 'loss'; it has" in result.stderr
    assert "norm" in result.stderr
    assert run("plateaus", "run.nc", "--loss", "norm", "--no-figures").exit_code == 0
