"""The command itself: help, version, start-up time, exit codes, errors of every kind."""

import errno
import os
import subprocess
import sys

import click
import pytest

from netphase import errors
from netphase.cli import application, info, main
from netphase.cli.application import COMMANDS, as_option


def call_in_a_process(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-c", "from netphase.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONWARNINGS": "error", **environment},
    )


def test_help_names_every_command_and_every_exit_code(run):
    result = run("--help")
    assert result.exit_code == 0
    for name in COMMANDS:
        assert f"  {name} " in result.stdout
    for code in ("0", "1", "2", "3", "70", "130"):
        assert f"\n    {code} " in result.stdout


def test_options_that_commands_share_are_listed_in_their_order(run):
    text = run("train", "--help").stdout
    places = [text.index(f"  --{name} ") for name in ("init", "alpha", "beta1", "beta2", "gamma")]
    assert places == sorted(places)


def test_without_a_command_the_help_is_shown(run):
    assert run().stdout == run("--help").stdout
    assert run().exit_code == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_and_json(run, name):
    result = run(name, "--help")
    assert result.exit_code == 0
    assert f"  netphase {name}" in result.stdout
    assert "--json" in result.stdout
    assert "JSON fields" in result.stdout


def test_version_is_that_of_the_package(run):
    from importlib.metadata import version

    assert run("--version").stdout == f"netphase {version('netphase')}\n"


def test_help_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from netphase.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "heavy = {'numpy', 'scipy', 'xarray', 'zarr', 'matplotlib', 'rich', 'msgspec'}\n"
        "found = sorted(heavy & set(sys.modules))\n"
        "sys.exit(', '.join(found) or 0)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_a_real_process_refuses_wrong_input_on_one_line():
    result = call_in_a_process("where", "--init", "hee")
    assert result.returncode == 2
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_real_process_prints_json_alone():
    import json

    result = call_in_a_process("where", "--json")
    assert result.returncode == 0, result.stderr
    assert len(json.loads(result.stdout)["initialisations"]) >= 6
    assert result.stderr == ""


def test_debugging_shows_where_an_error_comes_from():
    result = call_in_a_process("where", "--init", "hee", NETPHASE_DEBUG="1")
    assert result.returncode == 1
    assert "Traceback" in result.stderr
    assert "ArgumentError" in result.stderr


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (errors.ArgumentError("Argument `width` must be even."), 2, "Option --width must be even."),
        (errors.StoreMismatchError("The store is another's."), 2, "another's"),
        (errors.FitError("One width gives no slope."), 2, "no slope"),
        (errors.StoreError("The disk is full."), 1, "disk is full"),
        (errors.EvolutionError("A run failed."), 1, "A run failed"),
        (errors.MissingDependencyError("Install mlxtend."), 2, "mlxtend"),
        (PermissionError(13, "Permission denied", "/x"), 1, "/x: Permission denied."),
        (MemoryError(), 1, "not enough memory"),
        (KeyboardInterrupt(), 130, "Interrupted"),
        (ZeroDivisionError("by zero"), 70, "has a defect"),
        (click.UsageError("Not\nlike this."), 2, "Not like this."),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_kind_of_error_has_its_sentence_and_code(run, monkeypatch, error, code, words):
    def fail():
        raise error

    monkeypatch.setattr(info, "describe", fail)
    result = run("info", "--json")
    assert result.exit_code == code
    lines = [line for line in result.stderr.splitlines() if line]
    assert len(lines) == 1
    assert words in lines[0]
    assert result.stdout == ""


def test_python_warnings_are_one_line_of_standard_error(run, monkeypatch):
    import warnings

    def careless():
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = application._show_warning
            warnings.warn("two\nlines", stacklevel=1)
        return {}

    monkeypatch.setattr(info, "describe", careless)
    result = run("info", "--json")
    assert result.exit_code == 0
    assert result.stderr == "Warning: two lines\n"


def test_arguments_of_the_library_are_named_as_options():
    assert as_option("Argument `mean_square` is bad.") == "Option --tolerance is bad."
    assert as_option("Argument `gamma_prime` is bad.") == "Option --gamma-prime is bad."
    assert as_option("Argument `scales` is bad.") == "Argument scales is bad."  # of many options


def test_commands_can_be_called_without_leaving_python():
    assert main(["where", "--json"], standalone_mode=False) in (None, 0)


def test_only_the_argument_that_is_at_fault_is_named_as_an_option():
    sentence = "In 'a.npz', argument `x` must be finite. Argument `y` too."
    assert as_option(sentence) == sentence


def test_what_a_terminal_cannot_show_is_spelt_out():
    result = call_in_a_process("where", "--init", "he", PYTHONIOENCODING="ascii")
    assert result.returncode == 0, result.stderr
    assert "gamma = 0.5, gamma' = 0.5: linear" in result.stdout
    assert "S_w = -1.500" in result.stdout
    assert "beta1 beta2" in "γ β₁ β₂".encode("ascii", "spelt").decode()


def test_json_is_escaped_for_a_terminal_that_takes_ascii_only():
    import json

    result = call_in_a_process("where", "--init", "he", "--json", PYTHONIOENCODING="ascii")
    assert result.returncode == 0, result.stderr
    assert result.stdout.isascii()
    assert {"α", "β₁"} <= {entry["symbol"] for entry in json.loads(result.stdout)["notations"]}


def test_a_full_disk_is_said_with_its_place_and_a_remedy(run, monkeypatch):
    def fail():
        raise OSError(errno.ENOSPC, "No space left on device", "out/a.png")

    monkeypatch.setattr(info, "describe", fail)
    result = run("info")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The disk that holds out/a.png is full: free some space")
