"""A student and its random-feature twin, against closed forms, plain loops and sampling."""

import math

import numpy as np
import pytest

import netphase as nph
from netphase import kernels, targets
from netphase.dynamics import PopulationDynamics
from netphase.engine.problem import Stop
from netphase.errors import ArgumentError
from netphase.observables import line_gaps
from netphase.quenching import quench, running
from netphase.quenching.setting import Setting
from netphase.results import events_of, markers_of, network_at

D, M = 8, 30


@pytest.fixture(scope="module")
def single():
    return quench(f"single_neuron?d={D}", M, mean_square=1e-8, method=nph.Flow())


@pytest.fixture(scope="module")
def sampled():
    return quench(f"single_neuron?d={D}", M, 60, mean_square=1e-5, seed=3)


def gaussian(d, count=400_000, seed=11):
    return np.random.default_rng(seed).standard_normal((count, d))


def plain(network, x):
    return np.maximum(x @ network.w.T, 0.0) @ network.a


def test_the_state_is_that_of_a_plain_run(single):
    index = 60
    network = nph.TwoLayerNetwork(nph.activations.get("relu"), nph.Scales(1.0, 1.0, 1.0))
    dynamics = PopulationDynamics(network, targets.single_neuron(D))
    time = float(single["time"][index])
    run = nph.evolve(
        dynamics, nph.Flow(), network_at(single, 0), stop=Stop(mean_square=0.0, time=time)
    )
    for found, exact in zip(network_at(single, index), run.final, strict=True):
        np.testing.assert_allclose(found, exact, atol=2e-3)


def test_the_start_is_silent_with_unit_weights(single):
    start = network_at(single, 0)
    assert not start.a.any()
    np.testing.assert_allclose(np.linalg.norm(start.w, axis=1), 1.0, rtol=1e-14)
    first = single.isel(time=0)
    assert float(first["test_error"]) == pytest.approx(0.5, rel=1e-12)
    assert float(first["distance"]) == 0.0


@pytest.mark.parametrize("index", [40, 70, -1])
def test_errors_and_distance_are_those_of_sampling(single, index):
    x, now = gaussian(D), single.isel(time=index)
    network = network_at(single, index)
    twin = nph.Parameters(
        now["twin_p"].values, network_at(single, 0).w
    )  # the start has unit weights
    error = (plain(network, x) - np.maximum(x[:, 0], 0.0)) ** 2
    apart = (plain(network, x) - plain(twin, x)) ** 2
    for values, name in ((error, "test_error"), (apart, "distance")):
        spread = values.std() / math.sqrt(len(values))
        assert abs(values.mean() - float(now[name])) < 4 * spread, name


def test_the_twin_follows_the_flow_of_its_eigenmodes(single):
    w = network_at(single, 0).w
    gram = kernels.relu_kernel(w, w)
    pull = kernels.relu_kernel(w, np.eye(1, D))[:, 0]
    rate, modes = np.linalg.eigh(gram)
    for index in (5, 40, -1):
        time = float(single["time"][index])
        grown = -np.expm1(-rate * time) / rate * (modes.T @ pull)
        np.testing.assert_allclose(single["twin_p"].values[index], modes @ grown, atol=1e-9)
    limit = 0.5 - pull @ np.linalg.solve(gram, pull)
    assert float(single["twin_limit"]) == pytest.approx(limit, rel=1e-6)


def test_the_network_is_its_twin_at_first_and_leaves_it(single):
    time, distance = single["time"].values, single["distance"].values
    early = (time > 0.3) & (time < 1.0)
    slope = np.polyfit(np.log(time[early]), np.log(distance[early]), 1)[0]
    assert slope > 3  # output weights grow as t, directions turn as t²
    markers = markers_of(single)
    assert markers["departure"].reached
    assert markers["departure"].time < markers["departure_5"].time < markers["activation"].time
    assert float(np.interp(markers["departure"].time, time, distance)) == pytest.approx(
        0.005, rel=0.05
    )


def test_the_balance_law_holds_and_fixes_the_winner(single):
    a, w = single["a"].values, single["w"].values
    np.testing.assert_allclose((w**2).sum(axis=2) - a**2, 1.0, atol=2e-3)
    p = single["p"].values[-1]
    np.testing.assert_allclose(a[-1] ** 2, (np.sqrt(1 + 4 * p**2) - 1) / 2, atol=2e-3)


