"""What the command-line tests share: a runner, and sweeps that need no engine."""

import functools
import json

import pytest
from click.testing import CliRunner

from netphase import scalings, sweep
from netphase.cli import main
from netphase.cli.report import Report


def measured_by_theory(experiment):
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
def theory(monkeypatch):
    """Let sweeps measure what theory predicts; returns a function that sets another measure."""
    original = sweep.run_sweep

    def use(measure):
        monkeypatch.setattr(sweep, "run_sweep", functools.partial(original, measure=measure))

    use(measured_by_theory)
    use.measure = measured_by_theory
    return use


@pytest.fixture
def no_figures(monkeypatch):
    """Leave out the figures of a sweep, which take most of the time."""
    monkeypatch.setattr(Report, "draw", lambda *_: [])
