"""`netphase diagram` for smooth activations: the initial stage, its four zones, and --exact."""

import json

import numpy as np
import pytest

from netphase import kernels, scalings
from netphase.cli import diagram, stages
from netphase.datasets import linear

SMALL = (
    *("diagram", "--activation", "tanh"),
    *("--gamma", "0.5:2:0.5", "--gamma-prime", "-0.75:0.75:0.5"),
    *("--widths", "100,400,1600"),
)


def sweep_of(*arguments):
    context = diagram.command.make_context("netphase diagram", [str(a) for a in arguments])
    return stages.sweep_of(context, context.params)


def test_a_smooth_activation_is_read_at_the_end_of_its_initial_stage():
    sweep = sweep_of("--activation", "tanh")
    assert sweep.shape == (13, 9, 4, 1)
    assert (sweep.gamma[0], sweep.gamma[-1]) == (0.5, 2.0)
    assert (sweep.gamma_prime[0], sweep.gamma_prime[-1]) == (-1.0, 1.0)
    assert sweep.gauge == "alpha"
    assert sweep.base.dataset == linear()
    assert sweep.base.mean_square == kernels.half_way(linear())


def test_what_is_given_is_used_in_the_initial_stage_too():
    sweep = sweep_of(
        *("--activation", "erf", "--data", "gaussian?n=9", "--part", "0.2", "--gauge", "beta1"),
        *("--quick", "--widths", "100,200,800"),
    )
    data = sweep.base.dataset
    assert data.n == 9
    assert sweep.base.mean_square == kernels.half_way(data, 0.2)
    assert (sweep.gauge, sweep.widths) == ("beta1", (100, 200, 800))
    assert sweep.gamma == stages.QUICK_ZONES.gamma


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "x_tanh", "sigmoid", "softplus"])
def test_activations_without_a_linear_stage_are_trained_to_the_end(name):
    sweep = sweep_of("--activation", name)
    assert sweep.base.mean_square == 1e-6
    assert sweep.gauge == "beta1"
    assert sweep.base.dataset.source == "four_points"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("relu", "its kink at zero"),
        ("x2_tanh", "its multiplicity is 3"),
        ("sigmoid", "--activation centred_sigmoid"),
    ],
)
def test_an_initial_stage_that_does_not_exist_is_refused_with_its_reason(run, name, words):
    result = run("diagram", "--activation", name, "--stage", "initial")
    assert result.exit_code == 2
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--activation", "tanh", "--tolerance", "1e-3"), "--tolerance means nothing"),
        (("--part", "0.3"), "--part means nothing in the final stage"),
        (("--activation", "tanh", "--part", "1"), "it must be smaller than 1"),
        (("--activation", "tanh", "--widths", "1e3,1e17"), "cannot be trained"),
        (("--exact", "--seeds", "0:3"), "--seeds is for networks that are trained"),
        (("--exact", "--fresh"), "--resume/--fresh is for networks that are trained"),
        (("--exact", "--widths", "1e9"), "One width (1e+09) gives no slope"),
        (("--exact", "--stage", "final"), "--exact is for the initial stage"),
        (("--exact", "--activation", "relu"), "its kink at zero"),
        (("--exact", "--data", "axes?inputs=x"), "must be an integer"),
        (
            ("--exact", "--widths", "1e12,1e250", "--gamma", "9"),
            "scales of this width are too extreme",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused_in_one_sentence(run, tmp_path, options, words):
    result = run("diagram", *options, "--output", tmp_path / "out")
    assert result.exit_code == 2, result.stdout
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("more", [(), ("--exact",)])
def test_balanced_targets_have_no_initial_stage(run, tmp_path, more):
    data = tmp_path / "balanced.csv"
    data.write_text("-1,1\n-0.5,-1\n0.5,-1\n1,1\n")
    result = run("diagram", "--activation", "tanh", "--data", data, *more)
    assert result.exit_code == 2
    assert "z = (1/n) Σ y_i x_i" in result.stderr


def test_a_start_beyond_the_linear_part_is_warned_of():
    far = stages.weaknesses(sweep_of("--activation", "tanh"))
    assert any("beyond the linear part" in sentence for sentence in far)
    other = sweep_of("--activation", "tanh", "--gauge", "beta1", "--gamma-prime", "0,0.5")
    assert any("beyond the linear part" in sentence for sentence in stages.weaknesses(other))
    near = sweep_of("--activation", "tanh", "--gamma", "1:2:0.5", "--gamma-prime=-0.5,0.2")
    assert stages.weaknesses(near) == []
    random = sweep_of("--activation", "tanh", "--gamma", "0.5:2:0.5", "--plain")
    assert any("antisymmetric start" in sentence for sentence in stages.weaknesses(random))


@pytest.mark.usefixtures("theory", "no_figures")
def test_the_zones_of_every_cell_are_told_by_both_layers(run_json, run, tmp_path):
    content = run_json(*SMALL, "--output", tmp_path / "out")
    assert len(content["cells"]) == 16
    for cell in content["cells"]:
        place = cell["gamma"], cell["gamma_prime"]
        assert cell["zone"] == scalings.zone_at(*place).value, cell
        assert cell["alignment_ratio"]["value"] in (0.5, 1.0)
    # runs by theory have a prefactor of their own, so they are no solutions of the equations
    assert content["macroscopic"]["width"] == 1600
    assert content["macroscopic"]["relative_change_w"]["largest"] > 0.1
    printed = run(*SMALL, "--output", tmp_path / "out").stdout
    assert "against the macroscopic equations" in printed
    assert "S_w and S_a" in printed
    for words in ("θ-lazy", "w-lag", "a-lag", "condensed"):
        assert words in printed


@pytest.mark.usefixtures("theory", "no_figures")
@pytest.mark.parametrize(
    "arguments", [("--activation", "x_tanh"), ("--activation", "tanh", "--stage", "final")]
)
def test_where_no_law_is_known_no_exact_line_is_claimed(run_json, tmp_path, arguments):
    grid = ("--gamma", "0.5,1.5", "--gamma-prime=-0.5,0.25", "--widths", "100,400,1600")
    content = run_json("diagram", *arguments, *grid, "--output", tmp_path / "out")
    assert any("No law of infinite width" in sentence for sentence in content["warnings"])
    assert all(row["exact"] is None for row in content["boundary"]["w"])
    assert content["macroscopic"] is None
    linear = run_json("diagram", "--activation", "tanh", *grid, "--output", tmp_path / "linear")
    assert [row["exact"] for row in linear["boundary"]["w"]] == [1.0, 1.25]


def test_cells_of_which_the_equations_say_nothing_are_not_compared(run_json, tmp_path):
    content = run_json(
        *("diagram", "--activation", "tanh", "--gamma", "0.5,1.5", "--gamma-prime=-0.5,1"),
        *("--widths", "100,400,1600", "--output", tmp_path / "out"),
    )
    found = content["macroscopic"]
    assert (found["cells"], found["left_out"]) == (3, 1)  # β2 = m^(1/4) at (0.5, 1)
    assert found["relative_change_w"]["largest"] < 0.3


@pytest.mark.usefixtures("no_figures")
def test_trained_networks_follow_the_macroscopic_equations(run_json, tmp_path):
    content = run_json(
        *("diagram", "--activation", "tanh", "--gamma", "0.75,1.75", "--gamma-prime=-0.5,0.25"),
        *("--widths", "500,2000,8000", "--output", tmp_path / "out"),
    )
    found = content["macroscopic"]
    assert found["width"] == 8000
    for name in ("relative_change_w", "relative_change_a", "alignment_ratio"):
        assert 0 < found[name]["median"] <= found[name]["largest"] < 0.1


@pytest.mark.usefixtures("theory")
def test_the_four_zone_diagram_is_drawn_of_smooth_activations_only(run, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr("netphase.figures.save", lambda _, stem: drawn.append(stem.name) or [stem])
    grid = ("--gamma", "0.5,1.5", "--gamma-prime=-0.5,0.25", "--widths", "100,400,1600")
    for name, smooth in (("tanh", True), ("relu", False)):
        drawn.clear()
        result = run("diagram", "--activation", name, *grid, "--output", tmp_path / name)
        assert result.exit_code == 0
        assert ("zones" in drawn) is smooth
        assert "phase_diagram" in drawn


def test_the_exact_diagram_agrees_with_the_law(run_json, run, tmp_path):
    arguments = ("diagram", "--exact", "--quick", "--widths", "1e12,1e16")
    content = run_json(*arguments, "--output", tmp_path / "out")
    assert json.loads((tmp_path / "out" / "exact.json").read_text()) == content
    assert content["axes"]["width"] == [1e12, 1e16]
    for cell in content["cells"]:
        place = cell["gamma"], cell["gamma_prime"]
        law = scalings.predicted_exponents(*place)
        found = cell["exponents"]
        assert [found[b]["law"] for b in ("w", "a", "theta")] == pytest.approx(list(law))
        if scalings.distance_to_lines(*place) > 0.2:
            assert cell["zone"] == scalings.zone_at(*place).value, cell
            assert found["w"]["exponent"] == pytest.approx(law.w, abs=0.005), cell
    for name in ("exact.nc", "exact_zones.png", "exact_zones.pdf"):
        assert str(tmp_path / "out" / name) in content["files"]
    gaps = [row["w"] for row in content["deviations"]]
    assert gaps[0] >= gaps[1] >= gaps[2]
    assert gaps[2] < 0.005
    printed = run(*arguments, "--output", tmp_path / "out").stdout
    assert "largest error of the law" in printed


def test_by_default_the_law_holds_as_near_to_its_lines_as_cells_are(run_json, tmp_path):
    content = run_json("diagram", "--exact", "--quick", "--output", tmp_path / "out")
    assert content["axes"]["width"] == [1e60, 1e64]
    for row in content["deviations"]:
        assert max(row["w"], row["a"]) < 0.005


def test_the_exact_diagram_takes_widths_beyond_any_network(run_json, tmp_path):
    content = run_json(
        *("diagram", "--exact", "--gamma", "1.1", "--gamma-prime", "0,0.05"),
        *("--widths", "1e90,1e100", "--output", tmp_path / "out"),
    )
    for cell in content["cells"]:
        law = scalings.predicted_exponents(cell["gamma"], cell["gamma_prime"])
        assert cell["exponents"]["w"]["exponent"] == pytest.approx(law.w, abs=1e-3)
    assert not any(str(file).endswith(".png") for file in content["files"])
    assert content["warnings"] == ["One row or column is no plane: no figure is drawn."]


def test_the_exact_plane_is_labelled():
    from netphase import exact_plane
    from netphase.errors import ArgumentError

    plane = exact_plane([1.75, 0.5], [0.0], [1e10, 1e11, 1e12])
    assert plane["gamma"].values.tolist() == [0.5, 1.75]
    assert plane["relative_change_w"].dims == ("width", "gamma_prime", "gamma")
    slopes = np.diff(np.log(plane["relative_change_w"].values[:, 0]), axis=0) / np.log(10)
    np.testing.assert_allclose(plane["exponent"].sel(block="w").values[0], slopes.mean(axis=0))
    with pytest.raises(ArgumentError, match="two different widths"):
        exact_plane([1.0], [0.0], [1e3, 1e3])


def test_an_exact_plane_of_what_is_no_plane_is_refused():
    from netphase import exact_plane
    from netphase.errors import ArgumentError

    for gamma, rows, widths, words in (
        (["a"], [0.0], [1e3, 1e4], "`gamma` must be an array of real numbers"),
        ([1.0], [], [1e3, 1e4], "`gamma_prime` must not be empty"),
        ([1.0], [0.0], ["a", "b"], "`widths` must be a finite number"),
        ([np.nan], [0.0], [1e3, 1e4], "`gamma` must be finite"),
    ):
        with pytest.raises(ArgumentError, match=words):
            exact_plane(gamma, rows, widths)


def test_a_plain_start_has_no_exact_plane_where_its_first_output_grows(run, tmp_path):
    options = ("diagram", "--exact", "--plain", "--gamma-prime", "0", "--output", tmp_path / "out")
    result = run(*options, "--gamma", "0.1:0.5:0.1")
    assert result.exit_code == 2, result.stdout
    assert "γ must be ≥ 1/2, but is 0.1" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()
    assert run(*options, "--gamma", "0.5,0.7").exit_code == 0
