"""`netphase where --depth`: places of deep networks, sizes at a width, and what to change."""

import pytest

from netphase import datasets, kernels
from netphase.scalings import (
    LAYER_INITIALISATIONS,
    LayerScaling,
    layer_initialisation,
    laziness,
    predicted_layers,
)


def test_the_table_of_a_depth(run, run_json):
    content = run_json("where", "--depth", 3, "--width", 1000, "--inputs", 10)
    rows = {row["name"]: row for row in content["initialisations"]}
    assert tuple(rows) == LAYER_INITIALISATIONS
    assert rows["lecun"]["log_m_kappa"] == 0.5
    assert rows["lecun"]["log_m_kappa_at_width"] == pytest.approx(1 / 3)
    assert rows["mup"]["log_m_kappa_at_width"] == 0.0
    assert rows["mup_one_rate"]["moving"] == [4]
    assert rows["multilayer_mean_field"]["verdict"] == "below"
    text = run("where", "--depth", 3).stdout
    assert all(name in text for name in LAYER_INITIALISATIONS)
    assert "at m =" not in text
    assert "at m = 50" in run("where", "--depth", 3, "--width", 50).stdout


@pytest.mark.parametrize(
    ("arguments", "scaling"),
    [
        (("--init", "muP"), layer_initialisation("mup", 2, 2)),
        (("--g", "0,0.5,0.5"), LayerScaling(g=(0.0, 0.5, 0.5))),
        (("--g=-0.5,0.5,0.5", "--rates", "1,0,-1"), LayerScaling((-0.5, 0.5, 0.5), (1, 0, -1))),
        (("--std-exponent", 1.5), LayerScaling(g=(1.5, 1.5, 1.5))),
        (("--init", "ntk", "--alpha", "sqrt(m)"), layer_initialisation("mean_field", 2, 2)),
        (("--init", "mup", "--rates", "0,0,0"), layer_initialisation("mup_one_rate", 2, 2)),
        (("--beta", "1/sqrt(d), m^-0.5,1/m", "--alpha", "m"), LayerScaling((0, 0.5, 1), alpha=1)),
    ],
)
def test_every_way_to_name_a_scaling(run_json, arguments, scaling):
    content = run_json("where", "--depth", 2, *arguments)
    assert content["g"] == pytest.approx(scaling.g)
    assert content["rates"] == pytest.approx(scaling.rates)
    assert content["alpha"] == pytest.approx(scaling.alpha)
    assert content["verdict"] == laziness(scaling).value
    assert content["alias"] == laziness(scaling).alias
    assert content["gamma_critical"] == 1.5
    for layer, each in zip(content["layers"], predicted_layers(scaling), strict=True):
        assert layer["operator"] == pytest.approx(each.operator)
        assert layer["frobenius"] == pytest.approx(each.frobenius)
        assert layer["share_limit"] == pytest.approx(each.share)
        assert (layer["layer"], layer["regime"]) == (each.layer, each.regime.value)
        assert layer["share"] is None
    assert content["expected"] is None


def test_one_hidden_layer_says_its_place_in_the_plane(run, run_json):
    content = run_json("where", "--depth", 1, "--init", "he")
    assert (content["gamma"], content["gamma_prime"]) == (0.5, 0.5)
    assert "γ' = 0.5" in run("where", "--depth", 1, "--init", "he").stdout


@pytest.mark.parametrize("start", ["--antisymmetric", "--plain"])
def test_sizes_at_a_width_are_those_of_the_library(run_json, start):
    arguments = ("--init", "lecun", "--width", 1000, "--activation", "tanh", start)
    content = run_json("where", "--depth", 2, *arguments)
    data = datasets.four_points()
    scales = layer_initialisation("lecun", 2, data.d).at_width(1000)
    limit = kernels.deep_kernels(data.x, scales, "tanh")
    twice = start == "--antisymmetric"
    changes = kernels.predicted_layer_changes(limit, data.y, twice)
    layers = content["layers"]
    assert [each["share"] for each in layers] == pytest.approx(limit.shares)
    assert [each["expected_operator"] for each in layers] == pytest.approx(list(changes.operator))
    assert [each["expected_frobenius"] for each in layers] == pytest.approx(list(changes.frobenius))
    expected = content["expected"]
    assert expected["least_eigenvalue"] == pytest.approx(limit.least_eigenvalue)
    assert expected["decay_rate"] == pytest.approx(limit.decay_rate(twice))
    assert expected["activation"] == "tanh"


