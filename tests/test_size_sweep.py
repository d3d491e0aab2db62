"""Size sweeps: students and their twins, nested draws, the store through kills, what is refused."""

import os
import pickle
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest
import xarray as xr

from netphase import activations, targets
from netphase.dynamics import Adam, Descent
from netphase.errors import ArgumentError, EvolutionError, StoreMismatchError
from netphase.networks import TwoLayerNetwork, student_parameters
from netphase.results import SIZES, comparable
from netphase.scalings import Scales
from netphase.store import read
from netphase.sweep import SizeSweep, measure_student, random_feature_twin, run_size_sweep


def small(**changes):
    fields = {
        "widths": (2, 4, 8),
        "samples": (20, 30),
        "seeds": (0, 1),
        "target": "single_neuron?d=3",
        "mean_square": 1e-4,
    }
    return SizeSweep(**(fields | changes))


def fake(student):
    """A deterministic stand-in for a run."""
    rng = np.random.default_rng([student.width, student.samples, student.seed])
    return {
        "status": "converged",
        "test_error": float(rng.random()) + student.scaling,
        "rf_test_error": 0.1,
        "steps": student.width,
    }


def slow(student):
    time.sleep(0.01)
    return fake(student)


def student(**changes):
    return small(**changes).task((0, 0, 0, 0))


def test_every_run_lands_at_its_own_place():
    sweep = small()
    results = run_size_sweep(sweep, measure=fake)
    assert results["test_error"].dims == SIZES.dims == ("scaling", "sample", "width", "seed")
    assert results["done"].values.all()
    for index in np.ndindex(2, 2, 3, 2):
        run = sweep.task(index)
        cell = results.sel(scaling=run.scaling, sample=run.samples, width=run.width, seed=run.seed)
        assert cell["test_error"].item() == fake(run)["test_error"]
    assert results.attrs["d"] == 3
    assert results.attrs["target_square"] == 0.5


def test_a_run_gives_every_scalar_of_the_schema():
    scalars = measure_student(student(widths=(6,)))
    assert set(scalars) == {q.name for q in SIZES.quantities if not q.provenance}
    assert scalars["status"] == "converged"
    assert scalars["train_error"] <= 1e-4
    assert 1.0 <= scalars["effective_number"] <= 6.0
    assert 0.0 < scalars["mean_rotation"] < np.pi
    assert scalars["path_norm"] >= scalars["largest_contribution"] > 0


def test_the_test_error_is_that_of_fresh_samples():
    run = student(widths=(4,), seeds=(5,))
    scalars = measure_student(run)
    teacher = targets.load(run.target)
    network = TwoLayerNetwork(activations.get("relu"), run.scales)
    start = student_parameters(4, 3, 5)
    data = teacher.sample(run.samples, 5)
    twin = random_feature_twin(network, start, data.x, data.y)
    fresh = np.random.default_rng(0).standard_normal((200_000, 3))
    squares = (network.output(twin, fresh) - teacher(fresh)) ** 2
    error = float(squares.std() / np.sqrt(len(squares)))
    assert abs(squares.mean() - scalars["rf_test_error"]) < 4 * error


@pytest.mark.parametrize("width", [3, 40])
@pytest.mark.parametrize("scaling", [0.0, 1.0])
def test_the_twin_is_the_least_change_that_fits_best(width, scaling):
    rng = np.random.default_rng(2)
    network = TwoLayerNetwork(
        activations.get("relu"), Scales(alpha=float(width) ** scaling, beta1=1.0, beta2=1.0)
    )
    start = student_parameters(width, 3, seed=1, output_std=0.5)
    x, y = rng.standard_normal((12, 3)), rng.standard_normal(12)
    twin = random_feature_twin(network, start, x, y)
    features = network.scales.kappa * np.maximum(x @ start.w.T, 0.0)
    residual = features @ twin.a - y
    np.testing.assert_allclose(features.T @ residual, 0.0, atol=1e-9)  # normal equations
    kernel = np.linalg.svd(features)[2][np.linalg.matrix_rank(features) :]
    np.testing.assert_allclose(kernel @ (twin.a - start.a), 0.0, atol=1e-9)  # nearest to the start
    np.testing.assert_array_equal(twin.w, start.w)


