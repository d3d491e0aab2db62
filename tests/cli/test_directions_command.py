"""`netphase directions`: the prediction in words, numbers and figures, and wrong input."""

import importlib
import math
import re

import numpy as np
import pytest

from netphase.datasets import load
from netphase.directions import predicted_directions


@pytest.fixture
def undrawn(monkeypatch):
    """Leave out the figures, which take most of the time."""
    monkeypatch.setattr(importlib.import_module("netphase.cli.directions"), "_draw", lambda *_: [])


@pytest.fixture
def directions_json(run_json, undrawn, tmp_path):  # noqa: ARG001
    def call(*arguments, **extra):
        return run_json("directions", *arguments, "--output", tmp_path / "out", **extra)

    return call


@pytest.fixture
def directions(run, undrawn, tmp_path):  # noqa: ARG001
    def call(*arguments):
        return run("directions", *arguments, "--output", tmp_path / "out")

    return call


def test_directions_are_those_of_the_library(directions_json):
    source = "sines?inputs=2&n=30"
    content = directions_json("--data", source, "--multiplicity", 3, "--seed", 5, "--ratio", 0.5)
    found = predicted_directions(load(source), multiplicity=3, seed=5, ratio=0.5)
    assert (content["command"], content["multiplicity"], content["activation"]) == (
        "directions",
        3,
        None,
    )
    assert content["count"] == found.count == len(content["directions"])
    for k, row in enumerate(content["directions"]):
        assert row["direction"] == found.directions[k].tolist()
        assert row["share"] == found.basin[k]
        assert row["strength"] == found.strength[k]
        assert row["curvature"] == found.curvature[k]
        assert row["line"] == found.line[k] + 1
        share = row["share"]
        assert row["share_error"] == pytest.approx(math.sqrt(share * (1 - share) / 1000))
    assert content["data"]["sha256"] == load(source).sha256
    assert content["data"]["d"] == 3


def test_directions_by_default_are_those_of_tanh(directions_json):
    content = directions_json()
    data = load("four_points")
    assert content["activation"] == "tanh"
    assert (content["count"], content["lines"], content["bound"]) == (2, 1, 2)
    z = np.linalg.norm(data.y @ data.x / data.n)
    assert content["escape"]["rate"] == pytest.approx(z)
    assert content["escape"]["e_folding_time"] == pytest.approx(1 / z)
    assert content["escape"]["blow_up_time"] is None


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("--activation", "x2_tanh"), ("field", "strengths")),
        (("--activation", "relu", "--neurons", "0"), ("field", "strengths")),
        (("--data", "axes?inputs=3", "--multiplicity", "3"), ("strengths",)),
        (("--data", "axes", "--activation", "x_tanh"), ()),
    ],
)
def test_directions_draw_what_the_data_allow(run_json, tmp_path, arguments, names):
    files = run_json("directions", *arguments, "--output", tmp_path / "out")["files"]
    expected = [f"directions-{name}.{kind}" for name in names for kind in ("pdf", "png")]
    assert files == [str(tmp_path / "out" / name) for name in expected]
    assert all((tmp_path / "out" / name).stat().st_size > 1000 for name in expected)


def test_directions_say_where_the_bound_is_exceeded(directions, directions_json):
    text = directions("--data", "axes", "--activation", "x2_tanh").stdout
    assert "12 directions on 6 lines: more than 2p = 6" in text
    assert "found by search" in text
    assert "2 more maxima on the sphere, on which neurons shrink" in text
    content = directions_json("--data", "axes", "--activation", "x2_tanh")
    assert (content["exceeds_bound"], content["statement"]) == (True, "conjecture")
    assert (content["count"], content["on_sphere"]) == (12, 14)
    # R' = 2 a F ... at R = 1: a = 1/2, |w|² = 3/4, F = |w|³/6, (log R)' = 4 a F
    rate = 4 * 0.5 * 0.75**1.5 / 6
    assert content["escape"]["blow_up_time"] == pytest.approx(1 / (2 * rate))
    assert "scale^-2" in content["escape"]["law"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "at most 2p = 2: theorem (p = 1)"),
        (("--activation", "x_tanh"), "at most 2p = 4: theorem (p = 2)"),
        (("--multiplicity", "5"), "at most 2p = 10: theorem (two input dimensions)"),
        (("--data", "sines?inputs=3", "--multiplicity", "4"), ": conjecture"),
        (("--activation", "relu"), "no bound known"),
        ((), "grow exponentially, on the strongest direction by e in every 7.2 of raw time"),
        (("--activation", "x_tanh"), "strongest direction at 6.235/s of raw time"),
        (("--multiplicity", "3"), "/s^2 of raw time"),
        (("--data", "axes", "--activation", "x_tanh"), "all of a continuum are equally good"),
        (("--activation", "softplus", "--data", "gaussian?centred=True"), "theorem (p = 1)"),
    ],
)
def test_directions_are_told_in_words(directions, arguments, words):
    result = directions(*arguments, "--neurons", "50")
    assert result.exit_code == 0, result.stderr
    assert words in " ".join(result.stdout.split())


