"""Experiments: specification, hash, and what a run leaves."""

import json
import subprocess
import sys

import msgspec
import numpy as np
import pytest

from netphase import activations
from netphase.datasets import Dataset, four_points
from netphase.dynamics import Descent, Flow
from netphase.errors import ArgumentError
from netphase.experiment import Experiment, content_hash, measure, run
from netphase.results import PLANE
from netphase.scalings import ScalingLaw

NTK = Experiment(law=ScalingLaw.ntk(), width=200)
PINNED = "e8bbc4148e650f06691b0e3f1ed8612c"
"""Key of `NTK`; it may change only together with HASH_VERSION."""


def changed(**fields):
    return msgspec.structs.replace(NTK, **fields)


def test_the_key_is_the_same_in_every_session_and_version():
    assert NTK.key == PINNED
    code = (
        "from netphase.experiment import Experiment; from netphase.scalings import ScalingLaw;"
        "print(Experiment(width=200, law=ScalingLaw.ntk()).key)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == PINNED


def test_the_key_does_not_depend_on_the_order_of_fields():
    fields = json.loads(NTK.to_json())
    backwards = json.dumps(dict(reversed(fields.items())))
    assert Experiment.from_json(backwards).key == NTK.key
    assert content_hash({"a": 1, "b": 2.5}) == content_hash({"b": 2.5, "a": 1.0})


@pytest.mark.parametrize(
    "fields",
    [
        {"width": 201},
        {"seed": 1},
        {"law": ScalingLaw.mean_field()},
        {"activation": "tanh"},
        {"antisymmetric": False},
        {"dtype": "float32"},
        {"mean_square": 1e-5},
        {"time": 3.0},
        {"max_steps": 10},
        {"stagnation": 0.0},
        {"method": Flow()},
        {"method": Descent(learning_rate=0.5)},
        {"data": "gaussian"},
    ],
)
def test_every_field_changes_the_key(fields):
    assert changed(**fields).key != NTK.key


def test_the_key_follows_the_numbers_of_the_data_and_not_their_form():
    assert changed(data=four_points()).key == NTK.key
    points = four_points()
    assert changed(data=Dataset(points.x, points.y)).key == NTK.key
    assert changed(data=Dataset(points.x, 2 * points.y)).key != NTK.key


@pytest.mark.parametrize(
    "experiment",
    [
        NTK,
        changed(method=Flow(), activation="tanh", time=2.5, dtype="float32", seed=-4),
        changed(law=ScalingLaw.xavier(2), method=Descent(learning_rate=0.25)),
        changed(data=Dataset(np.array([[1.0, 1.0], [2.0, 1.0]]), np.array([0.1, 0.3]))),
    ],
    ids=["defaults", "flow", "formulas", "inline data"],
)
def test_experiments_survive_json(experiment):
    again = Experiment.from_json(experiment.to_json())
    assert again == experiment
    assert again.key == experiment.key


def test_data_with_a_source_are_written_by_name():
    assert json.loads(changed(data=four_points()).to_json())["data"] == "four_points"


def test_defaults_are_not_written():
    assert set(json.loads(NTK.to_json())) == {"law", "width"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"width": -3}, "`width` must be a positive integer, but is -3"),
        ({"width": 2.5}, "`width`"),
        ({"seed": 1.5}, "`seed` must be an integer"),
        ({"seed": True}, "`seed` must be an integer"),
        ({"activation": "rleu"}, "relu"),
        ({"dtype": "float16"}, "`dtype`"),
        ({"mean_square": 0.0}, "`mean_square`"),
        ({"time": -1.0}, "`time`"),
        ({"max_steps": 0}, "`max_steps`"),
        ({"max_steps": 10**30}, "`max_steps` must be at most"),
        ({"law": "ntk"}, "`law` must be a ScalingLaw, but is of type str"),
        ({"method": Flow}, "`method` must be a Descent, a Flow or an Adam, but is the type Flow"),
        ({"activation": activations.get("tanh")}, "`activation` must be the name"),
        ({"antisymmetric": "no"}, "`antisymmetric` must be True or False"),
        ({"stagnation": 1.0}, "`stagnation`"),
        ({"data": 3}, "`data`"),
    ],
)
def test_values_outside_their_domain_are_refused_in_one_sentence(fields, message):
    with pytest.raises(ArgumentError, match=message):
        changed(**fields)


def test_only_an_experiment_can_be_run():
    for function in (run, measure):
        with pytest.raises(ArgumentError, match="`experiment` must be an Experiment"):
            function("four_points")


def test_text_that_is_no_experiment_is_refused():
    for text in ("not json", "{}", '{"width": 3, "law": {"alpha": "x"}}'):
        with pytest.raises(ArgumentError, match="not the JSON of a netphase experiment"):
            Experiment.from_json(text)


