"""Quenched neurons deleted, frozen or drawn anew, against exact plateaus and plain loops."""

import math

import numpy as np
import pytest

import netphase as nph
from netphase import targets
from netphase.errors import ArgumentError
from netphase.observables import activated
from netphase.quenching import ablate, quench
from netphase.results import events_of, network_at

PLATEAU = 1500.0
"""A time at which the circle's network rests on three lines."""


@pytest.fixture(scope="module")
def circle():
    return quench("circle?d=30", 60, method=nph.Flow(), time=6e4)


def three_lines():
    """The error of three lines with the best amplitude: Σ (2/(π(36l² − 1)))², less 0.18 %."""
    plain = sum((2 / (math.pi * (36 * each**2 - 1))) ** 2 for each in range(1, 400))
    return plain * (1 - 0.0018)


def test_without_its_quenched_neurons_the_circle_stays_on_three_lines(circle):
    alone = ablate(circle, PLATEAU, "delete", threshold=0.3)
    assert alone.sizes["neuron"] == 3
    assert alone.attrs["quenched_neurons"] == 57
    assert alone.attrs["later_activations"] == 0
    assert alone.attrs["intact_later_activations"] >= 2
    assert float(alone["time"][-1]) == float(circle["time"][-1])
    assert float(alone["test_error"][-1]) == pytest.approx(three_lines(), rel=1e-3)
    assert float(alone["intact_test_error"][-1]) == float(circle["test_error"][-1])
    assert float(alone["test_error"][-1]) > 5 * float(alone["intact_test_error"][-1])


def test_frozen_neurons_cannot_be_activated_either(circle):
    frozen = ablate(circle, PLATEAU, "freeze", threshold=0.3)
    assert frozen.attrs["later_activations"] == 0
    assert float(frozen["test_error"][-1]) > 5 * float(frozen["intact_test_error"][-1])
    first = frozen.isel(time=0)  # the whole function is still the intact one
    assert float(first["test_error"]) == pytest.approx(
        float(circle["test_error"].sel(time=first["time"])), rel=1e-9
    )


def test_the_neurons_that_go_on_are_the_activated_ones_of_that_time(circle):
    index = int(np.searchsorted(circle["time"].values, PLATEAU, side="right")) - 1
    kept = activated(circle["p"].values[index], 0.1)
    alone = ablate(circle, PLATEAU)
    assert alone["neuron"].values.tolist() == np.flatnonzero(kept).tolist()
    start = network_at(alone, 0)
    np.testing.assert_array_equal(start.w, network_at(circle, index).w[kept])
    np.testing.assert_array_equal(start.a, network_at(circle, index).a[kept])
    assert alone.attrs["ablated_at"] == float(circle["time"][index])
    born = {event.neuron for event in events_of(alone)}
    assert born <= set(alone["neuron"].values.tolist())


def test_neurons_drawn_anew_are_silent_and_as_long_as_before(circle):
    index = int(np.searchsorted(circle["time"].values, PLATEAU, side="right")) - 1
    before = network_at(circle, index)
    kept = activated(circle["p"].values[index], 0.1)
    states = [
        network_at(ablate(circle, PLATEAU, "redraw", seed=seed, max_steps=3), 0)
        for seed in (0, 0, 1)
    ]
    for state in states:
        np.testing.assert_array_equal(state.w[kept], before.w[kept])
        np.testing.assert_array_equal(state.a[kept], before.a[kept])
        assert not state.a[~kept].any()
        lengths = (np.linalg.norm(w[~kept], axis=1) for w in (state.w, before.w))
        np.testing.assert_allclose(*lengths, rtol=1e-12)
        cosine = np.einsum("kd,kd->k", state.w[~kept], before.w[~kept])
        assert abs(cosine.mean()) < 4 / math.sqrt(30 * (~kept).sum())
    np.testing.assert_array_equal(states[0].w, states[1].w)
    assert not np.allclose(states[0].w, states[2].w)


@pytest.mark.parametrize("action", ["delete", "freeze"])
def test_on_samples_it_is_a_plain_loop(action):
    rate, d = 0.1, 4
    result = quench("single_neuron?d=4", 12, 40, method=nph.Descent(rate), time=60.0, seed=1)
    index = result.sizes["time"] - 6
    time, until = (float(result["time"][k]) for k in (index, -1))
    altered = ablate(result, time, action, threshold=0.5)
    kept = activated(result["p"].values[index], 0.5)
    assert 0 < kept.sum() < 12
    data = targets.single_neuron(d).sample(40, 1)
    whole = network_at(result, index)
    y = data.y.copy()
    if action == "freeze":
        y -= np.maximum(data.x @ whole.w[~kept].T, 0.0) @ whole.a[~kept]
    a, w = whole.a[kept], whole.w[kept]
    for _ in range(round((until - time) / rate)):
        z = data.x @ w.T
        error = np.maximum(z, 0.0) @ a - y
        slope = (error[:, None] * (z > 0)).T @ data.x / 40
        a, w = a - rate * np.maximum(z, 0.0).T @ error / 40, w - rate * a[:, None] * slope
    final = network_at(altered, -1)
    np.testing.assert_allclose(final.a, a, atol=1e-9)
    np.testing.assert_allclose(final.w, w, atol=1e-9)
    x = np.random.default_rng(0).standard_normal((200_000, d))
    values = np.maximum(x @ w.T, 0.0) @ a
    if action == "freeze":
        values += np.maximum(x @ whole.w[~kept].T, 0.0) @ whole.a[~kept]
    square = (values - np.maximum(x[:, 0], 0.0)) ** 2
    error = square.mean() - float(altered["test_error"][-1])
    assert abs(error) < 4 * square.std() / math.sqrt(len(x))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((PLATEAU, "remove"), "`action` must be one of delete, freeze, redraw"),
        ((7e4,), "`at` must lie in the run"),
        ((-1.0,), "`at` must lie in the run"),
        ((0.0,), "must be a time with activated and quenched neurons"),
        ((PLATEAU, "delete"), "`threshold`"),
    ],
)
def test_what_makes_no_sense_is_refused(circle, arguments, words):
    options = {"threshold": 1.0} if words == "`threshold`" else {}
    with pytest.raises(ArgumentError, match=words):
        ablate(circle, *arguments, **options)


def test_a_seed_that_is_none_is_refused_by_every_action(circle):
    with pytest.raises(ArgumentError, match="`seed` must be an integer"):
        ablate(circle, PLATEAU, "delete", seed="x")


def test_a_record_of_something_else_is_refused(circle):
    with pytest.raises(ArgumentError, match=r"`result` must be what `netphase\.quench` returned"):
        ablate(circle.drop_attrs(), PLATEAU)


def test_a_saved_record_can_be_ablated(circle, tmp_path):
    import xarray as xr

    circle.to_netcdf(tmp_path / "record.nc", engine="scipy")
    with xr.open_dataset(tmp_path / "record.nc") as record:
        again = ablate(record.load(), PLATEAU, threshold=0.3)
    once = ablate(circle, PLATEAU, threshold=0.3)
    np.testing.assert_array_equal(again["p"].values, once["p"].values)
