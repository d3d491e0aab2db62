"""Time-scales over ε: the dataset, its times against reference numbers, and its refusals."""

import inspect
import json

import numpy as np
import pytest
import xarray as xr

import netphase as nph
from netphase.dynamics import ExactOverlaps, output_atoms
from netphase.errors import ArgumentError
from netphase.hermite import multi_index
from netphase.learning import EPSILONS, timescales
from netphase.results import status_words

SIGMA, PHI, ATOMS = [1, 1, 1, 1], [1, -1, 2 / 3, -1 / 3], [-1.5, -0.5, 0.4, 1.7]
LATE = [1e-9, 1e-10, 1e-11, 1e-12, 1e-13]


@pytest.fixture(scope="module")
def base():
    return timescales(SIGMA, PHI, outputs=ATOMS, epsilons=LATE)


def test_exponents_and_verdict_of_the_base_case(base):
    assert base.attrs["verdict"] == "canonical"
    assert base.attrs["level"] == 3
    assert base.exponent.values == pytest.approx([1.0, 0.5, 0.25, 1 / 6], abs=0.02)
    assert base.exponent_points.values.tolist() == [5] * 4
    assert np.all(base.exponent_error.values < 0.02)
    assert json.loads(base.attrs["warnings"]) == []


def test_reference_times():
    """Times that two independent programs agree on, to their four digits."""
    found = timescales(SIGMA, PHI, outputs=ATOMS, epsilons=[1e-4, 1e-8, 1e-12])
    expected = [
        [6.67728e-5, 2.71454e-2, 8.53123e-2, 1.40933e-1],
        [6.67826e-9, 5.13072e-4, 1.99864e-2, 1.32334e-1],
        [6.67826e-13, 7.43700e-6, 2.04983e-3, 3.84074e-2],
    ]
    assert found.learning_time.values[:, 0] == pytest.approx(np.array(expected), rel=2e-4)


def test_windows_and_plateaus(base):
    start, time, end = (
        base[name].values for name in ("window_start", "learning_time", "window_end")
    )
    assert np.all((start < time) & (time < end))
    assert np.all(end[..., :-1] < start[..., 1:])
    widths = (end - start)[:, 0]
    assert widths[:, :2] == pytest.approx(base.predicted_width.values[:, :2], rel=3e-3)
    local = np.log10(widths[-2] / widths[-1])
    assert local[:3] == pytest.approx([1.0, 0.5, 1 / 3], abs=0.02)
    heights = base.plateau.sel(epsilon=1e-13).values[0]
    assert heights[:3] == pytest.approx(base.predicted_plateau.values[:3], rel=0.03)
    assert heights[3] < 1e-15


def test_series(base):
    risk = base.risk.values[:, 0]
    assert np.all(np.diff(risk, axis=-1) <= 1e-9)
    assert 0.5 * np.sum(base.residual.values[:, 0] ** 2, axis=-1) == pytest.approx(risk, rel=1e-9)
    assert risk[:, 0] == pytest.approx(base.attrs["initial_risk"], rel=2e-3)
    assert np.all(np.diff(base.t.values) > 0.0)
    assert base.t.shape[1] == base.risk.shape[2]
    assert status_words(base.status.values).ravel().tolist() == ["time reached"] * 5


def test_every_variable_says_what_it_is(base):
    for name in (*base.data_vars, *base.coords):
        assert base[name].attrs["long_name"], name
    for name in ("learning_time", "window_start", "window_end", "plateau", "predicted_time"):
        assert "NaN" in base[name].attrs["long_name"], name
    setting = json.loads(base.attrs["setting"])
    assert setting["target_coefficients"] == pytest.approx(PHI)
    assert setting["solver"] == "mean_field"


def test_a_dataset_goes_to_disk_and_back(base, tmp_path):
    base.to_netcdf(tmp_path / "found.nc")
    with xr.open_dataset(tmp_path / "found.nc") as again:
        assert again.attrs["reason"] == base.attrs["reason"]
        assert again.learnable.values.astype(bool).tolist() == [True] * 4
        assert again.prediction.values.tolist() == base.prediction.values.tolist()
        assert np.array_equal(again.risk.values, base.risk.values)


def test_the_package_is_the_function():
    assert nph.timescales([1, 1], [1, 1], outputs=ATOMS).attrs["verdict"] == "canonical"
    assert nph.timescales(SIGMA, [1, 1], outputs=ATOMS).sizes["epsilon"] == len(EPSILONS)
    assert "outputs" in inspect.signature(timescales).parameters


def test_an_end_is_kept_and_what_comes_later_is_not_a_number():
    found = timescales(SIGMA, PHI, outputs=ATOMS, epsilons=[1e-6, 1e-8], end=0.03)
    assert found.t.values[:, -1].tolist() == [0.03, 0.03]
    assert np.isfinite(found.learning_time.values[1, 0]).tolist() == [True, True, True, False]
    assert np.isnan(found.learning_time.values[0, 0, 2:]).all()


def test_finitely_many_inputs_make_degree_one_earlier():
    found = timescales(SIGMA, PHI, outputs=ATOMS, epsilons=[1e-6], inputs=100_000)
    apart = timescales(SIGMA, PHI, outputs=ATOMS, epsilons=[1e-6])
    times = found.learning_time.values[0, 0], apart.learning_time.values[0, 0]
    assert times[0][1] < times[1][1]
    assert found.predicted_time.values[0, 1] == pytest.approx(times[0][1], rel=0.02)


