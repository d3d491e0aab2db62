"""Layer sweeps: their places, one hidden layer as the two-layer plane, the store, wrong input."""

import math
import time

import msgspec
import numpy as np
import pytest
import xarray as xr

from netphase import activations
from netphase.analysis import layer_boundary, layer_exponents
from netphase.datasets import Dataset
from netphase.dynamics import Adam, Descent, Flow
from netphase.errors import ArgumentError, StoreMismatchError
from netphase.experiment import Experiment
from netphase.results import comparable, layer_schema, status_words
from netphase.scalings import LayerScaling, ScalingLaw, layer_initialisation
from netphase.store import read
from netphase.sweep import (
    LayerSweep,
    Sweep,
    default_layer_sweep,
    measure_layers,
    run_layer_sweep,
    run_sweep,
)

NTK = layer_initialisation("ntk", depth=2, d=4)


def small(**changes):
    fields = {
        "base": NTK,
        "axes": ("gamma", "g3"),
        "x": (1.2, 1.8),
        "y": (0.3, 0.6, 0.9),
        "widths": (6, 12),
        "seeds": (0, 1),
    }
    return LayerSweep(**(fields | changes))


def fake(run):
    """A deterministic stand-in for a run."""
    size = run.scaling.gamma + 10 * run.scaling.g[2] + 1000 * run.width + 0.1 * run.seed
    return {"status": "converged", "operator_change_1": size, "steps": 3}


def test_every_run_lands_at_its_own_place():
    sweep = small()
    results = run_layer_sweep(sweep, measure=fake)
    assert results["operator_change_1"].dims == ("g3", "gamma", "width", "seed")
    for index in np.ndindex(3, 2, 2, 2):
        run = sweep.task(index)
        cell = results.sel(
            gamma=sweep.x[index[1]], g3=sweep.y[index[0]], width=run.width, seed=run.seed
        )
        assert cell["operator_change_1"].item() == fake(run)["operator_change_1"]
        assert run.scaling.gamma == pytest.approx(sweep.x[index[1]], abs=1e-14)
        assert run.scaling.g[2] == pytest.approx(sweep.y[index[0]], abs=1e-14)


def test_the_results_say_what_they_are_of():
    about = run_layer_sweep(small(), measure=fake).attrs
    assert (about["depth"], about["plane_x"], about["plane_y"]) == (2, "gamma", "g3")
    assert (about["activation"], about["kind"]) == ("relu", "antisymmetric")
    assert msgspec.json.decode(about["base"], type=LayerScaling) == NTK
    assert about["target_mean_square"] == pytest.approx(1e-4 * about["target_square"])


def test_a_real_run_measures_everything_that_is_recorded():
    run = small().task((1, 0, 1, 0))
    scalars = measure_layers(run)
    schema = layer_schema(2, ("gamma", "g3"))
    assert set(scalars) == set(schema.column) - {"wall_seconds"}
    assert scalars["status"] == "converged"
    assert scalars["mean_square"] <= 1e-4
    assert scalars["kappa"] == pytest.approx(run.scaling.at_width(12).kappa)
    assert all(math.isfinite(value) for name, value in scalars.items() if name != "status")
    # the operator norm of a change is its Frobenius norm at most; the start is √m smaller in it
    for k in (1, 2, 3):
        assert scalars[f"operator_change_{k}"] > 0
    assert scalars["frobenius_change_2"] < scalars["operator_change_2"]
    assert scalars["frobenius_change_3"] == pytest.approx(scalars["operator_change_3"])
    assert scalars["alignment_end"] > scalars["alignment_start"] > 0


@pytest.mark.parametrize(("rate", "status"), [(1e9, "diverged"), (1e100, "non-finite")])
def test_a_run_that_ends_badly_has_changes_only_while_it_is_finite(rate, status):
    sweep = small(method=Descent(rate), widths=(6,), seeds=(0,))
    scalars = measure_layers(sweep.task((0, 0, 0, 0)))
    assert scalars["status"] == status
    assert any("change" in name for name in scalars) == (status == "diverged")
    results = run_layer_sweep(sweep)
    assert results["done"].values.all()
    assert np.all(status_words(results["status"].values) == status)


@pytest.mark.parametrize("activation", ["relu", "x2_tanh"])
@pytest.mark.parametrize("method", [Flow(), Descent("auto")])
def test_a_run_without_a_finite_step_has_no_changes(method, activation):
    steep = LayerScaling(g=(-40.0, -40.0, -40.0))
    sweep = small(base=steep, axes=("g2", "g3"), x=(-40.0, -39.0), y=(-40.0, -39.0), method=method,
                  activation=activation)  # fmt: skip
    scalars = measure_layers(sweep.task((0, 0, 1, 0)))
    assert (scalars["status"], scalars["steps"]) == ("non-finite", 0)
    assert not any("change" in name or "alignment" in name for name in scalars)