def test_a_network_that_is_not_lazy_has_shares_but_no_sizes(run, run_json):
    content = run_json("where", "--depth", 2, "--init", "mup", "--width", 100)
    assert sum(each["share"] for each in content["layers"]) == pytest.approx(1)
    assert content["expected"]["decay_rate"] is None
    assert content["layers"][0]["expected_operator"] is None
    text = run("where", "--depth", 2, "--init", "mup", "--width", 100).stdout
    assert "outside the θ-lazy area" in text
    assert "p = tr Θ_l/tr Θ at m = 100" in text


def test_a_singular_kernel_is_told(run_json):
    beta = "1e-6, m^-0.5, m^-0.5"  # tanh is linear there, and four points on a line are not
    arguments = ("--beta", beta, "--width", 100, "--activation", "tanh")
    content = run_json("where", "--depth", 2, *arguments)
    assert content["verdict"] == "θ-lazy"
    assert content["expected"]["least_eigenvalue"] == 0.0
    assert "its rank is 2 of 4" in content["expected"]["basis"]
    assert content["expected"]["decay_rate"] is None
    assert content["layers"][0]["expected_operator"] is None


def test_other_inputs_have_no_sizes_and_say_so(run, run_json):
    arguments = ("where", "--depth", 2, "--init", "he", "--inputs", 784, "--width", 100)
    assert run_json(*arguments)["expected"] is None
    assert "other than 784 inputs" in run(*arguments).stdout


def test_recommendations_lead_to_their_verdicts(run, run_json):
    content = run_json("where", "--depth", 2, "--init", "xavier", "--alpha", "m^0.25")
    assert content["verdict"] == "below"
    for each in content["recommendations"]:
        scaling = LayerScaling.from_formulas(
            tuple(each["formulas"]["betas"]), each["formulas"]["alpha"]
        ).with_learning_rates(tuple(each["rates"]))
        assert laziness(scaling).value == each["verdict"]
        assert scaling.g == pytest.approx(each["g"])
    text = run("where", "--depth", 2, "--init", "mup_one_rate").stdout
    assert "raise the learning rates of layer 1 by m^2, of layer 2 by m → boundary" in text


WRONG = {
    "depth zero": (("--depth", 0), "network without a hidden layer"),
    "depth zero with exponents": (("--depth", 0, "--g", "1"), "network without a hidden layer"),
    "overflow": (("--depth", 2, "--g", "0,300,3", "--width", 1000), "β_2 of layer 2"),
    "overflow of a formula": (
        ("--depth", 2, "--beta", "1,1,(m+1)^200", "--width", 1000),
        "β of layer 3",
    ),
    "signal": (("--depth", 300, "--std-exponent", 0, "--width", 1000), "signal in layer 104"),
    "too few exponents": (("--depth", 2, "--g", "0,1"), "--g needs 3 exponents"),
    "too many rates": (("--depth", 1, "--init", "he", "--rates", "0,1,1"), "--rates needs 2"),
    "too few formulas": (("--depth", 2, "--beta", "1,1/m"), "--beta needs 3 formulas"),
    "unknown name": (("--depth", 2, "--init", "hee"), "Did you mean 'he'"),
    "no number": (("--depth", 2, "--g", "0,a,1"), "'a' is not a finite number"),
    "two ways": (("--depth", 2, "--init", "he", "--g", "0,1,1"), "in one way"),
    "rates alone": (("--depth", 2, "--rates", "0,1,1"), "needs an initialisation"),
    "plane option": (("--depth", 2, "--gamma", 1), "--gamma is for two layers"),
    "figure": (("--depth", 2, "--init", "he", "--output", "x"), "--output is for two layers"),
    "layer option": (("--g", "0,1"), "--g is for networks of several layers"),
    "activation": (("--init", "he", "--activation", "tanh"), "give --depth L beside it"),
    "activation without width": (
        ("--depth", 2, "--init", "he", "--activation", "tanh"),
        "--activation needs --width",
    ),
    "activation without data": (
        ("--depth", 2, "--init", "he", "--activation", "tanh", "--width", 9, "--inputs", 9),
        "needs --data of 9 inputs",
    ),
    "start of a table": (("--depth", 2, "--plain"), "needs an initialisation beside it"),
    "width one": (("--depth", 2, "--init", "he", "--width", 1), "at least 2"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_gets_one_sentence_and_code_2(run, case):
    arguments, words = WRONG[case]
    result = run("where", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
