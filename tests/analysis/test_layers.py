"""Exponents, verdicts and boundaries of layer sweeps, on made-up ones whose laws are known."""

import dataclasses

import numpy as np
import pytest

from netphase.analysis import (
    PowerLawFit,
    RegimeVerdict,
    fit_power_law,
    judge_layers,
    layer_agreement,
    layer_boundary,
    layer_exponents,
)
from netphase.errors import ArgumentError, FitError
from netphase.results import PLANE
from netphase.scalings import LayerScaling, layer_initialisation


def test_exponents_of_every_part_come_out_within_their_errors(layer_results):
    found = layer_exponents(layer_results())
    assert found["operator"].dims == ("layer", "g3", "gamma")
    assert found["feature"].dims == ("hidden", "g3", "gamma")
    assert found["kernel"].dims == ("g3", "gamma")
    for name in ("operator", "frobenius"):
        pulls = (found[name] - found[f"predicted_{name}"]) / found[f"{name}_error"]
        assert float(np.abs(pulls).median()) < 1.5
        assert float(np.abs(found[name] - found[f"predicted_{name}"]).max()) < 0.03
    largest = found["predicted_operator"].max("layer")
    assert float(np.abs(found["kernel"] - largest).max()) < 0.03
    assert float(np.abs(found["trend"] - found["predicted_operator"]).max()) < 0.06


def test_kappa_of_every_width_is_kept(layer_results):
    found = layer_exponents(layer_results())["kappa"]
    assert found.dims == ("g3", "gamma", "width")
    expected = found["width"] ** (1.5 - found["gamma"])
    np.testing.assert_allclose(found, expected.broadcast_like(found).transpose(*found.dims))
    results = layer_results().copy(deep=True)
    results["kappa"][0, 0, 0, 0] = np.nan  # a run that was not made yet: the other seeds know it
    np.testing.assert_array_equal(layer_exponents(results)["kappa"], found)


def test_verdicts_are_those_of_the_theory_on_both_sides_and_on_the_line(layer_results):
    rows = tuple(np.linspace(0.1, 0.9, 12).tolist())
    found = layer_exponents(layer_results(y=rows))
    words = found["verdict"]
    assert np.all(words.sel(gamma=[0.9, 1.2]) == "θ-lazy")
    assert np.all(words.sel(gamma=[1.8, 2.1]) == "below")
    line = words.sel(gamma=1.5).values
    assert np.all(found["predicted_verdict"].sel(gamma=1.5) == "boundary")
    # one or two of the layers are at zero, and each is called condensed by chance in 2.5 %
    assert np.isin(line, ["boundary", "below", "undetermined"]).all()
    assert np.mean(line == "boundary") > 0.6


def test_a_layer_is_lazy_beside_one_that_moves(layer_results):
    base = layer_initialisation("mup_one_rate", depth=3, d=3)
    results = layer_results(
        depth=3, axes=("gamma", "rate4"), x=(1.6, 2.0, 2.4), y=(0.0,), base=base, noise=0.005
    )
    cell = layer_exponents(results).sel(gamma=2.0, rate4=0.0)
    assert cell["operator_regime"].values.tolist() == ["linear", "linear", "linear", "critical"]
    assert cell["verdict"].item() == "boundary"
    assert cell["frobenius"].values[1] == pytest.approx(cell["operator"].values[1] - 0.5, abs=0.05)


def test_the_frobenius_norm_takes_hidden_layers_for_lazy(layer_results):
    cell = layer_exponents(layer_results()).sel(gamma=1.5, g3=0.2)
    assert cell["operator_regime"].values[1] == "critical"
    assert cell["frobenius"].values[1] + 5 * cell["frobenius_error"].values[1] < 0
    assert abs(cell["frobenius"].values[0]) < 0.03


def test_a_run_that_ended_badly_marks_its_cell_and_stays_out_of_the_fit(layer_results):
    found = layer_exponents(layer_results(spoilt={(1.2, 0.5, 512): "maximum steps"}))
    cell = found.sel(gamma=1.2, g3=0.5)
    assert cell["verdict"].item() == "not converged"
    assert set(cell["operator_regime"].values.tolist()) == {"not converged"}
    assert np.all(np.abs(cell["operator"] - cell["predicted_operator"]) < 0.05)
    assert int((~found["converged"]).sum()) == 1
    assert np.all(np.isnan(cell["trend"]))


def test_one_seed_and_two_widths_decide_nothing(layer_results):
    found = layer_exponents(layer_results(widths=(64, 512), seeds=(0,)))
    assert set(found["verdict"].values.ravel().tolist()) == {"undetermined"}


def test_cells_without_runs_are_undetermined_and_leave_no_zero(layer_results):
    results = layer_results().copy(deep=True)
    results["status"][0] = -1
    found = layer_exponents(results)
    assert set(found["verdict"].values[0].tolist()) == {"undetermined"}
    assert np.isnan(found["operator"].values[:, 0]).all()
    assert np.isnan(layer_boundary(found).x[0])
    assert np.all(np.isfinite(layer_boundary(found).x[1:]))


def test_the_boundary_of_the_networks_is_where_the_largest_exponent_vanishes(layer_results):
    found = layer_boundary(layer_exponents(layer_results()))
    assert found.axes == ("gamma", "g3")
    assert found.exact.tolist() == [1.5] * 3
    assert np.all(np.abs(found.x - found.exact) < 3 * found.standard_error)
    assert np.all(found.standard_error < 0.05)
    assert found.notes == ("", "", "")