def test_a_representable_target_is_learnt_by_its_winners(single):
    assert single.attrs["status"] == "converged"
    winners = single["winner"].values
    assert winners.any()
    assert single["p"].values[-1][winners].sum() == pytest.approx(1.0, abs=1e-3)
    assert float(single["path_norm"][-1]) == pytest.approx(1.0, abs=5e-3)
    assert float(single["background_share"][-1]) < 1e-6
    assert float(single["matched_angle"][0]) < math.radians(3)


def test_five_neurons_are_found_by_five():
    found = quench("finite_neurons?d=19&units=5", 20, mean_square=1e-7, method=nph.Flow(), seed=2)
    assert found.attrs["status"] == "converged"
    last = np.sort(found["p"].values[-1])
    np.testing.assert_allclose(last[-5:], 0.2, atol=0.012)
    assert np.abs(last[:-5]).max() < 0.012
    assert sorted(found["matched_neuron"].values) == sorted(np.flatnonzero(found["winner"].values))
    assert float(found["matched_angle"].max()) < math.radians(3)
    np.testing.assert_allclose(found["matched_excess"].values, 0.0, atol=0.012)


def test_the_circle_ends_on_five_lines_with_the_exact_error():
    found = quench("circle?d=10", 40, method=nph.Flow(), time=3e4)
    last = found.isel(time=-1)
    # 5 lines evenly spaced, equal contributions: Σ (2/(π(4K²l² − 1)))², K = 5
    exact = sum((2 / (math.pi * (100 * each**2 - 1))) ** 2 for each in range(1, 400))
    assert float(last["test_error"]) == pytest.approx(exact, rel=0.02)
    kept = last["p"].values > 0.1
    assert kept.sum() == 5
    np.testing.assert_allclose(line_gaps(last["w"].values[kept]), math.pi / 5, atol=0.01)
    assert float(last["teacher_cosine"].values[kept].min()) > 0.999
    events = events_of(found)
    departure = markers_of(found)["departure"].time
    assert markers_of(found)["first_event"].time == min(
        event.time for event in events if event.kind == "activation" and event.time > departure
    )


def test_three_neurons_stay_on_the_plateau_of_three_lines():
    found = quench("circle?d=2", 3, method=nph.Flow(), seed=1)
    assert found.attrs["status"] == "stagnated"
    exact = sum((2 / (math.pi * (36 * each**2 - 1))) ** 2 for each in range(1, 400))
    assert float(found["test_error"][-1]) == pytest.approx(exact * (1 - 0.0018), rel=1e-3)


def test_a_literal_descent_is_the_plain_loop():
    rate, steps = 0.05, 40
    times = rate * np.array([1, 7, 20, steps])
    found = quench("single_neuron?d=4", 6, 30, method=nph.Descent(rate), times=times, seed=5)
    np.testing.assert_allclose(found["time"].values[1:], times, rtol=1e-12)
    data = targets.single_neuron(4).sample(30, 5)
    a, w = (each.copy() for each in network_at(found, 0))
    for _ in range(steps):
        z = data.x @ w.T
        error = np.maximum(z, 0.0) @ a - data.y
        slope = (error[:, None] * (z > 0)).T @ data.x / 30
        a, w = a - rate * np.maximum(z, 0.0).T @ error / 30, w - rate * a[:, None] * slope
    final = network_at(found, -1)
    np.testing.assert_allclose(final.a, a, atol=1e-12)
    np.testing.assert_allclose(final.w, w, atol=1e-12)
    assert float(found["mean_square"][-1]) == pytest.approx(
        float(np.mean((np.maximum(data.x @ w.T, 0) @ a - data.y) ** 2))
    )
    features = np.maximum(data.x @ network_at(found, 0).w.T, 0.0)
    twin = np.zeros(6)
    for _ in range(steps):
        twin -= rate * features.T @ (features @ twin - data.y) / 30
    np.testing.assert_allclose(found["twin_p"].values[-1], twin, atol=1e-11)
    assert 0 < found.attrs["largest_sharpness"] < 1