def test_total_degrees_of_several_directions():
    found = timescales([1, 1, 1], multi_index("z1 + z1*z2"), outputs=ATOMS, epsilons=[1e-9, 1e-10])
    times = found.learning_time.values[:, 0]
    assert np.isnan(times[:, 0]).all()
    assert np.log10(times[0, 2] / times[1, 2]) == pytest.approx(0.25, abs=0.01)
    assert found.plateau.values[1, 0, 1] == pytest.approx(0.5, rel=0.02)


def test_exact_networks_follow_the_equations_of_their_seed():
    found = timescales(
        SIGMA, PHI, outputs=ATOMS, epsilons=[0.1], solver="exact", width=20, seeds=(3, 4), end=1.0
    )
    exact = ExactOverlaps(SIGMA, PHI, 0.1)
    law = output_atoms(ATOMS)
    for seed in (3, 4):
        times = found.t.values[0]
        run = exact.solve(exact.initial(20, outputs=law, seed=seed), times, rtol=1e-6)
        assert found.risk.sel(seed=seed).values[0] == pytest.approx(run.risk, rel=1e-9)
        last = found.residual.sel(seed=seed).values[0, -1]
        moments = [np.mean(run.a[-1] * run.s[-1] ** k) for k in range(4)]
        assert last == pytest.approx(np.array(PHI) - moments, rel=1e-9)
    assert any("m = 20 is not large" in each for each in json.loads(found.attrs["warnings"]))


def test_stochastic_descent_comes_near_the_flow():
    options = {"outputs": ATOMS, "epsilons": [0.2], "width": 20, "inputs": 40, "end": 2.0}
    sgd = timescales(
        [1, 1, 0.5], [1, -1, 0.5], solver="sgd", rate=1e-4, batch=4, seeds=range(4), **options
    )
    flow = timescales([1, 1, 0.5], [1, -1, 0.5], solver="exact", seeds=range(4), **options)
    times = [each.learning_time.values[0, :, :2] for each in (sgd, flow)]
    assert np.all(np.isfinite(times[0]))
    assert times[0] == pytest.approx(times[1], rel=0.15)


def test_the_default_rate_keeps_the_noise_of_steps_small():
    found = timescales(
        [1, 1], [1, -1], outputs=ATOMS, epsilons=[0.2], solver="sgd", width=10, inputs=20, end=0.3
    )
    (rate,) = json.loads(found.attrs["setting"])["rates"]
    assert rate * 20 * np.mean(np.square(ATOMS)) <= 0.0301  # E σ′² = 1
    assert np.isfinite(found.t.values).all()
    assert found.t.values[0] == pytest.approx(np.rint(found.t.values[0] / rate) * rate)
    assert np.all(np.diff(found.t.values[0]) > 0.0)


def test_a_run_that_diverges_keeps_what_it_has():
    found = timescales(
        [1, 1, 1], [1, -1], outputs=ATOMS, epsilons=[0.05], solver="sgd", width=10, inputs=20,
        rate=0.5, end=50.0,
    )  # fmt: skip
    assert status_words(found.status.values).ravel().tolist() == ["diverged"]
    assert np.isnan(found.risk.values[0, 0, -1])
    assert np.isnan(found.learning_time.values).all()
    assert any("seed 0: diverged" in each for each in json.loads(found.attrs["warnings"]))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"epsilons": [1e-4, 0.0]}, "`epsilons` must hold positive"),
        ({"epsilons": [1e-4, 1e-4]}, "`epsilons` must hold positive, different"),
        ({"solver": "meanfield"}, "Did you mean 'mean_field'"),
        ({"width": 10}, "`width` must be left out for the solver 'mean_field'"),
        ({"seeds": (0, 1)}, "`seeds` must be left out"),
        ({"rate": 0.1}, "`rate` must be left out"),
        ({"solver": "exact"}, "`width` must be given"),
        ({"solver": "exact", "width": 10, "batch": 2}, "`batch` must be left out"),
        ({"solver": "exact", "width": 10, "seeds": (1, 1)}, "`seeds` must be different"),
        ({"solver": "sgd", "width": 10}, "`inputs` must be finite"),
        ({"solver": "sgd", "width": 10, "inputs": 10, "rtol": 1e-3}, "`rtol` must be left out"),
        ({"inputs": 10.5}, "`inputs` must be a positive integer"),
        ({"end": -1.0}, "`end` must be a positive"),
        ({"jobs": 0}, "`jobs` must be a positive"),
        ({"outputs": "gauss"}, "Did you mean 'gaussian'"),
        ({"weights": [0.5, 0.5]}, "one entry for each of the 4 atoms"),
    ],
)
def test_bad_input_is_one_sentence(options, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        timescales(SIGMA, PHI, **{"outputs": ATOMS, **options})


def test_a_target_that_is_not_square_integrable_is_refused():
    with pytest.raises(ArgumentError):
        timescales(SIGMA, lambda z: np.exp(z**2 / 3), outputs=ATOMS)
