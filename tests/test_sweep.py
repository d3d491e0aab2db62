"""Sweeps: every run once, in any executor, through interruptions, failures and kills."""

import concurrent.futures
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest
import xarray as xr

from netphase.datasets import Dataset
from netphase.errors import ArgumentError, EvolutionError, StoreError, StoreMismatchError
from netphase.experiment import Experiment
from netphase.results import comparable
from netphase.scalings import ScalingLaw
from netphase.store import Store, read
from netphase.sweep import Sweep, run_sweep

BASE = Experiment(law=ScalingLaw.ntk(), width=1)


def small(**changes):
    fields = {
        "base": BASE,
        "gamma": (0.5, 1.0, 1.5),
        "gamma_prime": (0.0, 0.2),
        "widths": (10, 20, 40),
        "seeds": (0, 1),
    }
    return Sweep(**(fields | changes))


def fake(experiment):
    """A deterministic stand-in for a run."""
    law = experiment.law
    rng = np.random.default_rng([experiment.width, experiment.seed, int(1e6 * law.gamma)])
    return {
        "status": "converged",
        "relative_change_w": float(rng.random() + law.gamma_prime),
        "steps": experiment.width,
        "mean_square": 1e-7,
    }


def slow(experiment):
    time.sleep(0.01)
    return fake(experiment)


def test_every_run_lands_at_its_own_place():
    sweep = small()
    results = run_sweep(sweep, measure=fake)
    assert results["done"].values.all()
    for index in np.ndindex(*sweep.shape):
        experiment = sweep.experiment(index)
        cell = results.sel(
            gamma=sweep.gamma[index[0]],
            gamma_prime=sweep.gamma_prime[index[1]],
            width=experiment.width,
            seed=experiment.seed,
        )
        assert cell["relative_change_w"].item() == fake(experiment)["relative_change_w"]


def test_experiments_sit_where_the_grid_says():
    sweep = small(base=msgspec.structs.replace(BASE, law=ScalingLaw(1.0, -0.25, 0.0)))
    experiment = sweep.experiment((2, 1, 1, 1))
    assert experiment.law.gamma == pytest.approx(1.5)
    assert experiment.law.gamma_prime == pytest.approx(0.2)
    assert experiment.law.beta1 == -0.25
    assert (experiment.width, experiment.seed) == (20, 1)
    assert experiment.data == BASE.data


def test_the_gauge_says_whose_exponent_is_fixed():
    place = (2, 1, 0, 0)
    plain, wide = small(gauge="alpha"), small()
    assert plain.experiment(place).law == ScalingLaw.plain(1.5, 0.2)
    assert wide.experiment(place).law == ScalingLaw.from_gamma(1.5, 0.2)
    assert len({plain.key, wide.key}) == 2
    assert Sweep.from_json(plain.to_json()) == plain
    with pytest.raises(ArgumentError, match="`gauge`"):
        small(gauge="beta3")


def test_real_runs_are_the_same_in_threads_and_in_processes(tmp_path):
    sweep = small(gamma=(0.5, 1.5), gamma_prime=(0.0,), widths=(50, 100), seeds=(0,))
    one = run_sweep(sweep, tmp_path / "s.zarr", workers=1)
    with concurrent.futures.ThreadPoolExecutor(3) as threads:
        several = run_sweep(sweep, executor=threads)
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as processes:
        apart = run_sweep(sweep, executor=processes)
    assert np.all(one["status"] == 0)
    assert np.all(one["relative_change_w"] > 0)
    xr.testing.assert_identical(comparable(one), comparable(several))
    xr.testing.assert_identical(comparable(one), comparable(apart))


def test_a_finished_sweep_is_not_run_again(tmp_path):
    first = run_sweep(small(), tmp_path / "s.zarr", measure=fake)

    def never(_):
        raise AssertionError("run again")

    second = run_sweep(small(), tmp_path / "s.zarr", measure=never)
    xr.testing.assert_identical(first, second)


def test_wide_runs_start_first():
    order = []
    run_sweep(small(), workers=1, measure=lambda e: (order.append(e.width), fake(e))[1])
    assert order[:4] == [40] * 4
    assert order[-8:] == [10] * 8


def test_progress_counts_runs_cells_and_neuron_steps(tmp_path):
    seen = []
    run_sweep(small(), tmp_path / "s.zarr", workers=1, measure=fake, progress=seen.append)
    assert [report.runs_done for report in seen] == list(range(37))
    last = seen[-1]
    assert (last.runs_total, last.cells_done, last.cells_total) == (36, 6, 6)
    assert last.steps == 12 * (10 + 20 + 40)
    assert last.neuron_steps == 2 * 12 * (10**2 + 20**2 + 40**2)
    assert last.share == pytest.approx(1.0)
    assert last.seconds_left == pytest.approx(0.0, abs=1e-9)
    assert seen[0].seconds_left is None
    resumed = []
    run_sweep(small(), tmp_path / "s.zarr", measure=fake, progress=resumed.append)
    assert resumed[-1].resumed == 36
    assert resumed[-1].steps == 0