def test_numpy_numbers_become_plain_ones():
    experiment = changed(width=np.int64(50), seed=np.int32(3), mean_square=np.float64(1e-4))
    assert json.loads(experiment.to_json())["width"] == 50
    assert type(experiment.seed) is int


def test_measuring_gives_every_scalar_of_a_sweep():
    scalars = measure(NTK)
    assert set(scalars) == {q.name for q in PLANE.quantities if not q.provenance}
    assert scalars["status"] == "converged"
    assert scalars["mean_square"] <= 1e-6
    assert 0 < scalars["relative_change_w"] <= scalars["max_relative_change_w"] * (1 + 1e-12)
    assert scalars["active_neurons"] > 10
    assert scalars["effective_rank"] == pytest.approx(2.0, abs=0.05)


def test_the_share_along_the_mean_of_the_labels_is_that_of_the_first_copy():
    # z = Σ y_i x_i of the four points lies along the bias, the last column
    result = run(NTK)
    w = result["final_w"].values[result["copy"].values == 0]
    share = np.linalg.norm(w[:, 1]) / np.linalg.norm(w)
    assert result["alignment_ratio"].item() == pytest.approx(share, rel=1e-12)
    assert measure(NTK)["alignment_ratio"] == result["alignment_ratio"].item()


def test_there_is_no_share_along_a_direction_that_does_not_exist():
    x = np.column_stack([[-1.0, -0.5, 0.5, 1.0], np.ones(4)])
    balanced = Dataset(x, np.array([1.0, -1.0, -1.0, 1.0]))
    assert np.isnan(measure(changed(data=balanced, max_steps=5))["alignment_ratio"])


def test_measuring_twice_gives_the_same_bits():
    assert measure(NTK) == measure(NTK)


def test_a_run_is_labelled_and_agrees_with_its_scalars():
    result, scalars = run(NTK), measure(NTK)
    assert result["loss"].dims == ("time",)
    np.testing.assert_allclose(result["loss"], result["mean_square"] / 2, rtol=1e-12)
    for block in ("w", "a", "theta"):
        name = f"relative_change_{block}"
        assert result[name].values[0] == 0
        assert result[name].values[-1] == scalars[name]
        assert result[f"max_{name}"].item() == scalars[f"max_{name}"]
    assert result["steps"].item() == scalars["steps"]
    assert result.attrs["status"] == "converged"
    assert result.attrs["key"] == NTK.key
    assert Experiment.from_json(result.attrs["experiment"]) == NTK
    for name, variable in result.variables.items():
        assert variable.attrs["long_name"], name


def test_a_run_holds_both_copies_before_and_after():
    result = run(NTK)
    assert result.sizes["neuron"] == 400
    first, second = result.sel(neuron=result["copy"] == 0), result.sel(neuron=result["copy"] == 1)
    np.testing.assert_array_equal(first["initial_a"], -second["initial_a"].values)
    np.testing.assert_array_equal(first["initial_w"], second["initial_w"].values)
    moved = first["final_w"] - first["initial_w"]
    size = np.linalg.norm(first["initial_w"])
    change = result["relative_change_w"].values[-1]
    assert np.linalg.norm(moved) / size == pytest.approx(change, rel=1e-6)
    np.testing.assert_allclose(result["initial_output"], 0, atol=1e-12)
    errors = result["final_output"] - result["y"]
    assert float((errors**2).mean()) == pytest.approx(result["mean_square"].values[-1], rel=1e-3)


def test_features_follow_from_the_parameters():
    result = run(NTK)
    w = result["final_w"].values
    norm = np.linalg.norm(w, axis=1)
    np.testing.assert_allclose(
        result["final_amplitude"], np.abs(result["final_a"]) * norm, rtol=1e-12
    )
    np.testing.assert_allclose(result["final_angle"], np.arctan2(w[:, 1], w[:, 0]), rtol=1e-12)


def test_raw_time_is_the_normalised_one_times_the_clock():
    result = run(changed(law=ScalingLaw.lecun(2)))
    assert result["raw_time"].values[-1] == pytest.approx(
        result["time"].values[-1] * result.attrs["beta1"] * result.attrs["beta2"]
    )


def test_a_run_without_antisymmetry_has_one_copy():
    result = run(changed(antisymmetric=False))
    assert result.sizes["neuron"] == 200
    assert np.all(result["copy"] == 0)


def test_a_run_goes_through_a_netcdf_file(tmp_path):
    import xarray as xr

    result = run(NTK)
    result.to_netcdf(tmp_path / "run.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "run.nc", engine="h5netcdf") as again:
        np.testing.assert_array_equal(again["loss"], result["loss"])
        assert again.attrs["key"] == NTK.key


def test_a_run_that_hits_its_step_limit_says_so_and_how_to_help():
    result = run(changed(max_steps=5))
    assert result.attrs["status"] == "maximum steps"
    assert result.attrs["remedy"]
    assert measure(changed(max_steps=5))["status"] == "maximum steps"
