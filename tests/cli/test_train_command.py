"""`netphase train`: one small network of each regime, its summary and its files."""

import errno

import numpy as np
import pytest
import xarray as xr

import netphase as nph
from netphase.cli import train


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_train_condenses_onto_the_two_kinks_of_the_paper(run_json, tmp_path):
    content = run_json("train", "--gamma", "1.75", "--width", "200")
    assert content["status"] == "converged"
    assert content["remedy"] == ""
    assert content["regime"] == "condensed"
    assert content["scalars"]["mean_square"] <= 1e-6
    assert content["scalars"]["direction_clusters"] == 2
    assert content["scalars"]["relative_change_w"] > 1
    with xr.open_dataset(tmp_path / "netphase-train.nc") as result:
        strongest = result.isel(neuron=int(result["final_amplitude"].values[:200].argmax()))
        kinks = np.array([-2.977, -0.165])  # Luo et al. (2021), Fig. 2f
        assert np.abs(kinks - float(strongest["final_angle"])).min() < 0.05
        assert result.attrs["key"] == content["key"]


def test_train_writes_the_run_and_three_figures(run, tmp_path):
    result = run("train", "--width", "50", "--output", "deep/run.zarr")
    assert result.exit_code == 0, result.stderr
    names = {"run.zarr"} | {
        f"run-{what}.{kind}"
        for what in ("curves", "neurons", "function")
        for kind in ("pdf", "png")
    }
    assert {path.name for path in (tmp_path / "deep").iterdir()} == names
    for words in ("mean field", "converged", "RD_w", "directions among them"):
        assert words in result.stdout
    for name in names:
        assert f"wrote deep/{name}" in result.stdout
    with xr.open_zarr(tmp_path / "deep" / "run.zarr", consolidated=False) as saved:
        assert saved.sizes["neuron"] == 100


def test_train_that_gives_up_is_saved_and_exits_3(run, tmp_path):
    result = run("train", "--width", "50", "--max-steps", "3", "--output", "short.nc")
    assert result.exit_code == 3
    assert "maximum steps" in result.stdout
    assert "Allow more steps" in result.stdout
    assert (tmp_path / "short.nc").is_file()


def test_train_replaces_only_what_it_may(run, monkeypatch):
    monkeypatch.setattr(train, "_draw", lambda *_: [])
    arguments = ("train", "--width", "20", "--max-steps", "2", "--output", "run.zarr")
    assert run(*arguments).exit_code == 3
    assert run(*arguments).exit_code == 2
    assert run(*arguments, "--overwrite").exit_code == 3
    for _ in range(2):
        assert run("train", "--width", "20", "--max-steps", "2").exit_code == 3


def test_train_of_many_inputs_draws_no_function(run, tmp_path):
    rng = np.random.default_rng(0)
    np.savez("mine.npz", x=rng.normal(size=(6, 3)), y=rng.normal(size=6))
    result = run("train", "--data", "mine.npz", "--width", "60", "--output", "run.nc")
    assert result.exit_code == 0, result.stderr
    assert not (tmp_path / "run-function.png").exists()
    assert (tmp_path / "run-neurons.png").exists()


def test_train_options_reach_the_experiment(run_json):
    content = run_json(
        *("train", "--beta1", "m^-0.5", "--width", "30", "--seed", "-4", "--plain"),
        *("--activation", "tanh", "--tolerance", "0.01", "--dtype", "float32"),
        *("--learning-rate", "0.05"),
    )
    experiment = content["experiment"]
    assert content["gamma"] == 0.5
    assert (experiment["width"], experiment["seed"]) == (30, -4)
    assert experiment["activation"] == "tanh"
    assert experiment["antisymmetric"] is False
    assert experiment["mean_square"] == 0.01
    assert experiment["dtype"] == "float32"
    assert experiment["method"]["learning_rate"] == 0.05


def test_train_finds_an_unwritable_folder_before_it_trains(run, monkeypatch):
    def never(_):
        raise AssertionError

    monkeypatch.setattr("os.access", lambda *_: False)
    monkeypatch.setattr("netphase.experiment.run", never)
    result = run("train", "--output", "sub/run.nc")
    assert result.exit_code == 1
    assert result.stderr == "Error: sub: this folder cannot be written.\n"


def test_a_run_that_does_not_fit_on_the_disk_leaves_no_draft(run, monkeypatch, tmp_path):
    def full(_, path, **__):
        path.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(xr.Dataset, "to_netcdf", full)
    result = run("train", "--width", "10", "--output", "run.nc")
    assert result.exit_code == 1
    assert "disk that holds run.nc is full" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_overflows_is_saved_without_warnings(run, tmp_path):
    result = run("train", "--width", "10", "--learning-rate", "1e300")
    assert result.exit_code == 3
    assert result.stderr == ""
    assert "non-finite" in result.stdout
    assert (tmp_path / "netphase-train.nc").exists()


def test_train_by_adam_is_adam_by_its_own_formula(run_json):
    content = run_json(
        *("train", "--method", "adam", "--learning-rate", "0.002", "--max-steps", "3"),
        *("--width", "4", "--activation", "tanh", "--alpha", "1", "--plain"),
        code=3,
    )
    assert content["experiment"]["method"] == {"type": "adam", "learning_rate": 0.002}
    start = nph.initial_parameters(4, 2, 0, antisymmetric=False)
    theta = np.column_stack([start.a, start.w])
    mean, square, data = 0.0, 0.0, nph.datasets.four_points()
    for step in (1, 2, 3):
        a, w = theta[:, 0], theta[:, 1:]
        hidden = np.tanh(data.x @ w.T)
        error = (hidden @ a - data.y) / data.n
        slope = error[:, None] * (1 - hidden**2) * a
        gradient = np.column_stack([hidden.T @ error, slope.T @ data.x])
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        size = np.sqrt(square / (1 - 0.999**step)) + 1e-8
        theta = theta - 0.002 * mean / (1 - 0.9**step) / size
    moved = np.linalg.norm(theta[:, 1:] - start.w) / np.linalg.norm(start.w)
    assert content["scalars"]["relative_change_w"] == pytest.approx(moved, rel=1e-9)
    assert content["scalars"]["time"] == 3


def test_the_table_of_a_run_by_adam_has_no_normalised_time(run):
    result = run("train", "--method", "adam", "--max-steps", "2", "--width", "5")
    assert "normalised time" not in result.stdout
    assert "steps" in result.stdout