def test_a_bad_status_is_recorded_and_stops_nothing():
    def bad(experiment):
        if experiment.width == 20:
            return {"status": "diverged", "relative_change_w": float("inf"), "steps": 3}
        return fake(experiment)

    results = run_sweep(small(), measure=bad)
    assert results["done"].values.all()
    assert np.all(results["status"].sel(width=20) == 4)
    assert np.all(results["status"].sel(width=40) == 0)


def test_an_unexpected_error_in_one_run_is_raised_after_the_others_are_kept(tmp_path):
    def broken(experiment):
        if experiment.width == 20 and experiment.seed == 1 and experiment.law.gamma > 1.2:
            raise MemoryError("too big")
        return fake(experiment)

    with pytest.raises(EvolutionError, match=r"2 of 36 runs .* m = 20, seed 1 .*too big"):
        run_sweep(small(), tmp_path / "s.zarr", measure=broken)
    assert int(read(tmp_path / "s.zarr")["done"].sum()) == 34
    results = run_sweep(small(), tmp_path / "s.zarr", measure=fake)
    xr.testing.assert_identical(comparable(results), comparable(run_sweep(small(), measure=fake)))


def test_a_sweep_in_which_everything_fails_gives_up_early():
    calls = []

    def broken(experiment):
        calls.append(experiment)
        time.sleep(0.01)
        raise RuntimeError("no good")

    with pytest.raises(EvolutionError, match="no good"):
        run_sweep(small(), workers=1, measure=broken)
    assert len(calls) < 12


def test_an_interrupt_keeps_what_is_finished_and_starts_nothing_new(tmp_path):
    calls = []

    def counted(experiment):
        calls.append(experiment)
        return slow(experiment)

    def interrupt(report):
        if report.runs_done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sweep(small(), tmp_path / "s.zarr", workers=2, measure=counted, progress=interrupt)
    time.sleep(0.1)
    assert len(calls) <= 9
    kept = int(read(tmp_path / "s.zarr")["done"].sum())
    assert 5 <= kept <= 9
    published = xr.open_zarr(tmp_path / "s.zarr", consolidated=False, chunks=None)
    assert int(published["done"].sum()) == kept


def test_a_full_disk_stops_the_sweep_with_one_sentence(tmp_path, monkeypatch):
    original = Store.write

    def full(self, index, row):
        if int(self.done.sum()) >= 10:
            raise StoreError("The disk that holds it is full")
        original(self, index, row)

    monkeypatch.setattr(Store, "write", full)
    with pytest.raises(StoreError, match="full"):
        run_sweep(small(), tmp_path / "s.zarr", measure=fake)
    monkeypatch.undo()
    assert int(read(tmp_path / "s.zarr")["done"].sum()) == 10


def test_another_sweep_in_the_same_place_is_refused_unless_fresh(tmp_path):
    run_sweep(small(), tmp_path / "s.zarr", measure=fake)
    other = small(widths=(10, 20))
    with pytest.raises(StoreMismatchError, match=r"`widths` is \[10, 20, 40\] there"):
        run_sweep(other, tmp_path / "s.zarr", measure=fake)
    results = run_sweep(other, tmp_path / "s.zarr", measure=fake, fresh=True)
    assert results.sizes["width"] == 2


def test_data_are_read_once_and_not_in_every_run(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, x=np.array([[-1.0], [0.5], [1.0]]), y=np.array([0.0, 1.0, 0.0]))
    sweep = small(base=msgspec.structs.replace(BASE, data=str(path)))

    def needs_data(experiment):
        assert isinstance(experiment.data, Dataset)
        return fake(experiment)

    assert run_sweep(sweep, measure=needs_data)["done"].values.all()


def test_the_key_follows_the_content_of_the_data_and_not_their_place(tmp_path):
    def saved(name, y):
        np.savez(tmp_path / name, x=np.array([[-1.0], [0.5]]), y=np.array([0.0, y]))
        return small(base=msgspec.structs.replace(BASE, data=str(tmp_path / name)))

    first, copy, other = saved("a.npz", 1.0), saved("b.npz", 1.0), saved("c.npz", 2.0)
    assert first.key == copy.key
    assert first.key != other.key


