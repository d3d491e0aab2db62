"""`netphase reproduce`: the table of claims, its files and its exit code."""

import json
from types import SimpleNamespace

import pytest

from netphase import reproductions
from netphase.reproductions import Check, Verdict


def check(verdict, measured=0.5):
    return Check("slope", "Fig. 3a", -0.5, measured, 0.01, 0.03, Verdict(verdict))


@pytest.fixture
def paper(monkeypatch):
    """A paper whose claims a test sets; it notes how it was called."""
    stage = SimpleNamespace(checks=[check("reproduced")], calls=[])

    def run(size, figures, output, progress, images):
        stage.calls.append((size, figures, images))
        progress("half way")
        (output / "figure3.png").write_bytes(b"x")
        if stage.checks is None:
            raise KeyboardInterrupt
        return stage.checks

    paper = SimpleNamespace(run=run, reference="A paper", departures=("one seed",))
    monkeypatch.setattr(reproductions, "get", lambda _: paper)
    return stage


def test_reproduce_prints_claims_and_writes_them(paper, run, run_json, tmp_path):
    paper.checks = [check("reproduced"), check("not tested at this size", None)]
    content = run_json("reproduce", "paper", "--output", tmp_path, "--size", "smoke")
    assert content["verdicts"] == {"reproduced": 1, "not tested at this size": 1}
    assert content["checks"][0]["expected"] == -0.5
    stored = json.loads((tmp_path / "checks.json").read_text())
    assert stored["checks"] == content["checks"]
    assert {name.rsplit("/", 1)[-1] for name in content["files"]} == {"checks.json", "figure3.png"}
    text = run("reproduce", "paper", "--output", tmp_path).stdout
    for words in ("Fig. 3a", "A paper", "differs from the paper: one seed"):
        assert words in text
    assert "not tested at this size" in text
    assert paper.calls == [("smoke", None, None), ("small", None, None)]


def test_reproduce_prints_brackets_in_claims_as_they_are(paper, run, tmp_path):
    paper.checks = [Check("K^[l]", "Fig. [a]", "[x]", 1.0, None, None, Verdict.REPRODUCED)]
    text = run("reproduce", "paper", "--output", tmp_path).stdout
    for words in ("K^[l]", "Fig. [a]", "[x]"):
        assert words in text


def test_reproduce_fails_when_a_tested_claim_fails(paper, run, tmp_path):
    paper.checks = [check("reproduced"), check("partly"), check("not reproduced", 3.0)]
    result = run("reproduce", "paper", "--output", tmp_path)
    assert result.exit_code == 1
    assert "not reproduced" in result.stdout


def test_reproduce_hands_the_figures_on(paper, run, tmp_path):
    result = run(
        "reproduce", "paper", "--figure", "2,3", "--images", "mine.npz", "--output", tmp_path
    )
    assert result.exit_code == 0
    assert paper.calls == [("small", (2, 3), "mine.npz")]


def test_reproduce_writes_beside_you_by_default(paper, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("reproduce", "paper", "--size", "paper").exit_code == 0
    assert paper.calls == [("paper", None, None)]
    assert (tmp_path / "paper-paper" / "checks.json").is_file()


def test_reproduce_interrupted_says_what_was_kept(paper, run, tmp_path):
    paper.checks = None
    result = run("reproduce", "paper", "--output", tmp_path)
    assert result.exit_code == 130
    assert "kept in" in result.stderr.splitlines()[-1]