def one_hidden_layer(gamma_prime, method, **changes):
    """The same runs as a layer sweep and as a sweep of the two-layer plane, β1 = 1."""
    fields = {"data": "four_points", "mean_square": 1e-5, "max_steps": 300, "activation": "tanh"}
    fields |= changes
    gamma, widths, seeds = (0.6, 1.3), (20, 50), (0, 3)
    layers = LayerSweep(
        base=LayerScaling(g=(0.0, 0.0)),
        axes=("gamma", "g1"),
        x=gamma,
        y=(0.0 - gamma_prime,),
        widths=widths,
        seeds=seeds,
        method=method,
        **fields,
    )
    experiment = Experiment(law=ScalingLaw.ntk(), width=1, method=method, **fields)
    plane = Sweep(
        base=experiment, gamma=gamma, gamma_prime=(gamma_prime,), widths=widths, seeds=seeds
    )
    found = run_layer_sweep(layers).isel(g1=0), run_sweep(plane).isel(gamma_prime=0)
    return [each.transpose("gamma", "width", "seed") for each in found]


PAIRS = (
    ("frobenius_change_1", "relative_change_w"),
    ("frobenius_change_2", "relative_change_a"),
    ("operator_change_2", "relative_change_a"),
    ("mean_square", "mean_square"),
    ("time", "time"),
)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_one_hidden_layer_is_the_two_layer_plane_to_rounding(activation):
    deep, flat = one_hidden_layer(0.0, Descent(0.5), activation=activation)
    for one, other in PAIRS:
        np.testing.assert_allclose(deep[one], flat[other], rtol=1e-9)
    np.testing.assert_array_equal(deep["steps"], flat["steps"])
    np.testing.assert_array_equal(deep["status"], flat["status"])
    assert float(deep["frobenius_change_1"].min()) > 1e-3


def test_one_hidden_layer_with_unequal_scales_follows_the_same_flow():
    deep, flat = one_hidden_layer(0.3, Flow(1e-6), max_steps=100_000, mean_square=1e-4)
    assert np.all(deep["status"] == 0)
    for one, other in PAIRS[:3]:
        np.testing.assert_allclose(deep[one], flat[other], rtol=2e-4)


def test_a_sweep_goes_on_where_it_was_stopped(tmp_path):
    calls = []

    def stopped(report):
        if report.runs_done == 7:
            raise KeyboardInterrupt

    def counted(run):
        calls.append(run)
        time.sleep(0.01)
        return fake(run)

    path = tmp_path / "layers.zarr"
    with pytest.raises(KeyboardInterrupt):
        run_layer_sweep(small(), path, workers=1, measure=counted, progress=stopped)
    first = len(calls)
    kept = int(read(path)["done"].sum())
    assert 7 <= kept <= first < 24
    results = run_layer_sweep(small(), path, workers=1, measure=counted)
    assert len(calls) == first + 24 - kept
    whole = run_layer_sweep(small(), measure=fake)
    xr.testing.assert_identical(comparable(results), comparable(whole))


def test_another_plane_or_depth_in_the_same_place_is_refused(tmp_path):
    path = tmp_path / "layers.zarr"
    run_layer_sweep(small(), path, measure=fake)
    with pytest.raises(StoreMismatchError, match="another kind of sweep"):
        run_layer_sweep(small(axes=("gamma", "g2")), path, measure=fake)
    with pytest.raises(StoreMismatchError, match=r"`seeds` is \[0, 1\] there and \[2\] here"):
        run_layer_sweep(small(seeds=(2,)), path, measure=fake)
    assert run_layer_sweep(small(seeds=(2,)), path, measure=fake, fresh=True).sizes["seed"] == 1