def test_the_twin_of_samples_ends_at_least_squares(sampled):
    data = targets.single_neuron(D).sample(60, 3)
    w = network_at(sampled, 0).w
    solution = np.linalg.lstsq(np.maximum(data.x @ w.T, 0.0), data.y, rcond=None)[0]
    x = gaussian(D)
    error = (plain(nph.Parameters(solution, w), x) - np.maximum(x[:, 0], 0)) ** 2
    assert float(sampled["twin_limit"]) == pytest.approx(error.mean(), rel=0.02)
    residual = np.maximum(data.x @ w.T, 0.0) @ sampled["twin_p"].values[-1] - data.y
    assert float(sampled["twin_mean_square"][-1]) == pytest.approx(np.mean(residual**2), rel=1e-6)


def test_samples_and_population_agree_where_samples_are_many():
    times = [0.5, 2.0, 8.0]
    few = quench("single_neuron?d=4", 10, times=times, seed=2)
    many = quench("single_neuron?d=4", 10, 4000, times=times, seed=2)
    np.testing.assert_allclose(many["p"].values, few["p"].values, atol=0.05)
    np.testing.assert_allclose(many["test_error"].values, few["test_error"].values, rtol=0.2)
    assert not np.array_equal(many["mean_square"].values, many["test_error"].values)
    np.testing.assert_array_equal(few["mean_square"].values, few["test_error"].values)


def test_a_wide_network_stays_with_its_twin():
    found = quench("single_neuron?d=10", 1000, 40, mean_square=1e-5, method=nph.Descent("auto"))
    assert found.attrs["status"] == "converged"
    moved = np.linalg.norm(found["w"].values[-1] - found["w"].values[0], axis=1)
    assert moved.max() < 0.02
    assert float(found["distance"][-1]) < 1e-3 * float(found["test_error"][-1])
    assert markers_of(found)["departure"].word == "never"
    assert markers_of(found)["activation"].word == "never"


def test_the_mean_of_neurons_lets_all_take_part():
    sum_of, mean_of = (
        quench("single_neuron?d=8", 30, scaling=scaling, mean_square=1e-5, method=nph.Flow())
        for scaling in ("conventional", "mean_field")
    )
    assert mean_of.attrs["kappa"] == pytest.approx(1 / 30)
    assert float(mean_of["path_norm"][-1]) == pytest.approx(1.0, abs=0.05)
    assert float(mean_of["effective_number"][-1]) > 3 * float(sum_of["effective_number"][-1])
    again = quench("single_neuron?d=8", 30, scaling=1.0, mean_square=1e-5, method=nph.Flow())
    np.testing.assert_array_equal(again["p"].values, mean_of["p"].values)


def test_records_are_where_they_were_asked_for_and_reported():
    seen = []
    found = quench("linear?d=3", 5, frames=10, time=20.0, watch=seen.append)
    time = found["time"].values
    assert [record.time for record in seen] == time.tolist()
    assert time[0] == 0.0
    assert time[-1] == 20.0
    np.testing.assert_allclose(np.diff(np.log10(time[1:])), 0.1, atol=0.01)
    assert found.attrs["status"] == "time reached"
    exact = quench("linear?d=3", 5, times=[0.0, 1.0, 3.0])
    assert exact["time"].values.tolist() == [0.0, 1.0, 3.0]


def test_the_same_seed_gives_the_same_numbers():
    runs = [quench("circle?d=4", 8, 30, seed=seed, time=5.0) for seed in (4, 4, -5)]
    np.testing.assert_array_equal(runs[0]["p"].values, runs[1]["p"].values)
    assert not np.allclose(runs[0]["p"].values[-1], runs[2]["p"].values[-1])


def test_a_start_of_ones_own_is_taken():
    start = nph.Parameters(np.array([0.3, -0.1]), np.array([[1.0, 2.0], [0.5, 0.0]]))
    found = quench("linear?d=2", 2, start=start, time=1.0)
    np.testing.assert_array_equal(network_at(found, 0).w, start.w)
    assert found.attrs["own_start"] == 1
    np.testing.assert_array_equal(found["twin_p"].values[0], found["p"].values[0])


def test_a_descent_beyond_the_limit_of_stability_says_so():
    setting = Setting(targets.single_neuron(6), 40)
    rate = 1.3 * setting.twin(setting.start()).stability_limit
    found = quench("single_neuron?d=6", 40, method=nph.Descent(rate), time=50 * rate)
    assert found.attrs["largest_sharpness"] > 1
    assert found.attrs["status"] in ("diverged", "time reached", "non-finite")


