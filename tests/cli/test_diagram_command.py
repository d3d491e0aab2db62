"""`netphase diagram`: options, tables, JSON, files, exit codes."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from netphase.cli import diagram, progress, stages


@pytest.mark.usefixtures("theory", "no_figures")
def test_diagram_json_places_the_boundary_and_names_the_regimes(run_json, small):
    content = run_json(*small())
    assert content["command"] == "diagram"
    assert content["axes"]["width"] == [100, 400, 1600]
    assert content["runs"] == {"total": 45, "done": 45, "statuses": {"converged": 45}}
    for cell in content["cells"]:
        gap = cell["gamma"] - 1.0 - max(cell["gamma_prime"], 0.0)
        if abs(gap) > 0.1:
            assert cell["regime"] == ("condensed" if gap > 0 else "linear"), cell
            assert cell["alias"] == ("rich, feature learning" if gap > 0 else "lazy, kernel")
    rows = {row["gamma_prime"]: row for row in content["boundary"]["w"]}
    for gamma_prime in (-0.2, 0.0):
        row = rows[gamma_prime]
        assert abs(row["gamma"] - row["exact"]) < 0.06
        assert row["exact"] == 1.0
        assert row["standard_error"] > 0
    assert content["whole_row"] is None
    assert content["sweep"]["gamma"] == [0.6, 0.8, 0.95, 1.05, 1.2]


@pytest.mark.usefixtures("theory")
def test_diagram_prints_tables_and_writes_every_file_it_names(run, named_files, small, tmp_path):
    result = run(*small("--whole-row"))
    assert result.exit_code == 0, result.stderr
    for words in ("exponent S_w", "boundary", "straight line", "linear (lazy, kernel)"):
        assert words in result.stdout
    assert len(named_files(result)) == 12
    stored = json.loads((tmp_path / "out" / "diagram.json").read_text())
    assert stored["whole_row"] is not None


@pytest.mark.usefixtures("theory", "no_figures")
def test_diagram_reports_progress_on_standard_error_only(run, small):
    result = run(*small("--json"))
    json.loads(result.stdout)
    assert "cells 15/15" in result.stderr
    assert "runs 45/45" in result.stderr


@pytest.mark.usefixtures("no_figures")
def test_diagram_with_runs_that_fail_finishes_and_exits_3(run, theory, small):
    def failing(experiment):
        scalars = theory.measure(experiment)
        if experiment.law.gamma > 1.1 and experiment.width == 400:
            scalars["status"] = "diverged"
        return scalars

    theory(failing)
    result = run(*small())
    assert result.exit_code == 3
    assert "not converged" in result.stdout
    assert "3 diverged" in result.stdout


@pytest.mark.parametrize(
    ("widths", "words"),
    [
        ("100,1000", "Two widths"),
        ("100,150,200", "factor 4"),
        ("10,100,1000", "so small"),
    ],
)
@pytest.mark.usefixtures("theory", "no_figures")
def test_diagram_warns_of_weak_widths(run_json, run, tmp_path, widths, words):
    arguments = ("diagram", "--gamma", "0.8,0.95,1.05,1.2", "--gamma-prime", "-0.1,0")
    arguments += ("--widths", widths, "--output", tmp_path / "weak")
    result = run(*arguments)
    assert f"Warning: {words}" in result.stderr or words in result.stderr
    assert any(
        words in sentence for sentence in run_json(*arguments, code=result.exit_code)["warnings"]
    )


def sweep_of(*arguments):
    context = diagram.command.make_context("netphase diagram", [str(a) for a in arguments])
    return stages.sweep_of(context, context.params)


def test_diagram_without_options_is_figure_4_in_full():
    sweep = sweep_of()
    assert sweep.shape == (13, 9, 5, 1)
    assert sweep.gamma[0] == 0.6
    assert sweep.gamma[-1] == 1.4
    np.testing.assert_allclose(sweep.gamma_prime, np.arange(-4, 5) / 10, atol=1e-15)
    assert sweep.widths == (1000, 5000, 10000, 20000, 40000)
    base = sweep.base
    assert (base.activation, base.dataset.source, base.mean_square) == ("relu", "four_points", 1e-6)
    assert base.antisymmetric
    assert base.dtype == "float64"


def test_quick_changes_only_what_was_not_given():
    sweep = sweep_of("--quick", "--gamma", "0.5,1.5")
    assert sweep.gamma == (0.5, 1.5)
    assert sweep.gamma_prime == stages.QUICK.gamma_prime
    assert sweep.widths == stages.QUICK.widths


def test_every_option_reaches_the_sweep():
    sweep = sweep_of(
        *("--activation", "tanh", "--stage", "final", "--method", "flow", "--accuracy", "1e-5"),
        *("--dtype", "float32", "--tolerance", "1e-4", "--plain", "--seeds", "0:2"),
        *("--gauge", "alpha"),
    )
    assert sweep.gauge == "alpha"
    base = sweep.base
    assert base.activation == "tanh"
    assert type(base.method).__name__ == "Flow"
    assert base.method.rtol == 1e-5
    assert (base.dtype, base.mean_square, base.antisymmetric) == ("float32", 1e-4, False)
    assert sweep.seeds == (0, 1, 2)


@pytest.mark.parametrize(
    ("options", "learning_rate", "tolerance"),
    [
        ((), "auto", None),
        (("--accuracy", "0.05"), "auto", 0.05),
        (("--learning-rate", "auto"), "auto", None),
        (("--learning-rate", "0.5"), 0.5, None),
    ],
)
def test_descent_options_make_the_method(options, learning_rate, tolerance):
    method = sweep_of(*options).base.method
    assert method.learning_rate == learning_rate
    if tolerance is not None:
        assert method.tolerance == tolerance


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.4, "59 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_durations_in_words(seconds, words):
    assert progress.duration(seconds) == words


@pytest.mark.parametrize(
    ("value", "words"), [(12.0, "12 "), (12345.0, "12.3 k"), (2.5e9, "2.5 G"), (7e6, "7 M")]
)
def test_large_numbers_get_a_prefix(value, words):
    assert progress.scaled(value) == words


def test_ctrl_c_in_a_real_process_stops_runs_in_flight_and_resumes(tmp_path):
    arguments = ["diagram", "--gamma", "0.6", "--gamma-prime", "0.4", "--tolerance", "1e-12"]
    arguments += ["--widths", "100,200,400000", "--workers", "3", "--output", str(tmp_path / "out")]
    process = subprocess.Popen(
        [sys.executable, "-c", "from netphase.cli import main; main()", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    journal = tmp_path / "out" / "results.zarr" / "journal" / "runs"
    while not list(journal.glob("c.*")) and process.poll() is None:
        time.sleep(0.05)
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    printed, said = process.communicate(timeout=50)
    assert time.monotonic() - start < 10
    assert process.returncode == 130
    assert printed == ""
    assert "of 3 runs are kept in" in said.strip().splitlines()[-1]
    assert "Traceback" not in said


@pytest.mark.parametrize("options", [("--data", "flat.csv"), ("--tolerance", "0.05")])
def test_targets_that_are_fitted_from_the_start_are_refused(
    run, small, tmp_path, monkeypatch, options
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flat.csv").write_text("-1,0\n1,0\n")
    result = run(*small(*options))
    assert result.exit_code == 2
    assert "nothing would move" in result.stderr


@pytest.mark.parametrize(("dtype", "warned"), [("float32", True), ("float64", False)])
def test_a_target_below_rounding_is_warned_of(dtype, warned):
    sentences = stages.weaknesses(sweep_of("--dtype", dtype, "--tolerance", "1e-13"))
    assert any("near the rounding of float32" in sentence for sentence in sentences) is warned


def test_an_interrupt_before_the_first_run_does_not_speak_of_runs(run, small, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("netphase.sweep.run_sweep", interrupted)
    result = run(*small())
    assert result.exit_code == 130
    assert result.stderr == "Error: Interrupted before the first run was started.\n"


def test_scales_beyond_a_float_are_refused_before_anything_is_run(run, small, tmp_path):
    result = run(*small("--gamma", "0.8,200"))
    assert result.exit_code == 2
    assert "leaves the range of a float" in result.stderr
    assert not (tmp_path / "out").exists()
