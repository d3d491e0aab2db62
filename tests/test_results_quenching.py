"""Labelled records of quenching runs: what they hold, read back, and mark."""

import numpy as np
import pytest
import xarray as xr

import netphase as nph
from netphase import observables, targets
from netphase._types import Status
from netphase.results import activation_level, events_of, markers_of
from netphase.results.activation import event_table, match_table
from netphase.results.quenching import End, Record, Twin, quenching_dataset

RELU = nph.TwoLayerNetwork(nph.activations.get("relu"), nph.Scales(2.0, 1.0, 1.0))
END = End(Status.TIME_REACHED, 12, "a loop", 0.5)


def record_of(states, times, target, twin_states=None):
    """A dataset of given states; the twin stays where the first of them is."""
    frozen = [states[0]] * len(states) if twin_states is None else twin_states
    twin = Twin(frozen, np.ones(len(states)), frozen[-1])
    records = [Record(time, 0.5, state) for time, state in zip(times, states, strict=True)]
    return quenching_dataset(RELU, target, records, twin, END)


def rising():
    """Two neurons with fixed directions whose contributions cross."""
    times = np.concatenate([[0.0], np.geomspace(0.1, 100.0, 60)])
    w = np.array([[2.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    states = [
        nph.Parameters(np.array([time / (10.0 + time), 0.8 / (1.0 + time)]), w) for time in times
    ]
    return record_of(states, times, targets.single_neuron(3))


def test_measures_are_the_observables_of_the_states():
    found = rising()
    a, w = found["a"].values, found["w"].values
    p = 0.5 * a * np.linalg.norm(w, axis=2)
    np.testing.assert_allclose(found["p"].values, p, rtol=1e-14)
    np.testing.assert_allclose(found["path_norm"].values, np.abs(p).sum(axis=1))
    np.testing.assert_allclose(found["effective_number_4"].values[1:],
                               observables.effective_number(p, 4)[1:])  # fmt: skip
    assert not found["rotation"].values.any()
    np.testing.assert_allclose(found["teacher_cosine"].values[-1], [1.0, 0.0])
    assert found["winner"].values.tolist() == [True, False]
    assert found["matched_neuron"].values.tolist() == [0]
    assert float(found["matched_excess"][0]) == pytest.approx(p[-1, 0] - 1.0)
    assert found.attrs["kappa"] == 0.5
    assert found.attrs["status"] == "time reached"


def test_the_quenched_share_is_that_of_orthogonal_parts():
    found = rising()
    last = found.isel(time=-1)
    p = last["p"].values
    # k(u, u) = 1/2 and k(u, v) = 1/2π for orthogonal unit vectors
    whole = (p**2).sum() / 2 + p[0] * p[1] / np.pi
    assert float(last["background_share"]) == pytest.approx(p[1] ** 2 / 2 / whole, rel=1e-9)


def test_the_quenched_neuron_nearest_to_the_target_is_followed():
    found = rising()
    kept = observables.activated(found["p"].values, 0.1)
    for index in (0, 5, -1):
        others = found["teacher_cosine"].values[index][~kept[index]]
        value = float(found["quenched_cosine"][index])
        assert value == others.max() if len(others) else np.isnan(value)
    counts = [observables.activated_by_gap(row).sum() for row in found["p"].values]
    np.testing.assert_array_equal(found["activated_by_gap"].values, counts)


def test_cosines_count_the_neurons_of_a_sphere_too():
    target = targets.Target(np.array([1.0]), np.array([[0.0, 0.0, 1.0]]), 2, 0.5)
    w = np.array([[3.0, 4.0, 0.0], [0.0, 3.0, 4.0], [0.0, -3.0, -4.0]])
    states = [nph.Parameters(np.array([a, 0.2, 0.1]), w) for a in (0.1, 0.2)]
    found = record_of(states, [0.0, 1.0], target)
    np.testing.assert_allclose(found["teacher_cosine"].values[-1], [1.0, 0.8, 0.6])


def test_events_and_markers_are_read_back():
    found = rising()
    events = events_of(found)
    np.testing.assert_array_equal(
        [event.time for event in events],
        [e.time for e in observables.activation_events(found["time"].values, found["p"].values)],
    )
    kinds = {(event.neuron, event.kind) for event in events}
    assert kinds == {(0, "activation"), (1, "deactivation")}
    markers = markers_of(found)
    assert markers["activation"].time == pytest.approx(10.0, rel=1e-2)  # p = t/(10 + t) = 1/2
    assert found["active"].values[-1].tolist() == [True, False]
    empty = xr.Dataset()
    assert events_of(empty) == []


def test_a_record_survives_a_file(tmp_path):
    found = rising()
    found.to_netcdf(tmp_path / "record.nc", engine="scipy")
    with xr.open_dataset(tmp_path / "record.nc") as again:
        assert events_of(again) == events_of(found)
        for name, marker in markers_of(found).items():
            assert repr(markers_of(again)[name]) == repr(marker)


def test_every_variable_says_what_it_is():
    found = rising()
    for name in (*found.data_vars, *found.coords):
        assert found[name].attrs["long_name"], name
        assert found[name].attrs["units"], name


def test_the_level_of_activation_is_half_of_a_neuron():
    assert activation_level(targets.finite_neurons(4, units=5)) == pytest.approx(0.1)
    assert activation_level(targets.sphere(6, 3)) == pytest.approx(1 / 8)
    assert activation_level(targets.linear(2)) == pytest.approx(0.5)


def test_without_activated_neurons_nothing_is_matched():
    target = targets.linear(2)
    table = match_table(np.zeros(3), np.eye(3, 2), np.zeros(3, bool), target)
    assert table["matched_neuron"][1].tolist() == [-1, -1]
    assert np.isnan(table["matched_angle"][1]).all()


def test_records_that_are_not_finite_make_no_event():
    p = np.array([[1.0, 0.0], [np.nan, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    events, _ = event_table(np.array([1.0, 2.0, 4.0, 8.0, 16.0]), p)
    assert {event.kind for event in events} == {"activation", "deactivation"}