def test_a_layer_sweep_survives_json_and_its_key_follows_the_content():
    sweep = small(method=Flow(), time=50.0, mean_square=1e-3, activation="tanh")
    again = LayerSweep.from_json(sweep.to_json())
    assert again == sweep
    assert again.key == sweep.key != small().key
    assert small(x=(1.8, 1.2)).key == small().key
    data = Dataset(np.eye(3), np.ones(3), bias=False)
    assert LayerSweep.from_json(small(data=data).to_json()).dataset == data
    named = small()
    assert small(data=named.dataset).key == named.key
    with pytest.raises(ArgumentError, match="not the JSON of a netphase layersweep"):
        LayerSweep.from_json("{}")


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("quick", [True, False])
def test_the_default_plane_has_the_boundary_in_its_middle(depth, quick):
    sweep = default_layer_sweep(depth, quick)
    middle = sweep.scaling((0, len(sweep.x) // 2, 0, 0))
    assert middle.log_m_kappa == pytest.approx(0.0, abs=1e-12)
    assert sweep.scaling((0, 0, 0, 0)).log_m_kappa > 0.5
    assert sweep.scaling((0, -1, 0, 0)).log_m_kappa < -0.5
    exponents = sweep.scaling((len(sweep.y) // 2, 0, 0, 0)).share_exponents
    assert exponents == pytest.approx((0.0,) * (depth + 1), abs=1e-12)


def test_wide_and_condensed_runs_are_expected_to_cost_most():
    sweep = small(widths=(64, 512))
    costs = [sweep.cost((0, i, k, 0)) for k in (0, 1) for i in (0, 1)]
    assert costs == sorted(costs)
    assert sweep.neurons((0, 0, 1, 0)) == 2 * 2 * 512
    assert small(kind="centred").neurons((0, 0, 0, 0)) == 2 * 6


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"base": "ntk"}, "`base` must be a LayerScaling"),
        ({"axes": ("gamma", "gamma")}, "`axes` must hold two different names out of g1, g2, g3"),
        ({"axes": ("gamma", "g4")}, "`axes` must hold two different names"),
        ({"axes": ("gamma", "alpha")}, "both alpha and gamma"),
        ({"axes": "gamma"}, "`axes` must be two names"),
        ({"x": ()}, "`x` must hold one or more"),
        ({"y": (1.0, 1.0)}, "`y` must hold one or more different values"),
        ({"widths": (0,)}, "`widths` must be a positive integer"),
        ({"seeds": (0.5,)}, "`seeds` must be an integer"),
        ({"data": 3}, "`data` must be a name, a path or a Dataset"),
        ({"activation": "rleu"}, "Did you mean 'relu'"),
        ({"kind": "odd"}, "`kind` must be one of antisymmetric"),
        ({"method": Adam()}, "`method` must be a Descent or a Flow"),
        ({"activation": activations.get("tanh")}, "must be the name of an activation"),
        ({"mean_square": 0.0}, "`mean_square` must be a positive"),
        ({"time": -1.0}, "`time` must be a positive"),
        ({"max_steps": 0}, "`max_steps` must be a positive integer"),
        ({"stagnation": 2.0}, "`stagnation` must lie in"),
        ({"dtype": "float16"}, "`dtype` must be one of float64"),
        ({"x": (1.0, 900.0)}, "leaves the range of a float at m = "),
        ({"x": (1.0, 60.0), "dtype": "float32"}, "layer 3 is out of the range of float32"),
    ],
)
def test_what_cannot_be_run_is_refused_in_a_sentence(changes, words):
    with pytest.raises(ArgumentError, match=words):
        small(**changes)


def test_networks_that_no_memory_holds_are_refused_before_any_runs():
    sweep = small(widths=(10, 10**7))
    with pytest.raises(ArgumentError, match=r"`widths` .* 2 at a time of m = 10000000 .* fewer wo"):
        run_layer_sweep(sweep, workers=2)
    with pytest.raises(ArgumentError, match="`sweep` must be a LayerSweep"):
        run_layer_sweep("quick")


def test_targets_that_teach_nothing_are_refused_before_any_runs():
    nothing = Dataset(np.eye(3), np.zeros(3), bias=False)
    with pytest.raises(ArgumentError, match="`data` must have targets that are not all zero"):
        run_layer_sweep(small(data=nothing))


@pytest.mark.parametrize(
    ("inputs", "targets", "dtype"),
    [
        (1.0, 1e-200, "float64"),
        (1.0, 1e30, "float32"),
        (1.0, 1e-40, "float32"),
        (1e90, 1.0, "float32"),
    ],
)
def test_data_outside_the_range_of_the_precision_are_refused_before_any_runs(
    inputs, targets, dtype
):
    data = Dataset(inputs * np.eye(3), np.full(3, targets), bias=False)
    name = "inputs" if inputs > 1 else "targets"
    with pytest.raises(ArgumentError, match=f"must have {name} with a mean square .* of {dtype}"):
        run_layer_sweep(small(data=data, dtype=dtype))
    assert run_layer_sweep(
        small(data=Dataset(1e4 * np.eye(3), np.full(3, 1e-4), bias=False)), measure=fake
    )["done"].all()


@pytest.mark.slow
def test_trained_networks_are_lazy_at_the_boundary_and_below_where_theory_says():
    whole = default_layer_sweep(2)
    sweep = msgspec.structs.replace(whole, x=whole.x[::4], y=(0.2, 0.5))
    found = layer_exponents(run_layer_sweep(sweep))
    assert found["verdict"].values.tolist() == [["θ-lazy", "boundary", "below"]] * 2
    for name in ("operator", "frobenius"):
        assert float(np.abs(found[name] - found[f"predicted_{name}"]).max()) < 0.15
    boundary = layer_boundary(found)
    assert np.all(np.abs(boundary.x - boundary.exact) < boundary.standard_error)
    # the hidden matrix moves on the boundary; by the Frobenius norm it seems to stay
    hidden = found.sel(layer=2, gamma=1.5, g3=0.5)
    assert hidden["operator_regime"].item() == "critical"
    assert float(hidden["frobenius"] + 5 * hidden["frobenius_error"]) < 0