def test_layers_have_boundaries_of_their_own(layer_results):
    exponents = layer_exponents(layer_results())
    # shares m^t of the output layer, t = 2 g3 − 1: it moves from γ = 3/2 − min(t, 0), the others
    # from 3/2 + max(t, 0)/2
    t = 2 * exponents["g3"].values - 1
    for layer, exact in ((1, 1.5 + np.maximum(t, 0) / 2), (3, 1.5 - np.minimum(t, 0))):
        found = layer_boundary(exponents, layer)
        np.testing.assert_allclose(found.exact, exact, atol=1e-8)
        known = np.isfinite(found.x)
        assert known.sum() >= 2
        assert np.all(np.abs(found.x - exact)[known] < 4 * found.standard_error[known])


def test_the_boundary_of_a_layer_asks_for_no_other_layer(layer_results):
    exponents = layer_exponents(layer_results())
    lacking = exponents.copy(deep=True)
    lacking["operator"].loc[{"layer": 2, "g3": 0.5}] = np.nan
    for layer in (1, 3):
        expected, found = (layer_boundary(each, layer) for each in (exponents, lacking))
        np.testing.assert_array_equal(found.x, expected.x)
        np.testing.assert_array_equal(found.standard_error, expected.standard_error)
        assert np.isfinite(found.x[1])
    for layer in (2, None):
        assert np.isnan(layer_boundary(lacking, layer).x).tolist() == [False, True, False]


def test_rates_alone_make_no_network_lazy(layer_results):
    base = LayerScaling(g=(0.0, 0.5, 0.25))
    results = layer_results(
        axes=("rate1", "rate3"), x=(-0.5, 0.0, 0.5), y=(0.0,), base=base, noise=0.005
    )
    found = layer_boundary(layer_exponents(results))
    assert np.isnan(found.exact[0])
    assert np.isnan(found.x[0])
    assert "negative up to rate1 = 0.5" in found.notes[0]


def test_a_row_on_the_line_itself_has_no_place(layer_results):
    results = layer_results(axes=("g1", "gamma"), x=(-0.2, 0.0, 0.2), y=(1.2, 1.5), noise=0.005)
    exact = layer_boundary(layer_exponents(results)).exact
    assert np.isnan(exact).all()


def fit(exponent, error, freedom=20.0, drift=0.0):
    table = fit_power_law(np.array([1.0, 2.0, 4.0]), np.array([1.0, 1.1, 1.0]))
    return dataclasses.replace(
        table,
        exponent=exponent,
        standard_error=error,
        degrees_of_freedom=freedom,
        drift=drift,
        drift_error=0.0,
    )


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([(-0.5, 0.01), (-0.2, 0.01)], "θ-lazy"),
        ([(-0.5, 0.01), (0.01, 0.01)], "boundary"),
        ([(-0.5, 0.01), (0.2, 0.01)], "below"),
        ([(0.01, 0.01), (0.2, 0.01)], "below"),
        ([(-0.5, 0.01), (-0.05, 0.1)], "undetermined"),
        # the largest is zero, but the other might be larger than the margin
        ([(0.0, 0.01), (-0.01, 0.2)], "undetermined"),
        # the other is undetermined, but it is not above the margin
        ([(0.0, 0.01), (-0.2, 0.12)], "boundary"),
    ],
)
def test_the_rule_of_whole_networks(layers, words):
    assert judge_layers([fit(*each) for each in layers], True) == words
    assert judge_layers([fit(*each) for each in layers], False) == "not converged"


def test_half_of_the_drift_joins_the_error_and_a_missing_fit_decides_nothing():
    lazy: list[PowerLawFit | None] = [fit(-0.2, 0.01), fit(-0.2, 0.01, drift=0.5)]
    assert judge_layers(lazy, True) == RegimeVerdict.UNDETERMINED
    assert judge_layers([fit(-0.2, 0.01), None], True) == RegimeVerdict.UNDETERMINED
    assert judge_layers([fit(0.2, 0.01), None], True) == "below"


def test_what_is_no_layer_sweep_is_refused(layer_results):
    plane = PLANE.dataset(
        {"gamma": (1.0,), "gamma_prime": (0.0,), "width": (1, 2), "seed": (0,)},
        PLANE.empty((1, 1, 2, 1)),
        {},
    )
    with pytest.raises(ArgumentError, match=r"`results` must come from a layer sweep.* `depth`"):
        layer_exponents(plane)
    damaged = layer_results().assign_attrs(base="[]")
    with pytest.raises(ArgumentError, match="`base`, but it is not the JSON of a LayerScaling"):
        layer_exponents(damaged)
    with pytest.raises(FitError, match="one width only"):
        layer_exponents(layer_results(widths=(64,)))
    with pytest.raises(
        ArgumentError, match="must come from `run_layer_sweep`, but has no `status`"
    ):
        layer_exponents(layer_exponents(layer_results()))
    with pytest.raises(ArgumentError, match="must come from a layer sweep"):
        layer_exponents(None)
    with pytest.raises(ArgumentError, match=r"from `layer_exponents`, .* no `operator`"):
        layer_agreement(layer_results())
    with pytest.raises(ArgumentError, match="must come from `layer_exponents`"):
        layer_boundary(layer_results())
    with pytest.raises(ArgumentError, match="`layer` must be one of 1 … 3 or None, but is 4"):
        layer_boundary(layer_exponents(layer_results()), 4)
