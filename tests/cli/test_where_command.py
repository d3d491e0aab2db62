"""`netphase where`: places, regimes, predictions and translations."""

import math

import pytest

from netphase.cli.where import distance


@pytest.mark.parametrize(
    ("arguments", "gamma", "gamma_prime", "regime", "alias"),
    [
        (("--init", "he"), 0.5, 0.5, "linear", "lazy, kernel"),
        (("--init", "ntk"), 0.5, 0.0, "linear", "lazy, kernel"),
        (("--init", "Xavier"), 1.0, 0.0, "critical", "mean-field, μP-like"),
        (("--alpha", "1", "--beta1", "m^-0.5", "--beta2", "d^-0.5"), 0.5, 0.5, "linear", None),
        (("--beta1", "m^-1", "--beta2", "m^-1"), 2.0, 0.0, "condensed", "rich, feature learning"),
        (("--gamma", "1.5", "--gamma-prime", "0.2"), 1.5, 0.2, "condensed", None),
        (("--beta1", "1/m", "--rate-ratio", "m^-2"), 1.0, 0.0, "critical", None),
    ],
)
def test_where_places_initialisations(run_json, arguments, gamma, gamma_prime, regime, alias):
    content = run_json("where", *arguments)
    assert content["gamma"] == pytest.approx(gamma)
    assert content["gamma_prime"] == pytest.approx(gamma_prime)
    assert content["regime"] == regime
    assert alias in (None, content["alias"])
    assert content["predicted"] is None


@pytest.mark.parametrize(
    ("place", "zone"),
    [
        (("0.8", "0.5"), "θ-lazy"),
        (("1.3", "0.8"), "w-lag"),
        (("1.3", "-0.8"), "a-lag"),
        (("1.3", "0.1"), "condensed"),
        (("1.3", "-0.3"), "critical"),
    ],
)
def test_where_tells_the_zone_by_both_layers(run_json, run, place, zone):
    arguments = ("where", "--gamma", place[0], f"--gamma-prime={place[1]}")
    assert run_json(*arguments)["zone"] == zone
    assert f"zone by both layers: {zone}" in run(*arguments).stdout


def test_where_without_arguments_lists_the_table_of_the_paper(run, run_json):
    content = run_json("where")
    places = {row["name"]: (row["gamma"], row["gamma_prime"]) for row in content["initialisations"]}
    assert places["LeCun"] == places["He"] == (0.5, 0.5)
    assert places["NTK"] == (0.5, 0.0)
    assert places["mean field"] == places["Xavier"] == (1.0, 0.0)
    assert content["files"] == []
    text = run("where").stdout
    assert all(name in text for name in places)


def test_where_predicts_the_published_change_of_figure_3(run_json):
    # Luo et al. (2021), Fig. 3a at m = 10 000: 0.002737
    predicted = run_json("where", "--gamma", "0.5", "--width", "10000")["predicted"]
    assert predicted["relative_change_w"] == pytest.approx(0.002737, rel=0.02)


def test_where_predicts_the_published_change_of_figure_3c(run_json):
    # Luo et al. (2021), Fig. 3c at m = 10 000: 18.39
    predicted = run_json("where", "--gamma", "1.75", "--width", "10000")["predicted"]
    assert predicted["relative_change_w"] == pytest.approx(18.39, rel=0.05)


def test_where_on_the_boundary_predicts_nothing_and_says_so(run, run_json):
    predicted = run_json("where", "--gamma", "1", "--width", "100")["predicted"]
    assert predicted["relative_change_w"] is None
    assert "no parameter-free formula" in run("where", "--gamma", "1", "--width", "100").stdout


def test_where_prints_regime_boundary_and_translations(run):
    text = run("where", "--init", "ntk", "--width", "100").stdout
    for words in ("linear", "lazy, kernel", "S_w = −0.500", "RD_w", "γ₀", "Chizat", "Geiger"):
        assert words in text


def test_where_translates_at_the_width_asked_for(run_json):
    content = run_json("where", "--init", "mean_field", "--width", "400")
    values = {(n["name"], n["symbol"]): n["value"] for n in content["notations"]}
    assert values["this package and Luo et al.", "α"] == 400
    assert values["the code of Luo et al.", "alpha"] == pytest.approx(1 / 400)
    assert content["notations_width"] == 400


def test_where_with_other_inputs_predicts_nothing(run_json):
    content = run_json("where", "--init", "he", "--inputs", "784", "--width", "100")
    assert content["inputs"] == 784
    assert content["predicted"] is None


def test_where_draws_the_plane(run, tmp_path):
    result = run("where", "--gamma", "1.2", "--output", tmp_path / "plane")
    assert result.exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"plane.pdf", "plane.png"}


@pytest.mark.parametrize(
    ("gamma", "gamma_prime", "expected"),
    [
        (1.0, -2.0, 0.0),
        (1.5, 0.5, 0.0),
        (0.5, -1.0, 0.5),
        (1.5, -1.0, 0.5),
        (2.0, 0.0, 1 / math.sqrt(2)),
        (0.5, 0.5, math.sqrt(0.5)),
        (1.0, 1.0, 1 / math.sqrt(2)),
        (0.0, 0.0, 1.0),
    ],
)
def test_distance_to_the_boundary(gamma, gamma_prime, expected):
    assert distance(gamma, gamma_prime) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["plane", "plane.pdf", "plane.png"])
def test_where_names_its_figures_once(run_json, tmp_path, name):
    files = run_json("where", "--init", "he", "--output", tmp_path / name)["files"]
    assert files == [str(tmp_path / "plane.pdf"), str(tmp_path / "plane.png")]