def test_twins_do_not_depend_on_the_scaling_and_runs_do():
    results = run_size_sweep(small(widths=(4,), samples=(20,)), workers=1)
    twins = results["rf_test_error"].values
    np.testing.assert_allclose(twins[0], twins[1], rtol=1e-9)
    assert not np.allclose(results["test_error"].values[0], results["test_error"].values[1])


def test_the_smaller_draw_is_the_beginning_of_the_larger():
    teacher = targets.load("single_neuron?d=3")
    few, many = teacher.sample(20, 1), teacher.sample(50, 1)
    np.testing.assert_array_equal(few.x, many.x[:20])
    narrow, wide = student_parameters(5, 3, 1), student_parameters(9, 3, 1)
    np.testing.assert_array_equal(narrow.w, wide.w[:5])


def test_runs_are_the_same_in_threads_and_one_by_one(tmp_path):
    sweep = small(widths=(2, 4), samples=(20,), seeds=(0,))
    one = run_size_sweep(sweep, tmp_path / "s.zarr", workers=1)
    several = run_size_sweep(sweep, workers=3)
    assert set(np.unique(one["status"])) <= {0, 3}
    for name in ("test_error", "rf_test_error", "path_norm"):
        np.testing.assert_allclose(one[name], several[name], rtol=1e-3)


def test_a_run_travels_to_another_process():
    run = student(method=Descent("stable"), time=2.0)
    assert pickle.loads(pickle.dumps(run)) == run


def test_runs_expected_to_take_longest_start_first():
    order = []
    run_size_sweep(small(), workers=1, measure=lambda r: (order.append(r), fake(r))[1])
    sweep = small()
    costs = {sweep.task(i): sweep.cost(i) for i in np.ndindex(2, 2, 3, 2)}
    taken = [costs[run] for run in order]
    assert taken == sorted(taken, reverse=True)
    assert order[0].samples == 30


def test_a_width_too_small_for_its_target_stagnates_and_says_so():
    run = student(widths=(1,), target="circle?d=3", samples=(60,), mean_square=1e-8)
    scalars = measure_student(run)
    assert scalars["status"] == "stagnated"
    assert scalars["train_error"] > 1e-3


def test_a_run_may_end_at_a_time():
    scalars = measure_student(student(widths=(4,), time=0.5, mean_square=1e-12))
    assert scalars["status"] == "time reached"
    assert scalars["time"] == pytest.approx(0.5)


def test_an_exhausted_budget_is_reported_as_such():
    scalars = measure_student(student(widths=(4,), max_steps=2, mean_square=1e-12))
    assert scalars["status"] == "maximum steps"


def test_a_sweep_survives_json_and_its_key_follows_its_content():
    sweep = small(method=Descent(0.01), inputs="sphere", time=7.0)
    again = SizeSweep.from_json(sweep.to_json())
    assert again == sweep
    assert again.key == sweep.key
    assert hash(again) == hash(sweep)
    assert small(widths=(8, 2, 4)).key == small().key
    assert small(target="single_neuron?d=4").key != small().key
    default = SizeSweep(widths=(2,), samples=(5,), target="single_neuron")
    assert default == SizeSweep(widths=(2,), samples=(5,))
    for name, value in (("output_std", 0.1), ("dtype", "float32"), ("stagnation", 0.5)):
        assert msgspec.structs.replace(small(), **{name: value}).key != small().key


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"samples": (0, 10)}, "`samples` must be a positive integer, but is 0"),
        ({"widths": (0,)}, "`widths` must be a positive integer"),
        ({"widths": ()}, "`widths` must hold one or more different values, but is empty"),
        ({"seeds": (1, 1)}, "repeated"),
        ({"samples": 10}, "`samples` must be a list of numbers"),
        ({"scalings": (float("nan"),)}, "`scalings` must be a finite number"),
        ({"scalings": (400.0,)}, "leaves the range of a float at m = 8"),
        ({"target": "one_neuron"}, "`target` must be one of single_neuron"),
        ({"target": "circle?d=1"}, "`d` must be at least 2"),
        ({"target": 3}, "`target` must be the name of a target"),
        ({"inputs": "cauchy"}, "`inputs` must be one of gaussian, sphere"),
        ({"dtype": "float16"}, "`dtype`"),
        ({"method": Adam()}, "`method` must be a Descent or a Flow"),
        ({"mean_square": 0.0}, "`mean_square`"),
        ({"stagnation": 1.0}, "`stagnation`"),
        ({"time": -1.0}, "`time`"),
        ({"max_steps": 0}, "`max_steps`"),
        ({"output_std": -1.0}, "`output_std` must not be negative"),
    ],
)
def test_what_is_outside_its_domain_is_refused(changes, words):
    with pytest.raises(ArgumentError, match=words):
        small(**changes)