def test_the_key_ignores_what_the_grid_overrides_and_the_order_of_values():
    sweep = small()
    base = msgspec.structs.replace(BASE, width=77, seed=5, law=ScalingLaw.mean_field())
    assert small(base=base).key == sweep.key
    assert small(gamma=(1.5, 0.5, 1.0)).key == sweep.key
    assert small(seeds=(0,)).key != sweep.key
    assert small(base=msgspec.structs.replace(BASE, dtype="float32")).key != sweep.key
    gauged = msgspec.structs.replace(BASE, law=ScalingLaw(0.5, 0.5, 0.0))
    assert small(base=gauged).key != sweep.key


def test_a_sweep_survives_json():
    sweep = small(base=msgspec.structs.replace(BASE, activation="tanh", time=5.0))
    again = Sweep.from_json(sweep.to_json())
    assert again == sweep
    assert again.key == sweep.key


def test_axes_are_checked():
    with pytest.raises(ArgumentError, match="`widths` must be a positive integer, but is -3"):
        small(widths=(10, -3))
    with pytest.raises(ArgumentError, match="`gamma` must hold one or more"):
        small(gamma=())
    with pytest.raises(ArgumentError, match="repeated"):
        small(seeds=(1, 1))
    with pytest.raises(ArgumentError, match="finite"):
        small(gamma_prime=(float("nan"),))
    with pytest.raises(ArgumentError, match="`gamma` must be a list of numbers, but is of type fl"):
        small(gamma=1.0)
    with pytest.raises(ArgumentError, match="`base` must be an Experiment"):
        small(base=None)
    with pytest.raises(ArgumentError, match="not the JSON of a netphase sweep"):
        Sweep.from_json("{}")


@pytest.mark.parametrize("gamma", [300.0, -300.0])
def test_scales_beyond_a_float_anywhere_on_the_grid_are_refused(gamma):
    with pytest.raises(ArgumentError, match="leaves the range of a float at m = "):
        small(gamma=(0.5, gamma))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"sweep": "quick"}, "`sweep` must be a Sweep"),
        ({"store": 3}, "`store` must be a path"),
        ({"executor": 4}, "`executor` must be an Executor"),
    ],
)
def test_what_a_sweep_is_run_with_is_checked(arguments, words):
    with pytest.raises(ArgumentError, match=words):
        run_sweep(**({"sweep": small(), "measure": fake} | arguments))


def test_workers_and_an_executor_exclude_each_other():
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        with pytest.raises(ArgumentError, match="exclude each other"):
            run_sweep(small(), executor=executor, workers=2, measure=fake)
        with pytest.raises(ArgumentError, match="`workers`"):
            run_sweep(small(), workers=0, measure=fake)


SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
from test_sweep import run_sweep, slow, small
print("start", flush=True)
run_sweep(small(), {path!r}, workers=2, measure=slow)
"""


def test_a_sweep_killed_at_random_moments_equals_an_uninterrupted_one(tmp_path):
    path = tmp_path / "s.zarr"
    script = SCRIPT.format(tests=str(Path(__file__).parent), path=str(path))
    moments = random.Random(3)
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        deadline = time.monotonic() + 20
        while not (path / "zarr.json").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(moments.uniform(0.0, 0.4))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        read(path)
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL)
    whole = run_sweep(small(), tmp_path / "whole.zarr", measure=fake)
    found = xr.open_zarr(path, chunks=None).load()
    xr.testing.assert_identical(comparable(found), comparable(whole))


INTERRUPTED = """
import sys
from netphase import Descent, Experiment, ScalingLaw, Sweep, run_sweep
slow = Descent(learning_rate=1e-9)
base = Experiment(law=ScalingLaw.ntk(), width=1, method=slow, max_steps=10**9, stagnation=0.0)
sweep = Sweep(base=base, gamma=(0.5, 1.0), gamma_prime=(0.0,), widths=(500, 4000))
run_sweep(sweep, sys.argv[1], workers=2, progress=lambda _: print("start", flush=True))
"""


def test_ctrl_c_stops_runs_in_the_compiled_engine_at_once(tmp_path):
    path = tmp_path / "s.zarr"
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "start\n"
    time.sleep(0.5)
    asked = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert time.monotonic() - asked < 5.0
    assert process.returncode != 0
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert not read(path)["done"].values.any()


def test_overhead_of_the_default_diagram_stays_below_three_seconds_of_processor_time(tmp_path):
    sweep = small(
        gamma=(0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0, 1.02, 1.05, 1.1, 1.2, 1.3, 1.4),
        gamma_prime=(-0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4),
        widths=(1000, 5000, 10000, 20000, 40000),
        seeds=(0,),
    )
    start = time.process_time()
    results = run_sweep(sweep, tmp_path / "s.zarr", measure=fake, progress=lambda _: None)
    assert time.process_time() - start < 3.0
    assert results["done"].values.all()
    assert threading.active_count() < 20
