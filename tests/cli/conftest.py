"""What the command-line tests share: a runner, planes that need no engine, and what is printed."""

import functools
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from click.testing import CliRunner

from netphase import scalings, sweep
from netphase.cli import main
from netphase.cli.layer_report import LayerReport
from netphase.cli.report import Report
from netphase.cli.size_report import SizeReport


def scales_by_theory(experiment):
    """A run that follows the law of infinite width, with a little scatter; no network moves."""
    law = experiment.law
    noise = 0.002 * ((experiment.width * 7919 + experiment.seed * 104729) % 17 - 8)
    exponents = scalings.predicted_exponents(law.gamma, law.gamma_prime)
    changes = {
        f"{prefix}relative_change_{block}": 0.3 * experiment.width**exponent * (1.0 + noise)
        for prefix in ("", "max_")
        for block, exponent in exponents._asdict().items()
    }
    return {
        **changes,
        "status": "converged",
        "mean_square": 0.9 * experiment.mean_square,
        "steps": 100,
        "time": 1.0,
        "alignment_ratio": 0.5 if exponents.w < 0 else 1.0,
    }


def layers_by_theory(run):
    """A run that follows the law of infinite width, with a little scatter; no network moves."""
    m = run.width
    noise = 1.0 + 0.002 * ((m * 7919 + run.seed * 104729) % 17 - 8)
    layers = scalings.predicted_layers(run.scaling)
    scalars = {"status": "converged", "steps": 10, "kappa": run.scaling.at_width(m).kappa}
    for each in layers:
        scalars[f"operator_change_{each.layer}"] = 0.5 * m**each.operator * noise
        scalars[f"frobenius_change_{each.layer}"] = 0.5 * m**each.frobenius * noise
    for k in range(1, len(layers)):
        slope = max(each.operator for each in layers[:k])
        scalars[f"feature_change_{k}"] = 0.3 * m**slope * noise
    scalars["kernel_change"] = 0.2 * m ** max(each.operator for each in layers)
    return scalars


def sizes_by_formula(student):
    """A run with a front at m = n/4 in the conventional scaling and a flat mean-field map."""
    n, m = student.samples, student.width
    high = 1.0 / (1.0 + (4.0 * m / n) ** -8)
    log_error = -6.0 + 5.0 * high if student.scaling == 0.0 else -2.0 * np.log10(n) + 0.5
    ridge = 2.0 * np.exp(-((np.log10(m / n) / 0.1) ** 2))
    return {
        "status": "stagnated" if m == 3 else "converged",
        "test_error": 10 ** (log_error + 0.01 * student.seed),
        "train_error": 1e-7,
        "rf_test_error": 10 ** (-1.0 + ridge),
        "path_norm": 1.0 + m / n,
        "effective_number": float(m),
        "steps": 10,
    }


class Plane(NamedTuple):
    """A kind of sweep: what runs it, what it measures without an engine, and a small one."""

    runner: str
    measure: Callable[[Any], dict[str, Any]]
    small: tuple[str, ...]


PLANES = {
    "scaling": Plane(
        "run_sweep",
        scales_by_theory,
        (
            *("diagram", "--gamma", "0.6,0.8,0.95,1.05,1.2", "--gamma-prime", "-0.2:0.2:0.2"),
            *("--widths", "100,400,1600"),
        ),
    ),
    "size": Plane(
        "run_size_sweep",
        sizes_by_formula,
        (
            *("diagram", "--plane", "size", "--samples", "50,100,200"),
            *("--widths", "3,6,12,25,50,100,200,400", "--seeds", "0:2"),
        ),
    ),
    "layers": Plane(
        "run_layer_sweep",
        layers_by_theory,
        (
            *("diagram", "--plane", "layers", "--axes", "g2,g3", "--x", "0.25:1.25:0.25"),
            *("--y", "0.25:1.25:0.25", "--std-exponent", "0", "--widths", "64,128,256,512"),
            *("--seeds", "0:2"),
        ),
    ),
}


@pytest.fixture
def run():
    """Call the command line in this process: `run("where", "--json")`."""

    def call(*arguments, **extra):
        return CliRunner().invoke(main, [str(a) for a in arguments], prog_name="netphase", **extra)

    return call


@pytest.fixture
def run_json(run):
    """Call the command line and read its JSON document; anything else on stdout fails."""

    def call(*arguments, code=0):
        result = run(*arguments, "--json")
        assert result.exit_code == code, result.stderr
        return json.loads(result.stdout)

    return call


@pytest.fixture
def plane():
    """Which plane `theory` and `small` are about; other files have their own."""
    return "scaling"


@pytest.fixture
def theory(plane, monkeypatch):
    """Let sweeps measure what theory predicts; returns a function that sets another measure."""
    runner, measure, _ = PLANES[plane]
    original = getattr(sweep, runner)

    def use(other):
        monkeypatch.setattr(sweep, runner, functools.partial(original, measure=other))

    use(measure)
    use.measure = measure
    return use


@pytest.fixture
def small(plane, tmp_path):
    """Arguments of a small plane that is written to "out": `small("--fresh")`."""
    return lambda *more: (*PLANES[plane].small, "--output", tmp_path / "out", *more)


@pytest.fixture
def no_figures(monkeypatch):
    """Leave out the figures of a sweep, which take most of the time."""
    for report in (Report, SizeReport, LayerReport):
        monkeypatch.setattr(report, "draw", lambda *_: [])


@pytest.fixture
def named_files(tmp_path):
    """Names of the files that a command says it wrote; all of them are there."""

    def of(result):
        paths = [line.split(" ", 1)[1] for line in result.stdout.splitlines() if "wrote " in line]
        for path in paths:
            assert (tmp_path / path).exists(), path
        return [path.rpartition("/")[2] for path in paths]

    return of


@pytest.fixture
def assert_one_sentence():
    """Check that a call was refused in one sentence; warnings may stand before it if `warned`."""

    def check(result, words, warned=False):
        assert result.exit_code == 2, result.output
        assert result.stdout == ""
        lines = result.stderr.strip().splitlines()
        if warned:
            lines = [line for line in lines if not line.startswith("Warning: ")]
        assert len(lines) == 1, result.stderr
        assert lines[0].startswith("Error: ")
        assert words in lines[0]
        assert "Traceback" not in result.stderr

    return check


@pytest.fixture
def assert_nothing_measured(run, assert_one_sentence, tmp_path, monkeypatch):
    """Check that a plane is refused in one sentence and leaves no store."""

    def check(arguments, words):
        monkeypatch.chdir(tmp_path)
        assert_one_sentence(run(*arguments), words, warned=True)
        assert not list(tmp_path.rglob("*.zarr"))

    return check