def test_networks_larger_than_the_memory_are_refused_before_anything_is_made(tmp_path):
    sweep = small(widths=(2, 10**12))
    with pytest.raises(ArgumentError, match=r"`widths` must hold networks that fit into memory"):
        run_size_sweep(sweep, tmp_path / "s.zarr", measure=fake)
    assert not (tmp_path / "s.zarr").exists()
    sweep = small(samples=(10, 10**7))
    with pytest.raises(ArgumentError, match=r"`samples` must hold data that fit into memory"):
        run_size_sweep(sweep, tmp_path / "s.zarr", measure=fake)
    assert sweep.place((0, 0, 0, 0)).startswith("κ = m^(0), n = 10")
    with pytest.raises(ArgumentError, match="`sweep` must be a SizeSweep"):
        run_size_sweep("quick")


def test_a_sweep_is_resumed_and_another_is_refused(tmp_path):
    path = tmp_path / "s.zarr"
    first = run_size_sweep(small(), path, measure=fake)

    def never(_):
        raise AssertionError("run again")

    xr.testing.assert_identical(first, run_size_sweep(small(), path, measure=never))
    with pytest.raises(StoreMismatchError, match=r"`widths` is \[2, 4, 8\] there"):
        run_size_sweep(small(widths=(2,)), path, measure=fake)


def test_progress_counts_cells_and_neuron_steps():
    seen = []
    run_size_sweep(small(), workers=1, measure=fake, progress=seen.append)
    last = seen[-1]
    assert (last.runs_done, last.runs_total, last.cells_done, last.cells_total) == (24, 24, 12, 12)
    assert last.neuron_steps == 8 * (2**2 + 4**2 + 8**2)
    assert last.share == pytest.approx(1.0)


def test_a_run_that_raises_is_named_after_the_others_are_kept(tmp_path):
    def broken(run):
        if (run.width, run.samples, run.scaling) == (8, 30, 1.0):
            raise MemoryError("too big")
        return fake(run)

    words = r"2 of 24 runs .* κ = m\^\(−1\), n = 30, m = 8, seed 0 .*too big"
    with pytest.raises(EvolutionError, match=words):
        run_size_sweep(small(), tmp_path / "s.zarr", measure=broken)
    assert int(read(tmp_path / "s.zarr")["done"].sum()) == 22


SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
from test_size_sweep import run_size_sweep, slow, small
print("start", flush=True)
run_size_sweep(small(), {path!r}, workers=2, measure=slow)
"""


def test_a_sweep_killed_at_random_moments_equals_an_uninterrupted_one(tmp_path):
    path = tmp_path / "s.zarr"
    script = SCRIPT.format(tests=str(Path(__file__).parent), path=str(path))
    moments = random.Random(4)
    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        deadline = time.monotonic() + 20
        while not (path / "zarr.json").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(moments.uniform(0.0, 0.2))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        read(path)
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL)
    whole = run_size_sweep(small(), tmp_path / "whole.zarr", measure=fake)
    found = xr.open_zarr(path, chunks=None).load()
    xr.testing.assert_identical(comparable(found), comparable(whole))


@pytest.mark.slow
def test_narrow_networks_recover_the_neuron_and_wide_ones_shadow_their_twin():
    sweep = SizeSweep(widths=(4, 400), samples=(200,), seeds=(0, 1, 2), scalings=(0.0,))
    results = run_size_sweep(sweep).isel(scaling=0, sample=0)
    narrow, wide = results.sel(width=4), results.sel(width=400)
    assert np.median(narrow["test_error"]) < 1e-5
    assert np.median(narrow["teacher_cosine"]) > 0.99
    assert np.median(narrow["effective_number"]) < 1.2
    apart = np.log10(wide["test_error"] / wide["rf_test_error"])
    assert float(abs(apart).max()) < 0.2  # Ma, Wu & E (2020), Fig. 4: −1.2 beside −1.14
    assert float(wide["mean_rotation"].max()) < np.radians(5)