@pytest.mark.parametrize("method", [nph.Descent("stable"), nph.Descent(0.01), nph.Flow()])
def test_the_most_steps_are_never_exceeded(method):
    found = quench("single_neuron?d=6", 8, 30, method=method, max_steps=5, frames=200)
    assert found.attrs["steps"] == 5
    assert found.attrs["status"] == "maximum steps"


@pytest.mark.slow
def test_two_thousand_neurons_on_two_hundred_samples_are_random_features():
    found = quench("single_neuron?d=20", 2000, 200, mean_square=1e-6)
    moved = np.linalg.norm(found["w"].values[-1] - found["w"].values[0], axis=1)
    assert moved.max() < 0.01
    ratio = found["test_error"].values[-1] / found["twin_test_error"].values[-1]
    assert ratio == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: quench("single_neuron", 0), "`width` must be a positive integer"),
        (lambda: quench("single_neuron", 3, 0), "`samples` must be a positive integer, but is 0"),
        (lambda: quench("hexagon", 3), "`target` must be one of single_neuron"),
        (lambda: quench(3, 3), "`target` must be a Target"),
        (lambda: quench("linear", 3, scaling="ntk"), "`scaling` must be one of conventional"),
        (lambda: quench("linear", 3, scaling=math.inf), "`scaling`"),
        (lambda: quench("linear", 300, scaling=200.0), "`scaling` must keep"),
        (lambda: quench("linear", 3, method=nph.Adam()), "`method` must be a Descent or a Flow"),
        (lambda: quench("linear", 3, frames=1), "`frames` must be at least 2"),
        (lambda: quench("linear", 3, time=1.0, times=[1.0]), "`time` and `times`"),
        (lambda: quench("linear", 3, times=[2.0, 1.0]), "`times` must increase"),
        (lambda: quench("linear", 3, inputs="cube"), "`inputs` must be one of"),
        (lambda: quench("linear", 3, output_std=-1.0), "`output_std`"),
        (lambda: quench("linear", 3, threshold=1.0), "`threshold`"),
        (lambda: quench("linear", 3, mean_square=0.0), "`mean_square`"),
        (
            lambda: quench("linear?d=4", 2, start=nph.Parameters(np.zeros(2), np.ones((2, 3)))),
            "`start` must have the 4 inputs of the target, but has 3",
        ),
        (
            lambda: quench("linear?d=3", 2, start=nph.Parameters(np.zeros(1), np.ones((1, 3)))),
            "`start` must hold the 2 neurons",
        ),
        (
            lambda: quench("linear?d=2", 2, start=nph.Parameters(np.ones(2), np.zeros((2, 2)))),
            "all are dead",
        ),
        (lambda: quench("linear?d=2", 2, start=3), "`start` must be Parameters"),
        (lambda: quench("linear", 3, 10**7, method=nph.Flow()), "fewer samples"),
        (lambda: quench("linear", 10**9), "`width` must leave room in memory"),
    ],
)
def test_what_makes_no_sense_is_refused(call, words):
    with pytest.raises(ArgumentError, match=words):
        call()


def test_a_run_that_stagnates_needs_a_doubling_of_time_without_a_fall():
    walk = running.Walk(None, nph.Flow(), 0.0, 1e-9, 10**6, impatient=True)
    state = network_at_zero()
    walk.steps = 20_000
    for time, error in ((1.0, 0.5), (2.0, 0.4), (4.0, 0.399), (8.0, 0.3985)):
        walk._note(time, error, state)
    assert walk._stagnates()
    walk._note(16.0, 0.39, state)
    assert not walk._stagnates()


def network_at_zero():
    return nph.Parameters(np.zeros(1), np.ones((1, 1)))


def test_a_whole_number_is_a_rate_like_any_other():
    options = {"time": 3.0, "frames": 4}
    whole = quench("single_neuron?d=4", 5, method=nph.Descent(1), **options)
    real = quench("single_neuron?d=4", 5, method=nph.Descent(1.0), **options)
    for name in ("test_error", "twin_test_error"):
        np.testing.assert_array_equal(whole[name], real[name])
    assert isinstance(nph.Descent(1).learning_rate, float)