def test_directions_without_neurons_have_no_shares(directions_json, directions):
    content = directions_json("--neurons", "0")
    assert [row["share"] for row in content["directions"]] == [None, None]
    assert "±" not in directions("--neurons", "0").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--activation", "tanh", "--multiplicity", "2"), "or --multiplicity, not both"),
        (("--activation", "tang"), "Did you mean 'tanh'"),
        (
            ("--activation", "sigmoid"),
            r"--activation must have σ\(0\) = 0.*Take the activation centred_sigmoid",
        ),
        (("--multiplicity", "0"), "--multiplicity"),
        (("--multiplicity", "21"), "Option --multiplicity must be at most 20"),
        (("--restarts", "0"), "--restarts"),
        (("--neurons", "-1"), "--neurons"),
        (("--ratio", "0"), "--ratio.*larger than 0"),
        (("--ratio", "nan"), "--ratio.*not a finite number"),
        (("--seed", "x"), "--seed"),
        (("--data", "nowhere"), "--data must be one of"),
        (("--data", "gaussian?n=1&inputs=1&bias=False"), "one input and no bias"),
        (("--data", "polynomial?coefficients=0&n=3"), "is zero"),
        (("--data", "linear?n=1", "--activation", "tanh", "--restarts", "1.5"), "--restarts"),
    ],
)
def test_directions_refuse_wrong_input_in_one_sentence(run, tmp_path, arguments, words):
    result = run("directions", *arguments, "--output", tmp_path / "out")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert re.search(words, " ".join(result.stderr.split()))
    assert not (tmp_path / "out").exists()


def test_balanced_data_have_no_direction_of_the_first_order(directions, tmp_path):
    path = tmp_path / "even.csv"
    path.write_text("-1,1\n1,1\n0,-2\n")  # z = 0: the targets and their first moment vanish
    result = directions("--data", path)
    assert result.exit_code == 2
    assert "z = (1/n) Σ y_i x_i of these data is zero" in result.stderr
    result = directions("--data", path, "--activation", "x_tanh")
    assert result.exit_code == 0
    assert "theorem (p = 2)" in result.stdout


@pytest.fixture
def unpredicted(monkeypatch):
    """Fail where anything is predicted."""

    def predicted(*_, **__):
        raise AssertionError("predicted before the output folder was made")

    monkeypatch.setattr("netphase.directions.predicted_directions", predicted)


@pytest.mark.parametrize(("below", "code"), [((), 2), (("out",), 1)])
def test_an_output_that_cannot_be_made_is_refused_before_any_work(
    run,
    unpredicted,  # noqa: ARG001
    tmp_path,
    below,
    code,
):
    place = tmp_path / "taken"
    place.write_text("")
    result = run("directions", "--output", place.joinpath(*below))
    assert result.exit_code == code
    assert "taken" in result.stderr
    assert "Traceback" not in result.stderr


def test_directions_are_printed_before_they_are_drawn(run, monkeypatch, tmp_path):
    def failing(*_):
        raise OSError(28, "No space left on device", str(tmp_path))

    monkeypatch.setattr(importlib.import_module("netphase.cli.directions"), "_draw", failing)
    result = run("directions", "--output", tmp_path / "out", "--neurons", "0")
    assert result.exit_code == 1
    assert "is full" in result.stderr
    assert "theorem (p = 1)" in result.stdout


def test_relu_has_the_directions_of_two_opposite_points(directions_json, tmp_path):
    path = tmp_path / "two.csv"
    path.write_text("-1,1\n1,-1\n")
    rows = directions_json("--data", path, "--activation", "relu")["directions"]
    assert sorted(row["sign_of_a"] for row in rows) == [-1, 1]
    half = math.sqrt(0.5)
    for row in rows:
        np.testing.assert_allclose(row["direction"], [-half * row["sign_of_a"], half])
        assert row["strength"] == pytest.approx(half)
